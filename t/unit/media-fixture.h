/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-fixture.h: a media pool with real sockets and threads, and the peers of its streams. For
 * the media tests.
 *
 * Everything of the test runs on one thread: fx_turn() gives the control loop and every peer a
 * turn.
 */
#pragma once

#include "base/buf.h"
#include "media/media-pool.h"
#include "t/unit/tls-pair.h"
#include "tls/tls-stream.h"

#define FX_PEERS_MAX   64
#define FX_SOCKETS_MAX 16
/** A test that waits longer than this for a condition has failed. */
#define FX_PATIENCE_US (20 * G_USEC_PER_SEC)

/** One end of a TCP connection: a UE or a core node. */
typedef struct Peer {
    int fd;
    TlsStream *tls; /* NULL: plain, or .raw */
    Raw *raw;       /* a client without a certificate */
    bool connecting;
    bool eof;         /* FIN came, or close_notify on TLS */
    bool fin;         /* FIN came */
    bool broken;      /* reset, or TLS failed */
    bool established; /* TLS: handshake complete */
    bool fin_wanted;  /* close when everything is sent */
    bool paused;      /* does not read */
    size_t read_size; /* per turn; 0: 64 KiB */
    Buf in;           /* application bytes received, unless .hash */
    Buf out;          /* wire bytes to send */
    GChecksum *hash;  /* of everything received */
    uint64_t received;
    uint64_t to_send; /* bytes of the test pattern still to send */
    uint64_t sent;
    GChecksum *sent_hash;
} Peer;

typedef struct Fixture {
    uv_loop_t loop;
    MediaPool *pool;
    MediaPorts *ports;
    MediaLimits limits;
    GArray *events; /* MediaEvent */
    Peer *peer[FX_PEERS_MAX];
    unsigned n_peers;
    /* For peers that the fixture does not know: called every turn, which ends early when one of the
     * sockets is readable. */
    void (*turn_cb)(void *data);
    void *turn_data;
    int turn_fd[FX_SOCKETS_MAX];
    unsigned n_turn_fds;
    TlsIdentity *id_gw, *id_ue, *id_stranger; /* from t/certs */
    TlsCtx *ctx_gw, *ctx_ue, *ctx_stranger;
} Fixture;

/** @limits: NULL for the defaults. */
void fx_init(Fixture *fx, const MediaLimits *limits, unsigned n_workers);
void fx_clear(Fixture *fx);

void fx_turn(Fixture *fx);

/** Turns until @condition; aborts the test when that takes too long. */
#define FX_UNTIL(fx, condition)                                                                    \
    do {                                                                                           \
        int64_t give_up = g_get_monotonic_time() + FX_PATIENCE_US;                                 \
        while (!(condition)) {                                                                     \
            if (g_get_monotonic_time() > give_up)                                                  \
                g_error("%s:%d: still not: %s", __FILE__, __LINE__, #condition);                   \
            fx_turn(fx);                                                                           \
        }                                                                                          \
    } while (0)

/** How many events of @kind came; @ret_last (may be NULL) gets the last. */
unsigned fx_count(const Fixture *fx, uint64_t stream_id, MediaEventKind kind, MediaEvent *ret_last);

/** All events but MEDIA_EVENT_CLOSED. */
unsigned fx_count_all(const Fixture *fx, uint64_t stream_id);

MediaStats fx_stats(Fixture *fx, uint64_t stream_id);
MediaLegState fx_state(Fixture *fx, uint64_t stream_id, MediaLegSide side);

/** Descriptors of this process. */
unsigned fx_fds(void);

Addr fx_loopback(void);
MediaPort *fx_port(Fixture *fx, MediaTransport transport);

/** What the UE and the stranger sign with. */
FingerprintSet fx_fingerprints(TlsIdentity *id);

/** Plain on both legs, both passive, answered. */
MediaSpec fx_plain_spec(void);

/** As fx_plain_spec(), but the access leg is TLS, we are server, and the UE's fingerprint is known.
 */
MediaSpec fx_tls_spec(Fixture *fx);

/** A stream with its two ports. */
typedef struct Stream {
    uint64_t id;
    MediaPort *port[2];
} Stream;

Stream fx_open(Fixture *fx, uint64_t id, const MediaSpec *spec);

/** Closes and waits for MEDIA_EVENT_CLOSED. */
void fx_close(Fixture *fx, Stream *s);

/** Connects to @to. @ctx: TLS as @role, NULL for plain. */
Peer *peer_connect(Fixture *fx, const Addr *to, TlsCtx *ctx, TlsRole role);

/** From another loopback address. */
Peer *peer_connect_from(Fixture *fx, const char *ip, const Addr *to, TlsCtx *ctx);

/** A TLS client that has no certificate. @version: TLS1_2_VERSION or TLS1_3_VERSION. */
Peer *peer_connect_uncertified(Fixture *fx, const Addr *to, int version);

/** The next connection on @listener, which is waited for. */
Peer *peer_accept(Fixture *fx, int listener, TlsCtx *ctx, TlsRole role);

static inline Peer *peer_to_leg(Fixture *fx, const Stream *s, MediaLegSide side, TlsCtx *ctx)
{
    return peer_connect(fx, media_port_addr(s->port[side]), ctx, TLS_CLIENT);
}

void peer_send(Peer *p, Span bytes);

/** Closes its socket. @reset: with RST. */
void peer_free(Fixture *fx, Peer *p, bool reset);

/** Sends close_notify (TLS) and FIN behind what is pending. */
void peer_finish(Peer *p);

/** Did exactly @expected arrive so far? */
bool peer_has(const Peer *p, Span expected);

/** Connects to the leg and waits until it is open: plain to the core's, as the UE to the access leg. */
Peer *peer_join_core(Fixture *fx, const Stream *s);
Peer *peer_join_ue(Fixture *fx, const Stream *s);

/** A stream with TLS towards the UE, and both of its peers. */
typedef struct Joined {
    Fixture fx;
    MediaSpec spec;
    Stream s;
    Peer *core;
    Peer *ue;
} Joined;

/** As fx_init() with one worker, and fx_tls_spec(), which may be changed before joined_open(). */
void joined_init(Joined *j, const MediaLimits *limits);

/** Opens the stream, to which both peers connect. */
void joined_open(Joined *j);

/** Closes it, and fx_clear(). */
void joined_clear(Joined *j);

/** Has its connection ended, in whatever way? */
bool peer_is_over(const Peer *p);

/** The right UE comes, and bytes cross both ways. */
void fx_expect_service(Fixture *fx, const Stream *s, Peer *core);

/** A listening TCP socket, the caller's to close; @ret_addr is where. */
int fx_listen(Addr *ret_addr);
