/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sdp/sdp-conn.h"

/* TRK-12, TRK-18 */
static void test_parse(void)
{
    static const struct {
        const char *value;
        SdpConn want;
        const char *ip;
    } cases[] = {
        {"IN IP4 192.0.2.1", SDP_CONN_OK, "192.0.2.1"},
        {" in  ip4\t192.0.2.1 ", SDP_CONN_OK, "192.0.2.1"},
        {"IN IP6 2001:DB8:0::1", SDP_CONN_OK, "2001:db8::1"},
        {"IN IP4 0.0.0.0", SDP_CONN_OK, "0.0.0.0"},
        {"IN IP6 ::", SDP_CONN_OK, "::"},
        {"IN IP4 localhost", SDP_CONN_NAME, NULL},
        {"IN IP4 ua1.example.com", SDP_CONN_NAME, NULL},
        {"IN IP4 ua1.example.com.", SDP_CONN_NAME, NULL},
        {"IN IP4 1.2.3.4a", SDP_CONN_NAME, NULL},
        {"IN IP4 888.888.888.888", SDP_CONN_BAD, NULL},
        {"IN IP4 192.0.2.1.", SDP_CONN_BAD, NULL},
        {"IN IP4 1.2.3", SDP_CONN_BAD, NULL},
        {"IN IP4 3232235521", SDP_CONN_BAD, NULL},
        {"IN IP4 224.2.36.42/127", SDP_CONN_BAD, NULL},
        {"IN IP4 224.2.36.42", SDP_CONN_BAD, NULL},
        {"IN IP4 192.0.2.1/1", SDP_CONN_BAD, NULL},
        {"IN IP6 ff15::101", SDP_CONN_BAD, NULL},
        {"IN IP6 fe80::1%eth0", SDP_CONN_BAD, NULL},
        {"IN IP6 [2001:db8::1]", SDP_CONN_BAD, NULL},
        {"IN IP6 192.0.2.1", SDP_CONN_BAD, NULL},
        {"IN IP4 2001:db8::1", SDP_CONN_BAD, NULL},
        {"IN IP5 192.0.2.1", SDP_CONN_BAD, NULL},
        {"TN RFC2543 1234", SDP_CONN_BAD, NULL},
        {"IN IP4 192.0.2.1 x", SDP_CONN_BAD, NULL},
        {"IN IP4", SDP_CONN_BAD, NULL},
        {"", SDP_CONN_BAD, NULL},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Addr a = {.port = 77};
        char text[ADDR_TEXT_MAX];
        g_test_message("%s", cases[i].value);
        g_assert_cmpint(sdp_conn_parse(span_str(cases[i].value), &a), ==, cases[i].want);
        g_assert_cmpuint(a.port, ==, cases[i].ip ? 0 : 77);
        if (cases[i].ip)
            g_assert_cmpstr(addr_ip_text(&a, text), ==, cases[i].ip);
    }
}

static void test_level(void)
{
#define HERE  "c=IN IP4 192.0.2.1\r\n"
#define MEDIA "m=image 5004 udptl t38\r\n"
    static const struct {
        const char *body;
        SdpConn want;
        const char *addr;
    } cases[] = {
        {"v=0\r\n" HERE MEDIA, SDP_CONN_OK, "192.0.2.1:5004"},
        {"v=0\r\n" MEDIA HERE, SDP_CONN_OK, "192.0.2.1:5004"},
        {"v=0\r\n" HERE MEDIA "c=IN IP6 ::1\r\n", SDP_CONN_OK, "[::1]:5004"},
        {"v=0\r\n" HERE MEDIA "c=IN IP4 host\r\n", SDP_CONN_NAME, NULL},
        {"v=0\r\n" HERE MEDIA "c=\r\n", SDP_CONN_BAD, NULL},
        {"v=0\r\n" MEDIA, SDP_CONN_NONE, NULL},
        {"v=0\r\n" MEDIA MEDIA HERE, SDP_CONN_NONE, NULL},
        {"v=0\r\n" MEDIA HERE HERE, SDP_CONN_OK, "192.0.2.1:5004"},
        {"v=0\r\n" MEDIA HERE "c=IN IP4 192.0.2.2\r\n", SDP_CONN_BAD, NULL},
        {"v=0\r\n" MEDIA HERE "c=IN IP4 host\r\n", SDP_CONN_BAD, NULL},
        {"v=0\r\n" HERE MEDIA "v=0\r\n" HERE MEDIA, SDP_CONN_OK, "192.0.2.1:5004"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(cases[i].body), NULL);
        Addr a = {.port = 77};
        char text[ADDR_TEXT_MAX];
        g_test_message("case %zu", i);
        g_assert_cmpint(sdp_conn_of(doc, 1, &a), ==, cases[i].want);
        if (cases[i].addr)
            g_assert_cmpstr(addr_text(&a, text), ==, cases[i].addr);
        else
            g_assert_cmpuint(a.port, ==, 77);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sdp/conn/TRK-12/TRK-18/parse", test_parse);
    g_test_add_func("/sdp/conn/level", test_level);
    return g_test_run();
}
