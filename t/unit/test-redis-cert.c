/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "redis-schema/redis-cert.h"

#include "base/fingerprint.h"

static char *fingerprint(void)
{
    Fingerprint fp = {FP_SHA256, {1, 2, 3}};
    char text[FP_TEXT_MAX];

    return g_strdup(fp_text(&fp, text));
}

static void there_and_back(void)
{
    static const uint8_t nonce[REDIS_CERT_NONCE] = {0, 255, 7};
    static const char sealed[] = "ciphertext and the sixteen bytes of the tag";
    g_autofree char *fp = fingerprint();
    g_autoptr(GBytes) bytes = g_bytes_new_static(sealed, sizeof sealed);
    g_autoptr(RedisCert) cert = redis_cert_new(fp, "0011223344556677", nonce, bytes);
    g_autofree char *json = redis_cert_print(cert, NULL);
    g_autoptr(RedisCert) back = redis_cert_parse(span_str(json), NULL);

    g_assert_nonnull(back);
    g_assert_cmpstr(back->fingerprint, ==, fp);
    g_assert_cmpstr(back->key_id, ==, "0011223344556677");
    g_assert_cmpmem(back->nonce, sizeof back->nonce, nonce, sizeof nonce);
    g_assert_true(g_bytes_equal(back->sealed, bytes));
}

static void refuses(void)
{
    static const struct {
        const char *schema, *cipher, *nonce, *sealed;
    } rows[] = {
        {"2", REDIS_CERT_CIPHER, "AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAA"},
        {"1", "aes-128-cbc", "AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAA"},
        {"1", REDIS_CERT_CIPHER, "AAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAA"},
        {"1", REDIS_CERT_CIPHER, "AAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAA"},
        {"1", REDIS_CERT_CIPHER, "AAAAAAAAAAA!AAAA", "AAAAAAAAAAAAAAAAAAAAAAAA"},
        {"1", REDIS_CERT_CIPHER, "AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAA"},
        {"1", REDIS_CERT_CIPHER, "AAAAAAAAAAAAAAAA", ""},
    };
    g_autofree char *fp = fingerprint();

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *json =
            g_strdup_printf("{\"schema\":%s,\"fingerprint\":\"%s\",\"cipher\":\"%s\","
                            "\"key-id\":\"0\",\"nonce\":\"%s\",\"sealed\":\"%s\"}",
                            rows[i].schema, fp, rows[i].cipher, rows[i].nonce, rows[i].sealed);
        g_assert_null(redis_cert_parse(span_str(json), &error));
        g_assert_nonnull(error);
    }
    g_assert_null(redis_cert_parse(SPAN("{\"schema\":1}"), NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/redis-schema/cert/there-and-back", there_and_back);
    g_test_add_func("/redis-schema/cert/refuses", refuses);
    return g_test_run();
}
