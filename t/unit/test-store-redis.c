/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records, nodes, certificates and events in a real server. */
#include "store-pair.h"

#include "redis-schema/redis-keys.h"

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* As text, in order. */
static char *keys(Fixture *f)
{
    g_autofree char *text = test_redis_ask(f->redis, "KEYS *");
    g_auto(GStrv) words = g_strsplit(text, " ", -1);

    qsort(words, g_strv_length(words), sizeof *words, by_text);
    return g_strjoinv(" ", words);
}

static void life_of_a_record(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    commit(f, f->a, "call", 1);
    g_autofree char *during = keys(f);
    g_assert_cmpstr(during, ==,
                    "e2ae:call:call e2ae:node:edge-1 e2ae:node:edge-1:calls "
                    "e2ae:node:edge-2 e2ae:nodes");
    /* every key has a TTL */
    g_auto(GStrv) words = g_strsplit(during, " ", -1);
    for (unsigned i = 0; words[i]; i++) {
        g_autofree char *ttl = test_redis_ask(f->redis, "PTTL %s", words[i]);
        g_assert_cmpint(g_ascii_strtoll(ttl, NULL, 10), >, 0);
    }
    /* anybody may read it */
    ASK(&f->loop, a, store_load, f->b->store, "call");
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_cmpuint(a.revision, ==, 2);
    g_assert_cmpstr(a.record->owner, ==, "edge-1");
    g_assert_cmpuint(a.record->epoch, ==, store_epoch(f->a->store));
    g_autoptr(RedisRecord) expected = test_record("call", 2);
    expected->owner = g_strdup("edge-1");
    expected->epoch = a.record->epoch;
    expected->updated = a.record->updated;
    g_assert_true(redis_record_equal(a.record, expected));
    ASK(&f->loop, a, store_delete, f->a->store, "call");
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_autofree char *after = keys(f);
    g_assert_cmpstr(after, ==, "e2ae:node:edge-1 e2ae:node:edge-2 e2ae:nodes");
    ASK(&f->loop, a, store_load, f->b->store, "call");
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    ASK(&f->loop, a, store_delete, f->a->store, "call");
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    ASK(&f->loop, a, store_commit, f->a->store, test_record("call", 2));
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND); /* a late write brings nothing back */
}

static void call_id_of_any_bytes(Fixture *f, const void *data)
{
    static const char id[] = "caf\xc3\xa9 \xff\"%\\{x}\r\n'*?[";
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, id, 0);
    commit(f, f->a, id, 1);
    ASK(&f->loop, a, store_load, f->b->store, id);
    g_assert_cmpstr(a.record->call_id, ==, id);
    ASK(&f->loop, a, store_list_node, f->b->store, "edge-1", NULL);
    g_assert_cmpstr(a.calls[0], ==, id);
    kill_heartbeat(f, "edge-1");
    ASK(&f->loop, a, store_claim, f->b->store, id, "edge-1", 2);
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_cmpstr(a.record->call_id, ==, id);
    ASK(&f->loop, a, store_delete, f->b->store, id);
    g_assert_cmpint(a.status, ==, STORE_OK);
}

static void only_the_owner_writes(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    for (uint64_t revision = 0; revision < 3; revision++) {
        ASK(&f->loop, a, store_commit, f->b->store, test_record("call", revision));
        g_assert_cmpint(a.status, ==, STORE_CONFLICT);
        g_assert_cmpstr(a.owner, ==, "edge-1");
        g_assert_cmpuint(a.epoch, ==, store_epoch(f->a->store));
        g_assert_cmpuint(a.revision, ==, 1);
    }
    ASK(&f->loop, a, store_delete, f->b->store, "call");
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    commit(f, f->a, "call", 1);
}

/* The reply to an earlier write was lost, so its revision is not known. */
static void own_doubtful_write_is_no_conflict(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    commit(f, f->a, "call", 1);
    ASK(&f->loop, a, store_commit, f->a->store, test_record("call", 1));
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_cmpuint(a.revision, ==, 3);
    ASK(&f->loop, a, store_commit, f->a->store, test_record("call", 0));
    g_assert_cmpuint(a.revision, ==, 4);
    commit(f, f->a, "call", 4);
}

