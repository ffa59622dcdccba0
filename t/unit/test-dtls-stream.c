/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls-pair.h"
#include "tls/dtls-stream.h"

#include <sys/time.h>

#define SECOND ((int64_t)G_USEC_PER_SEC)

/*
 * OpenSSL reads the wall clock for its retransmission timer, through this function of the C
 * library. The test puts its own clock in its place, so that time passes when the test says so.
 */
static int64_t clock_us = 1000000 * SECOND;

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    (void)tz;
    tv->tv_sec = clock_us / SECOND;
    tv->tv_usec = clock_us % SECOND;
    return 0;
}

/* ---- two ends and a network between them */

typedef enum Direction { TO_SERVER, TO_CLIENT } Direction;

typedef struct Fate {
    unsigned copies; /* 0 = lost */
    bool late;       /* after the next one */
} Fate;

struct Net;

typedef struct End {
    struct Net *net;
    Direction direction; /* of what it sends */
    DtlsStream *s;
    DtlsSink sink;
    GQueue inbox; /* GBytes */
    GBytes *late; /* for the inbox, after the next one */
    GPtrArray *got;
    unsigned sent;
    size_t longest;
    bool echo;
} End;

typedef struct Net {
    End client;
    End server;
    /* What becomes of the n-th datagram in a direction. */
    Fate (*fate)(Direction direction, unsigned n, const void *arg);
    const void *arg;
} Net;

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

static void end_init(Net *net, End *e, Direction direction, TlsCtx *ctx,
                     const FingerprintSet *expected, unsigned mtu)
{
    *e = (End){.net = net, .direction = direction};
    e->s = dtls_stream_new(ctx, direction == TO_SERVER ? TLS_CLIENT : TLS_SERVER, expected, false,
                           SPAN("192.0.2.1:5000"), mtu);
    e->sink = (DtlsSink){emit_cb, deliver_cb, e};
    e->got = g_ptr_array_new_with_free_func(g_free);
    g_queue_init(&e->inbox);
}

static void end_clear(End *e)
{
    dtls_stream_free(e->s);
    g_ptr_array_unref(e->got);
    g_queue_clear_full(&e->inbox, (GDestroyNotify)g_bytes_unref);
    g_clear_pointer(&e->late, g_bytes_unref);
}

static TlsState end_feed(End *e, const void *data, size_t len)
{
    return dtls_stream_feed(e->s, (Span){data, len}, clock_us, &e->sink);
}

static bool end_receive(End *e)
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

static void run(Net *net)
{
    while (end_receive(&net->server) || end_receive(&net->client))
        ;
}

static TlsState state(const End *e)
{
    return dtls_stream_state(e->s);
}

/* Lets time pass to the next deadline; false when there is none. */
static bool wait_deadline(Net *net)
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

static void shake(Net *net)
{
    end_feed(&net->client, NULL, 0);
    run(net);
    while (wait_deadline(net))
        run(net);
}

static void assert_open(const Net *net)
{
    if (state(&net->client) != TLS_STATE_OPEN || state(&net->server) != TLS_STATE_OPEN)
        g_error("client %d: %s; server %d: %s", state(&net->client),
                dtls_stream_failure(net->client.s)->text, state(&net->server),
                dtls_stream_failure(net->server.s)->text);
}

static void assert_failed(const End *e, TlsFailureKind kind, const char *text)
{
    g_assert_cmpint(state(e), ==, TLS_STATE_FAILED);
    g_assert_cmpint(dtls_stream_failure(e->s)->kind, ==, kind);
    if (!strstr(dtls_stream_failure(e->s)->text, text))
        g_error("failure text is \"%s\"", dtls_stream_failure(e->s)->text);
}

static void assert_write(End *e, const char *text)
{
    g_assert_true(dtls_stream_write(e->s, span_str(text), &e->sink));
}

static void assert_got(const End *e, unsigned i, const char *text)
{
    g_assert_cmpuint(i, <, e->got->len);
    g_assert_cmpstr(g_ptr_array_index(e->got, i), ==, text);
}

typedef struct Fixture {
    TlsCtx *ue_ctx;
    TlsCtx *agw_ctx;
    FingerprintSet ue;
    FingerprintSet agw;
    Net net;
} Fixture;

