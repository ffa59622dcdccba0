/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peer over OpenSSL with sockets of its own: the library of the program, but none of its code. */
#include "peer-common.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#define MTU 1400

struct PeerTls {
    SSL_CTX *ctx;
    SSL *ssl;
    PeerReport *report;
    bool dtls;
    bool connected;
};

static PeerStatus map(PeerTls *tls, const char *what, int result)
{
    unsigned long e = ERR_peek_last_error();
    int code = SSL_get_error(tls->ssl, result);
    int reason = ERR_GET_LIB(e) == ERR_LIB_SSL ? ERR_GET_REASON(e) : 0;

    ERR_clear_error();
    switch (code) {
    case SSL_ERROR_NONE:
        return PEER_OK;
    case SSL_ERROR_WANT_READ:
        return PEER_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return PEER_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return PEER_CLOSED;
    case SSL_ERROR_SYSCALL:
        return PEER_RESET;
    default:
        break;
    }
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        return PEER_TRUNCATED;
    if (reason > SSL_AD_REASON_OFFSET) {
        tls->report->alert = reason - SSL_AD_REASON_OFFSET;
        return PEER_ALERT;
    }
    g_snprintf(tls->report->reason, sizeof(tls->report->reason), "%s: %s", what,
               ERR_reason_error_string(e));
    return PEER_FAILED;
}

/* The fingerprint decides, not the chain. */
static int accept_any(int preverify, X509_STORE_CTX *store)
{
    (void)preverify;
    (void)store;
    return 1;
}

static const char *set_up_ctx(PeerTls *tls, const PeerOptions *o)
{
    tls->ctx = SSL_CTX_new(o->dtls ? DTLS_method() : TLS_method());
    if (!tls->ctx)
        return "context";
    SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_PEER, accept_any);
    SSL_CTX_set_dh_auto(tls->ctx, 1);
    if (o->dtls ? !SSL_CTX_set_min_proto_version(tls->ctx, DTLS1_2_VERSION)
                : !SSL_CTX_set_min_proto_version(tls->ctx, o->tls13 ? TLS1_3_VERSION : 0) ||
                      !SSL_CTX_set_max_proto_version(tls->ctx, o->tls12 ? TLS1_2_VERSION : 0))
        return "version";
    if (o->cert && (SSL_CTX_use_certificate_chain_file(tls->ctx, o->cert) != 1 ||
                    SSL_CTX_use_PrivateKey_file(tls->ctx, o->key, SSL_FILETYPE_PEM) != 1))
        return "certificate";
    if (o->ciphers && !SSL_CTX_set_cipher_list(tls->ctx, o->ciphers))
        return "ciphers";
    return NULL;
}

static const char *set_up(PeerTls *tls, const PeerOptions *o, int fd)
{
    const char *wrong = set_up_ctx(tls, o);

    if (wrong)
        return wrong;
    tls->ssl = SSL_new(tls->ctx);
    BIO *bio = o->dtls ? BIO_new_dgram(fd, BIO_NOCLOSE) : BIO_new_socket(fd, BIO_NOCLOSE);
    if (!tls->ssl || !bio)
        return "session";
    SSL_set_bio(tls->ssl, bio, bio);
    if (o->dtls) {
        /* The socket is connected, but OpenSSL sends by address unless it is told so. */
        struct sockaddr_storage peer;
        socklen_t size = sizeof(peer);
        if (getpeername(fd, (struct sockaddr *)&peer, &size) < 0)
            return "address";
        BIO_ctrl(bio, BIO_CTRL_DGRAM_SET_CONNECTED, 0, &peer);
    }
    if (o->dtls) { /* that of loopback is more than other stacks take */
        SSL_set_options(tls->ssl, SSL_OP_NO_QUERY_MTU);
        SSL_set_mtu(tls->ssl, o->mtu ? o->mtu : MTU);
    }
    if (o->server)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    return NULL;
}

PeerTls *peer_tls_new(const PeerOptions *options, int fd, PeerReport *report)
{
    PeerTls *tls = g_new0(PeerTls, 1);

    tls->report = report;
    tls->dtls = options->dtls;
    const char *wrong = set_up(tls, options, fd);
    if (wrong) {
        g_strlcpy(report->reason, wrong, sizeof(report->reason));
        peer_tls_free(tls);
        return NULL;
    }
    return tls;
}

void peer_tls_free(PeerTls *tls)
{
    SSL_free(tls->ssl);
    SSL_CTX_free(tls->ctx);
    g_free(tls);
}

PeerStatus peer_tls_handshake(PeerTls *tls)
{
    PeerStatus status = map(tls, "handshake", SSL_do_handshake(tls->ssl));

    tls->connected = status == PEER_OK;
    return status;
}

PeerStatus peer_tls_read(PeerTls *tls, uint8_t *to, size_t capacity, size_t *n)
{
    return map(tls, "read", SSL_read_ex(tls->ssl, to, capacity, n));
}

PeerStatus peer_tls_write(PeerTls *tls, const uint8_t *from, size_t len, size_t *n)
{
    return map(tls, "write", SSL_write_ex(tls->ssl, from, len, n));
}

PeerStatus peer_tls_close(PeerTls *tls)
{
    int result = SSL_shutdown(tls->ssl);

    return result >= 0 ? PEER_OK : map(tls, "close", result);
}

int peer_tls_timeout(PeerTls *tls)
{
    struct timeval left;

    if (!tls->dtls || tls->connected || !DTLSv1_get_timeout(tls->ssl, &left))
        return -1;
    return (int)(left.tv_sec * 1000 + left.tv_usec / 1000 + 1);
}

void peer_tls_timed_out(PeerTls *tls)
{
    DTLSv1_handle_timeout(tls->ssl);
}

const char *peer_tls_version(PeerTls *tls)
{
    switch (SSL_version(tls->ssl)) {
    case TLS1_3_VERSION:
        return "TLS1.3";
    case TLS1_2_VERSION:
        return "TLS1.2";
    case DTLS1_2_VERSION:
        return "DTLS1.2";
    default:
        return SSL_get_version(tls->ssl);
    }
}

const char *peer_tls_cipher(PeerTls *tls)
{
    return SSL_get_cipher_name(tls->ssl);
}

GBytes *peer_tls_certificate(PeerTls *tls)
{
    X509 *leaf = SSL_get0_peer_certificate(tls->ssl);
    unsigned char *der = NULL;
    int len = leaf ? i2d_X509(leaf, &der) : 0;
    GBytes *bytes = len > 0 ? g_bytes_new(der, (gsize)len) : NULL;

    OPENSSL_free(der);
    return bytes;
}
