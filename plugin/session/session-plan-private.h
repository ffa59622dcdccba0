/* SPDX-License-Identifier: GPL-3.0-or-later */
/** session-plan-private.h: what the files that make a plan share. Not for other folders. */
#pragma once

#include "session/session-facts.h"
#include "session/session-plan.h"

/** @next and @doc are taken. */
SessionPlan *session_plan_new(Session *next, const NgRequest *req, SdpDoc *doc);

static inline SessionLine *session_plan_line(const SessionPlan *plan, unsigned index)
{
    return &g_array_index(plan->lines, SessionLine, index);
}

/** Is there a line of that kind? */
bool session_plan_has(const SessionPlan *plan, SessionLineKind kind);

/** The slot's stream for an offer with these facts: kept, or a new one with ports to reserve. */
void session_offer_stream(SessionPlan *plan, SessionSlot *slot, const SessionFacts *facts,
                          const SessionPolicy *policy);

/** Takes the answer into the slot's stream; *@line says what came of it. */
void session_answer_stream(SessionPlan *plan, SessionSlot *slot, const SessionFacts *facts,
                           SessionLine *line, const SessionPolicy *policy);

/** Frees *@stream and clears it; NULL inside is fine. */
void session_slot_drop(SessionStream **stream);

/** Keeps the proto as @from wrote it, for the next offer to it (DTL-01). */
void session_slot_note_proto(SessionSlot *slot, SessionSide from, Span proto);


/** Gives the slot rtpengine's next number, unless it has one for good. */
void session_upstream_assign(SessionDialog *d, SessionSlot *slot);

/** Sets .upstream_sdp of the plan; lines that rtpengine need not see become KEEP. */
void session_upstream_plan_offer(SessionPlan *plan, const NgRequest *req);
void session_upstream_plan_answer(SessionPlan *plan, const NgRequest *req);
