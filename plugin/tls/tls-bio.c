/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-tls-stream.c. */
#include "config.h"

#include "tls/tls-internal.h"

#include <openssl/bio.h>

/* A type number of our own would come from a small process-wide counter, and nobody looks for these
 * BIOs by type. */
#define BIO_KIND BIO_TYPE_SOURCE_SINK

static int create_cb(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

/* Nothing is ever pending in here. What is not understood gets 0, which also says that an MTU
 * overhead is 0. */
static long ctrl_cb(BIO *bio, int cmd, long num, void *ptr)
{
    (void)bio, (void)num, (void)ptr;
    return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *method_new(const char *name, int (*read_cb)(BIO *, char *, int),
                              int (*write_cb)(BIO *, const char *, int))
{
    BIO_METHOD *m = BIO_meth_new(BIO_KIND, name);

    g_assert(m);
    BIO_meth_set_create(m, create_cb);
    BIO_meth_set_ctrl(m, ctrl_cb);
    BIO_meth_set_read(m, read_cb);
    BIO_meth_set_write(m, write_cb);
    return m;
}

/* ---- stream */

static int stream_read_cb(BIO *bio, char *to, int size)
{
    TlsIo *io = BIO_get_data(bio);
    size_t n = MIN((size_t)size, buf_len(io->held));

    BIO_clear_retry_flags(bio);
    if (n > 0) {
        span_copy(to, span_head(buf_span(io->held), n));
        buf_consume(io->held, n);
        return (int)n;
    }
    n = MIN((size_t)size, io->in.len);
    if (n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    span_copy(to, span_head(io->in, n));
    io->in = span_skip(io->in, n);
    return (int)n;
}

/* All or nothing; a buffer that is full is the end of the connection: it has room for every legal
 * answer. */
static int stream_write_cb(BIO *bio, const char *from, int n)
{
    TlsIo *io = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    return io->out && buf_append(io->out, (Span){from, (size_t)n}) ? n : -1;
}

BIO_METHOD *tls_bio_method_new(void)
{
    return method_new("e2ae stream", stream_read_cb, stream_write_cb);
}

/* ---- datagrams */

/* As from a socket: what does not fit into @to is lost. */
static int datagram_read_cb(BIO *bio, char *to, int size)
{
    DtlsIo *io = BIO_get_data(bio);
    size_t n = MIN((size_t)size, io->in.len);

    BIO_clear_retry_flags(bio);
    if (n == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(to, io->in.p, n);
    io->in = (Span){0};
    return (int)n;
}

static void emit(DtlsIo *io, Span datagram)
{
    io->emitted++;
    io->emit(io->arg, datagram);
}

void dtls_io_flush(DtlsIo *io)
{
    if (buf_len(io->flight) == 0)
        return;
    emit(io, buf_span(io->flight));
    buf_reset(io->flight);
}

/*
 * OpenSSL packs a flight when it sends it first, and when it sends it again writes each record alone. GnuTLS (seen in
 * 3.7.9) as a client that does not block then waits for ever when the Finished comes by itself, after the
 * ChangeCipherSpec and between two of its polls; and more datagrams are more to lose.
 */
static int datagram_write_cb(BIO *bio, const char *from, int n)
{
    DtlsIo *io = BIO_get_data(bio);
    Span record = {from, (size_t)n};

    BIO_clear_retry_flags(bio);
    if (!io->emit)
        return -1;
    bool waits = n > 0 && from[0] != SSL3_RT_APPLICATION_DATA;
    if (!waits || buf_room(io->flight) < record.len)
        dtls_io_flush(io);
    if (!waits || !buf_append(io->flight, record))
        emit(io, record);
    return n;
}

BIO_METHOD *dtls_bio_method_new(void)
{
    return method_new("e2ae datagrams", datagram_read_cb, datagram_write_cb);
}
