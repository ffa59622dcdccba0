/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-upstream.h: client of another ng server, by UDP: of the rtpengine behind us, or of a node
 * that owns a call. (rtpengine's TCP listener cuts connections with messages over 1024 bytes that
 * arrive in pieces.)
 *
 * A request is sent again after 250 ms, 500 ms more and so on, doubling, with the same cookie, so
 * that rtpengine does the work once. While rtpengine's host says that nobody listens, it is tried
 * every 100 ms: it may be restarting, and nothing here has to be restarted with it. Cookies begin
 * with a random text per process, because rtpengine tells requests apart by the cookie alone.
 *
 * Threads: control thread only.
 * Owner:   the server that of rtpengine, ControlForwards those of nodes.
 */
#pragma once

#include "base/addr.h"

#include <uv.h>

/** Requests that wait for rtpengine at a time. */
#define CONTROL_UPSTREAM_MAX 16384

typedef struct ControlUpstream ControlUpstream;

/**
 * Called exactly once for each request, from the loop. @reply: the body behind the cookie,
 * borrowed. @error: NULL, or why there is no reply (CONTROL_ERROR; its message fits a sentence to
 * the proxy). May send again, must not free the upstream.
 */
typedef void (*ControlUpstreamCb)(Span reply, const GError *error, void *user_data);

/**
 * @name: (copied) what log and errors call it, "rtpengine" or "node edge-2".
 * @timeout_ms: for all tries together. NULL and CONTROL_ERROR when there is no way to @addr.
 */
ControlUpstream *control_upstream_new(uv_loop_t *loop, const char *name, const Addr *addr,
                                      unsigned timeout_ms, GError **error);

/**
 * Ends it: requests that still wait get CONTROL_ERROR_STOPPING now, as do those sent from these
 * callbacks. The loop must run once more afterwards. NULL is allowed.
 */
void control_upstream_free(ControlUpstream *u);

/** Sends @body (copied) behind a cookie of ours. */
void control_upstream_send(ControlUpstream *u, Span body, ControlUpstreamCb cb, void *user_data);

const Addr *control_upstream_addr(const ControlUpstream *u);

/** The address of this host that rtpengine sees us at; port 0. ADDR_NONE when the system does not
 * tell. */
Addr control_upstream_local(const ControlUpstream *u);

/** Requests that wait now. */
unsigned control_upstream_outstanding(const ControlUpstream *u);

/** Requests that got no answer in time, since the start. */
uint64_t control_upstream_timeouts(const ControlUpstream *u);
