/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-shared.h: what a worker publishes about one stream and the control thread reads at any
 * time.
 *
 * Threads: the stream's worker writes, the control thread reads. Numbers are single relaxed
 * atomics: each is right, and together they may be one packet apart. The texts are behind a lock;
 * they change once per handshake. Owner:   reference-counted: the pool's table and the stream hold
 * one each.
 */
#pragma once

#include "media/media-pool.h"

#include <stdatomic.h>

typedef struct MediaShared {
    atomic_uint refs;
    atomic_int state[2];
    _Atomic uint64_t bytes_in[2];
    _Atomic uint64_t bytes_out[2];
    _Atomic uint64_t packets_in[2];
    _Atomic uint64_t packets_out[2];
    _Atomic uint64_t refused;
    _Atomic uint64_t dropped;
    _Atomic uint64_t too_long;
    _Atomic int64_t last_activity_us;
    uv_mutex_t lock; /* for what follows */
    char tls[2][64];
    Fingerprint peer[2];
} MediaShared;

MediaShared *media_shared_new(void);
MediaShared *media_shared_ref(MediaShared *shared);
void media_shared_unref(MediaShared *shared);

/** The worker is the only writer, so no locked instruction is needed. */
static inline void media_shared_add(_Atomic uint64_t *counter, uint64_t n)
{
    uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, old + n, memory_order_relaxed);
}

/** What secure leg @leg runs with; NULLs when it is gone. */
void media_shared_set_tls(MediaShared *shared, MediaLegSide leg, const char *text,
                          const Fingerprint *peer);

void media_shared_read(MediaShared *shared, MediaStats *ret_stats);
