/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "calls-fixture.h"

#include "ng-protocol/ng-reply.h"

static char *rtpengine_text(Calls *f, const char *what)
{
    char text[ADDR_TEXT_MAX];

    return g_strdup_printf("rtpengine at %s %s", addr_text(&f->rtpengine->addr, text), what);
}

static NgValue *offer(const char *call_id, const char *sdp)
{
    return calls_dict("offer", call_id, "from-tag", "ue", "e2ae", "originating", "sdp", sdp, NULL);
}

static NgValue *supporting(NgValue *request)
{
    ng_list_add_str(ng_dict_add_list(request, "supports"), "load limit");
    return request;
}

static const NgValue *line(const NgValue *reply, unsigned index)
{
    return ng_list_get(ng_dict_get(ng_dict_get(reply, SPAN("e2ae")), SPAN("streams")), index - 1);
}

/* Nothing is left of a call that did not begin. */
static void assert_nothing(Calls *f)
{
    g_assert_cmpuint(control_calls_count(f->calls), ==, 0);
    g_assert_cmpuint(control_calls_ports_used(f->calls), ==, 0);
}

static void test_audio_and_msrp(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(true, 1);
    g_autoptr(NgValue) reply = calls_ask(f, offer("a", sdp));
    const NgValue *asked = calls_asked(f, 1);
    Span upstream = ng_dict_get_str(asked, SPAN("sdp"));
    g_autofree char *text = span_dup(upstream);
    g_autofree char *got = span_dup(ng_dict_get_str(reply, SPAN("sdp")));

    (void)data;
    calls_assert_str(reply, "result", "ok");
    g_assert_null(ng_dict_get(asked, SPAN("e2ae")));
    g_assert_nonnull(strstr(text, "m=audio 5000"));
    g_assert_null(strstr(text, "m=message"));
    g_assert_nonnull(strstr(got, "m=audio 5000 RTP/AVP 8\r\n"));
    g_assert_nonnull(strstr(got, " TCP/MSRP *\r\n"));
    g_assert_null(strstr(got, "a=fingerprint"));
    g_assert_cmpuint(control_calls_ports_used(f->calls), ==, 2);
    calls_assert_str(line(reply, 1), "treatment", "anchor");
    calls_assert_str(line(reply, 2), "treatment", "e2ae");
    calls_assert_str(line(reply, 2), "medium", "msrp");
    assert_logged("[\"a\"] Creating new call");
    assert_logged("[\"a\"/2] offer: msrp stream, access ");
}

/* SIG-10, CTL-08: whatever the UE asks for, without a word from the proxy its offer goes through as it came; so does
 * one of which the proxy says that it is not to be touched, but for that word. */
static void test_no_word(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(true, 2);
    g_autoptr(NgValue) sent = calls_dict("offer", "a", "from-tag", "ue", "sdp", sdp, NULL);
    NgValue *const requests[] = {
        ng_value_copy(sent),
        calls_dict("offer", "a", "from-tag", "ue", "sdp", sdp, "e2ae", "off", NULL),
        calls_dict("offer", "a", "from-tag", "ue", "sdp", sdp, "e2ae-media", "msrp", NULL),
    };

    (void)data;
    for (guint i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_autoptr(NgValue) reply = calls_ask(f, requests[i]);
        calls_assert_str(reply, "result", "ok");
        calls_assert_str(reply, "sdp", sdp);
        g_assert_null(ng_dict_get(reply, SPAN("e2ae")));
        g_assert_true(ng_value_eq(calls_asked(f, i + 1), sent));
        assert_nothing(f);
    }
}

static void test_only_msrp(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", false);
    g_assert_cmpuint(f->asked->len, ==, 0);
    g_assert_cmpuint(control_calls_ports_used(f->calls), ==, 2);
}

