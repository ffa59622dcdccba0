/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dtls-net.h"
#include "tls/tls-internal.h"

/* ---- fingerprints */

static void test_mismatch(Fixture *f, gconstpointer data)
{
    bool server_checks = GPOINTER_TO_INT(data);
    End *checks = server_checks ? &f->net.server : &f->net.client;
    End *refused = server_checks ? &f->net.client : &f->net.server;
    FingerprintSet other = pair_set("other-ecdsa", FP_SHA256);

    dtls_stream_set_fingerprints(checks->s, &other, false, &checks->sink);
    net_shake(&f->net);
    end_assert_failed(checks, TLS_FAILURE_FINGERPRINT, "is not signalled");
    end_assert_failed(refused, TLS_FAILURE_PEER_ALERT, "alert bad_certificate (42) received");
}

static void test_quarantine_match(Fixture *f, gconstpointer unused)
{
    (void)unused;
    fixture_stop(f);
    fixture_start(f, false, 0);
    net_shake(&f->net);
    g_assert_cmpint(end_state(&f->net.server), ==, TLS_STATE_QUARANTINE);
    g_assert_false(dtls_stream_write(f->net.server.s, SPAN("no"), &f->net.server.sink));
    for (unsigned i = 0; i < 10; i++) {
        g_autofree char *text = g_strdup_printf("datagram %u", i);
        end_assert_write(&f->net.client, text);
    }
    net_run(&f->net);
    g_assert_cmpuint(f->net.server.got->len, ==, 0);
    g_assert_cmpint(end_state(&f->net.server), ==, TLS_STATE_QUARANTINE);

    dtls_stream_set_fingerprints(f->net.server.s, &f->ue, false, &f->net.server.sink);
    g_assert_cmpint(end_state(&f->net.server), ==, TLS_STATE_OPEN);
    g_assert_cmpuint(f->net.server.got->len, ==, 8);
    end_assert_got(&f->net.server, 0, "datagram 0");
    end_assert_got(&f->net.server, 7, "datagram 7");
    g_assert_cmpuint(dtls_stream_ignored(f->net.server.s), ==, 2);
    end_assert_write(&f->net.client, "after");
    net_run(&f->net);
    end_assert_got(&f->net.server, 8, "after");
}

static void test_quarantine_mismatch(Fixture *f, gconstpointer unused)
{
    FingerprintSet other = pair_set("other-ecdsa", FP_SHA256);

    (void)unused;
    fixture_stop(f);
    fixture_start(f, false, 0);
    net_shake(&f->net);
    end_assert_write(&f->net.client, "early");
    net_run(&f->net);
    dtls_stream_set_fingerprints(f->net.server.s, &other, false, &f->net.server.sink);
    end_assert_failed(&f->net.server, TLS_FAILURE_FINGERPRINT, "is not signalled");
    net_run(&f->net);
    g_assert_cmpint(end_state(&f->net.client), ==, TLS_STATE_EOF);
    dtls_stream_set_fingerprints(f->net.server.s, &f->ue, false, &f->net.server.sink);
    g_assert_cmpuint(f->net.server.got->len, ==, 0);
    g_assert_cmpint(end_state(&f->net.server), ==, TLS_STATE_FAILED);
}

/*
 * DTL-14, TLS-11: a peer that wants new keys is told no in the old ones, and goes on being served: nothing is shaken
 * again, so no certificate is shown that nobody has signalled.
 */
static void test_renegotiation(Fixture *f, gconstpointer data)
{
    End *asks = GPOINTER_TO_INT(data) ? &f->net.server : &f->net.client;
    End *refuses = GPOINTER_TO_INT(data) ? &f->net.client : &f->net.server;
    SSL *ssl = ((TlsConn *)asks->s)->ssl; /* the stream itself never begins one */

    net_shake(&f->net);
    net_assert_open(&f->net);
    unsigned sent = refuses->sent;
    SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
    g_assert_true(SSL_renegotiate(ssl));
    dtls_stream_write(asks->s, SPAN("anew"), &asks->sink);
    while (end_receive(refuses))
        continue;
    g_assert_cmpint(end_state(refuses), ==, TLS_STATE_OPEN);
    g_assert_cmpuint(refuses->sent, ==, sent + 1); /* an alert, and no flight */
    end_assert_write(refuses, "still here");
    while (end_receive(asks))
        continue;
    end_assert_failed(asks, TLS_FAILURE_RECORD, "no renegotiation"); /* OpenSSL gives up then */
}

