/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-certificate.h: the certificate that the nodes of a group share, kept sealed in Redis (redis-schema/README.md,
 * section 6). It is looked at when the store is ready and from then on regularly, so that every node presents the same:
 *
 *   found there                  done
 *   the one that we present      nothing, or past the middle of its validity: a successor is made
 *   another one                  opened, and presented by new streams from now on
 *   none, and we present one     ours is written again: Redis has lost it
 *   none                         one is made; if another node was faster, its certificate is loaded
 *   one that does not open       an error: nothing is changed, here or there
 *
 * Threads: control thread only.
 * Owner:   whoever made it frees it, before the ControlCalls that use it, and before the store is closed.
 */
#pragma once

#include "store/store.h"
#include "tls/tls-identities.h"
#include "tls/tls-seal.h"

typedef struct ControlCertificate ControlCertificate;

typedef struct ControlCertificateConfig {
    Store *store;              /* borrowed */
    TlsIdentities *identities; /* borrowed */
    const TlsSealKey *key;     /* borrowed */
    unsigned days;             /* validity of a certificate that is made here */
    unsigned every_ms;         /* between two looks */
    unsigned renew_ms; /* between two renewals of those that only old streams use; 0 = an hour */
    /** (nullable) The state may be another. Must not free anything that is named here. */
    void (*changed)(void *arg);
    void *arg;
} ControlCertificateConfig;

ControlCertificate *control_certificate_new(uv_loop_t *loop,
                                            const ControlCertificateConfig *config);

/** What the store has under way is forgotten, and callbacks are not called any more. NULL is allowed. */
void control_certificate_free(ControlCertificate *c);

/** Looks now, if the store is ready. */
void control_certificate_look(ControlCertificate *c);

/** The group gets another certificate, however old the one is that it has. */
void control_certificate_replace(ControlCertificate *c);

/** @ok: false when Redis went away, and asking again later may help. */
typedef void (*ControlFetchedCb)(bool ok, void *arg);

/**
 * Loads what streams of @record (borrowed for the call) have signalled and what is not here. False: nothing is
 * missing. True: @cb is called, later, and what could be loaded is here until it returns.
 */
bool control_certificate_fetch(ControlCertificate *c, const RedisRecord *record,
                               ControlFetchedCb cb, void *arg);

typedef enum ControlCertificateState {
    CONTROL_CERTIFICATE_WAITING, /* for Redis: there is none yet */
    CONTROL_CERTIFICATE_READY,
    CONTROL_CERTIFICATE_FAILED, /* what Redis has cannot be used */
} ControlCertificateState;

/** "waiting", "ready", "failed". */
const char *control_certificate_state_name(ControlCertificateState state);

/** @ret_reason: (nullable) of FAILED, borrowed, else NULL. */
ControlCertificateState control_certificate_state(const ControlCertificate *c,
                                                  const char **ret_reason);
