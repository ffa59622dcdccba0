/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peer over GnuTLS. */
#include "peer-common.h"

#include <errno.h>
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

struct PeerTls {
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    PeerReport *report;
    bool dtls;
    char *cipher;
    int fd;
    bool (*lose)(void *user);
    void *lose_user;
};

static void say(PeerReport *report, const char *what, int code)
{
    g_snprintf(report->reason, sizeof(report->reason), "%s: %s", what, gnutls_strerror(code));
}

static PeerStatus map(PeerTls *tls, const char *what, int code)
{
    switch (code) {
    case GNUTLS_E_SUCCESS:
        return PEER_OK;
    case GNUTLS_E_AGAIN:
    case GNUTLS_E_INTERRUPTED:
    case GNUTLS_E_WARNING_ALERT_RECEIVED:
        if (tls->dtls) /* it says "write" until it reads again, though a datagram that is sent is gone */
            return PEER_WANT_READ;
        return gnutls_record_get_direction(tls->session) ? PEER_WANT_WRITE : PEER_WANT_READ;
    case GNUTLS_E_PREMATURE_TERMINATION:
        return PEER_TRUNCATED;
    case GNUTLS_E_FATAL_ALERT_RECEIVED:
        tls->report->alert = (int)gnutls_alert_get(tls->session);
        return PEER_ALERT;
    case GNUTLS_E_PUSH_ERROR:
    case GNUTLS_E_PULL_ERROR:
        say(tls->report, what, code);
        return PEER_RESET;
    default:
        say(tls->report, what, code);
        return PEER_FAILED;
    }
}

/* ---- a network that loses datagrams */

static ssize_t push(gnutls_transport_ptr_t user, const void *data, size_t len)
{
    PeerTls *tls = user;

    return tls->lose(tls->lose_user) ? (ssize_t)len : send(tls->fd, data, len, 0);
}

static ssize_t pull(gnutls_transport_ptr_t user, void *data, size_t len)
{
    PeerTls *tls = user;

    return recv(tls->fd, data, len, 0);
}

static int pull_timeout(gnutls_transport_ptr_t user, unsigned int ms)
{
    PeerTls *tls = user;
    struct pollfd fd = {.fd = tls->fd, .events = POLLIN};

    return poll(&fd, 1, (int)ms);
}

static void set_transport(PeerTls *tls, const PeerOptions *options, int fd)
{
    if (!options->lose) {
        gnutls_transport_set_int(tls->session, fd);
        return;
    }
    tls->fd = fd;
    tls->lose = options->lose;
    tls->lose_user = options->lose_user;
    gnutls_transport_set_ptr(tls->session, tls);
    gnutls_transport_set_push_function(tls->session, push);
    gnutls_transport_set_pull_function(tls->session, pull);
    gnutls_transport_set_pull_timeout_function(tls->session, pull_timeout);
}

/* ---- the session */

static char *priorities(const PeerOptions *options)
{
    const char *one = options->dtls ? "DTLS" : "TLS";
    g_autofree char *versions = NULL;

    if (options->tls12 || options->tls13)
        versions = g_strdup_printf(":-VERS-ALL:+VERS-%s1.%d", one,
                                   options->tls13 && !options->dtls ? 3 : 2);
    return g_strconcat("NORMAL", versions ? versions : "", options->ciphers ? ":" : NULL,
                       options->ciphers, NULL);
}

static int set_up(PeerTls *tls, const PeerOptions *options, int fd)
{
    unsigned int flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_FORCE_CLIENT_CERT |
                         (options->server ? GNUTLS_SERVER : GNUTLS_CLIENT) |
                         (options->dtls ? GNUTLS_DATAGRAM : 0);
    g_autofree char *wanted = priorities(options);
    int code = gnutls_certificate_allocate_credentials(&tls->credentials);

    if (code == 0 && options->cert)
        code = gnutls_certificate_set_x509_key_file(tls->credentials, options->cert, options->key,
                                                    GNUTLS_X509_FMT_PEM);
    if (code >= 0) /* for clients that know no named groups of it */
        code = gnutls_certificate_set_known_dh_params(tls->credentials, GNUTLS_SEC_PARAM_MEDIUM);
    if (code >= 0)
        code = gnutls_init(&tls->session, flags);
    if (code == 0)
        code = gnutls_priority_set_direct(tls->session, wanted, NULL);
    if (code == 0)
        code = gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, tls->credentials);
    if (code != 0)
        return code;
    if (options->server)
        gnutls_certificate_server_set_request(tls->session, GNUTLS_CERT_REQUEST);
    if (options->dtls)
        gnutls_dtls_set_timeouts(tls->session, 1000, 60000);
    if (options->dtls && options->mtu)
        gnutls_dtls_set_mtu(tls->session, (unsigned int)options->mtu);
    set_transport(tls, options, fd);
    return 0;
}

PeerTls *peer_tls_new(const PeerOptions *options, int fd, PeerReport *report)
{
    PeerTls *tls = g_new0(PeerTls, 1);

    tls->report = report;
    tls->dtls = options->dtls;
    int code = set_up(tls, options, fd);
    if (code != 0) {
        say(report, "set-up", code);
        peer_tls_free(tls);
        return NULL;
    }
    return tls;
}

void peer_tls_free(PeerTls *tls)
{
    if (tls->session)
        gnutls_deinit(tls->session);
    if (tls->credentials)
        gnutls_certificate_free_credentials(tls->credentials);
    g_free(tls->cipher);
    g_free(tls);
}

PeerStatus peer_tls_handshake(PeerTls *tls)
{
    return map(tls, "handshake", gnutls_handshake(tls->session));
}

PeerStatus peer_tls_read(PeerTls *tls, uint8_t *to, size_t capacity, size_t *n)
{
    ssize_t got = gnutls_record_recv(tls->session, to, capacity);

    if (got == 0)
        return PEER_CLOSED;
    if (got < 0)
        return map(tls, "read", (int)got);
    *n = (size_t)got;
    return PEER_OK;
}

PeerStatus peer_tls_write(PeerTls *tls, const uint8_t *from, size_t len, size_t *n)
{
    ssize_t put = gnutls_record_send(tls->session, from, len);

    if (put < 0)
        return map(tls, "write", (int)put);
    *n = (size_t)put;
    return PEER_OK;
}

PeerStatus peer_tls_close(PeerTls *tls)
{
    return map(tls, "close", gnutls_bye(tls->session, GNUTLS_SHUT_WR));
}

int peer_tls_timeout(PeerTls *tls)
{
    return tls->dtls ? (int)gnutls_dtls_get_timeout(tls->session) : -1;
}

void peer_tls_timed_out(PeerTls *tls)
{
    (void)tls; /* gnutls_handshake() looks at its timers itself */
}

const char *peer_tls_version(PeerTls *tls)
{
    return gnutls_protocol_get_name(gnutls_protocol_get_version(tls->session));
}

const char *peer_tls_cipher(PeerTls *tls)
{
    g_free(tls->cipher);
    tls->cipher = g_strdup(gnutls_ciphersuite_get(tls->session));
    return tls->cipher;
}

GBytes *peer_tls_certificate(PeerTls *tls)
{
    unsigned int count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(tls->session, &count);

    return chain && count ? g_bytes_new(chain[0].data, chain[0].size) : NULL;
}
