/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-diff.h: what a change of state means for the media plane. Whatever led to it, an offer, a
 * delete, a take-over, the streams that appear are opened, those that stay are updated, those that
 * are gone are closed.
 */
#pragma once

#include "session/session.h"

typedef enum SessionActionKind { SESSION_OPEN, SESSION_UPDATE, SESSION_CLOSE } SessionActionKind;

typedef struct SessionAction {
    SessionActionKind kind;
    uint64_t stream_id;
    MediaSpec spec; /* of OPEN and UPDATE */
} SessionAction;

/** Either may be NULL. An array of SessionAction with what their specs refer to, owned by the caller; closings last. */
GArray *session_diff(const Session *old, const Session *next);

/** How a stream looks to the media plane. .msrp is a new reference, for the caller. */
void session_stream_spec(const SessionStream *stream, MediaSpec *ret_spec);
