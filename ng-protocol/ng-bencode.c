/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ng-protocol/ng-bencode.h"

/* "i-9223372036854775808e" */
#define INT_TOKEN_MAX 22
/* "1048576:" */
#define LENGTH_TOKEN_MAX 8

/* "007" and "-0" are second spellings of a number, which bencode forbids. */
static bool is_canonical(Span number)
{
    if (number.p[0] == '-')
        return number.len > 1 && number.p[1] != '0';
    return number.p[0] != '0' || number.len == 1;
}

/* "i5e" at the start of @in. */
static NgScan read_int(Span in, int64_t *ret_i, size_t *ret_len)
{
    Span token = span_head(in, INT_TOKEN_MAX);
    const char *end = memchr(token.p, 'e', token.len);

    if (!end)
        return in.len < INT_TOKEN_MAX ? NG_SCAN_MORE : NG_SCAN_BAD;
    Span number = {token.p + 1, (size_t)(end - token.p) - 1};
    if (!ng_int_parse(number, ret_i) || !is_canonical(number))
        return NG_SCAN_BAD;
    *ret_len = number.len + 2;
    return NG_SCAN_DONE;
}

/* "4:spam" at the start of @in. */
static NgScan read_string(Span in, Span *ret_s, size_t *ret_len)
{
    Span token = span_head(in, LENGTH_TOKEN_MAX);
    const char *colon = memchr(token.p, ':', token.len);
    uint64_t n;

    if (!colon)
        return in.len < LENGTH_TOKEN_MAX ? NG_SCAN_MORE : NG_SCAN_BAD;
    Span number = {token.p, (size_t)(colon - token.p)};
    if (!span_uint(number, NG_MAX_MESSAGE, &n) || !is_canonical(number))
        return NG_SCAN_BAD;
    Span body = span_skip(in, number.len + 1);
    if (n > body.len)
        return NG_SCAN_MORE;
    *ret_s = span_head(body, (size_t)n);
    *ret_len = number.len + 1 + (size_t)n;
    return NG_SCAN_DONE;
}

typedef struct Reader {
    const char *start;
    Span in;
    unsigned items;
    const char *complaint;
} Reader;

static NgValue *read_value(Reader *r, unsigned depth);

/* Takes @n bytes off the input. */
static void advance(Reader *r, size_t n)
{
    r->in = span_skip(r->in, n);
}

static NgValue *complain(Reader *r, const char *what)
{
    if (!r->complaint)
        r->complaint = what;
    return NULL;
}

static bool take_string(Reader *r, Span *ret_s)
{
    size_t n;
    NgScan result = read_string(r->in, ret_s, &n);

    if (result != NG_SCAN_DONE) {
        complain(r, result == NG_SCAN_MORE ? "string cut short" : "bad string length");
        return false;
    }
    advance(r, n);
    return true;
}

/* At the end of a list or dictionary? Takes the 'e'. */
static bool at_end(Reader *r)
{
    if (!r->in.len || r->in.p[0] != 'e')
        return false;
    advance(r, 1);
    return true;
}

static NgValue *read_list(Reader *r, unsigned depth)
{
    g_autoptr(NgValue) list = ng_list_new();

    while (!at_end(r)) {
        NgValue *item = read_value(r, depth);
        if (!item)
            return NULL;
        ng_list_add(list, item);
    }
    return g_steal_pointer(&list);
}

static NgValue *read_dict(Reader *r, unsigned depth)
{
    g_autoptr(NgValue) dict = ng_dict_new();

    while (!at_end(r)) {
        Span key;
        if (r->in.len && !g_ascii_isdigit(r->in.p[0]))
            return complain(r, "dictionary key is not a string");
        if (!r->in.len)
            return complain(r, "dictionary cut short");
        if (!take_string(r, &key))
            return NULL;
        NgValue *value = read_value(r, depth);
        if (!value)
            return NULL;
        ng_dict_add(dict, key, value);
    }
    return g_steal_pointer(&dict);
}

static NgValue *read_container(Reader *r, unsigned depth)
{
    bool is_list = r->in.p[0] == 'l';

    if (depth == NG_MAX_DEPTH)
        return complain(r, "nested too deeply");
    advance(r, 1);
    return is_list ? read_list(r, depth + 1) : read_dict(r, depth + 1);
}

static NgValue *read_scalar(Reader *r)
{
    int64_t i;
    size_t n;
    Span s;

    if (r->in.p[0] != 'i')
        return take_string(r, &s) ? ng_string_new(s) : NULL;
    NgScan result = read_int(r->in, &i, &n);
    if (result != NG_SCAN_DONE)
        return complain(r, result == NG_SCAN_MORE ? "integer cut short" : "bad integer");
    advance(r, n);
    return ng_int_new(i);
}

