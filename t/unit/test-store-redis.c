/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records, nodes and take-over in a real server. */
#include "store-fixture.h"

#include "redis-schema/redis-keys.h"

#include <pthread.h>

typedef struct Fixture {
    uv_loop_t loop;
    TestRedis *redis;
    TestStore *a;
    TestStore *b;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    (void)data;
    uv_loop_init(&f->loop);
    f->redis = test_redis_start(NULL);
    f->a = test_store_ready(&f->loop, f->redis, "edge-1");
    f->b = test_store_ready(&f->loop, f->redis, "edge-2");
}

static void drop(TestStore **t)
{
    if (*t)
        test_store_free(*t);
    *t = NULL;
}

static void teardown(Fixture *f, const void *data)
{
    (void)data;
    drop(&f->a);
    drop(&f->b);
    test_redis_free(f->redis);
    test_loop_end(&f->loop);
}

static void commit(Fixture *f, TestStore *t, const char *call_id, uint64_t revision)
{
    g_auto(Answer) a = {0};

    ASK(&f->loop, a, store_commit, t->store, test_record(call_id, revision));
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_false(a.behind);
    g_assert_cmpuint(a.revision, ==, revision + 1);
}

/* The heartbeat has expired: a node that hangs. */
static void kill_heartbeat(Fixture *f, const char *node)
{
    assert_redis(f->redis, "1", "DEL e2ae:node:%s", node);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* As text, in order. */
static char *keys(Fixture *f)
{
    g_autofree char *text = test_redis_ask(f->redis, "KEYS *");
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    qsort(words, g_strv_length(words), sizeof *words, by_text);
    return g_strjoinv(" ", words);
}

static void life_of_a_record(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    commit(f, f->a, "call", 1);
    g_autofree char *during = keys(f);
    g_assert_cmpstr(during, ==,
                    "e2ae:call:call e2ae:node:edge-1 e2ae:node:edge-1:calls "
                    "e2ae:node:edge-2 e2ae:nodes");
    /* every key has a TTL */
    g_auto(GStrv) words = g_strsplit(during, " ", -1);
    for (unsigned i = 0; words[i]; i++) {
        g_autofree char *ttl = test_redis_ask(f->redis, "PTTL %s", words[i]);
        g_assert_cmpint(g_ascii_strtoll(ttl, NULL, 10), >, 0);
    }
    /* anybody may read it */
    ASK(&f->loop, a, store_load, f->b->store, "call");
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_cmpuint(a.revision, ==, 2);
    g_assert_cmpstr(a.record->owner, ==, "edge-1");
    g_assert_cmpuint(a.record->epoch, ==, store_epoch(f->a->store));
    g_autoptr(RedisRecord) expected = test_record("call", 2);
    expected->owner = g_strdup("edge-1");
    expected->epoch = a.record->epoch;
    expected->updated = a.record->updated;
    g_assert_true(redis_record_equal(a.record, expected));
    ASK(&f->loop, a, store_delete, f->a->store, "call");
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_autofree char *after = keys(f);
    g_assert_cmpstr(after, ==, "e2ae:node:edge-1 e2ae:node:edge-2 e2ae:nodes");
    ASK(&f->loop, a, store_load, f->b->store, "call");
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    ASK(&f->loop, a, store_delete, f->a->store, "call");
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    ASK(&f->loop, a, store_commit, f->a->store, test_record("call", 2));
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND); /* a late write brings nothing back */
}

static void call_id_of_any_bytes(Fixture *f, const void *data)
{
    static const char id[] = "caf\xc3\xa9 \xff\"%\\{x}\r\n'*?[";
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, id, 0);
    commit(f, f->a, id, 1);
    ASK(&f->loop, a, store_load, f->b->store, id);
    g_assert_cmpstr(a.record->call_id, ==, id);
    ASK(&f->loop, a, store_list_node, f->b->store, "edge-1", NULL);
    g_assert_cmpstr(a.calls[0], ==, id);
    kill_heartbeat(f, "edge-1");
    ASK(&f->loop, a, store_claim, f->b->store, id, "edge-1", 2);
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_cmpstr(a.record->call_id, ==, id);
    ASK(&f->loop, a, store_delete, f->b->store, id);
    g_assert_cmpint(a.status, ==, STORE_OK);
}

