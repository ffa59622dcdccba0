/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session-gateway.h"

#include "session/session-plan-private.h"

const char *session_gateway_fault(const NgRequest *req, const SessionPolicy *policy,
                                  bool *ret_wanted)
{
    *ret_wanted = (req->t38 & (NG_T38_DECODE | NG_T38_FORCE)) != 0;
    if (!*ret_wanted)
        return NULL;
    if (policy->gateway.family == ADDR_NONE)
        return "T.38 gateway: no rtpengine is configured";
    /* rtpengine then takes every address from the signalling, ours on this host included. */
    if (ng_request_has_flag(req, SPAN("SIP-source-address")) ||
        ng_request_has_flag(req, SPAN("sip-source-address")))
        return "T.38 gateway: not possible with SIP-source-address";
    return NULL;
}

static const Medium *t38(void)
{
    return medium_by_name(SPAN("t38"));
}

bool session_gateway_candidate(const SessionSettings *settings, const SessionSlot *slot,
                               SessionSide from, bool start, const SessionFacts *facts)
{
    bool audio = span_eq_nocase(facts->media->media, SPAN("audio"));
    bool plain_t38 = facts->medium == t38() && !facts->secure;
    bool known = start || settings->media_given || (slot && slot->gateway);

    return from == SESSION_CORE && facts->media->port != 0 && (audio || plain_t38) && known &&
           (settings->media & t38()->mask);
}

/* rtpengine answers the UE's offer: is there T.38 for us? */
static void absorb_answer(SessionPlan *plan, SessionSlot *slot, SessionLine *line,
                          const SessionFacts *facts, const SessionPolicy *policy)
{
    session_answer_stream(plan, slot, facts, line, policy);
    if (line->kind == SESSION_LINE_STREAM)
        line->kind = SESSION_LINE_GATEWAY;
}

/* rtpengine made something of the core's offer: T.38 is ours to protect, anything else stays its
 * own. */
static void absorb_offer(SessionPlan *plan, SessionSlot *slot, SessionLine *line,
                         const SessionFacts *facts, const SessionPolicy *policy)
{
    bool ours = facts->medium == t38() && !facts->secure && facts->media->port != 0 &&
                !facts->address_fault;

    slot->gateway = ours;
    if (!ours) {
        line->kind = SESSION_LINE_UPSTREAM;
        slot->treatment = SESSION_UPSTREAM;
        session_slot_drop(&slot->pending);
        return;
    }
    slot->treatment = SESSION_E2AE;
    slot->medium = facts->medium;
    session_offer_stream(plan, slot, facts, policy);
}

bool session_plan_absorb(SessionPlan *plan, Span upstream, const SessionPolicy *policy,
                         GError **error)
{
    g_autoptr(SdpDoc) doc = NULL;

    if (plan->from != SESSION_CORE || !session_plan_has(plan, SESSION_LINE_GATEWAY))
        return true;
    doc = sdp_doc_parse(upstream, error);
    if (!doc)
        return false;
    for (unsigned i = 0; i < plan->lines->len; i++) {
        SessionLine *line = session_plan_line(plan, i);
        SessionFacts facts;
        if (line->kind != SESSION_LINE_GATEWAY)
            continue;
        if (line->upstream + 1 >= doc->n_sections) {
            g_set_error(error, SESSION_ERROR, SESSION_ERROR_UPSTREAM,
                        "rtpengine's reply lacks m-line %u", i + 1);
            return false;
        }
        session_facts_read(doc, line->upstream, &facts);
        if (plan->answer)
            absorb_answer(plan, session_slot(plan->dialog, i), line, &facts, policy);
        else
            absorb_offer(plan, session_slot(plan->dialog, i), line, &facts, policy);
    }
    return true;
}
