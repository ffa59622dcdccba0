/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "calls-fixture.h"

#include "ng-protocol/ng-reply.h"

/* What rtpengine 10.5 says of the audio of the same call, shortened. */
#define THEIRS                                                                                     \
    "d7:createdi7e11:last signali8e4:SSRCde4:tags"                                                 \
    "d2:ued3:tag2:ue6:mediasld5:indexi1e4:type5:audioeee"                                          \
    "4:cored3:tag4:core6:mediasld5:indexi1e4:type5:audioeeee"                                      \
    "6:totalsd3:RTPd7:packetsi5e5:bytesi6e6:errorsi0ee4:RTCPdee6:result2:oke"

static const NgValue *tag(const NgValue *reply, const char *name)
{
    return ng_dict_get(ng_dict_get(reply, SPAN("tags")), span_str(name));
}

static const NgValue *media(const NgValue *reply, const char *name, unsigned i)
{
    return ng_list_get(ng_dict_get(tag(reply, name), SPAN("medias")), i);
}

static int64_t number(const NgValue *dict, const char *key)
{
    int64_t n = -1;

    ng_dict_get_int(dict, span_str(key), &n);
    return n;
}

static bool flagged(const NgValue *dict, const char *flag)
{
    const NgValue *flags = ng_dict_get(dict, SPAN("flags"));

    for (unsigned i = 0; i < ng_value_n(flags); i++)
        if (span_eq(ng_value_span(ng_list_get(flags, i)), span_str(flag)))
            return true;
    return false;
}

static const NgValue *stream(const NgValue *reply, unsigned i)
{
    const NgValue *streams = ng_dict_get(ng_dict_get(reply, SPAN("e2ae")), SPAN("streams"));

    return i < ng_value_n(streams) ? ng_list_get(streams, i) : NULL;
}

/* What Kamailio and OpenSIPS read is there, and of the right types. */
static void assert_readable(const NgValue *reply)
{
    const NgValue *totals = ng_dict_get(reply, SPAN("totals"));

    calls_assert_str(reply, "result", "ok");
    g_assert_true(ng_value_is(ng_dict_get(reply, SPAN("created")), NG_INT));
    g_assert_true(ng_value_is(ng_dict_get(reply, SPAN("last signal")), NG_INT));
    g_assert_true(ng_value_is(ng_dict_get(reply, SPAN("SSRC")), NG_DICT));
    g_assert_true(ng_value_is(ng_dict_get(reply, SPAN("tags")), NG_DICT));
    g_assert_true(ng_value_is(ng_dict_get(totals, SPAN("RTP")), NG_DICT));
    g_assert_true(ng_value_is(ng_dict_get(totals, SPAN("RTCP")), NG_DICT));
}

static void assert_msrp_medias(const NgValue *reply, unsigned at)
{
    const NgValue *ue = media(reply, "ue", at), *core = media(reply, "core", at);
    const NgValue *leg = ng_list_get(ng_dict_get(ue, SPAN("streams")), 0);
    const NgValue *endpoint = ng_dict_get(leg, SPAN("endpoint"));

    g_assert_cmpint(number(ue, "index"), ==, at + 1);
    calls_assert_str(ue, "type", "message");
    calls_assert_str(ue, "protocol", "TCP/TLS/MSRP");
    calls_assert_str(core, "protocol", "TCP/MSRP");
    g_assert_true(flagged(ue, "e2ae") && flagged(ue, "TLS") && flagged(ue, "initialized"));
    g_assert_true(flagged(core, "e2ae") && !flagged(core, "TLS"));
    g_assert_false(flagged(ue, "fingerprint verified"));
    g_assert_cmpint(number(leg, "local port"), ==, 20001);
    g_assert_true(span_starts(ng_dict_get_str(leg, SPAN("local address")), SPAN("127.")));
    calls_assert_str(leg, "family", "IPv4");
    calls_assert_str(endpoint, "address", "192.0.2.1");
    g_assert_cmpint(number(endpoint, "port"), ==, 2855);
    g_assert_cmpint(number(ng_dict_get(leg, SPAN("stats")), "bytes"), ==, 0);
    g_assert_cmpint(number(ng_dict_get(ng_dict_get(reply, SPAN("totals")), SPAN("e2ae")), "bytes"),
                    ==, 0);
}

static void test_merged(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", true);
    f->upstream = UPSTREAM_REFUSES;
    f->refusal = THEIRS;
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("query", "a", NULL));
    assert_readable(reply);
    g_assert_cmpint(number(reply, "created"), ==, 7);
    g_assert_cmpuint(ng_value_n(ng_dict_get(reply, SPAN("tags"))), ==, 2);
    calls_assert_str(media(reply, "ue", 0), "type", "audio");
    assert_msrp_medias(reply, 1);
    const NgValue *rtp = ng_dict_get(ng_dict_get(reply, SPAN("totals")), SPAN("RTP"));
    g_assert_cmpint(number(rtp, "packets"), ==, 5);
}

