/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control/control-cookies.h"

#define SECOND ((int64_t)G_USEC_PER_SEC)

static const ControlCookiesLimits roomy = {100, 100, 100000};

/* A channel that writes down what goes out: "remote-port:cookie:body;" */
typedef struct Wire {
    ControlChannel channel;
    GString *sent;
} Wire;

static void wire_send(ControlChannel *channel, const ControlPeer *to, Span cookie, Span body)
{
    g_string_append_printf(((Wire *)channel)->sent, "%u:%.*s:%.*s;", to->remote.port,
                           SPAN_ARG(cookie), SPAN_ARG(body));
}

static void wire_released(ControlChannel *channel)
{
    (void)channel;
}

static Wire wire_new(ControlTransport transport)
{
    return (Wire){{transport, 1, wire_send, wire_released}, g_string_new(NULL)};
}

/* Nobody holds a reference any more. */
static void wire_end(Wire *w)
{
    g_assert_cmpuint(w->channel.refs, ==, 1);
    g_string_free(w->sent, TRUE);
}

static ControlPeer peer(Wire *w, const char *addr)
{
    ControlPeer p = {.channel = &w->channel};

    g_assert_true(addr_parse(span_str(addr), &p.remote));
    return p;
}

static ControlCookie *begin_new(ControlCookies *c, const ControlPeer *p, const char *cookie,
                                int64_t now)
{
    ControlCookie *e = NULL;

    g_assert_cmpint(control_cookies_begin(c, p, span_str(cookie), now, &e), ==, CONTROL_COOKIE_NEW);
    g_assert_nonnull(e);
    return e;
}

static void begin_known(ControlCookies *c, const ControlPeer *p, const char *cookie, int64_t now,
                        ControlCookieState state)
{
    ControlCookie *e = NULL;

    g_assert_cmpint(control_cookies_begin(c, p, span_str(cookie), now, &e), ==, state);
    g_assert_null(e);
}

static void test_repeat(void)
{
    Wire w = wire_new(CONTROL_UDP);
    ControlPeer p = peer(&w, "127.0.0.1:1");
    g_autoptr(ControlCookies) c = control_cookies_new(roomy, 0);

    control_cookies_finish(c, begin_new(c, &p, "a", 0), SPAN("reply"), 0);
    g_assert_cmpstr(w.sent->str, ==, "1:a:reply;");
    begin_known(c, &p, "a", 1, CONTROL_COOKIE_ANSWERED);
    begin_known(c, &p, "a", 2, CONTROL_COOKIE_ANSWERED);
    g_assert_cmpstr(w.sent->str, ==, "1:a:reply;1:a:reply;1:a:reply;");
    wire_end(&w);
}

static void test_in_flight(void)
{
    Wire w = wire_new(CONTROL_UDP);
    ControlPeer p = peer(&w, "127.0.0.1:1");
    g_autoptr(ControlCookies) c = control_cookies_new(roomy, 0);
    ControlCookie *e = begin_new(c, &p, "a", 0);

    begin_known(c, &p, "a", 1, CONTROL_COOKIE_WAITS);
    begin_known(c, &p, "a", 2, CONTROL_COOKIE_WAITS);
    g_assert_cmpstr(w.sent->str, ==, "");
    g_assert_cmpuint(w.channel.refs, ==, 4);
    g_assert_cmpuint(control_cookies_in_flight(c), ==, 1);
    control_cookies_finish(c, e, SPAN("r"), 3);
    g_assert_cmpstr(w.sent->str, ==, "1:a:r;1:a:r;1:a:r;");
    g_assert_cmpuint(control_cookies_in_flight(c), ==, 0);
    wire_end(&w);
}

/* rtpengine would give them each other's reply. */
static void test_sources_differ(void)
{
    Wire udp = wire_new(CONTROL_UDP), tcp = wire_new(CONTROL_TCP);
    ControlPeer peers[] = {peer(&udp, "127.0.0.1:1"), peer(&udp, "127.0.0.2:1"),
                           peer(&udp, "127.0.0.1:2"), peer(&udp, "[::1]:1"),
                           peer(&tcp, "127.0.0.1:1")};
    ControlCookie *entries[G_N_ELEMENTS(peers)];
    g_autoptr(ControlCookies) c = control_cookies_new(roomy, 0);

    for (size_t i = 0; i < G_N_ELEMENTS(peers); i++)
        entries[i] = begin_new(c, &peers[i], "same", 0);
    control_cookies_finish(c, entries[4], SPAN("tcp"), 0);
    control_cookies_finish(c, entries[2], SPAN("two"), 0);
    g_assert_cmpstr(tcp.sent->str, ==, "1:same:tcp;");
    g_assert_cmpstr(udp.sent->str, ==, "2:same:two;");
    begin_known(c, &peers[0], "same", 0, CONTROL_COOKIE_WAITS);
    g_assert_true(addr_eq(&control_cookie_peer(entries[1])->remote, &peers[1].remote));
    g_clear_pointer(&c, control_cookies_free);
    wire_end(&udp);
    wire_end(&tcp);
}

