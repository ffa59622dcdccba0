/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The peer over Mbed TLS 2.28, which knows TLS and DTLS 1.2 only. */
#include "peer-common.h"

#include <errno.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>
#include <mbedtls/timing.h>
#include <mbedtls/version.h>

#define TIMER_STEP_MS 50
#define MAX_SUITES    16

struct PeerTls {
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt cert;
    mbedtls_pk_context key;
    mbedtls_timing_delay_context timer;
    mbedtls_net_context net;
    int suites[MAX_SUITES + 1];
    PeerReport *report;
    bool dtls;
    bool connected;
};

static void say(PeerReport *report, const char *what, int code)
{
    char text[128];

    mbedtls_strerror(code, text, sizeof(text));
    g_snprintf(report->reason, sizeof(report->reason), "%s: %s", what, text);
}

static PeerStatus map(PeerTls *tls, const char *what, int code)
{
    switch (code) {
    case MBEDTLS_ERR_SSL_WANT_READ:
    case MBEDTLS_ERR_SSL_TIMEOUT:
        return PEER_WANT_READ;
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return PEER_WANT_WRITE;
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return PEER_CLOSED;
    case MBEDTLS_ERR_SSL_CONN_EOF:
        return PEER_TRUNCATED;
    case MBEDTLS_ERR_NET_CONN_RESET:
    case MBEDTLS_ERR_NET_SEND_FAILED:
    case MBEDTLS_ERR_NET_RECV_FAILED:
        say(tls->report, what, code);
        return PEER_RESET;
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        tls->report->alert = tls->ssl.in_msg[1];
        return PEER_ALERT;
    default:
        say(tls->report, what, code);
        return PEER_FAILED;
    }
}

static bool set_ciphers(PeerTls *tls, const char *ciphers)
{
    g_auto(GStrv) names = g_strsplit(ciphers, ":", MAX_SUITES);

    for (size_t i = 0; names[i]; i++)
        if ((tls->suites[i] = mbedtls_ssl_get_ciphersuite_id(names[i])) == 0)
            return false;
    mbedtls_ssl_conf_ciphersuites(&tls->config, tls->suites);
    return true;
}

static int load_certificate(PeerTls *tls, const PeerOptions *options)
{
    int code = mbedtls_x509_crt_parse_file(&tls->cert, options->cert);

    if (code == 0)
        code = mbedtls_pk_parse_keyfile(&tls->key, options->key, NULL);
    if (code == 0)
        code = mbedtls_ssl_conf_own_cert(&tls->config, &tls->cert, &tls->key);
    return code;
}

static int configure(PeerTls *tls, const PeerOptions *options)
{
    int code = mbedtls_ctr_drbg_seed(&tls->random, mbedtls_entropy_func, &tls->entropy, NULL, 0);

    if (code == 0)
        code = mbedtls_ssl_config_defaults(
            &tls->config, options->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
            options->dtls ? MBEDTLS_SSL_TRANSPORT_DATAGRAM : MBEDTLS_SSL_TRANSPORT_STREAM,
            MBEDTLS_SSL_PRESET_DEFAULT);
    if (code == 0 && options->cert)
        code = load_certificate(tls, options);
    if (code != 0)
        return code;
    mbedtls_ssl_conf_rng(&tls->config, mbedtls_ctr_drbg_random, &tls->random);
    mbedtls_ssl_conf_authmode(&tls->config, MBEDTLS_SSL_VERIFY_OPTIONAL);
    mbedtls_ssl_conf_dtls_cookies(&tls->config, NULL, NULL, NULL);
    if (options->ciphers && !set_ciphers(tls, options->ciphers))
        return MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
    code = mbedtls_ssl_setup(&tls->ssl, &tls->config);
    if (code == 0 && options->mtu)
        mbedtls_ssl_set_mtu(&tls->ssl, (uint16_t)options->mtu);
    return code;
}

PeerTls *peer_tls_new(const PeerOptions *options, int fd, PeerReport *report)
{
    if (options->tls13) {
        g_strlcpy(report->reason, "this library has no TLS 1.3", sizeof(report->reason));
        return NULL;
    }
    PeerTls *tls = g_new0(PeerTls, 1);
    tls->report = report;
    tls->dtls = options->dtls;
    tls->net.fd = fd;
    mbedtls_ssl_init(&tls->ssl);
    mbedtls_ssl_config_init(&tls->config);
    mbedtls_entropy_init(&tls->entropy);
    mbedtls_ctr_drbg_init(&tls->random);
    mbedtls_x509_crt_init(&tls->cert);
    mbedtls_pk_init(&tls->key);
    int code = configure(tls, options);
    if (code != 0) {
        say(report, "set-up", code);
        peer_tls_free(tls);
        return NULL;
    }
    mbedtls_ssl_set_bio(&tls->ssl, &tls->net, mbedtls_net_send, mbedtls_net_recv, NULL);
    mbedtls_ssl_set_timer_cb(&tls->ssl, &tls->timer, mbedtls_timing_set_delay,
                             mbedtls_timing_get_delay);
    return tls;
}

void peer_tls_free(PeerTls *tls)
{
    mbedtls_ssl_free(&tls->ssl);
    mbedtls_ssl_config_free(&tls->config);
    mbedtls_x509_crt_free(&tls->cert);
    mbedtls_pk_free(&tls->key);
    mbedtls_ctr_drbg_free(&tls->random);
    mbedtls_entropy_free(&tls->entropy);
    g_free(tls);
}

PeerStatus peer_tls_handshake(PeerTls *tls)
{
    int code = mbedtls_ssl_handshake(&tls->ssl);

    if (code != 0)
        return map(tls, "handshake", code);
    tls->connected = true;
    return PEER_OK;
}

PeerStatus peer_tls_read(PeerTls *tls, uint8_t *to, size_t capacity, size_t *n)
{
    int got = mbedtls_ssl_read(&tls->ssl, to, capacity);

    if (got == 0)
        return PEER_TRUNCATED;
    if (got < 0)
        return map(tls, "read", got);
    *n = (size_t)got;
    return PEER_OK;
}

PeerStatus peer_tls_write(PeerTls *tls, const uint8_t *from, size_t len, size_t *n)
{
    int put = mbedtls_ssl_write(&tls->ssl, from, len);

    if (put < 0)
        return map(tls, "write", put);
    *n = (size_t)put;
    return PEER_OK;
}

PeerStatus peer_tls_close(PeerTls *tls)
{
    int code = mbedtls_ssl_close_notify(&tls->ssl);

    return code == 0 ? PEER_OK : map(tls, "close", code);
}

int peer_tls_timeout(PeerTls *tls)
{
    return tls->dtls && !tls->connected ? TIMER_STEP_MS : -1;
}

void peer_tls_timed_out(PeerTls *tls)
{
    (void)tls; /* mbedtls_ssl_handshake() looks at its timer itself */
}

const char *peer_tls_version(PeerTls *tls)
{
    const char *name = mbedtls_ssl_get_version(&tls->ssl);

    if (g_str_equal(name, "TLSv1.2"))
        return "TLS1.2";
    return g_str_equal(name, "DTLSv1.2") ? "DTLS1.2" : name;
}

const char *peer_tls_cipher(PeerTls *tls)
{
    return mbedtls_ssl_get_ciphersuite(&tls->ssl);
}

GBytes *peer_tls_certificate(PeerTls *tls)
{
    const mbedtls_x509_crt *leaf = mbedtls_ssl_get_peer_cert(&tls->ssl);

    return leaf ? g_bytes_new(leaf->raw.p, leaf->raw.len) : NULL;
}
