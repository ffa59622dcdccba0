/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "main"
#include <config.h>

#include "plugin/gateway.h"

#include "plugin/config-redis.h"
#include "redis-schema/redis-keys.h"
#include "store/store-redis.h"

struct Gateway {
    TlsIdentity *identity;
    TlsCtx *ctx;
    ControlEvents *events;
    Store *store;
    ControlCalls *calls;
    SessionInterface *interfaces;
    bool leaves; /* the other nodes are told that this one ends */
};

/* The nodes that may stand in for each other; one node is a group of its own. */
#define NODE_GROUP "default"
/* Of a store in memory, which nobody else sees. */
#define NODE_LOCAL "local"

static TlsIdentity *make_identity(const Config *c, GError **error)
{
    if (!c->certificates->len)
        return tls_identity_new_self_signed(error);
    return tls_identity_load((const char *const *)c->certificates->pdata,
                             (const char *const *)c->private_keys->pdata, c->certificates->len,
                             error);
}

static void log_identity(const FingerprintSet *set)
{
    char text[FP_TEXT_MAX];

    for (unsigned i = 0; i < set->n; i++)
        g_message("Certificate fingerprint %s", fp_text(&set->fp[i], text));
}

static SessionInterface *make_interfaces(const Config *c)
{
    SessionInterface *interfaces = g_new0(SessionInterface, c->interfaces->len);

    for (unsigned i = 0; i < c->interfaces->len; i++) {
        const ConfigInterface *from = &g_array_index(c->interfaces, ConfigInterface, i);
        interfaces[i] = (SessionInterface){from->name, from->address, from->advertised};
    }
    return interfaces;
}

/* Every interface must be an address of this host: better known at the start than with the first
 * call. */
static bool check_interfaces(const Config *c, GError **error)
{
    for (unsigned i = 0; i < c->interfaces->len; i++) {
        const ConfigInterface *interface = &g_array_index(c->interfaces, ConfigInterface, i);
        g_autoptr(MediaPorts) probe = media_ports_new(c->port_min, c->port_max, false);
        MediaPort *port = media_port_reserve(probe, &interface->address, MEDIA_UDP, 0, error);
        if (!port) {
            g_prefix_error(error, "--interface=%s/...: ", interface->name);
            return false;
        }
        media_port_release(port);
    }
    return true;
}

/* ---- the store */

static void state_cb(StoreState state, const char *text, void *arg)
{
    const Gateway *g = arg;

    if (g->calls)
        control_calls_store_state(g->calls, state, text);
}

static void lost_cb(const char *call_id, const char *owner, uint64_t epoch, void *arg)
{
    const Gateway *g = arg;

    if (g->calls)
        control_calls_lost(g->calls, call_id, owner, epoch);
}

/* Where another node could reach us. */
static char *ng_text(const Config *c)
{
    bool udp = c->listen_ng->len > 0;
    const ConfigListener *l =
        &g_array_index(udp ? c->listen_ng : c->listen_tcp_ng, ConfigListener, 0);
    char text[ADDR_TEXT_MAX];

    return g_strdup_printf("%s:%s", udp ? "udp" : "tcp", addr_text(&l->addr, text));
}

static Store *make_redis(const Config *c, uv_loop_t *loop, const StoreOptions *options,
                         GError **error)
{
    StoreTarget target;
    Store *store = NULL;

    store_target_init(&target);
    if (config_redis_target(c, &target, error)) {
        g_autofree char *where = store_target_text(&target);
        g_message("Node %s keeps its calls in Redis %s; without it offers are %s", options->node,
                  where, target.degrade ? "served from memory" : "refused");
        store = store_redis_new(loop, options, &target, error);
    }
    store_target_clear(&target);
    return store;
}

static const char *node_of(const Config *c)
{
    return c->redis ? c->node_id : NODE_LOCAL;
}

