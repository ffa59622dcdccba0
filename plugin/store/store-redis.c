/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "store"
/*
 * What becomes of a call to the store:
 *
 *   READY                 -> sent; answered by Redis
 *   lost before an answer -> as not READY, as nobody knows what Redis has done
 *   not READY, commit     -> refuse: UNAVAILABLE; degrade: behind, and OK
 *   not READY, delete     -> behind, and OK
 *   not READY, others     -> UNAVAILABLE
 *
 * A call with something behind stays behind until that is written, so that the order is kept.
 */
#include "config.h"

#include "store/store-redis.h"

#include "store/store-redis-private.h"

/* Writes behind under way at once: enough to share the trips, too few to be in the way. */
#define FLUSH_MAX 64

static void flush(StoreRedis *r);

/* Keeps a commit or delete for later and says OK, unless there are too many. */
static void put_behind(StoreRedis *r, StoreOp *op)
{
    RedisRecord *record = g_steal_pointer(&op->record);
    g_autoptr(GError) error = NULL;
    g_autofree char *json = record ? redis_record_print(record, &error) : NULL;
    uint64_t revision = record ? record->revision : 0;

    if (error) { /* Redis would not take it later either */
        redis_record_free(record);
        store_fail(op, STORE_BAD, g_strdup(error->message));
    } else if (!store_behind_put(r->behind, op->call_id, record, op->expected)) {
        store_fail(op, STORE_UNAVAILABLE, g_strdup("too many writes wait for Redis"));
    } else {
        op->reply = (StoreReply){.status = STORE_OK, .revision = revision, .behind = true};
        store_done(op);
    }
}

static void flush_back(StoreRedis *r, StoreOp *op)
{
    StoreBehindEntry *entry = store_behind_find(r->behind, op->call_id);

    store_behind_back(r->behind, entry, entry->base);
    r->flushing--;
    op->reply.status = STORE_OK; /* nobody is told */
    store_done(op);
}

/* Redis cannot be asked, or did not answer. */
static void away(StoreRedis *r, StoreOp *op)
{
    bool keeps = op->kind == STORE_OP_DELETE || (op->kind == STORE_OP_COMMIT && r->target.degrade);
    const char *text = store_link_text(r->link);

    if (op->flush)
        flush_back(r, op);
    else if (keeps && !r->base.closing && r->base.state != STORE_REFUSED)
        put_behind(r, op);
    else
        store_fail(op, STORE_UNAVAILABLE,
                   g_strdup_printf("Redis is away: %s", *text ? text : "too much to do"));
}

static bool is_ours(const StoreRedis *r, const StoreOp *op)
{
    return strcmp(op->owner, r->base.node) == 0 && op->reply.epoch == r->base.epoch;
}

static void flush_done(StoreRedis *r, StoreOp *op)
{
    StoreBehindEntry *entry = store_behind_find(r->behind, op->call_id);
    bool is_delete = op->kind == STORE_OP_DELETE;

    r->flushing--;
    switch (op->reply.status) {
    case STORE_OK:
        store_behind_sent(r->behind, entry);
        break;
    case STORE_NOT_FOUND:
        if (is_delete)
            store_behind_sent(r->behind, entry);
        else
            store_behind_back(r->behind, entry, 0); /* Redis has lost it; we have not */
        break;
    case STORE_CONFLICT:
        if (!is_delete && is_ours(r, op)) {
            store_behind_back(r->behind, entry, op->reply.revision);
            break;
        }
        if (!is_delete)
            store_lost(&r->base, op->call_id, op->owner, op->reply.epoch);
        store_behind_drop(r->behind, entry);
        break;
    default:
        g_warning("A write that Redis missed cannot be made up for: %s", op->text);
        store_behind_drop(r->behind, entry);
    }
    op->reply.status = STORE_OK; /* nobody is told */
    store_done(op);
    flush(r);
}

