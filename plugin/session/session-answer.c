/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session-dialog.h"
#include "session/session-leg.h"
#include "session/session-path.h"
#include "session/session-plan-private.h"

/* The stream has been answered; one that it replaces lives on until the new one is up (TRK-13,
 * DTL-07). */
static void promote(SessionSlot *slot)
{
    slot->lost = NULL;
    slot->lost_core = false;
    if (!slot->pending)
        return;
    session_slot_drop(&slot->retiring);
    slot->retiring = g_steal_pointer(&slot->stream);
    slot->stream = g_steal_pointer(&slot->pending);
}

/* Was the line refused by an earlier answer to this offer, not by the offer, and its stream kept? */
static bool waits_for_others(const SessionPlan *plan, const SessionSlot *slot)
{
    return slot->treatment == SESSION_CLOSED && plan->repeated && session_slot_current(slot);
}

/* The answerer does not want the line. Where branches have no names, that must not take the stream
 * from another callee, who has seen its port already: the last answer wins (TRK-07). What is left
 * then, the next offer ends. */
static void refuse_slot(const SessionPlan *plan, SessionSlot *slot)
{
    bool ours = slot->treatment == SESSION_E2AE || waits_for_others(plan, slot);

    if (!ours || slot->gateway || !plan->forks)
        session_slot_release(slot);
    if (slot->treatment == SESSION_E2AE)
        slot->treatment = SESSION_CLOSED;
}

static void fail_slot(SessionSlot *slot, const char *reason, SessionLine *line)
{
    session_slot_release(slot);
    slot->treatment = SESSION_REJECT;
    slot->reason = line->reason = reason;
    line->kind = SESSION_LINE_ZERO;
    line->failed = true;
}

/* The stream that was offered, or that a re-offer kept, does not exist any more. */
static void answer_lost(SessionSlot *slot, SessionLine *line)
{
    session_slot_drop(&slot->stream);
    session_slot_drop(&slot->pending);
    session_slot_drop(&slot->retiring);
    line->kind = SESSION_LINE_ZERO;
    line->reason =
        "its ports are gone with the node that held them: the next offer moves the stream";
    line->failed = true;
}

static const char *proto_fault(const SessionSlot *slot, const SessionFacts *facts,
                               const SessionLeg *leg)
{
    if (facts->medium != slot->medium)
        return "the answer's m-line is not of the medium that was offered";
    if (facts->secure != leg->secure)
        return facts->secure ? "the answer has a secure proto where a plain one was offered"
                             : "the answer leaves TLS, which was offered";
    return NULL;
}

void session_answer_stream(SessionPlan *plan, SessionSlot *slot, const SessionFacts *facts,
                           SessionLine *line, const SessionPolicy *policy)
{
    SessionStream *stream = session_slot_current(slot);

    if (facts->media->port == 0) {
        refuse_slot(plan, slot);
        slot->reason = line->reason = "refused by the answerer";
        line->kind = SESSION_LINE_ZERO;
        return;
    }
    const char *fault = proto_fault(slot, facts, &stream->leg[plan->from]);
    if (stream->answered && stream->path_mode != slot->offer_path_mode)
        stream->path_also = stream->path_mode; /* frames on their way have the old paths */
    stream->path_mode = slot->offer_path_mode;
    if (!fault)
        fault = session_leg_answered(stream, plan->from, slot->sent_setup, &slot->offer_kept, facts,
                                     policy);
    if (fault) {
        fail_slot(slot, fault, line);
        return;
    }
    stream->answered = true;
    line->reason = session_path_warning(stream, plan->from, facts);
    line->note = session_path_note(stream, plan->from, facts);
    promote(slot);
    line->kind = SESSION_LINE_STREAM;
}

/*
 * Behind rtpengine's gateway, the core's answer is what rtpengine will make of it, and the UE's
 * goes there rewritten (session-gateway.h).
 */
