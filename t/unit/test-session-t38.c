/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is particular to T.38: sections 15 and 16 of the requirements. Bodies: session-fixture.h. */
#include "session-fixture.h"

#define UE       "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 198.51.100.10\nt=0 0\n"
#define UE_OUT   "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 203.0.113.2\nt=0 0\n"
#define CORE     "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\n"
#define CORE_OUT "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n"

#define TLS_ID    "a=tls-id:uuuuuuuuuuuuuuuuuuuuuuuu\n"
#define UE_OFFER  "m=image 6056 UDP/TLS/UDPTL t38\na=setup:actpass\na=fingerprint:{ue}\n" TLS_ID
#define REQUESTED "a=3ge2ae:requested\n"
#define UE_ANSWER "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\na=fingerprint:{ue}\n" TLS_ID

/* Every attribute of T.38 with every way in which its value is written, and bandwidth. */
#define FAX                                                                                        \
    "b=AS:46\n"                                                                                    \
    "a=T38FaxVersion:0\na=T38MaxBitRate:14400\na=T38FaxFillBitRemoval\n"                           \
    "a=T38FaxTranscodingMMR:0\na=T38FaxTranscodingJBIG:1\n"                                        \
    "a=T38FaxRateManagement:transferredTCF\na=T38FaxMaxBuffer:1800\na=T38FaxMaxDatagram:150\n"     \
    "a=T38FaxMaxIFP:40\na=T38FaxUdpEC:t38UDPRedundancy\na=T38FaxUdpECDepth:2 5\n"                  \
    "a=T38FaxUdpFECMaxSpan:3\na=T38VendorInfo:0 0 37\na=T38ModemType:t38G3FaxOnly\n"               \
    "a=t38faxmaxbuffer:72\na=T38FaxTranscodingMMR\na=T38faxFillBitRemoval:0\n"

/* DTL-02, DTL-03: both ways, both directions of the call. */
static void test_attributes(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating",
                                UE UE_OFFER REQUESTED FAX "a=sendrecv\n"));
    fixture_expect(f, UE_OUT "m=image 40000 udptl t38\nc=IN IP4 203.0.113.2\n" FAX "a=sendrecv\n");
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE "m=image 5004 udptl t38\n" FAX));
    fixture_expect(f, CORE_OUT "m=image 30000 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\n" FAX
                               "a=setup:passive\na=fingerprint:{gw}\na=tls-id:{tls-id-1}\n");

    g_autoptr(Fixture) back = fixture_new();
    g_assert_true(
        fixture_offer(back, SESSION_CORE, "e2ae=terminating", CORE "m=image 5004 udptl t38\n" FAX));
    fixture_expect(back, CORE_OUT
                   "m=image 30000 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\n" FAX
                   "a=setup:actpass\na=fingerprint:{gw}\na=tls-id:{tls-id-1}\na=3ge2ae:applied\n");
    g_assert_true(fixture_answer(back, SESSION_ACCESS, "", UE UE_ANSWER FAX));
    fixture_expect(back, UE_OUT "m=image 40000 udptl t38\nc=IN IP4 203.0.113.2\n" FAX);
}

/* DTL-01: any case is read; each side gets its own back, and who has shown none the usual one. */
static void test_spelling(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating",
                                UE "m=image 6056 udp/tls/udptl t38\na=setup:actpass\n"
                                   "a=fingerprint:{ue}\n" REQUESTED));
    g_assert_true(fixture_has(f, "m=image 40000 udptl t38"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE "m=image 5004 UDPTL t38\n"));
    g_assert_true(fixture_has(f, "m=image 30000 udp/tls/udptl t38"));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "",
                                UE "m=image 6056 udp/tls/udptl t38\na=setup:actpass\n"
                                   "a=fingerprint:{ue}\n"));
    g_assert_true(fixture_has(f, "m=image 40000 UDPTL t38"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE "m=image 5004 UDPTL t38\n"));
    g_assert_true(fixture_offer(f, SESSION_CORE, "", CORE "m=image 5004 Udptl t38\n"));
    g_assert_true(fixture_has(f, "m=image 30000 udp/tls/udptl t38"));
    /* one that is refused, too */
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "", UE "m=image 0 UDP/TLS/UDPTL t38\n"));
    g_assert_true(fixture_has(f, "m=image 0 Udptl t38"));
}