static void hello_done(StoreRedis *r, StoreOp *op)
{
    Store *s = &r->base;

    if (op->reply.status == STORE_OK) {
        r->lapsed |= s->epoch && !op->reply.found;
        s->epoch = op->reply.epoch;
    }
    if (op->reply.status == STORE_BAD) {
        store_link_fail(r->link, op->text);
    } else {
        g_autofree char *where = store_target_text(&r->target);
        store_link_settled(r->link);
        s->stats.connects++;
        g_message("Redis %s is ready; %u writes to make up for", where, store_behind_n(r->behind));
        store_set_state(s, STORE_READY, where);
    }
    op->reply.status = STORE_OK;
    store_done(op);
    flush(r);
}

static void ask(StoreRedis *r, StoreOp *op);

/* The doubtful write before this one did reach Redis: nobody else can have written with our epoch.
 */
static bool repeat(StoreRedis *r, StoreOp *op)
{
    if (op->flush || op->kind != STORE_OP_COMMIT || op->reply.status != STORE_CONFLICT ||
        op->repeated || !is_ours(r, op))
        return false;
    op->repeated = true;
    op->expected = op->reply.revision;
    op->record->revision = op->expected + 1;
    op->reply = (StoreReply){0};
    g_clear_pointer(&op->owner, g_free);
    g_clear_pointer(&op->text, g_free);
    ask(r, op);
    return true;
}

static void done(StoreRedis *r, StoreOp *op)
{
    if (repeat(r, op))
        return;
    if (op->hello) {
        hello_done(r, op);
    } else if (op->flush) {
        flush_done(r, op);
    } else {
        if (op->kind == STORE_OP_HEARTBEAT && op->reply.status == STORE_OK) {
            op->reply.found &= !r->lapsed;
            r->lapsed = false;
        }
        store_done(op);
        flush(r); /* what had to wait because there was too much to do */
    }
}

static void answered(redisReply *reply, void *arg)
{
    StoreOp *op = arg;
    StoreRedis *r = (StoreRedis *)op->store;

    if (!reply) {
        away(r, op);
        return;
    }
    switch (store_redis_read(r, op, reply)) {
    case STORE_REDIS_DONE:
        done(r, op);
        return;
    case STORE_REDIS_AGAIN:
        ask(r, op);
        return;
    case STORE_REDIS_AWAY:
        store_link_fail(r->link, op->text);
        away(r, op);
        return;
    }
}

static void ask(StoreRedis *r, StoreOp *op)
{
    StoreRedisSent sent = STORE_REDIS_NOT_NOW;

    if (r->base.state == STORE_READY || op->hello)
        sent = store_redis_send(r, op, answered);
    if (sent == STORE_REDIS_NOT_NOW)
        away(r, op);
    if (sent == STORE_REDIS_BAD) {
        op->reply.status = STORE_BAD;
        done(r, op);
    }
}

/* A call with something behind: true when @op has been dealt with. */
static bool joins_behind(StoreRedis *r, StoreOp *op)
{
    const StoreBehindEntry *entry = op->call_id ? store_behind_find(r->behind, op->call_id) : NULL;

    if (!entry)
        return false;
    if (op->kind == STORE_OP_LOAD && entry->record) {
        op->record = redis_record_copy(entry->record);
        op->reply.revision = op->record->revision;
        store_done(op);
    } else if (op->kind == STORE_OP_LOAD) {
        store_fail(op, STORE_NOT_FOUND, g_strdup("the call has been deleted"));
    } else if (op->kind == STORE_OP_COMMIT && !r->target.degrade) {
        store_fail(op, STORE_UNAVAILABLE, g_strdup("Redis does not know of the last delete yet"));
    } else if (op->kind == STORE_OP_COMMIT || op->kind == STORE_OP_DELETE) {
        put_behind(r, op);
    } else {
        return false;
    }
    return true;
}

