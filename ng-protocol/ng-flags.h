/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * ng-flags.h: the text of `rtpp-flags`, which carries the flags of a request as the proxy's script
 * wrote them.
 *
 * Words separated by blanks (only by blanks), each "key" or "key=value"; a value that begins with
 * '[' goes on to its closing bracket, blanks and inner brackets included. There is no quoting.
 * "key=" is the same as "key", as it is to rtpengine. A bracket that is never closed takes the rest
 * of the text.
 *
 * Threads: any; no state but in the arguments. Spans are borrowed from the text given.
 */
#pragma once

#include "ng-protocol/ng-value.h"

typedef struct NgFlag {
    Span whole;
    Span key;
    Span value; /* empty without one; with its brackets */
} NgFlag;

/** Takes the next flag off *@text; false at the end. */
bool ng_flags_next(Span *text, NgFlag *ret_flag);

/** One word of a `flags` list, or another "key=value" that stands alone, with its blanks. */
NgFlag ng_flag_split(Span word);

/** The words of a value: "a,b" or "[a b]". Appended to @items, an array of Span. */
void ng_flag_items(Span value, GArray *items);

/**
 * @text without the flags for which @drop is true: each goes with the blanks before it, or after it
 * when it is the first; every other byte stays. Owned by the caller.
 */
GString *ng_flags_without(Span text, bool (*drop)(const NgFlag *flag, void *arg), void *arg);
