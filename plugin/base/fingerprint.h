/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * fingerprint.h: certificate fingerprints of RFC 8122, as values. The bridge between what the SDP signals and
 * what the TLS engine checks, which must not include each other.
 */
#pragma once

#include "base/span.h"

/** In the order of preference, least preferred first (FPR-05, FPR-06); values are stable (they go into records). */
typedef enum FpHash {
    FP_NONE = 0,
    FP_SHA1 = 1,
    FP_SHA224 = 2,
    FP_SHA256 = 3,
    FP_SHA384 = 4,
    FP_SHA512 = 5,
} FpHash;

#define FP_DIGEST_MAX 64
#define FP_SET_MAX    8
/** Longest text: "sha-512 " and 64 times "XX:". */
#define FP_TEXT_MAX (8 + 64 * 3 + 1)

typedef struct Fingerprint {
    FpHash hash;
    uint8_t digest[FP_DIGEST_MAX]; /* fp_digest_len(hash) bytes, the rest zero */
} Fingerprint;

/** The fingerprints signalled for one m-line; more than FP_SET_MAX usable ones is refused by the parser. */
typedef struct FingerprintSet {
    unsigned n;
    Fingerprint fp[FP_SET_MAX];
} FingerprintSet;

/** Bytes of a digest, 0 for FP_NONE. */
size_t fp_digest_len(FpHash hash);

/** Lower-case name as it stands in SDP: "sha-256". "none" for FP_NONE. */
const char *fp_hash_name(FpHash hash);

/** FP_NONE for md5, md2 (FPR-04) and everything unknown. Case-insensitive (FPR-02). */
FpHash fp_hash_from_name(Span name);

typedef enum FpParse {
    FP_PARSE_OK,
    FP_PARSE_UNUSABLE, /* well-formed, but a hash that we never verify with: md5, md2, unknown */
    FP_PARSE_BAD,      /* malformed: wrong length, odd digits, empty (FPR-02) */
} FpParse;

/** The attribute value "sha-256 AB:CD..."; tolerant of case and blanks around it (FPR-02). */
FpParse fp_parse(Span value, Fingerprint *ret_fp);

/** "sha-256 AB:CD..." in upper-case hex, written into @out; returns @out. */
char *fp_text(const Fingerprint *fp, char out[static FP_TEXT_MAX]);

bool fp_eq(const Fingerprint *a, const Fingerprint *b);

/** Same members in any order. */
bool fp_set_eq(const FingerprintSet *a, const FingerprintSet *b);

/** Adds @fp unless present. False when the set is full. */
bool fp_set_add(FingerprintSet *set, const Fingerprint *fp);

/**
 * The hash to verify with: the most preferred one in @set; sha-1 only when @allow_sha1 (FPR-05).
 * FP_NONE when no member is usable: then the m-line cannot be protected (FPR-08).
 */
FpHash fp_set_choose(const FingerprintSet *set, bool allow_sha1);

/** Does @digest (of fp_digest_len(@hash) bytes) equal a member with that hash? Compares in constant time. */
bool fp_set_matches(const FingerprintSet *set, FpHash hash, const uint8_t *digest);
