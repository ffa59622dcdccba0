/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "net/net-tcp.h"
#include "t/unit/media-fixture.h"

static void test_relay(void)
{
    Fixture fx;
    MediaEvent event;

    fx_init(&fx, NULL, 2);
    MediaSpec spec = fx_tls_spec(&fx);
    Stream s = fx_open(&fx, 1, &spec);
    Peer *core = peer_join_core(&fx, &s);
    peer_send(core, SPAN("early"));
    Peer *ue = peer_join_ue(&fx, &s);
    FX_UNTIL(&fx, peer_has(ue, SPAN("early")));
    peer_send(ue, SPAN("from ue"));
    FX_UNTIL(&fx, peer_has(core, SPAN("from ue")));
    g_assert_cmpuint(fx_count(&fx, 1, MEDIA_EVENT_TLS_ESTABLISHED, &event), ==, 1);
    g_assert_true(g_str_has_prefix(event.reason, "TLSv1.3 TLS_AES_"));
    MediaStats stats = fx_stats(&fx, 1);
    g_assert_cmpstr(stats.tls[MEDIA_ACCESS], ==, event.reason);
    g_assert_cmpstr(stats.tls[MEDIA_CORE], ==, "");
    g_assert_true(fp_eq(&stats.peer[MEDIA_ACCESS], &spec.leg[MEDIA_ACCESS].fingerprints.fp[0]));
    g_assert_cmpuint(stats.bytes_in[MEDIA_ACCESS], ==, 7);
    /* The end is announced: close_notify and FIN to the UE, FIN to the core. */
    fx_close(&fx, &s);
    FX_UNTIL(&fx, ue->eof && core->fin);
    g_assert_false(ue->broken || core->broken);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 1);
    fx_clear(&fx);
}

/* Data in the same flight as the end of the handshake, with the core not there yet. */
static void test_early_ue(void)
{
    Fixture fx;
    Addr at;
    int listener = fx_listen(&at);

    fx_init(&fx, NULL, 1);
    MediaSpec spec = fx_tls_spec(&fx);
    spec.leg[MEDIA_CORE].setup = MEDIA_SETUP_ACTIVE;
    spec.leg[MEDIA_CORE].remote = at;
    Stream s = fx_open(&fx, 1, &spec);
    Peer *ue = peer_to_leg(&fx, &s, MEDIA_ACCESS, fx.ctx_ue);
    FX_UNTIL(&fx, ue->established);
    peer_send(ue, SPAN("early bird"));
    peer_finish(ue);
    Peer *core = peer_accept(&fx, listener, NULL, TLS_SERVER);
    FX_UNTIL(&fx, core->fin);
    g_assert_true(peer_has(core, SPAN("early bird")));
    peer_send(core, SPAN("answer"));
    peer_finish(core);
    FX_UNTIL(&fx, ue->eof && ue->fin);
    g_assert_true(peer_has(ue, SPAN("answer")));
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_BEARER_RELEASED, NULL) == 1);
    g_assert_false(ue->broken || core->broken);
    fx_close(&fx, &s);
    net_close(&listener);
    fx_clear(&fx);
}

typedef enum Attack {
    ATTACK_WRONG_CERTIFICATE,
    ATTACK_NO_CERTIFICATE_13,
    ATTACK_NO_CERTIFICATE_12,
    ATTACK_PLAIN,
    ATTACK_LEAVES,
    ATTACK_SILENT,
} Attack;

static Peer *attack(Fixture *fx, Stream *s, Attack how)
{
    const Addr *at = media_port_addr(s->port[MEDIA_ACCESS]);
    Peer *p;

    switch (how) {
    case ATTACK_WRONG_CERTIFICATE:
        return peer_connect(fx, at, fx->ctx_stranger, TLS_CLIENT);
    case ATTACK_NO_CERTIFICATE_13:
        return peer_connect_uncertified(fx, at, TLS1_3_VERSION);
    case ATTACK_NO_CERTIFICATE_12:
        return peer_connect_uncertified(fx, at, TLS1_2_VERSION);
    case ATTACK_PLAIN:
        p = peer_connect(fx, at, NULL, TLS_CLIENT);
        peer_send(p, SPAN("MSRP 1234 SEND\r\nTo-Path: msrp://core\r\n\r\nsecret"));
        return p;
    case ATTACK_LEAVES:
        p = peer_connect(fx, at, NULL, TLS_CLIENT);
        peer_finish(p);
        return p;
    default:
        return peer_connect(fx, at, NULL, TLS_CLIENT);
    }
}

