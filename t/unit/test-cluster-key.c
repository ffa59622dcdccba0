/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "plugin/cluster-key.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

#define KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static char *dir;

static char *path_of(const char *name)
{
    return g_build_filename(dir, name, NULL);
}

static char *write_key(const char *name, const char *text, unsigned mode)
{
    char *path = path_of(name);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
    g_assert_cmpint(g_chmod(path, (int)mode), ==, 0);
    return path;
}

static void test_good(void)
{
    static const unsigned modes[] = {0600, 0400, 0700};

    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autofree char *path = write_key("good", KEY "\n", modes[i]);
        g_autoptr(GError) error = NULL;
        g_autoptr(TlsSealKey) key = cluster_key_load(path, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(strlen(tls_seal_key_id(key)), ==, 16);
        g_unlink(path);
    }
}

static void assert_refused(const char *path, const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(cluster_key_load(path, &error));
    g_assert_nonnull(error);
    g_autofree char *start = g_strdup_printf("--cluster-key=%s: ", path);
    g_assert_true(g_str_has_prefix(error->message, start));
    g_assert_nonnull(strstr(error->message, message));
    g_assert_null(strchr(error->message, '\n'));
    g_assert_null(strstr(error->message, "1a1b1c"));
}

static void test_modes(void)
{
    static const unsigned modes[] = {0640, 0604, 0660, 0602, 0611, 0644};

    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autofree char *path = write_key("open", KEY "\n", modes[i]);
        g_autofree char *message = g_strdup_printf("its mode is 0%o, so others may read", modes[i]);
        assert_refused(path, message);
        g_unlink(path);
    }
}

static void test_contents(void)
{
    static const char *const texts[] = {"", "\n", "secret", KEY KEY, KEY "\n\n" KEY "\n"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *path = write_key("bad", texts[i], 0600);
        assert_refused(path, "a key is 64 hexadecimal digits");
        g_unlink(path);
    }
}

static void test_no_file(void)
{
    g_autofree char *absent = path_of("absent");
    g_autofree char *fifo = path_of("fifo");

    assert_refused(absent, "No such file");
    assert_refused(dir, "this is no file");
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    assert_refused(fifo, "this is no file");
    g_unlink(fifo);
}

/* What it needs, and what excludes it. */
static void test_check(void)
{
    static const struct {
        const char *options[4];
        const char *message; /* NULL: all is well */
    } cases[] = {
        {{NULL}, NULL},
        {{"--cluster-key=k", "--redis=127.0.0.1:6379/3", NULL}, NULL},
        {{"--cluster-key=k", NULL}, "--redis is not"},
        {{"--cluster-key=k", "--redis=127.0.0.1:6379/3", "--certificate=c", "--private-key=k"},
         "from Redis or from files"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *argv[9] = {"rtpengine-e2ae", "--config-file=none", "--interface=127.0.0.1",
                               "--listen-ng=127.0.0.1:10"};
        g_autoptr(GError) error = NULL;
        for (int k = 0; k < 4 && cases[i].options[k]; k++)
            argv[4 + k] = cases[i].options[k];
        g_autoptr(Config) c = config_new(argv, NULL, &error);
        g_assert_no_error(error);
        g_assert_true(cluster_key_check(c, &error) == !cases[i].message);
        if (cases[i].message)
            g_assert_nonnull(strstr(error->message, cases[i].message));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("e2ae-key-XXXXXX", NULL);
    g_test_add_func("/cluster-key/good", test_good);
    g_test_add_func("/cluster-key/modes", test_modes);
    g_test_add_func("/cluster-key/contents", test_contents);
    g_test_add_func("/cluster-key/no-file", test_no_file);
    g_test_add_func("/cluster-key/check", test_check);
    int status = g_test_run();
    g_rmdir(dir);
    g_free(dir);
    return status;
}
