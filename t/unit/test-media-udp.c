/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/net-udp.h"
#include "t/unit/media-udp-fixture.h"

static bool leg_is(Udp *u, MediaLegState state)
{
    return fx_state(&u->fx, 1, MEDIA_ACCESS) == state;
}

/* A stream whose UE is there. */
static Stream open_joined(Udp *u, End **ret_ue, End **ret_core)
{
    End *core = end_new(u, "127.0.0.1");
    MediaSpec spec = udp_spec(u, core);
    Stream s = fx_open(&u->fx, 1, &spec);
    End *ue = end_new_ue(u, &s, u->fx.ctx_ue);

    FX_UNTIL(&u->fx, end_is_open(ue) && leg_is(u, MEDIA_LEG_OPEN));
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

    udp_init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    memset(packet, 'f', sizeof packet);
    /* Every length, empty excepted, in order, nothing merged or split. */
    for (unsigned i = 1; i <= 400; i++) {
        packet[0] = (char)i;
        end_send_dtls(ue, (Span){packet, i * 2});
        end_send_plain(core, &s, MEDIA_CORE, (Span){packet, i * 2 + 1});
        if (i % 16 == 0)
            FX_UNTIL(&u.fx, core->got->len == i && ue->got->len == i);
    }
    for (unsigned i = 1; i <= 400; i++) {
        packet[0] = (char)i;
        g_assert_true(end_got(core, i - 1, (Span){packet, i * 2}));
        g_assert_true(end_got(ue, i - 1, (Span){packet, i * 2 + 1}));
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
    end_send_plain(core, &s, MEDIA_CORE, (Span){longer, sizeof longer});
    FX_UNTIL(&u.fx, fx_stats(&u.fx, 1).too_long == 1);
    g_assert_cmpuint(fx_stats(&u.fx, 1).dropped, ==, 1);
    /* Too long to be received whole. */
    char longest[NET_UDP_DATAGRAM_MAX + 1] = "";
    end_send_plain(core, &s, MEDIA_CORE, (Span){longest, sizeof longest});
    FX_UNTIL(&u.fx, fx_stats(&u.fx, 1).too_long == 2);
    g_assert_cmpuint(fx_stats(&u.fx, 1).dropped, ==, 2);
    g_assert_cmpuint(fx_stats(&u.fx, 1).packets_out[MEDIA_ACCESS], ==, 400);
    fx_close(&u.fx, &s);
    FX_UNTIL(&u.fx, dtls_stream_state(ue->dtls) == TLS_STATE_EOF);
    g_assert_cmpuint(ue->plain_bytes, ==, 0);
    udp_clear(&u);
}

/* The last eight wait for the UE; nothing in clear leaves for it, ever. */
static void test_early_core(void)
{
    Udp u;

    udp_init(&u, NULL);
    End *core = end_new(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    Stream s = fx_open(&u.fx, 1, &spec);
    for (unsigned i = 0; i < 12; i++)
        end_send_plain(core, &s, MEDIA_CORE, (Span){"ABCDEFGHIJKL" + i, 1});
    FX_UNTIL(&u.fx,
             fx_stats(&u.fx, 1).packets_in[MEDIA_CORE] == 12 && fx_stats(&u.fx, 1).dropped == 4);
    End *ue = end_new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, ue->got->len == 8);
    for (unsigned i = 0; i < 8; i++)
        g_assert_true(end_got(ue, i, (Span){"EFGHIJKL" + i, 1}));
    g_assert_cmpuint(ue->plain_bytes, ==, 0);
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

static void test_held_too_long(void)
{
    Udp u;

    udp_init(&u, NULL);
    End *core = end_new(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    Stream s = fx_open(&u.fx, 1, &spec);
    end_send_plain(core, &s, MEDIA_CORE, SPAN("old"));
    FX_UNTIL(&u.fx, fx_stats(&u.fx, 1).packets_in[MEDIA_CORE] == 1);
    int64_t later = g_get_monotonic_time() + 1100000;
    FX_UNTIL(&u.fx, g_get_monotonic_time() > later);
    end_send_plain(core, &s, MEDIA_CORE, SPAN("new"));
    End *ue = end_new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, ue->got->len == 1);
    g_assert_true(end_got(ue, 0, SPAN("new")));
    fx_close(&u.fx, &s);
    udp_clear(&u);
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

    udp_init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    uint64_t before = fx_stats(&u.fx, 1).dropped;
    for (unsigned i = 0; i < G_N_ELEMENTS(junk); i++) {
        end_send_plain(ue, &s, MEDIA_ACCESS, junk[i]);
        FX_UNTIL(&u.fx, fx_stats(&u.fx, 1).dropped > before);
        before = fx_stats(&u.fx, 1).dropped;
    }
    end_send_dtls(ue, SPAN("good"));
    FX_UNTIL(&u.fx, core->got->len > 0);
    g_assert_true(end_got(core, 0, SPAN("good")));
    g_assert_cmpuint(core->got->len, ==, 1);
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

static void test_stun(void)
{
    Udp u;
    End *ue;
    End *core;

    udp_init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    End *other = end_new(&u, "127.0.0.1");
    end_send_plain(other, &s, MEDIA_ACCESS, SPAN("\x00\x01\x00\x00\x21\x12\xa4\x42transaction!"));
    FX_UNTIL(&u.fx, other->got->len == 1);
    g_assert_cmpuint(g_bytes_get_size(other->got->pdata[0]), ==, 32);
    /* Answered, but no reason to send anything else there (DTL-17). */
    end_send_plain(core, &s, MEDIA_CORE, SPAN("for the ue"));
    FX_UNTIL(&u.fx, ue->got->len == 1);
    g_assert_cmpuint(other->got->len, ==, 1);
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

/* The UE's NAT moves it; a stranger who sends what he saw or made up does not move it. */
static void test_relatch(void)
{
    Udp u;
    End *ue;
    End *core;

    udp_init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    End *stranger = end_new(&u, "127.0.0.3");
    uint64_t before = fx_stats(&u.fx, 1).dropped;
    end_send_plain(stranger, &s, MEDIA_ACCESS,
                   SPAN("\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x63\x00\x10garbage garbage "));
    FX_UNTIL(&u.fx, fx_stats(&u.fx, 1).dropped > before);
    end_send_plain(core, &s, MEDIA_CORE, SPAN("one"));
    FX_UNTIL(&u.fx, end_got(ue, 0, SPAN("one")));
    /* From now on it is behind another address. */
    net_close(&ue->fd);
    end_rebind(ue, "127.0.0.2");
    u.fx.turn_fd[ue - u.end] = ue->fd;
    end_send_dtls(ue, SPAN("moved"));
    FX_UNTIL(&u.fx, end_got(core, 0, SPAN("moved")));
    end_send_plain(core, &s, MEDIA_CORE, SPAN("two"));
    FX_UNTIL(&u.fx, end_got(ue, 1, SPAN("two")));
    g_assert_cmpuint(stranger->got->len, ==, 0);
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 1);
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

/* TLS-15: a new handshake on the same addresses, by a stranger in vain, by the UE with success. */
static void test_new_handshake(void)
{
    Udp u;
    End *ue;
    End *core;

    udp_init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    DtlsStream *old = g_steal_pointer(&ue->dtls);
    end_start_dtls(&u, ue, u.fx.ctx_stranger, TLS_CLIENT, &ue->to);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, NULL) == 1);
    /* The old association did not notice. */
    dtls_stream_free(ue->dtls);
    ue->dtls = old;
    end_send_dtls(ue, SPAN("old"));
    FX_UNTIL(&u.fx, end_got(core, 0, SPAN("old")));
    end_send_plain(core, &s, MEDIA_CORE, SPAN("to old"));
    FX_UNTIL(&u.fx, end_got(ue, 0, SPAN("to old")));
    end_start_dtls(&u, ue, u.fx.ctx_ue, TLS_CLIENT, &ue->to);
    FX_UNTIL(&u.fx, end_is_open(ue) && fx_count(&u.fx, 1, MEDIA_EVENT_TLS_ESTABLISHED, NULL) == 2);
    end_send_dtls(ue, SPAN("new"));
    FX_UNTIL(&u.fx, end_got(core, 1, SPAN("new")));
    end_send_plain(core, &s, MEDIA_CORE, SPAN("to new"));
    FX_UNTIL(&u.fx, end_got(ue, 1, SPAN("to new")));
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

static void test_stranger(void)
{
    Udp u;
    MediaEvent event;

    udp_init(&u, NULL);
    End *core = end_new(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    Stream s = fx_open(&u.fx, 1, &spec);
    End *stranger = end_new_ue(&u, &s, u.fx.ctx_stranger);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, &event) == 1);
    FX_UNTIL(&u.fx, dtls_stream_state(stranger->dtls) == TLS_STATE_FAILED);
    g_assert_false(event.final);
    g_assert_true(addr_eq(&event.peer, &stranger->at));
    End *ue = end_new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, end_is_open(ue));
    end_send_dtls(ue, SPAN("me"));
    FX_UNTIL(&u.fx, end_got(core, 0, SPAN("me")));
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 2);
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

/* Forged first flights, more than there are places: the UE gets in at once, nobody is told. */
static void test_forged_hellos(void)
{
    Udp u;

    udp_init(&u, NULL);
    End *core = end_new(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    Stream s = fx_open(&u.fx, 1, &spec);
    for (unsigned i = 0; i < 6; i++) {
        End *forger = end_new_ue(&u, &s, u.fx.ctx_ue);
        forger->deaf = UINT_MAX;
    }
    End *ue = end_new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, end_is_open(ue));
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 1);
    end_send_dtls(ue, SPAN("me"));
    FX_UNTIL(&u.fx, end_got(core, 0, SPAN("me")));
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

static void test_quarantine(void)
{
    Udp u;

    udp_init(&u, NULL);
    End *core = end_new(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    FingerprintSet known = spec.leg[MEDIA_ACCESS].fingerprints;
    spec.answered = false;
    spec.leg[MEDIA_ACCESS].fingerprints.n = 0;
    Stream s = fx_open(&u.fx, 1, &spec);
    End *ue = end_new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, end_is_open(ue) && leg_is(&u, MEDIA_LEG_QUARANTINE));
    end_send_dtls(ue, SPAN("one"));
    end_send_dtls(ue, SPAN("two"));
    end_send_plain(core, &s, MEDIA_CORE, SPAN("back"));
    FX_UNTIL(&u.fx, fx_stats(&u.fx, 1).packets_in[MEDIA_CORE] == 1);
    g_assert_cmpuint(core->got->len + ue->got->len, ==, 0);
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 0);
    spec.answered = true;
    spec.leg[MEDIA_ACCESS].fingerprints = known;
    media_update(u.fx.pool, 1, &spec);
    FX_UNTIL(&u.fx, end_got(ue, 0, SPAN("back")));
    FX_UNTIL(&u.fx, end_got(core, 0, SPAN("one")) && end_got(core, 1, SPAN("two")));
    /* DTL-16: signalling takes the fingerprint back. */
    spec.leg[MEDIA_ACCESS].fingerprints = fx_fingerprints(u.fx.id_stranger);
    media_update(u.fx.pool, 1, &spec);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, NULL) == 1);
    FX_UNTIL(&u.fx, leg_is(&u, MEDIA_LEG_LISTENING));
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

