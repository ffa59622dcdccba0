/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-media-tcp.c, t/unit/test-media-tls.c. */
#include "config.h"

#include "media/media-tcp.h"
#include "net/net-tcp.h"

#include <errno.h>

/* Connections accepted for one event, for the sake of other streams. */
#define ACCEPT_BATCH 16
/* How long a listener rests when the process has no descriptor left; polling it would spin. */
#define ACCEPT_REST_MS 100

static void accept_ready(uv_poll_t *poll, int status, int events);

static void count_refused(MediaTcpLeg *leg)
{
    media_shared_add(&leg->tcp->stream.shared->refused, 1);
}

static void remove_candidate(MediaTcpLeg *leg, MediaConn *conn)
{
    for (unsigned i = 0; i < leg->n_candidates; i++) {
        if (leg->candidate[i] == conn) {
            leg->n_candidates--;
            memmove(leg->candidate + i, leg->candidate + i + 1,
                    (leg->n_candidates - i) * sizeof leg->candidate[0]);
            return;
        }
    }
}

static void watch_candidate(MediaConn *conn)
{
    int write = media_conn_blocked(conn) ? UV_WRITABLE : 0;

    switch (conn->state) {
    case MEDIA_CONN_CONNECTING:
        media_conn_watch(conn, UV_WRITABLE);
        break;
    case MEDIA_CONN_PEEK:
    case MEDIA_CONN_HANDSHAKE:
        media_conn_watch(conn, UV_READABLE | write);
        break;
    case MEDIA_CONN_QUARANTINE:
        media_conn_watch(conn, UV_DISCONNECT | write);
        break;
    default:
        break;
    }
}

static void publish_tls(MediaTcpLeg *leg, const MediaConn *conn)
{
    MediaStream *stream = &leg->tcp->stream;
    const MediaLeg *spec = media_leg_spec(leg);
    char text[64];
    Fingerprint peer = {0};

    media_conn_tls_text(conn, text, sizeof text);
    tls_stream_peer_fingerprint(conn->tls, fp_set_choose(&spec->fingerprints, spec->allow_sha1),
                                &peer);
    media_shared_set_tls(stream->shared, leg->side, text, &peer);
    media_stream_event(stream, MEDIA_EVENT_TLS_ESTABLISHED, leg->side, &conn->peer, false, "%s",
                       text);
}

static void drop_candidates(MediaTcpLeg *leg)
{
    while (leg->n_candidates > 0) {
        MediaConn *conn = leg->candidate[--leg->n_candidates];
        if (conn->accepted)
            count_refused(leg);
        media_conn_kill(conn);
    }
}

/* One that hung up before it was joined will not miss its place. */
static bool has_live(const MediaTcpLeg *leg)
{
    return leg->live && (leg->tcp->joined || !leg->live->hung_up);
}

/* A connection is there, and verified if the leg is secure: it is the one (TRK-05). */
static void open_leg(MediaTcpLeg *leg, MediaConn *conn)
{
    MediaTcp *tcp = leg->tcp;
    MediaTcpLeg *core = &tcp->leg[MEDIA_CORE];

    remove_candidate(leg, conn);
    if (has_live(leg)) {
        count_refused(leg);
        media_second_begin(leg, conn);
        return;
    }
    drop_candidates(leg);
    if (leg->live)
        media_tcp_linger(tcp, leg->live); /* it had hung up */
    leg->live = conn;
    conn->cb = media_tcp_ready;
    leg->failures = 0;
    leg->failed = false;
    leg->accept_at = -1;
    if (conn->tls)
        publish_tls(leg, conn);
    if (leg->side == MEDIA_ACCESS) {
        core->attempted = false;
        if (media_leg_is_passive(core) && !core->live)
            core->accept_at = media_stream_now(&tcp->stream) + tcp->stream.worker->limits.accept_ms;
    }
}

/*
 * A stranger's connection or a broken handshake: that connection ends, the port goes on listening
 * (TRK-06). After max_failures there is silence, not deafness: strangers must neither flood the
 * signalling nor lock out the right peer.
 */
