/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-facts.h: what one m-section says, read once from the body into plain values, so that the
 * decisions are functions of values and not of text.
 */
#pragma once

#include "ng-protocol/ng-e2ae.h"
#include "sdp/sdp-doc.h"
#include "session/session.h"

/** Spans borrow from the document. Media level with session level behind it where TRK-14 says so.
 */
typedef struct SessionFacts {
    const SdpMedia *media;
    const Medium *medium;      /* NULL = none of ours */
    bool secure;               /* its proto is the secure one of the medium */
    Addr remote;               /* c= and the m= port; family ADDR_NONE when there is no usable c= */
    const char *address_fault; /* static text when c= is missing or not an address */
    SdpSetup setup;
    SdpConnection connection;
    SdpIndication indication;
    FingerprintSet fingerprints;
    const char *fingerprint_fault; /* static text when none is there or one is malformed */
    Span tls_id;                   /* empty = none or invalid */
    Span path;                     /* MSRP, empty = none */
    bool path_relays;              /* more than one URI (MSR-12) */
    bool cema;
    bool key_mgmt; /* media-level (E2E-08) */
} SessionFacts;

/** @index: m-line index from 0, must exist. */
void session_facts_read(const SdpDoc *doc, unsigned index, SessionFacts *ret_facts);

/** Fingerprints that the request gives for this m-line by field stand in the place of those in the
 * body (e2ae-fingerprint). */
void session_facts_override(SessionFacts *facts, unsigned index, const E2aeParams *params);
