/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * peer-link.h: how a test peer gets from its command line to a verified session: the socket, the
 * handshake, the fingerprint check. What it prints and its exit status are part of the interface.
 *
 * Threads: one. Owner: main() of the peer owns everything.
 */
#pragma once

#include "peer-common.h"

enum {
    EXIT_USAGE = 1,
    EXIT_CONNECT = 2,
    EXIT_HANDSHAKE = 3,
    EXIT_FINGERPRINT = 4,
    EXIT_DATA = 5,
    EXIT_CLOSE = 6,
    EXIT_TIMEOUT = 7,
};

typedef struct PeerLink {
    PeerOptions options;
    char *expect;    /* HASH/HEX that the other side's certificate must have, NULL: any or none */
    gint64 deadline; /* monotonic; everything ends then */
    int fd;
    PeerTls *tls;
    PeerReport report;
} PeerLink;

/** Ends the program with everything printed. */
void peer_finish(int status) G_GNUC_NORETURN;

/** Prints why, with errno, and ends the program. */
void peer_fail_socket(const char *what) G_GNUC_NORETURN;

/**
 * Waits until the link's socket has @events, @timer_ms have passed (-1: no timer) or @input (-1:
 * none) is readable, which is returned. Ends the program at the deadline.
 */
bool peer_link_wait(const PeerLink *link, short events, int timer_ms, int input);

/** One connection, by UDP when options.dtls is set. @where: ADDR:PORT. Listening prints
 * LISTENING ADDR PORT; by UDP it takes the source of the first datagram, which stays queued. */
void peer_link_connect(PeerLink *link, const char *where);
void peer_link_listen(PeerLink *link, const char *where);

/** UDP in two steps, for who learns late where the other side is: LISTENING, then its address. */
void peer_link_bind(PeerLink *link, const char *where);
void peer_link_connect_bound(PeerLink *link, const char *where);

/** The session over the open socket: prints CONNECTED, PEER-FINGERPRINT; ends the program when it
 * fails. */
void peer_link_secure(PeerLink *link);

/** Prints how the session ended. */
void peer_link_print_end(const PeerLink *link, PeerStatus status);
