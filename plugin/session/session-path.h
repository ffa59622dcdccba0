/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-path.h: a=path of MSRP lines, and what follows from it for the frames (sections 13 and TRK-01 to TRK-03).
 *
 *   mode     a=path                                  msrp-cema   To-Path, From-Path of frames
 *   NONE     not MSRP, or no path to work with       kept        not read
 *   KEEP     as it is                                kept        not read
 *   SCHEME   msrps or msrp as the leg is             kept        the same swap (TRK-01)
 *   AWARE    this gateway's URI on each leg          removed     mapped between the two pairs (TRK-02)
 */
#pragma once

#include "media/media-msrp.h"
#include "session/session-facts.h"

/**
 * Can the connections of @stream go on when an offer asks for @mode? Where frames were not read from the first byte,
 * nobody can begin to (CEM-04).
 */
bool session_path_fits(const SessionStream *stream, SessionPathMode mode);

/** The mode for an offer with these facts (CEM-10). */
SessionPathMode session_path_decide(const SessionSettings *settings, const SessionFacts *facts);

/**
 * The a=path that the peer of @to gets to see in @mode: the other leg's, rewritten. Owned by the caller; NULL when it
 * stays as it is or the other leg's peer has none.
 */
char *session_path_text(const SessionStream *stream, SessionSide to, SessionPathMode mode);

/** For the media plane, a new reference; NULL when frames need not be read, or not all is known yet. */
MediaMsrp *session_path_media(const SessionStream *stream);

/**
 * Why the pair of offer and answer will not work as it stands although nothing is wrong with either (TRK-03), as static
 * text for the reply; NULL = it will.
 */
const char *session_path_warning(const SessionStream *stream, SessionSide answerer,
                                 const SessionFacts *answer);

/** What the operator should be able to see of @from's path, as static text for the log (CEM-05); NULL = nothing. */
const char *session_path_note(const SessionStream *stream, SessionSide from,
                              const SessionFacts *facts);
