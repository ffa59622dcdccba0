/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The order of requests, what is passed on, limits, events, and the end of the program with
 * requests in work. */
#include "calls-fixture.h"

#include "ng-protocol/ng-json.h"
#include "ng-protocol/ng-reply.h"

#include <sys/socket.h>

static NgValue *offer(const char *call_id, const char *sdp)
{
    return calls_dict("offer", call_id, "from-tag", "ue", "e2ae", "originating", "sdp", sdp, NULL);
}

static NgValue *answer(const char *call_id, const char *sdp)
{
    return calls_dict("answer", call_id, "from-tag", "ue", "to-tag", "core", "sdp", sdp, NULL);
}

static void asked_is(Calls *f, guint n, const char *command, const char *call_id)
{
    const NgValue *dict = calls_asked(f, n);

    calls_assert_str(dict, "command", command);
    calls_assert_str(dict, "call-id", call_id);
}

/* An answer and a delete that come while the offer is in work: each waits for the one before. */
static void test_one_call_in_order(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(true, 1);
    g_autofree char *core = calls_core_sdp(true, 1);

    (void)data;
    f->upstream = UPSTREAM_HOLDS;
    unsigned first = calls_send(f, offer("a", ue));
    unsigned second = calls_send(f, answer("a", core));
    unsigned third = calls_send(f, calls_dict("delete", "a", "from-tag", "ue", NULL));
    asked_is(f, 1, "offer", "a");
    calls_release(f, 0);
    asked_is(f, 2, "answer", "a");
    g_assert_true(calls_replied(f, first) || !calls_replied(f, second));
    calls_release(f, 1);
    asked_is(f, 3, "delete", "a");
    g_assert_false(calls_replied(f, third));
    calls_release(f, 2);
    for (unsigned i = first; i <= third; i++) {
        g_autoptr(NgValue) reply = calls_reply(f, i);
        calls_assert_str(reply, "result", "ok");
    }
    g_assert_cmpuint(control_calls_count(f->calls), ==, 0);
}

/* The first offer fails while others wait for it: they find the call as unknown as it is. */
static void test_waiting_for_a_failure(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(true, 1);
    g_autofree char *core = calls_core_sdp(true, 1);

    (void)data;
    f->upstream = UPSTREAM_REFUSES;
    f->refusal = "d6:result5:error12:error-reason7:refusede";
    unsigned first = calls_send(f, offer("a", ue));
    unsigned second = calls_send(f, answer("a", core));
    unsigned third = calls_send(f, calls_dict("e2ae query", "a", NULL));
    g_autoptr(NgValue) failed = calls_reply(f, first);
    calls_assert_str(failed, "error-reason", "refused");
    g_autoptr(NgValue) passed = calls_reply(f, second);
    calls_assert_str(passed, "error-reason", "refused");
    asked_is(f, 2, "answer", "a");
    g_autoptr(NgValue) unknown = calls_reply(f, third);
    calls_assert_str(unknown, "error-reason", NG_REASON_UNKNOWN_CALL);
    g_assert_cmpuint(control_calls_count(f->calls), ==, 0);
}

static void test_calls_side_by_side(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(true, 1);

    (void)data;
    f->upstream = UPSTREAM_HOLDS;
    unsigned a = calls_send(f, offer("a", ue));
    unsigned b = calls_send(f, offer("b", ue));
    asked_is(f, 2, "offer", "b");
    calls_release(f, 1);
    g_autoptr(NgValue) second = calls_reply(f, b);
    calls_assert_str(second, "result", "ok");
    g_assert_false(calls_replied(f, a));
    calls_release(f, 0);
    g_autoptr(NgValue) first = calls_reply(f, a);
    calls_assert_str(first, "result", "ok");
}

/* One too many of one call waits nowhere. */
static void test_too_many_waiting(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(true, 1);
    unsigned last = 0;

    (void)data;
    f->upstream = UPSTREAM_HOLDS;
    calls_send(f, offer("a", ue));
    for (int i = 0; i < 33; i++)
        last = calls_send(f, calls_dict("e2ae query", "a", NULL));
    g_autoptr(NgValue) refused = calls_reply(f, last);
    calls_assert_str(refused, "error-reason", "too many requests of this call at a time");
    calls_release(f, 0);
    for (unsigned i = 2; i < last; i++) {
        g_autoptr(NgValue) reply = calls_reply(f, i);
        calls_assert_str(reply, "result", "ok");
    }
}

static void test_repeated_cookie(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    g_autoptr(NgValue) request = offer("a", ue);
    g_autoptr(GString) datagram = ng_message_encode(SPAN("same"), NG_JSON, request);

    (void)data;
    for (guint i = 1; i <= 3; i++) {
        test_socket_send(f->proxy, &f->at, (Span){datagram->str, datagram->len});
        RUN_UNTIL(&f->loop, f->proxy->got->len == i);
        g_assert_true(span_eq(test_socket_got(f->proxy, i - 1), test_socket_got(f->proxy, 0)));
    }
    g_assert_true(span_starts(test_socket_got(f->proxy, 0), SPAN("same {\"result\":\"ok\"")));
    g_assert_cmpuint(control_calls_ports_used(f->calls), ==, 2);
}

