/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "calls-fixture.h"

#include "ng-protocol/ng-reply.h"

/* The number at a path "a/b/c" of the reply's e2ae dictionary; -1 when there is none. */
static int64_t at(const NgValue *reply, const char *path)
{
    const NgValue *v = ng_dict_get(reply, SPAN("e2ae"));
    int64_t number = -1;

    for (Span rest = span_str(path); rest.len;)
        v = ng_dict_get(v, span_cut(&rest, '/'));
    ng_value_as_int(v, &number);
    return number;
}

static NgValue *own(Calls *f)
{
    NgValue *reply = calls_ask(f, calls_dict("e2ae statistics", NULL, NULL));

    calls_assert_str(reply, "result", "ok");
    return reply;
}

static void test_counts(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(true, 1);
    g_autoptr(NgValue) before = own(f);

    (void)data;
    g_assert_cmpint(at(before, "calls/total"), ==, 0);
    g_assert_cmpint(at(before, "streams/current"), ==, 0);
    calls_set_up_call(f, "a", true);
    calls_wait_listening(f, "a");
    calls_set_up_call(f, "b", false);
    g_autoptr(NgValue) deleted = calls_ask(f, calls_dict("delete", "b", "delete-delay", "0", NULL));
    RUN_UNTIL(&f->loop, control_calls_ports_used(f->calls) == 2);
    f->upstream = UPSTREAM_SILENT;
    g_autoptr(NgValue) lost = calls_ask(
        f, calls_dict("offer", "c", "from-tag", "ue", "e2ae", "originating", "sdp", ue, NULL));
    g_autoptr(NgValue) now = own(f);
    g_assert_cmpint(at(now, "calls/current"), ==, 1);
    g_assert_cmpint(at(now, "calls/total"), ==, 2);
    g_assert_cmpint(at(now, "streams/current"), ==, 1);
    g_assert_cmpint(at(now, "streams/msrp/listening"), ==, 1);
    g_assert_cmpint(at(now, "events/tls-established"), ==, 0);
    g_assert_cmpint(at(now, "traffic/access/bytes-in"), ==, 0);
    g_assert_cmpint(at(now, "traffic/refused-connections"), ==, 0);
    g_assert_cmpint(at(now, "requests/offer"), ==, 3);
    g_assert_cmpint(at(now, "requests/delete"), ==, 1);
    g_assert_cmpint(at(now, "requests/e2ae statistics"), ==, 2);
    g_assert_cmpint(at(now, "rtpengine-timeouts"), ==, 1);
    const NgValue *ports = ng_dict_get(ng_dict_get(now, SPAN("e2ae")), SPAN("ports"));
    g_assert_cmpuint(ng_value_n(ports), ==, 2);
    calls_assert_str(ng_list_get(ports, 0), "interface", "access");
    int64_t used = 0, free_ports = 0;
    ng_dict_get_int(ng_list_get(ports, 0), SPAN("used"), &used);
    ng_dict_get_int(ng_list_get(ports, 0), SPAN("free"), &free_ports);
    g_assert_cmpint(used, ==, 1);
    g_assert_cmpint(free_ports, ==, 99);
}

static void test_refusals(Calls *f, const void *data)
{
    g_autofree char *two = calls_ue_sdp(false, 2);

    (void)data;
    g_autoptr(NgValue) ports = calls_ask(
        f, calls_dict("offer", "b", "from-tag", "ue", "e2ae", "originating", "sdp", two, NULL));
    calls_set_up_call(f, "a", false);
    g_autoptr(NgValue) limit = calls_ask(
        f, calls_dict("offer", "b", "from-tag", "ue", "e2ae", "originating", "sdp", two, NULL));
    g_autoptr(NgValue) now = own(f);
    g_assert_cmpint(at(now, "calls/refused-limit"), ==, 1);
    g_assert_cmpint(at(now, "calls/refused-ports"), ==, 1);
}

