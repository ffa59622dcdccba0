/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls-end.h"

#define UE  "ue-ecdsa"
#define AGW "agw-ecdsa"

/* ---- every role, version and key type against bare OpenSSL */

static const struct {
    const char *path;
    bool raw_is_server;
    int version;
    const char *raw_cert;
    const char *our_cert;
    const char *cipher;
} matrix[] = {
    {"/tls/conn/matrix/server-1.2-rsa", false, TLS1_2_VERSION, "ue-rsa", "agw-rsa",
     "ECDHE-RSA-AES128-GCM-SHA256"},
    {"/tls/conn/matrix/server-1.2-ecdsa", false, TLS1_2_VERSION, UE, AGW,
     "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"/tls/conn/matrix/server-1.2-both", false, TLS1_2_VERSION, UE, "agw-rsa+agw-ecdsa",
     "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"/tls/conn/matrix/server-1.3-rsa", false, TLS1_3_VERSION, "ue-rsa", "agw-rsa",
     "TLS_AES_128_GCM_SHA256"},
    {"/tls/conn/matrix/server-1.3-ecdsa", false, TLS1_3_VERSION, UE, AGW, "TLS_AES_128_GCM_SHA256"},
    {"/tls/conn/matrix/client-1.2-rsa", true, TLS1_2_VERSION, "ue-rsa", "agw-rsa",
     "ECDHE-RSA-AES128-GCM-SHA256"},
    {"/tls/conn/matrix/client-1.2-ecdsa", true, TLS1_2_VERSION, UE, AGW,
     "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"/tls/conn/matrix/client-1.3-rsa", true, TLS1_3_VERSION, "ue-rsa", "agw-rsa",
     "TLS_AES_128_GCM_SHA256"},
    {"/tls/conn/matrix/client-1.3-ecdsa", true, TLS1_3_VERSION, UE, AGW, "TLS_AES_128_GCM_SHA256"},
    /* ASC-04, TLS-16: what the certificate says of itself does not matter, and only the leaf
       counts. */
    {"/tls/conn/ASC-04/expired-1.2", false, TLS1_2_VERSION, "ue-expired", AGW, NULL},
    {"/tls/conn/ASC-04/expired-1.3", false, TLS1_3_VERSION, "ue-expired", AGW, NULL},
    {"/tls/conn/ASC-04/expired-server", true, TLS1_3_VERSION, "ue-expired", AGW, NULL},
    {"/tls/conn/TLS-16/chain-uses-leaf", false, TLS1_3_VERSION, "ue-chain", AGW, NULL},
    {"/tls/conn/TLS-16/chain-uses-leaf-1.2", true, TLS1_2_VERSION, "ue-chain", AGW, NULL},
    /* Old stacks: the signature of a self-signed certificate and the size of its key are not
       judged. */
    {"/tls/conn/ASC-04/sha1-signed-1.2", false, TLS1_2_VERSION, "ue-sha1", AGW, NULL},
    {"/tls/conn/ASC-04/sha1-signed-1.3", false, TLS1_3_VERSION, "ue-sha1", AGW, NULL},
    {"/tls/conn/ASC-04/sha1-signed-server", true, TLS1_2_VERSION, "ue-sha1", AGW, NULL},
    {"/tls/conn/ASC-04/rsa1024-1.2", false, TLS1_2_VERSION, "ue-rsa1024", AGW, NULL},
    {"/tls/conn/ASC-04/rsa1024-1.3", false, TLS1_3_VERSION, "ue-rsa1024", AGW, NULL},
    {"/tls/conn/ASC-04/rsa1024-server", true, TLS1_2_VERSION, "ue-rsa1024", AGW, NULL},
    {"/tls/conn/ASC-04/p521-1.2", false, TLS1_2_VERSION, "ue-p521", AGW, NULL},
    {"/tls/conn/ASC-04/p521-1.3", false, TLS1_3_VERSION, "ue-p521", AGW, NULL},
    {"/tls/conn/ASC-04/ed25519-1.2", false, TLS1_2_VERSION, "ue-ed25519", AGW, NULL},
    {"/tls/conn/ASC-04/ed25519-1.3", true, TLS1_3_VERSION, "ue-ed25519", AGW, NULL},
};

