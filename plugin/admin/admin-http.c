/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "admin/admin-http.h"

#include "admin/admin-metrics.h"
#include "net/net-tcp.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>

#define REQUEST_MEMORY (16 * 1024)
#define BACKLOG        16

#define HINT "rtpengine-e2ae has its metrics at /metrics, for GET\n"

struct AdminHttp {
    struct MHD_Daemon *daemon; /* watches its sockets by an epoll of its own, which the loop watches */
    uv_poll_t poll;
    uv_timer_t timer; /* the limit of the oldest client, or what libmicrohttpd has left to do */
    unsigned open;    /* of the two handles */
    bool ended;       /* a connection, in this turn */
    uint64_t limit_ms;
    GQueue clients; /* of Client, the oldest first, without those that are being ended */
    AdminHttpText *text;
    void *arg;
};

/* One connection. */
typedef struct Client {
    GList link;
    int fd;         /* of libmicrohttpd */
    uint64_t since; /* of uv_now() */
    bool ending;
} Client;

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
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
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

/* ---- clients */

/*
 * Scrapers are few, and one that hangs must not keep a descriptor from a call, nor others from their answers. The limit
 * that libmicrohttpd has is one of silence, which a byte now and then renews: it is not used.
 */

static Client *client_begins(AdminHttp *http, struct MHD_Connection *c)
{
    Client *client = g_new0(Client, 1);

    client->link.data = client;
    client->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    client->since = uv_now(http->timer.loop);
    g_queue_push_tail_link(&http->clients, &client->link);
    return client;
}

static void client_ended(AdminHttp *http, Client *client)
{
    if (!client->ending)
        g_queue_unlink(&http->clients, &client->link);
    g_free(client);
    http->ended = true;
}

static void connection_cb(void *arg, struct MHD_Connection *c, void **client,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *client = client_begins(arg, c);
    else
        client_ended(arg, *client);
}

static bool must_end(const AdminHttp *http, const Client *client)
{
    return http->clients.length > ADMIN_HTTP_CONNECTIONS_MAX ||
           uv_now(http->timer.loop) - client->since >= http->limit_ms;
}

/* libmicrohttpd has no call to close a connection; it does so when it finds the stream at its end. */
static void end_clients(AdminHttp *http)
{
    for (;;) {
        Client *client = g_queue_peek_head(&http->clients);
        if (!client || !must_end(http, client))
            return;
        client->ending = true;
        g_queue_unlink(&http->clients, &client->link);
        net_tcp_shutdown(client->fd);
    }
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

/*
 * Something is to be done that no event tells. When all places are taken libmicrohttpd takes the listener out of its
 * epoll, and it looks whether to put it back at the begin of MHD_run(), before that closes connections. After one has
 * ended it has to run again, or perhaps nobody would ever be let in again; MHD_get_timeout() does not say so (0.9.75).
 */
static bool more_to_do(const AdminHttp *http)
{
    MHD_UNSIGNED_LONG_LONG ms;

    return http->ended || (MHD_get_timeout(http->daemon, &ms) == MHD_YES && ms == 0);
}

static void work(AdminHttp *http)
{
    http->ended = false;
    MHD_run(http->daemon);
    end_clients(http);

    const Client *next = g_queue_peek_head(&http->clients);
    /* Not 0: libuv before 1.45 runs such a timer again and again before it looks at anything else. */
    if (more_to_do(http))
        uv_timer_start(&http->timer, timed_out, 1, 0);
    else if (next)
        uv_timer_start(&http->timer, timed_out,
                       next->since + http->limit_ms - uv_now(http->timer.loop), 0);
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
    unsigned max = ADMIN_HTTP_CONNECTIONS_MAX + 1; /* the one that takes a place */

    return MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, request_cb, http,
                            MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, max,
                            MHD_OPTION_NOTIFY_CONNECTION, connection_cb, http,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MEMORY,
                            MHD_OPTION_END);
}

AdminHttp *admin_http_new(uv_loop_t *loop, const Addr *at, uint64_t limit_ms, AdminHttpText *text,
                          void *arg, GError **error)
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
    http->limit_ms = limit_ms;
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
