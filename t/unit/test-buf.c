/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/buf.h"

static void test_limit(void)
{
    Buf b;

    buf_init(&b, 10);
    g_assert_true(buf_append(&b, SPAN("12345678")));
    g_assert_false(buf_append(&b, SPAN("abc")));
    g_assert_cmpuint(buf_len(&b), ==, 8);
    g_assert_null(buf_reserve(&b, 3));
    buf_consume(&b, 5);
    g_assert_true(buf_append(&b, SPAN("abc")));
    g_assert_true(span_eq(buf_span(&b), SPAN("678abc")));
    buf_clear(&b);
    g_assert_cmpuint(b.limit, ==, 10);
    g_assert_null(b.data);
}

/* Whatever the pattern of appends and consumes, bytes come out in the order they went in. */
static void test_order(void)
{
    Buf b;
    unsigned in = 0;
    unsigned out = 0;

    buf_init(&b, 5000);
    for (unsigned round = 0; round < 2000; round++) {
        char chunk[97];
        size_t n = (round * 31) % sizeof chunk;
        for (size_t i = 0; i < n; i++)
            chunk[i] = (char)((in + i) % 251);
        if (buf_append(&b, (Span){chunk, n}))
            in += (unsigned)n;
        size_t take = MIN(buf_len(&b), (round * 17) % 101);
        for (size_t i = 0; i < take; i++)
            g_assert_cmpint(buf_span(&b).p[i], ==, (char)((out + i) % 251));
        buf_consume(&b, take);
        out += (unsigned)take;
    }
    g_assert_cmpuint(buf_len(&b), ==, in - out);
    buf_clear(&b);
}

static void test_release_idle(void)
{
    Buf b;

    buf_init(&b, 100);
    buf_append(&b, SPAN("x"));
    buf_release_idle(&b);
    g_assert_nonnull(b.data);
    buf_reset(&b);
    g_assert_cmpuint(buf_len(&b), ==, 0);
    g_assert_nonnull(b.data);
    buf_release_idle(&b);
    g_assert_null(b.data);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/buf/limit", test_limit);
    g_test_add_func("/base/buf/order", test_order);
    g_test_add_func("/base/buf/release-idle", test_release_idle);
    return g_test_run();
}
