/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * msrp-relay.h: carries the frames of one direction from one leg to the other, with To-Path and
 * From-Path mapped (TRK-01, TRK-02), and answers those that do not belong here (MSR-05).
 *
 * A stream whose paths stay as they are needs none of this: its bytes are relayed unread. But a
 * relay cannot start in the middle of a connection, so a stream that may come to need one has one
 * from its first byte, in MSRP_MAP_KEEP.
 *
 * Threads: used by one thread only.
 * Owner:   whoever called _new() frees it with _free(), not from inside a callback.
 */
#pragma once

#include "framing/msrp-map.h"

/** Most slices that one call of forward_cb brings. */
#define MSRP_SLICES_MAX 8
/** Most bytes of our own that wait for the end of a frame. */
#define MSRP_INSERT_MAX 16384

/** Where the bytes go. Spans are valid during the call. False stops the relay for good
 * (MSRP_RELAY_STOPPED). */
typedef struct MsrpSink {
    /** For the other leg, in order. Most slices point into the input; a few bytes between two are
     * the rewriting. */
    bool (*forward_cb)(void *arg, const Span *slices, unsigned n);
    /** For the leg that the input came from: one whole response, for msrp_relay_insert() of the
     * relay that writes to that leg. */
    bool (*reply_cb)(void *arg, Span frame);
    void *arg;
} MsrpSink;

typedef enum MsrpRelayResult {
    MSRP_RELAY_OK,
    MSRP_RELAY_MALFORMED, /* close the connection; of the bad frame nothing was forwarded */
    MSRP_RELAY_STOPPED,   /* a callback said so */
} MsrpRelayResult;

typedef struct MsrpRelayCounts {
    uint64_t forwarded; /* frames */
    uint64_t refused;   /* answered with 481 or 506 */
    uint64_t dropped;   /* not forwarded and not answered */
} MsrpRelayCounts;

typedef struct MsrpRelay MsrpRelay;

/** NULL when a URI in @spec (borrowed) is not one. */
MsrpRelay *msrp_relay_new(const MsrpMapSpec *spec);
void msrp_relay_free(MsrpRelay *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsrpRelay, msrp_relay_free)

/** Another mapping from the next frame on (TRK-03). False, and nothing changed, for a URI that is
 * not one. */
bool msrp_relay_set_map(MsrpRelay *r, const MsrpMapSpec *spec);

/**
 * A request of our own with this transaction id went out on the leg that the input comes from
 * (COM-10): its response is not forwarded, its status is msrp_relay_own_status(). @tid: (borrowed)
 * at most 32 bytes.
 */
void msrp_relay_expect(MsrpRelay *r, Span tid);

/** 0 until the response came. */
unsigned msrp_relay_own_status(const MsrpRelay *r);

/**
 * Relays all of @in. A frame is forwarded or refused as soon as its head is complete; bodies pass
 * through as they come. At most MSRP_END_MAX bytes of a body wait for the next call.
 */
MsrpRelayResult msrp_relay_feed(MsrpRelay *r, Span in, const MsrpSink *sink);

/** The input has ended, once: forwards what waited. A head that is not complete is lost: it names
 * nobody yet. */
MsrpRelayResult msrp_relay_finish(MsrpRelay *r, const MsrpSink *sink);

/**
 * Puts a whole frame of our own into what goes to the other leg: at once, or behind the frame that
 * is just passing, in a later feed. False when @sink stopped, or when more than MSRP_INSERT_MAX
 * bytes would wait: a peer asks for answers faster than the other side lets them through.
 */
bool msrp_relay_insert(MsrpRelay *r, Span frame, const MsrpSink *sink);

/** After MSRP_RELAY_MALFORMED: one printable line. Owned by the relay. */
const char *msrp_relay_error(const MsrpRelay *r);

MsrpRelayCounts msrp_relay_counts(const MsrpRelay *r);
