/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * cluster-nodes.h: what this node thinks of the others, from the lists that the store gives. No I/O
 * and no clock: lists and times come in, in milliseconds that never go back.
 *
 *   state     the node                                  leaves it by
 *   ALIVE     has a heartbeat                           none: MISSING
 *   MISSING   has none, which may be our own blindness  heartbeat: ALIVE; we see well: DEAD
 *   DEAD      has none; its calls may be claimed        heartbeat: ALIVE
 *
 * A heartbeat that is gone has been silent for the node timeout already. But when the store itself
 * was away, all heartbeats are gone at once and come back one by one; so nobody is thought dead for
 * a grace time after the store has come back.
 *
 * Threads: control thread only.
 * Owner:   Cluster.
 */
#pragma once

#include "store/store.h"

typedef struct ClusterNodes ClusterNodes;

typedef enum ClusterNodeState {
    CLUSTER_NODE_ALIVE,
    CLUSTER_NODE_MISSING,
    CLUSTER_NODE_DEAD,
} ClusterNodeState;

/** A node has died or come back; @id is borrowed, @member says whether it is one of our group. */
typedef void (*ClusterNodeCb)(const char *id, bool member, ClusterNodeState state, void *arg);

/** @self: our node-id. @group: (nullable) whose members' calls we claim; NULL = nobody's. Both are
 * copied. */
ClusterNodes *cluster_nodes_new(const char *self, const char *group, unsigned grace_ms,
                                ClusterNodeCb cb, void *arg);
void cluster_nodes_free(ClusterNodes *nodes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ClusterNodes, cluster_nodes_free)

/** The store is there again, from @now_ms on. */
void cluster_nodes_ready(ClusterNodes *nodes, int64_t now_ms);

/** What the store says now, all @n of them; nodes that it does not name are forgotten. */
void cluster_nodes_update(ClusterNodes *nodes, const StoreNode *const *list, unsigned n,
                          int64_t now_ms);

/** Is there no node but ourselves, living or dead, that could own a call? True before the first
 * list. */
bool cluster_nodes_alone(const ClusterNodes *nodes);

/** Other nodes that live, and that are dead. */
void cluster_nodes_count(const ClusterNodes *nodes, unsigned *ret_alive, unsigned *ret_dead);

/**
 * A DEAD member of the group whose calls have to be looked for; NULL when there is none. Each is
 * named when it dies, and again every @again_ms, as it may have written its last when it was thought
 * dead already. Borrowed until the next update.
 */
const char *cluster_nodes_due(ClusterNodes *nodes, int64_t now_ms, unsigned again_ms);
