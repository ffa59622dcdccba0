/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/net-tcp.h"
#include "t/unit/media-fixture.h"

static MediaSpec core_active_spec(const Addr *core)
{
    MediaSpec spec = fx_plain_spec();

    spec.leg[MEDIA_CORE].setup = MEDIA_SETUP_ACTIVE;
    spec.leg[MEDIA_CORE].remote = *core;
    return spec;
}

static int listen_anywhere(Addr *ret_addr)
{
    Addr ip = fx_loopback();
    int fd = net_tcp_listen(&ip, 8, false);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(net_local_addr(fd, ret_addr), ==, 0);
    return fd;
}

/* An address where nobody listens. */
static Addr closed_port(void)
{
    Addr at;
    int fd = listen_anywhere(&at);

    net_close(&fd);
    return at;
}

static void join(Fixture *fx, Stream *s, Peer **ret_ue, Peer **ret_core)
{
    *ret_ue = peer_to_leg(fx, s, MEDIA_ACCESS, NULL);
    *ret_core = peer_to_leg(fx, s, MEDIA_CORE, NULL);
    FX_UNTIL(fx, fx_state(fx, s->id, MEDIA_ACCESS) == MEDIA_LEG_OPEN &&
                     fx_state(fx, s->id, MEDIA_CORE) == MEDIA_LEG_OPEN);
}

static void test_both_passive(void)
{
    Fixture fx;
    MediaSpec spec = fx_plain_spec();
    Peer *ue;
    Peer *core;

    fx_init(&fx, NULL, 2);
    Stream s = fx_open(&fx, 1, &spec);
    join(&fx, &s, &ue, &core);
    peer_send(ue, SPAN("from ue"));
    peer_send(core, SPAN("from core"));
    FX_UNTIL(&fx, peer_has(core, SPAN("from ue")) && peer_has(ue, SPAN("from core")));
    /* The peer may have the bytes before the worker has counted them. */
    FX_UNTIL(&fx, fx_stats(&fx, 1).bytes_out[MEDIA_CORE] == 7 &&
                      fx_stats(&fx, 1).bytes_out[MEDIA_ACCESS] == 9);
    MediaStats stats = fx_stats(&fx, 1);
    g_assert_cmpuint(stats.bytes_in[MEDIA_ACCESS], ==, 7);
    g_assert_cmpuint(stats.bytes_in[MEDIA_CORE], ==, 9);
    g_assert_cmpint(stats.last_activity_us, >, 0);
    /* A graceful end: both peers see FIN, nobody a reset. */
    fx_close(&fx, &s);
    FX_UNTIL(&fx, ue->fin && core->fin);
    g_assert_false(ue->broken || core->broken);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 0);
    fx_clear(&fx);
}

/* The core may come and talk first; it is heard when the access leg is there. */
static void test_early_core(void)
{
    Fixture fx;
    MediaSpec spec = fx_plain_spec();

    fx_init(&fx, NULL, 1);
    Stream s = fx_open(&fx, 1, &spec);
    Peer *core = peer_to_leg(&fx, &s, MEDIA_CORE, NULL);
    peer_send(core, SPAN("early"));
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_CORE) == MEDIA_LEG_OPEN);
    g_assert_cmpuint(fx_stats(&fx, 1).bytes_in[MEDIA_CORE], ==, 0);
    peer_finish(core);
    Peer *ue = peer_to_leg(&fx, &s, MEDIA_ACCESS, NULL);
    FX_UNTIL(&fx, peer_has(ue, SPAN("early")) && ue->fin);
    peer_send(ue, SPAN("late answer"));
    FX_UNTIL(&fx, peer_has(core, SPAN("late answer")));
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void test_core_active(void)
{
    Fixture fx;
    Addr at;
    int listener = listen_anywhere(&at);
    MediaSpec spec = core_active_spec(&at);
    Addr nobody;

    fx_init(&fx, NULL, 1);
    Stream s = fx_open(&fx, 1, &spec);
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_ACCESS) == MEDIA_LEG_LISTENING);
    g_assert_cmpint(net_tcp_accept(listener, &nobody), <, 0);
    Peer *ue = peer_to_leg(&fx, &s, MEDIA_ACCESS, NULL);
    Peer *core = peer_accept(&fx, listener, NULL, TLS_SERVER);
    peer_send(ue, SPAN("a"));
    peer_send(core, SPAN("b"));
    FX_UNTIL(&fx, peer_has(core, SPAN("a")) && peer_has(ue, SPAN("b")));
    /* A reconnecting UE gets a new core connection; the old pair is released with one event. */
    peer_free(&fx, ue, false);
    FX_UNTIL(&fx, core->fin);
    peer_free(&fx, core, false);
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_BEARER_RELEASED, NULL) == 1);
    g_assert_cmpint(net_tcp_accept(listener, &nobody), <, 0);
    ue = peer_to_leg(&fx, &s, MEDIA_ACCESS, NULL);
    core = peer_accept(&fx, listener, NULL, TLS_SERVER);
    peer_send(ue, SPAN("again"));
    FX_UNTIL(&fx, peer_has(core, SPAN("again")));
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 1);
    fx_close(&fx, &s);
    net_close(&listener);
    fx_clear(&fx);
}

