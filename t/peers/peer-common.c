/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "peer-common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 1,
    EXIT_CONNECT = 2,
    EXIT_HANDSHAKE = 3,
    EXIT_FINGERPRINT = 4,
    EXIT_DATA = 5,
    EXIT_CLOSE = 6,
    EXIT_TIMEOUT = 7,
};

#define READ_SIZE      65536
#define WRITE_SIZE     16384
#define CLOSE_LIMIT_US (10 * G_USEC_PER_SEC)
#define RECV_TO_CLOSE  G_MAXUINT64

typedef struct Arguments {
    PeerOptions tls;
    char *connect;
    char *listen;
    bool client_role;
    bool server_role;
    bool no_cert;
    char *expect;
    char *send;
    char *recv;
    char *out;
    bool datagrams;
    bool hold;
    bool wait;
    int gap_ms;
    int timeout_s;
} Arguments;

typedef struct Peer {
    Arguments args;
    int fd;
    PeerTls *tls;
    PeerReport report;
    gint64 deadline;

    GByteArray *to_send;
    size_t sent;
    bool write_blocked;
    gint64 next_send;

    uint64_t recv_limit;
    uint64_t received;
    GChecksum *digest;
    FILE *out;

    bool held;
    bool waiting;   /* for a byte on stdin, before anything is sent */
    PeerStatus end; /* how the other side ended, PEER_OK while it has not */
} Peer;

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

static void finish(int status)
{
    fflush(NULL);
    exit(status);
}

static void wait_for(Peer *peer, short events, int timer_ms)
{
    struct pollfd fds[2] = {
        {.fd = peer->fd, .events = events},
        {.fd = peer->held || peer->waiting ? STDIN_FILENO : -1, .events = POLLIN}};
    gint64 left = (peer->deadline - g_get_monotonic_time()) / 1000;

    if (left <= 0) {
        printf("TIMEOUT\n");
        finish(EXIT_TIMEOUT);
    }
    poll(fds, 2, timer_ms >= 0 && timer_ms < left ? timer_ms : (int)left);
    if (fds[1].revents) {
        char byte;
        if (read(STDIN_FILENO, &byte, 1) <= 0)
            peer->held = false;
        peer->waiting = false;
    }
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
        finish(EXIT_USAGE);
    }
    *colon = '\0';
    char *start = host;
    if (*start == '[') {
        start++;
        colon[-1] = '\0';
    }
    if (getaddrinfo(start, colon + 1, &hints, &found) != 0) {
        fprintf(stderr, "not an address: %s\n", where);
        finish(EXIT_USAGE);
    }
    return found;
}

static void fail_socket(const char *what)
{
    printf("ERROR %s: %s\n", what, g_strerror(errno));
    finish(EXIT_CONNECT);
}

static void open_connection(Peer *peer)
{
    struct addrinfo *to = resolve(peer->args.connect, peer->args.tls.dtls);
    int error = 0;
    socklen_t size = sizeof(error);

    peer->fd = socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK, 0);
    if (peer->fd < 0 ||
        (connect(peer->fd, to->ai_addr, to->ai_addrlen) < 0 && errno != EINPROGRESS))
        fail_socket("connect");
    wait_for(peer, POLLOUT, -1);
    getsockopt(peer->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    freeaddrinfo(to);
    if (error) {
        errno = error;
        fail_socket("connect");
    }
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

/* TCP: the first connection. UDP: the socket is connected to the source of the first datagram,
 * which stays queued. */
static void open_listener(Peer *peer)
{
    struct addrinfo *at = resolve(peer->args.listen, peer->args.tls.dtls);
    int on = 1;
    int fd = socket(at->ai_family, at->ai_socktype | SOCK_NONBLOCK, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, at->ai_addr, at->ai_addrlen) < 0 || (!peer->args.tls.dtls && listen(fd, 4) < 0))
        fail_socket("listen");
    freeaddrinfo(at);
    print_listening(fd);
    peer->fd = fd;
    wait_for(peer, POLLIN, -1);
    if (peer->args.tls.dtls) {
        struct sockaddr_storage from;
        socklen_t size = sizeof(from);
        char byte;
        if (recvfrom(fd, &byte, 1, MSG_PEEK, (struct sockaddr *)&from, &size) < 0 ||
            connect(fd, (struct sockaddr *)&from, size) < 0)
            fail_socket("first datagram");
        return;
    }
    peer->fd = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
    if (peer->fd < 0)
        fail_socket("accept");
    close(fd);
}

