/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-streams.h: the local resources of streams, that is their ports and their place in the
 * media plane. It carries out what a change of session state asks for and undoes what a failed
 * request had reserved.
 *
 *   state      ports      media plane   leaves it by
 *   RESERVED   bound      -             apply() -> OPEN, rollback() -> gone
 *   OPEN       bound      opened        apply() without it -> CLOSING
 *   CLOSING    held       closing       the worker's last event and the end of the delay -> gone
 *
 * Threads: control thread only.
 * Owner:   whoever made it frees it; it owns the media pool and the port pool.
 */
#pragma once

#include "media/media-pool.h"
#include "session/session-plan.h"
#include "tls/tls-identities.h"

typedef struct ControlStreams ControlStreams;

/** Something happened to a stream that is OPEN. @call_id and @event are borrowed. */
typedef void (*ControlStreamCb)(const char *call_id, const MediaEvent *event, void *user_data);

typedef struct ControlStreamsConfig {
    uint16_t port_min, port_max;
    bool freebind; /* streams may be restored at addresses that are not on this host now */
    unsigned n_workers;
    MediaLimits limits;
    TlsIdentities *identities; /* borrowed, outlives us: every stream holds its own (FPR-09) */
} ControlStreamsConfig;

ControlStreams *control_streams_new(uv_loop_t *loop, const ControlStreamsConfig *config,
                                    ControlStreamCb cb, void *user_data, GError **error);

/** Closes every stream. The loop must run once more afterwards. */
void control_streams_free(ControlStreams *s);

/**
 * Reserves every port that @plan asks for and does not have yet, and writes the numbers into it.
 * False and @error (MEDIA_PORTS_ERROR) when one cannot be had; then none is reserved.
 */
bool control_streams_reserve(ControlStreams *s, SessionPlan *plan, GError **error);

/**
 * Reserves the very ports that @stream has, and holds the identity that it signals (FPR-09), for
 * control_streams_apply() to open. False and @error, and nothing is reserved.
 */
bool control_streams_restore(ControlStreams *s, const char *call_id, const SessionStream *stream,
                             GError **error);

/** Gives back what _reserve() took for @plan. */
void control_streams_rollback(ControlStreams *s, const SessionPlan *plan);

/**
 * Makes the media plane follow the change from @old to @next (either may be NULL). Ports of streams
 * that end are given back @delay_ms later (delete-delay), their connections end now.
 */
void control_streams_apply(ControlStreams *s, const Session *old, const Session *next,
                           unsigned delay_ms);

/** What streams present; borrowed. */
TlsIdentities *control_streams_identities(ControlStreams *s);

/** False when the stream is not open. */
bool control_streams_stats(ControlStreams *s, uint64_t stream_id, MediaStats *ret_stats);

/** What crossed the legs (by MediaLegSide), and what was kept out. */
typedef struct ControlTraffic {
    uint64_t bytes_in[2], bytes_out[2];
    uint64_t packets_in[2], packets_out[2];
    uint64_t refused;  /* connections and handshakes */
    uint64_t dropped;  /* datagrams */
    uint64_t too_long; /* of them */
} ControlTraffic;

/** The media plane's lease and gates: media_pool_lease() and what stands beside it. */
void control_streams_lease(ControlStreams *s, unsigned lease_ms);
void control_streams_alive(ControlStreams *s);
bool control_streams_stale(const ControlStreams *s);
void control_streams_reopen(ControlStreams *s);

/** Of all streams since the start, living and ended. */
void control_streams_traffic(ControlStreams *s, ControlTraffic *ret_traffic);

unsigned control_streams_ports_used(const ControlStreams *s);

/** Of one local address. */
void control_streams_ports(const ControlStreams *s, const Addr *ip, unsigned *ret_used,
                           unsigned *ret_free);
