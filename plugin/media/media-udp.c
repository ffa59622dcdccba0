/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "framing/stun.h"
#include "media/media-udp.h"

/* DTL-11: what a first byte of DTLS can be. */
#define DTLS_FIRST_MIN 20
#define DTLS_FIRST_MAX 63
/* Batches read for one event, for the sake of other streams. */
#define BATCHES_PER_EVENT 4

static void leg_ready(uv_poll_t *poll, int status, int events);

void media_udp_count_dropped(MediaUdpLeg *leg, uint64_t n)
{
    if (n > 0)
        media_shared_add(&leg->udp->stream.shared->dropped, n);
}

/* DTL-10: never cut, never split. */
static void count_too_long(MediaUdpLeg *leg)
{
    media_udp_count_dropped(leg, 1);
    media_shared_add(&leg->udp->stream.shared->too_long, 1);
}

void media_udp_emit(MediaUdpLeg *leg, const Addr *to, Span datagram)
{
    MediaWorker *w = leg->udp->stream.worker;
    NetUdpOut *out = w->udp_out[leg->side];

    if (media_worker_held(w))
        media_udp_count_dropped(leg, 1);
    else
        media_udp_count_dropped(leg, net_udp_out_add(out, leg->fd, to, datagram));
}

static void flush(MediaUdp *udp)
{
    for (unsigned i = 0; i < 2; i++) {
        MediaUdpLeg *leg = &udp->leg[i];
        NetUdpOut *out = udp->stream.worker->udp_out[i];
        /* Frozen between adding and here: too late for them. */
        bool held = media_worker_held(udp->stream.worker);
        media_udp_count_dropped(leg,
                                held ? net_udp_out_discard(out) : net_udp_out_flush(out, leg->fd));
    }
}

static bool can_send(const MediaUdpLeg *leg)
{
    return media_udp_leg_is_secure(leg) ? leg->live != NULL
                                        : media_is_place(&media_udp_leg_spec(leg)->remote);
}

static void send_packet(MediaUdpLeg *leg, Span packet)
{
    MediaShared *shared = leg->udp->stream.shared;

    if (!media_udp_leg_is_secure(leg)) {
        media_udp_emit(leg, &media_udp_leg_spec(leg)->remote, packet);
    } else if (!media_assoc_send(leg, packet)) {
        count_too_long(leg);
        return;
    }
    media_shared_add(&shared->packets_out[leg->side], 1);
    media_shared_add(&shared->bytes_out[leg->side], packet.len);
}

static void drop_oldest(MediaUdpLeg *leg)
{
    g_free(leg->held[0].data);
    leg->n_held--;
    memmove(leg->held, leg->held + 1, leg->n_held * sizeof leg->held[0]);
}

/* DTL-09: the last few, for a short time. */
static void hold(MediaUdpLeg *leg, Span packet)
{
    if (leg->n_held == MEDIA_UDP_HELD_MAX) {
        drop_oldest(leg);
        media_udp_count_dropped(leg, 1);
    }
    leg->held[leg->n_held++] = (MediaUdpHeld){media_stream_now(&leg->udp->stream), packet.len,
                                              g_memdup2(packet.p, packet.len)};
}

void media_udp_release_held(MediaUdpLeg *leg)
{
    int64_t oldest = media_stream_now(&leg->udp->stream) - MEDIA_UDP_HELD_MS;

    while (leg->n_held > 0) {
        if (leg->held[0].at >= oldest)
            send_packet(leg, (Span){leg->held[0].data, leg->held[0].len});
        else
            media_udp_count_dropped(leg, 1);
        drop_oldest(leg);
    }
}

void media_udp_forward(MediaUdpLeg *from, Span packet)
{
    MediaStream *stream = &from->udp->stream;
    MediaUdpLeg *to = &from->udp->leg[media_other(from->side)];

    media_shared_add(&stream->shared->packets_in[from->side], 1);
    media_shared_add(&stream->shared->bytes_in[from->side], packet.len);
    atomic_store_explicit(&stream->shared->last_activity_us, media_stream_now(stream) * 1000,
                          memory_order_relaxed);
    if (can_send(to))
        send_packet(to, packet);
    else
        hold(to, packet);
}

