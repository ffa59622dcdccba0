/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * msrp-build.h: the few MSRP frames that the AGW itself sends. No state; the texts belong to the
 * caller.
 */
#pragma once

#include "base/span.h"

/** Room for an id that msrp_ident() makes, and the NUL. */
#define MSRP_IDENT_MAX 33

/**
 * A response (RFC 4975 7.2). The paths are those of the request: the response goes from the
 * leftmost URI of
 * @to_path to the leftmost URI of @from_path (MSR-08).
 */
char *msrp_build_response(Span tid, unsigned status, const char *comment, Span to_path,
                          Span from_path);

/**
 * A SEND without a body, which binds a session to the connection (RFC 4975 5.4, COM-10).
 * @tid, @message_id: (borrowed) from msrp_ident(), each from other random bytes.
 */
char *msrp_build_empty_send(Span tid, Span message_id, Span to_path, Span from_path);

/** Writes an ident of RFC 4975 section 9, made of @n (8 to 16) random bytes, into @out; returns
 * @out. */
char *msrp_ident(const uint8_t *random, size_t n, char out[static MSRP_IDENT_MAX]);
