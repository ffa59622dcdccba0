/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cluster/cluster-nodes.h"

#define GRACE_MS 1000

typedef struct Fixture {
    ClusterNodes *nodes;
    GString *news; /* "edge-2:alive edge-2:dead ..." */
} Fixture;

static void node_cb(const char *id, bool member, ClusterNodeState state, void *arg)
{
    Fixture *f = arg;

    g_string_append_printf(f->news, "%s:%s%s ", id, state == CLUSTER_NODE_ALIVE ? "alive" : "dead",
                           member ? "" : ":stranger");
}

static void setup(Fixture *f, const void *group)
{
    f->news = g_string_new(NULL);
    f->nodes = cluster_nodes_new("edge-1", group, GRACE_MS, node_cb, f);
    cluster_nodes_ready(f->nodes, 0);
}

static void teardown(Fixture *f, const void *group)
{
    (void)group;
    cluster_nodes_free(f->nodes);
    g_string_free(f->news, TRUE);
}

/* The list at @now_ms; @text is "GROUP/ID" of living nodes, with "!" before those that are dead. */
static void update(Fixture *f, int64_t now_ms, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    StoreNode node[8] = {0};
    const StoreNode *list[8];
    unsigned n = 0;

    for (; words[n] && *words[n]; n++) {
        bool dead = words[n][0] == '!';
        char **parts = g_strsplit(words[n] + dead, "/", 2);
        node[n] =
            (StoreNode){parts[1], parts[0], dead ? NULL : redis_node_new(parts[1], parts[0], "")};
        list[n] = &node[n];
        g_free(parts);
    }
    cluster_nodes_update(f->nodes, list, n, now_ms);
    for (unsigned i = 0; i < n; i++) {
        g_free(node[i].id);
        g_free(node[i].group);
        redis_node_free(node[i].heartbeat);
    }
}

static void alone(Fixture *f, const void *group)
{
    (void)group;
    g_assert_true(cluster_nodes_alone(f->nodes));
    update(f, 10, "east/edge-1");
    g_assert_true(cluster_nodes_alone(f->nodes));
    update(f, 20, "east/edge-1 west/other");
    g_assert_false(cluster_nodes_alone(f->nodes));
    /* the dead have calls, too */
    update(f, 30, "east/edge-1 !west/other");
    g_assert_false(cluster_nodes_alone(f->nodes));
    update(f, 40, "east/edge-1");
    g_assert_true(cluster_nodes_alone(f->nodes));
}

static void dies_and_comes_back(Fixture *f, const void *group)
{
    unsigned alive, dead;

    (void)group;
    update(f, 5000, "east/edge-1 east/edge-2 east/edge-3");
    g_assert_null(cluster_nodes_due(f->nodes, 5000, 300));
    update(f, 5500, "east/edge-1 !east/edge-2 east/edge-3");
    g_assert_cmpstr(cluster_nodes_due(f->nodes, 5500, 300), ==, "edge-2");
    g_assert_null(cluster_nodes_due(f->nodes, 5500, 300));
    cluster_nodes_count(f->nodes, &alive, &dead);
    g_assert_cmpuint(alive, ==, 1);
    g_assert_cmpuint(dead, ==, 1);
    /* what it wrote last may have come late */
    g_assert_null(cluster_nodes_due(f->nodes, 5799, 300));
    g_assert_cmpstr(cluster_nodes_due(f->nodes, 5800, 300), ==, "edge-2");
    update(f, 5900, "east/edge-1 east/edge-2 east/edge-3");
    g_assert_null(cluster_nodes_due(f->nodes, 9000, 300));
    update(f, 6000, "east/edge-1 !east/edge-2 east/edge-3");
    g_assert_cmpstr(cluster_nodes_due(f->nodes, 6000, 300), ==, "edge-2");
    g_assert_cmpstr(f->news->str, ==,
                    "edge-2:alive edge-3:alive edge-2:dead edge-2:alive edge-2:dead ");
}

/* After an outage of the store all heartbeats are gone at once. */
static void grace(Fixture *f, const void *group)
{
    (void)group;
    update(f, 5000, "east/edge-2");
    cluster_nodes_ready(f->nodes, 20000);
    update(f, 20000, "!east/edge-2");
    update(f, 20000 + GRACE_MS - 1, "!east/edge-2");
    g_assert_null(cluster_nodes_due(f->nodes, 20000 + GRACE_MS - 1, 300));
    g_assert_cmpstr(f->news->str, ==, "edge-2:alive ");
    update(f, 20000 + GRACE_MS, "!east/edge-2");
    g_assert_cmpstr(cluster_nodes_due(f->nodes, 20000 + GRACE_MS, 300), ==, "edge-2");
}

static void comes_back_in_grace(Fixture *f, const void *group)
{
    (void)group;
    update(f, 5000, "east/edge-2");
    cluster_nodes_ready(f->nodes, 20000);
    update(f, 20000, "!east/edge-2");
    update(f, 20500, "east/edge-2");
    update(f, 20000 + GRACE_MS, "east/edge-2");
    g_assert_null(cluster_nodes_due(f->nodes, 20000 + GRACE_MS, 300));
    g_assert_cmpstr(f->news->str, ==, "edge-2:alive edge-2:alive ");
}

static void strangers(Fixture *f, const void *group)
{
    (void)group;
    update(f, 5000, "!west/edge-2 !east/edge-1");
    g_assert_null(cluster_nodes_due(f->nodes, 5000, 300)); /* another group, and ourselves */
    g_assert_cmpstr(f->news->str, ==, "edge-2:dead:stranger ");
}

static void no_group(Fixture *f, const void *group)
{
    (void)group;
    update(f, 5000, "!default/edge-2");
    g_assert_null(cluster_nodes_due(f->nodes, 5000, 300));
}

#define ADD(name, group, function)                                                                 \
    g_test_add("/cluster/nodes/" name, Fixture, group, setup, function, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("alone", "east", alone);
    ADD("dies-and-comes-back", "east", dies_and_comes_back);
    ADD("grace", "east", grace);
    ADD("comes-back-in-grace", "east", comes_back_in_grace);
    ADD("strangers", "east", strangers);
    ADD("no-group", NULL, no_group);
    return g_test_run();
}
