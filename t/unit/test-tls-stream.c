/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls-pair.h"
#include "tls/tls-stream.h"

#define UE  "ue-ecdsa"
#define AGW "agw-ecdsa"

/* One end under test, with its buffers. */
typedef struct End {
    TlsStream *s;
    Buf plain;
    Buf out;
} End;

static void end_init(End *e, TlsCtx *ctx, TlsRole role, const FingerprintSet *expected)
{
    e->s = tls_stream_new(ctx, role, expected, false);
    buf_init(&e->plain, TLS_PLAIN_ROOM);
    buf_init(&e->out, TLS_OUT_ROOM + TLS_WRITE_MAX);
}

static void end_clear(End *e)
{
    tls_stream_free(e->s);
    buf_clear(&e->plain);
    buf_clear(&e->out);
}

static TlsState end_state(const End *e)
{
    return tls_stream_state(e->s);
}

/* Takes everything out of @from into @to, at most @chunk bytes at a time. */
static void end_feed(End *to, Buf *from, size_t chunk)
{
    while (buf_len(from) > 0) {
        Span piece = span_head(buf_span(from), chunk);
        tls_stream_feed(to->s, piece, &to->plain, &to->out);
        buf_consume(from, piece.len);
    }
}

/* Both ends under test; the client starts. */
static void join(End *client, End *server, size_t chunk)
{
    tls_stream_feed(client->s, (Span){0}, &client->plain, &client->out);
    while (buf_len(&client->out) > 0 || buf_len(&server->out) > 0) {
        end_feed(server, &client->out, chunk);
        end_feed(client, &server->out, chunk);
    }
}

/* One end under test and a raw peer. */
static void join_raw(End *e, Raw *raw, Buf *raw_plain)
{
    Buf to_end;

    buf_init(&to_end, 256 * 1024);
    tls_stream_feed(e->s, (Span){0}, &e->plain, &e->out);
    raw_feed(raw, (Span){0}, raw_plain, &to_end);
    while (buf_len(&to_end) > 0 || buf_len(&e->out) > 0) {
        end_feed(e, &to_end, TLS_FEED_MAX);
        Span in = buf_span(&e->out);
        raw_feed(raw, in, raw_plain, &to_end);
        buf_consume(&e->out, in.len);
    }
    buf_clear(&to_end);
}

static void assert_plain(Buf *plain, const char *text)
{
    g_autofree char *got = span_dup(buf_span(plain));

    g_assert_cmpstr(got, ==, text);
    buf_consume(plain, buf_len(plain));
}

static void assert_failed(const End *e, TlsFailureKind kind, const char *text)
{
    g_assert_cmpint(end_state(e), ==, TLS_STATE_FAILED);
    g_assert_cmpint(tls_stream_failure(e->s)->kind, ==, kind);
    if (!strstr(tls_stream_failure(e->s)->text, text))
        g_error("failure text is \"%s\"", tls_stream_failure(e->s)->text);
}

/* ---- every role, version and key type against bare OpenSSL */

