/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-upstream.h"

#include "control/control-error.h"
#include "control/control-socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_RESEND_MS   250
#define LONGEST_RESEND_MS 2000
#define REFUSED_RESEND_MS 100
#define COOKIE_SIZE       32

typedef enum Health {
    HEALTHY,
    SILENT,  /* the last request got no answer */
    REFUSED, /* nobody listens there */
} Health;

struct ControlUpstream {
    uv_poll_t poll;
    uv_loop_t *loop;
    int fd;
    Addr addr;
    char *name; /* "rtpengine at ADDR:PORT" */
    unsigned timeout_ms;
    char prefix[13];
    uint64_t counter;
    GHashTable *exchanges; /* cookie -> Exchange, owned by its timer */
    Health health;         /* for the log, and for the pace of trying */
    uint64_t timeouts;
    bool closing;
    char datagram[CONTROL_DATAGRAM_MAX];
};

typedef struct Exchange {
    uv_timer_t timer;
    ControlUpstream *upstream;
    char cookie[COOKIE_SIZE];
    char *datagram; /* "cookie SP body" */
    size_t len;
    uint64_t deadline_ms;
    unsigned interval_ms;
    GError *failure; /* known already when it was sent: told from the timer */
    ControlUpstreamCb cb;
    void *user_data;
} Exchange;

static void on_timer_closed(uv_handle_t *handle)
{
    Exchange *x = handle->data;

    g_clear_error(&x->failure);
    g_free(x->datagram);
    g_free(x);
}

/* Takes the exchange out first, so that the callback finds everything in order. */
static void finish(Exchange *x, Span reply, const GError *error)
{
    g_hash_table_remove(x->upstream->exchanges, x->cookie);
    uv_timer_stop(&x->timer);
    uv_close((uv_handle_t *)&x->timer, on_timer_closed);
    x->cb(reply, error, x->user_data);
}

static void set_health(ControlUpstream *u, Health health)
{
    if (u->health == health)
        return;
    if (health == HEALTHY)
        g_message("%s answers again", u->name);
    else
        g_warning("%s %s", u->name,
                  health == REFUSED ? "is not there: nobody listens on that port"
                                    : "does not answer");
    u->health = health;
}

static void transmit(ControlUpstream *u, const Exchange *x)
{
    /* A refusal of an earlier datagram is reported by the next call, which then has sent nothing.
     */
    for (int i = 0; i < 2; i++) {
        if (send(u->fd, x->datagram, x->len, MSG_NOSIGNAL) >= 0)
            return;
        if (errno != ECONNREFUSED)
            break;
        set_health(u, REFUSED);
    }
    g_debug("send to %s: %s", u->name, g_strerror(errno));
}

static void give_up(Exchange *x)
{
    ControlUpstream *u = x->upstream;
    g_autoptr(GError) error = NULL;

    if (x->failure) {
        finish(x, SPAN(""), x->failure);
        return;
    }
    if (u->health == HEALTHY)
        set_health(u, SILENT);
    u->timeouts++;
    error = g_error_new(CONTROL_ERROR, CONTROL_ERROR_TIMEOUT, "%s did not answer within %u ms",
                        u->name, u->timeout_ms);
    finish(x, SPAN(""), error);
}

static void on_timer(uv_timer_t *timer);

static void arm(Exchange *x)
{
    uint64_t now = uv_now(x->upstream->loop);
    uint64_t wait = x->upstream->health == REFUSED ? REFUSED_RESEND_MS : x->interval_ms;
    uint64_t left = x->deadline_ms > now ? x->deadline_ms - now : 0;

    uv_timer_start(&x->timer, on_timer, MIN(wait, left), 0);
}

static void on_timer(uv_timer_t *timer)
{
    Exchange *x = timer->data;

    if (x->failure || uv_now(timer->loop) >= x->deadline_ms) {
        give_up(x);
        return;
    }
    if (x->upstream->health != REFUSED)
        x->interval_ms = MIN(x->interval_ms * 2, LONGEST_RESEND_MS);
    transmit(x->upstream, x);
    arm(x);
}

static GError *check(const ControlUpstream *u, const Exchange *x)
{
    /* IP, IPv6 and UDP headers leave this much of a datagram. */
    const size_t longest = u->addr.family == ADDR_IP4 ? 65507 : 65527;

    if (x->len > longest)
        return g_error_new(CONTROL_ERROR, CONTROL_ERROR_TOO_LONG,
                           "The request does not fit a datagram to %s: %zu bytes, %zu are allowed",
                           u->name, x->len, longest);
    if (g_hash_table_size(u->exchanges) >= CONTROL_UPSTREAM_MAX)
        return g_error_new(CONTROL_ERROR, CONTROL_ERROR_BUSY, "%d requests wait for %s already",
                           CONTROL_UPSTREAM_MAX, u->name);
    return NULL;
}

static void write_datagram(Exchange *x, Span body)
{
    size_t n = strlen(x->cookie);

    x->len = n + 1 + body.len;
    x->datagram = g_malloc(x->len);
    memcpy(x->datagram, x->cookie, n);
    x->datagram[n] = ' ';
    if (body.len)
        memcpy(x->datagram + n + 1, body.p, body.len);
}

