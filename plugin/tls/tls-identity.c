/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tls/tls-identity.h"
#include "tls/tls-internal.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#define SELF_SIGNED_NAME "rtpengine-e2ae"
#define DAY              (24L * 60 * 60)
#define RSA_BITS_MIN     2048
#define CHAIN_MAX        8

struct TlsIdentity {
    gatomicrefcount refs;
    unsigned n;
    TlsCredential cred[TLS_CREDENTIALS_MAX];
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIO, BIO_free_all)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(BIGNUM, BN_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_PKEY, EVP_PKEY_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(X509, X509_free)

G_DEFINE_QUARK(e2ae - tls - error, tls_error)

void tls_set_openssl_error(GError **error, TlsError code, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    g_set_error(error, TLS_ERROR, code, "%s: %s", what, reason ? reason : "not usable");
    ERR_clear_error();
}

static TlsIdentity *identity_new(void)
{
    TlsIdentity *id = g_new0(TlsIdentity, 1);

    g_atomic_ref_count_init(&id->refs);
    return id;
}

TlsIdentity *tls_identity_ref(TlsIdentity *id)
{
    g_atomic_ref_count_inc(&id->refs);
    return id;
}

void tls_identity_unref(TlsIdentity *id)
{
    if (!id || !g_atomic_ref_count_dec(&id->refs))
        return;
    for (unsigned i = 0; i < id->n; i++) {
        X509_free(id->cred[i].cert);
        EVP_PKEY_free(id->cred[i].key);
        sk_X509_pop_free(id->cred[i].chain, X509_free);
    }
    g_free(id);
}

const TlsCredential *tls_identity_credentials(const TlsIdentity *id, unsigned *ret_n)
{
    *ret_n = id->n;
    return id->cred;
}

/* ---- a certificate made here */

static bool set_random_serial(X509 *cert)
{
    g_autoptr(BIGNUM) bn = BN_new();

    /* 159 bits: positive and within the 20 bytes of RFC 5280 4.1.2.2. */
    return bn && BN_rand(bn, 159, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
           BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert));
}

/* Valid since yesterday, for peers with a slow clock. */
static bool fill(X509 *cert, EVP_PKEY *key, unsigned days)
{
    X509_NAME *name = X509_get_subject_name(cert);

    return X509_set_version(cert, X509_VERSION_3) && set_random_serial(cert) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -DAY) &&
           X509_gmtime_adj(X509_getm_notAfter(cert), (long)days * DAY) &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (const unsigned char *)SELF_SIGNED_NAME, -1, -1, 0) &&
           X509_set_issuer_name(cert, name) && X509_set_pubkey(cert, key) &&
           X509_sign(cert, key, EVP_sha256());
}

TlsIdentity *tls_identity_new_self_signed(TlsKeyType type, unsigned days, GError **error)
{
    ERR_clear_error();
    g_autoptr(EVP_PKEY) key = type == TLS_KEY_RSA ? EVP_RSA_gen(RSA_BITS_MIN) : EVP_EC_gen("P-256");
    g_autoptr(X509) cert = X509_new();

    if (!key || !cert || !fill(cert, key, days)) {
        tls_set_openssl_error(error, TLS_ERROR_OPENSSL, "cannot make a certificate");
        return NULL;
    }
    TlsIdentity *id = identity_new();
    id->cred[id->n++] = (TlsCredential){
        .cert = g_steal_pointer(&cert), .key = g_steal_pointer(&key), .chain = sk_X509_new_null()};
    return id;
}

/* ---- certificates from files */

static char *read_file(const char *path, size_t *ret_len, GError **error)
{
    g_autoptr(GError) cause = NULL;
    char *text = NULL;

    if (g_file_get_contents(path, &text, ret_len, &cause))
        return text;
    g_set_error(error, TLS_ERROR, TLS_ERROR_FILE, "%s", cause->message);
    return NULL;
}

static BIO *bio_of(Span text)
{
    BIO *bio = BIO_new_mem_buf(text.p, (int)MIN(text.len, (size_t)INT_MAX));

    g_assert(bio);
    return bio;
}

/* @from: which file, for the error; as in the next functions. */
static bool parse_cert(Span pem, const char *from, TlsCredential *cred, GError **error)
{
    g_autoptr(BIO) bio = bio_of(pem);

    cred->cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (!cred->cert) {
        g_autofree char *what = g_strdup_printf("%s: no certificate in PEM form", from);
        tls_set_openssl_error(error, TLS_ERROR_FILE, what);
        return false;
    }
    cred->chain = sk_X509_new_null();
    for (int i = 0; i < CHAIN_MAX; i++) {
        X509 *next = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (!next)
            break;
        sk_X509_push(cred->chain, next);
    }
    ERR_clear_error();
    return true;
}

