/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is particular to BFCP, and conferences: sections 6 and 14 of the requirements. Bodies:
 * session-fixture.h. */
#include "session-fixture.h"

#define UE       "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 198.51.100.10\nt=0 0\n"
#define UE_OUT   "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 203.0.113.2\nt=0 0\n"
#define CORE     "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\n"
#define CORE_OUT "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n"

#define UE_BFCP "m=application 50000 TCP/TLS/BFCP *\na=setup:actpass\na=fingerprint:{ue}\n"
#define NEW     "a=connection:new\n"

/* BFC-02: floors, conference, users and labels are the endpoints' own, in both spellings of mstrm. */
#define FLOORS                                                                                     \
    "a=floorctrl:c-only s-only\na=confid:4321\na=userid:1234\na=floorid:1 mstrm:10\n"              \
    "a=floorid:2 m-stream:11\na=bfcpver:1 2\na=label:12\na=sendrecv\n"

static void test_floors(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating",
                                UE "m=application 50000 TCP/TLS/BFCP *\n" FLOORS
                                   "a=setup:actpass\na=connection:new\na=fingerprint:{ue}\n"
                                   "a=3ge2ae:requested\n"));
    fixture_expect(f, UE_OUT "m=application 40000 TCP/BFCP *\nc=IN IP4 203.0.113.2\n" FLOORS
                             "a=setup:actpass\na=connection:new\n");
    g_assert_true(fixture_answer(f, SESSION_CORE, "",
                                 CORE "m=application 7000 TCP/BFCP *\n" FLOORS
                                      "a=setup:passive\na=connection:new\n"));
    fixture_expect(f, CORE_OUT "m=application 30000 TCP/TLS/BFCP *\nc=IN IP4 198.51.100.1\n" FLOORS
                               "a=setup:passive\na=connection:new\na=fingerprint:{gw}\n");
}

/* BFC-10: RFC 4583 knew no bfcpver, and floorctrl may be left out. */
static void test_nothing_added(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(
        fixture_offer(f, SESSION_ACCESS, "e2ae=originating", UE UE_BFCP "a=3ge2ae:requested\n"));
    fixture_expect(f, UE_OUT "m=application 40000 TCP/BFCP *\nc=IN IP4 203.0.113.2\n"
                             "a=setup:actpass\na=connection:new\n");
    g_assert_true(fixture_answer(f, SESSION_CORE, "",
                                 CORE "m=application 7000 TCP/BFCP *\na=setup:passive\n"));
    fixture_expect(f, CORE_OUT "m=application 30000 TCP/TLS/BFCP *\nc=IN IP4 198.51.100.1\n"
                               "a=setup:passive\na=connection:new\na=fingerprint:{gw}\n");
}

/* What the media plane is told, without the ports. */
static MediaSpec spec_with(SessionSide from, const char *offered, const char *answered)
{
    static const char *const heads[2] = {UE UE_BFCP "a=3ge2ae:requested\n",
                                         CORE "m=application 7000 TCP/BFCP *\na=setup:active\n"};
    static const char *const keys[2] = {"e2ae=originating", "e2ae=terminating"};
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *offer = g_strconcat(heads[from], offered, NULL);
    g_autofree char *answer =
        g_strconcat(from == SESSION_CORE ? UE
                        "m=application 50000 TCP/TLS/BFCP *\na=setup:active\na=fingerprint:{ue}\n"
                                         : heads[SESSION_CORE],
                    answered, NULL);
    MediaSpec spec;

    g_assert_true(fixture_offer(f, from, keys[from], offer));
    g_assert_true(fixture_answer(f, session_other(from), "", answer));
    session_stream_spec(fixture_stream(f, 0), &spec);
    return spec;
}

