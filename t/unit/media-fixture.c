/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "t/unit/media-fixture.h"

#include "net/net-tcp.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#define PORT_MIN 40000
#define PORT_MAX 40999

static void on_event(const MediaEvent *event, void *user_data)
{
    Fixture *fx = user_data;

    if (event->kind != MEDIA_EVENT_CLOSED)
        g_test_message("event %s leg %d final %d: %s", media_event_name(event->kind), event->leg,
                       event->final, event->reason);
    g_array_append_vals(fx->events, event, 1);
}

void fx_init(Fixture *fx, const MediaLimits *limits, unsigned n_workers)
{
    g_autoptr(GError) error = NULL;

    memset(fx, 0, sizeof *fx);
    g_assert_cmpint(uv_loop_init(&fx->loop), ==, 0);
    fx->limits = limits ? *limits : media_limits_default();
    fx->events = g_array_new(FALSE, FALSE, sizeof(MediaEvent));
    fx->ports = media_ports_new(PORT_MIN, PORT_MAX, false);
    fx->pool = media_pool_new(&fx->loop, n_workers, &fx->limits, on_event, fx, &error);
    g_assert_no_error(error);
    fx->id_gw = pair_identity("agw-ecdsa");
    fx->id_ue = pair_identity("ue-ecdsa");
    fx->id_stranger = pair_identity("other-ecdsa");
    fx->ctx_gw = pair_ctx("agw-ecdsa");
    fx->ctx_ue = pair_ctx("ue-ecdsa");
    fx->ctx_stranger = pair_ctx("other-ecdsa");
}

void fx_clear(Fixture *fx)
{
    while (fx->n_peers > 0)
        peer_free(fx, fx->peer[0], false);
    media_pool_free(fx->pool);
    uv_run(&fx->loop, UV_RUN_DEFAULT);
    g_assert_cmpint(uv_loop_close(&fx->loop), ==, 0);
    media_ports_free(fx->ports);
    g_array_unref(fx->events);
    tls_ctx_unref(fx->ctx_gw);
    tls_ctx_unref(fx->ctx_ue);
    tls_ctx_unref(fx->ctx_stranger);
    tls_identity_unref(fx->id_gw);
    tls_identity_unref(fx->id_ue);
    tls_identity_unref(fx->id_stranger);
}

static void peer_flush(Peer *p)
{
    while (buf_len(&p->out) > 0) {
        ssize_t n = net_tcp_send(p->fd, buf_span(&p->out));
        if (n == -EAGAIN)
            return;
        if (n < 0) {
            p->broken = true;
            return;
        }
        buf_consume(&p->out, (size_t)n);
    }
    if (p->fin_wanted && p->to_send == 0) {
        p->fin_wanted = false;
        net_tcp_shutdown_write(p->fd);
    }
}

/* The test pattern: differs at every position, so that a lost or doubled block shows. */
static void peer_send_pattern(Peer *p)
{
    uint8_t block[16384];
    size_t n = MIN(p->to_send, sizeof block);

    if (n == 0 || buf_len(&p->out) > 0)
        return;
    for (size_t i = 0; i < n; i++)
        block[i] = (uint8_t)((p->sent + i) * 2654435761u >> 13);
    g_checksum_update(p->sent_hash, block, (gssize)n);
    p->sent += n;
    p->to_send -= n;
    peer_send(p, (Span){(char *)block, n});
}

static void peer_took(Peer *p, Span plain)
{
    p->received += plain.len;
    if (plain.len == 0)
        return;
    if (p->hash)
        g_checksum_update(p->hash, (const guchar *)plain.p, (gssize)plain.len);
    else
        g_assert_true(buf_append(&p->in, plain));
}

static void peer_feed_raw(Peer *p, Span wire)
{
    Buf plain;

    buf_init(&plain, TLS_PLAIN_ROOM);
    raw_feed(p->raw, wire, &plain, &p->out);
    peer_took(p, buf_span(&plain));
    buf_clear(&plain);
    p->established |= p->raw->done;
    p->eof |= p->raw->closed;
    p->broken |= p->raw->failed;
    peer_flush(p);
}