void control_upstream_send(ControlUpstream *u, Span body, ControlUpstreamCb cb, void *user_data)
{
    if (u->closing) {
        g_autoptr(GError) error = g_error_new(CONTROL_ERROR, CONTROL_ERROR_STOPPING, "stopping");
        cb(SPAN(""), error, user_data);
        return;
    }
    Exchange *x = g_new0(Exchange, 1);
    x->upstream = u;
    x->cb = cb;
    x->user_data = user_data;
    x->interval_ms = FIRST_RESEND_MS;
    g_snprintf(x->cookie, sizeof x->cookie, "%s_%" G_GINT64_MODIFIER "x", u->prefix, u->counter++);
    write_datagram(x, body);
    x->failure = check(u, x);
    g_hash_table_insert(u->exchanges, x->cookie, x);
    uv_timer_init(u->loop, &x->timer);
    x->timer.data = x;
    if (x->failure) {
        uv_timer_start(&x->timer, on_timer, 0, 0);
        return;
    }
    /* The loop's clock stands still while a batch of events is worked off. */
    uv_update_time(u->loop);
    x->deadline_ms = uv_now(u->loop) + u->timeout_ms;
    transmit(u, x);
    arm(x);
}

static void deliver(ControlUpstream *u, Span datagram)
{
    char cookie[COOKIE_SIZE];
    Span body = datagram;
    Span head = datagram.len ? span_cut(&body, ' ') : datagram;
    Exchange *x = NULL;

    if (head.len < sizeof cookie && head.len < datagram.len && !memchr(head.p, 0, head.len)) {
        memcpy(cookie, head.p, head.len);
        cookie[head.len] = 0;
        x = g_hash_table_lookup(u->exchanges, cookie);
    }
    if (!x) {
        g_autofree char *text = span_quote(head);
        g_debug("Dropped a reply of %s that nobody waits for: cookie %s", u->name, text);
        return;
    }
    finish(x, body, NULL);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    ControlUpstream *u = poll->data;

    (void)events;
    if (status <
        0) /* libuv stops at POLLERR, which here only is an ICMP error that the next call reports */
        uv_poll_start(poll, UV_READABLE, on_readable);
    for (int i = 0; i < CONTROL_DATAGRAMS_PER_EVENT; i++) {
        ssize_t n = recv(u->fd, u->datagram, sizeof u->datagram, 0);
        if (n >= 0) {
            set_health(u, HEALTHY);
            deliver(u, (Span){u->datagram, (size_t)n});
        } else if (errno == ECONNREFUSED) {
            set_health(u, REFUSED);
        } else if (errno != EINTR) {
            return;
        }
    }
}

ControlUpstream *control_upstream_new(uv_loop_t *loop, const char *name, const Addr *addr,
                                      unsigned timeout_ms, GError **error)
{
    int fd = control_socket_connect(addr, error);
    char text[ADDR_TEXT_MAX];

    if (fd < 0)
        return NULL;
    ControlUpstream *u = g_new0(ControlUpstream, 1);
    u->loop = loop;
    u->fd = fd;
    u->addr = *addr;
    u->name = g_strdup_printf("%s at %s", name, addr_text(addr, text));
    u->timeout_ms = timeout_ms;
    g_snprintf(u->prefix, sizeof u->prefix, "%08x%04x", g_random_int(), g_random_int() & 0xffff);
    int err = uv_poll_init(loop, &u->poll, fd);
    if (err) {
        control_socket_error(error, "watch", addr, -err);
        close(fd);
        g_free(u->name);
        g_free(u);
        return NULL;
    }
    u->exchanges = g_hash_table_new(g_str_hash, g_str_equal);
    u->poll.data = u;
    uv_poll_start(&u->poll, UV_READABLE, on_readable);
    return u;
}

static void on_upstream_closed(uv_handle_t *handle)
{
    ControlUpstream *u = handle->data;

    g_free(u->name);
    g_free(u);
}

void control_upstream_free(ControlUpstream *u)
{
    g_autoptr(GError) error = g_error_new(CONTROL_ERROR, CONTROL_ERROR_STOPPING, "stopping");
    GHashTableIter i;
    void *x;

    if (!u)
        return;
    u->closing = true;
    g_hash_table_iter_init(&i, u->exchanges);
    while (g_hash_table_iter_next(&i, NULL, &x)) {
        finish(x, SPAN(""), error);
        g_hash_table_iter_init(&i, u->exchanges); /* it took itself out */
    }
    g_hash_table_unref(u->exchanges);
    uv_poll_stop(&u->poll);
    uv_close((uv_handle_t *)&u->poll, on_upstream_closed);
    close(u->fd);
}

const Addr *control_upstream_addr(const ControlUpstream *u)
{
    return &u->addr;
}

Addr control_upstream_local(const ControlUpstream *u)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    Addr local = {0};

    if (getsockname(u->fd, (struct sockaddr *)&sa, &len) == 0)
        addr_from_sockaddr((struct sockaddr *)&sa, &local);
    return addr_with_port(local, 0);
}

unsigned control_upstream_outstanding(const ControlUpstream *u)
{
    return g_hash_table_size(u->exchanges);
}

uint64_t control_upstream_timeouts(const ControlUpstream *u)
{
    return u->timeouts;
}
