/* SPDX-License-Identifier: GPL-3.0-or-later */
/* offer and answer as transactions: what was reserved on the way is given back if anything fails.
 */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

#include "control/control-error.h"
#include "ng-protocol/ng-reply.h"
#include "session/session-fields.h"

typedef struct Transaction {
    ControlCall *call;
    ControlRequest *req;
    SessionPolicy
        policy; /* its fingerprints are those of .ctx, whatever becomes current meanwhile */
    TlsIdentities *identities;
    TlsCtx *ctx; /* held for the streams that this makes (FPR-09); NULL: there is none yet */
    SessionPlan *plan;
    NgValue *reply; /* what the proxy gets when the call is recorded */
    bool by_fields; /* the Iq style: the m-lines came as fields and go back as fields */
} Transaction;

static Transaction *transaction_new(ControlCall *call, ControlRequest *req)
{
    Transaction *t = g_new0(Transaction, 1);

    t->call = call;
    t->req = req;
    t->identities = control_streams_identities(call->calls->streams);
    t->policy = call->calls->policy;
    tls_identities_signal(t->identities, &t->policy.local_fingerprints);
    t->ctx = tls_identities_hold(t->identities, &t->policy.local_fingerprints);
    return t;
}

static void transaction_free(Transaction *t)
{
    session_plan_free(t->plan);
    ng_value_free(t->reply);
    if (t->ctx)
        tls_identities_release(t->identities, t->ctx);
    g_free(t);
}

static void end(Transaction *t)
{
    ControlCall *call = t->call;

    transaction_free(t);
    control_call_done(call);
}

static void rollback(const Transaction *t)
{
    control_streams_rollback(t->call->calls->streams, t->plan);
}

static void fail(Transaction *t, const char *reason)
{
    rollback(t);
    control_request_reply_error(t->req, reason);
    end(t);
}

/* ---- failure after rtpengine was asked */

static void forgotten_cb(Span reply, const GError *error, void *user_data)
{
    (void)reply, (void)error;
    end(user_data);
}

/*
 * If rtpengine has made a call that nobody will use, it is deleted there, and no other request of
 * this call begins before that is done.
 */
static void forget(Transaction *t, ControlUpstream *upstream)
{
    if (!t->plan->upstream_sdp || t->call->upstream || t->call->late) {
        end(t);
        return;
    }
    g_autoptr(NgValue) dict = ng_dict_new();
    ng_dict_add_str(dict, "command", "delete");
    ng_dict_add_str(dict, "call-id", t->call->call_id);
    ng_dict_add_int(dict, "delete-delay", 0);
    g_autoptr(GString) body = ng_message_encode((Span){0}, NG_BENCODE, dict);
    control_upstream_send(upstream, (Span){body->str, body->len}, forgotten_cb, t);
}

static void fail_and_forget(Transaction *t, const char *reason)
{
    ControlUpstream *upstream = control_server_upstream(t->req->server);

    rollback(t);
    control_request_reply_error(t->req, reason);
    forget(t, upstream);
}

/* Another node may be able to record the call, unless it is the record that is at fault. */
static void fail_unwritten(Transaction *t, const StoreReply *reply)
{
    ControlUpstream *upstream = control_server_upstream(t->req->server);
    g_autoptr(GError) error = g_error_new(CONTROL_ERROR, CONTROL_ERROR_STORE,
                                          "the call cannot be recorded: %s", reply->text);

    rollback(t);
    if (reply->status == STORE_BAD)
        control_request_reply_error(t->req, error->message);
    else
        control_request_reply_failure(t->req, error);
    forget(t, upstream);
}

static void fail_unusable(Transaction *t, const char *what)
{
    const Addr *rtpengine = control_upstream_addr(control_server_upstream(t->req->server));
    char at[ADDR_TEXT_MAX];
    g_autofree char *reason =
        g_strdup_printf("the reply of rtpengine at %s to '%s' is not usable: %s",
                        addr_text(rtpengine, at), t->req->command, what);

    fail_and_forget(t, reason);
}

/* What the proxy is told when a port cannot be had: words on which it tries another node, which may
 * be the one that has the address now (a standby has not). */
static const char *port_reason(const Transaction *t, const GError *error)
{
    static const char *const way_out[] = {
        [MEDIA_PORTS_ERROR_EXHAUSTED] = "widen --port-min/--port-max",
        [MEDIA_PORTS_ERROR_FILES] = "raise LimitNOFILE (ulimit -n) or lower --max-sessions",
        [MEDIA_PORTS_ERROR_ADDRESS] =
            "this host does not have that address of --interface, or not now",
    };

    g_warning("No port for a stream: %s; %s", error->message, way_out[error->code]);
    t->call->calls->statistics.refused_ports++;
    return NG_REASON_NO_PORTS;
}

