/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-pool.h: the worker threads that carry streams, seen from the control thread.
 *
 * Threads: every function here is called on the control thread, and @event_cb runs there. A stream
 * belongs to one worker for its life; commands and events go by message queue, in order. Owner: the
 * control layer owns the pool; the pool owns workers and streams.
 */
#pragma once

#include "media/media-ports.h"
#include "media/media-types.h"
#include "tls/tls-ctx.h"

#include <uv.h>

typedef struct MediaPool MediaPool;

/** @event: borrowed. May call any function of this header. */
typedef void (*MediaEventCb)(const MediaEvent *event, void *user_data);

/** @loop: the control loop, borrowed. Starts @n_workers threads. */
MediaPool *media_pool_new(uv_loop_t *loop, unsigned n_workers, const MediaLimits *limits,
                          MediaEventCb event_cb, void *user_data, GError **error);

#define MEDIA_POOL_ERROR (media_pool_error_quark())
GQuark media_pool_error_quark(void);

/**
 * Closes every stream (close_notify where possible, for at most a second), ends and joins the
 * threads. The loop must be run once more afterwards to let the pool's handles close. @event_cb is
 * not called any more.
 */
void media_pool_free(MediaPool *pool);

/**
 * Starts a stream; its id is @stream_id, unique among the living ones. Takes the sockets of both
 * @ports (by MediaLegSide; the MediaPort objects stay with the caller, who releases them after
 * MEDIA_EVENT_CLOSED).
 * @ctx: what we present on secure legs; a reference is taken. NULL only when no leg ever becomes
 * secure.
 */
void media_open(MediaPool *pool, uint64_t stream_id, const MediaSpec *spec, TlsCtx *ctx,
                MediaPort *const ports[2]);

/**
 * The signalling changed: addresses, setup, fingerprints, answered. Connections that the new spec
 * still allows are kept (TRK-08); a fingerprint set that the live peer does not match ends that
 * connection (TRK-13).
 */
void media_update(MediaPool *pool, uint64_t stream_id, const MediaSpec *spec);

/**
 * Ends a stream gracefully: flush, close_notify, FIN; then MEDIA_EVENT_CLOSED, at the latest after
 * drain_ms. Like media_update(), nothing happens for a stream that is closed already.
 */
void media_close(MediaPool *pool, uint64_t stream_id);

/**
 * Holds the workers when the process was frozen for longer than @lease_ms, 0 = never (the default):
 * they neither read, write, accept nor connect until media_pool_reopen(), and a stream that is closed
 * meanwhile ends without another byte. Commands are executed. To be called before the first
 * media_open(); what the kernel has taken already is beyond it.
 */
void media_pool_lease(MediaPool *pool, unsigned lease_ms);

/** A sign of life, to be given several times within the lease. Nothing when that has passed. */
void media_pool_alive(MediaPool *pool);

/** Has the lease passed? Then find out which streams are still ours, close the others, and reopen. */
bool media_pool_stale(const MediaPool *pool);

/** A sign of life; each worker serves on when it has executed the commands that were given before. */
void media_pool_reopen(MediaPool *pool);

/** What the worker publishes about a stream while it lives; a snapshot without waiting for the
 * worker. */
typedef struct MediaStats {
    MediaLegState state[2];
    uint64_t bytes_in[2];  /* application bytes received on that leg */
    uint64_t bytes_out[2]; /* application bytes sent on that leg */
    uint64_t packets_in[2];
    uint64_t packets_out[2];
    uint64_t refused;         /* connections and handshakes refused */
    uint64_t dropped;         /* datagrams not forwarded */
    uint64_t too_long;        /* those of them that were too long to be (DTL-10) */
    int64_t last_activity_us; /* monotonic time of the last application byte, 0 = none yet */
    char tls[2][64];          /* "TLSv1.3 TLS_AES_128_GCM_SHA256" or "" */
    Fingerprint
        peer[2]; /* digest of the live peer's certificate with the hash it was checked with */
} MediaStats;

/** False when there is no such stream. In the callback of MEDIA_EVENT_CLOSED it still is there,
 * with its last figures. */
bool media_stats(MediaPool *pool, uint64_t stream_id, MediaStats *ret_stats);
