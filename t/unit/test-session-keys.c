/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the keys of a request decide, and what the reply tells of it: section 9 of the requirements. Bodies:
 * session-fixture.h. */
#include "session-fixture.h"

#define UE   "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 198.51.100.10\nt=0 0\n"
#define CORE "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\n"

#define UE_MSRP   "m=message 9 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:9/s;tcp\na=setup:active\n"
#define CORE_MSRP "m=message 7000 TCP/MSRP *\na=path:msrp://192.0.2.9:7000/k;tcp\na=setup:passive\n"
#define PRINT     "a=fingerprint:{ue}\n"
#define REQUESTED "a=3ge2ae:requested\n"

/* CTL-08: the same call with and without a key. A line that stands in the offer or the answer as it goes on with
 * the key, and does not without. */
static const struct {
    const char *key, *offer, *line;
    bool answer;
} decisions[] = {
    /* force-on and force-off */
    {"e2ae-require=none", UE UE_MSRP PRINT, "m=message 40000 TCP/MSRP *", false},
    {"e2ae-media=bfcp-tls", UE UE_MSRP PRINT REQUESTED, "m=message 9 TCP/TLS/MSRP *", false},
    {"e2ae-media=bfcp,t38", UE UE_MSRP PRINT REQUESTED, "m=message 9 TCP/TLS/MSRP *", false},
    /* what the peers get to see */
    {"e2ae-answer-indication=yes", UE UE_MSRP PRINT REQUESTED, "a=3ge2ae:applied", true},
    {"e2ae-core=tls", UE UE_MSRP PRINT REQUESTED, "m=message 40000 TCP/TLS/MSRP *", false},
    {"direction=core direction=access", UE UE_MSRP PRINT REQUESTED, "c=IN IP4 198.51.100.1", false},
    /* hashes */
    {"e2ae-hash=sha-1", UE UE_MSRP "a=fingerprint:{sha1}\n" REQUESTED, "m=message 40000 TCP/MSRP *",
     false},
    {"e2ae-fingerprint=1:sha-256/" /* continued by the test */, UE UE_MSRP REQUESTED,
     "m=message 40000 TCP/MSRP *", false},
    /* path */
    {"e2ae-path=transparent", UE UE_MSRP PRINT REQUESTED, "a=path:msrp://198.51.100.10:9/s;tcp",
     false},
    {"e2ae-path=aware", UE UE_MSRP "a=msrp-cema\n" PRINT REQUESTED,
     "a=path:msrp://203.0.113.2:40000/s;tcp", false},
    {"e2ae-path-scheme=keep", UE UE_MSRP "a=msrp-cema\n" PRINT REQUESTED,
     "a=path:msrps://198.51.100.10:9/s;tcp", false},
};

static bool line_with(const char *key, unsigned i)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *print = fixture_text(f, "{ue}");
    bool open_end = g_str_has_suffix(key, "/");
    g_autofree char *keys =
        g_strconcat("e2ae=originating ", key, open_end ? strchr(print, ' ') + 1 : "", NULL);
    bool has;

    g_assert_true(fixture_offer(f, SESSION_ACCESS, keys, decisions[i].offer));
    has = fixture_has(f, decisions[i].line);
    if (decisions[i].answer) {
        g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_MSRP));
        has = fixture_has(f, decisions[i].line);
    }
    return has;
}

static void test_decisions(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(decisions); i++) {
        g_test_message("%s", decisions[i].key);
        g_assert_true(line_with(decisions[i].key, i));
        g_assert_false(line_with("", i));
    }
}

/* CTL-08: TLS roles of BFCP are the operator's to choose. */
static void test_roles(void)
{
    static const MediaTlsRole roles[] = {[SESSION_BFCP_AUTO] = MEDIA_TLS_PEEK,
                                         [SESSION_BFCP_ANSWERER] = MEDIA_TLS_CLIENT,
                                         [SESSION_BFCP_SETUP] = MEDIA_TLS_SERVER};

    for (unsigned rule = 0; rule < G_N_ELEMENTS(roles); rule++) {
        g_autoptr(Fixture) f = fixture_new();
        f->policy.bfcp_rule = (SessionBfcpRule)rule;
        g_assert_true(fixture_offer(f, SESSION_CORE, "e2ae=terminating",
                                    CORE "m=application 7000 TCP/BFCP *\na=setup:actpass\n"));
        g_assert_true(fixture_answer(f, SESSION_ACCESS, "",
                                     UE "m=application 9 TCP/TLS/BFCP *\na=setup:active\n" PRINT));
        g_assert_cmpint(fixture_stream(f, 0)->leg[SESSION_ACCESS].tls_role, ==, roles[rule]);
    }
}

