/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/net-udp.h"
#include "t/unit/media-fixture.h"
#include "tls/dtls-stream.h"

#define ENDS_MAX 12

/* One UDP socket of a UE, a core node or a stranger. */
typedef struct End {
    int fd;
    Addr at;
    Addr to; /* where DTLS goes */
    DtlsStream *dtls;
    GPtrArray *got;       /* GBytes: application packets, or plain datagrams */
    unsigned plain_bytes; /* datagrams that are neither DTLS nor STUN */
    unsigned stun;
    unsigned deaf; /* so many datagrams get lost first */
} End;

typedef struct Udp {
    Fixture fx;
    End end[ENDS_MAX];
    unsigned n_ends;
} Udp;

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

static void init(Udp *u, const MediaLimits *limits)
{
    memset(u, 0, sizeof *u);
    fx_init(&u->fx, limits, 1);
    u->fx.turn_cb = turn;
    u->fx.turn_data = u;
}

static void clear(Udp *u)
{
    for (unsigned i = 0; i < u->n_ends; i++) {
        dtls_stream_free(u->end[i].dtls);
        g_ptr_array_unref(u->end[i].got);
        net_close(&u->end[i].fd);
    }
    fx_clear(&u->fx);
}

static void rebind(End *end, const char *ip)
{
    Addr at;

    g_assert_true(addr_parse_ip(span_str(ip), &at));
    end->fd = net_udp_bind(&at);
    g_assert_cmpint(end->fd, >=, 0);
    g_assert_cmpint(net_local_addr(end->fd, &end->at), ==, 0);
}

static End *new_end(Udp *u, const char *ip)
{
    End *end = &u->end[u->n_ends];

    g_assert_cmpuint(u->n_ends, <, ENDS_MAX);
    *end = (End){.got = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref)};
    rebind(end, ip);
    u->fx.turn_fd[u->n_ends++] = end->fd;
    u->fx.n_turn_fds = u->n_ends;
    return end;
}

static void start_dtls(Udp *u, End *end, TlsCtx *ctx, TlsRole role, const Addr *to)
{
    FingerprintSet gateway = fx_fingerprints(u->fx.id_gw);
    DtlsSink sink = {end_emit, end_deliver, end};

    dtls_stream_free(end->dtls);
    end->to = *to;
    end->dtls = dtls_stream_new(ctx, role, &gateway, false, SPAN("peer"), 0);
    if (role == TLS_CLIENT)
        dtls_stream_feed(end->dtls, (Span){NULL, 0}, g_get_monotonic_time(), &sink);
}

static End *new_ue(Udp *u, const Stream *s, TlsCtx *ctx)
{
    End *ue = new_end(u, "127.0.0.1");

    start_dtls(u, ue, ctx, TLS_CLIENT, media_port_addr(s->port[MEDIA_ACCESS]));
    return ue;
}

static bool is_open(const End *end)
{
    return dtls_stream_state(end->dtls) == TLS_STATE_OPEN;
}

static void send_dtls(End *end, Span packet)
{
    DtlsSink sink = {end_emit, end_deliver, end};

    g_assert_true(dtls_stream_write(end->dtls, packet, &sink));
}

static void send_plain(End *end, const Stream *s, MediaLegSide side, Span packet)
{
    NetDatagram d = {.peer = *media_port_addr(s->port[side]), .data = packet};

    g_assert_cmpint(net_udp_send(end->fd, &d, 1), ==, 1);
}

static bool got(const End *end, unsigned i, Span expected)
{
    gsize len;

    if (i >= end->got->len)
        return false;
    const char *p = g_bytes_get_data(end->got->pdata[i], &len);
    return span_eq((Span){p, len}, expected);
}

static MediaSpec udp_spec(Udp *u, const End *core)
{
    MediaSpec spec = fx_tls_spec(&u->fx);

    spec.transport = MEDIA_UDP;
    spec.framing = MEDIA_DATAGRAMS;
    spec.leg[MEDIA_CORE].remote = core->at;
    return spec;
}

static bool leg_is(Udp *u, MediaLegState state)
{
    return fx_state(&u->fx, 1, MEDIA_ACCESS) == state;
}

