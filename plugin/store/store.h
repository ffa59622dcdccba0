/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * store.h: where the records of the calls are kept: in memory, or in Redis for several nodes
 * (redis-schema/README.md).
 *
 *   STORE_CONNECTING --> STORE_READY <--> STORE_AWAY       Redis; the memory store is always READY
 *          |                                 ^
 *          +------ connect failed -----------+             STORE_REFUSED: not our database, never
 *                                                          tried again
 *
 * Asynchronous, with one rule: a callback is never called from within the call that it belongs to,
 * but later by the loop, exactly once, also when the store is closed meanwhile. Callbacks may call
 * every function of this file.
 *
 * One write (commit, claim or delete) of a call may be under way at a time; the next one waits for
 * the callback. That is what makes a reply that was lost with its connection recoverable.
 *
 * When Redis is away, the mode decides (--redis-mode):
 *   refuse   commit answers STORE_UNAVAILABLE: the proxy is told so and uses another node.
 *   degrade  commit answers STORE_OK with .behind set: the record is kept here and written when
 *            Redis is back. What another node has claimed meanwhile is reported as lost.
 * A delete is remembered in both modes: the call is over, whoever is away.
 *
 * Threads: control thread only.
 * Owner:   whoever made the store closes it with store_close().
 */
#pragma once

#include "redis-schema/redis-cert.h"
#include "redis-schema/redis-node.h"
#include "redis-schema/redis-record.h"

#include <uv.h>

#define STORE_ERROR (store_error_quark())
GQuark store_error_quark(void);

typedef enum StoreErrorCode {
    STORE_ERROR_CONFIG, /* text that cannot be understood, or a database that must not be used */
} StoreErrorCode;

typedef struct Store Store;

typedef enum StoreState {
    STORE_CONNECTING, /* not connected yet, since the start */
    STORE_READY,
    STORE_AWAY,    /* was lost or never found; it is tried again and again */
    STORE_REFUSED, /* the database holds keys that are not ours */
} StoreState;

/** "connecting", "ready", "away", "refused". */
const char *store_state_name(StoreState state);

typedef enum StoreStatus {
    STORE_OK,
    STORE_CONFLICT,  /* .owner, .epoch, .revision: who has it. Our own node-id and a greater epoch:
                        this process is not the node any more. cert_save: .fingerprint */
    STORE_NOT_FOUND, /* no such record; for what this means in a commit see the schema, section 7 */
    STORE_UNAVAILABLE, /* Redis is away, or went away before it answered: it may have been done */
    STORE_BAD,         /* cannot be written or read: too large, of a newer schema, damaged */
} StoreStatus;

typedef struct StoreNode {
    char *id;
    char *group;
    RedisNode *heartbeat; /* NULL = the node is dead */
} StoreNode;

/** What a callback gets; everything is borrowed for the time of the callback. */
typedef struct StoreReply {
    StoreStatus status;
    const char *text;  /* why not OK, one printable line */
    uint64_t revision; /* commit, load, claim: in force */
    const char *owner; /* of CONFLICT */
    uint64_t epoch;    /* of CONFLICT */
    bool behind;       /* OK, but Redis does not know yet */
    /** heartbeat: since the last one, this node was not seen as dead, so nobody can have claimed.
     */
    bool found;
    RedisRecord *record;           /* load, claim */
    RedisCert *cert;               /* cert_load */
    const char *fingerprint;       /* cert_load: what was looked for, that of the group also if it is
                                      NOT_FOUND; cert_save: CONFLICT with it. NULL: there is none */
    const StoreNode *const *nodes; /* nodes, node: n of them */
    const char *const *calls;      /* list_node: n of them; 0 = no more */
    unsigned n;
} StoreReply;

typedef void (*StoreCb)(const StoreReply *reply, void *arg);

/** Called by the loop, never from within a call to the store. */
typedef struct StoreWatch {
    /** @text: why, one printable line. */
    void (*state)(StoreState state, const char *text, void *arg);
    /** A call that was served while Redis was away belongs to @owner now: drop it. */
    void (*lost)(const char *call_id, const char *owner, uint64_t epoch, void *arg);
    void *arg;
} StoreWatch;

