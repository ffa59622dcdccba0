/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers that do not fit their offer: never bridged in clear, never a crash. */
#include "session-fixture.h"

#define UE   "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 198.51.100.10\nt=0 0\n"
#define CORE "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\n"

#define MSRP_TLS "m=message 2855 TCP/TLS/MSRP *\n"
#define MSRP     "m=message 7000 TCP/MSRP *\n"
#define BFCP_TLS "m=application 50000 TCP/TLS/BFCP *\n"
#define BFCP     "m=application 7000 TCP/BFCP *\n"
#define T38_TLS  "m=image 6056 UDP/TLS/UDPTL t38\n"
#define T38      "m=image 5004 udptl t38\n"
#define ASKED    "a=fingerprint:{ue}\na=3ge2ae:requested\n"
#define FP       "a=fingerprint:{ue}\n"

typedef struct Case {
    const char *name;
    SessionSide from; /* of the answer */
    const char *offer, *answer;
    const char *want;   /* the m= line that goes on */
    const char *reason; /* a part of it; NULL: the stream is up */
} Case;

static const Case cases[] = {
    {"ORG-12/secure-answer-to-plain", SESSION_CORE, MSRP_TLS "a=setup:actpass\n" ASKED,
     "m=message 7000 TCP/TLS/MSRP *\na=setup:passive\na=fingerprint:{core}\n",
     "m=message 0 TCP/TLS/MSRP *", "secure proto"},
    {"ORG-12/secure-t38-answer", SESSION_CORE, T38_TLS ASKED, T38_TLS "a=fingerprint:{core}\n",
     "m=image 0 UDP/TLS/UDPTL t38", "secure proto"},
    {"ORG-11/another-medium", SESSION_CORE, MSRP_TLS ASKED, "m=message 7000 TCP/BFCP *\n",
     "m=message 0 TCP/TLS/MSRP *", "not of the medium"},
    {"COM-10/both-passive", SESSION_CORE, MSRP_TLS "a=setup:passive\n" ASKED,
     MSRP "a=setup:passive\n", "m=message 0 TCP/TLS/MSRP *", "a=setup"},
    {"COM-10/both-passive-by-default", SESSION_CORE, MSRP_TLS "a=setup:passive\n" ASKED, MSRP,
     "m=message 0 TCP/TLS/MSRP *", "a=setup"},
    {"BFC-07/both-passive-is-fine", SESSION_CORE, BFCP_TLS "a=setup:passive\n" ASKED,
     BFCP "a=setup:passive\n", "m=application 9 TCP/TLS/BFCP *", NULL},
    {"TRK-15/actpass", SESSION_CORE, MSRP_TLS "a=setup:active\n" ASKED, MSRP "a=setup:actpass\n",
     "m=message 30000 TCP/TLS/MSRP *", NULL},
    {"TRK-15/holdconn-left", SESSION_CORE, BFCP_TLS "a=setup:holdconn\n" ASKED,
     BFCP "a=setup:active\n", "m=application 0 TCP/TLS/BFCP *", "a=setup"},
    {"COM-11/host-name", SESSION_CORE, MSRP_TLS "a=setup:active\n" ASKED,
     MSRP "c=IN IP4 peer.example\n", "m=message 0 TCP/TLS/MSRP *", "host name"},
    {"COM-11/multicast", SESSION_CORE, T38_TLS ASKED, T38 "c=IN IP4 224.1.1.1/1\n",
     "m=image 0 UDP/TLS/UDPTL t38", "unicast"},
    {"TRM-12/plain-answer", SESSION_ACCESS, MSRP, "m=message 2855 TCP/MSRP *\n" FP,
     "m=message 0 TCP/MSRP *", "leaves TLS"},
    {"TRM-12/plain-fax", SESSION_ACCESS, T38, "m=image 6056 udptl t38\n", "m=image 0 udptl t38",
     "leaves TLS"},
    {"TRM-12/no-fingerprint", SESSION_ACCESS, MSRP, MSRP_TLS "a=setup:active\n",
     "m=message 0 TCP/MSRP *", "no a=fingerprint"},
    {"FPR-02/malformed-fingerprint", SESSION_ACCESS, MSRP,
     MSRP_TLS "a=setup:active\na=fingerprint:sha-256 1\n", "m=message 0 TCP/MSRP *", "malformed"},
    {"FPR-08/md5-only", SESSION_ACCESS, BFCP, BFCP_TLS "a=fingerprint:{md5}\n",
     "m=application 0 TCP/BFCP *", "hash"},
    {"FPR-05/sha-1-only", SESSION_ACCESS, T38, T38_TLS "a=fingerprint:{sha1}\n",
     "m=image 0 udptl t38", "hash"},
    {"TRM-08/accepted", SESSION_ACCESS, T38, T38_TLS "a=setup:active\n" FP,
     "m=image 40000 udptl t38", NULL},
    {"TRK-16/t38-holdconn", SESSION_ACCESS, T38, T38_TLS "a=setup:holdconn\n" FP,
     "m=image 0 udptl t38", "a=setup"},
    {"TRK-15/ue-actpass", SESSION_ACCESS, MSRP "a=setup:active\n",
     "m=message 9 TCP/TLS/MSRP *\na=setup:actpass\n" FP, "m=message 40000 TCP/MSRP *", NULL},
};

