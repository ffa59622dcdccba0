/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ng-protocol/ng-flags.h"

static void test_next(void)
{
    static const struct {
        const char *in;
        const char *want;
    } cases[] = {
        {"", ""},
        {"   ", ""},
        {"a", "<a|>"},
        {" a  b ", "<a|><b|>"},
        {"a=1 b", "<a|1><b|>"},
        {"a=1=2", "<a|1=2>"},
        {"a= b", "<a|><b|>"},
        {"=x", "<|x>"},
        {"a=[b c] d", "<a|[b c]><d|>"},
        {"a=[ b [c d] [[e]] ] f=g", "<a|[ b [c d] [[e]] ]><f|g>"},
        {"a=[b=c d=[e]] f", "<a|[b=c d=[e]]><f|>"},
        {"a=[b c", "<a|[b c>"},
        {"a=[", "<a|[>"},
        {"a=[]x] b", "<a|[]x]><b|>"},
        {"a=b[c d", "<a|b[c><d|>"},
        {"[a b]", "<[a|><b]|>"},
        {"a\tb\n", "<a\tb\n|>"}, /* a blank only is a separator, as in rtpengine */
        {"e2ae-fingerprint=1:sha-1/AB:CD e2ae=off", "<e2ae-fingerprint|1:sha-1/AB:CD><e2ae|off>"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *copy = g_memdup2(cases[i].in, strlen(cases[i].in));
        Span text = {copy, strlen(cases[i].in)};
        g_autoptr(GString) got = g_string_new(NULL);
        NgFlag flag;
        while (ng_flags_next(&text, &flag))
            g_string_append_printf(got, "<%.*s|%.*s>", SPAN_ARG(flag.key), SPAN_ARG(flag.value));
        g_assert_cmpstr(got->str, ==, cases[i].want);
    }
}

static void test_items(void)
{
    static const struct {
        const char *in;
        const char *want;
    } cases[] = {
        {"", ""},
        {"a", "<a>"},
        {"a,b", "<a><b>"},
        {"[a b]", "<a><b>"},
        {"[ a,b c ]", "<a><b><c>"},
        {"[]", ""},
        {"[", ""},
        {"[a", "<a>"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(Span));
        g_autoptr(GString) got = g_string_new(NULL);
        ng_flag_items(span_str(cases[i].in), items);
        for (unsigned j = 0; j < items->len; j++) {
            Span item = g_array_index(items, Span, j);
            g_string_append_printf(got, "<%.*s>", SPAN_ARG(item));
        }
        g_assert_cmpstr(got->str, ==, cases[i].want);
    }
}

static bool is_x(const NgFlag *flag, void *arg)
{
    unsigned *calls = arg;

    (*calls)++;
    return span_eq(flag->key, SPAN("x"));
}

static void test_without(void)
{
    static const struct {
        const char *in;
        const char *want;
    } cases[] = {
        {"", ""},
        {"  ", ""},
        {"a", "a"},
        {"  a   b=[c  d]  ", "  a   b=[c  d]  "},
        {"x", ""},
        {" x=1  x ", ""},
        {"x a", "a"},
        {"a x", "a"},
        {"a x=[1 2] b", "a b"},
        {"a  x   b", "a   b"},
        {" x a", " a"},
        {"a x ", "a "},
        {"x x a x x b x", "a b"},
        {"a=[x x=1] xy", "a=[x x=1] xy"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        unsigned calls = 0;
        g_autoptr(GString) got = ng_flags_without(span_str(cases[i].in), is_x, &calls);
        g_test_message("%s", cases[i].in);
        g_assert_cmpstr(got->str, ==, cases[i].want);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ng/flags/next", test_next);
    g_test_add_func("/ng/flags/items", test_items);
    g_test_add_func("/ng/flags/without", test_without);
    return g_test_run();
}
