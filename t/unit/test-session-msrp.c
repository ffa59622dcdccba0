/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is particular to MSRP and its clients: sections 13 and 18 of the requirements; modes of the path have
 * test-session-path.c. Bodies: session-fixture.h. */
#include "sdp/sdp-conn.h"
#include "sdp/sdp-media-attrs.h"
#include "session-fixture.h"

#define UE   "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 198.51.100.10\nt=0 0\n"
#define CORE "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\n"

#define SECURE    "a=fingerprint:{ue}\na=3ge2ae:requested\n"
#define UE_MSRP   "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/s;tcp\n"
#define CORE_MSRP "m=message 7000 TCP/MSRP *\na=path:msrp://192.0.2.9:7000/k;tcp\na=setup:passive\n"

/* A stream that is up, with the UE as offerer. */
static Fixture *begin(const char *keys)
{
    Fixture *f = fixture_new();
    g_autofree char *all = g_strconcat("e2ae=originating ", keys, NULL);

    g_assert_true(fixture_offer(f, SESSION_ACCESS, all, UE UE_MSRP "a=setup:actpass\n" SECURE));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_MSRP));
    return f;
}

/* MSR-02: where nobody promised CEMA, c=, the m= port and the path say the same, on each leg and in each
 * direction; with CEMA the path alone is somebody else's. */
static void assert_agree(const Fixture *f, bool agree)
{
    g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(f->body), NULL);
    MsrpPath path;
    Addr at;
    char text[ADDR_TEXT_MAX];

    g_assert_nonnull(doc);
    g_assert_cmpint(sdp_conn_of(doc, 1, &at), ==, SDP_CONN_OK);
    g_assert_cmpint(sdp_msrp_path(doc, 1, &path), ==, SDP_VALUE_OK);
    g_autofree char *host = span_dup(path.uri[0].host);
    g_assert_cmpint(g_str_equal(addr_ip_text(&at, text), host), ==, agree);
    if (agree)
        g_assert_cmpuint(doc->sections[1].media.port, ==, path.uri[0].port);
}

static void test_path_agrees(void)
{
    static const struct {
        const char *keys, *cema;
        bool agree;
    } cases[] = {
        {"", "", true}, {"e2ae-path=aware", "a=msrp-cema\n", true}, {"", "a=msrp-cema\n", false}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (int from = 0; from < 2; from++) {
            g_autoptr(Fixture) f = fixture_new();
            g_autofree char *keys =
                g_strconcat(from == SESSION_ACCESS ? "e2ae=originating " : "e2ae=terminating ",
                            cases[i].keys, NULL);
            g_autofree char *ue =
                g_strconcat(UE UE_MSRP "a=setup:active\n" SECURE, cases[i].cema, NULL);
            g_autofree char *core = g_strconcat(CORE CORE_MSRP, cases[i].cema, NULL);
            g_test_message("case %zu, offer of %d", i, from);
            g_assert_true(fixture_offer(f, (SessionSide)from, keys, from ? core : ue));
            assert_agree(f, cases[i].agree);
            g_assert_true(
                fixture_answer(f, session_other((SessionSide)from), "", from ? ue : core));
            assert_agree(f, cases[i].agree); /* TRK-04: where one is 9 both are */
        }
    }
}

/* CEM-02: in transparent mode only addresses and ports change, and each session has its own. */
static void test_transparent(void)
{
    g_autoptr(Fixture) f = fixture_new();
    static const char first[] = "a=path:msrps://198.51.100.10:2855/one;tcp";
    static const char second[] = "a=path:msrps://198.51.100.10:2855/two;tcp";

    g_assert_true(fixture_offer(
        f, SESSION_ACCESS, "e2ae=originating e2ae-path-scheme=keep",
        UE "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/one;tcp\n"
           "a=msrp-cema\na=setup:actpass\n" SECURE
           "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/two;tcp\n"
           "a=msrp-cema\na=setup:actpass\n" SECURE));
    g_assert_true(fixture_has(f, first) && fixture_has(f, second));
    g_assert_true(fixture_has(f, "a=msrp-cema"));
    g_assert_true(fixture_has(f, "m=message 40000 TCP/MSRP *"));
    g_assert_true(fixture_has(f, "m=message 40002 TCP/MSRP *"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "",
                                 CORE CORE_MSRP "a=msrp-cema\n" CORE_MSRP "a=msrp-cema\n"));
    g_assert_true(fixture_has(f, "m=message 30000 TCP/TLS/MSRP *"));
    g_assert_true(fixture_has(f, "m=message 30002 TCP/TLS/MSRP *"));
    MediaSpec spec;
    session_stream_spec(fixture_stream(f, 0), &spec);
    g_assert_null(spec.msrp); /* nobody reads its messages */
}

