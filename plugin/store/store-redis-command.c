/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-store-redis.c */
#include "config.h"

#include "redis-schema/redis-json.h"
#include "redis-schema/redis-keys.h"
#include "store/store-redis-private.h"

/* Seconds that a certificate outlives the last node that has asked for it. */
#define CERT_TTL "2592000"

/* A command in the making. */
typedef struct Words {
    GPtrArray *words;
    GPtrArray *owned;
} Words;

static void add(Words *w, const char *word)
{
    g_ptr_array_add(w->words, (gpointer)word);
}

static void add_owned(Words *w, char *word)
{
    g_ptr_array_add(w->owned, word);
    add(w, word);
}

static void add_number(Words *w, uint64_t i)
{
    add_owned(w, g_strdup_printf("%" G_GUINT64_FORMAT, i));
}

static void add_script(Words *w, const StoreRedis *r, const StoreOp *op, RedisScript script,
                       const char *n_keys)
{
    add(w, op->eval ? "EVAL" : "EVALSHA");
    add(w, op->eval ? redis_script(script) : r->sha[script]);
    add(w, n_keys);
}

/* False when the record cannot be written; op->text says why. */
static bool commit(Words *w, StoreRedis *r, StoreOp *op)
{
    const Store *s = &r->base;
    g_autoptr(GError) error = NULL;

    /* it may have been made before there was an epoch */
    op->record->epoch = s->epoch;
    char *json = redis_record_print(op->record, &error);
    if (!json) {
        op->text = g_strescape(error->message, NULL);
        return false;
    }
    add_script(w, r, op, REDIS_SCRIPT_COMMIT, "4");
    add_owned(w, redis_key_call(op->call_id));
    add_owned(w, redis_key_node_calls(s->node));
    add_owned(w, redis_key_node(s->node));
    add_owned(w, redis_key_node_taken(s->node));
    add(w, s->node);
    add_number(w, s->epoch);
    add_number(w, op->expected);
    add_owned(w, json);
    add_number(w, s->call_ttl);
    add(w, op->call_id);
    return true;
}

static void delete (Words *w, StoreRedis *r, StoreOp *op)
{
    const Store *s = &r->base;

    add_script(w, r, op, REDIS_SCRIPT_DELETE, "2");
    add_owned(w, redis_key_call(op->call_id));
    add_owned(w, redis_key_node_calls(s->node));
    add(w, s->node);
    add_number(w, s->epoch);
    add(w, op->call_id);
}

static void claim(Words *w, StoreRedis *r, StoreOp *op)
{
    const Store *s = &r->base;

    add_script(w, r, op, REDIS_SCRIPT_CLAIM, "7");
    add_owned(w, redis_key_call(op->call_id));
    add_owned(w, redis_key_node_calls(op->name));
    add_owned(w, redis_key_node_calls(s->node));
    add_owned(w, redis_key_node(op->name));
    add_owned(w, redis_key_node(s->node));
    add_owned(w, redis_key_node_taken(op->name));
    add_owned(w, redis_key_node_taken(s->node));
    add(w, s->node);
    add_number(w, s->epoch);
    add(w, op->name);
    add_number(w, op->expected);
    add_number(w, s->call_ttl);
    add(w, op->call_id);
    add(w, G_STRINGIFY(REDIS_SCHEMA));
    add(w, G_STRINGIFY(REDIS_TAKEN_TTL));
}

static void heartbeat(Words *w, StoreRedis *r, StoreOp *op)
{
    const Store *s = &r->base;
    g_autoptr(RedisNode) node = redis_node_new(s->node, s->group, s->ng);

    node->started = s->started;
    node->version = g_strdup(s->version);
    add_script(w, r, op, REDIS_SCRIPT_HEARTBEAT, "3");
    add_owned(w, redis_key_node(s->node));
    add(w, REDIS_KEY_NODES);
    add_owned(w, redis_key_node_taken(s->node));
    add(w, s->node);
    add_number(w, s->epoch);
    add_owned(w, redis_node_print_rest(node));
    add_owned(w, redis_node_print_head());
    add_number(w, s->node_ttl_ms);
    add_number(w, s->call_ttl);
    add(w, s->group);
}

static void leave(Words *w, StoreRedis *r, StoreOp *op)
{
    const Store *s = &r->base;

    add_script(w, r, op, REDIS_SCRIPT_LEAVE, "4");
    add_owned(w, redis_key_node(s->node));
    add(w, REDIS_KEY_NODES);
    add_owned(w, redis_key_node_calls(s->node));
    add_owned(w, redis_key_node_taken(s->node));
    add(w, s->node);
    add_number(w, s->epoch);
    add(w, s->group);
}

