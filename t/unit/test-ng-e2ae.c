/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ng-protocol/ng-e2ae.h"

#define SHA1_HEX "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB"

static bool put(E2aeParams *p, const char *key, const char *value, GError **error)
{
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(Span));

    ng_flag_items(span_str(value), items);
    return e2ae_params_put(p, span_str(key), items, error);
}

static void test_is_key(void)
{
    g_assert_true(e2ae_is_key(SPAN("e2ae")));
    g_assert_true(e2ae_is_key(SPAN("e2ae-")));
    g_assert_true(e2ae_is_key(SPAN("e2ae-strict")));
    g_assert_false(e2ae_is_key(SPAN("E2AE")));
    g_assert_false(e2ae_is_key(SPAN("e2aes")));
    g_assert_false(e2ae_is_key(SPAN("e2a")));
    g_assert_false(e2ae_is_key(SPAN("")));
}

static void test_defaults(void)
{
    E2aeParams p;

    e2ae_params_init(&p);
    g_assert_cmpuint(p.given, ==, 0);
    g_assert_cmpint(p.mode, ==, E2AE_UNSET);
    g_assert_cmpuint(p.media, ==, E2AE_MEDIA_ALL);
    g_assert_cmpint(p.require, ==, E2AE_REQUIRE_INDICATION);
    g_assert_false(p.answer_indication);
    g_assert_false(p.allow_sha1);
    g_assert_cmpint(p.path, ==, E2AE_PATH_AUTO);
    g_assert_cmpint(p.scheme, ==, E2AE_SCHEME_SWAP);
    g_assert_cmpint(p.core, ==, E2AE_CORE_PLAIN);
    g_assert_cmpuint(p.n_fingerprints, ==, 0);
}

#define FIELD(f) G_STRUCT_OFFSET(E2aeParams, f)

