/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session-roles.h"

MediaSetup session_answer_setup(const Medium *m, SdpSetup offered, MediaSetup current)
{
    switch (offered) {
    case SDP_SETUP_PASSIVE:
        return MEDIA_SETUP_ACTIVE;
    case SDP_SETUP_ACTPASS:
        return current == MEDIA_SETUP_ACTIVE ? MEDIA_SETUP_ACTIVE : MEDIA_SETUP_PASSIVE;
    case SDP_SETUP_HOLDCONN:
        return m->holdconn ? MEDIA_SETUP_HOLDCONN : MEDIA_SETUP_PASSIVE;
    default: /* active, or absent, which means active (COM-01) */
        return MEDIA_SETUP_PASSIVE;
    }
}

/* What an answer means, with the defaults and the illegal values settled; NONE = it cannot be. */
static SdpSetup effective_answer(SdpSetup answered, bool peer_discard, const Medium *m)
{
    switch (answered) {
    case SDP_SETUP_ACTPASS:
        return peer_discard ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
    case SDP_SETUP_HOLDCONN:
        if (m->holdconn)
            return SDP_SETUP_HOLDCONN;
        return m->transport == MEDIA_TCP ? SDP_SETUP_PASSIVE : SDP_SETUP_NONE;
    case SDP_SETUP_ACTIVE:
        return SDP_SETUP_ACTIVE;
    default: /* passive, or absent, which means passive (COM-01) */
        return SDP_SETUP_PASSIVE;
    }
}

bool session_offer_setup(SdpSetup sent, SdpSetup answered, bool peer_discard, const Medium *m,
                         MediaSetup *ret_setup)
{
    SdpSetup effective = effective_answer(answered, peer_discard, m);

    if (sent == SDP_SETUP_HOLDCONN && effective != SDP_SETUP_HOLDCONN)
        return false; /* COM-01: nothing else answers holdconn, and the other leg is held too */
    switch (effective) {
    case SDP_SETUP_ACTIVE:
        if (sent == SDP_SETUP_ACTIVE)
            return false;
        *ret_setup = MEDIA_SETUP_PASSIVE;
        return true;
    case SDP_SETUP_PASSIVE:
        if (sent == SDP_SETUP_PASSIVE)
            return false;
        *ret_setup = MEDIA_SETUP_ACTIVE;
        return true;
    case SDP_SETUP_HOLDCONN:
        *ret_setup = MEDIA_SETUP_HOLDCONN;
        return true;
    default:
        return false;
    }
}

SdpSetup session_setup_value(MediaSetup setup)
{
    switch (setup) {
    case MEDIA_SETUP_PASSIVE:
        return SDP_SETUP_PASSIVE;
    case MEDIA_SETUP_ACTIVE:
        return SDP_SETUP_ACTIVE;
    case MEDIA_SETUP_HOLDCONN:
        return SDP_SETUP_HOLDCONN;
    case MEDIA_SETUP_UNDECIDED:
        break;
    }
    return SDP_SETUP_ACTPASS;
}

SdpSetup session_setup_to_offer(const Medium *m, MediaSetup other_leg)
{
    if (other_leg == MEDIA_SETUP_HOLDCONN)
        return SDP_SETUP_HOLDCONN;
    if (m->both_active_deadlock && other_leg == MEDIA_SETUP_ACTIVE)
        return SDP_SETUP_PASSIVE;
    return SDP_SETUP_ACTPASS;
}

static MediaTlsRole by_setup(MediaSetup ours)
{
    return ours == MEDIA_SETUP_ACTIVE ? MEDIA_TLS_CLIENT : MEDIA_TLS_SERVER;
}

MediaTlsRole session_tls_role(const Medium *m, MediaSetup ours, bool we_answer,
                              SessionBfcpRule rule)
{
    if (m->tls_rule == MEDIUM_TLS_BY_SETUP || rule == SESSION_BFCP_SETUP)
        return by_setup(ours);

    MediaTlsRole by_answerer = we_answer ? MEDIA_TLS_SERVER : MEDIA_TLS_CLIENT;
    if (rule == SESSION_BFCP_ANSWERER || by_answerer == by_setup(ours))
        return by_answerer;
    return MEDIA_TLS_PEEK;
}
