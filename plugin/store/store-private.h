/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * store-private.h: what the two stores share: the calls under way, and their completion by the
 * loop. Of store/ only.
 *
 * Threads: control thread only.
 * Owner:   a StoreOp belongs to the store that was asked until store_done(), then to the queue.
 */
#pragma once

#include "store/store.h"

typedef enum StoreOpKind {
    STORE_OP_COMMIT,
    STORE_OP_DELETE,
    STORE_OP_LOAD,
    STORE_OP_CLAIM,
    STORE_OP_LIST,
    STORE_OP_HEARTBEAT,
    STORE_OP_NODES,
    STORE_OP_NODE,
    STORE_OP_LEAVE,
    STORE_OP_PUBLISH,
    STORE_OP_CERT_SAVE,
    STORE_OP_CERT_KEEP,
    STORE_OP_CERT_LOAD,
    STORE_OP_STATE, /* news for watch.state */
    STORE_OP_LOST,  /* news for watch.lost */
} StoreOpKind;

typedef struct StoreOp {
    Store *store;
    StoreOpKind kind;
    StoreCb cb;
    void *arg;
    /* what is asked */
    char *call_id;
    char *name; /* node, fingerprint (of the group: "" = none), event */
    char *after;
    uint64_t expected; /* revision */
    RedisRecord *record;
    RedisCert *cert;
    StoreState state;
    /* how far it is */
    unsigned stage;
    bool eval;     /* the script itself has to be sent */
    bool repeated; /* after a conflict with ourselves */
    bool flush;    /* writes behind, for nobody that waits */
    bool hello;    /* the first heartbeat of a connection */
    /* the answer; what .reply points to */
    StoreReply reply;
    char *text;
    char *owner;
    GPtrArray *list; /* of char * or StoreNode * */
} StoreOp;

/** The two stores. */
typedef struct StoreClass {
    /** Does what @op asks and ends with store_done(), now or later. */
    void (*start)(Store *store, StoreOp *op);
    /** Ends everything under way with store_done(), then store_closed(), now or later. */
    void (*close)(Store *store);
    /** Fills in what only the class knows. */
    void (*stats)(const Store *store, StoreStats *stats);
    /** Frees what the class has added; called last. */
    void (*free)(Store *store);
} StoreClass;

/** The first member of both. */
struct Store {
    const StoreClass *class;
    uv_loop_t *loop;
    uv_idle_t idle; /* runs while .done has something */
    GQueue done;    /* of StoreOp */
    char *node;
    char *group;
    char *ng;
    char *version;
    uint64_t started; /* seconds since 1970 */
    unsigned call_ttl;
    unsigned node_ttl_ms;
    StoreWatch watch;
    StoreState state;
    uint64_t epoch;
    StoreStats stats;
    bool closing;
    bool ended; /* the class has nothing left */
    void (*closed)(void *arg);
    void *closed_arg;
};

void store_init(Store *store, const StoreClass *class, uv_loop_t *loop,
                const StoreOptions *options);

/** To be called once after close(). */
void store_ended(Store *store);

StoreOp *store_op_new(Store *store, StoreOpKind kind, StoreCb cb, void *arg);

/** The answer is complete: the loop delivers it. Takes @op. */
void store_done(StoreOp *op);

/** Adds a node without heartbeat to the answer; @group may be empty, for not known. */
void store_op_add_node(StoreOp *op, Span group, Span id);

/** Makes the answer one other than OK; @text (taken) may be any bytes. */
void store_op_fail(StoreOp *op, StoreStatus status, char *text);

/** Makes the answer NOT_FOUND. */
void store_op_missing(StoreOp *op);

/** Makes the answer CONFLICT, with who has the call. */
void store_op_conflict(StoreOp *op, Span owner, uint64_t epoch, uint64_t revision);

/** Makes the answer of a load or claim the record @json; BAD if it cannot be read. */
void store_op_found(StoreOp *op, Span json);

/** store_op_fail() and store_done(). */
void store_fail(StoreOp *op, StoreStatus status, char *text);

/** Sets the state and lets the loop tell the watcher; nothing when it is the same. */
void store_set_state(Store *store, StoreState state, const char *text);

/** Lets the loop tell the watcher that a call is somebody else's. */
void store_lost(Store *store, const char *call_id, const char *owner, uint64_t epoch);
