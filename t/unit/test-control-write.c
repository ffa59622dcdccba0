/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was answered "ok" is in the store, and what is not in the store leaves nothing behind. */
#include "calls-fixture.h"

static NgValue *offer(const char *call_id, const char *sdp)
{
    NgValue *dict =
        calls_dict("offer", call_id, "from-tag", "ue", "e2ae", "originating", "sdp", sdp, NULL);

    ng_list_add_str(ng_dict_add_list(dict, "supports"), "load limit");
    return dict;
}

/* Another certificate of the UE: a new stream is needed. */
static char *moved_sdp(void)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);
    g_auto(GStrv) parts = g_strsplit(sdp, ":1E:1F", 2);

    return g_strjoinv(":1E:FF", parts);
}

static void assert_nothing(Calls *f)
{
    g_assert_cmpuint(control_calls_count(f->calls), ==, 0);
    g_assert_cmpuint(control_calls_ports_used(f->calls), ==, 0);
}

static void assert_ok(Calls *f, unsigned cookie)
{
    g_autoptr(NgValue) reply = calls_reply(f, cookie);

    calls_assert_str(reply, "result", "ok");
}

static uint64_t revision(Calls *f, const char *call_id)
{
    g_autoptr(RedisRecord) record = fake_store_record(f->fake, call_id);

    return record ? record->revision : 0;
}

static unsigned ports(Calls *f)
{
    return control_calls_ports_used(f->calls);
}

static void test_ok_after_commit(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(true, 1);

    (void)data;
    f->fake->hold = true;
    unsigned asked = calls_send(f, offer("a", sdp));
    RUN_UNTIL(&f->loop, f->fake->held.length == 1);
    for (int i = 0; i < 20; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    g_assert_false(calls_replied(f, asked));
    fake_store_release(f->fake);
    g_autoptr(NgValue) reply = calls_reply(f, asked);
    calls_assert_str(reply, "result", "ok");
    g_assert_cmpuint(revision(f, "a"), ==, 1);
    g_assert_cmpuint(ports(f), ==, 2);
}

/* One call's requests one after the other, those of several calls at once. */
static void test_order(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    g_autofree char *core = calls_core_sdp(false, 1);

    (void)data;
    f->fake->hold = true;
    unsigned first = calls_send(f, offer("a", ue));
    unsigned second = calls_send(
        f, calls_dict("answer", "a", "from-tag", "ue", "to-tag", "core", "sdp", core, NULL));
    unsigned other = calls_send(f, offer("b", ue));
    RUN_UNTIL(&f->loop, f->fake->held.length == 2);
    fake_store_release(f->fake);
    fake_store_release(f->fake);
    assert_ok(f, first);
    assert_ok(f, other);
    g_assert_false(calls_replied(f, second));
    RUN_UNTIL(&f->loop, f->fake->held.length == 1);
    fake_store_release(f->fake);
    g_autoptr(NgValue) answered = calls_reply(f, second);
    calls_assert_str(answered, "result", "ok");
    g_assert_cmpuint(revision(f, "a"), ==, 2);
    g_assert_cmpuint(revision(f, "b"), ==, 1);
}

static void test_unavailable(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(true, 1);

    (void)data;
    f->fake->answer = STORE_UNAVAILABLE;
    g_autoptr(NgValue) reply = calls_ask(f, offer("a", sdp));
    calls_assert_str(reply, "result", "load limit");
    calls_assert_str(reply, "message", "the call cannot be recorded: as the test says");
    calls_assert_str(calls_asked(f, 2), "command", "delete");
    RUN_UNTIL(&f->loop, control_calls_count(f->calls) == 0);
    assert_nothing(f);
}

/* A proxy that knows of no other node is told why. */
static void test_unavailable_plain(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);

    (void)data;
    f->fake->answer = STORE_UNAVAILABLE;
    g_autoptr(NgValue) reply = calls_ask(
        f, calls_dict("offer", "a", "from-tag", "ue", "e2ae", "originating", "sdp", sdp, NULL));
    calls_assert_str(reply, "result", "error");
    calls_assert_str(reply, "error-reason", "the call cannot be recorded: as the test says");
    RUN_UNTIL(&f->loop, control_calls_count(f->calls) == 0);
    assert_nothing(f);
}

/* The write may have been done although nobody heard of it. */
static void test_doubtful(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);
    g_autoptr(RedisRecord) record = redis_record_new("a");

    (void)data;
    f->fake->hold = true;
    unsigned asked = calls_send(f, offer("a", sdp));
    RUN_UNTIL(&f->loop, f->fake->held.length == 1);
    f->fake->hold = false;
    store_commit(f->store, g_steal_pointer(&record), NULL, NULL);
    f->fake->answer = STORE_UNAVAILABLE;
    f->fake->once = 1;
    fake_store_release(f->fake);
    g_autoptr(NgValue) reply = calls_reply(f, asked);
    calls_assert_str(reply, "result", "load limit");
    RUN_UNTIL(&f->loop, control_calls_count(f->calls) == 0);
    g_assert_cmpuint(revision(f, "a"), ==, 0);
}

