/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tls-pair.h"
#include "tls/tls-internal.h"
#include "tls/tls-seal.h"

#define KEY_A "000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1f"
#define KEY_B "000102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1e"
#define NAME  "e2ae:cert:sha-256:AB:CD"

static const uint8_t nonce[TLS_SEAL_NONCE] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

static TlsSealKey *key_of(const char *text)
{
    g_autoptr(GError) error = NULL;
    TlsSealKey *key = tls_seal_key_parse(span_str(text), &error);

    g_assert_no_error(error);
    return key;
}

static Span span_of(GBytes *bytes)
{
    gsize len;
    const char *p = g_bytes_get_data(bytes, &len);

    return (Span){p, len};
}

static GBytes *bytes_of(const char *hex)
{
    GByteArray *a = g_byte_array_new();

    for (; *hex; hex += 2) {
        guint8 byte = (guint8)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
        g_byte_array_append(a, &byte, 1);
    }
    return g_byte_array_free_to_bytes(a);
}

/* ---- the key */

static void test_key(void)
{
    static const char *const good[] = {KEY_A, KEY_A "\n", KEY_A " \r\n"};
    static const char *const bad[] = {
        "",          "\n",
        "00",        KEY_A "0",
        KEY_A KEY_A, " " KEY_A,
        "G" KEY_A,   "g00102030405060708090A0B0C0D0E0F101112131415161718191a1b1c1d1e1f"};

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(TlsSealKey) key = key_of(good[i]);
        g_autoptr(TlsSealKey) plain = key_of(KEY_A);
        g_assert_cmpstr(tls_seal_key_id(key), ==, tls_seal_key_id(plain));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(tls_seal_key_parse(span_str(bad[i]), &error));
        g_assert_error(error, TLS_ERROR, TLS_ERROR_KEY);
        g_assert_null(strstr(error->message, "0102")); /* nothing of the key */
    }
}

/* As redis-schema/README.md says, so that another implementation finds the same. */
static void test_key_id(void)
{
    g_autoptr(TlsSealKey) a = key_of(KEY_A);
    g_autoptr(TlsSealKey) b = key_of(KEY_B);
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(GBytes) bytes = bytes_of(KEY_A);

    g_checksum_update(sum, (const guchar *)"e2ae-key-id", 11);
    g_checksum_update(sum, g_bytes_get_data(bytes, NULL), 32);
    g_autofree char *expected = g_strndup(g_checksum_get_string(sum), 16);
    g_assert_cmpstr(tls_seal_key_id(a), ==, expected);
    g_assert_cmpstr(tls_seal_key_id(a), !=, tls_seal_key_id(b));
}

/* ---- bytes */

