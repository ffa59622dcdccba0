/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The store of a single node: records live as long as the process. They are kept as the JSON that
 * Redis would have got, so that both stores keep, and refuse, the same things.
 */
#include "config.h"

#include "store/store-private.h"

typedef struct Kept {
    char *json;
    uint64_t revision;
} Kept;

typedef struct StoreMemory {
    Store base;
    GTree *calls; /* call-id -> Kept; sorted, for pages */
} StoreMemory;

static void kept_free(void *data)
{
    Kept *kept = data;

    g_free(kept->json);
    g_free(kept);
}

static int by_bytes(const void *a, const void *b, void *arg)
{
    (void)arg;
    return strcmp(a, b);
}

static void commit(StoreMemory *m, StoreOp *op)
{
    g_autoptr(GError) error = NULL;
    const Kept *old = g_tree_lookup(m->calls, op->call_id);
    char *json = redis_record_print(op->record, &error);

    if (!json) {
        store_op_fail(op, STORE_BAD, g_strdup(error->message));
    } else if (!old && op->expected) {
        store_op_missing(op);
    } else if (old && old->revision != op->expected) {
        store_op_conflict(op, span_str(m->base.node), m->base.epoch, old->revision);
    } else {
        Kept *kept = g_new(Kept, 1);
        *kept = (Kept){g_steal_pointer(&json), op->record->revision};
        g_tree_replace(m->calls, g_strdup(op->call_id), kept);
        op->reply.revision = kept->revision;
    }
    g_free(json);
    store_done(op);
}

static void load(StoreMemory *m, StoreOp *op)
{
    const Kept *kept = g_tree_lookup(m->calls, op->call_id);

    if (kept)
        store_op_found(op, span_str(kept->json));
    else
        store_op_missing(op);
    store_done(op);
}

static void list(StoreMemory *m, StoreOp *op)
{
    GTreeNode *at =
        op->after ? g_tree_upper_bound(m->calls, op->after) : g_tree_node_first(m->calls);

    if (strcmp(op->name, m->base.node) != 0)
        at = NULL;
    for (; at && op->list->len < STORE_PAGE; at = g_tree_node_next(at))
        g_ptr_array_add(op->list, g_strdup(g_tree_node_key(at)));
    store_done(op);
}

static void nodes(StoreMemory *m, StoreOp *op)
{
    const Store *s = &m->base;
    bool self = op->kind == STORE_OP_NODES || strcmp(op->name, s->node) == 0;

    store_op_add_node(op, span_str(self ? s->group : ""), span_str(self ? s->node : op->name));
    if (self) {
        StoreNode *node = op->list->pdata[0];
        node->heartbeat = redis_node_new(s->node, s->group, s->ng);
        node->heartbeat->epoch = s->epoch;
        node->heartbeat->started = s->started;
        node->heartbeat->version = g_strdup(s->version);
    }
    store_done(op);
}

static void memory_start(Store *store, StoreOp *op)
{
    StoreMemory *m = (StoreMemory *)store;

    switch (op->kind) {
    case STORE_OP_COMMIT:
        commit(m, op);
        return;
    case STORE_OP_DELETE:
        if (!g_tree_remove(m->calls, op->call_id))
            store_op_missing(op);
        store_done(op);
        return;
    case STORE_OP_LOAD:
    case STORE_OP_CLAIM: /* what is here is ours already */
        load(m, op);
        return;
    case STORE_OP_LIST:
        list(m, op);
        return;
    case STORE_OP_NODES:
    case STORE_OP_NODE:
        nodes(m, op);
        return;
    case STORE_OP_CERT_SAVE:
    case STORE_OP_CERT_KEEP:
    case STORE_OP_CERT_LOAD:
        store_fail(op, STORE_UNAVAILABLE, g_strdup("certificates are shared through Redis only"));
        return;
    case STORE_OP_HEARTBEAT:
    case STORE_OP_LEAVE:
    case STORE_OP_PUBLISH:
        op->reply.found = true;
        store_done(op);
        return;
    case STORE_OP_STATE:
    case STORE_OP_LOST:
        break;
    }
    g_assert_not_reached();
}

static void memory_stats(const Store *store, StoreStats *stats)
{
    stats->under_way = store->done.length;
}

static void memory_free(Store *store)
{
    StoreMemory *m = (StoreMemory *)store;

    g_tree_unref(m->calls);
    g_free(m);
}

Store *store_memory_new(uv_loop_t *loop, const StoreOptions *options)
{
    static const StoreClass class = {memory_start, store_ended, memory_stats, memory_free};
    StoreMemory *m = g_new0(StoreMemory, 1);

    store_init(&m->base, &class, loop, options);
    m->base.epoch = (uint64_t)(g_get_real_time() / 1000);
    m->calls = g_tree_new_full(by_bytes, NULL, g_free, kept_free);
    store_set_state(&m->base, STORE_READY, "in memory");
    return &m->base;
}
