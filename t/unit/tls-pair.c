/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls-pair.h"

#include <openssl/err.h>
#include <openssl/pem.h>

char *pair_path(const char *name, const char *suffix)
{
    g_autofree char *file = g_strconcat(name, suffix, NULL);

    return g_test_build_filename(G_TEST_DIST, "t", "certs", file, NULL);
}

TlsIdentity *pair_identity(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) names = g_strsplit(name, "+", 2);
    unsigned n = g_strv_length(names);
    char *certs[2] = {0};
    char *keys[2] = {0};

    for (unsigned i = 0; i < n; i++) {
        certs[i] = pair_path(names[i], ".pem");
        keys[i] = pair_path(names[i], ".key");
    }
    TlsIdentity *id =
        tls_identity_load((const char *const *)certs, (const char *const *)keys, n, &error);
    g_assert_no_error(error);
    for (unsigned i = 0; i < n; i++) {
        g_free(certs[i]);
        g_free(keys[i]);
    }
    return id;
}

TlsCtx *pair_ctx(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TlsIdentity) id = pair_identity(name);
    TlsCtx *ctx = tls_ctx_new(id, &(TlsProfile){0}, &error);

    g_assert_no_error(error);
    return ctx;
}

Fingerprint pair_fingerprint(const char *name, FpHash hash)
{
    g_autofree char *path = pair_path(name, ".pem");
    g_autoptr(GError) error = NULL;
    g_autofree char *pem = NULL;
    Fingerprint fp = {.hash = hash};
    unsigned len = 0;

    g_file_get_contents(path, &pem, NULL, &error);
    g_assert_no_error(error);
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    g_autofree char *md = g_strdup(fp_hash_name(hash));
    g_strdelimit(md, "-", ' ');
    g_autofree char *compact = g_strconcat("SHA", strchr(md, ' ') + 1, NULL);
    g_assert_true(X509_digest(cert, EVP_get_digestbyname(compact), fp.digest, &len));
    g_assert_cmpuint(len, ==, fp_digest_len(hash));
    X509_free(cert);
    BIO_free(bio);
    return fp;
}

FingerprintSet pair_set(const char *name, FpHash hash)
{
    return (FingerprintSet){.n = 1, .fp = {pair_fingerprint(name, hash)}};
}

static void message_cb(int sent, int version, int type, const void *buf, size_t len, SSL *ssl,
                       void *arg)
{
    RawLog *log = arg;
    const uint8_t *p = buf;

    (void)version, (void)ssl;
    if (sent)
        return;
    if (type == SSL3_RT_ALERT && len == 2 && p[1] != SSL_AD_CLOSE_NOTIFY)
        log->alert_received = p[1];
    if (type == SSL3_RT_HANDSHAKE && len > 0 && p[0] == SSL3_MT_NEWSESSION_TICKET)
        log->tickets++;
}

static int accept_cb(X509_STORE_CTX *store, void *arg)
{
    (void)store, (void)arg;
    return 1;
}

Raw *raw_new(bool server, const char *cert, int version)
{
    Raw *r = g_new0(Raw, 1);

    r->log.alert_received = -1;
    r->ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    SSL_CTX_set_security_level(r->ctx, 0);
    SSL_CTX_set_min_proto_version(r->ctx, version);
    SSL_CTX_set_max_proto_version(r->ctx, version);
    SSL_CTX_set_verify(r->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(r->ctx, accept_cb, NULL);
    SSL_CTX_set_msg_callback(r->ctx, message_cb);
    SSL_CTX_set_msg_callback_arg(r->ctx, &r->log);
    if (cert) {
        g_autofree char *pem = pair_path(cert, ".pem");
        g_autofree char *key = pair_path(cert, ".key");
        g_assert_true(SSL_CTX_use_certificate_chain_file(r->ctx, pem));
        g_assert_true(SSL_CTX_use_PrivateKey_file(r->ctx, key, SSL_FILETYPE_PEM));
    }
    r->ssl = SSL_new(r->ctx);
    r->in = BIO_new(BIO_s_mem());
    r->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(r->in, -1);
    SSL_set_bio(r->ssl, r->in, r->out);
    if (server)
        SSL_set_accept_state(r->ssl);
    else
        SSL_set_connect_state(r->ssl);
    return r;
}

void raw_free(Raw *r)
{
    SSL_free(r->ssl);
    SSL_CTX_free(r->ctx);
    g_free(r);
}

void raw_flush(Raw *r, Buf *out)
{
    char *data = NULL;
    long n = BIO_get_mem_data(r->out, &data);

    g_assert_true(buf_append(out, (Span){data, (size_t)n}));
    (void)BIO_reset(r->out);
}

static void read_all(Raw *r, Buf *plain)
{
    char chunk[4096];
    size_t n;

    while (SSL_read_ex(r->ssl, chunk, sizeof chunk, &n))
        g_assert_true(buf_append(plain, (Span){chunk, n}));
    int why = SSL_get_error(r->ssl, 0);
    r->closed |= why == SSL_ERROR_ZERO_RETURN;
    r->failed |= why == SSL_ERROR_SSL || why == SSL_ERROR_SYSCALL;
}

void raw_feed(Raw *r, Span in, Buf *plain, Buf *out)
{
    if (in.len)
        g_assert_cmpint(BIO_write(r->in, in.p, (int)in.len), ==, (int)in.len);
    ERR_clear_error();
    if (!r->done && !r->failed) {
        int ret = SSL_do_handshake(r->ssl);
        r->done = ret == 1;
        r->failed = ret != 1 && SSL_get_error(r->ssl, ret) != SSL_ERROR_WANT_READ;
        const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(r->ssl);
        r->log.client_cas = names ? (unsigned)MAX(sk_X509_NAME_num(names), 0) : 0;
    }
    if (r->done && !r->failed)
        read_all(r, plain);
    ERR_clear_error();
    raw_flush(r, out);
}

void raw_write(Raw *r, Span plain, Buf *out)
{
    size_t n;

    g_assert_true(SSL_write_ex(r->ssl, plain.p, plain.len, &n));
    raw_flush(r, out);
}