static void refuse_candidate(MediaTcpLeg *leg, MediaConn *conn)
{
    MediaStream *stream = &leg->tcp->stream;
    unsigned max = stream->worker->limits.max_failures;

    count_refused(leg);
    if (conn->failure == MEDIA_EVENT_FINGERPRINT_UNKNOWN_TIMEOUT) {
        media_stream_event(stream, conn->failure, leg->side, &conn->peer, false, "%s",
                           conn->reason);
        return;
    }
    if (leg->failures >= max)
        return;
    leg->failures++;
    leg->failed = leg->failures == max;
    if (leg->failed)
        leg->accept_at = -1; /* the event below says as much */
    media_stream_event(stream, conn->failure, leg->side, &conn->peer, leg->failed, "%s",
                       conn->reason);
}

static void candidate_failed(MediaTcpLeg *leg, MediaConn *conn)
{
    remove_candidate(leg, conn);
    if (conn->accepted) {
        refuse_candidate(leg, conn);
    } else {
        /* There is no other connection to wait for (TRK-06). */
        leg->failed = true;
        media_tcp_release(leg->tcp, NULL, conn->failure, leg->side, &conn->peer, conn->reason);
    }
    media_tcp_linger(leg->tcp, conn);
}

static void candidate_result(MediaTcpLeg *leg, MediaConn *conn, MediaIo io)
{
    if (io == MEDIA_IO_FAILED)
        candidate_failed(leg, conn);
    else if (conn->state == MEDIA_CONN_OPEN)
        open_leg(leg, conn);
    else
        watch_candidate(conn);
}

static void fail_candidate(MediaTcpLeg *leg, MediaConn *conn, MediaEventKind kind,
                           const char *reason)
{
    conn->failure = kind;
    g_free(conn->reason);
    conn->reason = g_strdup(reason);
    candidate_failed(leg, conn);
}

static void candidate_ready(MediaConn *conn, int events)
{
    MediaTcp *tcp = (MediaTcp *)conn->stream;
    MediaTcpLeg *leg = &tcp->leg[conn->side];

    if (conn->state != MEDIA_CONN_QUARANTINE)
        candidate_result(leg, conn, media_conn_step(conn, events));
    else if ((events & UV_DISCONNECT) || !media_conn_flush(conn))
        fail_candidate(leg, conn, MEDIA_EVENT_TLS_HANDSHAKE_FAILED,
                       "the peer left before its fingerprint was known");
    else
        watch_candidate(conn);
    media_tcp_advance(tcp);
}

/* Somebody whose address was signalled goes before somebody whose was not; else first come, first
 * served. */
static bool make_room(MediaTcpLeg *leg, const Addr *peer)
{
    const Addr *signalled = &media_leg_spec(leg)->remote;

    if (leg->n_candidates < leg->tcp->stream.worker->limits.max_handshakes)
        return true;
    if (!addr_ip_eq(peer, signalled))
        return false;
    for (unsigned i = 0; i < leg->n_candidates; i++) {
        MediaConn *conn = leg->candidate[i];
        if (!addr_ip_eq(&conn->peer, signalled)) {
            remove_candidate(leg, conn);
            count_refused(leg);
            media_conn_kill(conn);
            return true;
        }
    }
    return false;
}

/* Is there, or can there be, somebody on the other leg for a connection that comes now? */
static bool is_wanted(const MediaTcpLeg *leg)
{
    const MediaTcpLeg *access = &leg->tcp->leg[MEDIA_ACCESS];

    if (!media_leg_is_passive(leg))
        return false;
    return leg->side == MEDIA_ACCESS || !media_leg_is_active(access) || !access->attempted ||
           access->live || access->n_candidates > 0;
}

static bool admits(MediaTcpLeg *leg, const Addr *peer)
{
    if (!is_wanted(leg))
        return false;
    if (has_live(leg)) {
        media_conn_probe(leg->live);
        return media_second_wanted(leg) && leg->n_candidates == 0;
    }
    return make_room(leg, peer);
}

