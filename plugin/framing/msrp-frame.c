/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "framing/msrp-frame.h"

#define START SPAN("MSRP ")
#define CRLF  2

void msrp_framer_init(MsrpFramer *f)
{
    *f = (MsrpFramer){.state = MSRP_FRAMER_HEAD};
    buf_init(&f->split, E2AE_MSRP_MAX_HEADER);
}

void msrp_framer_clear(MsrpFramer *f)
{
    buf_clear(&f->split);
    g_free(f->error);
    msrp_framer_init(f);
}

const char *msrp_framer_error(const MsrpFramer *f)
{
    return f->error;
}

bool msrp_framer_idle(const MsrpFramer *f)
{
    return f->state == MSRP_FRAMER_HEAD && !f->collecting;
}

Span msrp_framer_held(const MsrpFramer *f)
{
    return msrp_body_held(&f->body);
}

static MsrpStep bad(MsrpFramer *f, const char *what, Span text)
{
    g_autofree char *quoted = span_quote(text);

    f->state = MSRP_FRAMER_BAD;
    f->error =
        g_strdup_printf("MSRP: %s, in line %u of a frame: %s", what, f->scan.lines + 1, quoted);
    return MSRP_STEP_BAD;
}

/* ---- the head, line by line. A line function returns NULL or what is wrong with the line. */

static Span range_span(const char *base, struct MsrpRange r)
{
    return (Span){base + r.at, r.len};
}

static struct MsrpRange range_of(const char *base, Span s)
{
    return (struct MsrpRange){(uint16_t)(s.p - base), (uint16_t)s.len};
}

static bool all_upper(Span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < 'A' || s.p[i] > 'Z')
            return false;
    return s.len > 0;
}

static const char *start_line(MsrpFramer *f, const char *base, Span line)
{
    MsrpHeadScan *scan = &f->scan;
    uint64_t status;

    if (!span_starts(line, START))
        return "no MSRP start line";
    line = span_skip(line, START.len);
    Span tid = span_head(line, span_visible(line, ' '));
    line = span_skip(line, tid.len);
    if (!tid.len || tid.len > E2AE_MSRP_MAX_TID || (line.len && line.p[0] != ' '))
        return "bad transaction id";
    line = span_skip(line, 1);
    if (all_upper(line))
        scan->method = range_of(base, line);
    else if (line.len >= 3 && span_uint(span_head(line, 3), 999, &status) &&
             (line.len == 3 || line.p[3] == ' '))
        scan->status = (unsigned)status;
    else
        return "neither a method nor a status code";
    scan->tid = range_of(base, tid);
    msrp_body_begin(&f->body, tid);
    return NULL;
}

static const char *path_line(const char *base, Span line, Span name, struct MsrpRange *ret_path)
{
    if (!span_starts(line, name) && !span_eq_nocase(span_head(line, name.len), name))
        return "To-Path and From-Path must come first";
    Span value = span_trim(span_skip(line, name.len));
    if (!value.len)
        return "empty path";
    *ret_path = range_of(base, value);
    return NULL;
}

static const char *other_line(Span line)
{
    size_t n = span_visible(line, ':');

    return n > 0 && n < line.len && line.p[n] == ':' ? NULL : "not a header";
}

static const char *scan_line(MsrpFramer *f, const char *base, Span line)
{
    switch (f->scan.lines) {
    case 0:
        return start_line(f, base, line);
    case 1:
        f->scan.paths_at = (uint16_t)(line.p - base);
        return path_line(base, line, SPAN("To-Path:"), &f->scan.to_path);
    case 2:
        f->scan.rest_at = (uint16_t)(line.p - base + line.len + CRLF);
        return path_line(base, line, SPAN("From-Path:"), &f->scan.from_path);
    default:
        return other_line(line);
    }
}

/* May a head start like this? So that a stranger's bytes are not collected in the hope of a line
 * end. */
static bool may_start(Span head)
{
    return memcmp(head.p, "MSRP ", MIN(head.len, START.len)) == 0;
}

typedef enum Scan { SCAN_MORE, SCAN_DONE, SCAN_BAD } Scan;