typedef struct AttackRow {
    const char *name;
    Attack how;
    MediaEventKind event;
} AttackRow;

/* TRK-06: that connection only ends; the right UE is served; the core never sees a byte (ASC-07).
 */
static void test_stranger(gconstpointer data)
{
    const AttackRow *row = data;
    Fixture fx;
    MediaLimits limits = media_limits_default();
    MediaEvent event;

    limits.handshake_ms = row->how == ATTACK_SILENT ? 100 : 5000;
    fx_init(&fx, &limits, 1);
    MediaSpec spec = fx_tls_spec(&fx);
    Stream s = fx_open(&fx, 1, &spec);
    Peer *core = peer_join_core(&fx, &s);
    peer_send(core, SPAN("for the ue only"));
    Peer *stranger = attack(&fx, &s, row->how);
    FX_UNTIL(&fx, fx_count(&fx, 1, row->event, &event) == 1);
    FX_UNTIL(&fx, peer_is_over(stranger));
    g_assert_cmpuint(stranger->received, ==, 0);
    g_assert_cmpuint(core->received, ==, 0);
    g_assert_false(core->fin);
    g_assert_cmpint(event.leg, ==, MEDIA_ACCESS);
    g_assert_false(event.final);
    g_assert_true(addr_ip_eq(&event.peer, media_port_addr(s.port[0])));
    g_assert_cmpuint(strlen(event.reason), >, 0);
    g_assert_cmpuint(fx_stats(&fx, 1).refused, ==, 1);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 1);
    Peer *ue = peer_join_ue(&fx, &s);
    FX_UNTIL(&fx, peer_has(ue, SPAN("for the ue only")));
    fx_close(&fx, &s);
    fx_clear(&fx);
}

/* The fifth failure is the last that is told; the right UE still gets in, and then the count starts
 * anew. */
static void test_max_failures(void)
{
    Fixture fx;
    MediaEvent event;

    fx_init(&fx, NULL, 1);
    MediaSpec spec = fx_tls_spec(&fx);
    Stream s = fx_open(&fx, 1, &spec);
    Peer *core = peer_join_core(&fx, &s);
    for (unsigned i = 0; i < 8; i++) {
        Peer *stranger = attack(&fx, &s, ATTACK_WRONG_CERTIFICATE);
        FX_UNTIL(&fx, peer_is_over(stranger));
        FX_UNTIL(&fx, fx_stats(&fx, 1).refused == i + 1);
        peer_free(&fx, stranger, false);
    }
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_ACCESS) == MEDIA_LEG_FAILED);
    g_assert_cmpuint(fx_count(&fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, &event), ==, 5);
    g_assert_true(event.final);
    fx_expect_service(&fx, &s, core);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 6);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void test_handshake_limit(void)
{
    Fixture fx;
    MediaLimits limits = media_limits_default();

    limits.handshake_ms = 2000;
    fx_init(&fx, &limits, 1);
    MediaSpec spec = fx_tls_spec(&fx);
    Stream s = fx_open(&fx, 1, &spec);
    Peer *core = peer_join_core(&fx, &s);
    Peer *silent[2] = {attack(&fx, &s, ATTACK_SILENT), attack(&fx, &s, ATTACK_SILENT)};
    FX_UNTIL(&fx, !silent[0]->connecting && !silent[1]->connecting);
    Peer *third = attack(&fx, &s, ATTACK_SILENT);
    FX_UNTIL(&fx, peer_is_over(third));
    g_assert_false(peer_is_over(silent[0]) || peer_is_over(silent[1]));
    FX_UNTIL(&fx, peer_is_over(silent[0]) && peer_is_over(silent[1]));
    g_assert_cmpuint(fx_count(&fx, 1, MEDIA_EVENT_TLS_HANDSHAKE_FAILED, NULL), ==, 2);
    fx_expect_service(&fx, &s, core);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

/* Strangers who hold all the places do not keep out the address that was signalled. */
static void test_signalled_address_first(void)
{
    Fixture fx;

    fx_init(&fx, NULL, 1);
    MediaSpec spec = fx_tls_spec(&fx);
    spec.leg[MEDIA_ACCESS].remote = addr_with_port(fx_loopback(), 9);
    Stream s = fx_open(&fx, 1, &spec);
    Peer *core = peer_join_core(&fx, &s);
    const Addr *at = media_port_addr(s.port[MEDIA_ACCESS]);
    Peer *silent[2] = {peer_connect_from(&fx, "127.0.0.2", at, NULL),
                       peer_connect_from(&fx, "127.0.0.3", at, NULL)};
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_ACCESS) == MEDIA_LEG_HANDSHAKE);
    FX_UNTIL(&fx, !silent[0]->connecting && !silent[1]->connecting);
    Peer *third = peer_connect_from(&fx, "127.0.0.4", at, NULL);
    FX_UNTIL(&fx, peer_is_over(third));
    fx_expect_service(&fx, &s, core);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

