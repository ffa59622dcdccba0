/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "media/media-frames.h"
#include "media/media-tcp.h"
#include "net/net-tcp.h"

static MediaTcpLeg *other_leg(MediaTcp *tcp, MediaLegSide side)
{
    return &tcp->leg[media_other(side)];
}

static void remove_linger(MediaTcp *tcp, MediaConn *conn)
{
    for (unsigned i = 0; i < tcp->n_linger; i++) {
        if (tcp->linger[i] == conn) {
            tcp->n_linger--;
            memmove(tcp->linger + i, tcp->linger + i + 1,
                    (tcp->n_linger - i) * sizeof tcp->linger[0]);
            return;
        }
    }
}

static void kill_linger(MediaTcp *tcp, MediaConn *conn)
{
    remove_linger(tcp, conn);
    media_conn_kill(conn);
}

void media_tcp_linger(MediaTcp *tcp, MediaConn *conn)
{
    if (conn->state == MEDIA_CONN_DEAD)
        return;
    media_conn_linger(conn, media_stream_now(&tcp->stream) + tcp->stream.worker->limits.drain_ms);
    if (conn->state == MEDIA_CONN_DEAD)
        return;
    conn->cb = media_tcp_ready;
    if (tcp->n_linger == MEDIA_TCP_LINGER_MAX)
        kill_linger(tcp, tcp->linger[0]);
    tcp->linger[tcp->n_linger++] = conn;
}

void media_tcp_release(MediaTcp *tcp, MediaConn *broken, MediaEventKind kind, MediaLegSide side,
                       const Addr *peer, const char *reason)
{
    MediaStream *stream = &tcp->stream;
    const MediaTcpLeg *access = &tcp->leg[MEDIA_ACCESS];
    bool final = media_leg_is_active(access) && access->attempted; /* MSR-06: nobody will come */

    media_stream_event(stream, kind, side, peer, final, "%s", reason);
    for (unsigned i = 0; i < 2; i++) {
        MediaTcpLeg *leg = &tcp->leg[i];
        MediaConn *conn = leg->live;
        leg->live = NULL;
        leg->accept_at = -1;
        if (conn && conn == broken)
            media_conn_kill(conn);
        else if (conn)
            media_tcp_linger(tcp, conn);
        media_leg_abort_connect(leg);
        media_shared_set_tls(stream->shared, leg->side, NULL, NULL);
    }
    tcp->joined = false;
    tcp->drain_at = -1;
}

static void release_broken(MediaTcp *tcp, MediaConn *conn)
{
    media_tcp_release(tcp, conn, conn->failure, conn->side, &conn->peer, conn->reason);
}

/* Moves what can be moved from one leg to the other. */
static void pump(MediaTcp *tcp, MediaLegSide side, bool may_read)
{
    MediaConn *from = tcp->leg[side].live;
    MediaConn *to = other_leg(tcp, side)->live;

    switch (media_relay(from, to, may_read)) {
    case MEDIA_RELAY_FROM_FAILED:
        release_broken(tcp, from);
        break;
    case MEDIA_RELAY_TO_FAILED:
        release_broken(tcp, to);
        break;
    case MEDIA_RELAY_EOF:
    case MEDIA_RELAY_OK:
        break;
    }
}

/* The relay of MSRP frames, where they have to be read, and the first word where both peers wait for it (COM-10). */
static bool begin_frames(MediaTcp *tcp, MediaConn *access, MediaConn *core)
{
    if (!media_frames_wanted(&tcp->stream))
        return true;
    bool silent = media_leg_is_active(&tcp->leg[MEDIA_ACCESS]) &&
                  media_leg_is_active(&tcp->leg[MEDIA_CORE]) &&
                  tcp->stream.spec.msrp->mode == MSRP_MAP_AWARE;
    if (media_frames_start(access, core) && (!silent || media_frames_speak_first(access, core)))
        return true;
    release_broken(tcp, access->reason ? access : core);
    return false;
}