/* Looks at one complete line, which starts at scan.line_at of @base and is @len bytes long with its
 * LF. */
static Scan scan_complete_line(MsrpFramer *f, const char *base, size_t len)
{
    MsrpHeadScan *scan = &f->scan;
    Span line = {base + scan->line_at, len - 1};
    const char *wrong = NULL;

    if (scan->line_at + len > E2AE_MSRP_MAX_HEADER)
        wrong = "more than " G_STRINGIFY(E2AE_MSRP_MAX_HEADER) " bytes of headers";
    else if (line.len == 0 || line.p[line.len - 1] != '\r')
        wrong = "line without CR";
    else if (scan->lines > 2 && line.len == 1) { /* RFC 4975 9: a body follows */
        f->state = MSRP_FRAMER_BODY;
        scan->line_at += len;
        return SCAN_DONE;
    } else if (scan->lines > 2 && msrp_body_is_end_line(&f->body, (Span){line.p, len})) {
        f->state = MSRP_FRAMER_NO_BODY;
        return SCAN_DONE;
    } else {
        line.len--;
        wrong = scan_line(f, base, line);
    }
    if (wrong) {
        bad(f, wrong, line);
        return SCAN_BAD;
    }
    scan->line_at += len;
    scan->lines++;
    return SCAN_MORE;
}

static struct MsrpRange moved(struct MsrpRange r, int by)
{
    return (struct MsrpRange){(uint16_t)(r.at + by), r.len};
}

static Span path_lines(const MsrpHeadScan *scan, const char *base)
{
    return (Span){base + scan->paths_at, (size_t)scan->rest_at - scan->paths_at};
}

static void remember_paths(MsrpFramer *f, const char *base)
{
    const MsrpHeadScan *scan = &f->scan;
    Span lines = path_lines(scan, base);

    f->paths.len = 0;
    msrp_model_forget(&f->model);
    if (lines.len > sizeof(f->paths.text))
        return;
    memcpy(f->paths.text, lines.p, lines.len);
    f->paths.len = lines.len;
    f->paths.to_path = moved(scan->to_path, -scan->paths_at);
    f->paths.from_path = moved(scan->from_path, -scan->paths_at);
}

static bool starts_with_known_paths(const MsrpFramer *f, Span s)
{
    return f->paths.len && span_starts(s, (Span){f->paths.text, f->paths.len});
}

/* Steps over path lines that are those of the head before. */
static void skip_known_paths(MsrpFramer *f, Span in)
{
    MsrpHeadScan *scan = &f->scan;
    const MsrpPathLines *paths = &f->paths;

    if (!starts_with_known_paths(f, span_skip(in, scan->line_at)) ||
        scan->line_at + paths->len > E2AE_MSRP_MAX_HEADER)
        return;
    scan->paths_at = (uint16_t)scan->line_at;
    scan->to_path = moved(paths->to_path, scan->paths_at);
    scan->from_path = moved(paths->from_path, scan->paths_at);
    scan->line_at += paths->len;
    scan->rest_at = (uint16_t)scan->line_at;
    scan->lines = 3;
    scan->paths_known = true;
}

/* Steps over headers that are nothing special: most of a head. Whatever else is there, an end-line
 * too, is left to scan_complete_line(). */
static void skip_headers(MsrpHeadScan *scan, Span in)
{
    Span rest = span_skip(in, scan->line_at);

    while (rest.len && *rest.p != '-') {
        size_t n = span_visible(rest, ':');
        if (n == 0 || n == rest.len || rest.p[n] != ':')
            break;
        const char *lf = memchr(rest.p + n, '\n', rest.len - n);
        if (!lf || lf[-1] != '\r' || lf - in.p >= E2AE_MSRP_MAX_HEADER)
            break;
        rest = span_skip(rest, (size_t)(lf - rest.p) + 1);
        scan->lines++;
    }
    scan->line_at = in.len - rest.len;
}

static void remember_model(MsrpFramer *f, const MsrpHead *head)
{
    msrp_model_take(&f->model, head->text, head->tid, head->rest);
    f->model_scan = f->scan;
    f->model_scan.paths_known = true;
}

