/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-frames.h: joins an open pair of connections with the MSRP relay: one MsrpRelay per connection reads what comes
 * from it, rewrites the paths for the other one and answers what belongs to nobody.
 *
 * Threads: the stream's worker.
 * Owner:   a connection owns its relay (MediaConn.msrp).
 */
#pragma once

#include "media/media-relay.h"

/** Do the frames of this stream have to be read? */
bool media_frames_wanted(const MediaStream *stream);

/**
 * Begins with a pair that is just joined, before its first byte. False when a URI of the spec is none: @access has the
 * reason.
 */
bool media_frames_start(MediaConn *access, MediaConn *core);

/** Another spec for a running pair, from the next frame on (TRK-03). False as for _start(). */
bool media_frames_revise(MediaConn *access, MediaConn *core);

/** For a second connection of @conn's leg: answers its requests, forwards nothing. NULL for a URI that is none. */
MsrpRelay *media_frames_refuser(const MediaConn *conn);

/** Hands on what came from @from. */
MediaRelayResult media_frames_relay(MediaConn *from, MediaConn *to, Span bytes);

/** @from has ended. */
MediaRelayResult media_frames_finish(MediaConn *from, MediaConn *to);

/**
 * Both peers wait for a first request: an empty SEND to each binds the session (COM-10). False when one of the connections
 * cannot take it; its reason is set.
 */
bool media_frames_speak_first(MediaConn *access, MediaConn *core);
