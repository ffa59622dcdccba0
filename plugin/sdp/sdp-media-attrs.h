/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * sdp-media-attrs.h: the other attributes that decisions hang on, as values: path, msrp-cema,
 * msrp-acceptsessmatch, mid, direction, group.
 *
 * Threads: any; there is no state.
 * Owner:   every Span borrows from the document.
 */
#pragma once

#include "base/msrp-uri.h"
#include "sdp/sdp-attr.h"

/**
 * a=path of an MSRP section. Every URI must have an explicit port and a session-id here (MSR-03),
 * else SDP_VALUE_BAD.
 * *@ret_path is set for SDP_VALUE_OK only.
 */
SdpValue sdp_msrp_path(const SdpDoc *doc, unsigned section, MsrpPath *ret_path);

/** a=msrp-cema: the sender connects to c= and m= instead of the path (CEM-01). */
bool sdp_has_msrp_cema(const SdpDoc *doc, unsigned section);

/** a=msrp-acceptsessmatch, of a draft before CEMA: the sender matches the session-id only (CEM-08).
 */
bool sdp_has_sessmatch(const SdpDoc *doc, unsigned section);

/** a=mid at media level. False when absent, empty or ambiguous. */
bool sdp_mid(const SdpDoc *doc, unsigned section, Span *ret_mid);

typedef enum SdpDirection {
    SDP_SENDRECV, /* also when no direction is written */
    SDP_SENDONLY,
    SDP_RECVONLY,
    SDP_INACTIVE,
} SdpDirection;

/** The first direction attribute of @section, else of the session part (RFC 3264 5.1; MSR-11,
 * TRK-12). */
SdpDirection sdp_direction(const SdpDoc *doc, unsigned section);

/** Does a session-level a=group line with @semantics ("BUNDLE", or NULL for any) list @mid? */
bool sdp_group_has(const SdpDoc *doc, const char *semantics, Span mid);
