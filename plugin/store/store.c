/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-store-memory.c and t/unit/test-store-redis.c */
#include "config.h"

#include "redis-schema/redis-keys.h"
#include "store/store-private.h"

G_DEFINE_QUARK(store - error - quark, store_error)

const char *store_state_name(StoreState state)
{
    static const char *const names[] = {"connecting", "ready", "away", "refused"};

    return names[state];
}

static void node_free(void *data)
{
    StoreNode *node = data;

    g_free(node->id);
    g_free(node->group);
    redis_node_free(node->heartbeat);
    g_free(node);
}

static bool gives_nodes(StoreOpKind kind)
{
    return kind == STORE_OP_NODES || kind == STORE_OP_NODE;
}

StoreOp *store_op_new(Store *store, StoreOpKind kind, StoreCb cb, void *arg)
{
    StoreOp *op = g_new0(StoreOp, 1);

    op->store = store;
    op->kind = kind;
    op->cb = cb;
    op->arg = arg;
    op->list = g_ptr_array_new_with_free_func(gives_nodes(kind) ? node_free : g_free);
    return op;
}

static void op_free(StoreOp *op)
{
    g_free(op->call_id);
    g_free(op->name);
    g_free(op->after);
    redis_record_free(op->record);
    redis_cert_free(op->cert);
    g_free(op->text);
    g_free(op->owner);
    g_ptr_array_unref(op->list);
    g_free(op);
}

static void count(Store *store, const StoreOp *op)
{
    StoreStats *stats = &store->stats;

    if (!op->cb)
        return;
    stats->commits +=
        op->kind == STORE_OP_COMMIT && op->reply.status == STORE_OK && !op->reply.behind;
    stats->conflicts += op->reply.status == STORE_CONFLICT;
    stats->unavailable += op->reply.status == STORE_UNAVAILABLE;
    stats->degraded += op->reply.behind;
}

static void deliver(Store *store, StoreOp *op)
{
    StoreReply *reply = &op->reply;
    const StoreWatch *watch = &store->watch;

    reply->text = op->text ? op->text : "";
    reply->owner = op->owner;
    reply->record = op->record;
    reply->cert = op->cert;
    if (op->kind == STORE_OP_CERT_LOAD || op->kind == STORE_OP_CERT_SAVE)
        reply->fingerprint = op->name && op->name[0] ? op->name : NULL;
    reply->n = op->list->len;
    if (gives_nodes(op->kind))
        reply->nodes = (const StoreNode *const *)op->list->pdata;
    else
        reply->calls = (const char *const *)op->list->pdata;
    if (op->kind == STORE_OP_STATE && watch->state)
        watch->state(op->state, reply->text, watch->arg);
    else if (op->kind == STORE_OP_LOST && watch->lost)
        watch->lost(op->call_id, op->owner, reply->epoch, watch->arg);
    else if (op->cb)
        op->cb(reply, op->arg);
}

static void idle_closed(uv_handle_t *handle)
{
    Store *store = handle->data;
    void (*closed)(void *) = store->closed;
    void *arg = store->closed_arg;

    g_free(store->node);
    g_free(store->group);
    g_free(store->ng);
    g_free(store->version);
    store->class->free(store);
    if (closed)
        closed(arg);
}

static void idle_cb(uv_idle_t *idle)
{
    Store *store = idle->data;
    unsigned n = store->done.length; /* what callbacks add waits for the next turn of the loop */

    while (n--) {
        StoreOp *op = g_queue_pop_head(&store->done);
        deliver(store, op);
        op_free(op);
    }
    if (store->done.length)
        return;
    uv_idle_stop(idle);
    if (store->ended)
        uv_close((uv_handle_t *)idle, idle_closed);
}

