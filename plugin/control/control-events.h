/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-events.h: tells the outside what happened to a stream (CTL-05): one log line always, one
 * JSON datagram to every UDP sink. Best effort by design: an event that nobody listens for must not
 * hold up a call.
 *
 * Threads: control thread only.
 * Owner:   whoever made it frees it.
 */
#pragma once

#include "media/media-types.h"

#include <uv.h>

typedef struct ControlEvents ControlEvents;

/** One change of state of one stream. Everything is borrowed. */
typedef struct ControlEvent {
    const char *event; /* "fingerprint-mismatch" */
    const char *call_id;
    const char *tag[2]; /* of the access side and the core side; NULL = not known */
    unsigned index;     /* m-line, from 1 */
    const char *medium;
    MediaLegSide leg;
    Addr peer; /* ADDR_NONE = nobody's connection */
    const char *reason;
    bool failure; /* worth a notice; else it is information */
    bool final;   /* the stream needs new signalling */
} ControlEvent;

/** @sinks: of Addr. NULL and @error when a socket cannot be made. */
ControlEvents *control_events_new(uv_loop_t *loop, const Addr *sinks, unsigned n_sinks,
                                  GError **error);

/** The loop must run once more afterwards. */
void control_events_free(ControlEvents *events);

void control_events_emit(ControlEvents *events, const ControlEvent *event);

/** Something that happened to the whole node, whose id is @node: "redis-away". Only to the sinks: who found
 * it out has logged it. */
void control_events_emit_node(ControlEvents *events, const char *event, const char *node,
                              const char *reason);

/** Events since the start, and how many datagrams could not be sent. */
uint64_t control_events_count(const ControlEvents *events);
uint64_t control_events_lost(const ControlEvents *events);
