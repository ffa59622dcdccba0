/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tls/tls-internal.h"

#include <openssl/err.h>
#include <openssl/x509.h>

void tls_conn_init(TlsConn *c, TlsCtx *ctx, SSL *ssl, const FingerprintSet *expected,
                   bool allow_sha1)
{
    *c = (TlsConn){.ctx = tls_ctx_ref(ctx), .ssl = ssl, .allow_sha1 = allow_sha1};
    if (expected)
        c->expected = *expected;
    SSL_set_app_data(ssl, c);
}

void tls_conn_clear(TlsConn *c)
{
    SSL_free(c->ssl);
    tls_ctx_unref(c->ctx);
}

/* ---- failures */

void tls_conn_fail(TlsConn *c, TlsFailureKind kind, const char *text)
{
    c->state = TLS_STATE_FAILED;
    c->failure.kind = kind;
    g_strlcpy(c->failure.text, text, sizeof c->failure.text);
}

static void fail_alert(TlsConn *c, int alert)
{
    g_autofree char *text = NULL;
    /* OpenSSL's names are those of the RFCs with blanks; it has none for the one that matters most
     * to us. */
    g_autofree char *name = g_strdelimit(g_strdup(alert == SSL_AD_CERTIFICATE_REQUIRED
                                                      ? "certificate_required"
                                                      : SSL_alert_desc_string_long(alert)),
                                         " ", '_');

    text = g_strdup_printf("alert %s (%d) received", name, alert);
    tls_conn_fail(c, TLS_FAILURE_PEER_ALERT, text);
}

/* The sha-256 whatever hash was signalled: an operator compares it with other logs. */
static void fail_mismatch(TlsConn *c, const X509 *leaf)
{
    char hex[FP_TEXT_MAX];
    Fingerprint fp;
    g_autofree char *text = NULL;

    tls_cert_fingerprint(leaf, FP_SHA256, &fp);
    text = g_strdup_printf("certificate %s is not signalled", fp_text(&fp, hex));
    tls_conn_fail(c, TLS_FAILURE_FINGERPRINT, text);
}

/* From the top of OpenSSL's error queue. */
static void fail_openssl(TlsConn *c)
{
    unsigned long e = ERR_peek_last_error();
    int reason = ERR_GET_LIB(e) == ERR_LIB_SSL ? ERR_GET_REASON(e) : 0;
    const char *text = ERR_reason_error_string(e);

    if (reason > SSL_AD_REASON_OFFSET)
        fail_alert(c, reason - SSL_AD_REASON_OFFSET);
    else if (reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
        tls_conn_fail(c, TLS_FAILURE_NO_CERTIFICATE, text);
    else if (c->state == TLS_STATE_HANDSHAKE)
        tls_conn_fail(c, TLS_FAILURE_HANDSHAKE, text ? text : "no room to answer");
    else
        tls_conn_fail(c, TLS_FAILURE_RECORD, text ? text : "no room to answer");
    ERR_clear_error();
}

/* What came of an SSL call that returned @ret. The one place where OpenSSL's errors are told apart.
 */
static TlsRead outcome(TlsConn *c, int ret)
{
    switch (SSL_get_error(c->ssl, ret)) {
    case SSL_ERROR_NONE:
        return TLS_READ_DATA;
    case SSL_ERROR_WANT_READ:
        return TLS_READ_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return TLS_READ_CLOSED;
    default:
        /* The verify callback has already said why. */
        if (c->state != TLS_STATE_FAILED)
            fail_openssl(c);
        ERR_clear_error();
        return TLS_READ_FAILED;
    }
}

/* ---- the peer's certificate */

static bool leaf_matches(const TlsConn *c, const X509 *leaf)
{
    FpHash hash = fp_set_choose(&c->expected, c->allow_sha1);
    Fingerprint fp;

    if (hash == FP_NONE)
        return false;
    tls_cert_fingerprint(leaf, hash, &fp);
    return fp_set_matches(&c->expected, hash, fp.digest);
}

/*
 * Replaces the whole of OpenSSL's verification: no chain, name, purpose or time (ASC-04). It
 * decides nothing for good, settle() does; but a refusal here makes OpenSSL send bad_certificate,
 * which later it cannot (TLS-13).
 */
int tls_conn_verify_cb(X509_STORE_CTX *store, void *unused)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    TlsConn *c = SSL_get_app_data(ssl);
    const X509 *leaf = X509_STORE_CTX_get0_cert(store);

    (void)unused;
    if (c->expected.n == 0 || leaf_matches(c, leaf)) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    fail_mismatch(c, leaf);
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
}

