/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calls of other nodes, in a real Redis: requests go to the owner, or the call is taken over. The owner is a node
 * that was here before: this program under another name. */
#include "calls-fixture.h"
#include "store-fixture.h"

#include "control/control-call.h"
#include "ng-protocol/ng-reply.h"

#define OWNER "node-2"

typedef struct Fixture {
    Calls c; /* the first, see make_store() */
    TestRedis *redis;
    Addr owner_addr; /* its ng port */
    TestSocket *owner;
    GPtrArray *forwarded; /* of NgMessage */
    const char *answer;   /* of the owner: a body; NULL = it is silent */
} Fixture;

static Store *make_store(Calls *c);

static const CallsOptions options = {.shared = true, .make_store = make_store};
static const CallsOptions impatient = {
    .shared = true, .make_store = make_store, .node_ttl_ms = 300};
static const CallsOptions many = {.shared = true, .make_store = make_store, .ports = 600};
static const CallsOptions elsewhere = {.shared = true, .make_store = make_store, .first_host = 3};

static void state_cb(StoreState state, const char *text, void *arg)
{
    Calls *c = arg;

    if (c->calls)
        control_calls_store_state(c->calls, state, text);
}

static Store *make_store(Calls *c)
{
    Fixture *f = (Fixture *)c;
    bool owner = strcmp(c->node, OWNER) == 0;
    char text[ADDR_TEXT_MAX];
    g_autofree char *ng =
        owner ? g_strdup_printf("udp:%s", addr_text(&f->owner_addr, text)) : g_strdup("");
    StoreOptions store = {.node = c->node,
                          .group = "east",
                          .ng = ng,
                          .node_ttl_ms = 600000,
                          .watch = {state_cb, NULL, c}};
    g_autofree char *at = g_strdup_printf("%s/3", f->redis->socket);
    g_autoptr(GError) error = NULL;
    StoreTarget target;

    store_target_init(&target);
    target.command_ms = target.connect_ms = 10000;
    store_target_parse(&target, at, &error);
    g_assert_no_error(error);
    Store *s = store_redis_new(&c->loop, &store, &target, &error);
    g_assert_no_error(error);
    store_target_clear(&target);
    return s;
}

/* ---- the owner */

static void owner_replies(Fixture *f, guint i)
{
    const NgMessage *message = f->forwarded->pdata[i];
    g_autoptr(GString) out = g_string_new_len(message->cookie.p, (gssize)message->cookie.len);

    g_string_append_printf(out, " %s", f->answer);
    test_socket_send(f->owner, &f->owner->from, (Span){out->str, out->len});
}

static void on_forwarded(TestSocket *s, Span datagram)
{
    Fixture *f = s->user_data;
    NgEnvelope env;

    g_assert_true(ng_envelope_open(datagram, &env, NULL));
    for (guint i = 0; i < f->forwarded->len; i++)
        if (span_eq(((const NgMessage *)f->forwarded->pdata[i])->cookie, env.cookie))
            return; /* sent again, under the same cookie */
    g_ptr_array_add(f->forwarded, ng_message_new(&env, NULL));
    if (f->answer)
        owner_replies(f, f->forwarded->len - 1);
}

static const NgValue *forwarded(Fixture *f, guint n)
{
    RUN_UNTIL(&f->c.loop, f->forwarded->len >= n);
    g_assert_cmpuint(f->forwarded->len, ==, n);
    return ((const NgMessage *)f->forwarded->pdata[n - 1])->dict;
}

static void owner_dies(Fixture *f)
{
    assert_redis(f->redis, "1", "DEL e2ae:node:" OWNER);
}

/* ---- life of the test */

/* The store that calls_set_up() makes has to know it before there is a loop for the socket. */
static Addr free_addr(void)
{
    uv_loop_t loop;

    uv_loop_init(&loop);
    TestSocket *probe = test_socket_new(&loop, test_any_port("127.0.0.1"));
    Addr at = probe->addr;
    test_socket_free(&loop, probe);
    test_loop_end(&loop);
    return at;
}

static void setup(Fixture *f, const void *data)
{
    f->redis = test_redis_start(NULL);
    f->c.node = OWNER;
    f->forwarded = g_ptr_array_new_with_free_func((GDestroyNotify)ng_message_free);
    f->answer = "d5:owner3:yes6:result2:oke";
    f->owner_addr = free_addr();
    calls_set_up(&f->c, data);
    f->owner = test_socket_new(&f->c.loop, f->owner_addr);
    f->owner->on = on_forwarded;
    f->owner->user_data = f;
    RUN_UNTIL(&f->c.loop, store_state(f->c.store) == STORE_READY);
}

