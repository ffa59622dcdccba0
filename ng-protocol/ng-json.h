/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * ng-json.h: the JSON form of an ng message.
 *
 * Parsed by JSON-GLib, which rtpengine uses too, so that both read the same out of a message; that
 * includes its one oddity that of a key given twice only the last value is left, where bencode
 * keeps both and the first counts. Some input is refused before JSON-GLib sees it: what it takes
 * beyond JSON (comments, single quotes, assignments), a NUL written as \u0000 (at which it would
 * cut the string off), half a surrogate pair and a second value after the first (on which it leaks
 * memory), and nesting past NG_MAX_DEPTH, as it recurses without limit.
 *
 * Threads: any; no state but in the arguments.
 */
#pragma once

#include "ng-protocol/ng-value.h"

/**
 * Decodes all of @in, one object or array in UTF-8. Returns the value (owned), or NULL with
 * NG_ERROR_JSON.
 */
NgValue *ng_json_decode(Span in, GError **error);

/**
 * Appends @v as JSON without blanks, always valid: a byte that is not part of UTF-8 text stands for
 * the code point of the same number (Latin-1), and a double that JSON cannot write becomes null.
 * Duplicate keys are written as they are.
 */
void ng_json_append(GString *out, const NgValue *v);
