/* SPDX-License-Identifier: GPL-3.0-or-later */
/** control-call.h: one call and its running transaction; shared by the files that handle requests,
 * not by others. */
#pragma once

#include "control/control-calls.h"

typedef struct ControlCall {
    ControlCalls *calls;
    char *call_id;
    Session *session;     /* NULL until the first offer is committed, and after the delete */
    ControlRequest *busy; /* the request in progress */
    GQueue waiting;       /* of ControlRequest, borrowed from the server */
} ControlCall;

/** Requests that may wait for one in progress of the same call. */
#define CONTROL_CALL_WAITING_MAX 32

struct ControlCalls {
    uv_loop_t *loop;
    ControlStreams *streams;
    ControlEvents *events;
    SessionPolicy policy;
    int max_sessions;
    unsigned delete_delay_s;
    uint64_t last_id;
    GHashTable *by_call_id; /* -> ControlCall, owned */
};

/**
 * Each runs one request of @call to its end; the reply is sent and control_call_done() called then,
 * now or later.
 * @r borrows from the request.
 */
void control_run_offer_answer(ControlCall *call, ControlRequest *req, const NgRequest *r);
void control_run_delete(ControlCall *call, ControlRequest *req, const NgRequest *r);
void control_run_query(ControlCall *call, ControlRequest *req, const NgRequest *r);

/** The request in progress has been answered: runs the next one, or forgets a call without session.
 * @call may be gone after. */
void control_call_done(ControlCall *call);

/** Replaces the state of the call (taken, may be NULL) and makes the media plane follow. */
void control_call_commit(ControlCall *call, Session *next, unsigned delay_ms);

/**
 * Sends the request to rtpengine without our keys, with @sdp in the place of its own unless that is
 * NULL, and with what
 * @extra (nullable, borrowed) adds where the request has no such key.
 */
void control_ask_rtpengine(ControlRequest *req, const char *sdp, const NgValue *extra,
                           ControlUpstreamCb cb, void *user_data);
