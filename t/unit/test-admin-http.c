/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/admin-http.h"

#include "net/net-tcp.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

/* So long a test waits for what has to come; then it fails. */
#define GIVE_UP_MS 30000

/* Limits of a connection: one that no test waits for, and one that a test waits for. */
#define LONG_LIMIT_MS  3600000u
#define SHORT_LIMIT_MS 100u

#define PLACES ((int)ADMIN_HTTP_CONNECTIONS_MAX)

/* As Prometheus ends the head of its request: it would like the connection to stay. */
#define HEAD " HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n"

typedef struct Fixture {
    uv_loop_t loop;
    Addr at;
    AdminHttp *http;
    unsigned asked;
    size_t answer_len; /* 0: a short one, which counts */
    int64_t give_up;   /* of g_get_monotonic_time() */
} Fixture;

static char *text_cb(void *arg)
{
    Fixture *f = arg;

    f->asked++;
    return f->answer_len ? g_strnfill(f->answer_len, 'a') : g_strdup_printf("asked %u\n", f->asked);
}

static Addr free_address(void)
{
    Addr at;
    char text[ADDR_TEXT_MAX];

    /* Not in the ephemeral range; tests that run at the same time are told apart by their number. */
    for (unsigned port = 11000;; port++) {
        g_snprintf(text, sizeof text, "127.0.0.1:%u", port + (unsigned)getpid() % 9000);
        g_assert_true(addr_parse(span_str(text), &at));
        int fd = net_tcp_listen(&at, 1, false);
        if (fd < 0)
            continue;
        net_close(&fd);
        return at;
    }
}

