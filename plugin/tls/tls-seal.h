/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * tls-seal.h: a certificate and its private key as bytes that only the nodes of a group can read
 * (redis-schema/README.md, "Certificates"): PEM in AES-256-GCM. No randomness in here: whoever seals brings a
 * nonce that was never used before with that key.
 *
 * Threads: a key is constant after creation.
 * Owner:   whoever made a key frees it, which wipes it.
 */
#pragma once

#include "tls/tls-identity.h"

#define TLS_SEAL_NONCE 12
#define TLS_SEAL_TAG   16

typedef struct TlsSealKey TlsSealKey;

/**
 * @text: the content of a key file, 64 hexadecimal digits, which blanks and line ends may follow. NULL and @error
 * (TLS_ERROR_KEY, without a digit of it in the message) for anything else.
 */
TlsSealKey *tls_seal_key_parse(Span text, GError **error);
void tls_seal_key_free(TlsSealKey *key);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsSealKey, tls_seal_key_free)

/** 16 hexadecimal digits that name the key and tell nothing of it; borrowed. */
const char *tls_seal_key_id(const TlsSealKey *key);

/**
 * Seals @id, which has one certificate. @name: where the result is kept; it opens under that name only. Owned by the
 * caller: ciphertext, then the tag.
 */
GBytes *tls_seal_identity(const TlsSealKey *key, const uint8_t nonce[static TLS_SEAL_NONCE],
                          const char *name, const TlsIdentity *id);

/**
 * What tls_seal_identity() has sealed with the same key, nonce and name. NULL and @error: TLS_ERROR_SEAL when a byte of
 * any of the four is another, those of tls_identity_load() when what was sealed cannot be used.
 */
TlsIdentity *tls_seal_open(const TlsSealKey *key, const uint8_t nonce[static TLS_SEAL_NONCE],
                           const char *name, Span sealed, GError **error);

/* For these two, and for test vectors. */

/** @plain sealed, owned by the caller. */
GBytes *tls_seal_bytes(const TlsSealKey *key, const uint8_t nonce[static TLS_SEAL_NONCE], Span name,
                       Span plain);

/** The plaintext, @ret_len bytes and a NUL, for the caller to OPENSSL_cleanse() and g_free(). NULL: not authentic. */
char *tls_seal_open_bytes(const TlsSealKey *key, const uint8_t nonce[static TLS_SEAL_NONCE],
                          Span name, Span sealed, size_t *ret_len);
