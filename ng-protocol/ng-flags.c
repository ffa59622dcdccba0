/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ng-protocol/ng-flags.h"

/* How many bytes belong to a bracketed value: past the closing bracket, up to the next blank. */
static size_t bracketed_len(Span s)
{
    size_t i = 0, depth = 0;

    do {
        if (s.p[i] == '[')
            depth++;
        else if (s.p[i] == ']' && depth)
            depth--;
        i++;
    } while (i < s.len && (depth || s.p[i] != ' '));
    return i;
}

static size_t word_len(Span s)
{
    const char *blank = s.len ? memchr(s.p, ' ', s.len) : NULL;

    return blank ? (size_t)(blank - s.p) : s.len;
}

static Span skip_blanks(Span s)
{
    while (s.len && s.p[0] == ' ')
        s = span_skip(s, 1);
    return s;
}

NgFlag ng_flag_split(Span word)
{
    Span value = word;
    Span key = span_cut(&value, '=');

    return (NgFlag){word, key, value};
}

bool ng_flags_next(Span *text, NgFlag *ret_flag)
{
    Span s = skip_blanks(*text);

    if (!s.len) {
        *text = s;
        return false;
    }
    size_t len = word_len(s);
    const char *equals = memchr(s.p, '=', len);
    size_t before = equals ? (size_t)(equals - s.p) + 1 : len;
    Span value = span_skip(s, before);
    if (equals && value.len && value.p[0] == '[')
        len = before + bracketed_len(value);
    *ret_flag = ng_flag_split(span_head(s, len));
    *text = span_skip(s, len);
    return true;
}

void ng_flag_items(Span value, GArray *items)
{
    NgFlag flag;

    if (!value.len || value.p[0] != '[') {
        ng_items_add(items, value);
        return;
    }
    value = span_skip(value, 1);
    if (value.len && value.p[value.len - 1] == ']')
        value.len--;
    while (ng_flags_next(&value, &flag))
        ng_items_add(items, flag.whole);
}

GString *ng_flags_without(Span text, bool (*drop)(const NgFlag *flag, void *arg), void *arg)
{
    GString *out = g_string_new(NULL);
    Span rest = text;
    NgFlag flag;
    Span lead = span_head(text, text.len - skip_blanks(text).len);

    while (true) {
        const char *from = rest.p;
        if (!ng_flags_next(&rest, &flag))
            break;
        if (drop(&flag, arg))
            continue;
        Span gap = {from, (size_t)(flag.whole.p - from)};
        if (!out->len)
            gap = lead;
        g_string_append_len(out, gap.p, (gssize)gap.len);
        g_string_append_len(out, flag.whole.p, (gssize)flag.whole.len);
    }
    /* the blanks at the end; nothing at all when every flag is gone */
    if (out->len) {
        const char *end = flag.whole.p + flag.whole.len;
        g_string_append_len(out, end, text.p + text.len - end);
    }
    return out;
}
