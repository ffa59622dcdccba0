/* SPDX-License-Identifier: GPL-3.0-or-later */
/* query and e2ae query of a call of ours: rtpengine's reply with our streams added, or ours alone
 * when it does not know the call. */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

#include "ng-protocol/ng-reply.h"

typedef struct Query {
    ControlCall *call;
    ControlRequest *req;
    Span tag; /* borrows from req; empty = the whole call */
} Query;

/* ---- our own part: "e2ae" (CTL-07) */

static void add_live(NgValue *stream, const char *name, const SessionStream *s, SessionSide side,
                     const MediaStats *stats)
{
    const SessionLeg *leg = &s->leg[side];
    NgValue *dict = ng_dict_get(stream, span_str(name));
    char text[MAX(ADDR_TEXT_MAX, FP_TEXT_MAX)];

    if (leg->remote.family != ADDR_NONE)
        ng_dict_add_str(dict, "remote", addr_text(&leg->remote, text));
    ng_dict_add_str(dict, "state", media_leg_state_name(stats->state[side]));
    ng_dict_add_int(dict, "bytes-in", (int64_t)stats->bytes_in[side]);
    ng_dict_add_int(dict, "bytes-out", (int64_t)stats->bytes_out[side]);
    ng_dict_add_int(dict, "packets-in", (int64_t)stats->packets_in[side]);
    ng_dict_add_int(dict, "packets-out", (int64_t)stats->packets_out[side]);
    if (leg->secure && stats->tls[side][0])
        ng_dict_add_str(dict, "tls", stats->tls[side]);
    if (leg->secure && stats->peer[side].hash != FP_NONE)
        ng_dict_add_str(dict, "peer-fingerprint", fp_text(&stats->peer[side], text));
}

static void add_stream(NgValue *list, const ControlCall *call, const SessionDialog *d,
                       unsigned index, const SessionStream *s, const char *phase)
{
    MediaStats stats = {0};

    if (!s || !control_streams_stats(call->calls->streams, s->id, &stats))
        return;
    NgValue *dict = ng_list_add_dict(list);
    ng_dict_add_int(dict, "index", index + 1);
    ng_dict_add_str(dict, "media", s->medium->media);
    ng_dict_add_str(dict, "medium", s->medium->name);
    ng_dict_add_str(dict, "treatment", session_treatment_name(SESSION_E2AE));
    ng_dict_add_str(dict, "phase", phase);
    if (d->tag[SESSION_ACCESS])
        ng_dict_add_str(dict, "access-tag", d->tag[SESSION_ACCESS]);
    if (d->tag[SESSION_CORE])
        ng_dict_add_str(dict, "core-tag", d->tag[SESSION_CORE]);
    if (d->via_branch)
        ng_dict_add_str(dict, "via-branch", d->via_branch);
    ng_dict_add_int(dict, "failed-handshakes", (int64_t)stats.refused);
    ng_dict_add_int(dict, "dropped", (int64_t)stats.dropped);
    ng_dict_add_int(dict, "too-long", (int64_t)stats.too_long);
    session_stream_reply(s, dict);
    add_live(dict, "access", s, SESSION_ACCESS, &stats);
    add_live(dict, "core", s, SESSION_CORE, &stats);
}

static void add_streams(NgValue *list, const ControlCall *call, Span tag)
{
    for (unsigned k = 0; k < call->session->dialogs->len; k++) {
        const SessionDialog *d = call->session->dialogs->pdata[k];
        for (unsigned i = 0; control_query_wants(d, tag) && i < d->slots->len; i++) {
            const SessionSlot *slot = session_slot(d, i);
            add_stream(list, call, d, i, slot->stream, "in force");
            add_stream(list, call, d, i, slot->pending, "offered");
            add_stream(list, call, d, i, slot->retiring, "replaced");
        }
    }
}

/* ---- the reply, as much of it as can be sent */

typedef enum Detail { ALL, NO_STREAMS, NO_TAGS } Detail;

static NgValue *build(const Query *q, const NgValue *base, Detail detail)
{
    NgValue *reply = ng_value_copy(base);

    if (detail != NO_TAGS)
        control_query_tags(reply, q->call, q->tag);
    NgValue *e2ae = ng_dict_add_dict(reply, "e2ae");
    ng_dict_add_int(e2ae, "version", 1);
    if (detail == ALL)
        add_streams(ng_dict_add_list(e2ae, "streams"), q->call, q->tag);
    else
        ng_dict_add_str(e2ae, "truncated",
                        "the rest does not fit a datagram: query by tag, or by TCP");
    return reply;
}

static void end(Query *q)
{
    ControlCall *call = q->call;

    g_free(q);
    control_call_done(call);
}

/* What is ours goes first when the reply does not fit. */
static void answer(Query *q, const NgValue *base)
{
    size_t room = control_request_room(q->req);

    for (Detail detail = ALL; detail <= NO_TAGS; detail++) {
        g_autoptr(NgValue) reply = build(q, base, detail);
        g_autoptr(GString) body = ng_message_encode((Span){0}, q->req->encoding, reply);
        if (body->len > room && detail != NO_TAGS)
            continue;
        control_request_reply_dict(q->req, g_steal_pointer(&reply));
        break;
    }
    end(q);
}

static void queried_cb(Span body, const GError *error, void *user_data)
{
    Query *q = user_data;
    g_autoptr(NgValue) theirs = control_ask_accepted(body, error);

    if (!theirs) {
        theirs = control_query_begin(q->call);
        if (error)
            ng_dict_add_str(theirs, "warning", error->message);
    }
    answer(q, theirs);
}

void control_run_query(ControlCall *call, ControlRequest *req, const NgRequest *r)
{
    Query *q = g_new0(Query, 1);

    *q = (Query){call, req, r->to_tag.len ? r->to_tag : r->from_tag};
    if (r->command == NG_CMD_QUERY && control_server_upstream(req->server)) {
        control_ask_rtpengine(req, NULL, NULL, queried_cb, q);
        return;
    }
    g_autoptr(NgValue) base = control_query_begin(call);
    answer(q, base);
}
