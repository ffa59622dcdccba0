/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-control-udp.c */
#include "config.h"

#include "control/control-error.h"
#include "control/control-socket.h"
#include "net/net-socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

/* Bursts wait here while the control thread is busy. The kernel grants what net.core.*mem_max
 * allows. */
#define SOCKET_BUFFER (4 * 1024 * 1024)

void control_socket_error(GError **error, const char *what, const Addr *addr, int err)
{
    char text[ADDR_TEXT_MAX];
    const char *way_out = "";

    if (err == EADDRINUSE)
        way_out = " (another process has it: stop that one or choose another port)";
    else if (err == EADDRNOTAVAIL)
        way_out = " (no interface of this host has that address)";
    else if (err == EACCES)
        way_out = " (ports below 1024 need CAP_NET_BIND_SERVICE)";
    else if (err == EMFILE || err == ENFILE)
        way_out = " (raise the limit on open files)";
    g_set_error(error, CONTROL_ERROR,
                err == EAFNOSUPPORT || (err == EADDRNOTAVAIL && addr_is_any(addr))
                    ? CONTROL_ERROR_NO_FAMILY
                    : CONTROL_ERROR_SOCKET,
                "Cannot %s %s: %s%s", what, addr_text(addr, text), g_strerror(err), way_out);
}

static int open_socket(const Addr *addr)
{
    const int size = SOCKET_BUFFER;
    int fd = socket(addr->family == ADDR_IP6 ? AF_INET6 : AF_INET,
                    SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    /* Smaller buffers only mean that bursts are repeated. */
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return fd;
}

static bool ask_for_pktinfo(int fd, const Addr *addr)
{
    const int on = 1;

    if (addr->family == ADDR_IP4)
        return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) == 0;
    /* IPv4 has a listener of its own. */
    return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0 &&
           setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) == 0;
}

int control_socket_bind(const Addr *addr, bool freebind, GError **error)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(addr, &sa);
    int fd = open_socket(addr);

    if (fd >= 0 && (!freebind || net_set_freebind(fd, addr->family) == 0) &&
        ask_for_pktinfo(fd, addr) && bind(fd, (struct sockaddr *)&sa, len) == 0)
        return fd;
    control_socket_error(error, "listen for ng by UDP at", addr, errno);
    if (fd >= 0)
        close(fd);
    return -1;
}

int control_socket_connect(const Addr *addr, GError **error)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(addr, &sa);
    int fd = open_socket(addr);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, len) == 0)
        return fd;
    control_socket_error(error, "reach the ng server by UDP at", addr, errno);
    if (fd >= 0)
        close(fd);
    return -1;
}