static void only_the_owner_writes(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    for (uint64_t revision = 0; revision < 3; revision++) {
        ASK(&f->loop, a, store_commit, f->b->store, test_record("call", revision));
        g_assert_cmpint(a.status, ==, STORE_CONFLICT);
        g_assert_cmpstr(a.owner, ==, "edge-1");
        g_assert_cmpuint(a.epoch, ==, store_epoch(f->a->store));
        g_assert_cmpuint(a.revision, ==, 1);
    }
    ASK(&f->loop, a, store_delete, f->b->store, "call");
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    commit(f, f->a, "call", 1);
}

/* The reply to an earlier write was lost, so its revision is not known. */
static void own_doubtful_write_is_no_conflict(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    commit(f, f->a, "call", 1);
    ASK(&f->loop, a, store_commit, f->a->store, test_record("call", 1));
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_cmpuint(a.revision, ==, 3);
    ASK(&f->loop, a, store_commit, f->a->store, test_record("call", 0));
    g_assert_cmpuint(a.revision, ==, 4);
    commit(f, f->a, "call", 4);
}

static void living_owner_keeps_its_call(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    ASK(&f->loop, a, store_claim, f->b->store, "call", "edge-1", 0);
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_cmpstr(a.owner, ==, "edge-1");
    kill_heartbeat(f, "edge-1");
    ASK(&f->loop, a, store_claim, f->b->store, "call", "edge-1", 7); /* another revision */
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_cmpuint(a.revision, ==, 1);
    ASK(&f->loop, a, store_claim, f->b->store, "call", "edge-9", 0); /* another owner */
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    ASK(&f->loop, a, store_claim, f->b->store, "other", "edge-1", 0);
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
}

static void dead_owner_loses_its_call(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    kill_heartbeat(f, "edge-1");
    for (unsigned again = 0; again < 2; again++) { /* a claim may be repeated */
        ASK(&f->loop, a, store_claim, f->b->store, "call", "edge-1", 1);
        g_assert_cmpint(a.status, ==, STORE_OK);
        g_assert_cmpuint(a.revision, ==, 2);
        g_assert_cmpstr(a.record->owner, ==, "edge-2");
        g_assert_cmpuint(a.record->epoch, ==, store_epoch(f->b->store));
    }
    assert_redis(f->redis, "0", "EXISTS e2ae:node:edge-1:calls");
    assert_redis(f->redis, "call", "ZRANGE e2ae:node:edge-2:calls 0 -1");
    /* the old owner comes back and still believes in its call: it loses, and harms nothing */
    ASK(&f->loop, a, store_heartbeat, f->a->store);
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_false(a.found);
    ASK(&f->loop, a, store_heartbeat, f->a->store);
    g_assert_true(a.found);
    ASK(&f->loop, a, store_commit, f->a->store, test_record("call", 1));
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_cmpstr(a.owner, ==, "edge-2");
    ASK(&f->loop, a, store_delete, f->a->store, "call");
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    ASK(&f->loop, a, store_claim, f->a->store, "call", "edge-2", 0);
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    commit(f, f->b, "call", 2);
}

static void who_is_dead_claims_nothing(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    kill_heartbeat(f, "edge-1");
    kill_heartbeat(f, "edge-2");
    ASK(&f->loop, a, store_claim, f->b->store, "call", "edge-1", 0);
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_cmpstr(a.owner, ==, "edge-2"); /* fenced: itself */
    ASK(&f->loop, a, store_heartbeat, f->b->store);
    ASK(&f->loop, a, store_claim, f->b->store, "call", "edge-1", 0);
    g_assert_cmpint(a.status, ==, STORE_OK);
}