/* CEM-05: the neighbour keeps c= and m= right; what the path names may be out of reach. */
static void test_connect_target(void)
{
    static const char *const keys[] = {"e2ae=originating e2ae-path=transparent",
                                       "e2ae=originating e2ae-path=aware", "e2ae=originating"};
    static const char *const cema[] = {"a=msrp-cema\n", ""};
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < G_N_ELEMENTS(keys) * 2; i++) {
        g_autoptr(Fixture) f = fixture_new();
        g_autofree char *offer =
            g_strconcat(UE UE_MSRP "a=setup:active\n" SECURE, cema[i % 2], NULL);
        g_assert_true(fixture_offer(f, SESSION_ACCESS, keys[i / 2], offer));
        g_assert_true(fixture_answer(f, SESSION_CORE, "",
                                     CORE "m=message 7000 TCP/MSRP *\na=setup:passive\n"
                                          "a=path:msrp://10.9.9.9:4444/k;tcp\n"));
        MediaSpec spec;
        session_stream_spec(fixture_stream(f, 0), &spec);
        g_assert_cmpint(spec.leg[MEDIA_CORE].setup, ==, MEDIA_SETUP_ACTIVE);
        g_assert_cmpstr(addr_text(&spec.leg[MEDIA_CORE].remote, text), ==, "192.0.2.9:7000");
        media_msrp_unref(spec.msrp);
    }
}

/* MSR-10: nothing new: the same body, o= included; another path in the offer is another session. */
static void test_other_path_offered(void)
{
    g_autoptr(Fixture) f = begin("");

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_MSRP "a=setup:actpass\n" SECURE));
    g_assert_true(fixture_has(f, "o=ue 1 1 IN IP4 198.51.100.10"));
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_MSRP));
    g_assert_true(fixture_has(f, "o=core 2 2 IN IP4 192.0.2.9"));
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "",
                                UE "m=message 2855 TCP/TLS/MSRP *\n"
                                   "a=path:msrps://198.51.100.10:2855/other;tcp\n"
                                   "a=setup:actpass\n" SECURE));
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 1);
    g_assert_true(fixture_has(f, "m=message 40002 TCP/MSRP *"));
    g_assert_true(fixture_has(f, "a=path:msrp://203.0.113.2:40002/other;tcp"));
}

/* MSR-10: the answer to an unchanged offer may bring another path; the frames follow it. */
static void test_other_path_answered(void)
{
    g_autoptr(Fixture) f = begin("");
    uint64_t id = fixture_stream(f, 0)->id;

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_MSRP "a=setup:actpass\n" SECURE));
    g_assert_true(fixture_answer(f, SESSION_CORE, "",
                                 CORE "m=message 7100 TCP/MSRP *\na=setup:passive\n"
                                      "a=path:msrp://192.0.2.9:7100/moved;tcp\n"));
    g_assert_true(fixture_has(f, "a=path:msrps://198.51.100.1:30000/moved;tcp"));
    g_assert_cmpuint(fixture_stream(f, 0)->id, ==, id);
    g_assert_cmpuint(fixture_count(f, SESSION_UPDATE), ==, 1);
    MediaSpec spec;
    session_stream_spec(fixture_stream(f, 0), &spec);
    g_assert_cmpuint(spec.leg[MEDIA_CORE].remote.port, ==, 7100);
    g_assert_cmpstr(spec.msrp->peer[MEDIA_CORE], ==, "msrp://192.0.2.9:7100/moved;tcp");
    media_msrp_unref(spec.msrp);
}

/* MSR-11: who may send what is between the endpoints. */
static void test_direction(void)
{
    static const char *const directions[] = {"a=sendonly", "a=recvonly", "a=inactive",
                                             "a=sendrecv"};
    g_autoptr(Fixture) f = begin("");

    for (size_t i = 0; i < G_N_ELEMENTS(directions); i++) {
        g_autofree char *offer =
            g_strconcat(UE UE_MSRP "a=setup:actpass\n" SECURE, directions[i], "\n", NULL);
        g_autofree char *answer = g_strconcat(CORE CORE_MSRP, directions[i], "\n", NULL);
        g_test_message("%s", directions[i]);
        g_assert_true(fixture_offer(f, SESSION_ACCESS, "", offer));
        g_assert_true(fixture_has(f, directions[i]));
        g_assert_true(fixture_has(f, "m=message 40000 TCP/MSRP *"));
        g_assert_cmpuint(f->actions->len, ==, 0);
        g_assert_true(fixture_answer(f, SESSION_CORE, "", answer));
        g_assert_true(fixture_has(f, directions[i]));
        g_assert_cmpuint(f->actions->len, ==, 0);
    }
}

