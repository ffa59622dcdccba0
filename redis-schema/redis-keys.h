/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * redis-keys.h: the names of the keys, and how long they live (README.md, "Keys").
 *
 * Threads: any; no state. What a function returns is owned by the caller.
 */
#pragma once

#include "base/span.h"

/** Every key of ours begins with this, and no other key may be in our database. */
#define REDIS_KEY_PREFIX "e2ae:"

/** Channel of the events. */
#define REDIS_EVENTS_CHANNEL "e2ae:events"

/** Seconds that a call's record lives after it was written last: as rtpengine's redis-expires. */
#define REDIS_CALL_TTL 86400
/** Milliseconds that a node counts as alive after its last heartbeat. */
#define REDIS_NODE_TTL_MS 2000
/** Seconds that a frozen node may be away and still learn which of its calls were taken. */
#define REDIS_TAKEN_TTL 3600
/** The nodes, a sorted set of "GROUP/NODE-ID". */
#define REDIS_KEY_NODES REDIS_KEY_PREFIX "nodes"

#define REDIS_NODE_ID_MAX 64

/** May @id name a node or a group? 1 to 64 letters, digits, '.', '_' and '-'. */
bool redis_node_id_valid(Span id);

/** The record of a call: "e2ae:call:" and the Call-ID, its bytes as they are. */
char *redis_key_call(const char *call_id);

/** The heartbeat of a node: "e2ae:node:NODE-ID". */
char *redis_key_node(const char *node);

/** The calls of a node, a sorted set of Call-IDs: "e2ae:node:NODE-ID:calls". */
char *redis_key_node_calls(const char *node);

/** The calls that others have taken from a node, a hash of Call-ID to "EPOCH CLAIMER":
 * "e2ae:node:NODE-ID:taken". */
char *redis_key_node_taken(const char *node);

/** Group and node-id of a member of REDIS_KEY_NODES; both borrow from it. False when it is none. */
bool redis_nodes_member_split(Span member, Span *ret_group, Span *ret_node);

/** The sealed certificate with that fingerprint, a text of fp_text() without the blank in it:
 * "e2ae:cert:sha-256:AB:CD...". */
char *redis_key_cert(const char *fingerprint);

/** The fingerprint of the certificate that the group's new streams present:
 * "e2ae:group:GROUP:cert". */
char *redis_key_group_cert(const char *group);
