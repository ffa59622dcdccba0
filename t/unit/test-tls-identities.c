/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls-pair.h"
#include "tls/tls-identities.h"

static const TlsProfile profile;

static TlsIdentities *identities(void)
{
    return tls_identities_new(&profile, FP_SHA256);
}

static void set_current(TlsIdentities *ids, const char *name)
{
    g_autoptr(TlsIdentity) id = pair_identity(name);
    g_autoptr(GError) error = NULL;

    g_assert_true(tls_identities_set_current(ids, id, &error));
    g_assert_no_error(error);
}

static FingerprintSet set_of(const char *name)
{
    g_autoptr(TlsIdentity) id = pair_identity(name);
    FingerprintSet set;

    tls_identity_fingerprints(id, FP_SHA256, &set);
    return set;
}

static void assert_signals(const TlsIdentities *ids, const char *name)
{
    FingerprintSet set, expected = set_of(name);

    tls_identities_signal(ids, &set);
    g_assert_true(fp_set_eq(&set, &expected));
    g_assert_true(tls_identity_presents(tls_identities_current(ids), &expected));
}

static void test_none(void)
{
    g_autoptr(TlsIdentities) ids = identities();
    FingerprintSet set = set_of("agw-rsa");

    g_assert_null(tls_identities_current(ids));
    g_assert_null(tls_identities_hold(ids, &set));
    tls_identities_signal(ids, &set);
    g_assert_cmpuint(set.n, ==, 0);
    g_assert_null(tls_identities_hold(ids, &set));
    g_assert_cmpuint(tls_identities_n(ids), ==, 0);
}

/* FPR-07 */
static void test_hash(void)
{
    g_autoptr(TlsIdentities) ids = tls_identities_new(&profile, FP_SHA384);
    FingerprintSet set;

    set_current(ids, "agw-rsa");
    tls_identities_signal(ids, &set);
    g_assert_cmpuint(set.n, ==, 2);
    g_assert_cmpint(set.fp[0].hash, ==, FP_SHA384);
    g_assert_cmpint(set.fp[1].hash, ==, FP_SHA256);
}

/* An earlier one lives as long as somebody uses it, and no longer. */
static void test_users(void)
{
    g_autoptr(TlsIdentities) ids = identities();
    FingerprintSet old = set_of("agw-rsa");

    set_current(ids, "agw-rsa");
    TlsCtx *a = tls_identities_hold(ids, &old);
    TlsCtx *b = tls_identities_hold(ids, &old);
    g_assert_nonnull(a);
    g_assert_true(a == b);
    set_current(ids, "agw-ecdsa");
    assert_signals(ids, "agw-ecdsa");
    g_assert_cmpuint(tls_identities_n(ids), ==, 2);
    g_assert_true(tls_identity_presents(tls_identities_get(ids, 1), &old));
    tls_identities_release(ids, a);
    g_assert_true(tls_identities_hold(ids, &old) == b);
    tls_identities_release(ids, b);
    tls_identities_release(ids, b);
    g_assert_cmpuint(tls_identities_n(ids), ==, 1);
    g_assert_null(tls_identities_hold(ids, &old));
    assert_signals(ids, "agw-ecdsa");
}

static void test_unused_goes(void)
{
    g_autoptr(TlsIdentities) ids = identities();
    FingerprintSet old = set_of("agw-rsa");

    set_current(ids, "agw-rsa");
    set_current(ids, "agw-ecdsa");
    g_assert_cmpuint(tls_identities_n(ids), ==, 1);
    g_assert_null(tls_identities_hold(ids, &old));
}

/* The current one needs no user. */
static void test_release_current(void)
{
    g_autoptr(TlsIdentities) ids = identities();
    FingerprintSet set = set_of("agw-rsa");

    set_current(ids, "agw-rsa");
    tls_identities_release(ids, tls_identities_hold(ids, &set));
    assert_signals(ids, "agw-rsa");
}

/* One that is held comes back, and the same again is no change. */
static void test_again(void)
{
    g_autoptr(TlsIdentities) ids = identities();
    FingerprintSet old = set_of("agw-rsa");

    set_current(ids, "agw-rsa");
    TlsCtx *held = tls_identities_hold(ids, &old);
    set_current(ids, "agw-ecdsa");
    set_current(ids, "agw-rsa");
    assert_signals(ids, "agw-rsa");
    g_assert_cmpuint(tls_identities_n(ids), ==, 1);
    set_current(ids, "agw-rsa");
    g_assert_cmpuint(tls_identities_n(ids), ==, 1);
    g_assert_true(tls_identities_hold(ids, &old) == held);
    tls_identities_release(ids, held);
    tls_identities_release(ids, held);
}

/* Two certificates at a time, of which one is replaced: another identity. */
static void test_half_replaced(void)
{
    g_autoptr(TlsIdentities) ids = identities();
    FingerprintSet old = set_of("agw-rsa+agw-ecdsa");

    set_current(ids, "agw-rsa+agw-ecdsa");
    TlsCtx *held = tls_identities_hold(ids, &old);
    set_current(ids, "agw-rsa+agw-sha384");
    assert_signals(ids, "agw-rsa+agw-sha384");
    g_assert_cmpuint(tls_identities_n(ids), ==, 2);
    g_assert_true(tls_identities_hold(ids, &old) == held);
    tls_identities_release(ids, held);
    tls_identities_release(ids, held);
    g_assert_cmpuint(tls_identities_n(ids), ==, 1);
}

/* For a stream of an earlier life. */
static void test_add(void)
{
    g_autoptr(TlsIdentities) ids = identities();
    g_autoptr(TlsIdentity) id = pair_identity("agw-rsa");
    FingerprintSet old = set_of("agw-rsa");

    TlsCtx *added = tls_identities_add(ids, id, NULL);
    g_assert_null(tls_identities_current(ids));
    g_assert_true(tls_identities_hold(ids, &old) == added);
    tls_identities_release(ids, added);
    set_current(ids, "agw-ecdsa");
    assert_signals(ids, "agw-ecdsa");
    g_assert_cmpuint(tls_identities_n(ids), ==, 2);
    tls_identities_release(ids, added);
    g_assert_cmpuint(tls_identities_n(ids), ==, 1);
}

static void test_refused(void)
{
    static const TlsProfile nonsense = {.ciphersuites = "NONSENSE"};
    g_autoptr(TlsIdentities) ids = tls_identities_new(&nonsense, FP_SHA256);
    g_autoptr(TlsIdentity) id = pair_identity("agw-rsa");
    g_autoptr(GError) error = NULL;

    g_assert_false(tls_identities_set_current(ids, id, &error));
    g_assert_error(error, TLS_ERROR, TLS_ERROR_CIPHERS);
    g_assert_null(tls_identities_current(ids));
    g_assert_null(tls_identities_add(ids, id, NULL));
    g_assert_cmpuint(tls_identities_n(ids), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tls/identities/none", test_none);
    g_test_add_func("/tls/identities/FPR-07/hash", test_hash);
    g_test_add_func("/tls/identities/FPR-09/users", test_users);
    g_test_add_func("/tls/identities/unused-goes", test_unused_goes);
    g_test_add_func("/tls/identities/release-current", test_release_current);
    g_test_add_func("/tls/identities/again", test_again);
    g_test_add_func("/tls/identities/half-replaced", test_half_replaced);
    g_test_add_func("/tls/identities/add", test_add);
    g_test_add_func("/tls/identities/refused", test_refused);
    return g_test_run();
}