static const struct {
    const char *path;
    bool raw_is_server;
    int version;
    const char *raw_cert;
    const char *our_cert;
    const char *cipher;
} matrix[] = {
    {"/tls/stream/matrix/server-1.2-rsa", false, TLS1_2_VERSION, "ue-rsa", "agw-rsa",
     "ECDHE-RSA-AES128-GCM-SHA256"},
    {"/tls/stream/matrix/server-1.2-ecdsa", false, TLS1_2_VERSION, UE, AGW,
     "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"/tls/stream/matrix/server-1.2-both", false, TLS1_2_VERSION, UE, "agw-rsa+agw-ecdsa",
     "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"/tls/stream/matrix/server-1.3-rsa", false, TLS1_3_VERSION, "ue-rsa", "agw-rsa",
     "TLS_AES_128_GCM_SHA256"},
    {"/tls/stream/matrix/server-1.3-ecdsa", false, TLS1_3_VERSION, UE, AGW,
     "TLS_AES_128_GCM_SHA256"},
    {"/tls/stream/matrix/client-1.2-rsa", true, TLS1_2_VERSION, "ue-rsa", "agw-rsa",
     "ECDHE-RSA-AES128-GCM-SHA256"},
    {"/tls/stream/matrix/client-1.2-ecdsa", true, TLS1_2_VERSION, UE, AGW,
     "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"/tls/stream/matrix/client-1.3-rsa", true, TLS1_3_VERSION, "ue-rsa", "agw-rsa",
     "TLS_AES_128_GCM_SHA256"},
    {"/tls/stream/matrix/client-1.3-ecdsa", true, TLS1_3_VERSION, UE, AGW,
     "TLS_AES_128_GCM_SHA256"},
    /* ASC-04, TLS-16: what the certificate says of itself does not matter, and only the leaf
       counts. */
    {"/tls/stream/ASC-04/expired-1.2", false, TLS1_2_VERSION, "ue-expired", AGW, NULL},
    {"/tls/stream/ASC-04/expired-1.3", false, TLS1_3_VERSION, "ue-expired", AGW, NULL},
    {"/tls/stream/ASC-04/expired-server", true, TLS1_3_VERSION, "ue-expired", AGW, NULL},
    {"/tls/stream/TLS-16/chain-uses-leaf", false, TLS1_3_VERSION, "ue-chain", AGW, NULL},
    {"/tls/stream/TLS-16/chain-uses-leaf-1.2", true, TLS1_2_VERSION, "ue-chain", AGW, NULL},
    /* Old stacks: the signature of a self-signed certificate and the size of its key are not
       judged. */
    {"/tls/stream/ASC-04/sha1-signed-1.2", false, TLS1_2_VERSION, "ue-sha1", AGW, NULL},
    {"/tls/stream/ASC-04/sha1-signed-1.3", false, TLS1_3_VERSION, "ue-sha1", AGW, NULL},
    {"/tls/stream/ASC-04/sha1-signed-server", true, TLS1_2_VERSION, "ue-sha1", AGW, NULL},
    {"/tls/stream/ASC-04/rsa1024-1.2", false, TLS1_2_VERSION, "ue-rsa1024", AGW, NULL},
    {"/tls/stream/ASC-04/rsa1024-1.3", false, TLS1_3_VERSION, "ue-rsa1024", AGW, NULL},
    {"/tls/stream/ASC-04/rsa1024-server", true, TLS1_2_VERSION, "ue-rsa1024", AGW, NULL},
    {"/tls/stream/ASC-04/p521-1.2", false, TLS1_2_VERSION, "ue-p521", AGW, NULL},
    {"/tls/stream/ASC-04/p521-1.3", false, TLS1_3_VERSION, "ue-p521", AGW, NULL},
    {"/tls/stream/ASC-04/ed25519-1.2", false, TLS1_2_VERSION, "ue-ed25519", AGW, NULL},
    {"/tls/stream/ASC-04/ed25519-1.3", true, TLS1_3_VERSION, "ue-ed25519", AGW, NULL},
};

