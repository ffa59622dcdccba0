/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ng-protocol/ng-message.h"
#include "ng-protocol/ng-request.h"

/* A message as a proxy sends it, from t/fixtures/ng. */
static NgMessage *fixture(const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "t", "fixtures", "ng", name, NULL);
    g_autofree char *bytes = NULL;
    g_autoptr(GError) error = NULL;
    NgEnvelope env;
    gsize len;

    g_file_get_contents(path, &bytes, &len, &error);
    g_assert_no_error(error);
    g_assert_true(ng_envelope_open((Span){bytes, len}, &env, NULL));
    NgMessage *m = ng_message_new(&env, &error);
    g_assert_no_error(error);
    return m;
}

static NgRequest read_request(const NgValue *dict)
{
    g_autoptr(GError) error = NULL;
    NgRequest r = {0};

    ng_request_read(dict, &r, &error);
    g_assert_no_error(error);
    return r;
}

static NgValue *json(const char *text)
{
    NgEnvelope env = ng_envelope_plain(span_str(text));
    g_autoptr(GError) error = NULL;
    g_autoptr(NgMessage) m = ng_message_new(&env, &error);

    g_assert_no_error(error);
    return g_steal_pointer(&m->dict);
}

static void assert_text(Span got, const char *want)
{
    g_autofree char *text = span_dup(got);

    g_assert_cmpstr(text, ==, want);
}

static void assert_json(const NgValue *v, const char *want)
{
    g_autoptr(GString) out = ng_message_encode(SPAN(""), NG_JSON, v);

    g_assert_cmpstr(out->str, ==, want);
}

static void test_kamailio_offer(void)
{
    g_autoptr(NgMessage) m = fixture("kamailio-5.6-offer");
    NgRequest r = read_request(m->dict);
    char text[ADDR_TEXT_MAX];

    assert_text(m->cookie, "0_4711_12");
    g_assert_cmpint(r.command, ==, NG_CMD_OFFER);
    assert_text(r.call_id, "a84b4c76e66710@pc33.example.com");
    assert_text(r.from_tag, "1928301774");
    assert_text(r.to_tag, "");
    assert_text(r.via_branch, "z9hG4bK776asdhds");
    assert_text(r.direction[0], "priv");
    assert_text(r.direction[1], "pub");
    g_assert_true(span_starts(r.sdp, SPAN("v=0\r\no=alice ")));
    g_assert_cmpint(r.delete_delay, ==, 5);
    g_assert_cmpstr(addr_ip_text(&r.received_from, text), ==, "192.0.2.10");
    g_assert_cmpuint(r.t38, ==, NG_T38_DECODE);
    g_assert_cmpuint(r.e2ae.given, ==, E2AE_GIVEN_MODE);
    g_assert_cmpint(r.e2ae.mode, ==, E2AE_ORIGINATING);
    g_assert_true(ng_request_supports(&r, SPAN("load limit")));
    g_assert_false(ng_request_supports(&r, SPAN("load")));
    g_assert_true(ng_request_has_flag(&r, SPAN("trust-address")));
    g_assert_false(ng_request_has_flag(&r, SPAN("e2ae")));
}

static void test_kamailio_others(void)
{
    static const struct {
        const char *file;
        NgCommand command;
        const char *to_tag;
    } cases[] = {
        {"kamailio-5.6-answer", NG_CMD_ANSWER, "a6c85cf"},
        {"kamailio-5.6-delete", NG_CMD_DELETE, ""},
        {"kamailio-5.6-query", NG_CMD_QUERY, ""},
        {"kamailio-5.6-ping", NG_CMD_PING, ""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NgMessage) m = fixture(cases[i].file);
        NgRequest r = read_request(m->dict);
        g_autoptr(NgValue) left = ng_request_strip(m->dict);
        g_assert_cmpint(r.command, ==, cases[i].command);
        assert_text(r.to_tag, cases[i].to_tag);
        g_assert_cmpint(r.delete_delay, ==, -1);
        g_assert_cmpuint(r.e2ae.given, ==, 0);
        g_assert_true(ng_value_eq(left, m->dict));
    }
}

