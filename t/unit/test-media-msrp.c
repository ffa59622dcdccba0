/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams whose frames are read: paths mapped on the way, strangers' frames refused, bad ones the end. */
#include "media/media-msrp.h"
#include "net/net-tcp.h"
#include "t/unit/media-fixture.h"

#define UE_URI      "msrps://192.0.2.1:2855/s;tcp"
#define CORE_URI    "msrp://192.0.2.9:7000/k;tcp"
#define AGW_AT_UE   "msrps://203.0.113.1:30000/k;tcp"
#define AGW_AT_CORE "msrp://203.0.113.2:40000/s;tcp"

#define FRAME(to, from, body)                                                                      \
    "MSRP abcd1234 SEND\r\nTo-Path: " to "\r\nFrom-Path: " from                                    \
    "\r\nMessage-ID: 1\r\nContent-Type: text/plain\r\n\r\n" body "\r\n-------abcd1234$\r\n"

static MediaMsrp *aware(void)
{
    static const char *const peer[2] = {UE_URI, CORE_URI};
    static const char *const ours[2] = {AGW_AT_UE, AGW_AT_CORE};

    return media_msrp_new(MSRP_MAP_AWARE, peer, ours, NULL);
}

static MediaMsrp *swapped(void)
{
    static const char *const peer[2] = {UE_URI, CORE_URI};
    static const char *const ours[2] = {"msrps://192.0.2.9:7000/k;tcp",
                                        "msrp://192.0.2.1:2855/s;tcp"};

    return media_msrp_new(MSRP_MAP_SCHEME, peer, ours, NULL);
}

/* With TLS towards the UE, as frames are only swapped between legs of different security. Takes @msrp. */
static void join_within(Joined *p, MediaMsrp *msrp, const MediaLimits *limits)
{
    joined_init(p, limits);
    p->spec.framing = MEDIA_MSRP;
    p->spec.msrp = msrp;
    joined_open(p);
}

static void join(Joined *p, MediaMsrp *msrp)
{
    join_within(p, msrp, NULL);
}

static void part(Joined *p)
{
    joined_clear(p);
    media_msrp_unref(p->spec.msrp);
}

static void test_aware(void)
{
    Joined p;

    join(&p, aware());
    peer_send(p.ue, SPAN(FRAME(AGW_AT_UE, UE_URI, "to core")));
    peer_send(p.core, SPAN(FRAME(AGW_AT_CORE, CORE_URI, "to ue")));
    FX_UNTIL(&p.fx, peer_has(p.core, SPAN(FRAME(CORE_URI, AGW_AT_CORE, "to core"))));
    FX_UNTIL(&p.fx, peer_has(p.ue, SPAN(FRAME(UE_URI, AGW_AT_UE, "to ue"))));
    part(&p);
}

static void test_scheme(void)
{
    Joined p;

    join(&p, swapped());
    peer_send(p.ue, SPAN(FRAME("msrps://192.0.2.9:7000/k;tcp", UE_URI, "x")));
    FX_UNTIL(&p.fx, peer_has(p.core, SPAN(FRAME(CORE_URI, "msrp://192.0.2.1:2855/s;tcp", "x"))));
    part(&p);
}

/* MSR-05: a session that this connection does not carry. What follows still gets through. */
static void test_unknown_session(void)
{
    Joined p;

    join(&p, aware());
    peer_send(p.ue, SPAN(FRAME("msrps://203.0.113.1:30000/other;tcp", UE_URI, "lost")));
    peer_send(p.ue, SPAN(FRAME(AGW_AT_UE, UE_URI, "kept")));
    FX_UNTIL(&p.fx, peer_has(p.core, SPAN(FRAME(CORE_URI, AGW_AT_CORE, "kept"))));
    FX_UNTIL(&p.fx, p.ue->received > 0);
    g_assert_true(span_starts(buf_span(&p.ue->in), SPAN("MSRP abcd1234 481 ")));
    part(&p);
}