static void open_socket(Peer *peer)
{
    if (peer->args.connect)
        open_connection(peer);
    else
        open_listener(peer);
    if (!peer->args.tls.dtls) {
        int on = 1;
        setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
}

/* ---- the session */

static void print_end(Peer *peer, PeerStatus status)
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
        printf("ALERT %d %s\n", peer->report.alert, alert_name(peer->report.alert));
        break;
    default:
        printf("ERROR %s\n", peer->report.reason);
    }
}

static void shake_hands(Peer *peer)
{
    for (;;) {
        PeerStatus status = peer_tls_handshake(peer->tls);
        if (status == PEER_OK)
            return;
        if (status != PEER_WANT_READ && status != PEER_WANT_WRITE) {
            print_end(peer, status);
            finish(EXIT_HANDSHAKE);
        }
        int timer = peer_tls_timeout(peer->tls);
        gint64 start = g_get_monotonic_time();
        wait_for(peer, status == PEER_WANT_READ ? POLLIN : POLLOUT, timer);
        if (timer >= 0 && g_get_monotonic_time() - start >= (gint64)timer * 1000)
            peer_tls_timed_out(peer->tls);
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
static void check_certificate(Peer *peer)
{
    g_autoptr(GBytes) der = peer_tls_certificate(peer->tls);

    if (!der) {
        printf("PEER-FINGERPRINT none\n");
        if (peer->args.expect)
            finish(EXIT_FINGERPRINT);
        return;
    }
    g_autofree char *shown = fingerprint(der, "sha-256");
    printf("PEER-FINGERPRINT sha-256 %s\n", shown);
    if (!peer->args.expect)
        return;
    g_auto(GStrv) want = g_strsplit(peer->args.expect, "/", 2);
    g_autofree char *got = want[0] && want[1] ? fingerprint(der, want[0]) : NULL;
    if (!got || g_ascii_strcasecmp(got, want[1]) != 0) {
        printf("FINGERPRINT-MISMATCH\n");
        finish(EXIT_FINGERPRINT);
    }
}

static void store(Peer *peer, const uint8_t *data, size_t len)
{
    if (peer->args.datagrams) {
        uint8_t prefix[2] = {(uint8_t)(len >> 8), (uint8_t)len};
        g_checksum_update(peer->digest, prefix, sizeof(prefix));
        if (peer->out)
            fwrite(prefix, 1, sizeof(prefix), peer->out);
    }
    g_checksum_update(peer->digest, data, (gssize)len);
    if (peer->out)
        fwrite(data, 1, len, peer->out);
    peer->received += peer->args.datagrams ? 1 : len;
}

static void receive(Peer *peer)
{
    uint8_t data[READ_SIZE];
    size_t len;

    while (peer->end == PEER_OK) {
        PeerStatus status = peer_tls_read(peer->tls, data, sizeof(data), &len);
        if (status == PEER_WANT_READ || status == PEER_WANT_WRITE)
            return;
        if (status == PEER_OK)
            store(peer, data, len);
        else
            peer->end = status;
    }
}

/* The next piece: some bytes of the stream, or one whole datagram. False: nothing left. */
static bool next_piece(const Peer *peer, size_t *start, size_t *len)
{
    size_t left = peer->to_send->len - peer->sent;

    *start = peer->sent;
    if (!peer->args.datagrams) {
        *len = MIN(left, WRITE_SIZE);
        return left > 0;
    }
    if (left < 2)
        return false;
    *start += 2;
    *len = (size_t)(peer->to_send->data[peer->sent] << 8 | peer->to_send->data[peer->sent + 1]);
    return *len <= left - 2;
}

static void transmit(Peer *peer)
{
    size_t start, len, n;

    peer->write_blocked = false;
    for (int burst = 0; burst < 8 && peer->end == PEER_OK; burst++) {
        if (peer->waiting || !next_piece(peer, &start, &len) ||
            g_get_monotonic_time() < peer->next_send)
            return;
        PeerStatus status = peer_tls_write(peer->tls, peer->to_send->data + start, len, &n);
        if (status == PEER_WANT_READ || status == PEER_WANT_WRITE) {
            peer->write_blocked = true;
            return;
        }
        if (status != PEER_OK) {
            receive(peer); /* the reason of a broken write often waits in the read direction */
            if (peer->end == PEER_OK)
                peer->end = status;
            return;
        }
        peer->sent = start + n;
        peer->next_send = g_get_monotonic_time() + (gint64)peer->args.gap_ms * 1000;
    }
}

static bool all_sent(const Peer *peer)
{
    size_t start, len;
    return !next_piece(peer, &start, &len);
}

static bool complete(const Peer *peer)
{
    return all_sent(peer) && peer->recv_limit != RECV_TO_CLOSE &&
           peer->received >= peer->recv_limit && !peer->held;
}

static void exchange(Peer *peer)
{
    peer->held = peer->args.hold;
    peer->waiting = peer->args.wait;
    while (peer->end == PEER_OK && !complete(peer)) {
        receive(peer);
        transmit(peer);
        if (peer->end != PEER_OK || complete(peer))
            break;
        int timer =
            peer->waiting || all_sent(peer) || peer->write_blocked ? -1 : MAX(0, peer->args.gap_ms);
        wait_for(peer, (short)(POLLIN | (peer->write_blocked ? POLLOUT : 0)), timer);
    }
    printf("SENT %zu\n", peer->sent);
    printf("RECEIVED %" G_GUINT64_FORMAT " %s\n", peer->received,
           g_checksum_get_string(peer->digest));
}

/* Our close_notify, then over TCP the other side's answer to it. */
static void close_session(Peer *peer)
{
    bool ours = peer->end == PEER_OK;

    if (peer->end == PEER_OK || peer->end == PEER_CLOSED)
        peer_tls_close(peer->tls);
    if (ours && peer->args.tls.dtls)
        peer->end = PEER_CLOSED;
    if (ours && !peer->args.tls.dtls)
        shutdown(peer->fd, SHUT_WR);
    peer->deadline = MIN(peer->deadline, g_get_monotonic_time() + CLOSE_LIMIT_US);
    while (peer->end == PEER_OK) {
        receive(peer);
        if (peer->end == PEER_OK)
            wait_for(peer, POLLIN, -1);
    }
    print_end(peer, peer->end);
}

static int verdict(const Peer *peer)
{
    if (peer->end == PEER_ALERT)
        return EXIT_HANDSHAKE; /* TLS 1.3: a refused certificate is only heard of now */
    if (!all_sent(peer))
        return EXIT_DATA;
    if (peer->recv_limit != RECV_TO_CLOSE && peer->received < peer->recv_limit)
        return EXIT_DATA;
    return peer->end == PEER_CLOSED ? 0 : EXIT_CLOSE;
}

/* ---- main */

static void load(Peer *peer)
{
    peer->to_send = g_byte_array_new();
    peer->digest = g_checksum_new(G_CHECKSUM_SHA256);
    if (peer->args.send) {
        const char *path = strcmp(peer->args.send, "-") == 0 ? "/dev/stdin" : peer->args.send;
        FILE *in = fopen(path, "rb");
        uint8_t data[READ_SIZE];
        size_t n;
        if (!in)
            fail_socket(path);
        while ((n = fread(data, 1, sizeof(data), in)) > 0)
            g_byte_array_append(peer->to_send, data, (guint)n);
        fclose(in);
    }
    if (peer->args.out && !(peer->out = fopen(peer->args.out, "wb")))
        fail_socket(peer->args.out);
    if (peer->args.recv)
        peer->recv_limit = strcmp(peer->args.recv, "close") == 0
                               ? RECV_TO_CLOSE
                               : g_ascii_strtoull(peer->args.recv, NULL, 10);
}

static void parse(Arguments *a, int argc, char **argv)
{
    char *cert = NULL, *key = NULL, *ciphers = NULL;
    GOptionEntry entries[] = {
        {"dtls", 0, 0, G_OPTION_ARG_NONE, &a->tls.dtls, "DTLS over UDP", NULL},
        {"connect", 0, 0, G_OPTION_ARG_STRING, &a->connect, "connect to", "ADDR:PORT"},
        {"listen", 0, 0, G_OPTION_ARG_STRING, &a->listen, "wait for one connection", "ADDR:PORT"},
        {"client", 0, 0, G_OPTION_ARG_NONE, &a->client_role, "TLS client, whoever connects", NULL},
        {"server", 0, 0, G_OPTION_ARG_NONE, &a->server_role, "TLS server, whoever connects", NULL},
        {"cert", 0, 0, G_OPTION_ARG_FILENAME, &cert, "own certificate", "PEM"},
        {"key", 0, 0, G_OPTION_ARG_FILENAME, &key, "its key", "PEM"},
        {"no-cert", 0, 0, G_OPTION_ARG_NONE, &a->no_cert, "present none", NULL},
        {"expect-fingerprint", 0, 0, G_OPTION_ARG_STRING, &a->expect, "of the peer", "HASH/HEX"},
        {"send", 0, 0, G_OPTION_ARG_FILENAME, &a->send, "send this file (- is stdin)", "FILE"},
        {"recv", 0, 0, G_OPTION_ARG_STRING, &a->recv, "bytes, datagrams, or 'close'", "N"},
        {"out", 0, 0, G_OPTION_ARG_FILENAME, &a->out, "keep what arrives", "FILE"},
        {"datagrams", 0, 0, G_OPTION_ARG_NONE, &a->datagrams, "files hold 16-bit length + record",
         NULL},
        {"hold", 0, 0, G_OPTION_ARG_NONE, &a->hold, "stay until stdin ends", NULL},
        {"wait", 0, 0, G_OPTION_ARG_NONE, &a->wait, "send after a byte on stdin", NULL},
        {"gap", 0, 0, G_OPTION_ARG_INT, &a->gap_ms, "between datagrams", "MS"},
        {"tls12", 0, 0, G_OPTION_ARG_NONE, &a->tls.tls12, "only 1.2", NULL},
        {"tls13", 0, 0, G_OPTION_ARG_NONE, &a->tls.tls13, "only 1.3", NULL},
        {"ciphers", 0, 0, G_OPTION_ARG_STRING, &ciphers, "in the stack's own syntax", "LIST"},
        {"mtu", 0, 0, G_OPTION_ARG_INT, &a->tls.mtu, "DTLS", "BYTES"},
        {"timeout", 0, 0, G_OPTION_ARG_INT, &a->timeout_s, "for everything", "SECONDS"},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || !a->connect == !a->listen) {
        fprintf(stderr, "%s\n", error ? error->message : "one of --connect and --listen");
        finish(EXIT_USAGE);
    }
    a->tls.cert = a->no_cert ? NULL : cert;
    a->tls.key = a->no_cert ? NULL : key;
    a->tls.ciphers = ciphers;
    a->tls.server = a->server_role || (a->listen && !a->client_role);
}

int main(int argc, char **argv)
{
    Peer peer = {.args = {.timeout_s = 30}, .fd = -1, .report = {.alert = -1}};

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    parse(&peer.args, argc, argv);
    peer.deadline = g_get_monotonic_time() + (gint64)peer.args.timeout_s * G_USEC_PER_SEC;
    load(&peer);
    open_socket(&peer);
    peer.tls = peer_tls_new(&peer.args.tls, peer.fd, &peer.report);
    if (!peer.tls) {
        printf("ERROR %s\n", peer.report.reason);
        finish(EXIT_USAGE);
    }
    shake_hands(&peer);
    printf("CONNECTED %s %s\n", peer_tls_version(peer.tls), peer_tls_cipher(peer.tls));
    check_certificate(&peer);
    exchange(&peer);
    close_session(&peer);
    peer_tls_free(peer.tls);
    if (peer.out)
        fclose(peer.out);
    finish(verdict(&peer));
}
