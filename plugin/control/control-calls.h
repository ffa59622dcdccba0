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

#include "control/control-certificate.h"
#include "control/control-events.h"
#include "control/control-server.h"
#include "control/control-streams.h"
#include "session/session-policy.h"
#include "store/store.h"

typedef struct ControlCalls ControlCalls;

typedef struct ControlStoreConfig {
    Store *store;         /* borrowed; its watcher calls the functions below */
    const char *node;     /* borrowed: our node-id */
    bool shared;          /* outlives us: has calls of an earlier life, and of other nodes */
    bool degrade;         /* serves without Redis: a delete need not wait for it */
    unsigned call_ttl_s;  /* of .shared: how long a record lives, as the store has it */
    unsigned node_ttl_ms; /* and a node that says nothing */
    unsigned lease_ms;    /* streams rest when control_calls_running() has not been called for so
                             long; 0 = they do not */
    unsigned retry_ms;    /* how often what could not be written is tried again */
} ControlStoreConfig;

typedef struct ControlCallsConfig {
    SessionPolicy policy; /* .interfaces is borrowed; .random, .next_id and .arg are filled in */
    ControlStreamsConfig streams;
    ControlEvents *events; /* borrowed */
    ControlStoreConfig store;
    /** (nullable) borrowed, freed before the calls: loads what new and restored streams present */
    ControlCertificate *certificate;
    int max_sessions; /* -1 = no limit */
    unsigned delete_delay_s;
    unsigned fork_timeout_ms; /* how long a refused line waits for another callee (TRK-07) */
    void (*drained)(void *arg); /* (nullable) after `e2ae drain` the last call is gone; may free the
                                   calls */
    void *drained_arg;
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

/** Can no other node have a call? Until told so, calls that are not here are looked for. */
void control_calls_set_alone(ControlCalls *calls, bool alone);

/** Node @node is dead: this one claims its calls. */
void control_calls_take_over(ControlCalls *calls, const char *node);

/** Others may have claimed calls of this node: checks every one, drops those that are gone, and then
 * calls @verified from the loop or at once. */
void control_calls_verify(ControlCalls *calls, void (*verified)(void *arg), void *arg);

/** What is here is this node's: streams go on, now and for as long as a node that says nothing
 * counts as alive. */
void control_calls_running(ControlCalls *calls);

/** .certificate has changed its state. */
void control_calls_certificate(ControlCalls *calls);

/** A ControlHandleCb; @user_data is the ControlCalls. */
bool control_calls_handle(ControlRequest *req, void *user_data);

/** Calls of ours now, with those that are being set up. */
unsigned control_calls_count(const ControlCalls *calls);

/** Media ports reserved now. */
unsigned control_calls_ports_used(const ControlCalls *calls);
