/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * tls-ctx.h: the settings shared by all connections of one identity. One SSL_CTX per role and transport is made
 * here, once: making one per connection costs a hundred times what a connection does.
 *
 * Threads: immutable after creation, shared by all threads.
 * Owner:   reference-counted; every stream holds one.
 */
#pragma once

#include "tls/tls-identity.h"

typedef struct TlsCtx TlsCtx;

typedef enum TlsRole { TLS_CLIENT, TLS_SERVER } TlsRole;

/** The profile of TS 33.210 6.2 (TLS-01..TLS-07). Zero/NULL members mean the default. */
typedef struct TlsProfile {
    const char *ciphers;      /* OpenSSL list for (D)TLS 1.2; default: AEAD with ephemeral keys */
    const char *ciphersuites; /* TLS 1.3 */
    bool legacy_rsa_cbc;      /* also TLS_RSA_WITH_AES_128_CBC_SHA (TLS-05, TLS-06) */
    unsigned dtls_mtu;        /* largest DTLS datagram, bytes of UDP payload; default 1200 (TLS-14) */
} TlsProfile;

/**
 * @identity: borrowed, a reference is taken. NULL and @error when a cipher list has no usable entry.
 * Versions are TLS 1.2, TLS 1.3 and DTLS 1.2. No tickets, no resumption, no 0-RTT (TLS-10), no renegotiation
 * (TLS-11), no compression; the peer's certificate is always required (ASC-01, FPR-10).
 */
TlsCtx *tls_ctx_new(TlsIdentity *identity, const TlsProfile *profile, GError **error);
TlsCtx *tls_ctx_ref(TlsCtx *ctx);
void tls_ctx_unref(TlsCtx *ctx);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsCtx, tls_ctx_unref)

TlsIdentity *tls_ctx_identity(TlsCtx *ctx); /* borrowed */
