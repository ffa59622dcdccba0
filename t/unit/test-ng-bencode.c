/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ng-protocol/ng-bencode.h"

/* The body of a Kamailio 5.6 offer, as it stands on the wire. */
#define OFFER                                                                                      \
    "d8:supportsl10:load limite3:sdp27:v=0\r\no=- 1 1 IN IP4 1.1.1.1"                              \
    "4:e2ae11:originating12:delete delayi5e12:delete-delay1:59:directionl4:priv3:pube"             \
    "5:flagsl11:e2ae-stricte7:call-id4:c@id7:command5:offere"

static void test_round_trip(void)
{
    static const Span cases[] = {
        SPAN("d7:command4:pinge"),
        SPAN("de"),
        SPAN("le"),
        SPAN("0:"),
        SPAN("i0e"),
        SPAN("i-9223372036854775808e"),
        SPAN("i9223372036854775807e"),
        SPAN("3:a\0b"),
        SPAN("d1:\3774:\0\303\050\377e"),
        SPAN("d1:zi1e1:ai2e1:zi3ee"), /* unsorted, a key twice */
        SPAN("ld0:0:eldelee1:xe"),
        SPAN(OFFER),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NgValue) v = ng_bencode_decode(cases[i], NULL, &error);
        g_autoptr(GString) out = g_string_new(NULL);
        g_assert_no_error(error);
        ng_bencode_append(out, v);
        g_assert_true(span_eq((Span){out->str, out->len}, cases[i]));
        g_assert_cmpint(ng_bencode_length(cases[i]), ==, cases[i].len);
    }
}

static void test_values(void)
{
    g_autoptr(NgValue) v = ng_bencode_decode(SPAN(OFFER), NULL, NULL);
    int64_t i = 0;

    g_assert_cmpuint(ng_value_n(v), ==, 9);
    g_assert_cmpuint(ng_dict_get_str(v, SPAN("sdp")).len, ==, 27);
    g_assert_true(ng_dict_get_int(v, SPAN("delete delay"), &i));
    g_assert_cmpint(i, ==, 5);
    g_assert_true(ng_value_is(ng_dict_get(v, SPAN("delete-delay")), NG_STRING));
    g_assert_true(ng_dict_get_int(v, SPAN("delete-delay"), &i));
    g_assert_cmpint(i, ==, 5);
}

static void test_malformed(void)
{
    static const struct {
        const char *in;
        const char *why;
        gssize length; /* what the stream scan says of it */
    } cases[] = {
        {"", "value missing", 0},
        {"x", "no value starts like this", -1},
        {"e", "no value starts like this", -1},
        {"i", "integer cut short", 0},
        {"ie", "bad integer", -1},
        {"i-e", "bad integer", -1},
        {"i-0e", "bad integer", -1},
        {"i00e", "bad integer", -1},
        {"i-01e", "bad integer", -1},
        {"i+1e", "bad integer", -1},
        {"i1.5e", "bad integer", -1},
        {"i9223372036854775808e", "bad integer", -1},
        {"i-9223372036854775809e", "bad integer", -1},
        {"i1111111111111111111111111111", "bad integer", -1},
        {"5:abcd", "string cut short", 0},
        {"5", "string cut short", 0},
        {"05:abcde", "bad string length", -1},
        {"00:", "bad string length", -1},
        {"-1:a", "no value starts like this", -1},
        {"1048577:", "bad string length", -1},
        {"99999999999:", "bad string length", -1},
        {"99999999999999999999999999", "bad string length", -1},
        {"18446744073709551615:", "bad string length", -1},
        {"4294967297:a", "bad string length", -1},
        {"l", "value missing", 0},
        {"li1e", "value missing", 0},
        {"d", "dictionary cut short", 0},
        {"di1e1:xe", "dictionary key is not a string", 8},
        {"dle1:xe", "dictionary key is not a string", 7},
        {"d1:xe", "no value starts like this", 5},
        {"d1:x", "value missing", 0},
        {"i1ei2e", "bytes after the end", 3},
        {"de\n", "bytes after the end", 2},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("%s", cases[i].in);
        g_assert_null(ng_bencode_decode(span_str(cases[i].in), NULL, &error));
        g_assert_error(error, NG_ERROR, NG_ERROR_BENCODE);
        g_assert_nonnull(strstr(error->message, cases[i].why));
        g_assert_cmpint(ng_bencode_length(span_str(cases[i].in)), ==, cases[i].length);
    }
}

static void test_rest(void)
{
    Span rest;
    g_autoptr(NgValue) v = ng_bencode_decode(SPAN("de next"), &rest, NULL);

    g_assert_nonnull(v);
    g_assert_true(span_eq(rest, SPAN(" next")));
}