void store_init(Store *store, const StoreClass *class, uv_loop_t *loop, const StoreOptions *options)
{
    g_assert(redis_node_id_valid(span_str(options->node)));
    g_assert(redis_node_id_valid(span_str(options->group)));
    store->class = class;
    store->loop = loop;
    uv_idle_init(loop, &store->idle);
    store->idle.data = store;
    g_queue_init(&store->done);
    store->node = g_strdup(options->node);
    store->group = g_strdup(options->group);
    store->ng = g_strdup(options->ng);
    store->version = g_strdup(options->version);
    store->started = (uint64_t)(g_get_real_time() / G_USEC_PER_SEC);
    store->call_ttl = options->call_ttl ? options->call_ttl : REDIS_CALL_TTL;
    store->node_ttl_ms = options->node_ttl_ms ? options->node_ttl_ms : REDIS_NODE_TTL_MS;
    store->watch = options->watch;
}

void store_done(StoreOp *op)
{
    Store *store = op->store;

    /* a record that was to be written is no part of the answer */
    if (op->kind == STORE_OP_COMMIT)
        g_clear_pointer(&op->record, redis_record_free);
    if (op->kind == STORE_OP_CERT_SAVE || op->kind == STORE_OP_CERT_KEEP)
        g_clear_pointer(&op->cert, redis_cert_free);
    count(store, op);
    g_queue_push_tail(&store->done, op);
    uv_idle_start(&store->idle, idle_cb);
}

void store_op_add_node(StoreOp *op, Span group, Span id)
{
    StoreNode *node = g_new0(StoreNode, 1);

    node->id = span_dup(id);
    node->group = group.len ? span_dup(group) : NULL;
    g_ptr_array_add(op->list, node);
}

void store_op_fail(StoreOp *op, StoreStatus status, char *text)
{
    op->reply.status = status;
    g_free(op->text);
    op->text = g_strescape(text, NULL);
    g_free(text);
}

void store_op_missing(StoreOp *op)
{
    store_op_fail(op, STORE_NOT_FOUND, g_strdup("no record of that call"));
}

void store_op_conflict(StoreOp *op, Span owner, uint64_t epoch, uint64_t revision)
{
    g_free(op->owner);
    op->owner = span_dup(owner);
    op->reply.epoch = epoch;
    op->reply.revision = revision;
    store_op_fail(op, STORE_CONFLICT, g_strdup_printf("the call belongs to node %s", op->owner));
}

void store_op_found(StoreOp *op, Span json)
{
    g_autoptr(GError) error = NULL;

    op->record = redis_record_parse(json, &error);
    if (op->record)
        op->reply.revision = op->record->revision;
    else
        store_op_fail(op, STORE_BAD, g_strdup(error->message));
}

void store_fail(StoreOp *op, StoreStatus status, char *text)
{
    store_op_fail(op, status, text);
    store_done(op);
}

void store_set_state(Store *store, StoreState state, const char *text)
{
    if (store->state == state)
        return;
    StoreOp *op = store_op_new(store, STORE_OP_STATE, NULL, NULL);
    store->state = op->state = state;
    op->text = g_strescape(text, NULL);
    store_done(op);
}

void store_lost(Store *store, const char *call_id, const char *owner, uint64_t epoch)
{
    StoreOp *op = store_op_new(store, STORE_OP_LOST, NULL, NULL);

    op->call_id = g_strdup(call_id);
    op->owner = g_strdup(owner);
    op->reply.epoch = epoch;
    store->stats.lost++;
    store_done(op);
}

void store_ended(Store *store)
{
    store->ended = true;
    uv_idle_start(&store->idle, idle_cb);
}

void store_close(Store *store, void (*closed)(void *arg), void *arg)
{
    g_assert(!store->closing);
    store->closing = true;
    store->closed = closed;
    store->closed_arg = arg;
    store->class->close(store);
}

StoreState store_state(const Store *store)
{
    return store->state;
}

uint64_t store_epoch(const Store *store)
{
    return store->epoch;
}

