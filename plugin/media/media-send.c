/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-media-tls.c and test-media-msrp.c. */
#include "config.h"

#include "media/media-send.h"

#include "net/net-tcp.h"

#include <errno.h>

/* A slice of this size is worth a record or a write of its own rather than a copy. */
#define SLICE_DIRECT (8 * 1024)

/* The one way out of here. A held worker sends as if the socket were full. */
static ssize_t send_now(MediaConn *conn, Span wire)
{
    return media_worker_held(conn->stream->worker) ? -EAGAIN : net_tcp_send(conn->fd, wire);
}

bool media_conn_flush(MediaConn *conn)
{
    while (buf_len(&conn->out) > 0) {
        ssize_t n = send_now(conn, buf_span(&conn->out));
        if (n == -EAGAIN)
            return true;
        if (n < 0)
            return media_conn_socket_failed(conn, "cannot send", n);
        buf_consume(&conn->out, (size_t)n);
    }
    buf_release_idle(&conn->out);
    if (conn->finishing && !conn->finished) {
        conn->finished = true;
        net_tcp_shutdown_write(conn->fd);
    }
    return true;
}

/* Bytes as they go on the wire: at once what the socket takes, the rest when it takes more. */
bool media_send_wire(MediaConn *conn, Span wire)
{
    if (buf_len(&conn->out) == 0 && wire.len > 0) {
        ssize_t n = send_now(conn, wire);
        if (n < 0 && n != -EAGAIN)
            return media_conn_socket_failed(conn, "cannot send", n);
        wire = span_skip(wire, n > 0 ? (size_t)n : 0);
    }
    if (!buf_append(&conn->out, wire)) {
        media_conn_fail(conn, MEDIA_EVENT_BEARER_RELEASED,
                        "the peer does not read what TLS must answer");
        return false;
    }
    return true;
}

/* Sends what the TLS engine put into the scratch buffer. */
bool media_send_scratch(MediaConn *conn)
{
    Buf *out = &conn->stream->worker->out;
    bool sent = media_send_wire(conn, buf_span(out));

    buf_reset(out);
    return sent;
}

static bool write_failed(MediaConn *conn)
{
    if (tls_stream_state(conn->tls) == TLS_STATE_FAILED)
        media_conn_fail_tls(conn);
    else
        media_conn_fail(conn, MEDIA_EVENT_BEARER_RELEASED, "TLS takes no more data");
    return false;
}

/* Encrypts into the scratch buffer, which is sent when it is full. */
static bool encrypt(MediaConn *conn, Span bytes)
{
    Buf *out = &conn->stream->worker->out;

    while (bytes.len > 0) {
        Span part = span_head(bytes, TLS_WRITE_MAX);
        if (buf_room(out) < part.len + TLS_WRITE_OVERHEAD && !media_send_scratch(conn))
            return false;
        if (!tls_stream_write(conn->tls, part, out)) {
            buf_reset(out); /* or another connection would send it */
            return write_failed(conn);
        }
        bytes = span_skip(bytes, part.len);
    }
    return true;
}

bool media_conn_send(MediaConn *conn, Span bytes)
{
    if (!conn->tls)
        return media_send_wire(conn, bytes);
    return encrypt(conn, bytes) && media_send_scratch(conn);
}

/* Sends what is gathered; nothing of it stays, for the next connection uses the same buffer. */
static bool send_gathered(MediaConn *conn)
{
    Buf *gather = &conn->stream->worker->gather;
    Span bytes = buf_span(gather);

    if (bytes.len == 0)
        return true;
    bool sent = conn->tls ? encrypt(conn, bytes) : media_send_wire(conn, bytes);

    buf_reset(gather);
    return sent;
}

/* A long slice goes on from where it is; short ones share a write. */
static bool put_slice(MediaConn *conn, Span slice)
{
    Buf *gather = &conn->stream->worker->gather;
    bool direct = slice.len >= SLICE_DIRECT;

    if ((direct || buf_room(gather) < slice.len) && !send_gathered(conn))
        return false;
    if (!direct)
        return buf_append(gather, slice);
    return conn->tls ? encrypt(conn, slice) : media_send_wire(conn, slice);
}

bool media_conn_put(MediaConn *conn, const Span *slices, unsigned n)
{
    MediaWorker *w = conn->stream->worker;
    bool taken = true;

    g_assert(!w->gathering || w->gathering == conn);
    w->gathering = conn;
    for (unsigned i = 0; i < n && taken; i++)
        taken = put_slice(conn, slices[i]);
    if (!taken) {
        buf_reset(&w->gather);
        w->gathering = NULL;
    }
    return taken;
}

bool media_conn_push(MediaConn *conn)
{
    bool sent = send_gathered(conn) && (!conn->tls || media_send_scratch(conn));

    conn->stream->worker->gathering = NULL;
    return sent;
}

bool media_conn_finish(MediaConn *conn)
{
    if (conn->finishing)
        return true;
    if (conn->tls) {
        tls_stream_close(conn->tls, &conn->stream->worker->out);
        if (!media_send_scratch(conn))
            return false;
    }
    conn->finishing = true;
    return media_conn_flush(conn);
}
