/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The connection of the store in Redis: against real servers that come and go. */
#include "store-fixture.h"

static void ends(uv_loop_t *loop, TestStore *t, TestRedis *redis)
{
    test_store_free(t);
    test_redis_free(redis);
    test_loop_end(loop);
}

static bool came_to(const TestStore *t, const char *state)
{
    return g_str_has_suffix(t->states->str, state);
}

static void unix_socket(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start(NULL);

    uv_loop_init(&loop);
    TestStore *t = test_store_new(&loop, redis, "edge-1", NULL, NULL);
    g_assert_cmpint(store_state(t->store), ==, STORE_CONNECTING);
    RUN_UNTIL(&loop, came_to(t, "ready"));
    g_assert_cmpstr(t->states->str, ==, "ready");
    g_assert_cmpuint(store_epoch(t->store), >, 0);
    ends(&loop, t, redis);
}

static void tcp_with_password(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start("--requirepass secret");
    g_autofree char *target = g_strdup_printf("secret@127.0.0.1:%u/3", redis->port);

    uv_loop_init(&loop);
    TestStore *t = test_store_new(&loop, redis, "edge-1", target, NULL);
    RUN_UNTIL(&loop, came_to(t, "ready"));
    assert_redis(redis, "1", "EXISTS e2ae:node:edge-1");
    ends(&loop, t, redis);
}

static void wrong_password(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start("--requirepass secret");
    g_autofree char *target = g_strdup_printf("hunter2@127.0.0.1:%u/3", redis->port);
    g_auto(Answer) a = {0};

    uv_loop_init(&loop);
    TestStore *t = test_store_new(&loop, redis, "edge-1", target, NULL);
    RUN_UNTIL(&loop, came_to(t, "away"));
    g_assert_true(g_str_has_prefix(t->text, "WRONGPASS"));
    g_assert_null(strstr(test_log->str, "hunter2"));
    ASK(&loop, a, store_commit, t->store, test_record("c", 0));
    g_assert_cmpint(a.status, ==, STORE_UNAVAILABLE);
    g_assert_nonnull(strstr(a.text, "WRONGPASS"));
    ends(&loop, t, redis);
}

static void set_user(StoreTarget *t)
{
    t->user = g_strdup("e2ae");
    t->password = g_strdup("hunter2");
}

/* Just what the README says it needs; no ROLE, no SCRIPT. */
static void acl_user(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start(NULL);
    g_auto(Answer) a = {0};

    assert_redis(
        redis, "OK",
        "ACL SETUSER e2ae on >hunter2 ~e2ae:* &e2ae:* -@all +select +randomkey +evalsha "
        "+eval +get +getrange +set +getex +mget +del +exists +ttl +expire +time +zadd +zrem "
        "+zrangebylex +zrevrange +zremrangebyscore +publish");
    uv_loop_init(&loop);
    TestStore *t = test_store_new(&loop, redis, "edge-1", NULL, set_user);
    RUN_UNTIL(&loop, came_to(t, "ready"));
    ASK(&loop, a, store_commit, t->store, test_record("c", 0));
    g_assert_cmpint(a.status, ==, STORE_OK);
    ASK(&loop, a, store_delete, t->store, "c");
    g_assert_cmpint(a.status, ==, STORE_OK);
    ASK(&loop, a, store_nodes, t->store);
    g_assert_cmpstr(a.nodes, ==, "edge-1=udp:192.0.2.1:2223");
    ends(&loop, t, redis);
}

static void nobody_listens_then_somebody(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start(NULL);
    g_autofree char *target = g_strdup_printf("127.0.0.1:%u/3", redis->port);

    test_redis_kill(redis);
    uv_loop_init(&loop);
    TestStore *tcp = test_store_new(&loop, redis, "edge-1", target, NULL);
    TestStore *socket = test_store_new(&loop, redis, "edge-2", NULL, NULL);
    RUN_UNTIL(&loop, came_to(tcp, "away") && came_to(socket, "away"));
    g_assert_cmpstr(tcp->text, ==, "Connection refused");
    test_redis_again(redis, NULL);
    RUN_UNTIL(&loop, came_to(tcp, "ready") && came_to(socket, "ready"));
    g_assert_cmpstr(tcp->states->str, ==, "away ready");
    test_store_free(tcp);
    ends(&loop, socket, redis);
}