static void setup(Fixture *f, gconstpointer limit_ms)
{
    g_autoptr(GError) error = NULL;

    uv_loop_init(&f->loop);
    f->at = free_address();
    f->http = admin_http_new(&f->loop, &f->at, GPOINTER_TO_UINT(limit_ms), text_cb, f, &error);
    g_assert_no_error(error);
    f->give_up = g_get_monotonic_time() + GIVE_UP_MS * (int64_t)1000;
    uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void teardown(Fixture *f, gconstpointer unused)
{
    (void)unused;
    admin_http_free(f->http);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    g_assert_cmpint(uv_loop_close(&f->loop), ==, 0);
}

static int connect_to(const Fixture *f)
{
    int fd = net_tcp_connect(NULL, &f->at);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

/* Waits until something happens to the server or to @fd, and lets the server work. */
static void turn(Fixture *f, int fd)
{
    struct pollfd fds[] = {{.fd = uv_backend_fd(&f->loop), .events = POLLIN},
                           {.fd = fd, .events = POLLIN}};
    int64_t left_ms = (f->give_up - g_get_monotonic_time()) / 1000;
    int timer_ms = uv_backend_timeout(&f->loop);

    g_assert_cmpint(left_ms, >, 0);
    poll(fds, 2, timer_ms < 0 ? (int)left_ms : MIN(timer_ms, (int)left_ms));
    uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* False at the end of the connection. */
static bool read_some(int fd, GString *got)
{
    char chunk[4096];
    ssize_t n = net_tcp_recv(fd, chunk, sizeof chunk);

    if (n > 0)
        g_string_append_len(got, chunk, n);
    return n > 0 || n == -EAGAIN;
}

/* Returns all that comes until the server ends the connection, which this closes. */
static char *read_all(Fixture *f, int fd)
{
    GString *got = g_string_new(NULL);

    while (read_some(fd, got))
        turn(f, fd);
    net_close(&fd);
    return g_string_free(got, FALSE);
}

static void send_all(Fixture *f, int fd, const char *text)
{
    for (Span left = span_str(text); left.len;) {
        ssize_t n = net_tcp_send(fd, left);
        if (n < 0 && n != -EAGAIN)
            return; /* the connection has ended, as reading will tell */
        left = span_skip(left, n > 0 ? (size_t)n : 0);
        if (left.len)
            turn(f, -1);
    }
}

/* Sends @request and returns all that comes until the server ends the connection. */
static char *ask(Fixture *f, const char *request)
{
    int fd = connect_to(f);

    send_all(f, fd, request);
    return read_all(f, fd);
}

static void assert_open(int fd)
{
    g_autoptr(GString) got = g_string_new(NULL);

    g_assert_true(read_some(fd, got));
    g_assert_cmpuint(got->len, ==, 0);
}

static void assert_ends(Fixture *f, int fd)
{
    g_autofree char *got = read_all(f, fd);

    g_assert_cmpstr(got, ==, "");
}

static void assert_answered(Fixture *f)
{
    g_autofree char *body = g_strdup_printf("asked %u\n", f->asked + 1);
    g_autofree char *got = ask(f, "GET /metrics" HEAD);

    g_assert_true(g_str_has_suffix(got, body));
}

static void test_answers(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *request;
        const char *status;
        const char *header;
        const char *body;
    } rows[] = {
        {"GET /metrics" HEAD, "HTTP/1.1 200 OK", "Content-Type: text/plain; version=0.0.4", "asked 1\n"},
        {"GET /metrics?a=b" HEAD, "HTTP/1.1 200 OK", "Content-Length: 8\r\n", "asked 2\n"},
        {"GET /metrics" HEAD, "HTTP/1.1 200 OK", "Connection: close\r\n", "asked 3\n"},
        {"HEAD /metrics" HEAD, "HTTP/1.1 200 OK", "Content-Length: 8\r\n", ""},
        {"GET /" HEAD, "HTTP/1.1 404 ", "Content-Type: text/plain\r\n", "/metrics, for GET\n"},
        {"GET /metrics/.." HEAD, "HTTP/1.1 404 ", "", "/metrics, for GET\n"},
        {"DELETE /metrics" HEAD, "HTTP/1.1 405 ", "Allow: GET, HEAD\r\n", "/metrics, for GET\n"},
        {"rubbish\r\n\r\n", "", "", ""}, /* no more than the end of the connection */
    };

    (void)unused;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = ask(f, rows[i].request);
        g_test_message("%s", got);
        g_assert_true(g_str_has_prefix(got, rows[i].status));
        g_assert_nonnull(strstr(got, rows[i].header));
        g_assert_true(g_str_has_suffix(got, rows[i].body));
    }
    g_assert_cmpuint(f->asked, ==, 4);
}

/* A request that never ends takes no more memory than one may, and is refused. */
static void test_too_long(Fixture *f, gconstpointer unused)
{
    g_autofree char *filler = g_strnfill(64 * 1024, 'a');
    g_autofree char *request = g_strconcat("GET /", filler, HEAD, NULL);

    (void)unused;
    g_autofree char *got = ask(f, request);
    g_assert_true(!*got || g_str_has_prefix(got, "HTTP/1.1 4"));
    g_assert_cmpuint(f->asked, ==, 0);
}

/* Connections that have ended take no place. */
static void test_many(Fixture *f, gconstpointer unused)
{
    (void)unused;
    for (unsigned i = 0; i < 100; i++)
        assert_answered(f);
}

/* @count clients that say nothing. Where there is no place for one, the oldest makes it. */
static void connect_silent(Fixture *f, int *ret_fds, int count)
{
    for (int i = 0; i < count; i++) {
        ret_fds[i] = connect_to(f);
        if (i >= PLACES)
            assert_ends(f, ret_fds[i - PLACES]);
    }
}

/* They keep nobody out, without any limit of time, and no more of them end than places are needed. */
static void silent(Fixture *f, int count)
{
    int fds[100];
    int oldest = MAX(0, count - PLACES);

    connect_silent(f, fds, count);
    for (unsigned asks = 0; asks < 3; asks++)
        assert_answered(f);
    if (count >= PLACES)
        assert_ends(f, fds[oldest++]);
    for (int i = oldest; i < count; i++) {
        assert_open(fds[i]);
        net_close(&fds[i]);
    }
}

static void test_silent_few(Fixture *f, gconstpointer unused)
{
    (void)unused;
    silent(f, PLACES - 1);
}

static void test_silent_all(Fixture *f, gconstpointer unused)
{
    (void)unused;
    silent(f, PLACES);
}

static void test_silent_more(Fixture *f, gconstpointer unused)
{
    (void)unused;
    silent(f, 100);
}

/* All leave at once. */
static void test_leave(Fixture *f, gconstpointer unused)
{
    int fds[PLACES];

    (void)unused;
    connect_silent(f, fds, PLACES);
    assert_answered(f); /* so that they have been let in */
    for (int i = 0; i < PLACES; i++)
        net_close(&fds[i]);
    assert_answered(f);
}

/* The limit ends them all, and then there is place. */
static void test_limit(Fixture *f, gconstpointer unused)
{
    int fds[PLACES];

    (void)unused;
    connect_silent(f, fds, PLACES);
    for (int i = 0; i < PLACES; i++)
        assert_ends(f, fds[i]);
    assert_answered(f);
}

typedef struct Slow {
    uv_timer_t timer;
    int fd;
} Slow;

static void slow_cb(uv_timer_t *timer)
{
    const Slow *slow = timer->data;

    net_tcp_send(slow->fd, SPAN("a"));
}

/* A byte now and then buys no time. */
static void test_slow(Fixture *f, gconstpointer unused)
{
    Slow slow = {.fd = connect_to(f)};

    (void)unused;
    uv_timer_init(&f->loop, &slow.timer);
    slow.timer.data = &slow;
    send_all(f, slow.fd, "GET /metrics HTTP/1.1\r\nHost: x\r\nx: ");
    uv_timer_start(&slow.timer, slow_cb, 1, SHORT_LIMIT_MS / 20);
    assert_ends(f, slow.fd);
    uv_close((uv_handle_t *)&slow.timer, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    g_assert_cmpuint(f->asked, ==, 0);
}

/* Nor does a client that asks and does not read. That its time is over shows one that came later. */
static void test_reader(Fixture *f, gconstpointer unused)
{
    int reader = connect_to(f);

    (void)unused;
    f->answer_len = 32 * 1024 * 1024; /* more than a socket takes */
    send_all(f, reader, "GET /metrics" HEAD);
    while (f->asked == 0)
        turn(f, -1);
    assert_ends(f, connect_to(f));
    g_autofree char *got = read_all(f, reader);
    g_assert_cmpuint(strlen(got), <, f->answer_len);
}

static void test_taken(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    char text[ADDR_TEXT_MAX];

    (void)unused;
    g_assert_null(admin_http_new(&f->loop, &f->at, LONG_LIMIT_MS, text_cb, f, &error));
    g_assert_nonnull(strstr(error->message, "--metrics="));
    g_assert_nonnull(strstr(error->message, addr_text(&f->at, text)));
    g_assert_nonnull(strstr(error->message, net_error_text(-EADDRINUSE)));
}

/* It ends with all kinds of connections open, and everybody gets to know. */
static void test_end(Fixture *f, gconstpointer unused)
{
    int fds[PLACES + 1];
    int half = connect_to(f);

    (void)unused;
    send_all(f, half, "GET /met");
    connect_silent(f, fds, PLACES);
    assert_ends(f, half); /* so that all the others have been let in */
    fds[PLACES] = connect_to(f); /* not this one */
    admin_http_free(g_steal_pointer(&f->http));
    uv_run(&f->loop, UV_RUN_DEFAULT);
    for (int i = 0; i <= PLACES; i++)
        assert_ends(f, fds[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, func, limit_ms)                                                                   \
    g_test_add("/admin/http/" path, Fixture, GUINT_TO_POINTER(limit_ms), setup, func, teardown)
    ADD("answers", test_answers, LONG_LIMIT_MS);
    ADD("too-long", test_too_long, LONG_LIMIT_MS);
    ADD("many", test_many, LONG_LIMIT_MS);
    ADD("silent/few", test_silent_few, LONG_LIMIT_MS);
    ADD("silent/all-places", test_silent_all, LONG_LIMIT_MS);
    ADD("silent/more", test_silent_more, LONG_LIMIT_MS);
    ADD("silent/leave", test_leave, LONG_LIMIT_MS);
    ADD("silent/limit", test_limit, SHORT_LIMIT_MS);
    ADD("slow/sender", test_slow, SHORT_LIMIT_MS);
    ADD("slow/reader", test_reader, SHORT_LIMIT_MS);
    ADD("taken", test_taken, LONG_LIMIT_MS);
    ADD("end", test_end, LONG_LIMIT_MS);
    return g_test_run();
}