static void receive_secure(MediaUdpLeg *leg, const NetDatagram *d)
{
    uint8_t first = (uint8_t)d->data.p[0];
    uint8_t answer[STUN_ANSWER_MAX];

    if (first >= DTLS_FIRST_MIN && first <= DTLS_FIRST_MAX) {
        media_assoc_receive(leg, &d->peer, d->data);
        return;
    }
    size_t n = stun_is_likely(first) ? stun_answer(d->data, &d->peer, answer) : 0;
    if (n > 0)
        media_udp_emit(leg, &d->peer, (Span){(char *)answer, n}); /* DTL-12 */
    else
        media_udp_count_dropped(leg, 1);
}

static void receive(MediaUdpLeg *leg, const NetDatagram *d)
{
    if (d->cut)
        count_too_long(leg);
    else if (d->data.len == 0)
        media_udp_count_dropped(leg, 1);
    else if (media_udp_leg_is_secure(leg))
        receive_secure(leg, d);
    else if (addr_ip_eq(&d->peer, &leg->signalled))
        media_udp_forward(leg, d->data);
    else
        media_udp_count_dropped(leg, 1);
}

static MediaLegState leg_state(const MediaUdpLeg *leg)
{
    MediaLegState state = MEDIA_LEG_HANDSHAKE;

    if (!media_udp_leg_is_secure(leg))
        return can_send(leg) ? MEDIA_LEG_OPEN : MEDIA_LEG_IDLE;
    if (leg->live)
        return MEDIA_LEG_OPEN;
    for (unsigned i = 0; i < leg->n_candidates; i++) {
        if (leg->candidate[i]->state == TLS_STATE_QUARANTINE)
            state = MEDIA_LEG_QUARANTINE;
    }
    if (leg->n_candidates > 0)
        return state;
    if (leg->failed)
        return MEDIA_LEG_FAILED;
    return media_udp_leg_is_client(leg) ? MEDIA_LEG_IDLE : MEDIA_LEG_LISTENING;
}

static int64_t idle_at(const MediaUdp *udp)
{
    const MediaStream *stream = &udp->stream;
    int64_t last = atomic_load_explicit(&stream->shared->last_activity_us, memory_order_relaxed);

    if (udp->active_at < 0 || stream->worker->limits.idle_ms == 0)
        return -1;
    return MAX(last / 1000, udp->active_at) + stream->worker->limits.idle_ms;
}

/* After every event: sends what it produced, starts what may start now, tells and arms. */
static void settle(MediaUdp *udp)
{
    media_assoc_connect(&udp->leg[MEDIA_ACCESS]);
    media_assoc_connect(&udp->leg[MEDIA_CORE]);
    if (!udp->leg[MEDIA_ACCESS].live && !udp->leg[MEDIA_CORE].live)
        udp->active_at = -1;
    flush(udp);
    int64_t at = idle_at(udp);
    for (unsigned i = 0; i < 2; i++) {
        at = media_sooner(at, media_assoc_deadline(&udp->leg[i]));
        media_stream_set_state(&udp->stream, udp->leg[i].side, leg_state(&udp->leg[i]));
    }
    media_stream_wake_at(&udp->stream, at);
}

static void leg_ready(uv_poll_t *poll, int status, int events)
{
    MediaUdpLeg *leg = poll->data;
    NetUdpBatch *batch = leg->udp->stream.worker->udp_in;
    const NetDatagram *d;
    int n = NET_UDP_BATCH;
    (void)events;

    if (media_worker_held_poll(leg->udp->stream.worker, poll, status, UV_READABLE, leg_ready))
        return;
    if (status < 0) {
        /* An ICMP error, perhaps: reading it clears it; libuv stopped the watcher. */
        net_socket_error(leg->fd);
        uv_poll_start(poll, UV_READABLE, leg_ready);
    }
    for (unsigned i = 0; i < BATCHES_PER_EVENT && n == NET_UDP_BATCH; i++) {
        n = net_udp_recv(leg->fd, batch, &d);
        for (int j = 0; j < n; j++)
            receive(leg, &d[j]);
    }
    settle(leg->udp);
}

static void note_spec(MediaUdpLeg *leg)
{
    const MediaLeg *spec = media_udp_leg_spec(leg);

    if (media_is_place(&spec->remote))
        leg->signalled = spec->remote;
    if (can_send(leg))
        media_udp_release_held(leg);
}