static void test_unavailable_in_call(Calls *f, const void *data)
{
    g_autofree char *sdp = moved_sdp();

    (void)data;
    calls_set_up_call(f, "a", false);
    f->fake->answer = STORE_UNAVAILABLE;
    f->fake->once = 1;
    g_autoptr(NgValue) refused = calls_ask(f, offer("a", sdp));
    calls_assert_str(refused, "result", "load limit");
    g_assert_cmpuint(ports(f), ==, 2);
    g_assert_cmpuint(control_calls_count(f->calls), ==, 1);
    g_assert_cmpuint(f->asked->len, ==, 0);
    g_autoptr(NgValue) accepted = calls_ask(f, offer("a", sdp));
    calls_assert_str(accepted, "result", "ok");
    g_assert_cmpuint(ports(f), ==, 4);
    g_assert_cmpuint(revision(f, "a"), ==, 3);
}

/* Nothing can be done about it elsewhere either. */
static void test_bad(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);

    (void)data;
    f->fake->answer = STORE_BAD;
    g_autoptr(NgValue) reply = calls_ask(f, offer("a", sdp));
    calls_assert_str(reply, "result", "error");
    assert_nothing(f);
}

static void test_lost(Calls *f, const void *data)
{
    g_autofree char *sdp = moved_sdp();

    (void)data;
    calls_set_up_call(f, "a", false);
    f->fake->answer = STORE_CONFLICT;
    f->fake->owner = "node-2";
    f->fake->epoch = 5;
    g_autoptr(NgValue) reply = calls_ask(f, offer("a", sdp));
    calls_assert_str(reply, "result", "load limit");
    RUN_UNTIL(&f->loop, control_calls_count(f->calls) == 0 && ports(f) == 0);
    RUN_UNTIL(&f->loop, calls_event(f, "\"bearer-released\""));
    assert_logged("[\"a\"] The call is dropped: node node-2 has taken it over");
    g_assert_cmpuint(f->fake->claims, ==, 0);
    f->fake->answer = STORE_OK;
    g_assert_cmpuint(revision(f, "a"), ==, 2); /* untouched: it is theirs */
}

/* Another process has our name and came later. */
static void test_fenced(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);

    (void)data;
    f->fake->answer = STORE_CONFLICT;
    f->fake->owner = CALLS_NODE;
    f->fake->epoch = G_MAXINT64;
    g_autoptr(NgValue) reply = calls_ask(f, offer("a", sdp));
    calls_assert_str(reply, "result", "load limit");
    g_assert_cmpuint(f->fake->claims, ==, 0);
    RUN_UNTIL(&f->loop, control_calls_count(f->calls) == 0);
}

static void test_earlier_life(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);
    g_autoptr(RedisRecord) record = redis_record_new("a");

    (void)data;
    store_commit(f->store, g_steal_pointer(&record), NULL, NULL);
    g_autoptr(NgValue) reply = calls_ask(f, offer("a", sdp));
    calls_assert_str(reply, "result", "ok");
    g_assert_cmpuint(f->fake->claims, ==, 1);
    g_assert_cmpuint(revision(f, "a"), ==, 2);
}

/* Redis has lost what it had: a restart without persistence. */
static void test_not_found(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);

    (void)data;
    calls_set_up_call(f, "a", false);
    store_delete(f->store, "a", NULL, NULL);
    g_autoptr(NgValue) reply = calls_ask(f, offer("a", sdp));
    calls_assert_str(reply, "result", "ok");
    g_assert_cmpuint(revision(f, "a"), ==, 1);
}

static void test_delete(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", false);
    f->fake->hold = true;
    unsigned asked = calls_send(f, calls_dict("delete", "a", "from-tag", "ue", NULL));
    RUN_UNTIL(&f->loop, f->fake->held.length == 1);
    RUN_UNTIL(&f->loop, ports(f) == 0); /* the connections do not wait */
    g_assert_false(calls_replied(f, asked));
    fake_store_release(f->fake);
    g_autoptr(NgValue) reply = calls_reply(f, asked);
    calls_assert_str(reply, "result", "ok");
    g_assert_cmpuint(control_calls_count(f->calls), ==, 0);
    g_assert_cmpuint(revision(f, "a"), ==, 0);
}

