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

static void add_leg(NgValue *stream_dict, const char *key, const SessionStream *stream,
                    const SessionLeg *leg)
{
    NgValue *dict = ng_dict_add_dict(stream_dict, key);
    char text[ADDR_TEXT_MAX];

    ng_dict_add_str(dict, "transport", transport_name(stream, leg));
    ng_dict_add_str(dict, "address", addr_ip_text(&leg->advertised, text));
    ng_dict_add_int(dict, "port", leg->advertised.port);
    if (leg->secure || stream->medium->plain_setup)
        ng_dict_add_str(dict, "setup", sdp_setup_name(session_setup_value(leg->setup)));
    if (!leg->secure)
        return;
    ng_dict_add_str(dict, "tls-role", tls_role_name(leg->tls_role));
    add_set(dict, "local-fingerprint", &stream->local_fingerprints);
    add_set(dict, "remote-fingerprints", &leg->fingerprints);
    if (leg->tls_id)
        ng_dict_add_str(dict, "tls-id", leg->tls_id);
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
    ng_dict_add_str(dict, "treatment",
                    session_treatment_name(slot ? slot->treatment : SESSION_PASS));
    if (line->reason)
        ng_dict_add_str(dict, "reason", line->reason);
    if (!stream)
        return;
    add_leg(dict, "access", stream, &stream->leg[SESSION_ACCESS]);
    add_leg(dict, "core", stream, &stream->leg[SESSION_CORE]);
}

void session_plan_reply(const SessionPlan *plan, NgValue *reply)
{
    NgValue *dict = ng_dict_add_dict(reply, "e2ae");
    ng_dict_add_int(dict, "version", E2AE_REPLY_VERSION);
    NgValue *streams = ng_dict_add_list(dict, "streams");

    for (unsigned i = 0; i < plan->lines->len; i++)
        add_line(streams, plan, i);
}
