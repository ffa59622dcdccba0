/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "plugin/config.h"

#include <glib/gstdio.h>

#define NO_FILE "/nonexistent/rtpengine-e2ae.conf"
#define BASE    "rtpengine-e2ae", "--interface=192.0.2.1", "--listen-ng=127.0.0.1:2223"

static Config *load(const char *const *argv, const char *file, GError **error)
{
    return config_new(argv, file, error);
}

/* A file with @text that is the default file; gone when the caller is done with it. */
static char *write_file(const char *text)
{
    g_autoptr(GError) error = NULL;
    char *name = NULL;
    int fd = g_file_open_tmp("e2ae-config-XXXXXX", &name, &error);

    g_assert_no_error(error);
    g_assert_true(g_close(fd, NULL));
    g_assert_true(g_file_set_contents(name, text, -1, NULL));
    return name;
}

static void drop_file(char *name)
{
    g_assert_cmpint(g_unlink(name), ==, 0);
    g_free(name);
}

static void test_defaults(void)
{
    const char *const argv[] = {BASE, NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) c = load(argv, NO_FILE, &error);

    g_assert_no_error(error);
    g_assert_cmpint(c->rtpengine.family, ==, ADDR_NONE);
    g_assert_cmpuint(c->rtpengine_timeout_ms, ==, 900);
    g_assert_cmpuint(c->port_min, ==, 50000);
    g_assert_cmpuint(c->port_max, ==, 59999);
    g_assert_cmpint(c->max_sessions, ==, -1);
    g_assert_cmpuint(c->num_threads, ==, g_get_num_processors());
    g_assert_cmpuint(c->delete_delay_s, ==, 30);
    g_assert_cmpint(c->fingerprint_hash, ==, FP_SHA256);
    g_assert_cmpuint(c->certificates->len, ==, 0);
    g_assert_cmpuint(c->dtls_mtu, ==, 1200);
    g_assert_cmpuint(c->limits.handshake_ms, ==, 10000);
    g_assert_cmpuint(c->limits.connect_ms, ==, 10000);
    g_assert_cmpuint(c->limits.accept_ms, ==, 30000);
    g_assert_cmpuint(c->limits.fingerprint_unknown_ms, ==, 30000);
    g_assert_cmpuint(c->limits.drain_ms, ==, 5000);
    g_assert_cmpuint(c->limits.idle_ms, ==, 0);
    g_assert_cmpuint(c->limits.peek_ms, ==, 300);
    g_assert_cmpuint(c->limits.max_failures, ==, 5);
    g_assert_cmpuint(c->limits.max_handshakes, ==, 2);
    g_assert_cmpuint(c->limits.buffer, ==, 65536);
    g_assert_cmpint(c->log_level, ==, 6);
    g_assert_cmpstr(c->log_facility, ==, "daemon");
    g_assert_cmpstr(c->log_name, ==, "rtpengine-e2ae");
    g_assert_null(c->pidfile);
    g_assert_null(c->redis);
    g_assert_false(c->redis_degrade);
    g_assert_cmpuint(c->redis_connect_ms, ==, 1000);
    g_assert_cmpuint(c->redis_command_ms, ==, 500);
    g_assert_null(c->tls_ciphers);
    g_assert_false(c->foreground || c->log_stderr || c->tls_legacy_rsa_cbc || c->show_version);
}

static void assert_interface(const Config *c, guint i, const char *name, const char *address,
                             const char *advertised)
{
    const ConfigInterface *f = &g_array_index(c->interfaces, ConfigInterface, i);
    char text[ADDR_TEXT_MAX];

    g_assert_cmpstr(f->name, ==, name);
    g_assert_cmpstr(addr_ip_text(&f->address, text), ==, address);
    g_assert_cmpstr(addr_ip_text(&f->advertised, text), ==, advertised);
}

static void assert_listener(const GArray *list, guint i, const char *address, bool optional)
{
    const ConfigListener *l = &g_array_index(list, ConfigListener, i);
    char text[ADDR_TEXT_MAX];

    g_assert_cmpstr(addr_text(&l->addr, text), ==, address);
    g_assert_cmpint(l->optional, ==, optional);
}