/* ASC-03: the certificate of one stream is a stranger's on another. */
static void test_per_stream(void)
{
    Fixture fx;

    fx_init(&fx, NULL, 2);
    MediaSpec spec = fx_tls_spec(&fx);
    Stream one = fx_open(&fx, 1, &spec);
    spec.leg[MEDIA_ACCESS].fingerprints = fx_fingerprints(fx.id_stranger);
    Stream two = fx_open(&fx, 2, &spec);
    Peer *ue = peer_to_leg(&fx, &two, MEDIA_ACCESS, fx.ctx_ue);
    FX_UNTIL(&fx, fx_count(&fx, 2, MEDIA_EVENT_FINGERPRINT_MISMATCH, NULL) == 1);
    FX_UNTIL(&fx, peer_is_over(ue));
    peer_join_ue(&fx, &one);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 1);
    fx_close(&fx, &one);
    fx_close(&fx, &two);
    fx_clear(&fx);
}

static void test_second_connection(void)
{
    Joined j;

    joined_init(&j, NULL);
    joined_open(&j);
    Peer *second = peer_to_leg(&j.fx, &j.s, MEDIA_ACCESS, j.fx.ctx_ue);
    FX_UNTIL(&j.fx, peer_is_over(second));
    g_assert_false(second->established);
    g_assert_cmpuint(fx_stats(&j.fx, 1).refused, ==, 1);
    peer_send(j.ue, SPAN("first"));
    FX_UNTIL(&j.fx, peer_has(j.core, SPAN("first")));
    g_assert_cmpuint(fx_count_all(&j.fx, 1), ==, 1);
    joined_clear(&j);
}

static MediaSpec active_spec(Fixture *fx, const Addr *ue)
{
    MediaSpec spec = fx_tls_spec(fx);

    spec.leg[MEDIA_ACCESS].setup = MEDIA_SETUP_ACTIVE;
    spec.leg[MEDIA_ACCESS].tls_role = MEDIA_TLS_CLIENT;
    spec.leg[MEDIA_ACCESS].remote = *ue;
    return spec;
}

static void test_active(void)
{
    Fixture fx;
    Addr at;
    int listener = fx_listen(&at);

    fx_init(&fx, NULL, 1);
    MediaSpec spec = active_spec(&fx, &at);
    Stream s = fx_open(&fx, 1, &spec);
    Peer *ue = peer_accept(&fx, listener, fx.ctx_ue, TLS_SERVER);
    Peer *core = peer_join_core(&fx, &s);
    FX_UNTIL(&fx, ue->established);
    peer_send(ue, SPAN("a"));
    peer_send(core, SPAN("b"));
    FX_UNTIL(&fx, peer_has(core, SPAN("a")) && peer_has(ue, SPAN("b")));
    fx_close(&fx, &s);
    net_close(&listener);
    fx_clear(&fx);
}

/* BFC-05: TCP and TLS roles may differ. */
static void test_crossed_roles(void)
{
    Fixture fx;
    Addr at;
    int listener = fx_listen(&at);

    fx_init(&fx, NULL, 1);
    MediaSpec spec = active_spec(&fx, &at);
    spec.leg[MEDIA_ACCESS].tls_role = MEDIA_TLS_SERVER;
    Stream s = fx_open(&fx, 1, &spec);
    Peer *ue = peer_accept(&fx, listener, fx.ctx_ue, TLS_CLIENT);
    Peer *core = peer_join_core(&fx, &s);
    FX_UNTIL(&fx, ue->established);
    peer_send(ue, SPAN("a"));
    FX_UNTIL(&fx, peer_has(core, SPAN("a")));
    fx_close(&fx, &s);

    spec = fx_tls_spec(&fx);
    spec.leg[MEDIA_ACCESS].tls_role = MEDIA_TLS_CLIENT;
    s = fx_open(&fx, 2, &spec);
    ue = peer_connect(&fx, media_port_addr(s.port[MEDIA_ACCESS]), fx.ctx_ue, TLS_SERVER);
    core = peer_join_core(&fx, &s);
    FX_UNTIL(&fx, ue->established);
    peer_send(core, SPAN("b"));
    FX_UNTIL(&fx, peer_has(ue, SPAN("b")));
    fx_close(&fx, &s);
    net_close(&listener);
    fx_clear(&fx);
}