static void start(Fixture *f, bool server_knows, unsigned mtu)
{
    f->net = (Net){0};
    end_init(&f->net, &f->net.client, TO_SERVER, f->ue_ctx, &f->agw, mtu);
    end_init(&f->net, &f->net.server, TO_CLIENT, f->agw_ctx, server_knows ? &f->ue : NULL, mtu);
}

static void stop(Fixture *f)
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
    start(f, true, 0);
}

static void setup(Fixture *f, gconstpointer unused)
{
    (void)unused;
    setup_with(f, "ue-ecdsa", "agw-ecdsa");
}

static void setup_rsa(Fixture *f, gconstpointer unused)
{
    (void)unused;
    setup_with(f, "ue-rsa", "agw-rsa");
}

static void teardown(Fixture *f, gconstpointer unused)
{
    (void)unused;
    stop(f);
    tls_ctx_unref(f->ue_ctx);
    tls_ctx_unref(f->agw_ctx);
}

/* ---- the handshake */

static void test_handshake(Fixture *f, gconstpointer cipher)
{
    Fingerprint fp;

    g_assert_cmpint((int)dtls_stream_deadline(f->net.client.s), ==, -1);
    shake(&f->net);
    assert_open(&f->net);
    g_assert_cmpstr(dtls_stream_version(f->net.server.s), ==, "DTLSv1.2");
    g_assert_cmpstr(dtls_stream_cipher(f->net.client.s), ==, cipher);
    g_assert_true(dtls_stream_peer_fingerprint(f->net.server.s, FP_SHA256, &fp));
    g_assert_true(fp_eq(&fp, &f->ue.fp[0]));
    g_assert_cmpuint(f->net.client.longest, <=, 1200);
    g_assert_cmpuint(f->net.server.longest, <=, 1200);
    assert_write(&f->net.client, "up");
    assert_write(&f->net.server, "down");
    run(&f->net);
    assert_got(&f->net.server, 0, "up");
    assert_got(&f->net.client, 0, "down");
    g_assert_cmpuint(dtls_stream_ignored(f->net.client.s) + dtls_stream_ignored(f->net.server.s),
                     ==, 0);
}

/* TLS-14: the server answers a stranger with less than it got, keeps no state, and so survives its
 * loss. */
static void test_cookie(Fixture *f, gconstpointer unused)
{
    (void)unused;
    end_feed(&f->net.client, NULL, 0);
    g_assert_cmpuint(f->net.client.sent, ==, 1);
    g_assert_true(end_receive(&f->net.server));
    g_assert_cmpuint(f->net.server.sent, ==, 1);
    g_assert_cmpuint(f->net.server.longest, <=, f->net.client.longest);
    g_assert_cmpint((int)dtls_stream_deadline(f->net.server.s), ==, -1);
    g_queue_clear_full(&f->net.client.inbox, (GDestroyNotify)g_bytes_unref);
    while (wait_deadline(&f->net))
        run(&f->net);
    assert_open(&f->net);
}

/* A ClientHello with the cookie of another address gets a new request, not a handshake. */
static void test_cookie_bound(Fixture *f, gconstpointer unused)
{
    (void)unused;
    end_feed(&f->net.client, NULL, 0);
    end_receive(&f->net.server);
    end_receive(&f->net.client);
    GBytes *hello = g_queue_peek_head(&f->net.server.inbox);
    g_autoptr(DtlsStream) other =
        dtls_stream_new(f->agw_ctx, TLS_SERVER, &f->ue, false, SPAN("192.0.2.2:5000"), 0);
    size_t len;
    const char *data = g_bytes_get_data(hello, &len);
    unsigned sent = f->net.server.sent;

    dtls_stream_feed(other, (Span){data, len}, clock_us, &f->net.server.sink);
    g_assert_cmpuint(f->net.server.sent, ==, sent + 1);
    g_assert_cmpint((int)dtls_stream_deadline(other), ==, -1);
    end_receive(&f->net.server);
    g_assert_cmpuint(f->net.server.sent, >=, sent + 2);
    g_assert_cmpint(dtls_stream_deadline(f->net.server.s), ==, clock_us + SECOND);
}

typedef struct Single {
    Direction direction;
    unsigned n;
    Fate fate;
} Single;

