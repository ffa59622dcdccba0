/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "sdp/sdp-attr.h"

bool sdp_attr_parse(const SdpDoc *doc, unsigned line, SdpAttr *ret_attr)
{
    g_assert(line < doc->n_lines);
    if (doc->lines[line].type != 'a')
        return false;
    Span rest = doc->lines[line].value;
    Span name = span_cut(&rest, ':');
    *ret_attr = (SdpAttr){.line = line, .name = span_trim(name), .value = span_trim(rest)};
    return true;
}

SdpAttrIter sdp_attr_iter(const SdpDoc *doc, unsigned section, const char *name)
{
    g_assert(section < doc->n_sections);
    const SdpSection *s = &doc->sections[section];

    return (SdpAttrIter){.doc = doc, .name = name, .next = s->first, .end = s->first + s->n_lines};
}

bool sdp_attr_next(SdpAttrIter *it, SdpAttr *ret_attr)
{
    SdpAttr a;

    while (it->next < it->end)
        if (sdp_attr_parse(it->doc, it->next++, &a) &&
            (!it->name || span_eq_nocase(a.name, span_str(it->name)))) {
            *ret_attr = a;
            return true;
        }
    return false;
}

bool sdp_attr_first(const SdpDoc *doc, unsigned section, const char *name, SdpAttr *ret_attr)
{
    SdpAttrIter it = sdp_attr_iter(doc, section, name);

    return sdp_attr_next(&it, ret_attr);
}

unsigned sdp_attr_level(const SdpDoc *doc, unsigned section, const char *name)
{
    SdpAttr a;

    if (!sdp_attr_first(doc, section, name, &a) && sdp_attr_first(doc, 0, name, &a))
        return 0;
    return section;
}

SdpValue sdp_attr_single(const SdpDoc *doc, unsigned section, const char *name, Span *ret_value)
{
    SdpAttrIter it = sdp_attr_iter(doc, section, name);
    SdpAttr first, more;

    if (!sdp_attr_next(&it, &first))
        return SDP_VALUE_NONE;
    while (sdp_attr_next(&it, &more))
        if (!span_eq(first.value, more.value))
            return SDP_VALUE_BAD;
    *ret_value = first.value;
    return SDP_VALUE_OK;
}