static void redis_start(Store *store, StoreOp *op)
{
    StoreRedis *r = (StoreRedis *)store;

    if (!joins_behind(r, op))
        ask(r, op);
}

static void flush(StoreRedis *r)
{
    StoreBehindEntry *entry;

    while (r->base.state == STORE_READY && store_link_is_up(r->link) &&
           store_link_under_way(r->link) < r->target.max_commands && r->flushing < FLUSH_MAX &&
           (entry = store_behind_next(r->behind))) {
        StoreOp *op =
            store_op_new(&r->base, entry->record ? STORE_OP_COMMIT : STORE_OP_DELETE, NULL, NULL);
        op->flush = true;
        op->call_id = g_strdup(entry->call_id);
        op->expected = entry->base;
        op->record = entry->record ? redis_record_copy(entry->record) : NULL;
        r->flushing++;
        ask(r, op);
    }
}

static void ignore_cb(redisReply *reply, void *arg)
{
    (void)reply;
    (void)arg;
}

static void up_cb(void *arg)
{
    StoreRedis *r = arg;
    StoreOp *hello = store_op_new(&r->base, STORE_OP_HEARTBEAT, NULL, NULL);

    hello->hello = true;
    hello->eval = true;
    ask(r, hello);
    /* so that the first calls need not be sent twice; should it fail, they are */
    for (unsigned i = 0; i < REDIS_N_SCRIPTS; i++) {
        const char *argv[] = {"SCRIPT", "LOAD", redis_script((RedisScript)i)};
        store_link_send(r->link, 3, argv, ignore_cb, NULL);
    }
}

static void down_cb(const char *text, bool refused, void *arg)
{
    StoreRedis *r = arg;
    StoreState state = refused ? STORE_REFUSED : STORE_AWAY;
    g_autofree char *where = store_target_text(&r->target);

    if (r->base.state != state)
        g_warning("Redis %s is %s: %s; offers are %s", where, refused ? "refused" : "away", text,
                  r->target.degrade ? "served from memory" : "refused");
    store_set_state(&r->base, state, text);
}

static void link_closed(void *arg)
{
    StoreRedis *r = arg;

    r->link = NULL;
    store_ended(&r->base);
}

static void redis_close(Store *store)
{
    StoreRedis *r = (StoreRedis *)store;

    store_link_close(r->link, link_closed, r);
    if (store_behind_n(r->behind))
        g_warning("%u writes that Redis missed are given up", store_behind_n(r->behind));
}

static void redis_stats(const Store *store, StoreStats *stats)
{
    const StoreRedis *r = (const StoreRedis *)store;

    stats->under_way = store_link_under_way(r->link);
    stats->behind = store_behind_n(r->behind);
}

static void redis_free(Store *store)
{
    StoreRedis *r = (StoreRedis *)store;

    for (unsigned i = 0; i < REDIS_N_SCRIPTS; i++)
        g_free(r->sha[i]);
    store_behind_free(r->behind);
    store_target_clear(&r->target);
    g_free(r);
}

Store *store_redis_new(uv_loop_t *loop, const StoreOptions *options, StoreTarget *target,
                       GError **error)
{
    static const StoreClass class = {redis_start, redis_close, redis_stats, redis_free};

    if (!store_target_check(target, NULL, error))
        return NULL;
    StoreRedis *r = g_new0(StoreRedis, 1);
    const StoreLinkHooks hooks = {up_cb, down_cb, r};
    store_init(&r->base, &class, loop, options);
    r->target = *target;
    store_target_init(target);
    r->behind = store_behind_new(r->target.max_behind);
    for (unsigned i = 0; i < REDIS_N_SCRIPTS; i++)
        r->sha[i] =
            g_compute_checksum_for_string(G_CHECKSUM_SHA1, redis_script((RedisScript)i), -1);
    r->link = store_link_new(loop, &r->target, &hooks);
    return &r->base;
}
