/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tls/tls-ctx.h"
#include "tls/tls-internal.h"

#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

/* ECDHE before DHE, each with its cheapest AEAD first (TLS-07). */
#define CIPHERS_DEFAULT                                                                            \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"                                   \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"                                   \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"                                   \
    "DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305"
#define CIPHERS_LEGACY ":AES128-SHA"
/* Never, whatever the operator wrote (TLS-01); PSK and SRP carry no certificate to check (ASC-01).
 */
#define CIPHERS_BANNED ":!aNULL:!eNULL:!EXPORT:!RC4:!DES:!3DES:!MD5:!PSK:!SRP"
#define CIPHERSUITES_DEFAULT                                                                       \
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
/* P-521 last: only so that a peer may have a certificate on it (TLS 1.2 ties the two together). */
#define GROUPS "X25519:P-256:P-384:P-521"

/*
 * 112 bits for what the handshake itself uses: key exchange, signatures, our certificate. A peer's
 * certificate is not measured: the verify callback replaces the chain check, and the fingerprint
 * vouches for the key (ASC-04).
 */
#define SECURITY_LEVEL 2

#define CERT_LIST_MAX     (32 * 1024)
#define DTLS_MTU_DEFAULT  1200
#define COOKIE_SECRET_LEN 32

typedef enum Transport { STREAM, DATAGRAM, N_TRANSPORTS } Transport;
#define N_ROLES 2

struct TlsCtx {
    gatomicrefcount refs;
    TlsIdentity *identity;
    SSL_CTX *ssl[N_TRANSPORTS][N_ROLES];
    BIO_METHOD *bio[N_TRANSPORTS];
    unsigned dtls_mtu;
    uint8_t cookie_secret[COOKIE_SECRET_LEN];
};

static const SSL_METHOD *method(Transport transport, TlsRole role)
{
    if (transport == STREAM)
        return role == TLS_CLIENT ? TLS_client_method() : TLS_server_method();
    return role == TLS_CLIENT ? DTLS_client_method() : DTLS_server_method();
}

static bool set_versions(SSL_CTX *ssl, Transport transport)
{
    if (transport == STREAM)
        return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) &&
               SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION);
    return SSL_CTX_set_min_proto_version(ssl, DTLS1_2_VERSION) &&
           SSL_CTX_set_max_proto_version(ssl, DTLS1_2_VERSION);
}

/* Does the list have a suite for TLS 1.3 (@tls13) or for earlier versions? */
static bool has_ciphers(SSL_CTX *ssl, bool tls13)
{
    STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(ssl);

    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++)
        if (!strcmp(SSL_CIPHER_get_version(sk_SSL_CIPHER_value(list, i)), "TLSv1.3") == tls13)
            return true;
    return false;
}

static bool set_ciphers(SSL_CTX *ssl, const TlsProfile *profile, GError **error)
{
    const char *given = profile->ciphers ? profile->ciphers : CIPHERS_DEFAULT;
    const char *suites = profile->ciphersuites ? profile->ciphersuites : CIPHERSUITES_DEFAULT;
    g_autofree char *list =
        g_strconcat(given, profile->legacy_rsa_cbc ? CIPHERS_LEGACY : "", CIPHERS_BANNED, NULL);

    if (!SSL_CTX_set_cipher_list(ssl, list) || !has_ciphers(ssl, false)) {
        g_autofree char *quoted = span_quote(span_str(given));
        g_autofree char *what = g_strdup_printf("no usable TLS 1.2 cipher in %s", quoted);
        tls_set_openssl_error(error, TLS_ERROR_CIPHERS, what);
        return false;
    }
    if (!SSL_CTX_set_ciphersuites(ssl, suites) || !has_ciphers(ssl, true)) {
        g_autofree char *quoted = span_quote(span_str(suites));
        g_autofree char *what = g_strdup_printf("no usable TLS 1.3 cipher suite in %s", quoted);
        tls_set_openssl_error(error, TLS_ERROR_CIPHERS, what);
        return false;
    }
    /* After the list, which may have carried an @SECLEVEL. */
    SSL_CTX_set_security_level(ssl, SECURITY_LEVEL);
    return true;
}

static bool set_identity(SSL_CTX *ssl, const TlsIdentity *identity)
{
    unsigned n;
    const TlsCredential *cred = tls_identity_credentials(identity, &n);

    for (unsigned i = 0; i < n; i++)
        if (SSL_CTX_use_cert_and_key(ssl, cred[i].cert, cred[i].key, cred[i].chain, 0) != 1)
            return false;
    return true;
}

/* Did the peer's CertificateRequest name a signature scheme that a key of this type can make? */
static bool peer_takes(SSL *ssl, int key_type)
{
    int n = SSL_get_sigalgs(ssl, -1, NULL, NULL, NULL, NULL, NULL);
    int sign = 0;

    for (int i = 0; i < n; i++) {
        SSL_get_sigalgs(ssl, i, &sign, NULL, NULL, NULL, NULL);
        if (sign == key_type || (sign == EVP_PKEY_RSA_PSS && key_type == EVP_PKEY_RSA))
            return true;
    }
    return false;
}

/*
 * A TLS 1.2 client of OpenSSL looks at nothing but its current certificate, and sends none when the
 * server cannot take that one. So this makes one current that the server can take; ECDSA rather
 * than RSA, because it is cheaper.
 */
