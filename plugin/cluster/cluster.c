/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "cluster"
#include "config.h"

#include "cluster/cluster.h"

#include <time.h>

/* Times of the node timeout: how long a store that is back may lack heartbeats of living nodes, and
 * how often the calls of a dead node are looked for again. */
#define GRACE_TIMEOUTS 2
#define AGAIN_TIMEOUTS 3

/* What the store has been asked; outlives the cluster if that is freed meanwhile. */
typedef struct Asked {
    Cluster *cluster; /* NULL: nobody is interested any more */
    StoreCb cb;
    bool under_way;
    int64_t at_ms; /* when it was asked last */
} Asked;

struct Cluster {
    Store *store;
    ClusterConfig config;
    char *node;
    char *group;
    ClusterHooks hooks;
    ClusterNodes *nodes;
    uv_timer_t *timer;
    ClusterState state;
    int64_t ticked_ms; /* the last tick */
    int64_t sure_ms;   /* when the last heartbeat was asked for that has been found in its place */
    int64_t unsure_ms; /* since when it is FROZEN or DOUBTFUL */
    bool fenced;       /* another process has our node-id, and it has been told */
    bool listed;       /* it is known who is there */
    bool alone;
    Asked *beat;
    Asked *list;
};

/* Goes on while the machine sleeps, as the store's clock does; libuv's stands still within a turn of
 * the loop. */
static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- asking */

static void asked_cb(const StoreReply *reply, void *arg)
{
    Asked *asked = arg;

    asked->under_way = false;
    if (asked->cluster)
        asked->cb(reply, asked->cluster);
    else
        g_free(asked);
}

static Asked *asked_new(Cluster *c, StoreCb cb)
{
    Asked *asked = g_new0(Asked, 1);

    asked->cluster = c;
    asked->cb = cb;
    return asked;
}

static void asked_free(Asked *asked)
{
    asked->cluster = NULL;
    if (!asked->under_way)
        g_free(asked);
}

/* One at a time: a slow store is not asked more. */
static void ask(Asked *asked, void (*function)(Store *store, StoreCb cb, void *arg))
{
    if (asked->under_way)
        return;
    asked->under_way = true;
    asked->at_ms = now_ms();
    function(asked->cluster->store, asked_cb, asked);
}

/* ---- our own life */

unsigned cluster_lease_ms(unsigned heartbeat_ms, unsigned timeout_ms)
{
    return timeout_ms - heartbeat_ms;
}

static int64_t lease_ms(const Cluster *c)
{
    return cluster_lease_ms(c->config.heartbeat_ms, c->config.timeout_ms);
}

static void run_on(Cluster *c)
{
    c->state = CLUSTER_RUNNING;
    c->hooks.running(c->hooks.arg);
}

static void freeze(Cluster *c, const char *why, int64_t since_ms)
{
    g_warning("Node %s %s for %" G_GINT64_FORMAT
              " ms (--node-timeout=%u): its streams rest until it "
              "knows that they are still its own",
              c->node, why, now_ms() - since_ms, c->config.timeout_ms);
    c->state = CLUSTER_FROZEN;
    c->unsure_ms = now_ms();
}

static void doubt(Cluster *c)
{
    g_warning(
        "The heartbeat of node %s was gone: others may have claimed its calls, every record is "
        "checked",
        c->node);
    c->state = CLUSTER_DOUBTFUL;
    c->unsure_ms = now_ms();
    c->hooks.doubt(c->hooks.arg);
}

/* Its calls are that process's, who has claimed them or will. */
static void fence(Cluster *c)
{
    g_autofree char *text = g_strdup_printf("Another process is node %s now, and has its calls: "
                                            "give every node its own --node-id",
                                            c->node);

    if (c->fenced)
        return;
    c->fenced = true;
    g_warning("%s", text);
    c->hooks.news("node-fenced", c->node, text, c->hooks.arg);
    doubt(c);
}

/* The heartbeat was in its place when the store took the new one, so nobody has claimed anything
 * before. That says nothing of now if it was long ago: before a freeze, say. */
static void found(Cluster *c)
{
    if (now_ms() - c->beat->at_ms > lease_ms(c))
        return;
    c->sure_ms = c->beat->at_ms;
    if (c->state != CLUSTER_DOUBTFUL)
        run_on(c);
}

static void beat_cb(const StoreReply *reply, void *arg)
{
    Cluster *c = arg;

    if (reply->status == STORE_CONFLICT)
        fence(c);
    else if (reply->status == STORE_OK && !reply->found)
        doubt(c);
    else if (reply->status == STORE_OK)
        found(c);
}