static void test_quarantine_timeout(void)
{
    Udp u;
    MediaLimits limits = media_limits_default();

    limits.fingerprint_unknown_ms = 100;
    udp_init(&u, &limits);
    End *core = end_new(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    spec.leg[MEDIA_ACCESS].fingerprints.n = 0;
    Stream s = fx_open(&u.fx, 1, &spec);
    End *ue = end_new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_FINGERPRINT_UNKNOWN_TIMEOUT, NULL) == 1);
    FX_UNTIL(&u.fx, dtls_stream_state(ue->dtls) == TLS_STATE_EOF);
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 1);
    fx_close(&u.fx, &s);
    udp_clear(&u);
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

    udp_init(&u, NULL);
    End *core = end_new(&u, "127.0.0.1");
    End *ue = end_new(&u, "127.0.0.1");
    ue->deaf = 1;
    MediaSpec spec = client_spec(&u, core, ue);
    spec.answered = false;
    Stream s = fx_open(&u.fx, 1, &spec);
    end_start_dtls(&u, ue, u.fx.ctx_ue, TLS_SERVER, media_port_addr(s.port[MEDIA_ACCESS]));
    spec.answered = true;
    media_update(u.fx.pool, 1, &spec);
    FX_UNTIL(&u.fx, end_is_open(ue) && leg_is(&u, MEDIA_LEG_OPEN));
    g_assert_cmpuint(ue->deaf, ==, 0);
    end_send_dtls(ue, SPAN("hi"));
    FX_UNTIL(&u.fx, end_got(core, 0, SPAN("hi")));
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