static void test_session_limit(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    NgValue *supporting = offer("c", ue);

    (void)data;
    calls_set_up_call(f, "a", false);
    g_autoptr(NgValue) error = calls_ask(f, offer("b", ue));
    calls_assert_str(error, "result", "error");
    calls_assert_str(error, "error-reason", NG_REASON_SESSION_LIMIT);
    ng_list_add_str(ng_dict_add_list(supporting, "supports"), "load limit");
    g_autoptr(NgValue) limit = calls_ask(f, supporting);
    calls_assert_str(limit, "result", "load limit");
    calls_assert_str(limit, "message", NG_REASON_SESSION_LIMIT);
    g_autoptr(NgValue) again = calls_ask(f, offer("a", ue));
    calls_assert_str(again, "result", "ok");
    assert_logged("Parallel session limit reached (1)");
    g_assert_cmpuint(f->asked->len, ==, 0);
}

/* What concerns no call of ours goes on without our keys, wherever they stand. */
static void test_stripped(Calls *f, const void *data)
{
    static const char *const commands[] = {"offer", "answer", "delete", "query"};

    (void)data;
    for (guint i = 0; i < G_N_ELEMENTS(commands); i++) {
        NgValue *request = calls_dict(commands[i], "x", "e2ae-media", "msrp", "from-tag", "t",
                                      "e2ae", "off", "sdp", "v=0\r\n", NULL);
        ng_list_add_str(ng_dict_add_list(request, "flags"), "e2ae-core=plain");
        g_autoptr(NgValue) reply = calls_ask(f, request);
        const NgValue *asked = calls_asked(f, i + 1);
        g_assert_cmpuint(ng_value_n(asked), ==, 4);
        calls_assert_str(asked, "command", commands[i]);
        calls_assert_str(asked, "call-id", "x");
        calls_assert_str(asked, "from-tag", "t");
        calls_assert_str(asked, "sdp", "v=0\r\n");
    }
    g_assert_cmpuint(control_calls_count(f->calls), ==, 0);
}

/* A call-id with a NUL is nobody else's; and no call of ours begins under it. */
static void test_nul_in_call_id(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    NgValue *query = calls_dict("query", NULL, NULL);
    NgValue *other =
        calls_dict("offer", NULL, "from-tag", "ue", "e2ae", "originating", "sdp", ue, NULL);

    (void)data;
    calls_set_up_call(f, "a", false);
    ng_dict_add_span(query, "call-id", SPAN("a\0b"));
    ng_dict_add_span(other, "call-id", SPAN("a\0b"));
    g_autoptr(NgValue) passed = calls_ask(f, query);
    g_assert_null(ng_dict_get(passed, SPAN("e2ae")));
    g_autoptr(NgValue) refused = calls_ask(f, other);
    calls_assert_str(refused, "error-reason", "the call-id holds a NUL byte");
    g_assert_cmpuint(control_calls_count(f->calls), ==, 1);
}

/* ---- events */

static int connect_to(const Addr *to)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(to, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(connect(fd, (struct sockaddr *)&sa, len), ==, 0);
    return fd;
}

/* CTL-05: bytes that are no TLS on the access port: one event, complete, and the stream stays
 * (CTL-06). */
static void test_event(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    g_autofree char *core = calls_core_sdp(false, 1);
    g_autoptr(NgValue) offered = calls_ask(f, offer("a", ue));
    g_autoptr(NgValue) answered = calls_ask(f, answer("a", core));
    Addr at = calls_access(offered, 1);
    char peer[ADDR_TEXT_MAX];

    (void)data;
    int fd = connect_to(&at);
    Addr from = test_fd_addr(fd);
    g_assert_cmpint(send(fd, "MSRP abcd SEND\r\n", 16, 0), ==, 16);
    RUN_UNTIL(&f->loop, f->sink->got->len > 0);
    g_autoptr(NgValue) event = ng_json_decode(test_socket_got(f->sink, 0), NULL);
    calls_assert_str(event, "event", "tls-handshake-failed");
    calls_assert_str(event, "call-id", "a");
    calls_assert_str(event, "access-tag", "ue");
    calls_assert_str(event, "core-tag", "core");
    calls_assert_str(event, "medium", "msrp");
    calls_assert_str(event, "leg", "access");
    calls_assert_str(event, "peer", addr_text(&from, peer));
    g_assert_cmpuint(ng_dict_get_str(event, SPAN("reason")).len, >, 0);
    g_assert_false(ng_value_bool(ng_dict_get(event, SPAN("final"))));
    int64_t index = 0, when = 0;
    g_assert_true(ng_dict_get_int(event, SPAN("index"), &index) && index == 1);
    g_assert_true(ng_dict_get_int(event, SPAN("time"), &when));
    g_assert_cmpint(ABS(when - g_get_real_time() / 1000), <, 60000);

    /* A second one makes the second event: exactly one for each failure. */
    int again = connect_to(&at);
    g_assert_cmpint(send(again, "MSRP abcd SEND\r\n", 16, 0), ==, 16);
    RUN_UNTIL(&f->loop, f->sink->got->len > 1);
    g_autoptr(NgValue) deleted = calls_ask(f, calls_dict("delete", "a", "from-tag", "ue", NULL));
    RUN_UNTIL(&f->loop, control_calls_ports_used(f->calls) == 0);
    g_assert_cmpuint(f->sink->got->len, ==, 2);
    close(fd);
    close(again);
}

