/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "sdp/sdp-edit.h"

#include "sdp/sdp-attr.h"

typedef struct LineEdit {
    bool deleted;
    char *text;       /* NULL: as in the document */
    GPtrArray *after; /* NULL: nothing inserted */
} LineEdit;

typedef struct SectionEdit {
    char *conn;      /* a c= line to insert; NULL: none */
    GPtrArray *tail; /* NULL: nothing appended */
} SectionEdit;

struct SdpEdit {
    const SdpDoc *doc;
    const char *eol;
    LineEdit *lines;
    SectionEdit *sections;
};

SdpEdit *sdp_edit_new(const SdpDoc *doc)
{
    SdpEdit *edit = g_new0(SdpEdit, 1);

    edit->doc = doc;
    edit->eol = sdp_doc_eol(doc);
    edit->lines = g_new0(LineEdit, doc->n_lines);
    edit->sections = g_new0(SectionEdit, doc->n_sections);
    return edit;
}

void sdp_edit_free(SdpEdit *edit)
{
    if (!edit)
        return;
    for (unsigned i = 0; i < edit->doc->n_lines; i++) {
        g_free(edit->lines[i].text);
        g_clear_pointer(&edit->lines[i].after, g_ptr_array_unref);
    }
    for (unsigned i = 0; i < edit->doc->n_sections; i++) {
        g_free(edit->sections[i].conn);
        g_clear_pointer(&edit->sections[i].tail, g_ptr_array_unref);
    }
    g_free(edit->lines);
    g_free(edit->sections);
    g_free(edit);
}

const SdpDoc *sdp_edit_doc(const SdpEdit *edit)
{
    return edit->doc;
}

bool sdp_text_ok(Span text)
{
    return !text.len || !(memchr(text.p, '\r', text.len) || memchr(text.p, '\n', text.len) ||
                          memchr(text.p, 0, text.len));
}

static void add_text(GPtrArray **list, const char *text)
{
    g_assert(sdp_text_ok(span_str(text)) && !span_starts(span_str(text), SPAN("m=")));
    if (!*list)
        *list = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(*list, g_strdup(text));
}

bool sdp_edit_text(const SdpEdit *edit, unsigned line, Span *ret_text)
{
    g_assert(line < edit->doc->n_lines);
    const LineEdit *e = &edit->lines[line];

    if (e->deleted)
        return false;
    *ret_text = e->text ? span_str(e->text) : sdp_line_text(&edit->doc->lines[line]);
    return true;
}

void sdp_edit_replace(SdpEdit *edit, unsigned line, const char *text)
{
    g_assert(line < edit->doc->n_lines && sdp_text_ok(span_str(text)));
    LineEdit *e = &edit->lines[line];
    SdpMedia m;

    g_assert((edit->doc->lines[line].type == 'm') == span_starts(span_str(text), SPAN("m=")));
    g_assert(edit->doc->lines[line].type != 'm' || sdp_media_parse(span_str(text + 2), &m));
    char *copy = g_strdup(text); /* first, @text may be what the line has now */
    g_free(e->text);
    e->text = copy;
    e->deleted = false;
}

void sdp_edit_delete(SdpEdit *edit, unsigned line)
{
    g_assert(line < edit->doc->n_lines && edit->doc->lines[line].type != 'm');
    g_clear_pointer(&edit->lines[line].text, g_free);
    edit->lines[line].deleted = true;
}

void sdp_edit_insert_after(SdpEdit *edit, unsigned line, const char *text)
{
    g_assert(line < edit->doc->n_lines);
    add_text(&edit->lines[line].after, text);
}

void sdp_edit_append(SdpEdit *edit, unsigned section, const char *text)
{
    g_assert(section < edit->doc->n_sections);
    add_text(&edit->sections[section].tail, text);
}

void sdp_edit_set_conn(SdpEdit *edit, unsigned section, const Addr *addr)
{
    g_assert(section < edit->doc->n_sections && addr->family != ADDR_NONE);
    const SdpSection *s = &edit->doc->sections[section];
    char ip[ADDR_TEXT_MAX];
    g_autofree char *text = g_strdup_printf("c=IN IP%d %s", addr->family, addr_ip_text(addr, ip));
    bool placed = false;

    for (unsigned i = s->first; i < s->first + s->n_lines; i++) {
        if (edit->doc->lines[i].type != 'c')
            continue;
        if (placed)
            sdp_edit_delete(edit, i);
        else
            sdp_edit_replace(edit, i, text);
        placed = true;
    }
    if (!placed) {
        g_free(edit->sections[section].conn);
        edit->sections[section].conn = g_steal_pointer(&text);
    }
}

static bool is_named(Span name, const char *const names[])
{
    for (size_t i = 0; names[i]; i++)
        if (span_eq_nocase(name, span_str(names[i])))
            return true;
    return false;
}

