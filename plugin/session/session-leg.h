/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-leg.h: the legs of a stream, filled and changed by offers and answers (sections 12 to 17
 * of the requirements).
 */
#pragma once

#include "session/session-facts.h"
#include "session/session-policy.h"

/** Fills the leg that an offer came from: the peer's facts, and our answer to its setup (COM-09).
 */
void session_leg_offered(SessionStream *stream, SessionSide from, const SessionFacts *facts,
                         const SessionPolicy *policy);

/** Fills the leg that the offer goes to: undecided until the answer. */
void session_leg_offering(SessionStream *stream, SessionSide to, const SessionSettings *settings,
                          const SessionPolicy *policy);

/** Refreshes the offering leg of a stream that is kept: addresses may have moved, roles stay
 * (TRK-08). */
void session_leg_refresh(SessionStream *stream, SessionSide from, const SessionFacts *facts);

/**
 * Takes the answer into the leg that the offer went to. Returns NULL, or static text on why the
 * m-line has failed (ORG-12, TRM-12, COM-10, TRK-15).
 * @sent: the setup we had offered. @kept: the stream was up before this offer, which left it as it
 * was; false afterwards if the answer asks for a new connection all the same (DTL-06, COM-05).
 */
const char *session_leg_answered(SessionStream *stream, SessionSide from, SdpSetup sent, bool *kept,
                                 const SessionFacts *facts, const SessionPolicy *policy);

/** Does the offer leave the connection of @stream as it is (TRK-08, DTL-06, COM-05)? */
bool session_leg_unchanged(const SessionStream *stream, SessionSide from,
                           const SessionFacts *facts);
