/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-sweep.h: claims every call that a node's index names and that is not here: this node's, at
 * its start, or a dead node's; or removes them, as they are over. One page of the index at a time, so
 * that the loop goes on meanwhile and no list is ever long.
 *
 * Threads: control thread only.
 * Owner:   whoever made it; ControlCalls must outlive it.
 */
#pragma once

#include "control/control-calls.h"

typedef struct ControlSweep ControlSweep;

/** The last page is done (@complete), or the store went away meanwhile: then another start goes on
 * where this one ended. May start it again, must not free it. */
typedef void (*ControlSweepCb)(ControlSweep *sweep, bool complete);

struct ControlSweep {
    ControlCalls *calls; /* borrowed */
    char *node;          /* whose index it is */
    ControlSweepCb done;
    bool over; /* the calls have ended: their records are removed */
    bool running;
    bool interrupted;   /* this page has to be read again */
    char *after;        /* the last call of the pages that are done; NULL = none */
    char *last;         /* of the page that is not */
    unsigned under_way; /* of that page */
};

ControlSweep *control_sweep_new(ControlCalls *calls, const char *node, ControlSweepCb done);
void control_sweep_free(ControlSweep *sweep);

/** Begins, or goes on; nothing while it runs. */
void control_sweep_start(ControlSweep *sweep);
