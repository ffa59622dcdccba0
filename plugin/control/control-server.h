/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-server.h: the ng server: requests come in by UDP and TCP, repeats are answered from
 * memory, the handler takes what is ours, and everything else goes to rtpengine and back byte for
 * byte, only the cookie being exchanged.
 *
 * Threads: control thread only.
 * Owner:   main() owns the server; the server owns listeners, upstream, memory of cookies and every
 * request.
 */
#pragma once

#include "control/control-peer.h"
#include "control/control-upstream.h"
#include "ng-protocol/ng-message.h"

typedef struct ControlServer ControlServer;

/**
 * A request that has not been answered yet. Whoever the handler left it with ends it with exactly
 * one call of control_request_reply(), _reply_dict(), _reply_error() or _pass(); it is gone then.
 * All members are read-only and live as long as the request.
 */
typedef struct ControlRequest {
    ControlServer *server;
    const ControlPeer *from; /* who asked first, if it was asked more than once */
    Span body;               /* as it came, behind "cookie SP" */
    NgEncoding encoding;     /* of the body and of the reply */
    NgMessage *message;      /* NULL: the body cannot be decoded */
    char *undecodable;       /* then rtpengine's text for that */
    char *command;           /* for the log: quoted if it is strange, "?" without one */
    int64_t received_us;     /* monotonic */

    struct ControlCookie *cookie; /* of the server, as the next */
    GList link;
} ControlRequest;

/**
 * Is the request ours? True: taken, it was or will be answered. False: it is not touched and goes
 * to rtpengine. Called once for each request, never for a repeat. Must not free the server.
 */
typedef bool (*ControlHandleCb)(ControlRequest *req, void *user_data);

/**
 * @upstream: taken; NULL when there is no rtpengine: then a ping gets its pong, and any other
 * request that is not ours an error. @handle_cb: NULL = nothing is ours.
 */
ControlServer *control_server_new(uv_loop_t *loop, ControlUpstream *upstream,
                                  ControlHandleCb handle_cb, void *user_data);

/**
 * Closes everything. Requests without a reply are dropped in silence, so that the proxy asks
 * another node; also those that are answered because rtpengine cannot be asked any more. The loop
 * must run once more afterwards. NULL is allowed.
 */
void control_server_free(ControlServer *s);

/**
 * Binds one more address (port 0 = any) and returns it with the real port (borrowed). @freebind:
 * this host need not have the address now. NULL and CONTROL_ERROR.
 */
const Addr *control_server_listen(ControlServer *s, ControlTransport transport, const Addr *addr,
                                  bool freebind, GError **error);

/** For the handler's own requests to rtpengine; NULL when there is none. */
ControlUpstream *control_server_upstream(ControlServer *s);

/** Is control_server_free() at work? Then replies go nowhere and nothing new should be begun. */
bool control_server_stopping(const ControlServer *s);

/** Answers with @body (copied) as it is. */
void control_request_reply(ControlRequest *req, Span body);

/** Answers with @dict (taken) in the request's encoding; with an error when that is too long to be
 * sent. */
void control_request_reply_dict(ControlRequest *req, NgValue *dict);

/** Answers {result: error, error-reason: @reason}. */
void control_request_reply_error(ControlRequest *req, const char *reason);

/**
 * Answers that rtpengine could not be asked, or the call not be recorded (@error: CONTROL_ERROR). An
 * offer that may still go to another node is told so, in the one form that a proxy acts on:
 * {result: load limit, message: ...}, if the request supports it and the reason is that rtpengine
 * does not answer or is busy, or the store's.
 */
void control_request_reply_failure(ControlRequest *req, const GError *error);

/** Sends the body to rtpengine as it is and answers with the body that comes back. */
void control_request_pass(ControlRequest *req);

/** Bytes that the body of the reply may have: by UDP it has to fit a datagram. */
size_t control_request_room(const ControlRequest *req);
