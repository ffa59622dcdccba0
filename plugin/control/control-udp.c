/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-socket.h"
#include "control/control-udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

struct ControlUdp {
    ControlChannel channel;
    uv_poll_t poll;
    int fd; /* -1 once closed */
    Addr addr;
    ControlMessageCb cb;
    void *user_data;
    char datagram[CONTROL_DATAGRAM_MAX];
};

/* Room for one in_pktinfo or in6_pktinfo, aligned as control messages are. */
typedef union ControlData {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
} ControlData;

static void local_from_cmsg(struct msghdr *msg, ControlPeer *peer)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            peer->local.family = ADDR_IP4;
            memcpy(peer->local.ip, &info.ipi_spec_dst, 4);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            peer->local.family = ADDR_IP6;
            memcpy(peer->local.ip, &info.ipi6_addr, 16);
            if (peer->remote.ip[0] == 0xfe && (peer->remote.ip[1] & 0xc0) == 0x80) /* fe80::/10 */
                peer->scope = info.ipi6_ifindex;
        }
    }
}

static void local_to_cmsg(const ControlPeer *peer, ControlData *data, struct msghdr *msg)
{
    bool ip6 = peer->local.family == ADDR_IP6;
    size_t len = ip6 ? sizeof(struct in6_pktinfo) : sizeof(struct in_pktinfo);

    if (peer->local.family == ADDR_NONE)
        return;
    *data = (ControlData){0};
    msg->msg_control = data;
    msg->msg_controllen = CMSG_SPACE(len);
    struct cmsghdr *c = CMSG_FIRSTHDR(msg);
    c->cmsg_level = ip6 ? IPPROTO_IPV6 : IPPROTO_IP;
    c->cmsg_type = ip6 ? IPV6_PKTINFO : IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(len);
    if (ip6) {
        struct in6_pktinfo info = {.ipi6_ifindex = peer->scope};
        memcpy(&info.ipi6_addr, peer->local.ip, 16);
        memcpy(CMSG_DATA(c), &info, sizeof info);
    } else {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, peer->local.ip, 4);
        memcpy(CMSG_DATA(c), &info, sizeof info);
    }
}

static void udp_send(ControlChannel *channel, const ControlPeer *to, Span cookie, Span body)
{
    ControlUdp *u = (ControlUdp *)channel;
    struct sockaddr_storage sa;
    ControlData data;
    struct iovec parts[] = {{(void *)cookie.p, cookie.len}, {" ", 1}, {(void *)body.p, body.len}};
    struct msghdr msg = {.msg_name = &sa, .msg_iov = parts, .msg_iovlen = G_N_ELEMENTS(parts)};

    if (u->fd < 0)
        return;
    msg.msg_namelen = addr_to_sockaddr(&to->remote, &sa);
    if (to->scope)
        ((struct sockaddr_in6 *)&sa)->sin6_scope_id = to->scope;
    local_to_cmsg(to, &data, &msg);
    if (sendmsg(u->fd, &msg, MSG_NOSIGNAL) >= 0)
        return;
    char text[ADDR_TEXT_MAX];
    g_warning("Cannot send a reply of %zu bytes to %s: %s", body.len, addr_text(&to->remote, text),
              g_strerror(errno));
}

/* False when there is nothing more to read now. */
static bool receive(ControlUdp *u)
{
    struct sockaddr_storage sa;
    ControlData data;
    struct iovec part = {u->datagram, sizeof u->datagram};
    struct msghdr msg = {.msg_name = &sa,
                         .msg_namelen = sizeof sa,
                         .msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = &data,
                         .msg_controllen = sizeof data};
    ControlPeer from = {.channel = &u->channel};

    ssize_t n = recvmsg(u->fd, &msg, 0);
    if (n < 0)
        return errno != EAGAIN;
    if (!addr_from_sockaddr((struct sockaddr *)&sa, &from.remote))
        return true;
    local_from_cmsg(&msg, &from);
    from.local.port = u->addr.port;
    u->cb(&from, (Span){u->datagram, (size_t)n}, u->user_data);
    return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    ControlUdp *u = poll->data;

    (void)events;
    if (status < 0) /* libuv stops at POLLERR; reading clears the error */
        uv_poll_start(poll, UV_READABLE, on_readable);
    for (int i = 0; i < CONTROL_DATAGRAMS_PER_EVENT; i++)
        if (!receive(u))
            return;
}

static void udp_released(ControlChannel *channel)
{
    if (channel->refs == 0)
        g_free(channel);
}

static void on_closed(uv_handle_t *handle)
{
    ControlUdp *u = handle->data;

    control_channel_unref(&u->channel);
}

static int start_polling(ControlUdp *u, uv_loop_t *loop)
{
    int err = uv_poll_init(loop, &u->poll, u->fd);

    if (err)
        return err;
    u->poll.data = u;
    uv_poll_start(&u->poll, UV_READABLE, on_readable);
    return 0;
}

ControlUdp *control_udp_new(uv_loop_t *loop, const Addr *addr, bool freebind, ControlMessageCb cb,
                            void *user_data, GError **error)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    int fd = control_socket_bind(addr, freebind, error);

    if (fd < 0)
        return NULL;
    ControlUdp *u = g_new0(ControlUdp, 1);
    u->channel = (ControlChannel){CONTROL_UDP, 1, udp_send, udp_released};
    u->fd = fd;
    u->cb = cb;
    u->user_data = user_data;
    u->addr = *addr;
    if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0)
        addr_from_sockaddr((struct sockaddr *)&sa, &u->addr);
    int err = start_polling(u, loop);
    if (err) {
        control_socket_error(error, "watch", addr, -err);
        close(fd);
        g_free(u);
        return NULL;
    }
    return u;
}

void control_udp_free(ControlUdp *u)
{
    if (!u)
        return;
    uv_poll_stop(&u->poll);
    uv_close((uv_handle_t *)&u->poll, on_closed);
    close(u->fd);
    u->fd = -1;
}

const Addr *control_udp_addr(const ControlUdp *u)
{
    return &u->addr;
}
