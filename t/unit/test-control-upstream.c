/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control-test.h"
#include "control/control-error.h"
#include "control/control-upstream.h"

#define TIMEOUT_MS 900

/* What came of one request. */
typedef struct Outcome {
    unsigned n;
    int error; /* 0 = a reply */
    char *text;
} Outcome;

static void on_outcome(Span reply, const GError *error, void *user_data)
{
    Outcome *o = user_data;

    o->n++;
    o->error = error ? error->code : 0;
    g_free(o->text);
    o->text = error ? g_strdup(error->message) : span_dup(reply);
}

static void outcome_clear(Outcome *o)
{
    g_clear_pointer(&o->text, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

/* Stands for rtpengine: answers "COOKIE <body>" with "COOKIE re:<body>", and not before the drop-th
 * time. */
typedef struct Responder {
    unsigned drop; /* of each cookie */
    GHashTable *seen;
} Responder;

static void respond(TestSocket *s, Span datagram)
{
    Responder *r = s->user_data;
    Span body = datagram;
    g_autofree char *cookie = span_dup(span_cut(&body, ' '));

    unsigned times = GPOINTER_TO_UINT(g_hash_table_lookup(r->seen, cookie)) + 1;
    g_hash_table_insert(r->seen, g_strdup(cookie), GUINT_TO_POINTER(times));
    if (times <= r->drop)
        return;
    g_autofree char *reply = g_strdup_printf("%s re:%.*s", cookie, SPAN_ARG(body));
    test_socket_send(s, &s->from, span_str(reply));
}

typedef struct Fixture {
    uv_loop_t loop;
    Responder responder;
    TestSocket *rtpengine;
    ControlUpstream *u;
} Fixture;

static void listen_at(Fixture *f, Addr at)
{
    f->rtpengine = test_socket_new(&f->loop, at);
    f->rtpengine->on = respond;
    f->rtpengine->user_data = &f->responder;
}

static void set_up(Fixture *f, const void *data)
{
    g_autoptr(GError) error = NULL;

    (void)data;
    uv_loop_init(&f->loop);
    f->responder.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    /* No other test takes a port of this address while rtpengine is away. */
    listen_at(f, test_any_port("127.0.0.78"));
    f->u = control_upstream_new(&f->loop, "rtpengine", &f->rtpengine->addr, TIMEOUT_MS, &error);
    g_assert_no_error(error);
    g_string_truncate(test_log, 0);
}

static void tear_down(Fixture *f, const void *data)
{
    (void)data;
    control_upstream_free(f->u);
    if (f->rtpengine)
        test_socket_free(&f->loop, f->rtpengine);
    test_loop_end(&f->loop);
    g_hash_table_unref(f->responder.seen);
}

static void test_reply(Fixture *f, const void *data)
{
    g_auto(Outcome) o = {0};

    (void)data;
    control_upstream_send(f->u, SPAN("a b  c"), on_outcome, &o);
    g_assert_cmpuint(o.n, ==, 0);
    g_assert_cmpuint(control_upstream_outstanding(f->u), ==, 1);
    RUN_UNTIL(&f->loop, o.n == 1);
    g_assert_cmpstr(o.text, ==, "re:a b  c");
    g_assert_cmpuint(control_upstream_outstanding(f->u), ==, 0);
    g_assert_cmpuint(f->rtpengine->got->len, ==, 1);
}

/* An empty body is passed on as well: rtpengine has an error text for it. */
static void test_empty_body(Fixture *f, const void *data)
{
    g_auto(Outcome) o = {0};

    (void)data;
    control_upstream_send(f->u, SPAN(""), on_outcome, &o);
    RUN_UNTIL(&f->loop, o.n == 1);
    g_assert_cmpstr(o.text, ==, "re:");
    Span sent = test_socket_got(f->rtpengine, 0);
    g_assert_true(sent.len > 1 && sent.p[sent.len - 1] == ' ');
}

/* Two datagrams are lost; the third is the same, byte for byte. */
static void test_loss(Fixture *f, const void *data)
{
    g_auto(Outcome) o = {0};

    (void)data;
    f->responder.drop = 2;
    control_upstream_send(f->u, SPAN("x"), on_outcome, &o);
    RUN_UNTIL(&f->loop, o.n == 1);
    g_assert_cmpstr(o.text, ==, "re:x");
    g_assert_cmpuint(f->rtpengine->got->len, ==, 3);
    g_assert_true(span_eq(test_socket_got(f->rtpengine, 0), test_socket_got(f->rtpengine, 2)));
}

/* The proxy asks again after a second: by then it must have our answer. */
static void test_silence(Fixture *f, const void *data)
{
    g_auto(Outcome) o = {0}, late = {0};

    (void)data;
    f->responder.drop = 1000;
    int64_t start = g_get_monotonic_time();
    control_upstream_send(f->u, SPAN("x"), on_outcome, &o);
    RUN_UNTIL(&f->loop, o.n == 1);
    int64_t ms = (g_get_monotonic_time() - start) / 1000;
    g_assert_cmpint(ms, >=, TIMEOUT_MS - 1);
    g_assert_cmpint(o.error, ==, CONTROL_ERROR_TIMEOUT);
    g_assert_true(g_str_has_prefix(o.text, "rtpengine at 127.0.0.78:"));
    g_assert_true(g_str_has_suffix(o.text, " did not answer within 900 ms"));
    assert_logged("does not answer");

    /* A reply that comes too late is nobody's, and does no harm. */
    g_autoptr(GString) again = g_string_new(((GString *)f->rtpengine->got->pdata[0])->str);
    test_socket_send(f->rtpengine, &f->rtpengine->from, (Span){again->str, again->len});
    f->responder.drop = 0;
    control_upstream_send(f->u, SPAN("y"), on_outcome, &late);
    RUN_UNTIL(&f->loop, late.n == 1);
    g_assert_cmpstr(late.text, ==, "re:y");
    g_assert_cmpuint(o.n, ==, 1);
    assert_logged("nobody waits for");
    assert_logged("answers again");
}

static bool count_down(uv_timer_t *timer)
{
    return !uv_is_active((uv_handle_t *)timer);
}

/* rtpengine is not running, then it is, then it is restarted; all the time the same client. */
static void test_late_start(Fixture *f, const void *data)
{
    g_auto(Outcome) first = {0}, second = {0}, third = {0};
    Addr at = f->rtpengine->addr;
    uv_timer_t timer;

    (void)data;
    test_socket_free(&f->loop, g_steal_pointer(&f->rtpengine));
    control_upstream_send(f->u, SPAN("1"), on_outcome, &first);
    RUN_UNTIL(&f->loop, first.n == 1);
    g_assert_cmpint(first.error, ==, CONTROL_ERROR_TIMEOUT);
    assert_logged("is not there: nobody listens on that port");

    control_upstream_send(f->u, SPAN("2"), on_outcome, &second);
    uv_timer_init(&f->loop, &timer);
    uv_timer_start(&timer, test_timer_ignore, 300, 0);
    RUN_UNTIL(&f->loop, count_down(&timer));
    test_close(&f->loop, (uv_handle_t *)&timer);
    g_assert_cmpuint(second.n, ==, 0);
    listen_at(f, at);
    RUN_UNTIL(&f->loop, second.n == 1);
    g_assert_cmpstr(second.text, ==, "re:2");
    assert_logged("answers again");

    test_socket_free(&f->loop, g_steal_pointer(&f->rtpengine));
    listen_at(f, at);
    control_upstream_send(f->u, SPAN("3"), on_outcome, &third);
    RUN_UNTIL(&f->loop, third.n == 1);
    g_assert_cmpstr(third.text, ==, "re:3");
}

static bool all_done(const Outcome *o, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!o[i].n)
            return false;
    return true;
}

/* More at a time than the sockets hold: what is lost is sent again, and everybody gets their own
 * reply. */
static void test_many(Fixture *f, const void *data)
{
    enum { N = 5000 };
    g_autofree Outcome *o = g_new0(Outcome, N);

    (void)data;
    for (int i = 0; i < N; i++) {
        g_autofree char *body = g_strdup_printf("%d", i);
        control_upstream_send(f->u, span_str(body), on_outcome, &o[i]);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    RUN_UNTIL(&f->loop, all_done(o, N));
    for (int i = 0; i < N; i++) {
        g_autofree char *expected = g_strdup_printf("re:%d", i);
        g_assert_cmpstr(o[i].text, ==, expected);
        g_assert_cmpuint(o[i].n, ==, 1);
        outcome_clear(&o[i]);
    }
    g_assert_cmpuint(g_hash_table_size(f->responder.seen), ==, N);
}

static void test_limits(Fixture *f, const void *data)
{
    g_autofree Outcome *o = g_new0(Outcome, CONTROL_UPSTREAM_MAX + 1);
    g_auto(Outcome) too_long = {0};
    g_autofree char *big = g_strnfill(65507, 'x');

    (void)data;
    control_upstream_send(f->u, (Span){big, 65507}, on_outcome, &too_long);
    g_assert_cmpuint(too_long.n, ==, 0);
    RUN_UNTIL(&f->loop, too_long.n == 1);
    g_assert_cmpint(too_long.error, ==, CONTROL_ERROR_TOO_LONG);

    for (int i = 0; i <= CONTROL_UPSTREAM_MAX; i++)
        control_upstream_send(f->u, SPAN("x"), on_outcome, &o[i]);
    RUN_UNTIL(&f->loop, o[CONTROL_UPSTREAM_MAX].n == 1);
    g_assert_cmpint(o[CONTROL_UPSTREAM_MAX].error, ==, CONTROL_ERROR_BUSY);
    g_clear_pointer(&f->u, control_upstream_free);
    for (int i = 0; i <= CONTROL_UPSTREAM_MAX; i++) {
        g_assert_cmpuint(o[i].n, ==, 1);
        outcome_clear(&o[i]);
    }
}

/* Nothing that rtpengine, or who speaks in its name, may send disturbs what is going on. */
static void test_strange_replies(Fixture *f, const void *data)
{
    static const Span strange[] = {
        {"", 0}, {" ", 1}, {"x", 1}, {"no such cookie", 14}, {"\0 x", 3}, {" d6:result2:oke", 15},
    };
    g_auto(Outcome) o = {0};
    g_autofree char *big = g_strnfill(65507, 'c');

    (void)data;
    f->responder.drop = 1;
    control_upstream_send(f->u, SPAN("x"), on_outcome, &o);
    RUN_UNTIL(&f->loop, f->rtpengine->got->len == 1);
    Addr to = f->rtpengine->from;
    for (size_t i = 0; i < G_N_ELEMENTS(strange); i++)
        test_socket_send(f->rtpengine, &to, strange[i]);
    test_socket_send(f->rtpengine, &to, (Span){big, 65507});
    /* The cookie without a blank behind it is no reply either. */
    Span sent = test_socket_got(f->rtpengine, 0);
    test_socket_send(f->rtpengine, &to, span_cut(&sent, ' '));
    RUN_UNTIL(&f->loop, o.n == 1);
    g_assert_cmpstr(o.text, ==, "re:x");
}

static void send_again(Span reply, const GError *error, void *user_data)
{
    Fixture *f = user_data;

    (void)reply;
    g_assert_error(error, CONTROL_ERROR, CONTROL_ERROR_STOPPING);
    g_auto(Outcome) o = {0};
    control_upstream_send(f->u, SPAN("again"), on_outcome, &o);
    g_assert_cmpint(o.error, ==, CONTROL_ERROR_STOPPING);
}

static void test_stop(Fixture *f, const void *data)
{
    g_auto(Outcome) o = {0};

    (void)data;
    control_upstream_send(f->u, SPAN("x"), on_outcome, &o);
    control_upstream_send(f->u, SPAN("y"), send_again, f);
    control_upstream_free(f->u);
    f->u = NULL;
    g_assert_cmpuint(o.n, ==, 1);
    g_assert_cmpint(o.error, ==, CONTROL_ERROR_STOPPING);
}

#define ADD(name, func)                                                                            \
    g_test_add("/control/upstream/" name, Fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    ADD("reply", test_reply);
    ADD("empty-body", test_empty_body);
    ADD("loss", test_loss);
    ADD("silence", test_silence);
    ADD("late-start", test_late_start);
    ADD("many", test_many);
    ADD("limits", test_limits);
    ADD("strange-replies", test_strange_replies);
    ADD("stop", test_stop);
    return g_test_run();
}
