/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-redis-record.c */
#include "config.h"

#include "redis-schema/redis-fields.h"

#define AT(type, s, f)       ((type *)(gpointer)((char *)(s) + (f)->offset))
#define AT_CONST(type, s, f) ((const type *)(gconstpointer)((const char *)(s) + (f)->offset))

void redis_fields_init(const RedisTable *table, void *s)
{
    for (size_t i = 0; i < table->n; i++) {
        const RedisField *f = &table->fields[i];
        if (f->type == REDIS_INT)
            *AT(int, s, f) = f->absent;
        else if (f->type == REDIS_OBJECT)
            redis_fields_init(f->table, AT(char, s, f));
        else if (f->type == REDIS_LIST)
            *AT(GPtrArray *, s, f) = g_ptr_array_new();
    }
}

void redis_fields_clear(const RedisTable *table, void *s)
{
    for (size_t i = 0; i < table->n; i++) {
        const RedisField *f = &table->fields[i];
        if (f->type == REDIS_BYTES) {
            g_clear_pointer(AT(char *, s, f), g_free);
        } else if (f->type == REDIS_OBJECT) {
            redis_fields_clear(f->table, AT(char, s, f));
        } else if (f->type == REDIS_POINTER) {
            redis_fields_free(f->table, *AT(void *, s, f));
            *AT(void *, s, f) = NULL;
        } else if (f->type == REDIS_LIST && *AT(GPtrArray *, s, f)) {
            GPtrArray *list = *AT(GPtrArray *, s, f);
            for (unsigned k = 0; k < list->len; k++)
                redis_fields_free(f->table, list->pdata[k]);
            g_clear_pointer(AT(GPtrArray *, s, f), g_ptr_array_unref);
        }
    }
}

void *redis_fields_new(const RedisTable *table)
{
    void *s = g_malloc0(table->size);

    redis_fields_init(table, s);
    return s;
}

void redis_fields_free(const RedisTable *table, void *s)
{
    if (!s)
        return;
    redis_fields_clear(table, s);
    g_free(s);
}

/* What a member should have been, as the error. */
static bool expected(const char *what, GError **error)
{
    g_set_error(error, REDIS_ERROR, REDIS_ERROR_FIELD, "not %s", what);
    return false;
}

static bool read_integer(JsonNode *node, int64_t max, int64_t *ret_i, GError **error)
{
    if (json_node_get_value_type(node) != G_TYPE_INT64 || json_node_get_int(node) > max ||
        json_node_get_int(node) < -max)
        return expected("an integer of its range", error);
    *ret_i = json_node_get_int(node);
    return true;
}

static const char *string_of(JsonNode *node)
{
    return json_node_get_value_type(node) == G_TYPE_STRING ? json_node_get_string(node) : NULL;
}

static bool read_bytes(JsonNode *node, char **to, GError **error)
{
    const char *text = string_of(node);
    char *bytes = text ? redis_json_bytes(text, error) : NULL;

    if (!text)
        return expected("a string", error);
    if (!bytes)
        return false;
    g_free(*to);
    *to = bytes;
    return true;
}

