/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "control/control-call.h"

#include "ng-protocol/ng-reply.h"

#define STATES (MEDIA_LEG_FAILED + 1)

/* Streams of the media this program knows, by the state that stands for both legs. */
typedef struct StreamCount {
    const ControlCalls *calls;
    GHashTable *media; /* name of the medium -> unsigned[STATES], owned */
    unsigned total;
} StreamCount;

/* The access leg's, and once that is open the core leg's: "open" is a stream that relays. */
static MediaLegState state_of(const MediaStats *stats)
{
    MediaLegState access = stats->state[MEDIA_ACCESS];

    return access == MEDIA_LEG_OPEN ? stats->state[MEDIA_CORE] : access;
}

static void count_stream(SessionStream *stream, void *arg)
{
    StreamCount *count = arg;
    MediaStats stats = {0};
    unsigned *states = g_hash_table_lookup(count->media, stream->medium->name);

    if (!control_streams_stats(count->calls->streams, stream->id, &stats))
        return;
    if (!states) {
        states = g_new0(unsigned, STATES);
        g_hash_table_insert(count->media, (gpointer)stream->medium->name, states);
    }
    states[state_of(&stats)]++;
    count->total++;
}

static void add_media(NgValue *dict, GHashTable *media)
{
    GHashTableIter i;
    gpointer name, states;

    g_hash_table_iter_init(&i, media);
    while (g_hash_table_iter_next(&i, &name, &states)) {
        NgValue *medium = ng_dict_add_dict(dict, name);
        for (unsigned k = 0; k < STATES; k++)
            if (((const unsigned *)states)[k])
                ng_dict_add_int(medium, media_leg_state_name((MediaLegState)k),
                                ((const unsigned *)states)[k]);
    }
}

static void add_calls(NgValue *dict, const ControlCalls *calls)
{
    StreamCount count = {.calls = calls};
    NgValue *now = ng_dict_add_dict(dict, "calls");
    NgValue *streams = ng_dict_add_dict(dict, "streams");
    GHashTableIter i;
    gpointer value;

    count.media = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    g_hash_table_iter_init(&i, calls->by_call_id);
    while (g_hash_table_iter_next(&i, NULL, &value)) {
        const ControlCall *call = value;
        if (call->session)
            session_foreach_stream(call->session, count_stream, &count);
    }
    ng_dict_add_int(now, "current", control_calls_count(calls));
    ng_dict_add_int(now, "total", (int64_t)calls->statistics.calls);
    ng_dict_add_int(now, "refused-limit", (int64_t)calls->statistics.refused_limit);
    ng_dict_add_int(now, "refused-ports", (int64_t)calls->statistics.refused_ports);
    ng_dict_add_int(streams, "current", count.total);
    add_media(streams, count.media);
    g_hash_table_unref(count.media);
}

static void add_leg(NgValue *dict, const char *name, const ControlTraffic *t, MediaLegSide leg)
{
    NgValue *d = ng_dict_add_dict(dict, name);

    ng_dict_add_int(d, "bytes-in", (int64_t)t->bytes_in[leg]);
    ng_dict_add_int(d, "bytes-out", (int64_t)t->bytes_out[leg]);
    ng_dict_add_int(d, "packets-in", (int64_t)t->packets_in[leg]);
    ng_dict_add_int(d, "packets-out", (int64_t)t->packets_out[leg]);
}

static void add_traffic(NgValue *dict, const ControlCalls *calls)
{
    ControlTraffic traffic;
    NgValue *d = ng_dict_add_dict(dict, "traffic");

    control_streams_traffic(calls->streams, &traffic);
    add_leg(d, "access", &traffic, MEDIA_ACCESS);
    add_leg(d, "core", &traffic, MEDIA_CORE);
    ng_dict_add_int(d, "refused-connections", (int64_t)traffic.refused);
    ng_dict_add_int(d, "dropped-packets", (int64_t)traffic.dropped);
    ng_dict_add_int(d, "too-long-packets", (int64_t)traffic.too_long);
}

static void add_events(NgValue *dict, const ControlCalls *calls)
{
    NgValue *events = ng_dict_add_dict(dict, "events");

    for (unsigned i = 0; i < G_N_ELEMENTS(calls->statistics.events); i++)
        ng_dict_add_int(events, media_event_name((MediaEventKind)i),
                        (int64_t)calls->statistics.events[i]);
    ng_dict_add_int(events, "takeover", (int64_t)calls->statistics.takeover_events);
    ng_dict_add_int(dict, "events-lost", (int64_t)control_events_lost(calls->events));
}

static void add_ports(NgValue *dict, const ControlCalls *calls)
{
    NgValue *list = ng_dict_add_list(dict, "ports");
    char text[ADDR_TEXT_MAX];

    for (unsigned i = 0; i < calls->policy.n_interfaces; i++) {
        const SessionInterface *interface = &calls->policy.interfaces[i];
        NgValue *d = ng_list_add_dict(list);
        unsigned used, free_ports;
        control_streams_ports(calls->streams, &interface->local, &used, &free_ports);
        ng_dict_add_str(d, "interface", interface->name);
        ng_dict_add_str(d, "address", addr_ip_text(&interface->local, text));
        ng_dict_add_int(d, "used", used);
        ng_dict_add_int(d, "free", free_ports);
    }
}