static void list(Words *w, const StoreOp *op)
{
    add(w, "ZRANGEBYLEX");
    add_owned(w, redis_key_node_calls(op->name));
    add_owned(w, op->after ? g_strconcat("(", op->after, NULL) : g_strdup("-"));
    add(w, "+");
    add(w, "LIMIT");
    add(w, "0");
    add(w, G_STRINGIFY(STORE_PAGE));
}

/* The ids first, then all their heartbeats. */
static void nodes(Words *w, const StoreOp *op)
{
    if (op->stage == 0) {
        add(w, "ZREVRANGE"); /* the youngest first, if there should be too many */
        add(w, REDIS_KEY_NODES);
        add(w, "0");
        add_owned(w, g_strdup_printf("%d", STORE_NODES_MAX - 1));
        return;
    }
    add(w, "MGET");
    for (unsigned i = 0; i < op->list->len; i++) {
        const StoreNode *node = op->list->pdata[i];
        add_owned(w, redis_key_node(node->id));
    }
}

/* False when it cannot be written; op->text says why. */
static bool add_cert(Words *w, StoreOp *op)
{
    g_autoptr(GError) error = NULL;
    char *json = redis_cert_print(op->cert, &error);

    if (json)
        add_owned(w, json);
    else
        op->text = g_strescape(error->message, NULL);
    return json != NULL;
}

static bool cert_save(Words *w, StoreRedis *r, StoreOp *op)
{
    add_script(w, r, op, REDIS_SCRIPT_CERTIFICATE, "2");
    add_owned(w, redis_key_cert(op->cert->fingerprint));
    add_owned(w, redis_key_group_cert(r->base.group));
    add(w, op->name);
    if (!add_cert(w, op))
        return false;
    add(w, op->cert->fingerprint);
    add(w, CERT_TTL);
    return true;
}

static bool cert_keep(Words *w, StoreOp *op)
{
    add(w, "SET");
    add_owned(w, redis_key_cert(op->cert->fingerprint));
    if (!add_cert(w, op))
        return false;
    add(w, "EX");
    add(w, CERT_TTL);
    return true;
}

/* Asking for one keeps it alive. */
static void cert_load(Words *w, StoreRedis *r, const StoreOp *op)
{
    add(w, "GETEX");
    add_owned(w, op->name ? redis_key_cert(op->name) : redis_key_group_cert(r->base.group));
    add(w, "EX");
    add(w, CERT_TTL);
}

/* False when it cannot be written. */
static bool build(Words *w, StoreRedis *r, StoreOp *op)
{
    switch (op->kind) {
    case STORE_OP_COMMIT:
        return commit(w, r, op);
    case STORE_OP_DELETE:
        delete (w, r, op);
        return true;
    case STORE_OP_LOAD:
        add(w, "GET");
        add_owned(w, redis_key_call(op->call_id));
        return true;
    case STORE_OP_CLAIM:
        claim(w, r, op);
        return true;
    case STORE_OP_LIST:
        list(w, op);
        return true;
    case STORE_OP_HEARTBEAT:
        heartbeat(w, r, op);
        return true;
    case STORE_OP_NODES:
        nodes(w, op);
        return true;
    case STORE_OP_NODE:
        add(w, "MGET");
        add_owned(w, redis_key_node(op->name));
        return true;
    case STORE_OP_LEAVE:
        leave(w, r, op);
        return true;
    case STORE_OP_PUBLISH:
        add(w, "PUBLISH");
        add(w, REDIS_EVENTS_CHANNEL);
        add(w, op->name);
        return true;
    case STORE_OP_CERT_SAVE:
        return cert_save(w, r, op);
    case STORE_OP_CERT_KEEP:
        return cert_keep(w, op);
    case STORE_OP_CERT_LOAD:
        cert_load(w, r, op);
        return true;
    case STORE_OP_STATE:
    case STORE_OP_LOST:
        break;
    }
    g_assert_not_reached();
}

StoreRedisSent store_redis_send(StoreRedis *r, StoreOp *op, StoreLinkReplyCb cb)
{
    Words w = {g_ptr_array_new(), g_ptr_array_new_with_free_func(g_free)};
    StoreRedisSent sent = STORE_REDIS_BAD;

    if (build(&w, r, op))
        sent = store_link_send(r->link, (int)w.words->len, (const char **)w.words->pdata, cb, op)
                   ? STORE_REDIS_SENT
                   : STORE_REDIS_NOT_NOW;
    g_ptr_array_unref(w.words);
    g_ptr_array_unref(w.owned);
    return sent;
}
