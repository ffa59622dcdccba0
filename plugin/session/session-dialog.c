/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-session-forks.c. */
#include "config.h"

#include "session/session-dialog.h"

static bool is(const char *tag, Span s)
{
    return tag && s.len && span_eq(span_str(tag), s);
}

static void set_tag(SessionDialog *d, SessionSide side, Span tag)
{
    if (!tag.len || is(d->tag[side], tag))
        return;
    g_free(d->tag[side]);
    d->tag[side] = span_dup(tag);
}

/* Which side of @d carries @tag. */
static bool side_of(const SessionDialog *d, Span tag, SessionSide *ret_side)
{
    for (int side = 0; side < 2; side++) {
        if (!is(d->tag[side], tag))
            continue;
        *ret_side = (SessionSide)side;
        return true;
    }
    return false;
}

static bool same_branch(const SessionDialog *d, Span via_branch)
{
    return via_branch.len ? is(d->via_branch, via_branch) : !d->via_branch;
}

/* Both tags are those of the dialog. */
static SessionDialog *by_tags(const Session *s, Span tag, Span other, SessionSide *ret_side)
{
    for (unsigned i = 0; i < s->dialogs->len; i++) {
        SessionDialog *d = s->dialogs->pdata[i];
        SessionSide side;
        if (side_of(d, tag, &side) && is(d->tag[session_other(side)], other)) {
            *ret_side = side;
            return d;
        }
    }
    return NULL;
}

/* @tag is one side's and the other side has not named itself yet. The branch decides among several.
 */
static SessionDialog *by_half(const Session *s, Span tag, Span via_branch, SessionSide *ret_side)
{
    SessionDialog *found = NULL;

    for (unsigned i = 0; i < s->dialogs->len; i++) {
        SessionDialog *d = s->dialogs->pdata[i];
        SessionSide side;
        if (!side_of(d, tag, &side) || d->tag[session_other(side)])
            continue;
        if (found && !same_branch(d, via_branch))
            continue;
        found = d;
        *ret_side = side;
        if (same_branch(d, via_branch))
            break;
    }
    return found;
}

static SessionDialog *by_branch(const Session *s, Span tag, Span via_branch, SessionSide *ret_side)
{
    for (unsigned i = 0; i < s->dialogs->len; i++) {
        SessionDialog *d = s->dialogs->pdata[i];
        if (same_branch(d, via_branch) && side_of(d, tag, ret_side))
            return d;
    }
    return NULL;
}

/* Any dialog of the call tells which side a tag is on; else the request has to. */
static bool offerer_side(const Session *s, const NgRequest *req, SessionSide *ret_side)
{
    for (unsigned i = 0; i < s->dialogs->len; i++) {
        const SessionDialog *d = s->dialogs->pdata[i];
        if (side_of(d, req->from_tag, ret_side))
            return true;
        if (side_of(d, req->to_tag, ret_side)) {
            *ret_side = session_other(*ret_side);
            return true;
        }
    }
    if (req->e2ae.mode == E2AE_ORIGINATING)
        *ret_side = SESSION_ACCESS;
    else if (req->e2ae.mode == E2AE_TERMINATING)
        *ret_side = SESSION_CORE;
    else
        return false;
    return true;
}

/* A fork starts with the index map of its sibling: rtpengine numbers the offerer's lines once for
 * all branches. */
static void inherit_map(SessionDialog *d, const Session *s, Span from_tag)
{
    SessionSide side;

    for (unsigned i = 0; i < s->dialogs->len; i++) {
        const SessionDialog *sibling = s->dialogs->pdata[i];
        if (!side_of(sibling, from_tag, &side) || !sibling->upstream_count)
            continue;
        d->upstream_count = sibling->upstream_count;
        for (unsigned k = 0; k < sibling->slots->len; k++) {
            SessionSlot *slot = session_slot_new();
            const SessionSlot *known = session_slot(sibling, k);
            slot->treatment = SESSION_PASS; /* until it is offered here, too */
            slot->upstream_index = known->upstream_index;
            slot->upstream_text[side] = g_strdup(known->upstream_text[side]);
            g_ptr_array_add(d->slots, slot);
        }
        return;
    }
}

SessionDialog *session_dialog_for_offer(Session *s, const NgRequest *req, GError **error)
{
    SessionSide side;
    SessionDialog *d = NULL;

    if (req->to_tag.len)
        d = by_tags(s, req->from_tag, req->to_tag, &side);
    if (!d && req->to_tag.len) {
        d = by_half(s, req->to_tag, req->via_branch, &side);
        side = d ? session_other(side) : side;
    }
    if (!d && req->to_tag.len)
        d = by_half(s, req->from_tag, req->via_branch, &side);
    if (!d && !req->to_tag.len)
        d = by_branch(s, req->from_tag, req->via_branch, &side);
    if (!d) {
        if (!offerer_side(s, req, &side)) {
            g_set_error(error, SESSION_ERROR, SESSION_ERROR_DIALOG,
                        "the tags fit no dialog of this call: the first offer of a dialog needs "
                        "e2ae=originating or e2ae=terminating");
            return NULL;
        }
        g_autofree char *branch = req->via_branch.len ? span_dup(req->via_branch) : NULL;
        d = session_dialog_new(branch);
        inherit_map(d, s, req->from_tag);
        g_ptr_array_add(s->dialogs, d);
    }
    set_tag(d, side, req->from_tag);
    set_tag(d, session_other(side), req->to_tag);
    d->offerer = side;
    return d;
}

SessionDialog *session_dialog_for_answer(Session *s, const NgRequest *req, GError **error)
{
    SessionSide side;
    SessionDialog *d = by_tags(s, req->from_tag, req->to_tag, &side);

    if (!d && req->via_branch.len)
        d = by_branch(s, req->from_tag, req->via_branch, &side);
    if (!d)
        d = by_half(s, req->from_tag, req->via_branch, &side);
    if (!d) /* no branches and a second callee: the last answer wins (TRK-07) */
        d = by_branch(s, req->from_tag, (Span){0}, &side);
    if (!d) {
        g_set_error(error, SESSION_ERROR, SESSION_ERROR_DIALOG, "no offer waits for this answer");
        return NULL;
    }
    /* Some proxies name the answerer first; who offered is known here. */
    bool swapped = is(d->tag[session_other(d->offerer)], req->from_tag);
    set_tag(d, session_other(d->offerer), swapped ? req->from_tag : req->to_tag);
    return d;
}
