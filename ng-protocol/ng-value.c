/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ng-protocol/ng-value.h"

G_DEFINE_QUARK(ng - error, ng_error)

typedef struct Bytes {
    char *p;
    size_t len;
} Bytes;

typedef struct Pair {
    Bytes key;
    NgValue *value;
} Pair;

struct NgValue {
    NgType type;
    union {
        Bytes str;
        int64_t i;
        bool b;
        double d;
        GPtrArray *list; /* of NgValue */
        GArray *dict;    /* of Pair */
    };
};

static NgValue *value_new(NgType type)
{
    NgValue *v = g_new0(NgValue, 1);

    v->type = type;
    return v;
}

static Bytes bytes_from(Span s)
{
    return (Bytes){span_dup(s), s.len};
}

static Span bytes_span(Bytes b)
{
    return (Span){b.p, b.len};
}

static void clear_pair_cb(void *data)
{
    Pair *pair = data;

    g_free(pair->key.p);
    ng_value_free(pair->value);
}

static void free_value_cb(void *data)
{
    ng_value_free(data);
}

NgValue *ng_string_new(Span bytes)
{
    NgValue *v = value_new(NG_STRING);

    v->str = bytes_from(bytes);
    return v;
}

NgValue *ng_int_new(int64_t i)
{
    NgValue *v = value_new(NG_INT);

    v->i = i;
    return v;
}

NgValue *ng_list_new(void)
{
    NgValue *v = value_new(NG_LIST);

    v->list = g_ptr_array_new_with_free_func(free_value_cb);
    return v;
}

NgValue *ng_dict_new(void)
{
    NgValue *v = value_new(NG_DICT);

    v->dict = g_array_new(FALSE, FALSE, sizeof(Pair));
    g_array_set_clear_func(v->dict, clear_pair_cb);
    return v;
}

NgValue *ng_bool_new(bool b)
{
    NgValue *v = value_new(NG_BOOL);

    v->b = b;
    return v;
}

NgValue *ng_null_new(void)
{
    return value_new(NG_NULL);
}

NgValue *ng_double_new(double d)
{
    NgValue *v = value_new(NG_DOUBLE);

    v->d = d;
    return v;
}

void ng_value_free(NgValue *v)
{
    if (!v)
        return;
    if (v->type == NG_STRING)
        g_free(v->str.p);
    else if (v->type == NG_LIST)
        g_ptr_array_unref(v->list);
    else if (v->type == NG_DICT)
        g_array_unref(v->dict);
    g_free(v);
}

static NgValue *list_copy(const NgValue *list)
{
    NgValue *copy = ng_list_new();

    for (unsigned i = 0; i < ng_value_n(list); i++)
        ng_list_add(copy, ng_value_copy(ng_list_get(list, i)));
    return copy;
}

static NgValue *dict_copy(const NgValue *dict)
{
    NgValue *copy = ng_dict_new();

    for (unsigned i = 0; i < ng_value_n(dict); i++) {
        Span key;
        NgValue *value = ng_dict_at(dict, i, &key);
        ng_dict_add(copy, key, ng_value_copy(value));
    }
    return copy;
}

NgValue *ng_value_copy(const NgValue *v)
{
    switch (v->type) {
    case NG_STRING:
        return ng_string_new(ng_value_span(v));
    case NG_INT:
        return ng_int_new(v->i);
    case NG_LIST:
        return list_copy(v);
    case NG_DICT:
        return dict_copy(v);
    case NG_BOOL:
        return ng_bool_new(v->b);
    case NG_NULL:
        return ng_null_new();
    case NG_DOUBLE:
        return ng_double_new(v->d);
    }
    g_assert_not_reached();
}

static bool list_eq(const NgValue *a, const NgValue *b)
{
    for (unsigned i = 0; i < ng_value_n(a); i++)
        if (!ng_value_eq(ng_list_get(a, i), ng_list_get(b, i)))
            return false;
    return true;
}

