/* SPDX-License-Identifier: GPL-3.0-or-later */
/* T.38 behind rtpengine's fax gateway: it gets our plain side and what it makes of it goes on. */
#include "session-fixture.h"

#define HEAD(host) "v=0\no=- 1 1 IN IP4 " host "\ns=-\nc=IN IP4 " host "\nt=0 0\n"
#define UE_FAX                                                                                     \
    HEAD("192.0.2.1")                                                                              \
    "m=image 6056 UDP/TLS/UDPTL t38\n"                                                             \
    "a=setup:actpass\na=fingerprint:{ue}\na=3ge2ae:requested\na=T38FaxVersion:0\n"
#define CORE_AUDIO    HEAD("192.0.2.9") "m=audio 7000 RTP/AVP 8\n"
#define GATEWAY_AUDIO HEAD("203.0.113.9") "m=audio 31000 RTP/AVP 8\n"
#define GATEWAY_FAX   HEAD("127.0.0.9") "m=image 31002 udptl t38\na=T38FaxVersion:0\n"

static void set_up(Fixture **f, const void *data)
{
    (void)data;
    *f = fixture_new();
    g_assert_true(addr_parse_ip(SPAN("127.0.0.1"), &(*f)->policy.gateway));
}

static void tear_down(Fixture **f, const void *data)
{
    (void)data;
    fixture_free(*f);
}

/* The UE's fax becomes audio for the core; the answer's T.38 is rtpengine's, over DTLS. */
static void test_from_ue(Fixture **fixture, const void *data)
{
    Fixture *f = *fixture;
    (void)data;

    f->scripted = GATEWAY_AUDIO;
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating T.38=decode", UE_FAX));
    fixture_expect_upstream(f, HEAD("192.0.2.1") "m=image 40000 udptl t38\nc=IN IP4 127.0.0.1\n"
                                                 "a=T38FaxVersion:0\n");
    fixture_expect(f, GATEWAY_AUDIO);
    f->scripted = GATEWAY_FAX;
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE_AUDIO));
    fixture_expect_upstream(f, CORE_AUDIO);
    fixture_expect(f, HEAD("127.0.0.9") "m=image 30000 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\n"
                                        "a=T38FaxVersion:0\na=setup:passive\na=fingerprint:{gw}\n");
    const SessionStream *stream = fixture_slot(f, 0)->stream;
    char text[ADDR_TEXT_MAX];
    g_assert_true(stream->answered);
    g_assert_cmpstr(addr_text(&stream->leg[SESSION_CORE].remote, text), ==, "127.0.0.9:31002");
}

/* The core offers audio and rtpengine is told to make T.38 of it: that part is ours to protect. */
static void test_from_core(Fixture **fixture, const void *data)
{
    Fixture *f = *fixture;
    (void)data;

    f->scripted = GATEWAY_FAX;
    g_assert_true(fixture_offer(f, SESSION_CORE, "e2ae=terminating T.38=force", CORE_AUDIO));
    fixture_expect_upstream(f, CORE_AUDIO);
    fixture_expect(f, HEAD("127.0.0.9") "m=image 30000 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\n"
                                        "a=T38FaxVersion:0\na=setup:actpass\na=fingerprint:{gw}\n"
                                        "a=tls-id:{tls-id-1}\na=3ge2ae:applied\n");
    f->scripted = GATEWAY_AUDIO;
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "", UE_FAX));
    fixture_expect_upstream(f, HEAD("192.0.2.1") "m=image 40000 udptl t38\nc=IN IP4 127.0.0.1\n"
                                                 "a=T38FaxVersion:0\n");
    fixture_expect(f, GATEWAY_AUDIO);
    g_assert_true(fixture_slot(f, 0)->stream->answered);
}

/* What rtpengine leaves audio stays rtpengine's, and nothing of ours is kept for it. */
static void test_left_audio(Fixture **fixture, const void *data)
{
    Fixture *f = *fixture;
    (void)data;

    f->scripted = GATEWAY_AUDIO;
    g_assert_true(fixture_offer(f, SESSION_CORE, "e2ae=terminating T.38=decode", CORE_AUDIO));
    fixture_expect(f, GATEWAY_AUDIO);
    g_assert_null(fixture_stream(f, 0));
    g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_UPSTREAM);
}

/* The answer has no T.38 for us: the UE's line is refused, with the proto that it offered. */
static void test_refused(Fixture **fixture, const void *data)
{
    Fixture *f = *fixture;
    (void)data;

    f->scripted = GATEWAY_AUDIO;
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating T.38=decode", UE_FAX));
    f->scripted = GATEWAY_AUDIO;
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE_AUDIO));
    g_assert_true(fixture_has(f, "m=image 0 UDP/TLS/UDPTL t38"));
    g_assert_null(fixture_stream(f, 0));
}

/* rtpengine would take our address for the UE's: the stream goes to the core directly. */
static void test_source_address(Fixture **fixture, const void *data)
{
    Fixture *f = *fixture;
    (void)data;

    g_assert_true(fixture_offer(f, SESSION_ACCESS,
                                "e2ae=originating T.38=decode flags=SIP-source-address "
                                "flags=trust",
                                UE_FAX));
    fixture_expect_upstream(f, NULL);
    g_assert_true(fixture_has(f, "m=image 40000 udptl t38"));
    g_assert_cmpstr(fixture_slot(f, 0)->reason, ==,
                    "T.38 gateway: not possible with SIP-source-address");
}

int main(int argc, char **argv)
{
#define ADD(name, function)                                                                        \
    g_test_add("/session/gateway/" name, Fixture *, NULL, set_up, function, tear_down)
    g_test_init(&argc, &argv, NULL);
    ADD("from-ue", test_from_ue);
    ADD("from-core", test_from_core);
    ADD("left-audio", test_left_audio);
    ADD("refused", test_refused);
    ADD("source-address", test_source_address);
    return g_test_run();
}