static void second_life(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    TestStore *first = f->a;
    (void)data;

    commit(f, first, "call", 0);
    f->a = test_store_ready(&f->loop, f->redis, "edge-1");
    g_assert_cmpuint(store_epoch(f->a->store), >, store_epoch(first->store));
    /* the others keep off, as the node lives */
    ASK(&f->loop, a, store_claim, f->b->store, "call", "edge-1", 0);
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    /* not its own yet */
    ASK(&f->loop, a, store_commit, f->a->store, test_record("call", 1));
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_cmpuint(a.epoch, ==, store_epoch(first->store));
    ASK(&f->loop, a, store_claim, f->a->store, "call", "edge-1", 0);
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_cmpuint(a.record->epoch, ==, store_epoch(f->a->store));
    assert_redis(f->redis, "call", "ZRANGE e2ae:node:edge-1:calls 0 -1");
    /* the first life, if it is still there, can do nothing any more */
    ASK(&f->loop, a, store_commit, first->store, test_record("call", 1));
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    ASK(&f->loop, a, store_commit, first->store, test_record("new", 0));
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_cmpstr(a.owner, ==, "edge-1");
    g_assert_cmpuint(a.epoch, ==, store_epoch(f->a->store));
    ASK(&f->loop, a, store_heartbeat, first->store);
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    ASK(&f->loop, a, store_leave, first->store);
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    assert_redis(f->redis, "1", "EXISTS e2ae:node:edge-1");
    test_store_free(first);
}

enum { CLAIMS = 1000 };

/* Both claim every call at the same time, each over its own connection. */
static void thousand_claims_at_once(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    g_autofree Answer *by_a = g_new0(Answer, CLAIMS), *by_b = g_new0(Answer, CLAIMS);
    TestStore *dead = test_store_ready(&f->loop, f->redis, "edge-0");
    unsigned won_a = 0, won_b = 0;
    (void)data;

    for (unsigned i = 0; i < CLAIMS; i++) {
        g_autofree char *id = g_strdup_printf("call-%u", i);
        commit(f, dead, id, 0);
    }
    ASK(&f->loop, a, store_leave, dead->store);
    test_store_free(dead);
    for (unsigned i = 0; i < CLAIMS; i++) {
        g_autofree char *id = g_strdup_printf("call-%u", i);
        store_claim((i % 2 ? f->a : f->b)->store, id, "edge-0", 1, answer_cb,
                    i % 2 ? &by_a[i] : &by_b[i]);
        store_claim((i % 2 ? f->b : f->a)->store, id, "edge-0", 1, answer_cb,
                    i % 2 ? &by_b[i] : &by_a[i]);
    }
    for (unsigned i = 0; i < CLAIMS; i++) {
        RUN_UNTIL(&f->loop, by_a[i].done && by_b[i].done);
        bool a_won = by_a[i].status == STORE_OK;
        const Answer *loser = a_won ? &by_b[i] : &by_a[i], *winner = a_won ? &by_a[i] : &by_b[i];
        g_assert_cmpint(winner->status, ==, STORE_OK);
        g_assert_cmpuint(winner->revision, ==, 2);
        g_assert_cmpint(loser->status, ==, STORE_CONFLICT);
        g_assert_cmpstr(loser->owner, ==, a_won ? "edge-1" : "edge-2");
        won_a += a_won;
        won_b += !a_won;
        answer_clear(&by_a[i]);
        answer_clear(&by_b[i]);
    }
    g_test_message("won by edge-1: %u, by edge-2: %u", won_a, won_b);
    g_autofree char *count_a = g_strdup_printf("%u", won_a);
    g_autofree char *count_b = g_strdup_printf("%u", won_b);
    assert_redis(f->redis, count_a, "ZCARD e2ae:node:edge-1:calls");
    assert_redis(f->redis, count_b, "ZCARD e2ae:node:edge-2:calls");
    assert_redis(f->redis, "0", "EXISTS e2ae:node:edge-0:calls");
}

/* A node in a thread of its own, with its own loop and connection. */
typedef struct Racer {
    uv_loop_t loop;
    TestStore *t;
    pthread_barrier_t *barrier;
    StoreStatus status[CLAIMS];
    unsigned won;
} Racer;

static void *race(void *data)
{
    Racer *r = data;

    for (unsigned i = 0; i < CLAIMS; i++) {
        g_auto(Answer) a = {0};
        g_autofree char *id = g_strdup_printf("call-%u", i);
        pthread_barrier_wait(r->barrier);
        ASK(&r->loop, a, store_claim, r->t->store, id, "edge-0", 1);
        r->status[i] = a.status;
        r->won += a.status == STORE_OK;
    }
    return NULL;
}

