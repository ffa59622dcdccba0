/* SPDX-License-Identifier: GPL-3.0-or-later */
/* list and e2ae list: rtpengine's calls with ours that it does not know behind them, or ours alone.
 */
#include "config.h"

#include "control/control-call.h"

#include "ng-protocol/ng-reply.h"

/* rtpengine's default. */
#define DEFAULT_LIMIT 32

typedef struct Asked {
    ControlCalls *calls;
    ControlRequest *req;
    unsigned limit;
} Asked;

static void add_calls(NgValue *reply, const ControlCalls *calls, unsigned limit, bool all)
{
    NgValue *list = ng_dict_get(reply, SPAN("calls"));
    GHashTableIter i;
    gpointer value;

    if (!ng_value_is(list, NG_LIST)) {
        ng_dict_remove(reply, SPAN("calls"));
        list = ng_dict_add_list(reply, "calls");
    }
    g_hash_table_iter_init(&i, calls->by_call_id);
    while (ng_value_n(list) < limit && g_hash_table_iter_next(&i, NULL, &value)) {
        const ControlCall *call = value;
        if (call->session && (all || !call->upstream))
            ng_list_add_str(list, call->call_id);
    }
}

static void asked_cb(Span body, const GError *error, void *user_data)
{
    g_autofree Asked *asked = user_data;
    NgValue *reply = control_ask_accepted(body, error);

    if (reply) {
        add_calls(reply, asked->calls, asked->limit, false);
        control_request_reply_dict(asked->req, reply);
    } else if (error) {
        control_request_reply_failure(asked->req, error);
    } else {
        control_request_reply(asked->req, body);
    }
}

void control_run_list(ControlCalls *calls, ControlRequest *req, const NgRequest *r)
{
    int64_t limit = DEFAULT_LIMIT;
    bool forward = r->command == NG_CMD_LIST && control_server_upstream(req->server);

    ng_dict_get_int(r->dict, SPAN("limit"), &limit);
    if (limit < 0 && !forward) {
        control_request_reply_error(req, "invalid limit, must be >= 0");
        return;
    }
    limit = MIN(MAX(limit, 0), G_MAXINT);
    if (forward) {
        Asked *asked = g_new0(Asked, 1);
        *asked = (Asked){calls, req, (unsigned)limit};
        control_ask_rtpengine(req, NULL, NULL, asked_cb, asked);
        return;
    }
    NgValue *reply = ng_reply_ok();
    add_calls(reply, calls, (unsigned)limit, true);
    control_request_reply_dict(req, reply);
}