/* COM-08: whoever connects is the TLS client, on the leg of either role in the dialog. */
static void test_tls_client_connects(void)
{
    static const struct {
        SessionSide from;
        const char *setup;
        MediaSetup ours;
        MediaTlsRole role;
    } cases[] = {
        {SESSION_ACCESS, "a=setup:active\n", MEDIA_SETUP_PASSIVE, MEDIA_TLS_SERVER},
        {SESSION_ACCESS, "a=setup:passive\n", MEDIA_SETUP_ACTIVE, MEDIA_TLS_CLIENT},
        {SESSION_CORE, "a=setup:active\n", MEDIA_SETUP_PASSIVE, MEDIA_TLS_SERVER},
        {SESSION_CORE, "a=setup:passive\n", MEDIA_SETUP_ACTIVE, MEDIA_TLS_CLIENT},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Fixture) f = fixture_new();
        bool ue_offers = cases[i].from == SESSION_ACCESS;
        g_autofree char *ue = g_strconcat(UE UE_MSRP SECURE, cases[i].setup, NULL);
        const char *core = CORE "m=message 7000 TCP/MSRP *\na=setup:active\n"
                                "a=path:msrp://192.0.2.9:7000/k;tcp\n";
        g_test_message("case %zu", i);
        g_assert_true(fixture_offer(f, cases[i].from,
                                    ue_offers ? "e2ae=originating" : "e2ae=terminating",
                                    ue_offers ? ue : core));
        g_assert_true(fixture_answer(f, session_other(cases[i].from), "", ue_offers ? core : ue));
        const SessionLeg *leg = &fixture_stream(f, 0)->leg[SESSION_ACCESS];
        g_assert_cmpint(leg->setup, ==, cases[i].ours);
        g_assert_cmpint(leg->tls_role, ==, cases[i].role);
    }
}

/* CTL-04: the core would connect to a UE behind NAT; both come to us instead. */
static void test_both_come_to_us(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_CORE, "e2ae=terminating",
                                CORE "m=message 9 TCP/MSRP *\na=setup:active\n"
                                     "a=path:msrp://192.0.2.9:9/k;tcp\n"));
    g_assert_true(fixture_has(f, "a=setup:actpass"));
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "",
                                 UE "m=message 9 TCP/TLS/MSRP *\na=setup:active\n"
                                    "a=path:msrps://198.51.100.10:9/s;tcp\n" SECURE));
    g_assert_true(fixture_has(f, "a=setup:passive"));
    g_assert_true(fixture_has(f, "m=message 40000 TCP/MSRP *"));
    for (int side = 0; side < 2; side++)
        g_assert_cmpint(fixture_stream(f, 0)->leg[side].setup, ==, MEDIA_SETUP_PASSIVE);
}

/* RCS-03, RCS-07: what RCS clients send, with and without CEMA: protected, and their a=connection goes no
 * further. */
static void test_clients(void)
{
    static const char *const lines[] = {
        "m=message 9 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:9/s;tcp\na=setup:active\n",
        "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/s;tcp\n"
        "a=setup:actpass\n",
        "m=message 9 TCP/TLS/MSRP *\na=path:msrps://10.0.0.4:2855/s;tcp\na=setup:actpass\n",
    };
    static const char *const cema[] = {"", "a=msrp-cema\n"};

    for (size_t i = 0; i < G_N_ELEMENTS(lines) * 2; i++) {
        bool has_cema = i % 2 == 1;
        g_autoptr(Fixture) f = fixture_new();
        g_autofree char *offer = g_strconcat(
            UE, lines[i / 2], "a=connection:new\n",
            "a=accept-types:message/cpim\na=accept-wrapped-types:*\n", SECURE, cema[i % 2], NULL);
        g_autofree char *answer =
            g_strconcat(CORE CORE_MSRP "a=connection:new\n", cema[i % 2], NULL);
        g_test_message("case %zu", i);
        g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", offer));
        g_assert_true(fixture_has(f, "m=message 40000 TCP/MSRP *"));
        g_assert_true(fixture_has(f, "a=setup:actpass"));
        g_assert_false(fixture_has(f, "a=connection:new"));
        g_assert_cmpint(fixture_has(f, "a=msrp-cema"), ==, has_cema);
        g_assert_true(fixture_answer(f, SESSION_CORE, "", answer));
        g_assert_true(fixture_has(f, "m=message 30000 TCP/TLS/MSRP *"));
        g_assert_true(fixture_has(f, "a=setup:passive"));
        g_assert_false(fixture_has(f, "a=connection:new"));
        g_assert_cmpint(fixture_has(f, "a=msrp-cema"), ==, has_cema);
        g_assert_true(fixture_has(f, has_cema ? "a=path:msrps://192.0.2.9:7000/k;tcp"
                                              : "a=path:msrps://198.51.100.1:30000/k;tcp"));
        g_assert_cmpint(fixture_stream(f, 0)->path_mode, ==,
                        has_cema ? SESSION_PATH_SCHEME : SESSION_PATH_AWARE);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/msrp/MSR-02/path-agrees", test_path_agrees);
    g_test_add_func("/session/msrp/MSR-10/other-path-offered", test_other_path_offered);
    g_test_add_func("/session/msrp/MSR-10/other-path-answered", test_other_path_answered);
    g_test_add_func("/session/msrp/MSR-11/direction", test_direction);
    g_test_add_func("/session/msrp/CEM-02/transparent", test_transparent);
    g_test_add_func("/session/msrp/CEM-05/connect-target", test_connect_target);
    g_test_add_func("/session/msrp/COM-08/tls-client-connects", test_tls_client_connects);
    g_test_add_func("/session/msrp/CTL-04/both-come-to-us", test_both_come_to_us);
    g_test_add_func("/session/msrp/RCS-03/RCS-07/clients", test_clients);
    return g_test_run();
}
