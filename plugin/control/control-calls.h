/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-calls.h: the calls of this node, and the ng requests that concern them. A request that is
 * ours runs as one transaction: plan (session/), reserve ports, ask rtpengine, commit to the store,
 * activate, reply; a failure on the way undoes all of it. The requests of one call run one after the other,
 * those of different calls side by side.
 *
 * Threads: control thread only.
 * Owner:   main() owns it. It must live until the server that calls control_calls_handle() is gone.
 */
#pragma once

#include "control/control-events.h"
#include "control/control-server.h"
#include "control/control-streams.h"
#include "session/session-policy.h"
#include "store/store.h"

typedef struct ControlCalls ControlCalls;

typedef struct ControlStoreConfig {
    Store *store;         /* borrowed; its watcher calls the functions below */
    const char *node;     /* borrowed: our node-id */
    bool shared;          /* outlives us: has calls of an earlier life, and needs a sign of life */
    bool degrade;         /* serves without Redis: a delete need not wait for it */
    unsigned call_ttl_s;  /* of .shared: how long a record lives, as the store has it */
    unsigned node_ttl_ms; /* and a sign of life */
} ControlStoreConfig;

typedef struct ControlCallsConfig {
    SessionPolicy policy; /* .interfaces is borrowed; .random, .next_id and .arg are filled in */
    ControlStreamsConfig streams;
    ControlEvents *events; /* borrowed */
    ControlStoreConfig store;
    int max_sessions; /* -1 = no limit */
    unsigned delete_delay_s;
} ControlCallsConfig;

ControlCalls *control_calls_new(uv_loop_t *loop, const ControlCallsConfig *config, GError **error);

/**
 * Closes every stream; the records stay in the store. What the store still has under way is
 * forgotten, so this comes after the server is gone and before the store is closed.
 */
void control_calls_free(ControlCalls *calls);

/** For the watcher of the store (store.h); @text is borrowed. */
void control_calls_store_state(ControlCalls *calls, StoreState state, const char *text);
void control_calls_lost(ControlCalls *calls, const char *call_id, const char *owner,
                        uint64_t epoch);

/** A ControlHandleCb; @user_data is the ControlCalls. */
bool control_calls_handle(ControlRequest *req, void *user_data);

/** Calls of ours now, with those that are being set up. */
unsigned control_calls_count(const ControlCalls *calls);

/** Media ports reserved now. */
unsigned control_calls_ports_used(const ControlCalls *calls);