static void assert_full(const Config *c)
{
    g_assert_cmpuint(c->interfaces->len, ==, 3);
    assert_interface(c, 0, "default", "192.0.2.1", "192.0.2.1");
    assert_interface(c, 1, "access", "10.0.0.1", "198.51.100.7");
    assert_interface(c, 2, "access", "2001:db8::1", "2001:db8::2");
    g_assert_cmpuint(c->listen_ng->len, ==, 3);
    assert_listener(c->listen_ng, 0, "127.0.0.1:2223", false);
    assert_listener(c->listen_ng, 1, "0.0.0.0:22222", false);
    assert_listener(c->listen_ng, 2, "[::]:22222", true);
    g_assert_cmpuint(c->listen_tcp_ng->len, ==, 1);
    assert_listener(c->listen_tcp_ng, 0, "[::1]:2223", false);
    g_assert_cmpuint(c->certificates->len, ==, 2);
    g_assert_cmpstr(c->certificates->pdata[1], ==, "/b.pem");
    g_assert_cmpstr(c->private_keys->pdata[0], ==, "/a.key");
    g_assert_cmpuint(c->rtpengine.port, ==, 2224);
    g_assert_cmpint(c->max_sessions, ==, 7);
    g_assert_cmpint(c->fingerprint_hash, ==, FP_SHA512);
    g_assert_cmpuint(c->limits.buffer, ==, 8192);
    g_assert_true(c->foreground);
    g_assert_false(c->log_stderr);
    g_assert_cmpstr(c->log_facility, ==, "local3");
    g_assert_cmpstr(c->tls_ciphers, ==, "HIGH");
}

static void test_command_line(void)
{
    const char *const argv[] = {"rtpengine-e2ae",
                                "--interface=192.0.2.1",
                                "-i",
                                "access/10.0.0.1!198.51.100.7",
                                "--interface",
                                "access/[2001:db8::1]!2001:db8::2",
                                "-n",
                                "127.0.0.1:2223",
                                "--listen-ng=22222",
                                "--listen-tcp-ng=[::1]:2223",
                                "--certificate=/a.pem",
                                "--private-key=/a.key",
                                "--certificate=/b.pem",
                                "--private-key=/b.key",
                                "--rtpengine=127.0.0.1:2224",
                                "--max-sessions=9",
                                "--max-sessions=7",
                                "--fingerprint-hash=SHA-512",
                                "--stream-buffer=8192",
                                "-f",
                                "--log-facility=local3",
                                "--tls-ciphers=HIGH",
                                NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) c = load(argv, NO_FILE, &error);

    g_assert_no_error(error);
    assert_full(c);
}

#define FILE_HEAD "[rtpengine-e2ae]\ninterface = 192.0.2.1\nlisten-ng=127.0.0.1:2223\n"

static void test_file(void)
{
    char *file = write_file(
        "# comment\n[rtpengine-e2ae]\n"
        "interface = 192.0.2.1; access/10.0.0.1!198.51.100.7 ;access/2001:db8::1!2001:db8::2;\n"
        "listen-ng=127.0.0.1:2223;22222\nlisten-tcp-ng=[::1]:2223\n"
        "certificate=/a.pem;/b.pem\nprivate-key=/a.key;/b.key\nrtpengine=127.0.0.1:2224\n"
        "max-sessions=7\nfingerprint-hash=sha-512\nstream-buffer=8192\nforeground=true\n"
        "log-stderr=false\nlog-facility=local3\ntls-ciphers=HIGH\n[other]\nwhatever=1\n");
    const char *const argv[] = {"rtpengine-e2ae", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) c = load(argv, file, &error);

    g_assert_no_error(error);
    assert_full(c);
    drop_file(file);
}

