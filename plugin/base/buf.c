/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/buf.h"

#define BUF_FIRST 2048

void buf_clear(Buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->size);
    g_free(b->data);
    buf_init(b, b->limit);
}

void buf_release_idle(Buf *b)
{
    if (buf_len(b) == 0)
        buf_clear(b);
}

static void compact(Buf *b)
{
    if (b->start == 0)
        return;
    memmove(b->data, b->data + b->start, buf_len(b));
    b->end -= b->start;
    b->start = 0;
}

static void grow(Buf *b, size_t wanted)
{
    size_t size = MAX(b->size, (size_t)BUF_FIRST);

    while (size < wanted)
        size *= 2;
    char *data = g_malloc(size);
    if (b->data) {
        memcpy(data, b->data, b->end);
        explicit_bzero(b->data, b->size);
        g_free(b->data);
    }
    b->data = data;
    b->size = size;
}

char *buf_reserve(Buf *b, size_t n)
{
    if (n > buf_room(b))
        return NULL;
    if (b->size - b->end < n) {
        compact(b);
        if (b->size - b->end < n)
            grow(b, b->end + n);
    }
    return b->data + b->end;
}

bool buf_append(Buf *b, Span s)
{
    if (s.len == 0)
        return true;
    char *at = buf_reserve(b, s.len);
    if (!at)
        return false;
    span_copy(at, s);
    buf_commit(b, s.len);
    return true;
}

void buf_consume(Buf *b, size_t n)
{
    g_assert(n <= buf_len(b));
    b->start += n;
    if (b->start == b->end)
        b->start = b->end = 0;
}
