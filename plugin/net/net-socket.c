/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-net-tcp.c. */
#include "config.h"

#include "net/net-socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <unistd.h>

const char *net_error_text(int error)
{
    return g_strerror(error < 0 ? -error : error);
}

void net_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int net_local_addr(int fd, Addr *ret_addr)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;

    if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
        return -errno;
    return addr_from_sockaddr((struct sockaddr *)&sa, ret_addr) ? 0 : -EAFNOSUPPORT;
}

int net_socket_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return -errno;
    return -error;
}

int net_set_freebind(int fd, AddrFamily family)
{
    const int on = 1;
    int r = family == ADDR_IP6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on)
                               : setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);

    return r < 0 ? -errno : 0;
}

int net_set_tos(int fd, AddrFamily family, uint8_t tos)
{
    int value = tos;
    int r = family == ADDR_IP6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof value)
                               : setsockopt(fd, IPPROTO_IP, IP_TOS, &value, sizeof value);

    return r < 0 ? -errno : 0;
}