/* One m-line of each medium, and what the two legs are called in a reply. */
typedef struct Names {
    const char *ue_line, *core_line;
    const char *transport[2], *proto[2];
} Names;

static const Names names[] = {
    {UE UE_MSRP, CORE CORE_MSRP, {"TCP/TLS", "TCP"}, {"TCP/TLS/MSRP", "TCP/MSRP"}},
    {UE "m=application 9 TCP/TLS/BFCP *\na=setup:active\n",
     CORE "m=application 7000 TCP/BFCP *\na=setup:passive\n",
     {"TCP/TLS", "TCP"},
     {"TCP/TLS/BFCP", "TCP/BFCP"}},
    {UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\n",
     CORE "m=image 5004 udptl t38\n",
     {"UDP/DTLS", "UDP"},
     {"UDP/TLS/UDPTL", "udptl"}},
};

static const NgValue *leg_of(const NgValue *reply, const char *side)
{
    const NgValue *streams = ng_dict_get(ng_dict_get(reply, SPAN("e2ae")), SPAN("streams"));

    return ng_dict_get(ng_list_get(streams, 0), span_str(side));
}

static void assert_text(const NgValue *dict, const char *key, const char *want)
{
    g_autofree char *got = span_dup(ng_dict_get_str(dict, span_str(key)));

    g_assert_cmpstr(got, ==, want);
}

static NgValue *reply_of(const Fixture *f)
{
    NgValue *reply = ng_dict_new();

    session_plan_reply(f->plan, reply);
    return reply;
}

/* CTL-02: "transport" is what runs on the leg, "proto" what the m= line says. */
static void test_names(void)
{
    static const char *const sides[2] = {"access", "core"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(Fixture) f = fixture_new();
        g_autofree char *offer = g_strconcat(names[i].ue_line, PRINT REQUESTED, NULL);
        g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", offer));
        for (int answered = 0; answered < 2; answered++) {
            g_autoptr(NgValue) reply = reply_of(f);
            for (int side = 0; side < 2; side++) {
                assert_text(leg_of(reply, sides[side]), "transport", names[i].transport[side]);
                assert_text(leg_of(reply, sides[side]), "proto", names[i].proto[side]);
            }
            g_assert_true(fixture_answer(f, SESSION_CORE, "", names[i].core_line));
        }
    }
    /* core TLS: the same names as on the access leg */
    g_autoptr(Fixture) f = fixture_new();
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating e2ae-core=tls",
                                UE UE_MSRP PRINT REQUESTED));
    g_autoptr(NgValue) reply = reply_of(f);
    assert_text(leg_of(reply, "core"), "transport", "TCP/TLS");
    assert_text(leg_of(reply, "core"), "proto", "TCP/TLS/MSRP");
}

/* The part of BFCP where the readings of the standard differ is told as what it is. */
static void test_auto_role(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_CORE, "e2ae=terminating",
                                CORE "m=application 7000 TCP/BFCP *\na=setup:actpass\n"));
    g_autoptr(NgValue) first = reply_of(f);
    g_assert_null(ng_dict_get(leg_of(first, "access"), SPAN("tls-role"))); /* not decided yet */
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "",
                                 UE "m=application 9 TCP/TLS/BFCP *\na=setup:active\n" PRINT));
    g_autoptr(NgValue) second = reply_of(f);
    assert_text(leg_of(second, "access"), "tls-role", "auto");
    assert_text(leg_of(second, "core"), "tls-role", "none");
}

/* ORG-09: our fingerprint is in the reply, the UE's is what the media plane is told to check. */
static void test_fingerprints_originating(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(Fixture) f = fixture_new();
        g_autofree char *offer = g_strconcat(names[i].ue_line, PRINT REQUESTED, NULL);
        g_autofree char *ours = fixture_text(f, "{gw}");
        g_autofree char *theirs = fixture_text(f, "{ue}");
        char text[FP_TEXT_MAX];
        MediaSpec spec;

        g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", offer));
        g_assert_true(fixture_answer(f, SESSION_CORE, "", names[i].core_line));
        g_autoptr(NgValue) reply = reply_of(f);
        const NgValue *access = leg_of(reply, "access");
        assert_text(access, "local-fingerprint", ours);
        const NgValue *remote = ng_dict_get(access, SPAN("remote-fingerprints"));
        g_assert_cmpuint(ng_value_n(remote), ==, 1);
        g_assert_true(span_eq(ng_value_span(ng_list_get(remote, 0)), span_str(theirs)));
        session_stream_spec(fixture_stream(f, 0), &spec);
        g_assert_cmpint(spec.leg[MEDIA_ACCESS].security, ==, MEDIA_TLS);
        g_assert_cmpuint(spec.leg[MEDIA_ACCESS].fingerprints.n, ==, 1);
        g_assert_cmpstr(fp_text(&spec.leg[MEDIA_ACCESS].fingerprints.fp[0], text), ==, theirs);
        media_msrp_unref(spec.msrp);
    }
}