static void test_matrix(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    g_autoptr(TlsCtx) ctx = pair_ctx(matrix[i].our_cert);
    g_autoptr(Raw) raw = raw_new(matrix[i].raw_is_server, matrix[i].raw_cert, matrix[i].version);
    FingerprintSet set = pair_set(matrix[i].raw_cert, FP_SHA256);
    Fingerprint fp;
    Buf raw_plain;
    End e;

    buf_init(&raw_plain, 1000);
    end_init(&e, ctx, matrix[i].raw_is_server ? TLS_CLIENT : TLS_SERVER, &set);
    join_raw(&e, raw, &raw_plain);
    if (end_state(&e) != TLS_STATE_OPEN)
        g_error("%s: %s", matrix[i].path, tls_stream_failure(e.s)->text);
    g_assert_true(raw->done && !raw->failed);
    g_assert_cmpstr(tls_stream_version(e.s), ==,
                    matrix[i].version == TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2");
    if (matrix[i].cipher)
        g_assert_cmpstr(tls_stream_cipher(e.s), ==, matrix[i].cipher);
    g_assert_true(tls_stream_peer_fingerprint(e.s, FP_SHA256, &fp));
    g_assert_true(fp_eq(&fp, &set.fp[0]));
    /* TLS-10, ASC-01, and no names that a peer could be misled by. */
    g_assert_cmpuint(raw->log.tickets, ==, 0);
    g_assert_cmpuint(raw->log.client_cas, ==, 0);
    g_assert_nonnull(SSL_get0_peer_certificate(raw->ssl));

    g_assert_true(tls_stream_write(e.s, SPAN("to the peer"), &e.out));
    raw_write(raw, SPAN("to us"), &e.plain); /* e.plain as a scratch buffer for ciphertext */
    Buf cipher = e.plain;
    buf_init(&e.plain, TLS_PLAIN_ROOM);
    end_feed(&e, &cipher, 7);
    join_raw(&e, raw, &raw_plain);
    assert_plain(&e.plain, "to us");
    assert_plain(&raw_plain, "to the peer");
    buf_clear(&cipher);
    buf_clear(&raw_plain);
    end_clear(&e);
}

/* ---- fingerprints */

static Fingerprint wrong(FpHash hash)
{
    Fingerprint fp = pair_fingerprint(UE, hash);

    fp.digest[fp_digest_len(hash) - 1] ^= 1;
    return fp;
}

typedef enum Which { END, RIGHT256, WRONG256, RIGHT512, WRONG512, RIGHT1, WRONG1, OTHER256 } Which;

static const struct {
    const char *path;
    Which members[4];
    bool allow_sha1;
    bool opens;
} checks[] = {
    {"match", {RIGHT256}, false, true},
    {"mismatch", {WRONG256}, false, false},
    {"second-of-two", {OTHER256, RIGHT256}, false, true},
    {"neither-of-two", {OTHER256, WRONG256}, false, false},
    {"FPR-06/both-hashes", {RIGHT256, RIGHT512}, false, true},
    {"FPR-06/stronger-mismatch-does-not-fall-back", {RIGHT256, WRONG512}, false, false},
    {"FPR-06/weaker-mismatch-is-not-looked-at", {WRONG256, RIGHT512}, false, true},
    {"FPR-05/sha1-not-allowed", {RIGHT1}, false, false},
    {"FPR-05/sha1-allowed", {RIGHT1}, true, true},
    {"FPR-05/sha1-mismatch", {WRONG1}, true, false},
    {"FPR-05/sha1-allowed-but-not-chosen", {RIGHT1, WRONG256}, true, false},
};

static FingerprintSet make_set(const Which *members)
{
    FingerprintSet set = {0};

    for (; *members != END; members++) {
        Fingerprint fp = *members == RIGHT256   ? pair_fingerprint(UE, FP_SHA256)
                         : *members == WRONG256 ? wrong(FP_SHA256)
                         : *members == RIGHT512 ? pair_fingerprint(UE, FP_SHA512)
                         : *members == WRONG512 ? wrong(FP_SHA512)
                         : *members == RIGHT1   ? pair_fingerprint(UE, FP_SHA1)
                         : *members == WRONG1   ? wrong(FP_SHA1)
                                                : pair_fingerprint("other-ecdsa", FP_SHA256);
        fp_set_add(&set, &fp);
    }
    return set;
}

static void check(unsigned i, bool raw_is_server, int version)
{
    g_autoptr(TlsCtx) ctx = pair_ctx(AGW);
    g_autoptr(Raw) raw = raw_new(raw_is_server, UE, version);
    FingerprintSet set = make_set(checks[i].members);
    Buf raw_plain;
    End e;

    buf_init(&raw_plain, 1000);
    end_init(&e, ctx, raw_is_server ? TLS_CLIENT : TLS_SERVER, NULL);
    tls_stream_set_fingerprints(e.s, &set, checks[i].allow_sha1, &e.out);
    g_assert_cmpint(end_state(&e), ==, TLS_STATE_HANDSHAKE);
    join_raw(&e, raw, &raw_plain);
    if (checks[i].opens) {
        g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
    } else {
        assert_failed(&e, TLS_FAILURE_FINGERPRINT, "certificate sha-256 ");
        /* TLS-13 */
        g_assert_cmpint(raw->log.alert_received, ==, SSL_AD_BAD_CERTIFICATE);
        g_assert_false(tls_stream_write(e.s, SPAN("no"), &e.out));
        g_assert_cmpuint(buf_len(&e.out), ==, 0);
    }
    buf_clear(&raw_plain);
    end_clear(&e);
}

static void test_fingerprints(gconstpointer data)
{
    for (int raw_is_server = 0; raw_is_server <= 1; raw_is_server++) {
        check(GPOINTER_TO_UINT(data), raw_is_server, TLS1_2_VERSION);
        check(GPOINTER_TO_UINT(data), raw_is_server, TLS1_3_VERSION);
    }
}

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
        join(&f->client, &f->server, chunk);
        assert_open(f);
        g_assert_true(tls_stream_write(f->client.s, SPAN("MSRP a SEND\r\n"), &f->client.out));
        end_feed(&f->server, &f->client.out, chunk);
        assert_plain(&f->server.plain, "MSRP a SEND\r\n");
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
    join(&f->client, &f->server, TLS_FEED_MAX);
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
    join(&f->client, &f->server, TLS_FEED_MAX);
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
    assert_plain(&f->client.plain, "secret");
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
    assert_failed(&f->server, TLS_FAILURE_FINGERPRINT, "is not signalled");
    end_feed(&f->client, &f->server.out, TLS_FEED_MAX);
    assert_failed(&f->client, TLS_FAILURE_PEER_ALERT, "alert bad_certificate (42) received");
}

