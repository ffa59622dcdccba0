/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/net-udp.h"

#include <errno.h>
#include <poll.h>

static void wait_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    g_assert_cmpint(poll(&p, 1, 5000), ==, 1);
}

static int bound(const char *ip, Addr *ret_addr)
{
    Addr local;

    g_assert_true(addr_parse_ip(span_str(ip), &local));
    int fd = net_udp_bind(&local, false);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(net_local_addr(fd, ret_addr), ==, 0);
    return fd;
}

/* 40 datagrams of growing length: two batches, nothing merged, nothing out of order. */
static void test_batch(gconstpointer ip)
{
    g_autoptr(NetUdpBatch) batch = net_udp_batch_new();
    char payload[NET_UDP_DATAGRAM_MAX + 1];
    Addr to;
    Addr from;
    int rx = bound(ip, &to);
    int tx = bound(ip, &from);
    const NetDatagram *got;
    unsigned seen = 0;

    memset(payload, 'x', sizeof payload);
    g_assert_cmpint(net_udp_recv(rx, batch, &got), ==, -EAGAIN);
    for (unsigned half = 0; half < 2; half++) {
        NetDatagram out[20];
        for (unsigned i = 0; i < 20; i++)
            out[i] = (NetDatagram){.peer = to, .data = {payload, half * 20 + i}};
        g_assert_cmpint(net_udp_send(tx, out, 20), ==, 20);
    }
    while (seen < 40) {
        wait_readable(rx);
        int n = net_udp_recv(rx, batch, &got);
        g_assert_cmpint(n, >, 0);
        for (int i = 0; i < n; i++) {
            g_assert_cmpuint(got[i].data.len, ==, seen++);
            g_assert_true(addr_eq(&got[i].peer, &from));
            g_assert_false(got[i].cut);
        }
    }
    NetDatagram longer = {.peer = to, .data = {payload, sizeof payload}};
    g_assert_cmpint(net_udp_send(tx, &longer, 1), ==, 1);
    wait_readable(rx);
    g_assert_cmpint(net_udp_recv(rx, batch, &got), ==, 1);
    g_assert_true(got[0].cut);
    net_close(&rx);
    net_close(&tx);
}

/* A datagram that cannot go does not keep the ones behind it. */
static void test_bad_destination(void)
{
    g_autoptr(NetUdpBatch) batch = net_udp_batch_new();
    Addr to;
    Addr from;
    Addr nowhere;
    int rx = bound("127.0.0.1", &to);
    int tx = bound("127.0.0.1", &from);
    const NetDatagram *got;

    g_assert_true(addr_parse(SPAN("[2001:db8::1]:9"), &nowhere));
    NetDatagram out[2] = {{.peer = nowhere, .data = SPAN("lost")},
                          {.peer = to, .data = SPAN("kept")}};
    g_assert_cmpint(net_udp_send(tx, out, 2), ==, 2);
    wait_readable(rx);
    g_assert_cmpint(net_udp_recv(rx, batch, &got), ==, 1);
    g_assert_true(span_eq(got[0].data, SPAN("kept")));
    net_close(&rx);
    net_close(&tx);
}

static void test_bind_errors(void)
{
    Addr taken;
    int fd = bound("127.0.0.1", &taken);

    g_assert_cmpint(net_udp_bind(&taken, false), ==, -EADDRINUSE);
    net_close(&fd);
}

/* A virtual address may be on another host now. */
static void test_freebind(gconstpointer ip)
{
    Addr foreign;
    Addr at;

    g_assert_true(addr_parse_ip(span_str(ip), &foreign));
    g_assert_cmpint(net_udp_bind(&foreign, false), ==, -EADDRNOTAVAIL);
    int fd = net_udp_bind(&foreign, true);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(net_local_addr(fd, &at), ==, 0);
    g_assert_true(addr_ip_eq(&at, &foreign));
    g_assert_cmpint(net_udp_bind(&at, true), ==, -EADDRINUSE);
    net_close(&fd);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/net/udp/DTL-10/batch-ip4", "127.0.0.1", test_batch);
    g_test_add_data_func("/net/udp/DTL-10/batch-ip6", "::1", test_batch);
    g_test_add_func("/net/udp/bad-destination", test_bad_destination);
    g_test_add_func("/net/udp/bind-errors", test_bind_errors);
    g_test_add_data_func("/net/udp/freebind-ip4", "192.0.2.1", test_freebind);
    g_test_add_data_func("/net/udp/freebind-ip6", "2001:db8::1", test_freebind);
    return g_test_run();
}