static void test_case(const void *arg)
{
    const Case *c = arg;
    g_autoptr(Fixture) f = fixture_new();
    bool originating = c->from == SESSION_CORE;
    g_autofree char *offer = g_strconcat(originating ? UE : CORE, c->offer, NULL);
    g_autofree char *answer = g_strconcat(originating ? CORE : UE, c->answer, NULL);

    g_assert_true(fixture_offer(f, session_other(c->from),
                                originating ? "e2ae=originating" : "e2ae=terminating", offer));
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 1);
    g_assert_true(fixture_answer(f, c->from, "", answer));
    g_test_message("%s", f->body);
    g_assert_true(fixture_has(f, c->want));
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, c->reason != NULL);
    const SessionSlot *slot = fixture_slot(f, 0);
    if (!c->reason) {
        g_assert_cmpint(slot->treatment, ==, SESSION_E2AE);
        g_assert_true(slot->stream->answered);
        return;
    }
    g_assert_null(session_slot_current(slot));
    g_assert_nonnull(strstr(slot->reason, c->reason));
    g_assert_false(fixture_has(f, "a=fingerprint:{gw}"));
    g_assert_false(fixture_has(f, "a=fingerprint:{ue}"));
    g_assert_false(fixture_has(f, "a=fingerprint:{core}"));
    /* the line has failed for this exchange, whatever comes (a 200 after the 183) */
    g_assert_true(fixture_answer(f, c->from, "", answer));
    g_assert_true(fixture_has(f, c->want));
    /* and can be offered anew */
    g_assert_true(
        fixture_offer(f, session_other(c->from), originating ? "" : "e2ae=terminating", offer));
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 1);
}

/* ORG-11: the media type of the offer stays, whatever the answer has in its place. */
static void test_another_media_type(void)
{
    g_autoptr(Fixture) f = fixture_new();
    NgRequest req;

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", UE MSRP_TLS ASKED));
    g_autofree char *text = fixture_text(f, CORE "m=audio 6000 RTP/AVP 0\n");
    fixture_request(f, "call-id=c1 from-tag=ue to-tag=core", &req);
    SdpDoc *doc = sdp_doc_parse(span_str(text), NULL);
    g_autoptr(SessionPlan) plan = session_plan_answer(f->session, &req, doc, &f->policy, NULL);
    g_autofree char *body = session_plan_render(plan, SPAN(""), NULL);
    g_autofree char *want = fixture_text(f, CORE "m=message 0 TCP/TLS/MSRP 0\n");
    g_assert_cmpstr(body, ==, want);
}

