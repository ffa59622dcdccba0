/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "net/net-udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/uio.h>

struct NetUdpBatch {
    struct mmsghdr msg[NET_UDP_BATCH];
    struct iovec iov[NET_UDP_BATCH];
    struct sockaddr_storage sa[NET_UDP_BATCH];
    NetDatagram datagram[NET_UDP_BATCH];
    char data[NET_UDP_BATCH][NET_UDP_DATAGRAM_MAX];
};

NetUdpBatch *net_udp_batch_new(void)
{
    NetUdpBatch *batch = g_new0(NetUdpBatch, 1);

    for (unsigned i = 0; i < NET_UDP_BATCH; i++) {
        batch->iov[i] = (struct iovec){batch->data[i], sizeof batch->data[i]};
        batch->msg[i].msg_hdr =
            (struct msghdr){.msg_name = &batch->sa[i], .msg_iov = &batch->iov[i], .msg_iovlen = 1};
    }
    return batch;
}

void net_udp_batch_free(NetUdpBatch *batch)
{
    if (batch)
        explicit_bzero(batch->data, sizeof batch->data); /* may have held plaintext */
    g_free(batch);
}

int net_udp_bind(const Addr *local, bool freebind)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(local, &sa);
    int family = local->family == ADDR_IP6 ? AF_INET6 : AF_INET;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    int error = 0;

    if (fd < 0)
        return -errno;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
        error = -errno;
    if (error == 0 && freebind)
        error = net_set_freebind(fd, local->family);
    if (error == 0 && bind(fd, (struct sockaddr *)&sa, len) < 0)
        error = -errno;
    if (error != 0) {
        net_close(&fd);
        return error;
    }
    return fd;
}

int net_udp_recv(int fd, NetUdpBatch *batch, const NetDatagram **ret_datagrams)
{
    int n;

    for (unsigned i = 0; i < NET_UDP_BATCH; i++)
        batch->msg[i].msg_hdr.msg_namelen = sizeof batch->sa[i];
    do
        n = recvmmsg(fd, batch->msg, NET_UDP_BATCH, MSG_DONTWAIT, NULL);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    for (int i = 0; i < n; i++) {
        NetDatagram *d = &batch->datagram[i];
        *d = (NetDatagram){.data = {batch->data[i], batch->msg[i].msg_len},
                           .cut = (batch->msg[i].msg_hdr.msg_flags & MSG_TRUNC) != 0};
        addr_from_sockaddr((struct sockaddr *)&batch->sa[i], &d->peer);
    }
    *ret_datagrams = batch->datagram;
    return n;
}

int net_udp_send(int fd, const NetDatagram *datagrams, unsigned n)
{
    struct mmsghdr msg[NET_UDP_BATCH];
    struct iovec iov[NET_UDP_BATCH];
    struct sockaddr_storage sa[NET_UDP_BATCH];
    unsigned done = 0;

    g_assert(n <= NET_UDP_BATCH);
    for (unsigned i = 0; i < n; i++) {
        iov[i] = (struct iovec){(void *)datagrams[i].data.p, datagrams[i].data.len};
        msg[i] = (struct mmsghdr){
            .msg_hdr = {.msg_name = &sa[i],
                        .msg_namelen = addr_to_sockaddr(&datagrams[i].peer, &sa[i]),
                        .msg_iov = &iov[i],
                        .msg_iovlen = 1}};
    }
    while (done < n) {
        int r = sendmmsg(fd, msg + done, n - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (r > 0)
            done += (unsigned)r;
        else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
            break;
        else if (errno != EINTR)
            done++; /* this one cannot be sent; the next may */
    }
    return (int)done;
}

struct NetUdpOut {
    unsigned n;
    NetDatagram datagram[NET_UDP_BATCH];
    char data[NET_UDP_BATCH][NET_UDP_DATAGRAM_MAX];
};

NetUdpOut *net_udp_out_new(void)
{
    return g_new0(NetUdpOut, 1);
}

void net_udp_out_free(NetUdpOut *out)
{
    if (out)
        explicit_bzero(out->data, sizeof out->data);
    g_free(out);
}

unsigned net_udp_out_flush(NetUdpOut *out, int fd)
{
    unsigned n = out->n;

    out->n = 0;
    return n == 0 ? 0 : n - (unsigned)net_udp_send(fd, out->datagram, n);
}

unsigned net_udp_out_discard(NetUdpOut *out)
{
    unsigned n = out->n;

    out->n = 0;
    return n;
}

unsigned net_udp_out_add(NetUdpOut *out, int fd, const Addr *peer, Span data)
{
    char *copy = out->data[out->n];

    if (data.len > NET_UDP_DATAGRAM_MAX)
        return 1;
    if (data.len > 0)
        memcpy(copy, data.p, data.len);
    out->datagram[out->n++] = (NetDatagram){.peer = *peer, .data = {copy, data.len}};
    return out->n == NET_UDP_BATCH ? net_udp_out_flush(out, fd) : 0;
}
