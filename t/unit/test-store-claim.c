/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who owns a call, in a real server: one wins, the others are told. */
#include "store-pair.h"

#include <pthread.h>

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
    TEST("/store/redis/claim/living-owner-keeps-its-call", living_owner_keeps_its_call);
    TEST("/store/redis/claim/dead-owner-loses-its-call", dead_owner_loses_its_call);
    TEST("/store/redis/claim/who-is-dead-claims-nothing", who_is_dead_claims_nothing);
    TEST("/store/redis/claim/second-life", second_life);
    TEST("/store/redis/claim/thousand-at-once", thousand_claims_at_once);
    TEST("/store/redis/claim/thousand-one-by-one", thousand_claims_one_by_one);
    TEST("/store/redis/taken-and-deleted-is-not-lost", taken_and_deleted_is_not_lost);
    TEST("/store/redis/taken-back", taken_back);
    TEST("/store/redis/restores-20000", restores_many);
    return g_test_run();
}