/* The answer to an offer that had the indication is not where it counts (IND-03). */
static void test_indication_in_answer(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating",
                                UE MSRP_TLS "a=setup:active\n" ASKED
                                            "m=message 2856 TCP/MSRP *\n"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "",
                                 CORE MSRP "a=setup:passive\na=3ge2ae:applied\n"
                                           "m=message 7001 TCP/MSRP *\na=3ge2ae:applied\n"));
    g_assert_false(fixture_has(f, "a=3ge2ae:applied"));
}

/* rtpengine's words: a proxy may act on them. */
static void test_unknown_call(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_false(fixture_answer(f, SESSION_CORE, "", CORE MSRP));
    fixture_expect_error(f, SESSION_ERROR_UNKNOWN_CALL);
    g_assert_cmpstr(f->error->message, ==, "Unknown call-id");
}

/* RFC 3264 6 wants as many lines as were offered. */
static void test_fewer_lines(void)
{
    g_autoptr(Fixture) f = fixture_new();
    const char *offer = UE MSRP_TLS "a=setup:active\n" ASKED BFCP_TLS "a=setup:active\n" ASKED
                                    "m=audio 4000 RTP/AVP 0\n";

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", offer));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE MSRP "a=setup:passive\n"));
    g_assert_true(fixture_has(f, "m=message 30000 TCP/TLS/MSRP *"));
    g_assert_cmpint(fixture_slot(f, 1)->treatment, ==, SESSION_CLOSED);
    /* none at all, and then all of them, from the same callee: what ended stays ended */
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE));
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 2);
    g_assert_true(fixture_answer(f, SESSION_CORE, "",
                                 CORE MSRP "a=setup:passive\n" BFCP "a=setup:passive\n"
                                           "m=audio 6000 RTP/AVP 0\n"));
    g_assert_true(fixture_has(f, "m=message 0 TCP/TLS/MSRP *"));
    g_assert_true(fixture_has(f, "m=application 0 TCP/TLS/BFCP *"));
    g_assert_true(fixture_has(f, "m=audio 7000 RTP/AVP 0"));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", offer));
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 2);
}

static void test_more_lines(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(
        fixture_offer(f, SESSION_ACCESS, "e2ae=originating", UE MSRP_TLS "a=setup:active\n" ASKED));
    g_assert_true(fixture_answer(f, SESSION_CORE, "",
                                 CORE MSRP "a=setup:passive\n" BFCP "m=audio 6000 RTP/AVP 0\n"));
    g_assert_true(fixture_has(f, "m=message 30000 TCP/TLS/MSRP *"));
    fixture_expect_upstream(f, NULL);
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 0);
}

/* An offer with fewer lines than before is illegal, too: what is not offered ends. */
static void test_offer_with_fewer_lines(void)
{
    g_autoptr(Fixture) f = fixture_new();
    const char *two = UE MSRP_TLS "a=setup:active\n" ASKED BFCP_TLS "a=setup:active\n" ASKED;

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", two));
    g_assert_true(fixture_answer(f, SESSION_CORE, "",
                                 CORE MSRP "a=setup:passive\n" BFCP "a=setup:passive\n"));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE MSRP_TLS "a=setup:active\n" ASKED));
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE MSRP "a=setup:passive\n"));
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", two));
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strconcat("/session/answer/", cases[i].name, NULL);
        g_test_add_data_func(name, &cases[i], test_case);
    }
    g_test_add_func("/session/answer/ORG-11/another-media-type", test_another_media_type);
    g_test_add_func("/session/answer/IND-03/indication", test_indication_in_answer);
    g_test_add_func("/session/answer/unknown-call", test_unknown_call);
    g_test_add_func("/session/answer/fewer-lines", test_fewer_lines);
    g_test_add_func("/session/answer/more-lines", test_more_lines);
    g_test_add_func("/session/answer/offer-with-fewer-lines", test_offer_with_fewer_lines);
    return g_test_run();
}