/* A refused connection is counted, also after its stream has ended. */
static void test_ended_streams(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    g_autoptr(NgValue) offered = calls_ask(
        f, calls_dict("offer", "a", "from-tag", "ue", "e2ae", "originating", "sdp", ue, NULL));
    Addr access = calls_access(offered, 1);
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(&access, &sa);
    int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)data;
    g_assert_cmpint(connect(fd, (struct sockaddr *)&sa, len), ==, 0);
    g_assert_cmpint(send(fd, "MSRP abcd SEND\r\n", 16, 0), ==, 16);
    RUN_UNTIL(&f->loop, f->sink->got->len > 0);
    for (int i = 0; i < 2; i++) {
        g_autoptr(NgValue) now = own(f);
        g_assert_cmpint(at(now, "traffic/refused-connections"), ==, 1);
        g_assert_cmpint(at(now, "events/tls-handshake-failed"), ==, 1);
        g_autoptr(NgValue) deleted = calls_ask(f, calls_dict("delete", "a", NULL));
        RUN_UNTIL(&f->loop, control_calls_ports_used(f->calls) == 0);
    }
    close(fd);
}

/* Untouched until this program has had a call, with our dictionary in it from then on. */
static void test_merged(Calls *f, const void *data)
{
    (void)data;
    f->upstream = UPSTREAM_REFUSES;
    f->refusal = "d10:statisticsd1:xi1ee6:result2:oke";
    g_autoptr(NgValue) before = calls_ask(f, calls_dict("statistics", NULL, NULL));
    g_assert_cmpuint(ng_value_n(before), ==, 2);
    f->upstream = UPSTREAM_OK;
    calls_set_up_call(f, "a", false);
    f->upstream = UPSTREAM_REFUSES;
    g_autoptr(NgValue) after = calls_ask(f, calls_dict("statistics", NULL, NULL));
    g_assert_cmpuint(ng_value_n(after), ==, 3);
    g_assert_nonnull(ng_dict_get(after, SPAN("statistics")));
    g_assert_cmpint(at(after, "calls/current"), ==, 1);
    f->refusal = "d12:error-reason2:no6:result5:errore";
    g_autoptr(NgValue) refused = calls_ask(f, calls_dict("statistics", NULL, NULL));
    calls_assert_str(refused, "error-reason", "no");
}

/* FPR-09: how many certificates are in use, while they change. */
static void test_certificate(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", false);
    calls_rotate_certificate(f);
    g_autoptr(NgValue) reply = own(f);
    const NgValue *d = ng_dict_get(ng_dict_get(reply, SPAN("e2ae")), SPAN("certificate"));
    FingerprintSet set;
    char text[FP_TEXT_MAX];

    tls_identities_signal(f->identities, &set);
    calls_assert_str(d, "from", "node");
    calls_assert_str(d, "state", "ready");
    const NgValue *list = ng_dict_get(d, SPAN("fingerprints"));
    g_assert_cmpuint(ng_value_n(list), ==, 1);
    assert_span(ng_value_span(ng_list_get(list, 0)), fp_text(&set.fp[0], text));
    g_assert_cmpint(at(reply, "certificate/in-use"), ==, 2);
}

static void test_alone(Calls *f, const void *data)
{
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("statistics", NULL, NULL));

    (void)data;
    calls_assert_str(reply, "result", "ok");
    g_assert_cmpint(at(reply, "calls/current"), ==, 0);
}

static const CallsOptions alone = {.no_rtpengine = true};
static const CallsOptions narrow = {.ports = 1, .max_sessions = 1};

#define ADD(name, func, data)                                                                      \
    g_test_add("/control/statistics/" name, Calls, data, calls_set_up, func, calls_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    signal(SIGPIPE, SIG_IGN);
    ADD("counts", test_counts, NULL);
    ADD("refusals", test_refusals, &narrow);
    ADD("ended-streams", test_ended_streams, NULL);
    ADD("certificate", test_certificate, NULL);
    ADD("merged", test_merged, NULL);
    ADD("alone", test_alone, &alone);
    return g_test_run();
}
