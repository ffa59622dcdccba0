/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which dialog a request talks about: forks, tags, repeated answers (TRK-07). */
#include "session-fixture.h"

#define UE   "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 198.51.100.10\nt=0 0\n"
#define CORE "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\n"
#define FAR  "v=0\no=far 3 3 IN IP4 192.0.2.33\ns=-\nc=IN IP4 192.0.2.33\nt=0 0\n"

#define OFFER                                                                                      \
    UE "m=message 2855 TCP/TLS/MSRP *\na=setup:actpass\na=fingerprint:{ue}\na=3ge2ae:requested\n"  \
       "m=audio 4000 RTP/AVP 0\n"
#define RE_OFFER                                                                                   \
    UE "m=message 2855 TCP/TLS/MSRP *\na=setup:actpass\na=fingerprint:{ue}\n"                      \
       "m=audio 4000 RTP/AVP 0\n"
#define ANSWER  "m=message 7000 TCP/MSRP *\na=setup:passive\nm=audio 6000 RTP/AVP 0\n"
#define NO_MSRP "m=message 0 TCP/MSRP *\nm=audio 6000 RTP/AVP 0\n"

/* Branches are named: each callee has ports of its own, with the same certificate. */
static void test_branches(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating via-branch=b1", OFFER));
    g_assert_true(fixture_has(f, "m=message 40000 TCP/MSRP *"));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating via-branch=b2", OFFER));
    g_assert_true(fixture_has(f, "m=message 40002 TCP/MSRP *"));
    g_assert_cmpuint(f->session->dialogs->len, ==, 2);
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 1);
    g_assert_cmpint(fixture_slot(f, 1)->upstream_index, ==, 0);

    g_assert_true(fixture_answer(f, SESSION_CORE, "via-branch=b2 to-tag=far", FAR ANSWER));
    g_assert_true(fixture_has(f, "m=message 30002 TCP/TLS/MSRP *"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "via-branch=b1 to-tag=core", CORE ANSWER));
    g_assert_true(fixture_has(f, "m=message 30000 TCP/TLS/MSRP *"));
    g_assert_true(fixture_has(f, "a=fingerprint:{gw}"));
    /* later, tags tell; every transaction has another branch */
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "via-branch=b9 to-tag=far", RE_OFFER));
    g_assert_cmpuint(f->session->dialogs->len, ==, 2);
    g_assert_true(fixture_has(f, "m=message 40002 TCP/MSRP *"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "via-branch=b9 to-tag=far", FAR ANSWER));
    g_assert_true(fixture_has(f, "m=message 30002 TCP/TLS/MSRP *"));
}

/* The same branch is offered again (a retransmission with another cookie, 183 then 200). */
static void test_repeated(void)
{
    g_autoptr(Fixture) f = fixture_new();

    for (unsigned i = 0; i < 3; i++) {
        g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating via-branch=b1", OFFER));
        g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, i == 0);
        g_assert_true(fixture_has(f, "m=message 40000 TCP/MSRP *"));
    }
    for (unsigned i = 0; i < 3; i++) {
        g_assert_true(fixture_answer(f, SESSION_CORE, "via-branch=b1", CORE ANSWER));
        g_assert_cmpuint(f->actions->len, ==, i == 0);
        g_assert_true(fixture_has(f, "m=message 30000 TCP/TLS/MSRP *"));
    }
}

/* The first provisional response has no to-tag yet for the proxy's purposes. */
static void test_without_to_tag(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", OFFER));
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=", CORE ANSWER));
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=core", CORE ANSWER));
    g_assert_cmpuint(f->actions->len, ==, 0);
}

/* No branches: one stream, and the last answer wins. */
static void test_last_answer_wins(void)
{
    g_autoptr(Fixture) f = fixture_new();
    char text[ADDR_TEXT_MAX];

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", OFFER));
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=core", CORE ANSWER));
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=far", FAR ANSWER));
    g_assert_cmpuint(f->session->dialogs->len, ==, 1);
    g_assert_cmpuint(fixture_count(f, SESSION_UPDATE), ==, 1);
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 0);
    g_assert_cmpstr(addr_text(&fixture_stream(f, 0)->leg[SESSION_CORE].remote, text), ==,
                    "192.0.2.33:7000");
    g_assert_cmpstr(f->plan->dialog->tag[SESSION_CORE], ==, "far");
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "to-tag=far", RE_OFFER));
    g_assert_true(fixture_has(f, "m=message 40000 TCP/MSRP *"));
}

