/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/admin-http.h"

#include "net/net-tcp.h"

#include <errno.h>
#include <unistd.h>

typedef struct Fixture {
    uv_loop_t loop;
    Addr at;
    AdminHttp *http;
    unsigned asked;
} Fixture;

static char *text_cb(void *arg)
{
    Fixture *f = arg;

    return g_strdup_printf("asked %u\n", ++f->asked);
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

static void setup(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    (void)unused;
    uv_loop_init(&f->loop);
    f->at = free_address();
    f->http = admin_http_new(&f->loop, &f->at, text_cb, f, &error);
    g_assert_no_error(error);
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

/* Sends @request and returns all that comes until the server ends the connection. */
static char *ask(Fixture *f, const char *request)
{
    int fd = connect_to(f);
    Span left = span_str(request);
    GString *got = g_string_new(NULL);

    for (bool open = true; open;) {
        char chunk[4096];
        ssize_t n = left.len ? net_tcp_send(fd, left) : 0;
        if (n > 0)
            left = span_skip(left, (size_t)n);
        n = net_tcp_recv(fd, chunk, sizeof chunk);
        if (n > 0)
            g_string_append_len(got, chunk, n);
        open = n > 0 || n == -EAGAIN;
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    net_close(&fd);
    return g_string_free(got, FALSE);
}

static void test_answers(Fixture *f, gconstpointer unused)
{
#define CLOSE " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    static const struct {
        const char *request;
        const char *status;
        const char *header;
        const char *body;
    } rows[] = {
        {"GET /metrics" CLOSE, "HTTP/1.1 200 OK", "Content-Type: text/plain; version=0.0.4", "asked 1\n"},
        {"GET /metrics?a=b" CLOSE, "HTTP/1.1 200 OK", "Content-Length: 8\r\n", "asked 2\n"},
        {"HEAD /metrics" CLOSE, "HTTP/1.1 200 OK", "Content-Length: 8\r\n", ""},
        {"GET /" CLOSE, "HTTP/1.1 404 ", "Content-Type: text/plain\r\n", "/metrics, for GET\n"},
        {"GET /metrics/.." CLOSE, "HTTP/1.1 404 ", "", "/metrics, for GET\n"},
        {"DELETE /metrics" CLOSE, "HTTP/1.1 405 ", "Allow: GET, HEAD\r\n", "/metrics, for GET\n"},
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
    g_assert_cmpuint(f->asked, ==, 3);
}

/* A request that never ends takes no more memory than one may, and is refused. */
static void test_too_long(Fixture *f, gconstpointer unused)
{
    g_autofree char *filler = g_strnfill(64 * 1024, 'a');
    g_autofree char *request = g_strconcat("GET /", filler, CLOSE, NULL);

    (void)unused;
    g_autofree char *got = ask(f, request);
    g_assert_true(!*got || g_str_has_prefix(got, "HTTP/1.1 4"));
    g_assert_cmpuint(f->asked, ==, 0);
}

/* Those that say nothing keep nobody out for long: there is a limit, and it is not reached by ending ones. */
static void test_many(Fixture *f, gconstpointer unused)
{
    (void)unused;
    for (unsigned i = 1; i <= 100; i++) {
        g_autofree char *got = ask(f, "GET /metrics" CLOSE);
        g_autofree char *body = g_strdup_printf("asked %u\n", i);
        g_assert_true(g_str_has_suffix(got, body));
    }
}

static void test_taken(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    char text[ADDR_TEXT_MAX];

    (void)unused;
    g_assert_null(admin_http_new(&f->loop, &f->at, text_cb, f, &error));
    g_assert_nonnull(strstr(error->message, "--metrics="));
    g_assert_nonnull(strstr(error->message, addr_text(&f->at, text)));
    g_assert_nonnull(strstr(error->message, net_error_text(-EADDRINUSE)));
}

/* It ends with connections open, in the middle of a request too. */
static void test_end(Fixture *f, gconstpointer unused)
{
    int idle = connect_to(f);
    int half = connect_to(f);

    (void)unused;
    for (unsigned i = 0; i < 20; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    g_assert_cmpint((int)net_tcp_send(half, SPAN("GET /met")), ==, 8);
    for (unsigned i = 0; i < 20; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    admin_http_free(g_steal_pointer(&f->http));
    uv_run(&f->loop, UV_RUN_DEFAULT);
    net_close(&idle);
    net_close(&half);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, func) g_test_add("/admin/http/" path, Fixture, NULL, setup, func, teardown)
    ADD("answers", test_answers);
    ADD("too-long", test_too_long);
    ADD("many", test_many);
    ADD("taken", test_taken);
    ADD("end", test_end);
    return g_test_run();
}
