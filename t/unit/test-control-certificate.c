/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes that share a certificate in a real Redis. */
#include "control/control-certificate.h"
#include "redis-schema/redis-keys.h"
#include "store-fixture.h"

#define KEY       "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define OTHER_KEY "100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define GROUP     "e2ae:group:east:cert"

/* One node. It looks only when it is told, unless .every_ms says otherwise. */
typedef struct Node {
    TestStore *store;
    TlsSealKey *key;
    TlsIdentities *identities;
    ControlCertificate *certificate;
    unsigned changes;
} Node;

typedef struct Fixture {
    uv_loop_t loop;
    TestRedis *redis;
    Node a, b;
} Fixture;

static const TlsProfile profile;

static void changed_cb(void *arg)
{
    ((Node *)arg)->changes++;
}

static void node_start(Fixture *f, Node *n, const char *name, const char *key, unsigned every_ms)
{
    n->store = test_store_ready(&f->loop, f->redis, name);
    n->key = tls_seal_key_parse(span_str(key), NULL);
    n->identities = tls_identities_new(&profile, FP_SHA256);
    n->certificate = control_certificate_new(
        &f->loop, &(ControlCertificateConfig){.store = n->store->store,
                                              .identities = n->identities,
                                              .key = n->key,
                                              .days = 10,
                                              .every_ms = every_ms ? every_ms : 3600 * 1000,
                                              .renew_ms = every_ms ? 1 : 0,
                                              .changed = changed_cb,
                                              .arg = n});
}

static void node_stop(Node *n)
{
    if (!n->store)
        return;
    control_certificate_free(n->certificate);
    tls_identities_free(n->identities);
    tls_seal_key_free(n->key);
    test_store_free(n->store);
    *n = (Node){0};
}

static void setup(Fixture *f, const void *data)
{
    (void)data;
    uv_loop_init(&f->loop);
    f->redis = test_redis_start(NULL);
    node_start(f, &f->a, "edge-1", KEY, 0);
}

static void teardown(Fixture *f, const void *data)
{
    (void)data;
    node_stop(&f->a);
    node_stop(&f->b);
    test_redis_free(f->redis);
    test_loop_end(&f->loop);
}

static ControlCertificateState state(const Node *n)
{
    return control_certificate_state(n->certificate, NULL);
}

/* What new streams of @n signal; "" = nothing yet. */
static char *signalled(const Node *n)
{
    FingerprintSet set;
    char text[FP_TEXT_MAX];

    tls_identities_signal(n->identities, &set);
    return g_strdup(set.n ? fp_text(&set.fp[0], text) : "");
}

static void assert_same(const Node *a, const Node *b)
{
    g_autofree char *one = signalled(a);
    g_autofree char *other = signalled(b);

    g_assert_cmpstr(one, !=, "");
    g_assert_cmpstr(one, ==, other);
}

static void wait_ready(Fixture *f, Node *n)
{
    control_certificate_look(n->certificate);
    RUN_UNTIL(&f->loop, state(n) == CONTROL_CERTIFICATE_READY);
}

/* Looks, and waits until everything has been answered that this brought about. */
static void look(Fixture *f, Node *n)
{
    g_auto(Answer) a = {0};

    control_certificate_look(n->certificate);
    for (int i = 0; i < 4; i++) /* answers come in order, and a look asks three times at most */
        ASK(&f->loop, a, store_load, n->store->store, "none");
}

/* Seals @id with @key under the name of @named, and makes it the group's. */
static void put(Fixture *f, const Node *n, const TlsIdentity *id, const TlsIdentity *named)
{
    static const uint8_t nonce[TLS_SEAL_NONCE] = {9};
    g_auto(Answer) a = {0};
    FingerprintSet set;
    char name[FP_TEXT_MAX];

    tls_identity_fingerprints(named, FP_SHA256, &set);
    g_autofree char *key = redis_key_cert(fp_text(&set.fp[0], name));
    g_autoptr(GBytes) sealed = tls_seal_identity(n->key, nonce, key, id);
    RedisCert *cert = redis_cert_new(name, tls_seal_key_id(n->key), nonce, sealed);
    ASK(&f->loop, a, store_cert_save, n->store->store, cert, NULL);
    g_assert_cmpint(a.status, ==, STORE_OK);
}

static TlsIdentity *identity_of(const char *name)
{
    g_autofree char *pem = g_strconcat(name, ".pem", NULL);
    g_autofree char *key = g_strconcat(name, ".key", NULL);
    g_autofree char *pem_path = g_test_build_filename(G_TEST_DIST, "t", "certs", pem, NULL);
    g_autofree char *key_path = g_test_build_filename(G_TEST_DIST, "t", "certs", key, NULL);
    g_autoptr(GError) error = NULL;
    TlsIdentity *id =
        tls_identity_load((const char *[]){pem_path}, (const char *[]){key_path}, 1, &error);

    g_assert_no_error(error);
    return id;
}

