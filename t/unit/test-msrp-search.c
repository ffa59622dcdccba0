/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "framing/msrp-search.h"

#define MARK MSRP_MARK_HEAD "a786hjs2"

/* Both ways to search find the same. */
static const char *search(Span in)
{
    const char *found = msrp_search(in, SPAN(MARK));

    g_assert_true(msrp_search_anywhere(in, SPAN(MARK)) == found);
    return found;
}

/* MSR-07: at every place of inputs of every length around the block size, whatever is around it. */
static void test_every_place(void)
{
    static const char *const around[] = {"x",      "\r",          "\n",
                                         "-",      "\r\n",        "\r\n------",
                                         MARK + 1, "\r12345678-", MSRP_MARK_HEAD "a786hjs1"};

    for (size_t k = 0; k < G_N_ELEMENTS(around); k++)
        for (size_t len = strlen(MARK); len < 300; len++)
            for (size_t at = 0; at + strlen(MARK) <= len; at++) {
                g_autofree char *in = g_malloc(len); /* exact, for the sanitizer */
                for (size_t i = 0; i < len; i++)
                    in[i] = around[k][i % strlen(around[k])];
                memcpy(in + at, MARK, strlen(MARK));
                g_assert_true(search((Span){in, len}) == in + at);
                g_assert_null(search((Span){in, at + strlen(MARK) - 1}));
            }
}

static void test_first_of_two(void)
{
    char in[200];

    memset(in, 'x', sizeof(in));
    memcpy(in + 40, MARK, strlen(MARK));
    memcpy(in + 60, MARK, strlen(MARK));
    g_assert_true(search((Span){in, sizeof(in)}) == in + 40);
    g_assert_true(search((Span){in + 41, sizeof(in) - 41}) == in + 60);
}

static void test_nothing_to_search(void)
{
    g_assert_null(search((Span){NULL, 0}));
    g_assert_null(search(SPAN("\r\n-------")));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/framing/msrp/search/MSR-07/every-place", test_every_place);
    g_test_add_func("/framing/msrp/search/first-of-two", test_first_of_two);
    g_test_add_func("/framing/msrp/search/nothing-to-search", test_nothing_to_search);
    return g_test_run();
}
