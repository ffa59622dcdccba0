/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls-end.h"

#define UE  "ue-ecdsa"
#define AGW "agw-ecdsa"

/* ---- two ends under test, joined */

typedef struct Fixture {
    TlsCtx *ue_ctx;
    TlsCtx *agw_ctx;
    FingerprintSet ue;
    FingerprintSet agw;
    End client; /* the UE */
    End server; /* we */
} Fixture;

static void setup(Fixture *f, gconstpointer unused)
{
    (void)unused;
    f->ue_ctx = pair_ctx(UE);
    f->agw_ctx = pair_ctx(AGW);
    f->ue = pair_set(UE, FP_SHA256);
    f->agw = pair_set(AGW, FP_SHA256);
    end_init(&f->client, f->ue_ctx, TLS_CLIENT, &f->agw);
    end_init(&f->server, f->agw_ctx, TLS_SERVER, &f->ue);
}

static void teardown(Fixture *f, gconstpointer unused)
{
    (void)unused;
    end_clear(&f->client);
    end_clear(&f->server);
    tls_ctx_unref(f->ue_ctx);
    tls_ctx_unref(f->agw_ctx);
}

/* New ends, the server without fingerprints. */
static void start_unknown(Fixture *f)
{
    end_clear(&f->server);
    end_init(&f->server, f->agw_ctx, TLS_SERVER, NULL);
}

static void assert_open(const Fixture *f)
{
    g_assert_cmpint(end_state(&f->client), ==, TLS_STATE_OPEN);
    g_assert_cmpint(end_state(&f->server), ==, TLS_STATE_OPEN);
}

/* Any chunk size from a byte on, which puts a boundary between any two bytes. */
static void test_chunks(Fixture *f, gconstpointer unused)
{
    for (size_t chunk = 1; chunk < 40; chunk++) {
        end_join(&f->client, &f->server, chunk);
        assert_open(f);
        g_assert_true(tls_stream_write(f->client.s, SPAN("MSRP a SEND\r\n"), &f->client.out));
        end_feed(&f->server, &f->client.out, chunk);
        end_assert_plain(&f->server.plain, "MSRP a SEND\r\n");
        teardown(f, unused);
        setup(f, unused);
    }
}

/* The client's first flight and its second, cut in two at every byte. */
static void test_every_cut(Fixture *f, gconstpointer unused)
{
    for (size_t cut = 1;; cut++) {
        bool cut_used = false;
        tls_stream_feed(f->client.s, (Span){0}, &f->client.plain, &f->client.out);
        while (buf_len(&f->client.out) > 0) {
            if (buf_len(&f->client.out) > cut) {
                cut_used = true;
                tls_stream_feed(f->server.s, span_head(buf_span(&f->client.out), cut),
                                &f->server.plain, &f->server.out);
                buf_consume(&f->client.out, cut);
            }
            end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
            end_feed(&f->client, &f->server.out, TLS_FEED_MAX);
        }
        assert_open(f);
        if (!cut_used)
            break;
        teardown(f, unused);
        setup(f, unused);
    }
}

static void fill_pattern(char *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        data[i] = (char)(i * 7 % 253);
}

/* The most that one write takes crosses in full, and comes out whole also when @plain is small. */
static void test_bulk(Fixture *f, gconstpointer unused)
{
    g_autofree char *data = g_malloc(TLS_WRITE_MAX);
    g_autofree char *got = g_malloc(TLS_WRITE_MAX);
    size_t n = 0;

    (void)unused;
    fill_pattern(data, TLS_WRITE_MAX);
    end_join(&f->client, &f->server, TLS_FEED_MAX);
    g_assert_true(tls_stream_write(f->client.s, (Span){data, TLS_WRITE_MAX}, &f->client.out));
    g_assert_cmpuint(buf_len(&f->client.out), <=, TLS_WRITE_MAX + TLS_WRITE_OVERHEAD);
    buf_clear(&f->server.plain);
    buf_init(&f->server.plain, 1000);
    Span first = span_head(buf_span(&f->client.out), TLS_FEED_MAX);
    tls_stream_feed(f->server.s, first, &f->server.plain, &f->server.out);
    buf_consume(&f->client.out, first.len);
    g_assert_true(tls_stream_pending(f->server.s));
    while (n < TLS_WRITE_MAX) {
        size_t len = buf_len(&f->server.plain);
        memcpy(got + n, buf_span(&f->server.plain).p, len);
        buf_consume(&f->server.plain, len);
        n += len;
        if (tls_stream_pending(f->server.s))
            tls_stream_feed(f->server.s, (Span){0}, &f->server.plain, &f->server.out);
        else
            end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    }
    g_assert_cmpuint(n, ==, TLS_WRITE_MAX);
    g_assert_true(memcmp(got, data, n) == 0);
    g_assert_false(tls_stream_pending(f->server.s));
    assert_open(f);
}