static NgValue *read_value(Reader *r, unsigned depth)
{
    if (!r->in.len)
        return complain(r, "value missing");
    if (++r->items > NG_MAX_ITEMS)
        return complain(r, "too many values");
    char c = r->in.p[0];
    if (c == 'l' || c == 'd')
        return read_container(r, depth);
    if (c == 'i' || g_ascii_isdigit(c))
        return read_scalar(r);
    return complain(r, "no value starts like this");
}

NgValue *ng_bencode_decode(Span in, Span *ret_rest, GError **error)
{
    Reader r = {.start = in.p, .in = in};
    g_autoptr(NgValue) v = read_value(&r, 0);

    if (v && r.in.len && !ret_rest)
        complain(&r, "bytes after the end");
    if (r.complaint) {
        g_autofree char *text = span_quote(r.in);
        g_set_error(error, NG_ERROR, NG_ERROR_BENCODE, "bencode: %s at byte %zu: %s", r.complaint,
                    (size_t)(r.in.p - r.start), text);
        return NULL;
    }
    if (ret_rest)
        *ret_rest = r.in;
    return g_steal_pointer(&v);
}

static void append_string(GString *out, Span s)
{
    span_append_uint(out, s.len);
    g_string_append_c(out, ':');
    g_string_append_len(out, s.p, (gssize)s.len);
}

static void append_list(GString *out, const NgValue *list)
{
    g_string_append_c(out, 'l');
    for (unsigned i = 0; i < ng_value_n(list); i++)
        ng_bencode_append(out, ng_list_get(list, i));
    g_string_append_c(out, 'e');
}

static void append_dict(GString *out, const NgValue *dict)
{
    g_string_append_c(out, 'd');
    for (unsigned i = 0; i < ng_value_n(dict); i++) {
        Span key;
        const NgValue *value = ng_dict_at(dict, i, &key);
        append_string(out, key);
        ng_bencode_append(out, value);
    }
    g_string_append_c(out, 'e');
}

void ng_bencode_append(GString *out, const NgValue *v)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    int64_t i = 0;

    switch (ng_value_type(v)) {
    case NG_STRING:
        append_string(out, ng_value_span(v));
        return;
    case NG_INT:
        ng_value_as_int(v, &i);
        g_string_append_printf(out, "i%" G_GINT64_FORMAT "e", i);
        return;
    case NG_LIST:
        append_list(out, v);
        return;
    case NG_DICT:
        append_dict(out, v);
        return;
    case NG_BOOL:
        g_string_append(out, ng_value_bool(v) ? "i1e" : "i0e");
        return;
    case NG_NULL:
        append_string(out, SPAN(""));
        return;
    case NG_DOUBLE:
        append_string(out, span_str(g_ascii_dtostr(text, sizeof text, ng_value_double(v))));
        return;
    }
}

/* One token at the start of @in: its length, and how it changes the depth. */
static NgScan next_token(Span in, size_t *ret_len, int *ret_depth)
{
    int64_t i;
    Span s;

    *ret_depth = 0;
    if (in.p[0] == 'i')
        return read_int(in, &i, ret_len);
    if (g_ascii_isdigit(in.p[0]))
        return read_string(in, &s, ret_len);
    *ret_len = 1;
    *ret_depth = in.p[0] == 'e' ? -1 : 1;
    return in.p[0] == 'e' || in.p[0] == 'd' || in.p[0] == 'l' ? NG_SCAN_DONE : NG_SCAN_BAD;
}

/* Moves over one token unless that passes a limit. */
static bool step_over(NgBencodeScan *scan, size_t n, int depth)
{
    if ((depth < 0 && scan->depth == 0) || (depth > 0 && scan->depth == NG_MAX_DEPTH))
        return false;
    /* keys and ends are tokens too, hence the factor */
    if (++scan->items > 3 * NG_MAX_ITEMS || scan->pos + n > NG_MAX_MESSAGE)
        return false;
    scan->pos += n;
    scan->depth += (unsigned)depth;
    return true;
}

NgScan ng_bencode_scan(NgBencodeScan *scan, Span stream, size_t *ret_len)
{
    while (scan->pos < stream.len) {
        size_t n = 0;
        int depth;
        NgScan result = next_token(span_skip(stream, scan->pos), &n, &depth);
        if (result == NG_SCAN_MORE && stream.len <= NG_MAX_MESSAGE)
            return NG_SCAN_MORE;
        if (result != NG_SCAN_DONE || !step_over(scan, n, depth))
            return NG_SCAN_BAD;
        if (scan->depth == 0) {
            *ret_len = scan->pos;
            return NG_SCAN_DONE;
        }
    }
    return NG_SCAN_MORE;
}

gssize ng_bencode_length(Span stream)
{
    NgBencodeScan scan = {0};
    size_t len;

    switch (ng_bencode_scan(&scan, stream, &len)) {
    case NG_SCAN_DONE:
        return (gssize)len;
    case NG_SCAN_MORE:
        return 0;
    case NG_SCAN_BAD:
        return -1;
    }
    g_assert_not_reached();
}
