/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "media/media-lease.h"

#include <time.h>

/* Milliseconds in the lower bits: enough for some thousand years. */
#define EPOCH_SHIFT 48
#define TIME_MASK   ((UINT64_C(1) << EPOCH_SHIFT) - 1)

/* A clock that goes on while the machine sleeps. */
static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint16_t epoch_of(uint64_t word)
{
    return (uint16_t)(word >> EPOCH_SHIFT);
}

/* @now was read before or after the word was written, so it may be a little older. */
static bool passed(const MediaLease *lease, uint64_t word, uint64_t now)
{
    unsigned ms = atomic_load_explicit(&lease->ms, memory_order_relaxed);

    return ms > 0 && now > (word & TIME_MASK) + ms;
}

static void store(MediaLease *lease, uint16_t epoch, uint64_t now)
{
    uint64_t word = (uint64_t)epoch << EPOCH_SHIFT | (now & TIME_MASK);

    atomic_store_explicit(&lease->now, word, memory_order_relaxed);
}

static uint64_t load(const MediaLease *lease)
{
    return atomic_load_explicit(&lease->now, memory_order_relaxed);
}

void media_lease_set(MediaLease *lease, unsigned ms)
{
    store(lease, epoch_of(load(lease)), now_ms());
    atomic_store_explicit(&lease->ms, ms, memory_order_relaxed);
}

void media_lease_alive(MediaLease *lease)
{
    uint64_t word = load(lease);
    uint64_t now = now_ms();

    /* Frozen from here on, it says no more than that we were alive at @now. */
    if (!passed(lease, word, now))
        store(lease, epoch_of(word), now);
}

uint16_t media_lease_renew(MediaLease *lease)
{
    uint16_t epoch = (uint16_t)(epoch_of(load(lease)) + 1);

    store(lease, epoch, now_ms());
    return epoch;
}

bool media_lease_passed(const MediaLease *lease)
{
    return passed(lease, load(lease), now_ms());
}

bool media_gate_check(MediaGate *gate)
{
    uint64_t word = load(gate->lease);

    if (epoch_of(word) != gate->epoch || passed(gate->lease, word, now_ms()))
        gate->closed = true;
    return gate->closed;
}

bool media_gate_open(MediaGate *gate, uint16_t epoch)
{
    bool was_closed = media_gate_held(gate);

    gate->epoch = epoch;
    gate->closed = false;
    return was_closed && !media_gate_held(gate);
}