static void test_matrix(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    g_autoptr(TlsCtx) ctx = pair_ctx(matrix[i].our_cert);
    g_autoptr(Raw) raw = raw_new(matrix[i].raw_is_server, matrix[i].raw_cert, matrix[i].version);
    FingerprintSet set = pair_set(matrix[i].raw_cert, FP_SHA256);
    Fingerprint fp;
    Buf raw_plain;
    End e;

    buf_init(&raw_plain, 1000);
    end_init(&e, ctx, matrix[i].raw_is_server ? TLS_CLIENT : TLS_SERVER, &set);
    end_join_raw(&e, raw, &raw_plain);
    if (end_state(&e) != TLS_STATE_OPEN)
        g_error("%s: %s", matrix[i].path, tls_stream_failure(e.s)->text);
    g_assert_true(raw->done && !raw->failed);
    g_assert_cmpstr(tls_stream_version(e.s), ==,
                    matrix[i].version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2");
    if (matrix[i].cipher)
        g_assert_cmpstr(tls_stream_cipher(e.s), ==, matrix[i].cipher);
    g_assert_true(tls_stream_peer_fingerprint(e.s, FP_SHA256, &fp));
    g_assert_true(fp_eq(&fp, &set.fp[0]));
    /* TLS-10, ASC-01, and no names that a peer could be misled by. */
    g_assert_cmpuint(raw->log.tickets, ==, 0);
    g_assert_cmpuint(raw->log.client_cas, ==, 0);
    g_assert_nonnull(SSL_get0_peer_certificate(raw->ssl));

    g_assert_true(tls_stream_write(e.s, SPAN("to the peer"), &e.out));
    raw_write(raw, SPAN("to us"), &e.plain); /* e.plain as a scratch buffer for ciphertext */
    Buf cipher = e.plain;
    buf_init(&e.plain, TLS_PLAIN_ROOM);
    end_feed(&e, &cipher, 7);
    end_join_raw(&e, raw, &raw_plain);
    end_assert_plain(&e.plain, "to us");
    end_assert_plain(&raw_plain, "to the peer");
    buf_clear(&cipher);
    buf_clear(&raw_plain);
    end_clear(&e);
}

/* ---- fingerprints */

static Fingerprint wrong(FpHash hash)
{
    Fingerprint fp = pair_fingerprint(UE, hash);

    fp.digest[fp_digest_len(hash) - 1] ^= 1;
    return fp;
}

typedef enum Which { END, RIGHT256, WRONG256, RIGHT512, WRONG512, RIGHT1, WRONG1, OTHER256 } Which;

static const struct {
    const char *path;
    Which members[4];
    bool allow_sha1;
    bool opens;
} checks[] = {
    {"match", {RIGHT256}, false, true},
    {"TLS-13/mismatch", {WRONG256}, false, false},
    {"second-of-two", {OTHER256, RIGHT256}, false, true},
    {"neither-of-two", {OTHER256, WRONG256}, false, false},
    {"FPR-06/both-hashes", {RIGHT256, RIGHT512}, false, true},
    {"FPR-06/stronger-mismatch-does-not-fall-back", {RIGHT256, WRONG512}, false, false},
    {"FPR-06/weaker-mismatch-is-not-looked-at", {WRONG256, RIGHT512}, false, true},
    {"FPR-05/sha1-not-allowed", {RIGHT1}, false, false},
    {"FPR-05/sha1-allowed", {RIGHT1}, true, true},
    {"FPR-05/sha1-mismatch", {WRONG1}, true, false},
    {"FPR-05/sha1-allowed-but-not-chosen", {RIGHT1, WRONG256}, true, false},
};

static FingerprintSet make_set(const Which *members)
{
    FingerprintSet set = {0};

    for (; *members != END; members++) {
        Fingerprint fp = *members == RIGHT256   ? pair_fingerprint(UE, FP_SHA256)
                         : *members == WRONG256 ? wrong(FP_SHA256)
                         : *members == RIGHT512 ? pair_fingerprint(UE, FP_SHA512)
                         : *members == WRONG512 ? wrong(FP_SHA512)
                         : *members == RIGHT1   ? pair_fingerprint(UE, FP_SHA1)
                         : *members == WRONG1   ? wrong(FP_SHA1)
                                                : pair_fingerprint("other-ecdsa", FP_SHA256);
        fp_set_add(&set, &fp);
    }
    return set;
}

static void check(unsigned i, bool raw_is_server, int version)
{
    g_autoptr(TlsCtx) ctx = pair_ctx(AGW);
    g_autoptr(Raw) raw = raw_new(raw_is_server, UE, version);
    FingerprintSet set = make_set(checks[i].members);
    Buf raw_plain;
    End e;

    buf_init(&raw_plain, 1000);
    end_init(&e, ctx, raw_is_server ? TLS_CLIENT : TLS_SERVER, NULL);
    tls_stream_set_fingerprints(e.s, &set, checks[i].allow_sha1, &e.out);
    g_assert_cmpint(end_state(&e), ==, TLS_STATE_HANDSHAKE);
    end_join_raw(&e, raw, &raw_plain);
    if (checks[i].opens) {
        g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
    } else {
        end_assert_failed(&e, TLS_FAILURE_FINGERPRINT, "certificate sha-256 ");
        /* TLS-13 */
        g_assert_cmpint(raw->log.alert_received, ==, SSL_AD_BAD_CERTIFICATE);
        g_assert_false(tls_stream_write(e.s, SPAN("no"), &e.out));
        g_assert_cmpuint(buf_len(&e.out), ==, 0);
    }
    buf_clear(&raw_plain);
    end_clear(&e);
}

static void test_fingerprints(gconstpointer data)
{
    for (int raw_is_server = 0; raw_is_server <= 1; raw_is_server++) {
        check(GPOINTER_TO_UINT(data), raw_is_server, TLS1_2_VERSION);
        check(GPOINTER_TO_UINT(data), raw_is_server, TLS1_3_VERSION);
    }
}

/* ---- peers that are not as they should be */

static const struct {
    const char *path;
    Span bytes;
    const char *text;
} not_tls[] = {
    {"/tls/conn/not-tls/http", {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27}, "http request"},
    {"/tls/conn/not-tls/msrp", {"MSRP d93kswow SEND\r\n", 20}, "wrong version number"},
    {"/tls/conn/not-tls/bfcp",
     {"\x20\x0b\x00\x00\x00\x00\x00\x01\x00\x01\x00\x02", 12},
     "wrong version number"},
    {"/tls/conn/not-tls/ssl2",
     {"\x80\x16\x01\x00\x02\x00\x03\x00\x00\x00\x10\x01\x00\x80"
      "0123456789",
      24},
     ""},
};

static void test_not_tls(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    g_autoptr(TlsCtx) ctx = pair_ctx(AGW);
    FingerprintSet ue = pair_set(UE, FP_SHA256);
    End e;

    end_init(&e, ctx, TLS_SERVER, &ue);
    tls_stream_feed(e.s, not_tls[i].bytes, &e.plain, &e.out);
    end_assert_failed(&e, TLS_FAILURE_HANDSHAKE, not_tls[i].text);
    g_assert_cmpuint(buf_len(&e.plain), ==, 0);
    end_clear(&e);
}

static const struct {
    const char *path;
    bool raw_is_server;
    int version;
    const char *cert;
    const char *ciphers;
    TlsFailureKind kind;
    int alert;
    const char *text;
} refused[] = {
    {"/tls/conn/TLS-02/tls-1.1-client", false, TLS1_1_VERSION, UE, NULL, TLS_FAILURE_HANDSHAKE,
     SSL_AD_PROTOCOL_VERSION, "unsupported protocol"},
    {"/tls/conn/TLS-02/tls-1.0-client", false, TLS1_VERSION, UE, NULL, TLS_FAILURE_HANDSHAKE,
     SSL_AD_PROTOCOL_VERSION, "unsupported protocol"},
    {"/tls/conn/TLS-02/tls-1.1-server", true, TLS1_1_VERSION, UE, NULL, TLS_FAILURE_PEER_ALERT, -1,
     "protocol_version (70) received"},
    {"/tls/conn/TLS-01/null-client", false, TLS1_2_VERSION, UE, "eNULL", TLS_FAILURE_HANDSHAKE,
     SSL_AD_HANDSHAKE_FAILURE, "no shared cipher"},
    {"/tls/conn/TLS-01/anonymous-client", false, TLS1_2_VERSION, UE, "aNULL:-eNULL",
     TLS_FAILURE_HANDSHAKE, SSL_AD_HANDSHAKE_FAILURE, "no shared cipher"},
    {"/tls/conn/TLS-05/TLS-06/cbc-without-legacy-switch", false, TLS1_2_VERSION, "ue-rsa",
     "AES128-SHA", TLS_FAILURE_HANDSHAKE, SSL_AD_HANDSHAKE_FAILURE, "no shared cipher"},
    {"/tls/conn/FPR-10/TLS-13/no-certificate-1.2", false, TLS1_2_VERSION, NULL, NULL,
     TLS_FAILURE_NO_CERTIFICATE, SSL_AD_HANDSHAKE_FAILURE, "certificate"},
    {"/tls/conn/FPR-10/TLS-13/no-certificate-1.3", false, TLS1_3_VERSION, NULL, NULL,
     TLS_FAILURE_NO_CERTIFICATE, SSL_AD_CERTIFICATE_REQUIRED, "certificate"},
};

static void test_refused(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    g_autoptr(TlsCtx) ctx = pair_ctx("agw-rsa");
    g_autoptr(Raw) raw = raw_new(refused[i].raw_is_server, refused[i].cert, refused[i].version);
    Buf raw_plain;
    End e;

    if (refused[i].ciphers)
        g_assert_true(SSL_set_cipher_list(raw->ssl, refused[i].ciphers));
    buf_init(&raw_plain, 1000);
    end_init(&e, ctx, refused[i].raw_is_server ? TLS_CLIENT : TLS_SERVER, NULL);
    end_join_raw(&e, raw, &raw_plain);
    end_assert_failed(&e, refused[i].kind, refused[i].text);
    g_assert_cmpint(raw->log.alert_received, ==, refused[i].alert);
    end_clear(&e);
}

/* TLS-08: as client with both keys, the one that the server can take is shown. */
static void test_client_certificate(gconstpointer data)
{
    const char *sigalgs = data;
    int wanted = strstr(sigalgs, "ECDSA") ? EVP_PKEY_EC : EVP_PKEY_RSA;
    g_autoptr(TlsCtx) ctx = pair_ctx("agw-rsa+agw-ecdsa");
    FingerprintSet ue = pair_set("ue-rsa", FP_SHA256);

    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        g_autoptr(Raw) raw = raw_new(true, "ue-rsa", version);
        Buf raw_plain;
        End e;

        buf_init(&raw_plain, 1000);
        g_assert_true(SSL_set1_client_sigalgs_list(raw->ssl, sigalgs));
        end_init(&e, ctx, TLS_CLIENT, &ue);
        end_join_raw(&e, raw, &raw_plain);
        g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
        const X509 *shown = SSL_get0_peer_certificate(raw->ssl);
        g_assert_cmpint(EVP_PKEY_get_base_id(X509_get0_pubkey(shown)), ==, wanted);
        end_clear(&e);
    }
}

