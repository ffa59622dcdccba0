/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "admin/admin-metrics.h"

#define PREFIX "rtpengine_e2ae_"

/* What is found at a path of the statistics. */
typedef enum Shape {
    ONE,    /* an integer */
    EACH,   /* a dictionary of integers: a sample for each, its key is the label */
    NESTED, /* a dictionary of such dictionaries: two labels */
    PORTS,  /* the list of interfaces */
    WORD,   /* a text: 1 if it is .word, else 0 */
    NAME,   /* a text: a label of a 1 */
} Shape;

/* Samples of the same metric stand together, and the first has what it is. */
typedef struct Row {
    const char *metric;
    const char *type;
    const char *help;
    const char *path;   /* keys, with slashes between */
    const char *labels; /* ONE: as they are, or NULL; EACH and NAME: the name; NESTED: both, with a comma */
    const char *word;   /* PORTS: the key of the value */
    Shape shape;
} Row;

#define GAUGE(name, text)   .metric = (name), .type = "gauge", .help = (text)
#define COUNTER(name, text) .metric = (name), .type = "counter", .help = (text)
#define MORE(name)          .metric = (name)

static const Row rows[] = {
    {GAUGE("info", "The node that this is."), .path = "cluster/node", .labels = "node", .shape = NAME},
    {GAUGE("uptime_seconds", "Since the start."), .path = "uptime"},
    {GAUGE("calls", "Calls that this node holds."), .path = "calls/current"},
    {COUNTER("calls_total", "Calls since the start."), .path = "calls/total"},
    {COUNTER("offers_refused_total", "Offers that found no room."), .path = "calls/refused-limit",
     .labels = "reason=\"limit\""},
    {MORE("offers_refused_total"), .path = "calls/refused-ports", .labels = "reason=\"ports\""},
    {GAUGE("streams", "Protected streams, by medium and state."), .path = "streams",
     .labels = "medium,state", .shape = NESTED},
    {COUNTER("events_total", "Events of streams, by kind."), .path = "events", .labels = "event",
     .shape = EACH},
    {COUNTER("events_lost_total", "Event datagrams that could not be sent."), .path = "events-lost"},
    {COUNTER("bytes_total", "Application data, by leg and direction."),
     .path = "traffic/access/bytes-in", .labels = "leg=\"access\",direction=\"in\""},
    {MORE("bytes_total"), .path = "traffic/access/bytes-out",
     .labels = "leg=\"access\",direction=\"out\""},
    {MORE("bytes_total"), .path = "traffic/core/bytes-in", .labels = "leg=\"core\",direction=\"in\""},
    {MORE("bytes_total"), .path = "traffic/core/bytes-out",
     .labels = "leg=\"core\",direction=\"out\""},
    {COUNTER("packets_total", "Packets of application data, by leg and direction."),
     .path = "traffic/access/packets-in", .labels = "leg=\"access\",direction=\"in\""},
    {MORE("packets_total"), .path = "traffic/access/packets-out",
     .labels = "leg=\"access\",direction=\"out\""},
    {MORE("packets_total"), .path = "traffic/core/packets-in",
     .labels = "leg=\"core\",direction=\"in\""},
    {MORE("packets_total"), .path = "traffic/core/packets-out",
     .labels = "leg=\"core\",direction=\"out\""},
    {COUNTER("refused_connections_total", "Connections and associations that were not verified."),
     .path = "traffic/refused-connections"},
    {COUNTER("dropped_packets_total", "Packets that were not sent on."),
     .path = "traffic/dropped-packets"},
    {COUNTER("too_long_packets_total", "Those of them that were too long."),
     .path = "traffic/too-long-packets"},
    {GAUGE("ports_used", "Media ports in use."), .path = "ports", .word = "used", .shape = PORTS},
    {GAUGE("ports_free", "Media ports that are left."), .path = "ports", .word = "free",
     .shape = PORTS},
    {COUNTER("requests_total", "ng requests, by command."), .path = "requests",
     .labels = "command", .shape = EACH},
    {COUNTER("rtpengine_timeouts_total", "Requests that rtpengine did not answer in time."),
     .path = "rtpengine-timeouts"},
    {GAUGE("store_ready", "1 while calls can be recorded."), .path = "store/state",
     .word = "ready", .shape = WORD},
    {COUNTER("store_connects_total", "Times that Redis was reached."), .path = "store/connects"},
    {GAUGE("store_under_way", "Commands that Redis has not answered."), .path = "store/under-way"},
    {GAUGE("store_behind", "Writes that wait for Redis to be back."), .path = "store/behind"},
    {COUNTER("store_commits_total", "Records written."), .path = "store/commits"},
    {COUNTER("store_degraded_total", "Offers and answers served without Redis."),
     .path = "store/degraded"},
    {COUNTER("store_failures_total", "Records that were not written."),
     .path = "store/unavailable", .labels = "reason=\"unavailable\""},
    {MORE("store_failures_total"), .path = "store/conflicts", .labels = "reason=\"conflict\""},
    {MORE("store_failures_total"), .path = "store/lost", .labels = "reason=\"lost\""},
    {GAUGE("restored_calls", "Calls of an earlier run of this node."),
     .path = "store/restored-calls"},
    {GAUGE("restored_streams", "Their streams that go on."), .path = "store/restored-streams"},
    {GAUGE("dropped_streams", "Their streams that could not."), .path = "store/dropped-streams"},
    {GAUGE("node_alone", "1 while no other node uses the same Redis."), .path = "cluster/alone",
     .word = "yes", .shape = WORD},
    {GAUGE("node_draining", "1 after e2ae drain."), .path = "cluster/draining", .word = "yes",
     .shape = WORD},
    {COUNTER("forwarded_requests_total", "Requests passed on to the node that has the call."),
     .path = "cluster/forwarded"},
    {COUNTER("taken_calls_total", "Calls of other nodes taken over."),
     .path = "cluster/taken-calls"},
    {COUNTER("taken_streams_total", "Their streams that go on at the same address."),
     .path = "cluster/taken-streams"},
    {COUNTER("moving_streams_total", "Their streams that the next offer moves."),
     .path = "cluster/moving-streams"},
    {GAUGE("certificate_ready", "1 while there is one to present."), .path = "certificate/state",
     .word = "ready", .shape = WORD},
    {GAUGE("certificates", "Certificates in use."), .path = "certificate/in-use"},
};