static void test_words(void)
{
    static const struct {
        const char *key, *value;
        E2aeGiven given;
        size_t field;
        unsigned want;
    } cases[] = {
        {"e2ae", "originating", E2AE_GIVEN_MODE, FIELD(mode), E2AE_ORIGINATING},
        {"e2ae", "terminating", E2AE_GIVEN_MODE, FIELD(mode), E2AE_TERMINATING},
        {"e2ae", "off", E2AE_GIVEN_MODE, FIELD(mode), E2AE_OFF},
        {"e2ae", "Originating", E2AE_GIVEN_MODE, FIELD(mode), E2AE_ORIGINATING},
        {"e2ae-media", "msrp", E2AE_GIVEN_MEDIA, FIELD(media), E2AE_MEDIA_MSRP},
        {"e2ae-media", "bfcp", E2AE_GIVEN_MEDIA, FIELD(media), E2AE_MEDIA_BFCP},
        {"e2ae-media", "t38", E2AE_GIVEN_MEDIA, FIELD(media), E2AE_MEDIA_T38},
        {"e2ae-media", "MSRP-TLS", E2AE_GIVEN_MEDIA, FIELD(media), E2AE_MEDIA_MSRP},
        {"e2ae-media", "bfcp-tls,udptl-dtls", E2AE_GIVEN_MEDIA, FIELD(media), 6},
        {"e2ae-media", "[msrp t38]", E2AE_GIVEN_MEDIA, FIELD(media), 5},
        {"e2ae-media", "msrp,msrp-tls", E2AE_GIVEN_MEDIA, FIELD(media), 1},
        {"e2ae-require", "none", E2AE_GIVEN_REQUIRE, FIELD(require), E2AE_REQUIRE_NONE},
        {"e2ae-require", "indication", E2AE_GIVEN_REQUIRE, FIELD(require), E2AE_REQUIRE_INDICATION},
        {"e2ae-path", "auto", E2AE_GIVEN_PATH, FIELD(path), E2AE_PATH_AUTO},
        {"e2ae-path", "transparent", E2AE_GIVEN_PATH, FIELD(path), E2AE_PATH_TRANSPARENT},
        {"e2ae-path", "aware", E2AE_GIVEN_PATH, FIELD(path), E2AE_PATH_AWARE},
        {"e2ae-path-scheme", "keep", E2AE_GIVEN_SCHEME, FIELD(scheme), E2AE_SCHEME_KEEP},
        {"e2ae-path-scheme", "swap", E2AE_GIVEN_SCHEME, FIELD(scheme), E2AE_SCHEME_SWAP},
        {"e2ae-core", "tls", E2AE_GIVEN_CORE, FIELD(core), E2AE_CORE_TLS},
        {"e2ae-core", "plain", E2AE_GIVEN_CORE, FIELD(core), E2AE_CORE_PLAIN},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        E2aeParams p;
        e2ae_params_init(&p);
        g_test_message("%s=%s", cases[i].key, cases[i].value);
        put(&p, cases[i].key, cases[i].value, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(p.given, ==, cases[i].given);
        g_assert_cmpuint(G_STRUCT_MEMBER(unsigned, &p, cases[i].field), ==, cases[i].want);
    }
}

/* IND-04, FPR-05 */
static void test_switches(void)
{
    E2aeParams p;

    e2ae_params_init(&p);
    g_assert_true(put(&p, "e2ae-answer-indication", "yes", NULL));
    g_assert_true(put(&p, "e2ae-hash", "SHA-1", NULL));
    g_assert_true(p.answer_indication);
    g_assert_true(p.allow_sha1);
    g_assert_cmpuint(p.given, ==, E2AE_GIVEN_ANSWER_INDICATION | E2AE_GIVEN_HASH);
}

static void test_errors(void)
{
    static const struct {
        const char *key, *value;
        int code; /* NgErrorCode */
        const char *message;
    } cases[] = {
        {"e2ae", "both", NG_ERROR_VALUE,
         "e2ae: \"both\" is not allowed, allowed is: originating, terminating, off"},
        {"e2ae", "", NG_ERROR_VALUE,
         "e2ae: \"\" is not allowed, allowed is: originating, terminating, off"},
        {"e2ae", "off,on", NG_ERROR_VALUE,
         "e2ae: \"on\" is not allowed, allowed is: originating, terminating, off"},
        {"e2ae-media", "", NG_ERROR_VALUE,
         "e2ae-media: \"\" is not allowed, allowed is: msrp, bfcp, t38, msrp-tls, bfcp-tls, "
         "udptl-dtls"},
        {"e2ae-media", "msrp,rtp", NG_ERROR_VALUE,
         "e2ae-media: \"rtp\" is not allowed, allowed is: msrp, bfcp, t38, msrp-tls, bfcp-tls, "
         "udptl-dtls"},
        {"e2ae-hash", "sha-256", NG_ERROR_VALUE,
         "e2ae-hash: \"sha-256\" is not allowed, allowed is: sha-1"},
        {"e2ae-answer-indication", "1", NG_ERROR_VALUE,
         "e2ae-answer-indication: \"1\" is not allowed, allowed is: no, yes"},
        {"e2ae-strict", "", NG_ERROR_KEY,
         "unknown key \"e2ae-strict\", known are: e2ae, e2ae-media, e2ae-require, "
         "e2ae-answer-indication, e2ae-hash, e2ae-path, e2ae-path-scheme, e2ae-core, "
         "e2ae-fingerprint, e2ae-forwarded"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        E2aeParams p;
        e2ae_params_init(&p);
        g_assert_false(put(&p, cases[i].key, cases[i].value, &error));
        g_assert_error(error, NG_ERROR, cases[i].code);
        g_assert_cmpstr(error->message, ==, cases[i].message);
        g_assert_cmpuint(p.given, ==, 0);
    }
}

static void test_repeated(void)
{
    E2aeParams p;

    e2ae_params_init(&p);
    g_assert_true(put(&p, "e2ae", "originating", NULL));
    g_assert_true(put(&p, "e2ae", "off", NULL));
    g_assert_cmpint(p.mode, ==, E2AE_ORIGINATING);
    g_assert_true(put(&p, "e2ae-media", "msrp", NULL));
    g_assert_true(put(&p, "e2ae-media", "t38", NULL));
    g_assert_cmpuint(p.media, ==, E2AE_MEDIA_MSRP | E2AE_MEDIA_T38);
}

static void test_fingerprint(void)
{
    E2aeParams p;
    Fingerprint want;

    g_assert_cmpint(fp_parse(SPAN("sha-1 " SHA1_HEX), &want), ==, FP_PARSE_OK);
    e2ae_params_init(&p);
    g_assert_true(put(&p, "e2ae-fingerprint", "sha-1/" SHA1_HEX ",2:SHA-1/" SHA1_HEX, NULL));
    g_assert_true(put(&p, "e2ae-fingerprint", "64:sha-1/" SHA1_HEX, NULL));
    g_assert_cmpuint(p.n_fingerprints, ==, 3);
    g_assert_cmpuint(p.fingerprints[0].index, ==, 0);
    g_assert_cmpuint(p.fingerprints[1].index, ==, 2);
    g_assert_cmpuint(p.fingerprints[2].index, ==, 64);
    for (unsigned i = 0; i < 3; i++)
        g_assert_true(fp_eq(&p.fingerprints[i].fp, &want));
}

static void test_fingerprint_bad(void)
{
    static const char *const cases[] = {
        "sha-1",
        "sha-1/",
        "/" SHA1_HEX,
        "sha-1/" SHA1_HEX ":00",
        "sha-256/" SHA1_HEX,
        "md5/00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF", /* FPR-04 */
        "0:sha-1/" SHA1_HEX,
        "65:sha-1/" SHA1_HEX,
        ":sha-1/" SHA1_HEX,
        "x:sha-1/" SHA1_HEX,
        "-1:sha-1/" SHA1_HEX,
        "1:1:sha-1/" SHA1_HEX,
        "99999999999999999999:sha-1/" SHA1_HEX,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        E2aeParams p;
        e2ae_params_init(&p);
        g_test_message("%s", cases[i]);
        g_assert_false(put(&p, "e2ae-fingerprint", cases[i], &error));
        g_assert_error(error, NG_ERROR, NG_ERROR_VALUE);
        g_assert_cmpuint(p.n_fingerprints, ==, 0);
    }
    /* a NUL does not hide what follows */
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(Span));
    Span nul = SPAN("sha-1/" SHA1_HEX "\0x");
    E2aeParams p;
    g_array_append_val(items, nul);
    e2ae_params_init(&p);
    g_assert_false(e2ae_params_put(&p, SPAN("e2ae-fingerprint"), items, NULL));
}

static void test_fingerprint_limit(void)
{
    g_autoptr(GError) error = NULL;
    E2aeParams p;

    e2ae_params_init(&p);
    for (int i = 0; i < E2AE_FINGERPRINTS_MAX; i++)
        g_assert_true(put(&p, "e2ae-fingerprint", "sha-1/" SHA1_HEX, NULL));
    g_assert_false(put(&p, "e2ae-fingerprint", "sha-1/" SHA1_HEX, &error));
    g_assert_error(error, NG_ERROR, NG_ERROR_VALUE);
}

static void test_merge(void)
{
    E2aeParams request, session;

    e2ae_params_init(&request);
    e2ae_params_init(&session);
    put(&session, "e2ae", "originating", NULL);
    put(&session, "e2ae-media", "msrp", NULL);
    put(&session, "e2ae-require", "none", NULL);
    put(&session, "e2ae-answer-indication", "yes", NULL);
    put(&session, "e2ae-hash", "sha-1", NULL);
    put(&session, "e2ae-path", "aware", NULL);
    put(&session, "e2ae-path-scheme", "keep", NULL);
    put(&session, "e2ae-core", "tls", NULL);
    put(&session, "e2ae-fingerprint", "sha-1/" SHA1_HEX, NULL);
    put(&request, "e2ae-path", "auto", NULL);
    put(&request, "e2ae-media", "t38", NULL);
    e2ae_params_merge(&request, &session);
    g_assert_cmpint(request.mode, ==, E2AE_ORIGINATING);
    g_assert_cmpuint(request.media, ==, E2AE_MEDIA_T38);
    g_assert_cmpint(request.require, ==, E2AE_REQUIRE_NONE);
    g_assert_true(request.answer_indication);
    g_assert_true(request.allow_sha1);
    g_assert_cmpint(request.path, ==, E2AE_PATH_AUTO);
    g_assert_cmpint(request.scheme, ==, E2AE_SCHEME_KEEP);
    g_assert_cmpint(request.core, ==, E2AE_CORE_TLS);
    g_assert_cmpuint(request.n_fingerprints, ==, 1);
    g_assert_cmpuint(request.given, ==, 0x1ff);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ng/e2ae/is-key", test_is_key);
    g_test_add_func("/ng/e2ae/defaults", test_defaults);
    g_test_add_func("/ng/e2ae/words", test_words);
    g_test_add_func("/ng/e2ae/switches/IND-04/FPR-05", test_switches);
    g_test_add_func("/ng/e2ae/errors", test_errors);
    g_test_add_func("/ng/e2ae/repeated", test_repeated);
    g_test_add_func("/ng/e2ae/fingerprint", test_fingerprint);
    g_test_add_func("/ng/e2ae/fingerprint-bad", test_fingerprint_bad);
    g_test_add_func("/ng/e2ae/fingerprint-limit", test_fingerprint_limit);
    g_test_add_func("/ng/e2ae/merge", test_merge);
    return g_test_run();
}
