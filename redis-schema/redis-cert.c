/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "redis-schema/redis-cert.h"

#include "base/fingerprint.h"
#include "redis-schema/redis-fields.h"

/* As it stands in JSON: all text. */
typedef struct Envelope {
    char *fingerprint;
    char *cipher;
    char *key_id;
    char *nonce;
    char *sealed;
} Envelope;

#define TEXT(json, member)                                                                         \
    {                                                                                              \
        .name = (json), .type = REDIS_BYTES, .offset = offsetof(Envelope, member),                 \
        .required = true                                                                           \
    }

static const RedisField fields[] = {
    TEXT("fingerprint", fingerprint), TEXT("cipher", cipher),
    TEXT("key-id", key_id),           TEXT("nonce", nonce),
    TEXT("sealed", sealed),
};
static const RedisTable table = {sizeof(Envelope), fields, G_N_ELEMENTS(fields)};

RedisCert *redis_cert_new(const char *fingerprint, const char *key_id,
                          const uint8_t nonce[static REDIS_CERT_NONCE], GBytes *sealed)
{
    RedisCert *cert = g_new0(RedisCert, 1);

    cert->fingerprint = g_strdup(fingerprint);
    cert->key_id = g_strdup(key_id);
    memcpy(cert->nonce, nonce, sizeof cert->nonce);
    cert->sealed = g_bytes_ref(sealed);
    return cert;
}

void redis_cert_free(RedisCert *cert)
{
    if (!cert)
        return;
    g_free(cert->fingerprint);
    g_free(cert->key_id);
    g_bytes_unref(cert->sealed);
    g_free(cert);
}

char *redis_cert_print(const RedisCert *cert, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    gsize len;
    gconstpointer sealed = g_bytes_get_data(cert->sealed, &len);
    g_autofree char *nonce64 = g_base64_encode(cert->nonce, sizeof cert->nonce);
    g_autofree char *sealed64 = g_base64_encode(sealed, len);
    const Envelope e = {cert->fingerprint, (char[]){REDIS_CERT_CIPHER}, cert->key_id, nonce64,
                        sealed64};

    g_string_append_printf(out, "{\"schema\":%d,\"minor\":%d", REDIS_SCHEMA, REDIS_MINOR);
    redis_fields_write(&table, &e, out);
    g_string_append_c(out, '}');
    if (out->len > REDIS_VALUE_MAX) {
        g_set_error(error, REDIS_ERROR, REDIS_ERROR_LIMIT, "the sealed certificate is too long");
        return NULL;
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* Base64 of at least @min bytes; NULL for anything else. */
static GBytes *from_base64(const char *text, size_t min)
{
    gsize len;
    g_autofree guchar *bytes = g_base64_decode(text, &len);
    g_autofree char *again = g_base64_encode(bytes, len);

    /* GLib skips what is not Base64 */
    if (len < min || strcmp(again, text) != 0)
        return NULL;
    return g_bytes_new_take(g_steal_pointer(&bytes), len);
}

static RedisCert *open_envelope(const Envelope *e, GError **error)
{
    g_autoptr(GBytes) nonce = from_base64(e->nonce, REDIS_CERT_NONCE);
    g_autoptr(GBytes) sealed = from_base64(e->sealed, REDIS_CERT_TAG);
    Fingerprint fp;
    const char *bad = NULL;

    if (fp_parse(span_str(e->fingerprint), &fp) != FP_PARSE_OK)
        bad = "fingerprint";
    else if (strcmp(e->cipher, REDIS_CERT_CIPHER) != 0)
        bad = "cipher";
    else if (!nonce || g_bytes_get_size(nonce) != REDIS_CERT_NONCE)
        bad = "nonce";
    else if (!sealed)
        bad = "sealed";
    if (bad) {
        g_set_error(error, REDIS_ERROR, REDIS_ERROR_FIELD, "certificate: bad %s", bad);
        return NULL;
    }
    return redis_cert_new(e->fingerprint, e->key_id, g_bytes_get_data(nonce, NULL), sealed);
}

RedisCert *redis_cert_parse(Span json, GError **error)
{
    g_autoptr(JsonParser) parser = redis_json_parse(json, error);
    Envelope e = {0};
    RedisCert *cert = NULL;

    if (!parser)
        return NULL;
    JsonObject *object = json_node_get_object(json_parser_get_root(parser));
    if (redis_fields_read(&table, object, &e, error))
        cert = open_envelope(&e, error);
    else
        g_prefix_error(error, "certificate: ");
    redis_fields_clear(&table, &e);
    return cert;
}
