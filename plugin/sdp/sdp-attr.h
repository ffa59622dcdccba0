/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * sdp-attr.h: the a= lines of a section, by name.
 *
 * Names compare without case, although RFC 8866 makes them case-significant: what a lenient peer
 * could read as an attribute must not be overlooked here. Blanks around the name and the value are
 * dropped ("a=3ge2ae: requested").
 *
 * Threads: any; there is no state beside the iterator, which is a value.
 * Owner:   every Span borrows from the document.
 */
#pragma once

#include "sdp/sdp-doc.h"

typedef struct SdpAttr {
    unsigned line; /* index in the document */
    Span name;
    Span value; /* empty for a flag */
} SdpAttr;

typedef struct SdpAttrIter {
    const SdpDoc *doc;
    const char *name;
    unsigned next, end;
} SdpAttrIter;

/** Splits an a= line. False for another type of line. */
bool sdp_attr_parse(const SdpDoc *doc, unsigned line, SdpAttr *ret_attr);

/**
 * Starts a walk over the attributes @name of @section, or over all of them when @name is NULL.
 * @name: (borrowed) until the walk is over.
 */
SdpAttrIter sdp_attr_iter(const SdpDoc *doc, unsigned section, const char *name);

/** False at the end. */
bool sdp_attr_next(SdpAttrIter *it, SdpAttr *ret_attr);

/** The first one of @section itself. */
bool sdp_attr_first(const SdpDoc *doc, unsigned section, const char *name, SdpAttr *ret_attr);

/**
 * The level at which the attribute @name that counts for @section stands: 0 when only the session
 * part has it, else
 * @section (TRK-14). Only for attributes that are defined at both levels.
 */
unsigned sdp_attr_level(const SdpDoc *doc, unsigned section, const char *name);

typedef enum SdpValue {
    SDP_VALUE_NONE, /* not there */
    SDP_VALUE_OK,
    SDP_VALUE_BAD, /* malformed, or there twice with different values */
} SdpValue;

/**
 * The value of an attribute that may stand in @section only once; a repetition of the same value is
 * no harm.
 * *@ret_value is set for SDP_VALUE_OK only.
 */
SdpValue sdp_attr_single(const SdpDoc *doc, unsigned section, const char *name, Span *ret_value);