/* TLS-12: a server that can take none of our keys gets no certificate, and says so late. */
static void test_no_certificate_to_show(void)
{
    static const struct {
        int version;
        const char *text;
    } cases[] = {{TLS1_2_VERSION, "alert handshake_failure (40) received"},
                 {TLS1_3_VERSION, "alert certificate_required (116) received"}};
    g_autoptr(TlsCtx) ctx = pair_ctx(AGW);
    FingerprintSet ue = pair_set("ue-rsa", FP_SHA256);

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Raw) raw = raw_new(true, "ue-rsa", cases[i].version);
        Buf raw_plain;
        End e;

        buf_init(&raw_plain, 1000);
        g_assert_true(SSL_set1_client_sigalgs_list(raw->ssl, "ed25519"));
        end_init(&e, ctx, TLS_CLIENT, &ue);
        end_join_raw(&e, raw, &raw_plain);
        end_assert_failed(&e, TLS_FAILURE_PEER_ALERT, cases[i].text);
        end_clear(&e);
    }
}

/* TLS-05: whatever name the client asks for. */
static void test_sni(void)
{
    g_autoptr(TlsCtx) ctx = pair_ctx(AGW);
    g_autoptr(Raw) raw = raw_new(false, UE, TLS1_3_VERSION);
    FingerprintSet ue = pair_set(UE, FP_SHA256);
    Buf raw_plain;
    End e;

    buf_init(&raw_plain, 1000);
    SSL_set_tlsext_host_name(raw->ssl, "no-such-host.example");
    end_init(&e, ctx, TLS_SERVER, &ue);
    end_join_raw(&e, raw, &raw_plain);
    g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
    end_clear(&e);
}

