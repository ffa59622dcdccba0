/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "sdp/sdp-merge.h"

#include "sdp/sdp-media-attrs.h"
#include "sdp/sdp-rewrite.h"

static bool check_picks(const SdpPick *picks, size_t n, GError **error)
{
    for (size_t i = 0; i < n; i++) {
        unsigned there = sdp_edit_doc(picks[i].from)->n_sections - 1;
        g_assert(picks[i].section > 0);
        if (picks[i].section > there) {
            g_set_error(error, SDP_ERROR, SDP_ERROR_MERGE,
                        "m= line %u is wanted of an SDP that has %u", picks[i].section, there);
            return false;
        }
    }
    return true;
}

static bool is_carried(Span mid, const SdpPick *picks, size_t n)
{
    Span other;

    for (size_t i = 0; i < n; i++)
        if (sdp_mid(sdp_edit_doc(picks[i].from), picks[i].section, &other) && span_eq(other, mid))
            return true;
    return false;
}

/* Appends one part and cuts what follows its last line that is not empty. */
static void append_part(GString *out, const SdpEdit *edit, unsigned section)
{
    size_t start = out->len;

    sdp_edit_render_section(edit, section, out);
    size_t end = out->len;
    while (end > start && memchr("\r\n \t", out->str[end - 1], 4))
        end--;
    if (end == start) {
        g_string_truncate(out, start);
        return;
    }
    const char *lf = strchr(out->str + end, '\n');
    if (lf) {
        g_string_truncate(out, (gsize)(lf - out->str) + 1);
    } else {
        if (out->str[out->len - 1] == '\r')
            g_string_truncate(out, out->len - 1);
        g_string_append(out, sdp_doc_eol(sdp_edit_doc(edit)));
    }
}

/* Takes @mids out of @session, a rendered session part. */
static bool drop_mids(GString *session, const Span *mids, size_t n, GError **error)
{
    if (n == 0 || session->len == 0)
        return true;
    g_autoptr(SdpDoc) doc = sdp_doc_parse((Span){session->str, session->len}, error);
    if (!doc)
        return false;
    g_autoptr(SdpEdit) edit = sdp_edit_new(doc);
    sdp_edit_drop_mids(edit, mids, n);
    g_autofree char *text = sdp_edit_render(edit);
    g_string_assign(session, text);
    return true;
}

char *sdp_merge(const SdpEdit *session, const SdpPick *picks, size_t n, GError **error)
{
    const SdpDoc *doc = sdp_edit_doc(session);
    g_autoptr(GString) out = g_string_sized_new(doc->len + 512);
    Span dropped[SDP_MAX_SECTIONS];
    size_t n_dropped = 0;

    if (!check_picks(picks, n, error))
        return NULL;
    for (unsigned i = 1; i < doc->n_sections; i++)
        if (sdp_mid(doc, i, &dropped[n_dropped]) && !is_carried(dropped[n_dropped], picks, n))
            n_dropped++;
    append_part(out, session, 0);
    if (!drop_mids(out, dropped, n_dropped, error))
        return NULL;
    for (size_t i = 0; i < n; i++)
        append_part(out, picks[i].from, picks[i].section);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

char *sdp_select(const SdpEdit *edit, const unsigned *sections, size_t n, GError **error)
{
    g_autofree SdpPick *picks = g_new(SdpPick, n);

    for (size_t i = 0; i < n; i++)
        picks[i] = (SdpPick){edit, sections[i]};
    return sdp_merge(edit, picks, n, error);
}
