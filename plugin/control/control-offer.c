/* SPDX-License-Identifier: GPL-3.0-or-later */
/* offer and answer as transactions: what was reserved on the way is given back if anything fails.
 */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

#include "ng-protocol/ng-reply.h"

typedef struct Transaction {
    ControlCall *call;
    ControlRequest *req;
    SessionPlan *plan;
} Transaction;

static void end(Transaction *t)
{
    ControlCall *call = t->call;

    session_plan_free(t->plan);
    g_free(t);
    control_call_done(call);
}

static void ignore_cb(Span reply, const GError *error, void *user_data)
{
    (void)reply, (void)error, (void)user_data;
}

/* rtpengine has made a call that nobody will use. */
static void forget_upstream(const Transaction *t)
{
    g_autoptr(NgValue) dict = ng_dict_new();

    if (t->call->session || !t->plan->upstream_sdp)
        return;
    ng_dict_add_str(dict, "command", "delete");
    ng_dict_add_str(dict, "call-id", t->call->call_id);
    ng_dict_add_int(dict, "delete-delay", 0);
    g_autoptr(GString) body = ng_message_encode((Span){0}, NG_BENCODE, dict);
    control_upstream_send(control_server_upstream(t->req->server), (Span){body->str, body->len},
                          ignore_cb, NULL);
}

static void fail(Transaction *t, const char *reason)
{
    control_streams_rollback(t->call->calls->streams, t->plan);
    control_request_reply_error(t->req, reason);
    end(t);
}

/* ORG-12, TRM-12: the answer made a stream impossible that the offer had begun; the proxy should
 * know why. */
static void tell_refused(const Transaction *t)
{
    const SessionPlan *plan = t->plan;

    for (unsigned i = 0; plan->answer && i < plan->lines->len; i++) {
        const SessionSlot *slot = session_slot(plan->dialog, i);
        const SessionLine *line = &g_array_index(plan->lines, SessionLine, i);
        if (!slot || !slot->medium || !line->failed)
            continue;
        control_events_emit(t->call->calls->events,
                            &(ControlEvent){
                                .event = media_event_name(MEDIA_EVENT_BEARER_RELEASED),
                                .call_id = t->call->call_id,
                                .tag = {plan->dialog->tag[0], plan->dialog->tag[1]},
                                .index = i + 1,
                                .medium = slot->medium->name,
                                .leg = (MediaLegSide)plan->from,
                                .reason = line->reason,
                                .failure = true,
                                .final = true,
                            });
    }
}

/* rtpengine's part is there: the body for the proxy. */
static char *complete_plan(Transaction *t, Span upstream, GError **error)
{
    const ControlCalls *calls = t->call->calls;

    if (t->plan->upstream_sdp && (!session_plan_absorb(t->plan, upstream, &calls->policy, error) ||
                                  !control_streams_reserve(calls->streams, t->plan, error)))
        return NULL;
    return session_plan_render(t->plan, upstream, error);
}

/* @reply: (taken) what the proxy gets, but for the SDP and our own part. */
static void finish(Transaction *t, NgValue *reply)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sdp = complete_plan(t, ng_dict_get_str(reply, SPAN("sdp")), &error);

    if (!sdp) {
        ng_value_free(reply);
        forget_upstream(t);
        fail(t, error->message);
        return;
    }
    ng_dict_set(reply, SPAN("sdp"), ng_string_new(span_str(sdp)));
    session_plan_reply(t->plan, reply);
    tell_refused(t);
    control_call_commit(t->call, g_steal_pointer(&t->plan->next), 0);
    control_request_reply_dict(t->req, reply);
    end(t);
}

static bool accepted(const NgMessage *message)
{
    return message && span_eq(ng_dict_get_str(message->dict, SPAN("result")), SPAN(NG_RESULT_OK));
}

static void upstream_cb(Span body, const GError *error, void *user_data)
{
    Transaction *t = user_data;
    NgEnvelope env = ng_envelope_plain(body);

    if (error) {
        fail(t, error->message);
        return;
    }
    g_autoptr(NgMessage) message = ng_message_new(&env, NULL);
    if (!accepted(message)) {
        /* rtpengine's own words, so that the proxy acts on them as ever (load limit, ports). */
        control_streams_rollback(t->call->calls->streams, t->plan);
        control_request_reply(t->req, body);
        end(t);
        return;
    }
    finish(t, g_steal_pointer(&message->dict));
}

/* rtpengine's checks, in its order and words. */
static const char *missing(const NgRequest *r)
{
    if (!r->sdp.len)
        return NG_REASON_NO_SDP;
    if (!r->from_tag.len)
        return NG_REASON_NO_FROM_TAG;
    if (r->command == NG_CMD_ANSWER && !r->to_tag.len)
        return NG_REASON_NO_TO_TAG;
    return NULL;
}

static SessionPlan *make_plan(ControlCall *call, const NgRequest *r, GError **error)
{
    const SessionPolicy *policy = &call->calls->policy;
    SdpDoc *doc = sdp_doc_parse(r->sdp, error);

    if (!doc)
        return NULL;
    if (r->command == NG_CMD_OFFER)
        return session_plan_offer(call->session, r, doc, policy, error);
    return session_plan_answer(call->session, r, doc, policy, error);
}

static void refuse(ControlCall *call, ControlRequest *req, const char *reason)
{
    control_request_reply_error(req, reason);
    control_call_done(call);
}

static const char *port_reason(const GError *error)
{
    bool exhausted = g_error_matches(error, MEDIA_PORTS_ERROR, MEDIA_PORTS_ERROR_EXHAUSTED);

    g_warning("%s", error->message);
    return exhausted ? NG_REASON_NO_PORTS : error->message;
}

static void start(Transaction *t)
{
    g_autoptr(GError) error = NULL;
    const SessionPlan *plan = t->plan;

    if (!control_streams_reserve(t->call->calls->streams, t->plan, &error)) {
        control_request_reply_error(t->req, port_reason(error));
        end(t);
    } else if (session_plan_ready(t->plan), !plan->upstream_sdp) {
        finish(t, ng_reply_ok());
    } else if (!control_server_upstream(t->req->server)) {
        fail(t, "the offer has m-lines for rtpengine, and none is configured (--rtpengine)");
    } else {
        control_ask_rtpengine(t->req, plan->upstream_sdp, plan->upstream_keys, upstream_cb, t);
    }
}

void control_run_offer_answer(ControlCall *call, ControlRequest *req, const NgRequest *r)
{
    g_autoptr(GError) error = NULL;
    const char *reason = missing(r);

    if (!reason && r->command == NG_CMD_ANSWER && !call->session)
        reason = NG_REASON_UNKNOWN_CALL;
    if (reason) {
        refuse(call, req, reason);
        return;
    }
    SessionPlan *plan = make_plan(call, r, &error);
    if (!plan) {
        refuse(call, req, error->message);
        return;
    }
    Transaction *t = g_new0(Transaction, 1);
    *t = (Transaction){.call = call, .req = req, .plan = plan};
    start(t);
}
