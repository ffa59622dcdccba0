/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control-test.h"
#include "control/control-server.h"
#include "ng-protocol/ng-reply.h"

#define TIMEOUT_MS 300

/* A server between a proxy and a stand-in for rtpengine, which answers when the test says so. */
typedef struct Fixture {
    uv_loop_t loop;
    TestSocket *proxy;
    TestSocket *rtpengine;
    ControlServer *server;
    Addr at;
    ControlRequest *held; /* taken by the handler, not answered */
    unsigned handled;
} Fixture;

/* Ours is what has an e2ae command. */
static bool handle(ControlRequest *req, void *user_data)
{
    Fixture *f = user_data;

    f->handled++;
    if (strcmp(req->command, "e2ae query") == 0) {
        control_request_reply_dict(req, ng_reply_ok());
        return true;
    }
    if (strcmp(req->command, "e2ae offer") == 0) {
        f->held = req;
        return true;
    }
    return false;
}

/* @data: non-NULL = without rtpengine. */
static void set_up(Fixture *f, const void *data)
{
    Addr any = test_any_port("127.0.0.1");
    ControlUpstream *u = NULL;
    g_autoptr(GError) error = NULL;

    uv_loop_init(&f->loop);
    f->proxy = test_socket_new(&f->loop, any);
    f->rtpengine = test_socket_new(&f->loop, any);
    if (!data)
        u = control_upstream_new(&f->loop, "rtpengine", &f->rtpengine->addr, TIMEOUT_MS, &error);
    g_assert_no_error(error);
    f->server = control_server_new(&f->loop, u, handle, f);
    g_assert_true(control_server_upstream(f->server) == u);
    const Addr *at = control_server_listen(f->server, CONTROL_UDP, &any, false, &error);
    g_assert_no_error(error);
    f->at = *at;
    test_socket_connect(f->proxy, f->at);
    g_string_truncate(test_log, 0);
}

static void tear_down(Fixture *f, const void *data)
{
    (void)data;
    control_server_free(f->server);
    test_socket_free(&f->loop, f->proxy);
    test_socket_free(&f->loop, f->rtpengine);
    test_loop_end(&f->loop);
}

static void ask(Fixture *f, Span message)
{
    test_socket_send(f->proxy, &f->at, message);
}

/* Waits until @n datagrams came to the stand-in and returns the body of the last one. */
static Span upstream_body(Fixture *f, guint n)
{
    RUN_UNTIL(&f->loop, f->rtpengine->got->len == n);
    Span body = test_socket_got(f->rtpengine, n - 1);
    span_cut(&body, ' ');
    return body;
}

static void upstream_answer(Fixture *f, guint i, Span body)
{
    Span datagram = test_socket_got(f->rtpengine, i);
    Span cookie = span_cut(&datagram, ' ');
    g_autoptr(GString) reply = g_string_new_len(cookie.p, (gssize)cookie.len);

    g_string_append_c(reply, ' ');
    g_string_append_len(reply, body.p, (gssize)body.len);
    test_socket_send(f->rtpengine, &f->rtpengine->from, (Span){reply->str, reply->len});
}

static Span answer(Fixture *f, guint n)
{
    RUN_UNTIL(&f->loop, f->proxy->got->len >= n);
    g_assert_cmpuint(f->proxy->got->len, ==, n);
    return test_socket_got(f->proxy, n - 1);
}

