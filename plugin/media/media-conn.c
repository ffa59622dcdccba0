/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-media-tls.c. */
#include "config.h"

#include "media/media-conn.h"
#include "media/media-send.h"
#include "net/net-tcp.h"

#include <errno.h>

/* TRK-10: what may be held for a peer that is not verified yet. */
#define HANDSHAKE_READ (16 * 1024)
/* Beyond the relay's buffer: answers of the TLS engine itself, such as to key updates. */
#define OUT_EXTRA (64 * 1024)
/* First byte of a TLS handshake record. */
#define TLS_HANDSHAKE_BYTE 0x16

/* A UE that fell off the network is noticed within three minutes, without waking sleeping radios
 * often. */
#define KEEPALIVE_IDLE_S     120
#define KEEPALIVE_INTERVAL_S 20
#define KEEPALIVE_PROBES     3
/* Reads are of whole pages: one that is shorter by a little leaves all that follows in the kernel at places of a page a
 * little beside those of our buffer, and copying between such places is slow. */
#define READ_UNIT 4096
/* media_conn_probe(): within 20 seconds. */
#define PROBE_IDLE_S 5

static const MediaLeg *leg_of(const MediaConn *conn)
{
    return &conn->stream->spec.leg[conn->side];
}

MediaIo media_conn_fail(MediaConn *conn, MediaEventKind kind, const char *format, ...)
{
    va_list args;

    conn->failure = kind;
    g_free(conn->reason);
    va_start(args, format);
    conn->reason = g_strdup_vprintf(format, args);
    va_end(args);
    return MEDIA_IO_FAILED;
}

MediaIo media_conn_fail_tls(MediaConn *conn)
{
    const TlsFailure *failure = tls_stream_failure(conn->tls);
    bool open = conn->state == MEDIA_CONN_OPEN;

    return media_conn_fail(conn, media_stream_tls_event(failure, open, conn->heard), "%s",
                           failure->text);
}

static void polled(uv_poll_t *poll, int status, int events)
{
    MediaConn *conn = poll->data;

    if (conn->state == MEDIA_CONN_DEAD)
        return;
    if (media_worker_held_poll(conn->stream->worker, poll, status, conn->watched, polled))
        return;
    if (status < 0) {
        /* libuv stopped the watcher; the next system call on the socket says what is wrong. */
        conn->watched = 0;
        events = UV_READABLE | UV_WRITABLE | UV_DISCONNECT;
    }
    conn->cb(conn, events);
}

static void poll_closed(uv_handle_t *handle)
{
    MediaConn *conn = handle->data;
    MediaStream *stream = conn->stream;

    buf_clear(&conn->out);
    buf_clear(&conn->held);
    tls_stream_free(conn->tls);
    msrp_relay_free(conn->msrp);
    g_free(conn->reason);
    g_free(conn);
    media_stream_handle_closed(stream);
}

static MediaConn *new_conn(MediaStream *stream, MediaLegSide side, int fd, const Addr *peer,
                           MediaConnCb cb)
{
    MediaConn *conn = g_new0(MediaConn, 1);
    size_t buffer = stream->worker->limits.buffer;

    conn->stream = stream;
    conn->side = side;
    conn->cb = cb;
    conn->fd = fd;
    conn->peer = *peer;
    conn->secure = leg_of(conn)->security == MEDIA_TLS;
    conn->deadline = -1;
    buf_init(&conn->out, buffer + TLS_PLAIN_ROOM + OUT_EXTRA);
    buf_init(&conn->held, TLS_PLAIN_ROOM + BFCP_HOLD_MAX);
    /* The socket is open, non-blocking and no file, so this cannot fail but for lack of kernel
     * memory. */
    if (uv_poll_init(&stream->worker->loop, &conn->poll, fd) != 0) {
        net_close(&fd);
        g_free(conn);
        return NULL;
    }
    conn->poll.data = conn;
    media_stream_handle_opened(stream);
    net_tcp_keepalive(fd, KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S, KEEPALIVE_PROBES);
    return conn;
}

