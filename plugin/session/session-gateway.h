/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-gateway.h: T.38 with rtpengine's fax gateway behind us. When a request asks rtpengine to
 * convert between T.38 and audio (T.38=decode or force), the core leg of the stream is not the core
 * but rtpengine: it gets our plain UDPTL side on an address of this host and converts as ever.
 *
 *   UE ==DTLS== us --UDPTL-- rtpengine --audio or UDPTL-- core
 *
 * Towards the UE the section of rtpengine's reply is what is rewritten, so part of the plan is made
 * when the reply is there: session_plan_absorb().
 */
#pragma once

#include "session/session-facts.h"
#include "session/session-plan.h"

/** May this request use the gateway? NULL, or static text on why not although it asks for it;
 * *@ret_wanted says that it asks. */
const char *session_gateway_fault(const NgRequest *req, const SessionPolicy *policy,
                                  bool *ret_wanted);

/**
 * Could rtpengine turn this section of the core into T.38 for a UE with DTLS? Audio and plain T.38
 * can.
 * @start: as for session_decide().
 */
bool session_gateway_candidate(const SessionSettings *settings, const SessionSlot *slot,
                               SessionSide from, bool start, const SessionFacts *facts);
