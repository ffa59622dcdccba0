/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "media/media-ports.h"
#include "net/net-tcp.h"
#include "net/net-udp.h"

#include <errno.h>
#include <sys/resource.h>

/* Below the ephemeral ports, on an address that no other test uses. */
#define FIRST 29100
#define LAST  29107

static Addr loopback(void)
{
    Addr a;

    g_assert_true(addr_parse_ip(SPAN("127.0.0.79"), &a));
    return a;
}

static void test_round_robin(void)
{
    g_autoptr(MediaPorts) pool = media_ports_new(FIRST, LAST, false);
    Addr ip = loopback();
    uint16_t last = 0;

    g_assert_cmpuint(media_ports_size(pool), ==, 8);
    for (unsigned i = 0; i < 20; i++) {
        g_autoptr(GError) error = NULL;
        MediaPort *port = media_port_reserve(pool, &ip, MEDIA_TCP, 0, &error);
        g_assert_no_error(error);
        uint16_t number = media_port_addr(port)->port;
        g_assert_cmpuint(number, >=, FIRST);
        g_assert_cmpuint(number, <=, LAST);
        g_assert_cmpuint(number, !=, last);
        last = number;
        media_port_release(port);
    }
    g_assert_cmpuint(media_ports_used(pool, NULL), ==, 0);
}