static void test_write_refused(Fixture *f, gconstpointer unused)
{
    Buf small;

    (void)unused;
    g_assert_false(tls_stream_write(f->client.s, SPAN("early"), &f->client.out));
    g_assert_cmpuint(buf_len(&f->client.out), ==, 0);
    end_join(&f->client, &f->server, TLS_FEED_MAX);
    buf_init(&small, 4 + TLS_WRITE_OVERHEAD);
    g_assert_false(tls_stream_write(f->client.s, SPAN("12345"), &small));
    g_assert_true(tls_stream_write(f->client.s, SPAN("1234"), &small));
    size_t len = buf_len(&small);
    g_assert_true(tls_stream_write(f->client.s, SPAN(""), &small));
    g_assert_cmpuint(buf_len(&small), ==, len);
    buf_clear(&small);
    assert_open(f);
}

/* TLS-12: a TLS 1.3 server has said all it has to say long before it is OPEN, and writes nothing
 * until then. */
static void test_server_waits(Fixture *f, gconstpointer unused)
{
    (void)unused;
    tls_stream_feed(f->client.s, (Span){0}, &f->client.plain, &f->client.out);
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    g_assert_cmpint(end_state(&f->server), ==, TLS_STATE_HANDSHAKE);
    g_assert_false(tls_stream_write(f->server.s, SPAN("secret"), &f->server.out));
    end_feed(&f->client, &f->server.out, TLS_FEED_MAX);
    g_assert_cmpint(end_state(&f->client), ==, TLS_STATE_OPEN);
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    g_assert_true(tls_stream_write(f->server.s, SPAN("secret"), &f->server.out));
    end_feed(&f->client, &f->server.out, TLS_FEED_MAX);
    end_assert_plain(&f->client.plain, "secret");
}

/* TLS-12: the client believed itself connected; the server's verdict on its certificate comes
 * later. */
static void test_late_alert(Fixture *f, gconstpointer unused)
{
    (void)unused;
    end_clear(&f->server);
    FingerprintSet other = pair_set("other-ecdsa", FP_SHA256);
    end_init(&f->server, f->agw_ctx, TLS_SERVER, &other);
    tls_stream_feed(f->client.s, (Span){0}, &f->client.plain, &f->client.out);
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    end_feed(&f->client, &f->server.out, TLS_FEED_MAX);
    g_assert_cmpint(end_state(&f->client), ==, TLS_STATE_OPEN);
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    end_assert_failed(&f->server, TLS_FAILURE_FINGERPRINT, "is not signalled");
    end_feed(&f->client, &f->server.out, TLS_FEED_MAX);
    end_assert_failed(&f->client, TLS_FAILURE_PEER_ALERT, "alert bad_certificate (42) received");
}

/* ---- quarantine (TRK-10) */

static void test_quarantine_match(Fixture *f, gconstpointer unused)
{
    (void)unused;
    start_unknown(f);
    end_join(&f->client, &f->server, TLS_FEED_MAX);
    g_assert_cmpint(end_state(&f->server), ==, TLS_STATE_QUARANTINE);
    g_assert_cmpint(end_state(&f->client), ==, TLS_STATE_OPEN);
    g_assert_true(tls_stream_write(f->client.s, SPAN("early "), &f->client.out));
    g_assert_true(tls_stream_write(f->client.s, SPAN("bird"), &f->client.out));
    end_feed(&f->server, &f->client.out, 11);
    g_assert_cmpint(end_state(&f->server), ==, TLS_STATE_QUARANTINE);
    g_assert_cmpuint(buf_len(&f->server.plain), ==, 0);
    g_assert_false(tls_stream_write(f->server.s, SPAN("no"), &f->server.out));
    g_assert_cmpuint(buf_len(&f->server.out), ==, 0);
    g_assert_true(tls_stream_pending(f->server.s));

    g_assert_cmpint(tls_stream_set_fingerprints(f->server.s, &f->ue, false, &f->server.out), ==,
                    TLS_STATE_OPEN);
    g_assert_cmpuint(buf_len(&f->server.plain), ==, 0);
    tls_stream_feed(f->server.s, (Span){0}, &f->server.plain, &f->server.out);
    end_assert_plain(&f->server.plain, "early bird");
    g_assert_false(tls_stream_pending(f->server.s));
    assert_open(f);
}

