/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-tcp.h: a stream over TCP: two legs and what joins them. Private to media/: media-leg.c
 * keeps one leg, media-tcp.c joins the two.
 *
 * A leg holds at most one live connection, authenticated if the leg is secure (TRK-05), and some
 * candidates that are not there yet. What a leg does follows from what it has:
 *
 *   leg state    live  candidates            what is going on
 *   IDLE         -     -                     holdconn, or active and waiting for its turn
 *   LISTENING    -     -                     passive or not negotiated yet (COM-03)
 *   CONNECTING   -     in CONNECTING         our connect
 *   HANDSHAKE    -     in PEEK, HANDSHAKE    TLS
 *   QUARANTINE   -     in QUARANTINE         verified as soon as signalling brings the fingerprint
 *                                            (TRK-10)
 *   OPEN         yes   -                     bytes cross once both legs are OPEN
 *   CLOSING      yes   -                     one direction ended, the other drains; or the stream
 *                                            is closing
 *   FAILED       -     -                     max_failures refused, or active and failed; a passive
 *                                            leg still listens
 *
 * Who opens when (design.md, section 6, step 6): listeners listen from the start. An active access
 * leg connects as soon as the stream is answered (COM-04). An active core leg connects each time an
 * access connection opens. A connection that is lost is never made again without that or new
 * signalling (MSR-06).
 *
 * Life of a joined pair: both OPEN -> one EOF: FIN (after close_notify) to the other side, which
 * may go on for drain_ms -> both EOF, or the time is over, or an error: one event, both connections
 * say goodbye, the legs are as before.
 *
 * Threads: the stream's worker.
 */
#pragma once

#include "media/media-conn.h"

/** Connections that finish in peace besides the living; more are cut. */
#define MEDIA_TCP_LINGER_MAX 4

typedef struct MediaTcp MediaTcp;

typedef struct MediaTcpLeg {
    MediaTcp *tcp;
    MediaLegSide side;
    int listener; /* -1 when closed */
    uv_poll_t poll;
    int64_t listen_again_at; /* the process was out of descriptors; -1 = listening */
    MediaConn *live;
    MediaConn *candidate[MEDIA_HANDSHAKES_MAX];
    unsigned n_candidates;
    MediaConn *second; /* one more of the right peer, until it is told that the session is taken */
    unsigned failures; /* since the last success or signalling (TRK-06) */
    bool failed;
    bool attempted; /* active: a connect was begun and nothing happened since that allows another */
    int64_t accept_at; /* MEDIA_EVENT_ACCEPT_TIMEOUT is due; -1 = not waiting */
} MediaTcpLeg;

struct MediaTcp {
    MediaStream stream;
    MediaTcpLeg leg[2];
    MediaConn *linger[MEDIA_TCP_LINGER_MAX];
    unsigned n_linger;
    bool joined;            /* both legs were open at once: bytes may have crossed */
    int64_t drain_at;       /* the half-closed pair ends; -1 = not half-closed */
    MediaLegSide first_eof; /* whose end came first, while drain_at runs */
    int64_t active_at; /* when the pair was joined; idle time counts from here at the earliest */
};

/** The TCP kind of media_stream_new(): takes the descriptors in @fd. */
MediaStream *media_tcp_new(const int fd[2]);

/** Brings everything in line with what just changed: the only place that connects, joins, watches
 * and arms timers. */
void media_tcp_advance(MediaTcp *tcp);

/**
 * Ends what is on both legs now (connections and our connects, not listeners or strangers'
 * handshakes) with one event.
 * @broken: (may be NULL) the connection that is beyond a goodbye.
 */
void media_tcp_release(MediaTcp *tcp, MediaConn *broken, MediaEventKind kind, MediaLegSide side,
                       const Addr *peer, const char *reason);

/** Lets @conn finish in peace, out of the way of the living. */
void media_tcp_linger(MediaTcp *tcp, MediaConn *conn);

/* media-leg.c */

void media_leg_start(MediaTcpLeg *leg);

/** Closes the listener and drops the candidates. */
void media_leg_stop(MediaTcpLeg *leg);

/** We open the connection of this leg now, if it is for us to open and can be. */
void media_leg_connect(MediaTcpLeg *leg);

/** New fingerprints or setup for connections that are not live. */
void media_leg_revise(MediaTcpLeg *leg);

/** Handshakes and quarantines whose time is over, and the listener's rest. */
void media_leg_tick(MediaTcpLeg *leg, int64_t now);

/** The earliest time for media_leg_tick(). */
int64_t media_leg_deadline(const MediaTcpLeg *leg);

MediaLegState media_leg_state(const MediaTcpLeg *leg);

/** Removes the connection that we began to open and that is not live yet. */
void media_leg_abort_connect(MediaTcpLeg *leg);

/* media-second.c: a connection to a session that has one gets its answer (MSR-05). */

/** May a second connection come this far? */
bool media_second_wanted(const MediaTcpLeg *leg);

/** @conn: open, and not the live one. */
void media_second_begin(MediaTcpLeg *leg, MediaConn *conn);

/** Its time may be over. */
void media_second_tick(MediaTcpLeg *leg, int64_t now);

/** Ends it. */
void media_second_stop(MediaTcpLeg *leg);

/** A live or lingering connection is ready (the callback of candidates is media-leg.c's own). */
void media_tcp_ready(MediaConn *conn, int events);

static inline const MediaLeg *media_leg_spec(const MediaTcpLeg *leg)
{
    return &leg->tcp->stream.spec.leg[leg->side];
}

static inline bool media_leg_is_active(const MediaTcpLeg *leg)
{
    return media_leg_spec(leg)->setup == MEDIA_SETUP_ACTIVE;
}

static inline bool media_leg_is_passive(const MediaTcpLeg *leg)
{
    MediaSetup setup = media_leg_spec(leg)->setup;

    return setup == MEDIA_SETUP_PASSIVE || setup == MEDIA_SETUP_UNDECIDED;
}