static void test_client_mismatch(void)
{
    Udp u;
    MediaEvent event;

    udp_init(&u, NULL);
    End *core = end_new(&u, "127.0.0.1");
    End *ue = end_new(&u, "127.0.0.1");
    MediaSpec spec = client_spec(&u, core, ue);
    Stream s = fx_open(&u.fx, 1, &spec);
    end_start_dtls(&u, ue, u.fx.ctx_stranger, TLS_SERVER, media_port_addr(s.port[MEDIA_ACCESS]));
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, &event) == 1);
    g_assert_true(event.final);
    FX_UNTIL(&u.fx, leg_is(&u, MEDIA_LEG_FAILED));
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

static void test_released(void)
{
    Udp u;
    End *ue;
    End *core;
    MediaEvent event;

    udp_init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    end_close(ue);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_BEARER_RELEASED, &event) == 1);
    g_assert_false(event.final);
    FX_UNTIL(&u.fx, leg_is(&u, MEDIA_LEG_LISTENING));
    g_assert_cmpstr(fx_stats(&u.fx, 1).tls[MEDIA_ACCESS], ==, "");
    End *again = end_new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, end_is_open(again));
    end_send_dtls(again, SPAN("back"));
    FX_UNTIL(&u.fx, end_got(core, 0, SPAN("back")));
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