/* One call after the other, by two threads that start each claim together. */
static void thousand_claims_one_by_one(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    TestStore *dead = test_store_ready(&f->loop, f->redis, "edge-0");
    pthread_barrier_t barrier;
    Racer *racers[2];
    GThread *threads[2];
    (void)data;

    for (unsigned i = 0; i < CLAIMS; i++) {
        g_autofree char *id = g_strdup_printf("call-%u", i);
        commit(f, dead, id, 0);
    }
    ASK(&f->loop, a, store_leave, dead->store);
    test_store_free(dead);
    pthread_barrier_init(&barrier, NULL, 2);
    for (unsigned i = 0; i < 2; i++) {
        racers[i] = g_new0(Racer, 1);
        uv_loop_init(&racers[i]->loop);
        racers[i]->t = test_store_ready(&racers[i]->loop, f->redis, i ? "edge-4" : "edge-3");
        racers[i]->barrier = &barrier;
    }
    for (unsigned i = 0; i < 2; i++)
        threads[i] = g_thread_new(NULL, race, racers[i]);
    for (unsigned i = 0; i < 2; i++)
        g_thread_join(threads[i]);
    for (unsigned i = 0; i < CLAIMS; i++) {
        bool first = racers[0]->status[i] == STORE_OK;
        g_assert_cmpint(racers[first ? 0 : 1]->status[i], ==, STORE_OK);
        g_assert_cmpint(racers[first ? 1 : 0]->status[i], ==, STORE_CONFLICT);
    }
    g_test_message("won by edge-3: %u, by edge-4: %u", racers[0]->won, racers[1]->won);
    for (unsigned i = 0; i < 2; i++) {
        test_store_free(racers[i]->t);
        test_loop_end(&racers[i]->loop);
        g_free(racers[i]);
    }
    pthread_barrier_destroy(&barrier);
}

static void pages(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    g_autofree char *last = NULL;
    unsigned seen = 0, n = 0;
    (void)data;

    for (unsigned i = 0; i < 250; i++) {
        g_autofree char *id = g_strdup_printf("call-%03u", i);
        commit(f, f->a, id, 0);
    }
    do {
        ASK(&f->loop, a, store_list_node, f->b->store, "edge-1", last);
        g_assert_cmpint(a.status, ==, STORE_OK);
        g_assert_cmpuint(g_strv_length(a.calls), <=, STORE_PAGE);
        for (unsigned i = 0; a.calls[i]; i++, seen++) {
            g_assert_cmpint(g_strcmp0(a.calls[i], last), >, 0);
            g_free(last);
            last = g_strdup(a.calls[i]);
        }
        if (n++ == 0) { /* what goes while somebody reads shifts nothing */
            g_auto(Answer) d = {0};
            ASK(&f->loop, d, store_delete, f->a->store, "call-000");
            ASK(&f->loop, d, store_delete, f->a->store, "call-050");
        }
    } while (a.calls[0]);
    g_assert_cmpuint(seen, ==, 250);
    g_assert_cmpuint(n, ==, 4);
}

/* The record has expired, its member in the index is still there. */
static void expired_record_leaves_the_index(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    assert_redis(f->redis, "1", "DEL e2ae:call:call");
    kill_heartbeat(f, "edge-1");
    ASK(&f->loop, a, store_claim, f->b->store, "call", "edge-1", 0);
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    assert_redis(f->redis, "0", "EXISTS e2ae:node:edge-1:calls");
}

static void nodes(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    ASK(&f->loop, a, store_nodes, f->a->store);
    g_assert_nonnull(strstr(a.nodes, "edge-1=udp:192.0.2.1:2223"));
    g_assert_nonnull(strstr(a.nodes, "edge-2=udp:192.0.2.1:2223"));
    kill_heartbeat(f, "edge-2");
    ASK(&f->loop, a, store_nodes, f->a->store);
    g_assert_nonnull(strstr(a.nodes, "edge-2=dead"));
    /* a newer node that cannot be understood is not dead */
    assert_redis(f->redis, "OK", "SET e2ae:node:edge-2 {\"schema\":9}");
    ASK(&f->loop, a, store_nodes, f->a->store);
    g_assert_null(strstr(a.nodes, "dead"));
    kill_heartbeat(f, "edge-2");
    /* ended in order and without calls: it leaves the group */
    ASK(&f->loop, a, store_leave, f->b->store);
    ASK(&f->loop, a, store_nodes, f->a->store);
    g_assert_cmpstr(a.nodes, ==, "edge-1=udp:192.0.2.1:2223");
    /* with calls it stays, as dead */
    commit(f, f->a, "call", 0);
    ASK(&f->loop, a, store_leave, f->a->store);
    ASK(&f->loop, a, store_nodes, f->b->store);
    g_assert_cmpstr(a.nodes, ==, "edge-1=dead");
}