/* Neither early, nor to "hold" addresses, nor to nowhere; but as soon as signalling brings a place.
 */
static void test_connect_target(void)
{
    Fixture fx;
    Addr at;
    int listener = listen_anywhere(&at);
    MediaSpec spec = core_active_spec(&at);
    Addr nobody;
    struct {
        const char *ip;
        bool answered;
    } rows[] = {{"0.0.0.0", true}, {"::", true}, {NULL, true}, {"127.0.0.1", false}};

    fx_init(&fx, NULL, 1);
    spec.leg[MEDIA_ACCESS] = spec.leg[MEDIA_CORE];
    spec.leg[MEDIA_CORE] = (MediaLeg){.setup = MEDIA_SETUP_PASSIVE};
    spec.answered = false;
    Stream s = fx_open(&fx, 1, &spec);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        spec.answered = rows[i].answered;
        spec.leg[MEDIA_ACCESS].remote = (Addr){0};
        if (rows[i].ip)
            g_assert_true(addr_parse_ip(span_str(rows[i].ip), &spec.leg[MEDIA_ACCESS].remote));
        spec.leg[MEDIA_ACCESS].remote.port = at.port;
        media_update(fx.pool, 1, &spec);
    }
    /* The core connection shows that all updates were carried out. */
    Peer *core = peer_to_leg(&fx, &s, MEDIA_CORE, NULL);
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_CORE) == MEDIA_LEG_OPEN);
    g_assert_cmpint(fx_state(&fx, 1, MEDIA_ACCESS), ==, MEDIA_LEG_IDLE);
    g_assert_cmpint(net_tcp_accept(listener, &nobody), <, 0);
    spec.answered = true;
    spec.leg[MEDIA_ACCESS].remote = at;
    media_update(fx.pool, 1, &spec);
    Peer *ue = peer_accept(&fx, listener, NULL, TLS_SERVER);
    peer_send(core, SPAN("x"));
    FX_UNTIL(&fx, peer_has(ue, SPAN("x")));
    /* Hold does not tear it down, nor does a repeated description (TRK-08, TRK-12). */
    media_update(fx.pool, 1, &spec);
    g_assert_true(addr_parse_ip(SPAN("0.0.0.0"), &spec.leg[MEDIA_ACCESS].remote));
    media_update(fx.pool, 1, &spec);
    peer_send(core, SPAN("y"));
    FX_UNTIL(&fx, peer_has(ue, SPAN("xy")));
    /* A new address does. */
    int elsewhere = listen_anywhere(&spec.leg[MEDIA_ACCESS].remote);
    media_update(fx.pool, 1, &spec);
    Peer *ue2 = peer_accept(&fx, elsewhere, NULL, TLS_SERVER);
    FX_UNTIL(&fx, ue->fin && fx_count(&fx, 1, MEDIA_EVENT_BEARER_RELEASED, NULL) == 1);
    g_assert_false(ue2->fin);
    fx_close(&fx, &s);
    net_close(&listener);
    net_close(&elsewhere);
    fx_clear(&fx);
}