/* MSR-05, TRK-05: the right peer, once more: it is told so, and the first connection goes on. */
static void test_second_connection(void)
{
    Joined p;

    join(&p, aware());
    peer_send(p.ue, SPAN(FRAME(AGW_AT_UE, UE_URI, "1")));
    FX_UNTIL(&p.fx, p.core->received > 0);
    Peer *second = peer_to_leg(&p.fx, &p.s, MEDIA_ACCESS, p.fx.ctx_ue);
    FX_UNTIL(&p.fx, second->established);
    peer_send(second, SPAN(FRAME(AGW_AT_UE, UE_URI, "stolen")));
    FX_UNTIL(&p.fx, second->eof);
    g_assert_true(span_starts(buf_span(&second->in), SPAN("MSRP abcd1234 506 ")));
    peer_send(p.ue, SPAN(FRAME(AGW_AT_UE, UE_URI, "2")));
    FX_UNTIL(&p.fx, peer_has(p.core, SPAN(FRAME(CORE_URI, AGW_AT_CORE, "1")
                                              FRAME(CORE_URI, AGW_AT_CORE, "2"))));
    /* A stranger is not even told. */
    Peer *stranger = peer_to_leg(&p.fx, &p.s, MEDIA_ACCESS, p.fx.ctx_stranger);
    FX_UNTIL(&p.fx, stranger->broken || stranger->eof);
    g_assert_cmpuint(stranger->received, ==, 0);
    g_assert_cmpint(fx_state(&p.fx, 1, MEDIA_ACCESS), ==, MEDIA_LEG_OPEN);
    part(&p);
}

/* Nothing of a malformed frame reaches the other side, and one event tells why. */
static void test_malformed(void)
{
    Joined p;
    MediaEvent event;

    join(&p, aware());
    peer_send(p.ue, SPAN("MSRP abcd1234 SEND\r\nFrom-Path: " UE_URI "\r\nsecret\r\n"));
    FX_UNTIL(&p.fx, fx_count(&p.fx, 1, MEDIA_EVENT_BEARER_RELEASED, &event) == 1);
    g_assert_true(g_str_has_prefix(event.reason, "malformed MSRP: "));
    g_assert_cmpint(event.leg, ==, MEDIA_ACCESS);
    FX_UNTIL(&p.fx, p.core->eof || p.core->broken);
    g_assert_cmpuint(p.core->received, ==, 0);
    part(&p);
}

/* TRK-03: from the next frame on, while one is under way. */
static void test_mode_change(void)
{
    Joined p;
    static const char first[] = FRAME("msrps://192.0.2.9:7000/k;tcp", UE_URI, "0123456789");
    static const char second[] = FRAME(AGW_AT_UE, UE_URI, "second");
    size_t half = sizeof first - 30;

    join(&p, swapped());
    peer_send(p.ue, span_head(SPAN(first), half));
    FX_UNTIL(&p.fx, p.core->received > 0);
    media_msrp_unref(p.spec.msrp);
    p.spec.msrp = aware();
    media_update(p.fx.pool, 1, &p.spec);
    /* Commands are carried out in order: what was told after it is done, so the update is. */
    Stream after = fx_open(&p.fx, 2, &p.spec);
    fx_close(&p.fx, &after);
    peer_send(p.ue, span_skip(SPAN(first), half));
    peer_send(p.ue, SPAN(second));
    FX_UNTIL(&p.fx,
             peer_has(p.core, SPAN(FRAME(CORE_URI, "msrp://192.0.2.1:2855/s;tcp", "0123456789")
                                       FRAME(CORE_URI, AGW_AT_CORE, "second"))));
    part(&p);
}

