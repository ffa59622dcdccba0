/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tls/dtls-stream.h"
#include "tls/tls-internal.h"

#include <openssl/err.h>
#include <sys/time.h>

#define RECORD_HEADER_LEN    13
#define HANDSHAKE_HEADER_LEN 12
/* What OpenSSL forgets when it packs an encrypted Finished behind other messages: the nonce and tag
 * of an AEAD. */
#define HANDSHAKE_MARGIN 24
/* OpenSSL's own lower bound, and that. */
#define MTU_MIN  (256 + HANDSHAKE_MARGIN)
#define HELD_MAX 8 /* TRK-10 */

struct DtlsStream {
    TlsConn conn; /* first: it is what the SSL's app data points to */
    DtlsIo io;
    Buf flight;
    bool listening;    /* server: no ClientHello with our cookie has come yet */
    bool closed_early; /* close_notify arrived in quarantine */
    unsigned mtu;
    int64_t deadline;
    uint64_t ignored;
    unsigned n_held;
    Span held[HELD_MAX]; /* plaintext, owned */
};

DtlsStream *dtls_stream_new(TlsCtx *ctx, TlsRole role, const FingerprintSet *expected,
                            bool allow_sha1, Span peer, unsigned mtu)
{
    DtlsStream *s = g_new0(DtlsStream, 1);
    SSL *ssl = tls_ctx_new_dtls(ctx, role, &s->io);

    tls_conn_init(&s->conn, ctx, ssl, expected, allow_sha1);
    s->mtu = MAX(mtu ? mtu : tls_ctx_dtls_mtu(ctx), MTU_MIN);
    buf_init(&s->flight, s->mtu);
    SSL_set_mtu(ssl, (long)s->mtu - HANDSHAKE_MARGIN);
    tls_ctx_cookie(ctx, peer, s->conn.cookie);
    s->listening = role == TLS_SERVER;
    s->deadline = -1;
    return s;
}

static void drop_held(DtlsStream *s)
{
    for (unsigned i = 0; i < s->n_held; i++) {
        OPENSSL_cleanse((char *)s->held[i].p, s->held[i].len);
        g_free((char *)s->held[i].p);
    }
    s->n_held = 0;
}

void dtls_stream_free(DtlsStream *s)
{
    if (!s)
        return;
    tls_conn_clear(&s->conn);
    drop_held(s);
    buf_clear(&s->flight);
    g_free(s);
}

/* ---- one call: what OpenSSL may read, and where it may write */

/* Returns what was set before, for leave(): a deliver callback may write on the same association.
 */
static DtlsIo enter(DtlsStream *s, Span in, const DtlsSink *sink)
{
    DtlsIo outer = s->io;

    s->io = (DtlsIo){.in = in, .emit = sink->emit, .arg = sink->arg, .flight = &s->flight};
    return outer;
}

static void leave(DtlsStream *s, DtlsIo outer)
{
    dtls_io_flush(&s->io);
    buf_release_idle(&s->flight);
    s->io = outer;
    if (s->conn.state == TLS_STATE_FAILED)
        drop_held(s);
}

static void rearm(DtlsStream *s, int64_t now_us)
{
    struct timeval left;

    s->deadline = -1;
    if (s->conn.state == TLS_STATE_HANDSHAKE && DTLSv1_get_timeout(s->conn.ssl, &left))
        s->deadline = now_us + left.tv_sec * G_USEC_PER_SEC + left.tv_usec;
}

/* ---- datagrams in */

static bool is_record(Span d)
{
    return d.len >= RECORD_HEADER_LEN && d.p[0] >= 20 && d.p[0] <= 25 && (uint8_t)d.p[1] == 0xfe;
}

/* The shortest fragment that the cipher could have made; 24, of GCM, before there is one. */
static size_t least_fragment(const SSL *ssl)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);

    if (!cipher)
        cipher = SSL_get_pending_cipher(ssl);
    if (!cipher)
        return 24;
    if (!SSL_CIPHER_is_aead(cipher))
        return 0; /* OpenSSL itself drops what is no whole number of blocks */
    bool short_tag = g_str_has_suffix(SSL_CIPHER_get_name(cipher), "CCM8");
    bool no_nonce = SSL_CIPHER_get_cipher_nid(cipher) == NID_chacha20_poly1305;
    return short_tag || no_nonce ? 16 : 24;
}