/* BFC-03: who serves floors says nothing about who connects or begins the handshake. */
static void test_floorctrl(void)
{
    static const char *const values[] = {"a=floorctrl:c-only\n", "a=floorctrl:s-only\n",
                                         "a=floorctrl:c-s\n", "a=floorctrl:c-only s-only\n", ""};

    for (int from = 0; from < 2; from++) {
        MediaSpec without = spec_with((SessionSide)from, "", "");
        for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
            for (size_t k = 0; k < G_N_ELEMENTS(values); k++) {
                MediaSpec with = spec_with((SessionSide)from, values[i], values[k]);
                g_test_message("offer %d, %s %s", from, values[i], values[k]);
                for (int side = 0; side < 2; side++) {
                    g_assert_cmpint(with.leg[side].setup, ==, without.leg[side].setup);
                    g_assert_cmpint(with.leg[side].tls_role, ==, without.leg[side].tls_role);
                }
            }
        }
    }
}

/* BFC-04: a connection that was lost comes back by a new offer of either side, on ports of its own. */
static void test_new_connection(gconstpointer data)
{
    SessionSide from = (SessionSide)GPOINTER_TO_INT(data);
    static const char *const offers[2] = {UE UE_BFCP NEW, CORE
                                          "m=application 7000 TCP/BFCP *\na=setup:actpass\n" NEW};
    static const char *const answers[2] = {
        UE "m=application 50000 TCP/TLS/BFCP *\na=setup:active\na=fingerprint:{ue}\n" NEW,
        CORE "m=application 7000 TCP/BFCP *\na=setup:passive\n" NEW};
    static const char *const answered[2] = {"m=application 40002 TCP/BFCP *",
                                            "m=application 30002 TCP/TLS/BFCP *"};
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating",
                                UE UE_BFCP NEW "a=3ge2ae:requested\n"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", answers[SESSION_CORE]));
    uint64_t old = fixture_stream(f, 0)->id;
    g_assert_true(fixture_offer(f, from, "", offers[from]));
    g_assert_true(fixture_has(f, "a=connection:new"));
    g_assert_true(fixture_answer(f, session_other(from), "", answers[session_other(from)]));
    g_assert_true(fixture_has(f, "a=connection:new"));
    g_assert_true(fixture_has(f, answered[session_other(from)]));
    g_assert_cmpuint(fixture_stream(f, 0)->id, !=, old);
    g_assert_true(session_stream_up(f->session, fixture_stream(f, 0)->id));
    g_assert_false(session_find_stream(f->session, old, NULL, NULL, NULL));
}

/* CNF-02: a conference with sound, chat and floor control, each protected or not as its own line says. */
static void test_any_mix(void)
{
    for (unsigned mix = 0; mix < 4; mix++) {
        const char *msrp = mix & 1 ? "a=3ge2ae:requested\n" : "";
        const char *bfcp = mix & 2 ? "a=3ge2ae:requested\n" : "";
        g_autoptr(Fixture) f = fixture_new();
        g_autofree char *offer = g_strconcat(
            UE "m=audio 4000 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:QUJD\n"
               "m=message 2855 TCP/TLS/MSRP *\na=setup:active\na=fingerprint:{ue}\n",
            msrp, UE_BFCP, bfcp, NULL);
        g_test_message("mix %u", mix);
        g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", offer));
        fixture_expect_upstream(
            f, UE "m=audio 4000 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:QUJD\n");
        g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_UPSTREAM);
        g_assert_cmpint(fixture_slot(f, 1)->treatment, ==, mix & 1 ? SESSION_E2AE : SESSION_PASS);
        g_assert_cmpint(fixture_slot(f, 2)->treatment, ==, mix & 2 ? SESSION_E2AE : SESSION_PASS);
        g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, (mix & 1) + (mix >> 1));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/bfcp/BFC-02/floors", test_floors);
    g_test_add_func("/session/bfcp/BFC-03/floorctrl", test_floorctrl);
    g_test_add_data_func("/session/bfcp/BFC-04/new-connection-by-ue",
                         GINT_TO_POINTER(SESSION_ACCESS), test_new_connection);
    g_test_add_data_func("/session/bfcp/BFC-04/new-connection-by-core",
                         GINT_TO_POINTER(SESSION_CORE), test_new_connection);
    g_test_add_func("/session/bfcp/BFC-10/nothing-added", test_nothing_added);
    g_test_add_func("/session/bfcp/CNF-02/any-mix", test_any_mix);
    return g_test_run();
}