/* The client's Finished and its first bytes in one feed: the bytes wait all the same. */
static void test_quarantine_same_feed(Fixture *f, gconstpointer unused)
{
    (void)unused;
    start_unknown(f);
    tls_stream_feed(f->client.s, (Span){0}, &f->client.plain, &f->client.out);
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    end_feed(&f->client, &f->server.out, TLS_FEED_MAX);
    g_assert_true(tls_stream_write(f->client.s, SPAN("early bird"), &f->client.out));
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    g_assert_cmpint(end_state(&f->server), ==, TLS_STATE_QUARANTINE);
    g_assert_cmpuint(buf_len(&f->server.plain), ==, 0);
    tls_stream_set_fingerprints(f->server.s, &f->ue, false, &f->server.out);
    /* New bytes come after those held back. */
    g_assert_true(tls_stream_write(f->client.s, SPAN(" sings"), &f->client.out));
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    end_assert_plain(&f->server.plain, "early bird sings");
}

static void test_quarantine_mismatch(Fixture *f, gconstpointer unused)
{
    FingerprintSet other = pair_set("other-ecdsa", FP_SHA256);

    (void)unused;
    start_unknown(f);
    end_join(&f->client, &f->server, TLS_FEED_MAX);
    g_assert_true(tls_stream_write(f->client.s, SPAN("early bird"), &f->client.out));
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    g_assert_cmpint(tls_stream_set_fingerprints(f->server.s, &other, false, &f->server.out), ==,
                    TLS_STATE_FAILED);
    end_assert_failed(&f->server, TLS_FAILURE_FINGERPRINT, "is not signalled");
    end_feed(&f->client, &f->server.out, TLS_FEED_MAX);
    g_assert_cmpint(end_state(&f->client), ==, TLS_STATE_EOF);
    /* The right ones come too late. */
    tls_stream_set_fingerprints(f->server.s, &f->ue, false, &f->server.out);
    tls_stream_feed(f->server.s, (Span){0}, &f->server.plain, &f->server.out);
    g_assert_cmpint(end_state(&f->server), ==, TLS_STATE_FAILED);
    g_assert_cmpuint(buf_len(&f->server.plain), ==, 0);
}

/* The set arrives between the peer's certificate and the end of the handshake: no gap between the
 * two checks. */
static void test_set_during_handshake(Fixture *f, gconstpointer data)
{
    bool good = GPOINTER_TO_INT(data);
    FingerprintSet other = pair_set("other-ecdsa", FP_SHA256);

    start_unknown(f);
    tls_stream_feed(f->client.s, (Span){0}, &f->client.plain, &f->client.out);
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    end_feed(&f->client, &f->server.out, TLS_FEED_MAX);
    size_t all = buf_len(&f->client.out);
    while (buf_len(&f->client.out) > 5) {
        Span byte = span_head(buf_span(&f->client.out), 1);
        tls_stream_feed(f->server.s, byte, &f->server.plain, &f->server.out);
        buf_consume(&f->client.out, 1);
    }
    g_assert_cmpuint(all, >, 400); /* the certificate was in there */
    g_assert_cmpint(end_state(&f->server), ==, TLS_STATE_HANDSHAKE);
    tls_stream_set_fingerprints(f->server.s, good ? &f->ue : &other, false, &f->server.out);
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    if (good)
        assert_open(f);
    else
        end_assert_failed(&f->server, TLS_FAILURE_FINGERPRINT, "is not signalled");
}

static void test_quarantine_bound(Fixture *f, gconstpointer unused)
{
    g_autofree char *data = g_malloc0(TLS_WRITE_MAX);

    (void)unused;
    start_unknown(f);
    end_join(&f->client, &f->server, TLS_FEED_MAX);
    g_assert_true(tls_stream_write(f->client.s, (Span){data, TLS_WRITE_MAX}, &f->client.out));
    end_feed(&f->server, &f->client.out, 1000);
    end_assert_failed(&f->server, TLS_FAILURE_RECORD, "too many bytes");
    g_assert_cmpuint(buf_len(&f->server.plain), ==, 0);
}

/* An empty set says nothing: quarantine stays. */
static void test_quarantine_empty_set(Fixture *f, gconstpointer unused)
{
    (void)unused;
    start_unknown(f);
    end_join(&f->client, &f->server, TLS_FEED_MAX);
    g_assert_cmpint(tls_stream_set_fingerprints(f->server.s, NULL, false, &f->server.out), ==,
                    TLS_STATE_QUARANTINE);
}

