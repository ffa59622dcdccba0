/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/msrp-uri.h"

/* MSR-03 */
static void test_parse(void)
{
    static const struct {
        const char *text;
        bool secure;
        const char *userinfo, *host;
        unsigned port;
        const char *session, *transport, *params;
    } cases[] = {
        {"msrp://192.0.2.1:2855/s3Ae9;tcp", false, "", "192.0.2.1", 2855, "s3Ae9", "tcp", ""},
        {"MSRPS://a.example.com:9/X1_-.~+=/y;TCP", true, "", "a.example.com", 9, "X1_-.~+=/y",
         "TCP", ""},
        {"msrp://[2001:db8::1]:7000/k;tcp", false, "", "[2001:db8::1]", 7000, "k", "tcp", ""},
        {"msrp://bob@host:1/s;tcp;a=b;c", false, "bob", "host", 1, "s", "tcp", ";a=b;c"},
        {"msrp://a@b@host:1/s;tcp", false, "a@b", "host", 1, "s", "tcp", ""},
        {"msrps://relay.example.com;tcp", true, "", "relay.example.com", 0, "", "tcp", ""},
        {"msrp://888.888.888.888:7777/1;tcp", false, "", "888.888.888.888", 7777, "1", "tcp", ""},
        {"msrp://h:65535/a@b;ws", false, "", "h", 65535, "a@b", "ws", ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        MsrpUri u;
        g_test_message("%s", cases[i].text);
        g_assert_true(msrp_uri_parse(span_str(cases[i].text), &u));
        g_assert_cmpint(u.secure, ==, cases[i].secure);
        g_assert_true(span_eq(u.userinfo, span_str(cases[i].userinfo)));
        g_assert_true(span_eq(u.host, span_str(cases[i].host)));
        g_assert_cmpuint(u.port, ==, cases[i].port);
        g_assert_true(span_eq(u.session_id, span_str(cases[i].session)));
        g_assert_true(span_eq(u.transport, span_str(cases[i].transport)));
        g_assert_true(span_eq(u.params, span_str(cases[i].params)));
    }
}

/* MSR-03 */
static void test_rejects(void)
{
    static const char *const cases[] = {
        "",
        "msrp:",
        "msrp://",
        "msrp://h",
        "msrp://h:1",
        "msrp://h:1/s",
        "msrp://h:1/;tcp",
        "msrp://h:1/s;",
        "msrp://h:1/s;t-p",
        "msrp://h:0/s;tcp",
        "msrp://h:65536/s;tcp",
        "msrp://h:/s;tcp",
        "msrp://:1/s;tcp",
        "msrp://u@:1/s;tcp",
        "msrp://[::1:1/s;tcp",
        "msrp://[::g]:1/s;tcp",
        "msrp://[192.0.2.1]:1/s;tcp",
        "msrp://[::1]1/s;tcp",
        "msrp://2001:db8::1:7/s;tcp",
        "msrp://h:1/s;tcp ",
        " msrp://h:1/s;tcp",
        "msrp://h:1/s s;tcp",
        "msrp://h:1/s\x01;tcp",
        "msrp://h\xc3\xa9:1/s;tcp",
        "msrp://h!:1/s;tcp",
        "http://h:1/s;tcp",
        "msrpx://h:1/s;tcp",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        MsrpUri u = {.port = 77};
        g_test_message("%s", cases[i]);
        g_assert_false(msrp_uri_parse(span_str(cases[i]), &u));
        g_assert_cmpuint(u.port, ==, 77);
    }
}

static void test_limit(void)
{
    g_autoptr(GString) text = g_string_new("msrp://h:1/");
    MsrpUri u;

    while (text->len < MSRP_URI_MAX - 4)
        g_string_append_c(text, 's');
    g_string_append(text, ";tcp");
    g_assert_true(msrp_uri_parse(span_str(text->str), &u));
    g_string_append_c(text, 'p');
    g_assert_false(msrp_uri_parse(span_str(text->str), &u));
}

/* MSR-04 */
static void test_eq(void)
{
    static const struct {
        const char *a, *b;
        bool same;
    } cases[] = {
        {"msrp://h:1/s;tcp", "MSRP://H:1/s;TCP", true},
        {"msrp://u@h:1/s;tcp;x", "msrp://h:1/s;tcp;y=1", true},
        {"msrp://[2001:db8:0::1]:1/s;tcp", "msrp://[2001:DB8::1]:1/s;tcp", true},
        {"msrp://h/s;tcp", "msrp://h/s;tcp", true},
        {"msrp://h:1/s;tcp", "msrps://h:1/s;tcp", false},
        {"msrp://h:1/s;tcp", "msrp://h:2/s;tcp", false},
        {"msrp://h:2855/s;tcp", "msrp://h/s;tcp", false},
        {"msrp://h:1/s;tcp", "msrp://h:1/S;tcp", false},
        {"msrp://h:1/s;tcp", "msrp://h:1;tcp", false},
        {"msrp://h:1/s;tcp", "msrp://h:1/s;ws", false},
        {"msrp://h:1/s;tcp", "msrp://i:1/s;tcp", false},
        {"msrp://192.0.2.1:1/s;tcp", "msrp://192.0.2.10:1/s;tcp", false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        MsrpUri a, b;
        g_test_message("%s %s", cases[i].a, cases[i].b);
        g_assert_true(msrp_uri_parse(span_str(cases[i].a), &a));
        g_assert_true(msrp_uri_parse(span_str(cases[i].b), &b));
        g_assert_cmpint(msrp_uri_eq(&a, &b), ==, cases[i].same);
        g_assert_cmpint(msrp_uri_eq(&b, &a), ==, cases[i].same);
    }
}

/* MSR-12: more than one URI is legal and is counted. */
static void test_path(void)
{
    MsrpPath path;
    g_autoptr(GString) many = g_string_new(NULL);

    g_assert_true(msrp_path_parse(SPAN(" msrps://r:1/s;tcp  msrps://h:2/t;tcp "), &path));
    g_assert_cmpuint(path.n, ==, 2);
    g_assert_cmpuint(path.uri[1].port, ==, 2);
    g_assert_false(msrp_path_parse(SPAN(""), &path));
    g_assert_false(msrp_path_parse(SPAN("  "), &path));
    g_assert_false(msrp_path_parse(SPAN("msrp://h:1/s;tcp nonsense"), &path));
    for (unsigned i = 0; i < MSRP_PATH_MAX; i++)
        g_string_append(many, "msrp://h:1/s;tcp ");
    g_assert_true(msrp_path_parse(span_str(many->str), &path));
    g_string_append(many, "msrp://h:1/s;tcp");
    g_assert_false(msrp_path_parse(span_str(many->str), &path));
}

/* TRK-01, TRK-18 */
static void test_text(void)
{
    static const char *const same[] = {
        "msrp://192.0.2.1:2855/s3Ae9;tcp",
        "msrps://bob@[2001:DB8::0:1]:7000/k/Q=;TCP;x=y",
        "msrps://relay.example.com;tcp",
    };
    MsrpUri u;
    Addr at, host;

    for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
        g_assert_true(msrp_uri_parse(span_str(same[i]), &u));
        g_autofree char *text = msrp_uri_text(&u, NULL);
        g_assert_cmpstr(text, ==, same[i]);
    }
    g_assert_true(msrp_uri_parse(SPAN("msrps://ue.example.com:9/s;tcp"), &u));
    g_assert_false(msrp_uri_addr(&u, &host));
    g_assert_true(addr_parse(SPAN("[2001:db8::1]:40002"), &at));
    u.secure = false;
    g_autofree char *moved = msrp_uri_text(&u, &at);
    g_assert_cmpstr(moved, ==, "msrp://[2001:db8::1]:40002/s;tcp");
    g_assert_true(msrp_uri_parse(span_str(moved), &u));
    g_assert_true(msrp_uri_addr(&u, &host));
    g_assert_true(addr_eq(&host, &at));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/msrp-uri/MSR-03/parse", test_parse);
    g_test_add_func("/base/msrp-uri/MSR-03/rejects", test_rejects);
    g_test_add_func("/base/msrp-uri/limit", test_limit);
    g_test_add_func("/base/msrp-uri/MSR-04/eq", test_eq);
    g_test_add_func("/base/msrp-uri/MSR-12/path", test_path);
    g_test_add_func("/base/msrp-uri/TRK-01/TRK-18/text", test_text);
    return g_test_run();
}