static void test_core_refuses(void)
{
    Fixture fx;
    Addr at = closed_port();
    MediaSpec spec = core_active_spec(&at);
    MediaEvent event;

    fx_init(&fx, NULL, 1);
    Stream s = fx_open(&fx, 1, &spec);
    Peer *ue = peer_to_leg(&fx, &s, MEDIA_ACCESS, NULL);
    FX_UNTIL(&fx, ue->fin && fx_count(&fx, 1, MEDIA_EVENT_TCP_CONNECT_FAILED, &event) == 1);
    g_assert_false(ue->broken);
    g_assert_cmpint(event.leg, ==, MEDIA_CORE);
    g_assert_false(event.final);
    g_assert_true(addr_eq(&event.peer, &at));
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 1);
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_CORE) == MEDIA_LEG_FAILED);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

/* As the active side of the access leg we try once, then only new signalling helps (MSR-06). */
static void test_access_refuses(void)
{
    Fixture fx;
    Addr at = closed_port();
    MediaSpec spec = fx_plain_spec();
    MediaEvent event;

    fx_init(&fx, NULL, 1);
    spec.leg[MEDIA_ACCESS].setup = MEDIA_SETUP_ACTIVE;
    spec.leg[MEDIA_ACCESS].remote = at;
    Stream s = fx_open(&fx, 1, &spec);
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_TCP_CONNECT_FAILED, &event) == 1);
    g_assert_cmpint(event.leg, ==, MEDIA_ACCESS);
    g_assert_true(event.final);
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_ACCESS) == MEDIA_LEG_FAILED);
    /* The core cannot be served. */
    Peer *core = peer_to_leg(&fx, &s, MEDIA_CORE, NULL);
    FX_UNTIL(&fx, core->fin || core->broken);
    int listener = listen_anywhere(&spec.leg[MEDIA_ACCESS].remote);
    media_update(fx.pool, 1, &spec);
    Peer *ue = peer_accept(&fx, listener, NULL, TLS_SERVER);
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_ACCESS) == MEDIA_LEG_OPEN);
    g_assert_false(ue->fin);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 1);
    fx_close(&fx, &s);
    net_close(&listener);
    fx_clear(&fx);
}

static void test_connect_timeout(void)
{
    Fixture fx;
    MediaLimits limits = media_limits_default();
    MediaSpec spec = fx_plain_spec();
    Addr ip = fx_loopback();
    Addr at;
    Peer *filler[4];
    int listener = net_tcp_listen(&ip, 0, false);

    /* A listener with a full backlog drops SYNs. */
    limits.connect_ms = 200;
    fx_init(&fx, &limits, 1);
    g_assert_cmpint(net_local_addr(listener, &at), ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(filler); i++)
        filler[i] = peer_connect(&fx, &at, NULL, TLS_CLIENT);
    FX_UNTIL(&fx, !filler[0]->connecting);
    spec.leg[MEDIA_ACCESS].setup = MEDIA_SETUP_ACTIVE;
    spec.leg[MEDIA_ACCESS].remote = at;
    Stream s = fx_open(&fx, 1, &spec);
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_TCP_CONNECT_FAILED, NULL) == 1);
    fx_close(&fx, &s);
    net_close(&listener);
    fx_clear(&fx);
}

static void test_second_connection(void)
{
    Fixture fx;
    MediaSpec spec = fx_plain_spec();
    Peer *ue;
    Peer *core;

    fx_init(&fx, NULL, 1);
    Stream s = fx_open(&fx, 1, &spec);
    join(&fx, &s, &ue, &core);
    for (unsigned side = 0; side < 2; side++) {
        Peer *second = peer_to_leg(&fx, &s, (MediaLegSide)side, NULL);
        FX_UNTIL(&fx, second->fin || second->broken);
        peer_free(&fx, second, false);
    }
    FX_UNTIL(&fx, fx_stats(&fx, 1).refused == 2);
    peer_send(ue, SPAN("still here"));
    FX_UNTIL(&fx, peer_has(core, SPAN("still here")));
    fx_close(&fx, &s);
    fx_clear(&fx);
}

