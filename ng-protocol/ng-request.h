/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * ng-request.h: what a request asks for, read out of its dictionary.
 *
 * A proxy puts the same thing in one of three places: in the dictionary, in the `flags` list, or in
 * the text `rtpp-flags` (ng-flags.h), the way Kamailio 6 sends a script's flags. Where one key is
 * in several, the dictionary counts before `flags` and `flags` before `rtpp-flags`.
 *
 * Keys of rtpengine's are read as rtpengine reads them: what it would ignore is ignored here too,
 * since this program must not refuse a request that works without it. Keys of our own are strict
 * (ng-e2ae.h).
 *
 * Threads: any; no state but in the arguments.
 * Owner:   a request borrows everything from the dictionary it was read from, which must outlive it
 * unchanged.
 */
#pragma once

#include "base/addr.h"
#include "ng-protocol/ng-e2ae.h"

typedef enum NgCommand {
    NG_CMD_OTHER, /* forwarded as it is */
    NG_CMD_OFFER,
    NG_CMD_ANSWER,
    NG_CMD_DELETE,
    NG_CMD_QUERY,
    NG_CMD_LIST,
    NG_CMD_PING,
    NG_CMD_STATISTICS,
    NG_CMD_E2AE_OFFER,
    NG_CMD_E2AE_ANSWER,
    NG_CMD_E2AE_DELETE,
    NG_CMD_E2AE_QUERY,
    NG_CMD_E2AE_LIST,
    NG_CMD_E2AE_STATISTICS,
    NG_CMD_E2AE_DRAIN,
    NG_N_COMMANDS,
} NgCommand;

/** Bits of NgRequest.t38, from `T.38` and its other spellings. */
typedef enum NgT38 { NG_T38_DECODE = 1, NG_T38_FORCE = 2, NG_T38_STOP = 4 } NgT38;

typedef struct NgRequest {
    const NgValue *dict;
    NgCommand command;
    Span command_name;
    /* empty when absent */
    Span call_id;
    Span from_tag;
    Span to_tag;
    Span via_branch;
    Span sdp;
    Span direction[2];    /* interface of the sender's leg, of the receiver's leg */
    int64_t delete_delay; /* seconds; -1 when absent */
    Addr received_from;   /* no address when absent; port 0 */
    unsigned t38;         /* NgT38 */
    E2aeParams e2ae;
} NgRequest;

/**
 * Reads @dict (borrowed, an NG_DICT). Fails with NG_ERROR_NO_COMMAND, _KEY or _VALUE. What a
 * command needs beyond its name (call-id, tags, sdp) is for the caller to check, in rtpengine's
 * order.
 */
bool ng_request_read(const NgValue *dict, NgRequest *ret_r, GError **error);

/** Does the request list @what under `supports`? */
bool ng_request_supports(const NgRequest *r, Span what);

/** Is @flag among `flags`, or a bare word of `rtpp-flags`? Exact bytes. */
bool ng_request_has_flag(const NgRequest *r, Span flag);

/**
 * A copy of @dict (an NG_DICT) without any e2ae key, for rtpengine, which warns about each key it
 * does not know. Everything else stays as and where it is; a `flags` or `rtpp-flags` that held
 * nothing else goes with them.
 */
NgValue *ng_request_strip(const NgValue *dict);

/** The name of a command, "offer"; "other" for NG_CMD_OTHER. */
const char *ng_command_name(NgCommand command);
