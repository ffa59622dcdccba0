/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-fields.h: "e2ae offer" and "e2ae answer" without SDP: an ALG that rewrites the SDP itself
 * describes each m-line by fields (the Iq style, CTL-01). The fields become a body of one section
 * per m-line, so that everything behind this is the same for both styles.
 */
#pragma once

#include "ng-protocol/ng-value.h"

/**
 * @streams: the request's list of dictionaries, one per m-line in order: media, proto, address,
 * port; optional fmt, setup, connection, fingerprint (list or string), tls-id, path, indication.
 * Returns the body, owned by the caller; NULL and SESSION_ERROR_REQUEST when a field is missing or
 * has a value that could not stand in SDP; the message names it.
 */
char *session_fields_body(const NgValue *streams, GError **error);

/**
 * The way back: adds to each entry of @streams (the list of that name in the reply's "e2ae") the
 * dictionary "sdp", in the same words: what the m-line towards the receiver has to say. @body is
 * the one that would have gone there.
 */
void session_fields_add(NgValue *streams, Span body);