/* TRK-03: the paths of a running pair are treated otherwise from now on. */
static void revise_frames(MediaTcp *tcp)
{
    MediaConn *access = tcp->leg[MEDIA_ACCESS].live;
    MediaConn *core = tcp->leg[MEDIA_CORE].live;

    if (!tcp->joined)
        return;
    if (!access->msrp && media_frames_wanted(&tcp->stream))
        media_tcp_release(tcp, NULL, MEDIA_EVENT_BEARER_RELEASED, MEDIA_ACCESS, &access->peer,
                          "frames must be read from now on, which cannot begin in mid-connection");
    else if (access->msrp && !media_frames_revise(access, core))
        release_broken(tcp, access);
}

static void join(MediaTcp *tcp)
{
    MediaConn *access = tcp->leg[MEDIA_ACCESS].live;
    MediaConn *core = tcp->leg[MEDIA_CORE].live;

    if (tcp->joined || !access || !core)
        return;
    /* Which URIs frames may name is known with the answer. */
    if (tcp->stream.spec.framing == MEDIA_MSRP && !tcp->stream.spec.answered)
        return;
    tcp->joined = true;
    tcp->active_at = media_stream_now(&tcp->stream);
    if (!begin_frames(tcp, access, core))
        return;
    pump(tcp, MEDIA_ACCESS, false);
    if (tcp->joined)
        pump(tcp, MEDIA_CORE, false);
}

/* TRK-23: the end of one direction goes on to the other leg; the other direction may still be used
 * for a while. */
static void half_close(MediaTcp *tcp)
{
    MediaStream *stream = &tcp->stream;
    unsigned ended = 0;
    MediaConn *first = NULL;

    for (unsigned side = 0; side < 2 && tcp->joined; side++) {
        MediaConn *from = tcp->leg[side].live;
        MediaConn *to = other_leg(tcp, side)->live;
        if (!from->eof)
            continue;
        first = first ? first : from;
        if (!media_conn_finish(to))
            release_broken(tcp, to);
        else if (to->finished)
            ended++;
    }
    if (!tcp->joined || !first)
        return;
    if (tcp->drain_at < 0) {
        tcp->drain_at = media_stream_now(stream) + stream->worker->limits.drain_ms;
        tcp->first_eof = first->side;
    }
    if (ended == 2)
        media_tcp_release(tcp, NULL, MEDIA_EVENT_BEARER_RELEASED, tcp->first_eof,
                          &tcp->leg[tcp->first_eof].live->peer, "closed by the peer");
}

static void watch_live(MediaTcp *tcp, MediaTcpLeg *leg)
{
    MediaConn *conn = leg->live;
    int events = 0;

    if (!conn)
        return;
    if (media_conn_blocked(conn))
        events |= UV_WRITABLE;
    if (!tcp->joined)
        events |= conn->hung_up ? 0 : UV_DISCONNECT; /* TRK-11: not read yet, by anybody */
    else if (!conn->eof && !media_conn_blocked(other_leg(tcp, leg->side)->live))
        events |= UV_READABLE;
    media_conn_watch(conn, events);
}

static int64_t idle_at(const MediaTcp *tcp)
{
    const MediaStream *stream = &tcp->stream;
    int64_t last = atomic_load_explicit(&stream->shared->last_activity_us, memory_order_relaxed);

    if (!tcp->joined || stream->worker->limits.idle_ms == 0)
        return -1;
    return MAX(last / 1000, tcp->active_at) + stream->worker->limits.idle_ms;
}

static void arm_timer(MediaTcp *tcp)
{
    int64_t at = media_sooner(tcp->drain_at, idle_at(tcp));

    for (unsigned i = 0; i < 2; i++)
        at = media_sooner(at, media_leg_deadline(&tcp->leg[i]));
    for (unsigned i = 0; i < tcp->n_linger; i++)
        at = media_sooner(at, tcp->linger[i]->deadline);
    media_stream_wake_at(&tcp->stream, at);
}

/* Closing: what is flushed is done; nobody is waited for. */
static void advance_closing(MediaTcp *tcp)
{
    for (unsigned i = tcp->n_linger; i > 0; i--) {
        if (tcp->linger[i - 1]->finished)
            kill_linger(tcp, tcp->linger[i - 1]);
    }
    if (tcp->n_linger == 0)
        media_stream_end(&tcp->stream);
    else
        arm_timer(tcp);
}

