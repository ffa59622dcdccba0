/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * main.c: starts the program, keeps it running and ends it.
 *
 * Everything that can fail is done before anything is announced: when the parent of the daemon
 * returns, when systemd is told READY and when the pidfile is there, every socket is bound. What
 * fails ends the start with one line on stderr.
 */
#define G_LOG_DOMAIN "main"

/* Autoconf's, in angle brackets: in quotes it would be the one beside this file. */
#include <config.h>

#include "plugin/config.h"

#include "admin/admin-http.h"
#include "admin/admin-metrics.h"
#include "base/log.h"
#include "control/control-error.h"
#include "control/control-server.h"
#include "plugin/gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#define DEFAULT_FILE "/etc/rtpengine-e2ae/rtpengine-e2ae.conf"

/* A stream has two listening sockets and two connections; the rest of the program shares the
 * reserve. */
#define FILES_PER_SESSION 4
#define FILES_RESERVE     256

static const int caught_signals[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGHUP};

typedef struct Program {
    const Config *config;
    uv_loop_t loop;
    Gateway *gateway;
    ControlServer *server;
    AdminHttp *metrics; /* NULL: nobody asked for them */
    uv_signal_t signals[G_N_ELEMENTS(caught_signals)];
    bool stopping;
} Program;

static void notify(const char *state)
{
#ifdef HAVE_SYSTEMD
    sd_notify(0, state);
#else
    (void)state;
#endif
}

static bool fail(GError **error, const char *what, int err)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(err), "%s: %s", what, g_strerror(err));
    return false;
}

/* ---- becoming a daemon */

/**
 * Goes on in a child while the parent waits: it leaves with 0 when the child says on *@ret_ready
 * that all is well, and with the child's exit status when that ends before. So the caller's shell
 * sees every message and the right status.
 */
static bool daemonise(int *ret_ready, GError **error)
{
    int fds[2];
    char byte;
    int status = 0;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return fail(error, "Cannot make a pipe", errno);
    pid_t pid = fork();
    if (pid < 0)
        return fail(error, "Cannot fork", errno);
    if (pid == 0) {
        close(fds[0]);
        setsid();
        *ret_ready = fds[1];
        return true;
    }
    close(fds[1]);
    if (read(fds[0], &byte, 1) == 1)
        _exit(EXIT_SUCCESS);
    waitpid(pid, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

static void let_go_of_terminal(int ready, bool keep_stderr)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null >= 0) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDOUT_FILENO);
        if (!keep_stderr)
            dup2(null, STDERR_FILENO);
        close(null);
    }
    if (write(ready, "", 1) != 1)
        g_warning("Nobody waited for the daemon to start");
    close(ready);
}

/* ---- limits */

static bool raise_file_limit(const Config *c, GError **error)
{
    struct rlimit now;
    rlim_t needed = FILES_RESERVE;

    if (c->max_sessions > 0)
        needed += (rlim_t)c->max_sessions * FILES_PER_SESSION;
    if (getrlimit(RLIMIT_NOFILE, &now) < 0)
        return fail(error, "Cannot read the limit on open files", errno);
    struct rlimit wanted = {.rlim_cur = MAX(now.rlim_max, needed),
                            .rlim_max = MAX(now.rlim_max, needed)};
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
        return true;
    if (now.rlim_max < needed) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_MFILE,
                    "--max-sessions=%d needs %" G_GUINT64_FORMAT
                    " open files and the limit is %" G_GUINT64_FORMAT
                    ": raise LimitNOFILE (ulimit -n) or lower --max-sessions",
                    c->max_sessions, (uint64_t)needed, (uint64_t)now.rlim_max);
        return false;
    }
    return true;
}

/* ---- signals */