/* A list on the command line replaces the list of the file, it does not extend it. */
static void test_command_line_wins(void)
{
    char *file = write_file(FILE_HEAD "log-level=3\nport-min=40000\nforeground=true\n");
    g_autofree char *option = g_strconcat("--config-file=", file, NULL);
    const char *const argv[] = {"rtpengine-e2ae", option, "--interface=x/192.0.2.9",
                                "--log-level=7", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) c = load(argv, NO_FILE, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(c->interfaces->len, ==, 1);
    assert_interface(c, 0, "x", "192.0.2.9", "192.0.2.9");
    g_assert_cmpint(c->log_level, ==, 7);
    g_assert_cmpuint(c->port_min, ==, 40000);
    g_assert_true(c->foreground);
    drop_file(file);
}

static void test_section(void)
{
    char *file = write_file("[rtpengine-e2ae]\nbad=1\n[b]\ninterface=192.0.2.2\nlisten-ng=2223\n");
    const char *const argv[] = {"rtpengine-e2ae", "--config-section=b", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) c = load(argv, file, &error);

    g_assert_no_error(error);
    assert_interface(c, 0, "default", "192.0.2.2", "192.0.2.2");
    drop_file(file);
}

static void test_no_file(void)
{
    char *file = write_file("[rtpengine-e2ae]\nbad=1\n");
    const char *const argv[] = {BASE, "--config-file=none", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) c = load(argv, file, &error);

    g_assert_no_error(error);
    g_assert_nonnull(c);
    drop_file(file);
}

static void test_version(void)
{
    const char *const argv[] = {"rtpengine-e2ae", "-v", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) c = load(argv, NO_FILE, &error);

    g_assert_no_error(error);
    g_assert_true(c->show_version);
}

/* Every message names the option, the value and what is allowed. */
static void test_bad_options(void)
{
    static const struct {
        const char *option;
        const char *says;
    } cases[] = {
        {"--port-min=0", "--port-min=\"0\": allowed is a whole number from 1 to 65535"},
        {"--port-min=x", "--port-min=\"x\": allowed is a whole number from 1 to 65535"},
        {"--port-min=-1", "--port-min=\"-1\": allowed is a whole number from 1 to 65535"},
        {"--port-max=65536", "--port-max=\"65536\": allowed is a whole number from 1 to 65535"},
        {"--port-max=+1", "--port-max=\"+1\": allowed is"},
        {"--port-max=1", "--port-min=50000 is above --port-max=1"},
        {"--max-sessions=-2", "--max-sessions=\"-2\": allowed is a whole number from -1 to"},
        {"--max-sessions=99999999999999999999", "allowed is a whole number from -1 to"},
        {"--dtls-mtu=2049", "--dtls-mtu=\"2049\": allowed is a whole number from 256 to 2048"},
        {"--max-handshakes=9", "--max-handshakes=\"9\": allowed is a whole number from 1 to 8"},
        {"--max-handshakes=0", "--max-handshakes=\"0\": allowed is a whole number from 1 to 8"},
        {"--stream-buffer=65537", "allowed is a whole number from 4096 to 65536"},
        {"--log-level=8", "--log-level=\"8\": allowed is a whole number from 0 to 7"},
        {"--log-facility=kern", "--log-facility=\"kern\": allowed is a syslog facility"},
        {"--interface=", "--interface=\"\": allowed is [NAME/]ADDRESS"},
        {"--interface=eth0", "--interface=\"eth0\": allowed is [NAME/]ADDRESS"},
        {"--interface=/192.0.2.1", "allowed is [NAME/]ADDRESS"},
        {"--interface=0.0.0.0", "no wildcard"},
        {"--interface=192.0.2.1!", "allowed is [NAME/]ADDRESS"},
        {"--interface=192.0.2.1!::1", "literal addresses of one family"},
        {"--interface=a/b/192.0.2.1", "allowed is [NAME/]ADDRESS"},
        {"--listen-ng=0", "--listen-ng=\"0\": allowed is ADDRESS:PORT"},
        {"--listen-ng=localhost:2223", "--listen-ng=\"localhost:2223\": allowed is ADDRESS:PORT"},
        {"--listen-tcp-ng=::1:2223", "--listen-tcp-ng=\"::1:2223\": allowed is ADDRESS:PORT"},
        {"--rtpengine=0.0.0.0:2223", "--rtpengine=\"0.0.0.0:2223\": allowed is ADDRESS:PORT"},
        {"--rtpengine=127.0.0.1:2223", "--rtpengine=127.0.0.1:2223 is our own --listen-ng"},
        {"--fingerprint-hash=sha-1", "--fingerprint-hash=\"sha-1\": allowed is sha-256, sha-384"},
        {"--certificate=/a.pem", "1 of --certificate and 0 of --private-key"},
        {"--redis=", "--redis=\"\": allowed is [PASSWORD@]ADDRESS:PORT/DB"},
        {"--redis-mode=maybe", "--redis-mode=\"maybe\": allowed is refuse or degrade"},
        {"--redis-command-timeout=1", "allowed is a whole number from 50 to 60000"},
        {"--node-id=a/b", "--node-id=\"a/b\": allowed is 1 to 64 letters, digits"},
        {"--pidfile=", "--pidfile=\"\": allowed is a path"},
        {"--config-file=" NO_FILE, NO_FILE ": cannot read the configuration"},
        {"--no-such-option", "Unknown option --no-such-option (see --help)"},
        {"--port-min", "Missing argument for --port-min"},
        {"stray\n", "Unexpected argument \"stray\\x0a\""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *const argv[] = {BASE, cases[i].option, NULL};
        g_autoptr(GError) error = NULL;
        g_assert_null(load(argv, NO_FILE, &error));
        g_test_message("%s -> %s", cases[i].option, error->message);
        g_assert_nonnull(strstr(error->message, cases[i].says));
        g_assert_null(strchr(error->message, '\n'));
    }
}

static void test_missing_options(void)
{
    const char *const no_interface[] = {"x", "--listen-ng=2223", NULL};
    const char *const no_listener[] = {"x", "--interface=192.0.2.1", NULL};
    g_autoptr(GError) error = NULL;

    g_assert_null(load(no_interface, NO_FILE, &error));
    g_assert_nonnull(strstr(error->message, "No --interface"));
    g_clear_error(&error);
    g_assert_null(load(no_listener, NO_FILE, &error));
    g_assert_nonnull(strstr(error->message, "No --listen-ng"));
}

/* Every message names the file, the section and the key. */
static void test_bad_files(void)
{
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {FILE_HEAD "prot-min=1\n", ": [rtpengine-e2ae] unknown key \"prot-min\""},
        {FILE_HEAD "config-file=x\n", "unknown key \"config-file\""},
        {FILE_HEAD "version=true\n", "unknown key \"version\""},
        {FILE_HEAD "port-min=1;2\n",
         ": [rtpengine-e2ae] port-min=\"1;2\": allowed is a whole number from 1 to 65535"},
        {FILE_HEAD "foreground=maybe\n", "foreground=\"maybe\": allowed is true or false"},
        {FILE_HEAD "listen-tcp-ng=127.0.0.1:1;;\n", "listen-tcp-ng=\"\": allowed is ADDRESS:PORT"},
        {FILE_HEAD "log-name=a\\qb\n", "[rtpengine-e2ae] log-name: "},
        {"[other]\nport-min=1\n", ": there is no section [rtpengine-e2ae]"},
        {"port-min=1\n", ": cannot read the configuration: "},
    };
    const char *const argv[] = {"rtpengine-e2ae", NULL};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *file = write_file(cases[i].text);
        g_autoptr(GError) error = NULL;
        g_assert_null(load(argv, file, &error));
        g_test_message("%s", error->message);
        g_assert_true(g_str_has_prefix(error->message, file));
        g_assert_nonnull(strstr(error->message, cases[i].says));
        g_assert_cmpint(error->code, ==, CONFIG_ERROR_FILE);
        drop_file(file);
    }
}

