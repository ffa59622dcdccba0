/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-session-matrix.c. */
#include "config.h"

#include "sdp/sdp-edit.h"
#include "sdp/sdp-media-attrs.h"
#include "sdp/sdp-merge.h"
#include "sdp/sdp-rewrite.h"
#include "session/session-plan-private.h"
#include "session/session-section.h"

/* Does this body carry a line that we changed for security's sake? Then its session part must be
 * cleaned, too. */
static bool touches(const SessionPlan *plan)
{
    for (unsigned i = 0; i < plan->lines->len; i++) {
        SessionLineKind kind = session_plan_line(plan, i)->kind;
        if (kind != SESSION_LINE_KEEP && kind != SESSION_LINE_UPSTREAM)
            return true;
    }
    return false;
}

static void edit_lines(const SessionPlan *plan, SdpEdit *edit, bool alone)
{
    for (unsigned i = 0; i < plan->lines->len; i++) {
        const SessionSlot *slot = session_slot(plan->dialog, i);
        switch (session_plan_line(plan, i)->kind) {
        case SESSION_LINE_STREAM:
            session_section_stream(edit, i + 1, plan, slot);
            break;
        case SESSION_LINE_ZERO:
            session_section_zero(edit, i, plan, slot);
            break;
        case SESSION_LINE_KEEP:
            session_section_keep(edit, i, alone);
            break;
        case SESSION_LINE_UPSTREAM:
        case SESSION_LINE_GATEWAY:
            break;
        }
    }
}

/* What rtpengine made T.38 of is plain UDPTL, and the UE gets it over DTLS. */
static void protect_theirs(const SessionPlan *plan, SdpEdit *theirs)
{
    for (unsigned i = 0; plan->from == SESSION_CORE && i < plan->lines->len; i++) {
        const SessionLine *line = session_plan_line(plan, i);
        unsigned section = line->upstream + 1;
        if (line->kind == SESSION_LINE_GATEWAY && section < sdp_edit_doc(theirs)->n_sections)
            session_section_stream(theirs, section, plan, session_slot(plan->dialog, i));
    }
}

/* rtpengine may leave to the session part what a DTLS line needs that it passes on as it is. */
static void inherit_theirs(const SessionPlan *plan, SdpEdit *theirs)
{
    for (unsigned i = 0; i < plan->lines->len; i++) {
        const SessionLine *line = session_plan_line(plan, i);
        unsigned section = line->upstream + 1;
        if (line->kind == SESSION_LINE_UPSTREAM && section < sdp_edit_doc(theirs)->n_sections)
            session_section_inherit(theirs, section);
    }
}

/* A protected line has a transport of its own and cannot be bundled (BFC-08). */
static void unbundle(const SessionPlan *plan, SdpEdit *session_part)
{
    g_autoptr(GArray) mids = g_array_new(FALSE, FALSE, sizeof(Span));

    for (unsigned i = 0; i < plan->lines->len; i++) {
        Span mid;
        if (session_plan_line(plan, i)->kind == SESSION_LINE_STREAM &&
            sdp_mid(plan->doc, i + 1, &mid))
            g_array_append_val(mids, mid);
    }
    sdp_edit_drop_mids(session_part, (const Span *)mids->data, mids->len);
}

/* Without rtpengine nobody else hides the sender's address in the session part. */
static void hide_session_address(const SessionPlan *plan, SdpEdit *edit)
{
    SessionSide to = session_other(plan->from);
    unsigned line;

    for (unsigned i = 0; i < plan->lines->len; i++) {
        if (session_plan_line(plan, i)->kind != SESSION_LINE_STREAM)
            continue;
        const SessionLeg *leg = &session_slot_current(session_slot(plan->dialog, i))->leg[to];
        if (sdp_doc_find(plan->doc, 0, 'c', &line))
            sdp_edit_set_conn(edit, 0, &leg->advertised);
        if (plan->replace_origin)
            sdp_edit_set_origin(edit, &leg->advertised);
        return;
    }
}

static bool pick_sections(const SessionPlan *plan, const SdpEdit *own, const SdpEdit *theirs,
                          GArray *picks, GError **error)
{
    for (unsigned i = 0; i < plan->lines->len; i++) {
        const SessionLine *line = session_plan_line(plan, i);
        SdpPick pick = {own, i + 1};
        if (line->kind == SESSION_LINE_UPSTREAM || line->kind == SESSION_LINE_GATEWAY) {
            if (!theirs) {
                g_set_error(error, SESSION_ERROR, SESSION_ERROR_UPSTREAM,
                            "rtpengine's reply has no SDP for m-line %u", i + 1);
                return false;
            }
            pick = (SdpPick){theirs, line->upstream + 1};
        }
        g_array_append_val(picks, pick);
    }
    return true;
}

char *session_plan_render(const SessionPlan *plan, Span upstream, GError **error)
{
    g_autoptr(SdpEdit) own = sdp_edit_new(plan->doc);
    g_autoptr(SdpDoc) doc = NULL;
    g_autoptr(SdpEdit) theirs = NULL;
    g_autoptr(GArray) picks = g_array_new(FALSE, FALSE, sizeof(SdpPick));
    bool cleaned = touches(plan);

    if (plan->upstream_sdp && upstream.len) {
        doc = sdp_doc_parse(upstream, error);
        if (!doc)
            return NULL;
        theirs = sdp_edit_new(doc);
    }
    SdpEdit *session_part = theirs ? theirs : own;
    edit_lines(plan, own, theirs || cleaned);
    if (cleaned && theirs)
        inherit_theirs(plan, theirs);
    if (theirs)
        protect_theirs(plan, theirs);
    session_section_clean_session(session_part, cleaned);
    if (cleaned && !theirs)
        hide_session_address(plan, own);
    unbundle(plan, session_part);
    if (!pick_sections(plan, own, theirs, picks, error))
        return NULL;
    return sdp_merge(session_part, (SdpPick *)picks->data, picks->len, error);
}
