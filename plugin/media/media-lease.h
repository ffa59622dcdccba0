/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-lease.h: keeps workers from serving streams after the process was frozen (SIGSTOP, a paused
 * machine, a control thread that hangs) for so long that other nodes may have claimed them.
 *
 * The control thread says from time to time that it is alive. A worker whose last word of it is
 * older than the lease closes its gate before it touches a socket, and opens it again only by a
 * REOPEN command, which the control thread sends behind the CLOSE commands of the streams that were
 * lost. Every reopening has a number: a worker that slept through it all still finds that the number
 * is not its own, and waits for the command.
 *
 *   gate    leaves it by
 *   OPEN    the lease has passed, or another epoch has begun: CLOSED
 *   CLOSED  the REOPEN command of the present epoch: OPEN
 *
 * Threads: the lease is written on the control thread and read on all; a gate belongs to its worker.
 * Owner:   the pool embeds the lease, each worker its gate.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct MediaLease {
    atomic_uint ms;       /* 0 = off */
    _Atomic uint64_t now; /* epoch and time of the last sign of life, in one word */
} MediaLease;

typedef struct MediaGate {
    const MediaLease *lease;
    uint16_t epoch;
    bool closed;
} MediaGate;

/** Begins with a sign of life. */
void media_lease_set(MediaLease *lease, unsigned ms);

/** A sign of life; nothing once the lease has passed. */
void media_lease_alive(MediaLease *lease);

/** Begins a new epoch with a sign of life; returns its number for media_gate_open(). */
uint16_t media_lease_renew(MediaLease *lease);

/** True when no sign of life came for longer than the lease. */
bool media_lease_passed(const MediaLease *lease);

/** The slow part of media_gate_held(). */
bool media_gate_check(MediaGate *gate);

/**
 * To be asked right before a socket is touched. Time is read for each question, as a process may be
 * frozen within one turn of its loop.
 */
static inline bool media_gate_held(MediaGate *gate)
{
    return atomic_load_explicit(&gate->lease->ms, memory_order_relaxed) > 0 &&
           media_gate_check(gate);
}

/** The REOPEN command of @epoch. Returns whether the gate was closed and is open now. */
bool media_gate_open(MediaGate *gate, uint16_t epoch);