static const NgValue *find(const NgValue *at, const char *path)
{
    Span rest = span_str(path);

    while (at && rest.len)
        at = ng_dict_get(at, span_cut(&rest, '/'));
    return at;
}

/* ---- samples */

static void begin(GString *out, const Row *row)
{
    g_string_append_printf(out, PREFIX "%s", row->metric);
}

static void end(GString *out, int64_t value)
{
    g_string_append_printf(out, " %" G_GINT64_FORMAT "\n", value);
}

/* The three characters that the format wants escaped; names of interfaces are the operator's. */
static void add_label(GString *out, char before, Span name, Span value)
{
    g_string_append_c(out, before);
    g_string_append_len(out, name.p, (gssize)name.len);
    g_string_append(out, "=\"");
    for (size_t i = 0; i < value.len; i++) {
        if (value.p[i] == '\n')
            g_string_append(out, "\\n");
        else if (value.p[i] == '"' || value.p[i] == '\\')
            g_string_append_printf(out, "\\%c", value.p[i]);
        else
            g_string_append_c(out, value.p[i]);
    }
    g_string_append_c(out, '"');
}

static void add_one(GString *out, const Row *row, int64_t value)
{
    begin(out, row);
    if (row->labels)
        g_string_append_printf(out, "{%s}", row->labels);
    end(out, value);
}

/* @outer: a label before, or empty. */
static void add_each(GString *out, const Row *row, Span label, Span outer_label, Span outer,
                     const NgValue *dict)
{
    for (unsigned i = 0; i < ng_value_n(dict); i++) {
        Span key;
        int64_t value;
        if (!ng_value_as_int(ng_dict_at(dict, i, &key), &value))
            continue;
        begin(out, row);
        if (outer_label.len)
            add_label(out, '{', outer_label, outer);
        add_label(out, outer_label.len ? ',' : '{', label, key);
        g_string_append_c(out, '}');
        end(out, value);
    }
}

static void add_nested(GString *out, const Row *row, const NgValue *dict)
{
    Span inner_label = span_str(row->labels);
    Span outer_label = span_cut(&inner_label, ',');

    for (unsigned i = 0; i < ng_value_n(dict); i++) {
        Span key;
        const NgValue *inner = ng_dict_at(dict, i, &key);
        if (ng_value_is(inner, NG_DICT))
            add_each(out, row, inner_label, outer_label, key, inner);
    }
}

static void add_ports(GString *out, const Row *row, const NgValue *list)
{
    for (unsigned i = 0; i < ng_value_n(list); i++) {
        const NgValue *interface = ng_list_get(list, i);
        int64_t value;
        if (!ng_dict_get_int(interface, span_str(row->word), &value))
            continue;
        begin(out, row);
        add_label(out, '{', SPAN("interface"), ng_dict_get_str(interface, SPAN("interface")));
        add_label(out, ',', SPAN("address"), ng_dict_get_str(interface, SPAN("address")));
        g_string_append_c(out, '}');
        end(out, value);
    }
}

static void add_name(GString *out, const Row *row, Span name)
{
    begin(out, row);
    add_label(out, '{', span_str(row->labels), name);
    g_string_append_c(out, '}');
    end(out, 1);
}

static void add_samples(GString *out, const Row *row, const NgValue *value)
{
    int64_t number;

    switch (row->shape) {
    case ONE:
        if (ng_value_as_int(value, &number))
            add_one(out, row, number);
        break;
    case EACH:
        add_each(out, row, span_str(row->labels), (Span){0}, (Span){0}, value);
        break;
    case NESTED:
        add_nested(out, row, value);
        break;
    case PORTS:
        add_ports(out, row, value);
        break;
    case WORD:
        if (value)
            add_one(out, row, span_eq(ng_value_span(value), span_str(row->word)));
        break;
    case NAME:
        if (value)
            add_name(out, row, ng_value_span(value));
        break;
    }
}

char *admin_metrics_text(const NgValue *statistics)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Row *row = &rows[i];
        if (row->type)
            g_string_append_printf(out,
                                   "# HELP " PREFIX "%s %s\n"
                                   "# TYPE " PREFIX "%s %s\n",
                                   row->metric, row->help, row->metric, row->type);
        add_samples(out, row, find(statistics, row->path));
    }
    return g_string_free(out, FALSE);
}