/* A core that connected, gave up and comes again before the UE is there. */
static void test_second_after_hang_up(void)
{
    Fixture fx;
    MediaSpec spec = fx_plain_spec();

    fx_init(&fx, NULL, 1);
    Stream s = fx_open(&fx, 1, &spec);
    Peer *first = peer_to_leg(&fx, &s, MEDIA_CORE, NULL);
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_CORE) == MEDIA_LEG_OPEN);
    peer_free(&fx, first, false);
    Peer *core = peer_to_leg(&fx, &s, MEDIA_CORE, NULL);
    peer_send(core, SPAN("me"));
    FX_UNTIL(&fx, !core->connecting);
    Peer *ue = peer_to_leg(&fx, &s, MEDIA_ACCESS, NULL);
    FX_UNTIL(&fx, ue->received > 0 || core->fin || core->broken);
    /* The worker saw FIN and connection in this order, or refused the second: the peer tries again.
     */
    while (core->fin || core->broken) {
        peer_free(&fx, core, false);
        core = peer_to_leg(&fx, &s, MEDIA_CORE, NULL);
        peer_send(core, SPAN("me"));
        FX_UNTIL(&fx, ue->received > 0 || ue->fin || core->fin || core->broken);
    }
    FX_UNTIL(&fx, peer_has(ue, SPAN("me")));
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void test_reset_alone(void)
{
    Fixture fx;
    MediaSpec spec = fx_plain_spec();
    MediaEvent event;

    fx_init(&fx, NULL, 1);
    Stream s = fx_open(&fx, 1, &spec);
    Peer *core = peer_to_leg(&fx, &s, MEDIA_CORE, NULL);
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_CORE) == MEDIA_LEG_OPEN);
    peer_free(&fx, core, true);
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_BEARER_RELEASED, &event) == 1);
    g_assert_cmpint(event.leg, ==, MEDIA_CORE);
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_CORE) == MEDIA_LEG_LISTENING);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

/* TRK-23, both directions: FIN crosses behind the data, the other direction goes on, one event when
 * both are through. */
