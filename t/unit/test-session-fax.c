/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TRK-19: a fax takes the place of the voice, or stands beside it, and goes again. */
#include "session-fixture.h"

#define UE       "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 198.51.100.10\nt=0 0\n"
#define CORE     "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\n"
#define NO_C     "v=0\no=ue 1 2 IN IP4 198.51.100.10\ns=-\nt=0 0\n"
#define UE_RTP   "v=0\no=ue 1 1 IN IP4 203.0.113.9\ns=-\nc=IN IP4 203.0.113.9\nt=0 0\n"
#define CORE_RTP "v=0\no=core 2 2 IN IP4 203.0.113.9\ns=-\nc=IN IP4 203.0.113.9\nt=0 0\n"

#define UE_AUDIO   "m=audio 4000 RTP/AVP 0\na=rtpmap:0 PCMU/8000\na=sendrecv\n"
#define CORE_AUDIO "m=audio 6000 RTP/AVP 0\na=sendrecv\n"
#define UE_FAX                                                                                     \
    "m=image 6056 UDP/TLS/UDPTL t38\na=setup:actpass\na=fingerprint:{ue}\na=3ge2ae:requested\n"
#define CORE_FAX "m=image 5004 udptl t38\n"
/* what rtpengine is shown in the place of the voice; a c= of its own, whatever the session part has
 */
#define UE_SILENT                                                                                  \
    "m=audio 4000 RTP/AVP 0\nc=IN IP4 198.51.100.10\na=rtpmap:0 PCMU/8000\na=inactive\n"
#define CORE_SILENT "m=audio 6000 RTP/AVP 0\nc=IN IP4 192.0.2.9\na=inactive\n"

#define FAX_TO_CORE(port) "m=image " port " udptl t38\nc=IN IP4 203.0.113.2\n"
#define FAX_TO_UE(port)                                                                            \
    "m=image " port " UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\na=setup:passive\n"                 \
    "a=fingerprint:{gw}\n"

static void talk(Fixture *f)
{
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", UE UE_AUDIO));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_AUDIO));
    g_assert_cmpuint(f->actions->len, ==, 0);
}

static void fax(Fixture *f)
{
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_FAX));
    fixture_expect_upstream(f, UE UE_SILENT);
    fixture_expect(f, UE_RTP FAX_TO_CORE("40000"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_FAX));
    fixture_expect_upstream(f, CORE CORE_SILENT);
    fixture_expect(f, CORE_RTP FAX_TO_UE("30000"));
}

static void test_same_slot(void)
{
    g_autoptr(Fixture) f = fixture_new();

    talk(f);
    fax(f);
    /* and back: the same number at rtpengine, and the association goes with the answer */
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_AUDIO));
    fixture_expect_upstream(f, UE UE_AUDIO);
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_AUDIO));
    fixture_expect_upstream(f, CORE CORE_AUDIO);
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
    g_assert_cmpuint(f->plan->dialog->upstream_count, ==, 1);
    /* a second fax is a new stream */
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_FAX));
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 1);
    g_assert_true(fixture_has(f, "m=image 40002 udptl t38"));
}

/* 488 to the fax, then voice as before: nothing has happened to it. */
static void test_refused(void)
{
    g_autoptr(Fixture) f = fixture_new();

    talk(f);
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_FAX));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_AUDIO));
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
    fixture_expect_upstream(f, UE UE_AUDIO);
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_AUDIO));
    fixture_expect(f, CORE_RTP "m=audio 7000 RTP/AVP 0\na=sendrecv\n");
}

/* The fax is refused with port 0: rtpengine still has its line. */
static void test_refused_line(void)
{
    g_autoptr(Fixture) f = fixture_new();

    talk(f);
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_FAX));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE "m=image 0 udptl t38\n"));
    fixture_expect_upstream(f, CORE CORE_SILENT);
    fixture_expect(f, CORE_RTP "m=image 0 UDP/TLS/UDPTL t38\n");
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
}

/* The new body has its c= in the m-section: what rtpengine is shown must not lose the voice's. */
static void test_address_at_media_level(void)
{
    g_autoptr(Fixture) f = fixture_new();

    talk(f);
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "",
                                NO_C "m=image 6056 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.10\n"
                                     "a=setup:actpass\na=fingerprint:{ue}\na=3ge2ae:requested\n"));
    fixture_expect_upstream(f, NO_C UE_SILENT);
}