/* Remembered for at least 30 s and at most 60 s, whatever the place within a generation. */
static void test_age(void)
{
    for (int64_t offset = 0; offset < 30; offset += 29) {
        Wire w = wire_new(CONTROL_UDP);
        ControlPeer p = peer(&w, "127.0.0.1:1");
        g_autoptr(ControlCookies) c = control_cookies_new(roomy, 0);
        int64_t start = offset * SECOND;

        control_cookies_finish(c, begin_new(c, &p, "a", start), SPAN("r"), start);
        begin_known(c, &p, "a", start + 30 * SECOND, CONTROL_COOKIE_ANSWERED);
        control_cookies_expire(c, start + 61 * SECOND);
        g_assert_cmpuint(control_cookies_remembered(c), ==, 0);
        begin_new(c, &p, "a", start + 61 * SECOND);
        g_clear_pointer(&c, control_cookies_free);
        wire_end(&w);
    }
}

static void test_age_after_a_pause(void)
{
    Wire w = wire_new(CONTROL_UDP);
    ControlPeer p = peer(&w, "127.0.0.1:1");
    g_autoptr(ControlCookies) c = control_cookies_new(roomy, 0);

    control_cookies_finish(c, begin_new(c, &p, "a", 0), SPAN("r"), 0);
    begin_new(c, &p, "a", 3600 * SECOND);
    g_assert_cmpuint(control_cookies_remembered(c), ==, 0);
    g_clear_pointer(&c, control_cookies_free);
    wire_end(&w);
}

/* What takes long is not forgotten, and once finished is remembered as long as anything. */
static void test_slow_request(void)
{
    Wire w = wire_new(CONTROL_UDP);
    ControlPeer p = peer(&w, "127.0.0.1:1");
    g_autoptr(ControlCookies) c = control_cookies_new(roomy, 0);
    ControlCookie *e = begin_new(c, &p, "a", 0);

    begin_known(c, &p, "a", 100 * SECOND, CONTROL_COOKIE_WAITS);
    control_cookies_finish(c, e, SPAN("r"), 200 * SECOND);
    begin_known(c, &p, "a", 230 * SECOND, CONTROL_COOKIE_ANSWERED);
    wire_end(&w);
}

static void test_limits(void)
{
    Wire w = wire_new(CONTROL_UDP);
    ControlPeer p = peer(&w, "127.0.0.1:1");
    g_autoptr(ControlCookies) c = control_cookies_new((ControlCookiesLimits){2, 3, 20}, 0);
    ControlCookie *a = begin_new(c, &p, "a", 0), *b = begin_new(c, &p, "b", 0);

    begin_known(c, &p, "c", 0, CONTROL_COOKIE_REFUSED);
    begin_known(c, &p, "a", 0, CONTROL_COOKIE_WAITS);
    control_cookies_finish(c, a, SPAN("r"), 0);
    control_cookies_finish(c, b, SPAN("r"), 0);
    for (int i = 0; i < 50; i++) {
        char name[] = {'x', (char)('0' + i % 10), (char)('0' + i / 10), 0};
        control_cookies_finish(c, begin_new(c, &p, name, 0), SPAN("r"), 0);
        g_assert_cmpuint(control_cookies_remembered(c), <=, 6);
    }
    /* By bytes: each reply fills a generation. */
    for (int i = 0; i < 9; i++) {
        char name[] = {'y', (char)('0' + i), 0};
        control_cookies_finish(c, begin_new(c, &p, name, 0), SPAN("123456789012345678"), 0);
    }
    g_assert_cmpuint(control_cookies_remembered(c), ==, 2);
    begin_known(c, &p, "y8", 0, CONTROL_COOKIE_ANSWERED);
    wire_end(&w);
}

static void test_waiters_are_bounded(void)
{
    Wire w = wire_new(CONTROL_UDP);
    ControlPeer p = peer(&w, "127.0.0.1:1");
    g_autoptr(ControlCookies) c = control_cookies_new(roomy, 0);
    ControlCookie *e = begin_new(c, &p, "a", 0);
    const ControlPeer *first = control_cookie_peer(e);

    for (int i = 0; i < 1000; i++)
        begin_known(c, &p, "a", 0, CONTROL_COOKIE_WAITS);
    g_assert_true(control_cookie_peer(e) == first); /* a request keeps that pointer */
    g_assert_true(addr_eq(&first->remote, &p.remote));
    g_assert_cmpuint(w.channel.refs, <, 100);
    control_cookies_finish(c, e, SPAN(""), 0);
    begin_known(c, &p, "a", 0, CONTROL_COOKIE_ANSWERED);
    wire_end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/control/cookies/repeat", test_repeat);
    g_test_add_func("/control/cookies/in-flight", test_in_flight);
    g_test_add_func("/control/cookies/sources-differ", test_sources_differ);
    g_test_add_func("/control/cookies/age", test_age);
    g_test_add_func("/control/cookies/age-after-a-pause", test_age_after_a_pause);
    g_test_add_func("/control/cookies/slow-request", test_slow_request);
    g_test_add_func("/control/cookies/limits", test_limits);
    g_test_add_func("/control/cookies/waiters-are-bounded", test_waiters_are_bounded);
    return g_test_run();
}