static void teardown(Fixture *f, const void *data)
{
    test_socket_free(&f->c.loop, f->owner);
    calls_tear_down(&f->c, data);
    g_ptr_array_unref(f->forwarded);
    test_redis_free(f->redis);
}

/* From here on the owner is somebody else, and we are node-1. */
static void change_sides(Fixture *f, const CallsOptions *o)
{
    Store *old = f->c.store;

    f->c.node = CALLS_NODE;
    f->c.store = make_store(&f->c);
    calls_restart(&f->c, o);
    store_close(old, NULL, NULL);
    RUN_UNTIL(&f->c.loop, store_state(f->c.store) == STORE_READY);
    control_calls_set_alone(f->c.calls, false);
    g_ptr_array_set_size(f->c.asked, 0);
}

static NgValue *answer(const char *call_id)
{
    g_autofree char *sdp = calls_core_sdp(false, 1);

    return calls_dict("answer", call_id, "from-tag", "ue", "to-tag", "core", "sdp", sdp, NULL);
}

static NgValue *offer(const char *call_id)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);

    return calls_dict("offer", call_id, "from-tag", "ue", "to-tag", "core", "sdp", sdp, NULL);
}

static void owned_by(Fixture *f, const char *call_id, const char *node)
{
    g_autofree char *json = test_redis_ask(f->redis, "GET e2ae:call:%s", call_id);
    g_autofree char *owner = g_strdup_printf("\"owner\":\"%s\"", node);

    g_assert_nonnull(strstr(json, owner));
}

/* Does that call wait before it is looked for again? */
static bool looks(Fixture *f, const char *call_id)
{
    const ControlCall *call = g_hash_table_lookup(f->c.calls->by_call_id, call_id);

    return call && call->look;
}

/* ---- tests */

static void living_owner(Fixture *f, const void *data)
{
    (void)data;
    calls_set_up_call(&f->c, "a", false);
    change_sides(f, &options);
    g_autoptr(NgValue) reply = calls_ask(&f->c, offer("a"));
    calls_assert_str(reply, "owner", "yes"); /* its words, not ours */
    const NgValue *dict = forwarded(f, 1);
    calls_assert_str(dict, "e2ae-forwarded", CALLS_NODE);
    calls_assert_str(dict, "call-id", "a");
    g_autoptr(NgValue) deleted =
        calls_ask(&f->c, calls_dict("delete", "a", "from-tag", "ue", NULL));
    calls_assert_str(deleted, "owner", "yes");
    forwarded(f, 2);
    g_assert_cmpuint(f->c.asked->len, ==, 0); /* its rtpengine is asked, not ours */
    g_assert_cmpuint(control_calls_count(f->c.calls), ==, 0);
    owned_by(f, "a", OWNER);
}

static void forwarded_is_not_forwarded(Fixture *f, const void *data)
{
    (void)data;
    calls_set_up_call(&f->c, "a", false);
    change_sides(f, &options);
    NgValue *dict = offer("a");
    ng_dict_add_str(dict, "e2ae-forwarded", "node-3");
    g_autoptr(NgValue) reply = calls_ask(&f->c, dict);
    calls_assert_str(reply, "error-reason", NG_REASON_ELSEWHERE);
    g_assert_cmpuint(f->forwarded->len, ==, 0);
}

static void owner_has_it_no_more(Fixture *f, const void *data)
{
    (void)data;
    calls_set_up_call(&f->c, "a", false);
    change_sides(f, &options);
    f->answer = NULL;
    unsigned cookie = calls_send(&f->c, calls_dict("query", "a", NULL));
    forwarded(f, 1);
    assert_redis(f->redis, "1", "DEL e2ae:call:a");
    g_autofree char *text = g_strdup_printf("d12:error-reason%zu:%s6:result5:errore",
                                            strlen(NG_REASON_ELSEWHERE), NG_REASON_ELSEWHERE);
    f->answer = text;
    owner_replies(f, 0);
    g_autoptr(NgValue) reply = calls_reply(&f->c, cookie);
    calls_assert_str(reply, "result", "ok"); /* rtpengine's, for a call that is nobody's */
    calls_assert_str(calls_asked(&f->c, 1), "command", "query");
}

static void owner_dies_meanwhile(Fixture *f, const void *data)
{
    (void)data;
    calls_set_up_call(&f->c, "a", false);
    change_sides(f, &options);
    f->answer = NULL;
    unsigned cookie = calls_send(&f->c, offer("a"));
    forwarded(f, 1);
    owner_dies(f);
    g_autoptr(NgValue) reply = calls_reply(&f->c, cookie);
    calls_assert_str(reply, "result", "ok");
    g_assert_nonnull(ng_dict_get(reply, SPAN("e2ae")));
    owned_by(f, "a", CALLS_NODE);
    assert_logged("[\"a\"] Call taken over from node node-2");
}

