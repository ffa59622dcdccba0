/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dtls-net.h"

#include <sys/time.h>

/*
 * OpenSSL reads the wall clock for its retransmission timer, through this function of the C
 * library. The test puts its own clock in its place, so that time passes when the test says so.
 */
int64_t clock_us = 1000000 * SECOND;

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void)tz;
    tv->tv_sec = clock_us / SECOND;
    tv->tv_usec = clock_us % SECOND;
    return 0;
}

static void emit_cb(void *arg, Span datagram)
{
    End *from = arg;
    End *to = from->direction == TO_SERVER ? &from->net->server : &from->net->client;
    Fate fate = {.copies = 1};
    GBytes *bytes = g_bytes_new(datagram.p, datagram.len);

    from->longest = MAX(from->longest, datagram.len);
    if (from->net->fate)
        fate = from->net->fate(from->direction, from->sent, from->net->arg);
    from->sent++;
    if (fate.late && !to->late) {
        to->late = bytes;
        return;
    }
    for (unsigned i = 0; i < fate.copies; i++)
        g_queue_push_tail(&to->inbox, g_bytes_ref(bytes));
    g_bytes_unref(bytes);
    if (to->late)
        g_queue_push_tail(&to->inbox, g_steal_pointer(&to->late));
}

static void deliver_cb(void *arg, Span datagram)
{
    End *e = arg;

    g_ptr_array_add(e->got, span_dup(datagram));
    if (e->echo)
        g_assert_true(dtls_stream_write(e->s, datagram, &e->sink));
}

void end_init(Net *net, End *e, Direction direction, TlsCtx *ctx, const FingerprintSet *expected,
              unsigned mtu)
{
    *e = (End){.net = net, .direction = direction};
    e->s = dtls_stream_new(ctx, direction == TO_SERVER ? TLS_CLIENT : TLS_SERVER, expected, false,
                           SPAN("192.0.2.1:5000"), mtu);
    e->sink = (DtlsSink){emit_cb, deliver_cb, e};
    e->got = g_ptr_array_new_with_free_func(g_free);
    g_queue_init(&e->inbox);
}

void end_clear(End *e)
{
    dtls_stream_free(e->s);
    g_ptr_array_unref(e->got);
    g_queue_clear_full(&e->inbox, (GDestroyNotify)g_bytes_unref);
    g_clear_pointer(&e->late, g_bytes_unref);
}

TlsState end_feed(End *e, const void *data, size_t len)
{
    return dtls_stream_feed(e->s, (Span){data, len}, clock_us, &e->sink);
}

bool end_receive(End *e)
{
    GBytes *bytes = g_queue_pop_head(&e->inbox);

    if (!bytes && e->late)
        bytes = g_steal_pointer(&e->late);
    if (!bytes)
        return false;
    size_t len;
    const void *data = g_bytes_get_data(bytes, &len);
    end_feed(e, data, len);
    g_bytes_unref(bytes);
    return true;
}

void net_run(Net *net)
{
    while (end_receive(&net->server) || end_receive(&net->client))
        ;
}

TlsState end_state(const End *e)
{
    return dtls_stream_state(e->s);
}

/* Lets time pass to the next deadline; false when there is none. */
bool net_wait(Net *net)
{
    int64_t a = dtls_stream_deadline(net->client.s);
    int64_t b = dtls_stream_deadline(net->server.s);
    int64_t next = a < 0 ? b : b < 0 ? a : MIN(a, b);

    if (next < 0)
        return false;
    clock_us = MAX(clock_us, next);
    dtls_stream_timeout(net->client.s, clock_us, &net->client.sink);
    dtls_stream_timeout(net->server.s, clock_us, &net->server.sink);
    return true;
}

void net_shake(Net *net)
{
    end_feed(&net->client, NULL, 0);
    net_run(net);
    while (net_wait(net))
        net_run(net);
}

void net_assert_open(const Net *net)
{
    if (end_state(&net->client) != TLS_STATE_OPEN || end_state(&net->server) != TLS_STATE_OPEN)
        g_error("client %d: %s; server %d: %s", end_state(&net->client),
                dtls_stream_failure(net->client.s)->text, end_state(&net->server),
                dtls_stream_failure(net->server.s)->text);
}

void end_assert_failed(const End *e, TlsFailureKind kind, const char *text)
{
    g_assert_cmpint(end_state(e), ==, TLS_STATE_FAILED);
    g_assert_cmpint(dtls_stream_failure(e->s)->kind, ==, kind);
    if (!strstr(dtls_stream_failure(e->s)->text, text))
        g_error("failure text is \"%s\"", dtls_stream_failure(e->s)->text);
}

void end_assert_write(End *e, const char *text)
{
    g_assert_true(dtls_stream_write(e->s, span_str(text), &e->sink));
}

void end_assert_got(const End *e, unsigned i, const char *text)
{
    g_assert_cmpuint(i, <, e->got->len);
    g_assert_cmpstr(g_ptr_array_index(e->got, i), ==, text);
}

void fixture_start(Fixture *f, bool server_knows, unsigned mtu)
{
    f->net = (Net){0};
    end_init(&f->net, &f->net.client, TO_SERVER, f->ue_ctx, &f->agw, mtu);
    end_init(&f->net, &f->net.server, TO_CLIENT, f->agw_ctx, server_knows ? &f->ue : NULL, mtu);
}

void fixture_stop(Fixture *f)
{
    end_clear(&f->net.client);
    end_clear(&f->net.server);
}

static void setup_with(Fixture *f, const char *ue, const char *agw)
{
    f->ue_ctx = pair_ctx(ue);
    f->agw_ctx = pair_ctx(agw);
    f->ue = pair_set(ue, FP_SHA256);
    f->agw = pair_set(agw, FP_SHA256);
    fixture_start(f, true, 0);
}

void fixture_setup(Fixture *f, gconstpointer unused)
{
    (void)unused;
    setup_with(f, "ue-ecdsa", "agw-ecdsa");
}

void fixture_setup_rsa(Fixture *f, gconstpointer unused)
{
    (void)unused;
    setup_with(f, "ue-rsa", "agw-rsa");
}

void fixture_teardown(Fixture *f, gconstpointer unused)
{
    (void)unused;
    fixture_stop(f);
    tls_ctx_unref(f->ue_ctx);
    tls_ctx_unref(f->agw_ctx);
}

Fate single_fate(Direction direction, unsigned n, const void *arg)
{
    const Single *one = arg;

    return direction == one->direction && n == one->n ? one->fate : (Fate){.copies = 1};
}

void net_assert_works(Net *net)
{
    net_assert_open(net);
    net->fate = NULL;
    end_assert_write(&net->client, "up");
    end_assert_write(&net->server, "down");
    net_run(net);
    end_assert_got(&net->server, 0, "up");
    end_assert_got(&net->client, 0, "down");
}
