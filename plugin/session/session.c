/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session.h"

const char *session_treatment_name(SessionTreatment treatment)
{
    static const char *const names[] = {"anchor", "pass", "reject", "reject", "e2ae"};

    return names[treatment];
}

static void leg_copy(SessionLeg *to, const SessionLeg *from)
{
    *to = *from;
    to->interface = g_strdup(from->interface);
    to->tls_id = g_strdup(from->tls_id);
    to->peer_tls_id = g_strdup(from->peer_tls_id);
    to->peer_path = g_strdup(from->peer_path);
}

static void leg_clear(SessionLeg *leg)
{
    g_free(leg->interface);
    g_free(leg->tls_id);
    g_free(leg->peer_tls_id);
    g_free(leg->peer_path);
}

SessionStream *session_stream_new(uint64_t id, const Medium *medium)
{
    SessionStream *stream = g_new0(SessionStream, 1);

    stream->id = id;
    stream->medium = medium;
    return stream;
}

static SessionStream *stream_copy(const SessionStream *from)
{
    if (!from)
        return NULL;
    SessionStream *stream = g_memdup2(from, sizeof *from);
    for (int side = 0; side < 2; side++)
        leg_copy(&stream->leg[side], &from->leg[side]);
    return stream;
}

void session_stream_free(SessionStream *stream)
{
    if (!stream)
        return;
    for (int side = 0; side < 2; side++)
        leg_clear(&stream->leg[side]);
    g_free(stream);
}

SessionSlot *session_slot_new(void)
{
    SessionSlot *slot = g_new0(SessionSlot, 1);

    slot->upstream_index = -1;
    return slot;
}

static gpointer slot_copy(gconstpointer from, gpointer arg)
{
    const SessionSlot *old = from;
    SessionSlot *slot = g_memdup2(old, sizeof *old);
    (void)arg;

    for (int side = 0; side < 2; side++) {
        slot->upstream_text[side] = g_strdup(old->upstream_text[side]);
        slot->peer_proto[side] = g_strdup(old->peer_proto[side]);
    }
    slot->media_type = g_strdup(old->media_type);
    slot->offer_proto = g_strdup(old->offer_proto);
    slot->stream = stream_copy(old->stream);
    slot->pending = stream_copy(old->pending);
    slot->retiring = stream_copy(old->retiring);
    return slot;
}

void session_slot_free(SessionSlot *slot)
{
    if (!slot)
        return;
    for (int side = 0; side < 2; side++) {
        g_free(slot->upstream_text[side]);
        g_free(slot->peer_proto[side]);
    }
    g_free(slot->media_type);
    g_free(slot->offer_proto);
    session_stream_free(slot->stream);
    session_stream_free(slot->pending);
    session_stream_free(slot->retiring);
    g_free(slot);
}

SessionDialog *session_dialog_new(const char *via_branch)
{
    SessionDialog *d = g_new0(SessionDialog, 1);

    d->via_branch = g_strdup(via_branch);
    d->slots = g_ptr_array_new_with_free_func((GDestroyNotify)session_slot_free);
    return d;
}

SessionDialog *session_dialog_copy(const SessionDialog *from)
{
    SessionDialog *d = g_memdup2(from, sizeof *from);

    d->via_branch = g_strdup(from->via_branch);
    for (int side = 0; side < 2; side++) {
        d->tag[side] = g_strdup(from->tag[side]);
        d->interface[side] = g_strdup(from->interface[side]);
    }
    d->slots = g_ptr_array_copy(from->slots, slot_copy, NULL);
    g_ptr_array_set_free_func(d->slots, (GDestroyNotify)session_slot_free);
    return d;
}

void session_dialog_free(SessionDialog *d)
{
    if (!d)
        return;
    g_free(d->via_branch);
    for (int side = 0; side < 2; side++) {
        g_free(d->tag[side]);
        g_free(d->interface[side]);
    }
    g_ptr_array_unref(d->slots);
    g_free(d);
}

Session *session_new(const char *call_id)
{
    Session *s = g_new0(Session, 1);

    s->call_id = g_strdup(call_id);
    s->dialogs = g_ptr_array_new_with_free_func((GDestroyNotify)session_dialog_free);
    return s;
}

Session *session_copy(const Session *from)
{
    Session *s = session_new(from->call_id);

    s->settings = from->settings;
    s->first_from = from->first_from;
    s->first_keys = from->first_keys ? ng_value_copy(from->first_keys) : NULL;
    for (unsigned i = 0; i < from->dialogs->len; i++)
        g_ptr_array_add(s->dialogs, session_dialog_copy(from->dialogs->pdata[i]));
    return s;
}

void session_free(Session *s)
{
    if (!s)
        return;
    g_free(s->call_id);
    ng_value_free(s->first_keys);
    g_ptr_array_unref(s->dialogs);
    g_free(s);
}

