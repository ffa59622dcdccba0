/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "framing/msrp-model.h"

#define START SPAN("MSRP ")

void msrp_model_forget(MsrpModel *m)
{
    m->len = 0;
}

void msrp_model_take(MsrpModel *m, Span head, Span tid, Span rest)
{
    m->len = 0;
    /* A header has a colon. So without one in the transaction id no header looks like an end-line. */
    if (head.len > sizeof(m->text) || memchr(tid.p, ':', tid.len))
        return;
    memcpy(m->text, head.p, head.len);
    m->len = head.len;
    m->behind_tid = (size_t)(tid.p + tid.len - head.p);
    m->rest_at = (size_t)(rest.p - head.p);
}

/* Differing characters have to be visible and no colons in both. */
static inline bool words_alike(const char *a, const char *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x == y || !(span_nonzero(x ^ y) & (span_invisible(x, ':') | span_invisible(y, ':')));
}

/*
 * Then line ends, blanks and colons are at the same places in both. Of less than a word nothing may
 * differ.
 */
static bool alike(const char *a, const char *b, size_t n)
{
    const size_t word = sizeof(uint64_t);

    if (n < word)
        return memcmp(a, b, n) == 0;
    for (size_t i = 0; i + word < n; i += word)
        if (!words_alike(a + i, b + i))
            return false;
    return words_alike(a + n - word, b + n - word);
}

bool msrp_model_fits(const MsrpModel *m, Span in)
{
    return m->len > 0 && in.len >= m->len && span_starts(in, START) &&
           memcmp(in.p + m->behind_tid, m->text + m->behind_tid, m->rest_at - m->behind_tid) == 0 &&
           alike(in.p, m->text, m->behind_tid) &&
           alike(in.p + m->rest_at, m->text + m->rest_at, m->len - m->rest_at);
}