/* ---- quarantine (TRK-10) */

static void test_quarantine_match(Fixture *f, gconstpointer unused)
{
    (void)unused;
    start_unknown(f);
    join(&f->client, &f->server, TLS_FEED_MAX);
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
    assert_plain(&f->server.plain, "early bird");
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
    assert_plain(&f->server.plain, "early bird sings");
}

static void test_quarantine_mismatch(Fixture *f, gconstpointer unused)
{
    FingerprintSet other = pair_set("other-ecdsa", FP_SHA256);

    (void)unused;
    start_unknown(f);
    join(&f->client, &f->server, TLS_FEED_MAX);
    g_assert_true(tls_stream_write(f->client.s, SPAN("early bird"), &f->client.out));
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    g_assert_cmpint(tls_stream_set_fingerprints(f->server.s, &other, false, &f->server.out), ==,
                    TLS_STATE_FAILED);
    assert_failed(&f->server, TLS_FAILURE_FINGERPRINT, "is not signalled");
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
        assert_failed(&f->server, TLS_FAILURE_FINGERPRINT, "is not signalled");
}

static void test_quarantine_bound(Fixture *f, gconstpointer unused)
{
    g_autofree char *data = g_malloc0(TLS_WRITE_MAX);

    (void)unused;
    start_unknown(f);
    join(&f->client, &f->server, TLS_FEED_MAX);
    g_assert_true(tls_stream_write(f->client.s, (Span){data, TLS_WRITE_MAX}, &f->client.out));
    end_feed(&f->server, &f->client.out, 1000);
    assert_failed(&f->server, TLS_FAILURE_RECORD, "too many bytes");
    g_assert_cmpuint(buf_len(&f->server.plain), ==, 0);
}

/* An empty set says nothing: quarantine stays. */
static void test_quarantine_empty_set(Fixture *f, gconstpointer unused)
{
    (void)unused;
    start_unknown(f);
    join(&f->client, &f->server, TLS_FEED_MAX);
    g_assert_cmpint(tls_stream_set_fingerprints(f->server.s, NULL, false, &f->server.out), ==,
                    TLS_STATE_QUARANTINE);
}

static void test_changed_fingerprints(Fixture *f, gconstpointer data)
{
    const char *name = data;
    FingerprintSet set = name ? pair_set(name, FP_SHA512) : (FingerprintSet){0};
    bool stays = !g_strcmp0(name, UE);

    join(&f->client, &f->server, TLS_FEED_MAX);
    tls_stream_set_fingerprints(f->server.s, &set, false, &f->server.out);
    if (stays)
        assert_open(f);
    else
        assert_failed(&f->server, TLS_FAILURE_FINGERPRINT, "is not signalled");
}