/* Test case 16 of the GCM specification, McGrew and Viega. */
static void test_vector(void)
{
    g_autoptr(TlsSealKey) key =
        key_of("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    g_autoptr(GBytes) plain = bytes_of(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf"
        "0e2449a6b525b16aedf5aa0de657ba637b39");
    g_autoptr(GBytes) name = bytes_of("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    g_autoptr(GBytes) iv = bytes_of("cafebabefacedbaddecaf888");
    g_autoptr(GBytes) expected = bytes_of(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b0"
        "8b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
    const uint8_t *iv_bytes = g_bytes_get_data(iv, NULL);
    size_t len = 0;

    g_autoptr(GBytes) sealed = tls_seal_bytes(key, iv_bytes, span_of(name), span_of(plain));
    g_assert_true(g_bytes_equal(sealed, expected));
    g_autofree char *opened =
        tls_seal_open_bytes(key, iv_bytes, span_of(name), span_of(sealed), &len);
    g_assert_nonnull(opened);
    g_assert_true(span_eq((Span){opened, len}, span_of(plain)));
}

static void test_empty(void)
{
    g_autoptr(TlsSealKey) key = key_of(KEY_A);
    g_autoptr(GBytes) sealed = tls_seal_bytes(key, nonce, SPAN(NAME), SPAN(""));
    size_t len = 99;

    g_assert_cmpuint(g_bytes_get_size(sealed), ==, TLS_SEAL_TAG);
    g_autofree char *opened = tls_seal_open_bytes(key, nonce, SPAN(NAME), span_of(sealed), &len);
    g_assert_cmpstr(opened, ==, "");
    g_assert_cmpuint(len, ==, 0);
}

/* ---- certificates */

/* The same certificate, chain and key. */
static void assert_same(const TlsIdentity *a, const TlsIdentity *b)
{
    unsigned n, m;
    const TlsCredential *one = tls_identity_credentials(a, &n);
    const TlsCredential *other = tls_identity_credentials(b, &m);

    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpuint(m, ==, 1);
    g_assert_cmpint(X509_cmp(one->cert, other->cert), ==, 0);
    g_assert_cmpint(EVP_PKEY_eq(one->key, other->key), ==, 1);
    g_assert_cmpint(X509_check_private_key(other->cert, other->key), ==, 1);
    g_assert_cmpint(sk_X509_num(one->chain), ==, sk_X509_num(other->chain));
    for (int i = 0; i < sk_X509_num(one->chain); i++)
        g_assert_cmpint(X509_cmp(sk_X509_value(one->chain, i), sk_X509_value(other->chain, i)), ==,
                        0);
}

static void test_round(gconstpointer name)
{
    g_autoptr(TlsSealKey) key = key_of(KEY_A);
    g_autoptr(TlsIdentity) id = pair_identity(name);
    g_autoptr(GError) error = NULL;

    g_autoptr(GBytes) sealed = tls_seal_identity(key, nonce, NAME, id);
    g_autoptr(TlsIdentity) opened = tls_seal_open(key, nonce, NAME, span_of(sealed), &error);
    g_assert_no_error(error);
    assert_same(id, opened);
}

static GBytes *sealed_pair(const TlsSealKey *key)
{
    g_autoptr(TlsIdentity) id = pair_identity("agw-ecdsa");

    return tls_seal_identity(key, nonce, NAME, id);
}

/* The specified plaintext: certificate, then PKCS #8, and none of it can be seen from outside. */
static void test_plaintext(void)
{
    g_autoptr(TlsSealKey) key = key_of(KEY_A);
    g_autoptr(GBytes) sealed = sealed_pair(key);
    size_t len;
    g_autofree char *pem = tls_seal_open_bytes(key, nonce, SPAN(NAME), span_of(sealed), &len);

    g_assert_nonnull(pem);
    g_assert_true(g_str_has_prefix(pem, "-----BEGIN CERTIFICATE-----\n"));
    g_assert_true(g_str_has_suffix(pem, "-----END PRIVATE KEY-----\n"));
    g_assert_nonnull(strstr(pem, "-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n"));
    g_assert_cmpuint(strlen(pem), ==, len);
    g_assert_null(memmem(span_of(sealed).p, span_of(sealed).len, "-----", 5));
}

static void assert_refused(const TlsSealKey *key, const uint8_t *with, const char *name,
                           Span sealed)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(tls_seal_open(key, with, name, sealed, &error));
    g_assert_error(error, TLS_ERROR, TLS_ERROR_SEAL);
    g_assert_true(g_str_has_prefix(error->message, name));
}

static void test_wrong_key(void)
{
    g_autoptr(TlsSealKey) key = key_of(KEY_A);
    g_autoptr(TlsSealKey) other = key_of(KEY_B);
    g_autoptr(GBytes) sealed = sealed_pair(key);

    assert_refused(other, nonce, NAME, span_of(sealed));
}

static void test_other_name(void)
{
    static const char *const names[] = {"", "e2ae:cert:sha-256:AB:CE", NAME ":", "e2ae:cert:"};
    g_autoptr(TlsSealKey) key = key_of(KEY_A);
    g_autoptr(GBytes) sealed = sealed_pair(key);

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        assert_refused(key, nonce, names[i], span_of(sealed));
}

static void test_every_byte(void)
{
    g_autoptr(TlsSealKey) key = key_of(KEY_A);
    g_autoptr(GBytes) sealed = sealed_pair(key);
    Span all = span_of(sealed);
    uint8_t with[TLS_SEAL_NONCE];

    for (size_t i = 0; i < all.len; i++) {
        g_autofree char *changed = g_memdup2(all.p, all.len);
        changed[i] ^= (char)(1 << i % 8);
        assert_refused(key, nonce, NAME, (Span){changed, all.len});
    }
    for (size_t i = 0; i < sizeof with; i++) {
        memcpy(with, nonce, sizeof with);
        with[i] ^= 1;
        assert_refused(key, with, NAME, all);
    }
}

static void test_every_length(void)
{
    g_autoptr(TlsSealKey) key = key_of(KEY_A);
    g_autoptr(GBytes) sealed = sealed_pair(key);
    Span all = span_of(sealed);
    g_autofree char *longer = g_malloc0(all.len + 1);

    for (size_t len = 0; len < all.len; len++) {
        g_autofree char *cut = g_memdup2(all.p, len); /* so that a read past its end is seen */
        assert_refused(key, nonce, NAME, (Span){cut ? cut : "", len});
    }
    memcpy(longer, all.p, all.len);
    assert_refused(key, nonce, NAME, (Span){longer, all.len + 1});
}

/* Authentic, and still of no use: whoever has the key has sealed something else. */
static void test_unusable(void)
{
    static const struct {
        const char *pem;
        const char *message;
    } cases[] = {
        {"", "no certificate in PEM form"},
        {"agw-rsa.key", "no certificate in PEM form"},
        {"agw-rsa.pem", "no private key in PEM form"},
        {"agw-rsa.pem+ue-rsa.key", "does not belong to the certificate"},
        {"ue-rsa1024.pem+ue-rsa1024.key", "fewer than 2048 bits"},
        {"ue-ed25519.pem+ue-ed25519.key", "RSA or ECDSA"},
        {"agw-ecdsa.pem+agw-locked.key", "needs a passphrase"},
    };
    g_autoptr(TlsSealKey) key = key_of(KEY_A);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) parts = g_strsplit(cases[i].pem, "+", 0);
        g_autoptr(GString) pem = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        for (char **part = parts; *part; part++) {
            g_autofree char *path = pair_path(*part, "");
            g_autofree char *text = NULL;
            g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
            g_string_append(pem, text);
        }
        g_autoptr(GBytes) sealed =
            tls_seal_bytes(key, nonce, SPAN(NAME), (Span){pem->str, pem->len});
        g_assert_null(tls_seal_open(key, nonce, NAME, span_of(sealed), &error));
        g_assert_true(error->domain == TLS_ERROR);
        g_assert_nonnull(strstr(error->message, cases[i].message));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tls/seal/key", test_key);
    g_test_add_func("/tls/seal/key-id", test_key_id);
    g_test_add_func("/tls/seal/vector", test_vector);
    g_test_add_func("/tls/seal/empty", test_empty);
    g_test_add_data_func("/tls/seal/round/rsa", "agw-rsa", test_round);
    g_test_add_data_func("/tls/seal/round/ecdsa", "agw-ecdsa", test_round);
    g_test_add_data_func("/tls/seal/round/chain", "ue-chain", test_round);
    g_test_add_func("/tls/seal/plaintext", test_plaintext);
    g_test_add_func("/tls/seal/wrong-key", test_wrong_key);
    g_test_add_func("/tls/seal/other-name", test_other_name);
    g_test_add_func("/tls/seal/every-byte", test_every_byte);
    g_test_add_func("/tls/seal/every-length", test_every_length);
    g_test_add_func("/tls/seal/unusable", test_unusable);
    return g_test_run();
}
