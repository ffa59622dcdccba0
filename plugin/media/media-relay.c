/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-media-tcp.c. */
#include "config.h"

#include "media/media-relay.h"

#include "media/media-frames.h"

static bool hand_on(MediaConn *to, Span bytes)
{
    if (bytes.len == 0)
        return true;
    /* Counted first: who has received a byte may look for it in the numbers. */
    media_shared_add(&to->stream->shared->bytes_out[to->side], bytes.len);
    return media_conn_send(to, bytes);
}

/* BFC-09: whole messages in one write each time, a piece of one waits in @from until the rest is
 * there. */
static bool hand_on_messages(MediaConn *from, MediaConn *to, Span bytes)
{
    bool joined = buf_len(&from->held) > 0;

    if (joined) {
        /* Less than BFCP_HOLD_MAX and one read: that is what .held is sized for. */
        g_assert(buf_append(&from->held, bytes));
        bytes = buf_span(&from->held);
    }
    size_t n = from->eof ? bytes.len : bfcp_sendable(&from->bfcp, bytes);
    bool sent = hand_on(to, span_head(bytes, n));
    if (joined) {
        buf_consume(&from->held, n);
        buf_release_idle(&from->held);
        return sent;
    }
    g_assert(buf_append(&from->held, span_skip(bytes, n)));
    return sent;
}

static MediaRelayResult forward(MediaConn *from, MediaConn *to, Span bytes)
{
    MediaStream *stream = from->stream;

    if (bytes.len > 0) {
        media_shared_add(&stream->shared->bytes_in[from->side], bytes.len);
        atomic_store_explicit(&stream->shared->last_activity_us, media_stream_now(stream) * 1000,
                              memory_order_relaxed);
    }
    if (from->msrp)
        return media_frames_relay(from, to, bytes);
    bool sent =
        stream->spec.framing == MEDIA_BFCP ? hand_on_messages(from, to, bytes) : hand_on(to, bytes);
    return sent ? MEDIA_RELAY_OK : MEDIA_RELAY_TO_FAILED;
}

/* What came with the handshake. */
static MediaRelayResult forward_held(MediaConn *from, MediaConn *to)
{
    Buf early = from->held;

    buf_init(&from->held, early.limit);
    MediaRelayResult result = forward(from, to, buf_span(&early));
    buf_clear(&early);
    return result;
}

MediaRelayResult media_relay(MediaConn *from, MediaConn *to, bool may_read)
{
    size_t budget = MEDIA_EVENT_BUDGET;
    MediaIo io = MEDIA_IO_OK;

    if (!may_read)
        return forward_held(from, to);
    while (io == MEDIA_IO_OK && budget > 0 && !from->eof && !media_conn_blocked(to)) {
        Span bytes;
        io = media_conn_recv(from, &bytes);
        from->eof = io == MEDIA_IO_EOF || io == MEDIA_IO_FAILED; /* nothing follows to wait for */
        budget -= MIN(budget, bytes.len);
        MediaRelayResult result = forward(from, to, bytes);
        if (result == MEDIA_RELAY_OK && from->eof && from->msrp)
            result = media_frames_finish(from, to);
        if (result != MEDIA_RELAY_OK)
            return result;
        if (io == MEDIA_IO_FAILED)
            return MEDIA_RELAY_FROM_FAILED;
    }
    return from->eof ? MEDIA_RELAY_EOF : MEDIA_RELAY_OK;
}
