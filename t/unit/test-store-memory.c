/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store-fixture.h"

typedef struct Fixture {
    uv_loop_t loop;
    TestStore *t;
} Fixture;

static void setup(Fixture *f, const void *data)
{
    (void)data;
    uv_loop_init(&f->loop);
    f->t = test_store_memory(&f->loop, "edge-1");
}

static void teardown(Fixture *f, const void *data)
{
    (void)data;
    test_store_free(f->t);
    test_loop_end(&f->loop);
}

static void life_of_a_record(Fixture *f, const void *data)
{
    Store *s = f->t->store;
    g_auto(Answer) a = {0};
    (void)data;

    g_assert_cmpint(store_state(s), ==, STORE_READY);
    ASK(&f->loop, a, store_load, s, "c");
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    ASK(&f->loop, a, store_commit, s, test_record("c", 0));
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_cmpuint(a.revision, ==, 1);
    ASK(&f->loop, a, store_commit, s, test_record("c", 1));
    g_assert_cmpuint(a.revision, ==, 2);
    g_assert_null(a.record);
    ASK(&f->loop, a, store_load, s, "c");
    g_assert_cmpint(a.status, ==, STORE_OK);
    g_assert_cmpuint(a.revision, ==, 2);
    g_assert_cmpstr(a.record->owner, ==, "edge-1");
    g_assert_cmpuint(a.record->epoch, ==, store_epoch(s));
    g_assert_cmpuint(a.record->updated, >, 0);
    ASK(&f->loop, a, store_delete, s, "c");
    g_assert_cmpint(a.status, ==, STORE_OK);
    ASK(&f->loop, a, store_delete, s, "c");
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    g_assert_cmpstr(f->t->states->str, ==, "ready");
}

static void compares_revisions(Fixture *f, const void *data)
{
    Store *s = f->t->store;
    g_auto(Answer) a = {0};
    (void)data;

    ASK(&f->loop, a, store_commit, s, test_record("c", 3));
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    ASK(&f->loop, a, store_commit, s, test_record("c", 0));
    ASK(&f->loop, a, store_commit, s, test_record("c", 0));
    g_assert_cmpint(a.status, ==, STORE_CONFLICT);
    g_assert_cmpstr(a.owner, ==, "edge-1");
    g_assert_cmpuint(a.revision, ==, 1);
}

static void pages(Fixture *f, const void *data)
{
    Store *s = f->t->store;
    g_auto(Answer) a = {0};
    g_autofree char *last = NULL;
    unsigned seen = 0;
    (void)data;

    for (unsigned i = 0; i < 250; i++) {
        g_autofree char *id = g_strdup_printf("call-%03u", i);
        ASK(&f->loop, a, store_commit, s, test_record(id, 0));
    }
    do {
        ASK(&f->loop, a, store_list_node, s, "edge-1", last);
        g_assert_cmpuint(g_strv_length(a.calls), <=, STORE_PAGE);
        for (unsigned i = 0; a.calls[i]; i++, seen++) {
            g_assert_cmpint(g_strcmp0(a.calls[i], last), >, 0);
            g_free(last);
            last = g_strdup(a.calls[i]);
        }
    } while (a.calls[0]);
    g_assert_cmpuint(seen, ==, 250);
    ASK(&f->loop, a, store_list_node, s, "edge-2", NULL);
    g_assert_null(a.calls[0]);
}

static void alone(Fixture *f, const void *data)
{
    Store *s = f->t->store;
    g_auto(Answer) a = {0};
    (void)data;

    ASK(&f->loop, a, store_heartbeat, s);
    g_assert_true(a.found);
    ASK(&f->loop, a, store_nodes, s);
    g_assert_cmpstr(a.nodes, ==, "edge-1=udp:192.0.2.1:2223");
    ASK(&f->loop, a, store_claim, s, "c", "edge-2", 0);
    g_assert_cmpint(a.status, ==, STORE_NOT_FOUND);
    ASK(&f->loop, a, store_cert_load, s, NULL);
    g_assert_cmpint(a.status, ==, STORE_UNAVAILABLE);
    ASK(&f->loop, a, store_leave, s);
    g_assert_cmpint(a.status, ==, STORE_OK);
    store_publish(s, "{}");
}

static void too_large(Fixture *f, const void *data)
{
    g_auto(Answer) a = {0};
    RedisRecord *record = test_record("c", 0);
    (void)data;

    record->first_keys = g_strnfill(2 << 20, 'x');
    ASK(&f->loop, a, store_commit, f->t->store, record);
    g_assert_cmpint(a.status, ==, STORE_BAD);
}

static void again_cb(const StoreReply *reply, void *arg)
{
    Answer *a = arg;

    g_assert_cmpint(reply->status, ==, STORE_OK);
    a->revision++;
    if (a->revision < 100)
        store_load((Store *)a->sealed, "c", again_cb, a);
}

static void callbacks_may_call(Fixture *f, const void *data)
{
    Answer chain = {.sealed = (char *)f->t->store};
    g_auto(Answer) a = {0};
    (void)data;

    ASK(&f->loop, a, store_commit, f->t->store, test_record("c", 0));
    store_load(f->t->store, "c", again_cb, &chain);
    g_assert_cmpuint(chain.revision, ==, 0);
    RUN_UNTIL(&f->loop, chain.revision == 100);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(name, function) g_test_add(name, Fixture, NULL, setup, function, teardown)
    TEST("/store/memory/life-of-a-record", life_of_a_record);
    TEST("/store/memory/compares-revisions", compares_revisions);
    TEST("/store/memory/pages", pages);
    TEST("/store/memory/alone", alone);
    TEST("/store/memory/too-large", too_large);
    TEST("/store/memory/callbacks-may-call", callbacks_may_call);
    return g_test_run();
}
