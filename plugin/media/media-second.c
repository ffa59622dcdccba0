/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-media-msrp.c. */
/*
 * A second connection of the right peer to a session that has one (MSR-05, TRK-05): where the gateway has URIs of its own
 * it is the one to answer, so the connection is heard until its first request, gets a 506 and ends. Nothing of it crosses.
 */
#include "config.h"

#include "media/media-frames.h"
#include "media/media-tcp.h"

static bool drop_cb(void *arg, const Span *slices, unsigned n)
{
    (void)arg, (void)slices, (void)n;
    return true;
}

/* One answer is enough; false ends the reading. */
static bool answer_cb(void *arg, Span frame)
{
    media_conn_send(arg, frame);
    return false;
}

static void end(MediaTcpLeg *leg)
{
    MediaConn *conn = leg->second;

    leg->second = NULL;
    media_tcp_linger(leg->tcp, conn);
}

/* False when nothing more is to be heard. */
static bool hear(MediaConn *conn, Span bytes)
{
    MsrpSink sink = {drop_cb, answer_cb, conn};

    return msrp_relay_feed(conn->msrp, bytes, &sink) == MSRP_RELAY_OK;
}

static void ready(MediaConn *conn, int events)
{
    MediaTcp *tcp = (MediaTcp *)conn->stream;
    MediaTcpLeg *leg = &tcp->leg[conn->side];
    Span bytes;
    (void)events;

    MediaIo io = media_conn_recv(conn, &bytes);
    if (!hear(conn, bytes) || io == MEDIA_IO_EOF || io == MEDIA_IO_FAILED)
        end(leg);
    media_tcp_advance(tcp);
}

bool media_second_wanted(const MediaTcpLeg *leg)
{
    const MediaStream *stream = &leg->tcp->stream;

    return leg->tcp->joined && !leg->second && media_frames_wanted(stream) &&
           stream->spec.msrp->mode == MSRP_MAP_AWARE;
}

void media_second_begin(MediaTcpLeg *leg, MediaConn *conn)
{
    MediaStream *stream = &leg->tcp->stream;

    leg->second = conn;
    conn->cb = ready;
    conn->deadline = media_stream_now(stream) + stream->worker->limits.handshake_ms;
    conn->msrp = media_frames_refuser(conn);
    if (conn->msrp && hear(conn, buf_span(&conn->held)))
        media_conn_watch(conn, UV_READABLE);
    else
        end(leg);
}

void media_second_tick(MediaTcpLeg *leg, int64_t now)
{
    if (leg->second && media_is_due(leg->second->deadline, now))
        end(leg);
}

void media_second_stop(MediaTcpLeg *leg)
{
    if (leg->second)
        end(leg);
}
