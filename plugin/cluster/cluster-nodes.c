/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "cluster/cluster-nodes.h"

#define NEVER G_MININT64

typedef struct Node {
    char *id;
    bool member;
    ClusterNodeState state;
    int64_t claimed_ms; /* when its calls were looked for last; NEVER = not since it died */
    bool named;         /* by the list at hand */
} Node;

struct ClusterNodes {
    char *self;
    char *group;
    unsigned grace_ms;
    ClusterNodeCb cb;
    void *arg;
    int64_t ready_ms;
    GHashTable *by_id; /* -> Node, owned; without ourselves */
};

static void node_free(void *data)
{
    Node *node = data;

    g_free(node->id);
    g_free(node);
}

ClusterNodes *cluster_nodes_new(const char *self, const char *group, unsigned grace_ms,
                                ClusterNodeCb cb, void *arg)
{
    ClusterNodes *nodes = g_new0(ClusterNodes, 1);

    nodes->self = g_strdup(self);
    nodes->group = g_strdup(group);
    nodes->grace_ms = grace_ms;
    nodes->cb = cb;
    nodes->arg = arg;
    nodes->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, node_free);
    return nodes;
}

void cluster_nodes_free(ClusterNodes *nodes)
{
    if (!nodes)
        return;
    g_hash_table_unref(nodes->by_id);
    g_free(nodes->group);
    g_free(nodes->self);
    g_free(nodes);
}

void cluster_nodes_ready(ClusterNodes *nodes, int64_t now_ms)
{
    nodes->ready_ms = now_ms;
}

static Node *node_of(ClusterNodes *nodes, const char *id)
{
    Node *node = g_hash_table_lookup(nodes->by_id, id);

    if (node)
        return node;
    node = g_new0(Node, 1);
    node->id = g_strdup(id);
    node->state = CLUSTER_NODE_MISSING; /* so that the first news of it are told */
    g_hash_table_insert(nodes->by_id, node->id, node);
    return node;
}

static void set_state(const ClusterNodes *nodes, Node *node, ClusterNodeState state)
{
    if (node->state == state)
        return;
    node->state = state;
    node->claimed_ms = NEVER;
    if (state != CLUSTER_NODE_MISSING)
        nodes->cb(node->id, node->member, state, nodes->arg);
}

static void look(ClusterNodes *nodes, const StoreNode *seen, int64_t now_ms)
{
    Node *node = node_of(nodes, seen->id);

    node->named = true;
    node->member = nodes->group && g_strcmp0(seen->group, nodes->group) == 0;
    if (seen->heartbeat)
        set_state(nodes, node, CLUSTER_NODE_ALIVE);
    else if (now_ms - nodes->ready_ms >= nodes->grace_ms)
        set_state(nodes, node, CLUSTER_NODE_DEAD);
    else if (node->state == CLUSTER_NODE_ALIVE)
        set_state(nodes, node, CLUSTER_NODE_MISSING);
}

static gboolean was_not_named(void *key, void *value, void *arg)
{
    Node *node = value;
    bool gone = !node->named;

    (void)key, (void)arg;
    node->named = false;
    return gone;
}

void cluster_nodes_update(ClusterNodes *nodes, const StoreNode *const *list, unsigned n,
                          int64_t now_ms)
{
    for (unsigned i = 0; i < n; i++)
        if (strcmp(list[i]->id, nodes->self) != 0)
            look(nodes, list[i], now_ms);
    g_hash_table_foreach_remove(nodes->by_id, was_not_named, NULL);
}

bool cluster_nodes_alone(const ClusterNodes *nodes)
{
    return g_hash_table_size(nodes->by_id) == 0;
}

void cluster_nodes_count(const ClusterNodes *nodes, unsigned *ret_alive, unsigned *ret_dead)
{
    GHashTableIter i;
    void *value;

    *ret_alive = *ret_dead = 0;
    g_hash_table_iter_init(&i, nodes->by_id);
    while (g_hash_table_iter_next(&i, NULL, &value)) {
        const Node *node = value;
        *ret_alive += node->state == CLUSTER_NODE_ALIVE;
        *ret_dead += node->state == CLUSTER_NODE_DEAD;
    }
}

const char *cluster_nodes_due(ClusterNodes *nodes, int64_t now_ms, unsigned again_ms)
{
    GHashTableIter i;
    void *value;

    g_hash_table_iter_init(&i, nodes->by_id);
    while (g_hash_table_iter_next(&i, NULL, &value)) {
        Node *node = value;
        if (node->state != CLUSTER_NODE_DEAD || !node->member ||
            (node->claimed_ms != NEVER && now_ms - node->claimed_ms < again_ms))
            continue;
        node->claimed_ms = now_ms;
        return node->id;
    }
    return NULL;
}
