/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-plan.h: the offer/answer function. A request and the state before it go in; a plan comes
 * out: the state after it, the ports to reserve, the body for rtpengine, and then the body and the
 * keys of the reply. Pure: nothing has happened until the caller carries the plan out, and dropping
 * the plan undoes everything.
 *
 *   plan = session_plan_offer(...)                     or _answer()
 *   reserve every plan->ports[i], session_plan_set_port()
 *   session_plan_ready()
 *   if plan->upstream_sdp: ask rtpengine with it; session_plan_absorb(); reserve what that added
 *   session_plan_render(plan, rtpengine's body)        the body for the reply
 *   store plan->next, carry out session_diff(old, plan->next), reply
 *
 * Threads: used by the control thread.
 */
#pragma once

#include "ng-protocol/ng-request.h"
#include "sdp/sdp-doc.h"
#include "session/session-policy.h"
#include "session/session.h"

#define SESSION_ERROR (session_error_quark())
GQuark session_error_quark(void);

typedef enum SessionError {
    SESSION_ERROR_UNKNOWN_CALL, /* text is rtpengine's "Unknown call-id" */
    SESSION_ERROR_DIALOG,       /* the tags fit no dialog of the call */
    SESSION_ERROR_REQUEST,      /* a key is missing or contradicts the call */
    SESSION_ERROR_UPSTREAM,     /* rtpengine's reply does not fit what it was asked */
} SessionError;

typedef struct SessionPortRequest {
    uint64_t stream_id;
    SessionSide side;
    MediaTransport transport;
    Addr ip; /* to bind; the advertised address is in the stream's leg */
} SessionPortRequest;

/** Where the section of an m-line in the reply comes from. */
typedef enum SessionLineKind {
    SESSION_LINE_UPSTREAM, /* section .upstream of rtpengine's reply */
    SESSION_LINE_KEEP,     /* the request's own section, readable without its session part */
    SESSION_LINE_STREAM,   /* the request's own section, rewritten for the other leg */
    SESSION_LINE_GATEWAY,  /* section .upstream of rtpengine's reply, rewritten if the UE gets it */
    SESSION_LINE_ZERO,     /* rejected or removed: port 0 and the proto of the other leg */
} SessionLineKind;

typedef struct SessionLine {
    SessionLineKind kind;
    unsigned upstream;  /* of LINE_UPSTREAM and LINE_GATEWAY: the line's number at rtpengine */
    const char *reason; /* static; why it is not protected, or NULL */
    const char *note;   /* static; for the log of an operator, or NULL */
    bool failed;        /* this answer ended a stream that the offer had begun */
} SessionLine;

typedef struct SessionPlan {
    Session *next;
    SessionDialog *dialog; /* within next */
    SessionSide from;      /* who sent the body; the reply's body goes to the other side */
    bool answer;
    bool repeated; /* this offer has been answered before */
    bool forks;    /* an answer after which another callee may answer the same offer (TRK-07) */
    bool replace_origin; /* the request has replace=origin */
    SdpDoc *doc;
    GArray *lines;          /* of SessionLine, one per m-line of doc */
    GArray *ports;          /* of SessionPortRequest */
    unsigned n_reserved;    /* how many of them are, for the caller's use */
    char *upstream_sdp;     /* NULL = rtpengine is not asked */
    NgValue *upstream_keys; /* for rtpengine where the request has no such key: it hears late of
                               this call; or NULL */
} SessionPlan;

/**
 * @old: (nullable) the call as it is. @doc: taken in any case.
 * NULL and @error when the request makes no sense for the call; an m-line that cannot be protected
 * is no error but rejected in the plan.
 */
SessionPlan *session_plan_offer(const Session *old, const NgRequest *req, SdpDoc *doc,
                                const SessionPolicy *policy, GError **error);
SessionPlan *session_plan_answer(const Session *old, const NgRequest *req, SdpDoc *doc,
                                 const SessionPolicy *policy, GError **error);

void session_plan_free(SessionPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SessionPlan, session_plan_free)

/** Every port is set: writes those that rtpengine has to know into the body for it. */
void session_plan_ready(SessionPlan *plan);

/**
 * Takes in what rtpengine made of the lines that go through its T.38 gateway. May add to
 * plan->ports. False and @error when its reply does not fit what it was asked.
 */
bool session_plan_absorb(SessionPlan *plan, Span upstream, const SessionPolicy *policy,
                         GError **error);

/** Port request @i has got port @port. */
void session_plan_set_port(SessionPlan *plan, unsigned i, uint16_t port);

/**
 * The body of the reply: the session part and rtpengine's sections from @upstream (empty when it
 * was not asked), ours rewritten, in the order of the request. Owned by the caller.
 */
char *session_plan_render(const SessionPlan *plan, Span upstream, GError **error);

/** Adds the "e2ae" dictionary to @reply (design of the ng extension, section 5). */
void session_plan_reply(const SessionPlan *plan, NgValue *reply);

/** Adds to @dict what the state says of a stream: the dictionaries "access" and "core" of a reply. */
void session_stream_reply(const SessionStream *stream, NgValue *dict);

/**
 * The call after a delete: NULL when nothing of it is left, else a changed copy. *@ret_matched
 * tells whether the request's tags or branch fitted anything; without from-tag the whole call goes.
 */
Session *session_delete(const Session *old, const NgRequest *req, bool *ret_matched);
