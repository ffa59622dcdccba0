/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Byte 0: role, peer, fingerprints known; the rest: datagrams with a length byte each, or what
 * spoils a real peer's. */
#include "tls/dtls-stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Out {
    GQueue queue; /* GBytes */
    bool delivered;
} Out;

static void emit_cb(void *arg, Span datagram)
{
    g_queue_push_tail(&((Out *)arg)->queue, g_bytes_new(datagram.p, datagram.len));
}

static void deliver_cb(void *arg, Span datagram)
{
    ((Out *)arg)->delivered |= datagram.len > 0;
}

/* Hands the other end what was sent, each byte changed by one of @spoil. */
static void move(Out *from, DtlsStream *to, const DtlsSink *sink, Span *spoil)
{
    for (GBytes *b; (b = g_queue_pop_head(&from->queue));) {
        gsize len;
        g_autofree char *copy = g_bytes_unref_to_data(b, &len);
        for (size_t i = 0; i < len && spoil->len; i++, *spoil = span_skip(*spoil, 1))
            copy[i] ^= *spoil->p;
        dtls_stream_feed(to, (Span){copy, len}, 0, sink);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static TlsCtx *ctx; /* made once: every input would cost a key pair */
    Out out = {.queue = G_QUEUE_INIT}, back = {.queue = G_QUEUE_INIT};
    DtlsSink sink = {emit_cb, deliver_cb, &out}, peer_sink = {emit_cb, deliver_cb, &back};
    Span rest = {(const char *)data + 1, size ? size - 1 : 0}, none = {0};
    FingerprintSet set = {0};

    if (!ctx)
        ctx = tls_ctx_new(tls_identity_new_self_signed(TLS_KEY_ECDSA, 1, NULL), &(TlsProfile){0},
                          NULL);
    if (!size)
        return 0;
    tls_identity_fingerprints(tls_ctx_identity(ctx), FP_SHA256, &set);
    g_autoptr(DtlsStream) s =
        dtls_stream_new(ctx, data[0] & 1, data[0] & 4 ? &set : NULL, false, SPAN("a"), 400);
    g_autoptr(DtlsStream) peer = dtls_stream_new(ctx, !(data[0] & 1), &set, false, SPAN("a"), 400);
    dtls_stream_feed(s, none, 0, &sink);
    for (Span d; !(data[0] & 2) && rest.len > 0; rest = span_skip(rest, 1 + d.len)) {
        d = span_head(span_skip(rest, 1), 2u * (uint8_t)*rest.p);
        dtls_stream_feed(s, d, 0, &sink);
        dtls_is_client_hello(d);
    }
    dtls_stream_feed(peer, none, 0, &peer_sink);
    for (int i = 0; (data[0] & 2) && i < 8; i++) {
        dtls_stream_write(peer, SPAN("plain text"), &peer_sink);
        move(&back, s, &sink, &rest);
        move(&out, peer, &peer_sink, &none);
    }
    g_assert(!out.delivered || (data[0] & 4));
    g_queue_clear_full(&out.queue, (GDestroyNotify)g_bytes_unref);
    g_queue_clear_full(&back.queue, (GDestroyNotify)g_bytes_unref);
    return 0;
}
