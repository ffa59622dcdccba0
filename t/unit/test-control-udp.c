/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control-test.h"
#include "control/control-error.h"
#include "control/control-udp.h"

/* Answers "A B" with cookie A and body B, and keeps the last peer. */
typedef struct Echo {
    unsigned n;
    ControlPeer last;
} Echo;

static void echo(const ControlPeer *from, Span message, void *user_data)
{
    Echo *e = user_data;

    e->n++;
    control_peer_clear(&e->last);
    e->last = control_peer_ref(from);
    Span cookie = message.len ? span_cut(&message, ' ') : message;
    control_peer_send(from, cookie, message);
}

/* A connected client only takes a reply from the address that it asked. */
static void answer_from(const char *wildcard, const char *asked, const char *client)
{
    uv_loop_t loop;
    Echo e = {0};
    Addr at = test_any_port(wildcard);
    g_autoptr(GError) error = NULL;

    uv_loop_init(&loop);
    ControlUdp *u = control_udp_new(&loop, &at, false, echo, &e, &error);
    g_assert_no_error(error);
    TestSocket *s = test_socket_new(&loop, test_any_port(client));
    Addr to = addr_with_port(test_any_port(asked), control_udp_addr(u)->port);
    test_socket_connect(s, to);
    test_socket_send(s, &to, SPAN("c body"));
    RUN_UNTIL(&loop, s->got->len == 1);
    assert_span(test_socket_got(s, 0), "c body");
    g_assert_true(addr_eq(&s->from, &to));
    g_assert_true(addr_eq(&e.last.local, &to));
    control_peer_clear(&e.last);
    control_udp_free(u);
    test_socket_free(&loop, s);
    test_loop_end(&loop);
}

static void test_answers_from_address_asked(void)
{
    answer_from("0.0.0.0", "127.0.0.2", "127.0.0.1");
    answer_from("0.0.0.0", "127.0.0.3", "127.0.0.2");
    answer_from("127.0.0.4", "127.0.0.4", "127.0.0.1");
    answer_from("::", "::1", "::1");
}

static void test_sizes(void)
{
    static const size_t sizes[] = {0, 1, 1472, 65507};
    uv_loop_t loop;
    Echo e = {0};
    Addr at = test_any_port("127.0.0.1");
    g_autofree char *big = g_strnfill(65507, 'x');

    big[1] = ' ';
    uv_loop_init(&loop);
    ControlUdp *u = control_udp_new(&loop, &at, false, echo, &e, NULL);
    TestSocket *s = test_socket_new(&loop, at);
    for (guint i = 0; i < G_N_ELEMENTS(sizes); i++) {
        test_socket_send(s, control_udp_addr(u), (Span){big, sizes[i]});
        RUN_UNTIL(&loop, e.n == i + 1);
    }
    RUN_UNTIL(&loop, s->got->len == 4);
    g_assert_true(span_eq(test_socket_got(s, 3), (Span){big, 65507}));

    /* Longer than any datagram: not sent, said in the log, and no harm done. */
    g_string_truncate(test_log, 0);
    control_peer_send(&e.last, SPAN("cc"), (Span){big, 65507});
    assert_logged("Cannot send a reply of 65507 bytes");
    control_peer_send(&e.last, SPAN("d"), SPAN("after"));
    RUN_UNTIL(&loop, s->got->len == 5);
    assert_span(test_socket_got(s, 4), "d after");
    control_peer_clear(&e.last);
    control_udp_free(u);
    test_socket_free(&loop, s);
    test_loop_end(&loop);
}

static void test_peer_outlives_listener(void)
{
    uv_loop_t loop;
    Echo e = {0};
    Addr at = test_any_port("127.0.0.1");

    uv_loop_init(&loop);
    ControlUdp *u = control_udp_new(&loop, &at, false, echo, &e, NULL);
    TestSocket *s = test_socket_new(&loop, at);
    test_socket_send(s, control_udp_addr(u), SPAN("a b"));
    RUN_UNTIL(&loop, s->got->len == 1);
    control_udp_free(u);
    control_peer_send(&e.last, SPAN("a"), SPAN("late"));
    test_socket_free(&loop, s);
    test_loop_end(&loop);
    control_peer_send(&e.last, SPAN("a"), SPAN("later"));
    control_peer_clear(&e.last);
}

static void test_errors(void)
{
    uv_loop_t loop;
    Addr at = test_any_port("127.0.0.1"), elsewhere = test_addr("192.0.2.1:2223");
    g_autoptr(GError) error = NULL;

    uv_loop_init(&loop);
    ControlUdp *u = control_udp_new(&loop, &at, false, echo, NULL, NULL);
    g_assert_null(control_udp_new(&loop, control_udp_addr(u), false, echo, NULL, &error));
    g_assert_error(error, CONTROL_ERROR, CONTROL_ERROR_SOCKET);
    g_assert_nonnull(strstr(error->message, "Cannot listen for ng by UDP at 127.0.0.1:"));
    g_assert_nonnull(strstr(error->message, "another process has it"));
    g_clear_error(&error);
    g_assert_null(control_udp_new(&loop, &elsewhere, false, echo, NULL, &error));
    g_assert_nonnull(strstr(error->message, "192.0.2.1:2223"));
    g_assert_nonnull(strstr(error->message, "no interface of this host has that address"));
    control_udp_free(u);
    test_loop_end(&loop);
}

/* An address that is not on this host now. */
static void test_freebind(gconstpointer text)
{
    Addr at = test_addr(text);
    uv_loop_t loop;
    g_autoptr(GError) error = NULL;

    uv_loop_init(&loop);
    g_assert_null(control_udp_new(&loop, &at, false, echo, NULL, &error));
    g_assert_error(error, CONTROL_ERROR, CONTROL_ERROR_SOCKET);
    g_clear_error(&error);
    ControlUdp *listener = control_udp_new(&loop, &at, true, echo, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(addr_ip_eq(control_udp_addr(listener), &at));
    g_assert_cmpuint(control_udp_addr(listener)->port, ==, at.port);
    control_udp_free(listener);
    test_loop_end(&loop);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    g_test_add_func("/control/udp/answers-from-address-asked", test_answers_from_address_asked);
    g_test_add_func("/control/udp/sizes", test_sizes);
    g_test_add_func("/control/udp/peer-outlives-listener", test_peer_outlives_listener);
    g_test_add_func("/control/udp/errors", test_errors);
    g_test_add_data_func("/control/udp/freebind-ip4", "192.0.2.1:2223", test_freebind);
    g_test_add_data_func("/control/udp/freebind-ip6", "[2001:db8::1]:2223", test_freebind);
    return g_test_run();
}
