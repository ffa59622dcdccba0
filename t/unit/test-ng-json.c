/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ng-protocol/ng-json.h"

static char *encoded(const NgValue *v)
{
    GString *out = g_string_new(NULL);

    ng_json_append(out, v);
    return g_string_free(out, FALSE);
}

static void test_round_trip(void)
{
    static const char *const cases[] = {
        "{\"command\":\"ping\"}",
        "{}",
        "[]",
        "[0,-1,9223372036854775807,-9223372036854775808]",
        "[true,false,null]",
        "[0.5,1.0,-2.25]",
        "{\"z\":1,\"a\":[{\"b\":{}},[[]]]}",
        "{\"sdp\":\"v=0\\r\\no=- 1 1 IN IP4 1.1.1.1\\r\\n\"}",
        "[\"\\\"\\\\/\\u0001\\u007f\xc3\xa9\xf0\x9f\x98\x80\"]",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NgValue) v = ng_json_decode(span_str(cases[i]), &error);
        g_assert_no_error(error);
        g_autofree char *text = encoded(v);
        g_assert_cmpstr(text, ==, cases[i]);
    }
}

static void test_decode(void)
{
    static const struct {
        const char *in;
        const char *out;
    } cases[] = {
        {" {\r\n\t\"a\" : 1 }\n", "{\"a\":1}"},
        {"[\"\\u00e9\\ud83d\\ude00\\/\\t\"]", "[\"\xc3\xa9\xf0\x9f\x98\x80/\\u0009\"]"},
        {"{\"b\":1,\"a\":2,\"b\":3}", "{\"b\":3,\"a\":2}"}, /* the last one is left */
        {"[1e2]", "[100.0]"},
        {"[1e999]", "[null]"},
        {"[1e20]", "[1e+20]"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NgValue) v = ng_json_decode(span_str(cases[i].in), &error);
        g_assert_no_error(error);
        g_autofree char *text = encoded(v);
        g_assert_cmpstr(text, ==, cases[i].out);
    }
}

static void test_malformed(void)
{
    static const Span cases[] = {
        SPAN(""),
        SPAN(" "),
        SPAN("{"),
        SPAN("}"),
        SPAN("]]"),
        SPAN("{\"a\":1"),
        SPAN("{\"a\":1,}"),
        SPAN("{\"a\":1,,\"b\":2}"),
        SPAN("{\"a\" 1}"),
        SPAN("{\"a\":}"),
        SPAN("{a:1}"),
        SPAN("{1:1}"),
        SPAN("{\"a\":\"x}"),
        SPAN("{\"a\":\"x\\\"}"),
        SPAN("{\"a\":\"x\\"),
        SPAN("{\"a\":tru}"),
        SPAN("{\"a\":1} x"),
        SPAN("{\"a\":1}{}"),
        SPAN("[1] [2]"),
        SPAN("{},"),
        SPAN("1"),
        SPAN("1[2]"),
        SPAN("\"x\""),
        SPAN("null"),
        SPAN("{'a':1}"),
        SPAN("{/* \" */\"a\":1}"),
        SPAN("{\"a\":1} // x"),
        SPAN("var a = {}"),
        SPAN("{\"a\":\"\\u0000\"}"),
        SPAN("{\"a\":\"\\ud83d\"}"),
        SPAN("{\"a\":\"\\ud83d\\u0041\"}"),
        SPAN("{\"a\":\"\\ude00\\ud83d\"}"),
        SPAN("{\"a\":\"\\u12\"}"),
        SPAN("{\"a\":\"\\ud83d\\udk00\"}"),
        SPAN("{\"a\":\"\0\"}"),
        SPAN("{\"a\":1}\0"),
        SPAN("{\"a\":\"\xff\"}"),
        SPAN("{\"a\":\"\xc3\"}"),
        SPAN("{\"a\":\"\xed\xa0\x80\"}"),
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *copy = g_memdup2(cases[i].p, cases[i].len);
        g_autofree char *text = span_quote(cases[i]);
        g_test_message("%s", text);
        g_assert_null(ng_json_decode((Span){copy, cases[i].len}, &error));
        g_assert_error(error, NG_ERROR, NG_ERROR_JSON);
    }
}