/* -1 = not among them */
static int place_of(const char *name, const char *const *names)
{
    for (int i = 0; name && names[i]; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

static bool read_name(JsonNode *node, const RedisField *f, int *to, GError **error)
{
    const char *text = string_of(node);
    int place = place_of(text, f->names);

    if (place < 0) {
        g_autofree char *quoted = span_quote(span_str(text ? text : ""));
        g_set_error(error, REDIS_ERROR, REDIS_ERROR_FIELD, "unknown value %s", quoted);
        return false;
    }
    *to = place;
    return true;
}

static bool read_flags(JsonNode *node, const RedisField *f, unsigned *to, GError **error)
{
    if (!JSON_NODE_HOLDS_ARRAY(node))
        return expected("a list of strings", error);
    JsonArray *array = json_node_get_array(node);
    for (unsigned i = 0; i < json_array_get_length(array); i++) {
        int place = place_of(string_of(json_array_get_element(array, i)), f->names);
        if (place >= 0)
            *to |= 1u << place;
    }
    return true;
}

static bool parse_addr(Span text, Addr *ret_addr)
{
    Span host = text;
    uint64_t port;

    while (host.len && host.p[host.len - 1] != ':')
        host.len--;
    if (!host.len || !span_uint(span_skip(text, host.len), G_MAXUINT16, &port))
        return false;
    host.len--;
    /* an IPv6 address without brackets would hide which colon is which */
    if (host.len && host.p[0] != '[' && memchr(host.p, ':', host.len))
        return false;
    if (!addr_parse_ip(host, ret_addr))
        return false;
    ret_addr->port = (uint16_t)port;
    return true;
}

static bool read_addr(JsonNode *node, Addr *to, GError **error)
{
    const char *text = string_of(node);

    return (text && parse_addr(span_str(text), to)) || expected("ADDRESS:PORT", error);
}

static bool read_fingerprints(JsonNode *node, FingerprintSet *to, GError **error)
{
    if (!JSON_NODE_HOLDS_ARRAY(node))
        return expected("a list of fingerprints", error);
    JsonArray *array = json_node_get_array(node);
    to->n = 0;
    for (unsigned i = 0; i < json_array_get_length(array); i++) {
        const char *text = string_of(json_array_get_element(array, i));
        Fingerprint fp;
        if (!text || fp_parse(span_str(text), &fp) != FP_PARSE_OK || !fp_set_add(to, &fp))
            return expected("a list of fingerprints", error);
    }
    return true;
}

static bool read_object(JsonNode *node, const RedisTable *table, void *s, GError **error)
{
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return expected("an object", error);
    return redis_fields_read(table, json_node_get_object(node), s, error);
}

static bool read_pointer(JsonNode *node, const RedisTable *table, void **to, GError **error)
{
    redis_fields_free(table, *to);
    *to = redis_fields_new(table);
    return read_object(node, table, *to, error);
}

static bool read_list(JsonNode *node, const RedisTable *table, GPtrArray *to, GError **error)
{
    if (!JSON_NODE_HOLDS_ARRAY(node))
        return expected("a list", error);
    JsonArray *array = json_node_get_array(node);
    for (unsigned i = 0; i < json_array_get_length(array); i++) {
        g_ptr_array_add(to, redis_fields_new(table));
        if (!read_object(json_array_get_element(array, i), table, to->pdata[to->len - 1], error)) {
            g_prefix_error(error, "[%u]: ", i);
            return false;
        }
    }
    return true;
}

static bool read_field(const RedisField *f, JsonNode *node, void *s, GError **error)
{
    int64_t i = 0;

    switch (f->type) {
    case REDIS_BYTES:
        return read_bytes(node, AT(char *, s, f), error);
    case REDIS_BOOL:
        if (json_node_get_value_type(node) != G_TYPE_BOOLEAN)
            return expected("true or false", error);
        *AT(bool, s, f) = json_node_get_boolean(node);
        return true;
    case REDIS_INT:
        if (!read_integer(node, G_MAXINT, &i, error))
            return false;
        *AT(int, s, f) = (int)i;
        return true;
    case REDIS_BIG:
        if (!read_integer(node, REDIS_INT_MAX, &i, error))
            return false;
        *AT(uint64_t, s, f) = (uint64_t)i;
        return i >= 0 || expected("an integer of its range", error);
    case REDIS_NAME:
        return read_name(node, f, AT(int, s, f), error);
    case REDIS_FLAGS:
        return read_flags(node, f, AT(unsigned, s, f), error);
    case REDIS_ADDR:
        return read_addr(node, AT(Addr, s, f), error);
    case REDIS_FINGERPRINTS:
        return read_fingerprints(node, AT(FingerprintSet, s, f), error);
    case REDIS_OBJECT:
        return read_object(node, f->table, AT(char, s, f), error);
    case REDIS_POINTER:
        return read_pointer(node, f->table, AT(void *, s, f), error);
    case REDIS_LIST:
        return read_list(node, f->table, *AT(GPtrArray *, s, f), error);
    }
    g_assert_not_reached();
}

bool redis_fields_read(const RedisTable *table, JsonObject *object, void *s, GError **error)
{
    for (size_t i = 0; i < table->n; i++) {
        const RedisField *f = &table->fields[i];
        JsonNode *node = json_object_get_member(object, f->name);
        if (!node && f->required)
            g_set_error(error, REDIS_ERROR, REDIS_ERROR_FIELD, "missing");
        if (node ? !read_field(f, node, s, error) : f->required) {
            g_prefix_error(error, "%s: ", f->name);
            return false;
        }
    }
    return true;
}

/* A text in which nothing has to be escaped. */
static void write_text(const char *text, GString *out)
{
    g_string_append_c(out, '"');
    g_string_append(out, text);
    g_string_append_c(out, '"');
}

static void write_flags(const RedisField *f, unsigned flags, GString *out)
{
    const char *separator = "";

    g_string_append_c(out, '[');
    for (int i = 0; f->names[i]; i++) {
        if (!(flags & 1u << i))
            continue;
        g_string_append(out, separator);
        write_text(f->names[i], out);
        separator = ",";
    }
    g_string_append_c(out, ']');
}

static void write_addr(const Addr *a, GString *out)
{
    char text[ADDR_TEXT_MAX];

    write_text(addr_text(a, text), out);
}

static void write_fingerprints(const FingerprintSet *set, GString *out)
{
    char text[FP_TEXT_MAX];

    g_string_append_c(out, '[');
    for (unsigned i = 0; i < set->n; i++) {
        g_string_append(out, i ? "," : "");
        write_text(fp_text(&set->fp[i], text), out);
    }
    g_string_append_c(out, ']');
}

static void write_object(const RedisTable *table, const void *s, GString *out)
{
    g_string_append_c(out, '{');
    redis_fields_write(table, s, out);
    g_string_append_c(out, '}');
}

static void write_list(const RedisTable *table, const GPtrArray *list, GString *out)
{
    g_string_append_c(out, '[');
    for (unsigned i = 0; i < list->len; i++) {
        if (i)
            g_string_append_c(out, ',');
        write_object(table, list->pdata[i], out);
    }
    g_string_append_c(out, ']');
}

static bool is_default(const RedisField *f, const void *s)
{
    switch (f->type) {
    case REDIS_BYTES:
    case REDIS_POINTER:
        return !*AT_CONST(void *, s, f);
    case REDIS_BOOL:
        return !*AT_CONST(bool, s, f);
    case REDIS_INT:
        return *AT_CONST(int, s, f) == f->absent;
    case REDIS_BIG:
        return *AT_CONST(uint64_t, s, f) == 0;
    case REDIS_FLAGS:
        return *AT_CONST(unsigned, s, f) == 0;
    case REDIS_ADDR:
        return AT_CONST(Addr, s, f)->family == ADDR_NONE;
    case REDIS_FINGERPRINTS:
        return AT_CONST(FingerprintSet, s, f)->n == 0;
    case REDIS_LIST:
        return (*AT_CONST(GPtrArray *, s, f))->len == 0;
    case REDIS_NAME:
        return *AT_CONST(int, s, f) == 0;
    case REDIS_OBJECT:
        return false;
    }
    g_assert_not_reached();
}

static void write_value(const RedisField *f, const void *s, GString *out)
{
    switch (f->type) {
    case REDIS_BYTES:
        redis_json_append_bytes(out, span_str(*AT_CONST(char *, s, f)));
        return;
    case REDIS_BOOL:
        g_string_append(out, *AT_CONST(bool, s, f) ? "true" : "false");
        return;
    case REDIS_INT:
        g_string_append_printf(out, "%d", *AT_CONST(int, s, f));
        return;
    case REDIS_BIG:
        g_assert(*AT_CONST(uint64_t, s, f) <= REDIS_INT_MAX);
        span_append_uint(out, *AT_CONST(uint64_t, s, f));
        return;
    case REDIS_NAME:
        write_text(f->names[*AT_CONST(int, s, f)], out);
        return;
    case REDIS_FLAGS:
        write_flags(f, *AT_CONST(unsigned, s, f), out);
        return;
    case REDIS_ADDR:
        write_addr(AT_CONST(Addr, s, f), out);
        return;
    case REDIS_FINGERPRINTS:
        write_fingerprints(AT_CONST(FingerprintSet, s, f), out);
        return;
    case REDIS_OBJECT:
        write_object(f->table, AT_CONST(char, s, f), out);
        return;
    case REDIS_POINTER:
        write_object(f->table, *AT_CONST(void *, s, f), out);
        return;
    case REDIS_LIST:
        write_list(f->table, *AT_CONST(GPtrArray *, s, f), out);
        return;
    }
}

void redis_fields_write(const RedisTable *table, const void *s, GString *out)
{
    for (size_t i = 0; i < table->n; i++) {
        const RedisField *f = &table->fields[i];
        if (!f->required && is_default(f, s))
            continue;
        if (!out->len || out->str[out->len - 1] != '{')
            g_string_append_c(out, ',');
        write_text(f->name, out);
        g_string_append_c(out, ':');
        write_value(f, s, out);
    }
}

static void *copy_of(const RedisTable *table, const void *s)
{
    void *copy = s ? redis_fields_new(table) : NULL;

    if (s)
        redis_fields_copy(table, copy, s);
    return copy;
}

/* The members of plain values. */
static size_t size_of(RedisFieldType type)
{
    switch (type) {
    case REDIS_BOOL:
        return sizeof(bool);
    case REDIS_INT:
    case REDIS_NAME:
    case REDIS_FLAGS:
        return sizeof(int);
    case REDIS_BIG:
        return sizeof(uint64_t);
    case REDIS_ADDR:
        return sizeof(Addr);
    case REDIS_FINGERPRINTS:
        return sizeof(FingerprintSet);
    default:
        g_assert_not_reached();
    }
}

void redis_fields_copy(const RedisTable *table, void *to, const void *from)
{
    for (size_t i = 0; i < table->n; i++) {
        const RedisField *f = &table->fields[i];
        if (f->type == REDIS_BYTES) {
            *AT(char *, to, f) = g_strdup(*AT_CONST(char *, from, f));
        } else if (f->type == REDIS_OBJECT) {
            redis_fields_copy(f->table, AT(char, to, f), AT_CONST(char, from, f));
        } else if (f->type == REDIS_POINTER) {
            *AT(void *, to, f) = copy_of(f->table, *AT_CONST(void *, from, f));
        } else if (f->type == REDIS_LIST) {
            const GPtrArray *list = *AT_CONST(GPtrArray *, from, f);
            for (unsigned k = 0; k < list->len; k++)
                g_ptr_array_add(*AT(GPtrArray *, to, f), copy_of(f->table, list->pdata[k]));
        } else {
            memcpy(AT(char, to, f), AT_CONST(char, from, f), size_of(f->type));
        }
    }
}

static bool list_equal(const RedisTable *table, const GPtrArray *a, const GPtrArray *b)
{
    if (a->len != b->len)
        return false;
    for (unsigned i = 0; i < a->len; i++)
        if (!redis_fields_equal(table, a->pdata[i], b->pdata[i]))
            return false;
    return true;
}

static bool pointer_equal(const RedisTable *table, const void *a, const void *b)
{
    return a && b ? redis_fields_equal(table, a, b) : a == b;
}

static bool field_equal(const RedisField *f, const void *a, const void *b)
{
    switch (f->type) {
    case REDIS_BYTES:
        return g_strcmp0(*AT_CONST(char *, a, f), *AT_CONST(char *, b, f)) == 0;
    case REDIS_BOOL:
        return *AT_CONST(bool, a, f) == *AT_CONST(bool, b, f);
    case REDIS_INT:
    case REDIS_NAME:
        return *AT_CONST(int, a, f) == *AT_CONST(int, b, f);
    case REDIS_BIG:
        return *AT_CONST(uint64_t, a, f) == *AT_CONST(uint64_t, b, f);
    case REDIS_FLAGS:
        return *AT_CONST(unsigned, a, f) == *AT_CONST(unsigned, b, f);
    case REDIS_ADDR:
        return addr_eq(AT_CONST(Addr, a, f), AT_CONST(Addr, b, f));
    case REDIS_FINGERPRINTS:
        return fp_set_eq(AT_CONST(FingerprintSet, a, f), AT_CONST(FingerprintSet, b, f));
    case REDIS_OBJECT:
        return redis_fields_equal(f->table, AT_CONST(char, a, f), AT_CONST(char, b, f));
    case REDIS_POINTER:
        return pointer_equal(f->table, *AT_CONST(void *, a, f), *AT_CONST(void *, b, f));
    case REDIS_LIST:
        return list_equal(f->table, *AT_CONST(GPtrArray *, a, f), *AT_CONST(GPtrArray *, b, f));
    }
    g_assert_not_reached();
}

bool redis_fields_equal(const RedisTable *table, const void *a, const void *b)
{
    for (size_t i = 0; i < table->n; i++)
        if (!field_equal(&table->fields[i], a, b))
            return false;
    return true;
}