static bool dict_eq(const NgValue *a, const NgValue *b)
{
    for (unsigned i = 0; i < ng_value_n(a); i++) {
        Span key_a, key_b;
        NgValue *value_a = ng_dict_at(a, i, &key_a);
        NgValue *value_b = ng_dict_at(b, i, &key_b);
        if (!span_eq(key_a, key_b) || !ng_value_eq(value_a, value_b))
            return false;
    }
    return true;
}

bool ng_value_eq(const NgValue *a, const NgValue *b)
{
    if (a->type != b->type || ng_value_n(a) != ng_value_n(b))
        return false;
    switch (a->type) {
    case NG_STRING:
        return span_eq(ng_value_span(a), ng_value_span(b));
    case NG_INT:
        return a->i == b->i;
    case NG_LIST:
        return list_eq(a, b);
    case NG_DICT:
        return dict_eq(a, b);
    case NG_BOOL:
        return a->b == b->b;
    case NG_NULL:
        return true;
    case NG_DOUBLE:
        return memcmp(&a->d, &b->d, sizeof a->d) == 0;
    }
    g_assert_not_reached();
}

NgType ng_value_type(const NgValue *v)
{
    return v->type;
}

bool ng_value_is(const NgValue *v, NgType type)
{
    return v && v->type == type;
}

Span ng_value_span(const NgValue *v)
{
    return ng_value_is(v, NG_STRING) ? bytes_span(v->str) : SPAN("");
}

bool ng_int_parse(Span text, int64_t *ret_i)
{
    bool minus = text.len && text.p[0] == '-';
    uint64_t n;

    if (!span_uint(minus ? span_skip(text, 1) : text, (uint64_t)INT64_MAX + minus, &n))
        return false;
    /* 0 - n in unsigned arithmetic is right for INT64_MIN too */
    *ret_i = (int64_t)(minus ? 0 - n : n);
    return true;
}

bool ng_value_as_int(const NgValue *v, int64_t *ret_i)
{
    if (ng_value_is(v, NG_INT)) {
        *ret_i = v->i;
        return true;
    }
    return ng_value_is(v, NG_STRING) && ng_int_parse(ng_value_span(v), ret_i);
}

bool ng_value_bool(const NgValue *v)
{
    g_assert(v->type == NG_BOOL);
    return v->b;
}

double ng_value_double(const NgValue *v)
{
    g_assert(v->type == NG_DOUBLE);
    return v->d;
}

void ng_items_add(GArray *items, Span text)
{
    while (text.len) {
        Span item = span_trim(span_cut(&text, ','));
        if (item.len)
            g_array_append_val(items, item);
    }
}

GArray *ng_value_items(const NgValue *v)
{
    GArray *items = g_array_new(FALSE, FALSE, sizeof(Span));

    if (ng_value_is(v, NG_LIST))
        for (unsigned i = 0; i < ng_value_n(v); i++)
            ng_items_add(items, ng_value_span(ng_list_get(v, i)));
    else
        ng_items_add(items, ng_value_span(v));
    return items;
}

unsigned ng_value_n(const NgValue *v)
{
    if (ng_value_is(v, NG_LIST))
        return v->list->len;
    return ng_value_is(v, NG_DICT) ? v->dict->len : 0;
}

NgValue *ng_list_get(const NgValue *list, unsigned i)
{
    g_assert(list->type == NG_LIST && i < list->list->len);
    return g_ptr_array_index(list->list, i);
}

void ng_list_add(NgValue *list, NgValue *value)
{
    g_assert(list->type == NG_LIST);
    g_ptr_array_add(list->list, value);
}

void ng_list_add_str(NgValue *list, const char *s)
{
    ng_list_add(list, ng_string_new(span_str(s)));
}

void ng_list_add_span(NgValue *list, Span s)
{
    ng_list_add(list, ng_string_new(s));
}

void ng_list_add_int(NgValue *list, int64_t i)
{
    ng_list_add(list, ng_int_new(i));
}

