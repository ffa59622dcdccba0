/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dtls-net.h"

/* ---- the handshake */

static void test_handshake(Fixture *f, gconstpointer cipher)
{
    Fingerprint fp;

    g_assert_cmpint((int)dtls_stream_deadline(f->net.client.s), ==, -1);
    net_shake(&f->net);
    net_assert_open(&f->net);
    g_assert_cmpstr(dtls_stream_version(f->net.server.s), ==, "DTLSv1.2");
    g_assert_cmpstr(dtls_stream_cipher(f->net.client.s), ==, cipher);
    g_assert_true(dtls_stream_peer_fingerprint(f->net.server.s, FP_SHA256, &fp));
    g_assert_true(fp_eq(&fp, &f->ue.fp[0]));
    g_assert_cmpuint(f->net.client.longest, <=, 1200);
    g_assert_cmpuint(f->net.server.longest, <=, 1200);
    end_assert_write(&f->net.client, "up");
    end_assert_write(&f->net.server, "down");
    net_run(&f->net);
    end_assert_got(&f->net.server, 0, "up");
    end_assert_got(&f->net.client, 0, "down");
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
    while (net_wait(&f->net))
        net_run(&f->net);
    net_assert_open(&f->net);
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

static Fate all_fate(Direction direction, unsigned n, const void *arg)
{
    (void)direction, (void)n;
    return *(const Fate *)arg;
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
                fixture_stop(f);
                fixture_start(f, true, mtus[m]);
                f->net.fate = single_fate;
                f->net.arg = &one;
                net_shake(&f->net);
                unsigned sent = d == TO_SERVER ? f->net.client.sent : f->net.server.sent;
                g_assert_cmpuint(f->net.client.longest, <=, mtus[m]);
                g_assert_cmpuint(f->net.server.longest, <=, mtus[m]);
                net_assert_works(&f->net);
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
            fixture_stop(f);
            fixture_start(f, true, 700);
            f->net.fate = single_fate;
            f->net.arg = &one;
            end_feed(&f->net.client, NULL, 0);
            net_run(&f->net);
            one = (Single){TO_CLIENT, f->net.server.sent + later, {0}};
            while (net_wait(&f->net))
                net_run(&f->net);
            net_assert_works(&f->net);
        }
}

/* A flight is as few datagrams when it is sent again: the server's Finished never comes alone. */
static void test_packed_again(Fixture *f, gconstpointer unused)
{
    (void)unused;
    net_shake(&f->net);
    Single last = {TO_CLIENT, f->net.server.sent - 1, {0}};
    unsigned client = f->net.client.sent;

    fixture_stop(f);
    fixture_start(f, true, 1200);
    f->net.fate = single_fate;
    f->net.arg = &last;
    net_shake(&f->net);
    net_assert_open(&f->net);
    g_assert_cmpuint(f->net.client.sent, ==, client + 1);
    g_assert_cmpuint(f->net.server.sent, ==, last.n + 2);
    net_assert_works(&f->net);
}

static void test_all(Fixture *f, gconstpointer data)
{
    fixture_stop(f);
    fixture_start(f, true, 300);
    f->net.fate = all_fate;
    f->net.arg = data;
    net_shake(&f->net);
    net_assert_works(&f->net);
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
    g_assert_true(net_wait(&f->net));
    g_assert_cmpuint(f->net.client.sent, ==, 2);
    g_assert_cmpint(clock_us, ==, before + SECOND);
    g_assert_cmpint(dtls_stream_deadline(f->net.client.s), ==, before + 3 * SECOND);
    while (net_wait(&f->net))
        ;
    end_assert_failed(&f->net.client, TLS_FAILURE_HANDSHAKE, "read timeout expired");
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

int main(int argc, char **argv)
{
    static const Fate lost = {.copies = 0};
    static const Fate twice = {.copies = 2};
    static const Fate late = {.copies = 1, .late = true};

    g_test_init(&argc, &argv, NULL);
#define ECDSA(path, data, func)                                                                    \
    g_test_add("/dtls/handshake/" path, Fixture, data, fixture_setup, func, fixture_teardown)
#define RSA_(path, data, func)                                                                     \
    g_test_add("/dtls/handshake/" path, Fixture, data, fixture_setup_rsa, func, fixture_teardown)
    ECDSA("handshake-ecdsa", "ECDHE-ECDSA-AES128-GCM-SHA256", test_handshake);
    RSA_("TLS-07/handshake-rsa", "ECDHE-RSA-AES128-GCM-SHA256", test_handshake);
    ECDSA("TLS-14/cookie-is-stateless", NULL, test_cookie);
    ECDSA("TLS-14/cookie-is-bound-to-address", NULL, test_cookie_bound);
    RSA_("TLS-14/each-lost", &lost, test_single);
    RSA_("TLS-14/each-twice", &twice, test_single);
    RSA_("TLS-14/each-late", &late, test_single);
    ECDSA("TLS-14/each-lost-ecdsa", &lost, test_single);
    RSA_("TLS-14/two-lost", NULL, test_two_lost);
    ECDSA("TLS-14/packed-again", NULL, test_packed_again);
    RSA_("TLS-14/all-twice", &twice, test_all);
    RSA_("TLS-14/all-swapped", &late, test_all);
    ECDSA("TLS-14/timeout", NULL, test_timeout);
    ECDSA("TLS-14/clocks-differ", NULL, test_clocks_differ);
    return g_test_run();
}
