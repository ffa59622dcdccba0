/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * redis-json.h: the JSON of the store: checked before JSON-GLib sees it, and with a way to write
 * bytes (README.md, "Values").
 *
 * Everything in the store is printable ASCII: a Call-ID, a tag or an SDP section is bytes of any
 * value, so a string keeps printable ASCII as it is and writes every other byte, and '"', '%' and
 * '\', as '%' and two hexadecimal digits.
 *
 * Threads: any; no state but in the arguments.
 */
#pragma once

#include "base/span.h"
#include "redis-schema/redis-error.h"

#include <json-glib/json-glib.h>

/** The version that is written, and the highest major one that is read. */
#define REDIS_SCHEMA 1
#define REDIS_MINOR  0

/** Bytes of one value. A call has 1 to 3 KB; a full datagram of SDP on each side stays below. */
#define REDIS_VALUE_MAX (1024 * 1024)
/** Nesting and number of members that are read. A record has depth 8. */
#define REDIS_DEPTH_MAX 16
#define REDIS_ITEMS_MAX 262144
/** The largest integer: Redis' scripts count in doubles. */
#define REDIS_INT_MAX ((INT64_C(1) << 53) - 1)

/** Appends @s as a JSON string, with its quotes. */
void redis_json_append_bytes(GString *out, Span s);

/**
 * The bytes that the string @text stands for, owned by the caller; NULL and REDIS_ERROR_FIELD for a
 * '%' without two hexadecimal digits, and for "%00", for the bytes are kept as a C string.
 */
char *redis_json_bytes(const char *text, GError **error);

/**
 * Parses @in, one object, and checks its version: the member "schema" must be at most REDIS_SCHEMA.
 * Returns the parser (owned), whose root is the object; NULL and @error otherwise.
 */
JsonParser *redis_json_parse(Span in, GError **error);