static void enter_handshake(MediaConn *conn, TlsRole role)
{
    const MediaLeg *leg = leg_of(conn);

    conn->state = MEDIA_CONN_HANDSHAKE;
    conn->deadline = media_stream_now(conn->stream) + conn->stream->worker->limits.handshake_ms;
    conn->tls = tls_stream_new(conn->stream->ctx, role, &leg->fingerprints, leg->allow_sha1);
}

/* The TCP connection stands: what comes next. */
static void enter_connected(MediaConn *conn)
{
    conn->deadline = -1;
    if (!conn->secure) {
        conn->state = MEDIA_CONN_OPEN;
        return;
    }
    switch (leg_of(conn)->tls_role) {
    case MEDIA_TLS_SERVER:
        enter_handshake(conn, TLS_SERVER);
        break;
    case MEDIA_TLS_CLIENT:
        enter_handshake(conn, TLS_CLIENT);
        break;
    case MEDIA_TLS_PEEK:
        conn->state = MEDIA_CONN_PEEK;
        conn->deadline = media_stream_now(conn->stream) + conn->stream->worker->limits.peek_ms;
        break;
    }
}

MediaConn *media_conn_accepted(MediaStream *stream, MediaLegSide side, int fd, const Addr *peer,
                               MediaConnCb cb)
{
    MediaConn *conn = new_conn(stream, side, fd, peer, cb);

    if (!conn)
        return NULL;
    conn->accepted = true;
    enter_connected(conn);
    return conn;
}

MediaConn *media_conn_connect(MediaStream *stream, MediaLegSide side, MediaConnCb cb,
                              int *ret_error)
{
    const Addr *remote = &stream->spec.leg[side].remote;
    const Addr *local = &stream->local[side];
    int fd = net_tcp_connect(local->family == remote->family ? local : NULL, remote);

    if (fd < 0) {
        *ret_error = fd;
        return NULL;
    }
    MediaConn *conn = new_conn(stream, side, fd, remote, cb);
    if (!conn) {
        *ret_error = -ENOMEM;
        return NULL;
    }
    conn->state = MEDIA_CONN_CONNECTING;
    conn->deadline = media_stream_now(stream) + stream->worker->limits.connect_ms;
    return conn;
}

bool media_conn_socket_failed(MediaConn *conn, const char *what, ssize_t error)
{
    media_conn_fail(conn, MEDIA_EVENT_BEARER_RELEASED, "%s: %s", what, net_error_text((int)error));
    return false;
}

/*
 * Feeds bytes that arrived while the handshake runs. The answers go out even if it failed: an alert
 * tells the peer why.
 */
static MediaIo feed_handshake(MediaConn *conn, Span in)
{
    MediaWorker *w = conn->stream->worker;

    buf_reset(&w->plain); /* another connection's bytes may still be there */
    TlsState state = tls_stream_feed(conn->tls, in, &w->plain, &w->out);
    bool held = state != TLS_STATE_FAILED && buf_append(&conn->held, buf_span(&w->plain));
    bool sent = media_send_scratch(conn);

    buf_reset(&w->plain);
    if (state == TLS_STATE_FAILED)
        return media_conn_fail_tls(conn);
    if (!held)
        return media_conn_fail(conn, MEDIA_EVENT_TLS_HANDSHAKE_FAILED,
                               "too much data with the handshake");
    if (!sent)
        return media_conn_fail(conn, MEDIA_EVENT_TLS_HANDSHAKE_FAILED,
                               "connection lost in the handshake");
    if (state == TLS_STATE_HANDSHAKE)
        return MEDIA_IO_AGAIN;
    conn->heard = buf_len(&conn->held) > 0;
    conn->eof = state == TLS_STATE_EOF;
    conn->state = state == TLS_STATE_QUARANTINE ? MEDIA_CONN_QUARANTINE : MEDIA_CONN_OPEN;
    conn->deadline = conn->state == MEDIA_CONN_QUARANTINE
                         ? media_stream_now(conn->stream) + w->limits.fingerprint_unknown_ms
                         : -1;
    return MEDIA_IO_OK;
}

static MediaIo step_connecting(MediaConn *conn)
{
    int error = net_socket_error(conn->fd);

    if (error < 0)
        return media_conn_fail(conn, MEDIA_EVENT_TCP_CONNECT_FAILED, "%s", net_error_text(error));
    enter_connected(conn);
    return media_conn_step(conn, 0);
}

