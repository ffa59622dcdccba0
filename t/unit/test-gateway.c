/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control-test.h"
#include "plugin/gateway.h"

#include <glib/gstdio.h>

#define BASE "--config-file=none", "--rtpengine=127.0.0.1:9", "--listen-ng=127.0.0.1:10"

static Config *read_config(const char *const *more)
{
    const char *argv[16] = {"rtpengine-e2ae", BASE};
    g_autoptr(GError) error = NULL;

    for (int i = 0; more[i]; i++)
        argv[4 + i] = more[i];
    Config *config = config_new(argv, NULL, &error);
    g_assert_no_error(error);
    return config;
}

/* What cannot work is known at the start, by the name of the option. */
static void test_refuses(void)
{
    static const struct {
        const char *options[4];
        const char *message;
    } cases[] = {
        {{"--interface=access/192.0.2.77", NULL},
         "--interface=access/...: cannot bind 192.0.2.77:"},
        {{"--interface=127.0.0.1", "--certificate=/no/such/file", "--private-key=/no/such/file",
          NULL},
         "/no/such/file"},
        {{"--interface=127.0.0.1", "--tls-ciphersuites=NONSENSE", NULL}, "NONSENSE"},
        {{"--interface=127.0.0.1", "--redis=127.0.0.1:6379/0", NULL}, "--redis: Redis database 0"},
        {{"--interface=127.0.0.1", "--redis-user=x", NULL}, "need --redis"},
        {{"--interface=127.0.0.1", "--cluster-key=/no/such/file", NULL}, "--redis is not"},
        {{"--interface=127.0.0.1", "--cluster-key=/no/such/file", "--redis=127.0.0.1:9/3", NULL},
         "--cluster-key=/no/such/file: "},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Config) config = read_config(cases[i].options);
        g_autoptr(GError) error = NULL;
        uv_loop_t loop;
        uv_loop_init(&loop);
        g_assert_null(gateway_new(&loop, config, NULL, NULL, NULL, &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, cases[i].message));
        test_loop_end(&loop);
    }
}