/* The voice was DTLS-SRTP with its certificate in the session part. */
static void test_session_level_fingerprint(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating",
                                UE "a=fingerprint:{ue2}\na=setup:actpass\n"
                                   "m=audio 4000 UDP/TLS/RTP/SAVP 0\n"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_AUDIO));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_FAX));
    fixture_expect_upstream(f, UE "m=audio 4000 UDP/TLS/RTP/SAVP 0\nc=IN IP4 198.51.100.10\n"
                                  "a=fingerprint:{ue2}\na=setup:actpass\na=inactive\n");
}

/* RFC 7345 A.3: the voice is switched off and the fax stands beside it. */
static void test_second_line(void)
{
    g_autoptr(Fixture) f = fixture_new();

    talk(f);
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE "m=audio 0 RTP/AVP 0\n" UE_FAX));
    fixture_expect_upstream(f, NULL); /* a body whose lines are all port 0 fails there */
    fixture_expect(f, "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 203.0.113.2\nt=0 0\n"
                      "m=audio 0 RTP/AVP 0\nc=IN IP4 198.51.100.10\n" FAX_TO_CORE("40000"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE "m=audio 0 RTP/AVP 0\n" CORE_FAX));
    fixture_expect_upstream(f, NULL);
    /* both again */
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_AUDIO UE_FAX));
    fixture_expect_upstream(f, UE UE_AUDIO);
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_AUDIO CORE_FAX));
    fixture_expect_upstream(f, CORE CORE_AUDIO);
    fixture_expect(f, CORE_RTP "m=audio 7000 RTP/AVP 0\na=sendrecv\n" FAX_TO_UE("30000"));
}

/* The gateway on the core's side switches over; the registration's flags are known. */
static void test_by_the_core(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating e2ae-media=t38", UE UE_AUDIO));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_AUDIO));
    g_assert_true(fixture_offer(f, SESSION_CORE, "", CORE CORE_FAX));
    fixture_expect_upstream(f, CORE CORE_SILENT);
    fixture_expect(f, CORE_RTP "m=image 30000 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\n"
                               "a=setup:actpass\na=fingerprint:{gw}\na=tls-id:{tls-id-1}\n"
                               "a=3ge2ae:applied\n");
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "",
                                 UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\n"
                                    "a=fingerprint:{ue}\n"));
    fixture_expect_upstream(f, UE UE_SILENT);
    fixture_expect(f, UE_RTP FAX_TO_CORE("40000"));
    /* the UE ends it */
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_AUDIO));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_AUDIO));
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
}

/* Plain fax without flags: rtpengine's from beginning to end, port 0 included. */
static void test_plain(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_CORE, "e2ae=terminating e2ae-media=msrp",
                                CORE CORE_AUDIO CORE_FAX));
    fixture_expect_upstream(f, CORE CORE_AUDIO CORE_FAX);
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "", UE UE_AUDIO "m=image 6056 udptl t38\n"));
    g_assert_true(fixture_offer(f, SESSION_CORE, "", CORE CORE_AUDIO "m=image 0 udptl t38\n"));
    fixture_expect_upstream(f, CORE CORE_AUDIO "m=image 0 udptl t38\n");
    fixture_expect(f, CORE_RTP "m=audio 7000 RTP/AVP 0\na=sendrecv\nm=image 0 udptl t38\n");
}

/* The other side's section was never seen, because the voice was off when the call began. */
static void test_side_unknown(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating e2ae-media=t38",
                                UE "m=audio 0 RTP/AVP 0\n" UE_FAX));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE "m=audio 0 RTP/AVP 0\n" CORE_FAX));
    /* the core puts a fax into the first slot and brings voice in a new one */
    g_assert_true(fixture_offer(f, SESSION_CORE, "", CORE CORE_FAX CORE_FAX CORE_AUDIO));
    fixture_expect_upstream(f, CORE
                            "m=audio 0 RTP/AVP 0\nc=IN IP4 198.51.100.10\na=inactive\n" CORE_AUDIO);
    g_assert_true(fixture_has(f, "m=audio 7000 RTP/AVP 0"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/fax/TRK-19/same-slot-and-back", test_same_slot);
    g_test_add_func("/session/fax/TRK-19/refused", test_refused);
    g_test_add_func("/session/fax/TRK-19/refused-line", test_refused_line);
    g_test_add_func("/session/fax/TRK-19/address-at-media-level", test_address_at_media_level);
    g_test_add_func("/session/fax/ORG-06/session-level-fingerprint",
                    test_session_level_fingerprint);
    g_test_add_func("/session/fax/TRK-19/second-line", test_second_line);
    g_test_add_func("/session/fax/TRK-19/by-the-core", test_by_the_core);
    g_test_add_func("/session/fax/TRM-03/plain-is-rtpengines", test_plain);
    g_test_add_func("/session/fax/TRK-19/side-unknown", test_side_unknown);
    return g_test_run();
}