static void peer_feed(Peer *p, Span wire)
{
    Buf plain;

    if (p->raw) {
        peer_feed_raw(p, wire);
        return;
    }
    buf_init(&plain, TLS_PLAIN_ROOM);
    TlsState state = tls_stream_feed(p->tls, wire, &plain, &p->out);
    peer_took(p, buf_span(&plain));
    buf_clear(&plain);
    p->established |= state == TLS_STATE_OPEN || state == TLS_STATE_EOF;
    p->eof |= state == TLS_STATE_EOF;
    p->broken |= state == TLS_STATE_FAILED;
    peer_flush(p);
}

static void peer_read(Peer *p)
{
    static char rx[65536];
    ssize_t n = net_tcp_recv(p->fd, rx, p->read_size ? p->read_size : sizeof rx);

    if (n == -EAGAIN)
        return;
    if (n < 0) {
        p->broken = true;
    } else if (n == 0) {
        p->fin = true;
        p->eof |= !p->tls && !p->raw;
    } else if (p->tls || p->raw) {
        peer_feed(p, (Span){rx, (size_t)n});
    } else {
        peer_took(p, (Span){rx, (size_t)n});
    }
}

static void peer_connected(Peer *p)
{
    p->connecting = false;
    if (net_socket_error(p->fd) < 0)
        p->broken = true;
    else if (p->tls || p->raw)
        peer_feed(p, (Span){NULL, 0});
}

static void peer_turn(Peer *p, short revents)
{
    if (p->connecting) {
        if (revents)
            peer_connected(p);
        return;
    }
    if (p->broken)
        return;
    peer_flush(p);
    if (!p->tls || p->established)
        peer_send_pattern(p);
    if (revents & (POLLIN | POLLHUP | POLLERR) && !p->paused && !p->fin)
        peer_read(p);
}

static short wanted(const Peer *p)
{
    if (p->connecting)
        return POLLOUT;
    short events = p->paused || p->fin ? 0 : POLLIN;
    return buf_len(&p->out) > 0 ? events | POLLOUT : events;
}

void fx_turn(Fixture *fx)
{
    struct pollfd fds[FX_PEERS_MAX + 1 + FX_SOCKETS_MAX];
    unsigned n = fx->n_peers;
    bool busy = false;

    for (unsigned i = 0; i < n; i++) {
        const Peer *p = fx->peer[i];
        bool off = p->broken || (p->fin && buf_len(&p->out) == 0);
        fds[i] = (struct pollfd){.fd = off ? -1 : p->fd, .events = wanted(p)};
        busy |= p->to_send > 0 && buf_len(&p->out) == 0 && !p->broken;
    }
    fds[n] = (struct pollfd){.fd = uv_backend_fd(&fx->loop), .events = POLLIN};
    for (unsigned i = 0; i < fx->n_turn_fds; i++)
        fds[n + 1 + i] = (struct pollfd){.fd = fx->turn_fd[i], .events = POLLIN};
    poll(fds, n + 1 + fx->n_turn_fds, busy ? 0 : 5);
    for (unsigned i = 0; i < n; i++)
        peer_turn(fx->peer[i], fds[i].fd < 0 ? 0 : fds[i].revents);
    if (fx->turn_cb)
        fx->turn_cb(fx->turn_data);
    uv_run(&fx->loop, UV_RUN_NOWAIT);
}

unsigned fx_count(const Fixture *fx, uint64_t stream_id, MediaEventKind kind, MediaEvent *ret_last)
{
    unsigned n = 0;

    for (unsigned i = 0; i < fx->events->len; i++) {
        const MediaEvent *e = &g_array_index(fx->events, MediaEvent, i);
        if (e->stream_id != stream_id || e->kind != kind)
            continue;
        n++;
        if (ret_last)
            *ret_last = *e;
    }
    return n;
}

