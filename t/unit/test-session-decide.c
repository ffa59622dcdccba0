/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sections 3 to 5 of the requirements and the table 19.3, line by line. */
#include "session/session-decide.h"

#include "session-fixture.h"

#define SECURE_MSRP "m=message 2855 TCP/TLS/MSRP *\n"
#define SECURE_BFCP "m=application 50000 TCP/TLS/BFCP *\n"
#define SECURE_T38  "m=image 6056 UDP/TLS/UDPTL t38\n"
#define PLAIN_MSRP  "m=message 2855 TCP/MSRP *\n"
#define PLAIN_BFCP  "m=application 50000 TCP/BFCP *\n"
#define PLAIN_T38   "m=image 6056 udptl t38\n"
#define REQUESTED   "a=3ge2ae:requested\n"
#define FP          "a=fingerprint:{ue}\n"
#define PATH(n)     "a=path:msrps://relay.example:2855/" n ";tcp"

enum { FIRST = 1, LATER = 0 };
enum { MSRP = E2AE_MEDIA_MSRP, BFCP = E2AE_MEDIA_BFCP, T38 = E2AE_MEDIA_T38, ALL = E2AE_MEDIA_ALL };

typedef struct Case {
    const char *name;
    SessionSide from;
    bool start; /* the request has e2ae=originating or terminating */
    unsigned media;
    bool media_given;
    const char *section; /* FP and the like */
    SessionTreatment want;
} Case;

