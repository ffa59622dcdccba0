/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * store-pair.h: two nodes of one group on a real server, for tests of what they make of each other.
 */
#pragma once

#include "store-fixture.h"

typedef struct Fixture {
    uv_loop_t loop;
    TestRedis *redis;
    TestStore *a;
    TestStore *b;
} Fixture;

static inline void setup(Fixture *f, const void *data)
{
    (void)data;
    uv_loop_init(&f->loop);
    f->redis = test_redis_start(NULL);
    f->a = test_store_ready(&f->loop, f->redis, "edge-1");
    f->b = test_store_ready(&f->loop, f->redis, "edge-2");
}

static inline void drop(TestStore **t)
{
    if (*t)
        test_store_free(*t);
    *t = NULL;
}

static inline void teardown(Fixture *f, const void *data)
{
    (void)data;
    drop(&f->a);
    drop(&f->b);
    test_redis_free(f->redis);
    test_loop_end(&f->loop);
}

static inline void commit(Fixture *f, TestStore *t, const char *call_id, uint64_t revision)
{
    g_auto(Answer) a = {0};

    ASK(&f->loop, a, store_commit, t->store, test_record(call_id, revision));
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_false(a.behind);
    g_assert_cmpuint(a.revision, ==, revision + 1);
}

/* The heartbeat has expired: a node that hangs. */
static inline void kill_heartbeat(Fixture *f, const char *node)
{
    assert_redis(f->redis, "1", "DEL e2ae:node:%s", node);
}
