/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The calls of an earlier life: they come back with the same ports, or it is told that they do not. */
#include "calls-fixture.h"

static const CallsOptions fresh = {.fake = true};
static const CallsOptions again = {.fake = true, .shared = true};

static unsigned ports(Calls *f)
{
    return control_calls_ports_used(f->calls);
}

static NgValue *query(Calls *f, const char *call_id)
{
    return calls_ask(f, calls_dict("e2ae query", call_id, NULL));
}

static Addr access_of(Calls *f, const char *call_id)
{
    g_autoptr(NgValue) reply = query(f, call_id);

    return calls_access(reply, 1);
}

/* TRK-27, FPR-09: the same place, the same certificate, and no signalling for it. */
static void test_same_ports(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", true);
    calls_set_up_call(f, "b", false);
    Addr before = access_of(f, "b");
    g_autoptr(RedisRecord) record = fake_store_record(f->fake, "b");
    calls_restart(f, &again);
    g_assert_cmpuint(ports(f), ==, 0);
    calls_ready(f);
    RUN_UNTIL(&f->loop, ports(f) == 4);
    calls_wait_listening(f, "b");
    Addr after = access_of(f, "b");
    g_assert_true(addr_eq(&before, &after));
    g_assert_cmpuint(control_calls_count(f->calls), ==, 2);
    assert_logged("[\"b\"] Call restored");
    assert_logged("2 calls restored with 2 streams; 0 streams could not be");
    g_autoptr(RedisRecord) now = fake_store_record(f->fake, "b");
    g_assert_cmpuint(now->revision, >=, record->revision);
}

/* TRK-27 */
static void test_events(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", false);
    calls_restart(f, &again);
    calls_ready(f);
    RUN_UNTIL(&f->loop, calls_event(f, "\"bearer-released\""));
    g_assert_true(calls_event(f, "\"call-id\":\"a\""));
    g_assert_true(calls_event(f, "\"reason\":\"the node has started again, and the connections are "
                                 "gone\",\"final\":false"));
}

/* Whom nobody has answered has lost nothing. */
static void test_not_answered(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    g_autofree char *core = calls_core_sdp(false, 1);

    (void)data;
    g_autoptr(NgValue) offered = calls_ask(
        f, calls_dict("offer", "a", "from-tag", "ue", "e2ae", "originating", "sdp", ue, NULL));
    calls_assert_str(offered, "result", "ok");
    calls_restart(f, &again);
    calls_ready(f);
    g_autoptr(NgValue) answered = calls_ask(
        f, calls_dict("answer", "a", "from-tag", "ue", "to-tag", "core", "sdp", core, NULL));
    calls_assert_str(answered, "result", "ok");
    g_assert_false(calls_event(f, "bearer-released"));
    g_assert_cmpuint(ports(f), ==, 2);
}

/* Nothing that was known is forgotten: no e2ae key, and rtpengine hears of the end. */
static void test_goes_on(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(true, 1);

    (void)data;
    calls_set_up_call(f, "a", true);
    calls_restart(f, &again);
    calls_ready(f);
    RUN_UNTIL(&f->loop, ports(f) == 2);
    g_autoptr(NgValue) offered = calls_ask(
        f, calls_dict("offer", "a", "from-tag", "ue", "to-tag", "core", "sdp", sdp, NULL));
    calls_assert_str(offered, "result", "ok");
    g_assert_nonnull(ng_dict_get(offered, SPAN("e2ae")));
    g_assert_cmpuint(ports(f), ==, 2);
    g_autoptr(NgValue) deleted = calls_ask(f, calls_dict("delete", "a", "from-tag", "ue", NULL));
    calls_assert_str(deleted, "result", "ok");
    calls_assert_str(calls_asked(f, 4), "command", "delete");
    g_autoptr(RedisRecord) record = fake_store_record(f->fake, "a");
    g_assert_null(record);
}

/* FPR-09: a UE that was told of another certificate would refuse ours. */
static void test_other_certificate(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);

    (void)data;
    calls_set_up_call(f, "a", false);
    calls_renew_certificate(f);
    calls_restart(f, &again);
    calls_ready(f);
    RUN_UNTIL(&f->loop, calls_event(f, "that was signalled is not ours any more\",\"final\":true"));
    assert_logged("[\"a\"/1] The msrp stream is not restored: the certificate sha-256 ");
    g_assert_cmpuint(ports(f), ==, 0);
    g_autoptr(NgValue) offered = calls_ask(
        f, calls_dict("offer", "a", "from-tag", "ue", "to-tag", "core", "sdp", sdp, NULL));
    calls_assert_str(offered, "result", "ok");
    g_assert_cmpuint(ports(f), ==, 2);
}

static TlsIdentity *current(Calls *f)
{
    return tls_identity_ref((TlsIdentity *)tls_identities_current(f->identities));
}