/* A stream whose UE is there. */
static Stream open_joined(Udp *u, End **ret_ue, End **ret_core)
{
    End *core = new_end(u, "127.0.0.1");
    MediaSpec spec = udp_spec(u, core);
    Stream s = fx_open(&u->fx, 1, &spec);
    End *ue = new_ue(u, &s, u->fx.ctx_ue);

    FX_UNTIL(&u->fx, is_open(ue) && leg_is(u, MEDIA_LEG_OPEN));
    *ret_ue = ue;
    *ret_core = core;
    return s;
}

static void test_relay(void)
{
    Udp u;
    End *ue;
    End *core;
    char packet[1024];
    MediaEvent event;

    init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    memset(packet, 'f', sizeof packet);
    /* Every length, empty excepted, in order, nothing merged or split. */
    for (unsigned i = 1; i <= 400; i++) {
        packet[0] = (char)i;
        send_dtls(ue, (Span){packet, i * 2});
        send_plain(core, &s, MEDIA_CORE, (Span){packet, i * 2 + 1});
        if (i % 16 == 0)
            FX_UNTIL(&u.fx, core->got->len == i && ue->got->len == i);
    }
    for (unsigned i = 1; i <= 400; i++) {
        packet[0] = (char)i;
        g_assert_true(got(core, i - 1, (Span){packet, i * 2}));
        g_assert_true(got(ue, i - 1, (Span){packet, i * 2 + 1}));
    }
    MediaStats stats = fx_stats(&u.fx, 1);
    g_assert_cmpuint(stats.packets_in[MEDIA_ACCESS], ==, 400);
    g_assert_cmpuint(stats.packets_out[MEDIA_ACCESS], ==, 400);
    g_assert_cmpuint(stats.packets_in[MEDIA_CORE], ==, 400);
    g_assert_cmpuint(stats.packets_out[MEDIA_CORE], ==, 400);
    g_assert_cmpuint(stats.dropped, ==, 0);
    g_assert_true(g_str_has_prefix(stats.tls[MEDIA_ACCESS], "DTLSv1.2 ECDHE-"));
    g_assert_cmpuint(fx_count(&u.fx, 1, MEDIA_EVENT_TLS_ESTABLISHED, &event), ==, 1);
    g_assert_true(addr_eq(&event.peer, &ue->at));
    /* Too long for a record in one datagram: dropped and counted. */
    char longer[1300] = "";
    send_plain(core, &s, MEDIA_CORE, (Span){longer, sizeof longer});
    FX_UNTIL(&u.fx, fx_stats(&u.fx, 1).dropped == 1);
    fx_close(&u.fx, &s);
    FX_UNTIL(&u.fx, dtls_stream_state(ue->dtls) == TLS_STATE_EOF);
    g_assert_cmpuint(ue->plain_bytes, ==, 0);
    clear(&u);
}

/* The last eight wait for the UE; nothing in clear leaves for it, ever. */
static void test_early_core(void)
{
    Udp u;

    init(&u, NULL);
    End *core = new_end(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    Stream s = fx_open(&u.fx, 1, &spec);
    for (unsigned i = 0; i < 12; i++)
        send_plain(core, &s, MEDIA_CORE, (Span){"ABCDEFGHIJKL" + i, 1});
    FX_UNTIL(&u.fx,
             fx_stats(&u.fx, 1).packets_in[MEDIA_CORE] == 12 && fx_stats(&u.fx, 1).dropped == 4);
    End *ue = new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, ue->got->len == 8);
    for (unsigned i = 0; i < 8; i++)
        g_assert_true(got(ue, i, (Span){"EFGHIJKL" + i, 1}));
    g_assert_cmpuint(ue->plain_bytes, ==, 0);
    fx_close(&u.fx, &s);
    clear(&u);
}

