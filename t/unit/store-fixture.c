/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store-fixture.h"

#include <glib/gstdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static uint16_t free_port(void)
{
    struct sockaddr_storage sa;
    Addr any = test_any_port("127.0.0.1");
    socklen_t len = addr_to_sockaddr(&any, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *)&sa, len), ==, 0);
    uint16_t port = test_fd_addr(fd).port;
    close(fd);
    return port;
}

/* No server outlives the test, however that ends. */
static void die_with_parent(void *data)
{
    (void)data;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Reads what the server says until it says @word. */
static void await(TestRedis *redis, const char *word)
{
    g_autoptr(GString) said = g_string_new(NULL);
    char buf[4096];

    while (!strstr(said->str, word)) {
        ssize_t n = read(redis->out, buf, sizeof buf);
        if (n <= 0)
            g_error("the server ended before it said \"%s\": %s", word, said->str);
        g_string_append_len(said, buf, n);
    }
}

static void spawn(TestRedis *redis, const char *command, const char *word)
{
    g_auto(GStrv) argv = g_strsplit(command, " ", -1);
    g_autoptr(GError) error = NULL;

    g_spawn_async_with_pipes(redis->dir, argv, NULL,
                             G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent, NULL,
                             &redis->pid, NULL, &redis->out, NULL, &error);
    g_assert_no_error(error);
    await(redis, word);
}

static TestRedis *new_redis(void)
{
    TestRedis *redis = g_new0(TestRedis, 1);

    redis->port = free_port();
    redis->dir = g_dir_make_tmp("e2ae-redis-XXXXXX", NULL);
    redis->socket = g_build_filename(redis->dir, "redis.sock", NULL);
    return redis;
}

void test_redis_again(TestRedis *redis, const char *extra)
{
    g_autofree char *command = g_strdup_printf(
        "redis-server --port %u --bind 127.0.0.1 --unixsocket %s --save  --appendonly no "
        "--repl-diskless-sync-delay 0%s%s",
        redis->port, redis->socket, extra ? " " : "", extra ? extra : "");
    spawn(redis, command, "Ready to accept connections");
}

TestRedis *test_redis_start(const char *extra)
{
    TestRedis *redis = new_redis();

    test_redis_again(redis, extra);
    return redis;
}

TestRedis *test_redis_sentinel(const TestRedis *master)
{
    TestRedis *redis = new_redis();
    g_autofree char *config =
        g_strdup_printf("port %u\nbind 127.0.0.1\nsentinel monitor e2ae 127.0.0.1 %u 1\n"
                        "sentinel down-after-milliseconds e2ae 300\n"
                        "sentinel failover-timeout e2ae 3000\n",
                        redis->port, master->port);

    redis->config = g_build_filename(redis->dir, "sentinel.conf", NULL);
    g_assert_true(g_file_set_contents(redis->config, config, -1, NULL));
    g_autofree char *command = g_strdup_printf("redis-sentinel %s", redis->config);
    spawn(redis, command, "+monitor master e2ae");
    return redis;
}

void test_redis_signal(const TestRedis *redis, int signal)
{
    g_assert_cmpint(kill(redis->pid, signal), ==, 0);
}

void test_redis_kill(TestRedis *redis)
{
    int status;

    g_clear_pointer(&redis->client, redisFree);
    test_redis_signal(redis, SIGKILL);
    g_assert_cmpint(waitpid(redis->pid, &status, 0), ==, redis->pid);
    g_spawn_close_pid(redis->pid);
    close(redis->out);
    redis->pid = 0;
}

void test_redis_free(TestRedis *redis)
{
    const char *name;

    if (redis->pid)
        test_redis_kill(redis);
    g_autoptr(GDir) dir = g_dir_open(redis->dir, 0, NULL);
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(redis->dir, name, NULL);
        g_unlink(path);
    }
    g_rmdir(redis->dir);
    g_free(redis->dir);
    g_free(redis->socket);
    g_free(redis->config);
    g_free(redis);
}