static void test_half_close(gconstpointer first_side)
{
    Fixture fx;
    MediaSpec spec = fx_plain_spec();
    Peer *peer[2];
    MediaLegSide a = (MediaLegSide)GPOINTER_TO_INT(first_side);
    MediaLegSide b = a == MEDIA_ACCESS ? MEDIA_CORE : MEDIA_ACCESS;
    MediaLimits limits = media_limits_default();
    MediaEvent event;

    limits.drain_ms = FX_PATIENCE_US / 1000; /* must not be over before the peers have had a turn */
    fx_init(&fx, &limits, 1);
    Stream s = fx_open(&fx, 1, &spec);
    join(&fx, &s, &peer[MEDIA_ACCESS], &peer[MEDIA_CORE]);
    peer_send(peer[a], SPAN("last words"));
    peer_finish(peer[a]);
    FX_UNTIL(&fx, peer[b]->fin);
    g_assert_true(peer_has(peer[b], SPAN("last words")));
    FX_UNTIL(&fx, fx_state(&fx, 1, a) == MEDIA_LEG_CLOSING);
    peer_send(peer[b], SPAN("answer"));
    FX_UNTIL(&fx, peer_has(peer[a], SPAN("answer")));
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 0);
    peer_finish(peer[b]);
    FX_UNTIL(&fx, peer[a]->fin && fx_count(&fx, 1, MEDIA_EVENT_BEARER_RELEASED, &event) == 1);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 1);
    g_assert_cmpint(event.leg, ==, a);
    g_assert_false(event.final);
    g_assert_false(peer[a]->broken || peer[b]->broken);
    FX_UNTIL(&fx, fx_state(&fx, 1, a) == MEDIA_LEG_LISTENING &&
                      fx_state(&fx, 1, b) == MEDIA_LEG_LISTENING);
    join(&fx, &s, &peer[MEDIA_ACCESS], &peer[MEDIA_CORE]);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void test_drain_time(void)
{
    Fixture fx;
    MediaLimits limits = media_limits_default();
    MediaSpec spec = fx_plain_spec();
    Peer *ue;
    Peer *core;

    limits.drain_ms = 100;
    fx_init(&fx, &limits, 1);
    Stream s = fx_open(&fx, 1, &spec);
    join(&fx, &s, &ue, &core);
    peer_finish(ue);
    FX_UNTIL(&fx, core->fin);
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_BEARER_RELEASED, NULL) == 1);
    FX_UNTIL(&fx, ue->fin);
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_ACCESS) == MEDIA_LEG_LISTENING);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 1);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void test_reset(gconstpointer side)
{
    Fixture fx;
    MediaSpec spec = fx_plain_spec();
    Peer *peer[2];
    MediaLegSide a = (MediaLegSide)GPOINTER_TO_INT(side);
    MediaLegSide b = a == MEDIA_ACCESS ? MEDIA_CORE : MEDIA_ACCESS;
    MediaEvent event;

    fx_init(&fx, NULL, 1);
    Stream s = fx_open(&fx, 1, &spec);
    join(&fx, &s, &peer[MEDIA_ACCESS], &peer[MEDIA_CORE]);
    peer_free(&fx, peer[a], true);
    FX_UNTIL(&fx, peer[b]->fin && fx_count(&fx, 1, MEDIA_EVENT_BEARER_RELEASED, &event) == 1);
    g_assert_cmpint(event.leg, ==, a);
    g_assert_nonnull(strstr(event.reason, "reset"));
    g_assert_false(peer[b]->broken);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 1);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void test_accept_timeout(void)
{
    Fixture fx;
    MediaLimits limits = media_limits_default();
    MediaSpec spec = fx_plain_spec();
    MediaEvent event;

    limits.accept_ms = 50;
    fx_init(&fx, &limits, 1);
    spec.answered = false;
    Stream s = fx_open(&fx, 1, &spec);
    spec.answered = true;
    media_update(fx.pool, 1, &spec);
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_ACCEPT_TIMEOUT, &event) == 1);
    g_assert_cmpint(event.leg, ==, MEDIA_ACCESS);
    g_assert_false(event.final);
    /* It listens on; now the core is what is missing. */
    Peer *ue = peer_to_leg(&fx, &s, MEDIA_ACCESS, NULL);
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_ACCEPT_TIMEOUT, &event) == 2);
    g_assert_cmpint(event.leg, ==, MEDIA_CORE);
    Peer *core = peer_to_leg(&fx, &s, MEDIA_CORE, NULL);
    peer_send(core, SPAN("sorry"));
    FX_UNTIL(&fx, peer_has(ue, SPAN("sorry")));
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 2);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void test_idle(void)
{
    Fixture fx;
    MediaLimits limits = media_limits_default();
    MediaSpec spec = fx_plain_spec();
    Peer *ue;
    Peer *core;

    /* Long enough that a busy machine does not look idle, and traffic for longer than that. */
    limits.idle_ms = 1000;
    fx_init(&fx, &limits, 1);
    Stream s = fx_open(&fx, 1, &spec);
    join(&fx, &s, &ue, &core);
    int64_t until = g_get_monotonic_time() + 1500000;
    for (unsigned sent = 0; g_get_monotonic_time() < until; sent++) {
        peer_send(ue, SPAN("x"));
        FX_UNTIL(&fx, core->received == sent + 1);
    }
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 0);
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_MEDIA_TIMEOUT, NULL) == 1);
    FX_UNTIL(&fx, ue->fin && core->fin);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 1);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

/* TRK-16: nobody connects, and nobody is let in, until signalling says so. */
static void test_holdconn(void)
{
    Fixture fx;
    MediaSpec spec = fx_plain_spec();

    fx_init(&fx, NULL, 1);
    spec.leg[MEDIA_ACCESS].setup = MEDIA_SETUP_HOLDCONN;
    Stream s = fx_open(&fx, 1, &spec);
    Peer *ue = peer_to_leg(&fx, &s, MEDIA_ACCESS, NULL);
    FX_UNTIL(&fx, ue->fin || ue->broken);
    FX_UNTIL(&fx, fx_stats(&fx, 1).refused == 1);
    spec.leg[MEDIA_ACCESS].setup = MEDIA_SETUP_PASSIVE;
    media_update(fx.pool, 1, &spec);
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_ACCESS) == MEDIA_LEG_LISTENING);
    Peer *core;
    join(&fx, &s, &ue, &core);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void expect_pattern(Peer *p, uint64_t to_send, size_t read_size)
{
    p->hash = g_checksum_new(G_CHECKSUM_SHA256);
    p->to_send = to_send;
    p->read_size = read_size;
}