static void close_handle(uv_handle_t *handle, void *user_data)
{
    (void)user_data;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

/* Closes all that is open; the loop ends by itself when that is done. */
static void stop(Program *p)
{
    if (p->stopping)
        return;
    p->stopping = true;
    notify("STOPPING=1");
    g_clear_pointer(&p->metrics, admin_http_free);
    g_clear_pointer(&p->server, control_server_free);
    g_clear_pointer(&p->gateway, gateway_free);
    for (size_t i = 0; i < G_N_ELEMENTS(p->signals); i++)
        close_handle((uv_handle_t *)&p->signals[i], NULL);
}

static void on_signal(uv_signal_t *handle, int signum)
{
    Program *p = handle->data;

    switch (signum) {
    case SIGUSR1:
    case SIGUSR2:
        g_message("Log level is %d now", log_set_level(log_level() + (signum == SIGUSR1 ? -1 : 1)));
        break;
    case SIGHUP:
        if (p->gateway)
            gateway_reload(p->gateway);
        break;
    default:
        g_message("%s: stopping", g_strsignal(signum));
        stop(p);
    }
}

static void catch_signals(Program *p)
{
    signal(SIGPIPE, SIG_IGN); /* a connection that is gone is an error of write() */
    for (size_t i = 0; i < G_N_ELEMENTS(caught_signals); i++) {
        uv_signal_init(&p->loop, &p->signals[i]);
        p->signals[i].data = p;
        uv_signal_start(&p->signals[i], on_signal, caught_signals[i]);
    }
}

/* ---- start */

static bool listen_all(Program *p, ControlTransport transport, const GArray *listeners,
                       GError **error)
{
    char text[ADDR_TEXT_MAX];

    for (guint i = 0; i < listeners->len; i++) {
        const ConfigListener *l = &g_array_index(listeners, ConfigListener, i);
        g_autoptr(GError) cause = NULL;
        const Addr *at = control_server_listen(p->server, transport, &l->addr,
                                               p->config->ha_group != NULL, &cause);
        if (at) {
            g_message("Listening for ng by %s at %s", transport == CONTROL_UDP ? "UDP" : "TCP",
                      addr_text(at, text));
        } else if (l->optional && g_error_matches(cause, CONTROL_ERROR, CONTROL_ERROR_NO_FAMILY)) {
            g_message("%s", cause->message);
        } else {
            g_propagate_error(error, g_steal_pointer(&cause));
            return false;
        }
    }
    return true;
}

static void drained(void *arg)
{
    g_message("Drained: stopping");
    stop(arg);
}

static bool start_control(Program *p, GError **error)
{
    const Config *c = p->config;
    ControlUpstream *upstream = NULL;

    if (c->rtpengine.family != ADDR_NONE) {
        upstream = control_upstream_new(&p->loop, "rtpengine", &c->rtpengine,
                                        c->rtpengine_timeout_ms, error);
        if (!upstream)
            return false;
    }
    p->gateway = gateway_new(&p->loop, c, upstream, drained, p, error);
    if (!p->gateway) {
        control_upstream_free(upstream);
        return false;
    }
    p->server = control_server_new(&p->loop, upstream, gateway_handle, p->gateway);
    return listen_all(p, CONTROL_UDP, c->listen_ng, error) &&
           listen_all(p, CONTROL_TCP, c->listen_tcp_ng, error);
}

static char *metrics_text(void *arg)
{
    const Program *p = arg;
    g_autoptr(NgValue) statistics =
        gateway_statistics(p->gateway, control_server_upstream(p->server));

    return admin_metrics_text(statistics);
}

static bool start_metrics(Program *p, GError **error)
{
    const Addr *at = &p->config->metrics;
    char text[ADDR_TEXT_MAX];

    if (at->family == ADDR_NONE)
        return true;
    p->metrics = admin_http_new(&p->loop, at, ADMIN_HTTP_LIMIT_MS, metrics_text, p, error);
    if (p->metrics)
        g_message("Metrics are at http://%s/metrics", addr_text(at, text));
    return p->metrics != NULL;
}

static bool write_pidfile(const char *path, GError **error)
{
    g_autofree char *what = g_strdup_printf("--pidfile=%s cannot be written", path);

    if (!path)
        return true;
    FILE *f = fopen(path, "we");
    if (!f)
        return fail(error, what, errno);
    bool ok = fprintf(f, "%ld\n", (long)getpid()) > 0;
    if (fclose(f) == 0 && ok)
        return true;
    fail(error, what, errno);
    g_unlink(path);
    return false;
}

/* Runs until a signal says stop. False with @error when it could not even begin. */
static bool run(const Config *c, int ready, GError **error)
{
    Program p = {.config = c};

    if (!raise_file_limit(c, error))
        return false;
    int err = uv_loop_init(&p.loop);
    if (err)
        return fail(error, "Cannot make an event loop", -err);
    catch_signals(&p);
    bool ok = start_control(&p, error) && start_metrics(&p, error) && write_pidfile(c->pidfile, error);
    if (ok) {
        if (ready >= 0)
            let_go_of_terminal(ready, c->log_stderr);
        notify("READY=1");
        g_message("%s is ready", PACKAGE_STRING);
    } else {
        stop(&p);
    }
    uv_run(&p.loop, UV_RUN_DEFAULT);
    err = uv_loop_close(&p.loop);
    g_assert(err == 0); /* something was left open */
    if (ok && c->pidfile)
        g_unlink(c->pidfile);
    return ok;
}

static int complain(const GError *error)
{
    fprintf(stderr, "%s: %s\n", PACKAGE_NAME, error->message);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Config) c = config_new((const char *const *)argv, DEFAULT_FILE, &error);
    int ready = -1;

    (void)argc;
    if (!c)
        return complain(error);
    if (c->show_version) {
        printf("%s\n", PACKAGE_STRING);
        return EXIT_SUCCESS;
    }
    if (!c->foreground && !daemonise(&ready, &error))
        return complain(error);
    log_init(c->log_name, log_facility(c->log_facility), c->log_level, c->log_stderr);
    if (!run(c, ready, &error))
        return complain(error);
    return EXIT_SUCCESS;
}
