/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/fingerprint.h"

#define SHA1_TEXT   "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB"
#define SHA256_TEXT                                                                                \
    "12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:"   \
    "4A:AD"

/* FPR-01, FPR-02, FPR-04 */
static void test_parse(void)
{
    static const struct {
        const char *value;
        FpParse want;
        FpHash hash;
    } cases[] = {
        {"sha-256 " SHA256_TEXT, FP_PARSE_OK, FP_SHA256},
        {" SHA-1  " SHA1_TEXT " ", FP_PARSE_OK, FP_SHA1},
        {"sha-1 4a:ad:b9:b1:3f:82:18:3b:54:02:12:df:3e:5d:49:6b:19:e5:7c:ab", FP_PARSE_OK, FP_SHA1},
        {"md5 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF", FP_PARSE_UNUSABLE, FP_NONE},
        {"blake-9 00:11", FP_PARSE_UNUSABLE, FP_NONE},
        {"sha-256 " SHA1_TEXT, FP_PARSE_BAD, FP_NONE},
        {"sha-256 " SHA256_TEXT ":00", FP_PARSE_BAD, FP_NONE},
        {"sha-256 " SHA256_TEXT ":", FP_PARSE_BAD, FP_NONE},
        {"sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:A", FP_PARSE_BAD, FP_NONE},
        {"sha-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AX", FP_PARSE_BAD, FP_NONE},
        {"sha-1 4AADB9B13F82183B540212DF3E5D496B19E57CAB", FP_PARSE_BAD, FP_NONE},
        {"sha-1", FP_PARSE_BAD, FP_NONE},
        {"sha-1 ", FP_PARSE_BAD, FP_NONE},
        {"", FP_PARSE_BAD, FP_NONE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fingerprint fp = {0};
        g_test_message("%s", cases[i].value);
        g_assert_cmpint(fp_parse(span_str(cases[i].value), &fp), ==, cases[i].want);
        g_assert_cmpint(fp.hash, ==, cases[i].hash);
    }
}

/* FPR-02: lower-case name, upper-case hex. */
static void test_text(void)
{
    Fingerprint fp;
    char text[FP_TEXT_MAX];

    g_assert_cmpint(fp_parse(SPAN("SHA-256 " SHA256_TEXT), &fp), ==, FP_PARSE_OK);
    g_assert_cmpstr(fp_text(&fp, text), ==, "sha-256 " SHA256_TEXT);
    memset(&fp, 0xff, sizeof fp);
    fp.hash = FP_SHA512;
    g_assert_cmpuint(strlen(fp_text(&fp, text)), ==, FP_TEXT_MAX - 2);
}

static Fingerprint made(FpHash hash, uint8_t seed)
{
    Fingerprint fp = {.hash = hash};
    memset(fp.digest, seed, fp_digest_len(hash));
    return fp;
}

/* FPR-05, FPR-06, FPR-08 */
static void test_choose(void)
{
    FingerprintSet set = {0};
    Fingerprint sha1 = made(FP_SHA1, 1), sha256 = made(FP_SHA256, 2), sha512 = made(FP_SHA512, 3);

    g_assert_cmpint(fp_set_choose(&set, true), ==, FP_NONE);
    fp_set_add(&set, &sha1);
    g_assert_cmpint(fp_set_choose(&set, false), ==, FP_NONE);
    g_assert_cmpint(fp_set_choose(&set, true), ==, FP_SHA1);
    fp_set_add(&set, &sha256);
    g_assert_cmpint(fp_set_choose(&set, true), ==, FP_SHA256);
    fp_set_add(&set, &sha512);
    g_assert_cmpint(fp_set_choose(&set, true), ==, FP_SHA512);
}

/* FPR-06: only values with the chosen hash count, several of them are alternatives. */
static void test_match(void)
{
    FingerprintSet set = {0};
    Fingerprint a = made(FP_SHA256, 1), b = made(FP_SHA256, 2), c = made(FP_SHA1, 3);

    fp_set_add(&set, &a);
    fp_set_add(&set, &b);
    fp_set_add(&set, &c);
    g_assert_true(fp_set_matches(&set, FP_SHA256, a.digest));
    g_assert_true(fp_set_matches(&set, FP_SHA256, b.digest));
    g_assert_false(fp_set_matches(&set, FP_SHA256, c.digest));
    g_assert_false(fp_set_matches(&set, FP_SHA512, a.digest));
    g_assert_false(fp_set_matches(&set, FP_NONE, a.digest));
    g_assert_false(fp_set_matches(&(FingerprintSet){0}, FP_SHA256, a.digest));
}

static void test_set(void)
{
    FingerprintSet x = {0}, y = {0};

    for (uint8_t i = 0; i < FP_SET_MAX; i++) {
        Fingerprint up = made(FP_SHA256, i), down = made(FP_SHA256, (uint8_t)(FP_SET_MAX - 1 - i));
        g_assert_true(fp_set_add(&x, &up));
        g_assert_true(fp_set_add(&y, &down));
    }
    g_assert_true(fp_set_eq(&x, &y));
    Fingerprint again = made(FP_SHA256, 0), more = made(FP_SHA256, 99);
    g_assert_true(fp_set_add(&x, &again));
    g_assert_cmpuint(x.n, ==, FP_SET_MAX);
    g_assert_false(fp_set_add(&x, &more));
    y.n--;
    g_assert_false(fp_set_eq(&x, &y));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/fingerprint/FPR-01/FPR-02/FPR-04/parse", test_parse);
    g_test_add_func("/base/fingerprint/FPR-02/text", test_text);
    g_test_add_func("/base/fingerprint/FPR-05/FPR-06/FPR-08/choose", test_choose);
    g_test_add_func("/base/fingerprint/FPR-06/match", test_match);
    g_test_add_func("/base/fingerprint/set", test_set);
    return g_test_run();
}
