/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * redis-record.h: the record of a call as a struct; README.md documents every member under its name
 * in JSON. Values only: what a medium can do and what a state means is session/'s to know.
 *
 * Threads: an object is used by one thread only.
 * Owner:   whoever made or parsed a record frees it; it owns everything below it.
 */
#pragma once

#include "base/addr.h"
#include "base/fingerprint.h"
#include "redis-schema/redis-error.h"

/** "access" and "core": the place in every array of two. */
typedef enum RedisSide { REDIS_ACCESS, REDIS_CORE } RedisSide;

typedef enum RedisTreatment {
    REDIS_UPSTREAM,
    REDIS_PASS,
    REDIS_REJECT,
    REDIS_CLOSED,
    REDIS_E2AE,
} RedisTreatment;

/** Our part in opening a leg's connection. */
typedef enum RedisOpening {
    REDIS_UNDECIDED,
    REDIS_PASSIVE,
    REDIS_ACTIVE,
    REDIS_HOLDCONN,
} RedisOpening;

typedef enum RedisTlsRole { REDIS_TLS_SERVER, REDIS_TLS_CLIENT, REDIS_TLS_PEEK } RedisTlsRole;

/** A value of a=setup. */
typedef enum RedisSetup {
    REDIS_SETUP_NONE,
    REDIS_SETUP_ACTIVE,
    REDIS_SETUP_PASSIVE,
    REDIS_SETUP_ACTPASS,
    REDIS_SETUP_HOLDCONN,
    REDIS_SETUP_BAD,
} RedisSetup;

/** How the a=path of an MSRP stream is treated. */
typedef enum RedisPathMode {
    REDIS_PATH_NONE,
    REDIS_PATH_KEEP,
    REDIS_PATH_SCHEME,
    REDIS_PATH_AWARE,
} RedisPathMode;

/** What the operator's script asked for. */
typedef enum RedisPath { REDIS_AUTO, REDIS_TRANSPARENT, REDIS_AWARE } RedisPath;
typedef enum RedisScheme { REDIS_SWAP, REDIS_KEEP } RedisScheme;

/** Bits of RedisSettings.media. */
typedef enum RedisMedia { REDIS_MSRP = 1, REDIS_BFCP = 2, REDIS_T38 = 4 } RedisMedia;

/* An enumeration is an int in the structs below, because the tables of redis-fields.h read it. */

typedef struct RedisLeg {
    bool secure;
    char *interface;
    Addr local;
    Addr advertised;
    Addr remote;
    int setup;    /* RedisOpening */
    int tls_role; /* RedisTlsRole */
    FingerprintSet fingerprints;
    char *tls_id;
    char *peer_tls_id;
    char *peer_path;
    bool peer_connection;
    bool discard;
} RedisLeg;

typedef struct RedisStream {
    uint64_t id; /* of the process that wrote it: for finding events, not for use in another one */
    char *medium;
    bool answered;
    bool gateway;
    int path_mode; /* RedisPathMode */
    int path_also; /* RedisPathMode */
    bool allow_sha1;
    FingerprintSet local_fingerprints;
    RedisLeg leg[2];
} RedisStream;

typedef struct RedisSlot {
    int treatment; /* RedisTreatment */
    char *reason;
    int upstream_index; /* -1 = none */
    char *upstream_text[2];
    char *medium;
    char *media_type;
    char *offer_proto;
    char *peer_proto[2];
    int offer_setup;     /* RedisSetup */
    int offer_path_mode; /* RedisPathMode */
    bool offer_tls_id;
    bool offer_connection_existing;
    int sent_setup; /* RedisSetup */
    bool gateway;
    bool offer_kept;
    char *lost; /* medium of a stream that is gone */
    bool lost_core;
    RedisStream *stream;
    RedisStream *pending;
    RedisStream *retiring;
} RedisSlot;

typedef struct RedisDialog {
    char *via_branch;
    char *tag[2];
    int offerer; /* RedisSide */
    bool answered;
    char *interface[2];
    int upstream_count;
    bool upstream_asked;
    GPtrArray *slots; /* of RedisSlot */
} RedisDialog;

typedef struct RedisSettings {
    unsigned media; /* RedisMedia */
    bool media_given;
    bool require_indication;
    bool answer_indication;
    bool allow_sha1;
    bool core_tls;
    int path;   /* RedisPath */
    int scheme; /* RedisScheme */
} RedisSettings;

typedef struct RedisRecord {
    uint64_t revision; /* 0 = not in the store yet */
    char *owner;       /* node-id */
    uint64_t epoch;    /* of the owner */
    char *call_id;
    uint64_t updated; /* seconds since 1970, for people */
    RedisSettings settings;
    int first_from;     /* RedisSide */
    char *first_keys;   /* a bencode dictionary; NULL = none */
    GPtrArray *dialogs; /* of RedisDialog */
} RedisRecord;

RedisRecord *redis_record_new(const char *call_id);
void redis_record_free(RedisRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RedisRecord, redis_record_free)

/** Appends an empty dialog, slot; makes an empty stream: owned by what they are put into. */
RedisDialog *redis_record_add_dialog(RedisRecord *record);
RedisSlot *redis_dialog_add_slot(RedisDialog *dialog);
RedisStream *redis_stream_new(void);

/** A copy of everything. */
RedisRecord *redis_record_copy(const RedisRecord *record);

/** Same values in every member, the head included. */
bool redis_record_equal(const RedisRecord *a, const RedisRecord *b);

/**
 * The record as JSON without blanks, the head in its fixed order, owned by the caller. The owner
 * must be a valid node-id, the numbers at most REDIS_INT_MAX. NULL and REDIS_ERROR_LIMIT when it is
 * longer than REDIS_VALUE_MAX.
 */
char *redis_record_print(const RedisRecord *record, GError **error);

/** The record in @json, owned by the caller; NULL and an error of REDIS_ERROR that names the
 * member. */
RedisRecord *redis_record_parse(Span json, GError **error);
