/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "admin/admin-metrics.h"

#include "ng-protocol/ng-json.h"

static char *text_of(const char *json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NgValue) statistics = ng_json_decode(span_str(json), &error);

    g_assert_no_error(error);
    return admin_metrics_text(statistics);
}

/* The samples without what is said about them. */
static char *samples(const char *json)
{
    g_autofree char *text = text_of(json);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; lines[i]; i++)
        if (*lines[i] && *lines[i] != '#')
            g_string_append_printf(out, "%s\n", lines[i]);
    return g_string_free(out, FALSE);
}

static void test_shapes(void)
{
    static const struct {
        const char *statistics;
        const char *samples;
    } rows[] = {
        {"{}", ""},
        {"{\"uptime\": 7}", "rtpengine_e2ae_uptime_seconds 7\n"},
        {"{\"uptime\": \"long\"}", ""},
        {"{\"calls\": {\"current\": 2, \"total\": 9000000000, \"refused-ports\": 1}}",
         "rtpengine_e2ae_calls 2\n"
         "rtpengine_e2ae_calls_total 9000000000\n"
         "rtpengine_e2ae_offers_refused_total{reason=\"ports\"} 1\n"},
        {"{\"streams\": {\"current\": 3, \"msrp\": {\"open\": 2}, \"t38\": {\"failed\": 1}}}",
         "rtpengine_e2ae_streams{medium=\"msrp\",state=\"open\"} 2\n"
         "rtpengine_e2ae_streams{medium=\"t38\",state=\"failed\"} 1\n"},
        {"{\"events\": {\"media-timeout\": 4, \"takeover\": 0}}",
         "rtpengine_e2ae_events_total{event=\"media-timeout\"} 4\n"
         "rtpengine_e2ae_events_total{event=\"takeover\"} 0\n"},
        {"{\"requests\": {\"e2ae offer\": 5}}",
         "rtpengine_e2ae_requests_total{command=\"e2ae offer\"} 5\n"},
        {"{\"ports\": [{\"interface\": \"a\", \"address\": \"::1\", \"used\": 1, \"free\": 8},"
         "{\"interface\": \"b\", \"address\": \"192.0.2.1\", \"used\": 2, \"free\": 9}]}",
         "rtpengine_e2ae_ports_used{interface=\"a\",address=\"::1\"} 1\n"
         "rtpengine_e2ae_ports_used{interface=\"b\",address=\"192.0.2.1\"} 2\n"
         "rtpengine_e2ae_ports_free{interface=\"a\",address=\"::1\"} 8\n"
         "rtpengine_e2ae_ports_free{interface=\"b\",address=\"192.0.2.1\"} 9\n"},
        {"{\"store\": {\"state\": \"ready\"}}", "rtpengine_e2ae_store_ready 1\n"},
        {"{\"store\": {\"state\": \"away\"}}", "rtpengine_e2ae_store_ready 0\n"},
        {"{\"cluster\": {\"node\": \"edge-a\", \"alone\": \"no\"}}",
         "rtpengine_e2ae_info{node=\"edge-a\"} 1\n"
         "rtpengine_e2ae_node_alone 0\n"},
        {"{\"cluster\": {\"node\": \"a\\\"b\\\\c\\nd\"}}",
         "rtpengine_e2ae_info{node=\"a\\\"b\\\\c\\nd\"} 1\n"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *got = samples(rows[i].statistics);
        g_assert_cmpstr(got, ==, rows[i].samples);
    }
}

/* Whatever there is to report, every metric says once what it is, and says it before its samples. */
static void test_explained(void)
{
    g_autofree char *text = text_of("{}");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    unsigned n = g_strv_length(lines) - 1; /* behind the last line end there is nothing */

    g_assert_cmpuint(n % 2, ==, 0);
    for (unsigned i = 0; i < n; i += 2) {
        g_auto(GStrv) help = g_strsplit(lines[i], " ", 4);
        g_auto(GStrv) type = g_strsplit(lines[i + 1], " ", 4);
        bool total = g_str_has_suffix(help[2], "_total");
        g_assert_cmpstr(help[1], ==, "HELP");
        g_assert_cmpuint(strlen(help[3]), >, 5);
        g_assert_cmpstr(type[1], ==, "TYPE");
        g_assert_cmpstr(type[2], ==, help[2]);
        g_assert_cmpstr(type[3], ==, total ? "counter" : "gauge");
        g_assert_true(g_hash_table_add(seen, g_strdup(help[2])));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/admin/metrics/shapes", test_shapes);
    g_test_add_func("/admin/metrics/explained", test_explained);
    return g_test_run();
}
