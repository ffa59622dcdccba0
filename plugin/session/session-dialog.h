/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-dialog.h: which dialog of a call a request talks about, and from which side (rtpengine's
 * rules as far as tags and branches go; TRK-07, TRK-20, TRK-22).
 */
#pragma once

#include "session/session-plan.h"

/**
 * The dialog of an offer within @s, made when it is new; its tags and .offerer are set from the
 * request. NULL and @error when the tags fit nothing and the request does not say which side is the
 * UE.
 */
SessionDialog *session_dialog_for_offer(Session *s, const NgRequest *req, GError **error);

/** The dialog of an answer, with the answerer's tag set. NULL and @error when no offer waits for
 * it. */
SessionDialog *session_dialog_for_answer(Session *s, const NgRequest *req, GError **error);
