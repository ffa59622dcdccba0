/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "calls-fixture.h"

#include "ng-protocol/ng-reply.h"

static void assert_deleted(const NgValue *reply)
{
    calls_assert_str(reply, "result", "ok");
    g_assert_null(ng_dict_get(reply, SPAN("warning")));
}

static void test_alone(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", false);
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("delete", "a", "from-tag", "ue", NULL));
    assert_deleted(reply);
    RUN_UNTIL(&f->loop, control_calls_ports_used(f->calls) == 0);
    g_assert_cmpuint(control_calls_count(f->calls), ==, 0);
    g_assert_cmpuint(f->asked->len, ==, 0);
    assert_logged("[\"a\"] Call deleted");
}

/* rtpengine's reply, with its statistics; and without a warning when only it knew nothing. */
static void test_with_rtpengine(Calls *f, const void *data)
{
    static const struct {
        const char *theirs;
        const char *reply;
    } cases[] = {
        {"d7:createdi1e6:result2:oke", "d7:createdi1e6:result2:oke"},
        {"d7:warning8:no match6:result2:oke", "d6:result2:oke"},
        {"d12:error-reason8:no match6:result5:errore", "d6:result2:oke"},
    };

    (void)data;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        f->upstream = UPSTREAM_OK;
        calls_set_up_call(f, "a", true);
        f->upstream = UPSTREAM_REFUSES;
        f->refusal = cases[i].theirs;
        guint n = f->proxy->got->len;
        calls_send(f, calls_dict("delete", "a", "from-tag", "ue", "delete-delay", "0", NULL));
        RUN_UNTIL(&f->loop, f->proxy->got->len > n);
        Span got = test_socket_got(f->proxy, n);
        span_cut(&got, ' ');
        assert_span(got, cases[i].reply);
        calls_assert_str(calls_asked(f, 3 * i + 3), "delete-delay", "0");
        RUN_UNTIL(&f->loop, control_calls_ports_used(f->calls) == 0);
    }
}

static void test_rtpengine_silent(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", true);
    f->upstream = UPSTREAM_SILENT;
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("delete", "a", NULL));
    assert_deleted(reply);
    assert_logged(
        "The e2ae streams of a call are deleted, its other streams are not: rtpengine at");
    RUN_UNTIL(&f->loop, control_calls_ports_used(f->calls) == 0);
}

/* During the delay the numbers are nobody else's: with one port per address no call can begin. */
static void test_delay(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);

    (void)data;
    calls_set_up_call(f, "a", false);
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("delete", "a", NULL)); /* 1 s by default */
    assert_deleted(reply);
    g_assert_cmpuint(control_calls_count(f->calls), ==, 0);
    g_autoptr(NgValue) early = calls_ask(
        f, calls_dict("offer", "b", "from-tag", "ue", "e2ae", "originating", "sdp", ue, NULL));
    calls_assert_str(early, "error-reason", NG_REASON_NO_PORTS);
    g_assert_cmpuint(control_calls_ports_used(f->calls), ==, 2);
    RUN_UNTIL(&f->loop, control_calls_ports_used(f->calls) == 0);
    calls_set_up_call(f, "b", false);
    g_autoptr(NgValue) now = calls_ask(f, calls_dict("delete", "b", "delete delay", "0", NULL));
    assert_deleted(now);
    RUN_UNTIL(&f->loop, control_calls_ports_used(f->calls) == 0);
}

/* rtpengine's rules. The call has the branches b1, answered with B1, and b2, not answered. */
static void test_selection(Calls *f, const void *data)
{
    static const struct {
        const char *from, *to, *branch;
        unsigned left; /* ports of the branches that live on, two each */
    } cases[] = {
        {NULL, NULL, NULL, 0},       {"ue", NULL, NULL, 0},     {"ue", NULL, "b2", 2},
        {"ue", NULL, "b1", 2},       {"ue", NULL, "other", 0},  {"ue", "B1", NULL, 2},
        {"ue", "B1", "b2", 2},       {"B1", NULL, NULL, 2},     {"nobody", "B1", NULL, 2},
        {"nobody", NULL, NULL, 4},   {"nobody", NULL, "b2", 2}, {"ue", "stranger", NULL, 4},
        {"ue", "stranger", "b2", 2}, {"B1", "ue", NULL, 0},
    };
    g_autofree char *ue = calls_ue_sdp(false, 1);
    g_autofree char *core = calls_core_sdp(false, 1);

    (void)data;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (int branch = 1; branch <= 2; branch++) {
            g_autoptr(NgValue) reply =
                calls_ask(f, calls_dict("offer", "a", "from-tag", "ue", "e2ae", "originating",
                                        "via-branch", branch == 1 ? "b1" : "b2", "sdp", ue, NULL));
            calls_assert_str(reply, "result", "ok");
        }
        g_autoptr(NgValue) answered =
            calls_ask(f, calls_dict("answer", "a", "from-tag", "ue", "to-tag", "B1", "via-branch",
                                    "b1", "sdp", core, NULL));
        g_assert_cmpuint(control_calls_ports_used(f->calls), ==, 4);
        NgValue *request = calls_dict("delete", "a", NULL);
        if (cases[i].from)
            ng_dict_add_str(request, "from-tag", cases[i].from);
        if (cases[i].to)
            ng_dict_add_str(request, "to-tag", cases[i].to);
        if (cases[i].branch)
            ng_dict_add_str(request, "via-branch", cases[i].branch);
        g_autoptr(NgValue) reply = calls_ask(f, request);
        calls_assert_str(reply, "result", "ok");
        if (cases[i].left == 4)
            calls_assert_str(reply, "warning", NG_WARNING_NOT_FOUND);
        else
            assert_deleted(reply);
        RUN_UNTIL(&f->loop, control_calls_ports_used(f->calls) == cases[i].left);
        g_autoptr(NgValue) rest = calls_ask(f, calls_dict("delete", "a", NULL));
        RUN_UNTIL(&f->loop, control_calls_ports_used(f->calls) == 0);
    }
}

