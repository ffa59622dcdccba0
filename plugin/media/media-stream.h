/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-stream.h: what TCP and UDP streams have in common: identity, timer, events, life and death.
 * The two kinds are media-tcp.h and media-udp.h.
 *
 * Threads: the stream's worker.
 * Owner:   the worker. The memory lives until the last libuv handle of the stream is closed, so a
 * stream may end within any of its own callbacks.
 */
#pragma once

#include "media/media-worker.h"

typedef struct MediaStreamOps {
    void (*start)(MediaStream *stream);
    /** @next: the new spec; the stream's still holds the old one and is replaced by the callee. */
    void (*update)(MediaStream *stream, const MediaSpec *next);
    /** Begin to end; media_stream_end() follows within @drain_ms. Called once. */
    void (*close)(MediaStream *stream, unsigned drain_ms);
    /** A time given to media_stream_wake_at() has come, or an earlier one that is not needed any
     * more. */
    void (*tick)(MediaStream *stream);
} MediaStreamOps;

struct MediaStream {
    const MediaStreamOps *ops;
    MediaWorker *worker;
    uint64_t id;
    MediaSpec spec;
    TlsCtx *ctx;         /* a reference; NULL when no leg is secure */
    MediaShared *shared; /* a reference */
    Addr local[2];       /* by MediaLegSide */
    uv_timer_t timer;
    int64_t timer_at; /* -1: not armed */
    unsigned handles; /* libuv handles that still need the memory */
    bool closing;     /* close() was called */
};

/** Makes a stream of the spec's transport; takes the descriptors and references of @command. */
MediaStream *media_stream_new(MediaWorker *w, MediaCommand *command);

void media_stream_start(MediaStream *stream);
void media_stream_update(MediaStream *stream, const MediaSpec *next);
void media_stream_close(MediaStream *stream, unsigned drain_ms);

/** Its time, or the end of the worker's hold. */
void media_stream_tick(MediaStream *stream);

/* For the two kinds of streams. */

/** Tells the control thread; @peer may be NULL. The text is made printable. */
G_GNUC_PRINTF(6, 7)
void media_stream_event(MediaStream *stream, MediaEventKind kind, MediaLegSide leg,
                        const Addr *peer, bool final, const char *format, ...);

/** Asks for a tick at @at (worker's clock) or before; -1 is never and changes nothing. */
void media_stream_wake_at(MediaStream *stream, int64_t at);

/** Counts a libuv handle in; media_stream_handle_closed() is its close callback's last call. */
void media_stream_handle_opened(MediaStream *stream);
void media_stream_handle_closed(MediaStream *stream);

/** All sockets are closed: raises MEDIA_EVENT_CLOSED. The memory goes when the handles are gone. */
void media_stream_end(MediaStream *stream);

/**
 * CTL-05: which event tells of this failure. @open: the certificate had been verified; @heard: and
 * application data came.
 */
MediaEventKind media_stream_tls_event(const TlsFailure *failure, bool open, bool heard);

static inline int64_t media_stream_now(const MediaStream *stream)
{
    return media_worker_now(stream->worker);
}

static inline void media_stream_set_state(MediaStream *stream, MediaLegSide leg,
                                          MediaLegState state)
{
    atomic_store_explicit(&stream->shared->state[leg], (int)state, memory_order_relaxed);
}

static inline MediaLegSide media_other(MediaLegSide leg)
{
    return leg == MEDIA_ACCESS ? MEDIA_CORE : MEDIA_ACCESS;
}

/** The earlier of two times, where -1 is never. */
static inline int64_t media_sooner(int64_t a, int64_t b)
{
    return a < 0 ? b : b < 0 ? a : MIN(a, b);
}

static inline bool media_is_due(int64_t at, int64_t now)
{
    return at >= 0 && at <= now;
}
