/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-store-redis.c */
#include "config.h"

#include "redis-schema/redis-keys.h"
#include "store/store-redis-private.h"

static Span text_of(const redisReply *reply)
{
    bool is_text = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS ||
                   reply->type == REDIS_REPLY_ERROR;

    return is_text ? (Span){reply->str, (size_t)reply->len} : (Span){"", 0};
}

/* Word @i of the list that a script returns; empty past its end. */
static Span word(const redisReply *reply, size_t i)
{
    return i < reply->elements ? text_of(reply->element[i]) : (Span){"", 0};
}

static uint64_t number(const redisReply *reply, size_t i)
{
    uint64_t n = 0;

    span_uint(word(reply, i), G_MAXUINT64, &n);
    return n;
}

static StoreRedisAnswer bad(StoreOp *op, StoreStatus status, char *text)
{
    store_op_fail(op, status, text);
    return STORE_REDIS_DONE;
}

static StoreRedisAnswer missing(StoreOp *op)
{
    store_op_missing(op);
    return STORE_REDIS_DONE;
}

static StoreRedisAnswer conflict(StoreOp *op, Span owner, uint64_t epoch, uint64_t revision)
{
    store_op_conflict(op, owner, epoch, revision);
    return STORE_REDIS_DONE;
}

/* An answer that says that no command will be served, rather than that this one is wrong. */
static bool means_away(Span error)
{
    static const char *const wrong[] = {"ERR", "E2AE", "WRONGTYPE", "NOPERM", "NOSCRIPT"};

    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        if (span_starts(error, span_str(wrong[i])))
            return false;
    return true;
}

static StoreRedisAnswer error(StoreOp *op, Span text)
{
    if (span_starts(text, SPAN("NOSCRIPT")) && !op->eval) {
        op->eval = true;
        return STORE_REDIS_AGAIN;
    }
    bad(op, STORE_BAD, span_dup(text));
    return means_away(text) ? STORE_REDIS_AWAY : STORE_REDIS_DONE;
}

static StoreRedisAnswer found(StoreOp *op, Span json)
{
    store_op_found(op, json);
    return STORE_REDIS_DONE;
}

/* The words that every script may return. */
static StoreRedisAnswer script(StoreRedis *r, StoreOp *op, const redisReply *reply)
{
    Span status = word(reply, 0);

    if (span_eq(status, SPAN("NOT_FOUND")))
        return missing(op);
    if (span_eq(status, SPAN("CONFLICT")))
        return conflict(op, word(reply, 1), number(reply, 2), number(reply, 3));
    if (span_eq(status, SPAN("FENCED")))
        return conflict(op, span_str(r->base.node), number(reply, 1), 0);
    if (span_eq(status, SPAN("NEWER")))
        return bad(op, STORE_BAD,
                   g_strdup_printf("the record was written by a newer version, in schema %.*s",
                                   SPAN_ARG(span_head(word(reply, 1), 20))));
    if (!span_eq(status, SPAN("OK")))
        return bad(op, STORE_BAD, g_strdup("an answer of Redis that no script gives"));
    if (op->kind == STORE_OP_CLAIM)
        return found(op, word(reply, 1));
    if (op->kind == STORE_OP_COMMIT)
        op->reply.revision = op->record->revision;
    if (op->kind == STORE_OP_HEARTBEAT) {
        op->reply.epoch = number(reply, 1);
        op->reply.found = number(reply, 2) == 1;
    }
    return STORE_REDIS_DONE;
}

static StoreRedisAnswer list(StoreOp *op, const redisReply *reply)
{
    for (size_t i = 0; i < reply->elements; i++)
        g_ptr_array_add(op->list, span_dup(word(reply, i)));
    return STORE_REDIS_DONE;
}

static StoreRedisAnswer node_ids(StoreOp *op, const redisReply *reply)
{
    for (size_t i = 0; i < reply->elements; i++) {
        Span group, id;
        if (redis_nodes_member_split(word(reply, i), &group, &id))
            store_op_add_node(op, group, id);
    }
    op->stage++;
    return op->list->len ? STORE_REDIS_AGAIN : STORE_REDIS_DONE;
}

static StoreRedisAnswer node_heartbeats(const StoreRedis *r, StoreOp *op, const redisReply *reply)
{
    for (size_t i = 0; i < reply->elements && i < op->list->len; i++) {
        StoreNode *node = op->list->pdata[i];
        if (reply->element[i]->type != REDIS_REPLY_STRING)
            continue;
        node->heartbeat = redis_node_parse(text_of(reply->element[i]), NULL);
        /* who writes what we cannot read is alive all the same, but not to be reached */
        if (!node->heartbeat)
            node->heartbeat =
                redis_node_new(node->id, node->group ? node->group : r->base.group, "");
        if (!node->group)
            node->group = g_strdup(node->heartbeat->group);
    }
    return STORE_REDIS_DONE;
}

static StoreRedisAnswer cert_load(StoreOp *op, const redisReply *reply)
{
    g_autoptr(GError) why = NULL;

    if (reply->type != REDIS_REPLY_STRING)
        return bad(op, STORE_NOT_FOUND, g_strdup("Redis has no such certificate"));
    if (!op->name) {
        op->name = span_dup(text_of(reply));
        return STORE_REDIS_AGAIN;
    }
    op->cert = redis_cert_parse(text_of(reply), &why);
    return op->cert ? STORE_REDIS_DONE : bad(op, STORE_BAD, g_strdup(why->message));
}

static StoreRedisAnswer cert_saved(StoreOp *op, const redisReply *reply)
{
    Span status = word(reply, 0);

    if (span_eq(status, SPAN("OK")))
        return STORE_REDIS_DONE;
    if (!span_eq(status, SPAN("CONFLICT")))
        return bad(op, STORE_BAD, g_strdup("an answer of Redis that no script gives"));
    g_free(op->name);
    op->name = span_dup(word(reply, 1));
    return bad(op, STORE_CONFLICT, g_strdup("the group has another certificate by now"));
}

StoreRedisAnswer store_redis_read(StoreRedis *r, StoreOp *op, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR)
        return error(op, text_of(reply));
    switch (op->kind) {
    case STORE_OP_LOAD:
        return reply->type == REDIS_REPLY_STRING ? found(op, text_of(reply)) : missing(op);
    case STORE_OP_LIST:
        return list(op, reply);
    case STORE_OP_NODES:
        return op->stage ? node_heartbeats(r, op, reply) : node_ids(op, reply);
    case STORE_OP_NODE:
        store_op_add_node(op, SPAN(""), span_str(op->name));
        return node_heartbeats(r, op, reply);
    case STORE_OP_CERT_SAVE:
        return cert_saved(op, reply);
    case STORE_OP_CERT_KEEP:
        return STORE_REDIS_DONE;
    case STORE_OP_CERT_LOAD:
        return cert_load(op, reply);
    case STORE_OP_PUBLISH:
        return STORE_REDIS_DONE;
    default:
        return script(r, op, reply);
    }
}
