/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * medium.h: what this gateway knows of each medium it can protect, as one table of descriptors.
 * Everything that differs between MSRP, BFCP and T.38 in signalling stands here; adding a medium is
 * adding a descriptor.
 */
#pragma once

#include "base/span.h"
#include "media/media-types.h"

/** Who is the (D)TLS client of a leg. */
typedef enum MediumTlsRule {
    MEDIUM_TLS_BY_SETUP,    /* the active side (COM-08, RFC 7345 4.1) */
    MEDIUM_TLS_BY_ANSWERER, /* the answerer is server whatever its TCP role (BFC-05) */
} MediumTlsRule;

/** What becomes of a=connection on this medium (COM-05, COM-06, COM-07). */
typedef enum MediumConnection {
    MEDIUM_CONNECTION_STRIP,
    MEDIUM_CONNECTION_NEGOTIATE,
} MediumConnection;

/** When we put an a=tls-id into the SDP of a secure leg (19.1, 19.2). */
typedef enum MediumTlsId {
    MEDIUM_TLS_ID_NEVER,
    MEDIUM_TLS_ID_IF_OFFERED, /* only in an answer to an offer that had one */
    MEDIUM_TLS_ID_ALWAYS, /* in our offers, and in answers to an offer that had one (TRM-06, DTL-05)
                           */
} MediumTlsId;

typedef struct Medium {
    const char *name;         /* "msrp", as in e2ae-media and in records */
    unsigned mask;            /* its bit in E2aeParams.media (E2aeMedia) */
    const char *media;        /* m= media type */
    const char *secure_proto; /* on the access leg */
    const char *plain_proto;  /* on the core leg; the peer's own spelling is kept where it has one
                                 (DTL-01) */
    const char *fmt;          /* the one format that makes the line ours; NULL = any */
    MediaTransport transport;
    MediaFraming framing;
    MediumTlsRule tls_rule;
    MediumConnection connection;
    MediumTlsId tls_id;
    bool plain_setup;          /* does a=setup mean something on a plain leg (TCP)? */
    bool path;                 /* has an a=path, and frames that carry it (session-path.h) */
    bool holdconn;             /* is holdconn a state of this medium (TRK-16)? */
    bool both_active_deadlock; /* nobody would speak first if we connected on both legs (COM-10,
                                  BFC-07) */
} Medium;

/** The descriptor whose media type, format and one of whose protos match, and which of the two;
 * NULL = not ours (E2E-09). */
const Medium *medium_find(Span media, Span proto, Span fmt, bool *ret_secure);

/** By name ("msrp"); NULL = unknown. For records. */
const Medium *medium_by_name(Span name);