/* TLS-05, TLS-06: the suite that RFC 4975 and RFC 8855 made mandatory. */
static void test_legacy_cbc(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TlsIdentity) id = pair_identity("agw-rsa");
    g_autoptr(TlsCtx) ctx = tls_ctx_new(id, &(TlsProfile){.legacy_rsa_cbc = true}, &error);
    g_autoptr(Raw) raw = raw_new(false, "ue-rsa", TLS1_2_VERSION);
    FingerprintSet ue = pair_set("ue-rsa", FP_SHA256);
    Buf raw_plain;
    End e;

    buf_init(&raw_plain, 1000);
    SSL_set_cipher_list(raw->ssl, "AES128-SHA");
    end_init(&e, ctx, TLS_SERVER, &ue);
    end_join_raw(&e, raw, &raw_plain);
    g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
    g_assert_cmpstr(tls_stream_cipher(e.s), ==, "AES128-SHA");
    end_clear(&e);
}

/* TLS-07: the RSA suites that RFC 7345 made mandatory. */
static void test_dhe(void)
{
    g_autoptr(TlsCtx) ctx = pair_ctx("agw-rsa");
    g_autoptr(Raw) raw = raw_new(false, "ue-rsa", TLS1_2_VERSION);
    FingerprintSet ue = pair_set("ue-rsa", FP_SHA256);
    EVP_PKEY *key = NULL;
    Buf raw_plain;
    End e;

    buf_init(&raw_plain, 1000);
    SSL_set_cipher_list(raw->ssl, "DHE-RSA-AES128-GCM-SHA256");
    end_init(&e, ctx, TLS_SERVER, &ue);
    end_join_raw(&e, raw, &raw_plain);
    g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
    g_assert_true(SSL_get_peer_tmp_key(raw->ssl, &key));
    g_assert_cmpint(EVP_PKEY_get_bits(key), >=, 2048);
    EVP_PKEY_free(key);
    end_clear(&e);
}

