/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-tcp.h"

#include "base/buf.h"
#include "control/control-socket.h"
#include "net/net-socket.h"
#include "ng-protocol/ng-message.h"

#include <errno.h>
#include <netinet/in.h>

#define BACKLOG       128
#define READ_CHUNK    16384
#define LONGEST_INPUT (NG_MAX_COOKIE + 1 + NG_MAX_DATAGRAM)

struct ControlTcp {
    uv_tcp_t handle;
    Addr addr;
    GHashTable *connections; /* set of Connection */
    ControlMessageCb cb;
    void *user_data;
};

typedef struct Connection {
    ControlChannel channel;
    uv_tcp_t handle;
    uv_shutdown_t shutdown;
    ControlTcp *listener; /* NULL once closing */
    Addr remote;
    Addr local;
    Buf in;
    NgStreamScan scan;
    bool ended; /* the client sent FIN: close when nothing is due any more */
} Connection;

typedef struct Write {
    uv_write_t req;
    char bytes[];
} Write;

static void on_connection_closed(uv_handle_t *handle)
{
    Connection *c = handle->data;

    control_channel_unref(&c->channel);
}

static void close_connection(Connection *c)
{
    if (!c->listener)
        return;
    g_hash_table_remove(c->listener->connections, c);
    c->listener = NULL;
    uv_close((uv_handle_t *)&c->handle, on_connection_closed);
}

static void close_because(Connection *c, const char *why)
{
    char text[ADDR_TEXT_MAX];

    g_warning("Closing the ng connection from %s: %s", addr_text(&c->remote, text), why);
    close_connection(c);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
    (void)status;
    close_connection(req->data);
}

/* The client has said all it will; so have we, when the connection itself holds the only reference.
 */
static void close_if_done(Connection *c)
{
    if (!c->ended || c->channel.refs != 1 || !c->listener || c->shutdown.data)
        return;
    c->shutdown.data = c;
    if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->handle, on_shutdown) < 0)
        close_connection(c);
}

static void tcp_released(ControlChannel *channel)
{
    Connection *c = (Connection *)channel;

    if (channel->refs > 0) {
        close_if_done(c);
        return;
    }
    buf_clear(&c->in);
    g_free(c);
}

static void on_written(uv_write_t *req, int status)
{
    Connection *c = req->data;

    g_free(req); /* first member of Write */
    if (status < 0 && status != UV_ECANCELED)
        close_connection(c);
}

static void tcp_send(ControlChannel *channel, const ControlPeer *to, Span cookie, Span body)
{
    Connection *c = (Connection *)channel;
    size_t len = cookie.len + 1 + body.len;

    (void)to;
    if (!c->listener)
        return;
    if (uv_stream_get_write_queue_size((uv_stream_t *)&c->handle) + len > CONTROL_TCP_MAX_UNSENT) {
        close_because(c, "it does not read its replies");
        return;
    }
    Write *w = g_malloc(sizeof *w + len);
    w->req.data = c;
    memcpy(w->bytes, cookie.p, cookie.len);
    w->bytes[cookie.len] = ' ';
    if (body.len)
        memcpy(w->bytes + cookie.len + 1, body.p, body.len);
    uv_buf_t buf = uv_buf_init(w->bytes, (unsigned)len);
    if (uv_write(&w->req, (uv_stream_t *)&c->handle, &buf, 1, on_written) < 0) {
        g_free(w);
        close_connection(c);
    }
}

/* Hands over every whole message in the buffer. False when the stream cannot be followed any
 * further. */
static bool take_messages(Connection *c, const ControlPeer *from)
{
    size_t len;

    while (buf_len(&c->in) > 0 && c->listener) {
        switch (ng_stream_scan(&c->scan, buf_span(&c->in), &len)) {
        case NG_SCAN_MORE:
            return buf_room(&c->in) > 0;
        case NG_SCAN_BAD:
            return false;
        case NG_SCAN_DONE:
            c->listener->cb(from, span_head(buf_span(&c->in), len), c->listener->user_data);
            buf_consume(&c->in, len);
        }
    }
    buf_release_idle(&c->in);
    return true;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    Connection *c = handle->data;
    size_t n = MIN(buf_room(&c->in), READ_CHUNK);

    (void)suggested;
    *buf = uv_buf_init(buf_reserve(&c->in, n), (unsigned)n);
}

