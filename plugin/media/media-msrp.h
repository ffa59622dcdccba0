/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-msrp.h: what the relay of an MSRP stream has to know of its paths: which URIs the SDP of both legs named.
 *
 * Threads: immutable after creation, shared by all threads.
 * Owner:   reference-counted (atomically); a MediaSpec holds one.
 */
#pragma once

#include "framing/msrp-map.h"

typedef struct MediaMsrp {
    MsrpMapMode mode;
    char *peer[2]; /* by MediaLegSide: the URI that the peer of that leg gave as its own */
    char *ours[2]; /* by MediaLegSide: the URI that this peer was given for the other one */
    char *also
        [2]; /* another one that it was given before, or is just being offered (TRK-03); or NULL */
} MediaMsrp;

/** Copies the texts. @also: NULL or two that may be NULL. */
MediaMsrp *media_msrp_new(MsrpMapMode mode, const char *const peer[2], const char *const ours[2],
                          const char *const also[2]);

/** NULL is allowed in all of these. */
MediaMsrp *media_msrp_ref(MediaMsrp *m);
void media_msrp_unref(MediaMsrp *m);
bool media_msrp_eq(const MediaMsrp *a, const MediaMsrp *b);