/* Requests to a loopback rtpengine would come back in through a wildcard listener with that port.
 */
static void test_circle(void)
{
    const char *const bad[] = {"x", "--interface=192.0.2.1", "--listen-ng=2223",
                               "--rtpengine=[::1]:2223", NULL};
    const char *const good[] = {"x", "--interface=192.0.2.1", "--listen-ng=2223",
                                "--rtpengine=192.0.2.77:2223", NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) c = load(good, NO_FILE, &error);

    g_assert_no_error(error);
    g_assert_nonnull(c);
    g_assert_null(load(bad, NO_FILE, &error));
    g_assert_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION);
}

static void test_help(void)
{
    if (g_test_subprocess()) {
        const char *const argv[] = {"rtpengine-e2ae", "--help", NULL};
        g_autoptr(Config) c = load(argv, NO_FILE, NULL);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stdout("*--interface=?NAME/?ADDR?!ADVERTISED?*");
    g_test_trap_assert_stdout("*--port-min=PORT*(default 50000)*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/config/defaults", test_defaults);
    g_test_add_func("/config/command-line", test_command_line);
    g_test_add_func("/config/file", test_file);
    g_test_add_func("/config/command-line-wins", test_command_line_wins);
    g_test_add_func("/config/section", test_section);
    g_test_add_func("/config/no-file", test_no_file);
    g_test_add_func("/config/version", test_version);
    g_test_add_func("/config/bad-options", test_bad_options);
    g_test_add_func("/config/missing-options", test_missing_options);
    g_test_add_func("/config/bad-files", test_bad_files);
    g_test_add_func("/config/circle", test_circle);
    g_test_add_func("/config/help", test_help);
    return g_test_run();
}
