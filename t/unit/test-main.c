/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs the program itself: how it starts, what it says when it cannot, and how it ends. */
#include "config.h"

#include "base/addr.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PING "1 d7:command4:pinge"
#define PONG "1 d6:result4:ponge"

/* A UDP socket on a port of its own, and that address as text: a loopback address that no other
 * test takes ports of. */
static int bound_socket(char text[static ADDR_TEXT_MAX])
{
    struct sockaddr_storage sa;
    socklen_t len;
    Addr a = {.family = ADDR_IP4, .ip = {127, 0, 0, 77}};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    len = addr_to_sockaddr(&a, &sa);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&sa, len), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&sa, &len), ==, 0);
    g_assert_true(addr_from_sockaddr((struct sockaddr *)&sa, &a));
    addr_text(&a, text);
    return fd;
}

static void free_address(char text[static ADDR_TEXT_MAX])
{
    close(bound_socket(text));
}

static void ping(const char *address)
{
    struct sockaddr_storage sa;
    char buf[64];
    Addr a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_assert_true(addr_parse(span_str(address), &a));
    socklen_t len = addr_to_sockaddr(&a, &sa);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&sa, len), ==, 0);
    g_assert_cmpint(
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){10, 0}, sizeof(struct timeval)),
        ==, 0);
    g_assert_cmpint(send(fd, PING, strlen(PING), 0), ==, strlen(PING));
    ssize_t n = recv(fd, buf, sizeof buf, 0);
    g_assert_cmpint(n, ==, strlen(PONG));
    g_assert_true(memcmp(buf, PONG, (size_t)n) == 0);
    close(fd);
}

/* The program with options split at blanks, and no file but what they name. */
static char **command(const char *options)
{
    g_autofree char *program = g_test_build_filename(G_TEST_BUILT, "rtpengine-e2ae", NULL);
    g_autofree char *line = g_strdup_printf("%s --config-file=none %s", program, options);

    return g_strsplit(line, " ", -1);
}

static int run_to_end(const char *options, char **ret_stdout, char **ret_stderr)
{
    g_auto(GStrv) argv = command(options);
    g_autoptr(GError) error = NULL;
    int status = 0;

    g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, ret_stdout, ret_stderr, &status,
                 &error);
    g_assert_no_error(error);
    g_assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Fails with one line on stderr that begins with the program's name and says @says. */
static void assert_fails(const char *options, const char *says)
{
    g_autofree char *out = NULL, *err = NULL;

    g_assert_cmpint(run_to_end(options, &out, &err), ==, 1);
    g_test_message("%s", err);
    g_assert_cmpstr(out, ==, "");
    g_assert_true(g_str_has_prefix(err, "rtpengine-e2ae: "));
    g_assert_nonnull(strstr(err, says));
    g_assert_true(strchr(err, '\n') == err + strlen(err) - 1);
}

static void test_version(void)
{
    g_autofree char *out = NULL, *err = NULL;

    g_assert_cmpint(run_to_end("--version", &out, &err), ==, 0);
    g_assert_cmpstr(out, ==, PACKAGE_STRING "\n");
}

static void test_start_fails(void)
{
    char taken[ADDR_TEXT_MAX], at[ADDR_TEXT_MAX];
    int fd = bound_socket(taken);
    g_autofree char *pidfile = g_build_filename(g_get_tmp_dir(), "e2ae-must-not-be.pid", NULL);

    free_address(at);
    for (int daemon = 0; daemon < 2; daemon++) {
        const char *mode = daemon ? "-L 4" : "-f -E -L 4";
        const struct {
            char *options;
            const char *says;
        } cases[] = {
            {g_strdup_printf("%s --port-min=x", mode), "--port-min=\"x\": allowed is"},
            {g_strdup_printf("%s -i 127.0.0.1 -n %s -p %s", mode, taken, pidfile),
             "Cannot listen for ng by UDP at 127.0.0.77:"},
            {g_strdup_printf("%s -i 127.0.0.1 -n %s -n 192.0.2.1:1 -p %s", mode, at, pidfile),
             "no interface of this host has that address"},
            {g_strdup_printf("%s -i 127.0.0.1 -n %s --listen-tcp-ng=192.0.2.1:1", mode, at),
             "Cannot listen for ng by TCP at 192.0.2.1:1"},
            {g_strdup_printf("%s -i 127.0.0.1 -n %s -p /nonexistent/x.pid", mode, at),
             "--pidfile=/nonexistent/x.pid cannot be written: No such file or directory"},
            {g_strdup_printf("%s -i 127.0.0.1 -n %s --max-sessions=2000000000", mode, at),
             "--max-sessions=2000000000 needs 8000000256 open files and the limit is"},
        };
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
            assert_fails(cases[i].options, cases[i].says);
            g_free(cases[i].options);
        }
        g_assert_false(g_file_test(pidfile, G_FILE_TEST_EXISTS));
    }
    close(fd);
}