static void pages(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    g_autofree char *last = NULL;
    unsigned seen = 0, n = 0;
    (void)data;

    for (unsigned i = 0; i < 250; i++) {
        g_autofree char *id = g_strdup_printf("call-%03u", i);
        commit(f, f->a, id, 0);
    }
    do {
        ASK(&f->loop, a, store_list_node, f->b->store, "edge-1", last);
        g_assert_cmpint(a.status, ==, STORE_OK);
        g_assert_cmpuint(g_strv_length(a.calls), <=, STORE_PAGE);
        for (unsigned i = 0; a.calls[i]; i++, seen++) {
            g_assert_cmpint(g_strcmp0(a.calls[i], last), >, 0);
            g_free(last);
            last = g_strdup(a.calls[i]);
        }
        if (n++ == 0) { /* what goes while somebody reads shifts nothing */
            g_auto(Answer) d = {0};
            ASK(&f->loop, d, store_delete, f->a->store, "call-000");
            ASK(&f->loop, d, store_delete, f->a->store, "call-050");
        }
    } while (a.calls[0]);
    g_assert_cmpuint(seen, ==, 250);
    g_assert_cmpuint(n, ==, 4);
}

/* The record has expired, its member in the index is still there. */
static void expired_record_leaves_the_index(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    commit(f, f->a, "call", 0);
    assert_redis(f->redis, "1", "DEL e2ae:call:call");
    kill_heartbeat(f, "edge-1");
    ASK(&f->loop, a, store_claim, f->b->store, "call", "edge-1", 0);
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    assert_redis(f->redis, "0", "EXISTS e2ae:node:edge-1:calls");
}

static void nodes(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    ASK(&f->loop, a, store_nodes, f->a->store);
    g_assert_nonnull(strstr(a.nodes, "edge-1=udp:192.0.2.1:2223"));
    g_assert_nonnull(strstr(a.nodes, "edge-2=udp:192.0.2.1:2223"));
    kill_heartbeat(f, "edge-2");
    ASK(&f->loop, a, store_nodes, f->a->store);
    g_assert_nonnull(strstr(a.nodes, "edge-2=dead"));
    /* a newer node that cannot be understood is not dead */
    assert_redis(f->redis, "OK", "SET e2ae:node:edge-2 {\"schema\":9}");
    ASK(&f->loop, a, store_nodes, f->a->store);
    g_assert_null(strstr(a.nodes, "dead"));
    kill_heartbeat(f, "edge-2");
    /* ended in order and without calls: it leaves the group */
    ASK(&f->loop, a, store_leave, f->b->store);
    ASK(&f->loop, a, store_nodes, f->a->store);
    g_assert_cmpstr(a.nodes, ==, "edge-1=udp:192.0.2.1:2223");
    /* with calls it stays, as dead */
    commit(f, f->a, "call", 0);
    ASK(&f->loop, a, store_leave, f->a->store);
    ASK(&f->loop, a, store_nodes, f->b->store);
    g_assert_cmpstr(a.nodes, ==, "edge-1=dead");
}

static void one_node(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    ASK(&f->loop, a, store_node, f->a->store, "edge-2");
    g_assert_cmpstr(a.nodes, ==, "edge-2=udp:192.0.2.1:2223");
    kill_heartbeat(f, "edge-2");
    ASK(&f->loop, a, store_node, f->a->store, "edge-2");
    g_assert_cmpstr(a.nodes, ==, "edge-2=dead");
    assert_redis(f->redis, "OK", "SET e2ae:node:edge-2 {\"schema\":9}");
    ASK(&f->loop, a, store_node, f->a->store, "edge-2");
    g_assert_cmpstr(a.nodes, ==, "edge-2=");
}

static void node_long_gone_leaves_the_group(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    assert_redis(f->redis, "1", "ZADD e2ae:nodes 1000000 east/edge-0");
    ASK(&f->loop, a, store_heartbeat, f->a->store);
    ASK(&f->loop, a, store_nodes, f->a->store);
    g_assert_null(strstr(a.nodes, "edge-0"));
}

static void scripts_flushed(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    (void)data;

    assert_redis(f->redis, "OK", "SCRIPT FLUSH");
    commit(f, f->a, "call", 0);
    assert_redis(f->redis, "OK", "SCRIPT FLUSH");
    ASK(&f->loop, a, store_delete, f->a->store, "call");
    g_assert_cmpint(a.status, ==, STORE_OK);
}