unsigned fx_count_all(const Fixture *fx, uint64_t stream_id)
{
    unsigned n = 0;

    for (unsigned i = 0; i < fx->events->len; i++) {
        const MediaEvent *e = &g_array_index(fx->events, MediaEvent, i);
        n += e->stream_id == stream_id && e->kind != MEDIA_EVENT_CLOSED;
    }
    return n;
}

MediaStats fx_stats(Fixture *fx, uint64_t stream_id)
{
    MediaStats stats;

    g_assert_true(media_stats(fx->pool, stream_id, &stats));
    return stats;
}

MediaLegState fx_state(Fixture *fx, uint64_t stream_id, MediaLegSide side)
{
    return fx_stats(fx, stream_id).state[side];
}

unsigned fx_fds(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(dir))
        n++;
    return n;
}

Addr fx_loopback(void)
{
    Addr a;

    g_assert_true(addr_parse_ip(SPAN("127.0.0.1"), &a));
    return a;
}

MediaPort *fx_port(Fixture *fx, MediaTransport transport)
{
    g_autoptr(GError) error = NULL;
    Addr ip = fx_loopback();
    MediaPort *port = media_port_reserve(fx->ports, &ip, transport, 0, &error);

    g_assert_no_error(error);
    return port;
}

FingerprintSet fx_fingerprints(TlsIdentity *id)
{
    FingerprintSet set;

    tls_identity_fingerprints(id, FP_SHA256, &set);
    return set;
}

MediaSpec fx_plain_spec(void)
{
    return (MediaSpec){
        .transport = MEDIA_TCP,
        .framing = MEDIA_RAW,
        .answered = true,
        .leg = {{.setup = MEDIA_SETUP_PASSIVE}, {.setup = MEDIA_SETUP_PASSIVE}},
    };
}

MediaSpec fx_tls_spec(Fixture *fx)
{
    MediaSpec spec = fx_plain_spec();

    spec.leg[MEDIA_ACCESS].security = MEDIA_TLS;
    spec.leg[MEDIA_ACCESS].tls_role = MEDIA_TLS_SERVER;
    spec.leg[MEDIA_ACCESS].fingerprints = fx_fingerprints(fx->id_ue);
    return spec;
}

Stream fx_open(Fixture *fx, uint64_t id, const MediaSpec *spec)
{
    Stream s = {id, {fx_port(fx, spec->transport), fx_port(fx, spec->transport)}};

    media_open(fx->pool, id, spec, fx->ctx_gw, s.port);
    return s;
}

void fx_close(Fixture *fx, Stream *s)
{
    unsigned before = fx_count(fx, s->id, MEDIA_EVENT_CLOSED, NULL);

    media_close(fx->pool, s->id);
    FX_UNTIL(fx, fx_count(fx, s->id, MEDIA_EVENT_CLOSED, NULL) == before + 1);
    media_port_release(s->port[0]);
    media_port_release(s->port[1]);
}

static Peer *new_peer(Fixture *fx, int fd, TlsCtx *ctx, TlsRole role)
{
    Peer *p = g_new0(Peer, 1);
    FingerprintSet gateway = fx_fingerprints(fx->id_gw);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpuint(fx->n_peers, <, FX_PEERS_MAX);
    p->fd = fd;
    buf_init(&p->in, 1 << 20);
    buf_init(&p->out, 1 << 20);
    if (ctx)
        p->tls = tls_stream_new(ctx, role, &gateway, false);
    p->sent_hash = g_checksum_new(G_CHECKSUM_SHA256);
    fx->peer[fx->n_peers++] = p;
    return p;
}

Peer *peer_connect(Fixture *fx, const Addr *to, TlsCtx *ctx, TlsRole role)
{
    Peer *p = new_peer(fx, net_tcp_connect(NULL, to), ctx, role);

    p->connecting = true;
    return p;
}