static void test_reply_dictionary(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    g_autofree char *core = calls_core_sdp(false, 1);
    g_autoptr(NgValue) first = calls_ask(f, offer("a", ue));
    const NgValue *access = ng_dict_get(line(first, 1), SPAN("access"));
    const NgValue *to_core = ng_dict_get(line(first, 1), SPAN("core"));

    (void)data;
    calls_assert_str(access, "transport", "TCP/TLS");
    calls_assert_str(access, "proto", "TCP/TLS/MSRP");
    calls_assert_str(access, "setup", "passive");
    calls_assert_str(access, "tls-role", "server");
    g_assert_cmpuint(ng_value_n(ng_dict_get(access, SPAN("remote-fingerprints"))), ==, 1);
    g_assert_cmpuint(ng_value_n(ng_dict_get(access, SPAN("local-fingerprints"))), >=, 1);
    g_assert_true(
        span_starts(ng_dict_get_str(access, SPAN("local-fingerprint")), SPAN("sha-256 ")));
    calls_assert_str(to_core, "transport", "TCP");
    calls_assert_str(to_core, "proto", "TCP/MSRP");
    calls_assert_str(to_core, "setup", "actpass");
    calls_assert_str(to_core, "tls-role", "none");
    g_assert_null(ng_dict_get(to_core, SPAN("local-fingerprint")));

    g_autoptr(NgValue) second = calls_ask(
        f, calls_dict("answer", "a", "from-tag", "ue", "to-tag", "core", "sdp", core, NULL));
    calls_assert_str(ng_dict_get(line(second, 1), SPAN("core")), "setup", "active");
    calls_assert_str(ng_dict_get(line(second, 1), SPAN("access")), "setup", "passive");
}

/* Its words, its encoding, and nothing stays behind. */
static void test_refused_by_rtpengine(Calls *f, const void *data)
{
    static const char *const refusals[] = {
        "d6:result5:error12:error-reason16:Ran out of portse",
        "d6:result10:load limit7:message30:Parallel session limit reachede",
    };
    g_autofree char *sdp = calls_ue_sdp(true, 1);

    (void)data;
    f->upstream = UPSTREAM_REFUSES;
    for (guint i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *expected = g_strdup_printf("c%u %s", i + 1, refusals[i]);
        f->refusal = refusals[i];
        calls_send(f, offer("a", sdp));
        RUN_UNTIL(&f->loop, f->proxy->got->len == i + 1);
        assert_span(test_socket_got(f->proxy, i), expected);
        assert_nothing(f);
    }
    g_assert_cmpuint(f->asked->len, ==, 2); /* no delete: rtpengine has not taken the call */
}

static void test_silent(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(true, 1);
    g_autofree char *reason = rtpengine_text(f, "did not answer within 400 ms");

    (void)data;
    f->upstream = UPSTREAM_SILENT;
    g_autoptr(NgValue) plain = calls_ask(f, offer("a", sdp));
    calls_assert_str(plain, "result", "error");
    calls_assert_str(plain, "error-reason", reason);
    assert_nothing(f);
    g_autoptr(NgValue) supported = calls_ask(f, supporting(offer("a", sdp)));
    calls_assert_str(supported, "result", "load limit");
    calls_assert_str(supported, "message", reason);
    assert_nothing(f);
    assert_logged(reason);
    g_assert_cmpuint(f->asked->len, ==, 2);
}

/* Only an offer can go to another node. */
static void test_silent_pass_through(Calls *f, const void *data)
{
    static const struct {
        const char *command;
        bool supports;
        const char *result;
    } cases[] = {
        {"offer", true, "load limit"},
        {"offer", false, "error"},
        {"answer", true, "error"},
        {"delete", true, "error"},
    };
    g_autofree char *reason = rtpengine_text(f, "did not answer within 400 ms");

    (void)data;
    f->upstream = UPSTREAM_SILENT;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        NgValue *dict = calls_dict(cases[i].command, "x", "from-tag", "ue", "sdp", "v=0\r\n", NULL);
        g_autoptr(NgValue) reply = calls_ask(f, cases[i].supports ? supporting(dict) : dict);
        bool limit = strcmp(cases[i].result, "load limit") == 0;
        calls_assert_str(reply, "result", cases[i].result);
        calls_assert_str(reply, limit ? "message" : "error-reason", reason);
    }
}