static void owner_is_silent(Fixture *f, const void *data)
{
    (void)data;
    calls_set_up_call(&f->c, "a", false);
    change_sides(f, &impatient);
    f->answer = NULL;
    g_autoptr(NgValue) reply = calls_ask(&f->c, calls_dict("delete", "a", "from-tag", "ue", NULL));
    calls_assert_str(
        reply, "error-reason",
        "node node-2, which has the call, did not answer within 2300 ms: see whether it "
        "runs and can be reached (--node-address)");
    forwarded(f, 1); /* under one cookie: it would have been done once */
    owned_by(f, "a", OWNER);
}

/* Redis was away for longer than heartbeats live, and is back: the owner only has not told it yet. */
static void owner_of_lost_heartbeat(Fixture *f, const void *data)
{
    (void)data;
    calls_set_up_call(&f->c, "a", false);
    change_sides(f, &options);
    g_autofree char *beat = test_redis_ask(f->redis, "GET e2ae:node:" OWNER);
    owner_dies(f);
    calls_ready(&f->c); /* connected again */
    unsigned cookie = calls_send(&f->c, offer("a"));
    for (unsigned i = 0; i < 3; i++) {
        RUN_UNTIL(&f->c.loop, looks(f, "a"));
        RUN_UNTIL(&f->c.loop, !looks(f, "a"));
    }
    g_assert_false(calls_replied(&f->c, cookie));
    owned_by(f, "a", OWNER);
    g_autofree char *ok = test_redis_ask(f->redis, "SET e2ae:node:" OWNER " %s", beat);
    g_autoptr(NgValue) reply = calls_reply(&f->c, cookie);
    calls_assert_str(reply, "owner", "yes");
    forwarded(f, 1);
}

/* It has had its time: dead it is. */
static void owner_stays_away(Fixture *f, const void *data)
{
    (void)data;
    calls_set_up_call(&f->c, "a", false);
    change_sides(f, &impatient);
    owner_dies(f);
    calls_ready(&f->c);
    int64_t asked = g_get_monotonic_time();
    g_autoptr(NgValue) reply = calls_ask(&f->c, offer("a"));
    g_assert_nonnull(ng_dict_get(reply, SPAN("e2ae")));
    g_assert_cmpint(g_get_monotonic_time() - asked, >=, 500000); /* twice 300 ms, since before */
    owned_by(f, "a", CALLS_NODE);
}

static void stops_while_it_looks(Fixture *f, const void *data)
{
    (void)data;
    calls_set_up_call(&f->c, "a", false);
    change_sides(f, &options);
    owner_dies(f);
    calls_ready(&f->c);
    calls_send(&f->c, offer("a"));
    RUN_UNTIL(&f->c.loop, looks(f, "a"));
}

static void dead_owner(Fixture *f, const void *data)
{
    (void)data;
    calls_set_up_call(&f->c, "a", false);
    g_autoptr(NgValue) before = calls_ask(&f->c, calls_dict("e2ae query", "a", NULL));
    Addr at = calls_access(before, 1);
    change_sides(f, &options);
    owner_dies(f);
    g_autoptr(NgValue) after = calls_ask(&f->c, calls_dict("e2ae query", "a", NULL));
    Addr now = calls_access(after, 1);
    g_assert_true(addr_eq(&at, &now)); /* an address that both have */
    RUN_UNTIL(&f->c.loop, calls_event(&f->c, "\"bearer-released\""));
    g_assert_true(calls_event(&f->c, "{\"event\":\"takeover\",\"call-id\":\"a\""));
    g_assert_true(calls_event(&f->c,
                              "\"reason\":\"node node-2 is gone: this one has its calls, the "
                              "connections are lost\",\"final\":false"));
    owned_by(f, "a", CALLS_NODE);
    g_autoptr(NgValue) deleted =
        calls_ask(&f->c, calls_dict("delete", "a", "from-tag", "ue", NULL));
    calls_assert_str(deleted, "result", "ok");
    assert_redis(f->redis, "nil", "GET e2ae:call:a");
}

/* The answer comes here, and the node that had the offer is dead. */
static void answer_of_dead_owner(Fixture *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);

    (void)data;
    g_autoptr(NgValue) offered = calls_ask(
        &f->c, calls_dict("offer", "a", "from-tag", "ue", "e2ae", "originating", "sdp", sdp, NULL));
    calls_assert_str(offered, "result", "ok");
    change_sides(f, &options);
    owner_dies(f);
    g_autoptr(NgValue) answered = calls_ask(&f->c, answer("a"));
    calls_assert_str(answered, "result", "ok");
    g_assert_cmpuint(control_calls_ports_used(f->c.calls), ==, 2);
}