/* The core's IP address counts, not its port; hold is no place to send to. */
static void test_core_source(void)
{
    Udp u;
    End *ue;
    End *core;

    udp_init(&u, NULL);
    Stream s = open_joined(&u, &ue, &core);
    End *forger = end_new(&u, "127.0.0.2");
    End *sender = end_new(&u, "127.0.0.1");
    end_send_plain(forger, &s, MEDIA_CORE, SPAN("forged"));
    FX_UNTIL(&u.fx, fx_stats(&u.fx, 1).dropped == 1);
    end_send_plain(sender, &s, MEDIA_CORE, SPAN("other port"));
    FX_UNTIL(&u.fx, end_got(ue, 0, SPAN("other port")));
    end_send_dtls(ue, SPAN("to the signalled port"));
    FX_UNTIL(&u.fx, end_got(core, 0, SPAN("to the signalled port")));
    MediaSpec spec = udp_spec(&u, core);
    g_assert_true(addr_parse_ip(SPAN("0.0.0.0"), &spec.leg[MEDIA_CORE].remote));
    spec.leg[MEDIA_CORE].remote.port = core->at.port;
    media_update(u.fx.pool, 1, &spec);
    FX_UNTIL(&u.fx, fx_state(&u.fx, 1, MEDIA_CORE) == MEDIA_LEG_IDLE);
    end_send_dtls(ue, SPAN("held"));
    end_send_plain(core, &s, MEDIA_CORE, SPAN("still heard"));
    FX_UNTIL(&u.fx, end_got(ue, 1, SPAN("still heard")));
    g_assert_cmpuint(sender->got->len + forger->got->len, ==, 0);
    g_assert_cmpuint(core->got->len, ==, 1);
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 1);
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

static void test_accept_timeout(void)
{
    Udp u;
    MediaLimits limits = media_limits_default();

    limits.accept_ms = 50;
    limits.idle_ms = 100;
    udp_init(&u, &limits);
    End *core = end_new(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    Stream s = fx_open(&u.fx, 1, &spec);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_ACCEPT_TIMEOUT, NULL) == 1);
    End *ue = end_new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_MEDIA_TIMEOUT, NULL) == 1);
    FX_UNTIL(&u.fx, dtls_stream_state(ue->dtls) == TLS_STATE_EOF);
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 3);
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