/* The call that rtpengine has made is deleted there before another request of it begins. */
static void test_unusable(Calls *f, const void *data)
{
    static const struct {
        Upstream upstream;
        const char *why;
    } cases[] = {
        {UPSTREAM_GARBAGE, "the body is neither"},
        {UPSTREAM_NO_SDP, "rtpengine's reply has no SDP for m-line 1"},
    };
    g_autofree char *sdp = calls_ue_sdp(true, 1);

    (void)data;
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        f->upstream = cases[i].upstream;
        g_autoptr(NgValue) reply = calls_ask(f, offer("a", sdp));
        g_autofree char *reason = span_dup(ng_dict_get_str(reply, SPAN("error-reason")));
        g_autofree char *start = rtpengine_text(f, "to 'offer' is not usable: ");
        calls_assert_str(reply, "result", "error");
        g_assert_nonnull(strstr(reason, start));
        const NgValue *asked = calls_asked(f, 2 * i + 2);
        calls_assert_str(asked, "command", "delete");
        calls_assert_str(asked, "call-id", "a");
        g_assert_null(ng_dict_get(asked, SPAN("from-tag")));
        g_assert_cmpuint(control_calls_ports_used(f->calls), ==, 0);
        RUN_UNTIL(&f->loop, control_calls_count(f->calls) == 0);
    }
}

/* A call that stands is not deleted because of one bad reply; it is as it was. */
static void test_unusable_re_offer(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(true, 2);

    (void)data;
    calls_set_up_call(f, "a", true);
    f->upstream = UPSTREAM_NO_SDP;
    g_autoptr(NgValue) reply = calls_ask(
        f, calls_dict("offer", "a", "from-tag", "ue", "to-tag", "core", "sdp", sdp, NULL));
    calls_assert_str(reply, "result", "error");
    g_assert_cmpuint(control_calls_count(f->calls), ==, 1);
    g_assert_cmpuint(control_calls_ports_used(f->calls), ==, 2);
    g_assert_cmpuint(f->asked->len, ==, 3);
}

/* One port per address: the first stream has it, the second offer gets none and leaves none behind.
 */
static void test_port_exhaustion(Calls *f, const void *data)
{
    g_autofree char *two = calls_ue_sdp(true, 2);
    g_autofree char *one = calls_ue_sdp(true, 1);

    (void)data;
    g_autoptr(NgValue) first = calls_ask(f, offer("a", two));
    calls_assert_str(first, "result", "error");
    calls_assert_str(first, "error-reason", NG_REASON_NO_PORTS);
    assert_nothing(f);
    g_assert_cmpuint(f->asked->len, ==, 0);
    assert_logged("all ports 20001-20001 of 127.");
    g_autoptr(NgValue) second = calls_ask(f, offer("b", one));
    calls_assert_str(second, "result", "ok");
    g_autoptr(NgValue) third = calls_ask(f, offer("c", one));
    calls_assert_str(third, "error-reason", NG_REASON_NO_PORTS);
    g_assert_cmpuint(control_calls_ports_used(f->calls), ==, 2);
    g_assert_cmpuint(control_calls_count(f->calls), ==, 1);
}

static void test_without_rtpengine(Calls *f, const void *data)
{
    g_autofree char *both = calls_ue_sdp(true, 1);

    (void)data;
    g_autoptr(NgValue) reply = calls_ask(f, offer("a", both));
    calls_assert_str(reply, "error-reason",
                     "the SDP has m-lines for rtpengine, and none is configured (--rtpengine)");
    assert_nothing(f);
    calls_set_up_call(f, "b", false);
}

