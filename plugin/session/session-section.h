/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-section.h: the edits that turn one m-section of a body into that of the other leg: the
 * columns of the mutation matrices 19.1, 19.2 and 19.3.
 */
#pragma once

#include "sdp/sdp-edit.h"
#include "session/session-plan.h"

/** Rewrites @section (from 1) of a body of the sender's, or of rtpengine's for it, for the leg that
 * receives it. */
void session_section_stream(SdpEdit *edit, unsigned section, const SessionPlan *plan,
                            const SessionSlot *slot);

/** Port 0 and the proto that the receiving side knows; nothing of the sender's security stays
 * (ORG-11, TRM-12). */
void session_section_zero(SdpEdit *edit, unsigned index, const SessionPlan *plan,
                          const SessionSlot *slot);

/**
 * Leaves the section as it is but for the indication (ORG-16, ORG-18, IND-03).
 * @alone: it comes under another or a changed session part, so what counted for it from its own one
 * is written into it (E2E-01, ORG-06).
 */
void session_section_keep(SdpEdit *edit, unsigned index, bool alone);

/**
 * Writes into @section (from 1) of any body what counts for its proto from the session part, which
 * is about to lose it: a line that is not ours must not lose its security for the sake of one that
 * is (ORG-06).
 */
void session_section_inherit(SdpEdit *edit, unsigned section);

/** The same, and its address: @section (from 1) will stand under the session part of another body.
 */
void session_section_alone(SdpEdit *edit, unsigned section);

/**
 * Takes out of the session part what must not reach the other leg: the indication always (IND-02),
 * and what secures a leg when @secured, that is, when a line of the body is ours (ORG-06).
 */
void session_section_clean_session(SdpEdit *edit, bool secured);