static void on_end(Connection *c)
{
    if (buf_len(&c->in) > 0) {
        close_because(c, "it ended within a message");
        return;
    }
    c->ended = true;
    uv_read_stop((uv_stream_t *)&c->handle);
    close_if_done(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    Connection *c = stream->data;
    ControlPeer from = {.channel = &c->channel, .remote = c->remote, .local = c->local};

    (void)buf;
    if (n == UV_EOF) {
        on_end(c);
    } else if (n < 0) {
        close_connection(c);
    } else if (n > 0) {
        ControlPeer held = control_peer_ref(&from); /* the callback may end the connection */
        buf_commit(&c->in, (size_t)n);
        if (!take_messages(c, &from))
            close_because(c, "what it sends is no ng message: a cookie, a blank and a bencode "
                             "dictionary, of at most 64 KiB");
        control_peer_clear(&held);
    }
}

static bool name_ends(Connection *c)
{
    struct sockaddr_storage sa;
    int len = sizeof sa;

    if (uv_tcp_getpeername(&c->handle, (struct sockaddr *)&sa, &len) < 0 ||
        !addr_from_sockaddr((struct sockaddr *)&sa, &c->remote))
        return false;
    len = sizeof sa;
    return uv_tcp_getsockname(&c->handle, (struct sockaddr *)&sa, &len) == 0 &&
           addr_from_sockaddr((struct sockaddr *)&sa, &c->local);
}

static void on_connection(uv_stream_t *server, int status)
{
    ControlTcp *t = server->data;

    if (status < 0) {
        g_warning("Cannot accept an ng connection: %s", uv_strerror(status));
        return;
    }
    Connection *c = g_new0(Connection, 1);
    c->channel = (ControlChannel){CONTROL_TCP, 1, tcp_send, tcp_released};
    c->listener = t;
    buf_init(&c->in, LONGEST_INPUT);
    uv_tcp_init(server->loop, &c->handle);
    c->handle.data = c;
    g_hash_table_add(t->connections, c);
    if (uv_accept(server, (uv_stream_t *)&c->handle) < 0 || !name_ends(c)) {
        close_connection(c); /* gone already */
        return;
    }
    if (g_hash_table_size(t->connections) > CONTROL_TCP_MAX_CONNECTIONS) {
        close_because(c, "too many connections");
        return;
    }
    uv_tcp_nodelay(&c->handle, 1);
    uv_tcp_keepalive(&c->handle, 1, 60); /* so that a client that vanished is noticed in the end */
    uv_read_start((uv_stream_t *)&c->handle, on_alloc, on_read);
}

/* Gives the handle its socket before libuv would make one. */
static int open_freebind(ControlTcp *t, AddrFamily family)
{
    int fd = socket(family == ADDR_IP6 ? AF_INET6 : AF_INET,
                    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int err = fd < 0 ? -errno : net_set_freebind(fd, family);

    if (err == 0)
        err = uv_tcp_open(&t->handle, fd);
    if (err != 0)
        net_close(&fd);
    return err;
}

static int start_listening(ControlTcp *t, const Addr *addr, bool freebind)
{
    struct sockaddr_storage sa;
    int len = sizeof sa;

    addr_to_sockaddr(addr, &sa);
    /* IPv4 has a listener of its own. */
    unsigned flags = addr->family == ADDR_IP6 ? UV_TCP_IPV6ONLY : 0;
    int err = freebind ? open_freebind(t, addr->family) : 0;
    if (err == 0)
        err = uv_tcp_bind(&t->handle, (struct sockaddr *)&sa, flags);
    if (err == 0)
        err = uv_listen((uv_stream_t *)&t->handle, BACKLOG, on_connection);
    if (err == 0)
        err = uv_tcp_getsockname(&t->handle, (struct sockaddr *)&sa, &len);
    if (err == 0)
        addr_from_sockaddr((struct sockaddr *)&sa, &t->addr);
    return err;
}

ControlTcp *control_tcp_new(uv_loop_t *loop, const Addr *addr, bool freebind, ControlMessageCb cb,
                            void *user_data, GError **error)
{
    ControlTcp *t = g_new0(ControlTcp, 1);

    t->addr = *addr;
    t->connections = g_hash_table_new(NULL, NULL);
    t->cb = cb;
    t->user_data = user_data;
    uv_tcp_init(loop, &t->handle);
    t->handle.data = t;
    int err = start_listening(t, addr, freebind);
    if (err) {
        control_socket_error(error, "listen for ng by TCP at", addr, -err);
        control_tcp_free(t);
        return NULL;
    }
    return t;
}

static void on_listener_closed(uv_handle_t *handle)
{
    g_free(handle->data);
}

void control_tcp_free(ControlTcp *t)
{
    GHashTableIter i;
    void *c;

    if (!t)
        return;
    g_hash_table_iter_init(&i, t->connections);
    while (g_hash_table_iter_next(&i, &c, NULL)) {
        close_connection(c);
        g_hash_table_iter_init(&i, t->connections); /* it took itself out */
    }
    g_hash_table_unref(t->connections);
    uv_close((uv_handle_t *)&t->handle, on_listener_closed);
}

const Addr *control_tcp_addr(const ControlTcp *t)
{
    return &t->addr;
}

unsigned control_tcp_connections(const ControlTcp *t)
{
    return g_hash_table_size(t->connections);
}