/* The callee is known by its tag only; the caller's branch is the offer's. */
static void test_callee_re_offers(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating via-branch=b1", OFFER));
    g_assert_true(fixture_answer(f, SESSION_CORE, "via-branch=b1", CORE ANSWER));
    g_assert_true(fixture_offer(f, SESSION_CORE, "via-branch=c1 to-tag=ue", CORE ANSWER));
    g_assert_cmpuint(f->session->dialogs->len, ==, 1);
    g_assert_cmpint(f->plan->from, ==, SESSION_CORE);
    g_assert_true(fixture_has(f, "m=message 30000 TCP/TLS/MSRP *"));
}

/* A proxy may put e2ae=... into every request: who is who is known by the tags (TRK-20). */
static void test_key_on_every_request(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", OFFER));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE ANSWER));
    g_assert_true(fixture_offer(f, SESSION_CORE, "e2ae=originating", CORE ANSWER));
    g_assert_cmpint(f->plan->from, ==, SESSION_CORE);
    g_assert_true(fixture_has(f, "a=3ge2ae:applied"));
}

/* An early dialog's fork that came later knows the side of the caller, and its own lines' numbers.
 */
static void test_fork_after_audio_went(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating via-branch=b1", OFFER));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "via-branch=b2",
                                UE "m=message 2855 TCP/TLS/MSRP *\na=setup:actpass\n"
                                   "a=fingerprint:{ue}\na=3ge2ae:requested\n"
                                   "m=image 6056 UDP/TLS/UDPTL t38\na=setup:actpass\n"
                                   "a=fingerprint:{ue}\na=3ge2ae:requested\n"
                                   "m=audio 4000 RTP/AVP 0\n"));
    g_assert_cmpint(fixture_slot(f, 1)->upstream_index, ==, 0);
    g_assert_cmpint(fixture_slot(f, 2)->upstream_index, ==, 1);
    fixture_expect_upstream(f, UE "m=audio 4000 RTP/AVP 0\nc=IN IP4 198.51.100.10\na=inactive\n"
                                  "m=audio 4000 RTP/AVP 0\n");
}

/* A fork is offered less than its sibling was, and answers more than it was offered. */
static void test_fork_answers_too_much(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating via-branch=b1", OFFER));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "via-branch=b2", UE));
    g_assert_true(fixture_answer(f, SESSION_CORE, "via-branch=b2", CORE ANSWER));
    fixture_expect(f, CORE ANSWER);
}

/* The first offer of a dialog has to say which side is the UE; an answer needs an offer. */
static void test_errors(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_false(fixture_offer(f, SESSION_ACCESS, "", OFFER));
    fixture_expect_error(f, SESSION_ERROR_DIALOG);
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", OFFER));
    g_assert_false(fixture_answer(f, SESSION_CORE, "from-tag=stranger", CORE ANSWER));
    fixture_expect_error(f, SESSION_ERROR_DIALOG);
    g_assert_false(fixture_offer(f, SESSION_ACCESS, "from-tag=a to-tag=b", OFFER));
    fixture_expect_error(f, SESSION_ERROR_DIALOG);
    /* and after all that the call goes on */
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE ANSWER));
}

/* Offerless INVITE with forks: each callee offers on its own (TRK-22). */
static void test_offerless_forks(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(
        fixture_offer(f, SESSION_CORE, "e2ae=terminating from-tag=core to-tag=ue", CORE ANSWER));
    g_assert_true(
        fixture_offer(f, SESSION_CORE, "e2ae=terminating from-tag=far to-tag=ue", FAR ANSWER));
    g_assert_cmpuint(f->session->dialogs->len, ==, 2);
    g_assert_true(fixture_has(f, "m=message 30002 TCP/TLS/MSRP *"));
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "from-tag=core to-tag=ue",
                                 UE "m=message 9 TCP/TLS/MSRP *\na=setup:active\n"
                                    "a=fingerprint:{ue}\nm=audio 4000 RTP/AVP 0\n"));
    g_assert_cmpuint(fixture_stream(f, 0)->leg[SESSION_CORE].local.port, ==, 40000);
}

/* TRK-07: a callee that cannot do MSRP does not take it from the one that can. */
static void test_branch_without_msrp(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating via-branch=b1", OFFER));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating via-branch=b2", OFFER));
    g_assert_true(fixture_answer(f, SESSION_CORE, "via-branch=b1 to-tag=core", CORE NO_MSRP));
    g_assert_true(fixture_has(f, "m=message 0 TCP/TLS/MSRP *"));
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
    g_assert_true(fixture_answer(f, SESSION_CORE, "via-branch=b2 to-tag=far", FAR ANSWER));
    g_assert_true(fixture_has(f, "m=message 30002 TCP/TLS/MSRP *"));
}

