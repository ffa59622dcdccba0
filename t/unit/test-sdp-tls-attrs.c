/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sdp/sdp-tls-attrs.h"

#define SHA1 "a=fingerprint: SHA-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB\r\n"
#define SHA256                                                                                     \
    "a=fingerprint:sha-256 "                                                                       \
    "12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:"                  \
    "6B:19:E5:7C:AB:4A:AD\r\n"
#define MD5    "a=fingerprint:md5 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n"
#define BROKEN "a=fingerprint:sha-256 12:DF\r\n"
#define MEDIA  "m=message 9 TCP/TLS/MSRP *\r\n"

/* A body with @session in the session part and @media in the one media section. */
static SdpDoc *doc_of(const char *session, const char *media)
{
    g_autofree char *body = g_strconcat("v=0\r\n", session, MEDIA, media, NULL);
    SdpDoc *doc = sdp_doc_parse(span_str(body), NULL);

    g_test_message("%s | %s", session, media);
    g_assert_nonnull(doc);
    return doc;
}

/* FPR-01, FPR-02, FPR-03, FPR-04 */
static void test_fingerprints(void)
{
    static const struct {
        const char *session, *media;
        unsigned n, unusable, malformed;
        FpHash first;
    } cases[] = {
        {"", "", 0, 0, 0, FP_NONE},
        {"", SHA256, 1, 0, 0, FP_SHA256},
        {SHA256, "", 1, 0, 0, FP_SHA256},
        {SHA256, SHA1, 1, 0, 0, FP_SHA1},
        {SHA256, MD5, 0, 1, 0, FP_NONE},
        {SHA256, BROKEN, 0, 0, 1, FP_NONE},
        {"", SHA256 SHA1, 2, 0, 0, FP_SHA256},
        {"", SHA256 SHA256 MD5 BROKEN "a=fingerprint\r\n", 1, 1, 2, FP_SHA256},
        {"", "a=FingerPrint:SHA-1 4a:ad:b9:b1:3f:82:18:3b:54:02:12:df:3e:5d:49:6b:19:e5:7c:ab \r\n",
         1, 0, 0, FP_SHA1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SdpDoc) doc = doc_of(cases[i].session, cases[i].media);
        SdpFingerprints found = sdp_fingerprints(doc, 1);
        g_assert_cmpuint(found.set.n, ==, cases[i].n);
        g_assert_cmpuint(found.unusable, ==, cases[i].unusable);
        g_assert_cmpuint(found.malformed, ==, cases[i].malformed);
        g_assert_cmpint(found.set.fp[0].hash, ==, cases[i].first);
    }
}

static void test_too_many_fingerprints(void)
{
    g_autoptr(GString) media = g_string_new(NULL);

    for (unsigned i = 0; i <= FP_SET_MAX; i++) {
        Fingerprint fp = {.hash = FP_SHA1, .digest = {(uint8_t)i}};
        char text[FP_TEXT_MAX];
        g_string_append_printf(media, "a=fingerprint:%s\r\n", fp_text(&fp, text));
    }
    g_autoptr(SdpDoc) doc = doc_of("", media->str);
    SdpFingerprints found = sdp_fingerprints(doc, 1);
    g_assert_cmpuint(found.set.n, ==, FP_SET_MAX);
    g_assert_cmpuint(found.malformed, ==, 1);
}

/* COM-01, TRK-14 */
static void test_setup(void)
{
    static const struct {
        const char *session, *media;
        SdpSetup want;
    } cases[] = {
        {"", "", SDP_SETUP_NONE},
        {"", "a=setup:active\r\n", SDP_SETUP_ACTIVE},
        {"", "a=setup: Passive \r\n", SDP_SETUP_PASSIVE},
        {"a=setup:actpass\r\n", "", SDP_SETUP_ACTPASS},
        {"a=setup:actpass\r\n", "a=setup:holdconn\r\n", SDP_SETUP_HOLDCONN},
        {"a=setup:actpass\r\n", "a=setup:both\r\n", SDP_SETUP_BAD},
        {"", "a=setup\r\n", SDP_SETUP_BAD},
        {"", "a=setup:active\r\na=setup:active\r\n", SDP_SETUP_ACTIVE},
        {"", "a=setup:active\r\na=setup:passive\r\n", SDP_SETUP_BAD},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SdpDoc) doc = doc_of(cases[i].session, cases[i].media);
        g_assert_cmpint(sdp_setup(doc, 1), ==, cases[i].want);
    }
    g_assert_cmpstr(sdp_setup_name(SDP_SETUP_ACTIVE), ==, "active");
    g_assert_cmpstr(sdp_setup_name(SDP_SETUP_HOLDCONN), ==, "holdconn");
}

