/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/span.h"

static void assert_span(Span got, const char *want)
{
    g_autofree char *text = span_dup(got);
    g_assert_cmpstr(text, ==, want);
}

/* What follows an embedded NUL is part of the bytes. */
static void test_dup(void)
{
    g_autofree char *copy = span_dup(SPAN("a\0b"));
    g_autofree char *empty = span_dup((Span){NULL, 0});

    g_assert_cmpint(memcmp(copy, "a\0b", 4), ==, 0);
    g_assert_cmpstr(empty, ==, "");
}

static void test_cut(void)
{
    Span s = SPAN("a,,b");

    assert_span(span_cut(&s, ','), "a");
    assert_span(span_cut(&s, ','), "");
    assert_span(span_cut(&s, ','), "b");
    g_assert_cmpuint(s.len, ==, 0);
}

static void test_word(void)
{
    Span s = SPAN("  audio\t5004 RTP/AVP ");

    assert_span(span_word(&s), "audio");
    assert_span(span_word(&s), "5004");
    assert_span(span_word(&s), "RTP/AVP");
    assert_span(span_word(&s), "");
}

static void test_uint(void)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool ok;
        uint64_t value;
    } cases[] = {
        {"0", 9, true, 0},
        {"65535", 65535, true, 65535},
        {"65536", 65535, false, 0},
        {"", 9, false, 0},
        {" 1", 9, false, 0},
        {"+1", 9, false, 0},
        {"1a", 99, false, 0},
        {"0x1", 99, false, 0},
        {"-1", 99, false, 0},
        {"007", 9, true, 7},
        {"99999999999999999999", UINT64_MAX, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint64_t value = 4711;
        g_assert_cmpint(span_uint(span_str(cases[i].text), cases[i].max, &value), ==, cases[i].ok);
        g_assert_cmpuint(value, ==, cases[i].ok ? cases[i].value : 4711);
    }
}

/* Every byte at every place, against the definition. */
static void test_visible(void)
{
    for (size_t len = 0; len <= 20; len++)
        for (size_t at = 0; at < len; at++)
            for (int c = 0; c < 256; c++) {
                g_autofree char *text = g_strnfill(len, 'a');
                text[at] = (char)c;
                bool ends = c <= 0x20 || c >= 0x7f || c == ':';
                g_assert_cmpuint(span_visible((Span){text, len}, ':'), ==, ends ? at : len);
                if (at > 0)
                    text[at - 1] = ':';
                g_assert_cmpuint(span_visible((Span){text, len}, ':'), ==,
                                 at > 0 ? at - 1
                                 : ends ? at
                                        : len);
            }
}

static void test_append_uint(void)
{
    static const uint64_t values[] = {0, 7, 10, 4711, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX};
    g_autoptr(GString) out = g_string_new("x");

    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *expected = g_strdup_printf("x%" G_GUINT64_FORMAT, values[i]);
        span_append_uint(out, values[i]);
        g_assert_cmpstr(out->str, ==, expected);
        g_string_truncate(out, 1);
    }
}

static void test_quote(void)
{
    g_autofree char *plain = span_quote(SPAN("a=setup:\r\n\"x\""));
    g_assert_cmpstr(plain, ==, "\"a=setup:\\x0d\\x0a\\\"x\\\"\"");

    char big[200];
    memset(big, 'x', sizeof big);
    g_autofree char *cut = span_quote((Span){big, sizeof big});
    g_assert_cmpuint(strlen(cut), ==, 80 + 2 + 3);
    g_assert_true(g_str_has_suffix(cut, "...\""));
}

static void test_trim(void)
{
    assert_span(span_trim(SPAN(" \t x y \t")), "x y");
    assert_span(span_trim(SPAN("  ")), "");
}

static void test_compare(void)
{
    g_assert_true(span_eq_nocase(SPAN("TCP/TLS/MSRP"), SPAN("tcp/tls/msrp")));
    g_assert_false(span_eq(SPAN("TCP"), SPAN("tcp")));
    g_assert_true(span_eq((Span){NULL, 0}, SPAN("")));
    g_assert_false(span_starts(SPAN("e2"), SPAN("e2ae")));
}

static void test_copy(void)
{
    static const size_t sizes[] = {0, 1, 2047, 2048, 2049, 4096, 10000};
    char from[10000], to[10001];

    for (size_t i = 0; i < sizeof from; i++)
        from[i] = (char)(i % 251);
    for (size_t k = 0; k < G_N_ELEMENTS(sizes); k++) {
        memset(to, '!', sizeof to);
        span_copy(to, (Span){from, sizes[k]});
        g_assert_true(memcmp(to, from, sizes[k]) == 0);
        g_assert_cmpint(to[sizes[k]], ==, '!');
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/span/copy", test_copy);
    g_test_add_func("/base/span/dup", test_dup);
    g_test_add_func("/base/span/cut", test_cut);
    g_test_add_func("/base/span/word", test_word);
    g_test_add_func("/base/span/uint", test_uint);
    g_test_add_func("/base/span/visible", test_visible);
    g_test_add_func("/base/span/append-uint", test_append_uint);
    g_test_add_func("/base/span/quote", test_quote);
    g_test_add_func("/base/span/trim", test_trim);
    g_test_add_func("/base/span/compare", test_compare);
    return g_test_run();
}
