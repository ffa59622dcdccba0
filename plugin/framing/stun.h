/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * stun.h: the one thing we do with STUN (RFC 5389): answer a Binding request with where it came
 * from. On a port with DTLS peers may send one before or during the handshake to open the way
 * through NATs (DTL-12). There are no credentials: the answer proves nothing and is no reason to
 * send anything to that address.
 *
 * Threads: any; there is no state.
 */
#pragma once

#include "base/addr.h"

/** Room for any answer. */
#define STUN_ANSWER_MAX 44

/** A first byte of 0 to 3 is STUN (RFC 7983 section 7, DTL-11). */
static inline bool stun_is_likely(uint8_t first)
{
    return first <= 3;
}

/**
 * The answer to @request from @from, written into @out; returns its length. 0 when @request is no
 * well-formed Binding request with the magic cookie: then there is nothing to say.
 */
size_t stun_answer(Span request, const Addr *from, uint8_t out[static STUN_ANSWER_MAX]);
