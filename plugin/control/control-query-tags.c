/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our streams in the form that rtpengine gives its own in, since that is what the proxies read:
 * tags -> medias -> streams, and totals. Tested by t/unit/test-control-query.c. */
#include "config.h"

#include "control/control-call.h"

#include "ng-protocol/ng-reply.h"

typedef struct Total {
    uint64_t packets, bytes, errors;
} Total;

bool control_query_wants(const SessionDialog *d, Span tag)
{
    for (int side = 0; tag.len && side < 2; side++)
        if (d->tag[side] && span_eq(span_str(d->tag[side]), tag))
            return true;
    return !tag.len;
}

static void add_total(NgValue *totals, const char *name, const Total *t)
{
    NgValue *dict = ng_dict_add_dict(totals, name);

    ng_dict_add_int(dict, "packets", (int64_t)t->packets);
    ng_dict_add_int(dict, "bytes", (int64_t)t->bytes);
    ng_dict_add_int(dict, "errors", (int64_t)t->errors);
}

NgValue *control_query_begin(const ControlCall *call)
{
    NgValue *reply = ng_reply_ok();

    ng_dict_add_int(reply, "created", call->created_us / G_USEC_PER_SEC);
    ng_dict_add_int(reply, "created_us", call->created_us % G_USEC_PER_SEC);
    ng_dict_add_int(reply, "last signal", call->last_signal_us / G_USEC_PER_SEC);
    ng_dict_add_dict(reply, "SSRC");
    ng_dict_add_dict(reply, "tags");
    NgValue *totals = ng_dict_add_dict(reply, "totals");
    add_total(totals, "RTP", &(Total){0});
    add_total(totals, "RTCP", &(Total){0});
    return reply;
}

/* ---- tags */

static void add_subscription(NgValue *entry, const char *key, const char *tag)
{
    NgValue *dict = ng_list_add_dict(ng_dict_add_list(entry, key));

    ng_dict_add_str(dict, "tag", tag ? tag : "");
    ng_dict_add_str(dict, "type", "offer/answer");
}

/* The entry of a party that has no tag yet: told apart by the branch. */
static NgValue *find_untagged(const NgValue *tags, const SessionDialog *d)
{
    Span branch = d->via_branch ? span_str(d->via_branch) : SPAN("");

    for (unsigned i = 0; i < ng_value_n(tags); i++) {
        Span key;
        NgValue *entry = ng_dict_at(tags, i, &key);
        if (ng_dict_get(entry, SPAN("tag")) && !ng_dict_get_str(entry, SPAN("tag")).len &&
            span_eq(ng_dict_get_str(entry, SPAN("via-branch")), branch))
            return entry;
    }
    return NULL;
}

static NgValue *add_tag(NgValue *tags, const ControlCall *call, const SessionDialog *d,
                        SessionSide side)
{
    const char *tag = d->tag[side];
    g_autofree char *key =
        tag ? g_strdup(tag) : g_strdup_printf("<untagged %u>", ng_value_n(tags) + 1);
    NgValue *entry = ng_dict_add_dict(tags, key);

    ng_dict_add_str(entry, "tag", tag ? tag : "");
    if (!tag && d->via_branch)
        ng_dict_add_str(entry, "via-branch", d->via_branch);
    ng_dict_add_int(entry, "created", call->created_us / G_USEC_PER_SEC);
    add_subscription(entry, "subscriptions", d->tag[session_other(side)]);
    add_subscription(entry, "subscribers", d->tag[session_other(side)]);
    ng_dict_add_list(entry, "medias");
    return entry;
}

/* The list of medias of one party, made if rtpengine does not know it. */
static NgValue *medias_of(NgValue *reply, const ControlCall *call, const SessionDialog *d,
                          SessionSide side)
{
    NgValue *tags = ng_dict_get(reply, SPAN("tags"));

    if (!ng_value_is(tags, NG_DICT)) {
        ng_dict_remove(reply, SPAN("tags"));
        tags = ng_dict_add_dict(reply, "tags");
    }
    NgValue *entry =
        d->tag[side] ? ng_dict_get(tags, span_str(d->tag[side])) : find_untagged(tags, d);
    if (!ng_value_is(entry, NG_DICT))
        entry = add_tag(tags, call, d, side);
    NgValue *medias = ng_dict_get(entry, SPAN("medias"));
    return ng_value_is(medias, NG_LIST) ? medias : ng_dict_add_list(entry, "medias");
}

/* ---- medias */

static const char *family_name(const Addr *addr)
{
    return addr->family == ADDR_IP6 ? "IPv6" : "IPv4";
}