/* ---- what new streams present */

/* The first node makes one, the next finds it, and so does the first when it starts again. */
static void made_and_found(Fixture *f, const void *data)
{
    (void)data;
    g_assert_cmpint(state(&f->a), ==, CONTROL_CERTIFICATE_WAITING);
    wait_ready(f, &f->a);
    assert_logged("Certificate of the group, made here: fingerprint sha-256 ");
    g_assert_cmpuint(f->a.changes, ==, 1);
    const TlsIdentity *id = tls_identities_current(f->a.identities);
    g_assert_cmpint(tls_identity_half_life(id), >, g_get_real_time() / G_USEC_PER_SEC + 4 * 86400);
    node_start(f, &f->b, "edge-2", KEY, 0);
    wait_ready(f, &f->b);
    assert_logged("Certificate of the group, found in Redis: fingerprint sha-256 ");
    assert_same(&f->a, &f->b);
    node_stop(&f->a);
    node_start(f, &f->a, "edge-1", KEY, 0);
    wait_ready(f, &f->a);
    assert_same(&f->a, &f->b);
    look(f, &f->a);
    g_assert_cmpuint(f->a.changes, ==, 1);
}

/* Both find none, and both make one. */
static void at_once(Fixture *f, const void *data)
{
    (void)data;
    node_start(f, &f->b, "edge-2", KEY, 0);
    control_certificate_look(f->a.certificate);
    control_certificate_look(f->b.certificate);
    RUN_UNTIL(&f->loop, state(&f->a) == CONTROL_CERTIFICATE_READY &&
                            state(&f->b) == CONTROL_CERTIFICATE_READY);
    assert_same(&f->a, &f->b);
    assert_redis(f->redis, "1", "EXISTS " GROUP);
}

/* Who cannot read it changes nothing. */
static void wrong_key(Fixture *f, const void *data)
{
    const char *reason;
    (void)data;

    wait_ready(f, &f->a);
    g_autofree char *group = test_redis_ask(f->redis, "GET " GROUP);
    node_start(f, &f->b, "edge-2", OTHER_KEY, 0);
    look(f, &f->b);
    g_assert_cmpint(control_certificate_state(f->b.certificate, &reason), ==,
                    CONTROL_CERTIFICATE_FAILED);
    g_assert_nonnull(strstr(reason, " was sealed with the key \""));
    assert_logged("The certificate of the group cannot be used, offers are refused: e2ae:cert:");
    g_assert_null(tls_identities_current(f->b.identities));
    g_assert_cmpuint(f->b.changes, ==, 1);
    look(f, &f->b);
    g_assert_cmpuint(f->b.changes, ==, 1); /* told once */
    control_certificate_replace(f->b.certificate);
    look(f, &f->b);
    assert_redis(f->redis, group, "GET " GROUP);
}

/* An envelope with another one's certificate in it, by somebody who has the key. */
static void other_leaf(Fixture *f, const void *data)
{
    const char *reason;
    g_autoptr(TlsIdentity) id = identity_of("agw-rsa");
    g_autoptr(TlsIdentity) named = identity_of("agw-ecdsa");
    (void)data;

    put(f, &f->a, id, named);
    look(f, &f->a);
    g_assert_cmpint(control_certificate_state(f->a.certificate, &reason), ==,
                    CONTROL_CERTIFICATE_FAILED);
    g_assert_nonnull(strstr(reason, " holds the certificate sha-256 "));
    g_assert_null(tls_identities_current(f->a.identities));
}

/* What is presented goes back to a Redis that has lost it, and nobody's changes. */
static void lost(Fixture *f, const void *data)
{
    (void)data;
    wait_ready(f, &f->a);
    g_autofree char *before = signalled(&f->a);
    assert_redis(f->redis, "OK", "FLUSHDB");
    look(f, &f->a);
    assert_logged("Redis has lost the certificate of the group: it is written again");
    assert_redis(f->redis, before, "GET " GROUP);
    node_start(f, &f->b, "edge-2", KEY, 0);
    wait_ready(f, &f->b);
    assert_same(&f->a, &f->b);
    /* only the certificate itself */
    g_autofree char *key = redis_key_cert(before);
    assert_redis(f->redis, "1", "DEL %s", key);
    look(f, &f->a);
    assert_redis(f->redis, "1", "EXISTS %s", key);
    g_assert_cmpuint(f->a.changes, ==, 1);
}