static void test_held_too_long(void)
{
    Udp u;

    init(&u, NULL);
    End *core = new_end(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    Stream s = fx_open(&u.fx, 1, &spec);
    send_plain(core, &s, MEDIA_CORE, SPAN("old"));
    FX_UNTIL(&u.fx, fx_stats(&u.fx, 1).packets_in[MEDIA_CORE] == 1);
    int64_t later = g_get_monotonic_time() + 1100000;
    FX_UNTIL(&u.fx, g_get_monotonic_time() > later);
    send_plain(core, &s, MEDIA_CORE, SPAN("new"));
    End *ue = new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, ue->got->len == 1);
    g_assert_true(got(ue, 0, SPAN("new")));
    fx_close(&u.fx, &s);
    clear(&u);
}

/* DTL-11, DTL-09: what is not DTLS or STUN is dropped and counted, however it looks like UDPTL. */
static void test_demux(void)
{
    Udp u;
    End *ue;
    End *core;
    const Span junk[] = {SPAN("\x04xxxxxxxxxxxxxxxxxxxxxxx"),  SPAN("\x13xxxxxxxxxxxxxxxxxxxxx"),
                         SPAN("\x40xxxxxxxxxxxxxxxxxxxxxxx"),  SPAN("\xff"),
                         SPAN("\x00\x01\x06\x01\x02\x00\x00"), SPAN("\x14xx"),
                         SPAN("\x17\xfe\xfd\x00\x01garbage"),  SPAN("")};

    init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    uint64_t before = fx_stats(&u.fx, 1).dropped;
    for (unsigned i = 0; i < G_N_ELEMENTS(junk); i++) {
        send_plain(ue, &s, MEDIA_ACCESS, junk[i]);
        FX_UNTIL(&u.fx, fx_stats(&u.fx, 1).dropped > before);
        before = fx_stats(&u.fx, 1).dropped;
    }
    send_dtls(ue, SPAN("good"));
    FX_UNTIL(&u.fx, core->got->len > 0);
    g_assert_true(got(core, 0, SPAN("good")));
    g_assert_cmpuint(core->got->len, ==, 1);
    fx_close(&u.fx, &s);
    clear(&u);
}

static void test_stun(void)
{
    Udp u;
    End *ue;
    End *core;

    init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    End *other = new_end(&u, "127.0.0.1");
    send_plain(other, &s, MEDIA_ACCESS, SPAN("\x00\x01\x00\x00\x21\x12\xa4\x42transaction!"));
    FX_UNTIL(&u.fx, other->got->len == 1);
    g_assert_cmpuint(g_bytes_get_size(other->got->pdata[0]), ==, 32);
    /* Answered, but no reason to send anything else there (DTL-17). */
    send_plain(core, &s, MEDIA_CORE, SPAN("for the ue"));
    FX_UNTIL(&u.fx, ue->got->len == 1);
    g_assert_cmpuint(other->got->len, ==, 1);
    fx_close(&u.fx, &s);
    clear(&u);
}

/* The UE's NAT moves it; a stranger who sends what he saw or made up does not move it. */
static void test_relatch(void)
{
    Udp u;
    End *ue;
    End *core;

    init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    End *stranger = new_end(&u, "127.0.0.3");
    uint64_t before = fx_stats(&u.fx, 1).dropped;
    send_plain(stranger, &s, MEDIA_ACCESS,
               SPAN("\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x63\x00\x10garbage garbage "));
    FX_UNTIL(&u.fx, fx_stats(&u.fx, 1).dropped > before);
    send_plain(core, &s, MEDIA_CORE, SPAN("one"));
    FX_UNTIL(&u.fx, got(ue, 0, SPAN("one")));
    /* From now on it is behind another address. */
    net_close(&ue->fd);
    rebind(ue, "127.0.0.2");
    u.fx.turn_fd[ue - u.end] = ue->fd;
    send_dtls(ue, SPAN("moved"));
    FX_UNTIL(&u.fx, got(core, 0, SPAN("moved")));
    send_plain(core, &s, MEDIA_CORE, SPAN("two"));
    FX_UNTIL(&u.fx, got(ue, 1, SPAN("two")));
    g_assert_cmpuint(stranger->got->len, ==, 0);
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 1);
    fx_close(&u.fx, &s);
    clear(&u);
}