/* The spec after an answer that asked for a new association with another certificate. */
static MediaSpec renewed(Udp *u, const End *core)
{
    MediaSpec spec = udp_spec(u, core);

    spec.leg[MEDIA_ACCESS].generation++;
    spec.leg[MEDIA_ACCESS].fingerprints = fx_fingerprints(u->fx.id_stranger);
    return spec;
}

/* DTL-07: on the same port, from the UE's new one; the old association serves until the new is up.
 */
static void test_renewed(void)
{
    Udp u;
    End *old;
    End *core;

    udp_init(&u, NULL);
    Stream s = open_joined(&u, &old, &core);
    MediaSpec spec = renewed(&u, core);
    media_update(u.fx.pool, 1, &spec);
    end_send_dtls(old, SPAN("old"));
    FX_UNTIL(&u.fx, end_got(core, 0, SPAN("old")));
    end_send_plain(core, &s, MEDIA_CORE, SPAN("to old"));
    FX_UNTIL(&u.fx, end_got(old, 0, SPAN("to old")));
    /* The certificate that was good is not any more, for a new association. */
    end_new_ue(&u, &s, u.fx.ctx_ue);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, NULL) == 1);
    end_send_dtls(old, SPAN("still"));
    FX_UNTIL(&u.fx, end_got(core, 1, SPAN("still")));

    End *now = end_new_ue(&u, &s, u.fx.ctx_stranger);
    FX_UNTIL(&u.fx, end_is_open(now) && dtls_stream_state(old->dtls) == TLS_STATE_EOF);
    end_send_dtls(now, SPAN("new"));
    FX_UNTIL(&u.fx, end_got(core, 2, SPAN("new")));
    end_send_plain(core, &s, MEDIA_CORE, SPAN("to new"));
    FX_UNTIL(&u.fx, end_got(now, 0, SPAN("to new")));
    g_assert_cmpuint(fx_count(&u.fx, 1, MEDIA_EVENT_TLS_ESTABLISHED, NULL), ==, 2);
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 3);
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

/* The UE ends the old one first: that is no release. */
static void test_renewed_closed(void)
{
    Udp u;
    End *old;
    End *core;

    udp_init(&u, NULL);
    Stream s = open_joined(&u, &old, &core);
    MediaSpec spec = renewed(&u, core);
    media_update(u.fx.pool, 1, &spec);
    end_close(old);
    FX_UNTIL(&u.fx, leg_is(&u, MEDIA_LEG_LISTENING));
    End *now = end_new_ue(&u, &s, u.fx.ctx_stranger);
    FX_UNTIL(&u.fx, end_is_open(now) && leg_is(&u, MEDIA_LEG_OPEN));
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 2);
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

/* Nobody comes: what was verified for other signalling ends with the event that says so. */
static void test_renewed_in_vain(void)
{
    Udp u;
    End *old;
    End *core;
    MediaLimits limits = media_limits_default();

    limits.accept_ms = 50;
    udp_init(&u, &limits);
    Stream s = open_joined(&u, &old, &core);
    MediaSpec spec = renewed(&u, core);
    media_update(u.fx.pool, 1, &spec);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_ACCEPT_TIMEOUT, NULL) == 1);
    FX_UNTIL(&u.fx, dtls_stream_state(old->dtls) == TLS_STATE_EOF);
    FX_UNTIL(&u.fx, leg_is(&u, MEDIA_LEG_LISTENING));
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 2);
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

