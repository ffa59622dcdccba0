/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A call comes out of its record: one of an earlier life of this node, or of a node that is dead.
 * At the start all of the first kind do:
 *
 *   state     unknown calls                          leaves it by
 *   WAITING   requests wait                          the store is ready -> RUNNING, away -> OFFLINE
 *   RUNNING   are looked for in the store            the last page -> DONE, away -> OFFLINE
 *   OFFLINE   count as none                          the store is ready -> RUNNING
 *   DONE      as if this node is alone or not        (control-find.c)
 *
 * A certificate that is shared in Redis comes first: while there is none it stays WAITING, and if
 * what Redis has cannot be used, OFFLINE. One that only restored streams present is loaded with them
 * (control-claim.c).
 */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

#include "control/control-error.h"
#include "session/session-record.h"

#define WHY_RESTARTED "the node has started again, and the connections are gone"

/* ---- one call */

/* Where a call comes from, while it does. */
typedef struct Origin {
    ControlCall *call;
    Session *session;
    const char *owner; /* a dead node, or this one */
    bool other;        /* it is not this one */
    ControlRestored *count;
} Origin;

static void add_id(SessionStream *stream, void *arg)
{
    g_array_append_val((GArray *)arg, stream->id);
}

/* TRK-27: whoever drives the call learns that its connections are gone, and whether they can come
 * back by themselves. */
static void tell(const Origin *o, const SessionStream *stream, const char *reason, bool final)
{
    ControlEvent event = {.leg = MEDIA_ACCESS, .reason = reason, .final = final};
    SessionDialog *d;
    unsigned index;

    if (!session_find_stream(o->session, stream->id, &d, &index, NULL))
        return;
    if (o->other) {
        o->call->calls->statistics.takeover_events++;
        control_call_tell(o->call, d, index, "takeover", event);
    }
    if (stream->answered || final)
        control_call_emit(o->call, d, index, MEDIA_EVENT_BEARER_RELEASED, event);
}

static void log_dropped(const Origin *o, const SessionStream *stream, const char *reason)
{
    g_autofree char *call_id = span_quote(span_str(o->call->call_id));
    unsigned index = 0;

    session_find_stream(o->session, stream->id, NULL, &index, NULL);
    g_warning("[%s/%u] The %s stream is not restored: %s", call_id, index + 1, stream->medium->name,
              reason);
}

static bool is_ours(const SessionPolicy *policy, const Addr *ip)
{
    for (unsigned i = 0; i < policy->n_interfaces; i++)
        if (addr_ip_eq(&policy->interfaces[i].local, ip))
            return true;
    return addr_ip_eq(&policy->gateway, ip);
}

/* A stream goes on where it was if this node has, or will have, its addresses. */
static bool can_stay(const Origin *o, const SessionStream *stream, GError **error)
{
    char text[ADDR_TEXT_MAX];

    for (int side = 0; side < 2; side++) {
        const Addr *at = &stream->leg[side].local;
        if (is_ours(&o->call->calls->policy, at))
            continue;
        g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_STORE,
                    "its address %s, of node %s, is no --interface of this node: the next offer "
                    "moves the stream",
                    addr_ip_text(at, text), o->owner);
        return false;
    }
    return true;
}

static void restore_stream(const Origin *o, uint64_t id)
{
    ControlCall *call = o->call;
    g_autoptr(GError) error = NULL;
    g_autofree char *taken =
        o->other
            ? g_strdup_printf("node %s is gone: this one has its calls, the connections are lost",
                              o->owner)
            : NULL;
    SessionStream *stream;

    if (!session_find_stream(o->session, id, NULL, NULL, &stream))
        return;
    if (can_stay(o, stream, &error) &&
        control_streams_restore(call->calls->streams, call->call_id, stream, &error)) {
        o->count->streams++;
        tell(o, stream, taken ? taken : WHY_RESTARTED, false);
        return;
    }
    o->count->dropped++;
    call->unwritten = true;
    log_dropped(o, stream, error->message);
    tell(o, stream, error->message, true);
    session_drop_stream(o->session, id);
}

static bool known_to_rtpengine(const Session *s)
{
    for (unsigned i = 0; i < s->dialogs->len; i++)
        if (((const SessionDialog *)s->dialogs->pdata[i])->upstream_count)
            return true;
    return !s->first_keys;
}

static void restore_streams(const Origin *o)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(uint64_t));

    session_drop_retiring(o->session);
    session_foreach_stream(o->session, add_id, ids);
    for (unsigned i = 0; i < ids->len; i++)
        restore_stream(o, g_array_index(ids, uint64_t, i));
    control_streams_apply(o->call->calls->streams, NULL, o->session, 0);
}

