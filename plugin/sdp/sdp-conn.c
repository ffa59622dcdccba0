/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "sdp/sdp-conn.h"

/* A name whose last label is not a number; else it is an address gone wrong. */
static bool is_host_name(Span s)
{
    bool letter_in_label = false;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (c == '.') {
            if (i + 1 < s.len)
                letter_in_label = false;
        } else if (g_ascii_isalnum(c) || c == '-' || c == '_') {
            letter_in_label |= !g_ascii_isdigit(c);
        } else {
            return false;
        }
    }
    return letter_in_label;
}

static bool is_multicast(const Addr *a)
{
    return a->family == ADDR_IP4 ? (a->ip[0] & 0xf0) == 0xe0 : a->ip[0] == 0xff;
}

static AddrFamily family_from_name(Span name)
{
    if (span_eq_nocase(name, SPAN("IP4")))
        return ADDR_IP4;
    return span_eq_nocase(name, SPAN("IP6")) ? ADDR_IP6 : ADDR_NONE;
}

SdpConn sdp_conn_parse(Span value, Addr *ret_addr)
{
    Span net = span_word(&value);
    AddrFamily family = family_from_name(span_word(&value));
    Span text = span_word(&value);
    Addr a;

    if (!span_eq_nocase(net, SPAN("IN")) || family == ADDR_NONE || span_word(&value).len)
        return SDP_CONN_BAD;
    if (is_host_name(text))
        return SDP_CONN_NAME;
    if (!text.len || text.p[0] == '[' || !addr_parse_ip(text, &a))
        return SDP_CONN_BAD;
    if (a.family != family || is_multicast(&a))
        return SDP_CONN_BAD;
    *ret_addr = a;
    return SDP_CONN_OK;
}

/* The c= lines of one section: SDP_CONN_BAD when they differ. */
static SdpConn section_conn(const SdpDoc *doc, unsigned section, Addr *ret_addr)
{
    const SdpSection *s = &doc->sections[section];
    SdpConn result = SDP_CONN_NONE;
    Addr first = {0};

    for (unsigned i = s->first; i < s->first + s->n_lines; i++) {
        Addr a = {0};
        if (doc->lines[i].type != 'c')
            continue;
        SdpConn one = sdp_conn_parse(doc->lines[i].value, &a);
        if (result != SDP_CONN_NONE && (one != result || !addr_eq(&a, &first)))
            return SDP_CONN_BAD;
        result = one;
        first = a;
    }
    if (result == SDP_CONN_OK)
        *ret_addr = first;
    return result;
}

SdpConn sdp_conn_of(const SdpDoc *doc, unsigned section, Addr *ret_addr)
{
    g_assert(section < doc->n_sections);
    Addr a;
    SdpConn result = section_conn(doc, section, &a);

    if (result == SDP_CONN_NONE && section > 0)
        result = section_conn(doc, 0, &a);
    if (result == SDP_CONN_OK)
        *ret_addr = addr_with_port(a, doc->sections[section].media.port);
    return result;
}