/* One node replaces it, the other follows; a stream of the old one holds that. */
static void replaced(Fixture *f, const void *data)
{
    FingerprintSet set;
    (void)data;

    wait_ready(f, &f->a);
    node_start(f, &f->b, "edge-2", KEY, 0);
    wait_ready(f, &f->b);
    g_autofree char *old = signalled(&f->a);
    tls_identities_signal(f->b.identities, &set);
    TlsCtx *held = tls_identities_hold(f->b.identities, &set);
    control_certificate_replace(f->a.certificate);
    RUN_UNTIL(&f->loop, f->a.changes == 2);
    g_autofree char *new = signalled(&f->a);
    g_assert_cmpstr(old, !=, new);
    look(f, &f->b);
    assert_same(&f->a, &f->b);
    g_assert_true(tls_identities_hold(f->b.identities, &set) == held);
    tls_identities_release(f->b.identities, held);
    tls_identities_release(f->b.identities, held);
    look(f, &f->a); /* once is enough */
    g_assert_cmpuint(f->a.changes, ==, 2);
}

/* Both are told to: one more certificate, not two. */
static void replaced_at_once(Fixture *f, const void *data)
{
    (void)data;
    wait_ready(f, &f->a);
    node_start(f, &f->b, "edge-2", KEY, 0);
    wait_ready(f, &f->b);
    control_certificate_replace(f->a.certificate);
    control_certificate_replace(f->b.certificate);
    RUN_UNTIL(&f->loop, f->a.changes == 2 && f->b.changes == 2);
    look(f, &f->a);
    look(f, &f->b);
    assert_same(&f->a, &f->b);
    g_assert_cmpuint(f->a.changes, ==, 2);
    g_assert_cmpuint(f->b.changes, ==, 2);
}

/* Past the middle of its validity it serves until its successor is there. */
static void old_age(Fixture *f, const void *data)
{
    g_autoptr(TlsIdentity) id = identity_of("ue-expired");
    FingerprintSet set;
    (void)data;

    put(f, &f->a, id, id);
    tls_identity_fingerprints(id, FP_SHA256, &set);
    look(f, &f->a);
    g_assert_true(tls_identity_presents(tls_identities_current(f->a.identities), &set));
    control_certificate_look(f->a.certificate);
    RUN_UNTIL(&f->loop, f->a.changes == 2);
    g_assert_false(tls_identity_presents(tls_identities_current(f->a.identities), &set));
    look(f, &f->a);
    g_assert_cmpuint(f->a.changes, ==, 2);
}

/* It waits for Redis, and works by itself from then on. */
static void by_itself(Fixture *f, const void *data)
{
    (void)data;
    node_stop(&f->a);
    node_start(f, &f->a, "edge-1", KEY, 20);
    test_redis_kill(f->redis);
    RUN_UNTIL(&f->loop, store_state(f->a.store->store) == STORE_AWAY);
    control_certificate_look(f->a.certificate);
    g_assert_cmpint(state(&f->a), !=, CONTROL_CERTIFICATE_FAILED);
    test_redis_again(f->redis, NULL);
    RUN_UNTIL(&f->loop, state(&f->a) == CONTROL_CERTIFICATE_READY);
}

static int64_t ttl_of(Fixture *f, const char *key)
{
    g_autofree char *text = test_redis_ask(f->redis, "TTL %s", key);

    return g_ascii_strtoll(text, NULL, 10);
}

/* FPR-09: what a stream still uses does not expire, and is written again when it is lost. */
static void old_ones_live(Fixture *f, const void *data)
{
    FingerprintSet set;
    (void)data;

    node_stop(&f->a);
    node_start(f, &f->a, "edge-1", KEY, 20);
    wait_ready(f, &f->a);
    g_autofree char *old = signalled(&f->a);
    g_autofree char *key = redis_key_cert(old);
    tls_identities_signal(f->a.identities, &set);
    TlsCtx *held = tls_identities_hold(f->a.identities, &set);
    control_certificate_replace(f->a.certificate);
    RUN_UNTIL(&f->loop, f->a.changes == 2);
    assert_redis(f->redis, "1", "EXPIRE %s 100", key);
    RUN_UNTIL(&f->loop, ttl_of(f, key) > 86400);
    assert_redis(f->redis, "1", "DEL %s", key);
    RUN_UNTIL(&f->loop, ttl_of(f, key) > 86400);
    g_autofree char *now = signalled(&f->a);
    assert_redis(f->redis, now, "GET " GROUP);
    tls_identities_release(f->a.identities, held);
}

/* ---- those of calls that come from Redis */

typedef struct Fetched {
    Node *node;
    const FingerprintSet *set;
    bool done, ok, there;
} Fetched;

static void fetched_cb(bool ok, void *arg)
{
    Fetched *r = arg;
    TlsCtx *ctx = tls_identities_hold(r->node->identities, r->set);

    g_assert_false(r->done);
    r->done = true;
    r->ok = ok;
    r->there = ctx != NULL;
    if (ctx)
        tls_identities_release(r->node->identities, ctx);
}

