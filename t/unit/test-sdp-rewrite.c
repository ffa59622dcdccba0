/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sdp/sdp-rewrite.h"

static void assert_rendered(const SdpEdit *edit, const char *want)
{
    g_autofree char *got = sdp_edit_render(edit);

    g_assert_cmpstr(got, ==, want);
}

/* ORG-03, ORG-11 */
static void test_media(void)
{
    static const struct {
        const char *line;
        unsigned port;
        const char *proto, *want;
    } cases[] = {
        {"m=message 2855 TCP/TLS/MSRP *", 40002, "TCP/MSRP", "m=message 40002 TCP/MSRP *"},
        {"m=message  2855\tTCP/MSRP  *", 0, "TCP/TLS/MSRP", "m=message  0\tTCP/TLS/MSRP  *"},
        {"m=image 49170/2 udptl t38", 9, "UDP/TLS/UDPTL", "m=image 9 UDP/TLS/UDPTL t38"},
        {"m=9 9 9 9", 8, "x", "m=9 8 x 9"},
        {"m=audio 1", 2, "RTP/AVP", "m=audio 2 RTP/AVP"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = g_strconcat("v=0\r\n", cases[i].line, "\r\na=x\r\n", NULL);
        g_autofree char *want = g_strconcat("v=0\r\n", cases[i].want, "\r\na=x\r\n", NULL);
        g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(body), NULL);
        g_autoptr(SdpEdit) edit = sdp_edit_new(doc);
        sdp_edit_set_port(edit, 1, 12345);
        sdp_edit_set_proto(edit, 1, cases[i].proto);
        sdp_edit_set_port(edit, 1, (uint16_t)cases[i].port);
        assert_rendered(edit, want);
    }
}

/* ORG-06 */
static void test_copy_down(void)
{
    static const char *const names[] = {"fingerprint", "setup", "tls-id", NULL};
    g_autoptr(SdpDoc) doc = sdp_doc_parse(
        SPAN("v=0\r\na=fingerprint:f1 \r\na=setup:actpass\r\na=Fingerprint: f2\r\na=x\r\n"
             "m=a 1 b c\r\na=setup:active\r\nm=d 2 e f\r\n"),
        NULL);
    g_autoptr(SdpEdit) edit = sdp_edit_new(doc);

    sdp_edit_delete_attrs(edit, 0, names);
    sdp_edit_copy_down(edit, 1, names);
    assert_rendered(
        edit,
        "v=0\r\na=x\r\nm=a 1 b c\r\na=setup:active\r\na=fingerprint:f1\r\na=Fingerprint: f2\r\n"
        "m=d 2 e f\r\n");
}

/* RFC 3264 8: one more than before. */
static void test_bump_version(void)
{
    static const struct {
        const char *line, *want; /* NULL: left alone */
    } cases[] = {
        {"o=- 1 1 IN IP4 192.0.2.1", "o=- 1 2 IN IP4 192.0.2.1"},
        {"o=a  99 99\tIN IP4 host", "o=a  99 100\tIN IP4 host"},
        {"o=- 0 0199 IN IP4 h", "o=- 0 0200 IN IP4 h"},
        {"o=- 7 99999999999999999999 IN IP4 h", "o=- 7 100000000000000000000 IN IP4 h"},
        {"o=- 7 18446744073709551615 IN IP4 h", "o=- 7 18446744073709551616 IN IP4 h"},
        {"o=- 1 -1 IN IP4 h", NULL},
        {"o=- 1 x IN IP4 h", NULL},
        {"o=- 1 1", NULL},
        {"o=", NULL},
        {"x=- 1 1 IN IP4 h", NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = g_strconcat("v=0\r\n", cases[i].line, " \r\nm=a 1 b c\r\n", NULL);
        g_autofree char *want = g_strconcat("v=0\r\n", cases[i].want, "\r\nm=a 1 b c\r\n", NULL);
        g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(body), NULL);
        g_autoptr(SdpEdit) edit = sdp_edit_new(doc);
        g_test_message("%s", cases[i].line);
        g_assert_cmpint(sdp_edit_bump_version(edit), ==, cases[i].want != NULL);
        assert_rendered(edit, cases[i].want ? want : body);
    }
}