static const Case cases[] = {
    {"ORG-01/msrp", SESSION_ACCESS, FIRST, ALL, false, SECURE_MSRP FP REQUESTED, SESSION_E2AE},
    {"ORG-01/bfcp", SESSION_ACCESS, FIRST, ALL, false, SECURE_BFCP FP REQUESTED, SESSION_E2AE},
    {"ORG-01/t38", SESSION_ACCESS, FIRST, ALL, false, SECURE_T38 FP REQUESTED, SESSION_E2AE},
    {"ORG-01/later-line", SESSION_ACCESS, LATER, ALL, false, SECURE_MSRP FP REQUESTED,
     SESSION_E2AE},
    {"ORG-15/no-indication", SESSION_ACCESS, FIRST, ALL, false, SECURE_MSRP FP, SESSION_PASS},
    {"SIG-11/no-indication-bfcp", SESSION_ACCESS, FIRST, ALL, true, SECURE_BFCP FP, SESSION_PASS},
    {"SIG-11/no-indication-t38", SESSION_ACCESS, FIRST, ALL, true, SECURE_T38 FP, SESSION_PASS},
    {"IND-03/applied-from-the-ue", SESSION_ACCESS, FIRST, ALL, false,
     SECURE_MSRP FP "a=3ge2ae:applied\n", SESSION_PASS},
    {"IND-01/unknown-token", SESSION_ACCESS, FIRST, ALL, false, SECURE_MSRP FP "a=3ge2ae:maybe\n",
     SESSION_PASS},
    {"ORG-16/plain-with-indication", SESSION_ACCESS, FIRST, ALL, false, PLAIN_MSRP FP REQUESTED,
     SESSION_PASS},
    {"ORG-16/plain-t38-is-rtpengines", SESSION_ACCESS, FIRST, ALL, false, PLAIN_T38 REQUESTED,
     SESSION_UPSTREAM},
    {"ORG-17/no-fingerprint", SESSION_ACCESS, FIRST, ALL, false, SECURE_MSRP REQUESTED,
     SESSION_REJECT},
    {"ORG-17/no-fingerprint-bfcp", SESSION_ACCESS, FIRST, ALL, false, SECURE_BFCP REQUESTED,
     SESSION_REJECT},
    {"ORG-17/no-fingerprint-t38", SESSION_ACCESS, FIRST, ALL, false, SECURE_T38 REQUESTED,
     SESSION_REJECT},
    {"FPR-02/malformed", SESSION_ACCESS, FIRST, ALL, false,
     SECURE_MSRP REQUESTED "a=fingerprint:sha-256 11:22\n", SESSION_REJECT},
    {"FPR-04/md5-only", SESSION_ACCESS, FIRST, ALL, false,
     SECURE_MSRP REQUESTED "a=fingerprint:{md5}\n", SESSION_REJECT},
    {"FPR-08/unknown-hash-only", SESSION_ACCESS, FIRST, ALL, false,
     SECURE_MSRP REQUESTED "a=fingerprint:shake-999 11:22\n", SESSION_REJECT},
    {"FPR-08/md5-beside-sha-256", SESSION_ACCESS, FIRST, ALL, false,
     SECURE_MSRP REQUESTED "a=fingerprint:{md5}\n" FP, SESSION_E2AE},
    {"FPR-05/sha-1-only", SESSION_ACCESS, FIRST, ALL, false,
     SECURE_MSRP REQUESTED "a=fingerprint:{sha1}\n", SESSION_REJECT},
    {"ORG-18/medium-not-enabled", SESSION_ACCESS, FIRST, BFCP | T38, true, SECURE_MSRP FP REQUESTED,
     SESSION_PASS},
    {"SIG-01/each-medium-for-itself", SESSION_ACCESS, FIRST, BFCP, true, SECURE_BFCP FP REQUESTED,
     SESSION_E2AE},
    {"MSR-12/relays", SESSION_ACCESS, FIRST, ALL, false,
     SECURE_MSRP FP REQUESTED PATH("a") " msrps://198.51.100.10:2855/b;tcp\n", SESSION_REJECT},
    {"MSR-12/one-uri", SESSION_ACCESS, FIRST, ALL, false, SECURE_MSRP FP REQUESTED PATH("a") "\n",
     SESSION_E2AE},
    {"E2E-08/key-mgmt-and-indication", SESSION_ACCESS, FIRST, ALL, false,
     SECURE_MSRP FP REQUESTED "a=key-mgmt:mikey AAA\n", SESSION_E2AE},
    {"E2E-05/key-mgmt", SESSION_ACCESS, FIRST, ALL, false, SECURE_MSRP "a=key-mgmt:mikey AAA\n",
     SESSION_PASS},
    {"COM-11/host-name", SESSION_ACCESS, FIRST, ALL, false,
     SECURE_MSRP "c=IN IP4 ue.example\n" FP REQUESTED, SESSION_REJECT},
    {"COM-11/multicast", SESSION_ACCESS, FIRST, ALL, false,
     SECURE_T38 "c=IN IP4 224.2.1.1/127\n" FP REQUESTED, SESSION_REJECT},
    {"TRK-12/hold-address", SESSION_ACCESS, FIRST, ALL, false,
     SECURE_MSRP "c=IN IP4 0.0.0.0\n" FP REQUESTED, SESSION_E2AE},
    {"TRK-09/port-0-at-first", SESSION_ACCESS, FIRST, ALL, false,
     "m=message 0 TCP/TLS/MSRP *\n" FP REQUESTED, SESSION_PASS},
    {"TRK-09/plain-t38-port-0", SESSION_CORE, FIRST, ALL, false, "m=image 0 udptl t38\n",
     SESSION_UPSTREAM},

    {"TRM-01/msrp", SESSION_CORE, FIRST, ALL, false, PLAIN_MSRP, SESSION_E2AE},
    {"TRM-02/bfcp", SESSION_CORE, FIRST, ALL, true, PLAIN_BFCP, SESSION_E2AE},
    {"TRM-03/t38", SESSION_CORE, FIRST, T38, true, PLAIN_T38, SESSION_E2AE},
    {"TRM-03/t38-upper-case", SESSION_CORE, FIRST, T38, true, "m=image 1 UDPTL t38\n",
     SESSION_E2AE},
    {"TRM-01/not-indicated", SESSION_CORE, FIRST, BFCP, true, PLAIN_MSRP, SESSION_PASS},
    {"TRM-02/not-indicated", SESSION_CORE, FIRST, MSRP, true, PLAIN_BFCP, SESSION_PASS},
    {"TRM-03/not-indicated", SESSION_CORE, FIRST, MSRP, true, PLAIN_T38, SESSION_UPSTREAM},
    {"TRM-05/fingerprint-of-the-core", SESSION_CORE, FIRST, ALL, false,
     PLAIN_MSRP "a=fingerprint:sha-256 zz\n", SESSION_E2AE},
    {"TRM-11/secure-from-the-core", SESSION_CORE, FIRST, ALL, true, SECURE_MSRP FP, SESSION_PASS},
    {"TRM-11/secure-bfcp", SESSION_CORE, FIRST, ALL, true, SECURE_BFCP FP, SESSION_PASS},
    {"TRM-11/secure-t38", SESSION_CORE, FIRST, ALL, true, SECURE_T38 FP, SESSION_PASS},
    {"IND-03/requested-from-the-core", SESSION_CORE, FIRST, ALL, true, SECURE_MSRP FP REQUESTED,
     SESSION_PASS},
    {"TRK-19/fax-from-the-core-later", SESSION_CORE, LATER, ALL, true, PLAIN_T38, SESSION_E2AE},
    {"TRK-19/fax-from-the-core-flags-unknown", SESSION_CORE, LATER, ALL, false, PLAIN_T38,
     SESSION_UPSTREAM},
    {"SIG-09/msrp-from-the-core-flags-unknown", SESSION_CORE, LATER, ALL, false, PLAIN_MSRP,
     SESSION_PASS},

    {"E2E-09/udp-bfcp", SESSION_ACCESS, FIRST, ALL, true,
     "m=application 1 UDP/TLS/BFCP *\n" FP REQUESTED, SESSION_UPSTREAM},
    {"E2E-09/t38-over-tcp-tls", SESSION_ACCESS, FIRST, ALL, true,
     "m=image 1 TCP/TLS t38\n" FP REQUESTED, SESSION_UPSTREAM},
    {"E2E-09/wrong-media-type", SESSION_ACCESS, FIRST, ALL, true,
     "m=audio 1 TCP/TLS/MSRP *\n" FP REQUESTED, SESSION_UPSTREAM},
    {"E2E-09/no-format", SESSION_ACCESS, FIRST, ALL, true,
     "m=message 1 TCP/TLS/MSRP\n" FP REQUESTED, SESSION_UPSTREAM},
    {"ICE-04/data-channel", SESSION_CORE, FIRST, ALL, true,
     "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\n", SESSION_UPSTREAM},
};

