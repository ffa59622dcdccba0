/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sdp/sdp-media-attrs.h"

static SdpDoc *doc_of(const char *session, const char *media)
{
    g_autofree char *body =
        g_strconcat("v=0\r\n", session, "m=message 9 TCP/TLS/MSRP *\r\n", media, NULL);
    SdpDoc *doc = sdp_doc_parse(span_str(body), NULL);

    g_test_message("%s | %s", session, media);
    g_assert_nonnull(doc);
    return doc;
}

/* MSR-03, MSR-12 */
static void test_path(void)
{
    static const struct {
        const char *media;
        SdpValue want;
        unsigned n;
    } cases[] = {
        {"", SDP_VALUE_NONE, 0},
        {"a=path:msrps://192.0.2.1:9/s;tcp\r\n", SDP_VALUE_OK, 1},
        {"a=path: msrp://[2001:db8::1]:9/s;tcp \r\n", SDP_VALUE_OK, 1},
        {"a=path:msrps://relay:2855/s;tcp msrps://ua:9/t;tcp\r\n", SDP_VALUE_OK, 2},
        {"a=path:msrps://192.0.2.1/s;tcp\r\n", SDP_VALUE_BAD, 0},
        {"a=path:msrps://192.0.2.1:9;tcp\r\n", SDP_VALUE_BAD, 0},
        {"a=path:msrps://relay:2855/s;tcp msrps://ua/t;tcp\r\n", SDP_VALUE_BAD, 0},
        {"a=path:http://192.0.2.1:9/s;tcp\r\n", SDP_VALUE_BAD, 0},
        {"a=path:\r\n", SDP_VALUE_BAD, 0},
        {"a=path:msrp://a:9/s;tcp\r\na=path:msrp://b:9/s;tcp\r\n", SDP_VALUE_BAD, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SdpDoc) doc = doc_of("a=path:msrp://x:1/y;tcp\r\n", cases[i].media);
        MsrpPath path = {0};
        g_assert_cmpint(sdp_msrp_path(doc, 1, &path), ==, cases[i].want);
        g_assert_cmpuint(path.n, ==, cases[i].n);
    }
}

/* CEM-01, CEM-08: media level only */
static void test_flags(void)
{
    g_autoptr(SdpDoc) none = doc_of("a=msrp-cema\r\na=msrp-acceptsessmatch\r\n", "");
    g_autoptr(SdpDoc) both = doc_of("", "a=msrp-cema\r\na=msrp-acceptsessmatch\r\n");

    g_assert_false(sdp_has_msrp_cema(none, 1));
    g_assert_false(sdp_has_sessmatch(none, 1));
    g_assert_true(sdp_has_msrp_cema(both, 1));
    g_assert_true(sdp_has_sessmatch(both, 1));
}

static void test_mid(void)
{
    static const struct {
        const char *media, *mid; /* NULL: none */
    } cases[] = {
        {"", NULL},
        {"a=mid:x\r\n", "x"},
        {"a=mid: x\r\na=mid:x\r\n", "x"},
        {"a=mid:\r\n", NULL},
        {"a=mid:x\r\na=mid:y\r\n", NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SdpDoc) doc = doc_of("a=mid:session\r\n", cases[i].media);
        Span mid;
        bool found = sdp_mid(doc, 1, &mid);
        g_assert_cmpint(found, ==, cases[i].mid != NULL);
        if (found)
            g_assert_true(span_eq(mid, span_str(cases[i].mid)));
        g_assert_false(sdp_mid(doc, 0, &mid));
    }
}

static void test_direction(void)
{
    static const struct {
        const char *session, *media;
        SdpDirection want;
    } cases[] = {
        {"", "", SDP_SENDRECV},
        {"", "a=sendonly\r\n", SDP_SENDONLY},
        {"", "a=recvonly \r\n", SDP_RECVONLY},
        {"a=inactive\r\n", "", SDP_INACTIVE},
        {"a=inactive\r\n", "a=sendrecv\r\n", SDP_SENDRECV},
        {"", "a=direction:both\r\na=inactive\r\na=sendonly\r\n", SDP_INACTIVE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SdpDoc) doc = doc_of(cases[i].session, cases[i].media);
        g_assert_cmpint(sdp_direction(doc, 1), ==, cases[i].want);
    }
}

/* BFC-08 */
static void test_group(void)
{
    g_autoptr(SdpDoc) doc =
        doc_of("a=group:BUNDLE a  bc\r\na=group:LS x\r\na=group\r\n", "a=group:BUNDLE z\r\n");

    g_assert_true(sdp_group_has(doc, "BUNDLE", SPAN("a")));
    g_assert_true(sdp_group_has(doc, "bundle", SPAN("bc")));
    g_assert_false(sdp_group_has(doc, "BUNDLE", SPAN("b")));
    g_assert_false(sdp_group_has(doc, "BUNDLE", SPAN("BUNDLE")));
    g_assert_false(sdp_group_has(doc, "BUNDLE", SPAN("x")));
    g_assert_false(sdp_group_has(doc, "BUNDLE", SPAN("z")));
    g_assert_true(sdp_group_has(doc, NULL, SPAN("x")));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sdp/media-attrs/MSR-03/MSR-12/path", test_path);
    g_test_add_func("/sdp/media-attrs/CEM-01/CEM-08/flags", test_flags);
    g_test_add_func("/sdp/media-attrs/mid", test_mid);
    g_test_add_func("/sdp/media-attrs/direction", test_direction);
    g_test_add_func("/sdp/media-attrs/BFC-08/group", test_group);
    return g_test_run();
}
