/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-media-tcp.c. */
#include "config.h"

#include "media/media-shared.h"

MediaShared *media_shared_new(void)
{
    MediaShared *shared = g_new0(MediaShared, 1);

    atomic_init(&shared->refs, 1);
    g_assert(uv_mutex_init(&shared->lock) == 0);
    return shared;
}

MediaShared *media_shared_ref(MediaShared *shared)
{
    atomic_fetch_add(&shared->refs, 1);
    return shared;
}

void media_shared_unref(MediaShared *shared)
{
    if (atomic_fetch_sub(&shared->refs, 1) != 1)
        return;
    uv_mutex_destroy(&shared->lock);
    g_free(shared);
}

void media_shared_set_tls(MediaShared *shared, MediaLegSide leg, const char *text,
                          const Fingerprint *peer)
{
    uv_mutex_lock(&shared->lock);
    g_strlcpy(shared->tls[leg], text ? text : "", sizeof shared->tls[leg]);
    shared->peer[leg] = peer ? *peer : (Fingerprint){0};
    uv_mutex_unlock(&shared->lock);
}

void media_shared_read(MediaShared *shared, MediaStats *ret_stats)
{
    MediaStats s = {0};

    for (unsigned i = 0; i < 2; i++) {
        s.state[i] = atomic_load_explicit(&shared->state[i], memory_order_relaxed);
        s.bytes_in[i] = atomic_load_explicit(&shared->bytes_in[i], memory_order_relaxed);
        s.bytes_out[i] = atomic_load_explicit(&shared->bytes_out[i], memory_order_relaxed);
        s.packets_in[i] = atomic_load_explicit(&shared->packets_in[i], memory_order_relaxed);
        s.packets_out[i] = atomic_load_explicit(&shared->packets_out[i], memory_order_relaxed);
    }
    s.refused = atomic_load_explicit(&shared->refused, memory_order_relaxed);
    s.dropped = atomic_load_explicit(&shared->dropped, memory_order_relaxed);
    s.too_long = atomic_load_explicit(&shared->too_long, memory_order_relaxed);
    s.last_activity_us = atomic_load_explicit(&shared->last_activity_us, memory_order_relaxed);
    uv_mutex_lock(&shared->lock);
    memcpy(s.tls, shared->tls, sizeof s.tls);
    memcpy(s.peer, shared->peer, sizeof s.peer);
    uv_mutex_unlock(&shared->lock);
    *ret_stats = s;
}
