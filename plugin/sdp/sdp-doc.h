/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * sdp-doc.h: an SDP body cut into lines and sections, with every byte kept.
 *
 * Nothing is normalised: the raw texts of all lines, one after the other, are the input. What is to
 * change is changed line by line with SdpEdit. Real bodies are odd, so the order of lines, missing
 * lines, line ends (CRLF, LF, none at the end), empty lines, unknown lines and a body that stands
 * there twice are all accepted. Type letters are case-significant (RFC 8866 5): "A=" is an unknown
 * line.
 *
 * Threads: a document does not change after parsing; any thread may read it.
 * Owner:   whoever parsed it frees it with sdp_doc_free(). Every Span got from it borrows from it.
 */
#pragma once

#include "base/span.h"

#define SDP_MAX_BYTES    65535
#define SDP_MAX_LINES    2000
#define SDP_MAX_SECTIONS 64 /* m= lines */

#define SDP_ERROR (sdp_error_quark())
GQuark sdp_error_quark(void);

typedef enum SdpError {
    SDP_ERROR_TOO_BIG, /* more than one of the limits above */
    SDP_ERROR_SYNTAX,  /* a line that could not be handled safely */
    SDP_ERROR_MERGE,   /* a section was asked for that is not there */
} SdpError;

typedef struct SdpLine {
    Span raw;  /* with its line end, if it has one */
    char type; /* the letter before "="; 0 for an empty line and for anything that is not "x=..." */
    Span
        value; /* after "=", without the line end and without trailing blanks (leading ones stay) */
} SdpLine;

/** "m=media port[/nports] proto fmt...". The Spans point into the value of the m= line. */
typedef struct SdpMedia {
    Span media;
    uint16_t port;
    unsigned nports; /* 1 when not written */
    Span proto;
    Span fmt; /* all formats, as written */
    bool ok;  /* false: proto or fmt is missing; such a line is kept but is nothing of ours */
} SdpMedia;

typedef struct SdpSection {
    unsigned first;   /* index of its first line; the m= line, but for section 0 */
    unsigned n_lines; /* 0 only for a session part that is not there */
    SdpMedia media;   /* all zero for section 0 */
} SdpSection;

/** Section 0 is the session part, section k is the k-th m= line, so m-line index i (from 0) is
 * section i + 1. */
typedef struct SdpDoc {
    char *text;
    size_t len;
    unsigned n_lines;
    SdpLine *lines;
    unsigned n_sections; /* at least 1 */
    SdpSection *sections;
} SdpDoc;

/**
 * Parses a copy of @body.
 * Refused, besides what passes a limit: an empty body; a NUL, or a CR within a line, because other
 * parsers disagree on what such a line is; an m= line without a port number of 0..65535, because it
 * could not be rewritten safely. The message says which line and quotes it.
 */
SdpDoc *sdp_doc_parse(Span body, GError **error);

void sdp_doc_free(SdpDoc *doc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SdpDoc, sdp_doc_free)

/** Parses the value of an m= line; the Spans borrow from @value. False when there is no valid port.
 */
bool sdp_media_parse(Span value, SdpMedia *ret_media);

/** The line end that the body uses: that of its first line, CRLF when that has none. */
const char *sdp_doc_eol(const SdpDoc *doc);

/** The line without its line end and trailing blanks; empty for an empty line. Holds no CR, LF or
 * NUL. */
Span sdp_line_text(const SdpLine *line);

/** The first line of @type in @section. False when there is none. */
bool sdp_doc_find(const SdpDoc *doc, unsigned section, char type, unsigned *ret_line);
