/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "net/net-tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static int new_socket(AddrFamily family)
{
    int fd = socket(family == ADDR_IP6 ? AF_INET6 : AF_INET,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0)
        return -errno;
    /* "::" must not take the IPv4 port with it: the pool counts the families apart. */
    if (family == ADDR_IP6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) {
        int error = -errno;
        net_close(&fd);
        return error;
    }
    return fd;
}

/* Small messages must leave at once: MSRP and BFCP are request and answer. */
static void set_nodelay(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int bind_to(int fd, const Addr *local)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(local, &sa);

    return bind(fd, (struct sockaddr *)&sa, len) < 0 ? -errno : 0;
}

int net_tcp_listen(const Addr *local, int backlog, bool freebind)
{
    int on = 1;
    int fd = new_socket(local->family);
    int error;

    if (fd < 0)
        return fd;
    /* A port must be usable again while its last connections are in TIME_WAIT. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        error = -errno;
    else
        error = freebind ? net_set_freebind(fd, local->family) : 0;
    if (error == 0)
        error = bind_to(fd, local);
    if (error == 0 && listen(fd, backlog) < 0)
        error = -errno;
    if (error != 0) {
        net_close(&fd);
        return error;
    }
    return fd;
}

int net_tcp_connect(const Addr *local, const Addr *remote)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(remote, &sa);
    int on = 1;
    int error = 0;
    int fd = new_socket(remote->family);

    if (fd < 0)
        return fd;
    set_nodelay(fd);
    if (local && local->family != ADDR_NONE) {
        Addr from = addr_with_port(*local, 0);
        /* The port is chosen at connect(): the range is shared by all remote addresses then. */
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        error = bind_to(fd, &from);
    }
    if (error == 0 && connect(fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)
        error = -errno;
    if (error != 0) {
        net_close(&fd);
        return error;
    }
    return fd;
}

int net_tcp_accept(int listener, Addr *ret_peer)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    int fd;

    do {
        fd = accept4(listener, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        /* ECONNABORTED: that one left while it waited; the next may be there. */
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    if (!addr_from_sockaddr((struct sockaddr *)&sa, ret_peer)) {
        net_close(&fd);
        return -EAFNOSUPPORT;
    }
    set_nodelay(fd);
    return fd;
}

static ssize_t receive(int fd, void *data, size_t size, int flags)
{
    ssize_t n;

    do
        n = recv(fd, data, size, flags);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    return n;
}

ssize_t net_tcp_recv(int fd, void *data, size_t size)
{
    return receive(fd, data, size, 0);
}

ssize_t net_tcp_peek(int fd, void *data, size_t size)
{
    return receive(fd, data, size, MSG_PEEK);
}

ssize_t net_tcp_send(int fd, Span data)
{
    ssize_t n;

    do
        n = send(fd, data.p, data.len, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    return n;
}

int net_tcp_shutdown_write(int fd)
{
    return shutdown(fd, SHUT_WR) < 0 ? -errno : 0;
}

int net_tcp_shutdown(int fd)
{
    return shutdown(fd, SHUT_RDWR) < 0 ? -errno : 0;
}

int net_tcp_keepalive(int fd, int idle_s, int interval_s, int probes)
{
    int on = 1;
    int unacked_ms = (idle_s + interval_s * probes) * 1000;

    if (setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms, sizeof unacked_ms) < 0)
        return -errno;
    return 0;
}
