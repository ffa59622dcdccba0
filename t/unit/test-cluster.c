/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heartbeats, gaps in them, and what is made of the others. Real nodes are in t/integration/redis-takeover.py. */
#include "cluster/cluster.h"

#include "control-test.h"
#include "fake-store.h"

#define NODE         "node-1"
#define HEARTBEAT_MS 20
#define TIMEOUT_MS   200

typedef struct Fixture {
    uv_loop_t loop;
    FakeStore *fake;
    Cluster *cluster;
    unsigned running;
    unsigned doubts;
    bool verify; /* at once */
    GString *news;
    GString *claims;
    GString *alone; /* "no yes ..." */
} Fixture;

static void running_cb(void *arg)
{
    Fixture *f = arg;

    f->running++;
}

static void doubt_cb(void *arg)
{
    Fixture *f = arg;

    f->doubts++;
    if (f->verify)
        cluster_verified(f->cluster);
}

static void claim_cb(const char *id, void *arg)
{
    Fixture *f = arg;

    g_string_append_printf(f->claims, "%s ", id);
}

static void alone_cb(bool alone, void *arg)
{
    Fixture *f = arg;

    g_string_append(f->alone, alone ? "yes " : "no ");
}

static void news_cb(const char *event, const char *id, const char *text, void *arg)
{
    Fixture *f = arg;

    g_assert_true(*text);
    g_string_append_printf(f->news, "%s:%s ", event, id);
}

static void setup(Fixture *f, const void *data)
{
    static const ClusterConfig config = {NODE, "test", HEARTBEAT_MS, TIMEOUT_MS};
    const ClusterHooks hooks = {running_cb, doubt_cb, claim_cb, alone_cb, news_cb, f};

    (void)data;
    uv_loop_init(&f->loop);
    f->fake = fake_store_new(&f->loop, NODE);
    f->news = g_string_new(NULL);
    f->claims = g_string_new(NULL);
    f->alone = g_string_new(NULL);
    f->cluster = cluster_new(&f->loop, f->fake->store, &config, &hooks);
    g_string_truncate(test_log, 0);
}

static void teardown(Fixture *f, const void *data)
{
    (void)data;
    cluster_free(f->cluster);
    store_close(f->fake->store, NULL, NULL);
    test_loop_end(&f->loop);
    g_string_free(f->news, TRUE);
    g_string_free(f->claims, TRUE);
    g_string_free(f->alone, TRUE);
}

static void heartbeats(Fixture *f, const void *data)
{
    (void)data;
    cluster_store_state(f->cluster, STORE_READY);
    g_assert_cmpuint(f->fake->beats, ==, 1);
    RUN_UNTIL(&f->loop, f->fake->beats >= 4 && f->running >= 3);
    g_assert_cmpuint(f->doubts, ==, 0);
}

static void lost_heartbeat(Fixture *f, const void *data)
{
    (void)data;
    f->fake->beat_answer = STORE_NOT_FOUND;
    RUN_UNTIL(&f->loop, f->doubts == 1);
    g_assert_cmpint(cluster_state(f->cluster), ==, CLUSTER_DOUBTFUL);
    unsigned before = f->running;
    unsigned beats = f->fake->beats;
    RUN_UNTIL(&f->loop, f->fake->beats >= beats + 3);
    g_assert_cmpuint(f->running, ==, before); /* nothing is said before all is checked */
    cluster_verified(f->cluster);
    g_assert_cmpuint(f->running, ==, before + 1);
    g_assert_cmpint(cluster_state(f->cluster), ==, CLUSTER_RUNNING);
    assert_logged("The heartbeat of node node-1 was gone: others may have claimed its calls");
}

static void stand_still(void)
{
    g_usleep((TIMEOUT_MS + 50) * 1000); /* this is what is tested: a process that does nothing */
}

static void frozen_and_not_noticed(Fixture *f, const void *data)
{
    (void)data;
    RUN_UNTIL(&f->loop, f->running >= 1);
    f->fake->beat_answer = STORE_UNAVAILABLE;
    unsigned before = f->running;
    stand_still();
    RUN_UNTIL(&f->loop, cluster_state(f->cluster) == CLUSTER_FROZEN);
    unsigned beats = f->fake->beats;
    RUN_UNTIL(&f->loop, f->fake->beats >= beats + 3);
    g_assert_cmpuint(f->running, ==, before);
    f->fake->beat_answer = STORE_OK;
    RUN_UNTIL(&f->loop, cluster_state(f->cluster) == CLUSTER_RUNNING);
    g_assert_cmpuint(f->running, >, before);
    g_assert_cmpuint(f->doubts, ==, 0);
    assert_logged("Node node-1 stood still for ");
}

static void frozen_and_thought_dead(Fixture *f, const void *data)
{
    (void)data;
    RUN_UNTIL(&f->loop, f->running >= 1);
    unsigned before = f->running;
    f->fake->beat_answer = STORE_UNAVAILABLE;
    stand_still();
    RUN_UNTIL(&f->loop, cluster_state(f->cluster) == CLUSTER_FROZEN);
    f->fake->beat_answer = STORE_NOT_FOUND;
    RUN_UNTIL(&f->loop, f->doubts == 1);
    g_assert_cmpuint(f->running, ==, before);
    f->verify = true;
    f->fake->beat_answer = STORE_NOT_FOUND;
    RUN_UNTIL(&f->loop, f->doubts == 2); /* once more while it is checked */
    g_assert_cmpuint(f->running, ==, before + 1);
}

