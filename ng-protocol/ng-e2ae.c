/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ng-protocol/ng-e2ae.h"

#define WORDS_MAX 6

typedef struct Word {
    const char *text;
    unsigned value;
} Word;

typedef struct Key {
    const char *name;
    E2aeGiven given;
    bool many; /* takes several words, and may be repeated */
    Word words[WORDS_MAX];
} Key;

static const Key keys[] = {
    {"e2ae",
     E2AE_GIVEN_MODE,
     false,
     {{"originating", E2AE_ORIGINATING}, {"terminating", E2AE_TERMINATING}, {"off", E2AE_OFF}}},
    {"e2ae-media",
     E2AE_GIVEN_MEDIA,
     true,
     {{"msrp", E2AE_MEDIA_MSRP},
      {"bfcp", E2AE_MEDIA_BFCP},
      {"t38", E2AE_MEDIA_T38},
      /* as they stand in the header fields of a registration (SIG-02) */
      {"msrp-tls", E2AE_MEDIA_MSRP},
      {"bfcp-tls", E2AE_MEDIA_BFCP},
      {"udptl-dtls", E2AE_MEDIA_T38}}},
    {"e2ae-require",
     E2AE_GIVEN_REQUIRE,
     false,
     {{"indication", E2AE_REQUIRE_INDICATION}, {"none", E2AE_REQUIRE_NONE}}},
    {"e2ae-answer-indication", E2AE_GIVEN_ANSWER_INDICATION, false, {{"no", 0}, {"yes", 1}}},
    {"e2ae-hash", E2AE_GIVEN_HASH, false, {{"sha-1", 1}}},
    {"e2ae-path",
     E2AE_GIVEN_PATH,
     false,
     {{"auto", E2AE_PATH_AUTO},
      {"transparent", E2AE_PATH_TRANSPARENT},
      {"aware", E2AE_PATH_AWARE}}},
    {"e2ae-path-scheme",
     E2AE_GIVEN_SCHEME,
     false,
     {{"swap", E2AE_SCHEME_SWAP}, {"keep", E2AE_SCHEME_KEEP}}},
    {"e2ae-core", E2AE_GIVEN_CORE, false, {{"plain", E2AE_CORE_PLAIN}, {"tls", E2AE_CORE_TLS}}},
    {"e2ae-fingerprint", E2AE_GIVEN_FINGERPRINT, true, {{NULL, 0}}},
    {"e2ae-forwarded", E2AE_GIVEN_FORWARDED, false, {{NULL, 0}}},
};

void e2ae_params_init(E2aeParams *p)
{
    *p = (E2aeParams){.media = E2AE_MEDIA_ALL};
}

bool e2ae_is_key(Span key)
{
    return span_eq(key, SPAN("e2ae")) || span_starts(key, SPAN("e2ae-"));
}

static const Key *find_key(Span name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (span_eq(name, span_str(keys[i].name)))
            return &keys[i];
    return NULL;
}

static bool unknown_key(Span name, GError **error)
{
    g_autofree char *text = span_quote(name);
    g_autoptr(GString) known = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        g_string_append_printf(known, "%s%s", i ? ", " : "", keys[i].name);
    g_set_error(error, NG_ERROR, NG_ERROR_KEY, "unknown key %s, known are: %s", text, known->str);
    return false;
}

/* What @key takes, for a message. */
static char *allowed(const Key *key)
{
    if (key->given == E2AE_GIVEN_FINGERPRINT)
        return g_strdup(
            "[N:]HASH/HEX:HEX..., N from 1, HASH sha-1, sha-224, sha-256, sha-384 or sha-512");
    if (key->given == E2AE_GIVEN_FORWARDED)
        return g_strdup("the id of a node");
    GString *text = g_string_new(key->words[0].text);
    for (size_t i = 1; i < WORDS_MAX && key->words[i].text; i++)
        g_string_append_printf(text, ", %s", key->words[i].text);
    return g_string_free(text, FALSE);
}

static bool bad_value(const Key *key, Span value, GError **error)
{
    g_autofree char *text = span_quote(value);
    g_autofree char *list = allowed(key);

    g_set_error(error, NG_ERROR, NG_ERROR_VALUE, "%s: %s is not allowed, allowed is: %s", key->name,
                text, list);
    return false;
}

/*
 * Case does not matter: the words of e2ae-media are copied from SIP header fields, where it does
 * not.
 */
static bool find_word(const Key *key, Span text, unsigned *ret_value, GError **error)
{
    for (size_t i = 0; i < WORDS_MAX && key->words[i].text; i++) {
        if (span_eq_nocase(text, span_str(key->words[i].text))) {
            *ret_value = key->words[i].value;
            return true;
        }
    }
    return bad_value(key, text, error);
}

