/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plugin/config-redis.h"

#include <glib/gstdio.h>
#include <unistd.h>

#define BASE                                                                                       \
    "rtpengine-e2ae", "--interface=192.0.2.1", "--listen-ng=127.0.0.1:2223", "--config-file=none"

typedef const char *Options[5];

static Config *read_config(const Options options)
{
    const char *argv[12] = {BASE};
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; options[i]; i++)
        argv[4 + i] = options[i];
    Config *c = config_new(argv, NULL, &error);
    g_assert_no_error(error);
    return c;
}

static void test_full(void)
{
    const Options options = {"--redis=secret@127.0.0.1:6379/3", "--redis-user=edge",
                             "--redis-mode=degrade", "--redis-command-timeout=250", NULL};
    g_autoptr(Config) c = read_config(options);
    g_autoptr(GError) error = NULL;
    StoreTarget t;
    char text[ADDR_TEXT_MAX];

    store_target_init(&t);
    g_assert_true(config_redis_target(c, &t, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(addr_text(&t.addr, text), ==, "127.0.0.1:6379");
    g_assert_cmpuint(t.db, ==, 3);
    g_assert_cmpstr(t.password, ==, "secret");
    g_assert_cmpstr(t.user, ==, "edge");
    g_assert_true(t.degrade);
    g_assert_cmpuint(t.connect_ms, ==, 1000);
    g_assert_cmpuint(t.command_ms, ==, 250);
    store_target_clear(&t);
}

static void test_sentinel(void)
{
    const Options options = {"--redis=/4", "--redis-sentinel=192.0.2.1:26379, [2001:db8::1]:26379",
                             "--redis-master=e2ae", NULL};
    g_autoptr(Config) c = read_config(options);
    g_autoptr(GError) error = NULL;
    StoreTarget t;

    store_target_init(&t);
    g_assert_true(config_redis_target(c, &t, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(t.master, ==, "e2ae");
    g_assert_cmpuint(t.n_sentinels, ==, 2);
    g_assert_cmpuint(t.db, ==, 4);
    g_assert_false(t.degrade);
    store_target_clear(&t);
}

/* On the command line everybody can read it, so there are three ways, of which the options come first. */
static void test_password(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("e2ae-redis-XXXXXX", &path, &error);
    g_assert_no_error(error);
    g_assert_cmpint(write(fd, "of the file\r\nrest\n", 18), ==, 18);
    g_assert_true(g_close(fd, NULL));
    g_autofree char *file = g_strconcat("--redis-password-file=", path, NULL);
    const struct {
        Options options;
        const char *password;
    } cases[] = {
        {{"--redis=127.0.0.1:6379/3", NULL}, "of the environment"},
        {{"--redis=given@127.0.0.1:6379/3", NULL}, "given"},
        {{"--redis=127.0.0.1:6379/3", file, NULL}, "of the file"},
    };

    g_setenv(CONFIG_REDIS_PASSWORD, "of the environment", TRUE);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Config) c = read_config(cases[i].options);
        StoreTarget t;
        store_target_init(&t);
        g_assert_true(config_redis_target(c, &t, &error));
        g_assert_no_error(error);
        g_assert_cmpstr(t.password, ==, cases[i].password);
        store_target_clear(&t);
    }
    g_unsetenv(CONFIG_REDIS_PASSWORD);
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void test_refuses(void)
{
    static const struct {
        Options options;
        const char *says;
    } cases[] = {
        {{"--redis=127.0.0.1:6379/0"}, "--redis: Redis database 0 is not used"},
        {{"--redis=secret@127.0.0.1:6379"}, "--redis: no database number"},
        {{"--redis=secret@host:6379/1"}, "--redis: Redis address is neither ADDR:PORT nor a path"},
        {{"--redis=/1"}, "neither the address of a Redis server nor sentinels"},
        {{"--redis=127.0.0.1:6379/5", "--rtpengine-redis=127.0.0.1:6379/4",
          "--rtpengine-redis=x@127.0.0.1:6379/5"},
         "--rtpengine-redis: Redis database 5 is rtpengine's"},
        {{"--redis=127.0.0.1:6379/5", "--redis-master=a"}, "--redis-sentinel is not"},
        {{"--redis=/5", "--redis-sentinel=127.0.0.1:26379"}, "--redis-sentinel: the name of"},
        {{"--redis=/5", "--redis-sentinel=host:1", "--redis-master=a"},
         "--redis-sentinel: address"},
        {{"--redis=127.0.0.1:6379/5", "--redis-user=a"}, "--redis-user is given and no password"},
        {{"--redis=secret@127.0.0.1:6379/5", "--redis-password-file=/nonexistent/x"},
         "give it once"},
        {{"--redis=127.0.0.1:6379/5", "--redis-password-file=/nonexistent/x"},
         "--redis-password-file: Failed to open file"},
        {{"--redis=127.0.0.1:6379/5", "--redis-password-file=/dev/null"},
         "its first line is empty"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Config) c = read_config(cases[i].options);
        g_autoptr(GError) error = NULL;
        StoreTarget t;
        store_target_init(&t);
        g_assert_false(config_redis_target(c, &t, &error));
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].says));
        g_assert_null(strstr(error->message, "secret"));
        store_target_clear(&t);
    }
}

static void test_no_node_id(void)
{
    const Options options = {"--redis=127.0.0.1:6379/5", NULL};
    g_autoptr(Config) c = read_config(options);
    g_autoptr(GError) error = NULL;
    StoreTarget t;

    store_target_init(&t);
    g_clear_pointer(&c->node_id, g_free);
    g_assert_false(config_redis_target(c, &t, &error));
    g_assert_nonnull(strstr(error->message, "No --node-id"));
    store_target_clear(&t);
}

static void test_absent(void)
{
    static const Options nothing = {NULL};
    static const Options alone[] = {
        {"--redis-sentinel=127.0.0.1:26379"}, {"--redis-master=a"},     {"--redis-user=a"},
        {"--redis-password-file=/x"},         {"--redis-mode=degrade"},
    };
    g_autoptr(Config) none = read_config(nothing);
    g_autoptr(GError) error = NULL;

    g_assert_true(config_redis_absent(none, &error));
    g_assert_no_error(error);
    for (size_t i = 0; i < G_N_ELEMENTS(alone); i++) {
        g_autoptr(Config) c = read_config(alone[i]);
        g_assert_false(config_redis_absent(c, &error));
        g_assert_nonnull(strstr(error->message, "--redis"));
        g_clear_error(&error);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_unsetenv(CONFIG_REDIS_PASSWORD);
    g_test_add_func("/config/redis/full", test_full);
    g_test_add_func("/config/redis/sentinel", test_sentinel);
    g_test_add_func("/config/redis/password", test_password);
    g_test_add_func("/config/redis/refuses", test_refuses);
    g_test_add_func("/config/redis/no-node-id", test_no_node_id);
    g_test_add_func("/config/redis/absent", test_absent);
    return g_test_run();
}
