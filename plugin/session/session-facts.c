/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session-facts.h"

#include "sdp/sdp-attr.h"
#include "sdp/sdp-conn.h"
#include "sdp/sdp-media-attrs.h"
#include "sdp/sdp-tls-attrs.h"

static const char *conn_fault(SdpConn conn)
{
    switch (conn) {
    case SDP_CONN_OK:
        return NULL;
    case SDP_CONN_NONE:
        return "no c= line";
    case SDP_CONN_NAME:
        return "c= has a host name, which is not resolved";
    case SDP_CONN_BAD:
        break;
    }
    return "c= is not a usable unicast address";
}

static const char *fingerprint_fault(const SdpFingerprints *fps)
{
    if (fps->malformed)
        return "malformed a=fingerprint";
    if (!fps->set.n)
        return fps->unusable ? "no a=fingerprint with an accepted hash function"
                             : "no a=fingerprint";
    return NULL;
}

static void read_path(const SdpDoc *doc, unsigned section, SessionFacts *facts)
{
    MsrpPath path;
    SdpAttr attr;

    if (sdp_attr_first(doc, section, "path", &attr))
        facts->path = attr.value;
    facts->path_relays = sdp_msrp_path(doc, section, &path) == SDP_VALUE_OK && path.n > 1;
    facts->cema = sdp_has_msrp_cema(doc, section);
}

static SdpSetup known_setup(SdpSetup setup)
{
    return setup == SDP_SETUP_BAD ? SDP_SETUP_NONE : setup;
}

static SdpConnection known_connection(SdpConnection connection)
{
    return connection == SDP_CONNECTION_BAD ? SDP_CONNECTION_NONE : connection;
}

void session_facts_read(const SdpDoc *doc, unsigned index, SessionFacts *ret_facts)
{
    unsigned section = index + 1;
    const SdpMedia *media = &doc->sections[section].media;
    SessionFacts facts = {.media = media};
    SdpAttr attr;

    if (media->ok)
        facts.medium = medium_find(media->media, media->proto, media->fmt, &facts.secure);
    if (facts.medium) {
        SdpFingerprints fps = sdp_fingerprints(doc, section);
        facts.fingerprints = fps.set;
        facts.fingerprint_fault = fingerprint_fault(&fps);
        facts.address_fault = conn_fault(sdp_conn_of(doc, section, &facts.remote));
        facts.setup = known_setup(sdp_setup(doc, section));
        facts.connection = known_connection(sdp_connection(doc, section));
        facts.indication = sdp_indication(doc, section);
        facts.key_mgmt = sdp_attr_first(doc, section, "key-mgmt", &attr);
        sdp_tls_id(doc, section, &facts.tls_id);
        read_path(doc, section, &facts);
    }
    *ret_facts = facts;
}

void session_facts_override(SessionFacts *facts, unsigned index, const E2aeParams *params)
{
    FingerprintSet given = {0};

    for (unsigned i = 0; i < params->n_fingerprints; i++) {
        const E2aeFingerprint *f = &params->fingerprints[i];
        if (f->index != 0 && f->index != index + 1)
            continue;
        if (!fp_set_add(&given, &f->fp))
            return;
    }
    if (!given.n || !facts->secure)
        return;
    facts->fingerprints = given;
    facts->fingerprint_fault = NULL;
}