/*
 * Has the datagram a protected record that is shorter than any real one? OpenSSL up to 3.0.20 takes
 * such a record, which anybody can send, for a failure of the whole association instead of dropping
 * it (RFC 6347 4.1.2.7).
 */
static bool is_forged(const DtlsStream *s, Span d)
{
    size_t least = least_fragment(s->conn.ssl);

    while (d.len >= RECORD_HEADER_LEN) {
        const uint8_t *p = (const uint8_t *)d.p;
        size_t fragment = (size_t)p[11] << 8 | p[12];
        bool sealed = p[3] != 0 || p[4] != 0; /* of an epoch other than the first */
        if (sealed && fragment < least)
            return true;
        if (fragment > d.len - RECORD_HEADER_LEN)
            return false; /* OpenSSL drops what is cut off */
        d = span_skip(d, RECORD_HEADER_LEN + fragment);
    }
    return false;
}

/*
 * Answers a ClientHello without our cookie by asking for it, and keeps nothing (RFC 6347 4.2.1).
 * OpenSSL's own cookie exchange inside the handshake would not do: it waits for the second
 * ClientHello, and so for ever when its request for the cookie was lost.
 */
static void listen_for_cookie(DtlsStream *s)
{
    BIO_ADDR *unused = BIO_ADDR_new();

    g_assert(unused);
    ERR_clear_error();
    s->listening = DTLSv1_listen(s->conn.ssl, unused) != 1;
    ERR_clear_error();
    BIO_ADDR_free(unused);
}

static void handshake(DtlsStream *s)
{
    tls_conn_handshake(&s->conn);
    if (s->conn.state != TLS_STATE_HANDSHAKE)
        SSL_set_mtu(s->conn.ssl, (long)s->mtu);
    dtls_io_flush(&s->io);
}

static void take(DtlsStream *s, Span plain, const DtlsSink *sink)
{
    if (s->conn.state == TLS_STATE_OPEN)
        sink->deliver(sink->arg, plain);
    else if (s->n_held < HELD_MAX)
        s->held[s->n_held++] = (Span){g_memdup2(plain.p, plain.len), plain.len};
    else
        s->ignored++;
}

/*
 * Reads the records of one datagram, and those that came too early before; returns how many held
 * application data. In quarantine too: a peer that did not get our last flight sends its own again,
 * and only OpenSSL can answer that. What it decrypts then is held back.
 */
static unsigned read_records(DtlsStream *s, const DtlsSink *sink)
{
    TlsConn *c = &s->conn;
    char plain[SSL3_RT_MAX_PLAIN_LENGTH];
    TlsRead what = TLS_READ_DATA;
    size_t longest = 0;
    unsigned taken = 0;

    while (what == TLS_READ_DATA &&
           (c->state == TLS_STATE_OPEN || c->state == TLS_STATE_QUARANTINE)) {
        size_t n = 0;
        what = tls_conn_read(c, plain, sizeof plain, &n);
        dtls_io_flush(&s->io);
        if (what == TLS_READ_DATA) {
            take(s, (Span){plain, n}, sink);
            longest = MAX(longest, n);
            taken++;
        }
    }
    if (what == TLS_READ_CLOSED && c->state == TLS_STATE_QUARANTINE)
        s->closed_early = true;
    else if (what == TLS_READ_CLOSED)
        c->state = TLS_STATE_EOF;
    OPENSSL_cleanse(plain, longest);
    return taken;
}

