/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-media-tcp.c. */
#include "config.h"

#include "media/media-stream.h"
#include "media/media-tcp.h"
#include "media/media-udp.h"

void media_stream_tick(MediaStream *stream)
{
    stream->timer_at = -1;
    stream->ops->tick(stream);
}

static void timer_fired(uv_timer_t *timer)
{
    MediaStream *stream = timer->data;

    /* A stream that ends only lets go; the others get their turn when the gate opens. */
    if (media_worker_held(stream->worker) && !stream->closing)
        stream->timer_at = -1;
    else
        media_stream_tick(stream);
}

MediaStream *media_stream_new(MediaWorker *w, MediaCommand *command)
{
    bool tcp = command->spec.transport == MEDIA_TCP;
    MediaStream *stream = tcp ? media_tcp_new(command->fd) : media_udp_new(command->fd);

    stream->worker = w;
    stream->id = command->stream_id;
    stream->spec = command->spec;
    media_msrp_ref(stream->spec.msrp);
    stream->ctx = command->ctx;
    stream->shared = command->shared;
    memcpy(stream->local, command->local, sizeof stream->local);
    uv_timer_init(&w->loop, &stream->timer);
    stream->timer.data = stream;
    stream->timer_at = -1;
    media_stream_handle_opened(stream);
    return stream;
}

void media_stream_start(MediaStream *stream)
{
    stream->ops->start(stream);
}

void media_stream_update(MediaStream *stream, const MediaSpec *next)
{
    MediaMsrp *old = stream->spec.msrp;

    if (stream->closing)
        return;
    media_msrp_ref(next->msrp);
    stream->ops->update(stream, next);
    media_msrp_unref(old);
}

void media_stream_close(MediaStream *stream, unsigned drain_ms)
{
    if (stream->closing)
        return;
    stream->closing = true;
    stream->ops->close(stream, drain_ms);
}

/* Reasons hold text of peers and libraries; events and logs are lines. */
static void make_printable(char *text)
{
    for (; *text; text++) {
        if (*text < ' ' || *text > '~')
            *text = '?';
    }
}

void media_stream_event(MediaStream *stream, MediaEventKind kind, MediaLegSide leg,
                        const Addr *peer, bool final, const char *format, ...)
{
    MediaEventMessage *m = g_new0(MediaEventMessage, 1);
    va_list args;

    m->event = (MediaEvent){.stream_id = stream->id, .kind = kind, .leg = leg, .final = final};
    if (peer)
        m->event.peer = *peer;
    va_start(args, format);
    g_vsnprintf(m->event.reason, sizeof m->event.reason, format, args);
    va_end(args);
    make_printable(m->event.reason);
    media_queue_push(stream->worker->events, &m->message);
}

MediaEventKind media_stream_tls_event(const TlsFailure *failure, bool open, bool heard)
{
    switch (failure->kind) {
    case TLS_FAILURE_FINGERPRINT:
        return MEDIA_EVENT_FINGERPRINT_MISMATCH;
    case TLS_FAILURE_NO_CERTIFICATE:
        return MEDIA_EVENT_NO_CLIENT_CERTIFICATE;
    case TLS_FAILURE_PEER_ALERT:
        /* TLS-12: a TLS 1.3 server judges our certificate after we think we are done. */
        return open && heard ? MEDIA_EVENT_BEARER_RELEASED : MEDIA_EVENT_TLS_HANDSHAKE_FAILED;
    default:
        return open ? MEDIA_EVENT_BEARER_RELEASED : MEDIA_EVENT_TLS_HANDSHAKE_FAILED;
    }
}

void media_stream_wake_at(MediaStream *stream, int64_t at)
{
    int64_t now = media_stream_now(stream);

    /* A timer that comes too early costs one tick; starting it anew for every byte would cost more.
     */
    if (at < 0 || (stream->timer_at >= 0 && stream->timer_at <= at))
        return;
    stream->timer_at = at;
    uv_timer_start(&stream->timer, timer_fired, at > now ? (uint64_t)(at - now) : 0, 0);
}

void media_stream_handle_opened(MediaStream *stream)
{
    stream->handles++;
}

void media_stream_handle_closed(MediaStream *stream)
{
    g_assert(stream->handles > 0);
    if (--stream->handles > 0)
        return;
    if (stream->ctx)
        tls_ctx_unref(stream->ctx);
    media_shared_unref(stream->shared);
    media_msrp_unref(stream->spec.msrp);
    g_free(stream);
}

static void timer_closed(uv_handle_t *handle)
{
    media_stream_handle_closed(handle->data);
}

void media_stream_end(MediaStream *stream)
{
    media_stream_set_state(stream, MEDIA_ACCESS, MEDIA_LEG_IDLE);
    media_stream_set_state(stream, MEDIA_CORE, MEDIA_LEG_IDLE);
    media_stream_event(stream, MEDIA_EVENT_CLOSED, MEDIA_ACCESS, NULL, true, "closed");
    uv_close((uv_handle_t *)&stream->timer, timer_closed);
    media_worker_remove(stream->worker, stream);
}
