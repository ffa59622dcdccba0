/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "framing/msrp-relay.h"

#include "framing/msrp-build.h"
#include "framing/msrp-frame.h"

#define SESSION_DOES_NOT_EXIST 481
#define SESSION_IN_USE         506

struct MsrpRelay {
    MsrpFramer framer;
    MsrpMap *map;
    /* What came of the path lines of the head before; that of the next one is mostly the same. */
    bool judged;
    MsrpMapResult to_result, from_result;
    GString *lines;  /* rewritten */
    bool forwarding; /* the current frame goes to the other leg */
    char *reply;     /* to the current frame, sent when it has ended */
    Buf inserts;     /* frames of ours that wait for the end of the current one */
    char own_tid[MSRP_IDENT_MAX];
    unsigned own_status;
    MsrpRelayCounts counts;
    char *error; /* of ours; else the framer's */
};

/* One call of feed: slices wait here so that the other leg gets them in one write. */
typedef struct Out {
    const MsrpSink *sink;
    bool stopped;
    unsigned n;
    Span slices[MSRP_SLICES_MAX];
} Out;

MsrpRelay *msrp_relay_new(const MsrpMapSpec *spec)
{
    g_autoptr(MsrpMap) map = msrp_map_new(spec);

    if (!map)
        return NULL;
    MsrpRelay *r = g_new0(MsrpRelay, 1);
    msrp_framer_init(&r->framer);
    buf_init(&r->inserts, MSRP_INSERT_MAX);
    r->map = g_steal_pointer(&map);
    r->lines = g_string_new(NULL);
    return r;
}

void msrp_relay_free(MsrpRelay *r)
{
    if (!r)
        return;
    msrp_framer_clear(&r->framer);
    buf_clear(&r->inserts);
    msrp_map_free(r->map);
    g_string_free(r->lines, TRUE);
    g_free(r->reply);
    g_free(r->error);
    g_free(r);
}

bool msrp_relay_set_map(MsrpRelay *r, const MsrpMapSpec *spec)
{
    MsrpMap *map = msrp_map_new(spec);

    if (!map)
        return false;
    msrp_map_free(r->map);
    r->map = map;
    r->judged = false;
    return true;
}

void msrp_relay_expect(MsrpRelay *r, Span tid)
{
    g_assert(tid.len < sizeof(r->own_tid));
    memcpy(r->own_tid, tid.p, tid.len);
    r->own_tid[tid.len] = 0;
    r->own_status = 0;
}

unsigned msrp_relay_own_status(const MsrpRelay *r)
{
    return r->own_status;
}

const char *msrp_relay_error(const MsrpRelay *r)
{
    return r->error ? r->error : msrp_framer_error(&r->framer);
}

MsrpRelayCounts msrp_relay_counts(const MsrpRelay *r)
{
    return r->counts;
}

/* ---- output */

static void flush(Out *out)
{
    if (out->n && !out->stopped)
        out->stopped = !out->sink->forward_cb(out->sink->arg, out->slices, out->n);
    out->n = 0;
}

/* What lies next to the slice before becomes part of it: an unchanged stretch is one slice. */
static inline void add(Out *out, Span s)
{
    Span *last = out->n ? &out->slices[out->n - 1] : NULL;

    if (s.len == 0)
        return;
    if (last && last->p + last->len == s.p) {
        last->len += s.len;
        return;
    }
    if (out->n == MSRP_SLICES_MAX)
        flush(out);
    out->slices[out->n++] = s;
}

/* ---- what to do with a frame */

static bool is_own_response(const MsrpRelay *r, const MsrpHead *head)
{
    return r->own_tid[0] && !head->method.len && span_eq(head->tid, span_str(r->own_tid));
}

/* RFC 4975 7.2: no response to a response, to a REPORT, and where Failure-Report says so (TRK-02).
 */
static bool wants_response(const MsrpHead *head)
{
    Span wish;

    if (!head->method.len || span_eq(head->method, SPAN("REPORT")))
        return false;
    return !msrp_head_find(head, SPAN("Failure-Report:"), &wish) ||
           !span_eq_nocase(wish, SPAN("no"));
}

static void refuse(MsrpRelay *r, const MsrpHead *head, unsigned status, const char *comment)
{
    if (!wants_response(head)) {
        r->counts.dropped++;
        return;
    }
    r->counts.refused++;
    r->reply = msrp_build_response(head->tid, status, comment, head->to_path, head->from_path);
}

static bool bad_path(MsrpRelay *r, const char *which, Span path)
{
    g_autofree char *quoted = span_quote(path);

    r->error = g_strdup_printf("MSRP: %s is not a path of MSRP URIs: %s", which, quoted);
    return false;
}

static Span between(const char *from, const char *to)
{
    return (Span){from, (size_t)(to - from)};
}

static void append(GString *out, Span s)
{
    g_string_append_len(out, s.p, (gssize)s.len);
}

static const char *append_path(GString *out, const char *from, Span path, const MsrpEdits *edits)
{
    for (unsigned i = 0; i < edits->n; i++) {
        const MsrpEdit *e = &edits->edit[i];
        append(out, between(from, path.p + e->at));
        append(out, e->put);
        from = path.p + e->at + e->cut;
    }
    return from;
}

