/* SPDX-License-Identifier: GPL-3.0-or-later */
/** control-call.h: one call and its running transaction; shared by the files that handle requests,
 * not by others. */
#pragma once

#include "control/control-calls.h"
#include "control/control-forward.h"
#include "control/control-statistics.h"
#include "control/control-sweep.h"

typedef struct ControlCall ControlCall;

/**
 * The state of @call has been written, or has not: see reply->status, of which CONFLICT says that
 * the call is another's now. @reply is NULL when the program ends: then @arg is to be freed and
 * nothing else to be touched, neither the call nor a request.
 */
typedef void (*ControlWrittenCb)(ControlCall *call, const StoreReply *reply, void *arg);

/** A claim has ended: with OK the call goes on here, if its record can be served. @owner is whom it
 * was claimed from, @text why not; both are borrowed. */
typedef void (*ControlClaimedCb)(ControlCall *call, StoreStatus status, const char *owner,
                                 const char *text);

/** A write under way; one at a time for each call, as the store has it. */
typedef struct ControlWrite {
    bool active;
    bool again;          /* nothing has changed: it is one of ControlKeep.under_way */
    bool ready;          /* the store was, when it was asked */
    unsigned repeats;    /* after answers that could be put right */
    int64_t sent_us;     /* monotonic: what the store says was so then or later */
    const Session *next; /* borrowed; NULL: the record is removed */
    ControlWrittenCb cb; /* NULL: nobody waits */
    void *arg;
} ControlWrite;

struct ControlCall {
    ControlCalls *calls;
    char *call_id;
    Session *session; /* NULL until the first offer is committed, and after the delete */
    bool upstream;    /* rtpengine has accepted something about this call from us */
    bool late;        /* it began within a dialog: rtpengine may know the call from before */
    int64_t created_us;
    int64_t last_signal_us; /* both in microseconds since 1970 */
    ControlRequest *busy;   /* the request in progress */
    bool running;           /* requests are being begun, further up on the stack */
    GQueue waiting;         /* of ControlRequest, borrowed from the server */
    GArray *settled;        /* of uint64_t: streams that came up while a request was in progress */
    uint64_t revision;      /* of the record; 0 = there is none */
    ControlWrite write;
    bool unwritten; /* the record may differ from .session, and is to be written when it can be */
    bool loading;   /* nothing is known of the call before the store has answered */
    bool asked;     /* and it has been asked */
    ControlSweep *sweep;  /* because that one found it in a node's index; else NULL */
    char *owner;          /* while it is looked for and claimed: who has it */
    unsigned attempts;    /* to get it */
    uv_timer_t *look;     /* until it is looked for again, else NULL */
    RedisRecord *claimed; /* waits for the certificates that its streams have signalled */
    ControlClaimedCb claim_done;
    int64_t written_us; /* monotonic: when the write was sent that the store has had last */
    GList age;          /* in ControlKeep.by_age while there is a record */
    int64_t refused_us; /* monotonic: since when it is in ControlRefused.waiting; 0 = it is not */
    GList refused;
    char *lost; /* why the call is not ours any more; it is dropped when nothing is under way */
};

/** What came out of records. */
typedef struct ControlRestored {
    unsigned calls;
    unsigned streams;
    unsigned dropped; /* streams that could not go on where they were */
} ControlRestored;

/** The calls of an earlier life; see control-restore.c. */
typedef enum ControlRestoreState {
    CONTROL_RESTORE_DONE,
    CONTROL_RESTORE_WAITING,
    CONTROL_RESTORE_OFFLINE,
    CONTROL_RESTORE_RUNNING,
} ControlRestoreState;

typedef struct ControlRestore {
    ControlRestoreState state;
    ControlSweep *sweep; /* NULL until it is RUNNING first */
    ControlRestored count;
    ControlSweep *old; /* removes what is over; NULL until then */
    bool look_for_old;
} ControlRestore;

/** What keeps records alive; see control-keep.c. */
typedef struct ControlKeep {
    uv_timer_t *timer;  /* NULL: the store ends with us */
    bool away;          /* and the outside has been told */
    bool connected;     /* has been; what is written from then on need not be written again */
    int64_t back_us;    /* monotonic: when it was connected again; 0 = it has not been away */
    GQueue by_age;      /* of ControlCall, the record that was written longest ago first */
    int64_t anew_us;    /* records from before are to be written again: Redis may lack them */
    unsigned under_way; /* such writes */
    void (*verified)(void *arg); /* waits until there is none from before .anew_us; else NULL */
    void *verified_arg;
} ControlKeep;

