/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

#include "ng-protocol/ng-reply.h"

#define LONGEST_DELAY_S 86400

typedef struct Deletion {
    ControlCall *call;
    ControlRequest *req;
    NgRequest r; /* borrows from req */
    bool matched;
    bool forward; /* rtpengine is to be asked, too */
} Deletion;

static void end(Deletion *del)
{
    ControlCall *call = del->call;

    g_free(del);
    control_call_done(call);
}

static NgValue *own_reply(const Deletion *del)
{
    return del->matched ? ng_reply_ok() : control_reply_not_found(&del->r);
}

/* Ours is gone whatever became of rtpengine's part. What rtpengine says is the reply, for its
 * statistics are worth having, unless it found nothing where we did. */
static void deleted_cb(Span body, const GError *error, void *user_data)
{
    Deletion *del = user_data;
    g_autoptr(NgValue) theirs = control_ask_accepted(body, error);
    bool found = theirs && !ng_dict_get(theirs, SPAN("warning"));

    if (error)
        g_warning("The e2ae streams of a call are deleted, its other streams are not: %s",
                  error->message);
    if (error || (del->matched && !found))
        control_request_reply_dict(del->req, own_reply(del));
    else
        control_request_reply(del->req, body);
    end(del);
}

static unsigned delay_ms(const ControlCall *call, const NgRequest *r)
{
    int64_t seconds = r->delete_delay >= 0 ? r->delete_delay : call->calls->delete_delay_s;

    return (unsigned)MIN(seconds, LONGEST_DELAY_S) * 1000;
}

static void go_on(Deletion *del)
{
    if (del->forward) {
        control_ask_rtpengine(del->req, NULL, NULL, deleted_cb, del);
        return;
    }
    control_request_reply_dict(del->req, own_reply(del));
    end(del);
}

/* A record that stays is no reason to keep the proxy waiting: its connections are closed. */
static void written_cb(ControlCall *call, const StoreReply *reply, void *arg)
{
    Deletion *del = arg;

    if (!reply) {
        g_free(del);
        return;
    }
    if (reply->status != STORE_OK && reply->status != STORE_NOT_FOUND) {
        g_autofree char *call_id = span_quote(span_str(call->call_id));
        g_warning("[%s] The call is deleted and its record is not: %s", call_id, reply->text);
    }
    go_on(del);
}

void control_run_delete(ControlCall *call, ControlRequest *req, const NgRequest *r)
{
    Deletion *del = g_new0(Deletion, 1);
    bool wait = !call->calls->store.degrade;

    *del = (Deletion){
        .call = call,
        .req = req,
        .r = *r,
        .forward = r->command == NG_CMD_DELETE && (call->upstream || call->late) &&
                   control_server_upstream(req->server) != NULL,
    };
    g_autoptr(Session) next = session_delete(call->session, r, &del->matched);
    if (del->matched)
        control_call_commit(call, g_steal_pointer(&next), delay_ms(call, r));
    if (!call->session)
        call->upstream = call->late = false;
    if (del->matched)
        control_call_write(call, call->session, wait ? written_cb : NULL, del);
    if (!del->matched || !wait)
        go_on(del);
}
