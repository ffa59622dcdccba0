/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "peer-link.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE      65536
#define WRITE_SIZE     16384
#define CLOSE_LIMIT_US (10 * G_USEC_PER_SEC)
#define RECV_TO_CLOSE  G_MAXUINT64

typedef struct Arguments { /* gboolean: GOption writes an int */
    char *connect;
    char *listen;
    gboolean client_role;
    gboolean server_role;
    gboolean no_cert;
    char *send;
    char *recv;
    char *out;
    gboolean datagrams;
    gboolean hold;
    gboolean wait;
    int gap_ms;
    int timeout_s;
} Arguments;

typedef struct Peer {
    Arguments args;
    PeerLink link;
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

static void wait_for(Peer *peer, short events, int timer_ms)
{
    int input = peer->held || peer->waiting ? STDIN_FILENO : -1;
    char byte;

    if (!peer_link_wait(&peer->link, events, timer_ms, input))
        return;
    if (read(STDIN_FILENO, &byte, 1) <= 0)
        peer->held = false;
    peer->waiting = false;
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
        PeerStatus status = peer_tls_read(peer->link.tls, data, sizeof(data), &len);
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
        PeerStatus status = peer_tls_write(peer->link.tls, peer->to_send->data + start, len, &n);
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
        peer_tls_close(peer->link.tls);
    if (ours && peer->link.options.dtls)
        peer->end = PEER_CLOSED;
    if (ours && !peer->link.options.dtls)
        shutdown(peer->link.fd, SHUT_WR);
    peer->link.deadline = MIN(peer->link.deadline, g_get_monotonic_time() + CLOSE_LIMIT_US);
    while (peer->end == PEER_OK) {
        receive(peer);
        if (peer->end == PEER_OK)
            wait_for(peer, POLLIN, -1);
    }
    peer_link_print_end(&peer->link, peer->end);
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
            peer_fail_socket(path);
        while ((n = fread(data, 1, sizeof(data), in)) > 0)
            g_byte_array_append(peer->to_send, data, (guint)n);
        fclose(in);
    }
    if (peer->args.out && !(peer->out = fopen(peer->args.out, "wb")))
        peer_fail_socket(peer->args.out);
    if (peer->args.recv)
        peer->recv_limit = strcmp(peer->args.recv, "close") == 0
                               ? RECV_TO_CLOSE
                               : g_ascii_strtoull(peer->args.recv, NULL, 10);
}

static void parse(Arguments *a, PeerLink *link, int argc, char **argv)
{
    char *cert = NULL, *key = NULL, *ciphers = NULL;
    GOptionEntry entries[] = {
        {"dtls", 0, 0, G_OPTION_ARG_NONE, &link->options.dtls, "DTLS over UDP", NULL},
        {"connect", 0, 0, G_OPTION_ARG_STRING, &a->connect, "connect to", "ADDR:PORT"},
        {"listen", 0, 0, G_OPTION_ARG_STRING, &a->listen, "wait for one connection", "ADDR:PORT"},
        {"client", 0, 0, G_OPTION_ARG_NONE, &a->client_role, "TLS client, whoever connects", NULL},
        {"server", 0, 0, G_OPTION_ARG_NONE, &a->server_role, "TLS server, whoever connects", NULL},
        {"cert", 0, 0, G_OPTION_ARG_FILENAME, &cert, "own certificate", "PEM"},
        {"key", 0, 0, G_OPTION_ARG_FILENAME, &key, "its key", "PEM"},
        {"no-cert", 0, 0, G_OPTION_ARG_NONE, &a->no_cert, "present none", NULL},
        {"expect-fingerprint", 0, 0, G_OPTION_ARG_STRING, &link->expect, "of the peer", "HASH/HEX"},
        {"send", 0, 0, G_OPTION_ARG_FILENAME, &a->send, "send this file (- is stdin)", "FILE"},
        {"recv", 0, 0, G_OPTION_ARG_STRING, &a->recv, "bytes, datagrams, or 'close'", "N"},
        {"out", 0, 0, G_OPTION_ARG_FILENAME, &a->out, "keep what arrives", "FILE"},
        {"datagrams", 0, 0, G_OPTION_ARG_NONE, &a->datagrams, "files hold 16-bit length + record",
         NULL},
        {"hold", 0, 0, G_OPTION_ARG_NONE, &a->hold, "stay until stdin ends", NULL},
        {"wait", 0, 0, G_OPTION_ARG_NONE, &a->wait, "send after a byte on stdin", NULL},
        {"gap", 0, 0, G_OPTION_ARG_INT, &a->gap_ms, "between datagrams", "MS"},
        {"tls12", 0, 0, G_OPTION_ARG_NONE, &link->options.tls12, "only 1.2", NULL},
        {"tls13", 0, 0, G_OPTION_ARG_NONE, &link->options.tls13, "only 1.3", NULL},
        {"ciphers", 0, 0, G_OPTION_ARG_STRING, &ciphers, "in the stack's own syntax", "LIST"},
        {"mtu", 0, 0, G_OPTION_ARG_INT, &link->options.mtu, "DTLS", "BYTES"},
        {"timeout", 0, 0, G_OPTION_ARG_INT, &a->timeout_s, "for everything", "SECONDS"},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || !a->connect == !a->listen) {
        fprintf(stderr, "%s\n", error ? error->message : "one of --connect and --listen");
        peer_finish(EXIT_USAGE);
    }
    link->options.cert = a->no_cert ? NULL : cert;
    link->options.key = a->no_cert ? NULL : key;
    link->options.ciphers = ciphers;
    link->options.server = a->server_role || (a->listen && !a->client_role);
}

int main(int argc, char **argv)
{
    Peer peer = {.args = {.timeout_s = 30}, .link = {.fd = -1}};

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    parse(&peer.args, &peer.link, argc, argv);
    peer.link.deadline = g_get_monotonic_time() + (gint64)peer.args.timeout_s * G_USEC_PER_SEC;
    load(&peer);
    if (peer.args.connect)
        peer_link_connect(&peer.link, peer.args.connect);
    else
        peer_link_listen(&peer.link, peer.args.listen);
    peer_link_secure(&peer.link);
    exchange(&peer);
    close_session(&peer);
    peer_tls_free(peer.link.tls);
    if (peer.out)
        fclose(peer.out);
    peer_finish(verdict(&peer));
}