static void one_node(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    ASK(&f->loop, a, store_node, f->a->store, "edge-2");
    g_assert_cmpstr(a.nodes, ==, "edge-2=udp:192.0.2.1:2223");
    kill_heartbeat(f, "edge-2");
    ASK(&f->loop, a, store_node, f->a->store, "edge-2");
    g_assert_cmpstr(a.nodes, ==, "edge-2=dead");
    assert_redis(f->redis, "OK", "SET e2ae:node:edge-2 {\"schema\":9}");
    ASK(&f->loop, a, store_node, f->a->store, "edge-2");
    g_assert_cmpstr(a.nodes, ==, "edge-2=");
}

/* Of a call that another node has taken and ended meanwhile, a frozen owner's write finds nothing, as after a loss
 * of data; the two must not be mistaken for each other. */
static void taken_and_deleted_is_not_lost(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    commit(f, f->a, "lost", 0);
    kill_heartbeat(f, "edge-1");
    ASK(&f->loop, a, store_claim, f->b->store, "call", "edge-1", 0);
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_autofree char *ttl = test_redis_ask(f->redis, "TTL e2ae:node:edge-1:taken");
    g_assert_cmpint(g_ascii_strtoll(ttl, NULL, 10), >, 0);
    ASK(&f->loop, a, store_delete, f->b->store, "call");
    assert_redis(f->redis, "1", "DEL e2ae:call:lost");
    ASK(&f->loop, a, store_heartbeat, f->a->store);
    g_assert_false(a.found);
    ASK(&f->loop, a, store_commit, f->a->store, test_record("call", 1));
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_cmpstr(a.owner, ==, "edge-2");
    ASK(&f->loop, a, store_commit, f->a->store, test_record("lost", 1));
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
}

/* Taken, and taken back: then it is no other's any more. */
static void taken_back(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    kill_heartbeat(f, "edge-1");
    ASK(&f->loop, a, store_claim, f->b->store, "call", "edge-1", 0);
    ASK(&f->loop, a, store_heartbeat, f->a->store);
    kill_heartbeat(f, "edge-2");
    ASK(&f->loop, a, store_claim, f->a->store, "call", "edge-2", 0);
    g_assert_cmpint(a.status, ==, STORE_OK);
    uint64_t revision = a.revision;
    assert_redis(f->redis, "1", "DEL e2ae:call:call");
    ASK(&f->loop, a, store_commit, f->a->store, test_record("call", revision));
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    /* a new life has had nothing taken from it */
    drop(&f->b);
    f->b = test_store_ready(&f->loop, f->redis, "edge-2");
    assert_redis(f->redis, "0", "EXISTS e2ae:node:edge-2:taken");
}

static void node_long_gone_leaves_the_group(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    assert_redis(f->redis, "1", "ZADD e2ae:nodes 1000000 east/edge-0");
    ASK(&f->loop, a, store_heartbeat, f->a->store);
    ASK(&f->loop, a, store_nodes, f->a->store);
    g_assert_null(strstr(a.nodes, "edge-0"));
}

static void scripts_flushed(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    assert_redis(f->redis, "OK", "SCRIPT FLUSH");
    commit(f, f->a, "call", 0);
    assert_redis(f->redis, "OK", "SCRIPT FLUSH");
    ASK(&f->loop, a, store_delete, f->a->store, "call");
    g_assert_cmpint(a.status, ==, STORE_OK);
}