static void judge_paths(MsrpRelay *r, const MsrpHead *head)
{
    const MsrpEdits *to, *from;

    r->judged = true;
    r->to_result = msrp_map_path(r->map, MSRP_TO_PATH, head->to_path, &to);
    r->from_result = msrp_map_path(r->map, MSRP_FROM_PATH, head->from_path, &from);
    if (r->to_result != MSRP_MAP_OK || r->from_result != MSRP_MAP_OK)
        return;
    g_string_truncate(r->lines, 0);
    const char *p = append_path(r->lines, head->paths.p, head->to_path, to);
    p = append_path(r->lines, p, head->from_path, from);
    append(r->lines, between(p, head->paths.p + head->paths.len));
}

static void add_head(const MsrpRelay *r, const MsrpHead *head, Out *out)
{
    const char *behind = head->paths.p + head->paths.len;

    add(out, between(head->text.p, head->paths.p));
    add(out, (Span){r->lines->str, r->lines->len});
    add(out, between(behind, head->text.p + head->text.len));
}

/* Decides about a frame and forwards its head. False when it is malformed. */
static bool take_head(MsrpRelay *r, const MsrpHead *head, Out *out)
{
    if (!r->judged || !head->paths_known) {
        flush(out); /* it may still point to the lines before */
        judge_paths(r, head);
    }
    if (r->to_result == MSRP_MAP_BAD)
        return bad_path(r, "To-Path", head->to_path);
    if (r->from_result == MSRP_MAP_BAD)
        return bad_path(r, "From-Path", head->from_path);
    if (is_own_response(r, head)) {
        r->own_status = head->status;
        r->own_tid[0] = 0;
    } else if (r->to_result == MSRP_MAP_UNKNOWN || r->from_result == MSRP_MAP_UNKNOWN) {
        refuse(r, head, SESSION_DOES_NOT_EXIST, "Session does not exist");
    } else if (msrp_map_bound_elsewhere(r->map)) {
        refuse(r, head, SESSION_IN_USE, "Session already in use");
    } else {
        r->forwarding = true;
        r->counts.forwarded++;
        add_head(r, head, out);
    }
    return true;
}

static void take_end(MsrpRelay *r, Out *out)
{
    r->forwarding = false;
    if (buf_len(&r->inserts)) {
        add(out, buf_span(&r->inserts));
        flush(out);
        buf_clear(&r->inserts);
    }
    if (!r->reply)
        return;
    g_autofree char *reply = g_steal_pointer(&r->reply);
    if (!out->stopped)
        out->stopped = !out->sink->reply_cb(out->sink->arg, span_str(reply));
}

/* Was the frame before forwarded as one like it would be, with nothing else to do? */
static bool may_pass(const MsrpRelay *r)
{
    return r->judged && r->to_result == MSRP_MAP_OK && r->from_result == MSRP_MAP_OK &&
           !msrp_map_bound_elsewhere(r->map) && !r->own_tid[0] && !buf_len(&r->inserts);
}

/* Forwards frames like the one before as long as they are whole. */
static void pass_whole_frames(MsrpRelay *r, Span *in, Out *out)
{
    const Span lines = {r->lines->str, r->lines->len};
    MsrpWhole frame;

    while (!out->stopped && msrp_framer_whole(&r->framer, in, &frame)) {
        r->counts.forwarded++;
        add(out, frame.before);
        add(out, lines);
        add(out, frame.behind);
    }
}

MsrpRelayResult msrp_relay_feed(MsrpRelay *r, Span in, const MsrpSink *sink)
{
    Out out;
    MsrpPiece piece;
    MsrpStep step;
    bool sound = true;

    if (r->error)
        return MSRP_RELAY_MALFORMED;
    if (r->forwarding && msrp_framer_inside(&r->framer, in))
        return sink->forward_cb(sink->arg, &in, 1) ? MSRP_RELAY_OK : MSRP_RELAY_STOPPED;
    out.sink = sink; /* the array stays as it is: clearing it would cost more than a frame */
    out.stopped = false;
    out.n = 0;
    do {
        if (may_pass(r))
            pass_whole_frames(r, &in, &out);
        if (out.stopped)
            break;
        step = msrp_framer_step(&r->framer, &in, &piece);
        if (step == MSRP_STEP_HEAD)
            sound = take_head(r, &piece.head, &out);
        else if (step == MSRP_STEP_BAD)
            sound = false;
        else if (r->forwarding && step != MSRP_STEP_MORE)
            add(&out, piece.text);
        if (step == MSRP_STEP_END)
            take_end(r, &out);
    } while (sound && step != MSRP_STEP_MORE);
    flush(&out); /* before keep(), which moves what slices may point to */
    if (out.stopped)
        return MSRP_RELAY_STOPPED;
    if (!sound)
        return MSRP_RELAY_MALFORMED;
    msrp_framer_keep(&r->framer, in);
    return MSRP_RELAY_OK;
}

MsrpRelayResult msrp_relay_finish(MsrpRelay *r, const MsrpSink *sink)
{
    Span held = msrp_framer_held(&r->framer);

    if (held.len && r->forwarding && !sink->forward_cb(sink->arg, &held, 1))
        return MSRP_RELAY_STOPPED;
    return MSRP_RELAY_OK;
}

bool msrp_relay_insert(MsrpRelay *r, Span frame, const MsrpSink *sink)
{
    if (r->forwarding)
        return buf_append(&r->inserts, frame);
    return sink->forward_cb(sink->arg, &frame, 1);
}