/** Lines that a callee has refused; see control-refused.c. */
typedef struct ControlRefused {
    unsigned timeout_ms;
    uv_timer_t *timer; /* while .waiting has somebody */
    GQueue waiting;    /* of ControlCall, the longest first */
} ControlRefused;

/** The end of this node in order; see control-drain.c. */
typedef struct ControlDrain {
    uv_timer_t *timer; /* NULL: it does not drain */
    void (*empty)(void *arg);
    void *arg;
} ControlDrain;

/** Requests that may wait for one in progress of the same call. */
#define CONTROL_CALL_WAITING_MAX 32

struct ControlCalls {
    uv_loop_t *loop;
    ControlStreams *streams;
    ControlEvents *events;
    ControlStoreConfig store;
    ControlCertificate *certificate; /* NULL: none is shared in Redis */
    GQueue asked;                    /* of ControlAsk: what the store has not answered */
    ControlRestore restore;
    GHashTable *takeovers; /* node-id, of the sweep -> ControlSweep, owned */
    ControlRestored taken; /* from other nodes */
    bool alone;            /* no other node can have a call */
    ControlForwards *forwards;
    ControlKeep keep;
    ControlDrain drain;
    ControlRefused refused;
    SessionPolicy policy;
    int max_sessions;
    unsigned delete_delay_s;
    uint64_t last_id;
    ControlStatistics statistics;
    GHashTable *by_call_id; /* -> ControlCall, owned */
};

/**
 * Each runs one request of @call to its end; the reply is sent and control_call_done() called then,
 * now or later.
 * @r borrows from the request.
 */
void control_run_offer_answer(ControlCall *call, ControlRequest *req, const NgRequest *r);
void control_run_delete(ControlCall *call, ControlRequest *req, const NgRequest *r);
void control_run_query(ControlCall *call, ControlRequest *req, const NgRequest *r);

/** Requests of no call; each answers @req, now or later. */
void control_run_list(ControlCalls *calls, ControlRequest *req, const NgRequest *r);
void control_run_statistics(ControlCalls *calls, ControlRequest *req, const NgRequest *r);
void control_run_drain(ControlCalls *calls, ControlRequest *req, const NgRequest *r);

/** The state of @call has changed: it has lines that were refused and wait, or not. */
void control_refused_note(ControlCall *call);
void control_refused_forget(ControlCall *call);
void control_refused_stop(ControlRefused *refused);

/** Ends the wait for the last call. */
void control_drain_stop(ControlDrain *drain);

/** Does any call exist that rtpengine does not know? */
bool control_calls_alone(const ControlCalls *calls);

/** The request in progress has been answered: runs the next one, or forgets a call without session.
 * @call may be gone after. */
void control_call_done(ControlCall *call);

/** Replaces the state of the call (taken, may be NULL) and makes the media plane follow. */
void control_call_commit(ControlCall *call, Session *next, unsigned delay_ms);

/** Is nothing of this call in progress, so that something may be begun? */
bool control_call_idle(const ControlCall *call);

/** A ControlStreamCb; @user_data is the ControlCalls. */
void control_calls_stream_cb(const char *call_id, const MediaEvent *event, void *user_data);

/** Ends streams whose successor is settled, and records that; the call is idle. */
void control_call_settle(ControlCall *call);

/** Ends the call for the reason in .lost; the call is idle. */
void control_call_drop_lost(ControlCall *call);

/** Begins what waits for the call to be idle, if it is. @call may be gone after. */
void control_call_resume(ControlCall *call);

/**
 * Writes @next (borrowed until @cb) as the state of the call, or removes its record with NULL.
 * Later, from the loop, @cb is called; with a @cb the state of the call is the caller's to change,
 * and the caller's to call control_call_done(). Without one (@next is then .session), a failure
 * leaves the call .unwritten. No other write of the call may be under way.
 */
void control_call_write(ControlCall *call, const Session *next, ControlWrittenCb cb, void *arg);

/** Makes a call without state; @call_id has no NUL and no call yet. */
ControlCall *control_call_new(ControlCalls *calls, Span call_id);

/** Handles a request that has waited. @looked: for a call that is not here, and nowhere else. */
void control_calls_dispatch(ControlCalls *calls, ControlRequest *req, bool looked);

