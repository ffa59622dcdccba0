/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-events.h"

#include "control/control-error.h"
#include "ng-protocol/ng-json.h"

typedef struct Sink {
    uv_udp_t udp;
    struct sockaddr_storage to;
} Sink;

struct ControlEvents {
    unsigned n_sinks;
    Sink **sinks; /* each freed by its close callback */
    uint64_t count;
    uint64_t lost;
};

static const char *leg_name(MediaLegSide leg)
{
    return leg == MEDIA_ACCESS ? "access" : "core";
}

static void close_cb(uv_handle_t *handle)
{
    g_free(handle->data);
}

static Sink *sink_new(uv_loop_t *loop, const Addr *to, GError **error)
{
    char text[ADDR_TEXT_MAX];
    Sink *sink = g_new0(Sink, 1);

    addr_to_sockaddr(to, &sink->to);
    int rc = uv_udp_init_ex(loop, &sink->udp, sink->to.ss_family);
    if (rc < 0) {
        g_set_error(error, CONTROL_ERROR, CONTROL_ERROR_SOCKET, "event sink %s: %s",
                    addr_text(to, text), uv_strerror(rc));
        g_free(sink);
        return NULL;
    }
    sink->udp.data = sink;
    return sink;
}

ControlEvents *control_events_new(uv_loop_t *loop, const Addr *sinks, unsigned n_sinks,
                                  GError **error)
{
    ControlEvents *events = g_new0(ControlEvents, 1);

    events->sinks = g_new0(Sink *, n_sinks);
    for (unsigned i = 0; i < n_sinks; i++) {
        Sink *sink = sink_new(loop, &sinks[i], error);
        if (!sink) {
            control_events_free(events);
            return NULL;
        }
        events->sinks[events->n_sinks++] = sink;
    }
    return events;
}

void control_events_free(ControlEvents *events)
{
    if (!events)
        return;
    for (unsigned i = 0; i < events->n_sinks; i++)
        uv_close((uv_handle_t *)&events->sinks[i]->udp, close_cb);
    g_free(events->sinks);
    g_free(events);
}

static void log_line(const ControlEvent *e)
{
    char peer[ADDR_TEXT_MAX];
    g_autofree char *call_id = span_quote(span_str(e->call_id));
    g_autofree char *tag = span_quote(span_str(e->tag[e->leg] ? e->tag[e->leg] : "-"));

    g_log(G_LOG_DOMAIN, e->failure ? G_LOG_LEVEL_MESSAGE : G_LOG_LEVEL_INFO,
          "[%s/%s/%u] %s: %s leg of the %s stream%s%s: %s%s", call_id, tag, e->index, e->event,
          leg_name(e->leg), e->medium, e->peer.family ? ", peer " : "",
          e->peer.family ? addr_text(&e->peer, peer) : "", e->reason,
          e->final ? " (final: it needs a new offer)" : "");
}

static NgValue *event_dict(const ControlEvent *e)
{
    NgValue *dict = ng_dict_new();
    char peer[ADDR_TEXT_MAX];

    ng_dict_add_str(dict, "event", e->event);
    ng_dict_add_str(dict, "call-id", e->call_id);
    if (e->tag[MEDIA_ACCESS])
        ng_dict_add_str(dict, "access-tag", e->tag[MEDIA_ACCESS]);
    if (e->tag[MEDIA_CORE])
        ng_dict_add_str(dict, "core-tag", e->tag[MEDIA_CORE]);
    ng_dict_add_int(dict, "index", e->index);
    ng_dict_add_str(dict, "medium", e->medium);
    ng_dict_add_str(dict, "leg", leg_name(e->leg));
    if (e->peer.family)
        ng_dict_add_str(dict, "peer", addr_text(&e->peer, peer));
    ng_dict_add_str(dict, "reason", e->reason);
    ng_dict_add(dict, SPAN("final"), ng_bool_new(e->final));
    ng_dict_add_int(dict, "time", g_get_real_time() / 1000);
    return dict;
}

static void send_datagram(ControlEvents *events, Sink *sink, GString *json)
{
    uv_buf_t buf = uv_buf_init(json->str, (unsigned)json->len);

    if (uv_udp_try_send(&sink->udp, &buf, 1, (const struct sockaddr *)&sink->to) < 0)
        events->lost++;
}

static void send_all(ControlEvents *events, const NgValue *dict)
{
    g_autoptr(GString) json = g_string_new(NULL);

    ng_json_append(json, dict);
    for (unsigned i = 0; i < events->n_sinks; i++)
        send_datagram(events, events->sinks[i], json);
}

void control_events_emit(ControlEvents *events, const ControlEvent *event)
{
    events->count++;
    log_line(event);
    if (!events->n_sinks)
        return;
    g_autoptr(NgValue) dict = event_dict(event);
    send_all(events, dict);
}

void control_events_emit_node(ControlEvents *events, const char *event, const char *node,
                              const char *reason)
{
    g_autoptr(NgValue) dict = ng_dict_new();

    events->count++;
    ng_dict_add_str(dict, "event", event);
    ng_dict_add_str(dict, "node", node);
    ng_dict_add_str(dict, "reason", reason);
    ng_dict_add_int(dict, "time", g_get_real_time() / 1000);
    send_all(events, dict);
}

uint64_t control_events_count(const ControlEvents *events)
{
    return events->count;
}

uint64_t control_events_lost(const ControlEvents *events)
{
    return events->lost;
}