static MediaIo step_peek(MediaConn *conn)
{
    uint8_t first;
    ssize_t n = net_tcp_peek(conn->fd, &first, 1);

    if (n == -EAGAIN)
        return MEDIA_IO_AGAIN;
    if (n <= 0)
        return media_conn_fail(conn, MEDIA_EVENT_TLS_HANDSHAKE_FAILED,
                               "the peer left before the handshake");
    enter_handshake(conn, first == TLS_HANDSHAKE_BYTE ? TLS_SERVER : TLS_CLIENT);
    return media_conn_step(conn, UV_READABLE);
}

static MediaIo step_handshake(MediaConn *conn, int events)
{
    MediaWorker *w = conn->stream->worker;

    if (!conn->greeted) {
        conn->greeted = true;
        MediaIo io = feed_handshake(conn, (Span){NULL, 0}); /* a client's first flight */
        if (io != MEDIA_IO_AGAIN)
            return io;
    }
    if ((events & UV_WRITABLE) && !media_conn_flush(conn))
        return media_conn_fail(conn, MEDIA_EVENT_TLS_HANDSHAKE_FAILED,
                               "connection lost in the handshake");
    if (!(events & UV_READABLE))
        return MEDIA_IO_AGAIN;
    ssize_t n = net_tcp_recv(conn->fd, w->rx, HANDSHAKE_READ);
    if (n == -EAGAIN)
        return MEDIA_IO_AGAIN;
    if (n < 0)
        return media_conn_fail(conn, MEDIA_EVENT_TLS_HANDSHAKE_FAILED,
                               "connection lost in the handshake: %s", net_error_text((int)n));
    if (n == 0)
        return media_conn_fail(conn, MEDIA_EVENT_TLS_HANDSHAKE_FAILED,
                               "the peer left in the handshake");
    return feed_handshake(conn, (Span){w->rx, (size_t)n});
}

MediaIo media_conn_step(MediaConn *conn, int events)
{
    switch (conn->state) {
    case MEDIA_CONN_CONNECTING:
        return step_connecting(conn);
    case MEDIA_CONN_PEEK:
        return step_peek(conn);
    case MEDIA_CONN_HANDSHAKE:
        return step_handshake(conn, events);
    default:
        return MEDIA_IO_OK;
    }
}

MediaIo media_conn_peek_over(MediaConn *conn)
{
    enter_handshake(conn, TLS_CLIENT);
    return media_conn_step(conn, 0);
}

MediaIo media_conn_set_fingerprints(MediaConn *conn, const MediaLeg *leg)
{
    MediaWorker *w = conn->stream->worker;

    if (!conn->tls)
        return conn->state == MEDIA_CONN_OPEN ? MEDIA_IO_OK : MEDIA_IO_AGAIN;
    TlsState state =
        tls_stream_set_fingerprints(conn->tls, &leg->fingerprints, leg->allow_sha1, &w->out);
    bool sent = media_send_scratch(conn);

    if (state == TLS_STATE_FAILED)
        return media_conn_fail_tls(conn);
    if (!sent)
        return MEDIA_IO_FAILED;
    if (conn->state == MEDIA_CONN_QUARANTINE && state != TLS_STATE_QUARANTINE)
        return feed_handshake(conn, (Span){NULL, 0}); /* brings out what was held back */
    return conn->state == MEDIA_CONN_OPEN ? MEDIA_IO_OK : MEDIA_IO_AGAIN;
}

static MediaIo recv_tls(MediaConn *conn, ssize_t n, size_t asked, Span *ret_bytes)
{
    MediaWorker *w = conn->stream->worker;
    TlsState state = n > 0
                         ? tls_stream_feed(conn->tls, (Span){w->rx, (size_t)n}, &w->plain, &w->out)
                         : tls_stream_feed_eof(conn->tls);
    bool sent = media_send_scratch(conn);

    *ret_bytes = buf_span(&w->plain);
    conn->heard |= ret_bytes->len > 0;
    if (state == TLS_STATE_FAILED)
        return media_conn_fail_tls(conn);
    if (!sent)
        return MEDIA_IO_FAILED;
    if (state == TLS_STATE_EOF)
        return MEDIA_IO_EOF;
    return (size_t)n < asked ? MEDIA_IO_AGAIN : MEDIA_IO_OK;
}