/* TLS-11: a peer that renegotiates is told no and goes on being served. */
static void test_renegotiation(gconstpointer data)
{
    bool raw_is_server = GPOINTER_TO_INT(data);
    g_autoptr(TlsCtx) ctx = pair_ctx(AGW);
    g_autoptr(Raw) raw = raw_new(raw_is_server, UE, TLS1_2_VERSION);
    FingerprintSet ue = pair_set(UE, FP_SHA256);
    Buf raw_plain, wire;
    End e;

    buf_init(&raw_plain, 1000);
    buf_init(&wire, 100000);
    end_init(&e, ctx, raw_is_server ? TLS_CLIENT : TLS_SERVER, &ue);
    end_join_raw(&e, raw, &raw_plain);
    g_assert_true(SSL_renegotiate(raw->ssl));
    SSL_do_handshake(raw->ssl);
    raw_flush(raw, &wire);
    g_assert_cmpuint(buf_len(&wire), >, 0);
    end_feed(&e, &wire, TLS_FEED_MAX);
    g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
    raw_feed(raw, buf_span(&e.out), &raw_plain, &wire);
    g_assert_cmpint(raw->log.alert_received, ==, SSL_AD_NO_RENEGOTIATION);
    g_assert_true(tls_stream_write(e.s, SPAN("still here"), &e.out));
    buf_clear(&wire);
    end_clear(&e);
}

/* CNF-05: what a client kept of one stream opens no other; it is asked for its certificate again. */
static void test_not_shared(gconstpointer data)
{
    int version = GPOINTER_TO_INT(data);
    g_autoptr(TlsCtx) ctx = pair_ctx(AGW);
    FingerprintSet ue = pair_set(UE, FP_SHA256);
    SSL_SESSION *kept = NULL;
    Fingerprint fp;

    for (unsigned stream = 0; stream < 3; stream++) {
        g_autoptr(Raw) raw = raw_new(false, UE, version);
        Buf raw_plain;
        End e;

        buf_init(&raw_plain, 1000);
        if (kept)
            g_assert_true(SSL_set_session(raw->ssl, kept));
        SSL_SESSION_free(kept);
        end_init(&e, ctx, TLS_SERVER, &ue);
        end_join_raw(&e, raw, &raw_plain);
        g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
        g_assert_false(SSL_session_reused(raw->ssl));
        g_assert_true(tls_stream_peer_fingerprint(e.s, FP_SHA256, &fp));
        g_assert_cmpuint(raw->log.tickets, ==, 0);
        kept = SSL_get1_session(raw->ssl);
        g_assert_nonnull(kept);
        g_assert_false(SSL_SESSION_has_ticket(kept));
        end_clear(&e);
    }
    SSL_SESSION_free(kept);
}