/* Nobody is there to type a passphrase; without this OpenSSL would ask the terminal. */
static int refuse_passphrase_cb(char *buf, int size, int rwflag, void *asked)
{
    (void)buf, (void)size, (void)rwflag;
    *(bool *)asked = true;
    return -1;
}

static bool parse_key(Span pem, const char *from, TlsCredential *cred, GError **error)
{
    g_autoptr(BIO) bio = bio_of(pem);
    bool locked = false;

    cred->key = PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase_cb, &locked);
    if (cred->key)
        return true;
    if (locked) {
        ERR_clear_error();
        g_set_error(error, TLS_ERROR, TLS_ERROR_KEY, "%s: the private key needs a passphrase",
                    from);
        return false;
    }
    g_autofree char *what = g_strdup_printf("%s: no private key in PEM form", from);
    tls_set_openssl_error(error, TLS_ERROR_KEY, what);
    return false;
}

static bool load_cert(const char *path, TlsCredential *cred, GError **error)
{
    size_t len = 0;
    g_autofree char *text = read_file(path, &len, error);

    return text && parse_cert((Span){text, len}, path, cred, error);
}

static bool load_key(const char *path, TlsCredential *cred, GError **error)
{
    size_t len = 0;
    char *text = read_file(path, &len, error);
    bool ok = text && parse_key((Span){text, len}, path, cred, error);

    if (text)
        OPENSSL_cleanse(text, len);
    g_free(text);
    return ok;
}

static bool ec_curve_usable(EVP_PKEY *key)
{
    char curve[32] = "";

    EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, curve, sizeof curve, NULL);
    return !strcmp(curve, "prime256v1") || !strcmp(curve, "secp384r1") ||
           !strcmp(curve, "secp521r1");
}

static bool check_key(const TlsIdentity *id, const TlsCredential *cred, const char *cert_path,
                      const char *key_path, GError **error)
{
    int type = EVP_PKEY_get_base_id(cred->key);
    int bits = EVP_PKEY_get_bits(cred->key);
    const char *why = NULL;

    ERR_clear_error();
    if (!X509_check_private_key(cred->cert, cred->key)) {
        ERR_clear_error();
        g_set_error(error, TLS_ERROR, TLS_ERROR_KEY,
                    "%s: this private key does not belong to the certificate %s", key_path,
                    cert_path);
        return false;
    }
    if (type != EVP_PKEY_RSA && type != EVP_PKEY_EC)
        why = "the key must be RSA or ECDSA";
    else if (type == EVP_PKEY_RSA && bits < RSA_BITS_MIN)
        why = "the RSA key has fewer than 2048 bits";
    else if (type == EVP_PKEY_EC && !ec_curve_usable(cred->key))
        why = "the ECDSA key is on none of the curves P-256, P-384, P-521";
    else if (id->n > 0 && EVP_PKEY_get_base_id(id->cred[0].key) == type)
        why = "a second certificate with the same type of key";
    if (why)
        g_set_error(error, TLS_ERROR, TLS_ERROR_KEY, "%s: %s", cert_path, why);
    return !why;
}

TlsIdentity *tls_identity_load(const char *const *certificates, const char *const *keys, unsigned n,
                               GError **error)
{
    g_autoptr(TlsIdentity) id = identity_new();

    if (n == 0 || n > TLS_CREDENTIALS_MAX) {
        g_set_error(error, TLS_ERROR, TLS_ERROR_FILE,
                    "%u certificates given: one RSA, one ECDSA, or one of each is possible", n);
        return NULL;
    }
    for (unsigned i = 0; i < n; i++) {
        TlsCredential cred = {0};
        bool ok = load_cert(certificates[i], &cred, error) && load_key(keys[i], &cred, error) &&
                  check_key(id, &cred, certificates[i], keys[i], error);
        id->cred[id->n++] = cred; /* freed with the identity, also when it is incomplete */
        if (!ok)
            return NULL;
    }
    return g_steal_pointer(&id);
}