/* ---- the end */

static void test_close(Fixture *f, gconstpointer data)
{
    bool server_first = GPOINTER_TO_INT(data);
    join(&f->client, &f->server, TLS_FEED_MAX);
    End *a = server_first ? &f->server : &f->client;
    End *b = server_first ? &f->client : &f->server;

    g_assert_true(tls_stream_write(a->s, SPAN("last words"), &a->out));
    tls_stream_close(a->s, &a->out);
    size_t len = buf_len(&a->out);
    tls_stream_close(a->s, &a->out);
    g_assert_cmpuint(buf_len(&a->out), ==, len);
    g_assert_false(tls_stream_write(a->s, SPAN("more"), &a->out));
    end_feed(b, &a->out, TLS_FEED_MAX);
    assert_plain(&b->plain, "last words");
    g_assert_cmpint(end_state(b), ==, TLS_STATE_EOF);
    g_assert_cmpint(tls_stream_feed_eof(b->s), ==, TLS_STATE_EOF);
    /* The other direction is still open. */
    g_assert_true(tls_stream_write(b->s, SPAN("the answer"), &b->out));
    tls_stream_close(b->s, &b->out);
    end_feed(a, &b->out, TLS_FEED_MAX);
    assert_plain(&a->plain, "the answer");
    g_assert_cmpint(end_state(a), ==, TLS_STATE_EOF);
    g_assert_cmpint(tls_stream_failure(a->s)->kind, ==, TLS_FAILURE_NONE);
}

static void test_truncated(Fixture *f, gconstpointer unused)
{
    (void)unused;
    join(&f->client, &f->server, TLS_FEED_MAX);
    tls_stream_feed_eof(f->server.s);
    assert_failed(&f->server, TLS_FAILURE_TRUNCATED, "without close_notify");
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
    assert_failed(&f->client, TLS_FAILURE_TRUNCATED, "during the handshake");
    tls_stream_close(f->server.s, &f->server.out);
    g_assert_cmpuint(buf_len(&f->server.out), ==, 0);
}

/* A flipped bit is fatal, what came before it is delivered. */
static void test_bad_record(Fixture *f, gconstpointer unused)
{
    (void)unused;
    join(&f->client, &f->server, TLS_FEED_MAX);
    g_assert_true(tls_stream_write(f->client.s, SPAN("good"), &f->client.out));
    g_assert_true(tls_stream_write(f->client.s, SPAN("bad"), &f->client.out));
    f->client.out.data[f->client.out.end - 1] ^= 1;
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    assert_failed(&f->server, TLS_FAILURE_RECORD, "bad record mac");
    assert_plain(&f->server.plain, "good");
    end_feed(&f->client, &f->server.out, TLS_FEED_MAX);
    assert_failed(&f->client, TLS_FAILURE_PEER_ALERT, "alert bad_record_mac (20) received");
}

static void test_no_room_to_answer(Fixture *f, gconstpointer unused)
{
    (void)unused;
    tls_stream_feed(f->client.s, (Span){0}, &f->client.plain, &f->client.out);
    buf_clear(&f->server.out);
    buf_init(&f->server.out, 10);
    end_feed(&f->server, &f->client.out, TLS_FEED_MAX);
    assert_failed(&f->server, TLS_FAILURE_HANDSHAKE, "no room to answer");
}

/* ---- peers that are not as they should be */

static const struct {
    const char *path;
    Span bytes;
    const char *text;
} not_tls[] = {
    {"/tls/stream/not-tls/http", {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27}, "http request"},
    {"/tls/stream/not-tls/msrp", {"MSRP d93kswow SEND\r\n", 20}, "wrong version number"},
    {"/tls/stream/not-tls/bfcp",
     {"\x20\x0b\x00\x00\x00\x00\x00\x01\x00\x01\x00\x02", 12},
     "wrong version number"},
    {"/tls/stream/not-tls/ssl2",
     {"\x80\x16\x01\x00\x02\x00\x03\x00\x00\x00\x10\x01\x00\x80"
      "0123456789",
      24},
     ""},
};

