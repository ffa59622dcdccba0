/* SPDX-License-Identifier: GPL-3.0-or-later */
/* query of a call of ours: rtpengine's reply with the e2ae streams added, or ours alone when it
 * does not know the call. */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

#include "ng-protocol/ng-reply.h"

typedef struct Query {
    ControlCall *call;
    ControlRequest *req;
} Query;

static void add_leg(NgValue *stream, const char *name, const SessionStream *s, SessionSide side,
                    const MediaStats *stats)
{
    const SessionLeg *leg = &s->leg[side];
    NgValue *dict = ng_dict_add_dict(stream, name);
    char text[MAX(ADDR_TEXT_MAX, FP_TEXT_MAX)];

    ng_dict_add_str(dict, "local", addr_text(&leg->local, text));
    ng_dict_add_str(dict, "remote", addr_text(&leg->remote, text));
    ng_dict_add_str(dict, "setup", sdp_setup_name(session_setup_value(leg->setup)));
    ng_dict_add_str(dict, "state", media_leg_state_name(stats->state[side]));
    ng_dict_add_int(dict, "bytes-in", (int64_t)stats->bytes_in[side]);
    ng_dict_add_int(dict, "bytes-out", (int64_t)stats->bytes_out[side]);
    if (!leg->secure)
        return;
    ng_dict_add_str(dict, "tls", stats->tls[side]);
    if (stats->peer[side].hash != FP_NONE)
        ng_dict_add_str(dict, "peer-fingerprint", fp_text(&stats->peer[side], text));
    NgValue *expected = ng_dict_add_list(dict, "remote-fingerprints");
    for (unsigned i = 0; i < leg->fingerprints.n; i++)
        ng_list_add_str(expected, fp_text(&leg->fingerprints.fp[i], text));
}

static void add_stream(NgValue *list, const ControlCall *call, const SessionDialog *d,
                       unsigned index, const SessionStream *s, const char *phase)
{
    MediaStats stats = {0};

    if (!s || !control_streams_stats(call->calls->streams, s->id, &stats))
        return;
    NgValue *dict = ng_list_add_dict(list);
    ng_dict_add_int(dict, "index", index + 1);
    ng_dict_add_str(dict, "medium", s->medium->name);
    ng_dict_add_str(dict, "phase", phase);
    for (int side = 0; side < 2; side++)
        if (d->tag[side])
            ng_dict_add_str(dict, side == SESSION_ACCESS ? "access-tag" : "core-tag", d->tag[side]);
    ng_dict_add_int(dict, "refused", (int64_t)stats.refused);
    ng_dict_add_int(dict, "dropped", (int64_t)stats.dropped);
    add_leg(dict, "access", s, SESSION_ACCESS, &stats);
    add_leg(dict, "core", s, SESSION_CORE, &stats);
}

static void add_streams(NgValue *reply, const ControlCall *call)
{
    NgValue *e2ae = ng_dict_add_dict(reply, "e2ae");
    ng_dict_add_int(e2ae, "version", 1);
    NgValue *list = ng_dict_add_list(e2ae, "streams");

    for (unsigned k = 0; k < call->session->dialogs->len; k++) {
        const SessionDialog *d = call->session->dialogs->pdata[k];
        for (unsigned i = 0; i < d->slots->len; i++) {
            const SessionSlot *slot = session_slot(d, i);
            add_stream(list, call, d, i, slot->stream, "in force");
            add_stream(list, call, d, i, slot->pending, "offered");
            add_stream(list, call, d, i, slot->retiring, "replaced");
        }
    }
}

static void answer(Query *q, NgValue *reply)
{
    ControlCall *call = q->call;

    if (call->session)
        add_streams(reply, call);
    control_request_reply_dict(q->req, reply);
    g_free(q);
    control_call_done(call);
}

static void queried_cb(Span body, const GError *error, void *user_data)
{
    Query *q = user_data;
    NgEnvelope env = ng_envelope_plain(body);
    g_autoptr(NgMessage) message = error ? NULL : ng_message_new(&env, NULL);
    bool known =
        message && span_eq(ng_dict_get_str(message->dict, SPAN("result")), SPAN(NG_RESULT_OK));

    answer(q, known ? g_steal_pointer(&message->dict) : ng_reply_ok());
}

void control_run_query(ControlCall *call, ControlRequest *req, const NgRequest *r)
{
    Query *q = g_new0(Query, 1);
    (void)r;

    *q = (Query){call, req};
    if (control_server_upstream(req->server))
        control_ask_rtpengine(req, NULL, NULL, queried_cb, q);
    else
        answer(q, ng_reply_ok());
}
