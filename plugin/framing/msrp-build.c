/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "framing/msrp-build.h"

static GString *start(Span tid)
{
    GString *out = g_string_new("MSRP ");

    return g_string_append_len(out, tid.p, (gssize)tid.len);
}

static void append_line(GString *out, const char *name, Span value)
{
    g_string_append(out, name);
    g_string_append_len(out, value.p, (gssize)value.len);
    g_string_append(out, "\r\n");
}

static char *finish(GString *out, Span tid)
{
    g_string_append(out, "-------");
    g_string_append_len(out, tid.p, (gssize)tid.len);
    g_string_append(out, "$\r\n");
    return g_string_free(out, FALSE);
}

char *msrp_build_response(Span tid, unsigned status, const char *comment, Span to_path,
                          Span from_path)
{
    GString *out = start(tid);

    g_string_append_printf(out, " %03u %s\r\n", status, comment);
    append_line(out, "To-Path: ", span_word(&from_path));
    append_line(out, "From-Path: ", span_word(&to_path));
    return finish(out, tid);
}

char *msrp_build_empty_send(Span tid, Span message_id, Span to_path, Span from_path)
{
    GString *out = start(tid);

    g_string_append(out, " SEND\r\n");
    append_line(out, "To-Path: ", to_path);
    append_line(out, "From-Path: ", from_path);
    append_line(out, "Message-ID: ", message_id);
    append_line(out, "Byte-Range: ", SPAN("1-0/0"));
    return finish(out, tid);
}

char *msrp_ident(const uint8_t *random, size_t n, char out[static MSRP_IDENT_MAX])
{
    static const char digits[] = "0123456789abcdef";

    g_assert(n >= 8 && 2 * n < MSRP_IDENT_MAX);
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[random[i] >> 4];
        out[2 * i + 1] = digits[random[i] & 15];
    }
    out[2 * n] = 0;
    return out;
}
