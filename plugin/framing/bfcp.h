/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * bfcp.h: where BFCP messages end in a byte stream (RFC 8855 section 5.1: a header of 12 bytes,
 * then a payload of the given number of 4-byte units). Nothing in a message is looked at, nothing
 * is ever changed or lost (BFC-09).
 *
 * Threads: an object is used by one thread only.
 */
#pragma once

#include "base/span.h"

#define BFCP_HEADER_LEN 12
/** A message up to this long is kept together; a longer one goes through as it comes. */
#define BFCP_HOLD_MAX 8192

/** All zero at the start of a stream. */
typedef struct BfcpTracker {
    size_t passing; /* bytes of a long message that still go through */
    bool lost;      /* this is no BFCP: everything goes through */
} BfcpTracker;

/**
 * How many bytes of @pending to send on now: up to the end of the last whole message. The rest,
 * fewer than BFCP_HOLD_MAX bytes, must stand at the beginning of @pending in the next call, with
 * more behind it.
 */
size_t bfcp_sendable(BfcpTracker *t, Span pending);
