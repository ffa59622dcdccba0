/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "framing/msrp-model.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define START SPAN("MSRP ")

/* So many characters at once; signed, so that what is not ASCII is less than a blank. */
#define VECTOR_SIZE 16
typedef signed char Vector __attribute__((vector_size(VECTOR_SIZE)));

void msrp_model_forget(MsrpModel *m)
{
    m->len = 0;
}

void msrp_model_take(MsrpModel *m, Span head, Span tid, Span rest)
{
    m->len = 0;
    /* A header has a colon. So without one in the transaction id no header looks like an end-line. */
    if (head.len > sizeof(m->text) || head.len < VECTOR_SIZE || memchr(tid.p, ':', tid.len))
        return;
    memcpy(m->text, head.p, head.len);
    m->len = head.len;
    m->behind_tid = (size_t)(tid.p + tid.len - head.p);
    m->rest_at = (size_t)(rest.p - head.p);
}

static inline Vector load(const char *p)
{
    Vector v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* Is one of the characters of @v, which are all 0 or -1, not 0? */
static inline bool any(Vector v)
{
#ifdef __SSE2__
    return _mm_movemask_epi8((__m128i)v) != 0;
#else
    uint64_t half[2];

    memcpy(half, &v, sizeof(half));
    return half[0] | half[1];
#endif
}

static inline Vector fixed(Vector v)
{
    return (v <= ' ') | (v > '~') | (v == ':');
}

/* Differing characters have to be visible and no colons in both. */
static inline bool vectors_alike(const char *a, const char *b)
{
    Vector x = load(a), y = load(b), differ = (Vector)(x != y);

    return !any(differ) || !any(differ & (fixed(x) | fixed(y)));
}

/* Then line ends, blanks and colons are at the same places in both. @n is not less than a vector. */
static bool alike(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i + VECTOR_SIZE < n; i += VECTOR_SIZE)
        if (!vectors_alike(a + i, b + i))
            return false;
    return vectors_alike(a + n - VECTOR_SIZE, b + n - VECTOR_SIZE);
}

bool msrp_model_fits(const MsrpModel *m, Span in)
{
    /* What they share with the part in the middle does no harm: no head is so short. */
    const size_t first = MAX(m->behind_tid, VECTOR_SIZE);
    const size_t rest = MIN(m->rest_at, m->len - VECTOR_SIZE);

    return m->len > 0 && in.len >= m->len && span_starts(in, START) &&
           memcmp(in.p + m->behind_tid, m->text + m->behind_tid, m->rest_at - m->behind_tid) == 0 &&
           alike(in.p, m->text, first) && alike(in.p + rest, m->text + rest, m->len - rest);
}