/* Byte for byte both ways: unsorted and double keys, NUL, what cannot be decoded, what is empty. */
static void test_verbatim(Fixture *f, const void *data)
{
    static const struct {
        Span request;
        Span reply;
        const char *command;
    } cases[] = {
        {SPAN("d7:command4:pinge"), SPAN("d6:result4:ponge"), "ping"},
        {SPAN("d1:z1:a1:a1:z1:a1:y7:command5:offer3:sdp5:a\0b\r\ne"), SPAN("d1:b1:\0e"), "offer"},
        {SPAN("{ \"command\" : \"delete\", \"x\" : [ ] }"), SPAN("{\"result\":  \"ok\"}"),
         "delete"},
        {SPAN("d7:command21:start recording\0\n\"'\x80\xff"
              "e"),
         SPAN("de"), "\"start"},
        {SPAN("d7:command4:ping"),
         SPAN("d6:result5:error12:error-reason35:Could not decode bencode dictionarye"), "?"},
        {SPAN("what is this?"), SPAN("d6:result5:errore"), "?"},
        {SPAN("{\"command\":"), SPAN("{}"), "?"},
        {SPAN("d1:x1:ye"), SPAN(""), "?"},
        {SPAN(""), SPAN("no dictionary at all"), "?"},
        {SPAN("d7:command4:pinge trailing"), SPAN("d6:result4:ponge trailing"), "ping"},
    };

    (void)data;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) message = g_string_new(NULL);
        g_autoptr(GString) expected = g_string_new(NULL);
        g_autofree char *received = g_strdup_printf("Received command '%s", cases[i].command);
        g_autofree char *replied = g_strdup_printf("Replying to '%s", cases[i].command);
        g_string_printf(message, "5_%u ", i);
        g_string_append(expected, message->str);
        g_string_append_len(message, cases[i].request.p, (gssize)cases[i].request.len);
        g_string_append_len(expected, cases[i].reply.p, (gssize)cases[i].reply.len);
        g_string_truncate(test_log, 0);
        ask(f, (Span){message->str, message->len});
        g_assert_true(span_eq(upstream_body(f, i + 1), cases[i].request));
        upstream_answer(f, i, cases[i].reply);
        g_assert_true(span_eq(answer(f, i + 1), (Span){expected->str, expected->len}));
        assert_logged(received);
        assert_logged(replied);
    }
    g_assert_cmpuint(f->handled, ==, G_N_ELEMENTS(cases));
}

static void test_cookie_of_our_own(Fixture *f, const void *data)
{
    (void)data;
    ask(f, SPAN("cookie de"));
    upstream_body(f, 1);
    g_assert_false(span_starts(test_socket_got(f->rtpengine, 0), SPAN("cookie ")));
}

static void test_log_lines(Fixture *f, const void *data)
{
    char proxy[ADDR_TEXT_MAX];
    g_autofree char *received = NULL, *replying = NULL;

    (void)data;
    addr_text(&f->proxy->addr, proxy);
    received = g_strdup_printf("Received command 'ping' from %s\n", proxy);
    replying = g_strdup_printf("Replying to 'ping' from %s (elapsed time 0.", proxy);
    ask(f, SPAN("1 d7:command4:pinge"));
    upstream_body(f, 1);
    upstream_answer(f, 0, SPAN("d6:result4:ponge"));
    answer(f, 1);
    assert_logged(received);
    assert_logged(replying);
}

static void test_repeats(Fixture *f, const void *data)
{
    const Span offer = SPAN("1 d7:command5:offere");

    (void)data;
    ask(f, offer);
    upstream_body(f, 1);
    ask(f, offer);
    ask(f, offer);
    RUN_UNTIL(&f->loop,
              strstr(test_log->str, "still working on it") &&
                  strstr(strstr(test_log->str, "still working on it") + 1, "still working"));
    upstream_answer(f, 0, SPAN("d6:result2:oke"));
    RUN_UNTIL(&f->loop, f->proxy->got->len == 3);
    ask(f, offer);
    for (guint i = 3; i <= 4; i++)
        assert_span(answer(f, 4), "1 d6:result2:oke");
    for (guint i = 0; i < 4; i++)
        assert_span(test_socket_got(f->proxy, i), "1 d6:result2:oke");
    g_assert_cmpuint(f->handled, ==, 1);
    g_assert_cmpuint(f->rtpengine->got->len, ==, 1);
}