static Fate single_fate(Direction direction, unsigned n, const void *arg)
{
    const Single *one = arg;

    return direction == one->direction && n == one->n ? one->fate : (Fate){.copies = 1};
}

static Fate all_fate(Direction direction, unsigned n, const void *arg)
{
    (void)direction, (void)n;
    return *(const Fate *)arg;
}

static void assert_works(Net *net)
{
    assert_open(net);
    net->fate = NULL;
    assert_write(&net->client, "up");
    assert_write(&net->server, "down");
    run(net);
    assert_got(&net->server, 0, "up");
    assert_got(&net->client, 0, "down");
}

/* TLS-14: each datagram of the handshake in turn meets its fate; until there is no such datagram.
 */
static void test_single(Fixture *f, gconstpointer data)
{
    static const unsigned mtus[] = {1200, 300};

    for (unsigned m = 0; m < G_N_ELEMENTS(mtus); m++)
        for (Direction d = TO_SERVER; d <= TO_CLIENT; d++)
            for (unsigned n = 0;; n++) {
                Single one = {d, n, *(const Fate *)data};
                stop(f);
                start(f, true, mtus[m]);
                f->net.fate = single_fate;
                f->net.arg = &one;
                shake(&f->net);
                unsigned sent = d == TO_SERVER ? f->net.client.sent : f->net.server.sent;
                g_assert_cmpuint(f->net.client.longest, <=, mtus[m]);
                g_assert_cmpuint(f->net.server.longest, <=, mtus[m]);
                assert_works(&f->net);
                if (sent <= n)
                    break;
            }
}

/* A loss on the way to the server, and later one on the way back. */
static void test_two_lost(Fixture *f, gconstpointer unused)
{
    (void)unused;
    for (unsigned n = 0; n < 8; n++)
        for (unsigned later = 0; later < 4; later++) {
            Single one = {TO_SERVER, n, {0}};
            stop(f);
            start(f, true, 700);
            f->net.fate = single_fate;
            f->net.arg = &one;
            end_feed(&f->net.client, NULL, 0);
            run(&f->net);
            one = (Single){TO_CLIENT, f->net.server.sent + later, {0}};
            while (wait_deadline(&f->net))
                run(&f->net);
            assert_works(&f->net);
        }
}

static void test_all(Fixture *f, gconstpointer data)
{
    stop(f);
    start(f, true, 300);
    f->net.fate = all_fate;
    f->net.arg = data;
    shake(&f->net);
    assert_works(&f->net);
}

/* Nobody answers: the timer doubles, and in the end the handshake fails. */
static void test_timeout(Fixture *f, gconstpointer unused)
{
    static const Fate lost = {0};
    int64_t before = clock_us;

    (void)unused;
    f->net.fate = all_fate;
    f->net.arg = &lost;
    end_feed(&f->net.client, NULL, 0);
    g_assert_cmpint(dtls_stream_deadline(f->net.client.s), ==, before + SECOND);
    /* Too early: nothing happens. */
    clock_us += SECOND / 2;
    dtls_stream_timeout(f->net.client.s, clock_us, &f->net.client.sink);
    g_assert_cmpuint(f->net.client.sent, ==, 1);
    g_assert_true(wait_deadline(&f->net));
    g_assert_cmpuint(f->net.client.sent, ==, 2);
    g_assert_cmpint(clock_us, ==, before + SECOND);
    g_assert_cmpint(dtls_stream_deadline(f->net.client.s), ==, before + 3 * SECOND);
    while (wait_deadline(&f->net))
        ;
    assert_failed(&f->net.client, TLS_FAILURE_HANDSHAKE, "read timeout expired");
    g_assert_cmpuint(f->net.client.sent, >=, 10);
    g_assert_cmpint((int)dtls_stream_deadline(f->net.client.s), ==, -1);
}