static void test_missing_keys(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);
    struct {
        NgValue *request;
        const char *reason;
    } cases[] = {
        {calls_dict("offer", NULL, "from-tag", "ue", "e2ae", "originating", "sdp", sdp, NULL),
         NG_REASON_NO_CALL_ID},
        {calls_dict("offer", "x", "e2ae", "originating", "sdp", sdp, NULL), NG_REASON_NO_FROM_TAG},
        {calls_dict("offer", "x", "from-tag", "ue", "e2ae", "originating", NULL), NG_REASON_NO_SDP},
        {calls_dict("offer", "x", "from-tag", "ue", "e2ae", "originating", "sdp", "v=0\r\nm=a",
                    NULL),
         NULL},
        {calls_dict("answer", "a", "from-tag", "ue", "sdp", sdp, NULL), NG_REASON_NO_TO_TAG},
        {calls_dict("answer", "a", "from-tag", "ue", "to-tag", "ue", "sdp", sdp, NULL),
         NG_REASON_BAD_DIALOGUE},
        {calls_dict("answer", "a", "from-tag", "no", "to-tag", "core", "sdp", sdp, NULL),
         "no offer waits for this answer"},
        {calls_dict("offer", "x", "from-tag", "ue", "e2ae", "sideways", "sdp", sdp, NULL),
         "e2ae: \"sideways\" is not allowed, allowed is: originating, terminating, off"},
        {calls_dict("offer", "a", "from-tag", "ue", "e2ae-path", "opaque", "sdp", sdp, NULL),
         "e2ae-path: \"opaque\" is not allowed, allowed is: auto, transparent, aware"},
    };

    (void)data;
    calls_set_up_call(f, "a", false);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NgValue) reply = calls_ask(f, cases[i].request);
        calls_assert_str(reply, "result", "error");
        if (cases[i].reason)
            calls_assert_str(reply, "error-reason", cases[i].reason);
        g_assert_cmpuint(control_calls_count(f->calls), ==, 1);
        g_assert_cmpuint(control_calls_ports_used(f->calls), ==, 2);
    }
    g_assert_cmpuint(f->asked->len, ==, 0);
}

/* ---- the Iq style */

static void add_line(NgValue *streams, const char *proto, const char *port, const char *fingerprint)
{
    NgValue *d = ng_list_add_dict(streams);

    ng_dict_add_str(d, "media", "message");
    ng_dict_add_str(d, "proto", proto);
    ng_dict_add_str(d, "address", "192.0.2.1");
    ng_dict_add_str(d, "port", port);
    ng_dict_add_str(d, "setup", fingerprint ? "actpass" : "passive");
    if (fingerprint)
        ng_dict_add_str(d, "fingerprint", fingerprint);
    if (fingerprint)
        ng_dict_add_str(d, "indication", "requested");
}

static void test_fields(Calls *f, const void *data)
{
    NgValue *request = calls_dict("e2ae offer", "a", "from-tag", "ue", "e2ae", "originating", NULL);
    NgValue *second = calls_dict("e2ae answer", "a", "from-tag", "ue", "to-tag", "core", NULL);

    (void)data;
    add_line(ng_dict_add_list(request, "streams"), "TCP/TLS/MSRP", "2855",
             "sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:"
             "19:1A:1B:1C:1D:1E:1F");
    g_autoptr(NgValue) offered = calls_ask(f, request);
    calls_assert_str(offered, "result", "ok");
    g_assert_null(ng_dict_get(offered, SPAN("sdp")));
    const NgValue *to_core = ng_dict_get(line(offered, 1), SPAN("sdp"));
    calls_assert_str(to_core, "proto", "TCP/MSRP");
    calls_assert_str(to_core, "setup", "actpass");
    g_assert_null(ng_dict_get(to_core, SPAN("fingerprint")));
    g_assert_true(span_starts(ng_dict_get_str(to_core, SPAN("address")), SPAN("127.")));

    add_line(ng_dict_add_list(second, "streams"), "TCP/MSRP", "7000", NULL);
    g_autoptr(NgValue) answered = calls_ask(f, second);
    calls_assert_str(answered, "result", "ok");
    const NgValue *to_ue = ng_dict_get(line(answered, 1), SPAN("sdp"));
    calls_assert_str(to_ue, "proto", "TCP/TLS/MSRP");
    calls_assert_str(to_ue, "setup", "passive");
    g_assert_cmpuint(ng_value_n(ng_dict_get(to_ue, SPAN("fingerprint"))), >=, 1);
    g_assert_cmpuint(f->asked->len, ==, 0);
}

