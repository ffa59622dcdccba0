/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which dialogs a delete ends: rtpengine's rules in its order, so that both parts of a call end
 * together. */
#include "config.h"

#include "session/session-dialog.h"

typedef bool (*SelectFn)(const SessionDialog *d, const NgRequest *req);

static bool is(const char *text, Span s)
{
    return text && s.len && span_eq(span_str(text), s);
}

static bool has_tag(const SessionDialog *d, Span tag)
{
    return is(d->tag[SESSION_ACCESS], tag) || is(d->tag[SESSION_CORE], tag);
}

static bool everything(const SessionDialog *d, const NgRequest *req)
{
    (void)d, (void)req;
    return true;
}

static bool by_branch(const SessionDialog *d, const NgRequest *req)
{
    return is(d->via_branch, req->via_branch);
}

/* Everybody who talks with the party of that tag loses his partner. */
static bool by_to_tag(const SessionDialog *d, const NgRequest *req)
{
    return has_tag(d, req->to_tag);
}

static bool by_from_tag(const SessionDialog *d, const NgRequest *req)
{
    return has_tag(d, req->from_tag);
}

static bool any(const Session *s, const NgRequest *req, SelectFn selected)
{
    for (unsigned i = 0; i < s->dialogs->len; i++)
        if (selected(s->dialogs->pdata[i], req))
            return true;
    return false;
}

/* The caller gives up with a to-tag that was never answered with: his first callee has no name. */
static bool unnamed(const Session *s, const NgRequest *req)
{
    for (unsigned i = 0; i < s->dialogs->len; i++) {
        const SessionDialog *d = s->dialogs->pdata[i];
        if (by_from_tag(d, req))
            return !d->tag[SESSION_ACCESS] || !d->tag[SESSION_CORE];
    }
    return false;
}

static SelectFn select_by(const Session *s, const NgRequest *req)
{
    SelectFn by_tag = req->to_tag.len ? by_to_tag : by_from_tag;

    if (!req->from_tag.len)
        return everything;
    if (!req->to_tag.len && any(s, req, by_branch))
        return by_branch;
    if (any(s, req, by_tag))
        return by_tag;
    if (any(s, req, by_branch))
        return by_branch;
    return req->to_tag.len && unnamed(s, req) ? by_from_tag : NULL;
}

Session *session_delete(const Session *old, const NgRequest *req, bool *ret_matched)
{
    g_autoptr(Session) next = session_copy(old);
    SelectFn selected = select_by(old, req);

    *ret_matched = selected != NULL;
    for (unsigned i = next->dialogs->len; selected && i-- > 0;)
        if (selected(next->dialogs->pdata[i], req))
            g_ptr_array_remove_index(next->dialogs, i);
    return next->dialogs->len ? g_steal_pointer(&next) : NULL;
}