static GString *nested(unsigned depth)
{
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; i < depth; i++)
        g_string_append(s, i % 2 ? "{\"a\":" : "[");
    g_string_append_c(s, '1');
    for (unsigned i = depth; i-- > 0;)
        g_string_append_c(s, i % 2 ? '}' : ']');
    return s;
}

static void test_depth(void)
{
    g_autoptr(GString) fits = nested(NG_MAX_DEPTH);
    g_autoptr(GString) deep = nested(NG_MAX_DEPTH + 1);
    g_autoptr(GString) mad = nested(1000000);
    g_autoptr(NgValue) v = ng_json_decode((Span){fits->str, fits->len}, NULL);
    g_autoptr(NgValue) text =
        ng_json_decode(SPAN("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]"), NULL);

    g_assert_nonnull(v);
    g_assert_nonnull(text);
    g_assert_null(ng_json_decode((Span){deep->str, deep->len}, NULL));
    g_assert_null(ng_json_decode((Span){mad->str, mad->len}, NULL));
}

static void test_items(void)
{
    g_autoptr(GString) s = g_string_new("[0");

    for (unsigned i = 1; i < NG_MAX_ITEMS; i++)
        g_string_append(s, ",0");
    g_string_append_c(s, ']');
    g_autoptr(NgValue) v = ng_json_decode((Span){s->str, s->len}, NULL);
    g_assert_cmpuint(ng_value_n(v), ==, NG_MAX_ITEMS);
    g_string_overwrite(s, (gssize)s->len - 1, ",0]");
    g_assert_null(ng_json_decode((Span){s->str, s->len}, NULL));
}

/* Whatever the bytes are, the output is JSON. */
static void test_any_bytes(void)
{
    static const struct {
        Span in;
        const char *out;
    } cases[] = {
        {SPAN("a\0b"), "\"a\\u0000b\""},
        {SPAN("\xff"), "\"\xc3\xbf\""},
        {SPAN("\xc3\xa9\xe9"), "\"\xc3\xa9\xc3\xa9\""},
        {SPAN("\xc3"), "\"\xc3\x83\""},
        {SPAN("\xe2\x82"), "\"\xc3\xa2\xc2\x82\""},
        {SPAN("\xc0\x80"), "\"\xc3\x80\xc2\x80\""},
        {SPAN("\xed\xa0\x80"), "\"\xc3\xad\xc2\xa0\xc2\x80\""},
        {SPAN("\x1f\t"), "\"\\u001f\\u0009\""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *copy = g_memdup2(cases[i].in.p, cases[i].in.len);
        g_autoptr(NgValue) v = ng_string_new((Span){copy, cases[i].in.len});
        g_autofree char *text = encoded(v);
        g_assert_cmpstr(text, ==, cases[i].out);
        g_assert_true(g_utf8_validate(text, -1, NULL));
    }
}

static void test_duplicates_out(void)
{
    g_autoptr(NgValue) dict = ng_dict_new();

    ng_dict_add_int(dict, "a", 1);
    ng_dict_add_int(dict, "a", 2);
    g_autofree char *text = encoded(dict);
    g_assert_cmpstr(text, ==, "{\"a\":1,\"a\":2}");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ng/json/round-trip", test_round_trip);
    g_test_add_func("/ng/json/decode", test_decode);
    g_test_add_func("/ng/json/malformed", test_malformed);
    g_test_add_func("/ng/json/depth", test_depth);
    g_test_add_func("/ng/json/items", test_items);
    g_test_add_func("/ng/json/any-bytes", test_any_bytes);
    g_test_add_func("/ng/json/duplicates-out", test_duplicates_out);
    return g_test_run();
}
