/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * ng-value.h: the tree that an ng message carries: strings, integers, lists and dictionaries.
 *
 * One form for bencode and JSON. A dictionary keeps the order of its keys, which nobody sorts on
 * the ng socket, and keeps duplicates: proxies do send a key twice. Strings are bytes of any value.
 *
 * Threads: a tree is used by one thread only.
 * Owner:   whoever made or decoded the root frees it with ng_value_free(); a parent owns its
 * children. What a getter returns is borrowed from the tree, and may be edited by the owner of the
 * tree.
 */
#pragma once

#include "base/span.h"

#define NG_ERROR (ng_error_quark())
GQuark ng_error_quark(void);

typedef enum NgErrorCode {
    NG_ERROR_NO_COOKIE,  /* no cookie to answer with: no reply is sent */
    NG_ERROR_EMPTY,      /* nothing after the cookie */
    NG_ERROR_FORMAT,     /* neither bencode nor JSON */
    NG_ERROR_BENCODE,    /* malformed, or over a limit */
    NG_ERROR_JSON,       /* malformed, or over a limit */
    NG_ERROR_NO_COMMAND, /* a dictionary without "command" */
    NG_ERROR_KEY,        /* an e2ae key that does not exist */
    NG_ERROR_VALUE,      /* an e2ae key with a value that it cannot have */
} NgErrorCode;

/** Nesting that a decoder accepts; rtpengine's own messages stay below ten. */
#define NG_MAX_DEPTH 32
/** Values in one message: far above the few thousand of a full datagram from rtpengine. */
#define NG_MAX_ITEMS 32768

typedef enum NgType {
    NG_STRING,
    NG_INT,
    NG_LIST,
    NG_DICT,
    NG_BOOL, /* JSON only, as the next two */
    NG_NULL,
    NG_DOUBLE,
} NgType;

typedef struct NgValue NgValue;

NgValue *ng_string_new(Span bytes);
NgValue *ng_int_new(int64_t i);
NgValue *ng_list_new(void);
NgValue *ng_dict_new(void);
NgValue *ng_bool_new(bool b);
NgValue *ng_null_new(void);
NgValue *ng_double_new(double d);

NgValue *ng_value_copy(const NgValue *v);
void ng_value_free(NgValue *v);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NgValue, ng_value_free)

/** Same type, same content, dictionaries in the same order. */
bool ng_value_eq(const NgValue *a, const NgValue *b);

NgType ng_value_type(const NgValue *v);

/** False for NULL too, so it can wrap a lookup. */
bool ng_value_is(const NgValue *v, NgType type);

/** The bytes of a string; empty for anything else and for NULL. */
Span ng_value_span(const NgValue *v);

/**
 * An integer, or a string holding a decimal one (proxies send both); false for anything else and
 * for NULL.
 */
bool ng_value_as_int(const NgValue *v, int64_t *ret_i);

/** "-12", "0", "007": digits with an optional minus sign and nothing else, within 64 bits. */
bool ng_int_parse(Span text, int64_t *ret_i);

/** Of an NG_BOOL, of an NG_DOUBLE. */
bool ng_value_bool(const NgValue *v);
double ng_value_double(const NgValue *v);

/**
 * The words of a list given as a list of strings or as a comma-separated string, trimmed, empty
 * ones left out. Returns an owned array of Span (borrowed from @v), empty for NULL and other types.
 */
GArray *ng_value_items(const NgValue *v);

/** Appends the comma-separated words of @text to @items, an array of Span. */
void ng_items_add(GArray *items, Span text);

/** Entries of a list or dictionary; 0 for anything else and for NULL. */
unsigned ng_value_n(const NgValue *v);

NgValue *ng_list_get(const NgValue *list, unsigned i);
/** @list takes @value. */
void ng_list_add(NgValue *list, NgValue *value);
void ng_list_add_str(NgValue *list, const char *s);
void ng_list_add_span(NgValue *list, Span s);
void ng_list_add_int(NgValue *list, int64_t i);
/** Appends an empty list or dictionary and returns it (borrowed). */
NgValue *ng_list_add_list(NgValue *list);
NgValue *ng_list_add_dict(NgValue *list);

/** The @i-th entry, in the order in which they came. */
NgValue *ng_dict_at(const NgValue *dict, unsigned i, Span *ret_key);

/**
 * The value of the first entry with that key, the one rtpengine uses; NULL without one or if @dict
 * is no dictionary.
 */
NgValue *ng_dict_get(const NgValue *dict, Span key);
Span ng_dict_get_str(const NgValue *dict, Span key);
bool ng_dict_get_int(const NgValue *dict, Span key, int64_t *ret_i);

/** Appends an entry, whether or not the key is there already; @dict takes @value. */
void ng_dict_add(NgValue *dict, Span key, NgValue *value);
void ng_dict_add_str(NgValue *dict, const char *key, const char *s);
void ng_dict_add_span(NgValue *dict, const char *key, Span s);
void ng_dict_add_int(NgValue *dict, const char *key, int64_t i);
NgValue *ng_dict_add_list(NgValue *dict, const char *key);
NgValue *ng_dict_add_dict(NgValue *dict, const char *key);

/**
 * Puts @value (taken) in the place of the first entry with that key and drops the others; appends
 * without one.
 */
void ng_dict_set(NgValue *dict, Span key, NgValue *value);

/** Removes every entry with that key and returns how many there were. */
unsigned ng_dict_remove(NgValue *dict, Span key);
