/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls-pair.h"
#include "tls/tls-identity.h"
#include "tls/tls-internal.h"

/* What is true of either type of key. */
static void check_self_signed(TlsKeyType type, int bits, int signature)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TlsIdentity) a = tls_identity_new_self_signed(type, 300, &error);
    g_assert_no_error(error);
    g_autoptr(TlsIdentity) b = tls_identity_new_self_signed(type, 300, &error);
    g_assert_no_error(error);
    unsigned n;
    X509 *cert = tls_identity_credentials(a, &n)->cert;
    X509 *other = tls_identity_credentials(b, &n)->cert;
    time_t before_end = time(NULL) + 299 * 86400, after_end = time(NULL) + 301 * 86400;
    FingerprintSet set;

    g_assert_cmpuint(n, ==, 1);
    char *line = X509_NAME_oneline(X509_get_subject_name(cert), NULL, 0);
    g_assert_cmpstr(line, ==, "/CN=rtpengine-e2ae");
    OPENSSL_free(line);
    /* ASC-05: nothing in it tells of a subscriber or a call. */
    g_assert_cmpint(X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)), ==, 0);
    g_assert_cmpint(X509_get_ext_by_NID(cert, NID_subject_alt_name, -1), ==, -1);
    g_assert_cmpint(X509_self_signed(cert, 1), ==, 1);
    g_assert_cmpint(EVP_PKEY_get_bits(X509_get0_pubkey(cert)), ==, bits);
    g_assert_cmpint(X509_get_signature_nid(cert), ==, signature);
    g_assert_cmpint(X509_cmp_current_time(X509_get0_notBefore(cert)), <, 0);
    g_assert_cmpint(X509_cmp_time(X509_get0_notAfter(cert), &before_end), >, 0);
    g_assert_cmpint(X509_cmp_time(X509_get0_notAfter(cert), &after_end), <, 0);
    g_assert_cmpint(ASN1_INTEGER_cmp(X509_get0_serialNumber(cert), X509_get0_serialNumber(other)),
                    !=, 0);
    tls_identity_fingerprints(a, FP_SHA256, &set);
    g_assert_cmpuint(set.n, ==, 1);
}

static void test_self_signed(void)
{
    check_self_signed(TLS_KEY_RSA, 2048, NID_sha256WithRSAEncryption); /* TLS-08 */
    check_self_signed(TLS_KEY_ECDSA, 256, NID_ecdsa_with_SHA256);
}

static const struct {
    const char *path;
    const char *cert;
    const char *key;
    const char *message; /* part of the error */
} refused[] = {
    {"/tls/identity/load/refuses-missing-file", "absent.pem", "agw-rsa.key", "absent.pem"},
    {"/tls/identity/load/refuses-missing-key", "agw-rsa.pem", "absent.key", "absent.key"},
    {"/tls/identity/load/refuses-other-key", "agw-rsa.pem", "ue-rsa.key",
     "ue-rsa.key: this private key does not"},
    {"/tls/identity/load/refuses-other-key-type", "agw-rsa.pem", "ue-ecdsa.key", "does not belong"},
    {"/tls/identity/load/refuses-passphrase", "agw-ecdsa.pem", "agw-locked.key",
     "agw-locked.key: the private key needs a passphrase"},
    {"/tls/identity/load/refuses-short-rsa", "ue-rsa1024.pem", "ue-rsa1024.key",
     "ue-rsa1024.pem: the RSA key has fewer than 2048 bits"},
    {"/tls/identity/load/refuses-ed25519", "ue-ed25519.pem", "ue-ed25519.key", "RSA or ECDSA"},
    {"/tls/identity/load/refuses-key-as-certificate", "agw-rsa.key", "agw-rsa.key",
     "no certificate in PEM form"},
    {"/tls/identity/load/refuses-certificate-as-key", "agw-rsa.pem", "agw-rsa.pem",
     "no private key in PEM form"},
};

static void test_refused(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    g_autoptr(GError) error = NULL;
    g_autofree char *cert = pair_path(refused[i].cert, "");
    g_autofree char *key = pair_path(refused[i].key, "");
    const char *certs[] = {cert};
    const char *keys[] = {key};

    g_assert_null(tls_identity_load(certs, keys, 1, &error));
    g_assert_nonnull(error);
    g_assert_true(error->domain == TLS_ERROR);
    g_assert_nonnull(strstr(error->message, refused[i].message));
}

static void test_numbers(void)
{
    g_autofree char *cert = pair_path("agw-rsa", ".pem");
    g_autofree char *key = pair_path("agw-rsa", ".key");
    const char *certs[] = {cert, cert, cert};
    const char *keys[] = {key, key, key};

    for (unsigned n = 0; n <= 3; n++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(TlsIdentity) id = tls_identity_load(certs, keys, n, &error);
        g_assert_true((id != NULL) == (n == 1));
        g_assert_true((error == NULL) == (n == 1));
    }
}