SessionSlot *session_slot(const SessionDialog *d, unsigned index)
{
    return index < d->slots->len ? d->slots->pdata[index] : NULL;
}

SessionStream *session_slot_current(const SessionSlot *slot)
{
    return slot->pending ? slot->pending : slot->stream;
}

bool session_find_stream(const Session *s, uint64_t id, SessionDialog **ret_dialog,
                         unsigned *ret_index, SessionStream **ret_stream)
{
    for (unsigned d = 0; d < s->dialogs->len; d++) {
        SessionDialog *dialog = s->dialogs->pdata[d];
        for (unsigned i = 0; i < dialog->slots->len; i++) {
            SessionSlot *slot = dialog->slots->pdata[i];
            SessionStream *const streams[] = {slot->stream, slot->pending, slot->retiring};
            for (size_t k = 0; k < G_N_ELEMENTS(streams); k++) {
                if (!streams[k] || streams[k]->id != id)
                    continue;
                if (ret_dialog)
                    *ret_dialog = dialog;
                if (ret_index)
                    *ret_index = i;
                if (ret_stream)
                    *ret_stream = streams[k];
                return true;
            }
        }
    }
    return false;
}

void session_foreach_stream(const Session *s, void (*fn)(SessionStream *stream, void *arg),
                            void *arg)
{
    for (unsigned d = 0; d < s->dialogs->len; d++) {
        const SessionDialog *dialog = s->dialogs->pdata[d];
        for (unsigned i = 0; i < dialog->slots->len; i++) {
            const SessionSlot *slot = dialog->slots->pdata[i];
            SessionStream *const streams[] = {slot->stream, slot->pending, slot->retiring};
            for (size_t k = 0; k < G_N_ELEMENTS(streams); k++)
                if (streams[k])
                    fn(streams[k], arg);
        }
    }
}

bool session_stream_up(Session *s, uint64_t id)
{
    SessionDialog *dialog;
    unsigned index;

    if (!session_find_stream(s, id, &dialog, &index, NULL))
        return false;
    SessionSlot *slot = session_slot(dialog, index);
    if (!slot->retiring || !slot->stream || slot->stream->id != id)
        return false;
    session_stream_free(slot->retiring);
    slot->retiring = NULL;
    return true;
}

void session_slot_release(SessionSlot *slot)
{
    g_clear_pointer(&slot->stream, session_stream_free);
    g_clear_pointer(&slot->pending, session_stream_free);
    g_clear_pointer(&slot->retiring, session_stream_free);
    slot->lost = NULL;
    slot->lost_core = false;
}

static bool is_refused(const SessionDialog *d, const SessionSlot *slot)
{
    return d->answered && slot->treatment == SESSION_CLOSED && session_slot_current(slot);
}

bool session_has_refused(const Session *s)
{
    for (unsigned k = 0; k < s->dialogs->len; k++) {
        const SessionDialog *d = s->dialogs->pdata[k];
        for (unsigned i = 0; i < d->slots->len; i++)
            if (is_refused(d, session_slot(d, i)))
                return true;
    }
    return false;
}

void session_dialog_drop_refused(const SessionDialog *d)
{
    for (unsigned i = 0; i < d->slots->len; i++)
        if (is_refused(d, session_slot(d, i)))
            session_slot_release(session_slot(d, i));
}

void session_drop_refused(const Session *s)
{
    for (unsigned k = 0; k < s->dialogs->len; k++)
        session_dialog_drop_refused(s->dialogs->pdata[k]);
}

void session_drop_retiring(Session *s)
{
    for (unsigned d = 0; d < s->dialogs->len; d++) {
        const SessionDialog *dialog = s->dialogs->pdata[d];
        for (unsigned i = 0; i < dialog->slots->len; i++) {
            SessionSlot *slot = dialog->slots->pdata[i];
            g_clear_pointer(&slot->retiring, session_stream_free);
        }
    }
}

void session_drop_stream(Session *s, uint64_t id)
{
    SessionDialog *dialog;
    unsigned index;

    if (!session_find_stream(s, id, &dialog, &index, NULL))
        return;
    SessionSlot *slot = session_slot(dialog, index);
    SessionStream **const places[] = {&slot->stream, &slot->pending, &slot->retiring};
    const SessionStream *current = session_slot_current(slot);
    if (slot->treatment == SESSION_E2AE && (!current || current->id == id))
        slot->treatment = SESSION_CLOSED;
    for (size_t k = 0; k < G_N_ELEMENTS(places); k++) {
        if (!*places[k] || (*places[k])->id != id)
            continue;
        if (places[k] != &slot->retiring) {
            slot->lost = (*places[k])->medium;
            slot->lost_core = (*places[k])->leg[SESSION_CORE].secure;
        }
        g_clear_pointer(places[k], session_stream_free);
    }
}