static SdpDoc *body_of(const char *section)
{
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *text = g_strconcat("v=0\nc=IN IP4 198.51.100.10\n", section, NULL);
    g_autofree char *body = fixture_text(f, text);
    g_autoptr(GError) error = NULL;
    SdpDoc *doc = sdp_doc_parse(span_str(body), &error);

    g_assert_no_error(error);
    return doc;
}

static SessionDecision decide(const SessionSettings *settings, const SessionSlot *slot,
                              SessionSide from, bool start, const char *section)
{
    g_autoptr(SdpDoc) doc = body_of(section);
    SessionFacts facts;

    session_facts_read(doc, 0, &facts);
    return session_decide(settings, slot, from, start, &facts);
}

static void test_new_line(const void *arg)
{
    const Case *c = arg;
    SessionSettings settings = {
        .media = c->media, .media_given = c->media_given, .require_indication = true};
    SessionDecision got = decide(&settings, NULL, c->from, c->start, c->section);

    g_test_message("%s", got.reason ? got.reason : "no reason");
    g_assert_cmpint(got.treatment, ==, c->want);
    if (got.treatment == SESSION_REJECT)
        g_assert_nonnull(got.reason);
    if (got.treatment == SESSION_E2AE)
        g_assert_null(got.reason);
}

/* SIG-09: without e2ae-require any secure line with a fingerprint is taken (RCS). */
static void test_require_none(void)
{
    SessionSettings settings = {.media = ALL};

    g_assert_cmpint(decide(&settings, NULL, SESSION_ACCESS, true, SECURE_MSRP FP).treatment, ==,
                    SESSION_E2AE);
    g_assert_cmpint(decide(&settings, NULL, SESSION_ACCESS, true, SECURE_MSRP).treatment, ==,
                    SESSION_PASS);
    g_assert_cmpint(decide(&settings, NULL, SESSION_ACCESS, true, SECURE_MSRP REQUESTED).treatment,
                    ==, SESSION_REJECT);
    g_assert_cmpint(decide(&settings, NULL, SESSION_ACCESS, true, PLAIN_MSRP).treatment, ==,
                    SESSION_PASS);
}

/* FPR-05 */
static void test_sha1(void)
{
    SessionSettings settings = {.media = ALL, .require_indication = true, .allow_sha1 = true};

    g_assert_cmpint(decide(&settings, NULL, SESSION_ACCESS, true,
                           SECURE_MSRP REQUESTED "a=fingerprint:{sha1}\n")
                        .treatment,
                    ==, SESSION_E2AE);
    g_assert_cmpint(
        decide(&settings, NULL, SESSION_ACCESS, true, SECURE_MSRP REQUESTED "a=fingerprint:{md5}\n")
            .treatment,
        ==, SESSION_REJECT);
}

/* CTLS-02: with TLS to the core, a secure line from it is terminated if it can be verified. */
static void test_core_tls(void)
{
    SessionSettings settings = {.media = ALL, .require_indication = true, .core_tls = true};

    g_assert_cmpint(decide(&settings, NULL, SESSION_CORE, true, SECURE_MSRP FP).treatment, ==,
                    SESSION_E2AE);
    g_assert_cmpint(decide(&settings, NULL, SESSION_CORE, true, SECURE_MSRP).treatment, ==,
                    SESSION_REJECT);
    g_assert_cmpint(decide(&settings, NULL, SESSION_CORE, true, PLAIN_MSRP).treatment, ==,
                    SESSION_E2AE);
}