/* New traffic keys, also with an answer asked for. */
static void test_key_update(gconstpointer data)
{
    bool raw_is_server = GPOINTER_TO_INT(data);
    g_autoptr(TlsCtx) ctx = pair_ctx(AGW);
    g_autoptr(Raw) raw = raw_new(raw_is_server, UE, TLS1_3_VERSION);
    FingerprintSet ue = pair_set(UE, FP_SHA256);
    Buf raw_plain, wire;
    End e;

    buf_init(&raw_plain, 1000);
    buf_init(&wire, 100000);
    end_init(&e, ctx, raw_is_server ? TLS_CLIENT : TLS_SERVER, &ue);
    end_join_raw(&e, raw, &raw_plain);
    for (int i = 0; i < 3; i++) {
        g_assert_true(SSL_key_update(raw->ssl, SSL_KEY_UPDATE_REQUESTED));
        raw_write(raw, SPAN("after the update"), &wire);
        end_feed(&e, &wire, 9);
        end_assert_plain(&e.plain, "after the update");
        g_assert_true(tls_stream_write(e.s, SPAN("and back"), &e.out));
        end_join_raw(&e, raw, &raw_plain);
        end_assert_plain(&raw_plain, "and back");
    }
    g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
    buf_clear(&raw_plain);
    buf_clear(&wire);
    end_clear(&e);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(matrix); i++)
        g_test_add_data_func(matrix[i].path, GUINT_TO_POINTER(i), test_matrix);
    for (unsigned i = 0; i < G_N_ELEMENTS(checks); i++) {
        g_autofree char *path = g_strconcat("/tls/conn/fingerprint/", checks[i].path, NULL);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), test_fingerprints);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(not_tls); i++)
        g_test_add_data_func(not_tls[i].path, GUINT_TO_POINTER(i), test_not_tls);
    for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++)
        g_test_add_data_func(refused[i].path, GUINT_TO_POINTER(i), test_refused);

    g_test_add_data_func("/tls/conn/TLS-08/server-takes-rsa", "RSA+SHA256:RSA-PSS+SHA256",
                         test_client_certificate);
    g_test_add_data_func("/tls/conn/TLS-08/server-takes-pss", "RSA-PSS+SHA256",
                         test_client_certificate);
    g_test_add_data_func("/tls/conn/TLS-08/server-takes-ecdsa", "ECDSA+SHA256",
                         test_client_certificate);
    g_test_add_data_func("/tls/conn/TLS-08/server-takes-both",
                         "RSA-PSS+SHA256:ECDSA+SHA256:RSA+SHA256", test_client_certificate);
    g_test_add_func("/tls/conn/TLS-12/no-certificate-to-show", test_no_certificate_to_show);
    g_test_add_func("/tls/conn/TLS-05/any-server-name", test_sni);
    g_test_add_func("/tls/conn/TLS-05/TLS-06/legacy-switch", test_legacy_cbc);
    g_test_add_func("/tls/conn/TLS-07/dhe-rsa", test_dhe);
    g_test_add_data_func("/tls/conn/TLS-11/client-renegotiates", GINT_TO_POINTER(0),
                         test_renegotiation);
    g_test_add_data_func("/tls/conn/TLS-11/server-renegotiates", GINT_TO_POINTER(1),
                         test_renegotiation);
    g_test_add_data_func("/tls/conn/CNF-05/not-shared-1.2", GINT_TO_POINTER(TLS1_2_VERSION),
                         test_not_shared);
    g_test_add_data_func("/tls/conn/CNF-05/not-shared-1.3", GINT_TO_POINTER(TLS1_3_VERSION),
                         test_not_shared);
    g_test_add_data_func("/tls/conn/key-update-by-client", GINT_TO_POINTER(0), test_key_update);
    g_test_add_data_func("/tls/conn/key-update-by-server", GINT_TO_POINTER(1), test_key_update);
    return g_test_run();
}
