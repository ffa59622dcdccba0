/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control-test.h"
#include "control/control-error.h"
#include "control/control-tcp.h"
#include "ng-protocol/ng-message.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#define PING "d7:command4:pinge"

/* Keeps what the listener hands over; answers at once with the body, unless told to hold. */
typedef struct Fixture {
    uv_loop_t loop;
    ControlTcp *t;
    GPtrArray *got; /* of GString */
    GArray *peers;  /* of ControlPeer, held back */
    bool hold;
} Fixture;

static void on_message(const ControlPeer *from, Span message, void *user_data)
{
    Fixture *f = user_data;

    g_ptr_array_add(f->got, g_string_new_len(message.p, (gssize)message.len));
    if (f->hold) {
        ControlPeer peer = control_peer_ref(from);
        g_array_append_val(f->peers, peer);
        return;
    }
    Span cookie = span_cut(&message, ' ');
    control_peer_send(from, cookie, message);
}

static void peer_clear(void *peer)
{
    control_peer_clear(peer);
}

static void set_up(Fixture *f, const void *data)
{
    Addr at = test_any_port("127.0.0.1");
    g_autoptr(GError) error = NULL;

    (void)data;
    uv_loop_init(&f->loop);
    f->got = g_ptr_array_new_with_free_func(test_string_free);
    f->peers = g_array_new(FALSE, FALSE, sizeof(ControlPeer));
    g_array_set_clear_func(f->peers, peer_clear);
    f->t = control_tcp_new(&f->loop, &at, false, on_message, f, &error);
    g_assert_no_error(error);
    g_string_truncate(test_log, 0);
}

static void tear_down(Fixture *f, const void *data)
{
    (void)data;
    control_tcp_free(f->t);
    test_loop_end(&f->loop);
    g_array_unref(f->peers);
    g_ptr_array_unref(f->got);
}

static Span got(const Fixture *f, guint i)
{
    const GString *s = f->got->pdata[i];

    return (Span){s->str, s->len};
}

static int dial(Fixture *f)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(control_tcp_addr(f->t), &sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned before = control_tcp_connections(f->t);

    g_assert_cmpint(connect(fd, (struct sockaddr *)&sa, len), ==, 0);
    g_assert_cmpint(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)), ==, 0);
    RUN_UNTIL(&f->loop, control_tcp_connections(f->t) == before + 1);
    return fd;
}

static void put(int fd, Span bytes)
{
    g_assert_cmpint(send(fd, bytes.p, bytes.len, MSG_NOSIGNAL), ==, bytes.len);
}

/* Has the listener sent that much? Reads nothing. */
static bool readable(int fd, size_t n)
{
    g_autofree char *buf = g_malloc(n);

    return recv(fd, buf, n, MSG_PEEK | MSG_DONTWAIT) == (ssize_t)n;
}

static bool at_end(int fd)
{
    char c;
    ssize_t n = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno != EAGAIN);
}

/* The listener's events and nothing else move on while we look at a blocking-free client. */
#define CLIENT_UNTIL(f, condition)                                                                 \
    do {                                                                                           \
        int64_t end_ = g_get_monotonic_time() + TEST_DEADLINE_MS * 1000;                           \
        while (!(condition)) {                                                                     \
            g_assert_cmpint(g_get_monotonic_time(), <, end_);                                      \
            uv_run(&(f)->loop, UV_RUN_NOWAIT);                                                     \
        }                                                                                          \
    } while (0)

static void expect(Fixture *f, int fd, Span bytes)
{
    g_autofree char *buf = g_malloc(bytes.len);

    CLIENT_UNTIL(f, readable(fd, bytes.len));
    g_assert_cmpint(recv(fd, buf, bytes.len, 0), ==, bytes.len);
    g_assert_true(span_eq((Span){buf, bytes.len}, bytes));
}

static unsigned pending(const Fixture *f)
{
    return f->got->len;
}

/* rtpengine cuts a connection with 1024 bytes of an incomplete message; we take any piece. */
static void test_every_split(Fixture *f, const void *data)
{
    static const char two[] = "a_1 d3:sdp12:v=0\r\no=- 1 e7:command5:offere"
                              "b " PING;
    int fd = dial(f);

    (void)data;
    for (size_t at = 1; at < sizeof two - 1; at++) {
        unsigned before = pending(f);
        bool first = at >= sizeof two - 1 - strlen("b " PING);
        put(fd, (Span){two, at});
        /* Nothing tells that a part has arrived, but the first message when it is complete. */
        RUN_UNTIL(&f->loop, !first || pending(f) == before + 1);
        for (int i = 0; i < 3; i++)
            uv_run(&f->loop, UV_RUN_NOWAIT);
        g_assert_cmpuint(pending(f), ==, before + first);
        put(fd, (Span){two + at, sizeof two - 1 - at});
        RUN_UNTIL(&f->loop, pending(f) == before + 2);
        assert_span(got(f, before), "a_1 d3:sdp12:v=0\r\no=- 1 e7:command5:offere");
        assert_span(got(f, before + 1), "b " PING);
        expect(f, fd, (Span){two, sizeof two - 1});
    }
    close(fd);
    RUN_UNTIL(&f->loop, control_tcp_connections(f->t) == 0);
}

