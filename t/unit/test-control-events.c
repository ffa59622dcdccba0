/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "control-test.h"
#include "control/control-events.h"
#include "ng-protocol/ng-json.h"

typedef struct Fixture {
    uv_loop_t loop;
    TestSocket *sink[2];
    ControlEvents *events;
} Fixture;

static void set_up(Fixture *f, const void *data)
{
    g_autoptr(GError) error = NULL;
    Addr to[2];

    uv_loop_init(&f->loop);
    for (int i = 0; i < 2; i++) {
        f->sink[i] = test_socket_new(&f->loop, test_any_port("127.0.0.1"));
        to[i] = f->sink[i]->addr;
    }
    f->events = control_events_new(&f->loop, to, data ? 0 : 2, &error);
    g_assert_no_error(error);
    g_string_truncate(test_log, 0);
}

static void tear_down(Fixture *f, const void *data)
{
    (void)data;
    control_events_free(f->events);
    for (int i = 0; i < 2; i++)
        test_socket_free(&f->loop, f->sink[i]);
    test_loop_end(&f->loop);
}

static ControlEvent sample(void)
{
    return (ControlEvent){
        .event = "fingerprint-mismatch",
        .call_id = "id",
        .tag = {"ue", NULL},
        .index = 2,
        .medium = "msrp",
        .leg = MEDIA_ACCESS,
        .peer = test_addr("192.0.2.1:5000"),
        .reason = "because",
        .failure = true,
        .final = true,
    };
}

static void test_every_sink_once(Fixture *f, const void *data)
{
    ControlEvent event = sample();

    (void)data;
    control_events_emit(f->events, &event);
    for (int i = 0; i < 2; i++) {
        RUN_UNTIL(&f->loop, f->sink[i]->got->len > 0);
        g_autoptr(NgValue) dict = ng_json_decode(test_socket_got(f->sink[i], 0), NULL);
        assert_span(ng_dict_get_str(dict, SPAN("event")), "fingerprint-mismatch");
        assert_span(ng_dict_get_str(dict, SPAN("peer")), "192.0.2.1:5000");
        assert_span(ng_dict_get_str(dict, SPAN("access-tag")), "ue");
        g_assert_null(ng_dict_get(dict, SPAN("core-tag")));
        g_assert_cmpuint(f->sink[i]->got->len, ==, 1);
    }
    g_assert_cmpuint(control_events_count(f->events), ==, 1);
    g_assert_cmpuint(control_events_lost(f->events), ==, 0);
    assert_logged("[\"id\"/\"ue\"/2] fingerprint-mismatch: access leg of the msrp stream, peer "
                  "192.0.2.1:5000: because (final: it needs a new offer)\n");
}

/* The keys that ng-protocol/README.md names, and no others; a key without a value is left out. */
static void test_keys(Fixture *f, const void *data)
{
    static const char *const always[] = {"event",  "time", "call-id", "access-tag", "index",
                                         "medium", "leg",  "reason",  "final"};
    ControlEvent event = sample();
    int64_t now = g_get_real_time() / 1000;

    (void)data;
    control_events_emit(f->events, &event);
    event.tag[MEDIA_CORE] = "core";
    control_events_emit(f->events, &event);
    event.peer = (Addr){0};
    control_events_emit(f->events, &event);
    RUN_UNTIL(&f->loop, f->sink[0]->got->len == 3);
    for (unsigned n = 0; n < 3; n++) {
        g_autoptr(NgValue) dict = ng_json_decode(test_socket_got(f->sink[0], n), NULL);
        g_assert_cmpuint(ng_value_n(dict), ==, G_N_ELEMENTS(always) + (n == 1 ? 2 : 1));
        for (size_t i = 0; i < G_N_ELEMENTS(always); i++)
            g_assert_nonnull(ng_dict_get(dict, span_str(always[i])));
        g_assert_cmpint(ng_dict_get(dict, SPAN("peer")) != NULL, ==, n < 2);
        g_assert_cmpint(ng_dict_get(dict, SPAN("core-tag")) != NULL, ==, n > 0);
        int64_t time;
        g_assert_true(ng_value_as_int(ng_dict_get(dict, SPAN("time")), &time));
        g_assert_cmpint(time, >=, now);
        g_assert_cmpint(time, <, now + 3600 * 1000); /* milliseconds, not another unit */
    }
}

/* Text of a peer stays one line in the log and valid JSON in the datagram. */
static void test_strange_text(Fixture *f, const void *data)
{
    ControlEvent event = sample();

    (void)data;
    event.call_id = "a\r\nb\"\xff";
    control_events_emit(f->events, &event);
    RUN_UNTIL(&f->loop, f->sink[0]->got->len > 0);
    g_autoptr(NgValue) dict = ng_json_decode(test_socket_got(f->sink[0], 0), NULL);
    g_assert_nonnull(dict);
    assert_logged("[\"a\\x0d\\x0ab");
}

static void test_without_sinks(Fixture *f, const void *data)
{
    ControlEvent event = sample();

    (void)data;
    event.peer = (Addr){0};
    event.leg = MEDIA_CORE;
    event.final = false;
    control_events_emit(f->events, &event);
    assert_logged("[\"id\"/\"-\"/2] fingerprint-mismatch: core leg of the msrp stream: because\n");
    g_assert_cmpuint(control_events_count(f->events), ==, 1);
}

/* Nobody listens there: counted where the kernel says so, never more than a lost event. */
static void test_sink_gone(Fixture *f, const void *data)
{
    ControlEvent event = sample();

    (void)data;
    close(f->sink[0]->fd);
    f->sink[0]->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (int i = 0; i < 10; i++)
        control_events_emit(f->events, &event);
    RUN_UNTIL(&f->loop, f->sink[1]->got->len == 10);
    g_assert_cmpuint(control_events_count(f->events), ==, 10);
}

#define ADD(name, func, data)                                                                      \
    g_test_add("/control/events/" name, Fixture, data, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    ADD("every-sink-once", test_every_sink_once, NULL);
    ADD("CTL-05/keys", test_keys, NULL);
    ADD("strange-text", test_strange_text, NULL);
    ADD("without-sinks", test_without_sinks, "none");
    ADD("sink-gone", test_sink_gone, NULL);
    return g_test_run();
}
