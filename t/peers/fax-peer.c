/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * fax-peer.c: a fax machine as a test peer: T.38 in DTLS, T.38 in plain UDP, or tones in RTP.
 *
 * It binds a port, prints it (LISTENING ADDR PORT), then reads from stdin, in one line, where the
 * other side is and which certificate it has to have, "ADDR:PORT" or "ADDR:PORT HASH/HEX": both are
 * known only when the signalling is done.
 */
#include "config.h"

#include "fax-engine.h"
#include "peer-link.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_SIZE 65536

typedef struct FaxPeer {
    FaxOptions fax;
    PeerLink link;
    char *bind;
    bool secure;
    int timeout_s;
    int loss; /* percent of our datagrams that get lost */
    GRand *dice;
    uint64_t sent;
    uint64_t lost;
    PeerStatus end; /* of the DTLS session, PEER_OK while it goes on */
} FaxPeer;

/* Lost on the way, not before: inside DTLS a record is missing then. */
static bool lose(void *user)
{
    FaxPeer *peer = user;

    peer->sent++;
    if (peer->loss == 0 || g_rand_int_range(peer->dice, 0, 100) >= peer->loss)
        return false;
    peer->lost++;
    return true;
}

static void send_datagram(void *user, const uint8_t *data, size_t len)
{
    FaxPeer *peer = user;
    size_t n;

    if (!peer->secure) {
        /* The other side may be gone already: refused, and nobody's concern. */
        if (!lose(peer) && send(peer->link.fd, data, len, 0) < 0 && errno != ECONNREFUSED)
            peer_fail_socket("send");
        return;
    }
    if (peer->end == PEER_OK)
        peer->end = peer_tls_write(peer->link.tls, data, len, &n);
}

/* False: nothing more has come. */
static bool receive_datagram(FaxPeer *peer, FaxEngine *engine)
{
    uint8_t data[DATAGRAM_SIZE];
    size_t len = 0;

    if (!peer->secure) {
        ssize_t got = recv(peer->link.fd, data, sizeof(data), MSG_DONTWAIT);
        if (got > 0)
            fax_engine_receive(engine, data, (size_t)got);
        return got > 0;
    }
    PeerStatus status = peer_tls_read(peer->link.tls, data, sizeof(data), &len);
    if (status == PEER_WANT_READ || status == PEER_WANT_WRITE)
        return false;
    if (status == PEER_OK)
        fax_engine_receive(engine, data, len);
    else
        peer->end = status;
    return status == PEER_OK;
}

static void run(FaxPeer *peer, FaxEngine *engine)
{
    gint64 next = g_get_monotonic_time();

    while (!fax_engine_over(engine) && peer->end == PEER_OK) {
        gint64 left = next - g_get_monotonic_time();
        peer_link_wait(&peer->link, POLLIN, left > 0 ? (int)((left + 999) / 1000) : 0, -1);
        while (peer->end == PEER_OK && receive_datagram(peer, engine))
            ;
        for (; next <= g_get_monotonic_time(); next += FAX_TICK_MS * 1000)
            fax_engine_tick(engine);
    }
}

static void read_target(FaxPeer *peer)
{
    char line[512];

    if (!fgets(line, sizeof(line), stdin)) {
        fprintf(stderr, "stdin: nobody said where the other side is\n");
        peer_finish(EXIT_USAGE);
    }
    g_auto(GStrv) words = g_strsplit(g_strstrip(line), " ", 2);
    if (!words[0] || (peer->secure && !words[1])) {
        fprintf(stderr, "stdin: wanted ADDR:PORT%s\n", peer->secure ? " HASH/HEX" : "");
        peer_finish(EXIT_USAGE);
    }
    peer->link.expect = g_strdup(words[1]);
    peer_link_connect_bound(&peer->link, words[0]);
}