static void test_not_tls(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    g_autoptr(TlsCtx) ctx = pair_ctx(AGW);
    FingerprintSet ue = pair_set(UE, FP_SHA256);
    End e;

    end_init(&e, ctx, TLS_SERVER, &ue);
    tls_stream_feed(e.s, not_tls[i].bytes, &e.plain, &e.out);
    assert_failed(&e, TLS_FAILURE_HANDSHAKE, not_tls[i].text);
    g_assert_cmpuint(buf_len(&e.plain), ==, 0);
    end_clear(&e);
}

static const struct {
    const char *path;
    bool raw_is_server;
    int version;
    const char *cert;
    const char *ciphers;
    TlsFailureKind kind;
    int alert;
    const char *text;
} refused[] = {
    {"/tls/stream/TLS-02/tls-1.1-client", false, TLS1_1_VERSION, UE, NULL, TLS_FAILURE_HANDSHAKE,
     SSL_AD_PROTOCOL_VERSION, "unsupported protocol"},
    {"/tls/stream/TLS-02/tls-1.0-client", false, TLS1_VERSION, UE, NULL, TLS_FAILURE_HANDSHAKE,
     SSL_AD_PROTOCOL_VERSION, "unsupported protocol"},
    {"/tls/stream/TLS-02/tls-1.1-server", true, TLS1_1_VERSION, UE, NULL, TLS_FAILURE_PEER_ALERT,
     -1, "protocol_version (70) received"},
    {"/tls/stream/TLS-01/null-client", false, TLS1_2_VERSION, UE, "eNULL", TLS_FAILURE_HANDSHAKE,
     SSL_AD_HANDSHAKE_FAILURE, "no shared cipher"},
    {"/tls/stream/TLS-01/anonymous-client", false, TLS1_2_VERSION, UE, "aNULL:-eNULL",
     TLS_FAILURE_HANDSHAKE, SSL_AD_HANDSHAKE_FAILURE, "no shared cipher"},
    {"/tls/stream/TLS-05/cbc-without-legacy-switch", false, TLS1_2_VERSION, "ue-rsa", "AES128-SHA",
     TLS_FAILURE_HANDSHAKE, SSL_AD_HANDSHAKE_FAILURE, "no shared cipher"},
    {"/tls/stream/FPR-10/no-certificate-1.2", false, TLS1_2_VERSION, NULL, NULL,
     TLS_FAILURE_NO_CERTIFICATE, SSL_AD_HANDSHAKE_FAILURE, "certificate"},
    {"/tls/stream/FPR-10/no-certificate-1.3", false, TLS1_3_VERSION, NULL, NULL,
     TLS_FAILURE_NO_CERTIFICATE, SSL_AD_CERTIFICATE_REQUIRED, "certificate"},
};

static void test_refused(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    g_autoptr(TlsCtx) ctx = pair_ctx("agw-rsa");
    g_autoptr(Raw) raw = raw_new(refused[i].raw_is_server, refused[i].cert, refused[i].version);
    Buf raw_plain;
    End e;

    if (refused[i].ciphers)
        g_assert_true(SSL_set_cipher_list(raw->ssl, refused[i].ciphers));
    buf_init(&raw_plain, 1000);
    end_init(&e, ctx, refused[i].raw_is_server ? TLS_CLIENT : TLS_SERVER, NULL);
    join_raw(&e, raw, &raw_plain);
    assert_failed(&e, refused[i].kind, refused[i].text);
    g_assert_cmpint(raw->log.alert_received, ==, refused[i].alert);
    end_clear(&e);
}