Peer *peer_connect_from(Fixture *fx, const char *ip, const Addr *to, TlsCtx *ctx)
{
    Addr from;

    g_assert_true(addr_parse_ip(span_str(ip), &from));
    Peer *p = new_peer(fx, net_tcp_connect(&from, to), ctx, TLS_CLIENT);
    p->connecting = true;
    return p;
}

Peer *peer_connect_uncertified(Fixture *fx, const Addr *to, int version)
{
    Peer *p = peer_connect(fx, to, NULL, TLS_CLIENT);

    p->raw = raw_new(false, NULL, version);
    return p;
}

Peer *peer_accept(Fixture *fx, int listener, TlsCtx *ctx, TlsRole role)
{
    Addr from;
    int fd = -1;

    FX_UNTIL(fx, (fd = net_tcp_accept(listener, &from)) >= 0);
    Peer *p = new_peer(fx, fd, ctx, role);
    if (ctx)
        peer_feed(p, (Span){NULL, 0});
    return p;
}

void peer_send(Peer *p, Span bytes)
{
    if (p->tls)
        g_assert_true(tls_stream_write(p->tls, bytes, &p->out));
    else
        g_assert_true(buf_append(&p->out, bytes));
    if (!p->connecting)
        peer_flush(p);
}

void peer_free(Fixture *fx, Peer *p, bool reset)
{
    struct linger linger = {1, 0};

    if (reset)
        setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    net_close(&p->fd);
    tls_stream_free(p->tls);
    if (p->raw)
        raw_free(p->raw);
    buf_clear(&p->in);
    buf_clear(&p->out);
    g_clear_pointer(&p->hash, g_checksum_free);
    g_clear_pointer(&p->sent_hash, g_checksum_free);
    for (unsigned i = 0; i < fx->n_peers; i++) {
        if (fx->peer[i] == p)
            fx->peer[i] = fx->peer[--fx->n_peers];
    }
    g_free(p);
}

void peer_finish(Peer *p)
{
    if (p->tls)
        tls_stream_close(p->tls, &p->out);
    p->fin_wanted = true;
    peer_flush(p);
}

bool peer_has(const Peer *p, Span expected)
{
    return span_eq(buf_span(&p->in), expected);
}

Peer *peer_join_core(Fixture *fx, const Stream *s)
{
    Peer *core = peer_to_leg(fx, s, MEDIA_CORE, NULL);

    FX_UNTIL(fx, fx_state(fx, s->id, MEDIA_CORE) == MEDIA_LEG_OPEN);
    return core;
}

Peer *peer_join_ue(Fixture *fx, const Stream *s)
{
    Peer *ue = peer_to_leg(fx, s, MEDIA_ACCESS, fx->ctx_ue);

    FX_UNTIL(fx, ue->established && fx_state(fx, s->id, MEDIA_ACCESS) == MEDIA_LEG_OPEN);
    return ue;
}

void joined_init(Joined *j, const MediaLimits *limits)
{
    fx_init(&j->fx, limits, 1);
    j->spec = fx_tls_spec(&j->fx);
}

void joined_open(Joined *j)
{
    j->s = fx_open(&j->fx, 1, &j->spec);
    j->core = peer_join_core(&j->fx, &j->s);
    j->ue = peer_join_ue(&j->fx, &j->s);
}

void joined_clear(Joined *j)
{
    fx_close(&j->fx, &j->s);
    fx_clear(&j->fx);
}

bool peer_is_over(const Peer *p)
{
    return p->fin || p->eof || p->broken;
}

void fx_expect_service(Fixture *fx, const Stream *s, Peer *core)
{
    Peer *ue = peer_join_ue(fx, s);
    uint64_t had = core->received;

    peer_send(ue, SPAN("service"));
    peer_send(core, SPAN("please"));
    FX_UNTIL(fx, core->received == had + 7 && peer_has(ue, SPAN("please")));
}

int fx_listen(Addr *ret_addr)
{
    Addr ip = fx_loopback();
    int fd = net_tcp_listen(&ip, 8, false);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(net_local_addr(fd, ret_addr), ==, 0);
    return fd;
}
