/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A shared store: records that do not expire, and what is made up for when it is back. */
#include "calls-fixture.h"

static uint64_t revision(Calls *f, const char *call_id)
{
    g_autoptr(RedisRecord) record = fake_store_record(f->fake, call_id);

    return record ? record->revision : 0;
}

static NgValue *offer(const char *call_id, const char *sdp)
{
    return calls_dict("offer", call_id, "from-tag", "ue", "e2ae", "originating", "sdp", sdp, NULL);
}

/* Half of a record's life is a second here. */
static void test_written_again(Calls *f, const void *data)
{
    (void)data;
    calls_ready(f);
    calls_set_up_call(f, "a", false);
    calls_set_up_call(f, "b", false);
    g_assert_cmpuint(revision(f, "a"), ==, 2);
    RUN_UNTIL(&f->loop, f->fake->writes >= 8);
    g_assert_cmpuint(revision(f, "a"), >=, 4);
    g_assert_cmpuint(revision(f, "b"), >=, 4);
}

/* The store may have lost something: every record is made anew. */
static void test_anew(Calls *f, const void *data)
{
    (void)data;
    calls_ready(f);
    for (unsigned i = 0; i < 100; i++) {
        g_autofree char *call_id = g_strdup_printf("call-%u", i);
        calls_set_up_call(f, call_id, false);
        store_delete(f->store, call_id, NULL, NULL);
    }
    unsigned before = f->fake->writes;
    calls_ready(f);                                       /* connected again */
    RUN_UNTIL(&f->loop, f->fake->writes == before + 200); /* each one twice: it is not there */
    g_assert_cmpuint(revision(f, "call-0"), ==, 1);
    g_assert_cmpuint(revision(f, "call-99"), ==, 1);
    g_assert_cmpuint(control_calls_count(f->calls), ==, 100);
}

static void verified_cb(void *arg)
{
    ++*(unsigned *)arg;
}

/* What others have claimed meanwhile is dropped before it is said that all is well. */
static void test_verify(Calls *f, const void *data)
{
    unsigned verified = 0;

    (void)data;
    calls_ready(f);
    control_calls_verify(f->calls, verified_cb, &verified);
    g_assert_cmpuint(verified, ==, 1); /* there is nothing to be checked */
    calls_set_up_call(f, "a", false);
    calls_set_up_call(f, "b", false);
    f->fake->answer = STORE_CONFLICT;
    f->fake->owner = "node-2";
    f->fake->epoch = 9;
    f->fake->once = 1;
    control_calls_verify(f->calls, verified_cb, &verified);
    g_assert_cmpuint(verified, ==, 1);
    RUN_UNTIL(&f->loop, verified == 2);
    g_assert_cmpuint(control_calls_count(f->calls), ==, 1);
    RUN_UNTIL(&f->loop, calls_event(f, "\"bearer-released\""));
}

/* A store that does not answer has not said that all is well. */
static void test_verify_away(Calls *f, const void *data)
{
    unsigned verified = 0;

    (void)data;
    calls_ready(f);
    calls_set_up_call(f, "a", false);
    f->fake->answer = STORE_UNAVAILABLE;
    unsigned before = f->fake->writes;
    control_calls_verify(f->calls, verified_cb, &verified);
    RUN_UNTIL(&f->loop, f->fake->writes >= before + 3);
    g_assert_cmpuint(verified, ==, 0);
    f->fake->answer = STORE_OK;
    RUN_UNTIL(&f->loop, verified == 1);
    g_assert_cmpuint(control_calls_count(f->calls), ==, 1);
}

static void test_news(Calls *f, const void *data)
{
    (void)data;
    control_calls_store_state(f->calls, STORE_CONNECTING, "");
    calls_ready(f);
    control_calls_store_state(f->calls, STORE_AWAY, "connection refused");
    control_calls_store_state(f->calls, STORE_AWAY, "connection refused again");
    RUN_UNTIL(&f->loop, f->sink->got->len >= 1);
    g_assert_true(calls_event(f, "{\"event\":\"redis-away\",\"node\":\"node-1\","
                                 "\"reason\":\"connection refused\",\"time\":"));
    calls_ready(f);
    RUN_UNTIL(&f->loop, f->sink->got->len >= 2);
    g_assert_true(calls_event(f, "{\"event\":\"redis-back\",\"node\":\"node-1\","));
    calls_ready(f);
    g_assert_cmpuint(control_events_count(f->events), ==, 2);
}

/* The proxy was told no, and what Redis has may be the yes: it is put right. */
static void test_unwritten(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);

    (void)data;
    calls_ready(f);
    calls_set_up_call(f, "a", false);
    f->fake->answer = STORE_UNAVAILABLE;
    g_autoptr(NgValue) refused = calls_ask(f, offer("a", sdp));
    calls_assert_str(refused, "result", "error");
    f->fake->answer = STORE_OK;
    g_assert_cmpuint(revision(f, "a"), ==, 2);
    control_calls_store_state(f->calls, STORE_AWAY, "");
    calls_ready(f);
    RUN_UNTIL(&f->loop, revision(f, "a") == 3);
}

static void test_lost(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", false);
    control_calls_lost(f->calls, "a", "node-2", 9);
    RUN_UNTIL(&f->loop, calls_event(f, "\"bearer-released\""));
    g_assert_true(calls_event(f, "node node-2 has taken it over"));
    g_assert_cmpuint(control_calls_count(f->calls), ==, 0);
    control_calls_lost(f->calls, "a", "node-2", 9);
    g_assert_cmpuint(revision(f, "a"), ==, 2);
}

/* What was served without Redis is written over what an earlier life of ours left there. */
static void test_lost_to_ourselves(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", false);
    control_calls_lost(f->calls, "a", CALLS_NODE, 1);
    g_assert_cmpuint(control_calls_count(f->calls), ==, 1);
    calls_ready(f);
    RUN_UNTIL(&f->loop, revision(f, "a") == 3);
}

#define ADD(name, options, fn)                                                                     \
    g_test_add("/control/keep/" name, Calls, options, calls_set_up, fn, calls_tear_down)

int main(int argc, char **argv)
{
    static const CallsOptions memory = {.fake = true};
    static const CallsOptions shared = {.fake = true, .shared = true, .node_ttl_ms = 60};
    static const CallsOptions many = {
        .fake = true, .shared = true, .node_ttl_ms = 60, .ports = 300};
    static const CallsOptions brief = {
        .fake = true, .shared = true, .node_ttl_ms = 60, .call_ttl_s = 2};

    g_test_init(&argc, &argv, NULL);
    test_log_start();
    ADD("written-again", &brief, test_written_again);
    ADD("anew", &many, test_anew);
    ADD("verify", &shared, test_verify);
    ADD("verify-away", &shared, test_verify_away);
    ADD("news", &shared, test_news);
    ADD("unwritten", &shared, test_unwritten);
    ADD("lost", &memory, test_lost);
    ADD("lost-to-ourselves", &shared, test_lost_to_ourselves);
    return g_test_run();
}
