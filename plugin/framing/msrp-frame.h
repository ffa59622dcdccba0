/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * msrp-frame.h: cuts one direction of an MSRP connection into frames, as the bytes come (MSR-07).
 *
 * A frame is a head, body pieces and an end-line. The texts of all steps, put one behind the other,
 * are exactly the bytes that came in. Nothing is copied but a head that is split over two reads,
 * and the few bytes at the end of a read that may be the start of an end-line.
 *
 * Threads: used by one thread only.
 * Owner:   the struct is embedded; msrp_framer_init() before use, msrp_framer_clear() after. Spans
 * that a step returns point into the input or into the framer and are valid until
 * msrp_framer_keep().
 */
#pragma once

#include "base/buf.h"
#include "framing/msrp-body.h"
#include "framing/msrp-model.h"

/** Start line and all headers, and the end-line when there is no body. */
#define E2AE_MSRP_MAX_HEADER 8192

typedef struct MsrpHead {
    Span text;       /* all of it, with the blank line that goes before a body */
    Span tid;        /* transaction id */
    Span method;     /* of a request: "SEND", "REPORT", ...; empty in a response */
    unsigned status; /* of a response; 0 in a request */
    Span to_path;    /* the header's value, never empty, not checked further */
    Span from_path;
    Span paths;       /* the two lines of these headers */
    bool paths_known; /* they are, byte by byte, those of the head before */
    Span rest;        /* the header lines after From-Path, each with its CRLF */
    bool has_body;
} MsrpHead;

typedef enum MsrpStep {
    MSRP_STEP_MORE, /* what is left in the input can only be judged with what comes next */
    MSRP_STEP_HEAD,
    MSRP_STEP_BODY,
    MSRP_STEP_END,
    MSRP_STEP_BAD, /* no MSRP: see msrp_framer_error(); every further step says the same */
} MsrpStep;

typedef struct MsrpPiece {
    Span text; /* of a HEAD the same as in .head; of an END the end-line with the CRLF that ends the
                  body */
    MsrpHead head; /* after HEAD only */
    char flag;     /* after END only: '$' last, '+' more chunks follow, '#' given up */
} MsrpPiece;

typedef enum MsrpFramerState {
    MSRP_FRAMER_HEAD,
    MSRP_FRAMER_BODY,
    MSRP_FRAMER_NO_BODY, /* the end-line was seen behind the head */
    MSRP_FRAMER_BAD,
} MsrpFramerState;

/** Where things are in the head, as offsets: the head may move while it is collected. */
typedef struct MsrpHeadScan {
    size_t line_at; /* start of the first line that is not complete */
    unsigned lines; /* complete ones */
    unsigned status;
    struct MsrpRange {
        uint16_t at, len;
    } tid, method, to_path, from_path;
    uint16_t paths_at, rest_at;
    bool paths_known;
} MsrpHeadScan;

/** To-Path and From-Path of the head before: all frames of a connection have the same. */
#define MSRP_PATHS_MAX 512
typedef struct MsrpPathLines {
    char text[MSRP_PATHS_MAX];
    size_t len;                          /* 0: none */
    struct MsrpRange to_path, from_path; /* counted from the start of the text */
} MsrpPathLines;

typedef struct MsrpFramer {
    MsrpFramerState state;
    MsrpHeadScan scan;
    MsrpPathLines paths;
    MsrpModel model; /* its path lines are those of .paths */
    MsrpHeadScan model_scan;
    Buf split;       /* a head that came in parts */
    bool collecting; /* the current head is in there */
    MsrpBody body;
    char *error;
} MsrpFramer;

void msrp_framer_init(MsrpFramer *f);
void msrp_framer_clear(MsrpFramer *f);

/**
 * Takes the next step off the front of *@in. BODY and END come only after their frame's HEAD; a
 * head is returned when it is complete and sound, so nothing of a bad one is ever seen. @ret_piece
 * is written for HEAD, BODY and END.
 */
MsrpStep msrp_framer_step(MsrpFramer *f, Span *in, MsrpPiece *ret_piece);

/** A frame that was whole in the input, but for the two lines of the paths. */
typedef struct MsrpWhole {
    Span before; /* them */
    Span behind; /* to the end of the end-line */
} MsrpWhole;

/**
 * The steps of a whole frame in one, for the most of them: its head is like the one before, with the same method and
 * paths, and its end is in the input, too. False, and nothing taken, when it has to be read step by step.
 */
bool msrp_framer_whole(MsrpFramer *f, Span *in, MsrpWhole *ret_frame);

/** Is all of @in inside a body, as most reads of a long one are? Then it is taken, as by a BODY step. */
bool msrp_framer_inside(MsrpFramer *f, Span in);

/**
 * Ends a read after MSRP_STEP_MORE: keeps what that left in @in, at most E2AE_MSRP_MAX_HEADER bytes
 * of a head or MSRP_END_MAX of a body. Spans of earlier steps are no longer valid.
 */
void msrp_framer_keep(MsrpFramer *f, Span in);

/** What of a body is held back; the peer closed the connection, so it is no end-line. */
Span msrp_framer_held(const MsrpFramer *f);

/** Is the direction between two frames? */
bool msrp_framer_idle(const MsrpFramer *f);

/** After MSRP_STEP_BAD: what is wrong, where, and the bytes; one printable line. Owned by the
 * framer. */
const char *msrp_framer_error(const MsrpFramer *f);

/** The value of the first header @name (with its colon, "Failure-Report:") behind From-Path; false
 * without one. */
bool msrp_head_find(const MsrpHead *head, Span name, Span *ret_value);
