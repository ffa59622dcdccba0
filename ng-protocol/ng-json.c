/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ng-protocol/ng-json.h"

#include <json-glib/json-glib.h>
#include <math.h>

/* The code unit of "\uXXXX" at the start of @s; 0, which is refused too, when it is none. */
static unsigned code_unit(Span s)
{
    unsigned unit = 0;

    if (s.len < 6 || !span_starts(s, SPAN("\\u")))
        return 0;
    for (size_t i = 2; i < 6; i++) {
        int digit = g_ascii_xdigit_value(s.p[i]);
        if (digit < 0)
            return 0;
        unit = unit << 4 | (unsigned)digit;
    }
    return unit;
}

/*
 * Bytes of the escape at the start of @s, 0 if it is malformed. JSON-GLib leaks memory on half a
 * surrogate pair.
 */
static size_t escape_len(Span s)
{
    if (s.len < 2 || s.p[1] != 'u')
        return MIN(s.len, 2);
    unsigned unit = code_unit(s);
    if (unit == 0 || (unit & 0xfc00) == 0xdc00)
        return 0;
    if ((unit & 0xfc00) != 0xd800)
        return 6;
    return (code_unit(span_skip(s, 6)) & 0xfc00) == 0xdc00 ? 12 : 0;
}

/* Takes a string off *@in, whose opening quote is gone. Returns what is wrong with it, or NULL. */
static const char *skip_string(Span *in)
{
    while (in->len) {
        char c = in->p[0];
        size_t n = c == '\\' ? escape_len(*in) : 1;
        if (n == 0)
            return "bad \\u escape";
        *in = span_skip(*in, n);
        if (c == '"')
            return NULL;
    }
    return "string without end";
}

/*
 * Bytes that JSON has outside of strings; the words true, false, null and the exponents are spelled
 * with letters.
 */
static bool is_structural(char c)
{
    return g_ascii_isalnum(c) || (c && strchr(" \t\r\n{}[]:,+-.", c));
}

typedef struct Walk {
    unsigned depth;
    unsigned items;
    bool done; /* the one value is complete */
} Walk;

static const char *open_bracket(Walk *w)
{
    if (w->done)
        return "second value";
    return ++w->depth > NG_MAX_DEPTH ? "nested too deeply" : NULL;
}

static const char *close_bracket(Walk *w)
{
    if (!w->depth)
        return "closing bracket without an opening one";
    w->done = --w->depth == 0;
    return NULL;
}

/* One byte outside of strings. */
static const char *step(Walk *w, char c)
{
    if (!is_structural(c))
        return "byte that is not JSON";
    if ((c == '{' || c == '[' || c == ',') && ++w->items > NG_MAX_ITEMS)
        return "too many values";
    if (c == '{' || c == '[')
        return open_bracket(w);
    if (c == '}' || c == ']')
        return close_bracket(w);
    return w->depth || g_ascii_isspace(c) ? NULL : "neither object nor array";
}

/*
 * Walks once over the text, which bounds what JSON-GLib is given: its depth, its number of values,
 * and nothing in which this walk and that parser could disagree about where a string ends. Returns
 * what is wrong, or NULL.
 */
static const char *check(Span in)
{
    Walk w = {0};
    const char *complaint = NULL;

    while (in.len && !complaint) {
        char c = in.p[0];
        in = span_skip(in, 1);
        if (c != '"')
            complaint = step(&w, c);
        else
            complaint = w.depth ? skip_string(&in) : "neither object nor array";
    }
    return complaint || w.done ? complaint : "no end";
}

static NgValue *from_node(JsonNode *node);

static NgValue *from_object(JsonObject *object)
{
    NgValue *dict = ng_dict_new();
    JsonObjectIter iter;
    const char *key;
    JsonNode *member;

    json_object_iter_init_ordered(&iter, object);
    while (json_object_iter_next_ordered(&iter, &key, &member))
        ng_dict_add(dict, span_str(key), from_node(member));
    return dict;
}

static NgValue *from_array(JsonArray *array)
{
    NgValue *list = ng_list_new();

    for (unsigned i = 0; i < json_array_get_length(array); i++)
        ng_list_add(list, from_node(json_array_get_element(array, i)));
    return list;
}