/* TRK-24: slow readers on both sides, nothing lost, nothing piled up. */
static void test_bulk(void)
{
    Fixture fx;
    MediaSpec spec = fx_plain_spec();
    Peer *ue;
    Peer *core;
    uint64_t size = 10 << 20;

    fx_init(&fx, NULL, 1);
    Stream s = fx_open(&fx, 1, &spec);
    join(&fx, &s, &ue, &core);
    expect_pattern(ue, size, 9000);
    expect_pattern(core, size, 7000);
    FX_UNTIL(&fx, ue->received == size && core->received == size);
    g_assert_cmpstr(g_checksum_get_string(ue->hash), ==, g_checksum_get_string(core->sent_hash));
    g_assert_cmpstr(g_checksum_get_string(core->hash), ==, g_checksum_get_string(ue->sent_hash));
    fx_close(&fx, &s);
    fx_clear(&fx);
}

/* A peer that stops reading stops the other side; media_close() then ends by force within drain_ms.
 */
static void test_stuck_reader(void)
{
    Fixture fx;
    MediaLimits limits = media_limits_default();
    MediaSpec spec = fx_plain_spec();
    Peer *ue;
    Peer *core;
    uint64_t before;

    limits.drain_ms = 200;
    fx_init(&fx, &limits, 1);
    Stream s = fx_open(&fx, 1, &spec);
    join(&fx, &s, &ue, &core);
    ue->paused = true;
    core->to_send = UINT64_C(1) << 32;
    int64_t quiet = 0;
    before = 0;
    while (quiet == 0 || g_get_monotonic_time() < quiet) {
        fx_turn(&fx);
        if (core->sent != before || quiet == 0)
            quiet = g_get_monotonic_time() + 300000;
        before = core->sent;
    }
    /* Kernel buffers and one read of ours. */
    g_assert_cmpuint(core->sent, <, 64 << 20);
    core->to_send = 0;
    fx_close(&fx, &s);
    fx_clear(&fx);
}

#define BFCP_MESSAGE "\x20\x01\x00\x01\x00\x00\x00\x01\x00\x01\x00\x02\x02\x04\x00\x09"

/* BFC-09: a message that comes in pieces leaves whole; at the end of a stream nothing is kept back.
 */
