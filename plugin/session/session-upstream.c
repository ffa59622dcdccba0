/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-session-fax.c. */
/*
 * What rtpengine gets to see: a body with its own m-lines only, in its own numbering, which never
 * changes for a line that it has seen. A slot that it had and that is now ours (fax in the place of
 * audio) is shown to it as its last section, inactive, so that its ports stay for the way back
 * (TRK-19).
 */
#include "config.h"

#include "sdp/sdp-edit.h"
#include "sdp/sdp-merge.h"
#include "sdp/sdp-rewrite.h"
#include "session/session-plan-private.h"
#include "session/session-section.h"

void session_upstream_assign(SessionDialog *d, SessionSlot *slot)
{
    if (slot->upstream_index < 0)
        slot->upstream_index = (int)d->upstream_count++;
}

/* The m-line index of rtpengine's line @k; -1 when the dialog has lost it. */
static int slot_of(const SessionDialog *d, unsigned k)
{
    for (unsigned i = 0; i < d->slots->len; i++)
        if (session_slot(d, i)->upstream_index == (int)k)
            return (int)i;
    return -1;
}

/* As it would have to stand under the session part of a later body. */
static void remember(SessionPlan *plan, unsigned index)
{
    SessionSlot *slot = session_slot(plan->dialog, index);
    g_autoptr(SdpEdit) edit = sdp_edit_new(plan->doc);
    g_autoptr(GString) text = g_string_new(NULL);

    session_section_alone(edit, index + 1);
    sdp_edit_render_section(edit, index + 1, text);
    g_free(slot->upstream_text[plan->from]);
    slot->upstream_text[plan->from] = g_string_free(g_steal_pointer(&text), FALSE);
}

/*
 * The last section of @side, as an inactive one; that of the other side without a port when @side
 * never sent one through rtpengine. NULL when neither did.
 */
static char *placeholder(const SessionSlot *slot, SessionSide side)
{
    static const char *const directions[] = {"sendrecv", "sendonly", "recvonly", "inactive", NULL};
    const char *own = slot->upstream_text[side];
    const char *text = own ? own : slot->upstream_text[session_other(side)];

    if (!text)
        return NULL;
    g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(text), NULL);
    if (!doc || doc->n_sections != 2)
        return NULL;
    g_autoptr(SdpEdit) edit = sdp_edit_new(doc);
    if (!own)
        sdp_edit_set_port(edit, 1, 0);
    sdp_edit_delete_attrs(edit, 1, directions);
    sdp_edit_add_attr(edit, 1, "inactive", NULL);
    return sdp_edit_render(edit);
}

/* One document per section, because placeholders come from elsewhere. */
typedef struct UpstreamBody {
    GPtrArray *docs;
    GPtrArray *edits;
    GArray *picks;
    bool alive; /* a line with a port */
} UpstreamBody;

static void body_init(UpstreamBody *b)
{
    b->docs = g_ptr_array_new_with_free_func((GDestroyNotify)sdp_doc_free);
    b->edits = g_ptr_array_new_with_free_func((GDestroyNotify)sdp_edit_free);
    b->picks = g_array_new(FALSE, FALSE, sizeof(SdpPick));
    b->alive = false;
}

static void body_clear(UpstreamBody *b)
{
    g_array_unref(b->picks);
    g_ptr_array_unref(b->edits);
    g_ptr_array_unref(b->docs);
}

/*
 * Makes the section what rtpengine has to see of it: as it is, or, before its fax gateway, the
 * plain side of our stream. False when the body has nothing for it.
 */
static bool show(SessionPlan *plan, SdpEdit *edit, unsigned index)
{
    const SessionSlot *slot = session_slot(plan->dialog, index);

    if (index >= plan->lines->len)
        return false;
    switch (session_plan_line(plan, index)->kind) {
    case SESSION_LINE_UPSTREAM:
        remember(plan, index);
        return true;
    case SESSION_LINE_GATEWAY:
        if (plan->from == SESSION_ACCESS)
            session_section_stream(edit, index + 1, plan, slot);
        return true;
    case SESSION_LINE_ZERO:
        if (slot->gateway)
            sdp_edit_set_port(edit, index + 1, 0);
        return slot->gateway;
    default:
        return false;
    }
}

static void add_placeholder(UpstreamBody *b, const SessionSlot *slot, SessionSide side)
{
    g_autofree char *text = placeholder(slot, side);
    SdpDoc *doc = text ? sdp_doc_parse(span_str(text), NULL) : NULL;

    if (!doc)
        return;
    SdpPick pick = {sdp_edit_new(doc), 1};
    g_ptr_array_add(b->docs, doc);
    g_ptr_array_add(b->edits, (gpointer)pick.from);
    g_array_append_val(b->picks, pick);
    b->alive |= doc->sections[1].media.port != 0;
}

