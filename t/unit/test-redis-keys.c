/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "redis-schema/redis-keys.h"

static void layout(void)
{
    static const struct {
        char *(*make)(const char *);
        const char *from, *key;
    } rows[] = {
        {redis_key_call, "a84b4c76e66710@192.0.2.1", "e2ae:call:a84b4c76e66710@192.0.2.1"},
        {redis_key_call, "\xff{x}:calls", "e2ae:call:\xff{x}:calls"},
        {redis_key_node, "edge-1", "e2ae:node:edge-1"},
        {redis_key_node_calls, "edge-1", "e2ae:node:edge-1:calls"},
        {redis_key_node_taken, "edge-1", "e2ae:node:edge-1:taken"},
        {redis_key_group_cert, "east", "e2ae:group:east:cert"},
        {redis_key_cert, "sha-256 AB:CD", "e2ae:cert:sha-256:AB:CD"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *key = rows[i].make(rows[i].from);
        g_assert_cmpstr(key, ==, rows[i].key);
        g_assert_true(g_str_has_prefix(key, REDIS_KEY_PREFIX));
    }
}

static void node_ids(void)
{
    static const char *const good[] = {"a", "edge-1", "EDGE_1.example.net", "0"};
    static const char *const bad[] = {"", "a b", "a:calls", "a\"", "a%", "\xc3\xa9", "a\n", "a/b"};
    g_autofree char *longest = g_strnfill(REDIS_NODE_ID_MAX, 'x');
    g_autofree char *longer = g_strnfill(REDIS_NODE_ID_MAX + 1, 'x');

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
        g_assert_true(redis_node_id_valid(span_str(good[i])));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(redis_node_id_valid(span_str(bad[i])));
    g_assert_true(redis_node_id_valid(span_str(longest)));
    g_assert_false(redis_node_id_valid(span_str(longer)));
}

static void members_of_nodes(void)
{
    static const char *const bad[] = {"",      "edge-1",        "/edge-1",
                                      "east/", "east/edge-1/x", "ea st/edge-1"};
    Span group, node;

    g_assert_true(redis_nodes_member_split(SPAN("east/edge-1"), &group, &node));
    g_assert_true(span_eq(group, SPAN("east")) && span_eq(node, SPAN("edge-1")));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(redis_nodes_member_split(span_str(bad[i]), &group, &node));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/redis-schema/keys/layout", layout);
    g_test_add_func("/redis-schema/keys/node-ids", node_ids);
    g_test_add_func("/redis-schema/keys/members-of-nodes", members_of_nodes);
    return g_test_run();
}
