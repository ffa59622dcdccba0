/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/store-target.h"

#include "store/store.h"

static void parses(void)
{
    static const struct {
        const char *text, *server, *password;
    } rows[] = {
        {"192.0.2.1:6379/3", "192.0.2.1:6379/3", NULL},
        {"[2001:db8::1]:6380/15", "[2001:db8::1]:6380/15", NULL},
        {"secret@192.0.2.1:6379/3", "192.0.2.1:6379/3", "secret"},
        {"p@ss/w@192.0.2.1:6379/3", "192.0.2.1:6379/3", "p@ss/w"},
        {"@192.0.2.1:6379/3", "192.0.2.1:6379/3", ""},
        {"/run/redis/redis.sock/4", "/run/redis/redis.sock/4", NULL},
        {"secret@/run/redis/redis.sock/4", "/run/redis/redis.sock/4", "secret"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        StoreTarget t;
        g_autoptr(GError) error = NULL;
        store_target_init(&t);
        g_assert_true(store_target_parse(&t, rows[i].text, &error));
        g_assert_true(store_target_check(&t, NULL, &error));
        g_autofree char *text = store_target_text(&t);
        g_assert_cmpstr(text, ==, rows[i].server);
        g_assert_cmpstr(t.password, ==, rows[i].password);
        store_target_clear(&t);
    }
}

static void refuses(void)
{
    static const char *const rows[] = {
        "",
        "192.0.2.1:6379",
        "192.0.2.1:6379/",
        "192.0.2.1:6379/x",
        "192.0.2.1:6379/-1",
        "192.0.2.1:6379/65536",
        "192.0.2.1/3",
        "redis.example.net:6379/3",
        "hunter2@redis.example.net:6379/3",
        "hunter2@192.0.2.1:6379",
        "/a-path-that-is-longer-than-a-unix-socket-can-have/"
        "0123456789012345678901234567890123456789"
        "012345678901234567890123456789/3",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        StoreTarget t;
        g_autoptr(GError) error = NULL;
        store_target_init(&t);
        g_assert_false(store_target_parse(&t, rows[i], &error));
        g_assert_error(error, STORE_ERROR, STORE_ERROR_CONFIG);
        g_assert_null(strstr(error->message, "hunter2"));
        store_target_clear(&t);
    }
}

static void sentinels(void)
{
    StoreTarget t;
    g_autoptr(GError) error = NULL;

    store_target_init(&t);
    g_assert_true(store_target_parse(&t, "secret@/5", &error));
    g_assert_false(store_target_check(&t, NULL, NULL));
    g_assert_true(store_target_parse_sentinels(&t, "192.0.2.1:26379, [2001:db8::1]:26379",
                                               "mymaster", &error));
    g_assert_no_error(error);
    g_assert_cmpuint(t.n_sentinels, ==, 2);
    g_assert_cmpuint(t.sentinels[1].family, ==, ADDR_IP6);
    g_assert_true(store_target_check(&t, NULL, &error));
    g_autofree char *text = store_target_text(&t);
    g_assert_cmpstr(text, ==, "master mymaster/5");
    g_assert_false(store_target_parse_sentinels(&t, "", "m", NULL));
    g_assert_false(store_target_parse_sentinels(&t, "192.0.2.1", "m", NULL));
    g_assert_false(store_target_parse_sentinels(&t, "192.0.2.1:1,,192.0.2.2:1", "m", NULL));
    g_assert_false(store_target_parse_sentinels(&t, "192.0.2.1:1", NULL, NULL));
    g_assert_false(store_target_parse_sentinels(
        &t,
        "1.1.1.1:1,1.1.1.1:2,1.1.1.1:3,1.1.1.1:4,1.1.1.1:5,1.1.1.1:6,1.1.1.1:7,1.1.1.1:8,"
        "1.1.1.1:9,1.1.1.1:10,1.1.1.1:11,1.1.1.1:12,1.1.1.1:13,1.1.1.1:14,1.1.1.1:15,1.1.1.1:16,"
        "1.1.1.1:17",
        "m", NULL));
    store_target_clear(&t);
}

static void databases(void)
{
    static const struct {
        const char *ours, *rtpengine;
        bool ok;
    } rows[] = {
        {"192.0.2.1:6379/0", NULL, false},
        {"/run/redis.sock/0", NULL, false},
        {"192.0.2.1:6379/3", "192.0.2.1:6379/3", false},
        {"192.0.2.1:6379/3", "pw@192.0.2.1:6379/3", false},
        {"192.0.2.1:6379/3", "192.0.2.1:6379/4", true},
        {"192.0.2.1:6379/3", "192.0.2.2:6379/3", true},
        {"192.0.2.1:6379/3", "192.0.2.1:6380/3", true},
        {"/run/redis.sock/3", "127.0.0.1:6379/3", false}, /* may well be the same server */
        {"/run/redis.sock/4", "127.0.0.1:6379/3", true},
        {"192.0.2.1:6379/3", "nonsense", false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        StoreTarget t;
        g_autoptr(GError) error = NULL;
        store_target_init(&t);
        g_assert_true(store_target_parse(&t, rows[i].ours, NULL));
        g_assert_cmpint(store_target_check(&t, rows[i].rtpengine, &error), ==, rows[i].ok);
        g_assert_cmpint(error == NULL, ==, rows[i].ok);
        store_target_clear(&t);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/target/parses", parses);
    g_test_add_func("/store/target/refuses", refuses);
    g_test_add_func("/store/target/sentinels", sentinels);
    g_test_add_func("/store/target/databases", databases);
    return g_test_run();
}
