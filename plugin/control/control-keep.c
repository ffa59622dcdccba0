/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a shared store needs all the time: records written again before they expire or because the
 * store may lack them, and those that could not be written when they should have been.
 */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

/* Writes that nobody waits for, at once: those of requests come between them. */
#define UNDER_WAY_MAX 64
/* Calls that are looked at in one go; busy ones are passed over. */
#define LOOK_MAX 256

/* ---- records */

/* Is none left from before .anew_us? */
static void check_verified(ControlKeep *keep)
{
    const ControlCall *oldest = keep->by_age.head ? keep->by_age.head->data : NULL;
    void (*verified)(void *arg) = keep->verified;

    if (!verified || (oldest && oldest->written_us < keep->anew_us))
        return;
    keep->verified = NULL;
    verified(keep->verified_arg);
}

static void take_out(ControlCall *call)
{
    GQueue *by_age = &call->calls->keep.by_age;

    if (call->age.prev || call->age.next || by_age->head == &call->age)
        g_queue_unlink(by_age, &call->age);
}

/* Almost always the last: answers come in the order of the writes. */
static void put_in(ControlCall *call)
{
    GQueue *by_age = &call->calls->keep.by_age;
    GList *before = by_age->tail;

    while (before && ((const ControlCall *)before->data)->written_us > call->written_us)
        before = before->prev;
    if (before)
        g_queue_insert_after_link(by_age, before, &call->age);
    else
        g_queue_push_head_link(by_age, &call->age);
}

void control_keep_gone(ControlCall *call)
{
    take_out(call);
    check_verified(&call->calls->keep);
}

void control_keep_written(ControlCall *call)
{
    take_out(call);
    call->written_us = call->write.sent_us;
    put_in(call);
    check_verified(&call->calls->keep);
}

static bool is_old(const ControlCalls *calls, const ControlCall *call, int64_t now_us)
{
    int64_t half_us = (int64_t)calls->store.call_ttl_s * G_USEC_PER_SEC / 2;

    return call->written_us < MAX(now_us - half_us, calls->keep.anew_us);
}

static void write_again(ControlCall *call)
{
    if (!call->session || !control_call_idle(call))
        return;
    control_call_write(call, call->session, NULL, NULL);
    call->write.again = true;
    call->calls->keep.under_way++;
}

/* Sorted by age, so the first one that is young enough ends it. */
static void write_old(ControlCalls *calls)
{
    int64_t now_us = g_get_monotonic_time();
    GList *next = calls->keep.by_age.head;

    for (unsigned i = 0; next && i < LOOK_MAX && calls->keep.under_way < UNDER_WAY_MAX; i++) {
        ControlCall *call = next->data;
        next = next->next;
        if (!is_old(calls, call, now_us))
            return;
        write_again(call);
    }
}

static void write_unwritten(ControlCalls *calls)
{
    GHashTableIter i;
    gpointer value;

    g_hash_table_iter_init(&i, calls->by_call_id);
    while (calls->keep.under_way < UNDER_WAY_MAX && g_hash_table_iter_next(&i, NULL, &value)) {
        ControlCall *call = value;
        if (call->unwritten)
            write_again(call);
    }
}

static void sweep(ControlCalls *calls)
{
    if (store_state(calls->store.store) != STORE_READY)
        return;
    write_old(calls);
}

void control_keep_done(ControlCalls *calls, bool ok)
{
    calls->keep.under_way--;
    if (ok)
        sweep(calls);
}

void control_keep_anew(ControlCalls *calls)
{
    calls->keep.anew_us = g_get_monotonic_time();
    sweep(calls);
}

void control_calls_verify(ControlCalls *calls, void (*verified)(void *arg), void *arg)
{
    calls->keep.verified = verified;
    calls->keep.verified_arg = arg;
    control_keep_anew(calls);
    check_verified(&calls->keep);
}

void control_calls_running(ControlCalls *calls)
{
    if (control_streams_stale(calls->streams))
        control_streams_reopen(calls->streams);
    else
        control_streams_alive(calls->streams);
}

/* ---- the timer */

static void tick(uv_timer_t *timer)
{
    ControlCalls *calls = timer->data;

    if (store_state(calls->store.store) != STORE_READY)
        return;
    control_restore_begin(calls);
    write_unwritten(calls);
    sweep(calls);
}

void control_keep_start(ControlCalls *calls)
{
    unsigned every_ms = MAX(calls->store.retry_ms, 1);

    calls->keep.timer = g_new0(uv_timer_t, 1);
    calls->keep.timer->data = calls;
    uv_timer_init(calls->loop, calls->keep.timer);
    uv_timer_start(calls->keep.timer, tick, every_ms, every_ms);
}

static void close_cb(uv_handle_t *handle)
{
    g_free(handle);
}

void control_keep_stop(ControlCalls *calls)
{
    if (calls->keep.timer)
        uv_close((uv_handle_t *)g_steal_pointer(&calls->keep.timer), close_cb);
    calls->keep.verified = NULL;
}

/* ---- news of the store */

static void is_away(ControlCalls *calls, const char *text)
{
    control_restore_away(calls);
    if (!calls->keep.away)
        control_events_emit_node(calls->events, "redis-away", calls->store.node, text);
    calls->keep.away = true;
}

static void is_ready(ControlCalls *calls, const char *text)
{
    if (calls->keep.away)
        control_events_emit_node(calls->events, "redis-back", calls->store.node, text);
    calls->keep.away = false;
    /* It may be another server than before, or the same one without its last seconds. */
    if (calls->keep.connected) {
        calls->keep.back_us = g_get_monotonic_time();
        control_keep_anew(calls);
        control_restore_clean(calls);
    }
    calls->keep.connected = true;
    control_restore_begin(calls);
    write_unwritten(calls);
}

bool control_keep_blind(const ControlCalls *calls)
{
    int64_t grace_us = (int64_t)calls->store.node_ttl_ms * 1000 * 2;

    return calls->keep.back_us && g_get_monotonic_time() - calls->keep.back_us < grace_us;
}

void control_calls_store_state(ControlCalls *calls, StoreState state, const char *text)
{
    if (!calls->store.shared)
        return;
    switch (state) {
    case STORE_CONNECTING:
        break;
    case STORE_READY:
        is_ready(calls, text);
        break;
    case STORE_AWAY:
    case STORE_REFUSED:
        is_away(calls, text);
        break;
    }
}
