/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/net-tcp.h"

#include <errno.h>
#include <poll.h>

static void wait_for(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    g_assert_cmpint(poll(&p, 1, 5000), ==, 1);
}

static Addr ip_of(const char *text)
{
    Addr a;

    g_assert_true(addr_parse_ip(span_str(text), &a));
    return a;
}

static void make_pair(const char *ip, int *ret_client, int *ret_server, int *ret_listener)
{
    Addr local = ip_of(ip);
    Addr at;
    Addr from;
    Addr peer;
    int listener = net_tcp_listen(&local, 4, false);

    g_assert_cmpint(listener, >=, 0);
    g_assert_cmpint(net_local_addr(listener, &at), ==, 0);
    g_assert_cmpint(net_tcp_accept(listener, &peer), ==, -EAGAIN);
    int client = net_tcp_connect(&local, &at);
    g_assert_cmpint(client, >=, 0);
    wait_for(client, POLLOUT);
    g_assert_cmpint(net_socket_error(client), ==, 0);
    wait_for(listener, POLLIN);
    int server = net_tcp_accept(listener, &peer);
    g_assert_cmpint(server, >=, 0);
    g_assert_cmpint(net_local_addr(client, &from), ==, 0);
    g_assert_true(addr_eq(&from, &peer));
    *ret_client = client;
    *ret_server = server;
    *ret_listener = listener;
}

static void test_exchange(gconstpointer ip)
{
    int client;
    int server;
    int listener;
    char data[64];

    make_pair(ip, &client, &server, &listener);
    g_assert_cmpint(net_tcp_recv(server, data, sizeof data), ==, -EAGAIN);
    g_assert_cmpint(net_tcp_send(client, SPAN("hello world")), ==, 11);
    wait_for(server, POLLIN);
    g_assert_cmpint(net_tcp_peek(server, data, 2), ==, 2);
    g_assert_cmpint(net_tcp_recv(server, data, sizeof data), ==, 11);
    g_assert_true(span_eq((Span){data, 11}, SPAN("hello world")));
    /* Half-close: FIN one way, bytes the other. */
    g_assert_cmpint(net_tcp_shutdown_write(client), ==, 0);
    wait_for(server, POLLIN);
    g_assert_cmpint(net_tcp_recv(server, data, sizeof data), ==, 0);
    g_assert_cmpint(net_tcp_send(server, SPAN("bye")), ==, 3);
    wait_for(client, POLLIN);
    g_assert_cmpint(net_tcp_recv(client, data, sizeof data), ==, 3);
    g_assert_cmpint(net_tcp_keepalive(server, 60, 10, 3), ==, 0);
    g_assert_cmpint(net_set_tos(server, ip_of(ip).family, 0xb8), ==, 0);
    /* Its own end is at the end of the stream as well. */
    g_assert_cmpint(net_tcp_recv(client, data, sizeof data), ==, -EAGAIN);
    g_assert_cmpint(net_tcp_shutdown(client), ==, 0);
    wait_for(client, POLLIN);
    g_assert_cmpint(net_tcp_recv(client, data, sizeof data), ==, 0);
    net_close(&client);
    g_assert_cmpint(client, ==, -1);
    net_close(&client);
    net_close(&server);
    net_close(&listener);
}

static void test_refused(void)
{
    Addr local = ip_of("127.0.0.1");
    Addr at;
    int listener = net_tcp_listen(&local, 1, false);

    g_assert_cmpint(net_local_addr(listener, &at), ==, 0);
    net_close(&listener);
    int fd = net_tcp_connect(NULL, &at);
    if (fd >= 0) {
        wait_for(fd, POLLOUT);
        g_assert_cmpint(net_socket_error(fd), ==, -ECONNREFUSED);
        net_close(&fd);
    } else {
        g_assert_cmpint(fd, ==, -ECONNREFUSED);
    }
    g_assert_cmpstr(net_error_text(-ECONNREFUSED), ==, g_strerror(ECONNREFUSED));
}

static void test_listen_errors(void)
{
    Addr local = ip_of("127.0.0.1");
    Addr at;
    Addr foreign = ip_of("192.0.2.1");
    int listener = net_tcp_listen(&local, 1, false);

    g_assert_cmpint(net_local_addr(listener, &at), ==, 0);
    g_assert_cmpint(net_tcp_listen(&at, 1, false), ==, -EADDRINUSE);
    g_assert_cmpint(net_tcp_listen(&foreign, 1, false), ==, -EADDRNOTAVAIL);
    g_assert_cmpint(net_tcp_connect(&foreign, &at), ==, -EADDRNOTAVAIL);
    net_close(&listener);
}

/* A virtual address may be on another host now. */
static void test_freebind(gconstpointer ip)
{
    Addr foreign = ip_of(ip);
    Addr at;

    g_assert_cmpint(net_tcp_listen(&foreign, 1, false), ==, -EADDRNOTAVAIL);
    int listener = net_tcp_listen(&foreign, 1, true);
    g_assert_cmpint(listener, >=, 0);
    g_assert_cmpint(net_local_addr(listener, &at), ==, 0);
    g_assert_true(addr_ip_eq(&at, &foreign));
    g_assert_cmpint(net_tcp_listen(&at, 1, true), ==, -EADDRINUSE);
    net_close(&listener);
}

/* A write to a connection that is gone is an error, not a signal. */
static void test_send_after_reset(void)
{
    int client;
    int server;
    int listener;
    ssize_t n;

    make_pair("127.0.0.1", &client, &server, &listener);
    net_close(&server);
    wait_for(client, POLLIN);
    do {
        n = net_tcp_send(client, SPAN("x"));
        wait_for(client, POLLIN);
    } while (n > 0);
    g_assert_true(n == -EPIPE || n == -ECONNRESET);
    net_close(&client);
    net_close(&listener);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/net/tcp/exchange-ip4", "127.0.0.1", test_exchange);
    g_test_add_data_func("/net/tcp/exchange-ip6", "::1", test_exchange);
    g_test_add_func("/net/tcp/refused", test_refused);
    g_test_add_func("/net/tcp/listen-errors", test_listen_errors);
    g_test_add_data_func("/net/tcp/freebind-ip4", "192.0.2.1", test_freebind);
    g_test_add_data_func("/net/tcp/freebind-ip6", "2001:db8::1", test_freebind);
    g_test_add_func("/net/tcp/send-after-reset", test_send_after_reset);
    return g_test_run();
}
