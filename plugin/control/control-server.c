/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-server.h"

#include "control/control-cookies.h"
#include "control/control-error.h"
#include "control/control-tcp.h"
#include "control/control-udp.h"
#include "ng-protocol/ng-reply.h"
#include "ng-protocol/ng-request.h"

#define EXPIRE_MS (CONTROL_COOKIES_GENERATION_US / 1000)

/* What the headers of IPv4 and UDP leave of a datagram. */
#define LONGEST_DATAGRAM 65507

/* At a thousand requests a second, each with an SDP of 2 KiB, a generation of 30 s just fits. */
static const ControlCookiesLimits cookie_limits = {
    .in_flight = CONTROL_UPSTREAM_MAX,
    .entries = 65536,
    .bytes = 64 * 1024 * 1024,
};

struct ControlServer {
    uv_loop_t *loop;
    uv_timer_t expire;
    GPtrArray *udp;
    GPtrArray *tcp;
    ControlUpstream *upstream;
    ControlCookies *cookies;
    GQueue requests; /* all that are not answered */
    ControlHandleCb handle_cb;
    void *user_data;
    bool stopping;
};

/* ---- the life of a request */

static char *command_of(const NgMessage *m)
{
    Span command = m ? ng_dict_get_str(m->dict, SPAN("command")) : SPAN("");

    for (size_t i = 0; i < command.len; i++)
        if (!g_ascii_isalnum(command.p[i]) && command.p[i] != ' ')
            return span_quote(command);
    return command.len && command.len <= 40 ? span_dup(command) : g_strdup("?");
}

static ControlRequest *request_new(ControlServer *s, const NgEnvelope *env, ControlCookie *cookie)
{
    ControlRequest *req = g_new0(ControlRequest, 1);
    g_autoptr(GError) error = NULL;

    req->server = s;
    req->cookie = cookie;
    req->from = control_cookie_peer(cookie);
    req->body = (Span){span_dup(env->body), env->body.len};
    req->encoding = env->encoding;
    req->message = ng_message_new(env, &error);
    req->undecodable = error ? g_strdup(ng_error_reason(error)) : NULL;
    req->command = command_of(req->message);
    req->received_us = g_get_monotonic_time();
    req->link.data = req;
    g_queue_push_tail_link(&s->requests, &req->link);
    return req;
}

static void request_free(ControlRequest *req)
{
    g_queue_unlink(&req->server->requests, &req->link);
    ng_message_free(req->message);
    g_free((char *)req->body.p);
    g_free(req->command);
    g_free(req->undecodable);
    g_free(req);
}

void control_request_reply(ControlRequest *req, Span body)
{
    int64_t now_us = g_get_monotonic_time();
    double elapsed_s = (double)(now_us - req->received_us) / G_USEC_PER_SEC;
    char from[ADDR_TEXT_MAX];

    if (!req->server->stopping) {
        g_info("Replying to '%s' from %s (elapsed time %.6f sec)", req->command,
               addr_text(&req->from->remote, from), elapsed_s);
        control_cookies_finish(req->server->cookies, req->cookie, body, now_us);
    }
    request_free(req);
}

size_t control_request_room(const ControlRequest *req)
{
    Span cookie = req->message ? req->message->cookie : SPAN("");

    return req->from->channel->transport == CONTROL_UDP ? LONGEST_DATAGRAM - cookie.len - 1
                                                        : NG_MAX_MESSAGE;
}

void control_request_reply_dict(ControlRequest *req, NgValue *dict)
{
    g_autoptr(NgValue) owned = dict;
    g_autoptr(GString) body = ng_message_encode(SPAN(""), req->encoding, owned);
    size_t room = control_request_room(req);

    if (body->len > room) {
        g_autofree char *reason =
            g_strdup_printf("the reply has %zu bytes and %zu can be sent: ask for less, or by TCP",
                            body->len, room);
        control_request_reply_error(req, reason);
        return;
    }
    control_request_reply(req, (Span){body->str, body->len});
}

static void log_error(const ControlRequest *req, const char *reason)
{
    char from[ADDR_TEXT_MAX];

    if (!req->server->stopping)
        g_warning("Error in '%s' from %s: %s", req->command, addr_text(&req->from->remote, from),
                  reason);
}

void control_request_reply_error(ControlRequest *req, const char *reason)
{
    log_error(req, reason);
    control_request_reply_dict(req, ng_reply_error(reason));
}

/* May the proxy try another node, and would it understand being told to? */
static bool can_move(const ControlRequest *req)
{
    if (!req->message ||
        !span_eq(ng_dict_get_str(req->message->dict, SPAN("command")), SPAN("offer")))
        return false;
    return ng_request_supports(&(NgRequest){.dict = req->message->dict}, NG_SUPPORTS_LOAD_LIMIT);
}