static size_t read_size(const MediaConn *conn)
{
    size_t buffer = conn->stream->worker->limits.buffer;
    size_t size = buffer - MIN(conn->surplus, buffer / 2);

    return size > READ_UNIT ? size - size % READ_UNIT : size;
}

MediaIo media_conn_recv(MediaConn *conn, Span *ret_bytes)
{
    MediaWorker *w = conn->stream->worker;
    size_t asked = read_size(conn);
    ssize_t n = net_tcp_recv(conn->fd, w->rx, asked);

    *ret_bytes = (Span){NULL, 0};
    buf_reset(&w->plain);
    if (n == -EAGAIN)
        return MEDIA_IO_AGAIN;
    if (n < 0) {
        media_conn_socket_failed(conn, "connection lost", n);
        return MEDIA_IO_FAILED;
    }
    if (conn->tls)
        return recv_tls(conn, n, asked, ret_bytes);
    *ret_bytes = (Span){w->rx, (size_t)n};
    conn->heard |= n > 0;
    return n == 0 ? MEDIA_IO_EOF : (size_t)n < asked ? MEDIA_IO_AGAIN : MEDIA_IO_OK;
}

void media_conn_watch(MediaConn *conn, int events)
{
    if (conn->state == MEDIA_CONN_DEAD || conn->watched == events)
        return;
    conn->watched = events;
    uv_poll_start(&conn->poll, events, polled);
}

void media_conn_probe(MediaConn *conn)
{
    if (!conn->probed)
        net_tcp_keepalive(conn->fd, PROBE_IDLE_S, PROBE_IDLE_S, KEEPALIVE_PROBES);
    conn->probed = true;
}

void media_conn_linger(MediaConn *conn, int64_t deadline)
{
    TlsState tls = conn->tls ? tls_stream_state(conn->tls) : TLS_STATE_OPEN;

    if (conn->state == MEDIA_CONN_CONNECTING) {
        media_conn_kill(conn);
        return;
    }
    conn->deadline = deadline;
    /* A failed engine said what it had to say; one in the handshake has no keys to say goodbye
     * with. */
    if (conn->state >= MEDIA_CONN_QUARANTINE && tls != TLS_STATE_FAILED)
        media_conn_finish(conn);
    conn->state = MEDIA_CONN_LINGER;
    conn->finishing = true;
    media_conn_linger_step(conn);
}

/* Throws away what comes: closing a socket with unread bytes would reset it and take back what we
 * sent last. */
static bool discard(MediaConn *conn)
{
    size_t budget = MEDIA_EVENT_BUDGET;

    while (budget > 0) {
        ssize_t n = net_tcp_recv(conn->fd, conn->stream->worker->rx, MEDIA_READ_MAX);
        if (n == -EAGAIN)
            return true;
        if (n < 0)
            return false;
        if (n == 0) {
            conn->eof = true;
            return true;
        }
        budget -= MIN(budget, (size_t)n);
    }
    return true;
}

void media_conn_linger_step(MediaConn *conn)
{
    if (!media_conn_flush(conn) || !discard(conn) || (conn->eof && conn->finished)) {
        media_conn_kill(conn);
        return;
    }
    media_conn_watch(conn,
                     (conn->eof ? 0 : UV_READABLE) | (media_conn_blocked(conn) ? UV_WRITABLE : 0));
}

void media_conn_kill(MediaConn *conn)
{
    if (conn->state == MEDIA_CONN_DEAD)
        return;
    conn->state = MEDIA_CONN_DEAD;
    uv_close((uv_handle_t *)&conn->poll, poll_closed);
    net_close(&conn->fd);
}

void media_conn_tls_text(const MediaConn *conn, char *out, size_t size)
{
    if (conn->tls)
        g_snprintf(out, size, "%s %s", tls_stream_version(conn->tls), tls_stream_cipher(conn->tls));
    else
        g_strlcpy(out, "", size);
}
