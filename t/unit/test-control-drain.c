/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `e2ae drain` */
#include "calls-fixture.h"

static const CallsOptions drains = {.drains = true};

static NgValue *offer(Calls *f, const char *call_id, bool supports)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);
    NgValue *dict =
        calls_dict("offer", call_id, "from-tag", "ue", "e2ae", "originating", "sdp", sdp, NULL);

    if (supports)
        ng_list_add_str(ng_dict_add_list(dict, "supports"), "load limit");
    return calls_ask(f, dict);
}

static NgValue *drain(Calls *f, const char *how)
{
    return calls_ask(f, how ? calls_dict("e2ae drain", NULL, "drain", how, NULL)
                            : calls_dict("e2ae drain", NULL, NULL));
}

static void test_refuses_new_calls(Calls *f, const void *data)
{
    int64_t left = 0;

    (void)data;
    calls_set_up_call(f, "a", false);
    g_autoptr(NgValue) begun = drain(f, NULL);
    calls_assert_str(begun, "result", "ok");
    g_assert_true(ng_dict_get_int(begun, SPAN("calls"), &left));
    g_assert_cmpint(left, ==, 1);
    g_autoptr(NgValue) modern = offer(f, "b", true);
    calls_assert_str(modern, "result", "load limit");
    g_autoptr(NgValue) old = offer(f, "b", false);
    calls_assert_str(old, "error-reason", "Parallel session limit reached");
    g_autofree char *sdp = calls_ue_sdp(false, 1);
    g_autoptr(NgValue) again = calls_ask(
        f, calls_dict("offer", "a", "from-tag", "ue", "to-tag", "core", "sdp", sdp, NULL));
    calls_assert_str(again, "result", "ok"); /* who is here goes on */
    g_assert_cmpuint(f->drained, ==, 0);
}

static void test_ends_when_empty(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", false);
    g_autoptr(NgValue) begun = drain(f, "on");
    g_autoptr(NgValue) deleted = calls_ask(f, calls_dict("delete", "a", "from-tag", "ue", NULL));
    calls_assert_str(deleted, "result", "ok");
    RUN_UNTIL(&f->loop, f->drained == 1);
    assert_logged("Drained: no call is left");
}

static void test_taken_back(Calls *f, const void *data)
{
    (void)data;
    g_autoptr(NgValue) begun = drain(f, NULL);
    g_autoptr(NgValue) ended = drain(f, "off");
    calls_assert_str(ended, "result", "ok");
    g_autoptr(NgValue) offered = offer(f, "a", true);
    calls_assert_str(offered, "result", "ok");
    g_assert_cmpuint(f->drained, ==, 0);
}

static void test_wrong_word(Calls *f, const void *data)
{
    (void)data;
    g_autoptr(NgValue) reply = drain(f, "please");
    calls_assert_str(reply, "error-reason",
                     "\"drain\" is \"on\", which is the default, or \"off\"");
}

static void test_stops_meanwhile(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", false);
    g_autoptr(NgValue) begun = drain(f, NULL);
    calls_stop(f);
    g_assert_cmpuint(f->drained, ==, 0);
}

#define ADD(name, fn)                                                                              \
    g_test_add("/control/drain/" name, Calls, &drains, calls_set_up, fn, calls_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    ADD("refuses-new-calls", test_refuses_new_calls);
    ADD("ends-when-empty", test_ends_when_empty);
    ADD("taken-back", test_taken_back);
    ADD("wrong-word", test_wrong_word);
    ADD("stops-meanwhile", test_stops_meanwhile);
    return g_test_run();
}
