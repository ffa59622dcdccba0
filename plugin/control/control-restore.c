/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The calls of an earlier life of this node come back from the store:
 *
 *   state     unknown calls                          leaves it by
 *   WAITING   requests wait                          the store is ready -> RUNNING, away -> OFFLINE
 *   RUNNING   are asked for before all others        the last page -> DONE, away -> OFFLINE
 *   OFFLINE   count as none                          the store is ready -> RUNNING
 *   DONE      count as none
 *
 * One page of the node's index at a time, so that the loop goes on meanwhile.
 */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

#include "session/session-record.h"

#define WHY_RELEASED "the node has started again, and the connections are gone"

/* ---- one call */

static void add_id(SessionStream *stream, void *arg)
{
    g_array_append_val((GArray *)arg, stream->id);
}

static void tell(const ControlCall *call, const Session *s, const SessionStream *stream,
                 const char *reason, bool final)
{
    SessionDialog *d;
    unsigned index;

    if (session_find_stream(s, stream->id, &d, &index, NULL))
        control_call_emit(call, d, index, MEDIA_EVENT_BEARER_RELEASED,
                          (ControlEvent){.leg = MEDIA_ACCESS, .reason = reason, .final = final});
}

static void log_dropped(const ControlCall *call, const Session *s, const SessionStream *stream,
                        const char *reason)
{
    g_autofree char *call_id = span_quote(span_str(call->call_id));
    unsigned index = 0;

    session_find_stream(s, stream->id, NULL, &index, NULL);
    g_warning("[%s/%u] The %s stream is not restored: %s", call_id, index + 1, stream->medium->name,
              reason);
}

/* TRK-27: whoever drives the call learns that its connections are gone, and whether they can come
 * back by themselves. */
static void restore_stream(ControlCall *call, Session *s, uint64_t id)
{
    ControlRestore *restore = &call->calls->restore;
    g_autoptr(GError) error = NULL;
    SessionStream *stream;

    if (!session_find_stream(s, id, NULL, NULL, &stream))
        return;
    if (control_streams_restore(call->calls->streams, call->call_id, stream, &error)) {
        restore->streams++;
        if (stream->answered)
            tell(call, s, stream, WHY_RELEASED, false);
        return;
    }
    restore->dropped++;
    call->unwritten = true;
    log_dropped(call, s, stream, error->message);
    tell(call, s, stream, error->message, true);
    session_drop_stream(s, id);
}

static bool known_to_rtpengine(const Session *s)
{
    for (unsigned i = 0; i < s->dialogs->len; i++)
        if (((const SessionDialog *)s->dialogs->pdata[i])->upstream_count)
            return true;
    return !s->first_keys;
}

static void restore_call(ControlCall *call, const RedisRecord *record)
{
    const SessionPolicy *policy = &call->calls->policy;
    g_autofree char *call_id = span_quote(span_str(call->call_id));
    g_autoptr(GError) error = NULL;
    g_autoptr(Session) s = session_import(record, policy->next_id, policy->arg, &error);
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(uint64_t));

    if (!s) {
        g_warning("[%s] The call cannot be restored: %s", call_id, error->message);
        return;
    }
    session_drop_retiring(s);
    session_foreach_stream(s, add_id, ids);
    for (unsigned i = 0; i < ids->len; i++)
        restore_stream(call, s, g_array_index(ids, uint64_t, i));
    control_streams_apply(call->calls->streams, NULL, s, 0);
    call->revision = record->revision;
    control_keep_written(call);
    call->upstream = known_to_rtpengine(s);
    call->created_us = call->last_signal_us = g_get_real_time();
    call->session = g_steal_pointer(&s);
    call->calls->restore.calls++;
    g_message("[%s] Call restored", call_id);
}

/* ---- asking for it */

static void next_page(ControlCalls *calls);

/* The store has no call of ours by that name: its requests are like any other's. */
static void release(ControlCall *call)
{
    ControlCalls *calls = call->calls;
    GQueue waiting = call->waiting;

    g_queue_init(&call->waiting);
    g_hash_table_remove(calls->by_call_id, call->call_id);
    while (waiting.length)
        control_calls_dispatch(calls, g_queue_pop_head(&waiting));
}