TlsIdentity *tls_identity_parse(Span pem, const char *from, GError **error)
{
    g_autoptr(TlsIdentity) id = identity_new();
    TlsCredential *cred = &id->cred[id->n++];
    const char *key = g_strstr_len(pem.p, (gssize)pem.len, "-----BEGIN PRIVATE KEY-----");
    Span certs = pem;

    ERR_clear_error();
    /* Who looks for certificates in a key decodes it into memory that nobody wipes. */
    if (key)
        certs = span_head(pem, (size_t)(key - pem.p));
    if (!parse_cert(certs, from, cred, error) || !parse_key(pem, from, cred, error))
        return NULL;
    id->n = 0; /* none beside it */
    bool ok = check_key(id, cred, from, from, error);
    id->n = 1;
    return ok ? g_steal_pointer(&id) : NULL;
}

void tls_identity_print(const TlsIdentity *id, BIO *out)
{
    const TlsCredential *cred = &id->cred[0];

    g_assert(id->n == 1);
    int ok = PEM_write_bio_X509(out, cred->cert);
    for (int i = 0; ok && i < sk_X509_num(cred->chain); i++)
        ok = PEM_write_bio_X509(out, sk_X509_value(cred->chain, i));
    ok = ok && PEM_write_bio_PKCS8PrivateKey(out, cred->key, NULL, NULL, 0, NULL, NULL);
    g_assert(ok);
}

int64_t tls_identity_half_life(const TlsIdentity *id)
{
    const X509 *cert = id->cred[0].cert;
    struct tm from, to;

    if (!ASN1_TIME_to_tm(X509_get0_notBefore(cert), &from) ||
        !ASN1_TIME_to_tm(X509_get0_notAfter(cert), &to)) {
        ERR_clear_error();
        return INT64_MAX;
    }
    return timegm(&from) + (timegm(&to) - timegm(&from)) / 2;
}

/* ---- fingerprints */

static const EVP_MD *hash_md(FpHash hash)
{
    switch (hash) {
    case FP_SHA1:
        return EVP_sha1();
    case FP_SHA224:
        return EVP_sha224();
    case FP_SHA256:
        return EVP_sha256();
    case FP_SHA384:
        return EVP_sha384();
    case FP_SHA512:
        return EVP_sha512();
    case FP_NONE:
        break;
    }
    g_assert_not_reached();
}

void tls_cert_fingerprint(const X509 *cert, FpHash hash, Fingerprint *ret_fp)
{
    *ret_fp = (Fingerprint){.hash = hash};
    int ok = X509_digest(cert, hash_md(hash), ret_fp->digest, NULL);
    g_assert(ok);
}

static FpHash signature_hash(const TlsCredential *cred)
{
    int md = NID_undef;

    X509_get_signature_info(cred->cert, &md, NULL, NULL, NULL);
    for (FpHash h = FP_SHA1; h <= FP_SHA512; h++)
        if (EVP_MD_get_type(hash_md(h)) == md)
            return h;
    return FP_NONE;
}

static void add_all(const TlsIdentity *id, FpHash hash, FingerprintSet *set)
{
    Fingerprint fp;

    for (unsigned i = 0; i < id->n; i++) {
        tls_cert_fingerprint(id->cred[i].cert, hash, &fp);
        fp_set_add(set, &fp);
    }
}

void tls_identity_fingerprints(const TlsIdentity *id, FpHash hash, FingerprintSet *ret_set)
{
    G_STATIC_ASSERT(TLS_CREDENTIALS_MAX * (TLS_CREDENTIALS_MAX + 1) <= FP_SET_MAX);

    *ret_set = (FingerprintSet){0};
    add_all(id, hash, ret_set);
    for (unsigned i = 0; i < id->n; i++)
        if (signature_hash(&id->cred[i]) != FP_NONE)
            add_all(id, signature_hash(&id->cred[i]), ret_set);
}

static unsigned count_hash(const FingerprintSet *set, FpHash hash)
{
    unsigned n = 0;

    for (unsigned i = 0; i < set->n; i++)
        n += set->fp[i].hash == hash;
    return n;
}

bool tls_identity_presents(const TlsIdentity *id, const FingerprintSet *set)
{
    for (unsigned i = 0; i < set->n; i++) {
        const Fingerprint *fp = &set->fp[i];
        FingerprintSet ours = {0};
        add_all(id, fp->hash, &ours);
        if (!fp_set_matches(&ours, fp->hash, fp->digest) || count_hash(set, fp->hash) != id->n)
            return false;
    }
    return set->n > 0;
}