/* TRM-04: the offer to the UE has our fingerprint, and by then the stream is open and its failures are told. */
static void test_fingerprints_terminating(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(Fixture) f = fixture_new();
        g_autofree char *ours = fixture_text(f, "{gw}");

        g_assert_true(fixture_offer(f, SESSION_CORE, "e2ae=terminating", names[i].core_line));
        g_autoptr(NgValue) reply = reply_of(f);
        const NgValue *access = leg_of(reply, "access");
        assert_text(access, "local-fingerprint", ours);
        assert_text(access, "transport", names[i].transport[SESSION_ACCESS]);
        assert_text(leg_of(reply, "core"), "transport", names[i].transport[SESSION_CORE]);
        g_assert_cmpuint(ng_value_n(ng_dict_get(access, SPAN("remote-fingerprints"))), ==, 0);
        g_assert_true(fixture_has(f, "a=fingerprint:{gw}"));
        g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 1);
    }
}

/* CTLS-01: plain towards the core for every medium and both directions, unless a key asks for more. */
static void test_core_is_plain(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(Fixture) f = fixture_new();
        g_autoptr(Fixture) back = fixture_new();
        g_autofree char *offer = g_strconcat(names[i].ue_line, PRINT REQUESTED, NULL);
        g_autofree char *answer = g_strconcat(names[i].ue_line, PRINT, NULL);

        g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", offer));
        g_assert_nonnull(strstr(f->body, names[i].proto[SESSION_CORE]));
        g_assert_null(strstr(f->body, "TLS"));
        g_assert_null(strstr(f->body, "fingerprint"));
        g_assert_false(fixture_stream(f, 0)->leg[SESSION_CORE].secure);
        g_assert_true(fixture_offer(back, SESSION_CORE, "e2ae=terminating", names[i].core_line));
        g_assert_true(fixture_answer(back, SESSION_ACCESS, "", answer));
        g_assert_null(strstr(back->body, "TLS"));
        g_assert_null(strstr(back->body, "fingerprint"));
        g_assert_false(fixture_stream(back, 0)->leg[SESSION_CORE].secure);
    }
}

#define CAPABILITIES                                                                               \
    "a=tcap:1 TCP/TLS/MSRP UDP/TLS/UDPTL\na=acap:1 fingerprint:{ue}\na=pcfg:1 t=1 a=1\n"           \
    "a=acfg:1 t=1\n"

/* TRK-26: they could bring TLS back behind us; on lines that are not ours they stay. */
static void test_capabilities(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *ours = g_strconcat(names[i].ue_line, CAPABILITIES, PRINT REQUESTED, NULL);
        g_autofree char *others = g_strconcat(names[i].ue_line, CAPABILITIES, PRINT, NULL);
        g_autofree char *answer = g_strconcat(names[i].core_line, CAPABILITIES, NULL);
        g_autoptr(Fixture) f = fixture_new();
        g_autoptr(Fixture) pass = fixture_new();

        g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", ours));
        g_assert_null(strstr(f->body, "cap:"));
        g_assert_null(strstr(f->body, "cfg:"));
        g_assert_true(fixture_answer(f, SESSION_CORE, "", answer));
        g_assert_null(strstr(f->body, "cap:"));
        g_assert_null(strstr(f->body, "cfg:"));
        g_assert_true(fixture_offer(pass, SESSION_ACCESS, "e2ae=originating", others));
        fixture_expect(pass, others);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/keys/CTL-08/decisions", test_decisions);
    g_test_add_func("/session/keys/CTL-08/roles", test_roles);
    g_test_add_func("/session/keys/CTL-02/names", test_names);
    g_test_add_func("/session/keys/CTL-07/auto-role", test_auto_role);
    g_test_add_func("/session/keys/ORG-09/fingerprints", test_fingerprints_originating);
    g_test_add_func("/session/keys/TRM-04/fingerprints", test_fingerprints_terminating);
    g_test_add_func("/session/keys/CTLS-01/core-is-plain", test_core_is_plain);
    g_test_add_func("/session/keys/TRK-26/capabilities", test_capabilities);
    return g_test_run();
}
