/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "sdp/sdp-doc.h"

G_DEFINE_QUARK(sdp - error - quark, sdp_error)

/* Takes the next line, with its line end, off *@rest, which is not empty. */
static Span take_raw(Span *rest)
{
    const char *lf = memchr(rest->p, '\n', rest->len);
    Span raw = span_head(*rest, lf ? (size_t)(lf - rest->p) + 1 : rest->len);

    *rest = span_skip(*rest, raw.len);
    return raw;
}

static bool ends_in(Span s, char a, char b)
{
    return s.len && (s.p[s.len - 1] == a || s.p[s.len - 1] == b);
}

/* Also drops a second CR, which stands there when a body was converted to CRLF twice. */
static Span without_end(Span s)
{
    while (ends_in(s, '\r', '\n') || ends_in(s, ' ', '\t'))
        s.len--;
    return s;
}

static SdpLine line_from_raw(Span raw)
{
    SdpLine line = {.raw = raw};
    Span text = without_end(raw);

    if (text.len >= 2 && text.p[1] == '=' && g_ascii_isalpha(text.p[0])) {
        line.type = text.p[0];
        line.value = span_skip(text, 2);
    }
    return line;
}

static bool check_line(Span raw, unsigned number, GError **error)
{
    Span text = without_end(raw);

    if (!memchr(raw.p, 0, raw.len) && !(text.len && memchr(text.p, '\r', text.len)))
        return true;
    g_autofree char *quoted = span_quote(text);
    g_set_error(error, SDP_ERROR, SDP_ERROR_SYNTAX, "SDP line %u holds a NUL or a bare CR: %s",
                number, quoted);
    return false;
}

static bool parse_port(Span word, SdpMedia *m)
{
    uint64_t port, nports = 1;
    bool several = memchr(word.p, '/', word.len) != NULL;
    Span first = span_cut(&word, '/');

    if (!span_uint(first, 65535, &port))
        return false;
    if (several && (!span_uint(word, 65535, &nports) || nports == 0))
        return false;
    m->port = (uint16_t)port;
    m->nports = (unsigned)nports;
    return true;
}

bool sdp_media_parse(Span value, SdpMedia *ret_media)
{
    SdpMedia m = {0};

    m.media = span_word(&value);
    Span port = span_word(&value);
    if (!port.len || !parse_port(port, &m))
        return false;
    m.proto = span_word(&value);
    m.fmt = span_trim(value);
    m.ok = m.fmt.len > 0;
    *ret_media = m;
    return true;
}

static bool start_section(SdpDoc *doc, unsigned index, GError **error)
{
    SdpSection section = {.first = index};
    const SdpLine *line = &doc->lines[index];

    if (doc->n_sections > SDP_MAX_SECTIONS) {
        g_set_error(error, SDP_ERROR, SDP_ERROR_TOO_BIG, "SDP line %u: more than %d m= lines",
                    index + 1, SDP_MAX_SECTIONS);
        return false;
    }
    if (!sdp_media_parse(line->value, &section.media)) {
        g_autofree char *quoted = span_quote(without_end(line->raw));
        g_set_error(error, SDP_ERROR, SDP_ERROR_SYNTAX, "SDP line %u has no valid port: %s",
                    index + 1, quoted);
        return false;
    }
    doc->sections[doc->n_sections++] = section;
    return true;
}

static unsigned count_lines(Span body)
{
    unsigned n = 0;

    while (body.len) {
        take_raw(&body);
        n++;
    }
    return n;
}

static bool parse_lines(SdpDoc *doc, GError **error)
{
    Span rest = {doc->text, doc->len};

    for (unsigned i = 0; i < doc->n_lines; i++) {
        Span raw = take_raw(&rest);
        if (!check_line(raw, i + 1, error))
            return false;
        doc->lines[i] = line_from_raw(raw);
        if (doc->lines[i].type == 'm' && !start_section(doc, i, error))
            return false;
        doc->sections[doc->n_sections - 1].n_lines++;
    }
    return true;
}

SdpDoc *sdp_doc_parse(Span body, GError **error)
{
    if (body.len == 0) {
        g_set_error(error, SDP_ERROR, SDP_ERROR_SYNTAX, "SDP body is empty");
        return NULL;
    }
    if (body.len > SDP_MAX_BYTES) {
        g_set_error(error, SDP_ERROR, SDP_ERROR_TOO_BIG, "SDP body of %zu bytes, more than %d",
                    body.len, SDP_MAX_BYTES);
        return NULL;
    }
    unsigned n_lines = count_lines(body);
    if (n_lines > SDP_MAX_LINES) {
        g_set_error(error, SDP_ERROR, SDP_ERROR_TOO_BIG, "SDP body of %u lines, more than %d",
                    n_lines, SDP_MAX_LINES);
        return NULL;
    }

    g_autoptr(SdpDoc) doc = g_new0(SdpDoc, 1);
    doc->text = span_dup(body);
    doc->len = body.len;
    doc->n_lines = n_lines;
    doc->lines = g_new0(SdpLine, n_lines);
    doc->sections = g_new0(SdpSection, SDP_MAX_SECTIONS + 1);
    doc->n_sections = 1;
    return parse_lines(doc, error) ? g_steal_pointer(&doc) : NULL;
}

void sdp_doc_free(SdpDoc *doc)
{
    if (!doc)
        return;
    g_free(doc->text);
    g_free(doc->lines);
    g_free(doc->sections);
    g_free(doc);
}

const char *sdp_doc_eol(const SdpDoc *doc)
{
    Span raw = doc->lines[0].raw;

    if (raw.p[raw.len - 1] != '\n')
        return "\r\n";
    return raw.len >= 2 && raw.p[raw.len - 2] == '\r' ? "\r\n" : "\n";
}

Span sdp_line_text(const SdpLine *line)
{
    return without_end(line->raw);
}

bool sdp_doc_find(const SdpDoc *doc, unsigned section, char type, unsigned *ret_line)
{
    g_assert(section < doc->n_sections);
    const SdpSection *s = &doc->sections[section];

    for (unsigned i = s->first; i < s->first + s->n_lines; i++)
        if (doc->lines[i].type == type) {
            *ret_line = i;
            return true;
        }
    return false;
}
