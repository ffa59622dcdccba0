/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happens to a call without a request: its streams come up and end, another node takes it.
 * Tested by t/unit/test-control-calls.c, t/unit/test-control-keep.c */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

/* ---- events of streams */

void control_call_tell(const ControlCall *call, const SessionDialog *d, unsigned index,
                       const char *name, ControlEvent event)
{
    const SessionSlot *slot = session_slot(d, index);

    event.event = name;
    event.call_id = call->call_id;
    event.tag[0] = d->tag[0];
    event.tag[1] = d->tag[1];
    event.index = index + 1;
    event.medium = slot->medium ? slot->medium->name : slot->media_type;
    control_events_emit(call->calls->events, &event);
}

void control_call_emit(const ControlCall *call, const SessionDialog *d, unsigned index,
                       MediaEventKind kind, ControlEvent event)
{
    event.failure = kind != MEDIA_EVENT_TLS_ESTABLISHED;
    call->calls->statistics.events[kind]++;
    control_call_tell(call, d, index, media_event_name(kind), event);
}

static void emit(const ControlCall *call, const MediaEvent *event)
{
    SessionDialog *d;
    SessionStream *stream;
    unsigned index;

    if (session_find_stream(call->session, event->stream_id, &d, &index, &stream))
        control_call_emit(call, d, index, event->kind,
                          (ControlEvent){.leg = event->leg,
                                         .peer = event->peer,
                                         .reason = event->reason,
                                         .final = event->final});
}

/* A stream that took another's place is up, or will not come: the other one is not needed any more
 * (TRK-13). */
static bool settles(const MediaEvent *event)
{
    bool up = event->kind == MEDIA_EVENT_TLS_ESTABLISHED && event->leg == MEDIA_ACCESS;

    return up || event->kind == MEDIA_EVENT_ACCEPT_TIMEOUT || event->final;
}

void control_call_settle(ControlCall *call)
{
    bool changed = false;

    for (unsigned i = 0; call->session && i < call->settled->len; i++) {
        g_autoptr(Session) next = session_copy(call->session);
        if (!session_stream_up(next, g_array_index(call->settled, uint64_t, i)))
            continue;
        control_call_commit(call, g_steal_pointer(&next), 0);
        changed = true;
    }
    g_array_set_size(call->settled, 0);
    if (changed)
        control_call_write(call, call->session, NULL, NULL);
}

void control_calls_stream_cb(const char *call_id, const MediaEvent *event, void *user_data)
{
    ControlCalls *calls = user_data;
    ControlCall *call = g_hash_table_lookup(calls->by_call_id, call_id);

    if (!call || !call->session)
        return;
    emit(call, event);
    if (!settles(event))
        return;
    g_array_append_val(call->settled, event->stream_id);
    /* A transaction in progress holds a copy of the state, which this would be lost in. */
    if (control_call_idle(call))
        control_call_settle(call);
}

/* ---- the loss of the call */

static void tell_lost(SessionStream *stream, void *arg)
{
    const ControlCall *call = arg;
    SessionDialog *d;
    unsigned index;

    if (session_find_stream(call->session, stream->id, &d, &index, NULL))
        control_call_emit(call, d, index, MEDIA_EVENT_BEARER_RELEASED,
                          (ControlEvent){.leg = MEDIA_ACCESS, .reason = call->lost, .final = true});
}

/* The record is another node's. rtpengine is not told: it may serve the call for the new owner. */
void control_call_drop_lost(ControlCall *call)
{
    g_autofree char *call_id = span_quote(span_str(call->call_id));

    if (call->session) {
        g_warning("[%s] The call is dropped: %s", call_id, call->lost);
        session_foreach_stream(call->session, tell_lost, call);
        control_call_commit(call, NULL, 0);
    }
    call->upstream = call->late = call->unwritten = false;
    call->revision = 0;
    g_clear_pointer(&call->lost, g_free);
    control_keep_gone(call);
}

void control_calls_lost(ControlCalls *calls, const char *call_id, const char *owner, uint64_t epoch)
{
    ControlCall *call = g_hash_table_lookup(calls->by_call_id, call_id);

    if (!call)
        return;
    if (strcmp(owner, calls->store.node) == 0 && epoch <= store_epoch(calls->store.store)) {
        call->unwritten = true; /* an earlier life of ours had it; it is written on top of that */
        return;
    }
    g_free(call->lost);
    call->lost = g_strdup_printf("node %s has taken it over", owner);
    control_call_resume(call);
}