/* Both peers wait to be connected to: the gateway binds the session for them. */
static void test_speaks_first(void)
{
    Joined p;
    Addr ip = fx_loopback();
    int listener[2];

    fx_init(&p.fx, NULL, 1);
    p.spec = fx_plain_spec();
    p.spec.framing = MEDIA_MSRP;
    p.spec.msrp = aware();
    for (int side = 0; side < 2; side++) {
        listener[side] = net_tcp_listen(&ip, 1, false);
        p.spec.leg[side].setup = MEDIA_SETUP_ACTIVE;
        g_assert_cmpint(net_local_addr(listener[side], &p.spec.leg[side].remote), ==, 0);
    }
    p.s = fx_open(&p.fx, 1, &p.spec);
    p.ue = peer_accept(&p.fx, listener[MEDIA_ACCESS], NULL, TLS_SERVER);
    p.core = peer_accept(&p.fx, listener[MEDIA_CORE], NULL, TLS_SERVER);
    FX_UNTIL(&p.fx, p.ue->received > 0 && p.core->received > 0);
    g_assert_nonnull(g_strstr_len(p.ue->in.data, (gssize)p.ue->received,
                                  " SEND\r\nTo-Path: " UE_URI "\r\nFrom-Path: " AGW_AT_UE "\r\n"));
    g_assert_nonnull(g_strstr_len(p.core->in.data, (gssize)p.core->received,
                                  " SEND\r\nTo-Path: " CORE_URI "\r\nFrom-Path: " AGW_AT_CORE
                                  "\r\n"));
    part(&p);
    net_close(&listener[0]);
    net_close(&listener[1]);
}

/* Small frames, many of them in a read, leave in order and whole. They grow, so that reads become shorter. */
static void test_many_frames(gconstpointer buffer)
{
    Joined p;
    MediaLimits limits = media_limits_default();
    g_autoptr(GString) sent = g_string_new(NULL), wanted = g_string_new(NULL);

    limits.buffer = GPOINTER_TO_SIZE(buffer);
    join_within(&p, aware(), &limits);
    for (unsigned i = 0; i < 300; i++) {
        g_string_append_printf(sent, FRAME(AGW_AT_CORE, CORE_URI, "%u"), i);
        g_string_append_printf(wanted, FRAME(UE_URI, AGW_AT_UE, "%u"), i);
    }
    peer_send(p.core, (Span){sent->str, sent->len});
    FX_UNTIL(&p.fx, peer_has(p.ue, (Span){wanted->str, wanted->len}));
    part(&p);
}

static void test_equal(void)
{
    MediaMsrp *a = aware(), *b = aware(), *c = swapped();

    g_assert_true(media_msrp_eq(a, b));
    g_assert_false(media_msrp_eq(a, c));
    g_assert_false(media_msrp_eq(a, NULL));
    g_assert_true(media_msrp_eq(NULL, NULL));
    media_msrp_unref(a);
    media_msrp_unref(b);
    media_msrp_unref(c);
    media_msrp_unref(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/msrp/equal", test_equal);
    g_test_add_func("/media/msrp/TRK-02/MSR-08/aware", test_aware);
    g_test_add_func("/media/msrp/TRK-01/scheme", test_scheme);
    g_test_add_func("/media/msrp/MSR-05/unknown-session", test_unknown_session);
    g_test_add_func("/media/msrp/MSR-05/TRK-05/second-connection", test_second_connection);
    g_test_add_func("/media/msrp/MSR-07/malformed", test_malformed);
    g_test_add_func("/media/msrp/TRK-03/mode-change", test_mode_change);
    g_test_add_func("/media/msrp/COM-10/speaks-first", test_speaks_first);
    g_test_add_data_func("/media/msrp/MSR-07/many-frames/largest-buffer",
                         GSIZE_TO_POINTER(MEDIA_BUFFER_MAX), test_many_frames);
    g_test_add_data_func("/media/msrp/MSR-07/many-frames/smallest-buffer",
                         GSIZE_TO_POINTER(MEDIA_BUFFER_MIN), test_many_frames);
    return g_test_run();
}
