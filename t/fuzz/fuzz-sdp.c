/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sdp/sdp-conn.h"
#include "sdp/sdp-media-attrs.h"
#include "sdp/sdp-merge.h"
#include "sdp/sdp-rewrite.h"
#include "sdp/sdp-tls-attrs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *names[] = {"setup", "fingerprint", "group", "mid", NULL};
    g_autoptr(SdpDoc) doc = sdp_doc_parse((Span){(const char *)data, size}, NULL);
    if (!doc || size > SDP_MAX_BYTES / 4 || doc->n_lines > SDP_MAX_LINES / 4)
        return 0; /* refused, or the edits below could pass a limit */
    g_autoptr(SdpEdit) edit = sdp_edit_new(doc);
    for (unsigned i = 0; i < doc->n_sections; i++) {
        Addr addr = {.family = ADDR_IP4};
        MsrpPath path;
        Span id, mid[1] = {SPAN("0")};
        if (sdp_msrp_path(doc, i, &path) == sdp_tls_id(doc, i, &id))
            sdp_edit_add_attr(edit, i, "path", "msrp://h:1/s;tcp");
        if (sdp_conn_of(doc, i, &addr) != SDP_CONN_OK || sdp_fingerprints(doc, i).set.n)
            sdp_edit_set_conn(edit, i, &addr);
        sdp_edit_drop_mids(edit, mid, sdp_mid(doc, i, mid));
        if (i == 0)
            continue;
        sdp_edit_set_port(edit, i, (uint16_t)(sdp_setup(doc, i) + 9u * sdp_indication(doc, i)));
        sdp_edit_set_proto(edit, i, sdp_direction(doc, i) || sdp_connection(doc, i) ? "x" : "y/z");
        sdp_edit_copy_down(edit, i, names);
        sdp_edit_delete_attrs(edit, i, names + 1);
        sdp_edit_set_attr(edit, i, "x", sdp_edit_bump_version(edit) ? NULL : "y");
    }
    g_autofree char *all = sdp_edit_render(edit);
    g_autofree char *one = sdp_select(edit, &(unsigned){1}, 1, NULL);
    g_autoptr(SdpDoc) again = sdp_doc_parse(span_str(all), NULL);
    g_assert(again ? again->n_sections == doc->n_sections : !*all);
    g_assert(!one == (doc->n_sections < 2));
    return 0;
}
