/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store-behind.h"

static RedisRecord *record(const char *call_id, uint64_t revision)
{
    RedisRecord *r = redis_record_new(call_id);

    r->revision = revision;
    return r;
}

static void put(StoreBehind *b, const char *call_id, uint64_t revision, uint64_t base)
{
    g_assert_true(store_behind_put(b, call_id, revision ? record(call_id, revision) : NULL, base));
}

static void keeps_the_last_write(void)
{
    StoreBehind *b = store_behind_new(10);

    put(b, "a", 6, 5);
    put(b, "b", 1, 0);
    put(b, "a", 7, 6);
    g_assert_cmpuint(store_behind_n(b), ==, 2);
    StoreBehindEntry *a = store_behind_next(b);
    g_assert_cmpstr(a->call_id, ==, "a");
    g_assert_cmpuint(a->base, ==, 5);
    g_assert_cmpuint(a->record->revision, ==, 7);
    StoreBehindEntry *other = store_behind_next(b);
    g_assert_cmpstr(other->call_id, ==, "b");
    g_assert_null(store_behind_next(b));
    store_behind_sent(b, a);
    g_assert_null(store_behind_find(b, "a"));
    store_behind_drop(b, other);
    g_assert_cmpuint(store_behind_n(b), ==, 0);
    store_behind_free(b);
}

static void written_while_it_is_sent(void)
{
    StoreBehind *b = store_behind_new(10);

    put(b, "a", 6, 5);
    StoreBehindEntry *a = store_behind_next(b);
    put(b, "a", 7, 6);
    g_assert_null(store_behind_next(b)); /* one write of a call at a time */
    store_behind_sent(b, a);
    g_assert_true(store_behind_next(b) == a);
    g_assert_cmpuint(a->base, ==, 6);
    g_assert_cmpuint(a->record->revision, ==, 7);
    put(b, "a", 0, 7); /* deleted */
    store_behind_back(b, a, 6);
    g_assert_true(store_behind_next(b) == a);
    g_assert_null(a->record);
    store_behind_sent(b, a);
    g_assert_cmpuint(store_behind_n(b), ==, 0);
    store_behind_free(b);
}

static void goes_beyond_what_is_there(void)
{
    StoreBehind *b = store_behind_new(10);

    put(b, "a", 6, 5);
    StoreBehindEntry *a = store_behind_next(b);
    store_behind_back(b, a, 6);
    g_assert_true(store_behind_next(b) == a);
    g_assert_cmpuint(a->base, ==, 6);
    g_assert_cmpuint(a->record->revision, ==, 7);
    store_behind_back(b, a, 0);
    g_assert_cmpuint(a->record->revision, ==, 7);
    store_behind_free(b);
}

static void bounded(void)
{
    StoreBehind *b = store_behind_new(2);

    put(b, "a", 1, 0);
    put(b, "b", 1, 0);
    g_assert_false(store_behind_put(b, "c", record("c", 1), 0));
    put(b, "b", 2, 1);
    g_assert_cmpuint(store_behind_n(b), ==, 2);
    store_behind_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/behind/keeps-the-last-write", keeps_the_last_write);
    g_test_add_func("/store/behind/written-while-it-is-sent", written_while_it_is_sent);
    g_test_add_func("/store/behind/goes-beyond-what-is-there", goes_beyond_what_is_there);
    g_test_add_func("/store/behind/bounded", bounded);
    return g_test_run();
}
