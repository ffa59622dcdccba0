/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-control-takeover.c */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-forward.h"

#include "control/control-call.h"
#include "control/control-error.h"
#include "ng-protocol/ng-reply.h"

/* While the owner has not answered it is looked whether it lives. */
#define LOOK_MS 250
/* Longer than the owner's heartbeat outlives it, and time for the claim. */
#define REST_MS 2000

struct ControlForwards {
    ControlCalls *calls;
    GHashTable *nodes; /* address as text -> ControlUpstream, owned */
    GQueue under_way;  /* of Forward */
};

typedef struct Forward {
    ControlForwards *owner; /* NULL: stopping */
    ControlRequest *req;    /* NULL: it is not waited for the reply any more */
    char *node;
    uv_timer_t timer;
    bool looking;
    bool replied;  /* the exchange is over */
    unsigned open; /* of exchange, look and timer: what will still call us */
    GList link;
} Forward;

static void drop(Forward *f)
{
    if (--f->open)
        return;
    if (f->owner)
        g_queue_unlink(&f->owner->under_way, &f->link);
    g_free(f->node);
    g_free(f);
}

static void timer_closed(uv_handle_t *handle)
{
    drop(handle->data);
}

static ControlRequest *take_request(Forward *f)
{
    ControlRequest *req = g_steal_pointer(&f->req);

    if (req && !uv_is_closing((uv_handle_t *)&f->timer))
        uv_close((uv_handle_t *)&f->timer, timer_closed);
    return req;
}

static unsigned limit_ms(const ControlCalls *calls)
{
    return calls->store.node_ttl_ms + REST_MS;
}

static void look_again(Forward *f)
{
    ControlCalls *calls = f->owner->calls;
    ControlRequest *req = take_request(f);
    int64_t age_us = g_get_monotonic_time() - req->received_us;

    /* What is left of the time has to be worth another try. */
    if (age_us + LOOK_MS * 1000 < (int64_t)limit_ms(calls) * 1000) {
        control_calls_dispatch(calls, req, false);
        return;
    }
    g_autoptr(GError) error = g_error_new(
        CONTROL_ERROR, CONTROL_ERROR_TIMEOUT,
        "node %s, which has the call, did not answer within %u ms: see whether it runs and can be "
        "reached (--node-address)",
        f->node, limit_ms(calls));
    control_request_reply_failure(req, error);
}

/* ---- what comes back */

static bool says_elsewhere(Span body)
{
    NgEnvelope env = ng_envelope_plain(body);
    g_autoptr(NgMessage) message = ng_message_new(&env, NULL);

    return message &&
           span_eq(ng_dict_get_str(message->dict, SPAN("error-reason")), SPAN(NG_REASON_ELSEWHERE));
}

static void reply_cb(Span body, const GError *error, void *user_data)
{
    Forward *f = user_data;

    f->replied = true;
    if (error && g_error_matches(error, CONTROL_ERROR, CONTROL_ERROR_STOPPING)) {
        f->req = NULL; /* the server has dropped it */
        if (!uv_is_closing((uv_handle_t *)&f->timer))
            uv_close((uv_handle_t *)&f->timer, timer_closed);
    } else if (f->req && (error || says_elsewhere(body))) {
        look_again(f);
    } else if (f->req) {
        control_request_reply(take_request(f), body);
    }
    drop(f);
}

static void node_cb(const StoreReply *reply, void *arg)
{
    Forward *f = arg;

    f->looking = false;
    if (f->req && reply->status == STORE_OK && !reply->nodes[0]->heartbeat)
        look_again(f);
    drop(f);
}

static void look_cb(const StoreReply *reply, void *arg)
{
    Forward *f = arg;

    if (f->owner)
        node_cb(reply, f);
    else
        drop(f);
}

static void timer_cb(uv_timer_t *timer)
{
    Forward *f = timer->data;

    if (f->looking || f->replied)
        return;
    f->looking = true;
    f->open++;
    store_node(f->owner->calls->store.store, f->node, look_cb, f);
}

/* ---- sending */

static ControlUpstream *node_at(ControlForwards *forwards, const char *ng, const char *id,
                                GError **error)
{
    ControlUpstream *u = g_hash_table_lookup(forwards->nodes, ng);
    g_autofree char *name = g_strdup_printf("node %s", id);
    Addr addr;

    if (u)
        return u;
    if (!g_str_has_prefix(ng, "udp:") || !addr_parse(span_str(ng + 4), &addr) ||
        addr_is_any(&addr)) {
        g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_STORE,
                    "node %s, which has the call, gives no UDP address to reach it at: set its "
                    "--node-address",
                    id);
        return NULL;
    }
    u = control_upstream_new(forwards->calls->loop, name, &addr, limit_ms(forwards->calls), error);
    if (u)
        g_hash_table_insert(forwards->nodes, g_strdup(ng), u);
    return u;
}

static GString *marked(const ControlCalls *calls, const ControlRequest *req)
{
    g_autoptr(NgValue) dict = ng_value_copy(req->message->dict);

    ng_dict_add_str(dict, "e2ae-forwarded", calls->store.node);
    return ng_message_encode((Span){0}, req->encoding, dict);
}

static void send_to(ControlForwards *forwards, ControlUpstream *u, ControlRequest *req,
                    const char *node)
{
    g_autoptr(GString) body = marked(forwards->calls, req);
    Forward *f = g_new0(Forward, 1);

    f->owner = forwards;
    f->req = req;
    f->node = g_strdup(node);
    f->open = 2; /* exchange and timer */
    f->link.data = f;
    g_queue_push_tail_link(&forwards->under_way, &f->link);
    uv_timer_init(forwards->calls->loop, &f->timer);
    f->timer.data = f;
    uv_timer_start(&f->timer, timer_cb, LOOK_MS, LOOK_MS);
    forwards->calls->statistics.forwarded++;
    control_upstream_send(u, (Span){body->str, body->len}, reply_cb, f);
}

void control_forward(ControlCalls *calls, ControlRequest *req, const StoreNode *owner)
{
    g_autoptr(GError) error = NULL;
    NgRequest r;

    if (!ng_request_read(req->message->dict, &r, NULL))
        g_assert_not_reached(); /* it was read when it was taken */
    if (r.e2ae.given & E2AE_GIVEN_FORWARDED) {
        control_request_reply_error(req, NG_REASON_ELSEWHERE);
        return;
    }
    ControlUpstream *u = node_at(calls->forwards, owner->heartbeat->ng, owner->id, &error);
    if (u)
        send_to(calls->forwards, u, req, owner->id);
    else
        control_request_reply_failure(req, error);
}

static void upstream_free(void *data)
{
    control_upstream_free(data);
}

ControlForwards *control_forwards_new(ControlCalls *calls)
{
    ControlForwards *forwards = g_new0(ControlForwards, 1);

    forwards->calls = calls;
    forwards->nodes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, upstream_free);
    g_queue_init(&forwards->under_way);
    return forwards;
}

/* Answers of the store may still come; what is left of an exchange hears that we stop. */
void control_forwards_free(ControlForwards *forwards)
{
    if (!forwards)
        return;
    g_hash_table_unref(forwards->nodes);
    while (forwards->under_way.head) {
        Forward *f = g_queue_pop_head_link(&forwards->under_way)->data;
        f->owner = NULL;
        f->req = NULL;
    }
    g_free(forwards);
}