static void not_a_record_of_ours(Fixture *f, const void *data)
{
    static const struct {
        const char *value, *load, *write;
    } rows[] = {
        {"{\"schema\":2,\"minor\":0,\"x\":1}", "schema 2", "schema 2"},
        {"nonsense", "JSON", "E2AE"},
        {"{ \"schema\":1}", "missing", "E2AE"},
    };
    (void)data;

    kill_heartbeat(f, "edge-1");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Answer) a = {0};
        assert_redis(f->redis, "OK", "SET e2ae:call:call %s", rows[i].value);
        ASK(&f->loop, a, store_load, f->b->store, "call");
        g_assert_cmpint(a.status, ==, STORE_BAD);
        g_assert_nonnull(strstr(a.text, rows[i].load));
        ASK(&f->loop, a, store_claim, f->b->store, "call", "edge-1", 0);
        g_assert_cmpint(a.status, ==, STORE_BAD);
        g_assert_nonnull(strstr(a.text, rows[i].write));
        ASK(&f->loop, a, store_commit, f->b->store, test_record("call", 1));
        g_assert_cmpint(a.status, ==, STORE_BAD);
        g_assert_nonnull(strstr(a.text, rows[i].write));
        assert_redis(f->redis, rows[i].value, "GET e2ae:call:call"); /* as it was */
    }
    g_auto(Answer) a = {0};
    RedisRecord *large = test_record("large", 0);
    large->first_keys = g_strnfill(2 << 20, 'x');
    ASK(&f->loop, a, store_commit, f->b->store, large);
    g_assert_cmpint(a.status, ==, STORE_BAD);
    g_assert_cmpstr(f->b->states->str, ==, "ready"); /* one bad record is no reason to reconnect */
}

static void certificates(Fixture *f, const void *data)
{
    static const uint8_t nonce[REDIS_CERT_NONCE] = {1, 2, 3};
    g_auto(Answer) a = {0};
    g_autoptr(GBytes) sealed = g_bytes_new_static("0123456789abcdef", 16);
    Fingerprint fp = {FP_SHA256, {1, 2, 3}};
    char name[FP_TEXT_MAX];
    (void)data;

    fp_text(&fp, name);
    ASK(&f->loop, a, store_cert_load, f->b->store, NULL);
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    g_assert_null(a.fingerprint);
    RedisCert *cert = redis_cert_new(name, "0011", nonce, sealed);
    g_autofree char *json = redis_cert_print(cert, NULL);
    ASK(&f->loop, a, store_cert_save, f->a->store, cert, NULL);
    g_assert_cmpint(a.status, ==, STORE_OK);
    ASK(&f->loop, a, store_cert_load, f->b->store, NULL);
    g_assert_cmpstr(a.sealed, ==, json);
    g_assert_cmpstr(a.fingerprint, ==, name);
    ASK(&f->loop, a, store_cert_load, f->b->store, name);
    g_assert_cmpstr(a.sealed, ==, json);
    g_autofree char *key = redis_key_cert(name);
    g_autofree char *ttl = test_redis_ask(f->redis, "TTL %s", key);
    g_assert_cmpint(g_ascii_strtoll(ttl, NULL, 10), >, 86400);
    g_autofree char *ttl2 = test_redis_ask(f->redis, "TTL e2ae:group:east:cert");
    g_assert_cmpint(g_ascii_strtoll(ttl2, NULL, 10), >, 86400);
    ASK(&f->loop, a, store_cert_load, f->b->store, "sha-256 00");
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
}

static RedisCert *some_cert(uint8_t number, char name[static FP_TEXT_MAX])
{
    static const uint8_t nonce[REDIS_CERT_NONCE] = {1, 2, 3};
    g_autoptr(GBytes) sealed = g_bytes_new_static("0123456789abcdef", 16);
    Fingerprint fp = {FP_SHA256, {number}};

    return redis_cert_new(fp_text(&fp, name), "0011", nonce, sealed);
}