/** The store is ready, away: restoring begins, stops. */
void control_restore_begin(ControlCalls *calls);
void control_restore_away(ControlCalls *calls);

/** Is there a certificate that streams can present? Who has none must not claim calls, which it could
 * only give up. Without hope of one what waits is released. */
bool control_restore_may_claim(ControlCalls *calls);

/** The store is there again, and may be a server that missed the last deletes: what it has of this
 * node and is not here is removed. */
void control_restore_clean(ControlCalls *calls);

/** @record has been claimed from @owner, which may be this node: the call goes on here, if it can be
 * served. It has a session then. */
void control_restore_record(ControlCall *call, const RedisRecord *record, const char *owner);

/** The call of @record, which has been claimed, is over: begins to remove the record, unless this
 * version cannot read it: then it was never here. */
void control_restore_remove(ControlCall *call, const RedisRecord *record);

/** Claims a call from @owner (copied), which is dead or this node; @revision: 0 = any. */
void control_claim(ControlCall *call, const char *owner, uint64_t revision, ControlClaimedCb done);

/** A new call in which requests wait until the store has told of it; NULL when there is nothing to
 * be asked: then the call is not there. */
ControlCall *control_find(ControlCalls *calls, Span call_id);

/** Asks for a call that control_find() has made when the store was not ready yet. */
void control_find_begin(ControlCall *call);

/** The call is freed: it is not looked for any more. */
void control_find_stop(ControlCall *call);

/** It is known what the call is: its requests are handled, in it or, without a session, as those of
 * an unknown call. @call may be gone after. */
void control_call_settled(ControlCall *call);
void control_call_release(ControlCall *call);

/** Starts the timer, if the store is shared; ends it. */
void control_keep_start(ControlCalls *calls);
void control_keep_stop(ControlCalls *calls);

/** The record of @call has just been written, is gone. */
void control_keep_written(ControlCall *call);
void control_keep_gone(ControlCall *call);

/** Writes every record again, as what is in the store is not to be trusted. */
void control_keep_anew(ControlCalls *calls);

/** The store was away until a short time ago, and its heartbeats may have expired meanwhile: a node
 * without one need not be dead. */
bool control_keep_blind(const ControlCalls *calls);

/** A write that was .again has ended; @ok: so that another may follow at once. */
void control_keep_done(ControlCalls *calls, bool ok);

/** What the store has been asked for; see control_ask(). */
typedef struct ControlAsk {
    ControlCalls *calls; /* NULL: nobody is interested any more */
    StoreCb cb;
    void *arg;
    GList link;
} ControlAsk;

/** The argument for control_ask_cb(), which calls @cb unless the calls are freed meanwhile. */
ControlAsk *control_ask(ControlCalls *calls, StoreCb cb, void *arg);
void control_ask_cb(const StoreReply *reply, void *ask);

/** Tells @name about m-line @index (from 0) of @d; the other members of @event say what. */
void control_call_tell(const ControlCall *call, const SessionDialog *d, unsigned index,
                       const char *name, ControlEvent event);

/** The same for what happens to streams, which is counted. */
void control_call_emit(const ControlCall *call, const SessionDialog *d, unsigned index,
                       MediaEventKind kind, ControlEvent event);

/**
 * Adds to @reply, which is rtpengine's or begun with control_query_begin(), the streams of @call in
 * rtpengine's own form, as medias of the tags. @tag: only dialogs of it, empty = all.
 */
void control_query_tags(NgValue *reply, const ControlCall *call, Span tag);

/** {result: ok} and what rtpengine says of a call besides its tags. */
NgValue *control_query_begin(const ControlCall *call);

/** Is @d one that a query for @tag asks about? */
bool control_query_wants(const SessionDialog *d, Span tag);

/** {result: ok, warning: ...}, or an error with that text if the request has the flag "fatal". */
NgValue *control_reply_not_found(const NgRequest *r);

/**
 * Sends the request to rtpengine without our keys, with @sdp in the place of its own unless that is
 * NULL, and with what
 * @extra (nullable, borrowed) adds where the request has no such key.
 */
void control_ask_rtpengine(ControlRequest *req, const char *sdp, const NgValue *extra,
                           ControlUpstreamCb cb, void *user_data);

/** The dictionary of a reply of rtpengine's that says "ok"; NULL for any other and for no reply.
 * Owned by the caller. */
NgValue *control_ask_accepted(Span reply, const GError *error);
