/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "sdp/sdp-rewrite.h"

#include "sdp/sdp-attr.h"

/* The current text of @line with the bytes of @part, which lies in it, replaced. */
static void splice(SdpEdit *edit, unsigned line, Span text, Span part, const char *replacement)
{
    size_t before = (size_t)(part.p - text.p);
    g_autoptr(GString) out = g_string_new_len(text.p, (gssize)before);

    g_string_append(out, replacement);
    Span after = span_skip(text, before + part.len);
    if (after.len)
        g_string_append_len(out, after.p, (gssize)after.len);
    sdp_edit_replace(edit, line, out->str);
}

/* The m= line as it is now. */
static unsigned media_line(const SdpEdit *edit, unsigned section, Span *ret_text,
                           SdpMedia *ret_media)
{
    const SdpDoc *doc = sdp_edit_doc(edit);

    g_assert(section > 0 && section < doc->n_sections);
    unsigned line = doc->sections[section].first;
    bool ok =
        sdp_edit_text(edit, line, ret_text) && sdp_media_parse(span_skip(*ret_text, 2), ret_media);
    g_assert(ok); /* the document's own m= line is one, and sdp_edit_replace() takes nothing else */
    return line;
}

void sdp_edit_set_port(SdpEdit *edit, unsigned section, uint16_t port)
{
    Span text;
    SdpMedia m;
    char number[8];
    unsigned line = media_line(edit, section, &text, &m);
    Span rest = span_skip(text, (size_t)(m.media.p + m.media.len - text.p));
    Span word = span_word(&rest);

    g_snprintf(number, sizeof number, "%u", port);
    splice(edit, line, text, word, number);
}

void sdp_edit_set_proto(SdpEdit *edit, unsigned section, const char *proto)
{
    Span text;
    SdpMedia m;
    unsigned line = media_line(edit, section, &text, &m);

    if (m.proto.len) {
        splice(edit, line, text, m.proto, proto);
        return;
    }
    g_autofree char *padded = g_strconcat(" ", proto, NULL);
    splice(edit, line, text, span_skip(text, text.len), padded);
}

void sdp_edit_copy_down(SdpEdit *edit, unsigned section, const char *const names[])
{
    const SdpDoc *doc = sdp_edit_doc(edit);
    SdpAttr a;

    g_assert(section > 0);
    for (size_t i = 0; names[i]; i++) {
        if (sdp_attr_first(doc, section, names[i], &a))
            continue;
        SdpAttrIter it = sdp_attr_iter(doc, 0, names[i]);
        while (sdp_attr_next(&it, &a)) {
            g_autofree char *text = span_dup(sdp_line_text(&doc->lines[a.line]));
            sdp_edit_append(edit, section, text);
        }
    }
}

/* @digits plus one, as text owned by the caller. */
static char *incremented(Span digits)
{
    GString *out = g_string_new_len(digits.p, (gssize)digits.len);
    size_t i = out->len;

    while (i > 0 && out->str[i - 1] == '9')
        out->str[--i] = '0';
    if (i > 0)
        out->str[i - 1]++;
    else
        g_string_prepend_c(out, '1');
    return g_string_free(out, FALSE);
}

static bool all_digits(Span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!g_ascii_isdigit(s.p[i]))
            return false;
    return s.len > 0;
}

bool sdp_edit_bump_version(SdpEdit *edit)
{
    unsigned line;
    Span text;

    if (!sdp_doc_find(sdp_edit_doc(edit), 0, 'o', &line) || !sdp_edit_text(edit, line, &text))
        return false;
    Span rest = span_skip(text, 2);
    span_word(&rest); /* user name */
    span_word(&rest); /* session id */
    Span version = span_word(&rest);
    if (!all_digits(version) || !span_word(&rest).len)
        return false;
    g_autofree char *next = incremented(version);
    splice(edit, line, text, version, next);
    return true;
}

bool sdp_edit_set_origin(SdpEdit *edit, const Addr *addr)
{
    char ip[ADDR_TEXT_MAX];
    unsigned line;
    Span text;

    if (!sdp_doc_find(sdp_edit_doc(edit), 0, 'o', &line) || !sdp_edit_text(edit, line, &text))
        return false;
    Span rest = span_skip(text, 2);
    for (int i = 0; i < 3; i++) /* user name, session id, version */
        span_word(&rest);
    Span net = span_word(&rest);
    span_word(&rest); /* address family */
    Span host = span_word(&rest);
    if (!span_eq(net, SPAN("IN")) || !host.len)
        return false;
    g_autofree char *where = g_strdup_printf("IN IP%d %s", addr->family, addr_ip_text(addr, ip));
    splice(edit, line, text, (Span){net.p, (size_t)(host.p + host.len - net.p)}, where);
    return true;
}

static bool contains(const Span *mids, size_t n, Span mid)
{
    for (size_t i = 0; i < n; i++)
        if (span_eq(mids[i], mid))
            return true;
    return false;
}

/* @text is "a=group:SEMANTICS mid mid ...". */
static void drop_from_group(SdpEdit *edit, unsigned line, Span text, const Span *mids, size_t n)
{
    Span rest = text;
    unsigned kept = 0, dropped = 0;

    span_cut(&rest, ':');
    Span semantics = span_word(&rest);
    g_autoptr(GString) out = g_string_new_len(
        text.p, semantics.len ? (gssize)(semantics.p + semantics.len - text.p) : 0);
    for (Span mid = span_word(&rest); mid.len; mid = span_word(&rest)) {
        if (contains(mids, n, mid)) {
            dropped++;
            continue;
        }
        kept++;
        g_string_append_c(out, ' ');
        g_string_append_len(out, mid.p, (gssize)mid.len);
    }
    if (dropped && kept)
        sdp_edit_replace(edit, line, out->str);
    else if (dropped)
        sdp_edit_delete(edit, line);
}

void sdp_edit_drop_mids(SdpEdit *edit, const Span *mids, size_t n)
{
    SdpAttrIter it = sdp_attr_iter(sdp_edit_doc(edit), 0, "group");
    SdpAttr a;
    Span text;

    while (sdp_attr_next(&it, &a))
        if (sdp_edit_text(edit, a.line, &text))
            drop_from_group(edit, a.line, text, mids, n);
}