/* Drops the attributes @names from a list of new lines. */
static void drop_named(GPtrArray *list, const char *const names[])
{
    for (unsigned i = list ? list->len : 0; i-- > 0;) {
        Span text = span_str(g_ptr_array_index(list, i));
        if (!span_starts(text, SPAN("a=")))
            continue;
        text = span_skip(text, 2);
        if (is_named(span_trim(span_cut(&text, ':')), names))
            g_ptr_array_remove_index(list, i);
    }
}

void sdp_edit_delete_attrs(SdpEdit *edit, unsigned section, const char *const names[])
{
    SdpAttrIter it = sdp_attr_iter(edit->doc, section, NULL);
    const SdpSection *s = &edit->doc->sections[section];
    SdpAttr a;

    while (sdp_attr_next(&it, &a))
        if (is_named(a.name, names))
            sdp_edit_delete(edit, a.line);
    for (unsigned i = s->first; i < s->first + s->n_lines; i++)
        drop_named(edit->lines[i].after, names);
    drop_named(edit->sections[section].tail, names);
}

static char *attr_text(const char *name, const char *value)
{
    return value ? g_strdup_printf("a=%s:%s", name, value) : g_strdup_printf("a=%s", name);
}

void sdp_edit_add_attr(SdpEdit *edit, unsigned section, const char *name, const char *value)
{
    g_autofree char *text = attr_text(name, value);

    sdp_edit_append(edit, section, text);
}

void sdp_edit_set_attr(SdpEdit *edit, unsigned section, const char *name, const char *value)
{
    g_autofree char *text = attr_text(name, value);
    SdpAttr a;

    sdp_edit_delete_attrs(edit, section, (const char *const[]){name, NULL});
    if (sdp_attr_first(edit->doc, section, name, &a))
        sdp_edit_replace(edit, a.line, text);
    else
        sdp_edit_append(edit, section, text);
}

static void end_line(GString *out, const char *eol)
{
    if (out->len && out->str[out->len - 1] != '\n')
        g_string_append(out, out->str[out->len - 1] == '\r' ? "\n" : eol);
}

static void emit_list(GString *out, const GPtrArray *list, const char *eol)
{
    for (unsigned i = 0; list && i < list->len; i++) {
        end_line(out, eol);
        g_string_append(out, g_ptr_array_index(list, i));
        g_string_append(out, eol);
    }
}

static void emit_line(const SdpEdit *edit, unsigned line, GString *out)
{
    const LineEdit *e = &edit->lines[line];
    Span raw = edit->doc->lines[line].raw;

    if (!e->deleted) {
        end_line(out, edit->eol);
        if (e->text) {
            size_t n = raw.len;
            while (n > 0 && (raw.p[n - 1] == '\r' || raw.p[n - 1] == '\n'))
                n--;
            g_string_append(out, e->text);
            raw = span_skip(raw, n);
        }
        g_string_append_len(out, raw.p, (gssize)raw.len);
    }
    emit_list(out, e->after, edit->eol);
}

/* Index of the line before which a new c= line stands (RFC 8866 5: before b=, t= and a=). */
static unsigned conn_place(const SdpDoc *doc, unsigned section)
{
    const SdpSection *s = &doc->sections[section];
    unsigned place = s->first, end = s->first + s->n_lines;

    if (section > 0)
        return place + 1 < end && doc->lines[place + 1].type == 'i' ? place + 2 : place + 1;
    for (unsigned i = s->first; i < end; i++)
        if (doc->lines[i].type && strchr("vosiuep", doc->lines[i].type))
            place = i + 1;
    return place;
}

static unsigned tail_place(const SdpDoc *doc, unsigned section)
{
    const SdpSection *s = &doc->sections[section];
    unsigned place = s->first + s->n_lines;

    while (place > s->first && sdp_line_text(&doc->lines[place - 1]).len == 0)
        place--;
    return place;
}

void sdp_edit_render_section(const SdpEdit *edit, unsigned section, GString *out)
{
    g_assert(section < edit->doc->n_sections);
    const SdpSection *s = &edit->doc->sections[section];
    const SectionEdit *e = &edit->sections[section];
    unsigned conn = conn_place(edit->doc, section), tail = tail_place(edit->doc, section);

    for (unsigned i = s->first; i <= s->first + s->n_lines; i++) {
        if (i == conn && e->conn) {
            end_line(out, edit->eol);
            g_string_append_printf(out, "%s%s", e->conn, edit->eol);
        }
        if (i == tail)
            emit_list(out, e->tail, edit->eol);
        if (i < s->first + s->n_lines)
            emit_line(edit, i, out);
    }
}

char *sdp_edit_render(const SdpEdit *edit)
{
    GString *out = g_string_sized_new(edit->doc->len + 512);

    for (unsigned i = 0; i < edit->doc->n_sections; i++)
        sdp_edit_render_section(edit, i, out);
    return g_string_free(out, FALSE);
}