void control_request_reply_failure(ControlRequest *req, const GError *error)
{
    bool passing = g_error_matches(error, CONTROL_ERROR, CONTROL_ERROR_TIMEOUT) ||
                   g_error_matches(error, CONTROL_ERROR, CONTROL_ERROR_BUSY) ||
                   g_error_matches(error, CONTROL_ERROR, CONTROL_ERROR_STORE);

    if (!passing || !can_move(req)) {
        control_request_reply_error(req, error->message);
        return;
    }
    log_error(req, error->message);
    control_request_reply_dict(req, ng_reply_overload(error->message));
}

static void on_upstream_reply(Span reply, const GError *error, void *user_data)
{
    ControlRequest *req = user_data;

    if (error)
        control_request_reply_failure(req, error);
    else
        control_request_reply(req, reply);
}

/* The one place that speaks for an rtpengine that is not there. */
static void answer_without_rtpengine(ControlRequest *req)
{
    if (req->undecodable)
        control_request_reply_error(req, req->undecodable);
    else if (strcmp(req->command, "ping") == 0)
        control_request_reply_dict(req, ng_reply_pong());
    else
        control_request_reply_error(req, "no rtpengine configured for this request");
}

void control_request_pass(ControlRequest *req)
{
    if (req->server->upstream)
        control_upstream_send(req->server->upstream, req->body, on_upstream_reply, req);
    else
        answer_without_rtpengine(req);
}

/* ---- what comes in */

static void on_request(ControlServer *s, const NgEnvelope *env, ControlCookie *cookie)
{
    ControlRequest *req = request_new(s, env, cookie);
    char from[ADDR_TEXT_MAX];

    g_info("Received command '%s' from %s", req->command, addr_text(&req->from->remote, from));
    if (!s->handle_cb || !s->handle_cb(req, s->user_data))
        control_request_pass(req);
}

static void on_message(const ControlPeer *from, Span message, void *user_data)
{
    ControlServer *s = user_data;
    g_autoptr(GError) error = NULL;
    ControlCookie *cookie = NULL;
    NgEnvelope env;
    char text[ADDR_TEXT_MAX];

    addr_text(&from->remote, text);
    if (!ng_envelope_open(message, &env, &error)) {
        g_warning("Received invalid data on the ng port from %s: %s", text, error->message);
        return;
    }
    switch (control_cookies_begin(s->cookies, from, env.cookie, g_get_monotonic_time(), &cookie)) {
    case CONTROL_COOKIE_NEW:
        on_request(s, &env, cookie);
        break;
    case CONTROL_COOKIE_WAITS:
        g_info("Request from %s came again, still working on it", text);
        break;
    case CONTROL_COOKIE_ANSWERED:
        g_info("Request from %s came again, sent the same reply", text);
        break;
    case CONTROL_COOKIE_REFUSED:
        g_warning("Dropped a request from %s: %u are in work already", text,
                  control_cookies_in_flight(s->cookies));
        break;
    }
}

static void on_expire(uv_timer_t *timer)
{
    ControlServer *s = timer->data;

    control_cookies_expire(s->cookies, g_get_monotonic_time());
}

/* ---- the server itself */

ControlServer *control_server_new(uv_loop_t *loop, ControlUpstream *upstream,
                                  ControlHandleCb handle_cb, void *user_data)
{
    ControlServer *s = g_new0(ControlServer, 1);

    s->loop = loop;
    s->upstream = upstream;
    s->handle_cb = handle_cb;
    s->user_data = user_data;
    s->udp = g_ptr_array_new_with_free_func((GDestroyNotify)control_udp_free);
    s->tcp = g_ptr_array_new_with_free_func((GDestroyNotify)control_tcp_free);
    s->cookies = control_cookies_new(cookie_limits, g_get_monotonic_time());
    g_queue_init(&s->requests);
    uv_timer_init(loop, &s->expire);
    s->expire.data = s;
    uv_timer_start(&s->expire, on_expire, EXPIRE_MS, EXPIRE_MS);
    return s;
}

static void on_server_closed(uv_handle_t *handle)
{
    g_free(handle->data);
}

void control_server_free(ControlServer *s)
{
    if (!s)
        return;
    s->stopping = true;
    control_upstream_free(s->upstream);
    while (s->requests.head)
        request_free(s->requests.head->data);
    control_cookies_free(s->cookies);
    g_ptr_array_unref(s->udp);
    g_ptr_array_unref(s->tcp);
    uv_close((uv_handle_t *)&s->expire, on_server_closed);
}

const Addr *control_server_listen(ControlServer *s, ControlTransport transport, const Addr *addr,
                                  bool freebind, GError **error)
{
    if (transport == CONTROL_UDP) {
        ControlUdp *u = control_udp_new(s->loop, addr, freebind, on_message, s, error);
        if (!u)
            return NULL;
        g_ptr_array_add(s->udp, u);
        return control_udp_addr(u);
    }
    ControlTcp *t = control_tcp_new(s->loop, addr, freebind, on_message, s, error);
    if (!t)
        return NULL;
    g_ptr_array_add(s->tcp, t);
    return control_tcp_addr(t);
}

ControlUpstream *control_server_upstream(ControlServer *s)
{
    return s->upstream;
}

bool control_server_stopping(const ControlServer *s)
{
    return s->stopping;
}