/* The caller's clock is ahead of OpenSSL's: the deadline moves, nothing is sent twice. */
static void test_clocks_differ(Fixture *f, gconstpointer unused)
{
    int64_t mine = 5 * SECOND;

    (void)unused;
    dtls_stream_feed(f->net.client.s, (Span){0}, mine, &f->net.client.sink);
    g_assert_cmpint(dtls_stream_deadline(f->net.client.s), ==, mine + SECOND);
    clock_us += SECOND - 100000;
    mine += SECOND;
    dtls_stream_timeout(f->net.client.s, mine, &f->net.client.sink);
    g_assert_cmpuint(f->net.client.sent, ==, 1);
    g_assert_cmpint(dtls_stream_deadline(f->net.client.s), ==, mine + 100000);
    clock_us += 100000;
    dtls_stream_timeout(f->net.client.s, mine + 100000, &f->net.client.sink);
    g_assert_cmpuint(f->net.client.sent, ==, 2);
}

/* ---- fingerprints */

static void test_mismatch(Fixture *f, gconstpointer data)
{
    bool server_checks = GPOINTER_TO_INT(data);
    End *checks = server_checks ? &f->net.server : &f->net.client;
    End *refused = server_checks ? &f->net.client : &f->net.server;
    FingerprintSet other = pair_set("other-ecdsa", FP_SHA256);

    dtls_stream_set_fingerprints(checks->s, &other, false, &checks->sink);
    shake(&f->net);
    assert_failed(checks, TLS_FAILURE_FINGERPRINT, "is not signalled");
    assert_failed(refused, TLS_FAILURE_PEER_ALERT, "alert bad_certificate (42) received");
}

static void test_quarantine_match(Fixture *f, gconstpointer unused)
{
    (void)unused;
    stop(f);
    start(f, false, 0);
    shake(&f->net);
    g_assert_cmpint(state(&f->net.server), ==, TLS_STATE_QUARANTINE);
    g_assert_false(dtls_stream_write(f->net.server.s, SPAN("no"), &f->net.server.sink));
    for (unsigned i = 0; i < 10; i++) {
        g_autofree char *text = g_strdup_printf("datagram %u", i);
        assert_write(&f->net.client, text);
    }
    run(&f->net);
    g_assert_cmpuint(f->net.server.got->len, ==, 0);
    g_assert_cmpint(state(&f->net.server), ==, TLS_STATE_QUARANTINE);

    dtls_stream_set_fingerprints(f->net.server.s, &f->ue, false, &f->net.server.sink);
    g_assert_cmpint(state(&f->net.server), ==, TLS_STATE_OPEN);
    g_assert_cmpuint(f->net.server.got->len, ==, 8);
    assert_got(&f->net.server, 0, "datagram 0");
    assert_got(&f->net.server, 7, "datagram 7");
    g_assert_cmpuint(dtls_stream_ignored(f->net.server.s), ==, 2);
    assert_write(&f->net.client, "after");
    run(&f->net);
    assert_got(&f->net.server, 8, "after");
}

static void test_quarantine_mismatch(Fixture *f, gconstpointer unused)
{
    FingerprintSet other = pair_set("other-ecdsa", FP_SHA256);

    (void)unused;
    stop(f);
    start(f, false, 0);
    shake(&f->net);
    assert_write(&f->net.client, "early");
    run(&f->net);
    dtls_stream_set_fingerprints(f->net.server.s, &other, false, &f->net.server.sink);
    assert_failed(&f->net.server, TLS_FAILURE_FINGERPRINT, "is not signalled");
    run(&f->net);
    g_assert_cmpint(state(&f->net.client), ==, TLS_STATE_EOF);
    dtls_stream_set_fingerprints(f->net.server.s, &f->ue, false, &f->net.server.sink);
    g_assert_cmpuint(f->net.server.got->len, ==, 0);
    g_assert_cmpint(state(&f->net.server), ==, TLS_STATE_FAILED);
}

/* The server's last flight is lost while it is in quarantine: it is still sent again. */
static void test_quarantine_lost_flight(Fixture *f, gconstpointer unused)
{
    (void)unused;
    for (unsigned n = 0; n < 8; n++) {
        Single one = {TO_CLIENT, n, {0}};
        stop(f);
        start(f, false, 0);
        f->net.fate = single_fate;
        f->net.arg = &one;
        shake(&f->net);
        g_assert_cmpint(state(&f->net.client), ==, TLS_STATE_OPEN);
        g_assert_cmpint(state(&f->net.server), ==, TLS_STATE_QUARANTINE);
        g_assert_cmpuint(f->net.server.got->len, ==, 0);
    }
}