/* Nothing comes back, and whoever asks for a call waits, until the nodes' certificate is there. */
static void test_certificate_first(Calls *f, const void *data)
{
    static const CallsOptions shares = {.fake = true, .shared = true, .certificate = true};
    g_autoptr(TlsIdentity) own = current(f);

    (void)data;
    calls_set_up_call(f, "a", false);
    calls_forget_certificate(f);
    calls_restart(f, &shares);
    calls_ready(f);
    control_calls_certificate(f->calls);
    unsigned asked = calls_send(f, calls_dict("e2ae query", "a", NULL));
    unsigned list = calls_send(f, calls_dict("e2ae list", NULL, NULL));
    g_autoptr(NgValue) listed = calls_reply(f, list);
    g_assert_false(calls_replied(f, asked));
    g_assert_cmpuint(f->fake->claims, ==, 0);
    g_assert_true(tls_identities_set_current(f->identities, own, NULL));
    control_calls_certificate(f->calls);
    g_autoptr(NgValue) reply = calls_reply(f, asked);
    calls_assert_str(reply, "result", "ok");
    g_assert_cmpuint(ports(f), ==, 2);
}

/* FPR-09: no stream is dropped because its certificate cannot be asked for just now. */
static void test_certificate_away(Calls *f, const void *data)
{
    static const CallsOptions shares = {
        .fake = true, .shared = true, .certificate = true, .node_ttl_ms = 60};
    g_autoptr(TlsIdentity) old = current(f);

    (void)data;
    calls_set_up_call(f, "a", false);
    calls_renew_certificate(f);
    calls_restart(f, &shares);
    calls_ready(f);
    RUN_UNTIL(&f->loop, f->fake->claims > 1 && control_calls_count(f->calls) == 0);
    g_assert_cmpuint(ports(f), ==, 0);
    TlsCtx *held = tls_identities_add(f->identities, old, NULL);
    RUN_UNTIL(&f->loop, ports(f) == 2);
    tls_identities_release(f->identities, held);
    g_assert_cmpuint(tls_identities_n(f->identities), ==, 2);
    assert_logged("1 calls restored with 1 streams; 0 streams could not be");
}

static void test_port_taken(Calls *f, const void *data)
{
    char text[ADDR_TEXT_MAX];

    (void)data;
    calls_set_up_call(f, "a", false);
    calls_set_up_call(f, "b", false);
    Addr at = access_of(f, "a");
    g_clear_pointer(&f->server, control_server_free);
    g_clear_pointer(&f->calls, control_calls_free);
    g_autoptr(MediaPorts) others = media_ports_new(1, 65535, false);
    MediaPort *taken = media_port_reserve(others, &at, MEDIA_TCP, at.port, NULL);
    g_assert_nonnull(taken);
    calls_restart(f, &again);
    calls_ready(f);
    RUN_UNTIL(&f->loop, ports(f) == 2);
    RUN_UNTIL(&f->loop, calls_event(f, "\"final\":true"));
    g_autofree char *line = g_strdup_printf(
        "[\"a\"/1] The msrp stream is not restored: cannot bind %s: ", addr_text(&at, text));
    assert_logged(line);
    assert_logged("[\"b\"] Call restored");
    media_port_release(taken);
}

/* Of what was being replaced only the successor is left. */
static void test_retiring(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    g_autofree char *core = calls_core_sdp(false, 1);
    g_auto(GStrv) parts = g_strsplit(ue, ":1E:1F", 2);
    g_autofree char *moved = g_strjoinv(":1E:FF", parts);

    (void)data;
    calls_set_up_call(f, "a", false);
    g_autoptr(NgValue) offered =
        calls_ask(f, calls_dict("offer", "a", "from-tag", "ue", "sdp", moved, NULL));
    g_autoptr(NgValue) answered = calls_ask(
        f, calls_dict("answer", "a", "from-tag", "ue", "to-tag", "core", "sdp", core, NULL));
    calls_assert_str(answered, "result", "ok");
    g_assert_cmpuint(ports(f), ==, 4);
    calls_restart(f, &again);
    calls_ready(f);
    RUN_UNTIL(&f->loop, ports(f) == 2);
    Addr at = access_of(f, "a"), successor = calls_access(offered, 1);
    g_assert_true(addr_eq(&at, &successor));
}

/* A request that comes first waits for the call. */
static void test_waits(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", false);
    calls_restart(f, &again);
    unsigned asked = calls_send(f, calls_dict("e2ae query", "a", NULL));
    unsigned list = calls_send(f, calls_dict("e2ae list", NULL, NULL));
    g_autoptr(NgValue) listed = calls_reply(f, list);
    g_assert_false(calls_replied(f, asked));
    calls_ready(f);
    g_autoptr(NgValue) reply = calls_reply(f, asked);
    calls_assert_str(reply, "result", "ok");
    g_assert_cmpuint(ports(f), ==, 2);
}