/* Reads stderr of the program up to a line with @text. */
static void wait_for_line(FILE *log, const char *text)
{
    char line[1024];

    while (fgets(line, sizeof line, log))
        if (strstr(line, text))
            return;
    g_error("the program ended without saying \"%s\"", text);
}

static void end(pid_t pid, int signum)
{
    int status = 0;

    g_assert_cmpint(kill(pid, signum), ==, 0);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

/* Where the service manager would listen; sets NOTIFY_SOCKET for the programs that are started. */
static int notify_socket(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, "notify", NULL);
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_strlcpy(sun.sun_path, path, sizeof sun.sun_path);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&sun, sizeof sun), ==, 0);
    g_setenv("NOTIFY_SOCKET", path, TRUE);
    return fd;
}

static void assert_notified(int fd, const char *state)
{
#ifdef HAVE_SYSTEMD
    char buf[64];
    ssize_t n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);

    g_assert_cmpint(n, ==, strlen(state));
    g_assert_true(memcmp(buf, state, (size_t)n) == 0);
#else
    (void)fd;
    (void)state;
#endif
}

static void test_foreground(void)
{
    char at[ADDR_TEXT_MAX];
    g_autofree char *dir = g_dir_make_tmp("e2ae-main-XXXXXX", NULL);
    g_autofree char *socket_path = g_build_filename(dir, "notify", NULL);
    int notified = notify_socket(dir), fd = -1;
    g_autoptr(GError) error = NULL;
    GPid pid;

    free_address(at);
    g_autofree char *options = g_strdup_printf("-f -E -L 5 -i 127.0.0.1 -n %s", at);
    g_auto(GStrv) argv = command(options);
    g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL,
                             NULL, &fd, &error);
    g_assert_no_error(error);
    FILE *log = fdopen(fd, "r");
    wait_for_line(log, "is ready");
    assert_notified(notified, "READY=1");
    ping(at);
    kill(pid, SIGUSR2);
    wait_for_line(log, "Log level is 6 now");
    kill(pid, SIGUSR1);
    wait_for_line(log, "Log level is 5 now");
    kill(pid, SIGHUP);
    wait_for_line(log, "SIGHUP: there is nothing to reload");
    ping(at);
    end(pid, SIGTERM);
    assert_notified(notified, "STOPPING=1");
    fclose(log);
    close(notified);
    g_unsetenv("NOTIFY_SOCKET");
    g_unlink(socket_path);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* When the command returns the daemon answers; its pidfile is right, and gone when it is. */
static void test_daemon(void)
{
    char at[ADDR_TEXT_MAX];
    g_autofree char *dir = g_dir_make_tmp("e2ae-main-XXXXXX", NULL);
    g_autofree char *pidfile = g_build_filename(dir, "pid", NULL);
    g_autofree char *out = NULL, *err = NULL, *text = NULL;

    free_address(at);
    g_assert_cmpint(prctl(PR_SET_CHILD_SUBREAPER, 1), ==, 0); /* so that it becomes our child */
    g_autofree char *options = g_strdup_printf("-i 127.0.0.1 -n %s -p %s", at, pidfile);
    g_assert_cmpint(run_to_end(options, &out, &err), ==, 0);
    g_assert_cmpstr(out, ==, "");
    g_assert_cmpstr(err, ==, "");
    ping(at);
    g_assert_true(g_file_get_contents(pidfile, &text, NULL, NULL));
    pid_t pid = (pid_t)g_ascii_strtoll(text, NULL, 10);
    g_assert_cmpint(pid, >, 1);
    end(pid, SIGINT);
    g_assert_false(g_file_test(pidfile, G_FILE_TEST_EXISTS));
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/main/version", test_version);
    g_test_add_func("/main/start-fails", test_start_fails);
    g_test_add_func("/main/foreground", test_foreground);
    g_test_add_func("/main/daemon", test_daemon);
    return g_test_run();
}