static void refuses_a_database_of_others(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start(NULL);
    g_auto(Answer) a = {0};

    assert_redis(redis, "OK", "SET a84b4c76e66710@192.0.2.1 x");
    uv_loop_init(&loop);
    TestStore *t = test_store_new(&loop, redis, "edge-1", NULL, NULL);
    RUN_UNTIL(&loop, came_to(t, "refused"));
    g_assert_cmpstr(t->states->str, ==, "refused");
    g_assert_nonnull(strstr(t->text, "a84b4c76e66710@192.0.2.1"));
    assert_redis(redis, "1", "DBSIZE"); /* nothing was written */
    ASK(&loop, a, store_delete, t->store, "c");
    g_assert_cmpint(a.status, ==, STORE_UNAVAILABLE);
    ends(&loop, t, redis);
}

static void database_0_is_refused(void)
{
    uv_loop_t loop;
    StoreTarget target;
    StoreOptions options = {.node = "edge-1", .group = "east", .ng = ""};
    g_autoptr(GError) error = NULL;

    uv_loop_init(&loop);
    store_target_init(&target);
    g_assert_true(store_target_parse(&target, "192.0.2.1:6379/0", NULL));
    g_assert_null(store_redis_new(&loop, &options, &target, &error));
    g_assert_error(error, STORE_ERROR, STORE_ERROR_CONFIG);
    store_target_clear(&target);
    test_loop_end(&loop);
}

static void replica_is_no_master(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start(NULL);

    assert_redis(redis, "OK", "REPLICAOF 127.0.0.1 1");
    uv_loop_init(&loop);
    TestStore *t = test_store_new(&loop, redis, "edge-1", NULL, NULL);
    RUN_UNTIL(&loop, came_to(t, "away"));
    g_assert_nonnull(strstr(t->text, "replica"));
    assert_redis(redis, "OK", "REPLICAOF NO ONE");
    RUN_UNTIL(&loop, came_to(t, "ready"));
    ends(&loop, t, redis);
}

static void impatient(StoreTarget *t)
{
    t->command_ms = 200;
}

static void no_answer_in_time(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start(NULL);
    g_auto(Answer) a = {0};

    uv_loop_init(&loop);
    TestStore *t = test_store_new(&loop, redis, "edge-1", NULL, impatient);
    RUN_UNTIL(&loop, came_to(t, "ready"));
    test_redis_signal(redis, SIGSTOP);
    ASK(&loop, a, store_commit, t->store, test_record("c", 0));
    g_assert_cmpint(a.status, ==, STORE_UNAVAILABLE);
    g_assert_cmpstr(a.text, ==, "Redis is away: no answer for 200 ms");
    RUN_UNTIL(&loop, came_to(t, "away"));
    test_redis_signal(redis, SIGCONT);
    RUN_UNTIL(&loop, came_to(t, "ready"));
    /* whether the doubtful write arrived or not: the next one of the same revision does */
    ASK(&loop, a, store_commit, t->store, test_record("c", 0));
    g_assert_cmpint(a.status, ==, STORE_OK);
    ends(&loop, t, redis);
}

static void reconnects_when_cut(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start(NULL);
    g_auto(Answer) a = {0};

    uv_loop_init(&loop);
    TestStore *t = test_store_ready(&loop, redis, "edge-1");
    uint64_t epoch = store_epoch(t->store);
    assert_redis(redis, "1", "CLIENT KILL TYPE normal SKIPME yes");
    RUN_UNTIL(&loop, came_to(t, "away"));
    RUN_UNTIL(&loop, came_to(t, "ready"));
    g_assert_cmpuint(store_epoch(t->store), ==, epoch);
    ASK(&loop, a, store_heartbeat, t->store);
    g_assert_true(a.found);
    StoreStats stats;
    store_stats(t->store, &stats);
    g_assert_cmpuint(stats.connects, ==, 2);
    g_assert_nonnull(strstr(test_log->str, "is away"));
    /* and with a call under way */
    test_redis_signal(redis, SIGSTOP);
    answer_clear(&a);
    store_load(t->store, "c", answer_cb, &a);
    uv_run(&loop, UV_RUN_NOWAIT);
    test_redis_kill(redis);
    RUN_UNTIL(&loop, a.done);
    g_assert_cmpint(a.status, ==, STORE_UNAVAILABLE);
    /* how it was lost, not that there was too much to do: the kernel says one of the two */
    g_assert_true(strstr(a.text, "closed") || strstr(a.text, "reset"));
    ends(&loop, t, redis);
}