static int choose_cert_cb(SSL *ssl, void *identity)
{
    unsigned n;
    const TlsCredential *cred = tls_identity_credentials(identity, &n);
    const TlsCredential *best = NULL;

    for (unsigned i = 0; i < n; i++) {
        int type = EVP_PKEY_get_base_id(cred[i].key);
        if (peer_takes(ssl, type) && (!best || type == EVP_PKEY_EC))
            best = &cred[i];
    }
    if (best)
        SSL_select_current_cert(ssl, best->cert);
    return 1;
}

static void set_behaviour(SSL_CTX *ssl)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_QUERY_MTU);
    /* The system's openssl.cnf may have set these. */
    SSL_CTX_clear_options(ssl, SSL_OP_LEGACY_SERVER_CONNECT |
                                   SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ssl, 0);
    SSL_CTX_set_dh_auto(ssl, 1);
    SSL_CTX_set_max_cert_list(ssl, CERT_LIST_MAX);
    SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ssl, tls_conn_verify_cb, NULL);
    SSL_CTX_set_cookie_generate_cb(ssl, tls_conn_cookie_cb);
    SSL_CTX_set_cookie_verify_cb(ssl, tls_conn_cookie_verify_cb);
}

static SSL_CTX *ssl_ctx_new(TlsCtx *ctx, Transport transport, TlsRole role,
                            const TlsProfile *profile, GError **error)
{
    SSL_CTX *ssl = SSL_CTX_new(method(transport, role));

    g_assert(ssl);
    set_behaviour(ssl);
    if (!set_versions(ssl, transport) || !SSL_CTX_set1_groups_list(ssl, GROUPS)) {
        tls_set_openssl_error(error, TLS_ERROR_OPENSSL, "cannot set TLS versions and groups");
    } else if (set_ciphers(ssl, profile, error)) {
        if (role == TLS_CLIENT)
            SSL_CTX_set_cert_cb(ssl, choose_cert_cb, ctx->identity);
        if (set_identity(ssl, ctx->identity))
            return ssl;
        tls_set_openssl_error(error, TLS_ERROR_OPENSSL, "cannot use the certificate");
    }
    SSL_CTX_free(ssl);
    return NULL;
}

TlsCtx *tls_ctx_new(TlsIdentity *identity, const TlsProfile *profile, GError **error)
{
    g_autoptr(TlsCtx) ctx = g_new0(TlsCtx, 1);

    ERR_clear_error();
    g_atomic_ref_count_init(&ctx->refs);
    ctx->identity = tls_identity_ref(identity);
    ctx->dtls_mtu = profile->dtls_mtu ? profile->dtls_mtu : DTLS_MTU_DEFAULT;
    ctx->bio[STREAM] = tls_bio_method_new();
    ctx->bio[DATAGRAM] = dtls_bio_method_new();
    if (RAND_bytes(ctx->cookie_secret, sizeof ctx->cookie_secret) != 1) {
        tls_set_openssl_error(error, TLS_ERROR_OPENSSL, "no random bytes");
        return NULL;
    }
    for (Transport t = STREAM; t < N_TRANSPORTS; t++)
        for (TlsRole role = TLS_CLIENT; role <= TLS_SERVER; role++) {
            ctx->ssl[t][role] = ssl_ctx_new(ctx, t, role, profile, error);
            if (!ctx->ssl[t][role])
                return NULL;
        }
    return g_steal_pointer(&ctx);
}

TlsCtx *tls_ctx_ref(TlsCtx *ctx)
{
    g_atomic_ref_count_inc(&ctx->refs);
    return ctx;
}

void tls_ctx_unref(TlsCtx *ctx)
{
    if (!ctx || !g_atomic_ref_count_dec(&ctx->refs))
        return;
    for (Transport t = STREAM; t < N_TRANSPORTS; t++) {
        for (TlsRole role = TLS_CLIENT; role <= TLS_SERVER; role++)
            SSL_CTX_free(ctx->ssl[t][role]);
        BIO_meth_free(ctx->bio[t]);
    }
    tls_identity_unref(ctx->identity);
    OPENSSL_cleanse(ctx->cookie_secret, sizeof ctx->cookie_secret);
    g_free(ctx);
}

TlsIdentity *tls_ctx_identity(TlsCtx *ctx)
{
    return ctx->identity;
}

unsigned tls_ctx_dtls_mtu(const TlsCtx *ctx)
{
    return ctx->dtls_mtu;
}

void tls_ctx_cookie(const TlsCtx *ctx, Span peer, uint8_t ret_cookie[static DTLS_COOKIE_LEN])
{
    unsigned len = 0;
    const uint8_t *ok = HMAC(EVP_sha256(), ctx->cookie_secret, sizeof ctx->cookie_secret,
                             (const uint8_t *)peer.p, peer.len, ret_cookie, &len);

    g_assert(ok && len == DTLS_COOKIE_LEN);
}

static SSL *ssl_new(TlsCtx *ctx, Transport transport, TlsRole role, void *io)
{
    SSL *ssl = SSL_new(ctx->ssl[transport][role]);
    BIO *bio = BIO_new(ctx->bio[transport]);

    g_assert(ssl && bio);
    BIO_set_data(bio, io);
    SSL_set_bio(ssl, bio, bio);
    if (role == TLS_CLIENT)
        SSL_set_connect_state(ssl);
    else
        SSL_set_accept_state(ssl);
    return ssl;
}

SSL *tls_ctx_new_tls(TlsCtx *ctx, TlsRole role, TlsIo *io)
{
    return ssl_new(ctx, STREAM, role, io);
}

SSL *tls_ctx_new_dtls(TlsCtx *ctx, TlsRole role, DtlsIo *io)
{
    return ssl_new(ctx, DATAGRAM, role, io);
}
