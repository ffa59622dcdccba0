/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake-store.h"

#include "control-test.h"

static FakeStore *fake_of(const Store *store)
{
    return (FakeStore *)store->class;
}

static void go_on(FakeStore *f, StoreOp *op)
{
    if (f->answer == STORE_OK) {
        f->real->start(f->store, op);
        return;
    }
    if (f->answer == STORE_CONFLICT)
        store_op_conflict(op, span_str(f->owner), f->epoch, 7);
    else
        store_op_fail(op, f->answer, g_strdup("as the test says"));
    if (f->once && --f->once == 0)
        f->answer = STORE_OK;
    store_done(op);
}

/* The other node, behind ourselves or alone. */
static void add_other(const FakeStore *f, StoreOp *op)
{
    store_op_add_node(op, SPAN("test"), span_str(f->other));
    if (f->other_ng) {
        StoreNode *node = op->list->pdata[op->list->len - 1];
        node->heartbeat = redis_node_new(f->other, "test", f->other_ng);
    }
}

/* True when the test has an answer of its own. */
static bool answered(FakeStore *f, StoreOp *op)
{
    if (op->kind == STORE_OP_CLAIM && f->claim_answer != STORE_OK) {
        store_fail(op, f->claim_answer, g_strdup("as the test says"));
    } else if (op->kind == STORE_OP_HEARTBEAT && f->beat_answer == STORE_NOT_FOUND) {
        f->beat_answer = STORE_OK;
        store_done(op);
    } else if (op->kind == STORE_OP_HEARTBEAT && f->beat_answer != STORE_OK) {
        store_fail(op, f->beat_answer, g_strdup("as the test says"));
    } else if (op->kind == STORE_OP_NODES && f->other) {
        add_other(f, op);
        store_done(op);
    } else {
        return false;
    }
    return true;
}

static void fake_start(Store *store, StoreOp *op)
{
    FakeStore *f = fake_of(store);
    bool writes = op->kind == STORE_OP_COMMIT || op->kind == STORE_OP_DELETE;

    f->claims += op->kind == STORE_OP_CLAIM;
    f->beats += op->kind == STORE_OP_HEARTBEAT;
    f->writes += writes;
    if (answered(f, op))
        return;
    if (!writes)
        f->real->start(store, op);
    else if (f->hold)
        g_queue_push_tail(&f->held, op);
    else
        go_on(f, op);
}

static void fake_close(Store *store)
{
    FakeStore *f = fake_of(store);

    while (f->held.length)
        store_fail(g_queue_pop_head(&f->held), STORE_UNAVAILABLE, g_strdup("closed"));
    f->real->close(store);
}

static void fake_stats(const Store *store, StoreStats *stats)
{
    fake_of(store)->real->stats(store, stats);
}

static void fake_free(Store *store)
{
    FakeStore *f = fake_of(store);

    f->real->free(store);
    g_free(f);
}

FakeStore *fake_store_new(uv_loop_t *loop, const char *node)
{
    FakeStore *f = g_new0(FakeStore, 1);

    f->store = store_memory_new(loop, &(StoreOptions){.node = node, .group = "test", .ng = ""});
    f->real = f->store->class;
    f->class = (StoreClass){fake_start, fake_close, fake_stats, fake_free};
    f->store->class = &f->class;
    g_queue_init(&f->held);
    return f;
}

void fake_store_release(FakeStore *f)
{
    StoreOp *op = g_queue_pop_head(&f->held);

    g_assert_nonnull(op);
    go_on(f, op);
}

typedef struct Loaded {
    bool done;
    RedisRecord *record;
} Loaded;

static void loaded_cb(const StoreReply *reply, void *arg)
{
    Loaded *l = arg;

    l->done = true;
    if (reply->status == STORE_OK)
        l->record = redis_record_copy(reply->record);
}

RedisRecord *fake_store_record(FakeStore *f, const char *call_id)
{
    Loaded l = {0};

    store_load(f->store, call_id, loaded_cb, &l);
    RUN_UNTIL(f->store->loop, l.done);
    return l.record;
}
