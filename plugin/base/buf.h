/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * buf.h: a byte queue with a hard limit: bytes are appended at the end and consumed at the front.
 *
 * Threads: used by one thread only.
 * Owner:   the struct is embedded; buf_init() before use, buf_clear() frees the memory. Memory is taken on the
 *          first append and given back by buf_release_idle(), so an idle connection costs only the struct.
 */
#pragma once

#include "base/span.h"

typedef struct Buf {
    char *data;
    size_t start; /* first unread byte */
    size_t end;   /* one past the last unread byte */
    size_t size;  /* allocated */
    size_t limit; /* most unread bytes it will ever hold */
} Buf;

static inline void buf_init(Buf *b, size_t limit)
{
    *b = (Buf){.limit = limit};
}

/** Frees the memory, wiping it first: it may have held plaintext. The limit stays. */
void buf_clear(Buf *b);

/** Gives the memory back when nothing is unread; else does nothing. */
void buf_release_idle(Buf *b);

static inline size_t buf_len(const Buf *b)
{
    return b->end - b->start;
}

/** How many more bytes it takes before the limit. */
static inline size_t buf_room(const Buf *b)
{
    return b->limit - buf_len(b);
}

/** The unread bytes; valid until the next append, reserve or clear. */
static inline Span buf_span(const Buf *b)
{
    return (Span){b->data + b->start, buf_len(b)};
}

/** Copies @s to the end. False, and nothing copied, when it would pass the limit. */
bool buf_append(Buf *b, Span s);

/**
 * Makes room for @n bytes at the end and returns where to write them; buf_commit() makes them unread.
 * NULL when that would pass the limit.
 */
char *buf_reserve(Buf *b, size_t n);

static inline void buf_commit(Buf *b, size_t n)
{
    g_assert(b->end + n <= b->size);
    b->end += n;
}

/** Drops the first @n unread bytes; @n must not exceed buf_len(). */
void buf_consume(Buf *b, size_t n);

/** Drops all unread bytes and keeps the memory. */
static inline void buf_reset(Buf *b)
{
    b->start = b->end = 0;
}
