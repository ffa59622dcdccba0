/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * span.h: a borrowed slice of bytes.
 *
 * A Span never owns its bytes and is not terminated by NUL. It is valid as long as the buffer it points into;
 * a function that keeps one beyond the call says so. The empty Span has len 0 and may have any p.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Span {
    const char *p;
    size_t len;
} Span;

/** A Span over a string literal. */
#define SPAN(literal) ((Span){(literal), sizeof(literal) - 1})

/** Arguments for a "%.*s" conversion. Only for text already known to be short and printable. */
#define SPAN_ARG(s) (int)(s).len, (s).p

static inline Span span_str(const char *s)
{
    return (Span){s, s ? strlen(s) : 0};
}

static inline bool span_eq(Span a, Span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

/** ASCII case-insensitive comparison, as SDP and MSRP tokens want it; no locale. */
static inline bool span_eq_nocase(Span a, Span b)
{
    return a.len == b.len && (a.len == 0 || g_ascii_strncasecmp(a.p, b.p, a.len) == 0);
}

static inline bool span_starts(Span s, Span prefix)
{
    return s.len >= prefix.len && memcmp(s.p, prefix.p, prefix.len) == 0;
}

static inline Span span_skip(Span s, size_t n)
{
    return n >= s.len ? (Span){s.p + s.len, 0} : (Span){s.p + n, s.len - n};
}

static inline Span span_head(Span s, size_t n)
{
    return (Span){s.p, MIN(n, s.len)};
}

/** memcpy() at the same speed for every distance between @s and @to, which some processors lack. */
void span_copy(char *to, Span s);

/** A NUL-terminated copy, owned by the caller. Embedded NUL bytes are copied as they are. */
static inline char *span_dup(Span s)
{
    char *copy = g_malloc(s.len + 1); /* not g_strndup(), which stops at a NUL */

    if (s.len)
        memcpy(copy, s.p, s.len);
    copy[s.len] = 0;
    return copy;
}

/** Without leading and trailing blanks and tabs. */
Span span_trim(Span s);

/**
 * Takes the part before the first @sep off *@s and returns it; *@s becomes what follows the separator.
 * Without a separator the whole of *@s is returned and *@s becomes empty. Call while s->len > 0.
 */
Span span_cut(Span *s, char sep);

/** Takes the next word off *@s: skips blanks and tabs, returns bytes up to the next one. Empty at the end. */
Span span_word(Span *s);

/** The highest bit of each byte of @word that is no visible ASCII character or is @stop; no carry leaves its byte. */
static inline uint64_t span_invisible(uint64_t word, char stop)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), low = word & ones * 0x7f;
    uint64_t other = (word ^ ones * (uint8_t)stop) & ones * 0x7f;

    return (word | ~(low + ones * (0x7f - ' ')) | (low + ones) | ~(other + ones * 0x7f)) & ones * 0x80;
}

/** The highest bit of each byte of @word that is not 0. */
static inline uint64_t span_nonzero(uint64_t word)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f);

    return (word | ((word & low) + low)) & ~low;
}

/**
 * How many visible ASCII characters other than @stop there are before the first byte that is none. Inline and in
 * words, because it runs for each header of each MSRP frame.
 */
static inline size_t span_visible(Span s, char stop)
{
    size_t n = 0;

    for (uint64_t word; n + sizeof(word) <= s.len; n += sizeof(word)) {
        memcpy(&word, s.p + n, sizeof(word));
        uint64_t ends = span_invisible(GUINT64_FROM_LE(word), stop);
        if (ends)
            return n + (size_t)__builtin_ctzll(ends) / 8;
    }
    while (n < s.len && s.p[n] > ' ' && s.p[n] <= '~' && s.p[n] != stop)
        n++;
    return n;
}

/**
 * A decimal number without sign, at most @max, made of digits only.
 * Returns false (and leaves *@ret_value alone) on anything else, so "1 ", "+1" and "0x1" are not numbers.
 */
bool span_uint(Span s, uint64_t max, uint64_t *ret_value);

/** Appends @value in decimal: cheaper by far than g_string_append_printf(), and messages consist of such numbers. */
void span_append_uint(GString *out, uint64_t value);

/**
 * Text for a message to a person: at most 80 bytes, control and non-ASCII bytes as \xNN, in double quotes.
 * Owned by the caller. Every piece of peer input that reaches a log or an error goes through this.
 */
char *span_quote(Span s);
