/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "media/media-lease.h"

#include "net/net-tcp.h"
#include "t/unit/media-udp-fixture.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#define LONG_MS 600000

/* As a process that was frozen finds it. */
static void freeze(Fixture *fx)
{
    media_pool_lease(fx->pool, 1);
    FX_UNTIL(fx, media_pool_stale(fx->pool));
}

static void thaw(Fixture *fx)
{
    media_pool_lease(fx->pool, LONG_MS);
    media_pool_reopen(fx->pool);
}

/* The only worker has executed a command and so seen every socket that was ready before. */
static void round_trips(Fixture *fx, unsigned n)
{
    MediaSpec spec = fx_plain_spec();

    for (unsigned i = 0; i < n; i++) {
        Stream s = fx_open(fx, 100, &spec);
        fx_close(fx, &s);
    }
}

/* All that was sent is in the gateway's socket. */
static bool is_delivered(const Peer *p)
{
    int n = -1;

    g_assert_cmpint(ioctl(p->fd, SIOCOUTQ, &n), ==, 0);
    return n == 0 && buf_len(&p->out) == 0;
}

static Stream open_joined(Fixture *fx, uint64_t id, Peer **ret_ue, Peer **ret_core)
{
    MediaSpec spec = fx_tls_spec(fx);
    Stream s = fx_open(fx, id, &spec);

    *ret_ue = peer_to_leg(fx, &s, MEDIA_ACCESS, fx->ctx_ue);
    *ret_core = peer_to_leg(fx, &s, MEDIA_CORE, NULL);
    FX_UNTIL(fx, fx_state(fx, id, MEDIA_ACCESS) == MEDIA_LEG_OPEN &&
                     fx_state(fx, id, MEDIA_CORE) == MEDIA_LEG_OPEN && (*ret_ue)->established);
    return s;
}

static void until_passed(const MediaLease *lease)
{
    int64_t give_up = g_get_monotonic_time() + FX_PATIENCE_US;

    while (!media_lease_passed(lease))
        g_assert_cmpint(g_get_monotonic_time(), <, give_up);
}

static void test_gate(void)
{
    MediaLease lease = {0};
    MediaGate gate = {.lease = &lease};

    g_assert_false(media_gate_held(&gate));
    g_assert_false(media_lease_passed(&lease));
    media_lease_set(&lease, LONG_MS);
    g_assert_false(media_gate_held(&gate));

    media_lease_set(&lease, 1);
    until_passed(&lease);
    g_assert_true(media_gate_held(&gate));
    media_lease_alive(&lease); /* comes too late */
    g_assert_true(media_lease_passed(&lease));
    media_lease_set(&lease, LONG_MS);
    g_assert_true(media_gate_held(&gate));

    uint16_t epoch = media_lease_renew(&lease);
    g_assert_false(media_lease_passed(&lease));
    g_assert_true(media_gate_held(&gate));
    g_assert_true(media_gate_open(&gate, epoch));
    g_assert_false(media_gate_held(&gate));
}

/* A worker that nothing had woken before the control thread reopened has not executed the commands yet. */
static void test_gate_slept(void)
{
    MediaLease lease = {0};
    MediaGate gate = {.lease = &lease};

    media_lease_set(&lease, LONG_MS);
    uint16_t first = media_lease_renew(&lease);
    uint16_t second = media_lease_renew(&lease);
    g_assert_true(media_gate_held(&gate));
    g_assert_false(media_gate_open(&gate, first)); /* and another one is on its way */
    g_assert_true(media_gate_held(&gate));
    g_assert_true(media_gate_open(&gate, second));
    g_assert_false(media_gate_held(&gate));
}

/* The epoch is a number that goes round. */
static void test_gate_round(void)
{
    MediaLease lease = {0};
    MediaGate gate = {.lease = &lease};

    media_lease_set(&lease, LONG_MS);
    for (unsigned i = 0; i < 70000; i++) {
        uint16_t epoch = media_lease_renew(&lease);
        g_assert_true(media_gate_held(&gate));
        g_assert_true(media_gate_open(&gate, epoch));
        g_assert_false(media_lease_passed(&lease));
    }
}