/* CTL-07 */
static void test_own_part(Calls *f, const void *data)
{
    (void)data;
    calls_set_up_call(f, "a", false);
    calls_wait_listening(f, "a");
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("e2ae query", "a", NULL));
    const NgValue *s = stream(reply, 0);
    const NgValue *access = ng_dict_get(s, SPAN("access")), *core = ng_dict_get(s, SPAN("core"));

    assert_readable(reply);
    assert_msrp_medias(reply, 0);
    g_assert_cmpint(number(s, "index"), ==, 1);
    calls_assert_str(s, "medium", "msrp");
    calls_assert_str(s, "phase", "in force");
    calls_assert_str(s, "access-tag", "ue");
    calls_assert_str(s, "core-tag", "core");
    g_assert_cmpint(number(s, "failed-handshakes"), ==, 0);
    calls_assert_str(access, "tls-role", "server");
    calls_assert_str(access, "state", "listening");
    calls_assert_str(access, "remote", "192.0.2.1:2855");
    g_assert_cmpuint(ng_value_n(ng_dict_get(access, SPAN("remote-fingerprints"))), ==, 1);
    g_assert_cmpuint(ng_dict_get_str(access, SPAN("local-fingerprint")).len, >, 0);
    g_assert_null(ng_dict_get(access, SPAN("tls")));
    calls_assert_str(core, "setup", "active");
    calls_assert_str(core, "state", "idle");
    g_assert_cmpuint(f->asked->len, ==, 0);
}

/* rtpengine does not know the call, or says nothing: the reply is made up of what we know. */
static void test_synthesised(Calls *f, const void *data)
{
    static const struct {
        Upstream upstream;
        const char *warning;
    } cases[] = {{UPSTREAM_REFUSES, NULL}, {UPSTREAM_SILENT, "did not answer within 400 ms"}};

    (void)data;
    calls_set_up_call(f, "a", false);
    f->refusal = "d6:result5:error12:error-reason15:Unknown call-ide";
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        f->upstream = cases[i].upstream;
        g_autoptr(NgValue) reply = calls_ask(f, calls_dict("query", "a", NULL));
        g_autofree char *warning = span_dup(ng_dict_get_str(reply, SPAN("warning")));
        assert_readable(reply);
        assert_msrp_medias(reply, 0);
        calls_assert_str(tag(reply, "ue"), "tag", "ue");
        g_assert_true(cases[i].warning ? strstr(warning, cases[i].warning) != NULL : !*warning);
        g_assert_cmpint(ABS(number(reply, "created") - g_get_real_time() / G_USEC_PER_SEC), <, 60);
    }
}

/* Before the answer the other side has no name, and every fork has an entry of its own. */
static void test_unanswered_forks(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);

    (void)data;
    for (int branch = 1; branch <= 2; branch++) {
        g_autoptr(NgValue) offered =
            calls_ask(f, calls_dict("offer", "a", "from-tag", "ue", "e2ae", "originating",
                                    "via-branch", branch == 1 ? "b1" : "b2", "sdp", ue, NULL));
        calls_assert_str(offered, "result", "ok");
    }
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("e2ae query", "a", NULL));
    const NgValue *tags = ng_dict_get(reply, SPAN("tags"));
    g_assert_cmpuint(ng_value_n(tags), ==, 3);
    g_assert_cmpuint(ng_value_n(ng_dict_get(tag(reply, "ue"), SPAN("medias"))), ==, 2);
    g_assert_true(flagged(media(reply, "ue", 0), "offered"));
    calls_assert_str(tag(reply, "<untagged 2>"), "via-branch", "b1");
    calls_assert_str(tag(reply, "<untagged 3>"), "via-branch", "b2");
    calls_assert_str(tag(reply, "<untagged 3>"), "tag", "");
    calls_assert_str(stream(reply, 1), "phase", "offered");
    calls_assert_str(stream(reply, 1), "via-branch", "b2");
    g_assert_null(ng_dict_get(ng_dict_get(stream(reply, 0), SPAN("core")), SPAN("remote")));
}