void media_tcp_advance(MediaTcp *tcp)
{
    MediaStream *stream = &tcp->stream;

    if (stream->closing) {
        advance_closing(tcp);
        return;
    }
    media_leg_connect(&tcp->leg[MEDIA_ACCESS]);
    media_leg_connect(&tcp->leg[MEDIA_CORE]);
    join(tcp);
    if (tcp->joined)
        half_close(tcp);
    for (unsigned i = 0; i < 2; i++) {
        watch_live(tcp, &tcp->leg[i]);
        media_stream_set_state(stream, tcp->leg[i].side, media_leg_state(&tcp->leg[i]));
    }
    arm_timer(tcp);
}

/* Alone on the stream: only its end is of interest. */
static void alone_ready(MediaTcp *tcp, MediaConn *conn)
{
    int error = net_socket_error(conn->fd);
    char reason[MEDIA_TEXT_MAX];

    if (error < 0 || !media_conn_flush(conn)) {
        g_snprintf(reason, sizeof reason, "connection lost before the other leg was up: %s",
                   error < 0 ? net_error_text(error) : conn->reason);
        media_tcp_release(tcp, conn, MEDIA_EVENT_BEARER_RELEASED, conn->side, &conn->peer, reason);
    }
}

static void live_ready(MediaTcp *tcp, MediaConn *conn, int events)
{
    if (!tcp->joined) {
        conn->hung_up |= (events & UV_DISCONNECT) != 0;
        alone_ready(tcp, conn);
    } else if ((events & UV_WRITABLE) && !media_conn_flush(conn)) {
        release_broken(tcp, conn);
    } else if (events & UV_READABLE) {
        pump(tcp, conn->side, true);
    }
}

void media_tcp_ready(MediaConn *conn, int events)
{
    MediaTcp *tcp = (MediaTcp *)conn->stream;

    if (conn->state == MEDIA_CONN_LINGER) {
        media_conn_linger_step(conn);
        if (conn->state == MEDIA_CONN_DEAD)
            remove_linger(tcp, conn);
    } else {
        live_ready(tcp, conn, events);
    }
    media_tcp_advance(tcp);
}

static void arm_accept(MediaTcp *tcp, MediaTcpLeg *leg)
{
    if (media_leg_is_passive(leg) && !leg->live)
        leg->accept_at = media_stream_now(&tcp->stream) + tcp->stream.worker->limits.accept_ms;
}

/* The timers that begin with the answer. */
static void answered(MediaTcp *tcp)
{
    arm_accept(tcp, &tcp->leg[MEDIA_ACCESS]);
    if (tcp->leg[MEDIA_ACCESS].live)
        arm_accept(tcp, &tcp->leg[MEDIA_CORE]);
}

static void tcp_start(MediaStream *stream)
{
    MediaTcp *tcp = (MediaTcp *)stream;

    media_leg_start(&tcp->leg[MEDIA_ACCESS]);
    media_leg_start(&tcp->leg[MEDIA_CORE]);
    if (stream->spec.answered)
        answered(tcp);
    media_tcp_advance(tcp);
}

/* May the live connection go on under the new description? TRK-08, TRK-12, TRK-13. */
static void revise_live(MediaTcp *tcp, MediaTcpLeg *leg)
{
    MediaConn *conn = leg->live;
    const MediaLeg *spec = media_leg_spec(leg);

    if (!conn)
        return;
    if (conn->secure != (spec->security == MEDIA_TLS)) {
        media_tcp_release(tcp, NULL, MEDIA_EVENT_BEARER_RELEASED, leg->side, &conn->peer,
                          "the security of the leg was changed by signalling");
    } else if (!conn->accepted && media_leg_is_active(leg) && spec->remote.family != ADDR_NONE &&
               !addr_is_any(&spec->remote) && !addr_eq(&spec->remote, &conn->peer)) {
        media_tcp_release(tcp, NULL, MEDIA_EVENT_BEARER_RELEASED, leg->side, &conn->peer,
                          "the peer's address was changed by signalling");
    } else if (media_conn_set_fingerprints(conn, spec) == MEDIA_IO_FAILED) {
        media_tcp_release(tcp, NULL, conn->failure, leg->side, &conn->peer, conn->reason);
    }
}

