/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

#include "ng-protocol/ng-reply.h"

typedef struct Deletion {
    ControlCall *call;
    ControlRequest *req;
    bool matched;
} Deletion;

static NgValue *own_reply(const Deletion *del)
{
    return del->matched ? ng_reply_ok() : ng_reply_warning(NG_WARNING_NOT_FOUND);
}

static void deleted_cb(Span body, const GError *error, void *user_data)
{
    Deletion *del = user_data;
    ControlCall *call = del->call;
    NgEnvelope env = ng_envelope_plain(body);
    g_autoptr(NgMessage) message = error ? NULL : ng_message_new(&env, NULL);

    /* Ours is gone whatever became of rtpengine's part, and its statistics are worth having. */
    if (!message)
        control_request_reply_dict(del->req, own_reply(del));
    else
        control_request_reply(del->req, body);
    g_free(del);
    control_call_done(call);
}

static bool upstream_knows(const Session *s)
{
    for (unsigned i = 0; i < s->dialogs->len; i++) {
        const SessionDialog *d = s->dialogs->pdata[i];
        if (d->upstream_count)
            return true;
    }
    return false;
}

static unsigned delay_ms(const ControlCall *call, const NgRequest *r)
{
    int64_t seconds = r->delete_delay >= 0 ? r->delete_delay : call->calls->delete_delay_s;

    return (unsigned)MIN(seconds, 86400) * 1000;
}

void control_run_delete(ControlCall *call, ControlRequest *req, const NgRequest *r)
{
    Deletion *del = g_new0(Deletion, 1);

    *del = (Deletion){.call = call, .req = req};
    bool upstream =
        call->session && upstream_knows(call->session) && control_server_upstream(req->server);
    if (call->session) {
        g_autoptr(Session) next = session_delete(call->session, r, &del->matched);
        if (del->matched)
            control_call_commit(call, g_steal_pointer(&next), delay_ms(call, r));
    }
    if (upstream) {
        control_ask_rtpengine(req, NULL, NULL, deleted_cb, del);
        return;
    }
    control_request_reply_dict(req, own_reply(del));
    g_free(del);
    control_call_done(call);
}