/* Of several certificates made at once the first one counts, and who was late learns which. */
static void certificate_race(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    char first[FP_TEXT_MAX], late[FP_TEXT_MAX], old[FP_TEXT_MAX];
    (void)data;

    ASK(&f->loop, a, store_cert_save, f->a->store, some_cert(1, first), NULL);
    g_assert_cmpint(a.status, ==, STORE_OK);
    ASK(&f->loop, a, store_cert_save, f->b->store, some_cert(2, late), NULL);
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_cmpstr(a.fingerprint, ==, first);
    g_autofree char *late_key = redis_key_cert(late);
    assert_redis(f->redis, "0", "EXISTS %s", late_key);
    /* a repeat of what was done, as after an answer that was lost */
    ASK(&f->loop, a, store_cert_save, f->a->store, some_cert(1, first), NULL);
    g_assert_cmpint(a.status, ==, STORE_OK);
    ASK(&f->loop, a, store_cert_save, f->b->store, some_cert(2, late), first);
    g_assert_cmpint(a.status, ==, STORE_OK);
    ASK(&f->loop, a, store_cert_save, f->a->store, some_cert(3, old), first);
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_cmpstr(a.fingerprint, ==, late);
    assert_redis(f->redis, late, "GET e2ae:group:east:cert");
}

/* An old one is kept, and is not the group's. A group whose certificate is gone says which it was. */
static void certificate_kept(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    char old[FP_TEXT_MAX], now[FP_TEXT_MAX];
    (void)data;

    ASK(&f->loop, a, store_cert_save, f->a->store, some_cert(1, now), NULL);
    ASK(&f->loop, a, store_cert_keep, f->a->store, some_cert(2, old));
    g_assert_cmpint(a.status, ==, STORE_OK);
    assert_redis(f->redis, now, "GET e2ae:group:east:cert");
    g_autofree char *old_key = redis_key_cert(old);
    g_autofree char *ttl = test_redis_ask(f->redis, "TTL %s", old_key);
    g_assert_cmpint(g_ascii_strtoll(ttl, NULL, 10), >, 86400);
    g_autofree char *now_key = redis_key_cert(now);
    assert_redis(f->redis, "1", "DEL %s", now_key);
    ASK(&f->loop, a, store_cert_load, f->b->store, NULL);
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    g_assert_cmpstr(a.fingerprint, ==, now);
    ASK(&f->loop, a, store_cert_save, f->b->store, some_cert(3, old), now);
    g_assert_cmpint(a.status, ==, STORE_OK);
    /* the group's was lost instead */
    assert_redis(f->redis, "1", "DEL e2ae:group:east:cert");
    ASK(&f->loop, a, store_cert_save, f->b->store, some_cert(1, now), old);
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_null(a.fingerprint);
}

static void events(Fixture *f, const void *data)
{
    redisContext *c = redisConnect("127.0.0.1", f->redis->port);
    redisReply *reply = redisCommand(c, "SUBSCRIBE " REDIS_EVENTS_CHANNEL);
    (void)data;

    freeReplyObject(reply);
    store_publish(f->a->store, "{\"event\":\"takeover\"}");
    commit(f, f->a, "call", 0); /* behind it on the same connection */
    g_assert_cmpint(redisGetReply(c, (void **)&reply), ==, REDIS_OK);
    g_assert_cmpstr(reply->element[2]->str, ==, "{\"event\":\"takeover\"}");
    freeReplyObject(reply);
    redisFree(c);
}

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

/* --- growth */

enum { RESTORED = 20000 };

typedef struct Restore {
    TestStore *t;
    unsigned claimed, asked, pages;
    bool done;
    char *last;
} Restore;

static void next_page(Restore *r);

static void claimed_cb(const StoreReply *reply, void *arg)
{
    Restore *r = arg;

    g_assert_cmpint(reply->status, ==, STORE_OK);
    g_assert_nonnull(reply->record);
    if (++r->claimed == r->asked)
        next_page(r);
}

static void page_cb(const StoreReply *reply, void *arg)
{
    Restore *r = arg;

    r->pages++;
    r->done = reply->n == 0;
    for (unsigned i = 0; i < reply->n; i++, r->asked++)
        store_claim(r->t->store, reply->calls[i], "edge-0", 0, claimed_cb, r);
    if (reply->n) {
        g_free(r->last);
        r->last = g_strdup(reply->calls[reply->n - 1]);
    }
}

static void next_page(Restore *r)
{
    store_list_node(r->t->store, "edge-0", r->last, page_cb, r);
}

static void count_cb(const StoreReply *reply, void *arg)
{
    g_assert_cmpint(reply->status, ==, STORE_OK);
    ++*(unsigned *)arg;
}