/* Without a shared address the next offer moves the stream, and it stays protected. */
static void other_address(Fixture *f, const void *data)
{
    (void)data;
    calls_set_up_call(&f->c, "a", false);
    change_sides(f, &elsewhere);
    owner_dies(f);
    g_autoptr(NgValue) query = calls_ask(&f->c, calls_dict("e2ae query", "a", NULL));
    g_assert_cmpuint(control_calls_ports_used(f->c.calls), ==, 0);
    RUN_UNTIL(&f->c.loop, calls_event(&f->c, "\"event\":\"bearer-released\""));
    g_assert_true(calls_event(&f->c, "is no --interface of this node: the next offer moves the "
                                     "stream\",\"final\":true"));
    g_autoptr(NgValue) offered = calls_ask(&f->c, offer("a"));
    calls_assert_str(offered, "result", "ok");
    g_assert_cmpuint(control_calls_ports_used(f->c.calls), ==, 2);
    Addr at = calls_access(offered, 1);
    g_assert_true(addr_ip_eq(&at, &f->c.interfaces[0].local));
}

static void unknown_call(Fixture *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);

    (void)data;
    change_sides(f, &options);
    g_autoptr(NgValue) passed = calls_ask(&f->c, calls_dict("query", "x", NULL));
    calls_assert_str(passed, "result", "ok");
    calls_assert_str(calls_asked(&f->c, 1), "command", "query");
    g_autoptr(NgValue) none = calls_ask(&f->c, calls_dict("e2ae query", "x", NULL));
    calls_assert_str(none, "error-reason", NG_REASON_UNKNOWN_CALL);
    g_autoptr(NgValue) offered = calls_ask(
        &f->c, calls_dict("offer", "x", "from-tag", "ue", "e2ae", "originating", "sdp", sdp, NULL));
    calls_assert_str(offered, "result", "ok");
    owned_by(f, "x", CALLS_NODE);
}

static void all_calls(Fixture *f, const void *data)
{
    const unsigned n = 2 * STORE_PAGE + 10;

    (void)data;
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *call_id = g_strdup_printf("call-%u", i);
        calls_set_up_call(&f->c, call_id, false);
    }
    change_sides(f, &many);
    /* nothing is taken from who lives */
    control_calls_take_over(f->c.calls, OWNER);
    RUN_UNTIL(&f->c.loop, strstr(test_log->str, "The calls of node node-2 have been claimed"));
    g_assert_cmpuint(control_calls_count(f->c.calls), ==, 0);
    owner_dies(f);
    control_calls_take_over(f->c.calls, OWNER);
    control_calls_take_over(f->c.calls, OWNER);
    RUN_UNTIL(&f->c.loop, control_calls_ports_used(f->c.calls) == 2 * n);
    assert_redis(f->redis, "0", "EXISTS e2ae:node:" OWNER ":calls");
    assert_redis(f->redis, "210", "ZCARD e2ae:node:" CALLS_NODE ":calls");
    RUN_UNTIL(&f->c.loop,
              strstr(test_log->str, "taken over since the start: 210 calls with 210 streams"));
}

static void stops_while_it_waits(Fixture *f, const void *data)
{
    (void)data;
    calls_set_up_call(&f->c, "a", false);
    change_sides(f, &options);
    f->answer = NULL;
    calls_send(&f->c, calls_dict("query", "a", NULL));
    forwarded(f, 1);
    calls_send(&f->c, calls_dict("query", "a", NULL));
    calls_send(&f->c, calls_dict("query", "b", NULL));
    calls_stop(&f->c);
}

#define ADD(name, options, fn)                                                                     \
    g_test_add("/control/takeover/" name, Fixture, options, setup, fn, teardown)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    test_log_start();
    ADD("living-owner", &options, living_owner);
    ADD("forwarded-is-not-forwarded", &options, forwarded_is_not_forwarded);
    ADD("owner-has-it-no-more", &options, owner_has_it_no_more);
    ADD("owner-dies-meanwhile", &options, owner_dies_meanwhile);
    ADD("owner-is-silent", &options, owner_is_silent);
    ADD("owner-of-lost-heartbeat", &options, owner_of_lost_heartbeat);
    ADD("owner-stays-away", &options, owner_stays_away);
    ADD("stops-while-it-looks", &options, stops_while_it_looks);
    ADD("TRK-27/ASC-02/dead-owner", &options, dead_owner);
    ADD("answer-of-dead-owner", &options, answer_of_dead_owner);
    ADD("TRK-20/other-address", &options, other_address);
    ADD("unknown-call", &options, unknown_call);
    ADD("all-calls", &many, all_calls);
    ADD("stops-while-it-waits", &options, stops_while_it_waits);
    return g_test_run();
}