static void arm_accept(MediaUdpLeg *leg)
{
    const MediaStream *stream = &leg->udp->stream;

    if (media_udp_leg_is_secure(leg) && !media_udp_leg_is_client(leg) &&
        (!leg->live || leg->renewing))
        leg->accept_at = media_stream_now(stream) + stream->worker->limits.accept_ms;
}

static void make_batches(MediaWorker *w)
{
    if (w->udp_in)
        return;
    w->udp_in = net_udp_batch_new();
    w->udp_out[MEDIA_ACCESS] = net_udp_out_new();
    w->udp_out[MEDIA_CORE] = net_udp_out_new();
}

static void udp_start(MediaStream *stream)
{
    MediaUdp *udp = (MediaUdp *)stream;

    make_batches(stream->worker);
    for (unsigned i = 0; i < 2; i++) {
        MediaUdpLeg *leg = &udp->leg[i];
        if (leg->fd < 0 || uv_poll_init(&stream->worker->loop, &leg->poll, leg->fd) != 0) {
            net_close(&leg->fd);
            continue;
        }
        leg->poll.data = leg;
        media_stream_handle_opened(stream);
        uv_poll_start(&leg->poll, UV_READABLE, leg_ready);
        note_spec(leg);
        if (stream->spec.answered)
            arm_accept(leg);
    }
    settle(udp);
}

static void udp_update(MediaStream *stream, const MediaSpec *next)
{
    MediaUdp *udp = (MediaUdp *)stream;
    MediaSpec old = stream->spec;

    stream->spec = *next;
    for (unsigned i = 0; i < 2; i++) {
        MediaUdpLeg *leg = &udp->leg[i];
        leg->failures = 0;
        leg->unproven = 0;
        leg->failed = false;
        leg->attempted = false;
        if (old.leg[i].security != next->leg[i].security)
            media_assoc_drop_all(leg);
        bool anew = old.leg[i].generation != next->leg[i].generation;
        leg->renewing |= anew && leg->live;
        if (media_udp_leg_is_secure(leg))
            media_assoc_revise(leg);
        note_spec(leg);
        if (next->answered && (!old.answered || anew))
            arm_accept(leg);
    }
    settle(udp);
}

static void leg_closed(uv_handle_t *handle)
{
    MediaUdpLeg *leg = handle->data;

    media_stream_handle_closed(&leg->udp->stream);
}

/* UDP has nothing to wait for. */
static void udp_close(MediaStream *stream, unsigned drain_ms)
{
    MediaUdp *udp = (MediaUdp *)stream;
    (void)drain_ms;

    for (unsigned i = 0; i < 2; i++) {
        media_assoc_drop_all(&udp->leg[i]);
        while (udp->leg[i].n_held > 0)
            drop_oldest(&udp->leg[i]);
    }
    flush(udp);
    for (unsigned i = 0; i < 2; i++) {
        MediaUdpLeg *leg = &udp->leg[i];
        if (leg->fd < 0)
            continue;
        uv_close((uv_handle_t *)&leg->poll, leg_closed);
        net_close(&leg->fd);
    }
    media_stream_end(stream);
}

/* One event for the stream, whose silence it is, and not for each of its legs (CTL-05). */
static void release_idle(MediaUdp *udp)
{
    MediaUdpLeg *access = &udp->leg[MEDIA_ACCESS], *core = &udp->leg[MEDIA_CORE];

    if (access->live || core->live)
        media_assoc_release(access->live ? access : core, MEDIA_EVENT_MEDIA_TIMEOUT,
                            "no application data");
    media_assoc_end(core);
}

static void udp_tick(MediaStream *stream)
{
    MediaUdp *udp = (MediaUdp *)stream;
    int64_t now = media_stream_now(stream);

    for (unsigned i = 0; i < 2; i++)
        media_assoc_tick(&udp->leg[i], now);
    if (media_is_due(idle_at(udp), now))
        release_idle(udp);
    settle(udp);
}

static const MediaStreamOps udp_ops = {udp_start, udp_update, udp_close, udp_tick};

MediaStream *media_udp_new(const int fd[2])
{
    MediaUdp *udp = g_new0(MediaUdp, 1);

    udp->stream.ops = &udp_ops;
    udp->active_at = -1;
    for (unsigned i = 0; i < 2; i++) {
        udp->leg[i] =
            (MediaUdpLeg){.udp = udp, .side = (MediaLegSide)i, .fd = fd[i], .accept_at = -1};
    }
    return &udp->stream;
}