static void restores_many(Fixture *f, const void *data)
{
    TestStore *dead = test_store_ready(&f->loop, f->redis, "edge-0");
    g_auto(Answer) a = {0};
    unsigned written = 0, asked = 0;
    (void)data;

    int64_t start = g_get_monotonic_time();
    while (written < RESTORED) {
        for (; asked < RESTORED && asked < written + 1000; asked++) {
            g_autofree char *id = g_strdup_printf("%08x-call-%u@192.0.2.1", g_random_int(), asked);
            store_commit(dead->store, test_record(id, 0), count_cb, &written);
        }
        RUN_UNTIL(&f->loop, written == asked || asked < written + 500);
    }
    int64_t commits = g_get_monotonic_time() - start;
    ASK(&f->loop, a, store_leave, dead->store);
    test_store_free(dead);
    Restore r = {.t = f->a};
    start = g_get_monotonic_time();
    next_page(&r);
    RUN_UNTIL(&f->loop, r.done);
    int64_t claims = g_get_monotonic_time() - start;
    g_assert_cmpuint(r.claimed, ==, RESTORED);
    g_test_message("%d commits: %.0f ms, %.1f us each; claims in %u pages: %.0f ms, %.1f us each",
                   RESTORED, (double)commits / 1e3, (double)commits / RESTORED, r.pages,
                   (double)claims / 1e3, (double)claims / RESTORED);
    assert_redis(f->redis, "20000", "ZCARD e2ae:node:edge-1:calls");
    g_free(r.last);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    test_log_start();
#define TEST(name, function) g_test_add(name, Fixture, NULL, setup, function, teardown)
#define TEST_AWAY(name, mode, function)                                                            \
    g_test_add(name, Fixture, mode, setup_away, function, teardown)
    TEST("/store/redis/life-of-a-record", life_of_a_record);
    TEST("/store/redis/call-id-of-any-bytes", call_id_of_any_bytes);
    TEST("/store/redis/only-the-owner-writes", only_the_owner_writes);
    TEST("/store/redis/own-doubtful-write", own_doubtful_write_is_no_conflict);
    TEST("/store/redis/claim/living-owner-keeps-its-call", living_owner_keeps_its_call);
    TEST("/store/redis/claim/dead-owner-loses-its-call", dead_owner_loses_its_call);
    TEST("/store/redis/claim/who-is-dead-claims-nothing", who_is_dead_claims_nothing);
    TEST("/store/redis/claim/second-life", second_life);
    TEST("/store/redis/claim/thousand-at-once", thousand_claims_at_once);
    TEST("/store/redis/claim/thousand-one-by-one", thousand_claims_one_by_one);
    TEST("/store/redis/pages", pages);
    TEST("/store/redis/expired-record-leaves-the-index", expired_record_leaves_the_index);
    TEST("/store/redis/nodes", nodes);
    TEST("/store/redis/one-node", one_node);
    TEST("/store/redis/taken-and-deleted-is-not-lost", taken_and_deleted_is_not_lost);
    TEST("/store/redis/taken-back", taken_back);
    TEST("/store/redis/node-long-gone-leaves-the-group", node_long_gone_leaves_the_group);
    TEST("/store/redis/scripts-flushed", scripts_flushed);
    TEST("/store/redis/not-a-record-of-ours", not_a_record_of_ours);
    TEST("/store/redis/certificates", certificates);
    TEST("/store/redis/certificate-race", certificate_race);
    TEST("/store/redis/certificate-kept", certificate_kept);
    TEST("/store/redis/events", events);
    TEST_AWAY("/store/redis/away/refuse", NULL, refuse_when_away);
    TEST_AWAY("/store/redis/away/degrade", "degrade", degrade_when_away);
    TEST_AWAY("/store/redis/away/claimed-meanwhile", "degrade", degraded_call_claimed_meanwhile);
    TEST_AWAY("/store/redis/away/bounded", "degrade", degraded_is_bounded);
    TEST_AWAY("/store/redis/away/loss-of-data", "degrade", degrade_survives_loss_of_data);
    TEST_AWAY("/store/redis/away/writes-under-way", "degrade", degrade_with_writes_under_way);
    TEST("/store/redis/restores-20000", restores_many);
    return g_test_run();
}
