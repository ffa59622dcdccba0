/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "redis-schema/redis-json.h"

G_DEFINE_QUARK(redis - error - quark, redis_error)

static bool stands_for_itself(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '%' && c != '\\';
}

static void append_escaped(GString *out, guchar byte)
{
    static const char hex[] = "0123456789ABCDEF";

    g_string_append_c(out, '%');
    g_string_append_c(out, hex[byte >> 4]);
    g_string_append_c(out, hex[byte & 0xf]);
}

void redis_json_append_bytes(GString *out, Span s)
{
    g_string_append_c(out, '"');
    while (s.len) {
        size_t n = 0;
        while (n < s.len && stands_for_itself(s.p[n]))
            n++;
        g_string_append_len(out, s.p, (gssize)n);
        if (n < s.len)
            append_escaped(out, (guchar)s.p[n++]);
        s = span_skip(s, n);
    }
    g_string_append_c(out, '"');
}

/* The byte of "%XX" at @p; 0, which is refused too, when it is none. */
static char escaped_byte(const char *p)
{
    int high = g_ascii_xdigit_value(p[1]);
    int low = high < 0 ? -1 : g_ascii_xdigit_value(p[2]);

    if (low < 0)
        return 0;
    return (char)(high << 4 | low);
}

char *redis_json_bytes(const char *text, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (const char *p = text; *p; p++) {
        char c = *p == '%' ? escaped_byte(p) : *p;
        if (!c) {
            g_autofree char *quoted = span_quote(span_str(p));
            g_set_error(error, REDIS_ERROR, REDIS_ERROR_FIELD, "bad %% escape: %s", quoted);
            return NULL;
        }
        g_string_append_c(out, c);
        p += *p == '%' ? 2 : 0;
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* Takes a string off *@in, whose opening quote is gone. Returns what is wrong with it, or NULL. */
static const char *skip_string(Span *in)
{
    while (in->len) {
        char c = in->p[0];
        if (c < 0x20 || c >= 0x7f)
            return "byte in a string that is not printable ASCII";
        /* no \u: there is no need for one, and JSON-GLib leaks memory on half a surrogate pair */
        if (c == '\\' && (in->len < 2 || !in->p[1] || !strchr("\"\\/bfnrt", in->p[1])))
            return "bad escape";
        *in = span_skip(*in, c == '\\' ? 2 : 1);
        if (c == '"')
            return NULL;
    }
    return "string without end";
}

typedef struct Walk {
    unsigned depth;
    unsigned items;
    bool done; /* the object is complete */
} Walk;

/* One byte outside of strings. JSON-GLib takes more than JSON, comments for example. */
static const char *step(Walk *w, char c)
{
    if (!g_ascii_isalnum(c) && (!c || !strchr(" \t\r\n{}[]:,+-.", c)))
        return "byte that is not JSON";
    if (g_ascii_isspace(c))
        return NULL;
    if (w->done)
        return "something after the object";
    if (!w->depth && c != '{')
        return "not an object";
    if ((c == '{' || c == '[') && ++w->depth > REDIS_DEPTH_MAX)
        return "nested too deeply";
    if ((c == '{' || c == '[' || c == ',') && ++w->items > REDIS_ITEMS_MAX)
        return "too many values";
    if (c == '}' || c == ']')
        w->done = --w->depth == 0;
    return NULL;
}

/*
 * Walks once over the text, which bounds what JSON-GLib is given, as it recurses without limit.
 * Returns what is wrong, or NULL.
 */
static const char *check(Span in)
{
    Walk w = {0};
    const char *complaint = in.len > REDIS_VALUE_MAX ? "too long" : NULL;

    while (in.len && !complaint) {
        char c = in.p[0];
        in = span_skip(in, 1);
        if (c != '"')
            complaint = step(&w, c);
        else
            complaint = w.depth ? skip_string(&in) : "not an object";
    }
    return complaint || w.done ? complaint : "no end";
}

static bool schema_check(JsonNode *root, GError **error)
{
    JsonNode *node = json_object_get_member(json_node_get_object(root), "schema");
    int64_t schema = 0;

    if (node && json_node_get_value_type(node) == G_TYPE_INT64)
        schema = json_node_get_int(node);
    if (schema < 1) {
        g_set_error(error, REDIS_ERROR, REDIS_ERROR_FIELD, "schema: missing or not a version");
        return false;
    }
    if (schema > REDIS_SCHEMA) {
        g_set_error(error, REDIS_ERROR, REDIS_ERROR_SCHEMA,
                    "written in schema %" G_GINT64_FORMAT
                    " by a newer version; this one reads up to schema %d",
                    schema, REDIS_SCHEMA);
        return false;
    }
    return true;
}

JsonParser *redis_json_parse(Span in, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GError) why = NULL;
    const char *complaint = check(in);

    if (!complaint && !json_parser_load_from_data(parser, in.len ? in.p : "", (gssize)in.len, &why))
        complaint = why->message;
    JsonNode *root = complaint ? NULL : json_parser_get_root(parser);
    if (!complaint && (!root || !JSON_NODE_HOLDS_OBJECT(root)))
        complaint = "not an object";
    if (complaint) {
        g_autofree char *text = span_quote(in);
        g_set_error(error, REDIS_ERROR, REDIS_ERROR_JSON, "JSON: %s: %s", complaint, text);
        return NULL;
    }
    return schema_check(root, error) ? g_steal_pointer(&parser) : NULL;
}