/* The server's last flight is lost while it is in quarantine: it is still sent again. */
static void test_quarantine_lost_flight(Fixture *f, gconstpointer unused)
{
    (void)unused;
    for (unsigned n = 0; n < 8; n++) {
        Single one = {TO_CLIENT, n, {0}};
        fixture_stop(f);
        fixture_start(f, false, 0);
        f->net.fate = single_fate;
        f->net.arg = &one;
        net_shake(&f->net);
        g_assert_cmpint(end_state(&f->net.client), ==, TLS_STATE_OPEN);
        g_assert_cmpint(end_state(&f->net.server), ==, TLS_STATE_QUARANTINE);
        g_assert_cmpuint(f->net.server.got->len, ==, 0);
    }
}

static void test_quarantine_closed(Fixture *f, gconstpointer unused)
{
    (void)unused;
    fixture_stop(f);
    fixture_start(f, false, 0);
    net_shake(&f->net);
    end_assert_write(&f->net.client, "early");
    dtls_stream_close(f->net.client.s, &f->net.client.sink);
    net_run(&f->net);
    g_assert_cmpint(end_state(&f->net.server), ==, TLS_STATE_QUARANTINE);
    g_assert_cmpint(
        dtls_stream_set_fingerprints(f->net.server.s, &f->ue, false, &f->net.server.sink), ==,
        TLS_STATE_EOF);
    end_assert_got(&f->net.server, 0, "early");
}

static void test_changed_fingerprints(Fixture *f, gconstpointer name)
{
    FingerprintSet set = pair_set(name, FP_SHA384);

    net_shake(&f->net);
    dtls_stream_set_fingerprints(f->net.server.s, &set, false, &f->net.server.sink);
    if (!strcmp(name, "ue-ecdsa"))
        net_assert_works(&f->net);
    else
        end_assert_failed(&f->net.server, TLS_FAILURE_FINGERPRINT, "is not signalled");
}

/* ---- data */

/* DTL-10: one datagram is one datagram, in the order sent. */
static void test_boundaries(Fixture *f, gconstpointer unused)
{
    (void)unused;
    net_shake(&f->net);
    unsigned sent = f->net.client.sent;
    for (unsigned i = 0; i < 50; i++) {
        g_autofree char *text = g_strnfill(1 + i * 20, (char)('a' + i % 26));
        end_assert_write(&f->net.client, text);
    }
    g_assert_cmpuint(f->net.client.sent, ==, sent + 50);
    net_run(&f->net);
    g_assert_cmpuint(f->net.server.got->len, ==, 50);
    for (unsigned i = 0; i < 50; i++) {
        g_autofree char *text = g_strnfill(1 + i * 20, (char)('a' + i % 26));
        end_assert_got(&f->net.server, i, text);
    }
}

static void test_oversize(Fixture *f, gconstpointer unused)
{
    g_autofree char *data = g_malloc0(2000);
    size_t most = 0;

    (void)unused;
    g_assert_false(dtls_stream_write(f->net.client.s, SPAN("early"), &f->net.client.sink));
    net_shake(&f->net);
    for (size_t len = 1; len < 2000; len++)
        if (dtls_stream_write(f->net.client.s, (Span){data, len}, &f->net.client.sink))
            most = len;
    g_assert_cmpuint(most, >=, 1200 - 64);
    g_assert_cmpuint(f->net.client.longest, <=, 1200);
    g_assert_cmpuint(f->net.client.longest, >=, 1200 - 16);
    g_assert_false(dtls_stream_write(f->net.client.s, (Span){data, 0}, &f->net.client.sink));
    net_assert_open(&f->net);
}

static void test_replay(Fixture *f, gconstpointer unused)
{
    (void)unused;
    net_shake(&f->net);
    end_assert_write(&f->net.client, "once");
    end_assert_write(&f->net.client, "twice");
    g_autoptr(GBytes) first = g_bytes_ref(g_queue_peek_head(&f->net.server.inbox));
    net_run(&f->net);
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
    net_shake(&f->net);
    one.n = f->net.client.sent;
    f->net.fate = single_fate;
    f->net.arg = &one;
    end_assert_write(&f->net.client, "first");
    end_assert_write(&f->net.client, "second");
    net_run(&f->net);
    end_assert_got(&f->net.server, 0, "second");
    end_assert_got(&f->net.server, 1, "first");
}

static void test_echo(Fixture *f, gconstpointer unused)
{
    (void)unused;
    f->net.server.echo = true;
    net_shake(&f->net);
    end_assert_write(&f->net.client, "ping");
    end_assert_write(&f->net.client, "pong");
    net_run(&f->net);
    end_assert_got(&f->net.client, 0, "ping");
    end_assert_got(&f->net.client, 1, "pong");
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
    {"\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x09\x00\x10"
     "shorter than any",
     29}, /* of our epoch, and too short for its cipher */
    {"\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x0a\x00\x00", 13},
    {"\x15\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x09\x00\x02\x02\x28"
     "\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x0b\x00\x01x",
     29}, /* behind another record */
    {"\x16\xfe\xfd\x00\x05\x00\x00\x00\x00\x00\x09\x00\x04"
     "text",
     17}, /* an epoch to come */
};