static void test_quarantine_closed(Fixture *f, gconstpointer unused)
{
    (void)unused;
    stop(f);
    start(f, false, 0);
    shake(&f->net);
    assert_write(&f->net.client, "early");
    dtls_stream_close(f->net.client.s, &f->net.client.sink);
    run(&f->net);
    g_assert_cmpint(state(&f->net.server), ==, TLS_STATE_QUARANTINE);
    g_assert_cmpint(
        dtls_stream_set_fingerprints(f->net.server.s, &f->ue, false, &f->net.server.sink), ==,
        TLS_STATE_EOF);
    assert_got(&f->net.server, 0, "early");
}

static void test_changed_fingerprints(Fixture *f, gconstpointer name)
{
    FingerprintSet set = pair_set(name, FP_SHA384);

    shake(&f->net);
    dtls_stream_set_fingerprints(f->net.server.s, &set, false, &f->net.server.sink);
    if (!strcmp(name, "ue-ecdsa"))
        assert_works(&f->net);
    else
        assert_failed(&f->net.server, TLS_FAILURE_FINGERPRINT, "is not signalled");
}

/* ---- data */

/* DTL-10: one datagram is one datagram, in the order sent. */
static void test_boundaries(Fixture *f, gconstpointer unused)
{
    (void)unused;
    shake(&f->net);
    unsigned sent = f->net.client.sent;
    for (unsigned i = 0; i < 50; i++) {
        g_autofree char *text = g_strnfill(1 + i * 20, (char)('a' + i % 26));
        assert_write(&f->net.client, text);
    }
    g_assert_cmpuint(f->net.client.sent, ==, sent + 50);
    run(&f->net);
    g_assert_cmpuint(f->net.server.got->len, ==, 50);
    for (unsigned i = 0; i < 50; i++) {
        g_autofree char *text = g_strnfill(1 + i * 20, (char)('a' + i % 26));
        assert_got(&f->net.server, i, text);
    }
}

static void test_oversize(Fixture *f, gconstpointer unused)
{
    g_autofree char *data = g_malloc0(2000);
    size_t most = 0;

    (void)unused;
    g_assert_false(dtls_stream_write(f->net.client.s, SPAN("early"), &f->net.client.sink));
    shake(&f->net);
    for (size_t len = 1; len < 2000; len++)
        if (dtls_stream_write(f->net.client.s, (Span){data, len}, &f->net.client.sink))
            most = len;
    g_assert_cmpuint(most, >=, 1200 - 64);
    g_assert_cmpuint(f->net.client.longest, <=, 1200);
    g_assert_cmpuint(f->net.client.longest, >=, 1200 - 16);
    g_assert_false(dtls_stream_write(f->net.client.s, (Span){data, 0}, &f->net.client.sink));
    assert_open(&f->net);
}

static void test_replay(Fixture *f, gconstpointer unused)
{
    (void)unused;
    shake(&f->net);
    assert_write(&f->net.client, "once");
    assert_write(&f->net.client, "twice");
    g_autoptr(GBytes) first = g_bytes_ref(g_queue_peek_head(&f->net.server.inbox));
    run(&f->net);
    size_t len;
    const void *data = g_bytes_get_data(first, &len);
    for (unsigned i = 0; i < 3; i++)
        end_feed(&f->net.server, data, len);
    g_assert_cmpuint(f->net.server.got->len, ==, 2);
    g_assert_cmpuint(dtls_stream_ignored(f->net.server.s), ==, 3);
}

static void test_reordered_data(Fixture *f, gconstpointer unused)
{
    Single one = {TO_SERVER, 0, {.copies = 1, .late = true}};

    (void)unused;
    shake(&f->net);
    one.n = f->net.client.sent;
    f->net.fate = single_fate;
    f->net.arg = &one;
    assert_write(&f->net.client, "first");
    assert_write(&f->net.client, "second");
    run(&f->net);
    assert_got(&f->net.server, 0, "second");
    assert_got(&f->net.server, 1, "first");
}

static void test_echo(Fixture *f, gconstpointer unused)
{
    (void)unused;
    f->net.server.echo = true;
    shake(&f->net);
    assert_write(&f->net.client, "ping");
    assert_write(&f->net.client, "pong");
    run(&f->net);
    assert_got(&f->net.client, 0, "ping");
    assert_got(&f->net.client, 1, "pong");
}