/* COM-05, TRK-14 */
static void test_connection(void)
{
    static const struct {
        const char *session, *media;
        SdpConnection want;
    } cases[] = {
        {"", "", SDP_CONNECTION_NONE},
        {"", "a=connection:new\r\n", SDP_CONNECTION_NEW},
        {"a=connection:new\r\n", "a=connection:existing\r\n", SDP_CONNECTION_EXISTING},
        {"a=connection:existing\r\n", "", SDP_CONNECTION_EXISTING},
        {"", "a=connection:old\r\n", SDP_CONNECTION_BAD},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SdpDoc) doc = doc_of(cases[i].session, cases[i].media);
        g_assert_cmpint(sdp_connection(doc, 1), ==, cases[i].want);
    }
}

/* IND-01, IND-02 */
static void test_indication(void)
{
    static const struct {
        const char *session, *media;
        SdpIndication want;
    } cases[] = {
        {"", "", SDP_INDICATION_NONE},
        {"", "a=3ge2ae:requested\r\n", SDP_INDICATION_REQUESTED},
        {"", "a=3ge2ae: requested\r\n", SDP_INDICATION_REQUESTED},
        {"", "a=3ge2ae:applied\r\n", SDP_INDICATION_APPLIED},
        {"", "a=3ge2ae:whatever\r\n", SDP_INDICATION_NONE},
        {"", "a=3ge2ae\r\n", SDP_INDICATION_NONE},
        {"", "a=3ge2ae:applied\r\na=3ge2ae:requested\r\n", SDP_INDICATION_REQUESTED},
        {"a=3ge2ae:requested\r\n", "", SDP_INDICATION_NONE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SdpDoc) doc = doc_of(cases[i].session, cases[i].media);
        g_assert_cmpint(sdp_indication(doc, 1), ==, cases[i].want);
        g_assert_cmpint(sdp_indication(doc, 0), ==, SDP_INDICATION_NONE);
    }
}

/* DTL-05 */
static void test_tls_id(void)
{
#define ID20 "abcXYZ0189+/-_abcdef"
    static const struct {
        const char *session, *media;
        SdpValue want;
    } cases[] = {
        {"", "", SDP_VALUE_NONE},
        {"", "a=tls-id:" ID20 "\r\n", SDP_VALUE_OK},
        {"", "a=tls-id: " ID20 " \r\n", SDP_VALUE_OK},
        {"", "a=tls-id:bcXYZ0189+/-_abcdef\r\n", SDP_VALUE_BAD},
        {"", "a=tls-id:" ID20 ".\r\n", SDP_VALUE_BAD},
        {"", "a=tls-id:" ID20 " x\r\n", SDP_VALUE_BAD},
        {"", "a=tls-id\r\n", SDP_VALUE_BAD},
        {"", "a=tls-id:" ID20 "\r\na=tls-id:" ID20 "x\r\n", SDP_VALUE_BAD},
        {"a=tls-id:" ID20 "\r\n", "", SDP_VALUE_NONE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SdpDoc) doc = doc_of(cases[i].session, cases[i].media);
        Span id = SPAN("untouched");
        g_assert_cmpint(sdp_tls_id(doc, 1, &id), ==, cases[i].want);
        g_assert_true(span_eq(id, cases[i].want == SDP_VALUE_OK ? SPAN(ID20) : SPAN("untouched")));
    }
}

static void test_tls_id_length(void)
{
    g_autofree char *longest = g_strnfill(SDP_TLS_ID_MAX, 'x');
    g_autofree char *fits = g_strconcat("a=tls-id:", longest, "\r\n", NULL);
    g_autofree char *over = g_strconcat("a=tls-id:x", longest, "\r\n", NULL);
    g_autoptr(SdpDoc) yes = doc_of("", fits);
    g_autoptr(SdpDoc) no = doc_of("", over);
    Span id;

    g_assert_cmpint(sdp_tls_id(yes, 1, &id), ==, SDP_VALUE_OK);
    g_assert_cmpint(sdp_tls_id(no, 1, &id), ==, SDP_VALUE_BAD);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sdp/tls-attrs/FPR-01/FPR-02/FPR-03/FPR-04/fingerprints", test_fingerprints);
    g_test_add_func("/sdp/tls-attrs/too-many-fingerprints", test_too_many_fingerprints);
    g_test_add_func("/sdp/tls-attrs/COM-01/TRK-14/setup", test_setup);
    g_test_add_func("/sdp/tls-attrs/COM-05/TRK-14/connection", test_connection);
    g_test_add_func("/sdp/tls-attrs/IND-01/IND-02/indication", test_indication);
    g_test_add_func("/sdp/tls-attrs/DTL-05/tls-id", test_tls_id);
    g_test_add_func("/sdp/tls-attrs/DTL-05/tls-id-length", test_tls_id_length);
    return g_test_run();
}