static void test_byte_by_byte(Fixture *f, const void *data)
{
    int fd = dial(f);
    const Span text = SPAN("cookie " PING);

    (void)data;
    for (size_t i = 0; i < text.len; i++) {
        g_assert_cmpuint(pending(f), ==, 0);
        put(fd, (Span){text.p + i, 1});
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    expect(f, fd, text);
    close(fd);
}

static void test_many_in_one_segment(Fixture *f, const void *data)
{
    g_autoptr(GString) all = g_string_new(NULL);
    int fd = dial(f);

    (void)data;
    for (int i = 0; i < 1000; i++)
        g_string_append_printf(all, "%d " PING, i);
    put(fd, (Span){all->str, all->len});
    RUN_UNTIL(&f->loop, pending(f) == 1000);
    expect(f, fd, (Span){all->str, all->len});
    close(fd);
}

/* The longest body that rtpengine could be sent, and one byte more. */
static void test_sizes(Fixture *f, const void *data)
{
    g_autoptr(GString) longest = g_string_new("c d3:sdp65520:");
    g_autoptr(GString) too_long = g_string_new("c d3:sdp99999:");
    g_autofree char *x = g_strnfill(99999, 'x');
    int fd = dial(f);

    (void)data;
    g_string_append_len(longest, x, 65520);
    g_string_append_c(longest, 'e');
    put(fd, (Span){longest->str, longest->len});
    expect(f, fd, (Span){longest->str, longest->len});

    g_string_append_len(too_long, x, 70000);
    put(fd, (Span){too_long->str, too_long->len});
    CLIENT_UNTIL(f, at_end(fd));
    assert_logged("what it sends is no ng message");
    close(fd);
}

static void test_replies_in_order_of_completion(Fixture *f, const void *data)
{
    int fd = dial(f);

    (void)data;
    f->hold = true;
    put(fd, SPAN("1 " PING "2 " PING));
    RUN_UNTIL(&f->loop, f->peers->len == 2);
    control_peer_send(&g_array_index(f->peers, ControlPeer, 1), SPAN("2"), SPAN("de"));
    control_peer_send(&g_array_index(f->peers, ControlPeer, 0), SPAN("1"), SPAN("de"));
    expect(f, fd, SPAN("2 de1 de"));
    /* The client leaves without waiting for what else may come; that is no reason to keep it. */
    put(fd, SPAN("3 " PING));
    RUN_UNTIL(&f->loop, f->peers->len == 3);
    close(fd);
    control_peer_send(&g_array_index(f->peers, ControlPeer, 2), SPAN("3"), SPAN("de"));
    g_array_set_size(f->peers, 0);
    RUN_UNTIL(&f->loop, control_tcp_connections(f->t) == 0);
}

/* "echo ... | nc": the client's FIN comes before the reply. */
static void test_half_closed(Fixture *f, const void *data)
{
    int fd = dial(f);

    (void)data;
    f->hold = true;
    put(fd, SPAN("1 " PING));
    g_assert_cmpint(shutdown(fd, SHUT_WR), ==, 0);
    RUN_UNTIL(&f->loop, f->peers->len == 1);
    for (int i = 0; i < 5; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    g_assert_cmpuint(control_tcp_connections(f->t), ==, 1);
    control_peer_send(&g_array_index(f->peers, ControlPeer, 0), SPAN("1"), SPAN("de"));
    g_array_set_size(f->peers, 0);
    expect(f, fd, SPAN("1 de"));
    CLIENT_UNTIL(f, at_end(fd));
    RUN_UNTIL(&f->loop, control_tcp_connections(f->t) == 0);
    close(fd);
}

static void test_bad_streams(Fixture *f, const void *data)
{
    static const char *const bad[] = {
        "1 x",
        "1 {\"command\":\"ping\"}",
        " " PING,
        "GET / HTTP/1.0\r\n\r\n",
        "1 d7:command4:pingx",
        "1 d-1:e",
    };
    g_autofree char *cookie = g_strnfill(NG_MAX_COOKIE + 1, 'c');

    (void)data;
    for (size_t i = 0; i <= G_N_ELEMENTS(bad); i++) {
        int fd = dial(f), other = dial(f);
        g_string_truncate(test_log, 0);
        put(fd, span_str(i < G_N_ELEMENTS(bad) ? bad[i] : cookie));
        CLIENT_UNTIL(f, at_end(fd));
        assert_logged("Closing the ng connection from 127.0.0.1:");
        put(other, SPAN("1 " PING));
        expect(f, other, SPAN("1 " PING));
        close(fd);
        close(other);
        RUN_UNTIL(&f->loop, control_tcp_connections(f->t) == 0);
    }
}

static void test_ends_within_a_message(Fixture *f, const void *data)
{
    int fd = dial(f);

    (void)data;
    put(fd, SPAN("1 d7:comm"));
    close(fd);
    RUN_UNTIL(&f->loop, control_tcp_connections(f->t) == 0);
    g_assert_cmpuint(pending(f), ==, 0);
    assert_logged("it ended within a message");
}

/* A client that asks and never reads cannot make us keep more than a mebibyte for it. */
static void test_slow_reader(Fixture *f, const void *data)
{
    g_autofree char *big = g_strnfill(60000, 'x');
    int fd = dial(f);

    (void)data;
    f->hold = true;
    put(fd, SPAN("1 " PING));
    RUN_UNTIL(&f->loop, f->peers->len == 1);
    const ControlPeer *peer = &g_array_index(f->peers, ControlPeer, 0);
    for (int i = 0; i < 2000 && control_tcp_connections(f->t); i++) {
        control_peer_send(peer, SPAN("1"), (Span){big, 60000});
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    g_assert_cmpuint(control_tcp_connections(f->t), ==, 0);
    assert_logged("it does not read its replies");
    close(fd);
}

static void test_too_many_connections(Fixture *f, const void *data)
{
    int fds[CONTROL_TCP_MAX_CONNECTIONS];

    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        fds[i] = dial(f);
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(control_tcp_addr(f->t), &sa);
    int extra = socket(AF_INET, SOCK_STREAM, 0);
    g_assert_cmpint(connect(extra, (struct sockaddr *)&sa, len), ==, 0);
    CLIENT_UNTIL(f, at_end(extra));
    assert_logged("too many connections");
    put(fds[0], SPAN("1 " PING));
    expect(f, fds[0], SPAN("1 " PING));
    close(extra);
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        close(fds[i]);
    RUN_UNTIL(&f->loop, control_tcp_connections(f->t) == 0);
}

static void test_free_with_connections(Fixture *f, const void *data)
{
    int fd = dial(f), second = dial(f);

    (void)data;
    f->hold = true;
    put(fd, SPAN("1 " PING "2 d"));
    RUN_UNTIL(&f->loop, f->peers->len == 1);
    g_clear_pointer(&f->t, control_tcp_free);
    control_peer_send(&g_array_index(f->peers, ControlPeer, 0), SPAN("1"), SPAN("de"));
    CLIENT_UNTIL(f, at_end(fd) && at_end(second));
    close(fd);
    close(second);
}

static void test_errors(Fixture *f, const void *data)
{
    g_autoptr(GError) error = NULL;

    (void)data;
    g_assert_null(control_tcp_new(&f->loop, control_tcp_addr(f->t), false, on_message, f, &error));
    g_assert_error(error, CONTROL_ERROR, CONTROL_ERROR_SOCKET);
    g_assert_nonnull(strstr(error->message, "Cannot listen for ng by TCP at 127.0.0.1:"));
    g_assert_nonnull(strstr(error->message, "another process has it"));
}

/* An address that is not on this host now. */
static void test_freebind(gconstpointer text)
{
    Addr at = test_addr(text);
    uv_loop_t loop;
    g_autoptr(GError) error = NULL;

    uv_loop_init(&loop);
    g_assert_null(control_tcp_new(&loop, &at, false, on_message, NULL, &error));
    g_assert_error(error, CONTROL_ERROR, CONTROL_ERROR_SOCKET);
    g_clear_error(&error);
    ControlTcp *listener = control_tcp_new(&loop, &at, true, on_message, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(addr_ip_eq(control_tcp_addr(listener), &at));
    g_assert_cmpuint(control_tcp_addr(listener)->port, ==, at.port);
    control_tcp_free(listener);
    test_loop_end(&loop);
}

#define ADD(name, func) g_test_add("/control/tcp/" name, Fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    signal(SIGPIPE, SIG_IGN); /* as main() does */
    ADD("every-split", test_every_split);
    ADD("byte-by-byte", test_byte_by_byte);
    ADD("many-in-one-segment", test_many_in_one_segment);
    ADD("sizes", test_sizes);
    ADD("replies-in-order-of-completion", test_replies_in_order_of_completion);
    ADD("half-closed", test_half_closed);
    ADD("bad-streams", test_bad_streams);
    ADD("ends-within-a-message", test_ends_within_a_message);
    ADD("slow-reader", test_slow_reader);
    ADD("too-many-connections", test_too_many_connections);
    ADD("free-with-connections", test_free_with_connections);
    ADD("errors", test_errors);
    g_test_add_data_func("/control/tcp/freebind-ip4", "192.0.2.1:2223", test_freebind);
    g_test_add_data_func("/control/tcp/freebind-ip6", "[2001:db8::1]:2223", test_freebind);
    return g_test_run();
}
