/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "main"
#include <config.h>

#include "plugin/gateway.h"

struct Gateway {
    TlsIdentity *identity;
    TlsCtx *ctx;
    ControlEvents *events;
    Store *store;
    ControlCalls *calls;
    SessionInterface *interfaces;
};

#define NODE_GROUP "default"

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
        g_autoptr(MediaPorts) probe = media_ports_new(c->port_min, c->port_max);
        MediaPort *port = media_port_reserve(probe, &interface->address, MEDIA_UDP, 0, error);
        if (!port) {
            g_prefix_error(error, "--interface=%s/...: ", interface->name);
            return false;
        }
        media_port_release(port);
    }
    return true;
}

static Store *make_store(uv_loop_t *loop)
{
    StoreOptions options = {
        .node = "local", .group = NODE_GROUP, .ng = "", .version = PACKAGE_VERSION};

    return store_memory_new(loop, &options);
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
        .store = {.store = g->store, .node = "local"},
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
    g->store = make_store(loop);
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

void gateway_free(Gateway *g)
{
    if (!g)
        return;
    control_calls_free(g->calls);
    control_events_free(g->events);
    if (g->store)
        store_close(g->store, NULL, NULL);
    g_clear_pointer(&g->ctx, tls_ctx_unref);
    g_clear_pointer(&g->identity, tls_identity_unref);
    g_free(g->interfaces);
    g_free(g);
}

bool gateway_handle(ControlRequest *req, void *user_data)
{
    Gateway *g = user_data;

    return control_calls_handle(req, g->calls);
}
