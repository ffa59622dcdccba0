/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/fingerprint.h"

static const struct {
    const char *name;
    size_t len;
} hashes[] = {
    [FP_NONE] = {"none", 0},       [FP_SHA1] = {"sha-1", 20},     [FP_SHA224] = {"sha-224", 28},
    [FP_SHA256] = {"sha-256", 32}, [FP_SHA384] = {"sha-384", 48}, [FP_SHA512] = {"sha-512", 64},
};

size_t fp_digest_len(FpHash hash)
{
    return hashes[hash].len;
}

const char *fp_hash_name(FpHash hash)
{
    return hashes[hash].name;
}

FpHash fp_hash_from_name(Span name)
{
    for (FpHash h = FP_SHA1; h <= FP_SHA512; h++)
        if (span_eq_nocase(name, span_str(hashes[h].name)))
            return h;
    return FP_NONE;
}

/* 2HEX *(":" 2HEX); returns the number of bytes or 0 when malformed. */
static size_t parse_hex(Span hex, uint8_t out[static FP_DIGEST_MAX])
{
    size_t n = 0;

    while (n < FP_DIGEST_MAX && hex.len >= 2) {
        int hi = g_ascii_xdigit_value(hex.p[0]);
        int lo = g_ascii_xdigit_value(hex.p[1]);
        if (hi < 0 || lo < 0)
            return 0;
        out[n++] = (uint8_t)(hi << 4 | lo);
        hex = span_skip(hex, 2);
        if (!hex.len)
            return n;
        if (hex.p[0] != ':')
            return 0;
        hex = span_skip(hex, 1);
    }
    return 0;
}

FpParse fp_parse(Span value, Fingerprint *ret_fp)
{
    Fingerprint fp = {0};
    Span name = span_word(&value);
    size_t n = parse_hex(span_trim(value), fp.digest);

    fp.hash = fp_hash_from_name(name);
    if (!name.len || n == 0)
        return FP_PARSE_BAD;
    if (fp.hash == FP_NONE)
        return FP_PARSE_UNUSABLE;
    if (n != fp_digest_len(fp.hash))
        return FP_PARSE_BAD;
    *ret_fp = fp;
    return FP_PARSE_OK;
}

char *fp_text(const Fingerprint *fp, char out[static FP_TEXT_MAX])
{
    static const char hex[] = "0123456789ABCDEF";
    size_t n = fp_digest_len(fp->hash);
    char *at = g_stpcpy(out, fp_hash_name(fp->hash));

    /* Not by printf(): each SDP and each record of a call has several. */
    for (size_t i = 0; i < n; i++) {
        *at++ = i ? ':' : ' ';
        *at++ = hex[fp->digest[i] >> 4];
        *at++ = hex[fp->digest[i] & 0xf];
    }
    *at = '\0';
    return out;
}

/* The digests are public, but a comparison that always takes the same time leaves nothing to argue about. */
static bool digest_eq(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint8_t diff = 0;

    for (size_t i = 0; i < n; i++)
        diff |= (uint8_t)(a[i] ^ b[i]);
    return diff == 0;
}

bool fp_eq(const Fingerprint *a, const Fingerprint *b)
{
    return a->hash == b->hash && digest_eq(a->digest, b->digest, fp_digest_len(a->hash));
}

static bool contains(const FingerprintSet *set, const Fingerprint *fp)
{
    for (unsigned i = 0; i < set->n; i++)
        if (fp_eq(&set->fp[i], fp))
            return true;
    return false;
}

bool fp_set_eq(const FingerprintSet *a, const FingerprintSet *b)
{
    if (a->n != b->n)
        return false;
    for (unsigned i = 0; i < a->n; i++)
        if (!contains(b, &a->fp[i]))
            return false;
    return true;
}

bool fp_set_add(FingerprintSet *set, const Fingerprint *fp)
{
    if (contains(set, fp))
        return true;
    if (set->n == FP_SET_MAX)
        return false;
    set->fp[set->n++] = *fp;
    return true;
}

FpHash fp_set_choose(const FingerprintSet *set, bool allow_sha1)
{
    FpHash best = FP_NONE;

    for (unsigned i = 0; i < set->n; i++)
        if (set->fp[i].hash > best && (set->fp[i].hash != FP_SHA1 || allow_sha1))
            best = set->fp[i].hash;
    return best;
}

bool fp_set_matches(const FingerprintSet *set, FpHash hash, const uint8_t *digest)
{
    bool match = false;

    for (unsigned i = 0; i < set->n; i++)
        if (set->fp[i].hash == hash && hash != FP_NONE)
            match |= digest_eq(set->fp[i].digest, digest, fp_digest_len(hash));
    return match;
}