static void test_rtpp_flags(void)
{
    g_autoptr(NgMessage) m = fixture("kamailio-6-offer-rtpp-flags");
    NgRequest r = read_request(m->dict);
    g_autoptr(NgValue) left = ng_request_strip(m->dict);

    assert_text(r.to_tag, "a6c85cf");
    assert_text(r.direction[0], "priv");
    assert_text(r.direction[1], "pub");
    g_assert_cmpint(r.delete_delay, ==, 5);
    g_assert_cmpuint(r.t38, ==, NG_T38_DECODE);
    g_assert_true(ng_request_has_flag(&r, SPAN("trust-address")));
    g_assert_cmpint(r.e2ae.mode, ==, E2AE_ORIGINATING);
    g_assert_cmpuint(r.e2ae.media, ==, E2AE_MEDIA_MSRP | E2AE_MEDIA_T38);
    g_assert_cmpint(r.e2ae.path, ==, E2AE_PATH_AWARE);
    assert_text(ng_dict_get_str(left, SPAN("rtpp-flags")),
                "trust-address direction=priv direction=pub ICE=remove T38=decode delete-delay=5 "
                "replace=[origin session-connection]");
}

static void test_opensips(void)
{
    g_autoptr(NgMessage) m = fixture("opensips-3.4-offer");
    NgRequest r = read_request(m->dict);
    g_autoptr(NgValue) left = ng_request_strip(m->dict);

    g_assert_cmpint(r.e2ae.mode, ==, E2AE_TERMINATING);
    g_assert_cmpuint(r.e2ae.media, ==, E2AE_MEDIA_MSRP | E2AE_MEDIA_BFCP);
    g_assert_cmpint(r.e2ae.core, ==, E2AE_CORE_TLS);
    assert_json(ng_dict_get(left, SPAN("flags")), "[\"trust-address\"]");
    g_assert_null(ng_dict_get(left, SPAN("e2ae-media")));
    g_assert_cmpuint(ng_value_n(left), ==, ng_value_n(m->dict) - 2);
}

static void test_json_offer(void)
{
    g_autoptr(NgMessage) m = fixture("json-offer");
    NgRequest r = read_request(m->dict);

    g_assert_cmpint(m->encoding, ==, NG_JSON);
    g_assert_cmpint(r.delete_delay, ==, 0);
    g_assert_cmpuint(r.e2ae.n_fingerprints, ==, 2);
    g_assert_cmpuint(r.e2ae.fingerprints[0].index, ==, 1);
    g_assert_cmpint(r.e2ae.fingerprints[1].fp.hash, ==, FP_SHA256);
}

static void test_unknown_key(void)
{
    g_autoptr(NgMessage) m = fixture("kamailio-5.6-offer-unknown-flag");
    g_autoptr(GError) error = NULL;
    NgRequest r;

    g_assert_false(ng_request_read(m->dict, &r, &error));
    g_assert_error(error, NG_ERROR, NG_ERROR_KEY);
    g_assert_nonnull(strstr(error->message, "\"e2ae-strict\""));
}

/* Exact bytes, as rtpengine compares. */
static void test_commands(void)
{
    for (NgCommand c = NG_CMD_OFFER; c <= NG_CMD_E2AE_STATISTICS; c++) {
        g_autoptr(NgValue) dict = ng_dict_new();
        ng_dict_add_str(dict, "command", ng_command_name(c));
        g_assert_cmpint(read_request(dict).command, ==, c);
    }
    static const char *const others[] = {"Offer",       "offer ", "e2ae",
                                         "e2ae  offer", "other",  "play media"};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(NgValue) dict = ng_dict_new();
        ng_dict_add_str(dict, "command", others[i]);
        g_assert_cmpint(read_request(dict).command, ==, NG_CMD_OTHER);
        assert_text(read_request(dict).command_name, others[i]);
    }
}

static void test_no_command(void)
{
    static const char *const cases[] = {"{}", "{\"command\":5}", "{\"command\":\"\"}"};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NgValue) dict = json(cases[i]);
        g_autoptr(GError) error = NULL;
        NgRequest r;
        g_assert_false(ng_request_read(dict, &r, &error));
        g_assert_error(error, NG_ERROR, NG_ERROR_NO_COMMAND);
        g_assert_cmpstr(ng_error_reason(error), ==, "Dictionary contains no key \"command\"");
    }
}

