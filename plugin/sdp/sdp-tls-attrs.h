/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * sdp-tls-attrs.h: the attributes that say how a secure connection is made, as values: fingerprint,
 * setup, connection, 3ge2ae, tls-id.
 *
 * Threads: any; there is no state.
 */
#pragma once

#include "base/fingerprint.h"
#include "sdp/sdp-attr.h"

typedef struct SdpFingerprints {
    FingerprintSet set;
    unsigned
        unusable; /* lines with a hash that is never verified with: md5, md2, unknown (FPR-04) */
    unsigned
        malformed; /* lines that are no fingerprint, and usable ones beyond FP_SET_MAX (FPR-02) */
} SdpFingerprints;

/** All fingerprints that count for @section: its own, or those of the session part when it has none
 * at all (FPR-03). */
SdpFingerprints sdp_fingerprints(const SdpDoc *doc, unsigned section);

typedef enum SdpSetup {
    SDP_SETUP_NONE,
    SDP_SETUP_ACTIVE,
    SDP_SETUP_PASSIVE,
    SDP_SETUP_ACTPASS,
    SDP_SETUP_HOLDCONN,
    SDP_SETUP_BAD, /* another value, or several different ones */
} SdpSetup;

/** a=setup at media level, else at session level (COM-01, TRK-14). The default when absent is the
 * caller's to know. */
SdpSetup sdp_setup(const SdpDoc *doc, unsigned section);

/** The value as it stands in SDP. @setup must be one of the four real values. */
const char *sdp_setup_name(SdpSetup setup);

typedef enum SdpConnection {
    SDP_CONNECTION_NONE,
    SDP_CONNECTION_NEW,
    SDP_CONNECTION_EXISTING,
    SDP_CONNECTION_BAD,
} SdpConnection;

/** a=connection at media level, else at session level (COM-05, TRK-14). */
SdpConnection sdp_connection(const SdpDoc *doc, unsigned section);

typedef enum SdpIndication {
    SDP_INDICATION_NONE,
    SDP_INDICATION_REQUESTED,
    SDP_INDICATION_APPLIED,
} SdpIndication;

/**
 * a=3ge2ae at media level only; other tokens are as if absent (IND-01, IND-02). When both stand
 * there, requested counts: applied has no effect in what a UE sends (IND-03).
 */
SdpIndication sdp_indication(const SdpDoc *doc, unsigned section);

#define SDP_TLS_ID_MIN 20
#define SDP_TLS_ID_MAX 255

/** a=tls-id at media level only (DTL-05). *@ret_id is set for SDP_VALUE_OK only and borrows from
 * @doc. */
SdpValue sdp_tls_id(const SdpDoc *doc, unsigned section, Span *ret_id);