/* Steps over a whole head of which all is known. */
static bool skip_head_like_model(MsrpFramer *f, Span in)
{
    if (!msrp_model_fits(&f->model, in))
        return false;
    f->scan = f->model_scan;
    f->state = MSRP_FRAMER_BODY;
    msrp_body_begin(&f->body, range_span(in.p, f->scan.tid));
    return true;
}

static MsrpStep finish_head(MsrpFramer *f, const char *base, bool like_model, MsrpPiece *ret_piece)
{
    MsrpHeadScan *scan = &f->scan;

    if (!scan->paths_known)
        scan->paths_known = starts_with_known_paths(f, path_lines(scan, base));
    if (!scan->paths_known)
        remember_paths(f, base);
    bool has_body = f->state == MSRP_FRAMER_BODY;
    Span text = {base, scan->line_at};
    size_t rest_len = text.len - scan->rest_at - (has_body ? CRLF : 0);

    if (has_body)
        f->collecting = false; /* else the end-line is still in there */
    ret_piece->text = text;
    ret_piece->head = (MsrpHead){.text = text,
                                 .tid = range_span(base, scan->tid),
                                 .method = range_span(base, scan->method),
                                 .status = scan->status,
                                 .to_path = range_span(base, scan->to_path),
                                 .from_path = range_span(base, scan->from_path),
                                 .paths = path_lines(scan, base),
                                 .paths_known = scan->paths_known,
                                 .rest = {base + scan->rest_at, rest_len},
                                 .has_body = has_body};
    if (has_body && !like_model)
        remember_model(f, &ret_piece->head);
    return MSRP_STEP_HEAD;
}

static MsrpStep take_head(MsrpFramer *f, Span *in, bool like_model, MsrpPiece *ret_piece)
{
    const char *base = in->p;

    *in = span_skip(*in, f->scan.line_at);
    return finish_head(f, base, like_model, ret_piece);
}

/* A head that is whole in the input: no byte is copied. */
static MsrpStep head_in_place(MsrpFramer *f, Span *in, MsrpPiece *ret_piece)
{
    Scan result = SCAN_MORE;

    if (skip_head_like_model(f, *in))
        return take_head(f, in, true, ret_piece);
    f->scan = (MsrpHeadScan){0}; /* an earlier look may have found it incomplete */
    while (result == SCAN_MORE) {
        if (f->scan.lines == 1)
            skip_known_paths(f, *in);
        if (f->scan.lines > 2)
            skip_headers(&f->scan, *in);
        Span rest = span_skip(*in, f->scan.line_at);
        const char *lf = rest.len ? memchr(rest.p, '\n', rest.len) : NULL;
        if (!lf && in->len > E2AE_MSRP_MAX_HEADER)
            return bad(f, "more than " G_STRINGIFY(E2AE_MSRP_MAX_HEADER) " bytes of headers", rest);
        if (!lf)
            return in->len && !may_start(*in) ? bad(f, "no MSRP start line", *in) : MSRP_STEP_MORE;
        result = scan_complete_line(f, in->p, (size_t)(lf - rest.p) + 1);
    }
    if (result == SCAN_BAD)
        return MSRP_STEP_BAD;
    return take_head(f, in, false, ret_piece);
}

/* A head of which the start came in earlier reads. */
static MsrpStep head_from_split(MsrpFramer *f, Span *in, MsrpPiece *ret_piece)
{
    Scan result = SCAN_MORE;

    while (result == SCAN_MORE && in->len) {
        const char *lf = memchr(in->p, '\n', in->len);
        size_t n = lf ? (size_t)(lf - in->p) + 1 : in->len;
        if (!buf_append(&f->split, span_head(*in, n)))
            return bad(f, "more than " G_STRINGIFY(E2AE_MSRP_MAX_HEADER) " bytes of headers", *in);
        *in = span_skip(*in, n);
        Span head = buf_span(&f->split);
        if (!may_start(head))
            return bad(f, "no MSRP start line", head);
        if (lf)
            result = scan_complete_line(f, head.p, head.len - f->scan.line_at);
    }
    if (result != SCAN_DONE)
        return result == SCAN_BAD ? MSRP_STEP_BAD : MSRP_STEP_MORE;
    return finish_head(f, buf_span(&f->split).p, false, ret_piece);
}