/* TLS-08: as client with both keys, the one that the server can take is shown. */
static void test_client_certificate(gconstpointer data)
{
    const char *sigalgs = data;
    int wanted = strstr(sigalgs, "ECDSA") ? EVP_PKEY_EC : EVP_PKEY_RSA;
    g_autoptr(TlsCtx) ctx = pair_ctx("agw-rsa+agw-ecdsa");
    FingerprintSet ue = pair_set("ue-rsa", FP_SHA256);

    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        g_autoptr(Raw) raw = raw_new(true, "ue-rsa", version);
        Buf raw_plain;
        End e;

        buf_init(&raw_plain, 1000);
        g_assert_true(SSL_set1_client_sigalgs_list(raw->ssl, sigalgs));
        end_init(&e, ctx, TLS_CLIENT, &ue);
        join_raw(&e, raw, &raw_plain);
        g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
        const X509 *shown = SSL_get0_peer_certificate(raw->ssl);
        g_assert_cmpint(EVP_PKEY_get_base_id(X509_get0_pubkey(shown)), ==, wanted);
        end_clear(&e);
    }
}

/* TLS-05: whatever name the client asks for. */
static void test_sni(void)
{
    g_autoptr(TlsCtx) ctx = pair_ctx(AGW);
    g_autoptr(Raw) raw = raw_new(false, UE, TLS1_3_VERSION);
    FingerprintSet ue = pair_set(UE, FP_SHA256);
    Buf raw_plain;
    End e;

    buf_init(&raw_plain, 1000);
    SSL_set_tlsext_host_name(raw->ssl, "no-such-host.example");
    end_init(&e, ctx, TLS_SERVER, &ue);
    join_raw(&e, raw, &raw_plain);
    g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
    end_clear(&e);
}

static void test_legacy_cbc(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TlsIdentity) id = pair_identity("agw-rsa");
    g_autoptr(TlsCtx) ctx = tls_ctx_new(id, &(TlsProfile){.legacy_rsa_cbc = true}, &error);
    g_autoptr(Raw) raw = raw_new(false, "ue-rsa", TLS1_2_VERSION);
    FingerprintSet ue = pair_set("ue-rsa", FP_SHA256);
    Buf raw_plain;
    End e;

    buf_init(&raw_plain, 1000);
    SSL_set_cipher_list(raw->ssl, "AES128-SHA");
    end_init(&e, ctx, TLS_SERVER, &ue);
    join_raw(&e, raw, &raw_plain);
    g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
    g_assert_cmpstr(tls_stream_cipher(e.s), ==, "AES128-SHA");
    end_clear(&e);
}

/* TLS-07: the RSA suites that RFC 7345 made mandatory. */
static void test_dhe(void)
{
    g_autoptr(TlsCtx) ctx = pair_ctx("agw-rsa");
    g_autoptr(Raw) raw = raw_new(false, "ue-rsa", TLS1_2_VERSION);
    FingerprintSet ue = pair_set("ue-rsa", FP_SHA256);
    EVP_PKEY *key = NULL;
    Buf raw_plain;
    End e;

    buf_init(&raw_plain, 1000);
    SSL_set_cipher_list(raw->ssl, "DHE-RSA-AES128-GCM-SHA256");
    end_init(&e, ctx, TLS_SERVER, &ue);
    join_raw(&e, raw, &raw_plain);
    g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
    g_assert_true(SSL_get_peer_tmp_key(raw->ssl, &key));
    g_assert_cmpint(EVP_PKEY_get_bits(key), >=, 2048);
    EVP_PKEY_free(key);
    end_clear(&e);
}

/* TLS-11: a peer that renegotiates is told no and goes on being served. */
static void test_renegotiation(gconstpointer data)
{
    bool raw_is_server = GPOINTER_TO_INT(data);
    g_autoptr(TlsCtx) ctx = pair_ctx(AGW);
    g_autoptr(Raw) raw = raw_new(raw_is_server, UE, TLS1_2_VERSION);
    FingerprintSet ue = pair_set(UE, FP_SHA256);
    Buf raw_plain, wire;
    End e;

    buf_init(&raw_plain, 1000);
    buf_init(&wire, 100000);
    end_init(&e, ctx, raw_is_server ? TLS_CLIENT : TLS_SERVER, &ue);
    join_raw(&e, raw, &raw_plain);
    g_assert_true(SSL_renegotiate(raw->ssl));
    SSL_do_handshake(raw->ssl);
    raw_flush(raw, &wire);
    g_assert_cmpuint(buf_len(&wire), >, 0);
    end_feed(&e, &wire, TLS_FEED_MAX);
    g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
    g_assert_cmpuint(buf_len(&e.out), >, 0);
    buf_clear(&wire);
    end_clear(&e);
}

