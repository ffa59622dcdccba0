/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A line that a callee has refused keeps its ports for a while, as another callee of a fork may still
 * accept it where the proxy names no branches (TRK-07). When that time is over they are given back.
 * The time is the same for all, so the calls wait in the order in which they came.
 * Tested by t/unit/test-control-refused.c
 */
#include "config.h"

#include "control/control-call.h"

#define LOOKS_PER_TIMEOUT 8

static void close_cb(uv_handle_t *handle)
{
    g_free(handle);
}

void control_refused_stop(ControlRefused *refused)
{
    if (refused->timer)
        uv_close((uv_handle_t *)g_steal_pointer(&refused->timer), close_cb);
}

static void put(ControlCall *call)
{
    call->refused_us = g_get_monotonic_time();
    g_queue_push_tail_link(&call->calls->refused.waiting, &call->refused);
}

static void release(ControlCall *call)
{
    g_autoptr(Session) next = session_copy(call->session);

    session_drop_refused(next);
    control_call_commit(call, g_steal_pointer(&next), 0);
    control_call_write(call, call->session, NULL, NULL);
}

static void look(uv_timer_t *timer)
{
    ControlCalls *calls = timer->data;
    ControlRefused *refused = &calls->refused;
    int64_t due_us = g_get_monotonic_time() - (int64_t)refused->timeout_ms * 1000;

    while (refused->waiting.head) {
        ControlCall *call = refused->waiting.head->data;
        if (call->refused_us > due_us)
            return;
        control_refused_forget(call);
        if (control_call_idle(call))
            release(call);
        else
            put(call); /* a transaction has a copy of the state */
    }
    control_refused_stop(refused);
}

static void start(ControlCalls *calls)
{
    unsigned every_ms = MAX(calls->refused.timeout_ms / LOOKS_PER_TIMEOUT, 1);

    calls->refused.timer = g_new0(uv_timer_t, 1);
    calls->refused.timer->data = calls;
    uv_timer_init(calls->loop, calls->refused.timer);
    uv_timer_start(calls->refused.timer, look, every_ms, every_ms);
}

void control_refused_forget(ControlCall *call)
{
    if (!call->refused_us)
        return;
    g_queue_unlink(&call->calls->refused.waiting, &call->refused);
    call->refused_us = 0;
}

void control_refused_note(ControlCall *call)
{
    bool waits = call->session && session_has_refused(call->session);

    if (!waits)
        control_refused_forget(call);
    else if (!call->refused_us)
        put(call);
    if (waits && !call->calls->refused.timer)
        start(call->calls);
}
