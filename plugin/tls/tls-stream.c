/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tls/tls-internal.h"
#include "tls/tls-stream.h"

/* One record's worth. */
#define READ_CHUNK (16 * 1024)

struct TlsStream {
    TlsConn conn; /* first: it is what the SSL's app data points to */
    TlsIo io;
    Buf held; /* ciphertext that arrived and cannot be read yet */
};

TlsStream *tls_stream_new(TlsCtx *ctx, TlsRole role, const FingerprintSet *expected,
                          bool allow_sha1)
{
    TlsStream *s = g_new0(TlsStream, 1);

    buf_init(&s->held, TLS_FEED_MAX);
    s->io.held = &s->held;
    tls_conn_init(&s->conn, ctx, tls_ctx_new_tls(ctx, role, &s->io), expected, allow_sha1);
    return s;
}

void tls_stream_free(TlsStream *s)
{
    if (!s)
        return;
    tls_conn_clear(&s->conn);
    buf_clear(&s->held);
    g_free(s);
}

/*
 * Without read-ahead (which measured no faster) OpenSSL takes no more than one record from us. So
 * what waits in quarantine waits here and not in OpenSSL, and without input there is nothing to
 * call it for.
 */
static bool has_input(const TlsStream *s)
{
    return s->io.in.len > 0 || tls_stream_pending(s);
}

static size_t input_left(const TlsStream *s)
{
    return s->io.in.len + buf_len(&s->held);
}

static void read_all(TlsStream *s, Buf *plain)
{
    TlsConn *c = &s->conn;

    while (has_input(s)) {
        size_t size = MIN((size_t)READ_CHUNK, buf_room(plain));
        size_t before = input_left(s);
        size_t n = 0;
        if (size == 0)
            return;
        switch (tls_conn_read(c, buf_reserve(plain, size), size, &n)) {
        case TLS_READ_DATA:
            buf_commit(plain, n);
            break;
        case TLS_READ_AGAIN:
            /* Also after a ticket or a key update, behind which there may be more. */
            if (input_left(s) == before)
                return;
            break;
        case TLS_READ_CLOSED:
            c->state = TLS_STATE_EOF;
            return;
        case TLS_READ_FAILED:
            return;
        }
    }
}

/* What was not read waits for its time, or for nothing when nothing will be read any more. */
static void keep_rest(TlsStream *s)
{
    if (s->conn.state == TLS_STATE_EOF || s->conn.state == TLS_STATE_FAILED)
        buf_clear(&s->held);
    else if (!buf_append(&s->held, s->io.in))
        tls_conn_fail(&s->conn, TLS_FAILURE_RECORD, "too many bytes before they could be read");
    else
        buf_release_idle(&s->held);
}

TlsState tls_stream_feed(TlsStream *s, Span in, Buf *plain, Buf *out)
{
    TlsConn *c = &s->conn;

    g_assert(in.len <= TLS_FEED_MAX);
    if (c->state == TLS_STATE_FAILED || c->state == TLS_STATE_EOF)
        return c->state;
    s->io.in = in;
    s->io.out = out;
    if (c->state == TLS_STATE_HANDSHAKE)
        tls_conn_handshake(c);
    if (c->state == TLS_STATE_OPEN)
        read_all(s, plain);
    keep_rest(s);
    s->io.in = (Span){0};
    s->io.out = NULL;
    return c->state;
}

TlsState tls_stream_feed_eof(TlsStream *s)
{
    TlsConn *c = &s->conn;

    if (c->state == TLS_STATE_HANDSHAKE)
        tls_conn_fail(c, TLS_FAILURE_TRUNCATED, "connection ended during the handshake");
    else if (c->state != TLS_STATE_EOF && c->state != TLS_STATE_FAILED)
        tls_conn_fail(c, TLS_FAILURE_TRUNCATED, "connection ended without close_notify");
    return c->state;
}

TlsState tls_stream_set_fingerprints(TlsStream *s, const FingerprintSet *expected, bool allow_sha1,
                                     Buf *out)
{
    s->io.out = out;
    tls_conn_set_fingerprints(&s->conn, expected, allow_sha1);
    s->io.out = NULL;
    return s->conn.state;
}

bool tls_stream_write(TlsStream *s, Span plain, Buf *out)
{
    TlsConn *c = &s->conn;

    g_assert(plain.len <= TLS_WRITE_MAX);
    if ((c->state != TLS_STATE_OPEN && c->state != TLS_STATE_EOF) || c->close_sent)
        return false;
    if (plain.len == 0)
        return true;
    if (buf_room(out) < plain.len + TLS_WRITE_OVERHEAD)
        return false;
    s->io.out = out;
    bool ok = tls_conn_write(c, plain);
    s->io.out = NULL;
    return ok;
}

void tls_stream_close(TlsStream *s, Buf *out)
{
    s->io.out = out;
    tls_conn_close(&s->conn);
    s->io.out = NULL;
}

bool tls_stream_pending(const TlsStream *s)
{
    return buf_len(&s->held) > 0 || SSL_pending(s->conn.ssl) > 0;
}

TlsState tls_stream_state(const TlsStream *s)
{
    return s->conn.state;
}

const TlsFailure *tls_stream_failure(const TlsStream *s)
{
    return &s->conn.failure;
}

const char *tls_stream_version(const TlsStream *s)
{
    return SSL_get_version(s->conn.ssl);
}

const char *tls_stream_cipher(const TlsStream *s)
{
    return SSL_get_cipher_name(s->conn.ssl);
}

bool tls_stream_peer_fingerprint(const TlsStream *s, FpHash hash, Fingerprint *ret_fp)
{
    return tls_conn_peer_fingerprint(&s->conn, hash, ret_fp);
}