/* sipwise/rtpengine numbers by the cookie alone; two proxies that count alike do not meet here. */
static void test_two_proxies_one_cookie(Fixture *f, const void *data)
{
    TestSocket *other = test_socket_new(&f->loop, test_any_port("127.0.0.1"));

    (void)data;
    ask(f, SPAN("1 d7:command5:offere"));
    upstream_body(f, 1);
    test_socket_send(other, &f->at, SPAN("1 d7:command6:answere"));
    assert_span(upstream_body(f, 2), "d7:command6:answere");
    upstream_answer(f, 1, SPAN("d1:x1:2e"));
    upstream_answer(f, 0, SPAN("d1:x1:1e"));
    assert_span(answer(f, 1), "1 d1:x1:1e");
    RUN_UNTIL(&f->loop, other->got->len == 1);
    assert_span(test_socket_got(other, 0), "1 d1:x1:2e");
    test_socket_free(&f->loop, other);
}

/* No cookie, no reply; and the next request is none the worse for it. */
static void test_no_cookie(Fixture *f, const void *data)
{
    static const Span bad[] = {
        {"", 0}, {" ", 1}, {"nospace", 7}, {" d7:command4:pinge", 18}, {"\0\n", 2}};

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_string_truncate(test_log, 0);
        ask(f, bad[i]);
        RUN_UNTIL(&f->loop,
                  strstr(test_log->str, "Received invalid data on the ng port from 127.0.0.1:"));
    }
    ask(f, SPAN("1 d7:command10:e2ae querye"));
    assert_span(answer(f, 1), "1 d6:result2:oke");
    g_assert_cmpuint(f->rtpengine->got->len, ==, 0);
}

/* 65507 bytes are the longest datagram; its body just fits another one only with a shorter cookie.
 */
static void test_giants(Fixture *f, const void *data)
{
    g_autofree char *big = g_strnfill(65507, 'x');

    (void)data;
    memset(big, 'c', 100);
    big[100] = ' ';
    ask(f, (Span){big, 65507});
    g_assert_true(span_eq(upstream_body(f, 1), (Span){big + 101, 65507 - 101}));
    upstream_answer(f, 0, (Span){big, 65400});
    g_assert_cmpuint(answer(f, 1).len, ==, 101 + 65400);
    big[1] = ' ';
    ask(f, (Span){big, 65507});
    g_assert_true(span_starts(answer(f, 2), SPAN("c d6:result5:error12:error-reason")));
    assert_logged("does not fit a datagram to rtpengine");
}

static void test_upstream_silent(Fixture *f, const void *data)
{
    char rtpengine[ADDR_TEXT_MAX];
    g_autofree char *reason = NULL, *bencode = NULL, *json = NULL;

    (void)data;
    reason = g_strdup_printf("rtpengine at %s did not answer within %d ms",
                             addr_text(&f->rtpengine->addr, rtpengine), TIMEOUT_MS);
    bencode = g_strdup_printf("1 d6:result5:error12:error-reason%zu:%se", strlen(reason), reason);
    json = g_strdup_printf("2 {\"result\":\"error\",\"error-reason\":\"%s\"}", reason);
    ask(f, SPAN("1 d7:command5:offere"));
    assert_span(answer(f, 1), bencode);
    ask(f, SPAN("2 {\"command\":\"offer\"}"));
    assert_span(answer(f, 2), json);
}

static void test_handler(Fixture *f, const void *data)
{
    (void)data;
    ask(f, SPAN("1 d7:command10:e2ae querye"));
    assert_span(answer(f, 1), "1 d6:result2:oke");
    ask(f, SPAN("2 {\"command\":\"e2ae query\"}"));
    assert_span(answer(f, 2), "2 {\"result\":\"ok\"}");

    ask(f, SPAN("3 d7:command10:e2ae offere"));
    RUN_UNTIL(&f->loop, f->held);
    g_assert_true(addr_eq(&f->held->from->remote, &f->proxy->addr));
    g_assert_true(addr_eq(&f->held->from->local, &f->at));
    assert_span(f->held->body, "d7:command10:e2ae offere");
    assert_span(f->held->message->cookie, "3");
    control_request_reply(g_steal_pointer(&f->held), SPAN("late"));
    assert_span(answer(f, 3), "3 late");

    /* Taken first, passed on later. */
    ask(f, SPAN("4 d7:command10:e2ae offere"));
    RUN_UNTIL(&f->loop, f->held);
    control_request_pass(g_steal_pointer(&f->held));
    assert_span(upstream_body(f, 1), "d7:command10:e2ae offere");
    upstream_answer(f, 0, SPAN("de"));
    assert_span(answer(f, 4), "4 de");
}