/*
 * Collects rtpengine's lines in its order; stops at the first one that cannot be shown, for a body
 * with a hole would shift the numbers of all behind it.
 */
static void collect(SessionPlan *plan, SdpEdit *edit, UpstreamBody *b)
{
    SessionDialog *d = plan->dialog;

    for (unsigned k = 0; k < d->upstream_count; k++) {
        int index = slot_of(d, k);
        unsigned before = b->picks->len;
        if (index < 0)
            return;
        if (show(plan, edit, (unsigned)index)) {
            SdpPick pick = {edit, (unsigned)index + 1};
            g_array_append_val(b->picks, pick);
            b->alive |= plan->doc->sections[pick.section].media.port != 0;
        } else {
            add_placeholder(b, session_slot(d, (unsigned)index), plan->from);
        }
        if (b->picks->len == before)
            return;
    }
}

/* rtpengine is not asked: its lines (all port 0) go through as they are. */
static void keep_all(SessionPlan *plan)
{
    for (unsigned i = 0; i < plan->lines->len; i++) {
        SessionLine *line = session_plan_line(plan, i);
        if (line->kind == SESSION_LINE_UPSTREAM)
            line->kind = SESSION_LINE_KEEP;
        else if (line->kind == SESSION_LINE_GATEWAY)
            line->kind = SESSION_LINE_ZERO; /* nobody is there to convert */
    }
}

/* "e2ae offer" and "e2ae answer" are for this program alone. */
static bool forwardable(const NgRequest *req)
{
    return req->command != NG_CMD_E2AE_OFFER && req->command != NG_CMD_E2AE_ANSWER;
}

static void plan_body(SessionPlan *plan, bool needed)
{
    g_autoptr(SdpEdit) edit = sdp_edit_new(plan->doc);
    UpstreamBody body;

    body_init(&body);
    if (needed)
        collect(plan, edit, &body);
    /* Never a body whose lines are all port 0: newer rtpengines fail on it. */
    g_clear_pointer(&plan->upstream_sdp, g_free);
    if (body.alive)
        plan->upstream_sdp = sdp_merge(edit, (SdpPick *)body.picks->data, body.picks->len, NULL);
    if (!plan->upstream_sdp)
        keep_all(plan);
    body_clear(&body);
}

void session_plan_ready(SessionPlan *plan)
{
    if (plan->from == SESSION_ACCESS && session_plan_has(plan, SESSION_LINE_GATEWAY))
        plan_body(plan, true);
}

/* What rtpengine keeps from a first offer for the rest of a call. */
static NgValue *keys_to_remember(const NgRequest *req)
{
    static const char *const keys[] = {
        "direction",
        "ICE",
        "DTLS",
        "transport-protocol",
        "transport protocol",
        "address-family",
        "address family",
        "TOS",
        "media-address",
        "media address",
    };
    NgValue *kept = ng_dict_new();

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        const NgValue *value = ng_dict_get(req->dict, span_str(keys[i]));
        if (value)
            ng_dict_add(kept, span_str(keys[i]), ng_value_copy(value));
    }
    return kept;
}

/* direction names the sender's interface first, and now the other one is the sender. */
static void swap_direction(NgValue *keys)
{
    const NgValue *direction = ng_dict_get(keys, SPAN("direction"));

    if (!ng_value_is(direction, NG_LIST) || ng_value_n(direction) != 2)
        return;
    NgValue *swapped = ng_list_new();
    ng_list_add(swapped, ng_value_copy(ng_list_get(direction, 1)));
    ng_list_add(swapped, ng_value_copy(ng_list_get(direction, 0)));
    ng_dict_set(keys, SPAN("direction"), swapped);
}

void session_upstream_plan_offer(SessionPlan *plan, const NgRequest *req)
{
    Session *next = plan->next;
    bool first = next->dialogs->len == 1 && plan->dialog->upstream_count == 0 && !next->first_keys;

    plan_body(plan, forwardable(req) && plan->dialog->upstream_count > 0);
    plan->dialog->upstream_asked = plan->upstream_sdp != NULL;
    if (plan->upstream_sdp && next->first_keys) {
        plan->upstream_keys = g_steal_pointer(&next->first_keys);
        if (next->first_from != plan->from)
            swap_direction(plan->upstream_keys);
    } else if (!plan->upstream_sdp && first) {
        next->first_keys = keys_to_remember(req);
        next->first_from = plan->from;
    }
}

void session_upstream_plan_answer(SessionPlan *plan, const NgRequest *req)
{
    plan_body(plan, forwardable(req) && plan->dialog->upstream_asked);
}