static void not_a_record_of_ours(Fixture *f, const void *data)
{
    static const struct {
        const char *value, *load, *write;
    } rows[] = {
        {"{\"schema\":2,\"minor\":0,\"x\":1}", "schema 2", "schema 2"},
        {"nonsense", "JSON", "E2AE"},
        {"{ \"schema\":1}", "missing", "E2AE"},
    };
    (void)data;

    kill_heartbeat(f, "edge-1");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(Answer) a = {0};
        assert_redis(f->redis, "OK", "SET e2ae:call:call %s", rows[i].value);
        ASK(&f->loop, a, store_load, f->b->store, "call");
        g_assert_cmpint(a.status, ==, STORE_BAD);
        g_assert_nonnull(strstr(a.text, rows[i].load));
        ASK(&f->loop, a, store_claim, f->b->store, "call", "edge-1", 0);
        g_assert_cmpint(a.status, ==, STORE_BAD);
        g_assert_nonnull(strstr(a.text, rows[i].write));
        ASK(&f->loop, a, store_commit, f->b->store, test_record("call", 1));
        g_assert_cmpint(a.status, ==, STORE_BAD);
        g_assert_nonnull(strstr(a.text, rows[i].write));
        assert_redis(f->redis, rows[i].value, "GET e2ae:call:call"); /* as it was */
    }
    g_auto(Answer) a = {0};
    RedisRecord *large = test_record("large", 0);
    large->first_keys = g_strnfill(2 << 20, 'x');
    ASK(&f->loop, a, store_commit, f->b->store, large);
    g_assert_cmpint(a.status, ==, STORE_BAD);
    g_assert_cmpstr(f->b->states->str, ==, "ready"); /* one bad record is no reason to reconnect */
}

static void certificates(Fixture *f, const void *data)
{
    static const uint8_t nonce[REDIS_CERT_NONCE] = {1, 2, 3};
    g_auto(Answer) a = {0};
    g_autoptr(GBytes) sealed = g_bytes_new_static("0123456789abcdef", 16);
    Fingerprint fp = {FP_SHA256, {1, 2, 3}};
    char name[FP_TEXT_MAX];
    (void)data;

    fp_text(&fp, name);
    ASK(&f->loop, a, store_cert_load, f->b->store, NULL);
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    g_assert_null(a.fingerprint);
    RedisCert *cert = redis_cert_new(name, "0011", nonce, sealed);
    g_autofree char *json = redis_cert_print(cert, NULL);
    ASK(&f->loop, a, store_cert_save, f->a->store, cert, NULL);
    g_assert_cmpint(a.status, ==, STORE_OK);
    ASK(&f->loop, a, store_cert_load, f->b->store, NULL);
    g_assert_cmpstr(a.sealed, ==, json);
    g_assert_cmpstr(a.fingerprint, ==, name);
    ASK(&f->loop, a, store_cert_load, f->b->store, name);
    g_assert_cmpstr(a.sealed, ==, json);
    g_autofree char *key = redis_key_cert(name);
    g_autofree char *ttl = test_redis_ask(f->redis, "TTL %s", key);
    g_assert_cmpint(g_ascii_strtoll(ttl, NULL, 10), >, 86400);
    g_autofree char *ttl2 = test_redis_ask(f->redis, "TTL e2ae:group:east:cert");
    g_assert_cmpint(g_ascii_strtoll(ttl2, NULL, 10), >, 86400);
    ASK(&f->loop, a, store_cert_load, f->b->store, "sha-256 00");
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
}

static RedisCert *some_cert(uint8_t number, char name[static FP_TEXT_MAX])
{
    static const uint8_t nonce[REDIS_CERT_NONCE] = {1, 2, 3};
    g_autoptr(GBytes) sealed = g_bytes_new_static("0123456789abcdef", 16);
    Fingerprint fp = {FP_SHA256, {number}};

    return redis_cert_new(fp_text(&fp, name), "0011", nonce, sealed);
}

