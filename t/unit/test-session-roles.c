/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/session-roles.h"

static const Medium *medium(const char *name)
{
    const Medium *m = medium_by_name(span_str(name));

    g_assert_nonnull(m);
    return m;
}

/* COM-01, COM-09, TRK-08, TRK-16: what we answer to each value, on a new and on a kept connection.
 */
static void test_answer(void)
{
    static const struct {
        const char *medium;
        SdpSetup offered;
        MediaSetup current, want;
    } cases[] = {
        {"msrp", SDP_SETUP_ACTIVE, MEDIA_SETUP_UNDECIDED, MEDIA_SETUP_PASSIVE},
        {"msrp", SDP_SETUP_ACTPASS, MEDIA_SETUP_UNDECIDED, MEDIA_SETUP_PASSIVE},
        {"msrp", SDP_SETUP_PASSIVE, MEDIA_SETUP_UNDECIDED, MEDIA_SETUP_ACTIVE},
        {"msrp", SDP_SETUP_NONE, MEDIA_SETUP_UNDECIDED, MEDIA_SETUP_PASSIVE},
        {"msrp", SDP_SETUP_HOLDCONN, MEDIA_SETUP_UNDECIDED, MEDIA_SETUP_PASSIVE},
        {"msrp", SDP_SETUP_ACTPASS, MEDIA_SETUP_ACTIVE, MEDIA_SETUP_ACTIVE},
        {"msrp", SDP_SETUP_ACTPASS, MEDIA_SETUP_PASSIVE, MEDIA_SETUP_PASSIVE},
        {"msrp", SDP_SETUP_ACTIVE, MEDIA_SETUP_ACTIVE, MEDIA_SETUP_PASSIVE},
        {"bfcp", SDP_SETUP_ACTIVE, MEDIA_SETUP_UNDECIDED, MEDIA_SETUP_PASSIVE},
        {"bfcp", SDP_SETUP_ACTPASS, MEDIA_SETUP_UNDECIDED, MEDIA_SETUP_PASSIVE},
        {"bfcp", SDP_SETUP_PASSIVE, MEDIA_SETUP_UNDECIDED, MEDIA_SETUP_ACTIVE},
        {"bfcp", SDP_SETUP_HOLDCONN, MEDIA_SETUP_UNDECIDED, MEDIA_SETUP_HOLDCONN},
        {"bfcp", SDP_SETUP_ACTPASS, MEDIA_SETUP_HOLDCONN, MEDIA_SETUP_PASSIVE},
        {"t38", SDP_SETUP_ACTPASS, MEDIA_SETUP_UNDECIDED, MEDIA_SETUP_PASSIVE},
        {"t38", SDP_SETUP_PASSIVE, MEDIA_SETUP_UNDECIDED, MEDIA_SETUP_ACTIVE},
        {"t38", SDP_SETUP_HOLDCONN, MEDIA_SETUP_UNDECIDED, MEDIA_SETUP_PASSIVE},
        {"t38", SDP_SETUP_ACTPASS, MEDIA_SETUP_ACTIVE, MEDIA_SETUP_ACTIVE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %zu", i);
        g_assert_cmpint(
            session_answer_setup(medium(cases[i].medium), cases[i].offered, cases[i].current), ==,
            cases[i].want);
    }
}

#define FAILS -1

/* COM-01, TRK-15, TRK-16: what an answer to our offer makes us. */
static void test_offer(void)
{
    static const struct {
        const char *medium;
        SdpSetup sent, answered;
        bool discard;
        int want;
    } cases[] = {
        {"msrp", SDP_SETUP_ACTPASS, SDP_SETUP_ACTIVE, false, MEDIA_SETUP_PASSIVE},
        {"msrp", SDP_SETUP_ACTPASS, SDP_SETUP_PASSIVE, false, MEDIA_SETUP_ACTIVE},
        {"msrp", SDP_SETUP_ACTPASS, SDP_SETUP_NONE, false, MEDIA_SETUP_ACTIVE},
        {"msrp", SDP_SETUP_ACTPASS, SDP_SETUP_ACTPASS, false, MEDIA_SETUP_ACTIVE},
        {"msrp", SDP_SETUP_ACTPASS, SDP_SETUP_ACTPASS, true, MEDIA_SETUP_PASSIVE},
        {"msrp", SDP_SETUP_ACTPASS, SDP_SETUP_HOLDCONN, false, MEDIA_SETUP_ACTIVE},
        {"msrp", SDP_SETUP_PASSIVE, SDP_SETUP_ACTIVE, false, MEDIA_SETUP_PASSIVE},
        {"msrp", SDP_SETUP_PASSIVE, SDP_SETUP_PASSIVE, false, FAILS},
        {"msrp", SDP_SETUP_PASSIVE, SDP_SETUP_NONE, false, FAILS},
        {"msrp", SDP_SETUP_PASSIVE, SDP_SETUP_ACTPASS, false, FAILS},
        {"msrp", SDP_SETUP_PASSIVE, SDP_SETUP_ACTPASS, true, MEDIA_SETUP_PASSIVE},
        {"msrp", SDP_SETUP_ACTIVE, SDP_SETUP_ACTIVE, false, FAILS},
        {"msrp", SDP_SETUP_ACTIVE, SDP_SETUP_PASSIVE, false, MEDIA_SETUP_ACTIVE},
        {"bfcp", SDP_SETUP_ACTPASS, SDP_SETUP_HOLDCONN, false, MEDIA_SETUP_HOLDCONN},
        {"bfcp", SDP_SETUP_HOLDCONN, SDP_SETUP_HOLDCONN, false, MEDIA_SETUP_HOLDCONN},
        {"bfcp", SDP_SETUP_HOLDCONN, SDP_SETUP_ACTIVE, false, FAILS},
        {"bfcp", SDP_SETUP_HOLDCONN, SDP_SETUP_PASSIVE, false, FAILS},
        {"t38", SDP_SETUP_ACTPASS, SDP_SETUP_ACTIVE, false, MEDIA_SETUP_PASSIVE},
        {"t38", SDP_SETUP_ACTPASS, SDP_SETUP_PASSIVE, false, MEDIA_SETUP_ACTIVE},
        {"t38", SDP_SETUP_ACTPASS, SDP_SETUP_HOLDCONN, false, FAILS},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        MediaSetup setup = (MediaSetup)FAILS;
        g_test_message("case %zu", i);
        bool ok = session_offer_setup(cases[i].sent, cases[i].answered, cases[i].discard,
                                      medium(cases[i].medium), &setup);
        g_assert_cmpint(ok, ==, cases[i].want != FAILS);
        g_assert_cmpint((int)setup, ==, cases[i].want);
    }
}

/* COM-06, COM-10, BFC-07, DTL-04: only MSRP may not be active on both legs. */
static void test_to_offer(void)
{
    static const struct {
        const char *medium;
        MediaSetup other;
        SdpSetup want;
    } cases[] = {
        {"msrp", MEDIA_SETUP_PASSIVE, SDP_SETUP_ACTPASS},
        {"msrp", MEDIA_SETUP_ACTIVE, SDP_SETUP_PASSIVE},
        {"msrp", MEDIA_SETUP_UNDECIDED, SDP_SETUP_ACTPASS},
        {"bfcp", MEDIA_SETUP_PASSIVE, SDP_SETUP_ACTPASS},
        {"bfcp", MEDIA_SETUP_ACTIVE, SDP_SETUP_ACTPASS},
        {"bfcp", MEDIA_SETUP_HOLDCONN, SDP_SETUP_HOLDCONN},
        {"t38", MEDIA_SETUP_ACTIVE, SDP_SETUP_ACTPASS},
        {"t38", MEDIA_SETUP_PASSIVE, SDP_SETUP_ACTPASS},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(session_setup_to_offer(medium(cases[i].medium), cases[i].other), ==,
                        cases[i].want);
}

/* The table 12.1 with COM-08, BFC-05, BFC-06, TRM-09; "UE active" is our being passive. */
static void test_tls(void)
{
    static const struct {
        const char *medium;
        MediaSetup ours;
        bool we_answer;
        MediaTlsRole automatic, answerer, by_setup;
    } cases[] = {
        {"msrp", MEDIA_SETUP_PASSIVE, true, MEDIA_TLS_SERVER, MEDIA_TLS_SERVER, MEDIA_TLS_SERVER},
        {"msrp", MEDIA_SETUP_ACTIVE, true, MEDIA_TLS_CLIENT, MEDIA_TLS_CLIENT, MEDIA_TLS_CLIENT},
        {"msrp", MEDIA_SETUP_PASSIVE, false, MEDIA_TLS_SERVER, MEDIA_TLS_SERVER, MEDIA_TLS_SERVER},
        {"msrp", MEDIA_SETUP_ACTIVE, false, MEDIA_TLS_CLIENT, MEDIA_TLS_CLIENT, MEDIA_TLS_CLIENT},
        {"bfcp", MEDIA_SETUP_PASSIVE, true, MEDIA_TLS_SERVER, MEDIA_TLS_SERVER, MEDIA_TLS_SERVER},
        {"bfcp", MEDIA_SETUP_ACTIVE, true, MEDIA_TLS_PEEK, MEDIA_TLS_SERVER, MEDIA_TLS_CLIENT},
        {"bfcp", MEDIA_SETUP_PASSIVE, false, MEDIA_TLS_PEEK, MEDIA_TLS_CLIENT, MEDIA_TLS_SERVER},
        {"bfcp", MEDIA_SETUP_ACTIVE, false, MEDIA_TLS_CLIENT, MEDIA_TLS_CLIENT, MEDIA_TLS_CLIENT},
        {"t38", MEDIA_SETUP_PASSIVE, true, MEDIA_TLS_SERVER, MEDIA_TLS_SERVER, MEDIA_TLS_SERVER},
        {"t38", MEDIA_SETUP_ACTIVE, false, MEDIA_TLS_CLIENT, MEDIA_TLS_CLIENT, MEDIA_TLS_CLIENT},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Medium *m = medium(cases[i].medium);
        MediaSetup ours = cases[i].ours;
        bool answer = cases[i].we_answer;
        g_test_message("case %zu", i);
        g_assert_cmpint(session_tls_role(m, ours, answer, SESSION_BFCP_AUTO), ==,
                        cases[i].automatic);
        g_assert_cmpint(session_tls_role(m, ours, answer, SESSION_BFCP_ANSWERER), ==,
                        cases[i].answerer);
        g_assert_cmpint(session_tls_role(m, ours, answer, SESSION_BFCP_SETUP), ==,
                        cases[i].by_setup);
    }
}

static void test_value(void)
{
    g_assert_cmpint(session_setup_value(MEDIA_SETUP_PASSIVE), ==, SDP_SETUP_PASSIVE);
    g_assert_cmpint(session_setup_value(MEDIA_SETUP_ACTIVE), ==, SDP_SETUP_ACTIVE);
    g_assert_cmpint(session_setup_value(MEDIA_SETUP_HOLDCONN), ==, SDP_SETUP_HOLDCONN);
    g_assert_cmpint(session_setup_value(MEDIA_SETUP_UNDECIDED), ==, SDP_SETUP_ACTPASS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/roles/COM-09/our-answer", test_answer);
    g_test_add_func("/session/roles/TRK-15/an-answer-to-us", test_offer);
    g_test_add_func("/session/roles/COM-10/what-we-offer", test_to_offer);
    g_test_add_func("/session/roles/BFC-05/COM-08/tls-role-table-12.1", test_tls);
    g_test_add_func("/session/roles/COM-01/value-written", test_value);
    return g_test_run();
}
