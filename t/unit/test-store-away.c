/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A server that is away for one of two nodes, in both modes. */
#include "store-pair.h"

/* --- away: the user of one store may come in or not, while the server and the other one go on */

static void as_user(StoreTarget *t)
{
    t->user = g_strdup("e2ae");
    t->password = g_strdup("secret");
}

static void as_user_degrading(StoreTarget *t)
{
    as_user(t);
    t->degrade = true;
    t->max_behind = 100;
}

static void setup_away(Fixture *f, const void *data)
{
    setup(f, NULL);
    drop(&f->a);
    assert_redis(f->redis, "OK", "ACL SETUSER e2ae on >secret ~* &* +@all");
    f->a = test_store_new(&f->loop, f->redis, "edge-1", NULL, data ? as_user_degrading : as_user);
    RUN_UNTIL(&f->loop, store_state(f->a->store) == STORE_READY);
}

static void cut(Fixture *f)
{
    assert_redis(f->redis, "OK", "ACL SETUSER e2ae off");
    assert_redis(f->redis, "1", "CLIENT KILL USER e2ae");
    RUN_UNTIL(&f->loop, store_state(f->a->store) == STORE_AWAY);
}

static void mend(Fixture *f)
{
    assert_redis(f->redis, "OK", "ACL SETUSER e2ae on");
    RUN_UNTIL(&f->loop, store_state(f->a->store) == STORE_READY);
}

static StoreStats stats(const TestStore *t)
{
    StoreStats s;

    store_stats(t->store, &s);
    return s;
}

static void refuse_when_away(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    commit(f, f->a, "gone", 0);
    cut(f);
    ASK(&f->loop, a, store_commit, f->a->store, test_record("call", 1));
    g_assert_cmpint(a.status, ==, STORE_UNAVAILABLE);
    g_assert_true(g_str_has_prefix(a.text, "Redis is away: "));
    ASK(&f->loop, a, store_load, f->a->store, "call");
    g_assert_cmpint(a.status, ==, STORE_UNAVAILABLE);
    ASK(&f->loop, a, store_claim, f->a->store, "call", "edge-2", 0);
    g_assert_cmpint(a.status, ==, STORE_UNAVAILABLE);
    ASK(&f->loop, a, store_heartbeat, f->a->store);
    g_assert_cmpint(a.status, ==, STORE_UNAVAILABLE);
    /* a call that is over is over */
    ASK(&f->loop, a, store_delete, f->a->store, "gone");
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_true(a.behind);
    ASK(&f->loop, a, store_load, f->a->store, "gone");
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    ASK(&f->loop, a, store_commit, f->a->store, test_record("gone", 0));
    g_assert_cmpint(a.status, ==, STORE_UNAVAILABLE);
    g_assert_cmpuint(stats(f->a).behind, ==, 1);
    g_assert_nonnull(strstr(test_log->str, "offers are refused"));
    mend(f);
    RUN_UNTIL(&f->loop, stats(f->a).behind == 0);
    assert_redis(f->redis, "0", "EXISTS e2ae:call:gone");
    assert_redis(f->redis, "1", "EXISTS e2ae:call:call");
    commit(f, f->a, "call", 1);
}

static void degrade_when_away(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "old", 0);
    commit(f, f->a, "gone", 0);
    cut(f);
    for (uint64_t revision = 1; revision < 4; revision++) {
        ASK(&f->loop, a, store_commit, f->a->store, test_record("old", revision));
        g_assert_cmpint(a.status, ==, STORE_OK);
        g_assert_true(a.behind);
        g_assert_cmpuint(a.revision, ==, revision + 1);
    }
    ASK(&f->loop, a, store_commit, f->a->store, test_record("new", 0));
    g_assert_true(a.behind);
    ASK(&f->loop, a, store_commit, f->a->store, test_record("short", 0));
    ASK(&f->loop, a, store_delete, f->a->store, "short");
    g_assert_true(a.behind);
    ASK(&f->loop, a, store_delete, f->a->store, "gone");
    ASK(&f->loop, a, store_load, f->a->store, "old");
    g_assert_cmpuint(a.record->revision, ==, 4);
    g_assert_cmpuint(stats(f->a).behind, ==, 4);
    g_assert_cmpuint(stats(f->a).degraded, ==, 7);
    g_assert_nonnull(strstr(test_log->str, "offers are served from memory"));
    assert_redis(f->redis, "1", "EXISTS e2ae:call:gone");
    mend(f);
    RUN_UNTIL(&f->loop, stats(f->a).behind == 0);
    assert_redis(f->redis, "new old", "ZRANGE e2ae:node:edge-1:calls 0 -1");
    assert_redis(f->redis, "0", "EXISTS e2ae:call:gone e2ae:call:short");
    ASK(&f->loop, a, store_load, f->b->store, "old");
    g_assert_cmpuint(a.record->revision, ==, 4);
    commit(f, f->a, "old", 4);
    commit(f, f->a, "new", 1);
    g_assert_cmpuint(f->a->lost->len, ==, 0);
}

