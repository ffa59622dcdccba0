/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tls/tls-seal.h"

#include "tls/tls-internal.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#define KEY_LEN 32
#define KEY_ID  "e2ae-key-id"
#define ID_LEN  8
/* A chain of certificates and a key; what Redis may hold is less. */
#define SEALED_MAX (1024 * 1024)

struct TlsSealKey {
    uint8_t bytes[KEY_LEN];
    char id[2 * ID_LEN + 1];
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_MD_CTX, EVP_MD_CTX_free)

/* ---- the key */

static void set_id(TlsSealKey *key)
{
    g_autoptr(EVP_MD_CTX) md = EVP_MD_CTX_new();
    uint8_t digest[SHA256_DIGEST_LENGTH];
    int ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
             EVP_DigestUpdate(md, KEY_ID, strlen(KEY_ID)) &&
             EVP_DigestUpdate(md, key->bytes, KEY_LEN) && EVP_DigestFinal_ex(md, digest, NULL);

    g_assert(ok);
    for (int i = 0; i < ID_LEN; i++)
        g_snprintf(key->id + 2 * i, 3, "%02x", digest[i]);
}

TlsSealKey *tls_seal_key_parse(Span text, GError **error)
{
    g_autoptr(TlsSealKey) key = g_new0(TlsSealKey, 1);

    while (text.len && g_ascii_isspace(text.p[text.len - 1]))
        text.len--;
    bool ok = text.len == 2 * KEY_LEN;
    for (size_t i = 0; ok && i < text.len; i++) {
        ok = g_ascii_isxdigit(text.p[i]);
        key->bytes[i / 2] =
            (uint8_t)(key->bytes[i / 2] << 4 | (ok ? g_ascii_xdigit_value(text.p[i]) : 0));
    }
    if (!ok) {
        g_set_error(error, TLS_ERROR, TLS_ERROR_KEY,
                    "a key is 64 hexadecimal digits, as openssl rand -hex 32 prints");
        return NULL;
    }
    set_id(key);
    return g_steal_pointer(&key);
}

void tls_seal_key_free(TlsSealKey *key)
{
    if (!key)
        return;
    OPENSSL_cleanse(key, sizeof *key);
    g_free(key);
}

const char *tls_seal_key_id(const TlsSealKey *key)
{
    return key->id;
}

/* ---- bytes */

static EVP_CIPHER_CTX *cipher_new(const TlsSealKey *key, const uint8_t *nonce, Span name,
                                  bool encrypt)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n;
    /* GCM takes a nonce of 12 bytes unless it is told otherwise. */
    int ok = c &&
             EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key->bytes, nonce, encrypt ? 1 : 0) &&
             EVP_CipherUpdate(c, NULL, &n, (const uint8_t *)name.p, (int)name.len);

    g_assert(ok);
    return c;
}

GBytes *tls_seal_bytes(const TlsSealKey *key, const uint8_t nonce[static TLS_SEAL_NONCE], Span name,
                       Span plain)
{
    g_assert(plain.len <= SEALED_MAX && name.len <= SEALED_MAX);
    g_autoptr(EVP_CIPHER_CTX) c = cipher_new(key, nonce, name, true);
    uint8_t *out = g_malloc(plain.len + TLS_SEAL_TAG);
    int n = 0, rest = 0;
    int ok = EVP_CipherUpdate(c, out, &n, (const uint8_t *)plain.p, (int)plain.len) &&
             EVP_CipherFinal_ex(c, out + n, &rest) &&
             EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TLS_SEAL_TAG, out + plain.len);

    g_assert(ok && (size_t)(n + rest) == plain.len);
    return g_bytes_new_take(out, plain.len + TLS_SEAL_TAG);
}

char *tls_seal_open_bytes(const TlsSealKey *key, const uint8_t nonce[static TLS_SEAL_NONCE],
                          Span name, Span sealed, size_t *ret_len)
{
    int n = 0, rest = 0;

    if (sealed.len < TLS_SEAL_TAG || sealed.len > SEALED_MAX || name.len > SEALED_MAX)
        return NULL;
    g_autoptr(EVP_CIPHER_CTX) c = cipher_new(key, nonce, name, false);
    size_t len = sealed.len - TLS_SEAL_TAG;
    const uint8_t *in = (const uint8_t *)sealed.p;
    char *plain = g_malloc(len + 1);
    if (EVP_CipherUpdate(c, (uint8_t *)plain, &n, in, (int)len) &&
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TLS_SEAL_TAG, (void *)(in + len)) &&
        EVP_CipherFinal_ex(c, (uint8_t *)plain + n, &rest)) {
        plain[len] = '\0';
        *ret_len = len;
        return plain;
    }
    ERR_clear_error();
    /* Nobody sees what was decrypted before it turned out to be false. */
    OPENSSL_cleanse(plain, len);
    g_free(plain);
    return NULL;
}

/* ---- certificates */

GBytes *tls_seal_identity(const TlsSealKey *key, const uint8_t nonce[static TLS_SEAL_NONCE],
                          const char *name, const TlsIdentity *id)
{
    BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when it is freed */
    char *pem;

    g_assert(bio);
    tls_identity_print(id, bio);
    long len = BIO_get_mem_data(bio, &pem);
    GBytes *sealed = tls_seal_bytes(key, nonce, span_str(name), (Span){pem, (size_t)len});
    BIO_free(bio);
    return sealed;
}

TlsIdentity *tls_seal_open(const TlsSealKey *key, const uint8_t nonce[static TLS_SEAL_NONCE],
                           const char *name, Span sealed, GError **error)
{
    size_t len = 0;
    char *pem = tls_seal_open_bytes(key, nonce, span_str(name), sealed, &len);

    if (!pem) {
        g_set_error(error, TLS_ERROR, TLS_ERROR_SEAL,
                    "%s: it was not sealed with this key, or has been changed", name);
        return NULL;
    }
    TlsIdentity *id = tls_identity_parse((Span){pem, len}, name, error);
    OPENSSL_cleanse(pem, len);
    g_free(pem);
    return id;
}