/* A call with a stream in force that signals @set, and a pending one that signals @pending. */
static RedisRecord *record_of(const FingerprintSet *set, const FingerprintSet *pending)
{
    RedisRecord *record = redis_record_new("call");
    RedisSlot *slot = redis_dialog_add_slot(redis_record_add_dialog(record));

    slot->stream = redis_stream_new();
    slot->stream->local_fingerprints = *set;
    slot->pending = redis_stream_new();
    slot->pending->local_fingerprints = *pending;
    return record;
}

static void fetch(Fixture *f, const void *data)
{
    FingerprintSet old, now;
    (void)data;

    wait_ready(f, &f->a);
    tls_identities_signal(f->a.identities, &old);
    control_certificate_replace(f->a.certificate);
    RUN_UNTIL(&f->loop, f->a.changes == 2);
    tls_identities_signal(f->a.identities, &now);
    node_start(f, &f->b, "edge-2", KEY, 0);
    g_autoptr(RedisRecord) record = record_of(&old, &now);
    Fetched r = {.node = &f->b, .set = &old};
    g_assert_true(control_certificate_fetch(f->b.certificate, record, fetched_cb, &r));
    g_assert_false(r.done);
    RUN_UNTIL(&f->loop, r.done);
    g_assert_true(r.ok && r.there);
    g_assert_cmpuint(tls_identities_n(f->b.identities), ==, 0); /* nobody has kept them */
    wait_ready(f, &f->b);
    g_autoptr(RedisRecord) here = record_of(&now, &now);
    g_assert_false(control_certificate_fetch(f->b.certificate, here, fetched_cb, &r));
}

/* One that cannot be had does not keep the call from coming. */
static void fetch_unknown(Fixture *f, const void *data)
{
    FingerprintSet unknown = {1, {{FP_SHA256, {1, 2, 3}}}}, odd = {1, {{FP_SHA512, {1}}}};
    Fetched r = {.node = &f->a, .set = &unknown};
    (void)data;

    g_autoptr(RedisRecord) record = record_of(&unknown, &odd);
    g_assert_true(control_certificate_fetch(f->a.certificate, record, fetched_cb, &r));
    RUN_UNTIL(&f->loop, r.done);
    g_assert_true(r.ok && !r.there);
    assert_logged("The certificate sha-256 01:02:03:");
    g_autoptr(RedisRecord) without = record_of(&odd, &odd);
    g_assert_false(control_certificate_fetch(f->a.certificate, without, fetched_cb, &r));
}

static void fetch_away(Fixture *f, const void *data)
{
    FingerprintSet set = {1, {{FP_SHA256, {1, 2, 3}}}};
    Fetched r = {.node = &f->a, .set = &set};
    (void)data;

    test_redis_kill(f->redis);
    g_autoptr(RedisRecord) record = record_of(&set, &set);
    g_assert_true(control_certificate_fetch(f->a.certificate, record, fetched_cb, &r));
    RUN_UNTIL(&f->loop, r.done);
    g_assert_false(r.ok);
}

/* The program ends while things are under way: nobody is called. */
static void stop(Fixture *f, const void *data)
{
    FingerprintSet set = {2, {{FP_SHA256, {1}}, {FP_SHA256, {2}}}};
    Fetched r = {.node = &f->a, .set = &set};
    (void)data;

    g_autoptr(RedisRecord) record = record_of(&set, &set);
    g_assert_true(control_certificate_fetch(f->a.certificate, record, fetched_cb, &r));
    control_certificate_look(f->a.certificate);
    node_stop(&f->a);
    g_assert_false(r.done);
    control_certificate_free(NULL);
}

static void names(void)
{
    g_assert_cmpstr(control_certificate_state_name(CONTROL_CERTIFICATE_WAITING), ==, "waiting");
    g_assert_cmpstr(control_certificate_state_name(CONTROL_CERTIFICATE_READY), ==, "ready");
    g_assert_cmpstr(control_certificate_state_name(CONTROL_CERTIFICATE_FAILED), ==, "failed");
}

#define ADD(name, fn) g_test_add("/control/certificate/" name, Fixture, NULL, setup, fn, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    ADD("made-and-found", made_and_found);
    ADD("at-once", at_once);
    ADD("wrong-key", wrong_key);
    ADD("other-leaf", other_leaf);
    ADD("lost", lost);
    ADD("replaced", replaced);
    ADD("replaced-at-once", replaced_at_once);
    ADD("old-age", old_age);
    ADD("by-itself", by_itself);
    ADD("FPR-09/old-ones-live", old_ones_live);
    ADD("FPR-09/fetch", fetch);
    ADD("fetch-unknown", fetch_unknown);
    ADD("fetch-away", fetch_away);
    ADD("stop", stop);
    g_test_add_func("/control/certificate/names", names);
    return g_test_run();
}
