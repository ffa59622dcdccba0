/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "redis-schema/redis-json.h"
#include "redis-schema/redis-node.h"

static void there_and_back(void)
{
    g_autoptr(RedisNode) node = redis_node_new("edge-1", "east", "udp:[2001:db8::1]:2223");
    g_autoptr(GError) error = NULL;

    node->started = 1700000000;
    node->version = g_strdup("0.1.0");
    g_autofree char *head = redis_node_print_head();
    g_autofree char *rest = redis_node_print_rest(node);
    g_assert_cmpstr(head, ==, "{\"schema\":1,\"minor\":0,");
    g_autofree char *json = g_strdup_printf("%s\"epoch\":17,%s", head, rest);
    g_assert_cmpstr(json, ==,
                    "{\"schema\":1,\"minor\":0,\"epoch\":17,\"node\":\"edge-1\",\"group\":\"east\","
                    "\"ng\":\"udp:[2001:db8::1]:2223\",\"started\":1700000000,"
                    "\"version\":\"0.1.0\"}");
    g_autoptr(RedisNode) back = redis_node_parse(span_str(json), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(back->epoch, ==, 17);
    g_assert_cmpstr(back->node, ==, "edge-1");
    g_assert_cmpstr(back->group, ==, "east");
    g_assert_cmpstr(back->ng, ==, node->ng);
    g_assert_cmpuint(back->started, ==, 1700000000);
    g_assert_cmpstr(back->version, ==, "0.1.0");
}

static void refuses(void)
{
    static const struct {
        const char *json;
        int code;
    } rows[] = {
        {"", REDIS_ERROR_JSON},
        {"{\"schema\":2,\"epoch\":1,\"node\":\"a\",\"group\":\"b\",\"ng\":\"\"}",
         REDIS_ERROR_SCHEMA},
        {"{\"schema\":1,\"node\":\"a\",\"group\":\"b\",\"ng\":\"\"}", REDIS_ERROR_FIELD},
        {"{\"schema\":1,\"epoch\":-1,\"node\":\"a\",\"group\":\"b\",\"ng\":\"\"}",
         REDIS_ERROR_FIELD},
        {"{\"schema\":1,\"epoch\":1,\"group\":\"b\",\"ng\":\"\"}", REDIS_ERROR_FIELD},
        {"{\"schema\":1,\"epoch\":1,\"node\":\"a:b\",\"group\":\"b\",\"ng\":\"\"}",
         REDIS_ERROR_FIELD},
        {"{\"schema\":1,\"epoch\":1,\"node\":\"a\",\"group\":\"\",\"ng\":\"\"}", REDIS_ERROR_FIELD},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(redis_node_parse(span_str(rows[i].json), &error));
        g_assert_error(error, REDIS_ERROR, rows[i].code);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/redis-schema/node/there-and-back", there_and_back);
    g_test_add_func("/redis-schema/node/refuses", refuses);
    return g_test_run();
}
