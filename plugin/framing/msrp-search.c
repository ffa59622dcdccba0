/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "framing/msrp-search.h"

#define LANES 16
/* Four vectors a round: they are tested together, mostly in vain. */
#define BLOCK (4 * LANES)
/* The last dash of the mark's head is looked for this far behind the CR. */
#define DASH (MSRP_MARK_HEAD_LEN - 1)

typedef char Vector __attribute__((vector_size(LANES)));

static inline Vector load(const char *p)
{
    Vector v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* The lanes that hold a CR, with a dash behind it where the mark has its last one. */
static inline Vector hits_at(const char *p, Vector cr, Vector dash)
{
    return (Vector)((load(p) == cr) & (load(p + DASH) == dash));
}

/* Skips blocks without any hit. No call in the loop, so that all of it stays in registers. */
static const char *skip_blocks(const char *p, const char *end)
{
    const Vector cr = (Vector){0} + '\r', dash = (Vector){0} + '-';

    for (; p < end; p += BLOCK) {
        Vector low = hits_at(p, cr, dash) | hits_at(p + LANES, cr, dash);
        Vector high = hits_at(p + 2 * LANES, cr, dash) | hits_at(p + 3 * LANES, cr, dash);
        uint64_t words[LANES / 8];
        low |= high;
        memcpy(words, &low, sizeof(low));
        if (words[0] | words[1])
            break;
    }
    return p;
}

/* The mark at one of the places from @p to @end. */
static const char *match(const char *p, const char *end, Span mark)
{
    for (; p < end && (p = memchr(p, '\r', (size_t)(end - p))); p++)
        if (p[DASH] == '-' && memcmp(p, mark.p, mark.len) == 0)
            return p;
    return NULL;
}

const char *msrp_search(Span in, Span mark)
{
    if (in.len < mark.len)
        return NULL;
    size_t places = in.len - mark.len + 1;
    const char *p = in.p, *end = in.p + places - places % BLOCK, *found;

    while ((p = skip_blocks(p, end)) < end) {
        if ((found = match(p, p + BLOCK, mark)))
            return found;
        p += BLOCK;
    }
    return match(p, in.p + places, mark);
}