/* A request with our key runs through; the log says which certificate is signalled. */
static void test_serves(void)
{
    static const char *const options[] = {"--interface=127.0.0.1", NULL};
    g_autoptr(Config) config = read_config(options);
    g_autoptr(GError) error = NULL;
    Addr any = test_any_port("127.0.0.1");
    uv_loop_t loop;

    uv_loop_init(&loop);
    TestSocket *proxy = test_socket_new(&loop, any);
    Gateway *g = gateway_new(&loop, config, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    assert_logged("Certificate fingerprint sha-256 ");
    ControlServer *server = control_server_new(&loop, NULL, gateway_handle, g);
    const Addr *at = control_server_listen(server, CONTROL_UDP, &any, false, &error);
    g_assert_no_error(error);
    test_socket_send(proxy, at, SPAN("1 {\"command\":\"e2ae list\"}"));
    RUN_UNTIL(&loop, proxy->got->len == 1);
    assert_span(test_socket_got(proxy, 0), "1 {\"result\":\"ok\",\"calls\":[]}");
    control_server_free(server);
    gateway_free(g);
    test_socket_free(&loop, proxy);
    test_loop_end(&loop);
}

/* A Redis that is not there keeps nobody from starting, serving what needs none, and stopping. */
static void test_redis_away(void)
{
    static const char *const options[] = {"--interface=127.0.0.1", "--redis=127.0.0.1:9/3",
                                          "--node-id=edge-1", NULL};
    g_autoptr(Config) config = read_config(options);
    g_autoptr(GError) error = NULL;
    Addr any = test_any_port("127.0.0.1");
    uv_loop_t loop;

    uv_loop_init(&loop);
    TestSocket *proxy = test_socket_new(&loop, any);
    Gateway *g = gateway_new(&loop, config, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    assert_logged(
        "Node edge-1 keeps its calls in Redis 127.0.0.1:9/3; without it offers are refused");
    assert_logged("No --certificate and no --cluster-key: ");
    ControlServer *server = control_server_new(&loop, NULL, gateway_handle, g);
    const Addr *at = control_server_listen(server, CONTROL_UDP, &any, false, &error);
    g_assert_no_error(error);
    test_socket_send(proxy, at, SPAN("1 {\"command\":\"e2ae query\",\"call-id\":\"x\"}"));
    RUN_UNTIL(&loop, proxy->got->len == 1);
    assert_span(test_socket_got(proxy, 0),
                "1 {\"result\":\"error\",\"error-reason\":\"Unknown call-id\"}");
    control_server_free(server);
    gateway_free(g);
    test_socket_free(&loop, proxy);
    test_loop_end(&loop);
}

/* Until Redis gives a certificate there is none, and an offer with our key is not served. */
static void test_cluster_key(void)
{
    g_autofree char *dir = g_dir_make_tmp("e2ae-gateway-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "key", NULL);
    g_autofree char *key = g_strnfill(64, 'a');
    g_autofree char *option = g_strconcat("--cluster-key=", path, NULL);
    const char *const options[] = {"--interface=127.0.0.1", "--redis=127.0.0.1:9/3",
                                   "--node-id=edge-1", option, NULL};
    g_autoptr(GError) error = NULL;
    uv_loop_t loop;

    g_assert_true(g_file_set_contents(path, key, -1, NULL));
    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
    g_autoptr(Config) config = read_config(options);
    uv_loop_init(&loop);
    Gateway *g = gateway_new(&loop, config, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    assert_logged("The certificate is that of the group in Redis, sealed with the key \"");
    gateway_reload(g);
    assert_logged("SIGHUP: the group gets another certificate");
    gateway_free(g);
    test_loop_end(&loop);
    g_unlink(path);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void copy_pair(const char *name, const char *cert, const char *key)
{
    const char *const to[] = {cert, key};

    for (int i = 0; i < 2; i++) {
        g_autofree char *file = g_strconcat(name, i ? ".key" : ".pem", NULL);
        g_autofree char *from = g_test_build_filename(G_TEST_DIST, "t", "certs", file, NULL);
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;
        g_file_get_contents(from, &text, NULL, &error);
        g_assert_no_error(error);
        g_file_set_contents(to[i], text, -1, &error);
        g_assert_no_error(error);
    }
}

/* What SIGHUP does: other files are taken, bad ones and the same ones change nothing. */
static void test_reload(void)
{
    g_autofree char *dir = g_dir_make_tmp("e2ae-gateway-XXXXXX", NULL);
    g_autofree char *cert = g_build_filename(dir, "cert.pem", NULL);
    g_autofree char *key = g_build_filename(dir, "key.pem", NULL);
    g_autofree char *cert_option = g_strconcat("--certificate=", cert, NULL);
    g_autofree char *key_option = g_strconcat("--private-key=", key, NULL);
    const char *const options[] = {"--interface=127.0.0.1", cert_option, key_option, NULL};
    g_autoptr(GError) error = NULL;
    uv_loop_t loop;

    copy_pair("agw-rsa", cert, key);
    g_autoptr(Config) config = read_config(options);
    uv_loop_init(&loop);
    Gateway *g = gateway_new(&loop, config, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    gateway_reload(g);
    assert_logged("SIGHUP: the certificate has not changed");
    copy_pair("agw-ecdsa", cert, key);
    g_unlink(key);
    gateway_reload(g);
    assert_logged("SIGHUP: the certificate stays as it was: ");
    copy_pair("agw-ecdsa", cert, key);
    gateway_reload(g);
    assert_logged("SIGHUP: new streams present another certificate; those that are up keep theirs");
    gateway_free(g);
    test_loop_end(&loop);
    g_unlink(cert);
    g_unlink(key);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void test_reload_nothing(void)
{
    static const char *const options[] = {"--interface=127.0.0.1", NULL};
    g_autoptr(Config) config = read_config(options);
    g_autoptr(GError) error = NULL;
    uv_loop_t loop;

    uv_loop_init(&loop);
    Gateway *g = gateway_new(&loop, config, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    gateway_reload(g);
    assert_logged("SIGHUP: there is nothing to reload");
    gateway_free(g);
    test_loop_end(&loop);
}

static void test_free_nothing(void)
{
    gateway_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    g_test_add_func("/gateway/refuses", test_refuses);
    g_test_add_func("/gateway/serves", test_serves);
    g_test_add_func("/gateway/redis-away", test_redis_away);
    g_test_add_func("/gateway/cluster-key", test_cluster_key);
    g_test_add_func("/gateway/reload", test_reload);
    g_test_add_func("/gateway/reload-nothing", test_reload_nothing);
    g_test_add_func("/gateway/free-nothing", test_free_nothing);
    return g_test_run();
}