static void test_chain(void)
{
    g_autoptr(TlsIdentity) id = pair_identity("ue-chain");
    unsigned n;
    FingerprintSet set;
    FingerprintSet leaf = pair_set("ue-chain", FP_SHA256);

    g_assert_cmpint(sk_X509_num(tls_identity_credentials(id, &n)->chain), ==, 1);
    tls_identity_fingerprints(id, FP_SHA256, &set);
    g_assert_true(fp_set_eq(&set, &leaf));
}

static const struct {
    const char *path;
    const char *certs;
    FpHash hash;
    struct {
        const char *cert;
        FpHash hash;
    } wanted[4];
} signalled[] = {
    {"/tls/identity/fingerprints/FPR-07/one-line-when-hashes-coincide",
     "agw-rsa",
     FP_SHA256,
     {{"agw-rsa", FP_SHA256}}},
    {"/tls/identity/fingerprints/FPR-07/adds-hash-of-signature",
     "agw-sha384",
     FP_SHA256,
     {{"agw-sha384", FP_SHA256}, {"agw-sha384", FP_SHA384}}},
    {"/tls/identity/fingerprints/FPR-07/same-hashes-for-every-certificate",
     "agw-rsa+agw-sha384",
     FP_SHA256,
     {{"agw-rsa", FP_SHA256},
      {"agw-sha384", FP_SHA256},
      {"agw-rsa", FP_SHA384},
      {"agw-sha384", FP_SHA384}}},
    {"/tls/identity/fingerprints/FPR-07/chosen-hash",
     "agw-rsa+agw-ecdsa",
     FP_SHA512,
     {{"agw-rsa", FP_SHA512},
      {"agw-ecdsa", FP_SHA512},
      {"agw-rsa", FP_SHA256},
      {"agw-ecdsa", FP_SHA256}}},
    {"/tls/identity/fingerprints/FPR-07/sha1-signature",
     "ue-sha1",
     FP_SHA256,
     {{"ue-sha1", FP_SHA256}, {"ue-sha1", FP_SHA1}}},
};

static void test_signalled(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    g_autoptr(TlsIdentity) id = pair_identity(signalled[i].certs);
    FingerprintSet set;
    unsigned n = 0;

    tls_identity_fingerprints(id, signalled[i].hash, &set);
    for (; n < 4 && signalled[i].wanted[n].cert; n++) {
        Fingerprint fp = pair_fingerprint(signalled[i].wanted[n].cert, signalled[i].wanted[n].hash);
        g_assert_cmpuint(n, <, set.n);
        g_assert_true(fp_eq(&set.fp[n], &fp));
    }
    g_assert_cmpuint(set.n, ==, n);
}

/* FPR-09: all that could be presented was signalled, and nothing else was. */
static void test_presents(void)
{
    g_autoptr(TlsIdentity) both = pair_identity("agw-rsa+agw-sha384");
    g_autoptr(TlsIdentity) one = pair_identity("agw-rsa");
    FingerprintSet set, none = {0};

    tls_identity_fingerprints(both, FP_SHA512, &set);
    g_assert_true(tls_identity_presents(both, &set));
    g_assert_false(tls_identity_presents(one, &set));
    g_assert_false(tls_identity_presents(both, &none));
    set.n--; /* the second certificate's, with the last hash */
    g_assert_false(tls_identity_presents(both, &set));
    tls_identity_fingerprints(one, FP_SHA384, &set);
    g_assert_true(tls_identity_presents(one, &set));
    g_assert_false(tls_identity_presents(both, &set));
    set.fp[0].digest[0] ^= 1;
    g_assert_false(tls_identity_presents(one, &set));
}

static void test_half_life(void)
{
    g_autoptr(TlsIdentity) id = tls_identity_new_self_signed(TLS_KEY_ECDSA, 9, NULL);
    int64_t day = 86400, now = time(NULL);

    /* from yesterday to the ninth day: four days from now */
    g_assert_cmpint(tls_identity_half_life(id), >, now + 4 * day - 60);
    g_assert_cmpint(tls_identity_half_life(id), <=, now + 4 * day);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tls/identity/ASC-05/TLS-08/self-signed", test_self_signed);
    for (unsigned i = 0; i < G_N_ELEMENTS(refused); i++)
        g_test_add_data_func(refused[i].path, GUINT_TO_POINTER(i), test_refused);
    g_test_add_func("/tls/identity/load/one-per-key-type", test_numbers);
    g_test_add_func("/tls/identity/load/leaf-first-then-chain", test_chain);
    g_test_add_func("/tls/identity/FPR-09/presents", test_presents);
    g_test_add_func("/tls/identity/half-life", test_half_life);
    for (unsigned i = 0; i < G_N_ELEMENTS(signalled); i++)
        g_test_add_data_func(signalled[i].path, GUINT_TO_POINTER(i), test_signalled);
    return g_test_run();
}
