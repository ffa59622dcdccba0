/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-control-offer.c */
#include "config.h"

#include "control/control-call.h"

#include "ng-protocol/ng-reply.h"

static void add_missing(NgValue *dict, const NgValue *extra)
{
    for (unsigned i = 0; i < ng_value_n(extra); i++) {
        Span key;
        const NgValue *value = ng_dict_at(extra, i, &key);
        if (!ng_dict_get(dict, key))
            ng_dict_add(dict, key, ng_value_copy(value));
    }
}

void control_ask_rtpengine(ControlRequest *req, const char *sdp, const NgValue *extra,
                           ControlUpstreamCb cb, void *user_data)
{
    g_autoptr(NgValue) dict = ng_request_strip(req->message->dict);

    if (sdp)
        ng_dict_set(dict, SPAN("sdp"), ng_string_new(span_str(sdp)));
    add_missing(dict, extra);
    g_autoptr(GString) body = ng_message_encode((Span){0}, req->encoding, dict);
    control_upstream_send(control_server_upstream(req->server), (Span){body->str, body->len}, cb,
                          user_data);
}

NgValue *control_ask_accepted(Span reply, const GError *error)
{
    NgEnvelope env = ng_envelope_plain(reply);
    g_autoptr(NgMessage) message = error ? NULL : ng_message_new(&env, NULL);

    if (!message || !span_eq(ng_dict_get_str(message->dict, SPAN("result")), SPAN(NG_RESULT_OK)))
        return NULL;
    return g_steal_pointer(&message->dict);
}