/* Of several certificates made at once the first one counts, and who was late learns which. */
static void certificate_race(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    char first[FP_TEXT_MAX], late[FP_TEXT_MAX], old[FP_TEXT_MAX];
    (void)data;

    ASK(&f->loop, a, store_cert_save, f->a->store, some_cert(1, first), NULL);
    g_assert_cmpint(a.status, ==, STORE_OK);
    ASK(&f->loop, a, store_cert_save, f->b->store, some_cert(2, late), NULL);
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_cmpstr(a.fingerprint, ==, first);
    g_autofree char *late_key = redis_key_cert(late);
    assert_redis(f->redis, "0", "EXISTS %s", late_key);
    /* a repeat of what was done, as after an answer that was lost */
    ASK(&f->loop, a, store_cert_save, f->a->store, some_cert(1, first), NULL);
    g_assert_cmpint(a.status, ==, STORE_OK);
    ASK(&f->loop, a, store_cert_save, f->b->store, some_cert(2, late), first);
    g_assert_cmpint(a.status, ==, STORE_OK);
    ASK(&f->loop, a, store_cert_save, f->a->store, some_cert(3, old), first);
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_cmpstr(a.fingerprint, ==, late);
    assert_redis(f->redis, late, "GET e2ae:group:east:cert");
}

/* An old one is kept, and is not the group's. A group whose certificate is gone says which it was. */
static void certificate_kept(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    char old[FP_TEXT_MAX], now[FP_TEXT_MAX];
    (void)data;

    ASK(&f->loop, a, store_cert_save, f->a->store, some_cert(1, now), NULL);
    ASK(&f->loop, a, store_cert_keep, f->a->store, some_cert(2, old));
    g_assert_cmpint(a.status, ==, STORE_OK);
    assert_redis(f->redis, now, "GET e2ae:group:east:cert");
    g_autofree char *old_key = redis_key_cert(old);
    g_autofree char *ttl = test_redis_ask(f->redis, "TTL %s", old_key);
    g_assert_cmpint(g_ascii_strtoll(ttl, NULL, 10), >, 86400);
    g_autofree char *now_key = redis_key_cert(now);
    assert_redis(f->redis, "1", "DEL %s", now_key);
    ASK(&f->loop, a, store_cert_load, f->b->store, NULL);
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    g_assert_cmpstr(a.fingerprint, ==, now);
    ASK(&f->loop, a, store_cert_save, f->b->store, some_cert(3, old), now);
    g_assert_cmpint(a.status, ==, STORE_OK);
    /* the group's was lost instead */
    assert_redis(f->redis, "1", "DEL e2ae:group:east:cert");
    ASK(&f->loop, a, store_cert_save, f->b->store, some_cert(1, now), old);
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_null(a.fingerprint);
}

static void events(Fixture *f, const void *data)
{
    redisContext *c = redisConnect("127.0.0.1", f->redis->port);
    redisReply *reply = redisCommand(c, "SUBSCRIBE " REDIS_EVENTS_CHANNEL);
    (void)data;

    freeReplyObject(reply);
    store_publish(f->a->store, "{\"event\":\"takeover\"}");
    commit(f, f->a, "call", 0); /* behind it on the same connection */
    g_assert_cmpint(redisGetReply(c, (void **)&reply), ==, REDIS_OK);
    g_assert_cmpstr(reply->element[2]->str, ==, "{\"event\":\"takeover\"}");
    freeReplyObject(reply);
    redisFree(c);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    test_log_start();
#define TEST(name, function) g_test_add(name, Fixture, NULL, setup, function, teardown)
    TEST("/store/redis/life-of-a-record", life_of_a_record);
    TEST("/store/redis/call-id-of-any-bytes", call_id_of_any_bytes);
    TEST("/store/redis/only-the-owner-writes", only_the_owner_writes);
    TEST("/store/redis/own-doubtful-write", own_doubtful_write_is_no_conflict);
    TEST("/store/redis/pages", pages);
    TEST("/store/redis/expired-record-leaves-the-index", expired_record_leaves_the_index);
    TEST("/store/redis/nodes", nodes);
    TEST("/store/redis/one-node", one_node);
    TEST("/store/redis/node-long-gone-leaves-the-group", node_long_gone_leaves_the_group);
    TEST("/store/redis/scripts-flushed", scripts_flushed);
    TEST("/store/redis/not-a-record-of-ours", not_a_record_of_ours);
    TEST("/store/redis/certificates", certificates);
    TEST("/store/redis/certificate-race", certificate_race);
    TEST("/store/redis/certificate-kept", certificate_kept);
    TEST("/store/redis/events", events);
    return g_test_run();
}