/* While there is nobody to ask, a call that is not here is no call of ours. */
static void test_away(Calls *f, const void *data)
{
    (void)data;
    calls_restart(f, &again);
    unsigned plain = calls_send(f, calls_dict("query", "a", NULL));
    unsigned list = calls_send(f, calls_dict("e2ae list", NULL, NULL));
    g_autoptr(NgValue) listed = calls_reply(f, list);
    g_assert_cmpuint(f->asked->len, ==, 0);
    control_calls_store_state(f->calls, STORE_AWAY, "as the test says");
    calls_asked(f, 1);
    g_autoptr(NgValue) passed = calls_reply(f, plain);
    calls_assert_str(passed, "result", "ok");
    g_autoptr(NgValue) next = calls_ask(f, calls_dict("query", "b", NULL));
    calls_assert_str(next, "result", "ok");
    g_assert_cmpuint(control_calls_count(f->calls), ==, 0);
}

/* Requests of other calls go their ways: to rtpengine, or to begin. */
static void test_unknown(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);

    (void)data;
    calls_set_up_call(f, "a", false);
    calls_restart(f, &again);
    unsigned plain = calls_send(f, calls_dict("query", "x", NULL));
    unsigned first = calls_send(
        f, calls_dict("offer", "y", "from-tag", "ue", "e2ae", "originating", "sdp", sdp, NULL));
    unsigned ours = calls_send(f, calls_dict("e2ae query", "z", NULL));
    calls_ready(f);
    g_autoptr(NgValue) passed = calls_reply(f, plain);
    calls_assert_str(passed, "result", "ok");
    g_autoptr(NgValue) offered = calls_reply(f, first);
    calls_assert_str(offered, "result", "ok");
    g_autoptr(NgValue) none = calls_reply(f, ours);
    calls_assert_str(none, "error-reason", "Unknown call-id");
    RUN_UNTIL(&f->loop, ports(f) == 4);
    g_assert_cmpuint(control_calls_count(f->calls), ==, 2);
}

/* More than two pages of the index. */
static void test_pages(Calls *f, const void *data)
{
    (void)data;
    for (unsigned i = 0; i < 2 * STORE_PAGE + 10; i++) {
        g_autofree char *call_id = g_strdup_printf("call-%u", i);
        calls_set_up_call(f, call_id, false);
    }
    static const CallsOptions many = {.fake = true, .shared = true, .ports = 300};
    calls_restart(f, &many);
    calls_ready(f);
    RUN_UNTIL(&f->loop, ports(f) == 2 * (2 * STORE_PAGE + 10));
    assert_logged("210 calls restored with 210 streams");
}

/* A record that this version cannot serve hurts no other. */
static void test_strange_record(Calls *f, const void *data)
{
    RedisRecord *record = redis_record_new("a");
    RedisDialog *dialog = redis_record_add_dialog(record);

    (void)data;
    redis_dialog_add_slot(dialog)->treatment = REDIS_E2AE;
    store_commit(f->store, record, NULL, NULL);
    calls_set_up_call(f, "b", false);
    calls_restart(f, &again);
    calls_ready(f);
    RUN_UNTIL(&f->loop, ports(f) == 2);
    assert_logged("[\"a\"] The call cannot be restored: record: a slot of treatment e2ae");
    g_assert_cmpuint(control_calls_count(f->calls), ==, 1);
}

/* What was interrupted is taken up again. */
static void test_interrupted(Calls *f, const void *data)
{
    static const CallsOptions quick = {.fake = true, .shared = true, .node_ttl_ms = 60};

    (void)data;
    calls_set_up_call(f, "a", false);
    calls_restart(f, &quick);
    f->fake->claim_answer = STORE_UNAVAILABLE;
    calls_ready(f);
    RUN_UNTIL(&f->loop, f->fake->claims > 0 && control_calls_count(f->calls) == 0);
    g_assert_cmpuint(ports(f), ==, 0);
    f->fake->claim_answer = STORE_OK;
    RUN_UNTIL(&f->loop, ports(f) == 2);
}

/* A server that missed a delete, as the store then is: with the record, and its place in the index. */
static void bring_back(Calls *f, const char *call_id)
{
    g_autoptr(RedisRecord) record = fake_store_record(f->fake, call_id);
    g_autoptr(NgValue) deleted =
        calls_ask(f, calls_dict("delete", call_id, "from-tag", "ue", NULL));

    calls_assert_str(deleted, "result", "ok");
    record->revision = 0;
    store_commit(f->store, g_steal_pointer(&record), NULL, NULL);
}