/* ---- success */

/* ORG-12, TRM-12: the answer made a stream impossible that the offer had begun; the proxy should
 * know why. */
static void tell_refused(const Transaction *t)
{
    const SessionPlan *plan = t->plan;

    for (unsigned i = 0; plan->answer && i < plan->lines->len; i++) {
        const SessionLine *line = &g_array_index(plan->lines, SessionLine, i);
        if (line->failed && session_slot(plan->dialog, i))
            control_call_emit(t->call, plan->dialog, i, MEDIA_EVENT_BEARER_RELEASED,
                              (ControlEvent){.leg = (MediaLegSide)plan->from,
                                             .reason = line->reason,
                                             .final = true});
    }
}

static void log_line(const Transaction *t, unsigned index, const char *call_id)
{
    const SessionSlot *slot = session_slot(t->plan->dialog, index);
    const SessionLine *line = &g_array_index(t->plan->lines, SessionLine, index);
    const SessionStream *stream = slot ? session_slot_current(slot) : NULL;
    char access[ADDR_TEXT_MAX], core[ADDR_TEXT_MAX];

    if (line->kind == SESSION_LINE_STREAM && stream)
        g_info("[%s/%u] %s: %s stream, access %s, core %s", call_id, index + 1, t->req->command,
               stream->medium->name, addr_text(&stream->leg[SESSION_ACCESS].local, access),
               addr_text(&stream->leg[SESSION_CORE].local, core));
    else if (slot && slot->treatment == SESSION_REJECT)
        g_message("[%s/%u] %s: m-line rejected: %s", call_id, index + 1, t->req->command,
                  line->reason ? line->reason : "no reason");
    else if (line->reason)
        g_info("[%s/%u] %s: m-line not protected: %s", call_id, index + 1, t->req->command,
               line->reason);
    if (line->note)
        g_info("[%s/%u] %s: %s", call_id, index + 1, t->req->command, line->note);
}

static void log_lines(const Transaction *t)
{
    g_autofree char *call_id = span_quote(span_str(t->call->call_id));

    for (unsigned i = 0; i < t->plan->lines->len; i++)
        log_line(t, i, call_id);
}

static void add_to_reply(const Transaction *t, NgValue *reply, const char *sdp)
{
    if (!t->by_fields)
        ng_dict_set(reply, SPAN("sdp"), ng_string_new(span_str(sdp)));
    session_plan_reply(t->plan, reply);
    if (t->by_fields)
        session_fields_add(ng_dict_get(ng_dict_get(reply, SPAN("e2ae")), SPAN("streams")),
                           span_str(sdp));
}

/* rtpengine's part is there: the body for the proxy. */
static char *complete_plan(Transaction *t, Span upstream, GError **error)
{
    const ControlCalls *calls = t->call->calls;

    if (t->plan->upstream_sdp && (!session_plan_absorb(t->plan, upstream, &t->policy, error) ||
                                  !control_streams_reserve(calls->streams, t->plan, error)))
        return NULL;
    return session_plan_render(t->plan, upstream, error);
}

static void fail_late(Transaction *t, const GError *error)
{
    if (!t->plan->upstream_sdp)
        fail(t, error->message);
    else if (error->domain == MEDIA_PORTS_ERROR)
        fail_and_forget(t, port_reason(t, error));
    else
        fail_unusable(t, error->message);
}

static void written_cb(ControlCall *call, const StoreReply *reply, void *arg)
{
    Transaction *t = arg;

    if (!reply) {
        transaction_free(t);
        return;
    }
    if (reply->status != STORE_OK) {
        fail_unwritten(t, reply);
        return;
    }
    log_lines(t);
    tell_refused(t);
    if (t->plan->upstream_sdp)
        call->upstream = true;
    control_call_commit(call, g_steal_pointer(&t->plan->next), 0);
    control_request_reply_dict(t->req, g_steal_pointer(&t->reply));
    end(t);
}

/* @reply: (taken) what the proxy gets, but for the SDP and our own part. */
static void finish(Transaction *t, NgValue *reply)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sdp = complete_plan(t, ng_dict_get_str(reply, SPAN("sdp")), &error);

    if (!sdp) {
        ng_value_free(reply);
        fail_late(t, error);
        return;
    }
    add_to_reply(t, reply, sdp);
    t->reply = reply;
    control_call_write(t->call, t->plan->next, written_cb, t);
}