static void test_changed_fingerprints(Fixture *f, gconstpointer data)
{
    const char *name = data;
    FingerprintSet set = name ? pair_set(name, FP_SHA512) : (FingerprintSet){0};
    bool stays = !g_strcmp0(name, UE);

    end_join(&f->client, &f->server, TLS_FEED_MAX);
    tls_stream_set_fingerprints(f->server.s, &set, false, &f->server.out);
    if (stays)
        assert_open(f);
    else
        end_assert_failed(&f->server, TLS_FAILURE_FINGERPRINT, "is not signalled");
}

/* ---- the end */

static void test_close(Fixture *f, gconstpointer data)
{
    bool server_first = GPOINTER_TO_INT(data);
    end_join(&f->client, &f->server, TLS_FEED_MAX);
    End *a = server_first ? &f->server : &f->client;
    End *b = server_first ? &f->client : &f->server;

    g_assert_true(tls_stream_write(a->s, SPAN("last words"), &a->out));
    tls_stream_close(a->s, &a->out);
    size_t len = buf_len(&a->out);
    tls_stream_close(a->s, &a->out);
    g_assert_cmpuint(buf_len(&a->out), ==, len);
    g_assert_false(tls_stream_write(a->s, SPAN("more"), &a->out));
    end_feed(b, &a->out, TLS_FEED_MAX);
    end_assert_plain(&b->plain, "last words");
    g_assert_cmpint(end_state(b), ==, TLS_STATE_EOF);
    g_assert_cmpint(tls_stream_feed_eof(b->s), ==, TLS_STATE_EOF);
    /* The other direction is still open. */
    g_assert_true(tls_stream_write(b->s, SPAN("the answer"), &b->out));
    tls_stream_close(b->s, &b->out);
    end_feed(a, &b->out, TLS_FEED_MAX);
    end_assert_plain(&a->plain, "the answer");
    g_assert_cmpint(end_state(a), ==, TLS_STATE_EOF);
    g_assert_cmpint(tls_stream_failure(a->s)->kind, ==, TLS_FAILURE_NONE);
}

/* A server of TLS 1.3 sends tickets as soon as it has our Finished; data and the end may come with
 * them. */
static void test_after_tickets(Fixture *f, gconstpointer unused)
{
    g_autoptr(Raw) raw = raw_new(true, AGW, TLS1_3_VERSION);
    Buf plain, to_us;

    (void)unused;
    buf_init(&plain, 1000);
    buf_init(&to_us, 64 * 1024);
    tls_stream_feed(f->client.s, (Span){0}, &f->client.plain, &f->client.out);
    while (!raw->done || end_state(&f->client) != TLS_STATE_OPEN) {
        raw_feed(raw, buf_span(&f->client.out), &plain, &to_us);
        buf_consume(&f->client.out, buf_len(&f->client.out));
        if (!raw->done)
            end_feed(&f->client, &to_us, TLS_FEED_MAX);
    }
    raw_write(raw, SPAN("from the peer"), &to_us);
    SSL_shutdown(raw->ssl);
    raw_flush(raw, &to_us);
    end_feed(&f->client, &to_us, TLS_FEED_MAX); /* all of it at once */
    end_assert_plain(&f->client.plain, "from the peer");
    g_assert_cmpint(end_state(&f->client), ==, TLS_STATE_EOF);
    buf_clear(&plain);
    buf_clear(&to_us);
}

static void test_truncated(Fixture *f, gconstpointer unused)
{
    (void)unused;
    end_join(&f->client, &f->server, TLS_FEED_MAX);
    tls_stream_feed_eof(f->server.s);
    end_assert_failed(&f->server, TLS_FAILURE_TRUNCATED, "without close_notify");
    /* Bytes after that are not looked at. */
    g_assert_true(tls_stream_write(f->client.s, SPAN("late"), &f->client.out));
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    g_assert_cmpuint(buf_len(&f->server.plain), ==, 0);
}

static void test_truncated_handshake(Fixture *f, gconstpointer unused)
{
    (void)unused;
    tls_stream_feed(f->client.s, (Span){0}, &f->client.plain, &f->client.out);
    tls_stream_feed_eof(f->client.s);
    end_assert_failed(&f->client, TLS_FAILURE_TRUNCATED, "during the handshake");
    tls_stream_close(f->server.s, &f->server.out);
    g_assert_cmpuint(buf_len(&f->server.out), ==, 0);
}

