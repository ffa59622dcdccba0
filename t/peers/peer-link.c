/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "peer-link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *alert_name(int number)
{
    switch (number) {
    case 0:
        return "close_notify";
    case 10:
        return "unexpected_message";
    case 20:
        return "bad_record_mac";
    case 40:
        return "handshake_failure";
    case 42:
        return "bad_certificate";
    case 43:
        return "unsupported_certificate";
    case 44:
        return "certificate_revoked";
    case 45:
        return "certificate_expired";
    case 46:
        return "certificate_unknown";
    case 47:
        return "illegal_parameter";
    case 48:
        return "unknown_ca";
    case 49:
        return "access_denied";
    case 50:
        return "decode_error";
    case 51:
        return "decrypt_error";
    case 70:
        return "protocol_version";
    case 71:
        return "insufficient_security";
    case 80:
        return "internal_error";
    case 100:
        return "no_renegotiation";
    case 116:
        return "certificate_required";
    default:
        return "other";
    }
}

void peer_finish(int status)
{
    fflush(NULL);
    exit(status);
}

void peer_fail_socket(const char *what)
{
    printf("ERROR %s: %s\n", what, g_strerror(errno));
    peer_finish(EXIT_CONNECT);
}

bool peer_link_wait(const PeerLink *link, short events, int timer_ms, int input)
{
    struct pollfd fds[2] = {{.fd = link->fd, .events = events}, {.fd = input, .events = POLLIN}};
    gint64 left = (link->deadline - g_get_monotonic_time()) / 1000;

    if (left <= 0) {
        printf("TIMEOUT\n");
        peer_finish(EXIT_TIMEOUT);
    }
    poll(fds, 2, timer_ms >= 0 && timer_ms < left ? timer_ms : (int)left);
    return fds[1].revents != 0;
}

/* ---- sockets */

static struct addrinfo *resolve(const char *where, bool dtls)
{
    g_autofree char *host = g_strdup(where);
    char *colon = strrchr(host, ':');
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = dtls ? SOCK_DGRAM : SOCK_STREAM};
    struct addrinfo *found = NULL;

    if (!colon) {
        fprintf(stderr, "no port in %s\n", where);
        peer_finish(EXIT_USAGE);
    }
    *colon = '\0';
    char *start = host;
    if (*start == '[') {
        start++;
        colon[-1] = '\0';
    }
    if (getaddrinfo(start, colon + 1, &hints, &found) != 0) {
        fprintf(stderr, "not an address: %s\n", where);
        peer_finish(EXIT_USAGE);
    }
    return found;
}

/* No delay for the sake of fuller segments. */
static void send_at_once(const PeerLink *link)
{
    int on = 1;

    if (!link->options.dtls)
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void peer_link_connect(PeerLink *link, const char *where)
{
    struct addrinfo *to = resolve(where, link->options.dtls);
    int error = 0;
    socklen_t size = sizeof(error);

    link->fd = socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK, 0);
    if (link->fd < 0 ||
        (connect(link->fd, to->ai_addr, to->ai_addrlen) < 0 && errno != EINPROGRESS))
        peer_fail_socket("connect");
    peer_link_wait(link, POLLOUT, -1, -1);
    getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    freeaddrinfo(to);
    if (error) {
        errno = error;
        peer_fail_socket("connect");
    }
    send_at_once(link);
}

static void print_listening(int fd)
{
    struct sockaddr_storage at;
    socklen_t size = sizeof(at);
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];

    getsockname(fd, (struct sockaddr *)&at, &size);
    getnameinfo((struct sockaddr *)&at, size, host, sizeof(host), port, sizeof(port),
                NI_NUMERICHOST | NI_NUMERICSERV);
    printf("LISTENING %s %s\n", host, port);
}

void peer_link_bind(PeerLink *link, const char *where)
{
    struct addrinfo *at = resolve(where, link->options.dtls);
    int on = 1;
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, at->ai_addr, at->ai_addrlen) < 0 || (!link->options.dtls && listen(fd, 4) < 0))
        peer_fail_socket("listen");
    freeaddrinfo(at);
    print_listening(fd);
    link->fd = fd;
}

void peer_link_connect_bound(PeerLink *link, const char *where)
{
    struct addrinfo *to = resolve(where, link->options.dtls);

    if (connect(link->fd, to->ai_addr, to->ai_addrlen) < 0)
        peer_fail_socket("connect");
    freeaddrinfo(to);
}

