/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-control-restore.c and t/unit/test-control-takeover.c */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-sweep.h"

#include "control/control-call.h"

ControlSweep *control_sweep_new(ControlCalls *calls, const char *node, ControlSweepCb done)
{
    ControlSweep *sweep = g_new0(ControlSweep, 1);

    sweep->calls = calls;
    sweep->node = g_strdup(node);
    sweep->done = done;
    return sweep;
}

void control_sweep_free(ControlSweep *sweep)
{
    if (!sweep)
        return;
    g_free(sweep->node);
    g_free(sweep->after);
    g_free(sweep->last);
    g_free(sweep);
}

static void next_page(ControlSweep *sweep);

static void finish(ControlSweep *sweep, bool complete)
{
    sweep->running = false;
    if (complete)
        g_clear_pointer(&sweep->after, g_free);
    sweep->done(sweep, complete);
}

static void end_page(ControlSweep *sweep)
{
    if (sweep->under_way)
        return;
    if (sweep->interrupted) {
        finish(sweep, false);
        return;
    }
    g_free(sweep->after);
    sweep->after = g_steal_pointer(&sweep->last);
    next_page(sweep);
}

/* CONFLICT and NOT_FOUND are no failures: another node was faster, or the call has ended. */
static void claimed(ControlCall *call, StoreStatus status, const char *owner, const char *text)
{
    ControlSweep *sweep = call->sweep;

    call->sweep = NULL;
    if (status == STORE_BAD)
        g_warning("A call of node %s cannot be claimed: %s", owner, text);
    if (!call->write.active) /* else its record is being removed */
        control_call_settled(call);
    sweep->under_way--;
    sweep->interrupted |= status == STORE_UNAVAILABLE;
    end_page(sweep);
}

static void claim(ControlSweep *sweep, const char *call_id)
{
    ControlCalls *calls = sweep->calls;

    if (g_hash_table_contains(calls->by_call_id, call_id))
        return;
    ControlCall *call = control_call_new(calls, span_str(call_id));
    call->loading = call->asked = true;
    call->sweep = sweep;
    sweep->under_way++;
    control_claim(call, sweep->node, 0, claimed);
}

static void page_cb(const StoreReply *reply, void *arg)
{
    ControlSweep *sweep = arg;

    sweep->under_way--;
    sweep->interrupted |= reply->status != STORE_OK;
    if (reply->status == STORE_OK && !reply->n) {
        finish(sweep, true);
        return;
    }
    if (reply->n) {
        g_free(sweep->last);
        sweep->last = g_strdup(reply->calls[reply->n - 1]);
    }
    for (unsigned i = 0; i < reply->n; i++)
        claim(sweep, reply->calls[i]);
    end_page(sweep);
}

static void next_page(ControlSweep *sweep)
{
    ControlCalls *calls = sweep->calls;

    sweep->under_way++;
    store_list_node(calls->store.store, sweep->node, sweep->after, control_ask_cb,
                    control_ask(calls, page_cb, sweep));
}

void control_sweep_start(ControlSweep *sweep)
{
    if (sweep->running)
        return;
    sweep->running = true;
    sweep->interrupted = false;
    next_page(sweep);
}