/* As the active side a mismatch is final: there is no other connection to wait for (TRK-06). */
static void test_active_mismatch(void)
{
    Fixture fx;
    Addr at;
    int listener = fx_listen(&at);
    MediaEvent event;

    fx_init(&fx, NULL, 1);
    MediaSpec spec = active_spec(&fx, &at);
    spec.answered = false;
    Stream s = fx_open(&fx, 1, &spec);
    Peer *core = peer_join_core(&fx, &s);
    spec.answered = true;
    media_update(fx.pool, 1, &spec);
    Peer *stranger = peer_accept(&fx, listener, fx.ctx_stranger, TLS_SERVER);
    FX_UNTIL(&fx, peer_is_over(stranger) && core->fin);
    g_assert_cmpuint(fx_count(&fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, &event), ==, 1);
    g_assert_true(event.final);
    g_assert_cmpuint(core->received, ==, 0);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 1);
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_ACCESS) == MEDIA_LEG_FAILED);
    fx_close(&fx, &s);
    net_close(&listener);
    fx_clear(&fx);
}

/* TLS-12: a TLS 1.3 server may refuse us after we think the handshake is over; that is no normal
 * release. */
static void test_late_refusal(void)
{
    Fixture fx;
    Addr at;
    int listener = fx_listen(&at);

    fx_init(&fx, NULL, 1);
    MediaSpec spec = active_spec(&fx, &at);
    Stream s = fx_open(&fx, 1, &spec);
    /* This UE expects somebody else. */
    TlsIdentity *gateway = fx.id_gw;
    fx.id_gw = fx.id_stranger;
    Peer *ue = peer_accept(&fx, listener, fx.ctx_ue, TLS_SERVER);
    fx.id_gw = gateway;
    Peer *core = peer_to_leg(&fx, &s, MEDIA_CORE, NULL);
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_TLS_HANDSHAKE_FAILED, NULL) == 1);
    FX_UNTIL(&fx, peer_is_over(core) && peer_is_over(ue));
    g_assert_cmpuint(fx_count(&fx, 1, MEDIA_EVENT_BEARER_RELEASED, NULL), ==, 0);
    fx_close(&fx, &s);
    net_close(&listener);
    fx_clear(&fx);
}

static void test_half_close(void)
{
    Joined j;
    MediaEvent event;

    joined_init(&j, NULL);
    joined_open(&j);
    /* Core first: close_notify and FIN reach the UE, which still may talk. */
    peer_send(j.core, SPAN("bye"));
    peer_finish(j.core);
    FX_UNTIL(&j.fx, j.ue->eof && j.ue->fin);
    g_assert_true(peer_has(j.ue, SPAN("bye")));
    peer_send(j.ue, SPAN("bye bye"));
    FX_UNTIL(&j.fx, peer_has(j.core, SPAN("bye bye")));
    peer_finish(j.ue);
    FX_UNTIL(&j.fx, j.core->fin && fx_count(&j.fx, 1, MEDIA_EVENT_BEARER_RELEASED, &event) == 1);
    g_assert_cmpint(event.leg, ==, MEDIA_CORE);
    g_assert_false(j.ue->broken || j.core->broken);
    /* The UE may come back without new signalling. */
    j.core = peer_join_core(&j.fx, &j.s);
    fx_expect_service(&j.fx, &j.s, j.core);
    joined_clear(&j);
}

/* FIN or RST without close_notify: what was authenticated goes on, and the reason is told (TRK-23).
 */
static void test_truncated(gconstpointer reset)
{
    Joined j;
    MediaEvent event;

    joined_init(&j, NULL);
    joined_open(&j);
    peer_send(j.ue, SPAN("said"));
    if (reset)
        FX_UNTIL(&j.fx, j.core->received == 4);
    peer_free(&j.fx, j.ue, reset != NULL);
    FX_UNTIL(&j.fx, j.core->fin);
    g_assert_true(peer_has(j.core, SPAN("said")));
    g_assert_false(j.core->broken);
    FX_UNTIL(&j.fx, fx_count(&j.fx, 1, MEDIA_EVENT_BEARER_RELEASED, &event) == 1);
    g_assert_cmpint(event.leg, ==, MEDIA_ACCESS);
    g_assert_nonnull(strstr(event.reason, reset ? "reset" : "close_notify"));
    g_assert_cmpuint(fx_count_all(&j.fx, 1), ==, 2);
    joined_clear(&j);
}

