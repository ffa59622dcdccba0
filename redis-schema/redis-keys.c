/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "redis-schema/redis-keys.h"

bool redis_node_id_valid(Span id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!g_ascii_isalnum(id.p[i]) && id.p[i] != '.' && id.p[i] != '_' && id.p[i] != '-')
            return false;
    return id.len > 0 && id.len <= REDIS_NODE_ID_MAX;
}

char *redis_key_call(const char *call_id)
{
    return g_strconcat(REDIS_KEY_PREFIX "call:", call_id, NULL);
}

char *redis_key_node(const char *node)
{
    return g_strconcat(REDIS_KEY_PREFIX "node:", node, NULL);
}

char *redis_key_node_calls(const char *node)
{
    return g_strconcat(REDIS_KEY_PREFIX "node:", node, ":calls", NULL);
}

char *redis_key_node_taken(const char *node)
{
    return g_strconcat(REDIS_KEY_PREFIX "node:", node, ":taken", NULL);
}

bool redis_nodes_member_split(Span member, Span *ret_group, Span *ret_node)
{
    Span node = member;
    Span group = span_cut(&node, '/');

    if (!redis_node_id_valid(group) || !redis_node_id_valid(node))
        return false;
    *ret_group = group;
    *ret_node = node;
    return true;
}

char *redis_key_cert(const char *fingerprint)
{
    return g_strdelimit(g_strconcat(REDIS_KEY_PREFIX "cert:", fingerprint, NULL), " ", ':');
}

char *redis_key_group_cert(const char *group)
{
    return g_strconcat(REDIS_KEY_PREFIX "group:", group, ":cert", NULL);
}
