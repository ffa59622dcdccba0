/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * redis-node.h: the heartbeat of a node as a struct; README.md documents every member.
 *
 * Threads: an object is used by one thread only.
 * Owner:   whoever made or parsed it frees it.
 */
#pragma once

#include "base/span.h"
#include "redis-schema/redis-error.h"

typedef struct RedisNode {
    uint64_t epoch;
    char *node;       /* node-id */
    char *group;      /* of nodes that may claim each other's calls */
    char *ng;         /* where it takes ng commands: "udp:192.0.2.1:2223" */
    uint64_t started; /* seconds since 1970 */
    char *version;    /* of the program, for people; may be NULL */
} RedisNode;

RedisNode *redis_node_new(const char *node, const char *group, const char *ng);
void redis_node_free(RedisNode *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RedisNode, redis_node_free)

/** The part of the JSON before the epoch, which heartbeat.lua puts between the two. Owned by the
 * caller. */
char *redis_node_print_head(void);

/** The part behind the epoch. Owned by the caller. */
char *redis_node_print_rest(const RedisNode *node);

/** The heartbeat in @json, owned by the caller; NULL and an error of REDIS_ERROR. */
RedisNode *redis_node_parse(Span json, GError **error);
