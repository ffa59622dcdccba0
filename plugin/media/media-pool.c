/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-media-tcp.c. */
#include "config.h"

#include "media/media-pool.h"
#include "media/media-worker.h"

G_DEFINE_QUARK(media - pool - error - quark, media_pool_error)

/* What the control thread knows of a stream. */
typedef struct PoolEntry {
    uint64_t id;
    unsigned worker;
    MediaShared *shared;
} PoolEntry;

struct MediaPool {
    MediaQueue events;
    MediaLease lease;
    MediaEventCb event_cb;
    void *user_data;
    GHashTable *streams; /* PoolEntry by its id */
    bool freed;
    unsigned n_workers;
    MediaWorker **worker;
    unsigned *load; /* streams of each worker */
};

static void free_entry(gpointer data)
{
    PoolEntry *entry = data;

    media_shared_unref(entry->shared);
    g_free(entry);
}

static void forget(MediaPool *pool, uint64_t stream_id)
{
    PoolEntry *entry = g_hash_table_lookup(pool->streams, &stream_id);

    g_assert(entry);
    pool->load[entry->worker]--;
    g_hash_table_remove(pool->streams, &stream_id);
}

static void events_ready(uv_async_t *handle)
{
    MediaPool *pool = handle->data;
    MediaMessage *next;

    for (MediaMessage *m = media_queue_take(&pool->events); m; m = next) {
        const MediaEvent *event = &((MediaEventMessage *)m)->event;
        next = m->next;
        /* Forgotten last, so that the callback can still read what the stream came to. */
        if (!pool->freed)
            pool->event_cb(event, pool->user_data);
        if (event->kind == MEDIA_EVENT_CLOSED)
            forget(pool, event->stream_id);
        g_free(m);
    }
}

static void send_to(MediaPool *pool, unsigned worker, MediaCommandKind kind, uint64_t stream_id,
                    const MediaSpec *spec)
{
    MediaCommand *command = g_new0(MediaCommand, 1);

    command->kind = kind;
    command->stream_id = stream_id;
    if (spec) {
        command->spec = *spec;
        media_msrp_ref(command->spec.msrp);
    }
    media_worker_send(pool->worker[worker], command);
}

static void free_pool(uv_handle_t *handle)
{
    MediaPool *pool = handle->data;

    media_queue_clear(&pool->events);
    g_hash_table_unref(pool->streams);
    g_free(pool->worker);
    g_free(pool->load);
    g_free(pool);
}

void media_pool_free(MediaPool *pool)
{
    pool->freed = true;
    for (unsigned i = 0; i < pool->n_workers; i++)
        send_to(pool, i, MEDIA_COMMAND_STOP, 0, NULL);
    for (unsigned i = 0; i < pool->n_workers; i++)
        media_worker_join(pool->worker[i]);
    events_ready(&pool->events.wake);
    media_queue_close(&pool->events, free_pool);
}

/* A worker's buffers are sized for these. */
static MediaLimits sane_limits(const MediaLimits *limits)
{
    MediaLimits l = *limits;

    l.buffer = CLAMP(l.buffer, MEDIA_BUFFER_MIN, MEDIA_READ_MAX);
    l.max_handshakes = CLAMP(l.max_handshakes, 1, MEDIA_HANDSHAKES_MAX);
    l.max_failures = MAX(l.max_failures, 1);
    return l;
}

MediaPool *media_pool_new(uv_loop_t *loop, unsigned n_workers, const MediaLimits *limits,
                          MediaEventCb event_cb, void *user_data, GError **error)
{
    MediaPool *pool = g_new0(MediaPool, 1);
    MediaLimits sane = sane_limits(limits);
    int result = media_queue_init(&pool->events, loop, events_ready, pool);

    g_assert(n_workers > 0);
    if (result != 0) {
        g_free(pool);
        g_set_error(error, MEDIA_POOL_ERROR, 0, "cannot make the media event queue: %s",
                    uv_strerror(result));
        return NULL;
    }
    pool->event_cb = event_cb;
    pool->user_data = user_data;
    pool->streams = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, free_entry);
    pool->worker = g_new0(MediaWorker *, n_workers);
    pool->load = g_new0(unsigned, n_workers);
    for (; pool->n_workers < n_workers; pool->n_workers++) {
        MediaWorker *w = media_worker_new(&sane, &pool->lease, &pool->events, &result);
        if (!w) {
            g_set_error(error, MEDIA_POOL_ERROR, 0, "cannot start media worker %u: %s",
                        pool->n_workers, uv_strerror(result));
            media_pool_free(pool);
            return NULL;
        }
        pool->worker[pool->n_workers] = w;
    }
    return pool;
}

static unsigned least_loaded(const MediaPool *pool)
{
    unsigned best = 0;

    for (unsigned i = 1; i < pool->n_workers; i++) {
        if (pool->load[i] < pool->load[best])
            best = i;
    }
    return best;
}

void media_open(MediaPool *pool, uint64_t stream_id, const MediaSpec *spec, TlsCtx *ctx,
                MediaPort *const ports[2])
{
    MediaCommand *command = g_new0(MediaCommand, 1);
    PoolEntry *entry = g_new0(PoolEntry, 1);

    g_assert(!g_hash_table_contains(pool->streams, &stream_id));
    entry->id = stream_id;
    entry->worker = least_loaded(pool);
    entry->shared = media_shared_new();
    pool->load[entry->worker]++;
    g_hash_table_insert(pool->streams, &entry->id, entry);

    command->kind = MEDIA_COMMAND_OPEN;
    command->stream_id = stream_id;
    command->spec = *spec;
    media_msrp_ref(command->spec.msrp);
    command->ctx = ctx ? tls_ctx_ref(ctx) : NULL;
    command->shared = media_shared_ref(entry->shared);
    for (unsigned i = 0; i < 2; i++) {
        command->local[i] = *media_port_addr(ports[i]);
        command->fd[i] = media_port_take_socket(ports[i]);
    }
    media_worker_send(pool->worker[entry->worker], command);
}

void media_update(MediaPool *pool, uint64_t stream_id, const MediaSpec *spec)
{
    PoolEntry *entry = g_hash_table_lookup(pool->streams, &stream_id);

    if (entry)
        send_to(pool, entry->worker, MEDIA_COMMAND_UPDATE, stream_id, spec);
}

void media_close(MediaPool *pool, uint64_t stream_id)
{
    PoolEntry *entry = g_hash_table_lookup(pool->streams, &stream_id);

    if (entry)
        send_to(pool, entry->worker, MEDIA_COMMAND_CLOSE, stream_id, NULL);
}

void media_pool_lease(MediaPool *pool, unsigned lease_ms)
{
    media_lease_set(&pool->lease, lease_ms);
}

void media_pool_alive(MediaPool *pool)
{
    media_lease_alive(&pool->lease);
}

bool media_pool_stale(const MediaPool *pool)
{
    return media_lease_passed(&pool->lease);
}

void media_pool_reopen(MediaPool *pool)
{
    uint16_t epoch = media_lease_renew(&pool->lease);

    for (unsigned i = 0; i < pool->n_workers; i++) {
        MediaCommand *command = g_new0(MediaCommand, 1);
        command->kind = MEDIA_COMMAND_REOPEN;
        command->epoch = epoch;
        media_worker_send(pool->worker[i], command);
    }
}

bool media_stats(MediaPool *pool, uint64_t stream_id, MediaStats *ret_stats)
{
    PoolEntry *entry = g_hash_table_lookup(pool->streams, &stream_id);

    if (!entry)
        return false;
    media_shared_read(entry->shared, ret_stats);
    return true;
}
