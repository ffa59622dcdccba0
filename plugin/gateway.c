/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "main"
#include <config.h>

#include "plugin/gateway.h"

#include "cluster/cluster.h"
#include "control/control-statistics.h"
#include "plugin/cluster-key.h"
#include "plugin/config-redis.h"
#include "redis-schema/redis-keys.h"
#include "store/store-redis.h"

struct Gateway {
    const Config *config;
    TlsProfile profile;
    TlsIdentities *identities;
    TlsSealKey *seal_key; /* NULL: no certificate is shared in Redis, and no .certificate */
    ControlEvents *events;
    Store *store;
    ControlCertificate *certificate;
    ControlCalls *calls;
    Cluster *cluster; /* NULL: the store is in memory, and there are no others */
    SessionInterface *interfaces;
    void (*drained)(void *arg);
    void *drained_arg;
    bool leaves; /* the other nodes are told that this one ends */
};

/* Of nodes without --ha-group, which claim nobody's calls by themselves. */
#define NODE_GROUP "default"
/* How soon a certificate that another node has replaced is noticed. */
#define CERTIFICATE_LOOK_MS 3000
/* Of a store in memory, which nobody else sees. */
#define NODE_LOCAL "local"
/* Longer than a process runs. */
#define SELF_SIGNED_DAYS 3650

static TlsIdentity *make_identity(const Config *c, GError **error)
{
    if (!c->certificates->len)
        return tls_identity_new_self_signed(TLS_KEY_ECDSA, SELF_SIGNED_DAYS, error);
    return tls_identity_load((const char *const *)c->certificates->pdata,
                             (const char *const *)c->private_keys->pdata, c->certificates->len,
                             error);
}

static void log_identity(const TlsIdentities *ids)
{
    FingerprintSet set;
    char text[FP_TEXT_MAX];

    tls_identities_signal(ids, &set);
    for (unsigned i = 0; i < set.n; i++)
        g_message("Certificate fingerprint %s", fp_text(&set.fp[i], text));
}

/* Ciphers that cannot be used are better known at the start than with the certificate. */
static bool check_profile(const Gateway *g, GError **error)
{
    g_autoptr(TlsIdentity) id = tls_identity_new_self_signed(TLS_KEY_ECDSA, 1, error);
    g_autoptr(TlsCtx) ctx = id ? tls_ctx_new(id, &g->profile, error) : NULL;

    return ctx != NULL;
}