/* ---- bodies and ends */

static MsrpStep finish_frame(MsrpFramer *f, Span end_line, MsrpPiece *ret_piece)
{
    ret_piece->text = end_line;
    ret_piece->flag = end_line.p[end_line.len - CRLF - 1];
    f->state = MSRP_FRAMER_HEAD;
    f->scan = (MsrpHeadScan){0};
    return MSRP_STEP_END;
}

static MsrpStep body_step(MsrpFramer *f, Span *in, MsrpPiece *ret_piece)
{
    switch (msrp_body_step(&f->body, in, &ret_piece->text)) {
    case MSRP_BODY_MORE:
        return MSRP_STEP_MORE;
    case MSRP_BODY_PIECE:
        return MSRP_STEP_BODY;
    default:
        return finish_frame(f, ret_piece->text, ret_piece);
    }
}

/* The end-line that the head's last line turned out to be; still in front of us, wherever the head
 * was. */
static MsrpStep end_behind_head(MsrpFramer *f, Span *in, MsrpPiece *ret_piece)
{
    size_t n = msrp_body_end_line_len(&f->body);
    Span text;

    if (f->collecting) {
        text = span_skip(buf_span(&f->split), f->scan.line_at);
        f->collecting = false;
    } else {
        text = span_head(*in, n);
        *in = span_skip(*in, n);
    }
    g_assert(text.len == n);
    return finish_frame(f, text, ret_piece);
}

MsrpStep msrp_framer_step(MsrpFramer *f, Span *in, MsrpPiece *ret_piece)
{
    if (f->state == MSRP_FRAMER_BAD)
        return MSRP_STEP_BAD;
    if (f->state == MSRP_FRAMER_NO_BODY)
        return end_behind_head(f, in, ret_piece);
    if (in->len == 0)
        return MSRP_STEP_MORE;
    if (f->state != MSRP_FRAMER_HEAD)
        return body_step(f, in, ret_piece);
    return f->collecting ? head_from_split(f, in, ret_piece) : head_in_place(f, in, ret_piece);
}

bool msrp_framer_whole(MsrpFramer *f, Span *in, MsrpWhole *ret_frame)
{
    const MsrpHeadScan *scan = &f->model_scan;

    if (f->state != MSRP_FRAMER_HEAD || f->collecting || !msrp_model_fits(&f->model, *in))
        return false;
    msrp_body_begin(&f->body, range_span(in->p, scan->tid));
    size_t len = msrp_body_whole(&f->body, *in, f->model.len);
    if (!len)
        return false;
    Span text = span_head(*in, len);
    ret_frame->before = span_head(text, scan->paths_at);
    ret_frame->behind = span_skip(text, scan->rest_at);
    *in = span_skip(*in, len);
    return true;
}

bool msrp_framer_inside(MsrpFramer *f, Span in)
{
    return f->state == MSRP_FRAMER_BODY && msrp_body_inside(&f->body, in);
}

void msrp_framer_keep(MsrpFramer *f, Span in)
{
    if (f->state == MSRP_FRAMER_BAD)
        return;
    if (!f->collecting && f->split.data)
        buf_clear(&f->split);
    if (in.len == 0)
        return;
    if (f->state == MSRP_FRAMER_HEAD) {
        f->collecting = true;
        g_assert(buf_append(&f->split, in));
    } else {
        msrp_body_keep(&f->body, in);
    }
}

bool msrp_head_find(const MsrpHead *head, Span name, Span *ret_value)
{
    Span rest = head->rest;

    while (rest.len) {
        Span line = span_cut(&rest, '\n');
        if (!span_eq_nocase(span_head(line, name.len), name))
            continue;
        *ret_value = span_trim(span_head(span_skip(line, name.len), line.len - name.len - 1));
        return true;
    }
    return false;
}
