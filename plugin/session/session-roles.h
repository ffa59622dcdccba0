/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-roles.h: who connects and who is the TLS client, from the a=setup values of an offer and
 * its answer. Pure functions of values; the table of norms 12.1 is their test.
 */
#pragma once

#include "session/session.h"

/** --bfcp-tls-role: the two readings of RFC 8856 section 8 and 10.2 (BFC-05, BFC-06). */
typedef enum SessionBfcpRule {
    SESSION_BFCP_AUTO,     /* look who sends a ClientHello, where the readings differ */
    SESSION_BFCP_ANSWERER, /* the answerer is TLS server */
    SESSION_BFCP_SETUP,    /* the active side is TLS client */
} SessionBfcpRule;

/**
 * Our part on the leg whose offer we answer: passive wherever the peer lets us (COM-09).
 * @current: our part on a connection that is kept, so that it does not change (TRK-08); else
 * UNDECIDED.
 */
MediaSetup session_answer_setup(const Medium *m, SdpSetup offered, MediaSetup current);

/**
 * Our part on the leg where we sent the offer @sent and got @answered back (COM-01, TRK-15,
 * TRK-16).
 * @peer_discard: the answer's port is 9, which only an active peer writes.
 * False for a pair that cannot be: the m-line has failed.
 */
bool session_offer_setup(SdpSetup sent, SdpSetup answered, bool peer_discard, const Medium *m,
                         MediaSetup *ret_setup);

/** What to write for our part @setup in an answer. */
SdpSetup session_setup_value(MediaSetup setup);

/** What to write in an offer: actpass, unless the other leg forces us to be passive here (COM-06,
 * COM-10, DTL-04). */
SdpSetup session_setup_to_offer(const Medium *m, MediaSetup other_leg);

/** @we_answer: the last new connection of this leg came from an offer of the peer's. */
MediaTlsRole session_tls_role(const Medium *m, MediaSetup ours, bool we_answer,
                              SessionBfcpRule rule);
