/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session-decide.h"

static SessionDecision decision(SessionTreatment treatment, const char *reason)
{
    return (SessionDecision){treatment, reason};
}

/* A line of ours that is not protected: rtpengine relays plain UDPTL well, leaves MSRP alone and
 * breaks BFCP. */
static SessionDecision unprotected(const SessionFacts *facts, const char *reason)
{
    bool upstream = facts->medium->transport == MEDIA_UDP && !facts->secure;

    return decision(upstream ? SESSION_UPSTREAM : SESSION_PASS, reason);
}

/* ORG-17, FPR-08, MSR-12, CEM-05: what makes a line that should be protected impossible to protect.
 */
static SessionDecision protect(const SessionFacts *facts, bool fingerprint_needed, bool allow_sha1)
{
    if (facts->address_fault)
        return decision(SESSION_REJECT, facts->address_fault);
    if (facts->path_relays)
        return decision(SESSION_REJECT,
                        "a=path goes through MSRP relays, which fingerprints cannot protect");
    if (!fingerprint_needed)
        return decision(SESSION_E2AE, NULL);
    if (facts->fingerprint_fault)
        return decision(SESSION_REJECT, facts->fingerprint_fault);
    if (fp_set_choose(&facts->fingerprints, allow_sha1) == FP_NONE)
        return decision(SESSION_REJECT, "no a=fingerprint with an accepted hash function");
    return decision(SESSION_E2AE, NULL);
}

static SessionDecision from_access(const SessionSettings *settings, const SessionFacts *facts)
{
    bool enabled = settings->media & facts->medium->mask;
    bool requested = facts->indication == SDP_INDICATION_REQUESTED;

    if (!facts->secure)
        return unprotected(facts, requested ? "a=3ge2ae:requested on a plain m-line" : NULL);
    if (!requested && (settings->require_indication || !facts->fingerprints.n))
        return decision(SESSION_PASS, "no a=3ge2ae:requested: end-to-end");
    if (!enabled)
        return decision(SESSION_PASS, "e2ae is not enabled for this medium");
    return protect(facts, true, settings->allow_sha1);
}

static SessionDecision from_core(const SessionSettings *settings, bool start,
                                 const SessionFacts *facts)
{
    bool enabled = settings->media & facts->medium->mask;

    if (facts->secure && !settings->core_tls)
        return decision(SESSION_PASS, "secure m-line from the core: end-to-end");
    if (!enabled)
        return unprotected(facts, "e2ae was not indicated for this medium");
    if (!start && !settings->media_given)
        return unprotected(facts,
                           "a line added by the core, and the UE's e2ae support is not known");
    return protect(facts, facts->secure, settings->allow_sha1);
}

/* It stays protected whoever offers, with or without indication (TRK-20), and no leg that is @secure
 * falls back to clear text. */
static SessionDecision keep_protected(const SessionSettings *settings, bool secure,
                                      SessionSide from, const SessionFacts *facts)
{
    if (secure && !facts->secure)
        return decision(SESSION_REJECT,
                        from == SESSION_ACCESS
                            ? "the UE wants to leave TLS on a protected stream" /* TRK-21 */
                            : "the core wants to leave TLS on a protected stream");
    if (from == SESSION_CORE && facts->secure && !settings->core_tls)
        return decision(SESSION_PASS, "secure m-line from the core: end-to-end");
    return protect(facts, facts->secure, settings->allow_sha1);
}

/*
 * Is the medium protected in this slot, and is the leg of @side secure? The stream tells, not the
 * treatment: an offer that was refused has changed that, but not the stream. One that was lost
 * counts like one that runs.
 */
static bool is_protected(const SessionSlot *slot, const Medium *medium, SessionSide side,
                         bool *ret_secure)
{
    const SessionStream *stream = slot ? session_slot_current(slot) : NULL;

    if (stream && stream->medium == medium) {
        *ret_secure = stream->leg[side].secure;
        return true;
    }
    if (!slot || slot->lost != medium)
        return false;
    *ret_secure = side == SESSION_ACCESS || slot->lost_core;
    return true;
}

static bool was_ours(const SessionSlot *slot, const Medium *medium)
{
    if (!slot || slot->medium != medium)
        return false;
    return slot->treatment == SESSION_E2AE || slot->treatment == SESSION_REJECT ||
           slot->treatment == SESSION_CLOSED;
}

SessionDecision session_decide(const SessionSettings *settings, const SessionSlot *slot,
                               SessionSide from, bool start, const SessionFacts *facts)
{
    if (!facts->medium)
        return decision(SESSION_UPSTREAM, NULL);
    bool secure = false;
    bool protected = is_protected(slot, facts->medium, from, &secure);
    if (facts->media->port == 0)
        return protected || was_ours(slot, facts->medium) ? decision(SESSION_CLOSED, NULL)
                                                          : unprotected(facts, NULL);
    if (protected)
        return keep_protected(settings, secure, from, facts);
    return from == SESSION_ACCESS ? from_access(settings, facts)
                                  : from_core(settings, start, facts);
}
