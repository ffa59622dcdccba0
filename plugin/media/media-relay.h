/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-relay.h: moves application bytes from one open connection of a stream to the other.
 *
 * Reading goes on only while the receiver took everything before, so what is pending for a slow
 * reader is never more than one read (TRK-24), and nothing is ever dropped.
 *
 * Threads: the stream's worker.
 */
#pragma once

#include "media/media-conn.h"

typedef enum MediaRelayResult {
    MEDIA_RELAY_OK,          /* drained, or the receiver is blocked, or the budget is spent */
    MEDIA_RELAY_EOF,         /* @from has no more; everything before was handed on */
    MEDIA_RELAY_FROM_FAILED, /* @from's reason; what it had authenticated was handed on */
    MEDIA_RELAY_TO_FAILED,   /* @to's reason */
} MediaRelayResult;

/** Both connections are OPEN. @may_read: false, once and first, hands on what came with the
 * handshake. */
MediaRelayResult media_relay(MediaConn *from, MediaConn *to, bool may_read);
