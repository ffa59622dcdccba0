/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TRK-07: what a callee refuses waits for another one, but not for ever. */
#include "calls-fixture.h"

static const CallsOptions brief = {.fork_timeout_ms = 100};
static const CallsOptions lasting = {.fork_timeout_ms = 60000};

static void offer(Calls *f, const char *call_id)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);
    g_autoptr(NgValue) reply = calls_ask(
        f, calls_dict("offer", call_id, "from-tag", "ue", "e2ae", "originating", "sdp", sdp, NULL));

    calls_assert_str(reply, "result", "ok");
}

static void answer(Calls *f, const char *call_id, const char *callee, bool refuses)
{
    g_autofree char *sdp = calls_core_sdp(false, 1);
    g_auto(GStrv) parts = g_strsplit(sdp, "m=message ", 2);
    g_autofree char *refusal = g_strdup_printf("%sm=message 0%s", parts[0], strchr(parts[1], ' '));
    g_autoptr(NgValue) reply =
        calls_ask(f, calls_dict("answer", call_id, "from-tag", "ue", "to-tag", callee, "sdp",
                                refuses ? refusal : sdp, NULL));

    calls_assert_str(reply, "result", "ok");
}

static unsigned ports(Calls *f)
{
    return control_calls_ports_used(f->calls);
}

static void test_given_back(Calls *f, const void *data)
{
    (void)data;
    offer(f, "a");
    answer(f, "a", "one", true);
    g_assert_cmpuint(ports(f), ==, 2);
    RUN_UNTIL(&f->loop, ports(f) == 0);
    /* too late */
    answer(f, "a", "two", false);
    g_assert_cmpuint(ports(f), ==, 0);
    g_assert_cmpuint(control_calls_count(f->calls), ==, 1);
}

static void test_accepted(Calls *f, const void *data)
{
    (void)data;
    offer(f, "a");
    offer(f, "b");
    answer(f, "a", "one", true);
    answer(f, "b", "one", true);
    answer(f, "a", "two", false);
    g_assert_cmpuint(ports(f), ==, 4);
    RUN_UNTIL(&f->loop, ports(f) == 2);
    calls_wait_listening(f, "a");
    /* and the next that is refused waits, too */
    offer(f, "c");
    answer(f, "c", "one", true);
    g_assert_cmpuint(ports(f), ==, 4);
    RUN_UNTIL(&f->loop, ports(f) == 2);
}

static void test_deleted(Calls *f, const void *data)
{
    (void)data;
    offer(f, "a");
    answer(f, "a", "one", true);
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("delete", "a", "from-tag", "ue", NULL));
    calls_assert_str(reply, "result", "ok");
    RUN_UNTIL(&f->loop, ports(f) == 0);
}

static void test_stop(Calls *f, const void *data)
{
    (void)data;
    offer(f, "a");
    answer(f, "a", "one", true);
    calls_stop(f);
}

#define ADD(name, options, fn)                                                                     \
    g_test_add("/control/refused/TRK-07/" name, Calls, options, calls_set_up, fn, calls_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    ADD("given-back", &brief, test_given_back);
    ADD("accepted", &brief, test_accepted);
    ADD("deleted", &lasting, test_deleted);
    ADD("stop", &lasting, test_stop);
    return g_test_run();
}