static void test_delete_delay(void)
{
    static const struct {
        const char *in;
        int64_t want;
    } cases[] = {
        {"{\"command\":\"delete\"}", -1},
        {"{\"command\":\"delete\",\"delete-delay\":0}", 0},
        {"{\"command\":\"delete\",\"delete delay\":\"7\"}", 7},
        {"{\"command\":\"delete\",\"delete-delay\":\"x\",\"delete delay\":8}", 8},
        {"{\"command\":\"delete\",\"delete-delay\":-5}", -1},
        {"{\"command\":\"delete\",\"rtpp-flags\":\"delete-delay=9\"}", 9},
        {"{\"command\":\"delete\",\"delete-delay\":1,\"rtpp_flags\":\"delete-delay=9\"}", 1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NgValue) dict = json(cases[i].in);
        g_test_message("%s", cases[i].in);
        g_assert_cmpint(read_request(dict).delete_delay, ==, cases[i].want);
    }
}

static void test_direction(void)
{
    static const struct {
        const char *in, *first, *second;
    } cases[] = {
        {"{\"command\":\"offer\"}", "", ""},
        {"{\"command\":\"offer\",\"direction\":[\"a\",\"b\",\"c\"]}", "a", "b"},
        {"{\"command\":\"offer\",\"direction\":\"a,b\"}", "a", "b"},
        {"{\"command\":\"offer\",\"direction\":[\"a\"]}", "a", ""},
        {"{\"command\":\"offer\",\"from-interface\":\"a\",\"to-interface\":\"b\"}", "a", "b"},
        {"{\"command\":\"offer\",\"rtpp flags\":\"direction=a x direction=b\"}", "a", "b"},
        {"{\"command\":\"offer\",\"rtpp-flags\":\"direction=[a b]\"}", "a", "b"},
        {"{\"command\":\"offer\",\"rtpp-flags\":\"internal external\"}", "internal", "external"},
        {"{\"command\":\"offer\",\"rtpp-flags\":\"to-interface=b\"}", "", "b"},
        {"{\"command\":\"offer\",\"rtpp-flags\":\"direction=c "
         "direction=d\",\"direction\":[\"a\",\"b\"]}",
         "a", "b"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NgValue) dict = json(cases[i].in);
        NgRequest r = read_request(dict);
        g_test_message("%s", cases[i].in);
        assert_text(r.direction[0], cases[i].first);
        assert_text(r.direction[1], cases[i].second);
    }
}

static void test_rtpengine_keys(void)
{
    static const struct {
        const char *in;
        unsigned t38;
        const char *received;
    } cases[] = {
        {"{\"command\":\"offer\"}", 0, "-"},
        {"{\"command\":\"offer\",\"T.38\":[\"force\",\"no-ECM\"]}", NG_T38_FORCE, "-"},
        {"{\"command\":\"offer\",\"t38\":\"decode,stop\"}", NG_T38_DECODE | NG_T38_STOP, "-"},
        {"{\"command\":\"offer\",\"flags\":[\"T38-decode\",\"T38x\"]}", NG_T38_DECODE, "-"},
        {"{\"command\":\"offer\",\"rtpp-flags\":\"T.38-force T38=decode\"}", 3, "-"},
        {"{\"command\":\"offer\",\"received-from\":[\"IP6\",\"2001:db8::1\"]}", 0, "2001:db8::1"},
        {"{\"command\":\"offer\",\"received from\":\"192.0.2.1\"}", 0, "192.0.2.1"},
        {"{\"command\":\"offer\",\"received-from\":[\"IP4\",\"host\"]}", 0, "-"},
        {"{\"command\":\"offer\",\"rtpp-flags\":\"received-from=[IP4 192.0.2.9]\"}", 0,
         "192.0.2.9"},
    };
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NgValue) dict = json(cases[i].in);
        NgRequest r = read_request(dict);
        g_test_message("%s", cases[i].in);
        g_assert_cmpuint(r.t38, ==, cases[i].t38);
        g_assert_cmpstr(addr_ip_text(&r.received_from, text), ==, cases[i].received);
    }
}