/* A server that cannot write is as good as away, whatever it says to a question. */
static void cannot_write(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start(NULL);
    g_auto(Answer) a = {0};

    uv_loop_init(&loop);
    TestStore *t = test_store_ready(&loop, redis, "edge-1");
    assert_redis(redis, "OK", "CONFIG SET maxmemory 1");
    ASK(&loop, a, store_commit, t->store, test_record("c", 0));
    g_assert_cmpint(a.status, ==, STORE_UNAVAILABLE);
    g_assert_nonnull(strstr(a.text, "OOM"));
    RUN_UNTIL(&loop, came_to(t, "away"));
    assert_redis(redis, "OK", "CONFIG SET maxmemory 0");
    RUN_UNTIL(&loop, came_to(t, "ready"));
    ASK(&loop, a, store_commit, t->store, test_record("c", 0));
    g_assert_cmpint(a.status, ==, STORE_OK);
    ends(&loop, t, redis);
}

static void four(StoreTarget *t)
{
    t->max_commands = 4;
}

static unsigned under_way(const TestStore *t)
{
    StoreStats stats;

    store_stats(t->store, &stats);
    return stats.under_way;
}

static void bounded(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start(NULL);
    Answer a[10] = {0};
    unsigned refused = 0;

    uv_loop_init(&loop);
    TestStore *t = test_store_new(&loop, redis, "edge-1", NULL, four);
    RUN_UNTIL(&loop, came_to(t, "ready") && under_way(t) == 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(a); i++)
        store_load(t->store, "c", answer_cb, &a[i]);
    g_assert_cmpuint(under_way(t), ==, 4);
    for (unsigned i = 0; i < G_N_ELEMENTS(a); i++) {
        RUN_UNTIL(&loop, a[i].done);
        refused += a[i].status == STORE_UNAVAILABLE;
        answer_clear(&a[i]);
    }
    g_assert_cmpuint(refused, ==, 6);
    ends(&loop, t, redis);
}

static void closed_with_calls_under_way(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start(NULL);
    Answer a[50] = {0};

    uv_loop_init(&loop);
    TestStore *t = test_store_ready(&loop, redis, "edge-1");
    test_redis_signal(redis, SIGSTOP);
    for (unsigned i = 0; i < G_N_ELEMENTS(a); i++)
        store_commit(t->store, test_record("c", i), answer_cb, &a[i]);
    test_store_free(t);
    for (unsigned i = 0; i < G_N_ELEMENTS(a); i++) {
        g_assert_cmpint(a[i].status, ==, STORE_UNAVAILABLE);
        g_assert_true(a[i].done);
        answer_clear(&a[i]);
    }
    test_redis_free(redis);
    test_loop_end(&loop);
}

static void closed_while_connecting(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start(NULL);

    uv_loop_init(&loop);
    TestStore *at_once = test_store_new(&loop, redis, "edge-1", NULL, NULL);
    test_store_free(at_once);
    test_redis_signal(redis, SIGSTOP);
    TestStore *later = test_store_new(&loop, redis, "edge-1", NULL, NULL);
    uv_run(&loop, UV_RUN_NOWAIT);
    uv_run(&loop, UV_RUN_NOWAIT);
    ends(&loop, later, redis);
}

/* Calls share their trips: the server reads many at once. */
static void pipelined(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start(NULL);
    enum { CALLS = 1000 };
    g_autofree Answer *a = g_new0(Answer, CALLS);

    uv_loop_init(&loop);
    TestStore *t = test_store_ready(&loop, redis, "edge-1");
    g_autofree char *before = test_redis_ask(redis, "INFO stats");
    for (unsigned i = 0; i < CALLS; i++) {
        g_autofree char *id = g_strdup_printf("call-%u", i);
        store_commit(t->store, test_record(id, 0), answer_cb, &a[i]);
    }
    int64_t start = g_get_monotonic_time();
    for (unsigned i = 0; i < CALLS; i++) {
        RUN_UNTIL(&loop, a[i].done);
        g_assert_cmpint(a[i].status, ==, STORE_OK);
        answer_clear(&a[i]);
    }
    g_test_message("%d commits at once: %.1f ms", CALLS,
                   (double)(g_get_monotonic_time() - start) / 1000);
    g_autofree char *after = test_redis_ask(redis, "INFO stats");
    const char *key = "total_reads_processed:";
    int64_t reads = g_ascii_strtoll(strstr(after, key) + strlen(key), NULL, 10) -
                    g_ascii_strtoll(strstr(before, key) + strlen(key), NULL, 10);
    g_test_message("reads of the server: %" G_GINT64_FORMAT, reads);
    g_assert_cmpint(reads, <, CALLS / 4);
    ends(&loop, t, redis);
}

