/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A message as a datagram and as a stream: what decodes, encodes to the same bytes and has the
 * length the scan found.
 */
#include "ng-protocol/ng-message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_stream(Span in)
{
    NgStreamScan whole = {0}, bytewise = {0};
    size_t len = 0, len2 = 0;
    NgScan result = ng_stream_scan(&whole, in, &len), step = NG_SCAN_MORE;

    g_assert_true(result != NG_SCAN_DONE || (len > 0 && len <= in.len));
    for (size_t n = 0; n <= in.len && step == NG_SCAN_MORE; n++)
        step = ng_stream_scan(&bytewise, span_head(in, n), &len2);
    g_assert_cmpint(step, ==, result);
    g_assert_cmpuint(len, ==, len2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    NgEnvelope env;
    Span in = {(const char *)data, size}, rest;

    check_stream(in);
    if (!ng_envelope_open(in, &env, NULL))
        return 0;
    g_autoptr(NgValue) v = ng_bencode_decode(env.body, &rest, NULL);
    if (!v)
        return 0;
    g_autoptr(GString) out = g_string_new(NULL);
    ng_bencode_append(out, v);
    g_assert_true(
        span_eq((Span){out->str, out->len}, span_head(env.body, env.body.len - rest.len)));
    g_assert_cmpint(ng_bencode_length(env.body), ==, out->len);
    g_autoptr(NgMessage) m = ng_message_new(&env, NULL);
    g_assert_true(!m || ng_value_is(m->dict, NG_DICT));
    return 0;
}
