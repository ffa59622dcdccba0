/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * msrp-body.h: finds the end of a frame's body as the bytes come: a line with the frame's
 * transaction id and a flag (MSR-07, RFC 4975 section 9).
 *
 * Threads: used by one thread only.
 * Owner:   the struct is embedded, msrp_body_begin() before use; it has no memory of its own. Spans
 * that a step returns point into the input or into the struct and are valid until msrp_body_keep().
 */
#pragma once

#include "framing/msrp-search.h"

/** RFC 4975 section 9 says 4 to 32 characters; we count what we must remember, not what is proper.
 */
#define E2AE_MSRP_MAX_TID 64
/** An end-line with the CRLFs around it: the most that is held back of a body. */
#define MSRP_END_MAX (MSRP_MARK_HEAD_LEN + E2AE_MSRP_MAX_TID + 3)

typedef enum MsrpBodyStep {
    MSRP_BODY_MORE, /* what is left in the input can only be judged with what comes next */
    MSRP_BODY_PIECE,
    MSRP_BODY_END, /* the end-line, with the CRLF that ends the body */
} MsrpBodyStep;

typedef struct MsrpBody {
    char mark[MSRP_END_MAX]; /* what the end-line starts with: CRLF, dashes, transaction id */
    size_t mark_len;
    bool start;              /* nothing of it came yet: the end-line may stand without the CRLF */
    bool at_end;             /* the input starts with the end-line */
    size_t searched;         /* the mark starts nowhere in so many bytes at the front of the input */
    char held[MSRP_END_MAX]; /* bytes that may start the end-line */
    size_t held_len;
} MsrpBody;

/** A frame begins; @tid, of at most E2AE_MSRP_MAX_TID bytes, is its transaction id. */
void msrp_body_begin(MsrpBody *b, Span tid);

/** Takes the next step off the front of *@in, which is not empty. @ret_text is written for PIECE and END. */
MsrpBodyStep msrp_body_step(MsrpBody *b, Span *in, Span *ret_text);

/** Is all of @in body, as most reads of a long one are? Then it is taken, as by a PIECE. */
bool msrp_body_inside(MsrpBody *b, Span in);

/** The length of the frame at the start of @in, whose body starts at @at; 0 when its end has to be looked for in steps. */
size_t msrp_body_whole(const MsrpBody *b, Span in, size_t at);

/** After MSRP_BODY_MORE: keeps what that left in @in, at most MSRP_END_MAX bytes. */
void msrp_body_keep(MsrpBody *b, Span in);

/** What is kept. */
Span msrp_body_held(const MsrpBody *b);

/** Is @line, with its CRLF, the end-line? So ends a frame without a body. */
bool msrp_body_is_end_line(const MsrpBody *b, Span line);

/** The length of such a line. */
size_t msrp_body_end_line_len(const MsrpBody *b);