/* --- Sentinel */

static Addr sentinel_addr[2];

static void use_sentinels(StoreTarget *t)
{
    for (unsigned i = 0; i < 2; i++)
        t->sentinels[i] = sentinel_addr[i];
    t->n_sentinels = 2;
    t->master = g_strdup("e2ae");
}

static void sentinel_unknown_master(void)
{
    uv_loop_t loop;
    TestRedis *redis = test_redis_start(NULL);

    uv_loop_init(&loop);
    /* the first is nobody, the second no sentinel */
    sentinel_addr[0] = test_addr("127.0.0.1:1");
    sentinel_addr[1] = addr_with_port(test_any_port("127.0.0.1"), redis->port);
    TestStore *t = test_store_new(&loop, redis, "edge-1", "/3", use_sentinels);
    RUN_UNTIL(&loop, came_to(t, "away"));
    g_assert_true(g_str_has_prefix(t->text, "no sentinel knows the master e2ae: "));
    ends(&loop, t, redis);
}

static void sentinel_fail_over(void)
{
    uv_loop_t loop;
    TestRedis *master = test_redis_start(NULL);
    g_autofree char *follow = g_strdup_printf("--replicaof 127.0.0.1 %u", master->port);
    TestRedis *replica = test_redis_start(follow);
    g_auto(Answer) a = {0};

    /* the sentinel has to learn of the replica from the master, and the replica of the record */
    test_redis_await(replica, "master_link_status:up", "INFO replication");
    TestRedis *sentinel = test_redis_sentinel(master);
    test_redis_await(sentinel, "slave", "SENTINEL replicas e2ae");

    uv_loop_init(&loop);
    sentinel_addr[0] = test_addr("127.0.0.1:1");
    sentinel_addr[1] = addr_with_port(test_any_port("127.0.0.1"), sentinel->port);
    TestStore *t = test_store_new(&loop, master, "edge-1", "/3", use_sentinels);
    RUN_UNTIL(&loop, came_to(t, "ready"));
    uint64_t epoch = store_epoch(t->store);
    ASK(&loop, a, store_commit, t->store, test_record("c", 0));
    g_assert_cmpint(a.status, ==, STORE_OK);
    assert_redis(master, "1", "WAIT 1 10000");
    test_redis_kill(master);
    RUN_UNTIL(&loop, came_to(t, "away"));
    RUN_UNTIL(&loop, came_to(t, "ready"));
    g_assert_cmpuint(store_epoch(t->store), ==, epoch);
    ASK(&loop, a, store_commit, t->store, test_record("c", 1));
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_cmpuint(a.revision, ==, 2);
    assert_redis(replica, "1", "EXISTS e2ae:call:c");
    test_redis_free(sentinel);
    test_redis_free(replica);
    ends(&loop, t, master);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    test_log_start();
    g_test_add_func("/store/link/unix-socket", unix_socket);
    g_test_add_func("/store/link/tcp-with-password", tcp_with_password);
    g_test_add_func("/store/link/wrong-password", wrong_password);
    g_test_add_func("/store/link/acl-user", acl_user);
    g_test_add_func("/store/link/nobody-listens-then-somebody", nobody_listens_then_somebody);
    g_test_add_func("/store/link/refuses-a-database-of-others", refuses_a_database_of_others);
    g_test_add_func("/store/link/database-0-is-refused", database_0_is_refused);
    g_test_add_func("/store/link/replica-is-no-master", replica_is_no_master);
    g_test_add_func("/store/link/no-answer-in-time", no_answer_in_time);
    g_test_add_func("/store/link/reconnects-when-cut", reconnects_when_cut);
    g_test_add_func("/store/link/cannot-write", cannot_write);
    g_test_add_func("/store/link/bounded", bounded);
    g_test_add_func("/store/link/closed-with-calls-under-way", closed_with_calls_under_way);
    g_test_add_func("/store/link/closed-while-connecting", closed_while_connecting);
    g_test_add_func("/store/link/pipelined", pipelined);
    g_test_add_func("/store/link/sentinel/unknown-master", sentinel_unknown_master);
    g_test_add_func("/store/link/sentinel/fail-over", sentinel_fail_over);
    return g_test_run();
}