/* TLS-15: a new handshake on the same addresses, by a stranger in vain, by the UE with success. */
static void test_new_handshake(void)
{
    Udp u;
    End *ue;
    End *core;

    init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    DtlsStream *old = g_steal_pointer(&ue->dtls);
    start_dtls(&u, ue, u.fx.ctx_stranger, TLS_CLIENT, &ue->to);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, NULL) == 1);
    /* The old association did not notice. */
    dtls_stream_free(ue->dtls);
    ue->dtls = old;
    send_dtls(ue, SPAN("old"));
    FX_UNTIL(&u.fx, got(core, 0, SPAN("old")));
    send_plain(core, &s, MEDIA_CORE, SPAN("to old"));
    FX_UNTIL(&u.fx, got(ue, 0, SPAN("to old")));
    start_dtls(&u, ue, u.fx.ctx_ue, TLS_CLIENT, &ue->to);
    FX_UNTIL(&u.fx, is_open(ue) && fx_count(&u.fx, 1, MEDIA_EVENT_TLS_ESTABLISHED, NULL) == 2);
    send_dtls(ue, SPAN("new"));
    FX_UNTIL(&u.fx, got(core, 1, SPAN("new")));
    send_plain(core, &s, MEDIA_CORE, SPAN("to new"));
    FX_UNTIL(&u.fx, got(ue, 1, SPAN("to new")));
    fx_close(&u.fx, &s);
    clear(&u);
}

static void test_stranger(void)
{
    Udp u;
    MediaEvent event;

    init(&u, NULL);
    End *core = new_end(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    Stream s = fx_open(&u.fx, 1, &spec);
    End *stranger = new_ue(&u, &s, u.fx.ctx_stranger);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, &event) == 1);
    FX_UNTIL(&u.fx, dtls_stream_state(stranger->dtls) == TLS_STATE_FAILED);
    g_assert_false(event.final);
    g_assert_true(addr_eq(&event.peer, &stranger->at));
    End *ue = new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, is_open(ue));
    send_dtls(ue, SPAN("me"));
    FX_UNTIL(&u.fx, got(core, 0, SPAN("me")));
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 2);
    fx_close(&u.fx, &s);
    clear(&u);
}

/* Forged first flights, more than there are places: the UE gets in at once, nobody is told. */
static void test_forged_hellos(void)
{
    Udp u;

    init(&u, NULL);
    End *core = new_end(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    Stream s = fx_open(&u.fx, 1, &spec);
    for (unsigned i = 0; i < 6; i++) {
        End *forger = new_ue(&u, &s, u.fx.ctx_ue);
        forger->deaf = UINT_MAX;
    }
    End *ue = new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, is_open(ue));
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 1);
    send_dtls(ue, SPAN("me"));
    FX_UNTIL(&u.fx, got(core, 0, SPAN("me")));
    fx_close(&u.fx, &s);
    clear(&u);
}

static void test_quarantine(void)
{
    Udp u;

    init(&u, NULL);
    End *core = new_end(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    FingerprintSet known = spec.leg[MEDIA_ACCESS].fingerprints;
    spec.answered = false;
    spec.leg[MEDIA_ACCESS].fingerprints.n = 0;
    Stream s = fx_open(&u.fx, 1, &spec);
    End *ue = new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, is_open(ue) && leg_is(&u, MEDIA_LEG_QUARANTINE));
    send_dtls(ue, SPAN("one"));
    send_dtls(ue, SPAN("two"));
    send_plain(core, &s, MEDIA_CORE, SPAN("back"));
    FX_UNTIL(&u.fx, fx_stats(&u.fx, 1).packets_in[MEDIA_CORE] == 1);
    g_assert_cmpuint(core->got->len + ue->got->len, ==, 0);
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 0);
    spec.answered = true;
    spec.leg[MEDIA_ACCESS].fingerprints = known;
    media_update(u.fx.pool, 1, &spec);
    FX_UNTIL(&u.fx, got(ue, 0, SPAN("back")));
    FX_UNTIL(&u.fx, got(core, 0, SPAN("one")) && got(core, 1, SPAN("two")));
    /* DTL-16: signalling takes the fingerprint back. */
    spec.leg[MEDIA_ACCESS].fingerprints = fx_fingerprints(u.fx.id_stranger);
    media_update(u.fx.pool, 1, &spec);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, NULL) == 1);
    FX_UNTIL(&u.fx, leg_is(&u, MEDIA_LEG_LISTENING));
    fx_close(&u.fx, &s);
    clear(&u);
}

