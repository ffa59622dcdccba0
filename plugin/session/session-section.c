/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-session-matrix.c. */
#include "config.h"

#include "session/session-section.h"

#include "sdp/sdp-rewrite.h"
#include "session/session-path.h"

/* What secures a leg or offers another way to secure it: never crosses (ORG-03..07, TRM-10, TRK-26,
 * E2E-08, ICE-01). */
static const char *const leg_attrs[] = {
    "fingerprint", "3ge2ae",    "tls-id",  "connection",  "key-mgmt",          "crypto",
    "candidate",   "ice-ufrag", "ice-pwd", "ice-options", "remote-candidates", "end-of-candidates",
    "tcap",        "acap",      "pcfg",    "acfg",        "ice-lite",          NULL,
};
static const char *const setup_attr[] = {"setup", NULL};
static const char *const indication_attr[] = {"3ge2ae", NULL};
/* Attributes that count for an m-line from the session part (TRK-14), by what its proto makes of
 * them. */
static const char *const secure_attrs[] = {"fingerprint", "setup", "connection", NULL};
static const char *const tcp_attrs[] = {"setup", "connection", NULL};
static const char *const session_attrs[] = {"fingerprint", "setup",  "connection",
                                            "tls-id",      "3ge2ae", NULL};

/* The proto that the receiving leg knows for this m-line, in its own spelling where we have seen it. */
static const char *leg_proto(const SessionPlan *plan, const SessionSlot *slot, bool secure)
{
    if (slot->gateway && !secure)
        return slot->medium->plain_proto; /* rtpengine's side, whatever the core speaks */
    if (plan->answer && slot->offer_proto)
        return slot->offer_proto;
    const char *proto = secure ? slot->medium->secure_proto : slot->medium->plain_proto;
    const char *theirs = slot->peer_proto[session_other(plan->from)];
    return theirs && g_ascii_strcasecmp(theirs, proto) == 0 ? theirs : proto;
}

static void set_setup(SdpEdit *edit, unsigned section, const SessionPlan *plan,
                      const SessionSlot *slot, const SessionLeg *leg)
{
    bool wanted = leg->secure || slot->medium->plain_setup;
    SdpSetup value = plan->answer ? session_setup_value(leg->setup) : slot->sent_setup;

    if (wanted)
        sdp_edit_set_attr(edit, section, "setup", sdp_setup_name(value));
    else
        sdp_edit_delete_attrs(edit, section, setup_attr);
}

/* COM-05: we say "existing" for a connection that is kept, "new" for one that begins (TRK-08). */
static void add_connection(SdpEdit *edit, unsigned section, const SessionPlan *plan,
                           const SessionSlot *slot)
{
    if (slot->medium->connection != MEDIUM_CONNECTION_NEGOTIATE)
        return;
    bool existing = slot->offer_kept && (!plan->answer || slot->offer_connection_existing);
    sdp_edit_add_attr(edit, section, "connection", existing ? "existing" : "new");
}

/* TRK-01, TRK-02, CEM-03 */
static void set_path(SdpEdit *edit, unsigned section, const SessionStream *stream, SessionSide to,
                     SessionPathMode mode)
{
    static const char *const cema_attr[] = {"msrp-cema", NULL};
    g_autofree char *path = session_path_text(stream, to, mode);

    if (path)
        sdp_edit_set_attr(edit, section, "path", path);
    if (mode == SESSION_PATH_AWARE)
        sdp_edit_delete_attrs(edit, section, cema_attr);
}

static void add_fingerprints(SdpEdit *edit, unsigned section, const FingerprintSet *set)
{
    char text[FP_TEXT_MAX];

    for (unsigned i = 0; i < set->n; i++)
        sdp_edit_add_attr(edit, section, "fingerprint", fp_text(&set->fp[i], text));
}

static void add_tls_id(SdpEdit *edit, unsigned section, const SessionPlan *plan,
                       const SessionSlot *slot, const SessionLeg *leg)
{
    if (leg->tls_id && (!plan->answer || slot->offer_tls_id))
        sdp_edit_add_attr(edit, section, "tls-id", leg->tls_id);
}

/* TRM-05: offers to the UE tell that e2ae is applied; answers only where the operator wants it
 * (IND-04). */
static void add_indication(SdpEdit *edit, unsigned section, const SessionPlan *plan, SessionSide to)
{
    if (to == SESSION_ACCESS && (!plan->answer || plan->next->settings.answer_indication))
        sdp_edit_add_attr(edit, section, "3ge2ae", "applied");
}