/* The same without names: the stream waits for the callee that accepts, who knows its port. */
static void test_refused_then_accepted(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", OFFER));
    g_assert_true(fixture_has(f, "m=message 40000 TCP/MSRP *"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=core", CORE NO_MSRP));
    g_assert_true(fixture_has(f, "m=message 0 TCP/TLS/MSRP *"));
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_CLOSED);
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=third", CORE)); /* without the line */
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=far", FAR ANSWER));
    g_assert_true(fixture_has(f, "m=message 30000 TCP/TLS/MSRP *"));
    g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_E2AE);
    g_assert_null(fixture_slot(f, 0)->reason);
    g_assert_cmpuint(fixture_count(f, SESSION_UPDATE), ==, 1);
    g_assert_cmpuint(f->actions->len, ==, 1);
}

/* One has accepted early, another one refuses, the first one takes the call. */
static void test_accepted_refused_accepted(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", OFFER));
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=core", CORE ANSWER));
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=far", FAR NO_MSRP));
    g_assert_true(fixture_has(f, "m=message 0 TCP/TLS/MSRP *"));
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=core", CORE ANSWER));
    g_assert_true(fixture_has(f, "m=message 30000 TCP/TLS/MSRP *"));
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "to-tag=core", RE_OFFER));
    g_assert_true(fixture_has(f, "m=message 40000 TCP/MSRP *"));
}

/* What nobody will take any more is given back: its callee says so again, or the next offer comes. */
static void test_refused_for_good(void)
{
    for (unsigned i = 0; i < 4; i++) {
        g_autoptr(Fixture) f = fixture_new();
        const char *no =
            i == 1 ? CORE : CORE NO_MSRP; /* a line that is not there is refused, too */

        g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", OFFER));
        g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=core", no));
        g_assert_cmpuint(f->actions->len, ==, 0);
        if (i < 2)
            g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=core", no));
        else
            g_assert_true(fixture_offer(f, i == 2 ? SESSION_ACCESS : SESSION_CORE, "",
                                        i == 2 ? OFFER : CORE ANSWER));
        g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
        g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, i == 2);
    }
}

/* Within a dialog there is nobody else to wait for. */
static void test_refused_re_offer(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", OFFER));
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=core", CORE ANSWER));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "to-tag=core", RE_OFFER));
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=core", CORE NO_MSRP));
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
}

/* An answer that cannot be is a failure, of which the proxy has been told: it is no fork's turn. */
static void test_failed_then_accepted(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", OFFER));
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=core",
                                 CORE "m=message 7000 TCP/TLS/MSRP *\nm=audio 6000 RTP/AVP 0\n"));
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=far", FAR ANSWER));
    g_assert_true(fixture_has(f, "m=message 0 TCP/TLS/MSRP *"));
}

/* An offer that leaves TLS is refused by us: no answer brings the stream back. */
static void test_refused_by_offer(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", OFFER));
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=core", CORE ANSWER));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "to-tag=core",
                                UE "m=message 2855 TCP/MSRP *\nm=audio 4000 RTP/AVP 0\n"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "to-tag=core", CORE ANSWER));
    g_assert_true(fixture_has(f, "m=message 0 TCP/MSRP *"));
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/forks/TRK-07/MSR-13/branches", test_branches);
    g_test_add_func("/session/forks/TRK-07/last-answer-wins", test_last_answer_wins);
    g_test_add_func("/session/forks/TRK-07/branch-without-msrp", test_branch_without_msrp);
    g_test_add_func("/session/forks/TRK-07/refused-then-accepted", test_refused_then_accepted);
    g_test_add_func("/session/forks/TRK-07/accepted-refused-accepted",
                    test_accepted_refused_accepted);
    g_test_add_func("/session/forks/TRK-07/TRK-09/refused-for-good", test_refused_for_good);
    g_test_add_func("/session/forks/TRK-07/refused-re-offer", test_refused_re_offer);
    g_test_add_func("/session/forks/ORG-12/failed-then-accepted", test_failed_then_accepted);
    g_test_add_func("/session/forks/TRK-21/refused-by-offer", test_refused_by_offer);
    g_test_add_func("/session/forks/TRK-07/fork-after-audio-went", test_fork_after_audio_went);
    g_test_add_func("/session/forks/TRK-07/fork-answers-too-much", test_fork_answers_too_much);
    g_test_add_func("/session/forks/TRK-08/repeated", test_repeated);
    g_test_add_func("/session/forks/TRK-08/without-to-tag", test_without_to_tag);
    g_test_add_func("/session/forks/TRK-20/callee-re-offers", test_callee_re_offers);
    g_test_add_func("/session/forks/TRK-20/key-on-every-request", test_key_on_every_request);
    g_test_add_func("/session/forks/TRK-22/offerless-forks", test_offerless_forks);
    g_test_add_func("/session/forks/errors", test_errors);
    return g_test_run();
}