static void end_page(ControlCalls *calls)
{
    ControlRestore *restore = &calls->restore;

    if (restore->under_way || restore->state != CONTROL_RESTORE_RUNNING)
        return;
    if (restore->interrupted) {
        restore->state = CONTROL_RESTORE_OFFLINE;
        return;
    }
    g_free(restore->after);
    restore->after = g_steal_pointer(&restore->last);
    next_page(calls);
}

static void claimed_cb(const StoreReply *reply, void *arg)
{
    ControlCall *call = arg;
    ControlCalls *calls = call->calls;
    bool listed = call->listed;

    call->loading = call->listed = false;
    if (reply->status == STORE_OK)
        restore_call(call, reply->record);
    else if (reply->status == STORE_BAD)
        g_warning("A call cannot be restored: %s", reply->text);
    if (call->session)
        control_call_resume(call);
    else
        release(call);
    if (!listed)
        return;
    calls->restore.under_way--;
    calls->restore.interrupted |= reply->status == STORE_UNAVAILABLE;
    end_page(calls);
}

static void claim(ControlCall *call)
{
    ControlCalls *calls = call->calls;

    call->asked = true;
    store_claim(calls->store.store, call->call_id, calls->store.node, 0, control_ask_cb,
                control_ask(calls, claimed_cb, call));
}

ControlCall *control_restore_call(ControlCalls *calls, Span call_id)
{
    ControlCall *call = control_call_new(calls, call_id);

    call->loading = true;
    if (calls->restore.state == CONTROL_RESTORE_RUNNING)
        claim(call);
    return call;
}

bool control_restore_holds(const ControlCalls *calls)
{
    return calls->restore.state == CONTROL_RESTORE_WAITING ||
           calls->restore.state == CONTROL_RESTORE_RUNNING;
}

/* ---- all of them */

static void finish(ControlCalls *calls)
{
    ControlRestore *restore = &calls->restore;

    restore->state = CONTROL_RESTORE_DONE;
    g_clear_pointer(&restore->after, g_free);
    if (restore->calls || restore->dropped)
        g_message("%u calls restored with %u streams; %u streams could not be", restore->calls,
                  restore->streams, restore->dropped);
}

static void page_cb(const StoreReply *reply, void *arg)
{
    ControlCalls *calls = arg;
    ControlRestore *restore = &calls->restore;

    restore->under_way--;
    restore->interrupted |= reply->status != STORE_OK;
    if (reply->status == STORE_OK && !reply->n) {
        finish(calls);
        return;
    }
    if (reply->n) {
        g_free(restore->last);
        restore->last = g_strdup(reply->calls[reply->n - 1]);
    }
    for (unsigned i = 0; i < reply->n; i++) {
        if (g_hash_table_contains(calls->by_call_id, reply->calls[i]))
            continue;
        ControlCall *call = control_restore_call(calls, span_str(reply->calls[i]));
        call->listed = true;
        restore->under_way++;
    }
    end_page(calls);
}

static void next_page(ControlCalls *calls)
{
    calls->restore.under_way++;
    store_list_node(calls->store.store, calls->store.node, calls->restore.after, control_ask_cb,
                    control_ask(calls, page_cb, calls));
}

/* The calls that only wait to be asked for; owned by the caller. */
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

void control_restore_begin(ControlCalls *calls)
{
    ControlRestore *restore = &calls->restore;

    if (restore->state == CONTROL_RESTORE_DONE || restore->state == CONTROL_RESTORE_RUNNING)
        return;
    restore->state = CONTROL_RESTORE_RUNNING;
    restore->interrupted = false;
    g_autoptr(GPtrArray) waiting = waiting_calls(calls);
    for (unsigned i = 0; i < waiting->len; i++)
        claim(waiting->pdata[i]);
    next_page(calls);
}

void control_restore_away(ControlCalls *calls)
{
    if (calls->restore.state != CONTROL_RESTORE_WAITING)
        return; /* what is under way will tell */
    calls->restore.state = CONTROL_RESTORE_OFFLINE;
    g_autoptr(GPtrArray) waiting = waiting_calls(calls);
    for (unsigned i = 0; i < waiting->len; i++)
        release(waiting->pdata[i]);
}

void control_restore_clear(ControlRestore *restore)
{
    g_free(restore->after);
    g_free(restore->last);
}