/* "[N:]HASH/HEX:HEX..."; the hash name has no colon, so one before the slash ends the number. */
static bool parse_fingerprint(Span text, E2aeFingerprint *ret_fp)
{
    Span hex = text;
    Span name = span_cut(&hex, '/');
    uint64_t index = 0;

    if (name.len && memchr(name.p, ':', name.len)) {
        Span number = span_cut(&name, ':');
        if (!span_uint(number, E2AE_LINE_MAX, &index) || index == 0)
            return false;
    }
    g_autoptr(GString) attribute = g_string_new_len(name.p, (gssize)name.len);
    g_string_append_c(attribute, ' ');
    g_string_append_len(attribute, hex.p, (gssize)hex.len);
    ret_fp->index = (unsigned)index;
    return fp_parse((Span){attribute->str, attribute->len}, &ret_fp->fp) == FP_PARSE_OK;
}

static bool put_fingerprint(E2aeParams *p, const Key *key, Span text, GError **error)
{
    E2aeFingerprint fp;

    if (!parse_fingerprint(text, &fp))
        return bad_value(key, text, error);
    if (p->n_fingerprints == E2AE_FINGERPRINTS_MAX) {
        g_set_error(error, NG_ERROR, NG_ERROR_VALUE, "%s: more than %d fingerprints", key->name,
                    E2AE_FINGERPRINTS_MAX);
        return false;
    }
    p->fingerprints[p->n_fingerprints++] = fp;
    return true;
}

static void assign(E2aeParams *p, E2aeGiven field, unsigned value)
{
    switch (field) {
    case E2AE_GIVEN_MODE:
        p->mode = value;
        break;
    case E2AE_GIVEN_MEDIA:
        p->media |= value;
        break;
    case E2AE_GIVEN_REQUIRE:
        p->require = value;
        break;
    case E2AE_GIVEN_ANSWER_INDICATION:
        p->answer_indication = value;
        break;
    case E2AE_GIVEN_HASH:
        p->allow_sha1 = value;
        break;
    case E2AE_GIVEN_PATH:
        p->path = value;
        break;
    case E2AE_GIVEN_SCHEME:
        p->scheme = value;
        break;
    case E2AE_GIVEN_CORE:
        p->core = value;
        break;
    case E2AE_GIVEN_FINGERPRINT:
    case E2AE_GIVEN_FORWARDED:
        break; /* have no words */
    }
}

static bool put_word(E2aeParams *p, const Key *key, Span text, GError **error)
{
    unsigned value = 0;

    if (key->given == E2AE_GIVEN_FINGERPRINT)
        return put_fingerprint(p, key, text, error);
    if (key->given == E2AE_GIVEN_FORWARDED)
        return true;
    if (!find_word(key, text, &value, error))
        return false;
    assign(p, key->given, value);
    return true;
}

bool e2ae_params_put(E2aeParams *p, Span name, const GArray *items, GError **error)
{
    const Key *key = find_key(name);

    if (!key)
        return unknown_key(name, error);
    if (!key->many && (p->given & key->given))
        return true;
    /*
     * an empty value is what an unset variable of a script leaves behind; it must not mean
     * "unprotected"
     */
    if (!items->len)
        return bad_value(key, SPAN(""), error);
    if (items->len > 1 && !key->many)
        return bad_value(key, g_array_index(items, Span, 1), error);
    if (key->given == E2AE_GIVEN_MEDIA && !(p->given & key->given))
        p->media = 0; /* from here on what is listed, not the default */
    for (unsigned i = 0; i < items->len; i++)
        if (!put_word(p, key, g_array_index(items, Span, i), error))
            return false;
    p->given |= key->given;
    return true;
}

void e2ae_params_merge(E2aeParams *p, const E2aeParams *lower)
{
    unsigned missing = ~p->given;

    if (missing & E2AE_GIVEN_MODE)
        p->mode = lower->mode;
    if (missing & E2AE_GIVEN_MEDIA)
        p->media = lower->media;
    if (missing & E2AE_GIVEN_REQUIRE)
        p->require = lower->require;
    if (missing & E2AE_GIVEN_ANSWER_INDICATION)
        p->answer_indication = lower->answer_indication;
    if (missing & E2AE_GIVEN_HASH)
        p->allow_sha1 = lower->allow_sha1;
    if (missing & E2AE_GIVEN_PATH)
        p->path = lower->path;
    if (missing & E2AE_GIVEN_SCHEME)
        p->scheme = lower->scheme;
    if (missing & E2AE_GIVEN_CORE)
        p->core = lower->core;
    if (missing & E2AE_GIVEN_FINGERPRINT) {
        p->n_fingerprints = lower->n_fingerprints;
        memcpy(p->fingerprints, lower->fingerprints, sizeof p->fingerprints);
    }
    p->given |= lower->given;
}