/* A store that is away cannot have let anybody claim, and must not stop what is running. */
static void frozen_without_store(Fixture *f, const void *data)
{
    (void)data;
    RUN_UNTIL(&f->loop, f->running >= 1);
    store_set_state(f->fake->store, STORE_AWAY, "as the test says");
    unsigned before = f->running;
    stand_still();
    RUN_UNTIL(&f->loop, cluster_state(f->cluster) == CLUSTER_FROZEN);
    g_assert_cmpuint(f->running, ==, before);
    RUN_UNTIL(&f->loop, cluster_state(f->cluster) == CLUSTER_RUNNING);
    assert_logged("The store does not tell node node-1 what others did meanwhile: it goes on");
}

/* What was answered before a freeze, and read after it, says nothing of the time between. */
static void old_answer(Fixture *f, const void *data)
{
    (void)data;
    cluster_store_state(f->cluster, STORE_READY);
    RUN_UNTIL(&f->loop, f->running >= 1);
    unsigned beats = f->fake->beats;
    RUN_UNTIL(&f->loop, f->fake->beats > beats); /* its answer is delivered by the loop, later */
    unsigned before = f->running;
    stand_still();
    f->fake->beat_answer = STORE_NOT_FOUND;
    RUN_UNTIL(&f->loop, f->doubts == 1);
    g_assert_cmpuint(f->running, ==, before);
}

/* A store that answers late or not at all, and counts as there: it is not known whose the calls are. */
static void heartbeat_not_renewed(Fixture *f, const void *data)
{
    (void)data;
    cluster_store_state(f->cluster, STORE_READY);
    RUN_UNTIL(&f->loop, f->running >= 1);
    f->fake->beat_answer = STORE_BAD;
    RUN_UNTIL(&f->loop, cluster_state(f->cluster) == CLUSTER_FROZEN);
    assert_logged("Node node-1 could not renew its heartbeat for ");
    f->fake->beat_answer = STORE_OK;
    RUN_UNTIL(&f->loop, cluster_state(f->cluster) == CLUSTER_RUNNING);
}

static void fenced(Fixture *f, const void *data)
{
    (void)data;
    f->fake->beat_answer = STORE_CONFLICT;
    unsigned before = f->fake->beats;
    RUN_UNTIL(&f->loop, f->fake->beats >= before + 3);
    assert_logged("Another process is node node-1 now");
    g_assert_cmpstr(f->news->str, ==, "node-fenced:node-1 ");
    g_assert_cmpuint(f->doubts, ==, 1); /* the calls are the other's */
}

static void others(Fixture *f, const void *data)
{
    (void)data;
    f->fake->other = "node-2";
    f->fake->other_ng = "udp:192.0.2.1:2223";
    cluster_store_state(f->cluster, STORE_READY);
    RUN_UNTIL(&f->loop, f->alone->len);
    g_assert_cmpstr(f->alone->str, ==, "no ");
    g_assert_cmpstr(f->news->str, ==, "node-back:node-2 ");
    f->fake->other_ng = NULL;
    RUN_UNTIL(&f->loop, f->claims->len);
    g_assert_cmpstr(f->claims->str, ==, "node-2 ");
    g_assert_cmpstr(f->news->str, ==, "node-back:node-2 node-lost:node-2 ");
    assert_logged("Node node-2 is lost: it has no heartbeat for 200 ms: its calls are claimed");
    f->fake->other = NULL;
    RUN_UNTIL(&f->loop, strcmp(f->alone->str, "no yes ") == 0);
}

/* Who does not know whether its own calls are its own takes none of others. */
static void doubtful_claims_nothing(Fixture *f, const void *data)
{
    (void)data;
    f->fake->beat_answer = STORE_NOT_FOUND;
    RUN_UNTIL(&f->loop, f->doubts == 1);
    f->fake->other = "node-2";
    RUN_UNTIL(&f->loop, strstr(f->news->str, "node-lost:node-2"));
    unsigned beats = f->fake->beats;
    RUN_UNTIL(&f->loop, f->fake->beats >= beats + 3);
    g_assert_cmpstr(f->claims->str, ==, "");
    cluster_verified(f->cluster);
    RUN_UNTIL(&f->loop, f->claims->len);
}

#define ADD(name, function) g_test_add("/cluster/" name, Fixture, NULL, setup, function, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    ADD("heartbeats", heartbeats);
    ADD("lost-heartbeat", lost_heartbeat);
    ADD("frozen-and-not-noticed", frozen_and_not_noticed);
    ADD("frozen-and-thought-dead", frozen_and_thought_dead);
    ADD("frozen-without-store", frozen_without_store);
    ADD("old-answer", old_answer);
    ADD("heartbeat-not-renewed", heartbeat_not_renewed);
    ADD("fenced", fenced);
    ADD("others", others);
    ADD("doubtful-claims-nothing", doubtful_claims_nothing);
    return g_test_run();
}