static bool make_identities(Gateway *g, const Config *c, GError **error)
{
    g->profile = (TlsProfile){
        .ciphers = c->tls_ciphers,
        .ciphersuites = c->tls_ciphersuites,
        .legacy_rsa_cbc = c->tls_legacy_rsa_cbc,
        .dtls_mtu = c->dtls_mtu,
    };
    g->identities = tls_identities_new(&g->profile, c->fingerprint_hash);
    if (!cluster_key_check(c, error))
        return false;
    if (c->cluster_key) {
        g->seal_key = cluster_key_load(c->cluster_key, error);
        return g->seal_key && check_profile(g, error);
    }
    g_autoptr(TlsIdentity) id = make_identity(c, error);
    if (!id || !tls_identities_set_current(g->identities, id, error))
        return false;
    log_identity(g->identities);
    return true;
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
 * call. But the members of a group share addresses, which only one of them has. */
static bool check_interfaces(const Config *c, GError **error)
{
    for (unsigned i = 0; i < c->interfaces->len; i++) {
        const ConfigInterface *interface = &g_array_index(c->interfaces, ConfigInterface, i);
        g_autoptr(MediaPorts) probe = media_ports_new(c->port_min, c->port_max, false);
        g_autoptr(GError) cause = NULL;
        MediaPort *port = media_port_reserve(probe, &interface->address, MEDIA_UDP, 0, &cause);
        if (port) {
            media_port_release(port);
        } else if (c->ha_group) {
            g_message("--interface=%s/...: %s: another member of %s may have it; calls are refused "
                      "until it is here",
                      interface->name, cause->message, c->ha_group);
        } else {
            g_propagate_prefixed_error(error, g_steal_pointer(&cause),
                                       "--interface=%s/...: ", interface->name);
            return false;
        }
    }
    return true;
}

/* ---- the store */

static void state_cb(StoreState state, const char *text, void *arg)
{
    const Gateway *g = arg;

    /* First: what new streams present has to be known before there are any. */
    if (g->certificate && state == STORE_READY)
        control_certificate_look(g->certificate);
    if (g->calls)
        control_calls_store_state(g->calls, state, text);
    if (g->cluster)
        cluster_store_state(g->cluster, state);
}

static void certificate_cb(void *arg)
{
    const Gateway *g = arg;

    if (g->calls)
        control_calls_certificate(g->calls);
}

static void lost_cb(const char *call_id, const char *owner, uint64_t epoch, void *arg)
{
    const Gateway *g = arg;

    if (g->calls)
        control_calls_lost(g->calls, call_id, owner, epoch);
}

/* Where another node can reach us; empty when it cannot. */
static char *ng_text(const Config *c)
{
    Addr at = c->node_address;
    char text[ADDR_TEXT_MAX];

    if (at.family == ADDR_NONE && c->listen_ng->len)
        at = g_array_index(c->listen_ng, ConfigListener, 0).addr;
    if (at.family == ADDR_NONE || addr_is_any(&at))
        return g_strdup("");
    return g_strdup_printf("udp:%s", addr_text(&at, text));
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
        .group = c->ha_group ? c->ha_group : NODE_GROUP,
        .ng = ng,
        .version = PACKAGE_VERSION,
        .node_ttl_ms = c->node_timeout_ms,
        .watch = {state_cb, lost_cb, g},
    };

    if (c->redis && !*ng)
        g_warning("Other nodes cannot reach the ng port of this one, so they cannot forward to it: "
                  "give --node-address");
    if (c->redis && !c->certificates->len && !c->cluster_key)
        g_warning("No --certificate and no --cluster-key: the one that is made now is gone after "
                  "the next start, and "
                  "then no stream can be restored");
    if (c->redis)
        return make_redis(c, loop, &options, error);
    return config_redis_absent(c, error) ? store_memory_new(loop, &options) : NULL;
}

static ControlCertificate *make_certificate(Gateway *g, uv_loop_t *loop, const Config *c)
{
    ControlCertificateConfig config = {
        .store = g->store,
        .identities = g->identities,
        .key = g->seal_key,
        .days = c->certificate_days,
        .every_ms = CERTIFICATE_LOOK_MS,
        .changed = certificate_cb,
        .arg = g,
    };

    if (!g->seal_key)
        return NULL;
    g_message(
        "The certificate is that of the group in Redis, sealed with the key \"%s\"; until it is "
        "there offers are refused",
        tls_seal_key_id(g->seal_key));
    return control_certificate_new(loop, &config);
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
                    .identities = g->identities,
                    .freebind = c->ha_group != NULL},
        .events = g->events,
        .store = {.store = g->store,
                  .node = node_of(c),
                  .shared = c->redis != NULL,
                  .degrade = c->redis_degrade,
                  .call_ttl_s = REDIS_CALL_TTL,
                  .node_ttl_ms = c->node_timeout_ms,
                  .retry_ms = c->heartbeat_ms,
                  .lease_ms = c->redis ? cluster_lease_ms(c->heartbeat_ms, c->node_timeout_ms) : 0},
        .certificate = g->certificate,
        .max_sessions = c->max_sessions,
        .delete_delay_s = c->delete_delay_s,
        .fork_timeout_ms = c->fork_timeout_ms,
        .drained = g->drained,
        .drained_arg = g->drained_arg,
    };

    if (upstream)
        config.policy.gateway = control_upstream_local(upstream);
    return control_calls_new(loop, &config, error);
}

/* ---- the other nodes */

static void running_cb(void *arg)
{
    const Gateway *g = arg;

    control_calls_running(g->calls);
}

