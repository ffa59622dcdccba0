/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "framing/msrp-search.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

/*
 * Of seven dashes in a row four fill an aligned word, wherever the row starts. So it is enough to
 * look at each word once, and hardly anything but a line of dashes looks like it.
 */
#define WORD        4
#define DASH_WORD   0x2d2d2d2d
#define VECTOR_SIZE 32
/* Four vectors a round: they are tested together, mostly in vain. */
#define BLOCK (4 * VECTOR_SIZE)
/* Where the dashes of the mark begin, and how far behind its start the word may be at most. */
#define FIRST_DASH 2
#define BACK       (FIRST_DASH + WORD - 1)
/* The last dash of the mark's head is looked for this far behind the CR. */
#define LAST_DASH (MSRP_MARK_HEAD_LEN - 1)

typedef uint32_t Vector __attribute__((vector_size(VECTOR_SIZE)));
typedef uint64_t Half __attribute__((vector_size(VECTOR_SIZE / 2)));

static inline void add_hits(Vector *hits, const char *p)
{
    Vector v;

    memcpy(&v, p, sizeof(v));
    *hits |= (Vector)(v == (Vector){0} + DASH_WORD);
}

/* Skips blocks without such a word. No call in the loop, so that all of it stays in registers. */
static const char *skip_blocks_anywhere(const char *p, const char *end)
{
    for (; p < end; p += BLOCK) {
        Vector hits = {0};
        Half half[2];
        add_hits(&hits, p);
        add_hits(&hits, p + VECTOR_SIZE);
        add_hits(&hits, p + 2 * VECTOR_SIZE);
        add_hits(&hits, p + 3 * VECTOR_SIZE);
        memcpy(half, &hits, sizeof(hits));
        half[0] |= half[1];
        if (half[0][0] | half[0][1])
            break;
    }
    return p;
}

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2")))

static inline AVX2 __m256i hits_at(const char *p)
{
    return _mm256_cmpeq_epi32(_mm256_loadu_si256((const __m256i *)p),
                              _mm256_set1_epi32(DASH_WORD));
}

/* The same for processors of the last ten years: fewer instructions for the same. */
static AVX2 const char *skip_blocks_avx2(const char *p, const char *end)
{
    for (; p < end; p += BLOCK) {
        __m256i front = _mm256_or_si256(hits_at(p), hits_at(p + VECTOR_SIZE));
        __m256i back = _mm256_or_si256(hits_at(p + 2 * VECTOR_SIZE), hits_at(p + 3 * VECTOR_SIZE));
        __m256i hits = _mm256_or_si256(front, back);
        if (!_mm256_testz_si256(hits, hits))
            break;
    }
    return p;
}

static const char *skip_blocks_here(const char *p, const char *end)
{
    return __builtin_cpu_supports("avx2") ? skip_blocks_avx2(p, end) : skip_blocks_anywhere(p, end);
}
#else
#define skip_blocks_here skip_blocks_anywhere
#endif

typedef const char *SkipBlocks(const char *p, const char *end);

/* The mark at one of the places from @p to @end. */
static const char *match(const char *p, const char *end, Span mark)
{
    for (; p < end && (p = memchr(p, '\r', (size_t)(end - p))); p++)
        if (p[LAST_DASH] == '-' && memcmp(p, mark.p, mark.len) == 0)
            return p;
    return NULL;
}

/* The later one of @place and BACK bytes before @p, in @in. */
static const char *forward_to(const char *place, Span in, const char *p)
{
    return (size_t)(p - in.p) > BACK ? MAX(place, p - BACK) : place;
}

static inline __attribute__((always_inline)) const char *search(Span in, Span mark,
                                                                SkipBlocks *skip_blocks)
{
    if (in.len < mark.len)
        return NULL;
    const char *place = in.p, *last = in.p + (in.len - mark.len) + 1;
    const char *p = in.p + FIRST_DASH, *found;
    const char *end = p + (in.len - FIRST_DASH) / BLOCK * BLOCK;

    while ((p = skip_blocks(p, end)) < end) {
        place = forward_to(place, in, p); /* what starts before has its word before */
        p += BLOCK;
        if ((found = match(place, MIN(p - FIRST_DASH, last), mark)))
            return found;
    }
    return match(forward_to(place, in, end), last, mark);
}

const char *msrp_search(Span in, Span mark)
{
    return search(in, mark, skip_blocks_here);
}

const char *msrp_search_anywhere(Span in, Span mark)
{
    return search(in, mark, skip_blocks_anywhere);
}
