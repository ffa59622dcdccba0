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

typedef struct TlsIdentity TlsIdentity;

/** Makes a self-signed ECDSA P-256 certificate with a subject that names nobody (ASC-05). NULL and @error on failure. */
TlsIdentity *tls_identity_new_self_signed(GError **error);

/**
 * Reads PEM files. @n pairs of paths, one per key type (RSA and ECDSA together serve every peer, TLS-08).
 * Refuses a key that does not belong to its certificate, an unreadable file, a key readable only with a
 * passphrase, RSA below 2048 bits. The error names the file.
 */
TlsIdentity *tls_identity_load(const char *const *certificates, const char *const *keys, unsigned n,
                               GError **error);

TlsIdentity *tls_identity_ref(TlsIdentity *id);
void tls_identity_unref(TlsIdentity *id);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsIdentity, tls_identity_unref)

/**
 * What to signal for this identity: for each certificate its fingerprint with @hash and, where the certificate is
 * signed with another hash function, one with that (FPR-07). Lower layers of the list come first in the SDP.
 */
void tls_identity_fingerprints(const TlsIdentity *id, FpHash hash, FingerprintSet *ret_set);