static void test_core_reset(void)
{
    Joined j;

    joined_init(&j, NULL);
    joined_open(&j);
    peer_free(&j.fx, j.core, true);
    FX_UNTIL(&j.fx, j.ue->eof && j.ue->fin);
    g_assert_false(j.ue->broken);
    FX_UNTIL(&j.fx, fx_count(&j.fx, 1, MEDIA_EVENT_BEARER_RELEASED, NULL) == 1);
    joined_clear(&j);
}

/* A record that does not authenticate: nothing of it crosses. */
static void test_garbage_record(void)
{
    Joined j;

    joined_init(&j, NULL);
    joined_open(&j);
    peer_send(j.ue, SPAN("good"));
    g_assert_true(buf_append(&j.ue->out, SPAN("\x17\x03\x03\x00\x20"
                                            "0123456789abcdef0123456789abcdef")));
    FX_UNTIL(&j.fx, fx_count(&j.fx, 1, MEDIA_EVENT_BEARER_RELEASED, NULL) == 1 && j.core->fin);
    g_assert_true(peer_has(j.core, SPAN("good")));
    joined_clear(&j);
}

/* CTLS: the same code on the other leg, both secure. */
static void test_secure_core(void)
{
    Fixture fx;
    Addr at;
    int listener = fx_listen(&at);

    fx_init(&fx, NULL, 1);
    MediaSpec spec = fx_tls_spec(&fx);
    spec.leg[MEDIA_CORE] = (MediaLeg){.security = MEDIA_TLS,
                                      .setup = MEDIA_SETUP_ACTIVE,
                                      .tls_role = MEDIA_TLS_CLIENT,
                                      .remote = at,
                                      .fingerprints = fx_fingerprints(fx.id_stranger)};
    Stream s = fx_open(&fx, 1, &spec);
    Peer *ue = peer_join_ue(&fx, &s);
    peer_send(ue, SPAN("to core"));
    Peer *core = peer_accept(&fx, listener, fx.ctx_stranger, TLS_SERVER);
    FX_UNTIL(&fx, peer_has(core, SPAN("to core")));
    peer_send(core, SPAN("to ue"));
    FX_UNTIL(&fx, peer_has(ue, SPAN("to ue")));
    g_assert_cmpuint(fx_count(&fx, 1, MEDIA_EVENT_TLS_ESTABLISHED, NULL), ==, 2);
    peer_finish(ue);
    FX_UNTIL(&fx, core->eof && core->fin);
    fx_close(&fx, &s);
    net_close(&listener);
    fx_clear(&fx);
}

static void expect_pattern(Peer *p, uint64_t to_send, size_t read_size)
{
    p->hash = g_checksum_new(G_CHECKSUM_SHA256);
    p->to_send = to_send;
    p->read_size = read_size;
}

static void test_bulk(void)
{
    Joined j;
    uint64_t size = 10 << 20;

    joined_init(&j, NULL);
    joined_open(&j);
    expect_pattern(j.ue, size, 9000);
    expect_pattern(j.core, size, 7000);
    FX_UNTIL(&j.fx, j.ue->received == size && j.core->received == size);
    g_assert_cmpstr(g_checksum_get_string(j.ue->hash), ==,
                    g_checksum_get_string(j.core->sent_hash));
    g_assert_cmpstr(g_checksum_get_string(j.core->hash), ==,
                    g_checksum_get_string(j.ue->sent_hash));
    joined_clear(&j);
}

/* BFC-06: whoever begins decides our role. */
static void test_peek(void)
{
    Fixture fx;
    MediaLimits limits = media_limits_default();
    TlsRole roles[] = {TLS_CLIENT, TLS_SERVER};

    limits.peek_ms = 100;
    fx_init(&fx, &limits, 1);
    MediaSpec spec = fx_tls_spec(&fx);
    spec.framing = MEDIA_BFCP;
    spec.leg[MEDIA_ACCESS].tls_role = MEDIA_TLS_PEEK;
    for (unsigned i = 0; i < 2; i++) {
        Stream s = fx_open(&fx, i, &spec);
        Peer *core = peer_join_core(&fx, &s);
        Peer *ue = peer_connect(&fx, media_port_addr(s.port[MEDIA_ACCESS]), fx.ctx_ue, roles[i]);
        FX_UNTIL(&fx, ue->established);
        peer_send(ue, SPAN("\x20\x01\x00\x00\x00\x00\x00\x01\x00\x01\x00\x01"));
        FX_UNTIL(&fx, core->received == 12);
        fx_close(&fx, &s);
        peer_free(&fx, ue, false);
        peer_free(&fx, core, false);
    }
    fx_clear(&fx);
}

