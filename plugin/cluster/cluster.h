/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * cluster.h: this node among the others: its heartbeat, and who of them lives
 * (redis-schema/README.md, section 8). It knows nodes and no calls; what follows for these is the
 * business of whoever gave the hooks.
 *
 *   state       this node                                       leaves it by
 *   RUNNING     has renewed its heartbeat in time               a gap: FROZEN; it was gone: DOUBTFUL
 *   FROZEN      has stood still, or the store has, for so long  heartbeat still there: RUNNING; not:
 *               that the heartbeat may be gone                  DOUBTFUL; store away: RUNNING
 *   DOUBTFUL    others may have claimed its calls meanwhile     cluster_verified(), store away: RUNNING
 *
 * Threads: control thread only.
 * Owner:   the gateway. It must be gone before the store is closed.
 */
#pragma once

#include "cluster/cluster-nodes.h"

typedef struct Cluster Cluster;

typedef enum ClusterState {
    CLUSTER_RUNNING,
    CLUSTER_FROZEN,
    CLUSTER_DOUBTFUL,
} ClusterState;

/** Called by the loop, never from within a function of this header but cluster_verified(). */
typedef struct ClusterHooks {
    /** This node is RUNNING: what it holds is its own now, and for cluster_lease_ms(). Comes with every
     * heartbeat, and while the store is away with every tick. */
    void (*running)(void *arg);
    /** Every call has to be checked against its record; then cluster_verified() is to be called. */
    void (*doubt)(void *arg);
    /** Node @id, a member of our group, is dead: its calls are to be claimed. */
    void (*claim)(const char *id, void *arg);
    /** Nobody else can own a call, or somebody can. */
    void (*alone)(bool alone, void *arg);
    /** "node-lost", "node-back", "node-fenced": for the outside; @text is one line. */
    void (*news)(const char *event, const char *id, const char *text, void *arg);
    void *arg;
} ClusterHooks;

/** Strings are copied. */
typedef struct ClusterConfig {
    const char *node;
    const char *group; /* (nullable) --ha-group */
    unsigned heartbeat_ms;
    unsigned timeout_ms; /* after which a heartbeat is gone, as the store has it */
} ClusterConfig;

/** How long a heartbeat that was just sent keeps others off, when the next one may fail. Heartbeats
 * are to be sent at least three times as often as they time out. */
unsigned cluster_lease_ms(unsigned heartbeat_ms, unsigned timeout_ms);

/** @store: borrowed. Nothing is asked before cluster_store_state() says that it is ready. */
Cluster *cluster_new(uv_loop_t *loop, Store *store, const ClusterConfig *config,
                     const ClusterHooks *hooks);

/** The loop must run once more afterwards. NULL is allowed. */
void cluster_free(Cluster *c);

/** The state of the store has changed. */
void cluster_store_state(Cluster *c, StoreState state);

/** What .doubt asked for has been done: what this node holds now is its own. */
void cluster_verified(Cluster *c);

ClusterState cluster_state(const Cluster *c);
const ClusterNodes *cluster_nodes(const Cluster *c);
