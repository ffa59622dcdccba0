/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/medium.h"

/* E2E-09, MSR-01, BFC-01, DTL-01, DTL-19: which m= lines are ours, and on which leg they belong. */
static void test_find(void)
{
    static const struct {
        const char *media, *proto, *fmt, *name; /* name NULL: not ours */
        bool secure;
    } cases[] = {
        {"message", "TCP/TLS/MSRP", "*", "msrp", true},
        {"message", "TCP/MSRP", "*", "msrp", false},
        {"Message", "tcp/tls/msrp", "*", "msrp", true},
        {"message", "TCP/MSRP", "odd", "msrp", false},
        {"application", "TCP/TLS/BFCP", "*", "bfcp", true},
        {"application", "TCP/BFCP", "*", "bfcp", false},
        {"application", "TCP/BFCP", "whatever", "bfcp", false},
        {"image", "UDP/TLS/UDPTL", "t38", "t38", true},
        {"image", "udptl", "t38", "t38", false},
        {"image", "UDPTL", "T38", "t38", false},
        {"image", "udptl", "t38 t38", "t38", false},
        {"application", "UDP/BFCP", "*", NULL, false},
        {"application", "UDP/TLS/BFCP", "*", NULL, false},
        {"application", "TCP/DTLS/BFCP", "*", NULL, false},
        {"image", "TCP/TLS", "t38", NULL, false},
        {"image", "TCP", "t38", NULL, false},
        {"image", "RTP/AVP", "98", NULL, false},
        {"audio", "RTP/AVP", "t38", NULL, false},
        {"image", "udptl", "t37", NULL, false},
        {"image", "udptl", "", NULL, false},
        {"audio", "RTP/AVP", "96", NULL, false},
        {"audio", "TCP/MSRP", "*", NULL, false},
        {"message", "TCP/TLS/BFCP", "*", NULL, false},
        {"application", "UDP/DTLS/SCTP", "webrtc-datachannel", NULL, false},
        {"message", "TCP/TLS/MSR", "*", NULL, false},
        {"message", "TCP/TLS/MSRPX", "*", NULL, false},
        {"", "", "", NULL, false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        bool secure = false;
        const Medium *m = medium_find(span_str(cases[i].media), span_str(cases[i].proto),
                                      span_str(cases[i].fmt), &secure);
        g_test_message("%s %s %s", cases[i].media, cases[i].proto, cases[i].fmt);
        g_assert_cmpstr(m ? m->name : NULL, ==, cases[i].name);
        g_assert_cmpint(secure, ==, cases[i].secure);
    }
}

static void test_by_name(void)
{
    static const char *const names[] = {"msrp", "bfcp", "t38"};
    unsigned seen = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        const Medium *m = medium_by_name(span_str(names[i]));
        g_assert_cmpstr(m->name, ==, names[i]);
        g_assert_cmpuint(seen & m->mask, ==, 0);
        seen |= m->mask;
    }
    g_assert_null(medium_by_name(SPAN("MSRP")));
    g_assert_null(medium_by_name(SPAN("")));
    g_assert_null(medium_by_name(SPAN("msr")));
}

/* 19.1, 19.2: the columns in which the media differ. */
static void test_descriptors(void)
{
    const Medium *msrp = medium_by_name(SPAN("msrp")), *bfcp = medium_by_name(SPAN("bfcp"));
    const Medium *t38 = medium_by_name(SPAN("t38"));

    g_assert_cmpint(msrp->connection, ==, MEDIUM_CONNECTION_STRIP);
    g_assert_cmpint(bfcp->connection, ==, MEDIUM_CONNECTION_NEGOTIATE);
    g_assert_cmpint(t38->connection, ==, MEDIUM_CONNECTION_STRIP);
    g_assert_cmpint(msrp->tls_id, ==, MEDIUM_TLS_ID_NEVER);
    g_assert_cmpint(bfcp->tls_id, ==, MEDIUM_TLS_ID_IF_OFFERED);
    g_assert_cmpint(t38->tls_id, ==, MEDIUM_TLS_ID_ALWAYS);
    g_assert_true(msrp->both_active_deadlock && !bfcp->both_active_deadlock);
    g_assert_true(msrp->plain_setup && bfcp->plain_setup && !t38->plain_setup);
    g_assert_true(bfcp->holdconn && !msrp->holdconn && !t38->holdconn);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/medium/E2E-09/MSR-01/BFC-01/DTL-19/find", test_find);
    g_test_add_func("/session/medium/by-name", test_by_name);
    g_test_add_func("/session/medium/19.1/descriptors", test_descriptors);
    return g_test_run();
}
