/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * ng-e2ae.h: the e2ae keys of a request, as values (ng-protocol/README.md, "Keys of a request").
 *
 * The struct holds no memory of its own and is copied by assignment. A field that the request did
 * not give has its default; `given` tells the two apart, as a later request changes only what it
 * gives.
 *
 * Threads: any; no state but in the arguments.
 */
#pragma once

#include "base/fingerprint.h"
#include "ng-protocol/ng-flags.h"

typedef enum E2aeMode {
    E2AE_UNSET, /* no key: the session knows, or there is none */
    E2AE_ORIGINATING,
    E2AE_TERMINATING,
    E2AE_OFF,
} E2aeMode;

/** Bits of E2aeParams.media. */
typedef enum E2aeMedia {
    E2AE_MEDIA_MSRP = 1,
    E2AE_MEDIA_BFCP = 2,
    E2AE_MEDIA_T38 = 4,
    E2AE_MEDIA_ALL = 7,
} E2aeMedia;

typedef enum E2aeRequire { E2AE_REQUIRE_INDICATION, E2AE_REQUIRE_NONE } E2aeRequire;
typedef enum E2aePath { E2AE_PATH_AUTO, E2AE_PATH_TRANSPARENT, E2AE_PATH_AWARE } E2aePath;
typedef enum E2aeScheme { E2AE_SCHEME_SWAP, E2AE_SCHEME_KEEP } E2aeScheme;
typedef enum E2aeCore { E2AE_CORE_PLAIN, E2AE_CORE_TLS } E2aeCore;

/** Bits of E2aeParams.given, one per key. */
typedef enum E2aeGiven {
    E2AE_GIVEN_MODE = 1 << 0,
    E2AE_GIVEN_MEDIA = 1 << 1,
    E2AE_GIVEN_REQUIRE = 1 << 2,
    E2AE_GIVEN_ANSWER_INDICATION = 1 << 3,
    E2AE_GIVEN_HASH = 1 << 4,
    E2AE_GIVEN_PATH = 1 << 5,
    E2AE_GIVEN_SCHEME = 1 << 6,
    E2AE_GIVEN_CORE = 1 << 7,
    E2AE_GIVEN_FINGERPRINT = 1 << 8,
    E2AE_GIVEN_FORWARDED = 1 << 9, /* by another node, whose id is the value */
} E2aeGiven;

/** Fingerprints that one request may give: FP_SET_MAX for each of four m-lines. */
#define E2AE_FINGERPRINTS_MAX 32
/** The highest number of an m-line that a fingerprint may name. */
#define E2AE_LINE_MAX 64

typedef struct E2aeFingerprint {
    unsigned index; /* of the m-line, from 1; 0 = every m-line */
    Fingerprint fp;
} E2aeFingerprint;

typedef struct E2aeParams {
    unsigned given; /* E2aeGiven */
    E2aeMode mode;
    unsigned media; /* E2aeMedia */
    E2aeRequire require;
    bool answer_indication;
    bool allow_sha1;
    E2aePath path;
    E2aeScheme scheme;
    E2aeCore core;
    unsigned n_fingerprints;
    E2aeFingerprint fingerprints[E2AE_FINGERPRINTS_MAX];
} E2aeParams;

/** Every field at its default, nothing given. */
void e2ae_params_init(E2aeParams *p);

/** Is @key one of this program's, known or not: "e2ae" or "e2ae-..."? */
bool e2ae_is_key(Span key);

/**
 * Sets the field of @key from @items, an array of Span. Called again for the same key it adds to
 * e2ae-media and e2ae-fingerprint and leaves every other field as it was set first. Fails with
 * NG_ERROR_KEY on a key that does not exist and NG_ERROR_VALUE on a value that it cannot have; the
 * message names the key, the value and what is allowed. On failure fields set before keep their
 * values.
 */
bool e2ae_params_put(E2aeParams *p, Span key, const GArray *items, GError **error);

/**
 * Takes each field that @p was not given from @lower, with whether that was given it. So a request
 * comes first, what the session remembers second.
 */
void e2ae_params_merge(E2aeParams *p, const E2aeParams *lower);