void session_section_stream(SdpEdit *edit, unsigned section, const SessionPlan *plan,
                            const SessionSlot *slot)
{
    SessionSide to = session_other(plan->from);
    const SessionStream *stream = session_slot_current(slot);
    const SessionLeg *leg = &stream->leg[to];
    SessionPathMode mode = plan->answer ? stream->path_mode : slot->offer_path_mode;
    bool connects = stream->medium->transport == MEDIA_TCP && leg->setup == MEDIA_SETUP_ACTIVE;
    bool discard = leg->discard || (connects && plan->answer); /* COM-02 */

    sdp_edit_set_port(edit, section, discard ? 9 : leg->advertised.port);
    sdp_edit_set_proto(edit, section, leg_proto(plan, slot, leg->secure));
    sdp_edit_set_conn(edit, section, &leg->advertised);
    sdp_edit_delete_attrs(edit, section, leg_attrs);
    set_path(edit, section, stream, to, mode);
    set_setup(edit, section, plan, slot, leg);
    add_connection(edit, section, plan, slot);
    if (leg->secure)
        add_fingerprints(edit, section, &stream->local_fingerprints);
    if (leg->secure)
        add_tls_id(edit, section, plan, slot, leg);
    add_indication(edit, section, plan, to);
}

/* ORG-11: an answer has the media type that was offered, whatever the answerer wrote. */
static void restore_media_type(SdpEdit *edit, unsigned section, const SessionSlot *slot)
{
    const SdpDoc *doc = sdp_edit_doc(edit);
    const SdpMedia *media = &doc->sections[section].media;

    if (!slot->media_type || span_eq_nocase(media->media, span_str(slot->media_type)))
        return;
    const char *known = slot->medium && slot->medium->fmt ? slot->medium->fmt : "*";
    bool theirs = media->fmt.len && !slot->gateway; /* behind the gateway it is the one for audio */
    g_autofree char *fmt = theirs ? span_dup(media->fmt) : g_strdup(known);
    g_autofree char *text =
        g_strdup_printf("m=%s 0 %s %s", slot->media_type, slot->offer_proto, fmt);
    sdp_edit_replace(edit, doc->sections[section].first, text);
}

void session_section_zero(SdpEdit *edit, unsigned index, const SessionPlan *plan,
                          const SessionSlot *slot)
{
    unsigned section = index + 1;
    bool secure = session_other(plan->from) == SESSION_ACCESS || plan->next->settings.core_tls;

    if (plan->answer)
        restore_media_type(edit, section, slot);
    sdp_edit_set_port(edit, section, 0);
    if (slot->medium)
        sdp_edit_set_proto(edit, section, leg_proto(plan, slot, secure));
    sdp_edit_delete_attrs(edit, section, leg_attrs);
    sdp_edit_delete_attrs(edit, section, setup_attr);
}

/* The c= line that counts for the section, written into it; also one that we could not use
 * ourselves. */
static void copy_conn(SdpEdit *edit, unsigned section)
{
    const SdpDoc *doc = sdp_edit_doc(edit);
    unsigned line;
    Span text;

    if (sdp_doc_find(doc, section, 'c', &line) || !sdp_doc_find(doc, 0, 'c', &line))
        return;
    if (!sdp_edit_text(edit, line, &text))
        return;
    g_autofree char *copy = span_dup(text);
    sdp_edit_insert_after(edit, doc->sections[section].first, copy);
}

static bool proto_has(const SdpEdit *edit, unsigned section, const char *layer)
{
    g_autofree char *proto = span_dup(sdp_edit_doc(edit)->sections[section].media.proto);
    g_autofree char *upper = g_ascii_strup(proto, -1);

    return strstr(upper, layer) != NULL;
}

void session_section_inherit(SdpEdit *edit, unsigned section)
{
    if (proto_has(edit, section, "TLS"))
        sdp_edit_copy_down(edit, section, secure_attrs);
    else if (proto_has(edit, section, "TCP"))
        sdp_edit_copy_down(edit, section, tcp_attrs);
}

void session_section_alone(SdpEdit *edit, unsigned section)
{
    session_section_inherit(edit, section);
    copy_conn(edit, section);
}

void session_section_keep(SdpEdit *edit, unsigned index, bool alone)
{
    unsigned section = index + 1;

    sdp_edit_delete_attrs(edit, section, indication_attr);
    if (alone)
        session_section_alone(edit, section);
}

void session_section_clean_session(SdpEdit *edit, bool secured)
{
    sdp_edit_delete_attrs(edit, 0, secured ? session_attrs : indication_attr);
}