static void test_off(void)
{
    Fixture fx;
    Peer *ue, *core;

    fx_init(&fx, NULL, 1);
    Stream s = open_joined(&fx, 1, &ue, &core);
    g_assert_false(media_pool_stale(fx.pool));
    peer_send(ue, SPAN("one"));
    FX_UNTIL(&fx, peer_has(core, SPAN("one")));
    media_pool_reopen(fx.pool);
    g_assert_false(media_pool_stale(fx.pool));
    peer_send(core, SPAN("two"));
    FX_UNTIL(&fx, peer_has(ue, SPAN("two")));
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void test_fresh(void)
{
    Fixture fx;
    Peer *ue, *core;

    fx_init(&fx, NULL, 1);
    media_pool_lease(fx.pool, LONG_MS);
    Stream s = open_joined(&fx, 1, &ue, &core);
    media_pool_alive(fx.pool);
    peer_send(ue, SPAN("one"));
    peer_send(core, SPAN("two"));
    FX_UNTIL(&fx, peer_has(core, SPAN("one")) && peer_has(ue, SPAN("two")));
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void test_held(void)
{
    Fixture fx;
    Peer *ue, *core;

    fx_init(&fx, NULL, 1);
    Stream s = open_joined(&fx, 1, &ue, &core);
    MediaSpec spec = fx_tls_spec(&fx);
    Stream waits = fx_open(&fx, 2, &spec);
    peer_send(ue, SPAN("one "));
    FX_UNTIL(&fx, peer_has(core, SPAN("one ")) && fx_stats(&fx, 1).bytes_in[MEDIA_ACCESS] == 4);

    freeze(&fx);
    peer_send(ue, SPAN("two "));
    peer_send(core, SPAN("three "));
    Peer *newcomer = peer_to_leg(&fx, &waits, MEDIA_ACCESS, fx.ctx_ue);
    FX_UNTIL(&fx, is_delivered(ue) && is_delivered(core) && !newcomer->connecting);
    media_pool_alive(fx.pool);
    round_trips(&fx, 3);
    peer_send(ue, SPAN("four"));
    FX_UNTIL(&fx, is_delivered(ue));
    round_trips(&fx, 3);
    g_assert_true(media_pool_stale(fx.pool));
    g_assert_true(peer_has(core, SPAN("one ")));
    g_assert_true(peer_has(ue, SPAN("")));
    g_assert_cmpuint(fx_stats(&fx, 1).bytes_in[MEDIA_ACCESS], ==, 4);
    g_assert_cmpuint(fx_stats(&fx, 1).bytes_in[MEDIA_CORE], ==, 0);
    g_assert_cmpint(fx_state(&fx, 2, MEDIA_ACCESS), ==, MEDIA_LEG_LISTENING);
    g_assert_false(newcomer->established);

    thaw(&fx);
    FX_UNTIL(&fx, peer_has(core, SPAN("one two four")) && peer_has(ue, SPAN("three ")));
    FX_UNTIL(&fx, newcomer->established);
    g_assert_cmpuint(fx_count(&fx, 1, MEDIA_EVENT_BEARER_RELEASED, NULL), ==, 0);
    fx_close(&fx, &waits);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

/* Of what another node has claimed meanwhile nothing comes any more; the rest goes on. */
static void test_lost(void)
{
    Fixture fx;
    Peer *ue[2], *core[2];

    fx_init(&fx, NULL, 1);
    Stream lost = open_joined(&fx, 1, &ue[0], &core[0]);
    Stream kept = open_joined(&fx, 2, &ue[1], &core[1]);
    freeze(&fx);
    peer_send(ue[0], SPAN("lost"));
    peer_send(ue[1], SPAN("kept"));
    FX_UNTIL(&fx, is_delivered(ue[0]) && is_delivered(ue[1]));
    round_trips(&fx, 2); /* a longer lease, as thaw() makes it, opens no gate that is closed */
    media_close(fx.pool, lost.id);
    thaw(&fx);
    FX_UNTIL(&fx, peer_has(core[1], SPAN("kept")));
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_CLOSED, NULL) == 1);
    FX_UNTIL(&fx, core[0]->fin && (ue[0]->fin || ue[0]->broken));
    g_assert_true(peer_has(core[0], SPAN("")));
    media_port_release(lost.port[0]);
    media_port_release(lost.port[1]);
    fx_close(&fx, &kept);
    fx_clear(&fx);
}

/* What a lost stream had read, and could not write yet, is lost with it. */
static void test_lost_pending(void)
{
    Fixture fx;
    Peer *ue, *core;
    uint64_t taken = 0;
    unsigned still = 0;

    fx_init(&fx, NULL, 1);
    Stream s = open_joined(&fx, 1, &ue, &core);
    core->paused = true;
    core->hash = g_checksum_new(G_CHECKSUM_SHA256);
    ue->to_send = 64 << 20;
    /* Until the core's socket is full and the gateway reads no more. */
    while (still < 10) {
        uint64_t before = taken;
        round_trips(&fx, 1);
        taken = fx_stats(&fx, 1).bytes_out[MEDIA_CORE];
        still = taken > 0 && taken == before ? still + 1 : 0;
    }
    g_assert_cmpuint(ue->to_send, >, 0);
    freeze(&fx);
    media_close(fx.pool, s.id);
    thaw(&fx);
    core->paused = false;
    FX_UNTIL(&fx, fx_count(&fx, s.id, MEDIA_EVENT_CLOSED, NULL) == 1);
    FX_UNTIL(&fx, core->fin || core->broken);
    g_assert_cmpuint(core->received, <, taken);
    media_port_release(s.port[0]);
    media_port_release(s.port[1]);
    fx_clear(&fx);
}

/* A program that cannot find out what is still its own can be stopped all the same. */
static void test_end(void)
{
    Fixture fx;
    Peer *ue, *core;

    fx_init(&fx, NULL, 1);
    Stream s = open_joined(&fx, 1, &ue, &core);
    freeze(&fx);
    peer_send(ue, SPAN("late"));
    FX_UNTIL(&fx, is_delivered(ue));
    round_trips(&fx, 1);
    media_port_release(s.port[0]);
    media_port_release(s.port[1]);
    fx_clear(&fx);
}

/* A stream of which we open the connection waits with that. */
static void test_connect(void)
{
    Fixture fx;
    Addr ip = fx_loopback();
    Addr at;
    Addr nobody;
    int listener = net_tcp_listen(&ip, 8, false);
    MediaSpec spec = fx_plain_spec();

    g_assert_cmpint(net_local_addr(listener, &at), ==, 0);
    spec.leg[MEDIA_ACCESS].setup = MEDIA_SETUP_ACTIVE;
    spec.leg[MEDIA_ACCESS].remote = at;
    fx_init(&fx, NULL, 1);
    freeze(&fx);
    Stream s = fx_open(&fx, 1, &spec);
    round_trips(&fx, 2);
    g_assert_cmpint(net_tcp_accept(listener, &nobody), ==, -EAGAIN);
    thaw(&fx);
    Peer *ue = peer_accept(&fx, listener, NULL, TLS_SERVER);
    Peer *core = peer_to_leg(&fx, &s, MEDIA_CORE, NULL);
    peer_send(ue, SPAN("here"));
    FX_UNTIL(&fx, peer_has(core, SPAN("here")));
    fx_close(&fx, &s);
    fx_clear(&fx);
    net_close(&listener);
}

/* A time that came while the gate was closed is not forgotten. */
static void test_timer(void)
{
    Fixture fx;
    MediaLimits limits = media_limits_default();
    MediaSpec spec = fx_plain_spec();

    limits.accept_ms = 30;
    fx_init(&fx, &limits, 1);
    freeze(&fx);
    Stream s = fx_open(&fx, 1, &spec);
    int64_t due = g_get_monotonic_time() + 60 * 1000;
    FX_UNTIL(&fx, g_get_monotonic_time() > due);
    round_trips(&fx, 2);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 0);
    thaw(&fx);
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_ACCEPT_TIMEOUT, NULL) == 1);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void test_udp(void)
{
    Udp u;

    udp_init(&u, NULL);
    End *core = end_new(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    Stream s = fx_open(&u.fx, 1, &spec);
    End *ue = end_new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, end_is_open(ue) && fx_state(&u.fx, 1, MEDIA_ACCESS) == MEDIA_LEG_OPEN);

    freeze(&u.fx);
    end_send_dtls(ue, SPAN("one"));
    end_send_dtls(ue, SPAN("two"));
    end_send_plain(core, &s, MEDIA_CORE, SPAN("three"));
    round_trips(&u.fx, 3);
    g_assert_cmpuint(core->got->len + ue->got->len, ==, 0);
    thaw(&u.fx);
    FX_UNTIL(&u.fx, core->got->len == 2 && ue->got->len == 1);
    g_assert_true(end_got(core, 0, SPAN("one")) && end_got(core, 1, SPAN("two")));
    g_assert_true(end_got(ue, 0, SPAN("three")));

    /* Lost: it ends in silence, the UE hears no close_notify of a node that is not its own any more. */
    freeze(&u.fx);
    end_send_dtls(ue, SPAN("four"));
    fx_close(&u.fx, &s);
    thaw(&u.fx);
    round_trips(&u.fx, 2);
    g_assert_cmpuint(core->got->len, ==, 2);
    g_assert_true(end_is_open(ue));
    udp_clear(&u);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/lease/gate", test_gate);
    g_test_add_func("/media/lease/gate/slept-through-it", test_gate_slept);
    g_test_add_func("/media/lease/gate/epoch-goes-round", test_gate_round);
    g_test_add_func("/media/lease/off", test_off);
    g_test_add_func("/media/lease/fresh", test_fresh);
    g_test_add_func("/media/lease/TRK-27/held-and-reopened", test_held);
    g_test_add_func("/media/lease/TRK-27/lost-stream-sends-nothing", test_lost);
    g_test_add_func("/media/lease/TRK-27/lost-stream-drops-what-is-pending", test_lost_pending);
    g_test_add_func("/media/lease/connects-later", test_connect);
    g_test_add_func("/media/lease/held-worker-ends", test_end);
    g_test_add_func("/media/lease/timer-fires-later", test_timer);
    g_test_add_func("/media/lease/TRK-27/udp", test_udp);
    return g_test_run();
}
