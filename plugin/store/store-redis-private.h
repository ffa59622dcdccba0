/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * store-redis-private.h: the parts of the Redis store: store-redis.c decides what is done with a
 * call, store-redis-command.c writes commands, store-redis-reply.c reads answers.
 *
 * Threads: control thread only.
 */
#pragma once

#include "redis-schema/redis-scripts.h"
#include "store/store-behind.h"
#include "store/store-link.h"
#include "store/store-private.h"

typedef struct StoreRedis {
    Store base;
    StoreTarget target;
    StoreLink *link;
    StoreBehind *behind;
    unsigned flushing; /* writes of .behind under way */
    bool lapsed;       /* a heartbeat was not found, and store_heartbeat() has not told yet */
    char *sha[REDIS_N_SCRIPTS];
} StoreRedis;

typedef enum StoreRedisSent {
    STORE_REDIS_SENT,
    STORE_REDIS_NOT_NOW, /* the link is down, or has enough to do */
    STORE_REDIS_BAD,     /* it cannot be written: op->text says why */
} StoreRedisSent;

/** Sends what @op asks at its stage, with @op as the argument of @cb. */
StoreRedisSent store_redis_send(StoreRedis *r, StoreOp *op, StoreLinkReplyCb cb);

typedef enum StoreRedisAnswer {
    STORE_REDIS_DONE,  /* op->reply, and what it points to, is filled in */
    STORE_REDIS_AGAIN, /* to be sent again, or the next stage is */
    STORE_REDIS_AWAY,  /* the server cannot do it now, and no other command either */
} StoreRedisAnswer;

/** What @reply means for @op. */
StoreRedisAnswer store_redis_read(StoreRedis *r, StoreOp *op, const redisReply *reply);
