/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/control-cookies.h"

/* Repeats of one request that wait for its reply: proxies repeat some five times, and there is no
 * use in more. */
#define MAX_WAITERS 32

struct ControlCookie {
    GArray *waiters;   /* of ControlPeer, the first is who asked first; NULL when finished */
    ControlPeer first; /* a copy in a place that stays; the reference is that of the waiter */
    char *reply;
    size_t reply_len;
    Addr source;
    ControlTransport transport;
    Span cookie; /* points to .text */
    char text[];
};

struct ControlCookies {
    ControlCookiesLimits limits;
    GHashTable *in_flight; /* the tables are sets of ControlCookie */
    GHashTable *fresh;
    GHashTable *old;
    size_t fresh_bytes;
    int64_t rotated_us;
};

static guint entry_hash(gconstpointer key)
{
    const ControlCookie *e = key;
    guint h = 5381 + e->source.port;

    for (size_t i = 0; i < e->cookie.len; i++)
        h = h * 33 + (guchar)e->cookie.p[i];
    for (size_t i = 0; i < sizeof e->source.ip; i++)
        h = h * 33 + e->source.ip[i];
    return h;
}

static gboolean entry_equal(gconstpointer a, gconstpointer b)
{
    const ControlCookie *x = a, *y = b;

    return x->transport == y->transport && addr_eq(&x->source, &y->source) &&
           span_eq(x->cookie, y->cookie);
}

static void waiter_clear(void *item)
{
    control_peer_clear(item);
}

static ControlCookie *entry_new(const ControlPeer *from, Span cookie)
{
    ControlCookie *e = g_malloc0(sizeof *e + cookie.len);

    e->first = *from;
    e->source = from->remote;
    e->transport = from->channel->transport;
    memcpy(e->text, cookie.p, cookie.len);
    e->cookie = (Span){e->text, cookie.len};
    return e;
}

static void entry_free(void *key)
{
    ControlCookie *e = key;

    if (e->waiters)
        g_array_unref(e->waiters);
    g_free(e->reply);
    g_free(e);
}

static GHashTable *table_new(void)
{
    return g_hash_table_new_full(entry_hash, entry_equal, entry_free, NULL);
}

ControlCookies *control_cookies_new(ControlCookiesLimits limits, int64_t now_us)
{
    ControlCookies *c = g_new0(ControlCookies, 1);

    c->limits = limits;
    c->in_flight = table_new();
    c->fresh = table_new();
    c->old = table_new();
    c->rotated_us = now_us;
    return c;
}

void control_cookies_free(ControlCookies *c)
{
    if (!c)
        return;
    g_hash_table_unref(c->in_flight);
    g_hash_table_unref(c->fresh);
    g_hash_table_unref(c->old);
    g_free(c);
}

static void rotate(ControlCookies *c, int64_t now_us)
{
    GHashTable *empty = c->old;

    g_hash_table_remove_all(empty);
    c->old = c->fresh;
    c->fresh = empty;
    c->fresh_bytes = 0;
    c->rotated_us = now_us;
}

void control_cookies_expire(ControlCookies *c, int64_t now_us)
{
    int64_t age = now_us - c->rotated_us;

    if (age >= 2 * CONTROL_COOKIES_GENERATION_US)
        rotate(c, now_us);
    if (age >= CONTROL_COOKIES_GENERATION_US)
        rotate(c, now_us);
}

static ControlCookie *find(const ControlCookies *c, const ControlCookie *like)
{
    GHashTable *const tables[] = {c->in_flight, c->fresh, c->old};

    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        ControlCookie *e = g_hash_table_lookup(tables[i], like);
        if (e)
            return e;
    }
    return NULL;
}

static void wait_for(ControlCookie *e, const ControlPeer *peer)
{
    ControlPeer waiter;

    if (e->waiters->len >= MAX_WAITERS)
        return;
    waiter = control_peer_ref(peer);
    g_array_append_val(e->waiters, waiter);
}

ControlCookieState control_cookies_begin(ControlCookies *c, const ControlPeer *from, Span cookie,
                                         int64_t now_us, ControlCookie **ret_entry)
{
    g_assert(cookie.len > 0);
    control_cookies_expire(c, now_us);

    ControlCookie *e = entry_new(from, cookie);
    ControlCookie *known = find(c, e);
    if (known) {
        entry_free(e);
        if (known->waiters) {
            wait_for(known, from);
            return CONTROL_COOKIE_WAITS;
        }
        control_peer_send(from, known->cookie, (Span){known->reply, known->reply_len});
        return CONTROL_COOKIE_ANSWERED;
    }
    if (g_hash_table_size(c->in_flight) >= c->limits.in_flight) {
        entry_free(e);
        return CONTROL_COOKIE_REFUSED;
    }
    e->waiters = g_array_new(FALSE, FALSE, sizeof(ControlPeer));
    g_array_set_clear_func(e->waiters, waiter_clear);
    wait_for(e, from);
    g_hash_table_add(c->in_flight, e);
    *ret_entry = e;
    return CONTROL_COOKIE_NEW;
}

const ControlPeer *control_cookie_peer(const ControlCookie *entry)
{
    return &entry->first;
}

void control_cookies_finish(ControlCookies *c, ControlCookie *entry, Span reply, int64_t now_us)
{
    control_cookies_expire(c, now_us);
    if (g_hash_table_size(c->fresh) >= c->limits.entries ||
        c->fresh_bytes + reply.len > c->limits.bytes)
        rotate(c, now_us);

    for (guint i = 0; i < entry->waiters->len; i++)
        control_peer_send(&g_array_index(entry->waiters, ControlPeer, i), entry->cookie, reply);
    g_clear_pointer(&entry->waiters, g_array_unref);
    entry->reply = g_memdup2(reply.p, reply.len);
    entry->reply_len = reply.len;
    c->fresh_bytes += reply.len;
    g_hash_table_steal(c->in_flight, entry);
    g_hash_table_add(c->fresh, entry);
}

unsigned control_cookies_in_flight(const ControlCookies *c)
{
    return g_hash_table_size(c->in_flight);
}

unsigned control_cookies_remembered(const ControlCookies *c)
{
    return g_hash_table_size(c->fresh) + g_hash_table_size(c->old);
}