/* Nothing is left behind by good, bad and broken connections. */
static void test_many_cycles(void)
{
    Fixture fx;

    fx_init(&fx, NULL, 2);
    unsigned fds = fx_fds();
    MediaSpec spec = fx_tls_spec(&fx);
    for (unsigned i = 0; i < 300; i++) {
        Stream s = fx_open(&fx, i, &spec);
        Peer *core = peer_to_leg(&fx, &s, MEDIA_CORE, NULL);
        Peer *ue = peer_to_leg(&fx, &s, MEDIA_ACCESS, i % 3 ? fx.ctx_ue : fx.ctx_stranger);
        if (i % 3 == 0)
            FX_UNTIL(&fx, peer_is_over(ue));
        else if (i % 3 == 1)
            FX_UNTIL(&fx, ue->established);
        fx_close(&fx, &s);
        peer_free(&fx, ue, i % 2);
        peer_free(&fx, core, i % 5 == 0);
    }
    FX_UNTIL(&fx, fx_fds() == fds);
    g_assert_cmpuint(media_ports_used(fx.ports, NULL), ==, 0);
    fx_clear(&fx);
}

int main(int argc, char **argv)
{
    static const AttackRow attacks[] = {
        {"/media/tls/TRK-06/wrong-certificate", ATTACK_WRONG_CERTIFICATE,
         MEDIA_EVENT_FINGERPRINT_MISMATCH},
        {"/media/tls/ASC-01/no-certificate-tls13", ATTACK_NO_CERTIFICATE_13,
         MEDIA_EVENT_NO_CLIENT_CERTIFICATE},
        {"/media/tls/ASC-01/no-certificate-tls12", ATTACK_NO_CERTIFICATE_12,
         MEDIA_EVENT_NO_CLIENT_CERTIFICATE},
        {"/media/tls/TRK-06/plain", ATTACK_PLAIN, MEDIA_EVENT_TLS_HANDSHAKE_FAILED},
        {"/media/tls/TRK-06/leaves", ATTACK_LEAVES, MEDIA_EVENT_TLS_HANDSHAKE_FAILED},
        {"/media/tls/TRK-06/silent", ATTACK_SILENT, MEDIA_EVENT_TLS_HANDSHAKE_FAILED},
    };

    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/tls/ASC-07/relay", test_relay);
    g_test_add_func("/media/tls/early-ue", test_early_ue);
    for (unsigned i = 0; i < G_N_ELEMENTS(attacks); i++)
        g_test_add_data_func(attacks[i].name, &attacks[i], test_stranger);
    g_test_add_func("/media/tls/TRK-06/max-failures", test_max_failures);
    g_test_add_func("/media/tls/TRK-06/handshake-limit", test_handshake_limit);
    g_test_add_func("/media/tls/TRK-06/signalled-address-first", test_signalled_address_first);
    g_test_add_func("/media/tls/ASC-03/per-stream", test_per_stream);
    g_test_add_func("/media/tls/TRK-05/second-connection", test_second_connection);
    g_test_add_func("/media/tls/COM-04/active", test_active);
    g_test_add_func("/media/tls/BFC-05/crossed-roles", test_crossed_roles);
    g_test_add_func("/media/tls/TRK-06/active-mismatch", test_active_mismatch);
    g_test_add_func("/media/tls/TLS-12/late-refusal", test_late_refusal);
    g_test_add_func("/media/tls/TRK-23/half-close", test_half_close);
    g_test_add_data_func("/media/tls/TRK-23/truncated", NULL, test_truncated);
    g_test_add_data_func("/media/tls/TRK-23/reset", GINT_TO_POINTER(1), test_truncated);
    g_test_add_func("/media/tls/TRK-23/core-reset", test_core_reset);
    g_test_add_func("/media/tls/ASC-07/garbage-record", test_garbage_record);
    g_test_add_func("/media/tls/secure-core", test_secure_core);
    g_test_add_func("/media/tls/TRK-24/bulk", test_bulk);
    g_test_add_func("/media/tls/BFC-06/peek", test_peek);
    g_test_add_func("/media/tls/many-cycles", test_many_cycles);
    return g_test_run();
}