/* We are to begin now, and the UE is elsewhere; then it shows a wrong certificate, which is final. */
static void test_renewed_client(void)
{
    Udp u;
    End *old;
    End *core;

    udp_init(&u, NULL);
    Stream s = open_joined(&u, &old, &core);
    End *now = end_new(&u, "127.0.0.1");
    end_start_dtls(&u, now, u.fx.ctx_stranger, TLS_SERVER, media_port_addr(s.port[MEDIA_ACCESS]));
    MediaSpec spec = client_spec(&u, core, now);
    spec.leg[MEDIA_ACCESS].generation = 1;
    spec.leg[MEDIA_ACCESS].fingerprints = fx_fingerprints(u.fx.id_stranger);
    media_update(u.fx.pool, 1, &spec);
    FX_UNTIL(&u.fx, end_is_open(now) && dtls_stream_state(old->dtls) == TLS_STATE_EOF);
    end_send_dtls(now, SPAN("new"));
    FX_UNTIL(&u.fx, end_got(core, 0, SPAN("new")));

    End *wrong = end_new(&u, "127.0.0.1");
    end_start_dtls(&u, wrong, u.fx.ctx_ue, TLS_SERVER, media_port_addr(s.port[MEDIA_ACCESS]));
    spec.leg[MEDIA_ACCESS].generation = 2;
    spec.leg[MEDIA_ACCESS].remote = wrong->at;
    media_update(u.fx.pool, 1, &spec);
    FX_UNTIL(&u.fx, fx_count(&u.fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, NULL) == 1);
    FX_UNTIL(&u.fx, dtls_stream_state(now->dtls) == TLS_STATE_EOF);
    FX_UNTIL(&u.fx, leg_is(&u, MEDIA_LEG_FAILED));
    g_assert_cmpuint(fx_count_all(&u.fx, 1), ==, 3);
    fx_close(&u.fx, &s);
    udp_clear(&u);
}

static void test_many_cycles(void)
{
    Udp u;

    udp_init(&u, NULL);
    End *core = end_new(&u, "127.0.0.1");
    End *ue = end_new(&u, "127.0.0.1");
    MediaSpec spec = udp_spec(&u, core);
    unsigned fds = fx_fds();
    for (unsigned i = 0; i < 500; i++) {
        Stream s = fx_open(&u.fx, i, &spec);
        if (i % 5 == 0) {
            end_start_dtls(&u, ue, u.fx.ctx_ue, TLS_CLIENT, media_port_addr(s.port[0]));
            if (i % 10 == 0)
                FX_UNTIL(&u.fx, end_is_open(ue));
        }
        fx_close(&u.fx, &s);
    }
    FX_UNTIL(&u.fx, fx_fds() == fds);
    g_assert_cmpuint(media_ports_used(u.fx.ports, NULL), ==, 0);
    udp_clear(&u);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/udp/ORG-14/DTL-10/relay", test_relay);
    g_test_add_func("/media/udp/DTL-09/early-core", test_early_core);
    g_test_add_func("/media/udp/DTL-09/held-too-long", test_held_too_long);
    g_test_add_func("/media/udp/DTL-11/demux", test_demux);
    g_test_add_func("/media/udp/DTL-12/stun", test_stun);
    g_test_add_func("/media/udp/DTL-17/relatch", test_relatch);
    g_test_add_func("/media/udp/TLS-15/new-handshake", test_new_handshake);
    g_test_add_func("/media/udp/TRK-06/stranger", test_stranger);
    g_test_add_func("/media/udp/TRK-06/forged-hellos", test_forged_hellos);
    g_test_add_func("/media/udp/TRK-10/DTL-08/quarantine", test_quarantine);
    g_test_add_func("/media/udp/TRK-10/timeout", test_quarantine_timeout);
    g_test_add_func("/media/udp/client", test_client);
    g_test_add_func("/media/udp/DTL-16/client-mismatch", test_client_mismatch);
    g_test_add_func("/media/udp/released", test_released);
    g_test_add_func("/media/udp/core-source", test_core_source);
    g_test_add_func("/media/udp/accept-timeout", test_accept_timeout);
    g_test_add_func("/media/udp/DTL-07/renewed", test_renewed);
    g_test_add_func("/media/udp/DTL-07/renewed-closed", test_renewed_closed);
    g_test_add_func("/media/udp/DTL-07/renewed-in-vain", test_renewed_in_vain);
    g_test_add_func("/media/udp/DTL-07/renewed-client", test_renewed_client);
    g_test_add_func("/media/udp/many-cycles", test_many_cycles);
    return g_test_run();
}