/* A flipped bit is fatal, what came before it is delivered. */
static void test_bad_record(Fixture *f, gconstpointer unused)
{
    (void)unused;
    end_join(&f->client, &f->server, TLS_FEED_MAX);
    g_assert_true(tls_stream_write(f->client.s, SPAN("good"), &f->client.out));
    g_assert_true(tls_stream_write(f->client.s, SPAN("bad"), &f->client.out));
    f->client.out.data[f->client.out.end - 1] ^= 1;
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    end_assert_failed(&f->server, TLS_FAILURE_RECORD, "bad record mac");
    end_assert_plain(&f->server.plain, "good");
    end_feed(&f->client, &f->server.out, TLS_FEED_MAX);
    end_assert_failed(&f->client, TLS_FAILURE_PEER_ALERT, "alert bad_record_mac (20) received");
}

static void test_no_room_to_answer(Fixture *f, gconstpointer unused)
{
    (void)unused;
    tls_stream_feed(f->client.s, (Span){0}, &f->client.plain, &f->client.out);
    buf_clear(&f->server.out);
    buf_init(&f->server.out, 10);
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    end_assert_failed(&f->server, TLS_FAILURE_HANDSHAKE, "no room to answer");
    teardown(f, unused);
    setup(f, unused);
    end_join(&f->client, &f->server, TLS_FEED_MAX);
    buf_clear(&f->server.out);
    buf_init(&f->server.out, 10);
    tls_stream_feed(f->server.s, SPAN("\x17\x03\x03\x00\x13 not what was agreed"), &f->server.plain,
                    &f->server.out);
    end_assert_failed(&f->server, TLS_FAILURE_RECORD, "");
    g_assert_cmpuint(buf_len(&f->server.out), ==, 0);
}

static void test_closed_in_handshake(Fixture *f, gconstpointer unused)
{
    (void)unused;
    tls_stream_feed(f->client.s, (Span){0}, &f->client.plain, &f->client.out);
    tls_stream_feed(f->client.s, SPAN("\x15\x03\x03\x00\x02\x01\x00"), &f->client.plain,
                    &f->client.out);
    end_assert_failed(&f->client, TLS_FAILURE_PEER_ALERT, "alert close_notify (0) received");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define JOINED(path, data, func) g_test_add(path, Fixture, data, setup, func, teardown)
    JOINED("/tls/stream/chunks", NULL, test_chunks);
    JOINED("/tls/stream/every-cut", NULL, test_every_cut);
    JOINED("/tls/stream/bulk", NULL, test_bulk);
    JOINED("/tls/stream/write-refused", NULL, test_write_refused);
    JOINED("/tls/stream/TLS-12/server-waits-for-certificate", NULL, test_server_waits);
    JOINED("/tls/stream/TLS-12/late-alert-is-a-failure", NULL, test_late_alert);
    JOINED("/tls/stream/TRK-10/quarantine-match", NULL, test_quarantine_match);
    JOINED("/tls/stream/TRK-10/quarantine-same-feed", NULL, test_quarantine_same_feed);
    JOINED("/tls/stream/TRK-10/quarantine-mismatch", NULL, test_quarantine_mismatch);
    JOINED("/tls/stream/TRK-10/quarantine-bound", NULL, test_quarantine_bound);
    JOINED("/tls/stream/TRK-10/quarantine-empty-set", NULL, test_quarantine_empty_set);
    JOINED("/tls/stream/TRK-10/match-set-during-handshake", GINT_TO_POINTER(1),
           test_set_during_handshake);
    JOINED("/tls/stream/TRK-10/mismatch-set-during-handshake", GINT_TO_POINTER(0),
           test_set_during_handshake);
    JOINED("/tls/stream/TRK-13/changed-still-matches", UE, test_changed_fingerprints);
    JOINED("/tls/stream/TRK-13/changed-does-not-match", "other-ecdsa", test_changed_fingerprints);
    JOINED("/tls/stream/TRK-13/withdrawn", NULL, test_changed_fingerprints);
    JOINED("/tls/stream/TRK-23/client-closes-first", GINT_TO_POINTER(0), test_close);
    JOINED("/tls/stream/TRK-23/server-closes-first", GINT_TO_POINTER(1), test_close);
    JOINED("/tls/stream/TRK-23/data-and-close-behind-tickets", NULL, test_after_tickets);
    JOINED("/tls/stream/TRK-23/truncated", NULL, test_truncated);
    JOINED("/tls/stream/TRK-23/truncated-handshake", NULL, test_truncated_handshake);
    JOINED("/tls/stream/bad-record", NULL, test_bad_record);
    JOINED("/tls/stream/no-room-to-answer", NULL, test_no_room_to_answer);
    JOINED("/tls/stream/closed-in-handshake", NULL, test_closed_in_handshake);
    return g_test_run();
}
