/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sdp/sdp-attr.h"

static const char body[] = "v=0\r\n"
                           "a=setup:passive\r\n"
                           "a=tool\r\n"
                           "m=message 9 TCP/TLS/MSRP *\r\n"
                           "i=a=setup:active\r\n"
                           "a=3ge2ae: requested \r\n"
                           "a=SETUP:active\r\n"
                           "a=x:1\r\n"
                           "a=x:2\r\n"
                           "a=y:1\r\n"
                           "a=y: 1\r\n"
                           "a=\r\n"
                           "a=path:msrp://h:1/s;tcp\r\n"
                           "m=image 9 udptl t38\r\n"
                           "a=tool :t:38\r\n";

static void test_names_and_values(void)
{
    static const struct {
        unsigned section;
        const char *name, *value; /* value NULL: absent */
    } cases[] = {
        {0, "setup", "passive"},
        {0, "tool", ""},
        {0, "3ge2ae", NULL},
        {1, "3ge2ae", "requested"},
        {1, "setup", "active"},
        {1, "x", "1"},
        {1, "", ""},
        {1, "path", "msrp://h:1/s;tcp"},
        {1, "tool", NULL},
        {1, "pat", NULL},
        {1, "paths", NULL},
        {2, "tool", "t:38"},
        {2, "setup", NULL},
    };
    g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(body), NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        SdpAttr a;
        g_test_message("%u %s", cases[i].section, cases[i].name);
        bool found = sdp_attr_first(doc, cases[i].section, cases[i].name, &a);
        g_assert_cmpint(found, ==, cases[i].value != NULL);
        if (found)
            g_assert_true(span_eq(a.value, span_str(cases[i].value)));
    }
}

static void test_walk(void)
{
    g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(body), NULL);
    SdpAttrIter it = sdp_attr_iter(doc, 1, NULL);
    SdpAttr a;
    unsigned n = 0;

    while (sdp_attr_next(&it, &a))
        n++;
    g_assert_cmpuint(n, ==, 8);
    it = sdp_attr_iter(doc, 1, "x");
    g_assert_true(sdp_attr_next(&it, &a));
    g_assert_cmpuint(a.line, ==, 7);
    g_assert_true(sdp_attr_next(&it, &a));
    g_assert_true(span_eq(a.value, SPAN("2")));
    g_assert_false(sdp_attr_next(&it, &a));
    g_assert_false(sdp_attr_next(&it, &a));
    g_assert_false(sdp_attr_parse(doc, 4, &a));
}

/* TRK-14: media level wins. */
static void test_level(void)
{
    g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(body), NULL);

    g_assert_cmpuint(sdp_attr_level(doc, 1, "setup"), ==, 1);
    g_assert_cmpuint(sdp_attr_level(doc, 2, "setup"), ==, 0);
    g_assert_cmpuint(sdp_attr_level(doc, 2, "fingerprint"), ==, 2);
    g_assert_cmpuint(sdp_attr_level(doc, 0, "fingerprint"), ==, 0);
}

static void test_single(void)
{
    g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(body), NULL);
    Span value = SPAN("untouched");

    g_assert_cmpint(sdp_attr_single(doc, 1, "z", &value), ==, SDP_VALUE_NONE);
    g_assert_cmpint(sdp_attr_single(doc, 1, "x", &value), ==, SDP_VALUE_BAD);
    g_assert_true(span_eq(value, SPAN("untouched")));
    g_assert_cmpint(sdp_attr_single(doc, 1, "y", &value), ==, SDP_VALUE_OK);
    g_assert_true(span_eq(value, SPAN("1")));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sdp/attr/names-and-values", test_names_and_values);
    g_test_add_func("/sdp/attr/walk", test_walk);
    g_test_add_func("/sdp/attr/TRK-14/level", test_level);
    g_test_add_func("/sdp/attr/single", test_single);
    return g_test_run();
}