/* TRK-20, TRK-21: what a line becomes that is protected, or was. */
static void test_existing(void)
{
    static const struct {
        const char *name;
        SessionTreatment before;
        bool stream;
        SessionSide from;
        unsigned media;
        const char *section;
        SessionTreatment want;
    } lines[] = {
        {"TRK-20/core-re-offers", SESSION_E2AE, true, SESSION_CORE, BFCP, PLAIN_MSRP, SESSION_E2AE},
        {"TRK-20/ue-without-indication", SESSION_E2AE, true, SESSION_ACCESS, BFCP, SECURE_MSRP FP,
         SESSION_E2AE},
        {"TRK-21/ue-leaves-tls", SESSION_E2AE, true, SESSION_ACCESS, ALL, PLAIN_MSRP,
         SESSION_REJECT},
        {"TRK-21/ue-leaves-tls-with-indication", SESSION_E2AE, true, SESSION_ACCESS, ALL,
         PLAIN_MSRP REQUESTED, SESSION_REJECT},
        {"TRK-20/ue-without-fingerprint", SESSION_E2AE, true, SESSION_ACCESS, ALL, SECURE_MSRP,
         SESSION_REJECT},
        {"TRM-11/core-turns-secure", SESSION_E2AE, true, SESSION_CORE, ALL, SECURE_MSRP FP,
         SESSION_PASS},
        {"TRK-09/ue-port-0", SESSION_E2AE, true, SESSION_ACCESS, ALL,
         "m=message 0 TCP/TLS/MSRP *\n", SESSION_CLOSED},
        {"TRK-09/core-port-0", SESSION_E2AE, true, SESSION_CORE, ALL, "m=message 0 TCP/MSRP *\n",
         SESSION_CLOSED},
        {"TRK-09/port-0-again", SESSION_CLOSED, false, SESSION_CORE, ALL,
         "m=message 0 TCP/MSRP *\n", SESSION_CLOSED},
        {"TRK-09/rejected-then-port-0", SESSION_REJECT, false, SESSION_ACCESS, ALL,
         "m=message 0 TCP/TLS/MSRP *\n", SESSION_CLOSED},
        {"TRK-09/passed-then-port-0", SESSION_PASS, false, SESSION_ACCESS, ALL,
         "m=message 0 TCP/TLS/MSRP *\n", SESSION_PASS},
        {"TRK-09/reuse-is-decided-anew", SESSION_CLOSED, false, SESSION_ACCESS, ALL, SECURE_MSRP FP,
         SESSION_PASS},
        {"TRK-09/reuse-protected", SESSION_CLOSED, false, SESSION_ACCESS, ALL,
         SECURE_MSRP FP REQUESTED, SESSION_E2AE},
        {"TRK-19/audio-in-its-place", SESSION_E2AE, true, SESSION_ACCESS, ALL,
         "m=audio 4000 RTP/AVP 0\n", SESSION_UPSTREAM},
        {"TRK-19/another-medium-in-its-place", SESSION_E2AE, true, SESSION_ACCESS, ALL,
         SECURE_BFCP FP, SESSION_PASS},
        /* an offer that was refused changed nothing: the stream still runs */
        {"TRK-20/after-a-refused-secure-offer-of-the-core", SESSION_PASS, true, SESSION_ACCESS, ALL,
         SECURE_MSRP FP, SESSION_E2AE},
        {"TRK-20/after-a-refused-port-0", SESSION_CLOSED, true, SESSION_CORE, BFCP, PLAIN_MSRP,
         SESSION_E2AE},
        {"TRK-21/after-a-refused-plain-offer", SESSION_REJECT, true, SESSION_ACCESS, ALL,
         SECURE_MSRP FP, SESSION_E2AE},
        {"TRK-21/refused-and-plain-again", SESSION_REJECT, true, SESSION_ACCESS, ALL, PLAIN_MSRP,
         SESSION_REJECT},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        SessionSettings settings = {
            .media = lines[i].media, .media_given = true, .require_indication = true};
        const Medium *msrp = medium_by_name(SPAN("msrp"));
        SessionSlot *slot = session_slot_new();
        slot->treatment = lines[i].before;
        slot->medium = msrp;
        slot->stream = lines[i].stream ? session_stream_new(1, msrp) : NULL;
        if (slot->stream)
            slot->stream->leg[SESSION_ACCESS].secure = true;
        SessionDecision got = decide(&settings, slot, lines[i].from, false, lines[i].section);
        g_test_message("%s: %s", lines[i].name, session_treatment_name(got.treatment));
        g_assert_cmpint(got.treatment, ==, lines[i].want);
        session_slot_free(slot);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strconcat("/session/decide/", cases[i].name, NULL);
        g_test_add_data_func(name, &cases[i], test_new_line);
    }
    g_test_add_func("/session/decide/SIG-09/require-none", test_require_none);
    g_test_add_func("/session/decide/FPR-05/sha-1", test_sha1);
    g_test_add_func("/session/decide/CTLS-02/core-tls", test_core_tls);
    g_test_add_func("/session/decide/TRK-20/existing", test_existing);
    return g_test_run();
}
