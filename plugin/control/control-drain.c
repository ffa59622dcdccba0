/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `e2ae drain`: no new calls, those that are here go on; when the last one is gone the program ends. */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

#include "ng-protocol/ng-reply.h"

#define LOOK_MS 200

static void close_cb(uv_handle_t *handle)
{
    g_free(handle);
}

void control_drain_stop(ControlDrain *drain)
{
    if (drain->timer)
        uv_close((uv_handle_t *)g_steal_pointer(&drain->timer), close_cb);
}

/* Whoever is told may free everything. */
static void look(uv_timer_t *timer)
{
    ControlCalls *calls = timer->data;
    ControlDrain drain = calls->drain;

    if (control_calls_count(calls))
        return;
    g_message("Drained: no call is left");
    control_drain_stop(&calls->drain);
    drain.empty(drain.arg);
}

static void start(ControlCalls *calls)
{
    g_message("Draining: new calls are sent to other nodes, %u calls are left",
              control_calls_count(calls));
    calls->drain.timer = g_new0(uv_timer_t, 1);
    calls->drain.timer->data = calls;
    uv_timer_init(calls->loop, calls->drain.timer);
    uv_timer_start(calls->drain.timer, look, LOOK_MS, LOOK_MS);
}

void control_run_drain(ControlCalls *calls, ControlRequest *req, const NgRequest *r)
{
    Span drain = ng_dict_get_str(r->dict, SPAN("drain"));
    bool off = span_eq(drain, SPAN("off"));

    if (drain.len && !off && !span_eq(drain, SPAN("on"))) {
        control_request_reply_error(req, "\"drain\" is \"on\", which is the default, or \"off\"");
        return;
    }
    if (!calls->drain.empty) {
        control_request_reply_error(req, "this program cannot be drained");
        return;
    }
    if (off && calls->drain.timer) {
        g_message("Not draining any more: new calls are served");
        control_drain_stop(&calls->drain);
    } else if (!off && !calls->drain.timer) {
        start(calls);
    }
    NgValue *reply = ng_reply_ok();
    ng_dict_add_int(reply, "calls", control_calls_count(calls));
    control_request_reply_dict(req, reply);
}
