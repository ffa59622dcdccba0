/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * store-fixture.h: Redis servers that a test starts for itself, and calls to a store whose answer
 * is waited for.
 */
#pragma once

#include "control-test.h"
#include "store/store-redis.h"

#include <hiredis/hiredis.h>

typedef struct TestRedis {
    GPid pid;
    uint16_t port;
    char *dir;
    char *socket;
    char *config; /* of a sentinel */
    int out;
    redisContext *client; /* for looking at what is there: database 3 */
} TestRedis;

/** A server with a directory of its own, on a free port and a socket; @extra: (nullable) arguments.
 */
TestRedis *test_redis_start(const char *extra);

/** A sentinel that watches @master as "e2ae" and replaces it soon after it is gone. */
TestRedis *test_redis_sentinel(const TestRedis *master);

/** Sends a signal: SIGSTOP, SIGCONT. */
void test_redis_signal(const TestRedis *redis, int signal);

/** Ends the process, keeping the port and the directory. */
void test_redis_kill(TestRedis *redis);

/** Starts it again after test_redis_kill(), empty. */
void test_redis_again(TestRedis *redis, const char *extra);

void test_redis_free(TestRedis *redis);

/** The answer as text: a string, a number, an error; the elements of a list with blanks between. */
char *test_redis_ask(TestRedis *redis, const char *format, ...);

#define assert_redis(redis, expected, ...)                                                         \
    do {                                                                                           \
        g_autofree char *got_ = test_redis_ask((redis), __VA_ARGS__);                              \
        g_assert_cmpstr(got_, ==, (expected));                                                     \
    } while (0)

/** Asks the server again and again until its answer holds @part; no server tells of such things. */
void test_redis_await(TestRedis *redis, const char *part, const char *command);

/** What a call to the store answered. */
typedef struct Answer {
    bool done;
    StoreStatus status;
    char *text;
    uint64_t revision;
    char *owner;
    uint64_t epoch;
    bool behind;
    bool found;
    RedisRecord *record;
    GStrv calls;
    char *nodes; /* "edge-1=udp:... edge-2=dead" */
    char *sealed;
    char *fingerprint;
} Answer;

void answer_cb(const StoreReply *reply, void *arg);
void answer_clear(Answer *a);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

/** Calls a function of the store and runs the loop until it has answered; the answer is in @a. */
#define ASK(loop, a, function, ...)                                                                \
    do {                                                                                           \
        answer_clear(&(a));                                                                        \
        function(__VA_ARGS__, answer_cb, &(a));                                                    \
        g_assert_false((a).done);                                                                  \
        RUN_UNTIL((loop), (a).done);                                                               \
    } while (0)

/** A store and what it told its watcher. */
typedef struct TestStore {
    Store *store;
    uv_loop_t *loop;
    GString *states; /* "ready away ..." */
    char *text;      /* of the last state */
    GString *lost;   /* "call=owner ..." */
    bool closed;
} TestStore;

/** @target: as --redis; NULL = unix socket of @redis, database 3. @adjust: (nullable). Not waited
 * for. */
TestStore *test_store_new(uv_loop_t *loop, const TestRedis *redis, const char *node,
                          const char *target, void (*adjust)(StoreTarget *t));

/** As test_store_new() with defaults, and waits until it is ready. */
TestStore *test_store_ready(uv_loop_t *loop, const TestRedis *redis, const char *node);

TestStore *test_store_memory(uv_loop_t *loop, const char *node);

/** Closes the store and waits until it is gone. */
void test_store_free(TestStore *t);

/** A record with one stream. */
RedisRecord *test_record(const char *call_id, uint64_t revision);