static void admit(MediaTcpLeg *leg, int fd, const Addr *peer)
{
    if (!admits(leg, peer)) {
        count_refused(leg);
        net_close(&fd);
        return;
    }
    MediaConn *conn = media_conn_accepted(&leg->tcp->stream, leg->side, fd, peer, candidate_ready);
    if (!conn) {
        count_refused(leg);
        return;
    }
    leg->candidate[leg->n_candidates++] = conn;
    candidate_result(leg, conn, media_conn_step(conn, 0));
}

static void listen_on(MediaTcpLeg *leg)
{
    leg->listen_again_at = -1;
    uv_poll_start(&leg->poll, UV_READABLE, accept_ready);
}

static void accept_ready(uv_poll_t *poll, int status, int events)
{
    MediaTcpLeg *leg = poll->data;
    MediaTcp *tcp = leg->tcp;
    int fd = 0;
    (void)events;

    if (media_worker_held_poll(tcp->stream.worker, poll, status, UV_READABLE, accept_ready))
        return;
    for (unsigned i = 0; i < ACCEPT_BATCH && leg->listener >= 0 && fd >= 0; i++) {
        Addr peer;
        fd = net_tcp_accept(leg->listener, &peer);
        if (fd >= 0)
            admit(leg, fd, &peer);
    }
    if (status < 0 || fd == -EMFILE || fd == -ENFILE || fd == -ENOBUFS || fd == -ENOMEM) {
        uv_poll_stop(&leg->poll);
        leg->listen_again_at = media_stream_now(&tcp->stream) + ACCEPT_REST_MS;
    }
    media_tcp_advance(tcp);
}

void media_leg_start(MediaTcpLeg *leg)
{
    MediaStream *stream = &leg->tcp->stream;

    leg->listen_again_at = -1;
    leg->accept_at = -1;
    if (leg->listener < 0 || uv_poll_init(&stream->worker->loop, &leg->poll, leg->listener) != 0) {
        net_close(&leg->listener);
        return;
    }
    leg->poll.data = leg;
    media_stream_handle_opened(stream);
    listen_on(leg);
}

static void listener_closed(uv_handle_t *handle)
{
    MediaTcpLeg *leg = handle->data;

    media_stream_handle_closed(&leg->tcp->stream);
}

void media_leg_stop(MediaTcpLeg *leg)
{
    drop_candidates(leg);
    media_second_stop(leg);
    leg->accept_at = -1;
    leg->listen_again_at = -1;
    if (leg->listener < 0)
        return;
    uv_close((uv_handle_t *)&leg->poll, listener_closed);
    net_close(&leg->listener);
}

static bool can_connect(const MediaTcpLeg *leg)
{
    const MediaTcp *tcp = leg->tcp;
    const Addr *remote = &media_leg_spec(leg)->remote;

    if (!media_leg_is_active(leg) || !tcp->stream.spec.answered || leg->attempted || leg->live ||
        leg->n_candidates > 0)
        return false;
    if (leg->side == MEDIA_CORE && !tcp->leg[MEDIA_ACCESS].live)
        return false;
    if (media_worker_held(tcp->stream.worker))
        return false; /* when the gate opens */
    /* TRK-12: "hold" is not a place; the next signalling brings one. */
    return remote->family != ADDR_NONE && remote->port != 0 && !addr_is_any(remote);
}

void media_leg_connect(MediaTcpLeg *leg)
{
    MediaStream *stream = &leg->tcp->stream;
    int error = 0;

    if (!can_connect(leg))
        return;
    leg->attempted = true;
    MediaConn *conn = media_conn_connect(stream, leg->side, candidate_ready, &error);
    if (!conn) {
        leg->failed = true;
        media_tcp_release(leg->tcp, NULL, MEDIA_EVENT_TCP_CONNECT_FAILED, leg->side,
                          &media_leg_spec(leg)->remote, net_error_text(error));
        return;
    }
    leg->candidate[leg->n_candidates++] = conn;
    watch_candidate(conn);
}

void media_leg_abort_connect(MediaTcpLeg *leg)
{
    for (unsigned i = leg->n_candidates; i > 0; i--) {
        MediaConn *conn = leg->candidate[i - 1];
        if (!conn->accepted) {
            remove_candidate(leg, conn);
            media_conn_kill(conn);
        }
    }
}