static void verified_cb(void *arg)
{
    const Gateway *g = arg;

    cluster_verified(g->cluster);
}

static void doubt_cb(void *arg)
{
    Gateway *g = arg;

    control_calls_verify(g->calls, verified_cb, g);
}

static void claim_cb(const char *node, void *arg)
{
    const Gateway *g = arg;

    control_calls_take_over(g->calls, node);
}

static void alone_cb(bool alone, void *arg)
{
    const Gateway *g = arg;

    control_calls_set_alone(g->calls, alone);
}

static void news_cb(const char *event, const char *node, const char *text, void *arg)
{
    const Gateway *g = arg;

    control_events_emit_node(g->events, event, node, text);
}

static Cluster *make_cluster(Gateway *g, uv_loop_t *loop, const Config *c)
{
    const ClusterConfig config = {
        .node = c->node_id,
        .group = c->ha_group,
        .heartbeat_ms = c->heartbeat_ms,
        .timeout_ms = c->node_timeout_ms,
    };
    const ClusterHooks hooks = {running_cb, doubt_cb, claim_cb, alone_cb, news_cb, g};

    return cluster_new(loop, g->store, &config, &hooks);
}

static bool build(Gateway *g, uv_loop_t *loop, const Config *c, const ControlUpstream *upstream,
                  GError **error)
{
    g->interfaces = make_interfaces(c);
    if (!make_identities(g, c, error) || !check_interfaces(c, error))
        return false;
    g->events =
        control_events_new(loop, (const Addr *)c->event_sinks->data, c->event_sinks->len, error);
    if (!g->events)
        return false;
    g->store = make_store(g, loop, c, error);
    if (!g->store)
        return false;
    g->leaves = c->redis != NULL;
    g->certificate = make_certificate(g, loop, c);
    g->calls = make_calls(g, loop, c, upstream, error);
    if (g->calls && c->redis)
        g->cluster = make_cluster(g, loop, c);
    return g->calls != NULL;
}

Gateway *gateway_new(uv_loop_t *loop, const Config *config, const ControlUpstream *upstream,
                     void (*drained)(void *arg), void *arg, GError **error)
{
    Gateway *g = g_new0(Gateway, 1);

    g->drained = drained;
    g->drained_arg = arg;
    g->config = config;
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
    g_clear_pointer(&g->cluster, cluster_free);
    g_clear_pointer(&g->certificate, control_certificate_free);
    g_clear_pointer(&g->calls, control_calls_free);
    g_clear_pointer(&g->events, control_events_free);
    g_clear_pointer(&g->identities, tls_identities_free);
    g_clear_pointer(&g->seal_key, tls_seal_key_free);
    g_clear_pointer(&g->interfaces, g_free);
    close_store(g);
}

void gateway_reload(Gateway *g)
{
    const Config *c = g->config;
    g_autoptr(GError) error = NULL;
    FingerprintSet before, now;

    if (g->certificate) {
        g_message("SIGHUP: the group gets another certificate");
        control_certificate_replace(g->certificate);
        return;
    }
    if (!c->certificates->len) {
        g_message("SIGHUP: there is nothing to reload");
        return;
    }
    g_autoptr(TlsIdentity) id = make_identity(c, &error);
    tls_identities_signal(g->identities, &before);
    if (!id || !tls_identities_set_current(g->identities, id, &error)) {
        g_warning("SIGHUP: the certificate stays as it was: %s", error->message);
        return;
    }
    tls_identities_signal(g->identities, &now);
    if (fp_set_eq(&before, &now)) {
        g_message("SIGHUP: the certificate has not changed");
        return;
    }
    g_message("SIGHUP: new streams present another certificate; those that are up keep theirs");
    log_identity(g->identities);
}

NgValue *gateway_statistics(const Gateway *g, const ControlUpstream *upstream)
{
    return control_statistics_dict(g->calls, upstream);
}

bool gateway_handle(ControlRequest *req, void *user_data)
{
    Gateway *g = user_data;

    return control_calls_handle(req, g->calls);
}
