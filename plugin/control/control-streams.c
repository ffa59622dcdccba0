/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/control-streams.h"

#include "control/control-error.h"
#include "session/session-diff.h"

struct ControlStreams {
    uv_loop_t *loop;
    MediaPool *pool;
    MediaPorts *ports;
    TlsIdentities *identities;
    ControlStreamCb cb;
    void *user_data;
    GHashTable *by_id;    /* uint64_t in the entry -> Entry, owned */
    ControlTraffic ended; /* of streams that are gone */
};

typedef struct Entry {
    uint64_t id;
    ControlStreams *owner;
    char *call_id;
    MediaPort *port[2];
    TlsCtx *ctx; /* held until the worker has let go; NULL: nothing was signalled */
    bool opened;
    bool closed;  /* the worker has let go */
    bool waiting; /* for the end of the delay */
    uv_timer_t *timer;
} Entry;

static void close_cb(uv_handle_t *handle)
{
    g_free(handle);
}

static void release_identity(Entry *e)
{
    if (e->ctx)
        tls_identities_release(e->owner->identities, g_steal_pointer(&e->ctx));
}

static void entry_free(gpointer data)
{
    Entry *e = data;

    release_identity(e);
    media_port_release(e->port[0]);
    media_port_release(e->port[1]);
    if (e->timer)
        uv_close((uv_handle_t *)e->timer, close_cb);
    g_free(e->call_id);
    g_free(e);
}

static void drop_if_done(Entry *e)
{
    if (e->closed && !e->waiting)
        g_hash_table_remove(e->owner->by_id, &e->id);
}

static void add_traffic(ControlTraffic *t, const MediaStats *stats)
{
    for (int leg = 0; leg < 2; leg++) {
        t->bytes_in[leg] += stats->bytes_in[leg];
        t->bytes_out[leg] += stats->bytes_out[leg];
        t->packets_in[leg] += stats->packets_in[leg];
        t->packets_out[leg] += stats->packets_out[leg];
    }
    t->refused += stats->refused;
    t->dropped += stats->dropped;
    t->too_long += stats->too_long;
}

static void event_cb(const MediaEvent *event, void *user_data)
{
    ControlStreams *s = user_data;
    Entry *e = g_hash_table_lookup(s->by_id, &event->stream_id);
    MediaStats stats;

    if (!e)
        return;
    if (event->kind == MEDIA_EVENT_CLOSED) {
        if (media_stats(s->pool, e->id, &stats))
            add_traffic(&s->ended, &stats);
        e->closed = true;
        release_identity(e);
        drop_if_done(e);
        return;
    }
    s->cb(e->call_id, event, s->user_data);
}

ControlStreams *control_streams_new(uv_loop_t *loop, const ControlStreamsConfig *config,
                                    ControlStreamCb cb, void *user_data, GError **error)
{
    ControlStreams *s = g_new0(ControlStreams, 1);

    s->loop = loop;
    s->cb = cb;
    s->user_data = user_data;
    s->pool = media_pool_new(loop, config->n_workers, &config->limits, event_cb, s, error);
    if (!s->pool) {
        g_free(s);
        return NULL;
    }
    s->ports = media_ports_new(config->port_min, config->port_max, config->freebind);
    s->identities = config->identities;
    s->by_id = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, entry_free);
    return s;
}

void control_streams_free(ControlStreams *s)
{
    if (!s)
        return;
    media_pool_free(s->pool);
    g_hash_table_unref(s->by_id);
    media_ports_free(s->ports);
    g_free(s);
}

static Entry *entry_for(ControlStreams *s, uint64_t id, const char *call_id)
{
    Entry *e = g_hash_table_lookup(s->by_id, &id);

    if (e)
        return e;
    e = g_new0(Entry, 1);
    e->id = id;
    e->owner = s;
    e->call_id = g_strdup(call_id);
    g_hash_table_insert(s->by_id, &e->id, e);
    return e;
}

bool control_streams_reserve(ControlStreams *s, SessionPlan *plan, GError **error)
{
    while (plan->n_reserved < plan->ports->len) {
        const SessionPortRequest *want =
            &g_array_index(plan->ports, SessionPortRequest, plan->n_reserved);
        MediaPort *port = media_port_reserve(s->ports, &want->ip, want->transport, 0, error);
        if (!port) {
            control_streams_rollback(s, plan);
            return false;
        }
        entry_for(s, want->stream_id, plan->next->call_id)->port[want->side] = port;
        session_plan_set_port(plan, plan->n_reserved++, media_port_addr(port)->port);
    }
    return true;
}

/* Only what we present can be what the peer was told to expect. */
static TlsCtx *hold_identity(const ControlStreams *s, const FingerprintSet *set, GError **error)
{
    TlsCtx *ctx = tls_identities_hold(s->identities, set);
    char text[FP_TEXT_MAX];

    if (!ctx)
        g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_STORE,
                    "the certificate %s that was signalled is not ours any more",
                    set->n ? fp_text(&set->fp[0], text) : "(none)");
    return ctx;
}