/* DTL-04, DTL-18, COM-07: whatever the UE offers, the answer is active or passive. */
static void test_any_setup_is_answered(void)
{
    static const struct {
        const char *offered, *answered;
        MediaTlsRole role;
    } cases[] = {
        {"a=setup:actpass\n", "a=setup:passive", MEDIA_TLS_SERVER},
        {"a=setup:active\n", "a=setup:passive", MEDIA_TLS_SERVER},
        {"a=setup:passive\n", "a=setup:active", MEDIA_TLS_CLIENT},
        {"a=setup:holdconn\n", "a=setup:passive", MEDIA_TLS_SERVER},
        {"a=setup:odd\n", "a=setup:passive", MEDIA_TLS_SERVER},
        {"", "a=setup:passive", MEDIA_TLS_SERVER},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Fixture) f = fixture_new();
        g_autofree char *offer =
            g_strconcat(UE "m=image 6056 UDP/TLS/UDPTL t38\n", cases[i].offered,
                        "a=fingerprint:{ue}\n" REQUESTED, NULL);
        g_test_message("%s", cases[i].offered);
        g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", offer));
        g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE "m=image 5004 udptl t38\n"));
        g_assert_true(fixture_has(f, cases[i].answered));
        g_assert_cmpint(fixture_stream(f, 0)->leg[SESSION_ACCESS].tls_role, ==, cases[i].role);
    }
}

/* TRM-09: the answer to our actpass decides who begins the handshake. */
static void test_answer_decides_role(void)
{
    static const struct {
        const char *answered;
        MediaSetup setup;
        MediaTlsRole role;
    } cases[] = {
        {"a=setup:active\n", MEDIA_SETUP_PASSIVE, MEDIA_TLS_SERVER},
        {"a=setup:passive\n", MEDIA_SETUP_ACTIVE, MEDIA_TLS_CLIENT},
        {"", MEDIA_SETUP_ACTIVE, MEDIA_TLS_CLIENT}, /* COM-01: absent in an answer is passive */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Fixture) f = fixture_new();
        g_autofree char *answer = g_strconcat(UE "m=image 6056 UDP/TLS/UDPTL t38\n",
                                              cases[i].answered, "a=fingerprint:{ue}\n", NULL);
        g_test_message("%s", cases[i].answered);
        g_assert_true(
            fixture_offer(f, SESSION_CORE, "e2ae=terminating", CORE "m=image 5004 udptl t38\n"));
        g_assert_true(fixture_has(f, "a=setup:actpass"));
        g_assert_true(fixture_answer(f, SESSION_ACCESS, "", answer));
        MediaSpec spec;
        session_stream_spec(fixture_stream(f, 0), &spec);
        g_assert_cmpint(spec.leg[MEDIA_ACCESS].setup, ==, cases[i].setup);
        g_assert_cmpint(spec.leg[MEDIA_ACCESS].tls_role, ==, cases[i].role);
        g_assert_true(spec.answered);
    }
}

/* TRM-06, DTL-04: setup and a tls-id in each offer to the UE; a new id for each association only. */
static void test_offer_to_ue(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(
        fixture_offer(f, SESSION_CORE, "e2ae=terminating", CORE "m=image 5004 udptl t38\n"));
    fixture_expect(f, CORE_OUT "m=image 30000 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\n"
                               "a=setup:actpass\na=fingerprint:{gw}\na=tls-id:{tls-id-1}\n"
                               "a=3ge2ae:applied\n");
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "", UE UE_ANSWER));
    g_assert_true(fixture_offer(f, SESSION_CORE, "", CORE "m=image 5004 udptl t38\n"));
    g_assert_true(fixture_has(f, "a=setup:actpass"));
    g_assert_true(fixture_has(f, "a=tls-id:{tls-id-1}"));
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "", UE UE_ANSWER));
    g_assert_true(fixture_offer(f, SESSION_CORE, "", CORE "m=image 0 udptl t38\n"));
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "", UE "m=image 0 UDP/TLS/UDPTL t38\n"));
    g_assert_true(
        fixture_offer(f, SESSION_CORE, "e2ae=terminating", CORE "m=image 5004 udptl t38\n"));
    g_assert_true(fixture_has(f, "a=tls-id:{tls-id-2}"));
}

/* COM-07: no connection attribute on T.38, in no direction, whatever the peers write. */
static void test_no_connection(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating",
                                UE UE_OFFER "a=connection:existing\n" REQUESTED));
    fixture_expect(f, UE_OUT "m=image 40000 udptl t38\nc=IN IP4 203.0.113.2\n");
    g_assert_true(fixture_answer(
        f, SESSION_CORE, "", CORE "m=image 5004 udptl t38\na=connection:new\na=setup:active\n"));
    fixture_expect(f, CORE_OUT "m=image 30000 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\n"
                               "a=setup:passive\na=fingerprint:{gw}\na=tls-id:{tls-id-1}\n");
    /* setup is about DTLS alone: nothing is opened on the plain leg */
    g_assert_cmpint(fixture_stream(f, 0)->leg[SESSION_CORE].tls_role, ==, MEDIA_TLS_SERVER);
    g_assert_false(fixture_stream(f, 0)->leg[SESSION_CORE].secure);
}