/* Requests that are in work when the program stops: no reply, so that the proxy tries another node;
 * and no leak. */
static void test_stop_with_requests(Fixture *f, const void *data)
{
    (void)data;
    ask(f, SPAN("1 d7:command10:e2ae offere"));
    ask(f, SPAN("2 d7:command5:offere"));
    RUN_UNTIL(&f->loop, f->held);
    upstream_body(f, 1);
    g_clear_pointer(&f->server, control_server_free);
    for (int i = 0; i < 5; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    g_assert_cmpuint(f->proxy->got->len, ==, 0);
}

static void test_without_rtpengine(Fixture *f, const void *data)
{
    static const struct {
        const char *request;
        const char *reply;
    } cases[] = {
        {"1 d7:command4:pinge", "1 d6:result4:ponge"},
        {"2 {\"command\":\"ping\"}", "2 {\"result\":\"pong\"}"},
        {"3 d7:command5:offere",
         "3 d6:result5:error12:error-reason40:no rtpengine configured for this requeste"},
        {"4 {\"command\":\"list\"}",
         "4 {\"result\":\"error\",\"error-reason\":\"no rtpengine configured for this request\"}"},
        {"5 d7:command4:ping",
         "5 d6:result5:error12:error-reason35:Could not decode bencode dictionarye"},
        {"6 ", "6 d6:result5:error12:error-reason25:Invalid data (no payload)e"},
        {"7 d7:command10:e2ae querye", "7 d6:result2:oke"},
    };

    (void)data;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        ask(f, span_str(cases[i].request));
        assert_span(answer(f, i + 1), cases[i].reply);
    }
    g_assert_cmpuint(f->rtpengine->got->len, ==, 0);
}

/* The same by TCP, and the reply goes where the request came from. */
static void test_tcp(Fixture *f, const void *data)
{
    Addr any = test_any_port("127.0.0.1");
    struct sockaddr_storage sa;
    char buf[64];
    g_autoptr(GError) error = NULL;
    const Addr *at = control_server_listen(f->server, CONTROL_TCP, &any, false, &error);

    (void)data;
    g_assert_no_error(error);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = addr_to_sockaddr(at, &sa);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&sa, len), ==, 0);
    g_assert_cmpint(send(fd, "1 d7:command4:pinge", 19, 0), ==, 19);
    assert_span(upstream_body(f, 1), "d7:command4:pinge");
    upstream_answer(f, 0, SPAN("d6:result4:ponge"));
    RUN_UNTIL(&f->loop, strstr(test_log->str, "Replying to 'ping'"));
    for (int i = 0; i < 5; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    g_assert_cmpint(recv(fd, buf, sizeof buf, 0), ==, 18);
    assert_span(((Span){buf, 18}), "1 d6:result4:ponge");
    close(fd);
    g_assert_cmpuint(f->proxy->got->len, ==, 0);
}

#define ADD(name, func, data)                                                                      \
    g_test_add("/control/server/" name, Fixture, data, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    signal(SIGPIPE, SIG_IGN); /* as main() does */
    ADD("verbatim", test_verbatim, NULL);
    ADD("cookie-of-our-own", test_cookie_of_our_own, NULL);
    ADD("log-lines", test_log_lines, NULL);
    ADD("repeats", test_repeats, NULL);
    ADD("two-proxies-one-cookie", test_two_proxies_one_cookie, NULL);
    ADD("no-cookie", test_no_cookie, NULL);
    ADD("giants", test_giants, NULL);
    ADD("upstream-silent", test_upstream_silent, NULL);
    ADD("handler", test_handler, NULL);
    ADD("stop-with-requests", test_stop_with_requests, NULL);
    ADD("without-rtpengine", test_without_rtpengine, "none");
    ADD("tcp", test_tcp, NULL);
    return g_test_run();
}
