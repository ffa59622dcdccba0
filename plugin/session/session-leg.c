/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-session-reoffer.c, t/unit/test-session-answer.c. */
#include "config.h"

#include "session/session-leg.h"

#define DISCARD_PORT 9 /* of a peer that connects (COM-02) */

/* 24 characters of base64: 144 random bits, of which DTL-05 asks for 120, in its alphabet. */
static char *new_tls_id(const SessionPolicy *policy)
{
    uint8_t bits[18];

    policy->random(bits, sizeof bits, policy->arg);
    return g_base64_encode(bits, sizeof bits);
}

static char *dup_or_null(Span s)
{
    return s.len ? span_dup(s) : NULL;
}

static void set_text(char **field, Span value)
{
    g_free(*field);
    *field = dup_or_null(value);
}

/* TRK-12: a hold address says nothing about where the peer is, unless we know nothing better. */
static void move_remote(SessionLeg *leg, const Addr *remote)
{
    if (leg->remote.family == ADDR_NONE || !addr_is_any(remote))
        leg->remote = *remote;
}

/* What the peer says of itself, whether in an offer or an answer. */
static void take_peer(SessionLeg *leg, const SessionFacts *facts)
{
    move_remote(leg, &facts->remote);
    leg->fingerprints = leg->secure ? facts->fingerprints : (FingerprintSet){0};
    leg->peer_connection = facts->connection != SDP_CONNECTION_NONE;
    set_text(&leg->peer_tls_id, facts->tls_id);
    set_text(&leg->peer_path, facts->path);
}

void session_leg_offered(SessionStream *stream, SessionSide from, const SessionFacts *facts,
                         const SessionPolicy *policy)
{
    const Medium *m = stream->medium;
    SessionLeg *leg = &stream->leg[from];

    leg->secure = facts->secure;
    take_peer(leg, facts);
    leg->setup = session_answer_setup(m, facts->setup, MEDIA_SETUP_UNDECIDED);
    leg->discard = m->transport == MEDIA_TCP && leg->setup == MEDIA_SETUP_ACTIVE;
    leg->tls_role = session_tls_role(m, leg->setup, true, policy->bfcp_rule);
    if (leg->secure && m->tls_id != MEDIUM_TLS_ID_NEVER && facts->tls_id.len)
        leg->tls_id = new_tls_id(policy);
}

void session_leg_offering(SessionStream *stream, SessionSide to, const SessionSettings *settings,
                          const SessionPolicy *policy)
{
    const Medium *m = stream->medium;
    SessionLeg *leg = &stream->leg[to];

    leg->secure = to == SESSION_ACCESS || settings->core_tls;
    leg->setup = MEDIA_SETUP_UNDECIDED;
    /* Who comes before the answer has made itself the active side (COM-03). */
    leg->tls_role = session_tls_role(m, MEDIA_SETUP_PASSIVE, false, policy->bfcp_rule);
    if (leg->secure && m->tls_id == MEDIUM_TLS_ID_ALWAYS)
        leg->tls_id = new_tls_id(policy);
}

void session_leg_refresh(SessionStream *stream, SessionSide from, const SessionFacts *facts)
{
    SessionLeg *leg = &stream->leg[from];

    move_remote(leg, &facts->remote);
    leg->peer_connection = facts->connection != SDP_CONNECTION_NONE;
    set_text(&leg->peer_path, facts->path);
}

/* Port 9 stands for "I shall connect" (COM-02), so it is no address to compare. */
static bool remote_moved(const SessionLeg *leg, const Addr *remote)
{
    if (remote->family == ADDR_NONE || addr_is_any(remote) || addr_is_any(&leg->remote))
        return false;
    if (remote->port == DISCARD_PORT || leg->remote.port == DISCARD_PORT)
        return !addr_ip_eq(&leg->remote, remote);
    return !addr_eq(&leg->remote, remote);
}

static bool text_differs(const char *was, Span is)
{
    return !span_eq(span_str(was), is);
}

/* RFC 8842 3.1: what asks for a new DTLS association. */
static bool association_changed(const SessionLeg *leg, const SessionFacts *facts)
{
    if (text_differs(leg->peer_tls_id, facts->tls_id))
        return true;
    return !facts->tls_id.len && remote_moved(leg, &facts->remote);
}

static bool setup_still_fits(MediaSetup ours, SdpSetup offered, const Medium *m)
{
    return session_answer_setup(m, offered, ours) == ours;
}

