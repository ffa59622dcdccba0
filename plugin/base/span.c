/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/span.h"

#define QUOTE_MAX 80

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

Span span_trim(Span s)
{
    while (s.len && is_blank(s.p[0]))
        s = span_skip(s, 1);
    while (s.len && is_blank(s.p[s.len - 1]))
        s.len--;
    return s;
}

Span span_cut(Span *s, char sep)
{
    const char *at = s->len ? memchr(s->p, sep, s->len) : NULL;
    Span head = at ? span_head(*s, (size_t)(at - s->p)) : *s;

    *s = span_skip(*s, head.len + (at ? 1 : 0));
    return head;
}

Span span_word(Span *s)
{
    size_t n = 0;

    while (s->len && is_blank(s->p[0]))
        *s = span_skip(*s, 1);
    while (n < s->len && !is_blank(s->p[n]))
        n++;
    Span word = span_head(*s, n);
    *s = span_skip(*s, n);
    return word;
}

bool span_uint(Span s, uint64_t max, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (!s.len)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!g_ascii_isdigit(s.p[i]))
            return false;
        uint64_t digit = (uint64_t)(s.p[i] - '0');
        if (value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value > max)
        return false;
    *ret_value = value;
    return true;
}

void span_append_uint(GString *out, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    g_string_append_len(out, digits + at, (gssize)(sizeof(digits) - at));
}

char *span_quote(Span s)
{
    GString *out = g_string_new("\"");
    Span shown = span_head(s, QUOTE_MAX);

    for (size_t i = 0; i < shown.len; i++) {
        char c = shown.p[i];
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", c);
        else if (g_ascii_isprint(c))
            g_string_append_c(out, c);
        else
            g_string_append_printf(out, "\\x%02x", (unsigned)(unsigned char)c);
    }
    g_string_append(out, shown.len < s.len ? "...\"" : "\"");
    return g_string_free(out, FALSE);
}

/*
 * memcpy() of more than 2112 bytes may be one rep movsb, which AMD processors with fsrm carry out many times slower
 * when the target is up to 31 bytes behind the source, counted within their pages of 4 KiB. Shorter ones are loops.
 */
#define COPY_PIECE 2048

void span_copy(char *to, Span s)
{
    while (s.len > 0) {
        size_t n = MIN(s.len, COPY_PIECE);
        __asm__("" : "+r"(n)); /* were it known, the compiler would put in that instruction itself */
        memcpy(to, s.p, n);
        to += n;
        s = span_skip(s, n);
    }
}