/* Whatever a stranger sends to an open association, nothing comes of it. */
static void test_garbage_open(Fixture *f, gconstpointer unused)
{
    (void)unused;
    net_shake(&f->net);
    unsigned sent = f->net.server.sent;
    for (unsigned i = 0; i < G_N_ELEMENTS(garbage); i++)
        end_feed(&f->net.server, garbage[i].p, garbage[i].len);
    g_assert_cmpuint(f->net.server.got->len, ==, 0);
    g_assert_cmpuint(f->net.server.sent, ==, sent);
    g_assert_cmpuint(dtls_stream_ignored(f->net.server.s), ==, G_N_ELEMENTS(garbage) - 1);
    net_assert_works(&f->net);
}

/* Nor before the handshake: the cookie comes first. */
static void test_garbage_listening(Fixture *f, gconstpointer unused)
{
    (void)unused;
    for (unsigned i = 0; i < G_N_ELEMENTS(garbage); i++)
        end_feed(&f->net.server, garbage[i].p, garbage[i].len);
    g_assert_cmpuint(f->net.server.sent, ==, 0);
    net_shake(&f->net);
    net_assert_works(&f->net);
}

/* A record of the epoch to come, sent into the handshake by somebody else, would be kept for later by OpenSSL. */
static void test_short_record_early(Fixture *f, gconstpointer unused)
{
    static const char record[] =
        "\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x09\x00\x10shorter than any";

    (void)unused;
    end_feed(&f->net.client, NULL, 0);
    for (bool more = true; more;) {
        bool client = end_receive(&f->net.client);
        bool server = end_receive(&f->net.server);
        end_feed(&f->net.client, record, sizeof record - 1);
        end_feed(&f->net.server, record, sizeof record - 1);
        more = client || server;
    }
    net_shake(&f->net);
    net_assert_works(&f->net);
}

/* A tampered record is ignored, and does not spoil the next. */
static void test_tampered(Fixture *f, gconstpointer unused)
{
    (void)unused;
    net_shake(&f->net);
    end_assert_write(&f->net.client, "text");
    size_t len;
    const char *data = g_bytes_get_data(g_queue_peek_head(&f->net.server.inbox), &len);
    g_autofree char *copy = g_memdup2(data, len);
    for (size_t i = 0; i < len; i++) {
        copy[i] ^= 1;
        end_feed(&f->net.server, copy, len);
        copy[i] ^= 1;
    }
    g_assert_cmpuint(f->net.server.got->len, ==, 0);
    net_run(&f->net);
    end_assert_got(&f->net.server, 0, "text");
}

static void test_close(Fixture *f, gconstpointer unused)
{
    (void)unused;
    net_shake(&f->net);
    dtls_stream_close(f->net.client.s, &f->net.client.sink);
    unsigned sent = f->net.client.sent;
    dtls_stream_close(f->net.client.s, &f->net.client.sink);
    g_assert_cmpuint(f->net.client.sent, ==, sent);
    g_assert_false(dtls_stream_write(f->net.client.s, SPAN("more"), &f->net.client.sink));
    net_run(&f->net);
    g_assert_cmpint(end_state(&f->net.server), ==, TLS_STATE_EOF);
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
    net_shake(&f->net);
    end_init(&second, &second.client, TO_SERVER, f->ue_ctx, &f->agw, 0);
    end_init(&second, &second.server, TO_CLIENT, f->agw_ctx, &f->ue, 0);
    end_feed(&second.client, NULL, 0);
    do {
        GBytes *bytes = g_queue_peek_head(&second.server.inbox);
        if (bytes)
            end_feed(&f->net.server, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    } while (end_receive(&second.server) || end_receive(&second.client));
    net_assert_works(&second);
    net_assert_works(&f->net);
    end_clear(&second.client);
    end_clear(&second.server);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ECDSA(path, data, func)                                                                    \
    g_test_add("/dtls/stream/" path, Fixture, data, fixture_setup, func, fixture_teardown)
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
    ECDSA("garbage/short-record-early", NULL, test_short_record_early);
    ECDSA("garbage/tampered", NULL, test_tampered);
    ECDSA("TLS-11/DTL-14/client-renegotiates", GINT_TO_POINTER(0), test_renegotiation);
    ECDSA("TLS-11/DTL-14/server-renegotiates", GINT_TO_POINTER(1), test_renegotiation);
    ECDSA("close", NULL, test_close);
    ECDSA("TLS-15/client-hello", NULL, test_client_hello);
    ECDSA("TLS-15/second-handshake", NULL, test_second_handshake);
    return g_test_run();
}
