/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The calls of nodes that are dead, and what this node thinks of the others. */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

void control_calls_set_alone(ControlCalls *calls, bool alone)
{
    calls->alone = alone;
}

/* Whoever thinks the node dead will say so again: what was interrupted goes on then. */
static void swept_cb(ControlSweep *sweep, bool complete)
{
    const ControlRestored *taken = &sweep->calls->taken;

    if (complete)
        g_info("The calls of node %s have been claimed; taken over since the start: %u calls with "
               "%u streams, %u streams could not be",
               sweep->node, taken->calls, taken->streams, taken->dropped);
    else
        g_warning("Claiming the calls of node %s was interrupted, as the store is away",
                  sweep->node);
}

void control_calls_take_over(ControlCalls *calls, const char *node)
{
    ControlSweep *sweep = g_hash_table_lookup(calls->takeovers, node);

    if (!control_restore_may_claim(calls))
        return; /* the other members may, and else it is asked for again */
    if (!sweep) {
        sweep = control_sweep_new(calls, node, swept_cb);
        g_hash_table_insert(calls->takeovers, sweep->node, sweep);
    }
    control_sweep_start(sweep);
}