static Store *make_store(Gateway *g, uv_loop_t *loop, const Config *c, GError **error)
{
    g_autofree char *ng = ng_text(c);
    StoreOptions options = {
        .node = c->redis && c->node_id ? c->node_id : NODE_LOCAL,
        .group = NODE_GROUP,
        .ng = ng,
        .version = PACKAGE_VERSION,
        .watch = {state_cb, lost_cb, g},
    };

    if (c->redis && !c->certificates->len)
        g_warning("No --certificate: the one that is made now is gone after the next start, and "
                  "then no stream can be restored");
    if (c->redis)
        return make_redis(c, loop, &options, error);
    return config_redis_absent(c, error) ? store_memory_new(loop, &options) : NULL;
}

static ControlCalls *make_calls(Gateway *g, uv_loop_t *loop, const Config *c,
                                const ControlUpstream *upstream, GError **error)
{
    ControlCallsConfig config = {
        .policy = {.interfaces = g->interfaces,
                   .n_interfaces = c->interfaces->len,
                   .bfcp_rule = (SessionBfcpRule)c->bfcp_tls_role},
        .streams = {.port_min = c->port_min,
                    .port_max = c->port_max,
                    .n_workers = c->num_threads ? c->num_threads : g_get_num_processors(),
                    .limits = c->limits,
                    .ctx = g->ctx},
        .events = g->events,
        .store = {.store = g->store,
                  .node = node_of(c),
                  .shared = c->redis != NULL,
                  .degrade = c->redis_degrade,
                  .call_ttl_s = REDIS_CALL_TTL,
                  .node_ttl_ms = REDIS_NODE_TTL_MS},
        .max_sessions = c->max_sessions,
        .delete_delay_s = c->delete_delay_s,
    };

    if (upstream)
        config.policy.gateway = control_upstream_local(upstream);
    tls_identity_fingerprints(g->identity, c->fingerprint_hash, &config.policy.local_fingerprints);
    log_identity(&config.policy.local_fingerprints);
    return control_calls_new(loop, &config, error);
}

static bool build(Gateway *g, uv_loop_t *loop, const Config *c, const ControlUpstream *upstream,
                  GError **error)
{
    TlsProfile profile = {
        .ciphers = c->tls_ciphers,
        .ciphersuites = c->tls_ciphersuites,
        .legacy_rsa_cbc = c->tls_legacy_rsa_cbc,
        .dtls_mtu = c->dtls_mtu,
    };

    g->interfaces = make_interfaces(c);
    g->identity = make_identity(c, error);
    if (!g->identity)
        return false;
    g->ctx = tls_ctx_new(g->identity, &profile, error);
    if (!g->ctx || !check_interfaces(c, error))
        return false;
    g->events =
        control_events_new(loop, (const Addr *)c->event_sinks->data, c->event_sinks->len, error);
    if (!g->events)
        return false;
    g->store = make_store(g, loop, c, error);
    if (!g->store)
        return false;
    g->leaves = c->redis != NULL;
    g->calls = make_calls(g, loop, c, upstream, error);
    return g->calls != NULL;
}

Gateway *gateway_new(uv_loop_t *loop, const Config *config, const ControlUpstream *upstream,
                     GError **error)
{
    Gateway *g = g_new0(Gateway, 1);

    if (build(g, loop, config, upstream, error))
        return g;
    gateway_free(g);
    return NULL;
}

/* The store's watcher is told until the store is gone. */
static void closed_cb(void *arg)
{
    g_free(arg);
}

static void left_cb(const StoreReply *reply, void *arg)
{
    Gateway *g = arg;

    (void)reply;
    store_close(g->store, closed_cb, g);
}

static void close_store(Gateway *g)
{
    if (g->store && g->leaves && store_state(g->store) == STORE_READY)
        store_leave(g->store, left_cb, g);
    else if (g->store)
        store_close(g->store, closed_cb, g);
    else
        g_free(g);
}

void gateway_free(Gateway *g)
{
    if (!g)
        return;
    g_clear_pointer(&g->calls, control_calls_free);
    g_clear_pointer(&g->events, control_events_free);
    g_clear_pointer(&g->ctx, tls_ctx_unref);
    g_clear_pointer(&g->identity, tls_identity_unref);
    g_clear_pointer(&g->interfaces, g_free);
    close_store(g);
}

bool gateway_handle(ControlRequest *req, void *user_data)
{
    Gateway *g = user_data;

    return control_calls_handle(req, g->calls);
}