/** Strings are copied. */
typedef struct StoreOptions {
    const char *node;     /* node-id: redis_node_id_valid() */
    const char *group;    /* as the node-id */
    const char *ng;       /* where this node takes ng commands */
    const char *version;  /* (nullable) */
    unsigned call_ttl;    /* seconds; 0 = REDIS_CALL_TTL */
    unsigned node_ttl_ms; /* 0 = REDIS_NODE_TTL_MS; heartbeats have to be more frequent */
    StoreWatch watch;     /* either function may be NULL */
} StoreOptions;

/** Entries in one page of store_list_node(). */
#define STORE_PAGE 100
/** Most nodes that store_nodes() looks at. */
#define STORE_NODES_MAX 256

typedef struct StoreStats {
    unsigned under_way;   /* commands that Redis has not answered */
    unsigned behind;      /* writes waiting for Redis to come back */
    uint64_t commits;     /* acknowledged by Redis, or by the memory store */
    uint64_t conflicts;   /* answers CONFLICT */
    uint64_t unavailable; /* answers UNAVAILABLE */
    uint64_t degraded;    /* answers OK with .behind */
    uint64_t lost;        /* calls reported to watch.lost */
    uint64_t connects;    /* times that STORE_READY was reached */
} StoreStats;

/** A store that ends with the process. */
Store *store_memory_new(uv_loop_t *loop, const StoreOptions *options);

/**
 * Completes every call that is under way with STORE_UNAVAILABLE; then calls @closed (nullable) when
 * the store and its handles are gone. No function may be called with @store any more, callbacks of
 * what was under way included.
 */
void store_close(Store *store, void (*closed)(void *arg), void *arg);

StoreState store_state(const Store *store);
/** Number of this life of the node; 0 until Redis has given one. */
uint64_t store_epoch(const Store *store);
void store_stats(const Store *store, StoreStats *ret_stats);

/**
 * Writes @record (taken): its revision is the one it was read or written with last, 0 for a new
 * call; owner, epoch and time are filled in. OK: reply->revision is the new one.
 */
void store_commit(Store *store, RedisRecord *record, StoreCb cb, void *arg);

/** Removes the record of a call that this node owns. NOT_FOUND is as good as OK. */
void store_delete(Store *store, const char *call_id, StoreCb cb, void *arg);

/** Reads a record, whoever owns it. */
void store_load(Store *store, const char *call_id, StoreCb cb, void *arg);

/**
 * Takes over a call of @owner, which has to be dead or this node itself. @revision: 0 = any. OK:
 * the record is in the reply and this node its owner, also when it was before.
 */
void store_claim(Store *store, const char *call_id, const char *owner, uint64_t revision,
                 StoreCb cb, void *arg);

/** Up to STORE_PAGE Call-IDs of @node that come after @after (NULL = the first page). */
void store_list_node(Store *store, const char *node, const char *after, StoreCb cb, void *arg);

/** Tells the others that this node lives. */
void store_heartbeat(Store *store, StoreCb cb, void *arg);

/** All nodes, dead ones that may still own calls included. */
void store_nodes(Store *store, StoreCb cb, void *arg);

/** One node, whatever its group; .group is not known (NULL) when it is dead. */
void store_node(Store *store, const char *id, StoreCb cb, void *arg);

/** Tells the others that this node ends, so that they need not wait to claim its calls. */
void store_leave(Store *store, StoreCb cb, void *arg);

/** Publishes an event. Nobody learns whether it arrived. */
void store_publish(Store *store, const char *event);

/**
 * Keeps @cert (taken), and makes it the one for new streams of the group if @expected (NULL = none) is that now;
 * CONFLICT if not.
 */
void store_cert_save(Store *store, RedisCert *cert, const char *expected, StoreCb cb, void *arg);

/** Keeps @cert (taken) for streams that are up. */
void store_cert_keep(Store *store, RedisCert *cert, StoreCb cb, void *arg);

/** The certificate with that fingerprint; with NULL the one for new streams. */
void store_cert_load(Store *store, const char *fingerprint, StoreCb cb, void *arg);