NgValue *ng_list_add_list(NgValue *list)
{
    NgValue *child = ng_list_new();

    ng_list_add(list, child);
    return child;
}

NgValue *ng_list_add_dict(NgValue *list)
{
    NgValue *child = ng_dict_new();

    ng_list_add(list, child);
    return child;
}

NgValue *ng_dict_at(const NgValue *dict, unsigned i, Span *ret_key)
{
    g_assert(dict->type == NG_DICT && i < dict->dict->len);
    Pair *pair = &g_array_index(dict->dict, Pair, i);
    *ret_key = bytes_span(pair->key);
    return pair->value;
}

/* The first entry with that key at or after @from, or the number of entries. */
static unsigned find(const NgValue *dict, Span key, unsigned from)
{
    unsigned i = from;

    while (i < dict->dict->len && !span_eq(bytes_span(g_array_index(dict->dict, Pair, i).key), key))
        i++;
    return i;
}

NgValue *ng_dict_get(const NgValue *dict, Span key)
{
    if (!ng_value_is(dict, NG_DICT))
        return NULL;
    unsigned i = find(dict, key, 0);
    return i < dict->dict->len ? g_array_index(dict->dict, Pair, i).value : NULL;
}

Span ng_dict_get_str(const NgValue *dict, Span key)
{
    return ng_value_span(ng_dict_get(dict, key));
}

bool ng_dict_get_int(const NgValue *dict, Span key, int64_t *ret_i)
{
    return ng_value_as_int(ng_dict_get(dict, key), ret_i);
}

void ng_dict_add(NgValue *dict, Span key, NgValue *value)
{
    Pair pair = {bytes_from(key), value};

    g_assert(dict->type == NG_DICT);
    g_array_append_val(dict->dict, pair);
}

void ng_dict_add_str(NgValue *dict, const char *key, const char *s)
{
    ng_dict_add(dict, span_str(key), ng_string_new(span_str(s)));
}

void ng_dict_add_span(NgValue *dict, const char *key, Span s)
{
    ng_dict_add(dict, span_str(key), ng_string_new(s));
}

void ng_dict_add_int(NgValue *dict, const char *key, int64_t i)
{
    ng_dict_add(dict, span_str(key), ng_int_new(i));
}

NgValue *ng_dict_add_list(NgValue *dict, const char *key)
{
    NgValue *child = ng_list_new();

    ng_dict_add(dict, span_str(key), child);
    return child;
}

NgValue *ng_dict_add_dict(NgValue *dict, const char *key)
{
    NgValue *child = ng_dict_new();

    ng_dict_add(dict, span_str(key), child);
    return child;
}

/* One pass, however many there are. */
static unsigned remove_from(NgValue *dict, Span key, unsigned from)
{
    Pair *pairs = (Pair *)(void *)dict->dict->data;
    unsigned n = dict->dict->len, kept = from;

    for (unsigned i = from; i < n; i++) {
        if (span_eq(bytes_span(pairs[i].key), key))
            clear_pair_cb(&pairs[i]);
        else
            pairs[kept++] = pairs[i];
    }
    if (kept < n) {
        memset(pairs + kept, 0,
               (n - kept) * sizeof(Pair)); /* what is cut off has moved or is freed */
        g_array_set_size(dict->dict, kept);
    }
    return n - kept;
}

void ng_dict_set(NgValue *dict, Span key, NgValue *value)
{
    g_assert(dict->type == NG_DICT);
    unsigned i = find(dict, key, 0);

    if (i == dict->dict->len) {
        ng_dict_add(dict, key, value);
        return;
    }
    remove_from(dict, key, i + 1);
    Pair *pair = &g_array_index(dict->dict, Pair, i);
    ng_value_free(pair->value);
    pair->value = value;
}

unsigned ng_dict_remove(NgValue *dict, Span key)
{
    g_assert(dict->type == NG_DICT);
    return remove_from(dict, key, 0);
}