void store_stats(const Store *store, StoreStats *ret_stats)
{
    *ret_stats = store->stats;
    store->class->stats(store, ret_stats);
}

static void start(StoreOp *op)
{
    g_assert(!op->store->closing);
    op->store->class->start(op->store, op);
}

void store_commit(Store *store, RedisRecord *record, StoreCb cb, void *arg)
{
    StoreOp *op = store_op_new(store, STORE_OP_COMMIT, cb, arg);

    op->call_id = g_strdup(record->call_id);
    op->expected = record->revision;
    op->record = record;
    g_free(record->owner);
    record->owner = g_strdup(store->node);
    record->epoch = store->epoch;
    record->revision = op->expected + 1;
    record->updated = (uint64_t)(g_get_real_time() / G_USEC_PER_SEC);
    start(op);
}

static void start_call(Store *store, StoreOpKind kind, const char *call_id, StoreCb cb, void *arg)
{
    StoreOp *op = store_op_new(store, kind, cb, arg);

    op->call_id = g_strdup(call_id);
    start(op);
}

void store_delete(Store *store, const char *call_id, StoreCb cb, void *arg)
{
    start_call(store, STORE_OP_DELETE, call_id, cb, arg);
}

void store_load(Store *store, const char *call_id, StoreCb cb, void *arg)
{
    start_call(store, STORE_OP_LOAD, call_id, cb, arg);
}

void store_claim(Store *store, const char *call_id, const char *owner, uint64_t revision,
                 StoreCb cb, void *arg)
{
    StoreOp *op = store_op_new(store, STORE_OP_CLAIM, cb, arg);

    op->call_id = g_strdup(call_id);
    op->name = g_strdup(owner);
    op->expected = revision;
    start(op);
}

static void start_named(Store *store, StoreOpKind kind, const char *name, StoreCb cb, void *arg)
{
    StoreOp *op = store_op_new(store, kind, cb, arg);

    op->name = g_strdup(name);
    start(op);
}

void store_list_node(Store *store, const char *node, const char *after, StoreCb cb, void *arg)
{
    StoreOp *op = store_op_new(store, STORE_OP_LIST, cb, arg);

    op->name = g_strdup(node);
    op->after = g_strdup(after);
    start(op);
}

void store_heartbeat(Store *store, StoreCb cb, void *arg)
{
    start_named(store, STORE_OP_HEARTBEAT, NULL, cb, arg);
}

void store_nodes(Store *store, StoreCb cb, void *arg)
{
    start_named(store, STORE_OP_NODES, NULL, cb, arg);
}

void store_node(Store *store, const char *id, StoreCb cb, void *arg)
{
    start_named(store, STORE_OP_NODE, id, cb, arg);
}

void store_leave(Store *store, StoreCb cb, void *arg)
{
    start_named(store, STORE_OP_LEAVE, NULL, cb, arg);
}

void store_publish(Store *store, const char *event)
{
    start_named(store, STORE_OP_PUBLISH, event, NULL, NULL);
}

static void start_cert(Store *store, StoreOpKind kind, RedisCert *cert, const char *expected,
                       StoreCb cb, void *arg)
{
    StoreOp *op = store_op_new(store, kind, cb, arg);

    op->cert = cert;
    op->name = g_strdup(expected);
    start(op);
}

void store_cert_save(Store *store, RedisCert *cert, const char *expected, StoreCb cb, void *arg)
{
    start_cert(store, STORE_OP_CERT_SAVE, cert, expected ? expected : "", cb, arg);
}

void store_cert_keep(Store *store, RedisCert *cert, StoreCb cb, void *arg)
{
    start_cert(store, STORE_OP_CERT_KEEP, cert, NULL, cb, arg);
}

void store_cert_load(Store *store, const char *fingerprint, StoreCb cb, void *arg)
{
    start_named(store, STORE_OP_CERT_LOAD, fingerprint, cb, arg);
}