static const Span garbage[] = {
    {"", 0},
    {"\x16", 1},
    {"GET / HTTP/1.1\r\n\r\n", 18},
    {"\x00\x01\x00\x00\x21\x12\xa4\x42"
     "0123456789ab",
     20}, /* STUN */
    {"\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x09\x00\x20"
     "0123456789abcdef0123456789abcdef",
     45},
    {"\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x09\x40\x20", 13}, /* longer than it is */
    {"\x17\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x09\x00\x04"
     "text",
     17},                                                                 /* in clear */
    {"\x15\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x09\x00\x02\x02\x28", 15}, /* an alert in clear */
    {"\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x09\x00\x00", 13},
    {"\x16\xfe\xfd\x00\x05\x00\x00\x00\x00\x00\x09\x00\x04"
     "text",
     17}, /* an epoch to come */
};

/* Whatever a stranger sends to an open association, nothing comes of it. */
static void test_garbage_open(Fixture *f, gconstpointer unused)
{
    (void)unused;
    shake(&f->net);
    unsigned sent = f->net.server.sent;
    for (unsigned i = 0; i < G_N_ELEMENTS(garbage); i++)
        end_feed(&f->net.server, garbage[i].p, garbage[i].len);
    g_assert_cmpuint(f->net.server.got->len, ==, 0);
    g_assert_cmpuint(f->net.server.sent, ==, sent);
    g_assert_cmpuint(dtls_stream_ignored(f->net.server.s), ==, G_N_ELEMENTS(garbage) - 1);
    assert_works(&f->net);
}

/* Nor before the handshake: the cookie comes first. */
static void test_garbage_listening(Fixture *f, gconstpointer unused)
{
    (void)unused;
    for (unsigned i = 0; i < G_N_ELEMENTS(garbage); i++)
        end_feed(&f->net.server, garbage[i].p, garbage[i].len);
    g_assert_cmpuint(f->net.server.sent, ==, 0);
    shake(&f->net);
    assert_works(&f->net);
}

/* A tampered record is ignored, and does not spoil the next. */
static void test_tampered(Fixture *f, gconstpointer unused)
{
    (void)unused;
    shake(&f->net);
    assert_write(&f->net.client, "text");
    size_t len;
    const char *data = g_bytes_get_data(g_queue_peek_head(&f->net.server.inbox), &len);
    g_autofree char *copy = g_memdup2(data, len);
    for (size_t i = 0; i < len; i++) {
        copy[i] ^= 1;
        end_feed(&f->net.server, copy, len);
        copy[i] ^= 1;
    }
    g_assert_cmpuint(f->net.server.got->len, ==, 0);
    run(&f->net);
    assert_got(&f->net.server, 0, "text");
}

static void test_close(Fixture *f, gconstpointer unused)
{
    (void)unused;
    shake(&f->net);
    dtls_stream_close(f->net.client.s, &f->net.client.sink);
    unsigned sent = f->net.client.sent;
    dtls_stream_close(f->net.client.s, &f->net.client.sink);
    g_assert_cmpuint(f->net.client.sent, ==, sent);
    g_assert_false(dtls_stream_write(f->net.client.s, SPAN("more"), &f->net.client.sink));
    run(&f->net);
    g_assert_cmpint(state(&f->net.server), ==, TLS_STATE_EOF);
    g_assert_cmpint(dtls_stream_failure(f->net.server.s)->kind, ==, TLS_FAILURE_NONE);
}

/* ---- a new handshake on the same pair of addresses (TLS-15) */

static void test_client_hello(Fixture *f, gconstpointer unused)
{
    size_t len;

    (void)unused;
    end_feed(&f->net.client, NULL, 0);
    const char *data = g_bytes_get_data(g_queue_peek_head(&f->net.server.inbox), &len);
    g_assert_true(dtls_is_client_hello((Span){data, len}));
    g_assert_false(dtls_is_client_hello((Span){data, 24}));
    static const size_t telling[] = {0, 1, 3, 4, 13, 19, 20, 21};
    for (unsigned i = 0; i < G_N_ELEMENTS(telling); i++) {
        g_autofree char *copy = g_memdup2(data, len);
        copy[telling[i]] ^= 1;
        g_assert_false(dtls_is_client_hello((Span){copy, len}));
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(garbage); i++)
        g_assert_false(dtls_is_client_hello(garbage[i]));
}