void peer_link_listen(PeerLink *link, const char *where)
{
    peer_link_bind(link, where);
    peer_link_wait(link, POLLIN, -1, -1);
    if (link->options.dtls) {
        struct sockaddr_storage from;
        socklen_t size = sizeof(from);
        char byte;
        if (recvfrom(link->fd, &byte, 1, MSG_PEEK, (struct sockaddr *)&from, &size) < 0 ||
            connect(link->fd, (struct sockaddr *)&from, size) < 0)
            peer_fail_socket("first datagram");
        return;
    }
    int listener = link->fd;
    link->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (link->fd < 0)
        peer_fail_socket("accept");
    close(listener);
    send_at_once(link);
}

/* ---- the session */

void peer_link_print_end(const PeerLink *link, PeerStatus status)
{
    switch (status) {
    case PEER_CLOSED:
        printf("CLOSED clean\n");
        break;
    case PEER_TRUNCATED:
        printf("CLOSED truncated\n");
        break;
    case PEER_RESET:
        printf("CLOSED reset\n");
        break;
    case PEER_ALERT:
        printf("ALERT %d %s\n", link->report.alert, alert_name(link->report.alert));
        break;
    default:
        printf("ERROR %s\n", link->report.reason);
    }
}

static void shake_hands(PeerLink *link)
{
    for (;;) {
        PeerStatus status = peer_tls_handshake(link->tls);
        if (status == PEER_OK)
            return;
        if (status != PEER_WANT_READ && status != PEER_WANT_WRITE) {
            peer_link_print_end(link, status);
            peer_finish(EXIT_HANDSHAKE);
        }
        int timer = peer_tls_timeout(link->tls);
        gint64 start = g_get_monotonic_time();
        peer_link_wait(link, status == PEER_WANT_READ ? POLLIN : POLLOUT, timer, -1);
        if (timer >= 0 && g_get_monotonic_time() - start >= (gint64)timer * 1000)
            peer_tls_timed_out(link->tls);
    }
}

static char *fingerprint(GBytes *der, const char *hash)
{
    GChecksumType type = G_CHECKSUM_SHA256;
    if (g_ascii_strcasecmp(hash, "sha-1") == 0)
        type = G_CHECKSUM_SHA1;
    else if (g_ascii_strcasecmp(hash, "sha-384") == 0)
        type = G_CHECKSUM_SHA384;
    else if (g_ascii_strcasecmp(hash, "sha-512") == 0)
        type = G_CHECKSUM_SHA512;
    g_autofree char *hex = g_compute_checksum_for_bytes(type, der);
    GString *text = g_string_new(NULL);
    for (size_t i = 0; hex[i]; i += 2)
        g_string_append_printf(text, "%s%c%c", i ? ":" : "", g_ascii_toupper(hex[i]),
                               g_ascii_toupper(hex[i + 1]));
    return g_string_free(text, FALSE);
}

/* No chain, no name, no date: the fingerprint alone says who the other side is (RFC 8122 section
 * 5). */
static void check_certificate(const PeerLink *link)
{
    g_autoptr(GBytes) der = peer_tls_certificate(link->tls);

    if (!der) {
        printf("PEER-FINGERPRINT none\n");
        if (link->expect)
            peer_finish(EXIT_FINGERPRINT);
        return;
    }
    g_autofree char *shown = fingerprint(der, "sha-256");
    printf("PEER-FINGERPRINT sha-256 %s\n", shown);
    if (!link->expect)
        return;
    g_auto(GStrv) want = g_strsplit(link->expect, "/", 2);
    g_autofree char *got = want[0] && want[1] ? fingerprint(der, want[0]) : NULL;
    if (!got || g_ascii_strcasecmp(got, want[1]) != 0) {
        printf("FINGERPRINT-MISMATCH\n");
        peer_finish(EXIT_FINGERPRINT);
    }
}

void peer_link_secure(PeerLink *link)
{
    link->report.alert = -1;
    link->tls = peer_tls_new(&link->options, link->fd, &link->report);
    if (!link->tls) {
        printf("ERROR %s\n", link->report.reason);
        peer_finish(EXIT_USAGE);
    }
    shake_hands(link);
    printf("CONNECTED %s %s\n", peer_tls_version(link->tls), peer_tls_cipher(link->tls));
    check_certificate(link);
}