static NgValue *from_scalar(JsonNode *node)
{
    GType type = json_node_get_value_type(node);

    if (type == G_TYPE_STRING)
        return ng_string_new(span_str(json_node_get_string(node)));
    if (type == G_TYPE_BOOLEAN)
        return ng_bool_new(json_node_get_boolean(node));
    if (type == G_TYPE_DOUBLE)
        return ng_double_new(json_node_get_double(node));
    return ng_int_new(json_node_get_int(node));
}

static NgValue *from_node(JsonNode *node)
{
    switch (json_node_get_node_type(node)) {
    case JSON_NODE_OBJECT:
        return from_object(json_node_get_object(node));
    case JSON_NODE_ARRAY:
        return from_array(json_node_get_array(node));
    case JSON_NODE_VALUE:
        return from_scalar(node);
    case JSON_NODE_NULL:
        return ng_null_new();
    }
    g_assert_not_reached();
}

NgValue *ng_json_decode(Span in, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GError) why = NULL;
    const char *complaint = check(in);

    if (!complaint && !json_parser_load_from_data(parser, in.len ? in.p : "", (gssize)in.len, &why))
        complaint = why->message;
    if (!complaint && !json_parser_get_root(parser))
        complaint = "no value";
    if (complaint) {
        g_autofree char *text = span_quote(in);
        g_set_error(error, NG_ERROR, NG_ERROR_JSON, "JSON: %s: %s", complaint, text);
        return NULL;
    }
    return from_node(json_parser_get_root(parser));
}

/* Takes one code point off *@s: UTF-8, or else one byte as it is. */
static gunichar take_char(Span *s)
{
    gunichar c = g_utf8_get_char_validated(s->p, (gssize)MIN(s->len, 6));

    if (c == (gunichar)-1 || c == (gunichar)-2) {
        c = (guchar)s->p[0];
        *s = span_skip(*s, 1);
    } else {
        *s = span_skip(*s, c < 0x80 ? 1 : (size_t)g_unichar_to_utf8(c, NULL));
    }
    return c;
}

static void append_string(GString *out, Span s)
{
    g_string_append_c(out, '"');
    while (s.len) {
        gunichar c = take_char(&s);
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", (char)c);
        else if (c == '\n')
            g_string_append(out, "\\n");
        else if (c == '\r')
            g_string_append(out, "\\r");
        else if (c < 0x20 || c == 0x7f)
            g_string_append_printf(out, "\\u%04x", c);
        else
            g_string_append_unichar(out, c);
    }
    g_string_append_c(out, '"');
}

static void append_list(GString *out, const NgValue *list)
{
    g_string_append_c(out, '[');
    for (unsigned i = 0; i < ng_value_n(list); i++) {
        if (i)
            g_string_append_c(out, ',');
        ng_json_append(out, ng_list_get(list, i));
    }
    g_string_append_c(out, ']');
}

static void append_dict(GString *out, const NgValue *dict)
{
    g_string_append_c(out, '{');
    for (unsigned i = 0; i < ng_value_n(dict); i++) {
        Span key;
        const NgValue *value = ng_dict_at(dict, i, &key);
        if (i)
            g_string_append_c(out, ',');
        append_string(out, key);
        g_string_append_c(out, ':');
        ng_json_append(out, value);
    }
    g_string_append_c(out, '}');
}

static void append_double(GString *out, double d)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_dtostr(text, sizeof text, d);
    g_string_append(out, isfinite(d) ? text : "null");
    /* so that it is read back as a double */
    if (isfinite(d) && !strpbrk(text, ".e"))
        g_string_append(out, ".0");
}

/*
 * Written here because JSON-GLib's generator cannot: it works on C strings, has one value per key,
 * and prints 1e20 as "1e+20.0", which is not JSON.
 */
void ng_json_append(GString *out, const NgValue *v)
{
    int64_t i = 0;

    switch (ng_value_type(v)) {
    case NG_STRING:
        append_string(out, ng_value_span(v));
        return;
    case NG_INT:
        ng_value_as_int(v, &i);
        g_string_append_printf(out, "%" G_GINT64_FORMAT, i);
        return;
    case NG_LIST:
        append_list(out, v);
        return;
    case NG_DICT:
        append_dict(out, v);
        return;
    case NG_BOOL:
        g_string_append(out, ng_value_bool(v) ? "true" : "false");
        return;
    case NG_NULL:
        g_string_append(out, "null");
        return;
    case NG_DOUBLE:
        append_double(out, ng_value_double(v));
        return;
    }
}
