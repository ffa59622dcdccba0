/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * ng-reply.h: the replies that every command shares, in rtpengine's words.
 *
 * A SIP proxy compares some of these texts byte by byte: "load limit", "Parallel session limit
 * reached" and "Ran out of ports" make Kamailio and OpenSIPS try the next node, everything else is
 * a failure of the call. The others are kept equal so that scripts and dashboards made for
 * rtpengine work.
 *
 * Threads: any; no state but in the arguments. The dictionaries returned are owned by the caller.
 */
#pragma once

#include "ng-protocol/ng-value.h"

#define NG_RESULT_OK         "ok"
#define NG_RESULT_PONG       "pong"
#define NG_RESULT_ERROR      "error"
#define NG_RESULT_LOAD_LIMIT "load limit"

#define NG_REASON_SESSION_LIMIT   "Parallel session limit reached"
#define NG_REASON_NO_PORTS        "Ran out of ports"
#define NG_REASON_NO_CALL_ID      "No call-id in message"
#define NG_REASON_NO_FROM_TAG     "No from-tag in message"
#define NG_REASON_NO_TO_TAG       "No to-tag in message"
#define NG_REASON_NO_SDP          "No SDP body in message"
#define NG_REASON_UNKNOWN_CALL    "Unknown call-id"
#define NG_REASON_UNKNOWN_COMMAND "Unrecognized command"
#define NG_REASON_BAD_SDP         "Failed to parse SDP"
#define NG_REASON_INCOMPLETE_SDP  "Incomplete SDP specification"
#define NG_REASON_BAD_DIALOGUE    "Invalid dialogue association"
#define NG_REASON_REWRITE         "Error rewriting SDP"
/** To a node that has forwarded a request: the call is not here, look again. */
#define NG_REASON_ELSEWHERE "the call is not on this node"
/** With result ok, unless the request has the flag "fatal". */
#define NG_WARNING_NOT_FOUND "Call-ID not found or tags didn't match"

/** What a request lists under `supports` when it understands NG_RESULT_LOAD_LIMIT. */
#define NG_SUPPORTS_LOAD_LIMIT SPAN("load limit")

/** {result: ok}; the caller appends what else belongs to it. */
NgValue *ng_reply_ok(void);

/** {result: pong} */
NgValue *ng_reply_pong(void);

/** {result: error, error-reason: @reason}. @reason may be text of a peer: it is sent as it is. */
NgValue *ng_reply_error(const char *reason);

/** {result: ok, warning: @text} */
NgValue *ng_reply_warning(const char *text);

/**
 * At the session limit: {result: load limit, message: ...} when the request @supports it, else an
 * error.
 */
NgValue *ng_reply_load_limit(bool supports);

/** {result: load limit, message: @message}, for a request that supports it: the proxy tries the
 * next node, which it does after no error of another text. */
NgValue *ng_reply_overload(const char *message);
