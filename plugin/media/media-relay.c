/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "media/media-relay.h"

static bool forward(MediaConn *from, MediaConn *to, Span bytes)
{
    MediaStream *stream = from->stream;
    MediaShared *shared = stream->shared;

    if (bytes.len == 0)
        return true;
    media_shared_add(&shared->bytes_in[from->side], bytes.len);
    atomic_store_explicit(&shared->last_activity_us, media_stream_now(stream) * 1000,
                          memory_order_relaxed);
    /* Counted first: who has received a byte may look for it in the numbers. */
    media_shared_add(&shared->bytes_out[to->side], bytes.len);
    return media_conn_send(to, bytes);
}

static bool forward_held(MediaConn *from, MediaConn *to)
{
    bool sent = forward(from, to, buf_span(&from->held));

    buf_clear(&from->held);
    return sent;
}

MediaRelayResult media_relay(MediaConn *from, MediaConn *to, bool may_read)
{
    size_t budget = MEDIA_EVENT_BUDGET;
    MediaIo io = MEDIA_IO_OK;

    if (buf_len(&from->held) > 0 && !forward_held(from, to))
        return MEDIA_RELAY_TO_FAILED;
    if (!may_read)
        return MEDIA_RELAY_OK;
    while (io == MEDIA_IO_OK && budget > 0 && !from->eof && !media_conn_blocked(to)) {
        Span bytes;
        io = media_conn_recv(from, &bytes);
        from->eof = io == MEDIA_IO_EOF;
        budget -= MIN(budget, bytes.len);
        if (!forward(from, to, bytes))
            return MEDIA_RELAY_TO_FAILED;
        if (io == MEDIA_IO_FAILED)
            return MEDIA_RELAY_FROM_FAILED;
    }
    return from->eof ? MEDIA_RELAY_EOF : MEDIA_RELAY_OK;
}
