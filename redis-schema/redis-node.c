/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "redis-schema/redis-node.h"

#include "redis-schema/redis-fields.h"
#include "redis-schema/redis-keys.h"

static const RedisField rest_fields[] = {
    {.name = "node", .type = REDIS_BYTES, .offset = offsetof(RedisNode, node), .required = true},
    {.name = "group", .type = REDIS_BYTES, .offset = offsetof(RedisNode, group), .required = true},
    {.name = "ng", .type = REDIS_BYTES, .offset = offsetof(RedisNode, ng), .required = true},
    {.name = "started", .type = REDIS_BIG, .offset = offsetof(RedisNode, started)},
    {.name = "version", .type = REDIS_BYTES, .offset = offsetof(RedisNode, version)},
};
static const RedisTable rest_table = {sizeof(RedisNode), rest_fields, G_N_ELEMENTS(rest_fields)};

static const RedisField head_fields[] = {
    {.name = "epoch", .type = REDIS_BIG, .offset = offsetof(RedisNode, epoch), .required = true},
};
static const RedisTable head_table = {sizeof(RedisNode), head_fields, G_N_ELEMENTS(head_fields)};

RedisNode *redis_node_new(const char *id, const char *group, const char *ng)
{
    RedisNode *node = redis_fields_new(&rest_table);

    node->node = g_strdup(id);
    node->group = g_strdup(group);
    node->ng = g_strdup(ng);
    return node;
}

void redis_node_free(RedisNode *node)
{
    redis_fields_free(&rest_table, node);
}

char *redis_node_print_head(void)
{
    return g_strdup_printf("{\"schema\":%d,\"minor\":%d,", REDIS_SCHEMA, REDIS_MINOR);
}

char *redis_node_print_rest(const RedisNode *node)
{
    g_autoptr(GString) out = g_string_new("{");

    redis_fields_write(&rest_table, node, out);
    g_string_append_c(out, '}');
    g_string_erase(out, 0, 1); /* the bracket that let the first member go without a comma */
    return g_string_free(g_steal_pointer(&out), FALSE);
}

RedisNode *redis_node_parse(Span json, GError **error)
{
    g_autoptr(RedisNode) node = redis_node_new(NULL, NULL, NULL);
    g_autoptr(JsonParser) parser = redis_json_parse(json, error);

    if (!parser)
        return NULL;
    JsonObject *object = json_node_get_object(json_parser_get_root(parser));
    if (!redis_fields_read(&head_table, object, node, error) ||
        !redis_fields_read(&rest_table, object, node, error)) {
        g_prefix_error(error, "heartbeat: ");
        return NULL;
    }
    if (!redis_node_id_valid(span_str(node->node)) || !redis_node_id_valid(span_str(node->group))) {
        g_set_error(error, REDIS_ERROR, REDIS_ERROR_FIELD, "heartbeat: not a node-id or group");
        return NULL;
    }
    return g_steal_pointer(&node);
}