/* After the handshake: where does what is known of the fingerprints put us? */
static void settle(TlsConn *c)
{
    const X509 *leaf = SSL_get0_peer_certificate(c->ssl);
    bool was_open = c->state == TLS_STATE_OPEN || c->state == TLS_STATE_EOF;

    if (!leaf) {
        tls_conn_fail(c, TLS_FAILURE_NO_CERTIFICATE, "no certificate received");
    } else if (c->expected.n == 0 && !was_open) {
        c->state = TLS_STATE_QUARANTINE;
    } else if (!leaf_matches(c, leaf)) {
        tls_conn_close(c);
        fail_mismatch(c, leaf);
    } else if (!was_open) {
        c->state = TLS_STATE_OPEN;
    }
}

void tls_conn_set_fingerprints(TlsConn *c, const FingerprintSet *expected, bool allow_sha1)
{
    c->expected = expected ? *expected : (FingerprintSet){0};
    c->allow_sha1 = allow_sha1;
    if (c->state != TLS_STATE_HANDSHAKE && c->state != TLS_STATE_FAILED)
        settle(c);
}

bool tls_conn_peer_fingerprint(const TlsConn *c, FpHash hash, Fingerprint *ret_fp)
{
    const X509 *leaf = SSL_get0_peer_certificate(c->ssl);

    if (!leaf || hash == FP_NONE)
        return false;
    tls_cert_fingerprint(leaf, hash, ret_fp);
    return true;
}

/* ---- the calls into OpenSSL */

void tls_conn_handshake(TlsConn *c)
{
    ERR_clear_error();
    switch (outcome(c, SSL_do_handshake(c->ssl))) {
    case TLS_READ_DATA:
        settle(c);
        break;
    case TLS_READ_CLOSED:
        fail_alert(c, SSL_AD_CLOSE_NOTIFY);
        break;
    case TLS_READ_AGAIN:
    case TLS_READ_FAILED:
        break;
    }
}

TlsRead tls_conn_read(TlsConn *c, char *to, size_t size, size_t *ret_n)
{
    ERR_clear_error();
    return outcome(c, SSL_read_ex(c->ssl, to, size, ret_n));
}

bool tls_conn_write(TlsConn *c, Span plain)
{
    size_t n = 0;

    ERR_clear_error();
    return outcome(c, SSL_write_ex(c->ssl, plain.p, plain.len, &n)) == TLS_READ_DATA;
}

void tls_conn_timeout(TlsConn *c)
{
    ERR_clear_error();
    if (DTLSv1_handle_timeout(c->ssl) < 0)
        outcome(c, -1);
}

void tls_conn_close(TlsConn *c)
{
    if (c->close_sent || c->state == TLS_STATE_HANDSHAKE || c->state == TLS_STATE_FAILED)
        return;
    c->close_sent = true;
    ERR_clear_error();
    SSL_shutdown(c->ssl);
    ERR_clear_error();
}

/* ---- the DTLS cookie */

int tls_conn_cookie_cb(SSL *ssl, unsigned char *cookie, unsigned *len)
{
    const TlsConn *c = SSL_get_app_data(ssl);

    memcpy(cookie, c->cookie, DTLS_COOKIE_LEN);
    *len = DTLS_COOKIE_LEN;
    return 1;
}

int tls_conn_cookie_verify_cb(SSL *ssl, const unsigned char *cookie, unsigned len)
{
    const TlsConn *c = SSL_get_app_data(ssl);

    return len == DTLS_COOKIE_LEN && CRYPTO_memcmp(cookie, c->cookie, len) == 0;
}