static void test_bfcp(void)
{
    Fixture fx;
    MediaSpec spec = fx_plain_spec();
    Peer *ue;
    Peer *core;

    spec.framing = MEDIA_BFCP;
    fx_init(&fx, NULL, 1);
    Stream s = fx_open(&fx, 1, &spec);
    join(&fx, &s, &ue, &core);
    peer_send(ue, SPAN(BFCP_MESSAGE BFCP_MESSAGE "\x20\x01"));
    FX_UNTIL(&fx, core->received == 32);
    FX_UNTIL(&fx, fx_stats(&fx, 1).bytes_in[MEDIA_ACCESS] == 34 &&
                      fx_stats(&fx, 1).bytes_out[MEDIA_CORE] == 32);
    for (unsigned i = 2; i < 15; i++) {
        peer_send(ue, (Span){BFCP_MESSAGE + i, 1});
        FX_UNTIL(&fx, fx_stats(&fx, 1).bytes_in[MEDIA_ACCESS] == 33 + i);
    }
    g_assert_cmpuint(fx_stats(&fx, 1).bytes_out[MEDIA_CORE], ==, 32);
    peer_send(ue, (Span){BFCP_MESSAGE + 15, 1});
    FX_UNTIL(&fx, peer_has(core, SPAN(BFCP_MESSAGE BFCP_MESSAGE BFCP_MESSAGE)));
    peer_send(core, SPAN("\x20\x01\x00"));
    peer_finish(core);
    FX_UNTIL(&fx, ue->fin && peer_has(ue, SPAN("\x20\x01\x00")));
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void test_many_cycles(void)
{
    Fixture fx;
    MediaSpec spec = fx_plain_spec();

    fx_init(&fx, NULL, 2);
    unsigned fds = fx_fds();
    for (unsigned i = 0; i < 2000; i++) {
        Stream s = fx_open(&fx, i, &spec);
        if (i % 10 == 0) {
            Peer *ue = peer_to_leg(&fx, &s, MEDIA_ACCESS, NULL);
            Peer *core = peer_to_leg(&fx, &s, MEDIA_CORE, NULL);
            if (i % 20 == 0)
                FX_UNTIL(&fx, fx_state(&fx, i, MEDIA_ACCESS) == MEDIA_LEG_OPEN &&
                                  fx_state(&fx, i, MEDIA_CORE) == MEDIA_LEG_OPEN);
            peer_free(&fx, ue, i % 30 == 0);
            peer_free(&fx, core, false);
        }
        fx_close(&fx, &s);
    }
    FX_UNTIL(&fx, fx_fds() == fds);
    g_assert_cmpuint(media_ports_used(fx.ports, NULL), ==, 0);
    fx_clear(&fx);
}

/* The pool goes with its streams: peers see an end, descriptors come back. */
static void test_pool_free(void)
{
    Fixture fx;
    MediaSpec spec = fx_plain_spec();
    Peer *ue;
    Peer *core;

    unsigned fds = fx_fds();
    fx_init(&fx, NULL, 2);
    Stream s = fx_open(&fx, 1, &spec);
    Stream idle = fx_open(&fx, 2, &spec);
    join(&fx, &s, &ue, &core);
    media_port_release(s.port[0]);
    media_port_release(s.port[1]);
    media_port_release(idle.port[0]);
    media_port_release(idle.port[1]);
    fx_clear(&fx);
    g_assert_cmpuint(fx_fds(), ==, fds);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/tcp/CTL-04/both-passive", test_both_passive);
    g_test_add_func("/media/tcp/TRK-11/early-core", test_early_core);
    g_test_add_func("/media/tcp/core-active", test_core_active);
    g_test_add_func("/media/tcp/TRK-12/connect-target", test_connect_target);
    g_test_add_func("/media/tcp/core-refuses", test_core_refuses);
    g_test_add_func("/media/tcp/MSR-06/access-refuses", test_access_refuses);
    g_test_add_func("/media/tcp/connect-timeout", test_connect_timeout);
    g_test_add_func("/media/tcp/TRK-05/second-connection", test_second_connection);
    g_test_add_func("/media/tcp/TRK-05/second-after-hang-up", test_second_after_hang_up);
    g_test_add_func("/media/tcp/reset-alone", test_reset_alone);
    g_test_add_data_func("/media/tcp/TRK-23/half-close-access", GINT_TO_POINTER(MEDIA_ACCESS),
                         test_half_close);
    g_test_add_data_func("/media/tcp/TRK-23/half-close-core", GINT_TO_POINTER(MEDIA_CORE),
                         test_half_close);
    g_test_add_func("/media/tcp/TRK-23/drain-time", test_drain_time);
    g_test_add_data_func("/media/tcp/TRK-23/reset-access", GINT_TO_POINTER(MEDIA_ACCESS),
                         test_reset);
    g_test_add_data_func("/media/tcp/TRK-23/reset-core", GINT_TO_POINTER(MEDIA_CORE), test_reset);
    g_test_add_func("/media/tcp/accept-timeout", test_accept_timeout);
    g_test_add_func("/media/tcp/idle", test_idle);
    g_test_add_func("/media/tcp/TRK-16/holdconn", test_holdconn);
    g_test_add_func("/media/tcp/TRK-24/bulk", test_bulk);
    g_test_add_func("/media/tcp/TRK-24/stuck-reader", test_stuck_reader);
    g_test_add_func("/media/tcp/BFC-09/bfcp", test_bfcp);
    g_test_add_func("/media/tcp/many-cycles", test_many_cycles);
    g_test_add_func("/media/tcp/pool-free", test_pool_free);
    return g_test_run();
}