static void test_quarantine_timeout(void)
{
    Udp u;
    MediaLimits limits = media_limits_default();

    limits.fingerprint_unknown_ms = 100;
    init(&u, &limits);
    End *core = new_end(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    spec.leg[MEDIA_ACCESS].fingerprints.n = 0;
    Stream s = fx_open(&u.fx, 1, &spec);
    End *ue = new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_FINGERPRINT_UNKNOWN_TIMEOUT, NULL) == 1);
    FX_UNTIL(&u.fx, dtls_stream_state(ue->dtls) == TLS_STATE_EOF);
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 1);
    fx_close(&u.fx, &s);
    clear(&u);
}

static MediaSpec client_spec(Udp *u, const End *core, const End *ue)
{
    MediaSpec spec = udp_spec(u, core);

    spec.leg[MEDIA_ACCESS].tls_role = MEDIA_TLS_CLIENT;
    spec.leg[MEDIA_ACCESS].remote = ue->at;
    return spec;
}

/* We begin when answered; a lost first flight is sent again. */
static void test_client(void)
{
    Udp u;

    init(&u, NULL);
    End *core = new_end(&u, "127.0.0.1");
    End *ue = new_end(&u, "127.0.0.1");
    ue->deaf = 1;
    MediaSpec spec = client_spec(&u, core, ue);
    spec.answered = false;
    Stream s = fx_open(&u.fx, 1, &spec);
    start_dtls(&u, ue, u.fx.ctx_ue, TLS_SERVER, media_port_addr(s.port[MEDIA_ACCESS]));
    spec.answered = true;
    media_update(u.fx.pool, 1, &spec);
    FX_UNTIL(&u.fx, is_open(ue) && leg_is(&u, MEDIA_LEG_OPEN));
    g_assert_cmpuint(ue->deaf, ==, 0);
    send_dtls(ue, SPAN("hi"));
    FX_UNTIL(&u.fx, got(core, 0, SPAN("hi")));
    fx_close(&u.fx, &s);
    clear(&u);
}

static void test_client_mismatch(void)
{
    Udp u;
    MediaEvent event;

    init(&u, NULL);
    End *core = new_end(&u, "127.0.0.1");
    End *ue = new_end(&u, "127.0.0.1");
    MediaSpec spec = client_spec(&u, core, ue);
    Stream s = fx_open(&u.fx, 1, &spec);
    start_dtls(&u, ue, u.fx.ctx_stranger, TLS_SERVER, media_port_addr(s.port[MEDIA_ACCESS]));
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, &event) == 1);
    g_assert_true(event.final);
    FX_UNTIL(&u.fx, leg_is(&u, MEDIA_LEG_FAILED));
    fx_close(&u.fx, &s);
    clear(&u);
}

static void test_released(void)
{
    Udp u;
    End *ue;
    End *core;
    MediaEvent event;

    init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    DtlsSink sink = {end_emit, end_deliver, ue};
    dtls_stream_close(ue->dtls, &sink);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_BEARER_RELEASED, &event) == 1);
    g_assert_false(event.final);
    FX_UNTIL(&u.fx, leg_is(&u, MEDIA_LEG_LISTENING));
    g_assert_cmpstr(fx_stats(&u.fx, 1).tls[MEDIA_ACCESS], ==, "");
    End *again = new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, is_open(again));
    send_dtls(again, SPAN("back"));
    FX_UNTIL(&u.fx, got(core, 0, SPAN("back")));
    fx_close(&u.fx, &s);
    clear(&u);
}

