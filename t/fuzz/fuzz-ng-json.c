/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What decodes as JSON, encodes to JSON that means the same; what decodes as bencode, encodes to
 * valid JSON too.
 */
#include "ng-protocol/ng-bencode.h"
#include "ng-protocol/ng-json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static GString *encoded(const NgValue *v)
{
    GString *out = g_string_new(NULL);

    ng_json_append(out, v);
    g_assert_true(g_utf8_validate(out->str, (gssize)out->len, NULL));
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Span in = {(const char *)data, size}, rest;
    g_autoptr(NgValue) bencode = ng_bencode_decode(in, &rest, NULL);

    if (bencode)
        g_string_free(encoded(bencode), TRUE);
    g_autoptr(NgValue) v = ng_json_decode(in, NULL);
    if (!v)
        return 0;
    g_autoptr(GString) out = encoded(v);
    g_autoptr(NgValue) again = ng_json_decode((Span){out->str, out->len}, NULL);
    g_assert_nonnull(again);
    g_autoptr(GString) out2 = encoded(again);
    g_assert_cmpstr(out->str, ==, out2->str);
    return 0;
}
