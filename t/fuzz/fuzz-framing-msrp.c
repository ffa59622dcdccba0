/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first byte says how the rest is cut into reads, and which mapping is used. */
#include "framing/msrp-frame.h"
#include "framing/msrp-relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool append_cb(void *arg, const Span *slices, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        g_byte_array_append(arg, (const uint8_t *)slices[i].p, (guint)slices[i].len);
    return true;
}

static bool reply_cb(void *arg, Span frame)
{
    return arg && frame.len > 0;
}

/* Everything cut into reads of 1 to @most bytes, each in memory of its own; returns what was
 * forwarded. */
static GByteArray *relay(const MsrpMapSpec *spec, Span in, unsigned most,
                         MsrpRelayResult *ret_result)
{
    GByteArray *out = g_byte_array_new();
    MsrpSink sink = {append_cb, reply_cb, out};
    g_autoptr(MsrpRelay) r = msrp_relay_new(spec);
    *ret_result = MSRP_RELAY_OK;
    for (unsigned n = most; in.len && *ret_result == MSRP_RELAY_OK; n = n * 7 % most + 1) {
        Span read = span_head(in, n);
        g_autofree char *copy = g_memdup2(read.p, read.len);
        *ret_result = msrp_relay_feed(r, (Span){copy, read.len}, &sink);
        in = span_skip(in, read.len);
    }
    if (*ret_result == MSRP_RELAY_OK)
        msrp_relay_finish(r, &sink);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const Span a = SPAN("msrps://a:1/s;tcp"), b = SPAN("msrps://b:2/t;tcp"),
               c = SPAN("msrp://c:3/u;tcp");
    const MsrpMapSpec specs[] = {
        {.mode = MSRP_MAP_KEEP},
        {.mode = MSRP_MAP_SCHEME, .to_here = a, .from_here = b},
        {.mode = MSRP_MAP_SCHEME, .secure_there = true, .to_here = a, .from_here = c},
        {.mode = MSRP_MAP_AWARE, .to_here = a, .from_here = b, .to_there = c, .from_there = a}};
    MsrpRelayResult one, two;

    if (size < 1)
        return 0;
    Span in = {(const char *)data + 1, size - 1};
    for (size_t i = 0; i < G_N_ELEMENTS(specs); i++) {
        g_autoptr(GByteArray) whole = relay(&specs[i], in, (unsigned)MAX(in.len, 1), &one);
        g_autoptr(GByteArray) cut = relay(&specs[i], in, 1u + data[0], &two);
        g_assert_cmpint(one, ==, two);
        g_assert_cmpmem(whole->data, whole->len, cut->data, cut->len);
        if (i == 0) /* identity: the input, but for the frame that was not complete or bad */
            g_assert_true(whole->len <= in.len &&
                          (!whole->len || memcmp(whole->data, in.p, whole->len) == 0));
    }
    return 0;
}
