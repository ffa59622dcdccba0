/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-decide.h: what becomes of one m-line of an offer (sections 3, 4 and 5 of the
 * requirements). Pure; line by line (ORG-01); the table of norms 19.3 is its test.
 */
#pragma once

#include "session/session-facts.h"

typedef struct SessionDecision {
    SessionTreatment treatment;
    const char *reason; /* static text for the reply, or NULL */
} SessionDecision;

/**
 * @slot: the m-line's slot as the last exchange left it, NULL for a line that is new.
 * @from: who sent the offer.
 * @start: the request itself carries e2ae=originating/terminating: the decision of a first offer.
 * Without it a plain line that is new in an offer of the core is protected only if the
 * registration's flags were given (SIG-09, TRK-20).
 */
SessionDecision session_decide(const SessionSettings *settings, const SessionSlot *slot,
                               SessionSide from, bool start, const SessionFacts *facts);