static void test_fields_errors(Calls *f, const void *data)
{
    NgValue *bad = calls_dict("e2ae offer", "a", "from-tag", "ue", "e2ae", "originating", NULL);

    (void)data;
    add_line(ng_dict_add_list(bad, "streams"), "TCP/TLS/MSRP", "70000", NULL);
    struct {
        NgValue *request;
        const char *reason;
    } cases[] = {
        {bad, "streams[1]: port is missing or not usable: \"70000\""},
        {calls_dict("e2ae offer", "a", "from-tag", "ue", "e2ae", "originating", NULL),
         "no sdp, and streams is not a list of 1 to "},
        {calls_dict("e2ae offer", "a", "from-tag", "ue", "sdp", "v=0\r\n", NULL),
         "the first e2ae offer of a call needs e2ae=originating or e2ae=terminating"},
        {calls_dict("e2ae offer", NULL, "from-tag", "ue", "sdp", "v=0\r\n", NULL),
         NG_REASON_NO_CALL_ID},
        {calls_dict("e2ae answer", "a", "from-tag", "ue", "to-tag", "b", "sdp", "v=0\r\n", NULL),
         NG_REASON_UNKNOWN_CALL},
    };
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NgValue) reply = calls_ask(f, cases[i].request);
        g_autofree char *reason = span_dup(ng_dict_get_str(reply, SPAN("error-reason")));
        calls_assert_str(reply, "result", "error");
        g_assert_true(g_str_has_prefix(reason, cases[i].reason));
    }
    assert_nothing(f);
    g_assert_cmpuint(f->asked->len, ==, 0);
}

/* With sdp: as offer, but rtpengine hears nothing of it and its lines are nobody's. */
static void test_e2ae_offer_with_sdp(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(true, 1);
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("e2ae offer", "a", "from-tag", "ue", "e2ae",
                                                       "originating", "sdp", sdp, NULL));
    g_autofree char *got = span_dup(ng_dict_get_str(reply, SPAN("sdp")));

    (void)data;
    calls_assert_str(reply, "result", "ok");
    g_assert_nonnull(strstr(got, "m=audio 5000 RTP/AVP 8\r\n"));
    g_assert_nonnull(strstr(got, " TCP/MSRP *\r\n"));
    calls_assert_str(line(reply, 1), "treatment", "pass");
    g_assert_cmpuint(f->asked->len, ==, 0);
}

static const CallsOptions one_port = {.ports = 1};
static const CallsOptions alone = {.no_rtpengine = true};

#define ADD(name, func, data)                                                                      \
    g_test_add("/control/offer/" name, Calls, data, calls_set_up, func, calls_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    signal(SIGPIPE, SIG_IGN);
    ADD("audio-and-msrp", test_audio_and_msrp, NULL);
    ADD("SIG-10/CTL-08/no-word-from-the-proxy", test_no_word, NULL);
    ADD("only-msrp", test_only_msrp, NULL);
    ADD("reply-dictionary", test_reply_dictionary, NULL);
    ADD("refused-by-rtpengine", test_refused_by_rtpengine, NULL);
    ADD("rtpengine-silent", test_silent, NULL);
    ADD("rtpengine-silent-pass-through", test_silent_pass_through, NULL);
    ADD("rtpengine-unusable", test_unusable, NULL);
    ADD("rtpengine-unusable-re-offer", test_unusable_re_offer, NULL);
    ADD("port-exhaustion", test_port_exhaustion, &one_port);
    ADD("without-rtpengine", test_without_rtpengine, &alone);
    ADD("missing-keys", test_missing_keys, NULL);
    ADD("CTL-01/fields", test_fields, NULL);
    ADD("CTL-01/fields-errors", test_fields_errors, NULL);
    ADD("e2ae-offer-with-sdp", test_e2ae_offer_with_sdp, NULL);
    return g_test_run();
}
