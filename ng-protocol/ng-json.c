/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ng-protocol/ng-json.h"

#include <json-glib/json-glib.h>
#include <math.h>

/* Does \uXXXX at the start of @s mean NUL? */
static bool is_escaped_nul(Span s)
{
    return span_starts(s, SPAN("\\u0000"));
}

/* Takes a string off *@in, whose opening quote is gone. Returns what is wrong with it, or NULL. */
static const char *skip_string(Span *in)
{
    while (in->len) {
        char c = in->p[0];
        if (is_escaped_nul(*in))
            return "NUL in a string";
        *in = span_skip(*in, c == '\\' ? 2 : 1);
        if (c == '"')
            return NULL;
    }
    return "string without end";
}

/* Bytes that JSON has outside of strings; the words true, false, null and the exponents are spelled
 * with letters. */
static bool is_structural(char c)
{
    return g_ascii_isalnum(c) || (c && strchr(" \t\r\n{}[]:,+-.", c));
}

/*
 * Walks once over the text, which bounds what JSON-GLib is given: its depth, its number of values,
 * and no construct in which this walk and that parser could disagree about where a string ends.
 * Returns what is wrong, or NULL.
 */
static const char *check(Span in)
{
    unsigned depth = 0, items = 0;

    while (in.len) {
        char c = in.p[0];
        const char *complaint = NULL;
        in = span_skip(in, 1);
        if (c == '"')
            complaint = skip_string(&in);
        else if (!is_structural(c))
            complaint = "byte that is not JSON";
        if (complaint)
            return complaint;
        if (c == '{' || c == '[')
            depth++;
        if ((c == '}' || c == ']') && depth-- == 0)
            return "closing bracket without an opening one";
        if (depth > NG_MAX_DEPTH)
            return "nested too deeply";
        if ((c == '{' || c == '[' || c == ',') && ++items > NG_MAX_ITEMS)
            return "too many values";
    }
    return NULL;
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