static void add_requests(NgValue *dict, const ControlCalls *calls)
{
    NgValue *requests = ng_dict_add_dict(dict, "requests");

    for (unsigned i = 0; i < G_N_ELEMENTS(calls->statistics.requests); i++)
        if (calls->statistics.requests[i])
            ng_dict_add_int(requests, ng_command_name((NgCommand)i),
                            (int64_t)calls->statistics.requests[i]);
}

static const char *mode_of(const ControlStoreConfig *store)
{
    return !store->shared ? "memory" : store->degrade ? "degrade" : "refuse";
}

static void add_store(NgValue *dict, const ControlCalls *calls)
{
    const ControlRestored *restore = &calls->restore.count;
    NgValue *d = ng_dict_add_dict(dict, "store");
    StoreStats stats;

    store_stats(calls->store.store, &stats);
    ng_dict_add_str(d, "mode", mode_of(&calls->store));
    ng_dict_add_str(d, "state", store_state_name(store_state(calls->store.store)));
    ng_dict_add_int(d, "connects", (int64_t)stats.connects);
    ng_dict_add_int(d, "under-way", stats.under_way);
    ng_dict_add_int(d, "behind", stats.behind);
    ng_dict_add_int(d, "commits", (int64_t)stats.commits);
    ng_dict_add_int(d, "degraded", (int64_t)stats.degraded);
    ng_dict_add_int(d, "unavailable", (int64_t)stats.unavailable);
    ng_dict_add_int(d, "conflicts", (int64_t)stats.conflicts);
    ng_dict_add_int(d, "lost", (int64_t)stats.lost);
    ng_dict_add_int(d, "restored-calls", restore->calls);
    ng_dict_add_int(d, "restored-streams", restore->streams);
    ng_dict_add_int(d, "dropped-streams", restore->dropped);
}

static void add_cluster(NgValue *dict, const ControlCalls *calls)
{
    NgValue *d = ng_dict_add_dict(dict, "cluster");

    ng_dict_add_str(d, "node", calls->store.node);
    ng_dict_add_str(d, "alone", calls->alone ? "yes" : "no");
    ng_dict_add_str(d, "draining", calls->drain.timer ? "yes" : "no");
    ng_dict_add_int(d, "forwarded", (int64_t)calls->statistics.forwarded);
    ng_dict_add_int(d, "taken-calls", calls->taken.calls);
    ng_dict_add_int(d, "taken-streams", calls->taken.streams);
    ng_dict_add_int(d, "moving-streams", calls->taken.dropped);
}

static void add_certificate(NgValue *dict, const ControlCalls *calls)
{
    const TlsIdentities *ids = control_streams_identities(calls->streams);
    NgValue *d = ng_dict_add_dict(dict, "certificate");
    NgValue *list;
    ControlCertificateState state = CONTROL_CERTIFICATE_READY;
    const char *reason = NULL;
    FingerprintSet set;
    char text[FP_TEXT_MAX];

    if (calls->certificate)
        state = control_certificate_state(calls->certificate, &reason);
    ng_dict_add_str(d, "from", calls->certificate ? "redis" : "node");
    ng_dict_add_str(d, "state", control_certificate_state_name(state));
    if (reason)
        ng_dict_add_str(d, "reason", reason);
    list = ng_dict_add_list(d, "fingerprints");
    tls_identities_signal(ids, &set);
    for (unsigned i = 0; i < set.n; i++)
        ng_list_add_str(list, fp_text(&set.fp[i], text));
    ng_dict_add_int(d, "in-use", tls_identities_n(ids));
}

NgValue *control_statistics_dict(const ControlCalls *calls, const ControlUpstream *upstream)
{
    NgValue *dict = ng_dict_new();

    ng_dict_add_int(dict, "version", 1);
    ng_dict_add_int(dict, "uptime",
                    (g_get_monotonic_time() - calls->statistics.started_us) / G_USEC_PER_SEC);
    add_calls(dict, calls);
    add_events(dict, calls);
    add_traffic(dict, calls);
    add_ports(dict, calls);
    add_requests(dict, calls);
    add_store(dict, calls);
    add_cluster(dict, calls);
    add_certificate(dict, calls);
    ng_dict_add_int(dict, "rtpengine-timeouts",
                    upstream ? (int64_t)control_upstream_timeouts(upstream) : 0);
    return dict;
}

/* ---- the commands */

typedef struct Asked {
    ControlCalls *calls;
    ControlRequest *req;
} Asked;

static void answer(ControlCalls *calls, ControlRequest *req, NgValue *reply)
{
    ng_dict_set(reply, SPAN("e2ae"),
                control_statistics_dict(calls, control_server_upstream(req->server)));
    control_request_reply_dict(req, reply);
}

static void asked_cb(Span body, const GError *error, void *user_data)
{
    g_autofree Asked *asked = user_data;
    NgValue *reply = control_ask_accepted(body, error);

    if (reply)
        answer(asked->calls, asked->req, reply);
    else if (error)
        control_request_reply_failure(asked->req, error);
    else
        control_request_reply(asked->req, body);
}

void control_run_statistics(ControlCalls *calls, ControlRequest *req, const NgRequest *r)
{
    if (r->command == NG_CMD_E2AE_STATISTICS || !control_server_upstream(req->server)) {
        answer(calls, req, ng_reply_ok());
        return;
    }
    Asked *asked = g_new0(Asked, 1);
    *asked = (Asked){calls, req};
    control_ask_rtpengine(req, NULL, NULL, asked_cb, asked);
}
