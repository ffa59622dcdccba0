/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-msrp-frame.c. */
#include "config.h"

#include "framing/msrp-body.h"

#define CRLF 2

void msrp_expect_end(MsrpFramer *f, Span tid)
{
    memcpy(f->end, MSRP_MARK_HEAD, MSRP_MARK_HEAD_LEN);
    memcpy(f->end + MSRP_MARK_HEAD_LEN, tid.p, tid.len);
    f->mark_len = MSRP_MARK_HEAD_LEN + tid.len;
}

/* Is @text, at most three bytes, what follows the mark in an end-line? */
static MsrpMatch match_behind_mark(Span text)
{
    if (text.len > 0 && text.p[0] != '$' && text.p[0] != '+' && text.p[0] != '#')
        return MSRP_MATCH_NO;
    if ((text.len > 1 && text.p[1] != '\r') || (text.len > 2 && text.p[2] != '\n'))
        return MSRP_MATCH_NO;
    return text.len == 1 + CRLF ? MSRP_MATCH_WHOLE : MSRP_MATCH_SO_FAR;
}

/* Is @text, of at most the length of an end-line, this frame's end-line without the first @skip
 * bytes? */
MsrpMatch msrp_match_end(const MsrpFramer *f, size_t skip, Span text)
{
    size_t mark_len = f->mark_len - skip;

    if (text.len && *text.p != f->end[skip]) /* mostly */
        return MSRP_MATCH_NO;
    if (memcmp(text.p, f->end + skip, MIN(text.len, mark_len)) != 0)
        return MSRP_MATCH_NO;
    return match_behind_mark(span_skip(text, mark_len));
}

size_t msrp_end_len(const MsrpFramer *f, size_t skip)
{
    return f->mark_len - skip + 1 + CRLF;
}

MsrpStep msrp_finish_frame(MsrpFramer *f, Span text, MsrpPiece *ret_piece)
{
    ret_piece->text = text;
    ret_piece->flag = text.p[text.len - CRLF - 1];
    f->state = MSRP_FRAMER_HEAD;
    f->scan = (MsrpHeadScan){0};
    return MSRP_STEP_END;
}

static MsrpStep body_piece(Span *in, size_t n, MsrpPiece *ret_piece)
{
    ret_piece->text = span_head(*in, n);
    *in = span_skip(*in, n);
    return MSRP_STEP_BODY;
}

/* Goes on with bytes that were held back: they become the end-line, or part of the body after all.
 */
static MsrpStep body_from_held(MsrpFramer *f, size_t skip, Span *in, MsrpPiece *ret_piece)
{
    size_t n = MIN(in->len, msrp_end_len(f, skip) - f->held_len);
    char joined[MSRP_END_MAX];

    memcpy(joined, f->held, f->held_len);
    memcpy(joined + f->held_len, in->p, n);
    switch (msrp_match_end(f, skip, (Span){joined, f->held_len + n})) {
    case MSRP_MATCH_NO:
        /* The mark has no second CR, so no other end-line can start in what was held. */
        ret_piece->text = msrp_framer_held(f);
        f->held_len = 0;
        f->state = MSRP_FRAMER_BODY;
        return MSRP_STEP_BODY;
    case MSRP_MATCH_SO_FAR:
        memcpy(f->held, joined, f->held_len + n);
        f->held_len += n;
        *in = span_skip(*in, n);
        return MSRP_STEP_MORE;
    default:
        memcpy(f->held, joined, f->held_len + n);
        Span text = {f->held, f->held_len + n};
        f->held_len = 0;
        *in = span_skip(*in, n);
        return msrp_finish_frame(f, text, ret_piece);
    }
}

/* How many of the last bytes may be the start of the mark; they hold no whole one. */
static size_t tail_len(const MsrpFramer *f, Span in)
{
    size_t most = MIN(in.len, f->mark_len - 1);
    const char *cr = most ? memrchr(in.p + in.len - most, '\r', most) : NULL;
    size_t n = cr ? (size_t)(in.p + in.len - cr) : 0;

    return n && memcmp(cr, f->end, n) == 0 ? n : 0;
}

static MsrpStep end_in_place(MsrpFramer *f, Span *in, MsrpPiece *ret_piece)
{
    Span text = span_head(*in, msrp_end_len(f, 0));

    f->at_end = false;
    *in = span_skip(*in, text.len);
    return msrp_finish_frame(f, text, ret_piece);
}

static MsrpStep body_in_place(MsrpFramer *f, Span *in, MsrpPiece *ret_piece)
{
    Span rest = *in;

    if (f->at_end) /* found by the step before */
        return end_in_place(f, in, ret_piece);

    for (;;) {
        const char *mark = msrp_search(rest, (Span){f->end, f->mark_len});
        size_t before = mark ? (size_t)(mark - in->p) : in->len - tail_len(f, rest);
        MsrpMatch match = MSRP_MATCH_SO_FAR;
        if (mark)
            match = match_behind_mark(span_head(span_skip(*in, before + f->mark_len), 1 + CRLF));
        if (match == MSRP_MATCH_NO) { /* a look-alike */
            rest = span_skip(*in, before + 1);
            continue;
        }
        f->at_end = match == MSRP_MATCH_WHOLE;
        if (before > 0)
            return body_piece(in, before, ret_piece);
        return f->at_end ? end_in_place(f, in, ret_piece) : MSRP_STEP_MORE;
    }
}

/* Some peers send an empty body without the CRLF behind it, so that the blank line ends head and
 * body. */
static MsrpStep body_start(MsrpFramer *f, Span *in, MsrpPiece *ret_piece)
{
    Span text = span_head(*in, msrp_end_len(f, MSRP_MARK_CRLF));

    switch (msrp_match_end(f, MSRP_MARK_CRLF, text)) {
    case MSRP_MATCH_NO:
        f->state = MSRP_FRAMER_BODY;
        return body_in_place(f, in, ret_piece);
    case MSRP_MATCH_SO_FAR:
        return MSRP_STEP_MORE;
    default:
        *in = span_skip(*in, text.len);
        return msrp_finish_frame(f, text, ret_piece);
    }
}

MsrpStep msrp_body_step(MsrpFramer *f, Span *in, MsrpPiece *ret_piece)
{
    bool start = f->state == MSRP_FRAMER_BODY_START;

    if (f->held_len)
        return body_from_held(f, start ? MSRP_MARK_CRLF : 0, in, ret_piece);
    return start ? body_start(f, in, ret_piece) : body_in_place(f, in, ret_piece);
}

size_t msrp_body_whole(const MsrpFramer *f, Span in, size_t at)
{
    /* An end-line may stand right behind the head: then its CRLF is the one of the blank line. */
    Span rest = span_skip(in, at - MSRP_MARK_CRLF);
    const char *mark = msrp_search(rest, (Span){f->end, f->mark_len});

    if (!mark)
        return 0;
    size_t behind = (size_t)(mark - in.p) + f->mark_len;
    if (match_behind_mark(span_head(span_skip(in, behind), 1 + CRLF)) != MSRP_MATCH_WHOLE)
        return 0;
    return behind + 1 + CRLF;
}
