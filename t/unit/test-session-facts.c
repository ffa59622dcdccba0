/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session-fixture.h"

#include "session/session-facts.h"

static SdpDoc *body_of(const char *text)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *body = fixture_text(f, text);
    SdpDoc *doc = sdp_doc_parse(span_str(body), NULL);

    g_assert_nonnull(doc);
    return doc;
}

/* TRK-14, FPR-03: where a value may stand, and which one counts. */
static void test_levels(void)
{
    g_autoptr(SdpDoc) doc =
        body_of("v=0\nc=IN IP4 198.51.100.10\na=fingerprint:{ue}\na=setup:passive\n"
                "a=connection:existing\na=tls-id:abcdefghijklmnopqrst\na=3ge2ae:requested\n"
                "a=key-mgmt:mikey AAA\n"
                "m=application 5000 TCP/TLS/BFCP *\n"
                "m=application 5001 TCP/TLS/BFCP *\nc=IN IP6 2001:db8::1\na=fingerprint:{ue2}\n"
                "a=setup:active\na=connection:new\na=tls-id:ABCDEFGHIJKLMNOPQRST\n"
                "a=3ge2ae:requested\na=key-mgmt:mikey BBB\n");
    SessionFacts first, second;
    char text[ADDR_TEXT_MAX];

    session_facts_read(doc, 0, &first);
    g_assert_cmpstr(first.medium->name, ==, "bfcp");
    g_assert_true(first.secure);
    g_assert_cmpstr(addr_text(&first.remote, text), ==, "198.51.100.10:5000");
    g_assert_cmpint(first.setup, ==, SDP_SETUP_PASSIVE);
    g_assert_cmpint(first.connection, ==, SDP_CONNECTION_EXISTING);
    g_assert_cmpuint(first.fingerprints.n, ==, 1);
    g_assert_cmpint(first.fingerprints.fp[0].digest[0], ==, 0x11);
    g_assert_cmpint(first.indication, ==, SDP_INDICATION_NONE); /* IND-02 */
    g_assert_cmpuint(first.tls_id.len, ==, 0);
    g_assert_false(first.key_mgmt);

    session_facts_read(doc, 1, &second);
    g_assert_cmpstr(addr_text(&second.remote, text), ==, "[2001:db8::1]:5001");
    g_assert_cmpint(second.setup, ==, SDP_SETUP_ACTIVE);
    g_assert_cmpint(second.connection, ==, SDP_CONNECTION_NEW);
    g_assert_cmpint(second.fingerprints.fp[0].digest[0], ==, 0x22);
    g_assert_cmpint(second.indication, ==, SDP_INDICATION_REQUESTED);
    g_assert_true(span_eq(second.tls_id, SPAN("ABCDEFGHIJKLMNOPQRST")));
    g_assert_true(second.key_mgmt);
}

/* COM-11, FPR-02, FPR-08: what is wrong is said, not guessed. */
static void test_faults(void)
{
    static const struct {
        const char *lines, *address, *fingerprint;
    } cases[] = {
        {"c=IN IP4 192.0.2.1\na=fingerprint:{ue}\n", NULL, NULL},
        {"c=IN IP4 0.0.0.0\na=fingerprint:{ue}\n", NULL, NULL},
        {"a=fingerprint:{ue}\n", "no c= line", NULL},
        {"c=IN IP4 ue.example\na=fingerprint:{ue}\n", "c= has a host name, which is not resolved",
         NULL},
        {"c=IN IP4 224.0.0.1\na=fingerprint:{ue}\n", "c= is not a usable unicast address", NULL},
        {"c=IN IP6 192.0.2.1\na=fingerprint:{ue}\n", "c= is not a usable unicast address", NULL},
        {"c=IN IP4 192.0.2.1\n", NULL, "no a=fingerprint"},
        {"c=IN IP4 192.0.2.1\na=fingerprint:{md5}\n", NULL,
         "no a=fingerprint with an accepted hash function"},
        {"c=IN IP4 192.0.2.1\na=fingerprint:{ue}\na=fingerprint:sha-256 1:2\n", NULL,
         "malformed a=fingerprint"},
        {"c=IN IP4 192.0.2.1\na=fingerprint:\n", NULL, "malformed a=fingerprint"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            g_strconcat("v=0\nm=message 1 TCP/TLS/MSRP *\n", cases[i].lines, NULL);
        g_autoptr(SdpDoc) doc = body_of(text);
        SessionFacts facts;
        session_facts_read(doc, 0, &facts);
        g_assert_cmpstr(facts.address_fault, ==, cases[i].address);
        g_assert_cmpstr(facts.fingerprint_fault, ==, cases[i].fingerprint);
    }
}

/* COM-01, COM-05, DTL-05: a value that is none counts as absent. */
static void test_bad_values(void)
{
    g_autoptr(SdpDoc) doc = body_of("v=0\nm=image 1 UDP/TLS/UDPTL t38\na=setup:both\n"
                                    "a=connection:old\na=tls-id:short\na=3ge2ae:later\n");
    SessionFacts facts;

    session_facts_read(doc, 0, &facts);
    g_assert_cmpint(facts.setup, ==, SDP_SETUP_NONE);
    g_assert_cmpint(facts.connection, ==, SDP_CONNECTION_NONE);
    g_assert_cmpint(facts.indication, ==, SDP_INDICATION_NONE);
    g_assert_cmpuint(facts.tls_id.len, ==, 0);
}

/* MSR-12, CEM-01 */
static void test_path(void)
{
    static const struct {
        const char *lines, *path;
        bool relays, cema;
    } cases[] = {
        {"", "", false, false},
        {"a=path:msrps://a.example:1/x;tcp\n", "msrps://a.example:1/x;tcp", false, false},
        {"a=path:msrps://a:1/x;tcp msrps://b:2/y;tcp\na=msrp-cema\n",
         "msrps://a:1/x;tcp msrps://b:2/y;tcp", true, true},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            g_strconcat("v=0\nm=message 1 TCP/TLS/MSRP *\n", cases[i].lines, NULL);
        g_autoptr(SdpDoc) doc = body_of(text);
        SessionFacts facts;
        session_facts_read(doc, 0, &facts);
        g_assert_true(span_eq(facts.path, span_str(cases[i].path)));
        g_assert_cmpint(facts.path_relays, ==, cases[i].relays);
        g_assert_cmpint(facts.cema, ==, cases[i].cema);
    }
}

/* E2E-09: of a line that is not ours nothing is read. */
static void test_not_ours(void)
{
    g_autoptr(SdpDoc) doc = body_of("v=0\nm=audio 4000 RTP/AVP 0\na=3ge2ae:requested\n"
                                    "m=message 4000 TCP/TLS/MSRP\na=fingerprint:{ue}\n");
    SessionFacts facts;

    for (unsigned i = 0; i < 2; i++) {
        session_facts_read(doc, i, &facts);
        g_assert_null(facts.medium);
        g_assert_cmpuint(facts.media->port, ==, 4000);
        g_assert_cmpint(facts.indication, ==, SDP_INDICATION_NONE);
        g_assert_cmpuint(facts.fingerprints.n, ==, 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/facts/TRK-14/levels", test_levels);
    g_test_add_func("/session/facts/FPR-02/faults", test_faults);
    g_test_add_func("/session/facts/COM-01/bad-values", test_bad_values);
    g_test_add_func("/session/facts/MSR-12/path", test_path);
    g_test_add_func("/session/facts/E2E-09/not-ours", test_not_ours);
    return g_test_run();
}
