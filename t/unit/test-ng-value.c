/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ng-protocol/ng-value.h"

static void assert_items(const NgValue *v, const char *want)
{
    g_autoptr(GArray) items = ng_value_items(v);
    g_autoptr(GString) got = g_string_new(NULL);

    for (unsigned i = 0; i < items->len; i++) {
        Span item = g_array_index(items, Span, i);
        g_string_append_printf(got, "<%.*s>", SPAN_ARG(item));
    }
    g_assert_cmpstr(got->str, ==, want);
}

static void test_items(void)
{
    g_autoptr(NgValue) text = ng_string_new(SPAN("msrp, bfcp,,t38 ,"));
    g_autoptr(NgValue) list = ng_list_new();
    g_autoptr(NgValue) number = ng_int_new(5);

    ng_list_add_str(list, "a");
    ng_list_add_int(list, 5);
    ng_list_add_str(list, "b,c");
    assert_items(text, "<msrp><bfcp><t38>");
    assert_items(list, "<a><b><c>");
    assert_items(number, "");
    assert_items(NULL, "");
}

static void test_int(void)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t want;
    } cases[] = {
        {"0", true, 0},
        {"5", true, 5},
        {"-5", true, -5},
        {"007", true, 7},
        {"-0", true, 0},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"--1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1x", false, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NgValue) v = ng_string_new(span_str(cases[i].text));
        int64_t got = 77;
        g_test_message("%s", cases[i].text);
        g_assert_cmpint(ng_value_as_int(v, &got), ==, cases[i].ok);
        g_assert_cmpint(got, ==, cases[i].ok ? cases[i].want : 77);
    }
    g_autoptr(NgValue) number = ng_int_new(-9);
    int64_t got;
    g_assert_true(ng_value_as_int(number, &got));
    g_assert_cmpint(got, ==, -9);
    g_assert_false(ng_value_as_int(NULL, &got));
}

static void test_dict_order_and_duplicates(void)
{
    g_autoptr(NgValue) dict = ng_dict_new();
    Span key;

    ng_dict_add_str(dict, "z", "first");
    ng_dict_add_int(dict, "a", 1);
    ng_dict_add_str(dict, "z", "second");
    g_assert_cmpuint(ng_value_n(dict), ==, 3);
    g_assert_true(span_eq(ng_dict_get_str(dict, SPAN("z")), SPAN("first")));
    g_assert_true(span_eq(ng_value_span(ng_dict_at(dict, 2, &key)), SPAN("second")));
    g_assert_true(span_eq(key, SPAN("z")));
    g_assert_null(ng_dict_get(dict, SPAN("Z")));
    g_assert_null(ng_dict_get(NULL, SPAN("z")));
    g_assert_cmpuint(ng_dict_get_str(dict, SPAN("a")).len, ==, 0);
}

static void test_dict_set_and_remove(void)
{
    g_autoptr(NgValue) dict = ng_dict_new();
    Span key;

    ng_dict_add_str(dict, "a", "1");
    ng_dict_add_str(dict, "z", "2");
    ng_dict_add_str(dict, "b", "3");
    ng_dict_add_str(dict, "z", "4");
    ng_dict_add_str(dict, "z", "5");
    ng_dict_set(dict, SPAN("z"), ng_int_new(6));
    g_assert_cmpuint(ng_value_n(dict), ==, 3);
    ng_dict_at(dict, 1, &key);
    g_assert_true(span_eq(key, SPAN("z")));
    g_assert_true(ng_value_is(ng_dict_get(dict, SPAN("z")), NG_INT));
    ng_dict_set(dict, SPAN("new"), ng_list_new());
    ng_dict_at(dict, 3, &key);
    g_assert_true(span_eq(key, SPAN("new")));
    ng_dict_add_str(dict, "a", "7");
    g_assert_cmpuint(ng_dict_remove(dict, SPAN("a")), ==, 2);
    g_assert_cmpuint(ng_dict_remove(dict, SPAN("a")), ==, 0);
    g_assert_cmpuint(ng_value_n(dict), ==, 3);
    g_assert_true(span_eq(ng_dict_get_str(dict, SPAN("b")), SPAN("3")));
}

/* One of everything, with a NUL inside a key and inside a string. */
static NgValue *sample(void)
{
    NgValue *dict = ng_dict_new();
    NgValue *list = ng_dict_add_list(dict, "list");

    ng_dict_add(dict, SPAN("k\0k"), ng_string_new(SPAN("v\0\xff")));
    ng_list_add_int(list, 1);
    ng_list_add_span(list, SPAN("two"));
    ng_dict_add_int(ng_list_add_dict(list), "three", 3);
    ng_list_add_list(list);
    ng_list_add(list, ng_bool_new(true));
    ng_list_add(list, ng_null_new());
    ng_list_add(list, ng_double_new(0.5));
    ng_dict_add_str(ng_dict_add_dict(dict, "dict"), "x", "y");
    return dict;
}

static void test_copy(void)
{
    g_autoptr(NgValue) a = sample();
    g_autoptr(NgValue) b = ng_value_copy(a);

    g_assert_true(ng_value_eq(a, b));
    g_assert_cmpmem(ng_dict_get_str(b, SPAN("k\0k")).p, 4, "v\0\xff", 4);
    ng_list_add(ng_dict_get(b, SPAN("list")), ng_null_new());
    g_assert_false(ng_value_eq(a, b));
    g_assert_cmpuint(ng_value_n(ng_dict_get(a, SPAN("list"))), ==, 7);
}

static void test_eq(void)
{
    g_autoptr(NgValue) one = ng_int_new(1);
    g_autoptr(NgValue) text = ng_string_new(SPAN("1"));
    g_autoptr(NgValue) yes = ng_bool_new(true);
    g_autoptr(NgValue) no = ng_bool_new(false);
    g_autoptr(NgValue) d = ng_double_new(1);
    const NgValue *all[] = {one, text, yes, no, d};

    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(all); j++)
            g_assert_cmpint(ng_value_eq(all[i], all[j]), ==, i == j);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ng/value/items", test_items);
    g_test_add_func("/ng/value/int", test_int);
    g_test_add_func("/ng/value/dict-order-and-duplicates", test_dict_order_and_duplicates);
    g_test_add_func("/ng/value/dict-set-and-remove", test_dict_set_and_remove);
    g_test_add_func("/ng/value/copy", test_copy);
    g_test_add_func("/ng/value/eq", test_eq);
    return g_test_run();
}