static void upstream_cb(Span body, const GError *error, void *user_data)
{
    Transaction *t = user_data;
    NgEnvelope env = ng_envelope_plain(body);
    g_autoptr(GError) bad = NULL;

    if (error) {
        /* Not deleted in rtpengine: the delete could overtake the proxy's next try there. A call
         * that it has made nevertheless ends by its own timeout. */
        rollback(t);
        control_request_reply_failure(t->req, error);
        end(t);
        return;
    }
    g_autoptr(NgMessage) message = ng_message_new(&env, &bad);
    Span result = message ? ng_dict_get_str(message->dict, SPAN("result")) : SPAN("");
    if (!result.len) {
        fail_unusable(t, bad ? bad->message : "it has no \"result\"");
    } else if (span_eq(result, SPAN(NG_RESULT_OK))) {
        finish(t, g_steal_pointer(&message->dict));
    } else {
        /* rtpengine's own words, so that the proxy acts on them as ever (load limit, ports). */
        rollback(t);
        control_request_reply(t->req, body);
        end(t);
    }
}

/* ---- the beginning */

static bool own_command(const NgRequest *r)
{
    return r->command == NG_CMD_E2AE_OFFER || r->command == NG_CMD_E2AE_ANSWER;
}

static bool is_answer(const NgRequest *r)
{
    return r->command == NG_CMD_ANSWER || r->command == NG_CMD_E2AE_ANSWER;
}

/* rtpengine's checks, in its order and words. */
static const char *missing(const NgRequest *r)
{
    if (!r->sdp.len && !own_command(r))
        return NG_REASON_NO_SDP;
    if (!r->from_tag.len)
        return NG_REASON_NO_FROM_TAG;
    if (is_answer(r) && !r->to_tag.len)
        return NG_REASON_NO_TO_TAG;
    if (span_eq(r->from_tag, r->to_tag))
        return NG_REASON_BAD_DIALOGUE;
    return NULL;
}

/* The body of the request, or the one that its fields stand for (CTL-01). */
static SdpDoc *read_body(const NgRequest *r, GError **error)
{
    g_autofree char *body = NULL;

    if (r->sdp.len)
        return sdp_doc_parse(r->sdp, error);
    body = session_fields_body(ng_dict_get(r->dict, SPAN("streams")), error);
    return body ? sdp_doc_parse(span_str(body), error) : NULL;
}

static SessionPlan *make_plan(const Transaction *t, const NgRequest *r, GError **error)
{
    const Session *session = t->call->session;
    SdpDoc *doc = read_body(r, error);

    if (!doc)
        return NULL;
    if (is_answer(r))
        return session_plan_answer(session, r, doc, &t->policy, error);
    return session_plan_offer(session, r, doc, &t->policy, error);
}

static void refuse(ControlCall *call, ControlRequest *req, const char *reason)
{
    control_request_reply_error(req, reason);
    control_call_done(call);
}

/* An offer may make a stream, and there is nothing to signal for it; another node may have it. */
static void refuse_early(Transaction *t)
{
    g_autoptr(GError) error =
        g_error_new_literal(CONTROL_ERROR, CONTROL_ERROR_STORE,
                            "the certificate that the nodes share has not been loaded from Redis");

    control_request_reply_failure(t->req, error);
    end(t);
}

static void start(Transaction *t)
{
    g_autoptr(GError) error = NULL;
    const SessionPlan *plan = t->plan;

    if (!control_streams_reserve(t->call->calls->streams, t->plan, &error)) {
        fail(t, port_reason(t, error));
        return;
    }
    session_plan_ready(t->plan);
    if (!plan->upstream_sdp)
        finish(t, ng_reply_ok());
    else if (!control_server_upstream(t->req->server))
        fail(t, "the SDP has m-lines for rtpengine, and none is configured (--rtpengine)");
    else
        control_ask_rtpengine(t->req, plan->upstream_sdp, plan->upstream_keys, upstream_cb, t);
}

void control_run_offer_answer(ControlCall *call, ControlRequest *req, const NgRequest *r)
{
    g_autoptr(GError) error = NULL;
    const char *reason = missing(r);

    if (reason) {
        refuse(call, req, reason);
        return;
    }
    Transaction *t = transaction_new(call, req);
    if (!t->ctx && !is_answer(r)) {
        refuse_early(t);
        return;
    }
    t->by_fields = own_command(r) && !r->sdp.len;
    t->plan = make_plan(t, r, &error);
    if (t->plan) {
        start(t);
        return;
    }
    control_request_reply_error(req, error->message);
    end(t);
}