/* A tag asks for its dialogs alone. */
static void test_by_tag(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(false, 1);
    g_autofree char *core = calls_core_sdp(false, 1);
    static const char *const callees[] = {"B1", "B2"};

    (void)data;
    for (int i = 0; i < 2; i++) {
        const char *branch = i ? "b2" : "b1";
        g_autoptr(NgValue) offered =
            calls_ask(f, calls_dict("offer", "a", "from-tag", "ue", "e2ae", "originating",
                                    "via-branch", branch, "sdp", ue, NULL));
        g_autoptr(NgValue) answered =
            calls_ask(f, calls_dict("answer", "a", "from-tag", "ue", "to-tag", callees[i],
                                    "via-branch", branch, "sdp", core, NULL));
        calls_assert_str(answered, "result", "ok");
    }
    g_autoptr(NgValue) one =
        calls_ask(f, calls_dict("e2ae query", "a", "from-tag", "ue", "to-tag", "B2", NULL));
    g_assert_null(tag(one, "B1"));
    g_assert_nonnull(tag(one, "B2"));
    calls_assert_str(stream(one, 0), "core-tag", "B2");
    g_assert_null(stream(one, 1));
    g_autoptr(NgValue) both = calls_ask(f, calls_dict("e2ae query", "a", "from-tag", "ue", NULL));
    g_assert_nonnull(stream(both, 1));
}

/* A reply of rtpengine's whose parts are not of the types they should be is added to all the same.
 */
static void test_odd_types(Calls *f, const void *data)
{
    static const char *const odd[] = {
        "d6:result2:ok4:tagsi1e6:totals1:xe",
        "d6:result2:ok4:tagsd2:uei1e4:cored6:mediasi2eeee",
        "d6:result2:ok4:tagsleee",
    };

    (void)data;
    calls_set_up_call(f, "a", false);
    f->upstream = UPSTREAM_REFUSES;
    for (guint i = 0; i < G_N_ELEMENTS(odd); i++) {
        f->refusal = odd[i];
        g_autoptr(NgValue) reply = calls_ask(f, calls_dict("query", "a", NULL));
        calls_assert_str(reply, "result", "ok");
        g_assert_nonnull(stream(reply, 0));
    }
}

/* 64 lines are too much for one datagram: details go, then our tags, never rtpengine's part. */
static void test_too_long(Calls *f, const void *data)
{
    g_autofree char *ue = calls_ue_sdp(true, 60);
    g_autofree char *core = calls_core_sdp(true, 60);
    g_autofree char *filler = g_strnfill(60000, 'x');
    g_autofree char *long_reply = g_strdup_printf(
        "d4:tagsd2:ued3:tag2:ue6:mediasleee6:totalsde1:x60000:%s6:result2:oke", filler);

    (void)data;
    g_autoptr(NgValue) offered = calls_ask(
        f, calls_dict("offer", "a", "from-tag", "ue", "e2ae", "originating", "sdp", ue, NULL));
    calls_assert_str(offered, "result", "ok");
    g_autoptr(NgValue) answered = calls_ask(
        f, calls_dict("answer", "a", "from-tag", "ue", "to-tag", "core", "sdp", core, NULL));
    calls_assert_str(answered, "result", "ok");
    f->upstream = UPSTREAM_REFUSES;
    f->refusal = THEIRS;
    g_autoptr(NgValue) shorter = calls_ask(f, calls_dict("query", "a", NULL));
    g_assert_cmpuint(ng_value_n(ng_dict_get(tag(shorter, "ue"), SPAN("medias"))), ==, 61);
    g_assert_null(ng_dict_get(ng_dict_get(shorter, SPAN("e2ae")), SPAN("streams")));
    g_assert_nonnull(ng_dict_get(ng_dict_get(shorter, SPAN("e2ae")), SPAN("truncated")));
    f->refusal = long_reply;
    g_autoptr(NgValue) shortest = calls_ask(f, calls_dict("query", "a", NULL));
    g_assert_cmpuint(ng_value_n(ng_dict_get(tag(shortest, "ue"), SPAN("medias"))), ==, 0);
    g_assert_cmpuint(ng_dict_get_str(shortest, SPAN("x")).len, ==, 60000);
}

static void test_unknown(Calls *f, const void *data)
{
    (void)data;
    g_autoptr(NgValue) own = calls_ask(f, calls_dict("e2ae query", "x", NULL));
    calls_assert_str(own, "error-reason", NG_REASON_UNKNOWN_CALL);
    g_autoptr(NgValue) nameless = calls_ask(f, calls_dict("e2ae query", NULL, NULL));
    calls_assert_str(nameless, "error-reason", NG_REASON_NO_CALL_ID);
    g_assert_cmpuint(f->asked->len, ==, 0);
    g_autoptr(NgValue) passed = calls_ask(f, calls_dict("query", "x", NULL));
    g_assert_cmpuint(f->asked->len, ==, 1);
}

#define ADD(name, func)                                                                            \
    g_test_add("/control/query/" name, Calls, NULL, calls_set_up, func, calls_tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    signal(SIGPIPE, SIG_IGN);
    ADD("merged", test_merged);
    ADD("CTL-07/own-part", test_own_part);
    ADD("synthesised", test_synthesised);
    ADD("unanswered-forks", test_unanswered_forks);
    ADD("by-tag", test_by_tag);
    ADD("odd-types", test_odd_types);
    ADD("too-long", test_too_long);
    ADD("unknown", test_unknown);
    return g_test_run();
}
