/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * tls-identity.h: the certificates and private keys this gateway presents, and their fingerprints.
 *
 * Threads: immutable after creation, shared by all threads.
 * Owner:   reference-counted (atomically): the configuration, every TlsCtx and every running stream hold one, so
 *          that a rotated certificate lives as long as a stream that signalled its fingerprint (FPR-09).
 */
#pragma once

#include "base/fingerprint.h"

/** GError domain of this folder. */
#define TLS_ERROR (tls_error_quark())
GQuark tls_error_quark(void);

typedef enum TlsError {
    TLS_ERROR_FILE,    /* cannot be read, or holds no certificate */
    TLS_ERROR_KEY,     /* a private key that cannot be used */
    TLS_ERROR_CIPHERS, /* a cipher list without a usable entry */
    TLS_ERROR_OPENSSL, /* OpenSSL refused something that should work */
    TLS_ERROR_SEAL,    /* a sealed certificate that this key does not open */
} TlsError;

typedef struct TlsIdentity TlsIdentity;

typedef enum TlsKeyType {
    TLS_KEY_RSA,   /* 2048 bits: for peers with the RSA suites only (TLS-08); some tenths of a second to make */
    TLS_KEY_ECDSA, /* P-256: for servers that ask for nothing else */
} TlsKeyType;

/**
 * Makes a self-signed certificate with a subject that names nobody (ASC-05), valid from yesterday for @days
 * days from now. NULL and @error on failure.
 */
TlsIdentity *tls_identity_new_self_signed(TlsKeyType type, unsigned days, GError **error);

/**
 * Reads PEM files. @n pairs of paths, one per key type (RSA and ECDSA together serve every peer, TLS-08). What
 * follows the first certificate in a file is sent along with it.
 * Refuses a key that does not belong to its certificate, an unreadable file, a key readable only with a
 * passphrase, RSA below 2048 bits, ECDSA on a curve other than P-256, P-384, P-521. The error names the file.
 */
TlsIdentity *tls_identity_load(const char *const *certificates, const char *const *keys, unsigned n,
                               GError **error);

/** As tls_identity_load() for one pair in @pem: the certificate, its chain, and its key. @from: for the error. */
TlsIdentity *tls_identity_parse(Span pem, const char *from, GError **error);

TlsIdentity *tls_identity_ref(TlsIdentity *id);
void tls_identity_unref(TlsIdentity *id);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsIdentity, tls_identity_unref)

/**
 * What to signal for this identity: for each certificate its fingerprint with @hash and, where a certificate is
 * signed with another hash function, one with that too, the same hashes for each of them (FPR-07). Those with
 * @hash come first.
 */
void tls_identity_fingerprints(const TlsIdentity *id, FpHash hash, FingerprintSet *ret_set);

/**
 * Do peers that were told @set accept whatever certificate this identity presents? (FPR-09.) So every member is a
 * fingerprint of one of its certificates, and no certificate is without one. An empty set is nobody's.
 */
bool tls_identity_presents(const TlsIdentity *id, const FingerprintSet *set);

/** The middle of the validity of its first certificate, in seconds since 1970: time to replace one that was made.
 * INT64_MAX if that is written in no way that is known. */
int64_t tls_identity_half_life(const TlsIdentity *id);
