/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Byte 0: role, peer, fingerprints known; byte 1: size of a feed; the rest: what arrives, or what
 * spoils a real peer's bytes. */
#include "tls/tls-stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(TlsStream *s, Buf *in, size_t chunk, Buf *plain, Buf *out)
{
    for (Span piece; buf_len(in) > 0; buf_consume(in, piece.len)) {
        piece = span_head(buf_span(in), chunk);
        g_assert(tls_stream_feed(s, piece, plain, out) != TLS_STATE_QUARANTINE || !buf_len(plain));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static TlsCtx *ctx; /* made once: every input would cost a key pair */
    Buf in = {.limit = 1 << 20}, out = in, plain = in, peer_plain = in;
    FingerprintSet set = {0};

    if (!ctx)
        ctx = tls_ctx_new(tls_identity_new_self_signed(TLS_KEY_ECDSA, 1, NULL), &(TlsProfile){0},
                          NULL);
    if (size < 2 || size > 60000)
        return 0;
    tls_identity_fingerprints(tls_ctx_identity(ctx), FP_SHA256, &set);
    g_autoptr(TlsStream) s = tls_stream_new(ctx, data[0] & 1, data[0] & 4 ? &set : NULL, false);
    g_autoptr(TlsStream) peer = tls_stream_new(ctx, !(data[0] & 1), &set, false);
    if (!(data[0] & 2))
        buf_append(&in, (Span){(const char *)data + 2, size - 2});
    feed(s, &in, data[1] + 1u, &plain, &out);
    for (size_t at = 2, round = 0; (data[0] & 2) && round < 8; round++) {
        tls_stream_feed(s, (Span){0}, &plain, &out);
        tls_stream_feed(peer, (Span){0}, &peer_plain, &in);
        tls_stream_write(peer, SPAN("plain text"), &in);
        for (size_t i = in.start; i < in.end && at < size; i++)
            in.data[i] ^= (char)data[at++];
        feed(s, &in, data[1] + 1u, &plain, &out);
        feed(peer, &out, TLS_FEED_MAX, &peer_plain, &in);
    }
    g_assert(!buf_len(&plain) || (data[0] & 4));
    for (Buf *b[] = {&in, &out, &plain, &peer_plain, NULL}, **p = b; *p; p++)
        buf_clear(*p);
    return 0;
}