static void parse(FaxPeer *peer, int argc, char **argv)
{
    FaxOptions *fax = &peer->fax;
    gboolean client = FALSE;
    char *cert = NULL, *key = NULL;
    GOptionEntry entries[] = {
        {"bind", 0, 0, G_OPTION_ARG_STRING, &peer->bind, "own address", "ADDR:PORT"},
        {"caller", 0, 0, G_OPTION_ARG_NONE, &fax->caller, "not the called machine", NULL},
        {"send", 0, 0, G_OPTION_ARG_FILENAME, &fax->pages, "these pages", "TIFF"},
        {"out", 0, 0, G_OPTION_ARG_FILENAME, &fax->out, "write what arrives", "TIFF"},
        {"tones", 0, 0, G_OPTION_ARG_NONE, &fax->tones, "A-law in RTP instead of T.38", NULL},
        {"no-ecm", 0, 0, G_OPTION_ARG_NONE, &fax->no_ecm, "no error correction of T.30", NULL},
        {"no-pacing", 0, 0, G_OPTION_ARG_NONE, &fax->no_pacing, "T.38 as fast as it goes", NULL},
        {"redundancy", 0, 0, G_OPTION_ARG_INT, &fax->redundancy, "of UDPTL", "PACKETS"},
        {"max-datagram", 0, 0, G_OPTION_ARG_INT, &fax->largest, "of UDPTL", "BYTES"},
        {"loss", 0, 0, G_OPTION_ARG_INT, &peer->loss, "of our datagrams", "PERCENT"},
        {"client", 0, 0, G_OPTION_ARG_NONE, &client, "DTLS client", NULL},
        {"server", 0, 0, G_OPTION_ARG_NONE, &peer->link.options.server, "DTLS server", NULL},
        {"cert", 0, 0, G_OPTION_ARG_FILENAME, &cert, "own certificate", "PEM"},
        {"key", 0, 0, G_OPTION_ARG_FILENAME, &key, "its key", "PEM"},
        {"timeout", 0, 0, G_OPTION_ARG_INT, &peer->timeout_s, "for everything", "SECONDS"},
        {"debug", 0, 0, G_OPTION_ARG_NONE, &fax->debug, "what spandsp does", NULL},
        G_OPTION_ENTRY_NULL,
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || !peer->bind) {
        fprintf(stderr, "%s\n", error ? error->message : "--bind is missing");
        peer_finish(EXIT_USAGE);
    }
    peer->secure = client || peer->link.options.server;
    peer->link.options.dtls = true;
    peer->link.options.cert = cert;
    peer->link.options.key = key;
    peer->link.options.lose = lose;
    peer->link.options.lose_user = peer;
}

int main(int argc, char **argv)
{
    FaxPeer peer = {
        .timeout_s = 120, .fax = {.redundancy = 3, .largest = 1400}, .link = {.fd = -1}};

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    parse(&peer, argc, argv);
    peer.dice = g_rand_new_with_seed(peer.fax.caller ? 38 : 7345);
    peer.link.deadline = g_get_monotonic_time() + (gint64)peer.timeout_s * G_USEC_PER_SEC;
    peer_link_bind(&peer.link, peer.bind);
    read_target(&peer);
    if (peer.secure)
        peer_link_secure(&peer.link);
    peer.sent = peer.lost = 0; /* those of the handshake are not the fax */

    peer.fax.send = send_datagram;
    peer.fax.user = &peer;
    FaxEngine *engine = fax_engine_new(&peer.fax);
    if (!engine) {
        printf("ERROR spandsp has no fax machine for us\n");
        peer_finish(EXIT_DATA);
    }
    run(&peer, engine);
    bool content = fax_engine_report(engine);
    fax_engine_free(engine);
    printf("DATAGRAMS sent %" G_GUINT64_FORMAT " lost %" G_GUINT64_FORMAT "\n", peer.sent,
           peer.lost);
    if (peer.secure && peer.end == PEER_OK)
        peer_tls_close(peer.link.tls);
    else if (peer.secure)
        peer_link_print_end(&peer.link, peer.end);
    if (peer.secure)
        peer_tls_free(peer.link.tls);
    g_rand_free(peer.dice);
    peer_finish(content ? 0 : EXIT_DATA);
}