/* The reply waits for nothing; the next call of that name does. */
static void test_delete_degraded(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);

    (void)data;
    calls_set_up_call(f, "a", false);
    f->fake->hold = true;
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("delete", "a", "from-tag", "ue", NULL));
    calls_assert_str(reply, "result", "ok");
    g_assert_cmpuint(f->fake->held.length, ==, 1);
    unsigned again = calls_send(f, offer("a", sdp));
    unsigned other = calls_send(f, offer("b", sdp));
    RUN_UNTIL(&f->loop, f->fake->held.length == 2);
    f->fake->hold = false;
    fake_store_release(f->fake);
    fake_store_release(f->fake);
    assert_ok(f, again);
    assert_ok(f, other);
    g_assert_cmpuint(revision(f, "a"), ==, 1);
}

static void test_delete_fails(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", false);
    f->fake->answer = STORE_UNAVAILABLE;
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("delete", "a", "from-tag", "ue", NULL));
    calls_assert_str(reply, "result", "ok");
    assert_logged("[\"a\"] The call is deleted and its record is not: as the test says");
    RUN_UNTIL(&f->loop, control_calls_count(f->calls) == 0 && ports(f) == 0);
}

/* A branch goes, the call stays, and so does its record. */
static void test_delete_branch(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);
    static const char *const branches[] = {"z1", "z2"};

    (void)data;
    for (unsigned i = 0; i < 2; i++) {
        NgValue *dict = offer("a", sdp);
        ng_dict_add_str(dict, "via-branch", branches[i]);
        g_autoptr(NgValue) reply = calls_ask(f, dict);
        calls_assert_str(reply, "result", "ok");
    }
    g_autoptr(NgValue) deleted =
        calls_ask(f, calls_dict("delete", "a", "from-tag", "ue", "via-branch", "z1", NULL));
    calls_assert_str(deleted, "result", "ok");
    g_autoptr(RedisRecord) record = fake_store_record(f->fake, "a");
    g_assert_cmpuint(record->revision, ==, 3);
    g_assert_cmpuint(record->dialogs->len, ==, 1);
}

/* A stream that was replaced ends when its successor is up, or does not come: the record follows,
 * and the next request waits for that. */
static void test_settled(Calls *f, const void *data)
{
    g_autofree char *sdp = moved_sdp();
    g_autofree char *core = calls_core_sdp(false, 1);

    (void)data;
    calls_set_up_call(f, "a", false);
    assert_ok(f, calls_send(f, offer("a", sdp)));
    assert_ok(f, calls_send(f, calls_dict("answer", "a", "from-tag", "ue", "to-tag", "core", "sdp",
                                          core, NULL)));
    g_assert_cmpuint(ports(f), ==, 4);
    f->fake->hold = true;
    RUN_UNTIL(&f->loop, f->fake->held.length == 1);
    RUN_UNTIL(&f->loop, ports(f) == 2);
    unsigned query = calls_send(f, calls_dict("e2ae query", "a", NULL));
    unsigned other = calls_send(f, calls_dict("e2ae list", NULL, NULL));
    assert_ok(f, other);
    g_assert_false(calls_replied(f, query));
    f->fake->hold = false;
    fake_store_release(f->fake);
    assert_ok(f, query);
    g_assert_cmpuint(revision(f, "a"), ==, 5);
}

/* What is under way when the program ends is dropped in silence, as the request is. */
static void test_stop(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(true, 1);

    (void)data;
    calls_set_up_call(f, "b", false);
    f->fake->hold = true;
    unsigned asked = calls_send(f, offer("a", sdp));
    calls_send(f, calls_dict("delete", "b", "from-tag", "ue", NULL));
    RUN_UNTIL(&f->loop, f->fake->held.length == 2);
    calls_stop(f);
    g_assert_false(calls_replied(f, asked));
}

#define ADD(name, options, fn)                                                                     \
    g_test_add("/control/write/" name, Calls, options, calls_set_up, fn, calls_tear_down)

int main(int argc, char **argv)
{
    static const CallsOptions plain = {.fake = true};
    static const CallsOptions impatient = {.fake = true, .accept_ms = 200};
    static const CallsOptions degrade = {.fake = true, .degrade = true};

    g_test_init(&argc, &argv, NULL);
    test_log_start();
    ADD("ok-after-commit", &plain, test_ok_after_commit);
    ADD("order", &plain, test_order);
    ADD("unavailable", &plain, test_unavailable);
    ADD("unavailable-plain", &plain, test_unavailable_plain);
    ADD("unavailable-in-call", &plain, test_unavailable_in_call);
    ADD("doubtful", &plain, test_doubtful);
    ADD("bad", &plain, test_bad);
    ADD("lost", &plain, test_lost);
    ADD("fenced", &plain, test_fenced);
    ADD("earlier-life", &plain, test_earlier_life);
    ADD("not-found", &plain, test_not_found);
    ADD("delete", &plain, test_delete);
    ADD("delete-degraded", &degrade, test_delete_degraded);
    ADD("delete-fails", &plain, test_delete_fails);
    ADD("delete-branch", &plain, test_delete_branch);
    ADD("settled", &impatient, test_settled);
    ADD("stop", &plain, test_stop);
    return g_test_run();
}
