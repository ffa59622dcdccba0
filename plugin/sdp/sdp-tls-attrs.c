/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "sdp/sdp-tls-attrs.h"

SdpFingerprints sdp_fingerprints(const SdpDoc *doc, unsigned section)
{
    unsigned level = sdp_attr_level(doc, section, "fingerprint");
    SdpAttrIter it = sdp_attr_iter(doc, level, "fingerprint");
    SdpFingerprints found = {0};
    SdpAttr a;

    while (sdp_attr_next(&it, &a)) {
        Fingerprint fp;
        FpParse result = fp_parse(a.value, &fp);
        if (result == FP_PARSE_UNUSABLE)
            found.unusable++;
        else if (result == FP_PARSE_BAD || !fp_set_add(&found.set, &fp))
            found.malformed++;
    }
    return found;
}

/*
 * The position of the attribute's value in @names (1-based, like the enums), 0 when absent, @n + 1
 * when it is none of them or ambiguous.
 */
static unsigned token(const SdpDoc *doc, unsigned section, const char *attr,
                      const char *const *names, unsigned n)
{
    Span value;
    SdpValue result = sdp_attr_single(doc, sdp_attr_level(doc, section, attr), attr, &value);

    if (result == SDP_VALUE_NONE)
        return 0;
    for (unsigned i = 0; i < n && result == SDP_VALUE_OK; i++)
        if (span_eq_nocase(value, span_str(names[i])))
            return i + 1;
    return n + 1;
}

static const char *const setup_names[] = {"active", "passive", "actpass", "holdconn"};
static const char *const connection_names[] = {"new", "existing"};
G_STATIC_ASSERT(G_N_ELEMENTS(setup_names) + 1 == SDP_SETUP_BAD);
G_STATIC_ASSERT(G_N_ELEMENTS(connection_names) + 1 == SDP_CONNECTION_BAD);

SdpSetup sdp_setup(const SdpDoc *doc, unsigned section)
{
    return (SdpSetup)token(doc, section, "setup", setup_names, G_N_ELEMENTS(setup_names));
}

const char *sdp_setup_name(SdpSetup setup)
{
    g_assert(setup > SDP_SETUP_NONE && setup < SDP_SETUP_BAD);
    return setup_names[setup - 1];
}

SdpConnection sdp_connection(const SdpDoc *doc, unsigned section)
{
    return (SdpConnection)token(doc, section, "connection", connection_names,
                                G_N_ELEMENTS(connection_names));
}

SdpIndication sdp_indication(const SdpDoc *doc, unsigned section)
{
    SdpIndication result = SDP_INDICATION_NONE;
    SdpAttrIter it = sdp_attr_iter(doc, section, "3ge2ae");
    SdpAttr a;

    if (section == 0) /* no meaning at session level */
        return SDP_INDICATION_NONE;
    while (sdp_attr_next(&it, &a)) {
        if (span_eq_nocase(a.value, SPAN("requested")))
            return SDP_INDICATION_REQUESTED;
        if (span_eq_nocase(a.value, SPAN("applied")))
            result = SDP_INDICATION_APPLIED;
    }
    return result;
}

static bool is_tls_id(Span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!g_ascii_isalnum(s.p[i]) && !memchr("+/-_", s.p[i], 4))
            return false;
    return s.len >= SDP_TLS_ID_MIN && s.len <= SDP_TLS_ID_MAX;
}

SdpValue sdp_tls_id(const SdpDoc *doc, unsigned section, Span *ret_id)
{
    Span id;
    SdpValue result = section > 0 ? sdp_attr_single(doc, section, "tls-id", &id) : SDP_VALUE_NONE;

    if (result != SDP_VALUE_OK)
        return result;
    if (!is_tls_id(id))
        return SDP_VALUE_BAD;
    *ret_id = id;
    return SDP_VALUE_OK;
}