/* The description asks for a new connection on the same ports (COM-05): the old ones end. */
static void renew(MediaTcp *tcp, MediaTcpLeg *leg)
{
    if (leg->live)
        media_tcp_release(tcp, NULL, MEDIA_EVENT_BEARER_RELEASED, leg->side, &leg->live->peer,
                          "the answer asks for a new connection");
    if (tcp->stream.spec.answered)
        arm_accept(tcp, &tcp->leg[MEDIA_ACCESS]);
}

static void tcp_update(MediaStream *stream, const MediaSpec *next)
{
    MediaTcp *tcp = (MediaTcp *)stream;
    MediaSpec old = stream->spec;

    stream->spec = *next;
    for (unsigned i = 0; i < 2; i++) {
        MediaTcpLeg *leg = &tcp->leg[i];
        leg->failures = 0;
        leg->failed = false;
        leg->attempted = false; /* new signalling allows a new connection (MSR-06) */
        if (!media_leg_is_passive(leg))
            leg->accept_at = -1;
        if (old.leg[i].generation != next->leg[i].generation)
            renew(tcp, leg);
        revise_live(tcp, leg);
        media_leg_revise(leg);
    }
    revise_frames(tcp);
    if (stream->spec.answered && !old.answered)
        answered(tcp);
    media_tcp_advance(tcp);
}

static void tcp_close(MediaStream *stream, unsigned drain_ms)
{
    MediaTcp *tcp = (MediaTcp *)stream;
    int64_t deadline = media_stream_now(stream) + drain_ms;

    for (unsigned i = 0; i < 2; i++) {
        MediaTcpLeg *leg = &tcp->leg[i];
        media_leg_stop(leg);
        if (leg->live)
            media_tcp_linger(tcp, leg->live);
        leg->live = NULL;
        media_stream_set_state(stream, leg->side, MEDIA_LEG_CLOSING);
    }
    for (unsigned i = 0; i < tcp->n_linger; i++)
        tcp->linger[i]->deadline = MIN(tcp->linger[i]->deadline, deadline);
    /* Perhaps another node serves the stream: nothing that is pending may go out. */
    while (media_worker_held(stream->worker) && tcp->n_linger > 0)
        kill_linger(tcp, tcp->linger[0]);
    tcp->joined = false;
    tcp->drain_at = -1;
    media_tcp_advance(tcp);
}

static void expire_lingering(MediaTcp *tcp, int64_t now)
{
    for (unsigned i = tcp->n_linger; i > 0; i--) {
        if (media_is_due(tcp->linger[i - 1]->deadline, now))
            kill_linger(tcp, tcp->linger[i - 1]);
    }
}

static void tcp_tick(MediaStream *stream)
{
    MediaTcp *tcp = (MediaTcp *)stream;
    int64_t now = media_stream_now(stream);

    expire_lingering(tcp, now);
    media_leg_tick(&tcp->leg[MEDIA_ACCESS], now);
    media_leg_tick(&tcp->leg[MEDIA_CORE], now);
    if (media_is_due(tcp->drain_at, now))
        media_tcp_release(tcp, NULL, MEDIA_EVENT_BEARER_RELEASED, tcp->first_eof,
                          &tcp->leg[tcp->first_eof].live->peer,
                          "closed by the peer; the other side did not follow in time");
    else if (media_is_due(idle_at(tcp), now))
        media_tcp_release(tcp, NULL, MEDIA_EVENT_MEDIA_TIMEOUT, MEDIA_ACCESS,
                          &tcp->leg[MEDIA_ACCESS].live->peer, "no application data");
    media_tcp_advance(tcp);
}

static const MediaStreamOps tcp_ops = {tcp_start, tcp_update, tcp_close, tcp_tick};

MediaStream *media_tcp_new(const int fd[2])
{
    MediaTcp *tcp = g_new0(MediaTcp, 1);

    tcp->stream.ops = &tcp_ops;
    tcp->drain_at = -1;
    for (unsigned i = 0; i < 2; i++) {
        tcp->leg[i] = (MediaTcpLeg){.tcp = tcp,
                                    .side = (MediaLegSide)i,
                                    .listener = fd[i],
                                    .listen_again_at = -1,
                                    .accept_at = -1};
    }
    return &tcp->stream;
}