static void append(GString *out, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_INTEGER)
        g_string_append_printf(out, "%lld", reply->integer);
    else if (reply->type == REDIS_REPLY_ARRAY)
        for (size_t i = 0; i < reply->elements; i++) {
            g_string_append(out, i ? " " : "");
            append(out, reply->element[i]);
        }
    else if (reply->type == REDIS_REPLY_NIL)
        g_string_append(out, "nil");
    else
        g_string_append_len(out, reply->str, (gssize)reply->len);
}

static void connect_client(TestRedis *redis)
{
    redis->client = redisConnect("127.0.0.1", redis->port);
    g_assert_cmpint(redis->client->err, ==, 0);
    freeReplyObject(redisCommand(redis->client, "AUTH secret"));
    freeReplyObject(redisCommand(redis->client, "SELECT 3"));
}

char *test_redis_ask(TestRedis *redis, const char *format, ...)
{
    g_autoptr(GString) out = g_string_new(NULL);
    redisReply *reply = NULL;
    va_list args;

    /* twice: who becomes master closes its connections */
    for (unsigned i = 0; i < 2 && !reply; i++) {
        if (!redis->client)
            connect_client(redis);
        va_start(args, format);
        reply = redisvCommand(redis->client, format, args);
        va_end(args);
        if (!reply)
            g_clear_pointer(&redis->client, redisFree);
    }
    g_assert_nonnull(reply);
    append(out, reply);
    freeReplyObject(reply);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

void test_redis_await(TestRedis *redis, const char *part, const char *command)
{
    int64_t deadline = g_get_monotonic_time() + TEST_DEADLINE_MS * 1000;
    bool there = false;

    while (!there) {
        g_autofree char *text = test_redis_ask(redis, command);
        there = strstr(text, part) != NULL;
        if (g_get_monotonic_time() > deadline)
            g_error("\"%s\" never answered \"%s\": %s", command, part, text);
    }
}

static char *nodes_text(const StoreReply *reply)
{
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; reply->nodes && i < reply->n; i++)
        g_string_append_printf(out, "%s%s=%s", i ? " " : "", reply->nodes[i]->id,
                               reply->nodes[i]->heartbeat ? reply->nodes[i]->heartbeat->ng
                                                          : "dead");
    return g_string_free(out, FALSE);
}

void answer_cb(const StoreReply *reply, void *arg)
{
    Answer *a = arg;
    GPtrArray *calls = g_ptr_array_new();

    g_assert_false(a->done);
    for (unsigned i = 0; reply->calls && i < reply->n; i++)
        g_ptr_array_add(calls, g_strdup(reply->calls[i]));
    g_ptr_array_add(calls, NULL);
    *a = (Answer){
        .done = true,
        .status = reply->status,
        .text = g_strdup(reply->text),
        .revision = reply->revision,
        .owner = g_strdup(reply->owner),
        .epoch = reply->epoch,
        .behind = reply->behind,
        .found = reply->found,
        .record = reply->record ? redis_record_copy(reply->record) : NULL,
        .calls = (GStrv)g_ptr_array_free(calls, FALSE),
        .nodes = nodes_text(reply),
        .sealed = reply->cert ? redis_cert_print(reply->cert, NULL) : NULL,
        .fingerprint = g_strdup(reply->fingerprint),
    };
}

void answer_clear(Answer *a)
{
    g_free(a->text);
    g_free(a->owner);
    redis_record_free(a->record);
    g_strfreev(a->calls);
    g_free(a->nodes);
    g_free(a->sealed);
    g_free(a->fingerprint);
    *a = (Answer){0};
}

static void state_cb(StoreState state, const char *text, void *arg)
{
    TestStore *t = arg;

    g_string_append_printf(t->states, "%s%s", t->states->len ? " " : "", store_state_name(state));
    g_free(t->text);
    t->text = g_strdup(text);
}

