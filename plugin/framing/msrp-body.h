/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * msrp-body.h: the part of the framer that knows bodies and end-lines; for msrp-frame.c only.
 *
 * Threads: used by one thread only.
 */
#pragma once

#include "framing/msrp-frame.h"

/** The mark starts with the CRLF that ends the body, which an end-line behind a header does not have. */
#define MSRP_MARK_CRLF 2

typedef enum MsrpMatch { MSRP_MATCH_NO, MSRP_MATCH_SO_FAR, MSRP_MATCH_WHOLE } MsrpMatch;

/** The frame has this transaction id, of at most E2AE_MSRP_MAX_TID bytes. */
void msrp_expect_end(MsrpFramer *f, Span tid);

/** Is @text, of at most the length of an end-line, this frame's end-line without the first @skip bytes? */
MsrpMatch msrp_match_end(const MsrpFramer *f, size_t skip, Span text);

/** How long the end-line is without the first @skip bytes. */
size_t msrp_end_len(const MsrpFramer *f, size_t skip);

/** The END step: @text is the end-line. */
MsrpStep msrp_finish_frame(MsrpFramer *f, Span text, MsrpPiece *ret_piece);

/** The next step in a body; @in is not empty. */
MsrpStep msrp_body_step(MsrpFramer *f, Span *in, MsrpPiece *ret_piece);

/** The length of the frame at the start of @in, whose body starts at @at; 0 when its end has to be looked for in steps. */
size_t msrp_body_whole(const MsrpFramer *f, Span in, size_t at);