static void test_tags_in_rtpp_flags(void)
{
    g_autoptr(NgValue) dict =
        json("{\"command\":\"answer\",\"from-tag\":\"f\","
             "\"rtpp-flags\":\"from-tag=x to-tag=t via-branch=v call-id=c\"}");
    NgRequest r = read_request(dict);

    assert_text(r.from_tag, "f");
    assert_text(r.to_tag, "t");
    assert_text(r.via_branch, "v");
    assert_text(r.call_id, "c");
}

static void test_has_flag(void)
{
    g_autoptr(NgValue) dict = json(
        "{\"command\":\"x\",\"flags\":[\"a\",\"b=1\"],\"rtpp-flags\":\"c d=1 e= flags=[f g]\"}");
    g_autoptr(NgValue) text = json("{\"command\":\"x\",\"flags\":\"h, i\"}");
    NgRequest r = read_request(dict);
    NgRequest r2 = read_request(text);
    static const char *const yes[] = {"a", "b=1", "c", "e", "f", "g"};
    static const char *const no[] = {"A", "b", "d", "flags", "h", ""};

    for (size_t i = 0; i < G_N_ELEMENTS(yes); i++)
        g_assert_true(ng_request_has_flag(&r, span_str(yes[i])));
    for (size_t i = 0; i < G_N_ELEMENTS(no); i++)
        g_assert_false(ng_request_has_flag(&r, span_str(no[i])));
    g_assert_true(ng_request_has_flag(&r2, SPAN("i")));
}

static void test_rank_of_places(void)
{
    g_autoptr(NgValue) dict =
        json("{\"command\":\"offer\",\"rtpp-flags\":\"e2ae=off e2ae-path=aware e2ae-core=tls "
             "e2ae-media=t38\",\"flags\":[\"e2ae=terminating\",\"e2ae-path=transparent\","
             "\"e2ae-media=bfcp\"],\"e2ae\":\"originating\"}");
    NgRequest r = read_request(dict);

    g_assert_cmpint(r.e2ae.mode, ==, E2AE_ORIGINATING);
    g_assert_cmpint(r.e2ae.path, ==, E2AE_PATH_TRANSPARENT);
    g_assert_cmpuint(r.e2ae.media, ==, E2AE_MEDIA_BFCP);
    g_assert_cmpint(r.e2ae.core, ==, E2AE_CORE_TLS);
}

static void test_e2ae_errors(void)
{
    static const struct {
        const char *in;
        int code; /* NgErrorCode */
    } cases[] = {
        {"{\"command\":\"offer\",\"e2ae\":\"maybe\"}", NG_ERROR_VALUE},
        {"{\"command\":\"offer\",\"e2ae\":5}", NG_ERROR_VALUE},
        {"{\"command\":\"offer\",\"e2ae\":{\"a\":\"off\"}}", NG_ERROR_VALUE},
        {"{\"command\":\"offer\",\"e2ae-foo\":\"off\"}", NG_ERROR_KEY},
        {"{\"command\":\"offer\",\"flags\":[\"e2ae\"]}", NG_ERROR_VALUE},
        {"{\"command\":\"offer\",\"flags\":\"x,e2ae-foo\"}", NG_ERROR_KEY},
        {"{\"command\":\"offer\",\"rtpp-flags\":\"e2ae=\"}", NG_ERROR_VALUE},
        {"{\"command\":\"offer\",\"rtpp-flags\":\"x e2ae-foo y\"}", NG_ERROR_KEY},
        {"{\"command\":\"offer\",\"rtpp-flags\":\"flags=[x e2ae=off]\"}", NG_ERROR_KEY},
        {"{\"command\":\"offer\",\"e2ae\":\"off\",\"rtpp-flags\":\"e2ae=maybe\"}", NG_ERROR_VALUE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NgValue) dict = json(cases[i].in);
        g_autoptr(GError) error = NULL;
        NgRequest r;
        g_test_message("%s", cases[i].in);
        g_assert_false(ng_request_read(dict, &r, &error));
        g_assert_error(error, NG_ERROR, cases[i].code);
    }
}