void control_restore_record(ControlCall *call, const RedisRecord *record, const char *owner)
{
    ControlCalls *calls = call->calls;
    const SessionPolicy *policy = &calls->policy;
    g_autofree char *call_id = span_quote(span_str(call->call_id));
    g_autoptr(GError) error = NULL;
    g_autoptr(Session) s = session_import(record, policy->next_id, policy->arg, &error);
    bool other = strcmp(owner, calls->store.node) != 0;

    if (!s) {
        g_warning("[%s] The call cannot be restored: %s", call_id, error->message);
        return;
    }
    Origin o = {call, s, owner, other, other ? &calls->taken : &calls->restore.count};
    restore_streams(&o);
    call->revision = record->revision;
    call->write.sent_us = g_get_monotonic_time();
    control_keep_written(call);
    call->upstream = known_to_rtpengine(s);
    call->created_us = call->last_signal_us = g_get_real_time();
    call->session = g_steal_pointer(&s);
    o.count->calls++;
    if (other)
        g_message("[%s] Call taken over from node %s", call_id, owner);
    else
        g_message("[%s] Call restored", call_id);
}

/* Requests of that call wait for the end of this, and then concern a call that is not there. */
void control_restore_remove(ControlCall *call, const RedisRecord *record)
{
    const SessionPolicy *policy = &call->calls->policy;
    g_autofree char *call_id = span_quote(span_str(call->call_id));
    g_autoptr(Session) s = session_import(record, policy->next_id, policy->arg, NULL);

    if (!s)
        return;
    g_info("[%s] The store had the call, which is over: its record is removed", call_id);
    control_call_write(call, NULL, NULL, NULL);
}

/* ---- those that wait for the store */

/* The calls that only wait to be looked for; owned by the caller. */
static GPtrArray *waiting_calls(const ControlCalls *calls)
{
    GPtrArray *list = g_ptr_array_new();
    GHashTableIter i;
    gpointer value;

    g_hash_table_iter_init(&i, calls->by_call_id);
    while (g_hash_table_iter_next(&i, NULL, &value)) {
        const ControlCall *call = value;
        if (call->loading && !call->asked)
            g_ptr_array_add(list, value);
    }
    return list;
}

/* ---- all of an earlier life */

static void swept_cb(ControlSweep *sweep, bool complete)
{
    ControlRestore *restore = &sweep->calls->restore;
    const ControlRestored *count = &restore->count;

    if (!complete) {
        restore->state = CONTROL_RESTORE_OFFLINE;
        return;
    }
    restore->state = CONTROL_RESTORE_DONE;
    if (count->calls || count->dropped)
        g_message("%u calls restored with %u streams; %u streams could not be", count->calls,
                  count->streams, count->dropped);
}

/* ---- what is over */

static void cleaned_cb(ControlSweep *sweep, bool complete)
{
    sweep->calls->restore.look_for_old = !complete;
}

static void look_for_old(ControlCalls *calls)
{
    ControlRestore *restore = &calls->restore;

    if (!restore->old) {
        restore->old = control_sweep_new(calls, calls->store.node, cleaned_cb);
        restore->old->over = true;
    }
    control_sweep_start(restore->old);
}

/* Before all of an earlier life is here, nobody can tell what is over. */
void control_restore_clean(ControlCalls *calls)
{
    ControlRestore *restore = &calls->restore;

    if (restore->state != CONTROL_RESTORE_DONE)
        return;
    restore->look_for_old = true;
    if (restore->old)
        g_clear_pointer(&restore->old->after, g_free);
    look_for_old(calls);
}

/* ---- the beginning */

bool control_restore_may_claim(ControlCalls *calls)
{
    if (!calls->certificate)
        return true;
    switch (control_certificate_state(calls->certificate, NULL)) {
    case CONTROL_CERTIFICATE_WAITING:
        return false;
    case CONTROL_CERTIFICATE_FAILED:
        /* one that we have had serves on */
        if (tls_identities_current(control_streams_identities(calls->streams)))
            return true;
        control_restore_away(calls);
        return false;
    case CONTROL_CERTIFICATE_READY:
        return true;
    }
    g_assert_not_reached();
}

void control_calls_certificate(ControlCalls *calls)
{
    if (store_state(calls->store.store) == STORE_READY)
        control_restore_begin(calls);
}

void control_restore_begin(ControlCalls *calls)
{
    ControlRestore *restore = &calls->restore;

    if (restore->look_for_old)
        look_for_old(calls);
    if (restore->state == CONTROL_RESTORE_DONE || restore->state == CONTROL_RESTORE_RUNNING ||
        !control_restore_may_claim(calls))
        return;
    restore->state = CONTROL_RESTORE_RUNNING;
    g_autoptr(GPtrArray) waiting = waiting_calls(calls);
    for (unsigned i = 0; i < waiting->len; i++)
        control_find_begin(waiting->pdata[i]);
    if (!restore->sweep)
        restore->sweep = control_sweep_new(calls, calls->store.node, swept_cb);
    control_sweep_start(restore->sweep);
}

void control_restore_away(ControlCalls *calls)
{
    if (calls->restore.state != CONTROL_RESTORE_WAITING)
        return; /* what is under way will tell */
    calls->restore.state = CONTROL_RESTORE_OFFLINE;
    g_autoptr(GPtrArray) waiting = waiting_calls(calls);
    for (unsigned i = 0; i < waiting->len; i++)
        control_call_release(waiting->pdata[i]);
}