static void test_exhausted(void)
{
    g_autoptr(MediaPorts) pool = media_ports_new(FIRST, LAST, false);
    Addr ip = loopback();
    Addr other;
    MediaPort *port[8];
    g_autoptr(GError) error = NULL;

    g_assert_true(addr_parse_ip(SPAN("127.0.0.80"), &other));
    for (unsigned i = 0; i < 8; i++) {
        port[i] = media_port_reserve(pool, &ip, i % 2 ? MEDIA_TCP : MEDIA_UDP, 0, &error);
        g_assert_no_error(error);
    }
    g_assert_cmpuint(media_ports_used(pool, &ip), ==, 8);
    g_assert_null(media_port_reserve(pool, &ip, MEDIA_TCP, 0, &error));
    g_assert_error(error, MEDIA_PORTS_ERROR, MEDIA_PORTS_ERROR_EXHAUSTED);
    g_clear_error(&error);
    /* Another address has numbers of its own. */
    MediaPort *elsewhere = media_port_reserve(pool, &other, MEDIA_TCP, 0, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(media_ports_used(pool, NULL), ==, 9);
    g_assert_cmpuint(media_ports_used(pool, &other), ==, 1);
    media_port_release(elsewhere);
    media_port_release(port[3]);
    port[3] = media_port_reserve(pool, &ip, MEDIA_TCP, 0, &error);
    g_assert_no_error(error);
    for (unsigned i = 0; i < 8; i++)
        media_port_release(port[i]);
}

static void test_foreign_port_is_skipped(void)
{
    g_autoptr(MediaPorts) pool = media_ports_new(FIRST, FIRST + 1, false);
    Addr ip = loopback();
    Addr first = addr_with_port(ip, FIRST);
    g_autoptr(GError) error = NULL;
    int fd = net_tcp_listen(&first, 1, false);

    g_assert_cmpint(fd, >=, 0);
    MediaPort *port = media_port_reserve(pool, &ip, MEDIA_TCP, 0, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(media_port_addr(port)->port, ==, FIRST + 1);
    g_assert_null(media_port_reserve(pool, &ip, MEDIA_TCP, FIRST, &error));
    g_assert_error(error, MEDIA_PORTS_ERROR, MEDIA_PORTS_ERROR_EXHAUSTED);
    media_port_release(port);
    net_close(&fd);
}

static void test_exact(void)
{
    g_autoptr(MediaPorts) pool = media_ports_new(FIRST, LAST, false);
    Addr ip = loopback();
    g_autoptr(GError) error = NULL;
    MediaPort *port = media_port_reserve(pool, &ip, MEDIA_UDP, FIRST + 5, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(media_port_addr(port)->port, ==, FIRST + 5);
    /* The number is taken for TCP, too. */
    g_assert_null(media_port_reserve(pool, &ip, MEDIA_TCP, FIRST + 5, &error));
    g_assert_error(error, MEDIA_PORTS_ERROR, MEDIA_PORTS_ERROR_EXHAUSTED);
    media_port_release(port);
}

static void test_bad_address(void)
{
    g_autoptr(MediaPorts) pool = media_ports_new(FIRST, LAST, false);
    Addr ip;
    g_autoptr(GError) error = NULL;

    g_assert_true(addr_parse_ip(SPAN("192.0.2.7"), &ip));
    g_assert_null(media_port_reserve(pool, &ip, MEDIA_TCP, 0, &error));
    g_assert_error(error, MEDIA_PORTS_ERROR, MEDIA_PORTS_ERROR_ADDRESS);
    g_assert_nonnull(strstr(error->message, "192.0.2.7"));
}

/* Another shortage than that of ports, for another remedy. */
static void test_no_files(void)
{
    g_autoptr(MediaPorts) pool = media_ports_new(FIRST, LAST, false);
    Addr ip = loopback();
    g_autoptr(GError) error = NULL;
    struct rlimit before;

    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &none), ==, 0);
    MediaPort *port = media_port_reserve(pool, &ip, MEDIA_TCP, 0, &error);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
    g_assert_null(port);
    g_assert_error(error, MEDIA_PORTS_ERROR, MEDIA_PORTS_ERROR_FILES);
}

static void test_freebind(gconstpointer text)
{
    g_autoptr(MediaPorts) pool = media_ports_new(FIRST, LAST, true);
    Addr ip;
    g_autoptr(GError) error = NULL;

    g_assert_true(addr_parse_ip(span_str(text), &ip));
    MediaPort *tcp = media_port_reserve(pool, &ip, MEDIA_TCP, FIRST, &error);
    g_assert_no_error(error);
    MediaPort *udp = media_port_reserve(pool, &ip, MEDIA_UDP, FIRST + 1, &error);
    g_assert_no_error(error);
    media_port_release(tcp);
    media_port_release(udp);
    /* who does not have the address promises no new port of it */
    g_assert_null(media_port_reserve(pool, &ip, MEDIA_TCP, 0, &error));
    g_assert_error(error, MEDIA_PORTS_ERROR, MEDIA_PORTS_ERROR_ADDRESS);
}

/* A reserved TCP port answers a SYN at once: the peer may come before the worker has it (COM-03).
 */
static void test_reserved_listens(void)
{
    g_autoptr(MediaPorts) pool = media_ports_new(FIRST, LAST, false);
    Addr ip = loopback();
    Addr peer;
    g_autoptr(GError) error = NULL;
    MediaPort *port = media_port_reserve(pool, &ip, MEDIA_TCP, 0, &error);

    g_assert_no_error(error);
    int client = net_tcp_connect(&ip, media_port_addr(port));
    g_assert_cmpint(client, >=, 0);
    int listener = media_port_take_socket(port);
    g_assert_cmpint(media_port_take_socket(port), ==, -1);
    int server = net_tcp_accept(listener, &peer);
    g_assert_cmpint(server, >=, 0);
    media_port_release(port); /* gives the number back, leaves the socket alone */
    g_assert_cmpuint(media_ports_used(pool, NULL), ==, 0);
    g_assert_cmpint(net_tcp_accept(listener, &peer), ==, -EAGAIN);
    net_close(&server);
    net_close(&client);
    net_close(&listener);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/ports/round-robin", test_round_robin);
    g_test_add_func("/media/ports/exhausted", test_exhausted);
    g_test_add_func("/media/ports/foreign-port-is-skipped", test_foreign_port_is_skipped);
    g_test_add_func("/media/ports/exact", test_exact);
    g_test_add_func("/media/ports/bad-address", test_bad_address);
    g_test_add_func("/media/ports/no-files", test_no_files);
    g_test_add_func("/media/ports/COM-03/reserved-listens", test_reserved_listens);
    g_test_add_data_func("/media/ports/freebind-ip4", "192.0.2.7", test_freebind);
    g_test_add_data_func("/media/ports/freebind-ip6", "2001:db8::7", test_freebind);
    return g_test_run();
}
