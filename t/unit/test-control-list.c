/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "calls-fixture.h"

#include "ng-protocol/ng-reply.h"

static unsigned count(const NgValue *reply)
{
    return ng_value_n(ng_dict_get(reply, SPAN("calls")));
}

static bool has(const NgValue *reply, const char *call_id)
{
    const NgValue *calls = ng_dict_get(reply, SPAN("calls"));

    for (unsigned i = 0; i < ng_value_n(calls); i++)
        if (span_eq(ng_value_span(ng_list_get(calls, i)), span_str(call_id)))
            return true;
    return false;
}

/* rtpengine's calls first, ours that it does not know behind them, all within the limit. */
static void test_merged(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "both", true);
    calls_set_up_call(f, "ours", false);
    calls_set_up_call(f, "ours-too", false);
    f->upstream = UPSTREAM_REFUSES;
    f->refusal = "d5:callsl4:both6:theirse6:result2:oke";
    g_autoptr(NgValue) all = calls_ask(f, calls_dict("list", NULL, NULL));
    calls_assert_str(all, "result", "ok");
    g_assert_cmpuint(count(all), ==, 4);
    g_assert_true(has(all, "both") && has(all, "theirs") && has(all, "ours") &&
                  has(all, "ours-too"));
    g_autoptr(NgValue) three = calls_ask(f, calls_dict("list", NULL, "limit", "3", NULL));
    g_assert_cmpuint(count(three), ==, 3);
    g_assert_true(has(three, "both") && has(three, "theirs"));
    calls_assert_str(calls_asked(f, 4), "limit", "3");
}

/* With nothing to add, byte for byte what rtpengine says. */
static void test_untouched(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "both", true);
    f->upstream = UPSTREAM_REFUSES;
    f->refusal = "d5:callsl4:bothe6:result2:ok1:xi1ee";
    guint n = f->proxy->got->len;
    calls_send(f, calls_dict("list", NULL, NULL));
    RUN_UNTIL(&f->loop, f->proxy->got->len > n);
    assert_span(test_socket_got(f->proxy, n), "c3 d5:callsl4:bothe6:result2:ok1:xi1ee");
}

static void test_own(Calls *f, const void *data)
{
    g_autoptr(NgValue) none = calls_ask(f, calls_dict("e2ae list", NULL, NULL));

    (void)data;
    g_assert_cmpuint(count(none), ==, 0);
    g_assert_nonnull(ng_dict_get(none, SPAN("calls")));
    for (int i = 0; i < 40; i++) {
        g_autofree char *id = g_strdup_printf("call-%d", i);
        calls_set_up_call(f, id, false);
    }
    g_autoptr(NgValue) some = calls_ask(f, calls_dict("e2ae list", NULL, NULL));
    g_assert_cmpuint(count(some), ==, 32);
    g_autoptr(NgValue) more = calls_ask(f, calls_dict("e2ae list", NULL, "limit", "100", NULL));
    g_assert_cmpuint(count(more), ==, 40);
    g_autoptr(NgValue) bad = calls_ask(f, calls_dict("e2ae list", NULL, "limit", "-1", NULL));
    calls_assert_str(bad, "error-reason", "invalid limit, must be >= 0");
    g_assert_cmpuint(f->asked->len, ==, 0);
}

static void test_alone(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "ours", false);
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("list", NULL, NULL));
    g_assert_cmpuint(count(reply), ==, 1);
}

static void test_rtpengine_silent(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "ours", false);
    f->upstream = UPSTREAM_SILENT;
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("list", NULL, NULL));
    calls_assert_str(reply, "result", "error");
}

static const CallsOptions alone = {.no_rtpengine = true};

#define ADD(name, func, data)                                                                      \
    g_test_add("/control/list/" name, Calls, data, calls_set_up, func, calls_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    signal(SIGPIPE, SIG_IGN);
    ADD("merged", test_merged, NULL);
    ADD("untouched", test_untouched, NULL);
    ADD("own", test_own, NULL);
    ADD("alone", test_alone, &alone);
    ADD("rtpengine-silent", test_rtpengine_silent, NULL);
    return g_test_run();
}