static void test_strip(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"{}", "{}"},
        {"{\"a\":1,\"e2ae\":\"off\",\"b\":[\"e2ae\"]}", "{\"a\":1,\"b\":[\"e2ae\"]}"},
        {"{\"e2ae-foo\":{\"x\":1},\"e2aes\":1}", "{\"e2aes\":1}"},
        {"{\"flags\":[\"e2ae=off\",\"x\",\"e2ae-y\"]}", "{\"flags\":[\"x\"]}"},
        {"{\"flags\":[\"e2ae=off\"],\"a\":1}", "{\"a\":1}"},
        {"{\"flags\":[]}", "{\"flags\":[]}"},
        {"{\"flags\":[5,{\"e2ae\":1}]}", "{\"flags\":[5,{\"e2ae\":1}]}"},
        {"{\"flags\":\"x, e2ae=off,y\"}", "{\"flags\":\"x,y\"}"},
        {"{\"flags\":\"e2ae=off\"}", "{}"},
        {"{\"flags\":\" a ,, b\"}", "{\"flags\":\" a ,, b\"}"},
        {"{\"flags\":\"\"}", "{\"flags\":\"\"}"},
        {"{\"rtpp-flags\":\"a e2ae=off  b\"}", "{\"rtpp-flags\":\"a  b\"}"},
        {"{\"rtpp_flags\":\"e2ae-media=[msrp t38]\"}", "{}"},
        {"{\"rtpp flags\":\"\"}", "{\"rtpp flags\":\"\"}"},
        {"{\"rtpp-flags\":\"e2ae-a a=[e2ae e2ae=b] e2ae-b\"}",
         "{\"rtpp-flags\":\"a=[e2ae e2ae=b]\"}"},
        {"{\"rtpp-flags\":[\"e2ae\"]}", "{\"rtpp-flags\":[\"e2ae\"]}"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(NgValue) dict = json(cases[i].in);
        g_autoptr(NgValue) left = ng_request_strip(dict);
        assert_json(left, cases[i].out);
    }
}

/* bencode may hold a key twice: both go, and the first counts. */
static void test_duplicates(void)
{
    NgEnvelope env = ng_envelope_plain(
        SPAN("d7:command5:offer4:e2ae3:off1:a1:x4:e2ae11:originating7:command4:pinge"));
    g_autoptr(NgMessage) m = ng_message_new(&env, NULL);
    g_autoptr(NgValue) left = ng_request_strip(m->dict);
    g_autoptr(GString) out = ng_message_encode(SPAN(""), NG_BENCODE, left);

    g_assert_cmpint(read_request(m->dict).command, ==, NG_CMD_OFFER);
    g_assert_cmpint(read_request(m->dict).e2ae.mode, ==, E2AE_OFF);
    g_assert_cmpstr(out->str, ==, "d7:command5:offer1:a1:x7:command4:pinge");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ng/request/kamailio-offer", test_kamailio_offer);
    g_test_add_func("/ng/request/kamailio-others", test_kamailio_others);
    g_test_add_func("/ng/request/rtpp-flags", test_rtpp_flags);
    g_test_add_func("/ng/request/opensips", test_opensips);
    g_test_add_func("/ng/request/json-offer", test_json_offer);
    g_test_add_func("/ng/request/unknown-key", test_unknown_key);
    g_test_add_func("/ng/request/commands", test_commands);
    g_test_add_func("/ng/request/no-command", test_no_command);
    g_test_add_func("/ng/request/delete-delay", test_delete_delay);
    g_test_add_func("/ng/request/direction", test_direction);
    g_test_add_func("/ng/request/rtpengine-keys", test_rtpengine_keys);
    g_test_add_func("/ng/request/tags-in-rtpp-flags", test_tags_in_rtpp_flags);
    g_test_add_func("/ng/request/has-flag", test_has_flag);
    g_test_add_func("/ng/request/rank-of-places", test_rank_of_places);
    g_test_add_func("/ng/request/e2ae-errors", test_e2ae_errors);
    g_test_add_func("/ng/request/strip", test_strip);
    g_test_add_func("/ng/request/duplicates", test_duplicates);
    return g_test_run();
}
