/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The "e2ae" dictionary of a reply, as the JSON that an operator would see. */
#include "session-fixture.h"

#include "ng-protocol/ng-json.h"

#define UE   "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 198.51.100.10\nt=0 0\n"
#define CORE "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\n"

/* @want has ' for ". */
static void expect_reply(const Fixture *f, const char *want)
{
    g_autoptr(NgValue) reply = ng_dict_new();

    session_plan_reply(f->plan, reply);
    g_autoptr(GString) got = g_string_new(NULL);
    ng_json_append(got, reply);
    g_autofree char *text = fixture_text(f, want);
    g_strdelimit(text, "'", '"');
    g_assert_cmpstr(got->str, ==, text);
}

static void test_msrp(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating",
                                UE "m=audio 4000 RTP/AVP 0\n"
                                   "m=message 9 TCP/TLS/MSRP *\na=setup:active\n"
                                   "a=fingerprint:{ue}\na=3ge2ae:requested\n"
                                   "m=message 9 TCP/TLS/MSRP *\na=fingerprint:{ue}\n"
                                   "m=application 9 TCP/TLS/BFCP *\na=3ge2ae:requested\n"
                                   "m=message 9 TCP/MSRP *\n"));
    expect_reply(
        f, "{'e2ae':{'version':1,'streams':["
           "{'index':1,'media':'audio','treatment':'anchor'},"
           "{'index':2,'media':'message','medium':'msrp','treatment':'e2ae',"
           "'access':{'transport':'TCP/TLS','proto':'TCP/TLS/"
           "MSRP','address':'198.51.100.1','port':30000,"
           "'setup':'passive','tls-role':'server','local-fingerprint':'{gw}','local-fingerprints':["
           "'{gw}'],"
           "'remote-fingerprints':['{ue}']},"
           "'core':{'transport':'TCP','proto':'TCP/MSRP','address':'203.0.113.2','port':40000,"
           "'setup':'actpass','tls-role':'none'}},"
           "{'index':3,'media':'message','medium':'msrp','treatment':'pass',"
           "'reason':'no a=3ge2ae:requested: end-to-end'},"
           "{'index':4,'media':'application','medium':'bfcp','treatment':'reject',"
           "'reason':'no a=fingerprint'},"
           "{'index':5,'media':'message','medium':'msrp','treatment':'pass'}]}}");
    g_assert_true(fixture_answer(f, SESSION_CORE, "",
                                 CORE "m=audio 6000 RTP/AVP 0\n"
                                      "m=message 0 TCP/MSRP *\n"
                                      "m=message 7000 TCP/TLS/MSRP *\n"
                                      "m=application 0 TCP/BFCP *\n"
                                      "m=message 7001 TCP/MSRP *\n"
                                      "m=video 0 RTP/AVP 97\n"));
    expect_reply(f, "{'e2ae':{'version':1,'streams':["
                    "{'index':1,'media':'audio','treatment':'anchor'},"
                    "{'index':2,'media':'message','medium':'msrp','treatment':'reject',"
                    "'reason':'refused by the answerer'},"
                    "{'index':3,'media':'message','medium':'msrp','treatment':'pass',"
                    "'reason':'no a=3ge2ae:requested: end-to-end'},"
                    "{'index':4,'media':'application','medium':'bfcp','treatment':'reject',"
                    "'reason':'no a=fingerprint'},"
                    "{'index':5,'media':'message','medium':'msrp','treatment':'pass'},"
                    "{'index':6,'media':'video','treatment':'pass'}]}}");
}

static void test_t38(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(
        fixture_offer(f, SESSION_CORE, "e2ae=terminating", CORE "m=image 5004 udptl t38\n"));
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "",
                                 UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:passive\n"
                                    "a=fingerprint:{ue}\na=fingerprint:{sha1}\n"));
    expect_reply(f, "{'e2ae':{'version':1,'streams':["
                    "{'index':1,'media':'image','medium':'t38','treatment':'e2ae',"
                    "'access':{'transport':'UDP/DTLS','proto':'UDP/TLS/"
                    "UDPTL','address':'198.51.100.1','port':30000,"
                    "'setup':'active','tls-role':'client','local-fingerprint':'{gw}','local-"
                    "fingerprints':['{gw}'],"
                    "'remote-fingerprints':['{ue}','{sha1}'],'tls-id':'{tls-id-1}'},"
                    "'core':{'transport':'UDP','proto':'udptl','address':'203.0.113.2','port':"
                    "40000,'tls-role':'none'}}]}}");
}

static void test_bfcp(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_CORE, "e2ae=terminating",
                                CORE "m=application 5004 TCP/BFCP *\na=setup:holdconn\n"));
    expect_reply(
        f, "{'e2ae':{'version':1,'streams':["
           "{'index':1,'media':'application','medium':'bfcp','treatment':'e2ae',"
           "'access':{'transport':'TCP/TLS','proto':'TCP/TLS/"
           "BFCP','address':'198.51.100.1','port':30000,"
           "'setup':'holdconn','local-fingerprint':'{gw}','local-fingerprints':['{"
           "gw}'],"
           "'remote-fingerprints':[]},"
           "'core':{'transport':'TCP','proto':'TCP/BFCP','address':'203.0.113.2','port':40000,"
           "'setup':'holdconn','tls-role':'none'}}]}}");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/reply/CTL-07/msrp", test_msrp);
    g_test_add_func("/session/reply/CTL-07/t38", test_t38);
    g_test_add_func("/session/reply/CTL-07/bfcp", test_bfcp);
    return g_test_run();
}
