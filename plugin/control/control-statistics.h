/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-statistics.h: what this node has done since its start, as numbers.
 *
 * Threads: control thread only.
 * Owner:   ControlCalls holds the one and counts in it.
 */
#pragma once

#include "control/control-upstream.h"
#include "media/media-types.h"
#include "ng-protocol/ng-request.h"

typedef struct ControlCalls ControlCalls;

typedef struct ControlStatistics {
    int64_t started_us;                            /* monotonic */
    uint64_t requests[NG_N_COMMANDS];            /* by NgCommand, repeats not counted */
    uint64_t calls;                                /* that have begun */
    uint64_t refused_limit;                        /* first offers at --max-sessions */
    uint64_t forwarded;                            /* to the node that has the call */
    uint64_t refused_ports;                        /* offers without a free port */
    uint64_t events[MEDIA_EVENT_CLOSED];           /* by MediaEventKind */
    uint64_t takeover_events;                      /* one for each stream taken over */
} ControlStatistics;

/** The dictionary "e2ae" of a reply to statistics, owned by the caller. @upstream: nullable. */
NgValue *control_statistics_dict(const ControlCalls *calls, const ControlUpstream *upstream);
