/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CTL-03, CTL-04: TCP ends here on both legs, whoever opens the connection on either of them. */
#include "net/net-tcp.h"
#include "t/unit/media-fixture.h"

typedef struct Row {
    const char *name;
    MediaSetup access, core;
    bool secure; /* the access leg */
} Row;

static const Row rows[] = {
    {"CTL-04/both-come-to-us", MEDIA_SETUP_PASSIVE, MEDIA_SETUP_PASSIVE, false},
    {"ue-comes-and-we-go-on", MEDIA_SETUP_PASSIVE, MEDIA_SETUP_ACTIVE, false},
    {"core-comes-and-we-go-to-the-ue", MEDIA_SETUP_ACTIVE, MEDIA_SETUP_PASSIVE, false},
    {"BFC-07/we-go-to-both", MEDIA_SETUP_ACTIVE, MEDIA_SETUP_ACTIVE, false},
    {"CTL-04/both-come-to-us-tls", MEDIA_SETUP_PASSIVE, MEDIA_SETUP_PASSIVE, true},
    {"ue-comes-and-we-go-on-tls", MEDIA_SETUP_PASSIVE, MEDIA_SETUP_ACTIVE, true},
    {"core-comes-and-we-go-to-the-ue-tls", MEDIA_SETUP_ACTIVE, MEDIA_SETUP_PASSIVE, true},
    {"BFC-07/we-go-to-both-tls", MEDIA_SETUP_ACTIVE, MEDIA_SETUP_ACTIVE, true},
};

typedef struct Play {
    Fixture fx;
    MediaSpec spec;
    Stream s;
    int listener[2]; /* -1: the peer connects */
} Play;

static void choose_setup(Play *p, MediaLegSide side, MediaSetup setup)
{
    MediaLeg *leg = &p->spec.leg[side];
    Addr ip = fx_loopback();

    leg->setup = setup;
    p->listener[side] = -1;
    if (setup != MEDIA_SETUP_ACTIVE)
        return;
    leg->tls_role = MEDIA_TLS_CLIENT;
    p->listener[side] = net_tcp_listen(&ip, 8, false);
    g_assert_cmpint(p->listener[side], >=, 0);
    g_assert_cmpint(net_local_addr(p->listener[side], &leg->remote), ==, 0);
}

static Peer *join(Play *p, MediaLegSide side)
{
    TlsCtx *ctx = p->spec.leg[side].security == MEDIA_TLS ? p->fx.ctx_ue : NULL;
    Peer *peer = p->listener[side] < 0 ? peer_to_leg(&p->fx, &p->s, side, ctx)
                                       : peer_accept(&p->fx, p->listener[side], ctx, TLS_SERVER);

    FX_UNTIL(&p->fx, fx_state(&p->fx, 1, side) == MEDIA_LEG_OPEN);
    return peer;
}

/* The far end of the peer's connection is ours, and each leg has a connection of its own. */
static void assert_ends_here(const Play *p, MediaLegSide side, const Peer *peer)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    Addr far;

    g_assert_cmpint(getpeername(peer->fd, (struct sockaddr *)&sa, &len), ==, 0);
    g_assert_true(addr_from_sockaddr((struct sockaddr *)&sa, &far));
    if (p->listener[side] < 0)
        g_assert_true(addr_eq(&far, media_port_addr(p->s.port[side])));
    else
        g_assert_true(addr_ip_eq(&far, media_port_addr(p->s.port[side])));
}

static void test_setup(gconstpointer data)
{
    const Row *row = data;
    Play p;

    fx_init(&p.fx, NULL, 1);
    p.spec = row->secure ? fx_tls_spec(&p.fx) : fx_plain_spec();
    choose_setup(&p, MEDIA_ACCESS, row->access);
    choose_setup(&p, MEDIA_CORE, row->core);
    p.s = fx_open(&p.fx, 1, &p.spec);
    Peer *ue = join(&p, MEDIA_ACCESS);
    Peer *core = join(&p, MEDIA_CORE);
    assert_ends_here(&p, MEDIA_ACCESS, ue);
    assert_ends_here(&p, MEDIA_CORE, core);
    FX_UNTIL(&p.fx, !row->secure || ue->established);
    peer_send(ue, SPAN("from ue"));
    peer_send(core, SPAN("from core"));
    FX_UNTIL(&p.fx, peer_has(core, SPAN("from ue")) && peer_has(ue, SPAN("from core")));
    g_assert_cmpuint(fx_count_all(&p.fx, 1), ==, row->secure);
    fx_close(&p.fx, &p.s);
    net_close(&p.listener[0]);
    net_close(&p.listener[1]);
    fx_clear(&p.fx);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/media/setup/CTL-03/", rows[i].name, NULL);
        g_test_add_data_func(path, &rows[i], test_setup);
    }
    return g_test_run();
}