static void answer_ours(SessionPlan *plan, SessionSlot *slot, const SessionFacts *facts,
                        SessionLine *line, const SessionPolicy *policy)
{
    if (!slot->gateway || plan->from == SESSION_ACCESS)
        session_answer_stream(plan, slot, facts, line, policy);
    if (!slot->gateway)
        return;
    line->upstream = (unsigned)slot->upstream_index;
    if (plan->from == SESSION_CORE || line->kind == SESSION_LINE_STREAM)
        line->kind = SESSION_LINE_GATEWAY;
}

static void plan_line(SessionPlan *plan, unsigned index, const NgRequest *req,
                      const SessionPolicy *policy)
{
    SessionSlot *slot = session_slot(plan->dialog, index);
    SessionLine line = {.kind = SESSION_LINE_KEEP};
    SessionFacts facts;

    /* An answer with more lines than the offer is illegal and real; what nobody offered is left
     * alone. */
    if (!slot) {
        g_array_append_val(plan->lines, line);
        return;
    }
    session_facts_read(plan->doc, index, &facts);
    session_facts_override(&facts, index, &req->e2ae);
    session_slot_note_proto(slot, plan->from, facts.media->proto);
    if (waits_for_others(plan, slot)) {
        slot->treatment = SESSION_E2AE;
        slot->reason = NULL;
    }
    line.reason = slot->reason;
    switch (slot->treatment) {
    case SESSION_UPSTREAM:
        session_slot_release(slot);
        line.kind = SESSION_LINE_UPSTREAM;
        line.upstream = (unsigned)slot->upstream_index;
        break;
    case SESSION_E2AE:
        answer_ours(plan, slot, &facts, &line, policy);
        break;
    case SESSION_CLOSED:
        if (slot->lost && facts.media->port != 0) {
            answer_lost(slot, &line);
            break;
        }
        session_slot_release(slot);
        line.kind = SESSION_LINE_ZERO;
        break;
    case SESSION_REJECT:
        session_slot_release(slot);
        line.kind = SESSION_LINE_ZERO;
        break;
    case SESSION_PASS:
        session_slot_release(slot);
        break;
    }
    g_array_append_val(plan->lines, line);
}

/* Lines that the answer does not have are not accepted. */
static void end_missing(SessionPlan *plan)
{
    for (unsigned i = plan->lines->len; i < plan->dialog->slots->len; i++)
        refuse_slot(plan, session_slot(plan->dialog, i));
}

/* Is this the first answer of a callee whose branch has no name? What it was called before the
 * answer, only the old state knows. */
static bool is_new_callee(const Session *old, const SessionPlan *plan)
{
    const SessionDialog *d = plan->dialog;
    unsigned index;

    if (plan->from != SESSION_CORE || d->via_branch || !d->tag[SESSION_CORE] ||
        !g_ptr_array_find(plan->next->dialogs, d, &index))
        return false;
    const SessionDialog *before = old->dialogs->pdata[index];
    return g_strcmp0(before->tag[SESSION_CORE], d->tag[SESSION_CORE]) != 0;
}

SessionPlan *session_plan_answer(const Session *old, const NgRequest *req, SdpDoc *doc,
                                 const SessionPolicy *policy, GError **error)
{
    g_autoptr(SessionPlan) plan = session_plan_new(old ? session_copy(old) : NULL, req, doc);

    if (!old) {
        g_set_error_literal(error, SESSION_ERROR, SESSION_ERROR_UNKNOWN_CALL, "Unknown call-id");
        return NULL;
    }
    plan->answer = true;
    plan->dialog = session_dialog_for_answer(plan->next, req, error);
    if (!plan->dialog)
        return NULL;
    plan->from = session_other(plan->dialog->offerer);
    plan->forks = is_new_callee(old, plan);
    plan->repeated = plan->dialog->answered;
    plan->dialog->answered = true;
    for (unsigned i = 0; i + 1 < doc->n_sections; i++)
        plan_line(plan, i, req, policy);
    end_missing(plan);
    session_upstream_plan_answer(plan, req);
    return g_steal_pointer(&plan);
}
