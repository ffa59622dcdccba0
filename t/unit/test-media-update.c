/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a later offer or answer decides for connections that are there: who is who, who may stay, and
 * that all come again. */
#include "t/unit/media-fixture.h"

static MediaSpec unknown_fingerprint(Fixture *fx)
{
    MediaSpec spec = fx_tls_spec(fx);

    spec.answered = false;
    spec.leg[MEDIA_ACCESS].setup = MEDIA_SETUP_UNDECIDED;
    spec.leg[MEDIA_CORE].setup = MEDIA_SETUP_UNDECIDED;
    spec.leg[MEDIA_ACCESS].fingerprints.n = 0;
    return spec;
}

/* TRK-10: the handshake completes, nothing crosses, the answer decides, of two candidates, who is
 * who. */
static void test_quarantine(void)
{
    Fixture fx;
    MediaEvent event;

    fx_init(&fx, NULL, 1);
    MediaSpec spec = unknown_fingerprint(&fx);
    Stream s = fx_open(&fx, 1, &spec);
    Peer *core = peer_join_core(&fx, &s);
    peer_send(core, SPAN("to ue"));
    Peer *stranger = peer_to_leg(&fx, &s, MEDIA_ACCESS, fx.ctx_stranger);
    FX_UNTIL(&fx, stranger->established);
    peer_send(stranger, SPAN("to core, with evil intent"));
    Peer *ue = peer_to_leg(&fx, &s, MEDIA_ACCESS, fx.ctx_ue);
    FX_UNTIL(&fx, ue->established);
    peer_send(ue, SPAN("to core"));
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_ACCESS) == MEDIA_LEG_QUARANTINE);
    /* A third is one too many. */
    Peer *third = peer_to_leg(&fx, &s, MEDIA_ACCESS, fx.ctx_ue);
    FX_UNTIL(&fx, peer_is_over(third));
    g_assert_cmpuint(core->received + ue->received + stranger->received, ==, 0);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 0);
    spec = fx_tls_spec(&fx);
    media_update(fx.pool, 1, &spec);
    FX_UNTIL(&fx, peer_has(core, SPAN("to core")) && peer_has(ue, SPAN("to ue")));
    FX_UNTIL(&fx, peer_is_over(stranger));
    g_assert_cmpuint(stranger->received, ==, 0);
    g_assert_cmpuint(fx_count(&fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, &event), ==, 1);
    g_assert_false(event.final);
    g_assert_cmpuint(fx_count(&fx, 1, MEDIA_EVENT_TLS_ESTABLISHED, NULL), ==, 1);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void test_quarantine_timeout(void)
{
    Fixture fx;
    MediaLimits limits = media_limits_default();

    limits.fingerprint_unknown_ms = 100;
    fx_init(&fx, &limits, 1);
    MediaSpec spec = unknown_fingerprint(&fx);
    Stream s = fx_open(&fx, 1, &spec);
    Peer *ue = peer_to_leg(&fx, &s, MEDIA_ACCESS, fx.ctx_ue);
    FX_UNTIL(&fx, peer_is_over(ue));
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_FINGERPRINT_UNKNOWN_TIMEOUT, NULL) == 1);
    g_assert_cmpuint(fx_count_all(&fx, 1), ==, 1);
    Peer *core = peer_join_core(&fx, &s);
    spec = fx_tls_spec(&fx);
    media_update(fx.pool, 1, &spec);
    fx_expect_service(&fx, &s, core);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

static void test_quarantine_left(void)
{
    Fixture fx;

    fx_init(&fx, NULL, 1);
    MediaSpec spec = unknown_fingerprint(&fx);
    Stream s = fx_open(&fx, 1, &spec);
    Peer *ue = peer_to_leg(&fx, &s, MEDIA_ACCESS, fx.ctx_ue);
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_ACCESS) == MEDIA_LEG_QUARANTINE);
    peer_free(&fx, ue, false);
    FX_UNTIL(&fx, fx_count(&fx, 1, MEDIA_EVENT_TLS_HANDSHAKE_FAILED, NULL) == 1);
    FX_UNTIL(&fx, fx_state(&fx, 1, MEDIA_ACCESS) == MEDIA_LEG_LISTENING);
    fx_close(&fx, &s);
    fx_clear(&fx);
}