static void lost_cb(const char *call_id, const char *owner, uint64_t epoch, void *arg)
{
    TestStore *t = arg;

    g_assert_cmpuint(epoch, >, 0);
    g_string_append_printf(t->lost, "%s=%s ", call_id, owner);
}

static TestStore *new_store(uv_loop_t *loop)
{
    TestStore *t = g_new0(TestStore, 1);

    t->loop = loop;
    t->states = g_string_new(NULL);
    t->lost = g_string_new(NULL);
    return t;
}

static StoreOptions options_of(TestStore *t, const char *node)
{
    return (StoreOptions){
        .node = node,
        .group = "east",
        .ng = "udp:192.0.2.1:2223",
        .node_ttl_ms = 600000, /* a test takes a node's life, not a slow machine */
        .watch = {state_cb, lost_cb, t},
    };
}

TestStore *test_store_new(uv_loop_t *loop, const TestRedis *redis, const char *node,
                          const char *text, void (*adjust)(StoreTarget *t))
{
    TestStore *t = new_store(loop);
    StoreOptions options = options_of(t, node);
    StoreTarget target;
    g_autoptr(GError) error = NULL;
    g_autofree char *own = text ? g_strdup(text) : g_strdup_printf("%s/3", redis->socket);

    store_target_init(&target);
    target.reconnect_ms = 10;
    target.reconnect_max_ms = 50;
    target.command_ms = target.connect_ms = 10000; /* a loaded machine is no dead server */
    store_target_parse(&target, own, &error);
    g_assert_no_error(error);
    if (adjust)
        adjust(&target);
    t->store = store_redis_new(loop, &options, &target, &error);
    g_assert_no_error(error);
    store_target_clear(&target);
    return t;
}

TestStore *test_store_ready(uv_loop_t *loop, const TestRedis *redis, const char *node)
{
    TestStore *t = test_store_new(loop, redis, node, NULL, NULL);

    RUN_UNTIL(loop, store_state(t->store) == STORE_READY);
    return t;
}

TestStore *test_store_memory(uv_loop_t *loop, const char *node)
{
    TestStore *t = new_store(loop);
    StoreOptions options = options_of(t, node);

    t->store = store_memory_new(loop, &options);
    return t;
}

static void closed_cb(void *arg)
{
    TestStore *t = arg;

    t->closed = true;
}

void test_store_free(TestStore *t)
{
    store_close(t->store, closed_cb, t);
    g_assert_false(t->closed);
    RUN_UNTIL(t->loop, t->closed);
    g_string_free(t->states, TRUE);
    g_string_free(t->lost, TRUE);
    g_free(t->text);
    g_free(t);
}

RedisRecord *test_record(const char *call_id, uint64_t revision)
{
    RedisRecord *record = redis_record_new(call_id);
    RedisDialog *dialog = redis_record_add_dialog(record);
    RedisSlot *slot = redis_dialog_add_slot(dialog);

    record->revision = revision;
    dialog->tag[REDIS_ACCESS] = g_strdup("1928301774");
    slot->treatment = REDIS_E2AE;
    slot->medium = g_strdup("msrp");
    slot->stream = redis_stream_new();
    slot->stream->id = 7;
    slot->stream->medium = g_strdup("msrp");
    for (int side = 0; side < 2; side++) {
        RedisLeg *leg = &slot->stream->leg[side];
        Fingerprint fp = {FP_SHA256, {(uint8_t)side, 1, 2, 3}};
        leg->secure = side == REDIS_ACCESS;
        leg->interface = g_strdup("access");
        leg->local = leg->advertised = test_addr("192.0.2.1:30000");
        leg->remote = test_addr("198.51.100.7:49152");
        leg->peer_path = g_strdup("msrps://198.51.100.7:49152/iau39;tcp");
        fp_set_add(&leg->fingerprints, &fp);
    }
    return record;
}