/* The core's IP address counts, not its port; hold is no place to send to. */
static void test_core_source(void)
{
    Udp u;
    End *ue;
    End *core;

    init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    End *forger = new_end(&u, "127.0.0.2");
    End *sender = new_end(&u, "127.0.0.1");
    send_plain(forger, &s, MEDIA_CORE, SPAN("forged"));
    FX_UNTIL(&u.fx, fx_stats(&u.fx, 1).dropped == 1);
    send_plain(sender, &s, MEDIA_CORE, SPAN("other port"));
    FX_UNTIL(&u.fx, got(ue, 0, SPAN("other port")));
    send_dtls(ue, SPAN("to the signalled port"));
    FX_UNTIL(&u.fx, got(core, 0, SPAN("to the signalled port")));
    MediaSpec spec = udp_spec(&u, core);
    g_assert_true(addr_parse_ip(SPAN("0.0.0.0"), &spec.leg[MEDIA_CORE].remote));
    spec.leg[MEDIA_CORE].remote.port = core->at.port;
    media_update(u.fx.pool, 1, &spec);
    FX_UNTIL(&u.fx, fx_state(&u.fx, 1, MEDIA_CORE) == MEDIA_LEG_IDLE);
    send_dtls(ue, SPAN("held"));
    send_plain(core, &s, MEDIA_CORE, SPAN("still heard"));
    FX_UNTIL(&u.fx, got(ue, 1, SPAN("still heard")));
    g_assert_cmpuint(sender->got->len + forger->got->len, ==, 0);
    g_assert_cmpuint(core->got->len, ==, 1);
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 1);
    fx_close(&u.fx, &s);
    clear(&u);
}

static void test_accept_timeout(void)
{
    Udp u;
    MediaLimits limits = media_limits_default();

    limits.accept_ms = 50;
    limits.idle_ms = 100;
    init(&u, &limits);
    End *core = new_end(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    Stream s = fx_open(&u.fx, 1, &spec);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_ACCEPT_TIMEOUT, NULL) == 1);
    End *ue = new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_MEDIA_TIMEOUT, NULL) == 1);
    FX_UNTIL(&u.fx, dtls_stream_state(ue->dtls) == TLS_STATE_EOF);
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 3);
    fx_close(&u.fx, &s);
    clear(&u);
}

static void test_many_cycles(void)
{
    Udp u;

    init(&u, NULL);
    End *core = new_end(&u, "127.0.0.1");
    End *ue = new_end(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    unsigned fds = fx_fds();
    for (unsigned i = 0; i < 500; i++) {
        Stream s = fx_open(&u.fx, i, &spec);
        if (i % 5 == 0) {
            start_dtls(&u, ue, u.fx.ctx_ue, TLS_CLIENT, media_port_addr(s.port[0]));
            if (i % 10 == 0)
                FX_UNTIL(&u.fx, is_open(ue));
        }
        fx_close(&u.fx, &s);
    }
    FX_UNTIL(&u.fx, fx_fds() == fds);
    g_assert_cmpuint(media_ports_used(u.fx.ports, NULL), ==, 0);
    clear(&u);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/udp/DTL-10/relay", test_relay);
    g_test_add_func("/media/udp/DTL-09/early-core", test_early_core);
    g_test_add_func("/media/udp/DTL-09/held-too-long", test_held_too_long);
    g_test_add_func("/media/udp/DTL-11/demux", test_demux);
    g_test_add_func("/media/udp/DTL-12/stun", test_stun);
    g_test_add_func("/media/udp/DTL-17/relatch", test_relatch);
    g_test_add_func("/media/udp/TLS-15/new-handshake", test_new_handshake);
    g_test_add_func("/media/udp/TRK-06/stranger", test_stranger);
    g_test_add_func("/media/udp/TRK-06/forged-hellos", test_forged_hellos);
    g_test_add_func("/media/udp/TRK-10/quarantine", test_quarantine);
    g_test_add_func("/media/udp/TRK-10/timeout", test_quarantine_timeout);
    g_test_add_func("/media/udp/client", test_client);
    g_test_add_func("/media/udp/DTL-16/client-mismatch", test_client_mismatch);
    g_test_add_func("/media/udp/released", test_released);
    g_test_add_func("/media/udp/core-source", test_core_source);
    g_test_add_func("/media/udp/accept-timeout", test_accept_timeout);
    g_test_add_func("/media/udp/many-cycles", test_many_cycles);
    return g_test_run();
}