bool session_leg_unchanged(const SessionStream *stream, SessionSide from, const SessionFacts *facts)
{
    const Medium *m = stream->medium;
    const SessionLeg *leg = &stream->leg[from];

    if (leg->secure != facts->secure)
        return false;
    if (leg->secure && !fp_set_eq(&leg->fingerprints, &facts->fingerprints))
        return false;
    if (m->transport == MEDIA_UDP && !leg->secure)
        return true; /* plain UDP has no connection that could change */
    if (m->connection == MEDIUM_CONNECTION_NEGOTIATE && facts->connection != SDP_CONNECTION_NONE)
        return facts->connection == SDP_CONNECTION_EXISTING;
    if (!setup_still_fits(leg->setup, facts->setup, m))
        return false;
    if (m->transport == MEDIA_UDP)
        return !association_changed(leg, facts);
    if (facts->path.len && text_differs(leg->peer_path, facts->path))
        return false;
    /* Where a=connection could have said "existing", only an identical m-section says so without it
     * (TRK-08). */
    bool address_counts =
        leg->setup == MEDIA_SETUP_ACTIVE || m->connection == MEDIUM_CONNECTION_NEGOTIATE;
    return !address_counts || !remote_moved(leg, &facts->remote);
}

/*
 * Does the answer to an offer that kept the connection ask for a new one? In DTLS whatever RFC 8842
 * 3.1 names does (DTL-06); over TCP a=connection says so (COM-05), and what else changes is judged
 * by the connection itself (TRK-13). Our port has been offered and stays; the new transport is the
 * answerer's (DTL-07).
 */
static bool asks_anew(const SessionStream *stream, SessionSide from, const SessionFacts *facts,
                      MediaSetup setup)
{
    const Medium *m = stream->medium;
    const SessionLeg *leg = &stream->leg[from];

    if (m->connection == MEDIUM_CONNECTION_NEGOTIATE)
        return facts->connection == SDP_CONNECTION_NEW;
    if (m->transport != MEDIA_UDP || !leg->secure)
        return false;
    return setup != leg->setup || !fp_set_eq(&leg->fingerprints, &facts->fingerprints) ||
           association_changed(leg, facts);
}

/* Why the answer cannot be taken for a protected stream, before roles come into it. */
static const char *answer_fault(const SessionLeg *leg, const SessionFacts *facts, bool allow_sha1)
{
    if (facts->address_fault)
        return facts->address_fault;
    if (!leg->secure)
        return NULL;
    if (facts->fingerprint_fault)
        return facts->fingerprint_fault;
    if (fp_set_choose(&facts->fingerprints, allow_sha1) == FP_NONE)
        return "no a=fingerprint with an accepted hash function";
    return NULL;
}

/* The other leg goes along over TCP: the rest of a message is no beginning (COM-05). There we are
 * the answerer. */
static void renew(SessionStream *stream, SessionSide from, const SessionPolicy *policy)
{
    const Medium *m = stream->medium;
    SessionLeg *leg = &stream->leg[from];
    SessionLeg *other = &stream->leg[session_other(from)];

    leg->generation++;
    leg->tls_role = session_tls_role(m, leg->setup, false, policy->bfcp_rule);
    if (m->transport == MEDIA_UDP)
        return;
    other->generation++;
    other->tls_role = session_tls_role(m, other->setup, true, policy->bfcp_rule);
}

const char *session_leg_answered(SessionStream *stream, SessionSide from, SdpSetup sent, bool *kept,
                                 const SessionFacts *facts, const SessionPolicy *policy)
{
    const Medium *m = stream->medium;
    SessionLeg *leg = &stream->leg[from];
    MediaSetup other = stream->leg[session_other(from)].setup;
    MediaSetup setup = leg->setup;
    bool by_setup = leg->secure || m->plain_setup;
    bool stays = *kept && facts->connection == SDP_CONNECTION_EXISTING;
    const char *fault = answer_fault(leg, facts, stream->allow_sha1);

    if (fault)
        return fault;
    if (by_setup && !stays &&
        !session_offer_setup(sent, facts->setup, facts->remote.port == DISCARD_PORT, m, &setup))
        return "a=setup of the answer does not fit the offer";
    if (m->both_active_deadlock && stream->path_mode != SESSION_PATH_AWARE &&
        setup == MEDIA_SETUP_ACTIVE && other == MEDIA_SETUP_ACTIVE)
        return "both peers wait to be connected to";
    bool anew = *kept && stream->answered && asks_anew(stream, from, facts, setup);
    if (setup != leg->setup)
        leg->tls_role = session_tls_role(m, setup, false, policy->bfcp_rule);
    leg->setup = setup;
    take_peer(leg, facts);
    if (anew) {
        renew(stream, from, policy);
        *kept = false; /* so the other side is told, and the same answer does not ask twice */
    }
    return NULL;
}
