/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "admin/admin-http.h"

#include "admin/admin-metrics.h"
#include "net/net-tcp.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>

/* Scrapers are few, and one that hangs must not keep a descriptor from a call. */
#define CONNECTIONS_MAX 16u
#define IDLE_S          10u
#define REQUEST_MEMORY  (16 * 1024)
#define BACKLOG         16

#define HINT "rtpengine-e2ae has its metrics at /metrics, for GET\n"

struct AdminHttp {
    struct MHD_Daemon *daemon; /* watches its sockets by an epoll of its own, which the loop watches */
    uv_poll_t poll;
    uv_timer_t timer; /* connections that are idle for too long */
    unsigned open;    /* of the two handles */
    AdminHttpText *text;
    void *arg;
};

static enum MHD_Result respond(struct MHD_Connection *c, unsigned status, char *text,
                               const char *type)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);

    if (!r) {
        g_free(text);
        return MHD_NO; /* the connection is closed */
    }
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result queued = MHD_queue_response(c, status, r);
    MHD_destroy_response(r);
    return queued;
}

static enum MHD_Result request_cb(void *arg, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *body,
                                  size_t *body_len, void **request)
{
    const AdminHttp *http = arg;
    bool get = !strcmp(method, MHD_HTTP_METHOD_GET) || !strcmp(method, MHD_HTTP_METHOD_HEAD);

    (void)version, (void)body, (void)body_len, (void)request;
    if (!get)
        return respond(c, MHD_HTTP_METHOD_NOT_ALLOWED, g_strdup(HINT), "text/plain");
    if (strcmp(url, "/metrics") != 0)
        return respond(c, MHD_HTTP_NOT_FOUND, g_strdup(HINT), "text/plain");
    return respond(c, MHD_HTTP_OK, http->text(http->arg), ADMIN_METRICS_TYPE);
}

/* ---- the loop */

static void work(AdminHttp *http);

static void timed_out(uv_timer_t *timer)
{
    work(timer->data);
}

static void ready(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    work(poll->data);
}

static void work(AdminHttp *http)
{
    MHD_UNSIGNED_LONG_LONG ms;

    MHD_run(http->daemon);
    if (MHD_get_timeout(http->daemon, &ms) == MHD_YES)
        uv_timer_start(&http->timer, timed_out, ms, 0);
    else
        uv_timer_stop(&http->timer);
}

static void watch(AdminHttp *http, uv_loop_t *loop)
{
    int fd = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;

    /* An epoll of ours, and nobody else watches it: this cannot fail but for lack of kernel memory. */
    if (uv_poll_init(loop, &http->poll, fd) != 0)
        g_error("no memory to watch the sockets for metrics");
    uv_timer_init(loop, &http->timer);
    http->poll.data = http->timer.data = http;
    http->open = 2;
    uv_poll_start(&http->poll, UV_READABLE, ready);
}

/* ---- */

static struct MHD_Daemon *start(AdminHttp *http, int listener)
{
    return MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, request_cb,
                            http, MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT,
                            CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MEMORY,
                            MHD_OPTION_END);
}

AdminHttp *admin_http_new(uv_loop_t *loop, const Addr *at, AdminHttpText *text, void *arg,
                          GError **error)
{
    char where[ADDR_TEXT_MAX];
    int listener = net_tcp_listen(at, BACKLOG, false);

    if (listener < 0) {
        const char *way_out = listener == -EADDRINUSE
                                  ? "another process has it: choose another port"
                                  : "choose an address of this host";
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(-listener),
                    "--metrics=%s: cannot listen there: %s (%s)", addr_text(at, where),
                    net_error_text(listener), way_out);
        return NULL;
    }
    AdminHttp *http = g_new0(AdminHttp, 1);
    http->text = text;
    http->arg = arg;
    http->daemon = start(http, listener);
    if (!http->daemon) {
        net_close(&listener);
        g_free(http);
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NOMEM,
                    "--metrics=%s: no HTTP server can be started: too many open files?",
                    addr_text(at, where));
        return NULL;
    }
    watch(http, loop);
    return http;
}

static void closed(uv_handle_t *handle)
{
    AdminHttp *http = handle->data;

    if (--http->open > 0)
        return;
    MHD_stop_daemon(http->daemon); /* closes the listener as well */
    g_free(http);
}

void admin_http_free(AdminHttp *http)
{
    if (!http)
        return;
    uv_close((uv_handle_t *)&http->poll, closed);
    uv_close((uv_handle_t *)&http->timer, closed);
}
