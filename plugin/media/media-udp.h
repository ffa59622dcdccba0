/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-udp.h: a stream over UDP: UDPTL in DTLS on secure legs, as it is on plain ones. Private to
 * media/: media-assoc.c keeps the DTLS associations of one leg, media-udp.c the sockets and what
 * crosses.
 *
 * One packet is one record is one datagram, both ways (DTL-10). A secure leg's socket carries DTLS
 * and STUN, told apart by the first byte (DTL-11); nothing in clear ever leaves it (DTL-09).
 *
 *   state of a secure leg  live  candidates      what is going on
 *   LISTENING              -     -               server: waits for a ClientHello;
 *                                                client: IDLE until answered
 *   HANDSHAKE              -     in HANDSHAKE    at most max_handshakes (TRK-06)
 *   QUARANTINE             -     in QUARANTINE   the fingerprint is not signalled yet (TRK-10)
 *   OPEN                   yes   perhaps         a new handshake runs beside the old until it is
 *                                                verified (TLS-15)
 *   FAILED                 -     -               as for TCP
 *
 * Addresses: the peer of a secure leg is where its verified association came from, and moves only
 * with a datagram that authenticates (DTL-17). The peer of a plain leg is what was signalled:
 * packets go there, and only packets from that IP address (any port: gateways may send from another
 * than they listen on) are taken. It is never learned, for there is no NAT in the core and an
 * address is easily forged.
 *
 * Threads: the stream's worker.
 */
#pragma once

#include "media/media-stream.h"
#include "tls/dtls-stream.h"

/** DTL-09: packets that wait for a leg to open, and how long. */
#define MEDIA_UDP_HELD_MAX 8
#define MEDIA_UDP_HELD_MS  1000

typedef struct MediaUdp MediaUdp;
typedef struct MediaUdpLeg MediaUdpLeg;

typedef struct MediaAssoc {
    MediaUdpLeg *leg;
    DtlsStream *dtls;
    Addr peer;
    bool client;      /* we began it */
    bool proven;      /* the peer receives what is sent to its address (TLS-14) */
    bool heard;       /* application data came */
    int64_t deadline; /* of handshake or quarantine; -1 when live */
    TlsState state;   /* as it was after the last step */
} MediaAssoc;

typedef struct MediaUdpHeld {
    int64_t at;
    size_t len;
    char *data;
} MediaUdpHeld;

struct MediaUdpLeg {
    MediaUdp *udp;
    MediaLegSide side;
    int fd; /* -1 when closed */
    uv_poll_t poll;
    Addr signalled; /* plain: the last address that is a place */
    MediaAssoc *live;
    MediaAssoc *candidate[MEDIA_HANDSHAKES_MAX];
    unsigned n_candidates;
    unsigned failures; /* since the last success or signalling (TRK-06) */
    unsigned unproven; /* the same, of addresses that may be forged */
    bool failed;
    bool renewing;  /* .live serves until the new association that was asked for is up (DTL-07) */
    bool attempted; /* client: a handshake was begun and nothing happened since that allows another
                       (MSR-06) */
    bool delivered; /* the datagram just fed carried application data that authenticated */
    int64_t accept_at;                     /* MEDIA_EVENT_ACCEPT_TIMEOUT is due; -1 = not waiting */
    MediaUdpHeld held[MEDIA_UDP_HELD_MAX]; /* packets for this leg, oldest first */
    unsigned n_held;
};

struct MediaUdp {
    MediaStream stream;
    MediaUdpLeg leg[2];
    int64_t active_at; /* since when idle time counts; -1 = no secure leg is open */
};

/** The UDP kind of media_stream_new(): takes the descriptors in @fd. */
MediaStream *media_udp_new(const int fd[2]);

/** Sends a datagram as it is. */
void media_udp_emit(MediaUdpLeg *leg, const Addr *to, Span datagram);

/** An application packet came on @from: on to the other leg, or kept for it. */
void media_udp_forward(MediaUdpLeg *from, Span packet);

/** @leg can send now: what was kept for it goes. */
void media_udp_release_held(MediaUdpLeg *leg);

void media_udp_count_dropped(MediaUdpLeg *leg, uint64_t n);

/* media-assoc.c */

/** A DTLS datagram from @peer: to the association it belongs to, or the beginning of one. */
void media_assoc_receive(MediaUdpLeg *leg, const Addr *peer, Span datagram);

/** We are client and it is time: sends a ClientHello. */
void media_assoc_connect(MediaUdpLeg *leg);

/** Seals @packet for the live association and sends it. False when it does not fit. */
bool media_assoc_send(MediaUdpLeg *leg, Span packet);

/** New fingerprints or roles. */
void media_assoc_revise(MediaUdpLeg *leg);

void media_assoc_tick(MediaUdpLeg *leg, int64_t now);
int64_t media_assoc_deadline(const MediaUdpLeg *leg);

/** Ends all associations of the leg, with close_notify for the live one; no event. */
void media_assoc_drop_all(MediaUdpLeg *leg);

/** Ends the live association, if there is one, with close_notify; no event. */
void media_assoc_end(MediaUdpLeg *leg);

/** Ends the live association, which must be there, with close_notify and one event. */
void media_assoc_release(MediaUdpLeg *leg, MediaEventKind kind, const char *reason);

static inline const MediaLeg *media_udp_leg_spec(const MediaUdpLeg *leg)
{
    return &leg->udp->stream.spec.leg[leg->side];
}

static inline bool media_udp_leg_is_secure(const MediaUdpLeg *leg)
{
    return media_udp_leg_spec(leg)->security == MEDIA_TLS;
}

static inline bool media_udp_leg_is_client(const MediaUdpLeg *leg)
{
    return media_udp_leg_spec(leg)->tls_role == MEDIA_TLS_CLIENT;
}

/** TRK-12: "hold" is not a place. */
static inline bool media_is_place(const Addr *a)
{
    return a->family != ADDR_NONE && a->port != 0 && !addr_is_any(a);
}
