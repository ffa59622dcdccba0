/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * redis-cert.h: the certificate and private key that the nodes of a group share, sealed (README.md,
 * "Certificates"). This is only the envelope: sealing and opening is for who has the key.
 *
 * Threads: an object is used by one thread only.
 * Owner:   whoever made or parsed it frees it.
 */
#pragma once

#include "base/span.h"
#include "redis-schema/redis-error.h"

#define REDIS_CERT_NONCE  12
#define REDIS_CERT_TAG    16
#define REDIS_CERT_CIPHER "aes-256-gcm"

typedef struct RedisCert {
    char *fingerprint; /* text of fp_text(): what the certificate is found by */
    char *key_id;      /* names the file key; README.md says how it is made */
    uint8_t nonce[REDIS_CERT_NONCE];
    GBytes *sealed; /* ciphertext, then the tag */
} RedisCert;

/** @sealed is referenced. */
RedisCert *redis_cert_new(const char *fingerprint, const char *key_id,
                          const uint8_t nonce[static REDIS_CERT_NONCE], GBytes *sealed);
void redis_cert_free(RedisCert *cert);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RedisCert, redis_cert_free)

/** As JSON, owned by the caller; NULL and REDIS_ERROR_LIMIT when too long to be read again. */
char *redis_cert_print(const RedisCert *cert, GError **error);

/** The envelope in @json, owned by the caller; NULL and an error of REDIS_ERROR. */
RedisCert *redis_cert_parse(Span json, GError **error);
