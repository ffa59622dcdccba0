/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls-end.h"

void end_init(End *e, TlsCtx *ctx, TlsRole role, const FingerprintSet *expected)
{
    e->s = tls_stream_new(ctx, role, expected, false);
    buf_init(&e->plain, TLS_PLAIN_ROOM);
    buf_init(&e->out, TLS_OUT_ROOM + TLS_WRITE_MAX);
}

void end_clear(End *e)
{
    tls_stream_free(e->s);
    buf_clear(&e->plain);
    buf_clear(&e->out);
}

TlsState end_state(const End *e)
{
    return tls_stream_state(e->s);
}

void end_feed(End *to, Buf *from, size_t chunk)
{
    while (buf_len(from) > 0) {
        Span piece = span_head(buf_span(from), chunk);
        tls_stream_feed(to->s, piece, &to->plain, &to->out);
        buf_consume(from, piece.len);
    }
}

void end_join(End *client, End *server, size_t chunk)
{
    tls_stream_feed(client->s, (Span){0}, &client->plain, &client->out);
    while (buf_len(&client->out) > 0 || buf_len(&server->out) > 0) {
        end_feed(server, &client->out, chunk);
        end_feed(client, &server->out, chunk);
    }
}

void end_join_raw(End *e, Raw *raw, Buf *raw_plain)
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

void end_assert_plain(Buf *plain, const char *text)
{
    g_autofree char *got = span_dup(buf_span(plain));

    g_assert_cmpstr(got, ==, text);
    buf_consume(plain, buf_len(plain));
}

void end_assert_failed(const End *e, TlsFailureKind kind, const char *text)
{
    g_assert_cmpint(end_state(e), ==, TLS_STATE_FAILED);
    g_assert_cmpint(tls_stream_failure(e->s)->kind, ==, kind);
    if (!strstr(tls_stream_failure(e->s)->text, text))
        g_error("failure text is \"%s\"", tls_stream_failure(e->s)->text);
}
