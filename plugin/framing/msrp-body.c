/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "framing/msrp-body.h"

#include <string.h>

#define CRLF 2
/* The mark starts with the CRLF that ends the body, which an end-line behind a header does not
 * have. */
#define MARK_CRLF 2

typedef enum Match { MATCH_NO, MATCH_SO_FAR, MATCH_WHOLE } Match;

void msrp_body_begin(MsrpBody *b, Span tid)
{
    memcpy(b->mark, MSRP_MARK_HEAD, MSRP_MARK_HEAD_LEN);
    memcpy(b->mark + MSRP_MARK_HEAD_LEN, tid.p, tid.len);
    b->mark_len = MSRP_MARK_HEAD_LEN + tid.len;
    b->start = true;
    b->at_end = false;
    b->searched = 0;
    b->held_len = 0;
}

Span msrp_body_held(const MsrpBody *b)
{
    return (Span){b->held, b->held_len};
}

static Span mark_of(const MsrpBody *b)
{
    return (Span){b->mark, b->mark_len};
}

/* Is @text, at most three bytes, what follows the mark in an end-line? */
static Match match_behind_mark(Span text)
{
    if (text.len > 0 && text.p[0] != '$' && text.p[0] != '+' && text.p[0] != '#')
        return MATCH_NO;
    if ((text.len > 1 && text.p[1] != '\r') || (text.len > 2 && text.p[2] != '\n'))
        return MATCH_NO;
    return text.len == 1 + CRLF ? MATCH_WHOLE : MATCH_SO_FAR;
}

/* Is @text, of at most the length of an end-line, the end-line without the first @skip bytes? */
static Match match_end(const MsrpBody *b, size_t skip, Span text)
{
    size_t mark_len = b->mark_len - skip;

    if (text.len && *text.p != b->mark[skip]) /* mostly */
        return MATCH_NO;
    if (memcmp(text.p, b->mark + skip, MIN(text.len, mark_len)) != 0)
        return MATCH_NO;
    return match_behind_mark(span_skip(text, mark_len));
}

/* How long the end-line is without the first @skip bytes. */
static size_t end_len(const MsrpBody *b, size_t skip)
{
    return b->mark_len - skip + 1 + CRLF;
}

size_t msrp_body_end_line_len(const MsrpBody *b)
{
    return end_len(b, MARK_CRLF);
}

bool msrp_body_is_end_line(const MsrpBody *b, Span line)
{
    return line.len == msrp_body_end_line_len(b) && match_end(b, MARK_CRLF, line) == MATCH_WHOLE;
}

static MsrpBodyStep take(Span *in, size_t n, MsrpBodyStep step, Span *ret_text)
{
    *ret_text = span_head(*in, n);
    *in = span_skip(*in, n);
    return step;
}

/* Goes on with bytes that were held back: they become the end-line, or part of the body after all.
 */
static MsrpBodyStep step_from_held(MsrpBody *b, size_t skip, Span *in, Span *ret_text)
{
    size_t n = MIN(in->len, end_len(b, skip) - b->held_len);
    char joined[MSRP_END_MAX];

    memcpy(joined, b->held, b->held_len);
    memcpy(joined + b->held_len, in->p, n);
    Match match = match_end(b, skip, (Span){joined, b->held_len + n});
    if (match == MATCH_NO) {
        /* The mark has no second CR, so no other end-line can start in what was held. */
        *ret_text = msrp_body_held(b);
        b->held_len = 0;
        b->start = false;
        return MSRP_BODY_PIECE;
    }
    msrp_body_keep(b, span_head(*in, n));
    *in = span_skip(*in, n);
    if (match == MATCH_SO_FAR)
        return MSRP_BODY_MORE;
    *ret_text = msrp_body_held(b);
    b->held_len = 0;
    return MSRP_BODY_END;
}

/* How many of the last bytes may be the start of the mark; they hold no whole one. */
static size_t tail_len(const MsrpBody *b, Span in)
{
    size_t most = MIN(in.len, b->mark_len - 1);
    const char *cr = most ? memrchr(in.p + in.len - most, '\r', most) : NULL;
    size_t n = cr ? (size_t)(in.p + in.len - cr) : 0;

    return n && memcmp(cr, b->mark, n) == 0 ? n : 0;
}

static MsrpBodyStep take_end(MsrpBody *b, Span *in, Span *ret_text)
{
    b->at_end = false;
    return take(in, end_len(b, 0), MSRP_BODY_END, ret_text);
}

static MsrpBodyStep step_in_place(MsrpBody *b, Span *in, Span *ret_text)
{
    Span rest = span_skip(*in, b->searched);

    b->searched = 0;
    if (b->at_end) /* found by the step before */
        return take_end(b, in, ret_text);

    for (;;) {
        const char *mark = msrp_search(rest, mark_of(b));
        size_t before = mark ? (size_t)(mark - in->p) : in->len - tail_len(b, rest);
        Match match = MATCH_SO_FAR;
        if (mark)
            match = match_behind_mark(span_head(span_skip(*in, before + b->mark_len), 1 + CRLF));
        if (match == MATCH_NO) { /* a look-alike */
            rest = span_skip(*in, before + 1);
            continue;
        }
        b->at_end = match == MATCH_WHOLE;
        if (before > 0)
            return take(in, before, MSRP_BODY_PIECE, ret_text);
        return b->at_end ? take_end(b, in, ret_text) : MSRP_BODY_MORE;
    }
}

/* Some peers send an empty body without the CRLF behind it, so that the blank line ends head and
 * body. */
static MsrpBodyStep step_at_start(MsrpBody *b, Span *in, Span *ret_text)
{
    size_t len = msrp_body_end_line_len(b);

    switch (match_end(b, MARK_CRLF, span_head(*in, len))) {
    case MATCH_NO:
        b->start = false;
        return step_in_place(b, in, ret_text);
    case MATCH_SO_FAR:
        return MSRP_BODY_MORE;
    default:
        return take(in, len, MSRP_BODY_END, ret_text);
    }
}

MsrpBodyStep msrp_body_step(MsrpBody *b, Span *in, Span *ret_text)
{
    if (b->held_len)
        return step_from_held(b, b->start ? MARK_CRLF : 0, in, ret_text);
    return b->start ? step_at_start(b, in, ret_text) : step_in_place(b, in, ret_text);
}

bool msrp_body_inside(MsrpBody *b, Span in)
{
    if (b->start || b->held_len)
        return false;
    const char *mark = msrp_search(in, mark_of(b));
    if (!mark && tail_len(b, in) == 0)
        return true;
    b->searched = mark ? (size_t)(mark - in.p) : in.len - MIN(in.len, b->mark_len - 1);
    return false;
}

size_t msrp_body_whole(const MsrpBody *b, Span in, size_t at)
{
    /* An end-line may stand right behind the head: then its CRLF is the one of the blank line. */
    const char *mark = msrp_search(span_skip(in, at - MARK_CRLF), mark_of(b));

    if (!mark)
        return 0;
    size_t behind = (size_t)(mark - in.p) + b->mark_len;
    if (match_behind_mark(span_head(span_skip(in, behind), 1 + CRLF)) != MATCH_WHOLE)
        return 0;
    return behind + 1 + CRLF;
}

void msrp_body_keep(MsrpBody *b, Span in)
{
    g_assert(b->held_len + in.len <= sizeof(b->held));
    span_copy(b->held + b->held_len, in);
    b->held_len += in.len;
}