/* Calls @each on every candidate; it may remove any of them. */
static void for_candidates(MediaTcpLeg *leg, void (*each)(MediaTcpLeg *leg, MediaConn *conn))
{
    MediaConn *copy[MEDIA_HANDSHAKES_MAX];
    unsigned n = leg->n_candidates;

    memcpy(copy, leg->candidate, sizeof copy);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned j = 0; j < leg->n_candidates; j++) {
            if (leg->candidate[j] == copy[i]) {
                each(leg, copy[i]);
                break;
            }
        }
    }
}

static void revise_candidate(MediaTcpLeg *leg, MediaConn *conn)
{
    bool secure = media_leg_spec(leg)->security == MEDIA_TLS;
    bool fits = conn->accepted ? media_leg_is_passive(leg)
                               : media_leg_is_active(leg) &&
                                     addr_eq(&conn->peer, &media_leg_spec(leg)->remote);

    if (!fits || conn->secure != secure) {
        remove_candidate(leg, conn);
        media_conn_kill(conn);
        return;
    }
    candidate_result(leg, conn, media_conn_set_fingerprints(conn, media_leg_spec(leg)));
}

void media_leg_revise(MediaTcpLeg *leg)
{
    for_candidates(leg, revise_candidate);
}

static void expire_candidate(MediaTcpLeg *leg, MediaConn *conn)
{
    if (!media_is_due(conn->deadline, media_stream_now(&leg->tcp->stream)))
        return;
    switch (conn->state) {
    case MEDIA_CONN_CONNECTING:
        fail_candidate(leg, conn, MEDIA_EVENT_TCP_CONNECT_FAILED, "no answer in time");
        break;
    case MEDIA_CONN_PEEK:
        candidate_result(leg, conn, media_conn_peek_over(conn));
        break;
    case MEDIA_CONN_QUARANTINE:
        fail_candidate(leg, conn, MEDIA_EVENT_FINGERPRINT_UNKNOWN_TIMEOUT,
                       "no fingerprint was signalled in time");
        break;
    default:
        fail_candidate(leg, conn, MEDIA_EVENT_TLS_HANDSHAKE_FAILED, "handshake not done in time");
        break;
    }
}

void media_leg_tick(MediaTcpLeg *leg, int64_t now)
{
    MediaStream *stream = &leg->tcp->stream;

    for_candidates(leg, expire_candidate);
    media_second_tick(leg, now);
    if (media_is_due(leg->listen_again_at, now))
        listen_on(leg);
    if (media_is_due(leg->accept_at, now)) {
        leg->accept_at = -1;
        media_stream_event(stream, MEDIA_EVENT_ACCEPT_TIMEOUT, leg->side, NULL, false,
                           "nobody connected within %u ms", stream->worker->limits.accept_ms);
    }
}

int64_t media_leg_deadline(const MediaTcpLeg *leg)
{
    int64_t at = media_sooner(leg->accept_at, leg->listen_again_at);

    for (unsigned i = 0; i < leg->n_candidates; i++)
        at = media_sooner(at, leg->candidate[i]->deadline);
    return leg->second ? media_sooner(at, leg->second->deadline) : at;
}

MediaLegState media_leg_state(const MediaTcpLeg *leg)
{
    MediaLegState state = leg->failed                 ? MEDIA_LEG_FAILED
                          : media_leg_is_passive(leg) ? MEDIA_LEG_LISTENING
                                                      : MEDIA_LEG_IDLE;

    if (leg->live)
        return leg->tcp->drain_at >= 0 ? MEDIA_LEG_CLOSING : MEDIA_LEG_OPEN;
    for (unsigned i = 0; i < leg->n_candidates; i++) {
        MediaConnState conn = leg->candidate[i]->state;
        MediaLegState of_conn = conn == MEDIA_CONN_CONNECTING   ? MEDIA_LEG_CONNECTING
                                : conn == MEDIA_CONN_QUARANTINE ? MEDIA_LEG_QUARANTINE
                                                                : MEDIA_LEG_HANDSHAKE;
        if (i == 0 || of_conn > state)
            state = of_conn;
    }
    return state;
}
