/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "t/unit/media-udp-fixture.h"

#include "net/net-udp.h"

static void end_emit(void *arg, Span datagram)
{
    End *end = arg;
    NetDatagram d = {.peer = end->to, .data = datagram};

    g_assert_cmpint(net_udp_send(end->fd, &d, 1), ==, 1);
}

static void end_deliver(void *arg, Span datagram)
{
    End *end = arg;

    g_ptr_array_add(end->got, g_bytes_new(datagram.p, datagram.len));
}

static void end_receive(End *end, const NetDatagram *d)
{
    DtlsSink sink = {end_emit, end_deliver, end};
    uint8_t first = d->data.len > 0 ? (uint8_t)d->data.p[0] : 255;

    if (end->deaf > 0) {
        end->deaf--;
    } else if (!end->dtls) {
        g_ptr_array_add(end->got, g_bytes_new(d->data.p, d->data.len));
    } else if (first >= 20 && first <= 63) {
        dtls_stream_feed(end->dtls, d->data, g_get_monotonic_time(), &sink);
    } else if (first <= 3) {
        end->stun++;
    } else {
        end->plain_bytes++;
    }
}

static void end_timer(End *end)
{
    DtlsSink sink = {end_emit, end_deliver, end};
    int64_t at = end->dtls ? dtls_stream_deadline(end->dtls) : -1;

    if (at >= 0 && at <= g_get_monotonic_time())
        dtls_stream_timeout(end->dtls, g_get_monotonic_time(), &sink);
}

static void turn(void *data)
{
    Udp *u = data;
    g_autoptr(NetUdpBatch) batch = net_udp_batch_new();
    const NetDatagram *d;

    for (unsigned i = 0; i < u->n_ends; i++) {
        int n = net_udp_recv(u->end[i].fd, batch, &d);
        for (int j = 0; j < n; j++)
            end_receive(&u->end[i], &d[j]);
        end_timer(&u->end[i]);
    }
}

void udp_init(Udp *u, const MediaLimits *limits)
{
    memset(u, 0, sizeof *u);
    fx_init(&u->fx, limits, 1);
    u->fx.turn_cb = turn;
    u->fx.turn_data = u;
}

void udp_clear(Udp *u)
{
    for (unsigned i = 0; i < u->n_ends; i++) {
        dtls_stream_free(u->end[i].dtls);
        g_ptr_array_unref(u->end[i].got);
        net_close(&u->end[i].fd);
    }
    fx_clear(&u->fx);
}

void end_rebind(End *end, const char *ip)
{
    Addr at;

    g_assert_true(addr_parse_ip(span_str(ip), &at));
    end->fd = net_udp_bind(&at, false);
    g_assert_cmpint(end->fd, >=, 0);
    g_assert_cmpint(net_local_addr(end->fd, &end->at), ==, 0);
}

End *end_new(Udp *u, const char *ip)
{
    End *end = &u->end[u->n_ends];

    g_assert_cmpuint(u->n_ends, <, UDP_ENDS_MAX);
    *end = (End){.got = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref)};
    end_rebind(end, ip);
    u->fx.turn_fd[u->n_ends++] = end->fd;
    u->fx.n_turn_fds = u->n_ends;
    return end;
}

void end_start_dtls(Udp *u, End *end, TlsCtx *ctx, TlsRole role, const Addr *to)
{
    FingerprintSet gateway = fx_fingerprints(u->fx.id_gw);
    DtlsSink sink = {end_emit, end_deliver, end};

    dtls_stream_free(end->dtls);
    end->to = *to;
    end->dtls = dtls_stream_new(ctx, role, &gateway, false, SPAN("peer"), 0);
    if (role == TLS_CLIENT)
        dtls_stream_feed(end->dtls, (Span){NULL, 0}, g_get_monotonic_time(), &sink);
}

End *end_new_ue(Udp *u, const Stream *s, TlsCtx *ctx)
{
    End *ue = end_new(u, "127.0.0.1");

    end_start_dtls(u, ue, ctx, TLS_CLIENT, media_port_addr(s->port[MEDIA_ACCESS]));
    return ue;
}

bool end_is_open(const End *end)
{
    return dtls_stream_state(end->dtls) == TLS_STATE_OPEN;
}

void end_send_dtls(End *end, Span packet)
{
    DtlsSink sink = {end_emit, end_deliver, end};

    g_assert_true(dtls_stream_write(end->dtls, packet, &sink));
}

void end_send_plain(End *end, const Stream *s, MediaLegSide side, Span packet)
{
    NetDatagram d = {.peer = *media_port_addr(s->port[side]), .data = packet};

    g_assert_cmpint(net_udp_send(end->fd, &d, 1), ==, 1);
}

bool end_got(const End *end, unsigned i, Span expected)
{
    gsize len;

    if (i >= end->got->len)
        return false;
    const char *p = g_bytes_get_data(end->got->pdata[i], &len);
    return span_eq((Span){p, len}, expected);
}

MediaSpec udp_spec(Udp *u, const End *core)
{
    MediaSpec spec = fx_tls_spec(&u->fx);

    spec.transport = MEDIA_UDP;
    spec.framing = MEDIA_DATAGRAMS;
    spec.leg[MEDIA_CORE].remote = core->at;
    return spec;
}

void end_close(End *end)
{
    DtlsSink sink = {end_emit, end_deliver, end};

    dtls_stream_close(end->dtls, &sink);
}
