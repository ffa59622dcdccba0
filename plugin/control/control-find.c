/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A request for a call that is not here, when other nodes may have it (redis-schema/README.md,
 * section 8). The store is asked, and the requests wait:
 *
 *   the record is            what is done
 *   not there                the call is nobody's: requests are handled as before
 *   this node's              of an earlier life: claimed, restored
 *   another's, who lives     the requests go there (control-forward.c)
 *   another's, who is dead   claimed, taken over; but soon after an outage of the store, which nobody
 *                            could tell that he lives, asked again until he has had time for that
 *   claimed meanwhile        the store is asked again
 *
 * Tested by t/unit/test-control-takeover.c
 */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

#include "control/control-error.h"

/* Somebody else was faster; more often than this it is no accident. */
#define ATTEMPTS_MAX 4
/* Before the store is asked again. */
#define LOOK_MS 250

static void load(ControlCall *call);

/* The call exists and cannot be had: its requests must not be taken for those of an unknown one. */
static void refuse(ControlCall *call, const char *owner, const char *text)
{
    g_autoptr(GError) error =
        g_error_new(CONTROL_ERROR, CONTROL_ERROR_STORE,
                    "the call is node %s's, and cannot be taken over: %s", owner, text);

    while (call->waiting.length)
        control_request_reply_failure(g_queue_pop_head(&call->waiting), error);
    control_call_settled(call);
}

static void claimed(ControlCall *call, StoreStatus status, const char *owner, const char *text)
{
    bool moved = status == STORE_CONFLICT || status == STORE_NOT_FOUND;

    if (moved && ++call->attempts < ATTEMPTS_MAX) {
        call->loading = true;
        load(call);
    } else if (status != STORE_OK) {
        refuse(call, owner, text);
    } else {
        control_call_settled(call);
    }
}

static void forward(ControlCall *call, const StoreNode *owner)
{
    ControlCalls *calls = call->calls;
    GQueue waiting = call->waiting;

    g_queue_init(&call->waiting);
    g_hash_table_remove(calls->by_call_id, call->call_id);
    while (waiting.length)
        control_forward(calls, g_queue_pop_head(&waiting), owner);
}

static void look_closed(uv_handle_t *handle)
{
    g_free(handle);
}

void control_find_stop(ControlCall *call)
{
    if (call->look)
        uv_close((uv_handle_t *)g_steal_pointer(&call->look), look_closed);
}

static void look_cb(uv_timer_t *timer)
{
    ControlCall *call = timer->data;

    control_find_stop(call);
    load(call);
}

static void look_later(ControlCall *call)
{
    call->look = g_new0(uv_timer_t, 1);
    call->look->data = call;
    uv_timer_init(call->calls->loop, call->look);
    uv_timer_start(call->look, look_cb, LOOK_MS, 0);
}

static void node_cb(const StoreReply *reply, void *arg)
{
    ControlCall *call = arg;

    if (reply->status != STORE_OK) {
        g_autofree char *owner = g_steal_pointer(&call->owner);
        call->loading = false;
        refuse(call, owner, reply->text);
    } else if (reply->nodes[0]->heartbeat) {
        forward(call, reply->nodes[0]);
    } else if (control_keep_blind(call->calls)) {
        look_later(call);
    } else {
        control_claim(call, call->owner, call->revision, claimed);
    }
}

static void loaded_cb(const StoreReply *reply, void *arg)
{
    ControlCall *call = arg;
    ControlCalls *calls = call->calls;

    if (reply->status == STORE_BAD)
        g_warning("A call cannot be looked for: %s", reply->text);
    if (reply->status != STORE_OK) {
        call->loading = false;
        control_call_settled(call);
    } else if (strcmp(reply->record->owner, calls->store.node) == 0) {
        control_claim(call, calls->store.node, 0, claimed);
    } else {
        g_free(call->owner);
        call->owner = g_strdup(reply->record->owner);
        call->revision = reply->record->revision;
        store_node(calls->store.store, call->owner, control_ask_cb,
                   control_ask(calls, node_cb, call));
    }
}

static void load(ControlCall *call)
{
    ControlCalls *calls = call->calls;

    store_load(calls->store.store, call->call_id, control_ask_cb,
               control_ask(calls, loaded_cb, call));
}

void control_find_begin(ControlCall *call)
{
    call->asked = true;
    load(call);
}

/* ---- is there anything to be found? */

static bool holds(const ControlCalls *calls)
{
    switch (calls->restore.state) {
    case CONTROL_RESTORE_WAITING:
    case CONTROL_RESTORE_RUNNING:
        return true;
    case CONTROL_RESTORE_OFFLINE:
        return false;
    case CONTROL_RESTORE_DONE:
        return !calls->alone && store_state(calls->store.store) == STORE_READY;
    }
    g_assert_not_reached();
}

ControlCall *control_find(ControlCalls *calls, Span call_id)
{
    if (!holds(calls))
        return NULL;
    ControlCall *call = control_call_new(calls, call_id);
    call->loading = true;
    if (calls->restore.state != CONTROL_RESTORE_WAITING)
        control_find_begin(call);
    return call;
}

void control_call_release(ControlCall *call)
{
    ControlCalls *calls = call->calls;
    GQueue waiting = call->waiting;

    g_queue_init(&call->waiting);
    g_hash_table_remove(calls->by_call_id, call->call_id);
    while (waiting.length)
        control_calls_dispatch(calls, g_queue_pop_head(&waiting), true);
}

void control_call_settled(ControlCall *call)
{
    if (call->session)
        control_call_resume(call);
    else
        control_call_release(call);
}
