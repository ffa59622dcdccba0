/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peer over wolfSSL, as Debian builds it: its own API, without the OpenSSL layer. */
#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

#include "peer-common.h"

#include <stdio.h>

struct PeerTls {
    WOLFSSL_CTX *ctx;
    WOLFSSL *ssl;
    PeerReport *report;
    bool dtls;
    bool connected;
};

static void say(PeerReport *report, const char *what, int code)
{
    char text[WOLFSSL_MAX_ERROR_SZ];

    wolfSSL_ERR_error_string((unsigned long)code, text);
    g_snprintf(report->reason, sizeof(report->reason), "%s: %d %s", what, code, text);
}

static PeerStatus map(PeerTls *tls, const char *what, int result)
{
    int code = wolfSSL_get_error(tls->ssl, result);
    WOLFSSL_ALERT_HISTORY history;

    switch (code) {
    case WOLFSSL_ERROR_WANT_READ:
        return PEER_WANT_READ;
    case WOLFSSL_ERROR_WANT_WRITE:
        return PEER_WANT_WRITE;
    case WOLFSSL_ERROR_ZERO_RETURN:
        return PEER_CLOSED;
    case SOCKET_PEER_CLOSED_E:
    case WOLFSSL_ERROR_SYSCALL:
        return PEER_TRUNCATED;
    case SOCKET_ERROR_E:
        say(tls->report, what, code);
        return PEER_RESET;
    case FATAL_ERROR:
        if (wolfSSL_get_alert_history(tls->ssl, &history) == WOLFSSL_SUCCESS &&
            history.last_rx.level == alert_fatal) {
            tls->report->alert = history.last_rx.code;
            return PEER_ALERT;
        }
        break;
    default:
        break;
    }
    say(tls->report, what, code);
    return PEER_FAILED;
}

/* The fingerprint decides, not the chain. */
static int accept_any(int preverify, WOLFSSL_X509_STORE_CTX *store)
{
    (void)preverify;
    (void)store;
    return 1;
}

static WOLFSSL_METHOD *method(const PeerOptions *o)
{
    if (o->dtls)
        return o->server ? wolfDTLSv1_2_server_method() : wolfDTLSv1_2_client_method();
    if (o->tls12)
        return o->server ? wolfTLSv1_2_server_method() : wolfTLSv1_2_client_method();
    if (o->tls13)
        return o->server ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method();
    return o->server ? wolfSSLv23_server_method() : wolfSSLv23_client_method();
}

/* A datagram socket is connected; the library has to know, or its first retransmission fails. */
static int set_fd(PeerTls *tls, int fd)
{
    return tls->dtls ? wolfSSL_set_dtls_fd_connected(tls->ssl, fd) : wolfSSL_set_fd(tls->ssl, fd);
}

static const char *set_up(PeerTls *tls, const PeerOptions *options, int fd)
{
    tls->ctx = wolfSSL_CTX_new(method(options));
    if (!tls->ctx)
        return "context";
    wolfSSL_CTX_set_verify(tls->ctx, WOLFSSL_VERIFY_PEER, accept_any);
    if (options->cert &&
        (wolfSSL_CTX_use_certificate_chain_file(tls->ctx, options->cert) != WOLFSSL_SUCCESS ||
         wolfSSL_CTX_use_PrivateKey_file(tls->ctx, options->key, WOLFSSL_FILETYPE_PEM) !=
             WOLFSSL_SUCCESS))
        return "certificate";
    if (options->ciphers &&
        wolfSSL_CTX_set_cipher_list(tls->ctx, options->ciphers) != WOLFSSL_SUCCESS)
        return "ciphers";
    tls->ssl = wolfSSL_new(tls->ctx);
    if (!tls->ssl || set_fd(tls, fd) != WOLFSSL_SUCCESS)
        return "session";
    wolfSSL_set_using_nonblock(tls->ssl, 1);
    if (!options->mtu)
        return NULL;
#ifdef WOLFSSL_DTLS_MTU
    return wolfSSL_dtls_set_mtu(tls->ssl, (word16)options->mtu) == WOLFSSL_SUCCESS ? NULL : "mtu";
#else
    return "this build of the library has a fixed MTU";
#endif
}

PeerTls *peer_tls_new(const PeerOptions *options, int fd, PeerReport *report)
{
    PeerTls *tls = g_new0(PeerTls, 1);

    tls->report = report;
    tls->dtls = options->dtls;
    wolfSSL_Init();
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
    wolfSSL_free(tls->ssl);
    wolfSSL_CTX_free(tls->ctx);
    wolfSSL_Cleanup();
    g_free(tls);
}

PeerStatus peer_tls_handshake(PeerTls *tls)
{
    int result = wolfSSL_negotiate(tls->ssl);

    if (result != WOLFSSL_SUCCESS)
        return map(tls, "handshake", result);
    tls->connected = true;
    return PEER_OK;
}

PeerStatus peer_tls_read(PeerTls *tls, uint8_t *to, size_t capacity, size_t *n)
{
    int got = wolfSSL_read(tls->ssl, to, (int)MIN(capacity, G_MAXINT));

    if (got <= 0)
        return map(tls, "read", got);
    *n = (size_t)got;
    return PEER_OK;
}

PeerStatus peer_tls_write(PeerTls *tls, const uint8_t *from, size_t len, size_t *n)
{
    int put = wolfSSL_write(tls->ssl, from, (int)MIN(len, G_MAXINT));

    if (put <= 0)
        return map(tls, "write", put);
    *n = (size_t)put;
    return PEER_OK;
}

PeerStatus peer_tls_close(PeerTls *tls)
{
    int result = wolfSSL_shutdown(tls->ssl);

    return result == WOLFSSL_SUCCESS || result == WOLFSSL_SHUTDOWN_NOT_DONE
               ? PEER_OK
               : map(tls, "close", result);
}

int peer_tls_timeout(PeerTls *tls)
{
    return tls->dtls && !tls->connected ? wolfSSL_dtls_get_current_timeout(tls->ssl) * 1000 : -1;
}

void peer_tls_timed_out(PeerTls *tls)
{
    wolfSSL_dtls_got_timeout(tls->ssl);
}

const char *peer_tls_version(PeerTls *tls)
{
    const char *name = wolfSSL_get_version(tls->ssl);

    if (g_str_equal(name, "TLSv1.3"))
        return "TLS1.3";
    if (g_str_equal(name, "TLSv1.2"))
        return "TLS1.2";
    return g_str_has_prefix(name, "DTLS") ? "DTLS1.2" : name;
}

const char *peer_tls_cipher(PeerTls *tls)
{
    return wolfSSL_get_cipher_name(tls->ssl);
}

GBytes *peer_tls_certificate(PeerTls *tls)
{
    WOLFSSL_X509 *leaf = wolfSSL_get_peer_certificate(tls->ssl);
    int len = 0;
    const unsigned char *der = leaf ? wolfSSL_X509_get_der(leaf, &len) : NULL;

    return der ? g_bytes_new(der, (gsize)len) : NULL;
}