bool control_streams_restore(ControlStreams *s, const char *call_id, const SessionStream *stream,
                             GError **error)
{
    TlsCtx *ctx = hold_identity(s, &stream->local_fingerprints, error);

    if (!ctx)
        return false;
    Entry *e = entry_for(s, stream->id, call_id);
    e->ctx = ctx;
    for (int side = 0; side < 2; side++) {
        const Addr *at = &stream->leg[side].local;
        if (at->family == ADDR_NONE || !at->port)
            g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_STORE, "it has no local port");
        else
            e->port[side] =
                media_port_reserve(s->ports, at, stream->medium->transport, at->port, error);
        if (!e->port[side]) {
            g_hash_table_remove(s->by_id, &stream->id);
            return false;
        }
    }
    return true;
}

void control_streams_rollback(ControlStreams *s, const SessionPlan *plan)
{
    for (unsigned i = 0; i < plan->ports->len; i++) {
        const SessionPortRequest *want = &g_array_index(plan->ports, SessionPortRequest, i);
        const Entry *e = g_hash_table_lookup(s->by_id, &want->stream_id);
        if (e && !e->opened)
            g_hash_table_remove(s->by_id, &want->stream_id);
    }
}

static void delay_cb(uv_timer_t *timer)
{
    Entry *e = timer->data;

    e->waiting = false;
    drop_if_done(e);
}

static void close_stream(ControlStreams *s, uint64_t id, unsigned delay_ms)
{
    Entry *e = g_hash_table_lookup(s->by_id, &id);

    g_assert(e && e->opened);
    media_close(s->pool, id);
    if (!delay_ms)
        return;
    e->waiting = true;
    e->timer = g_new0(uv_timer_t, 1);
    e->timer->data = e;
    uv_timer_init(s->loop, e->timer);
    uv_timer_start(e->timer, delay_cb, delay_ms, 0);
}

static void open_stream(ControlStreams *s, const SessionAction *action, const Session *next)
{
    Entry *e = g_hash_table_lookup(s->by_id, &action->stream_id);
    SessionStream *stream = NULL;

    g_assert(e && !e->opened);
    session_find_stream(next, e->id, NULL, NULL, &stream);
    if (!e->ctx)
        e->ctx = tls_identities_hold(s->identities, &stream->local_fingerprints);
    g_assert(e->ctx || !stream->local_fingerprints.n); /* the transaction holds it until now */
    media_open(s->pool, e->id, &action->spec, e->ctx, e->port);
    e->opened = true;
}

void control_streams_apply(ControlStreams *s, const Session *old, const Session *next,
                           unsigned delay_ms)
{
    g_autoptr(GArray) actions = session_diff(old, next);

    for (unsigned i = 0; i < actions->len; i++) {
        const SessionAction *action = &g_array_index(actions, SessionAction, i);
        switch (action->kind) {
        case SESSION_OPEN:
            open_stream(s, action, next);
            break;
        case SESSION_UPDATE:
            media_update(s->pool, action->stream_id, &action->spec);
            break;
        case SESSION_CLOSE:
            close_stream(s, action->stream_id, delay_ms);
            break;
        }
    }
}

TlsIdentities *control_streams_identities(ControlStreams *s)
{
    return s->identities;
}

bool control_streams_stats(ControlStreams *s, uint64_t stream_id, MediaStats *ret_stats)
{
    return media_stats(s->pool, stream_id, ret_stats);
}

void control_streams_lease(ControlStreams *s, unsigned lease_ms)
{
    media_pool_lease(s->pool, lease_ms);
}

void control_streams_alive(ControlStreams *s)
{
    media_pool_alive(s->pool);
}

bool control_streams_stale(const ControlStreams *s)
{
    return media_pool_stale(s->pool);
}

void control_streams_reopen(ControlStreams *s)
{
    media_pool_reopen(s->pool);
}

void control_streams_traffic(ControlStreams *s, ControlTraffic *ret_traffic)
{
    GHashTableIter i;
    gpointer value;
    MediaStats stats;

    *ret_traffic = s->ended;
    g_hash_table_iter_init(&i, s->by_id);
    while (g_hash_table_iter_next(&i, NULL, &value)) {
        const Entry *e = value;
        if (!e->closed && media_stats(s->pool, e->id, &stats))
            add_traffic(ret_traffic, &stats);
    }
}

unsigned control_streams_ports_used(const ControlStreams *s)
{
    return media_ports_used(s->ports, NULL);
}

void control_streams_ports(const ControlStreams *s, const Addr *ip, unsigned *ret_used,
                           unsigned *ret_free)
{
    unsigned used = media_ports_used(s->ports, ip);

    *ret_used = used;
    *ret_free = media_ports_size(s->ports) - used;
}