/* TRK-13: a new set that the live peer matches changes nothing; one that it does not ends the
 * connection. */
static void test_changed_fingerprint(void)
{
    Joined j;
    MediaEvent event;

    joined_init(&j, NULL);
    joined_open(&j);
    FingerprintSet stranger = fx_fingerprints(j.fx.id_stranger);
    g_assert_true(fp_set_add(&j.spec.leg[MEDIA_ACCESS].fingerprints, &stranger.fp[0]));
    media_update(j.fx.pool, 1, &j.spec);
    peer_send(j.ue, SPAN("still"));
    FX_UNTIL(&j.fx, peer_has(j.core, SPAN("still")));
    j.spec.leg[MEDIA_ACCESS].fingerprints = stranger;
    media_update(j.fx.pool, 1, &j.spec);
    FX_UNTIL(&j.fx, peer_is_over(j.ue) && j.core->fin);
    g_assert_cmpuint(fx_count(&j.fx, 1, MEDIA_EVENT_FINGERPRINT_MISMATCH, &event), ==, 1);
    g_assert_false(event.final);
    g_assert_cmpuint(fx_count_all(&j.fx, 1), ==, 2);
    /* Who comes now is measured by the new set. */
    j.core = peer_join_core(&j.fx, &j.s);
    Peer *now = peer_to_leg(&j.fx, &j.s, MEDIA_ACCESS, j.fx.ctx_stranger);
    FX_UNTIL(&j.fx, now->established);
    peer_send(now, SPAN("my turn"));
    FX_UNTIL(&j.fx, peer_has(j.core, SPAN("my turn")));
    joined_clear(&j);
}

/* COM-05: an answer that says connection:new ends the old connections, and new ones come to the same
 * ports. */
static void test_renewed(void)
{
    Joined j;
    MediaEvent event;

    joined_init(&j, NULL);
    joined_open(&j);
    j.spec.leg[MEDIA_ACCESS].generation++;
    j.spec.leg[MEDIA_CORE].generation++;
    media_update(j.fx.pool, 1, &j.spec);
    FX_UNTIL(&j.fx, peer_is_over(j.ue) && j.core->fin);
    g_assert_cmpuint(fx_count(&j.fx, 1, MEDIA_EVENT_BEARER_RELEASED, &event), ==, 1);
    g_assert_false(event.final);
    j.core = peer_join_core(&j.fx, &j.s);
    j.ue = peer_join_ue(&j.fx, &j.s);
    peer_send(j.ue, SPAN("again"));
    FX_UNTIL(&j.fx, peer_has(j.core, SPAN("again")));
    g_assert_cmpuint(fx_count_all(&j.fx, 1), ==, 3);
    joined_clear(&j);
}

/* And who does not come is missed. */
static void test_renewed_in_vain(void)
{
    Joined j;
    MediaLimits limits = media_limits_default();

    limits.accept_ms = 50;
    joined_init(&j, &limits);
    joined_open(&j);
    j.spec.leg[MEDIA_ACCESS].generation++;
    media_update(j.fx.pool, 1, &j.spec);
    FX_UNTIL(&j.fx, fx_count(&j.fx, 1, MEDIA_EVENT_ACCEPT_TIMEOUT, NULL) > 0);
    joined_clear(&j);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/update/TRK-10/quarantine", test_quarantine);
    g_test_add_func("/media/update/TRK-10/timeout", test_quarantine_timeout);
    g_test_add_func("/media/update/TRK-10/left", test_quarantine_left);
    g_test_add_func("/media/update/TRK-13/changed-fingerprint", test_changed_fingerprint);
    g_test_add_func("/media/update/COM-05/renewed", test_renewed);
    g_test_add_func("/media/update/COM-05/renewed-in-vain", test_renewed_in_vain);
    return g_test_run();
}
