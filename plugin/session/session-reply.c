/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The "e2ae" dictionary of a reply: what was done with every m-line, and why (section 5 of the ng
 * extension). */
#include "config.h"

#include "session/session-plan-private.h"

#define E2AE_REPLY_VERSION 1

static const char *transport_name(const SessionStream *stream, const SessionLeg *leg)
{
    if (stream->medium->transport == MEDIA_TCP)
        return leg->secure ? "TCP/TLS" : "TCP";
    return leg->secure ? "UDP/DTLS" : "UDP";
}

static const char *tls_role_name(MediaTlsRole role)
{
    static const char *const names[] = {"server", "client", "auto"};

    return names[role];
}

static void add_set(NgValue *dict, const char *key, const FingerprintSet *set)
{
    NgValue *list = ng_dict_add_list(dict, key);
    char text[FP_TEXT_MAX];

    for (unsigned i = 0; i < set->n; i++)
        ng_list_add_str(list, fp_text(&set->fp[i], text));
}

static void add_security(NgValue *dict, const SessionStream *stream, const SessionLeg *leg)
{
    char text[FP_TEXT_MAX];

    if (!leg->secure) {
        ng_dict_add_str(dict, "tls-role", "none");
        return;
    }
    if (leg->setup != MEDIA_SETUP_UNDECIDED)
        ng_dict_add_str(dict, "tls-role", tls_role_name(leg->tls_role));
    if (stream->local_fingerprints.n)
        ng_dict_add_str(dict, "local-fingerprint",
                        fp_text(&stream->local_fingerprints.fp[0], text));
    add_set(dict, "local-fingerprints", &stream->local_fingerprints);
    add_set(dict, "remote-fingerprints", &leg->fingerprints);
    if (leg->tls_id)
        ng_dict_add_str(dict, "tls-id", leg->tls_id);
}

static void add_leg(NgValue *stream_dict, const char *key, const SessionStream *stream,
                    const SessionLeg *leg)
{
    const Medium *m = stream->medium;
    NgValue *dict = ng_dict_add_dict(stream_dict, key);
    char text[ADDR_TEXT_MAX];

    ng_dict_add_str(dict, "transport", transport_name(stream, leg));
    ng_dict_add_str(dict, "proto", leg->secure ? m->secure_proto : m->plain_proto);
    ng_dict_add_str(dict, "address", addr_ip_text(&leg->advertised, text));
    ng_dict_add_int(dict, "port", leg->advertised.port);
    if (leg->secure || m->plain_setup)
        ng_dict_add_str(dict, "setup", sdp_setup_name(session_setup_value(leg->setup)));
    add_security(dict, stream, leg);
}

void session_stream_reply(const SessionStream *stream, NgValue *dict)
{
    add_leg(dict, "access", stream, &stream->leg[SESSION_ACCESS]);
    add_leg(dict, "core", stream, &stream->leg[SESSION_CORE]);
}

/* An offer may say another a=setup than the leg's own state does: what is decided on one leg limits
 * the other. */
static void add_offered_setup(NgValue *stream_dict, SessionSide to, const SessionSlot *slot)
{
    NgValue *leg = ng_dict_get(stream_dict, to == SESSION_ACCESS ? SPAN("access") : SPAN("core"));

    if (ng_dict_get(leg, SPAN("setup")))
        ng_dict_set(leg, SPAN("setup"), ng_string_new(span_str(sdp_setup_name(slot->sent_setup))));
}

/* A line of rtpengine's that it was not shown is nobody's. */
static const char *treatment_of(const SessionSlot *slot, const SessionLine *line)
{
    if (!slot || (slot->treatment == SESSION_UPSTREAM && line->kind != SESSION_LINE_UPSTREAM))
        return session_treatment_name(SESSION_PASS);
    return session_treatment_name(slot->treatment);
}

/* CEM-10 */
static void add_path_mode(NgValue *stream_dict, SessionPathMode mode)
{
    if (mode == SESSION_PATH_NONE)
        return;
    ng_dict_add_str(stream_dict, "path-mode", mode == SESSION_PATH_AWARE ? "aware" : "transparent");
}

static void add_line(NgValue *list, const SessionPlan *plan, unsigned index)
{
    const SessionLine *line = session_plan_line(plan, index);
    const SessionSlot *slot = session_slot(plan->dialog, index);
    NgValue *dict = ng_list_add_dict(list);
    const SessionStream *stream =
        slot && (line->kind == SESSION_LINE_STREAM || line->kind == SESSION_LINE_GATEWAY)
            ? session_slot_current(slot)
            : NULL;

    ng_dict_add_int(dict, "index", index + 1);
    ng_dict_add_span(dict, "media", plan->doc->sections[index + 1].media.media);
    if (slot && slot->medium)
        ng_dict_add_str(dict, "medium", slot->medium->name);
    ng_dict_add_str(dict, "treatment", treatment_of(slot, line));
    if (line->reason)
        ng_dict_add_str(dict, "reason", line->reason);
    if (!stream)
        return;
    session_stream_reply(stream, dict);
    add_path_mode(dict, plan->answer ? stream->path_mode : slot->offer_path_mode);
    if (!plan->answer)
        add_offered_setup(dict, session_other(plan->from), slot);
}

void session_plan_reply(const SessionPlan *plan, NgValue *reply)
{
    NgValue *dict = ng_dict_add_dict(reply, "e2ae");
    ng_dict_add_int(dict, "version", E2AE_REPLY_VERSION);
    NgValue *streams = ng_dict_add_list(dict, "streams");

    for (unsigned i = 0; i < plan->lines->len; i++)
        add_line(streams, plan, i);
}