/* DTL-07: a new association has a new port on our side; the old one goes on until it is up. */
static void test_new_association(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", UE UE_OFFER REQUESTED));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE "m=image 5004 udptl t38\n"));
    uint64_t old = fixture_stream(f, 0)->id;
    /* the same port of the UE's: then the answerer has to change its own */
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "",
                                UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:actpass\n"
                                   "a=fingerprint:{ue2}\na=tls-id:vvvvvvvvvvvvvvvvvvvvvvvv\n"));
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 1);
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 0);
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE "m=image 5004 udptl t38\n"));
    g_assert_true(fixture_has(f, "m=image 30002 UDP/TLS/UDPTL t38"));
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 0);
    const SessionSlot *slot = fixture_slot(f, 0);
    g_assert_cmpuint(slot->retiring->id, ==, old);
    g_assert_cmpuint(slot->retiring->leg[SESSION_ACCESS].local.port, ==, 30000);
    g_assert_true(session_stream_up(f->session, slot->stream->id));
    g_assert_false(session_find_stream(f->session, old, NULL, NULL, NULL));
}

/* ICE-02, ICE-03: the line loses ICE both ways; the session's stays for the lines of rtpengine. */
static void test_ice(void)
{
    static const char ice[] = "a=ice-ufrag:f00\na=ice-pwd:abcdefghijklmnopqrstuv\n"
                              "a=candidate:1 1 UDP 2130706431 198.51.100.10 6056 typ host\n"
                              "a=remote-candidates:1 192.0.2.9 5004\na=end-of-candidates\n";
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *offer =
        g_strconcat(UE "a=ice-ufrag:8hhY\na=ice-pwd:asd88fgpdd777uzjYhagZg\na=ice-options:ice2\n"
                       "m=audio 4000 RTP/AVP 0\n" UE_OFFER REQUESTED,
                    ice, NULL);
    g_autofree char *answer =
        g_strconcat(CORE "a=ice-ufrag:9uB6\na=ice-pwd:YH75Fviy6338Vbrhrlp8Yh\na=ice-options:ice2\n"
                         "m=audio 6000 RTP/AVP 0\nm=image 5004 udptl t38\n",
                    ice, NULL);

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", offer));
    fixture_expect(f, "v=0\no=ue 1 1 IN IP4 203.0.113.9\ns=-\nc=IN IP4 203.0.113.9\nt=0 0\n"
                      "a=ice-ufrag:8hhY\na=ice-pwd:asd88fgpdd777uzjYhagZg\na=ice-options:ice2\n"
                      "m=audio 5000 RTP/AVP 0\n"
                      "m=image 40000 udptl t38\nc=IN IP4 203.0.113.2\n");
    fixture_expect_upstream(f, UE "a=ice-ufrag:8hhY\na=ice-pwd:asd88fgpdd777uzjYhagZg\n"
                                  "a=ice-options:ice2\nm=audio 4000 RTP/AVP 0\n");
    g_assert_true(fixture_answer(f, SESSION_CORE, "", answer));
    fixture_expect(f, "v=0\no=core 2 2 IN IP4 203.0.113.9\ns=-\nc=IN IP4 203.0.113.9\nt=0 0\n"
                      "a=ice-ufrag:9uB6\na=ice-pwd:YH75Fviy6338Vbrhrlp8Yh\na=ice-options:ice2\n"
                      "m=audio 7000 RTP/AVP 0\n"
                      "m=image 30000 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\n"
                      "a=setup:passive\na=fingerprint:{gw}\na=tls-id:{tls-id-1}\n");
}

/* DTL-19: T.38 over TCP, TLS or RTP is rtpengine's or nobody's, also where the UE asks for e2ae. */
static void test_other_transports(void)
{
    static const char *const lines[] = {"m=image 6056 TCP t38", "m=image 6056 TCP/TLS t38",
                                        "m=audio 6056 RTP/AVP 98", "m=image 6056 RTP/AVP 98"};

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(Fixture) f = fixture_new();
        g_autofree char *offer =
            g_strconcat(UE, lines[i], "\na=rtpmap:98 t38/8000\na=fingerprint:{ue}\n" REQUESTED,
                        "m=audio 4000 RTP/AVP 0\n", NULL);
        g_test_message("%s", lines[i]);
        g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", offer));
        g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_UPSTREAM);
        g_assert_cmpuint(f->plan->ports->len, ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/t38/DTL-02/DTL-03/attributes", test_attributes);
    g_test_add_func("/session/t38/DTL-01/spelling", test_spelling);
    g_test_add_func("/session/t38/DTL-04/DTL-18/COM-07/any-setup", test_any_setup_is_answered);
    g_test_add_func("/session/t38/TRM-09/answer-decides-role", test_answer_decides_role);
    g_test_add_func("/session/t38/TRM-06/DTL-04/offer-to-ue", test_offer_to_ue);
    g_test_add_func("/session/t38/COM-07/no-connection", test_no_connection);
    g_test_add_func("/session/t38/DTL-07/new-association", test_new_association);
    g_test_add_func("/session/t38/ICE-02/ICE-03/ice", test_ice);
    g_test_add_func("/session/t38/DTL-19/other-transports", test_other_transports);
    return g_test_run();
}