static void add_endpoint(NgValue *dict, const char *key, const Addr *addr)
{
    NgValue *endpoint = ng_dict_add_dict(dict, key);
    char text[ADDR_TEXT_MAX];

    if (addr->family == ADDR_NONE)
        return;
    ng_dict_add_str(endpoint, "family", family_name(addr));
    ng_dict_add_str(endpoint, "address", addr_ip_text(addr, text));
    ng_dict_add_int(endpoint, "port", addr->port);
}

/* Seconds since 1970, as rtpengine has it; the beginning of the call while there was none. */
static int64_t last_packet(const ControlCall *call, const MediaStats *stats)
{
    int64_t ago_us = g_get_monotonic_time() - stats->last_activity_us;

    return (stats->last_activity_us ? g_get_real_time() - ago_us : call->created_us) /
           G_USEC_PER_SEC;
}

static Total total_of(const MediaStats *stats, SessionSide side)
{
    /* What is kept out is kept out on the access side. */
    uint64_t errors = side == SESSION_ACCESS ? stats->refused + stats->dropped : 0;

    return (Total){stats->packets_in[side], stats->bytes_in[side], errors};
}

static void add_local(NgValue *media, const ControlCall *call, const SessionStream *s,
                      SessionSide side, const MediaStats *stats)
{
    const SessionLeg *leg = &s->leg[side];
    NgValue *dict = ng_list_add_dict(ng_dict_add_list(media, "streams"));
    Total total = total_of(stats, side);
    char text[ADDR_TEXT_MAX];

    ng_dict_add_int(dict, "local port", leg->local.port);
    ng_dict_add_str(dict, "local address", addr_ip_text(&leg->local, text));
    ng_dict_add_str(dict, "family", family_name(&leg->local));
    add_endpoint(dict, "endpoint", &leg->remote);
    add_endpoint(dict, "advertised endpoint", &leg->remote);
    ng_dict_add_int(dict, "last packet", last_packet(call, stats));
    NgValue *flags = ng_dict_add_list(dict, "flags");
    ng_list_add_str(flags, s->medium->transport == MEDIA_TCP ? "TCP" : "UDP");
    if (leg->remote.family != ADDR_NONE)
        ng_list_add_str(flags, "filled");
    add_total(dict, "stats", &total);
}

static void add_flags(NgValue *media, const SessionStream *s, SessionSide side,
                      const MediaStats *stats, const char *phase)
{
    NgValue *flags = ng_dict_add_list(media, "flags");
    bool open = stats->state[side] == MEDIA_LEG_OPEN;

    ng_list_add_str(flags, "e2ae");
    if (s->answered)
        ng_list_add_str(flags, "initialized");
    if (phase)
        ng_list_add_str(flags, phase);
    if (s->leg[side].secure)
        ng_list_add_str(flags, s->medium->transport == MEDIA_TCP ? "TLS" : "DTLS");
    if (s->leg[side].secure && open && stats->peer[side].hash != FP_NONE)
        ng_list_add_str(flags, "fingerprint verified");
    ng_list_add_str(flags, media_leg_state_name(stats->state[side]));
}

static void add_media(NgValue *reply, const ControlCall *call, const SessionDialog *d,
                      unsigned index, const SessionStream *s, const char *phase, Total *total)
{
    MediaStats stats = {0};

    if (!s || !control_streams_stats(call->calls->streams, s->id, &stats))
        return;
    for (int side = 0; side < 2; side++) {
        NgValue *dict = ng_list_add_dict(medias_of(reply, call, d, (SessionSide)side));
        Total own = total_of(&stats, (SessionSide)side);
        const Medium *m = s->medium;
        ng_dict_add_int(dict, "index", index + 1);
        ng_dict_add_str(dict, "type", m->media);
        ng_dict_add_str(dict, "protocol", s->leg[side].secure ? m->secure_proto : m->plain_proto);
        add_local(dict, call, s, (SessionSide)side, &stats);
        add_flags(dict, s, (SessionSide)side, &stats, phase);
        *total = (Total){total->packets + own.packets, total->bytes + own.bytes,
                         total->errors + own.errors};
    }
}

void control_query_tags(NgValue *reply, const ControlCall *call, Span tag)
{
    NgValue *totals = ng_dict_get(reply, SPAN("totals"));
    Total total = {0};

    for (unsigned k = 0; k < call->session->dialogs->len; k++) {
        const SessionDialog *d = call->session->dialogs->pdata[k];
        for (unsigned i = 0; control_query_wants(d, tag) && i < d->slots->len; i++) {
            const SessionSlot *slot = session_slot(d, i);
            add_media(reply, call, d, i, slot->stream, NULL, &total);
            add_media(reply, call, d, i, slot->pending, "offered", &total);
            add_media(reply, call, d, i, slot->retiring, "replaced", &total);
        }
    }
    /* Beside RTP and RTCP, which proxies read: bytes of a chat are neither. */
    if (ng_value_is(totals, NG_DICT))
        add_total(totals, "e2ae", &total);
}
