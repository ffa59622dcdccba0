/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-policy.h: what the operator configured and what the world provides, as far as
 * offer/answer needs it. Passed by value of its pointers; everything is borrowed for the time of a
 * call.
 */
#pragma once

#include "session/session-roles.h"

/** --interface=NAME/ADDR!ADVERTISED; one name may stand for several addresses, one per family. */
typedef struct SessionInterface {
    const char *name;
    Addr local;
    Addr advertised;
} SessionInterface;

typedef struct SessionPolicy {
    const SessionInterface *interfaces;
    unsigned n_interfaces;             /* at least 1 */
    FingerprintSet local_fingerprints; /* of the certificate that new streams present (FPR-07) */
    SessionBfcpRule bfcp_rule;
    Addr gateway; /* where rtpengine reaches us for T.38 (session-gateway.h); ADDR_NONE = it does
                     not */
    /** Randomness comes in from outside, so that a test can fix it. */
    void (*random)(void *buf, size_t n, void *arg);
    /** A number never returned before, for SessionStream.id. */
    uint64_t (*next_id)(void *arg);
    void *arg;
} SessionPolicy;

/**
 * The interface for a leg: @name if there is one of that name, else the first; of its addresses one
 * of @family if it has one, else its first. Never NULL.
 */
const SessionInterface *session_interface(const SessionPolicy *policy, const char *name,
                                          AddrFamily family);

/** Is there an interface of that name? */
bool session_interface_exists(const SessionPolicy *policy, const char *name);