TlsState dtls_stream_feed(DtlsStream *s, Span datagram, int64_t now_us, const DtlsSink *sink)
{
    TlsConn *c = &s->conn;

    if (c->state == TLS_STATE_FAILED || c->state == TLS_STATE_EOF)
        return c->state;
    if (datagram.len > 0 && (!is_record(datagram) || is_forged(s, datagram))) {
        s->ignored++;
        return c->state;
    }
    DtlsIo outer = enter(s, datagram, sink);
    bool shaking = c->state == TLS_STATE_HANDSHAKE;
    if (s->listening)
        listen_for_cookie(s);
    if (shaking && !s->listening)
        handshake(s);
    TlsState before = c->state;
    unsigned taken = datagram.len > 0 ? read_records(s, sink) : 0;
    if (!shaking && datagram.len > 0 && !taken && !s->io.emitted && c->state == before)
        s->ignored++;
    leave(s, outer);
    rearm(s, now_us);
    return c->state;
}

/* ---- time */

int64_t dtls_stream_deadline(const DtlsStream *s)
{
    return s->deadline;
}

TlsState dtls_stream_timeout(DtlsStream *s, int64_t now_us, const DtlsSink *sink)
{
    if (s->deadline < 0 || now_us < s->deadline)
        return s->conn.state;
    DtlsIo outer = enter(s, (Span){0}, sink);
    tls_conn_timeout(&s->conn);
    leave(s, outer);
    rearm(s, now_us);
    return s->conn.state;
}

/* ---- the rest */

static void deliver_held(DtlsStream *s, const DtlsSink *sink)
{
    for (unsigned i = 0; i < s->n_held && s->conn.state == TLS_STATE_OPEN; i++)
        sink->deliver(sink->arg, s->held[i]);
    drop_held(s);
    if (s->closed_early && s->conn.state == TLS_STATE_OPEN)
        s->conn.state = TLS_STATE_EOF;
}

TlsState dtls_stream_set_fingerprints(DtlsStream *s, const FingerprintSet *expected,
                                      bool allow_sha1, const DtlsSink *sink)
{
    bool waiting = s->conn.state == TLS_STATE_QUARANTINE;
    DtlsIo outer = enter(s, (Span){0}, sink);

    tls_conn_set_fingerprints(&s->conn, expected, allow_sha1);
    if (waiting && s->conn.state == TLS_STATE_OPEN)
        deliver_held(s, sink);
    leave(s, outer);
    return s->conn.state;
}

bool dtls_stream_write(DtlsStream *s, Span datagram, const DtlsSink *sink)
{
    TlsConn *c = &s->conn;

    if (c->state != TLS_STATE_OPEN || c->close_sent || datagram.len == 0 ||
        datagram.len > DTLS_get_data_mtu(c->ssl))
        return false;
    DtlsIo outer = enter(s, (Span){0}, sink);
    bool ok = tls_conn_write(c, datagram);
    leave(s, outer);
    return ok;
}

void dtls_stream_close(DtlsStream *s, const DtlsSink *sink)
{
    DtlsIo outer = enter(s, (Span){0}, sink);

    tls_conn_close(&s->conn);
    leave(s, outer);
}

TlsState dtls_stream_state(const DtlsStream *s)
{
    return s->conn.state;
}

const TlsFailure *dtls_stream_failure(const DtlsStream *s)
{
    return &s->conn.failure;
}

const char *dtls_stream_version(const DtlsStream *s)
{
    return SSL_get_version(s->conn.ssl);
}

const char *dtls_stream_cipher(const DtlsStream *s)
{
    return SSL_get_cipher_name(s->conn.ssl);
}

bool dtls_stream_peer_fingerprint(const DtlsStream *s, FpHash hash, Fingerprint *ret_fp)
{
    return tls_conn_peer_fingerprint(&s->conn, hash, ret_fp);
}

uint64_t dtls_stream_ignored(const DtlsStream *s)
{
    return s->ignored;
}

bool dtls_is_client_hello(Span d)
{
    static const char epoch0[2] = {0};
    static const char offset0[3] = {0};

    return d.len >= RECORD_HEADER_LEN + HANDSHAKE_HEADER_LEN && is_record(d) &&
           d.p[0] == SSL3_RT_HANDSHAKE && memcmp(d.p + 3, epoch0, sizeof epoch0) == 0 &&
           d.p[RECORD_HEADER_LEN] == SSL3_MT_CLIENT_HELLO &&
           memcmp(d.p + RECORD_HEADER_LEN + 6, offset0, sizeof offset0) == 0;
}
