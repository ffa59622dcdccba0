/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls-pair.h"
#include "tls/tls-internal.h"

static SSL *new_ssl(TlsCtx *ctx, bool dtls)
{
    static TlsIo io;
    static DtlsIo dtls_io;

    return dtls ? tls_ctx_new_dtls(ctx, TLS_SERVER, &dtls_io)
                : tls_ctx_new_tls(ctx, TLS_SERVER, &io);
}

static bool has(const SSL *ssl, const char *cipher)
{
    STACK_OF(SSL_CIPHER) *list = SSL_get_ciphers(ssl);

    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++)
        if (!strcmp(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(list, i)), cipher))
            return true;
    return false;
}

static const struct {
    const char *path;
    TlsProfile profile;
    const char *with[6];
    const char *without[6];
} lists[] = {
    {"/tls/ctx/TLS-07/default-list",
     {0},
     {"ECDHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",
      "TLS_AES_128_GCM_SHA256"},
     {"AES128-SHA", "NULL-SHA256", "AES128-GCM-SHA256"}},
    {"/tls/ctx/TLS-05/legacy-switch",
     {.legacy_rsa_cbc = true},
     {"AES128-SHA", "ECDHE-RSA-AES128-GCM-SHA256"},
     {"AES256-SHA"}},
    {"/tls/ctx/TLS-01/bans-what-the-operator-names",
     {.ciphers = "NULL-SHA256:ECDHE-RSA-NULL-SHA:ADH-AES128-SHA256:DES-CBC3-SHA:RC4-MD5:PSK-AES128-"
                 "CBC-SHA:"
                 "AES256-SHA:@SECLEVEL=0"},
     {"AES256-SHA"},
     {"NULL-SHA256", "ECDHE-RSA-NULL-SHA", "ADH-AES128-SHA256", "DES-CBC3-SHA", "RC4-MD5",
      "PSK-AES128-CBC-SHA"}},
    {"/tls/ctx/TLS-01/bans-in-ALL",
     {.ciphers = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"},
     {"AES256-SHA"},
     {"NULL-SHA256", "NULL-MD5", "ADH-AES128-SHA256"}},
    {"/tls/ctx/TLS-04/own-suites",
     {.ciphersuites = "TLS_AES_256_GCM_SHA384"},
     {"TLS_AES_256_GCM_SHA384"},
     {"TLS_AES_128_GCM_SHA256"}},
};

static void test_list(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    g_autoptr(GError) error = NULL;
    g_autoptr(TlsIdentity) id = pair_identity("agw-rsa+agw-ecdsa");
    g_autoptr(TlsCtx) ctx = tls_ctx_new(id, &lists[i].profile, &error);

    g_assert_no_error(error);
    SSL *ssl = new_ssl(ctx, false);
    for (unsigned k = 0; k < 6 && lists[i].with[k]; k++)
        g_assert_true(has(ssl, lists[i].with[k]));
    for (unsigned k = 0; k < 6 && lists[i].without[k]; k++)
        g_assert_false(has(ssl, lists[i].without[k]));
    g_assert_cmpint(SSL_get_security_level(ssl), ==, 2);
    SSL_free(ssl);
}

static const struct {
    const char *path;
    TlsProfile profile;
    const char *message;
} refused[] = {
    {"/tls/ctx/refuses-only-banned",
     {.ciphers = "NULL-SHA256:ADH-AES128-SHA256"},
     "\"NULL-SHA256:ADH-AES128-SHA256\""},
    {"/tls/ctx/refuses-unknown-cipher", {.ciphers = "NOT-A-CIPHER"}, "\"NOT-A-CIPHER\""},
    {"/tls/ctx/refuses-unknown-suite", {.ciphersuites = "TLS_NOT_A_SUITE"}, "\"TLS_NOT_A_SUITE\""},
    {"/tls/ctx/refuses-empty-suites", {.ciphersuites = ""}, "TLS 1.3"},
};

static void test_refused(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    g_autoptr(GError) error = NULL;
    g_autoptr(TlsIdentity) id = pair_identity("agw-rsa");

    g_assert_null(tls_ctx_new(id, &refused[i].profile, &error));
    g_assert_error(error, TLS_ERROR, TLS_ERROR_CIPHERS);
    g_assert_nonnull(strstr(error->message, refused[i].message));
}

static void test_settings(void)
{
    g_autoptr(TlsCtx) ctx = pair_ctx("agw-rsa");

    for (int dtls = 0; dtls <= 1; dtls++) {
        SSL *ssl = new_ssl(ctx, dtls);
        uint64_t options = SSL_get_options(ssl);
        g_assert_true(options & SSL_OP_NO_TICKET);
        g_assert_true(options & SSL_OP_NO_RENEGOTIATION);
        g_assert_true(options & SSL_OP_NO_COMPRESSION);
        g_assert_false(options & SSL_OP_IGNORE_UNEXPECTED_EOF);
        g_assert_cmpint(SSL_get_verify_mode(ssl), ==,
                        SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
        g_assert_cmpint(SSL_CTX_get_session_cache_mode(SSL_get_SSL_CTX(ssl)), ==,
                        SSL_SESS_CACHE_OFF);
        g_assert_cmpint((int)SSL_get_min_proto_version(ssl), ==,
                        dtls ? DTLS1_2_VERSION : TLS1_2_VERSION);
        g_assert_cmpint((int)SSL_get_max_proto_version(ssl), ==,
                        dtls ? DTLS1_2_VERSION : TLS1_3_VERSION);
        SSL_free(ssl);
    }
    g_assert_cmpuint(tls_ctx_dtls_mtu(ctx), ==, 1200);
}

static void test_references(void)
{
    TlsIdentity *id = pair_identity("agw-rsa");
    TlsCtx *ctx = tls_ctx_new(id, &(TlsProfile){.dtls_mtu = 900}, NULL);
    FingerprintSet set;

    tls_identity_unref(id);
    g_assert_true(tls_ctx_ref(ctx) == ctx);
    tls_ctx_unref(ctx);
    tls_identity_fingerprints(tls_ctx_identity(ctx), FP_SHA256, &set);
    g_assert_cmpuint(set.n, ==, 1);
    g_assert_cmpuint(tls_ctx_dtls_mtu(ctx), ==, 900);
    tls_ctx_unref(ctx);
}

/* A cookie tells peers apart, and is of no use to another context. */
static void test_cookie(void)
{
    g_autoptr(TlsCtx) ctx = pair_ctx("agw-rsa");
    g_autoptr(TlsCtx) other = pair_ctx("agw-rsa");
    uint8_t a[DTLS_COOKIE_LEN], b[DTLS_COOKIE_LEN];

    tls_ctx_cookie(ctx, SPAN("192.0.2.1:5000"), a);
    tls_ctx_cookie(ctx, SPAN("192.0.2.1:5000"), b);
    g_assert_cmpmem(a, sizeof a, b, sizeof b);
    tls_ctx_cookie(ctx, SPAN("192.0.2.1:5001"), b);
    g_assert_cmpint(memcmp(a, b, sizeof a), !=, 0);
    tls_ctx_cookie(other, SPAN("192.0.2.1:5000"), b);
    g_assert_cmpint(memcmp(a, b, sizeof a), !=, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++)
        g_test_add_data_func(lists[i].path, GUINT_TO_POINTER(i), test_list);
    for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++)
        g_test_add_data_func(refused[i].path, GUINT_TO_POINTER(i), test_refused);
    g_test_add_func("/tls/ctx/TLS-10/settings", test_settings);
    g_test_add_func("/tls/ctx/FPR-09/references", test_references);
    g_test_add_func("/tls/ctx/TLS-14/cookie", test_cookie);
    return g_test_run();
}
