/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/medium.h"

#include "ng-protocol/ng-e2ae.h"

static const Medium media[] = {
    {
        .name = "msrp",
        .mask = E2AE_MEDIA_MSRP,
        .media = "message",
        .secure_proto = "TCP/TLS/MSRP",
        .plain_proto = "TCP/MSRP",
        .transport = MEDIA_TCP,
        .framing = MEDIA_MSRP,
        .tls_rule = MEDIUM_TLS_BY_SETUP,
        .connection = MEDIUM_CONNECTION_STRIP,
        .tls_id = MEDIUM_TLS_ID_NEVER,
        .plain_setup = true,
        .path = true,
        .both_active_deadlock = true,
    },
    {
        .name = "bfcp",
        .mask = E2AE_MEDIA_BFCP,
        .media = "application",
        .secure_proto = "TCP/TLS/BFCP",
        .plain_proto = "TCP/BFCP",
        .transport = MEDIA_TCP,
        .framing = MEDIA_BFCP,
        .tls_rule = MEDIUM_TLS_BY_ANSWERER,
        .connection = MEDIUM_CONNECTION_NEGOTIATE,
        .tls_id = MEDIUM_TLS_ID_IF_OFFERED,
        .plain_setup = true,
        .holdconn = true,
    },
    {
        .name = "t38",
        .mask = E2AE_MEDIA_T38,
        .media = "image",
        .secure_proto = "UDP/TLS/UDPTL",
        .plain_proto = "udptl",
        .fmt = "t38",
        .transport = MEDIA_UDP,
        .framing = MEDIA_DATAGRAMS,
        .tls_rule = MEDIUM_TLS_BY_SETUP,
        .connection = MEDIUM_CONNECTION_STRIP,
        .tls_id = MEDIUM_TLS_ID_ALWAYS,
    },
};

static bool fmt_fits(const Medium *m, Span fmt)
{
    return !m->fmt || span_eq_nocase(span_word(&fmt), span_str(m->fmt));
}

const Medium *medium_find(Span type, Span proto, Span fmt, bool *ret_secure)
{
    for (size_t i = 0; i < G_N_ELEMENTS(media); i++) {
        const Medium *m = &media[i];
        bool secure = span_eq_nocase(proto, span_str(m->secure_proto));
        if (!secure && !span_eq_nocase(proto, span_str(m->plain_proto)))
            continue;
        if (!span_eq_nocase(type, span_str(m->media)) || !fmt_fits(m, fmt))
            return NULL;
        *ret_secure = secure;
        return m;
    }
    return NULL;
}

const Medium *medium_by_name(Span name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(media); i++)
        if (span_eq(name, span_str(media[i].name)))
            return &media[i];
    return NULL;
}
