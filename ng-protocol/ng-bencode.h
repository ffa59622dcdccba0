/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * ng-bencode.h: bencode (BEP 3) in and out, and where a message ends in a byte stream.
 *
 * Strict where a second spelling of the same value would exist (leading zeros, "-0"), so that
 * encoding what was decoded gives the same bytes. Keys are neither sorted nor expected to be, as
 * everywhere on the ng socket.
 *
 * Threads: any; no state but in the arguments.
 */
#pragma once

#include "ng-protocol/ng-value.h"

/** The longest message taken from a stream; a datagram ends at 65535 anyway. */
#define NG_MAX_MESSAGE (1024 * 1024)

/**
 * Decodes the one value at the start of @in. Bytes after it go to @ret_rest; with @ret_rest NULL
 * they are an error. Returns the value (owned), or NULL with NG_ERROR_BENCODE saying what is wrong
 * at which offset.
 */
NgValue *ng_bencode_decode(Span in, Span *ret_rest, GError **error);

/**
 * Appends @v. What bencode lacks: a bool becomes 1 or 0, null the empty string, a double its
 * decimal text.
 */
void ng_bencode_append(GString *out, const NgValue *v);

typedef enum NgScan {
    NG_SCAN_MORE, /* the message is not complete yet */
    NG_SCAN_DONE,
    NG_SCAN_BAD, /* no message can start like this, or it passes a limit */
} NgScan;

/** How far a scan came; all zero before the first call. */
typedef struct NgBencodeScan {
    size_t pos;
    unsigned depth;
    unsigned items;
} NgBencodeScan;

/**
 * Looks for the end of the value at the start of @stream, which may be cut anywhere and grow from
 * call to call: a scan goes on where the last one stopped, so a message that arrives byte by byte
 * costs no more than one that arrives whole. With NG_SCAN_DONE *@ret_len is its length. It checks
 * what it must to find the end; the rest is the decoder's.
 */
NgScan ng_bencode_scan(NgBencodeScan *scan, Span stream, size_t *ret_len);

/**
 * The length of the value at the start of @stream, 0 while it is not complete, -1 when it never
 * will be.
 */
gssize ng_bencode_length(Span stream);
