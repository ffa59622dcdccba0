/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-session-matrix.c. */
#include "config.h"

#include "session/session-plan-private.h"

G_DEFINE_QUARK(session - error - quark, session_error)

/* replace=[origin]; newer rtpengines call it replace-origin in rtpp-flags, too. */
static bool wants_origin(const NgRequest *req)
{
    g_autoptr(GArray) items = ng_value_items(ng_dict_get(req->dict, SPAN("replace")));

    for (unsigned i = 0; i < items->len; i++)
        if (span_eq(g_array_index(items, Span, i), SPAN("origin")))
            return true;
    return ng_request_has_flag(req, SPAN("replace-origin"));
}

SessionPlan *session_plan_new(Session *next, const NgRequest *req, SdpDoc *doc)
{
    SessionPlan *plan = g_new0(SessionPlan, 1);

    plan->next = next;
    plan->doc = doc;
    plan->replace_origin = wants_origin(req);
    plan->lines = g_array_new(FALSE, TRUE, sizeof(SessionLine));
    plan->ports = g_array_new(FALSE, TRUE, sizeof(SessionPortRequest));
    return plan;
}

void session_plan_free(SessionPlan *plan)
{
    if (!plan)
        return;
    session_free(plan->next);
    sdp_doc_free(plan->doc);
    g_array_unref(plan->lines);
    g_array_unref(plan->ports);
    g_free(plan->upstream_sdp);
    ng_value_free(plan->upstream_keys);
    g_free(plan);
}

bool session_plan_has(const SessionPlan *plan, SessionLineKind kind)
{
    for (unsigned i = 0; i < plan->lines->len; i++)
        if (session_plan_line(plan, i)->kind == kind)
            return true;
    return false;
}

void session_slot_drop(SessionStream **stream)
{
    session_stream_free(*stream);
    *stream = NULL;
}

void session_slot_note_proto(SessionSlot *slot, SessionSide from, Span proto)
{
    g_free(slot->peer_proto[from]);
    slot->peer_proto[from] = span_dup(proto);
}

void session_plan_set_port(SessionPlan *plan, unsigned i, uint16_t port)
{
    const SessionPortRequest *request = &g_array_index(plan->ports, SessionPortRequest, i);
    SessionStream *stream;

    if (!session_find_stream(plan->next, request->stream_id, NULL, NULL, &stream))
        g_assert_not_reached();
    stream->leg[request->side].local.port = port;
    stream->leg[request->side].advertised.port = port;
}
