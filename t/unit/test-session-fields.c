/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/session-fields.h"

#include "ng-protocol/ng-json.h"
#include "sdp/sdp-doc.h"
#include "session/session-plan.h"

/* JSON with ' for ", which reads better in C. */
static NgValue *value(const char *text)
{
    g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');
    g_autoptr(GError) error = NULL;
    NgValue *v = ng_json_decode(span_str(json), &error);

    g_assert_no_error(error);
    return v;
}

/* CTL-01: transport, address, roles and fingerprints, without SDP. */
static void test_body(void)
{
    g_autoptr(NgValue) streams =
        value("[{'media':'message','proto':'TCP/TLS/MSRP','address':'192.0.2.1','port':2855,"
              "'setup':'actpass','fingerprint':['sha-256 AA','sha-1 BB'],"
              "'path':'msrps://192.0.2.1:2855/a;tcp','indication':'requested'},"
              "{'media':'image','proto':'udptl','address':'2001:DB8::1','port':'5004'}]");
    g_autofree char *body = session_fields_body(streams, NULL);

    g_assert_cmpstr(body, ==,
                    "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
                    "m=message 2855 TCP/TLS/MSRP *\r\nc=IN IP4 192.0.2.1\r\na=setup:actpass\r\n"
                    "a=fingerprint:sha-256 AA\r\na=fingerprint:sha-1 BB\r\n"
                    "a=path:msrps://192.0.2.1:2855/a;tcp\r\na=3ge2ae:requested\r\n"
                    "m=image 5004 udptl t38\r\nc=IN IP6 2001:db8::1\r\n");
}

/* Nothing that a field says may become a line of its own in the body. */
static void test_refused(void)
{
    static const struct {
        const char *streams, *field;
    } cases[] = {
        {"[]", "streams"},
        {"{'media':'message'}", "streams"},
        {"[{}]", "media"},
        {"[{'media':'a b','proto':'P','address':'192.0.2.1','port':1}]", "media"},
        {"[{'media':'message','address':'192.0.2.1','port':1}]", "proto"},
        {"[{'media':'message','proto':'P','address':'192.0.2.1','port':65536}]", "port"},
        {"[{'media':'message','proto':'P','address':'192.0.2.1','port':-1}]", "port"},
        {"[{'media':'message','proto':'P','address':'host.example','port':1}]", "address"},
        {"[{'media':'message','proto':'P','port':1}]", "address"},
        {"[{'media':'message','proto':'P','address':'192.0.2.1','port':1,"
         "'setup':'active\\r\\na=3ge2ae:requested'}]",
         "setup"},
        {"[{'media':'message','proto':'P','address':'192.0.2.1','port':1,'fmt':'*\\nm=audio 1'}]",
         "fmt"},
        {"[{'media':'message','proto':'P','address':'192.0.2.1','port':1,'fingerprint':['']}]",
         "fingerprint"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NgValue) streams = value(cases[i].streams);
        g_autoptr(GError) error = NULL;
        g_test_message("%s", cases[i].streams);
        g_assert_null(session_fields_body(streams, &error));
        g_assert_error(error, SESSION_ERROR, SESSION_ERROR_REQUEST);
        g_assert_nonnull(strstr(error->message, cases[i].field));
    }
}

static void test_limit(void)
{
    g_autoptr(NgValue) streams = ng_list_new();

    for (unsigned i = 0; i <= SDP_MAX_SECTIONS; i++)
        ng_list_add(streams,
                    value("{'media':'message','proto':'P','address':'192.0.2.1','port':1}"));
    g_assert_null(session_fields_body(streams, NULL));
}

/* The way back: the lines towards the receiver, as fields. */
static void test_add(void)
{
    g_autoptr(NgValue) streams = value("[{'index':1}]");
    g_autoptr(NgValue) want =
        value("[{'index':1,'sdp':{'media':'message','proto':'TCP/MSRP','port':40000,'fmt':'*',"
              "'address':'203.0.113.2','setup':'actpass'}}]");
    g_autoptr(GString) got = g_string_new(NULL);
    g_autoptr(GString) expected = g_string_new(NULL);

    session_fields_add(streams, SPAN("v=0\r\ns=-\r\nm=message 40000 TCP/MSRP *\r\n"
                                     "c=IN IP4 203.0.113.2\r\na=setup:actpass\r\n"));
    ng_json_append(got, streams);
    ng_json_append(expected, want);
    g_assert_cmpstr(got->str, ==, expected->str);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/fields/CTL-01/body", test_body);
    g_test_add_func("/session/fields/CTL-01/refused", test_refused);
    g_test_add_func("/session/fields/limit", test_limit);
    g_test_add_func("/session/fields/CTL-01/add", test_add);
    return g_test_run();
}
