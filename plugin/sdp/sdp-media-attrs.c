/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "sdp/sdp-media-attrs.h"

SdpValue sdp_msrp_path(const SdpDoc *doc, unsigned section, MsrpPath *ret_path)
{
    Span value;
    MsrpPath path;
    SdpValue result = sdp_attr_single(doc, section, "path", &value);

    if (result != SDP_VALUE_OK)
        return result;
    if (!msrp_path_parse(value, &path))
        return SDP_VALUE_BAD;
    for (unsigned i = 0; i < path.n; i++)
        if (path.uri[i].port == 0 || path.uri[i].session_id.len == 0)
            return SDP_VALUE_BAD;
    *ret_path = path;
    return SDP_VALUE_OK;
}

bool sdp_has_msrp_cema(const SdpDoc *doc, unsigned section)
{
    SdpAttr a;

    return sdp_attr_first(doc, section, "msrp-cema", &a);
}

bool sdp_has_sessmatch(const SdpDoc *doc, unsigned section)
{
    SdpAttr a;

    return sdp_attr_first(doc, section, "msrp-acceptsessmatch", &a);
}

bool sdp_mid(const SdpDoc *doc, unsigned section, Span *ret_mid)
{
    Span mid;

    if (section == 0 || sdp_attr_single(doc, section, "mid", &mid) != SDP_VALUE_OK || !mid.len)
        return false;
    *ret_mid = mid;
    return true;
}

static bool own_direction(const SdpDoc *doc, unsigned section, SdpDirection *ret_direction)
{
    static const Span names[] = {
        {"sendrecv", 8}, {"sendonly", 8}, {"recvonly", 8}, {"inactive", 8}};
    SdpAttrIter it = sdp_attr_iter(doc, section, NULL);
    SdpAttr a;

    while (sdp_attr_next(&it, &a))
        for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
            if (span_eq_nocase(a.name, names[i])) {
                *ret_direction = (SdpDirection)i;
                return true;
            }
    return false;
}

SdpDirection sdp_direction(const SdpDoc *doc, unsigned section)
{
    SdpDirection direction = SDP_SENDRECV;

    if (!own_direction(doc, section, &direction))
        own_direction(doc, 0, &direction);
    return direction;
}

bool sdp_group_has(const SdpDoc *doc, const char *semantics, Span mid)
{
    SdpAttrIter it = sdp_attr_iter(doc, 0, "group");
    SdpAttr a;

    while (sdp_attr_next(&it, &a)) {
        Span first = span_word(&a.value);
        if (semantics && !span_eq_nocase(first, span_str(semantics)))
            continue;
        for (Span word = span_word(&a.value); word.len; word = span_word(&a.value))
            if (span_eq(word, mid))
                return true;
    }
    return false;
}