/* CEM-05: the core's path is not where it is. The operator can see where we connect. */
static void test_note_of_a_path(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    g_autofree char *core = calls_core_sdp(false, 1);
    g_autoptr(GString) moved = g_string_new(core);

    (void)data;
    g_string_replace(moved, "a=path:msrp://198.51.100.1:", "a=path:msrp://198.51.100.99:", 1);
    g_string_replace(moved, "a=msrp-cema\r\n", "", 1);
    g_autoptr(NgValue) offered = calls_ask(f, offer("a", ue));
    g_autoptr(NgValue) answered = calls_ask(f, answer("a", moved->str));
    calls_assert_str(answered, "result", "ok");
    assert_logged("[\"a\"/1] answer: a=path names another address than c= and m=");
}

/* ORG-12: an answer that cannot be. One event, the m-line has port 0, its ports are free. */
static void test_event_of_an_answer(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    g_autofree char *wrong = calls_ue_sdp(false, 1); /* secure, where plain was offered */

    (void)data;
    g_autoptr(NgValue) offered = calls_ask(f, offer("a", ue));
    g_autoptr(NgValue) answered = calls_ask(f, answer("a", wrong));
    calls_assert_str(answered, "result", "ok");
    RUN_UNTIL(&f->loop, f->sink->got->len > 0 && control_calls_ports_used(f->calls) == 0);
    g_autoptr(NgValue) event = ng_json_decode(test_socket_got(f->sink, 0), NULL);
    calls_assert_str(event, "event", "bearer-released");
    calls_assert_str(event, "leg", "core");
    calls_assert_str(event, "reason",
                     "the answer has a secure proto where a plain one was offered");
    g_assert_true(ng_value_bool(ng_dict_get(event, SPAN("final"))));
    g_assert_cmpuint(f->sink->got->len, ==, 1);
    assert_logged("[\"a\"/1] answer: m-line rejected: the answer has a secure proto");
}

/* ---- the end of the program */

/* One in work, two that wait, one passed on: nobody gets a reply, nothing leaks. */
static void test_stop(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(true, 1);
    g_autofree char *core = calls_core_sdp(true, 1);

    (void)data;
    calls_set_up_call(f, "b", true);
    guint replies = f->proxy->got->len;
    f->upstream = UPSTREAM_HOLDS;
    calls_send(f, offer("a", ue));
    calls_send(f, answer("a", core));
    calls_send(f, calls_dict("delete", "a", NULL));
    calls_send(f, calls_dict("query", "b", NULL));
    calls_send(f, calls_dict("delete", "b", NULL));
    calls_send(f, calls_dict("statistics", NULL, NULL));
    calls_send(f, calls_dict("answer", "other", "e2ae", "off", NULL));
    calls_asked(f, 6);
    calls_stop(f);
    g_assert_cmpuint(f->proxy->got->len, ==, replies);
    g_assert_null(strstr(test_log->str, "stopping"));
}

static const CallsOptions one_call = {.max_sessions = 1};

#define ADD(name, func, data)                                                                      \
    g_test_add("/control/calls/" name, Calls, data, calls_set_up, func, calls_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    signal(SIGPIPE, SIG_IGN);
    ADD("one-call-in-order", test_one_call_in_order, NULL);
    ADD("waiting-for-a-failure", test_waiting_for_a_failure, NULL);
    ADD("calls-side-by-side", test_calls_side_by_side, NULL);
    ADD("too-many-waiting", test_too_many_waiting, NULL);
    ADD("repeated-cookie", test_repeated_cookie, NULL);
    ADD("session-limit", test_session_limit, &one_call);
    ADD("stripped", test_stripped, NULL);
    ADD("nul-in-call-id", test_nul_in_call_id, NULL);
    ADD("CTL-05/event", test_event, NULL);
    ADD("CEM-05/note-of-a-path", test_note_of_a_path, NULL);
    ADD("CTL-05/event-of-an-answer", test_event_of_an_answer, NULL);
    ADD("stop", test_stop, NULL);
    return g_test_run();
}