/* The old association ignores the new one's handshake and goes on. */
static void test_second_handshake(Fixture *f, gconstpointer unused)
{
    Net second = {0};

    (void)unused;
    shake(&f->net);
    end_init(&second, &second.client, TO_SERVER, f->ue_ctx, &f->agw, 0);
    end_init(&second, &second.server, TO_CLIENT, f->agw_ctx, &f->ue, 0);
    end_feed(&second.client, NULL, 0);
    do {
        GBytes *bytes = g_queue_peek_head(&second.server.inbox);
        if (bytes)
            end_feed(&f->net.server, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    } while (end_receive(&second.server) || end_receive(&second.client));
    assert_works(&second);
    assert_works(&f->net);
    end_clear(&second.client);
    end_clear(&second.server);
}

int main(int argc, char **argv)
{
    static const Fate lost = {.copies = 0};
    static const Fate twice = {.copies = 2};
    static const Fate late = {.copies = 1, .late = true};

    g_test_init(&argc, &argv, NULL);
#define ECDSA(path, data, func)                                                                    \
    g_test_add("/dtls/stream/" path, Fixture, data, setup, func, teardown)
#define RSA_(path, data, func)                                                                     \
    g_test_add("/dtls/stream/" path, Fixture, data, setup_rsa, func, teardown)
    ECDSA("handshake-ecdsa", "ECDHE-ECDSA-AES128-GCM-SHA256", test_handshake);
    RSA_("TLS-07/handshake-rsa", "ECDHE-RSA-AES128-GCM-SHA256", test_handshake);
    ECDSA("TLS-14/cookie-is-stateless", NULL, test_cookie);
    ECDSA("TLS-14/cookie-is-bound-to-address", NULL, test_cookie_bound);
    RSA_("TLS-14/each-lost", &lost, test_single);
    RSA_("TLS-14/each-twice", &twice, test_single);
    RSA_("TLS-14/each-late", &late, test_single);
    ECDSA("TLS-14/each-lost-ecdsa", &lost, test_single);
    RSA_("TLS-14/two-lost", NULL, test_two_lost);
    RSA_("TLS-14/all-twice", &twice, test_all);
    RSA_("TLS-14/all-swapped", &late, test_all);
    ECDSA("TLS-14/timeout", NULL, test_timeout);
    ECDSA("TLS-14/clocks-differ", NULL, test_clocks_differ);
    ECDSA("DTL-16/server-refuses", GINT_TO_POINTER(1), test_mismatch);
    ECDSA("DTL-16/client-refuses", GINT_TO_POINTER(0), test_mismatch);
    ECDSA("TRK-10/quarantine-match", NULL, test_quarantine_match);
    ECDSA("TRK-10/quarantine-mismatch", NULL, test_quarantine_mismatch);
    ECDSA("TRK-10/quarantine-lost-flight", NULL, test_quarantine_lost_flight);
    ECDSA("TRK-10/quarantine-closed", NULL, test_quarantine_closed);
    ECDSA("TRK-13/changed-still-matches", "ue-ecdsa", test_changed_fingerprints);
    ECDSA("TRK-13/changed-does-not-match", "other-ecdsa", test_changed_fingerprints);
    ECDSA("DTL-10/boundaries", NULL, test_boundaries);
    ECDSA("DTL-10/oversize", NULL, test_oversize);
    ECDSA("replayed-records-are-dropped", NULL, test_replay);
    ECDSA("reordered-data", NULL, test_reordered_data);
    ECDSA("write-inside-deliver", NULL, test_echo);
    ECDSA("garbage/open", NULL, test_garbage_open);
    ECDSA("garbage/listening", NULL, test_garbage_listening);
    ECDSA("garbage/tampered", NULL, test_tampered);
    ECDSA("close", NULL, test_close);
    ECDSA("TLS-15/client-hello", NULL, test_client_hello);
    ECDSA("TLS-15/second-handshake", NULL, test_second_handshake);
    return g_test_run();
}