static bool recorded(Calls *f, const char *call_id)
{
    g_autoptr(RedisRecord) record = fake_store_record(f->fake, call_id);

    return record != NULL;
}

/* What was deleted stays deleted, also when Redis is another server that has not heard of it. */
static void test_over(Calls *f, const void *data)
{
    RedisRecord *strange = redis_record_new("c");
    RedisDialog *dialog = redis_record_add_dialog(strange);

    (void)data;
    calls_restart(f, &again);
    calls_ready(f);
    calls_set_up_call(f, "a", false);
    calls_set_up_call(f, "b", false);
    bring_back(f, "b");
    redis_dialog_add_slot(dialog)->treatment = REDIS_E2AE; /* of a newer version */
    store_commit(f->store, strange, NULL, NULL);
    g_assert_true(recorded(f, "b"));
    calls_ready(f); /* connected again */
    RUN_UNTIL(&f->loop, !recorded(f, "b"));
    assert_logged("[\"b\"] The store had the call, which is over: its record is removed");
    RUN_UNTIL(&f->loop, control_calls_count(f->calls) == 1 && ports(f) == 2);
    g_assert_true(recorded(f, "a") && recorded(f, "c"));
}

/* A request of such a call finds none, and a new call of that name is a new one. */
static void test_over_asked(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);

    (void)data;
    calls_restart(f, &again);
    calls_ready(f);
    calls_set_up_call(f, "a", false);
    bring_back(f, "a");
    g_assert_true(recorded(f, "a"));
    calls_ready(f);
    unsigned query = calls_send(f, calls_dict("e2ae query", "a", NULL));
    unsigned offer = calls_send(
        f, calls_dict("offer", "a", "from-tag", "ue", "e2ae", "originating", "sdp", sdp, NULL));
    g_autoptr(NgValue) none = calls_reply(f, query);
    calls_assert_str(none, "error-reason", "Unknown call-id");
    g_autoptr(NgValue) offered = calls_reply(f, offer);
    calls_assert_str(offered, "result", "ok");
    g_assert_true(recorded(f, "a"));
    g_assert_cmpuint(control_calls_count(f->calls), ==, 1);
    RUN_UNTIL(&f->loop, ports(f) == 2);
}

static void test_over_interrupted(Calls *f, const void *data)
{
    static const CallsOptions quick = {.fake = true, .shared = true, .node_ttl_ms = 60};

    (void)data;
    calls_restart(f, &quick);
    calls_ready(f);
    calls_set_up_call(f, "a", false);
    bring_back(f, "a");
    g_assert_true(recorded(f, "a"));
    f->fake->claim_answer = STORE_UNAVAILABLE;
    f->fake->claims = 0;
    calls_ready(f);
    RUN_UNTIL(&f->loop, f->fake->claims > 0);
    g_assert_true(recorded(f, "a"));
    f->fake->claim_answer = STORE_OK;
    RUN_UNTIL(&f->loop, !recorded(f, "a"));
}

static void test_stop(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", false);
    calls_restart(f, &again);
    calls_send(f, calls_dict("e2ae query", "a", NULL));
    unsigned list = calls_send(f, calls_dict("e2ae list", NULL, NULL));
    g_autoptr(NgValue) listed = calls_reply(f, list);
    calls_ready(f);
    calls_stop(f);
}

#define ADD(name, options, fn)                                                                     \
    g_test_add("/control/restore/" name, Calls, options, calls_set_up, fn, calls_tear_down)

int main(int argc, char **argv)
{
    static const CallsOptions many = {.fake = true, .ports = 300};

    g_test_init(&argc, &argv, NULL);
    test_log_start();
    ADD("TRK-27/FPR-09/ASC-02/same-ports", &fresh, test_same_ports);
    ADD("TRK-27/events", &fresh, test_events);
    ADD("not-answered", &fresh, test_not_answered);
    ADD("goes-on", &fresh, test_goes_on);
    ADD("FPR-09/other-certificate", &fresh, test_other_certificate);
    ADD("certificate-first", &fresh, test_certificate_first);
    ADD("FPR-09/certificate-away", &fresh, test_certificate_away);
    ADD("port-taken", &fresh, test_port_taken);
    ADD("retiring", &fresh, test_retiring);
    ADD("waits", &fresh, test_waits);
    ADD("away", &fresh, test_away);
    ADD("unknown", &fresh, test_unknown);
    ADD("pages", &many, test_pages);
    ADD("strange-record", &fresh, test_strange_record);
    ADD("interrupted", &fresh, test_interrupted);
    ADD("over", &fresh, test_over);
    ADD("over-asked", &fresh, test_over_asked);
    ADD("over-interrupted", &fresh, test_over_interrupted);
    ADD("stop", &fresh, test_stop);
    return g_test_run();
}