static void degraded_call_claimed_meanwhile(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "mine", 0);
    commit(f, f->a, "lost", 0);
    commit(f, f->a, "over", 0);
    cut(f);
    ASK(&f->loop, a, store_commit, f->a->store, test_record("mine", 1));
    ASK(&f->loop, a, store_commit, f->a->store, test_record("lost", 1));
    ASK(&f->loop, a, store_delete, f->a->store, "over");
    kill_heartbeat(f, "edge-1");
    ASK(&f->loop, a, store_claim, f->b->store, "lost", "edge-1", 0);
    ASK(&f->loop, a, store_claim, f->b->store, "over", "edge-1", 0);
    g_assert_cmpint(a.status, ==, STORE_OK);
    mend(f);
    RUN_UNTIL(&f->loop, stats(f->a).behind == 0 && f->a->lost->len);
    g_assert_cmpstr(f->a->lost->str, ==, "lost=edge-2 ");
    g_assert_cmpuint(stats(f->a).lost, ==, 1);
    assert_redis(f->redis, "mine", "ZRANGE e2ae:node:edge-1:calls 0 -1");
    assert_redis(f->redis, "lost over", "ZRANGE e2ae:node:edge-2:calls 0 -1");
    ASK(&f->loop, a, store_heartbeat, f->a->store);
    g_assert_false(a.found); /* what it did not write itself must be looked at, too */
}

static void degraded_is_bounded(Fixture *f, const void *data)
{
    unsigned unavailable = 0;
    (void)data;

    cut(f);
    for (unsigned i = 0; i < 110; i++) {
        g_auto(Answer) a = {0};
        g_autofree char *id = g_strdup_printf("call-%u", i);
        ASK(&f->loop, a, store_commit, f->a->store, test_record(id, 0));
        unavailable += a.status == STORE_UNAVAILABLE;
    }
    g_assert_cmpuint(unavailable, ==, 10);
    mend(f);
    RUN_UNTIL(&f->loop, stats(f->a).behind == 0);
    assert_redis(f->redis, "100", "ZCARD e2ae:node:edge-1:calls");
}

/* Redis comes back with nothing in it. */
static void degrade_survives_loss_of_data(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "old", 0);
    uint64_t epoch = store_epoch(f->a->store);
    test_redis_kill(f->redis);
    RUN_UNTIL(&f->loop, store_state(f->a->store) == STORE_AWAY);
    ASK(&f->loop, a, store_commit, f->a->store, test_record("old", 1));
    g_assert_true(a.behind);
    test_redis_again(f->redis, "--user e2ae on >secret ~* &* +@all");
    RUN_UNTIL(&f->loop, stats(f->a).behind == 0);
    ASK(&f->loop, a, store_load, f->a->store, "old");
    g_assert_cmpuint(a.record->revision, ==, 2);
    g_assert_cmpuint(store_epoch(f->a->store), ==, epoch);
    commit(f, f->a, "old", 2);
}

/* Commits that are under way when the connection breaks are made up for, too. */
static void degrade_with_writes_under_way(Fixture *f, const void *data)
{
    Answer a[50] = {0};
    (void)data;

    assert_redis(f->redis, "OK", "ACL SETUSER e2ae off");
    for (unsigned i = 0; i < G_N_ELEMENTS(a); i++) {
        g_autofree char *id = g_strdup_printf("call-%u", i);
        store_commit(f->a->store, test_record(id, 0), answer_cb, &a[i]);
    }
    assert_redis(f->redis, "1", "CLIENT KILL USER e2ae");
    for (unsigned i = 0; i < G_N_ELEMENTS(a); i++) {
        RUN_UNTIL(&f->loop, a[i].done);
        g_assert_cmpint(a[i].status, ==, STORE_OK);
        answer_clear(&a[i]);
    }
    mend(f);
    RUN_UNTIL(&f->loop, stats(f->a).behind == 0);
    assert_redis(f->redis, "50", "ZCARD e2ae:node:edge-1:calls");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    test_log_start();
#define TEST_AWAY(name, mode, function)                                                            \
    g_test_add(name, Fixture, mode, setup_away, function, teardown)
    TEST_AWAY("/store/redis/away/refuse", NULL, refuse_when_away);
    TEST_AWAY("/store/redis/away/degrade", "degrade", degrade_when_away);
    TEST_AWAY("/store/redis/away/claimed-meanwhile", "degrade", degraded_call_claimed_meanwhile);
    TEST_AWAY("/store/redis/away/bounded", "degrade", degraded_is_bounded);
    TEST_AWAY("/store/redis/away/loss-of-data", "degrade", degrade_survives_loss_of_data);
    TEST_AWAY("/store/redis/away/writes-under-way", "degrade", degrade_with_writes_under_way);
    return g_test_run();
}