/* Cut short at every byte: never accepted, never an error of the scan; read from exact memory. */
static void test_cut_at_every_byte(void)
{
    Span whole = SPAN(OFFER);
    NgBencodeScan scan = {0};
    size_t n = 0;

    for (size_t len = 0; len < whole.len; len++) {
        g_autofree char *copy = g_memdup2(whole.p, len);
        Span part = {copy, len};
        g_autoptr(GError) error = NULL;
        g_assert_null(ng_bencode_decode(part, NULL, &error));
        g_assert_error(error, NG_ERROR, NG_ERROR_BENCODE);
        g_assert_cmpint(ng_bencode_length(part), ==, 0);
        g_assert_cmpint(ng_bencode_scan(&scan, part, &n), ==, NG_SCAN_MORE);
    }
    g_assert_cmpint(ng_bencode_scan(&scan, whole, &n), ==, NG_SCAN_DONE);
    g_assert_cmpuint(n, ==, whole.len);
}

static GString *nested(unsigned depth)
{
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; i < depth; i++)
        g_string_append_c(s, 'l');
    for (unsigned i = 0; i < depth; i++)
        g_string_append_c(s, 'e');
    return s;
}

static void test_depth(void)
{
    g_autoptr(GString) fits = nested(NG_MAX_DEPTH);
    g_autoptr(GString) deep = nested(NG_MAX_DEPTH + 1);
    g_autoptr(GString) mad = nested(500000);
    g_autoptr(NgValue) v = ng_bencode_decode((Span){fits->str, fits->len}, NULL, NULL);

    g_assert_nonnull(v);
    g_assert_cmpint(ng_bencode_length((Span){fits->str, fits->len}), ==, fits->len);
    g_assert_null(ng_bencode_decode((Span){deep->str, deep->len}, NULL, NULL));
    g_assert_cmpint(ng_bencode_length((Span){deep->str, deep->len}), ==, -1);
    g_assert_null(ng_bencode_decode((Span){mad->str, mad->len}, NULL, NULL));
    g_assert_cmpint(ng_bencode_length((Span){mad->str, mad->len}), ==, -1);
}

static GString *list_of(unsigned n)
{
    GString *s = g_string_new("l");

    for (unsigned i = 0; i < n; i++)
        g_string_append(s, "0:");
    return g_string_append_c(s, 'e');
}

static void test_items(void)
{
    g_autoptr(GString) fits = list_of(NG_MAX_ITEMS - 1);
    g_autoptr(GString) many = list_of(NG_MAX_ITEMS);
    g_autoptr(GString) mad = list_of(3 * NG_MAX_ITEMS);
    g_autoptr(NgValue) v = ng_bencode_decode((Span){fits->str, fits->len}, NULL, NULL);

    g_assert_nonnull(v);
    g_assert_cmpint(ng_bencode_length((Span){fits->str, fits->len}), ==, fits->len);
    g_assert_null(ng_bencode_decode((Span){many->str, many->len}, NULL, NULL));
    g_assert_cmpint(ng_bencode_length((Span){mad->str, mad->len}), ==, -1);
}

/* A stream that grows without ever completing a message is given up. */
static void test_stream_limit(void)
{
    g_autoptr(GString) s = g_string_new("l1000000:");

    g_string_set_size(s, NG_MAX_MESSAGE);
    memset(s->str + 9, 'e', s->len - 9);
    memcpy(s->str + 9 + 1000000, "48570:", 6);
    g_assert_cmpint(ng_bencode_length((Span){s->str, s->len}), ==, 0);
    g_string_append_c(s, 'e');
    g_assert_cmpint(ng_bencode_length((Span){s->str, s->len}), ==, -1);
}

static void test_json_types(void)
{
    g_autoptr(NgValue) list = ng_list_new();
    g_autoptr(GString) out = g_string_new(NULL);

    ng_list_add(list, ng_bool_new(true));
    ng_list_add(list, ng_bool_new(false));
    ng_list_add(list, ng_null_new());
    ng_list_add(list, ng_double_new(0.25));
    ng_bencode_append(out, list);
    g_assert_cmpstr(out->str, ==, "li1ei0e0:4:0.25e");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ng/bencode/round-trip", test_round_trip);
    g_test_add_func("/ng/bencode/values", test_values);
    g_test_add_func("/ng/bencode/malformed", test_malformed);
    g_test_add_func("/ng/bencode/rest", test_rest);
    g_test_add_func("/ng/bencode/cut-at-every-byte", test_cut_at_every_byte);
    g_test_add_func("/ng/bencode/depth", test_depth);
    g_test_add_func("/ng/bencode/items", test_items);
    g_test_add_func("/ng/bencode/stream-limit", test_stream_limit);
    g_test_add_func("/ng/bencode/json-types", test_json_types);
    return g_test_run();
}