/* New traffic keys, also with an answer asked for. */
static void test_key_update(gconstpointer data)
{
    bool raw_is_server = GPOINTER_TO_INT(data);
    g_autoptr(TlsCtx) ctx = pair_ctx(AGW);
    g_autoptr(Raw) raw = raw_new(raw_is_server, UE, TLS1_3_VERSION);
    FingerprintSet ue = pair_set(UE, FP_SHA256);
    Buf raw_plain, wire;
    End e;

    buf_init(&raw_plain, 1000);
    buf_init(&wire, 100000);
    end_init(&e, ctx, raw_is_server ? TLS_CLIENT : TLS_SERVER, &ue);
    join_raw(&e, raw, &raw_plain);
    for (int i = 0; i < 3; i++) {
        g_assert_true(SSL_key_update(raw->ssl, SSL_KEY_UPDATE_REQUESTED));
        raw_write(raw, SPAN("after the update"), &wire);
        end_feed(&e, &wire, 9);
        assert_plain(&e.plain, "after the update");
        g_assert_true(tls_stream_write(e.s, SPAN("and back"), &e.out));
        join_raw(&e, raw, &raw_plain);
        assert_plain(&raw_plain, "and back");
    }
    g_assert_cmpint(end_state(&e), ==, TLS_STATE_OPEN);
    buf_clear(&raw_plain);
    buf_clear(&wire);
    end_clear(&e);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(matrix); i++)
        g_test_add_data_func(matrix[i].path, GUINT_TO_POINTER(i), test_matrix);
    for (unsigned i = 0; i < G_N_ELEMENTS(checks); i++) {
        g_autofree char *path = g_strconcat("/tls/stream/fingerprint/", checks[i].path, NULL);
        g_test_add_data_func(path, GUINT_TO_POINTER(i), test_fingerprints);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(not_tls); i++)
        g_test_add_data_func(not_tls[i].path, GUINT_TO_POINTER(i), test_not_tls);
    for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++)
        g_test_add_data_func(refused[i].path, GUINT_TO_POINTER(i), test_refused);

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
    JOINED("/tls/stream/TRK-23/truncated", NULL, test_truncated);
    JOINED("/tls/stream/TRK-23/truncated-handshake", NULL, test_truncated_handshake);
    JOINED("/tls/stream/bad-record", NULL, test_bad_record);
    JOINED("/tls/stream/no-room-to-answer", NULL, test_no_room_to_answer);

    g_test_add_data_func("/tls/stream/TLS-08/server-takes-rsa", "RSA+SHA256:RSA-PSS+SHA256",
                         test_client_certificate);
    g_test_add_data_func("/tls/stream/TLS-08/server-takes-pss", "RSA-PSS+SHA256",
                         test_client_certificate);
    g_test_add_data_func("/tls/stream/TLS-08/server-takes-ecdsa", "ECDSA+SHA256",
                         test_client_certificate);
    g_test_add_data_func("/tls/stream/TLS-08/server-takes-both",
                         "RSA-PSS+SHA256:ECDSA+SHA256:RSA+SHA256", test_client_certificate);
    g_test_add_func("/tls/stream/TLS-05/any-server-name", test_sni);
    g_test_add_func("/tls/stream/TLS-05/legacy-switch", test_legacy_cbc);
    g_test_add_func("/tls/stream/TLS-07/dhe-rsa", test_dhe);
    g_test_add_data_func("/tls/stream/TLS-11/client-renegotiates", GINT_TO_POINTER(0),
                         test_renegotiation);
    g_test_add_data_func("/tls/stream/TLS-11/server-renegotiates", GINT_TO_POINTER(1),
                         test_renegotiation);
    g_test_add_data_func("/tls/stream/key-update-by-client", GINT_TO_POINTER(0), test_key_update);
    g_test_add_data_func("/tls/stream/key-update-by-server", GINT_TO_POINTER(1), test_key_update);
    return g_test_run();
}
