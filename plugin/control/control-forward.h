/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-forward.h: requests of calls that another node owns. That node does the work and its reply
 * is ours, byte for byte. The request carries `e2ae-forwarded`, and who gets such a request never
 * forwards it again: should the call have moved meanwhile, the node that was asked first looks again.
 *
 *   what comes               what follows
 *   a reply                  is the reply
 *   "not on this node"       the call is looked for again
 *   nothing, owner lives     asked again with the same cookie, so that it does the work once
 *   nothing, owner dies      the call is looked for again, and then claimed
 *   nothing for long         an error; an offer goes to another node
 *
 * Threads: control thread only.
 * Owner:   ControlCalls.
 */
#pragma once

#include "control/control-calls.h"

typedef struct ControlForwards ControlForwards;

ControlForwards *control_forwards_new(ControlCalls *calls);

/** After the server; what is under way is dropped. The loop must run once more. NULL is allowed. */
void control_forwards_free(ControlForwards *forwards);

/** Answers @req, which no other may do from now on. @owner: (borrowed) lives. */
void control_forward(ControlCalls *calls, ControlRequest *req, const StoreNode *owner);