void cluster_verified(Cluster *c)
{
    if (c->state != CLUSTER_DOUBTFUL)
        return;
    c->sure_ms = c->beat->at_ms;
    run_on(c);
}

/* ---- the others */

static void node_cb(const char *id, bool member, ClusterNodeState state, void *arg)
{
    Cluster *c = arg;
    const char *what = member ? "its calls are claimed" : "its calls are claimed when asked for";
    g_autofree char *text = NULL;

    if (state == CLUSTER_NODE_ALIVE) {
        g_message("Node %s is there", id);
        c->hooks.news("node-back", id, "it has a heartbeat", c->hooks.arg);
        return;
    }
    text = g_strdup_printf("it has no heartbeat for %u ms: %s", c->config.timeout_ms, what);
    g_warning("Node %s is lost: %s", id, text);
    c->hooks.news("node-lost", id, text, c->hooks.arg);
}

static void tell_alone(Cluster *c)
{
    bool alone = cluster_nodes_alone(c->nodes);

    if (c->listed && alone == c->alone)
        return;
    c->listed = true;
    c->alone = alone;
    c->hooks.alone(alone, c->hooks.arg);
}

static void nodes_cb(const StoreReply *reply, void *arg)
{
    Cluster *c = arg;
    const char *dead;

    if (reply->status != STORE_OK || c->fenced)
        return;
    cluster_nodes_update(c->nodes, reply->nodes, reply->n, now_ms());
    tell_alone(c);
    while (c->state == CLUSTER_RUNNING &&
           (dead = cluster_nodes_due(c->nodes, now_ms(), AGAIN_TIMEOUTS * c->config.timeout_ms)))
        c->hooks.claim(dead, c->hooks.arg);
}

/* ---- the clockwork */

/* Who cannot ask cannot be told: a store that is away must not stop what is running. */
static void without_store(Cluster *c, int64_t now)
{
    if (c->state == CLUSTER_RUNNING) {
        c->sure_ms = now; /* it counts from when the store is back */
        run_on(c);
    } else if (now - c->unsure_ms > c->config.timeout_ms) {
        g_warning("The store does not tell node %s what others did meanwhile: it goes on", c->node);
        c->sure_ms = now;
        run_on(c);
    }
}

static void look_at_clock(Cluster *c)
{
    int64_t now = now_ms();
    int64_t before = c->ticked_ms;

    c->ticked_ms = now;
    if (c->state == CLUSTER_RUNNING && now - before > lease_ms(c))
        freeze(c, "stood still", before);
    else if (store_state(c->store) != STORE_READY)
        without_store(c, now);
    else if (c->state == CLUSTER_RUNNING && now - c->sure_ms > c->config.timeout_ms)
        freeze(c, "could not renew its heartbeat", c->sure_ms);
}

static void tick(uv_timer_t *timer)
{
    Cluster *c = timer->data;

    look_at_clock(c);
    if (store_state(c->store) != STORE_READY)
        return;
    ask(c->beat, store_heartbeat);
    ask(c->list, store_nodes);
}

void cluster_store_state(Cluster *c, StoreState state)
{
    if (state != STORE_READY)
        return;
    cluster_nodes_ready(c->nodes, now_ms());
    ask(c->beat, store_heartbeat);
    ask(c->list, store_nodes);
}

Cluster *cluster_new(uv_loop_t *loop, Store *store, const ClusterConfig *config,
                     const ClusterHooks *hooks)
{
    Cluster *c = g_new0(Cluster, 1);

    c->store = store;
    c->config = *config;
    c->node = g_strdup(config->node);
    c->group = g_strdup(config->group);
    c->hooks = *hooks;
    c->ticked_ms = c->sure_ms = now_ms();
    c->nodes =
        cluster_nodes_new(c->node, c->group, GRACE_TIMEOUTS * config->timeout_ms, node_cb, c);
    c->beat = asked_new(c, beat_cb);
    c->list = asked_new(c, nodes_cb);
    c->timer = g_new0(uv_timer_t, 1);
    c->timer->data = c;
    uv_timer_init(loop, c->timer);
    uv_timer_start(c->timer, tick, config->heartbeat_ms, config->heartbeat_ms);
    return c;
}

static void timer_closed(uv_handle_t *handle)
{
    g_free(handle);
}

void cluster_free(Cluster *c)
{
    if (!c)
        return;
    uv_close((uv_handle_t *)c->timer, timer_closed);
    asked_free(c->beat);
    asked_free(c->list);
    cluster_nodes_free(c->nodes);
    g_free(c->node);
    g_free(c->group);
    g_free(c);
}

ClusterState cluster_state(const Cluster *c)
{
    return c->state;
}

const ClusterNodes *cluster_nodes(const Cluster *c)
{
    return c->nodes;
}