/* A caller gives up before anybody answered, with a to-tag that we never saw. */
static void test_unnamed_callee(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    g_autoptr(NgValue) offered = calls_ask(
        f, calls_dict("offer", "a", "from-tag", "ue", "e2ae", "originating", "sdp", ue, NULL));
    g_autoptr(NgValue) reply =
        calls_ask(f, calls_dict("delete", "a", "from-tag", "ue", "to-tag", "late", NULL));

    (void)data;
    assert_deleted(reply);
    g_assert_cmpuint(control_calls_count(f->calls), ==, 0);
}

static void test_unknown(Calls *f, const void *data)
{
    NgValue *fatal = calls_dict("e2ae delete", "x", NULL);

    (void)data;
    ng_list_add_str(ng_dict_add_list(fatal, "flags"), "fatal");
    g_autoptr(NgValue) passed = calls_ask(f, calls_dict("delete", "x", "from-tag", "ue", NULL));
    g_assert_cmpuint(f->asked->len, ==, 1); /* rtpengine's affair */
    g_autoptr(NgValue) warned = calls_ask(f, calls_dict("e2ae delete", "x", NULL));
    calls_assert_str(warned, "warning", NG_WARNING_NOT_FOUND);
    g_autoptr(NgValue) refused = calls_ask(f, fatal);
    calls_assert_str(refused, "error-reason", NG_WARNING_NOT_FOUND);
    g_assert_cmpuint(f->asked->len, ==, 1);

    calls_set_up_call(f, "a", false);
    NgValue *wrong = calls_dict("delete", "a", "from-tag", "stranger", NULL);
    ng_list_add_str(ng_dict_add_list(wrong, "flags"), "fatal");
    g_autoptr(NgValue) mismatch = calls_ask(f, wrong);
    calls_assert_str(mismatch, "error-reason", NG_WARNING_NOT_FOUND);
}

/* Ends our part alone; rtpengine hears nothing. */
static void test_e2ae_delete(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", true);
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("e2ae delete", "a", NULL));
    assert_deleted(reply);
    RUN_UNTIL(&f->loop, control_calls_ports_used(f->calls) == 0);
    g_assert_cmpuint(f->asked->len, ==, 2);
}

/* A call that begins within a dialog may be known to rtpengine from before. */
static void test_late_call(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    g_autoptr(NgValue) offered =
        calls_ask(f, calls_dict("offer", "a", "from-tag", "ue", "to-tag", "core", "e2ae",
                                "originating", "sdp", ue, NULL));

    (void)data;
    calls_assert_str(offered, "result", "ok");
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("delete", "a", "from-tag", "ue", NULL));
    calls_assert_str(calls_asked(f, 1), "command", "delete");
    assert_deleted(reply);
}

static const CallsOptions one_port = {.ports = 1, .delete_delay_s = 1};

#define ADD(name, func, data)                                                                      \
    g_test_add("/control/delete/" name, Calls, data, calls_set_up, func, calls_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    signal(SIGPIPE, SIG_IGN);
    ADD("alone", test_alone, NULL);
    ADD("with-rtpengine", test_with_rtpengine, NULL);
    ADD("rtpengine-silent", test_rtpengine_silent, NULL);
    ADD("delay", test_delay, &one_port);
    ADD("selection", test_selection, NULL);
    ADD("unnamed-callee", test_unnamed_callee, NULL);
    ADD("unknown", test_unknown, NULL);
    ADD("e2ae-delete", test_e2ae_delete, NULL);
    ADD("late-call", test_late_call, NULL);
    return g_test_run();
}