static void test_set_origin(void)
{
    static const struct {
        const char *line, *want; /* NULL: left alone */
    } cases[] = {
        {"o=- 1 1 IN IP4 192.0.2.1", "o=- 1 1 IN IP6 2001:db8::1"},
        {"o=a b  1 2 IN IP4 host", NULL}, /* a blank too many: which word is the address? */
        {"o=a  1 2\tIN  IP4 host", "o=a  1 2\tIN IP6 2001:db8::1"},
        {"o=- 1 1 ATM IP4 h", NULL},
        {"o=- 1 1 IN IP4", NULL},
        {"o=", NULL},
    };
    Addr addr;

    g_assert_true(addr_parse_ip(SPAN("2001:db8::1"), &addr));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = g_strconcat("v=0\r\n", cases[i].line, "\r\ns=-\r\n", NULL);
        g_autofree char *want = g_strconcat("v=0\r\n", cases[i].want, "\r\ns=-\r\n", NULL);
        g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(body), NULL);
        g_autoptr(SdpEdit) edit = sdp_edit_new(doc);
        g_test_message("%s", cases[i].line);
        g_assert_cmpint(sdp_edit_set_origin(edit, &addr), ==, cases[i].want != NULL);
        assert_rendered(edit, cases[i].want ? want : body);
    }
}

static void test_bump_adds_up(void)
{
    g_autoptr(SdpDoc) doc = sdp_doc_parse(SPAN("v=0\no=- 1 8 IN IP4 h\n"), NULL);
    g_autoptr(SdpEdit) edit = sdp_edit_new(doc);

    g_assert_true(sdp_edit_bump_version(edit));
    g_assert_true(sdp_edit_bump_version(edit));
    assert_rendered(edit, "v=0\no=- 1 10 IN IP4 h\n");
    sdp_edit_delete(edit, 1);
    g_assert_false(sdp_edit_bump_version(edit));
}

/* BFC-08 */
static void test_drop_mids(void)
{
    Span mids[] = {SPAN("a"), SPAN("c")};
    Span more[] = {SPAN("BUNDLE"), SPAN("b")};
    g_autoptr(SdpDoc) doc = sdp_doc_parse(SPAN("v=0\n"
                                               "a=group:BUNDLE a  b ab c\n"
                                               "a=Group: LS c a\n"
                                               "a=group:BUNDLE  x  ab \n"
                                               "a=group:BUNDLE\n"
                                               "a=group\n"
                                               "m=a 1 b c\na=mid:a\na=group:BUNDLE a\n"),
                                          NULL);
    g_autoptr(SdpEdit) edit = sdp_edit_new(doc);

    sdp_edit_drop_mids(edit, mids, G_N_ELEMENTS(mids));
    assert_rendered(edit,
                    "v=0\na=group:BUNDLE b ab\na=group:BUNDLE  x  ab \na=group:BUNDLE\na=group\n"
                    "m=a 1 b c\na=mid:a\na=group:BUNDLE a\n");
    sdp_edit_drop_mids(edit, more, G_N_ELEMENTS(more));
    assert_rendered(edit,
                    "v=0\na=group:BUNDLE ab\na=group:BUNDLE  x  ab \na=group:BUNDLE\na=group\n"
                    "m=a 1 b c\na=mid:a\na=group:BUNDLE a\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sdp/rewrite/ORG-03/ORG-11/media", test_media);
    g_test_add_func("/sdp/rewrite/ORG-06/copy-down", test_copy_down);
    g_test_add_func("/sdp/rewrite/bump-version", test_bump_version);
    g_test_add_func("/sdp/rewrite/set-origin", test_set_origin);
    g_test_add_func("/sdp/rewrite/bump-adds-up", test_bump_adds_up);
    g_test_add_func("/sdp/rewrite/BFC-08/drop-mids", test_drop_mids);
    return g_test_run();
}
