/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * gateway.h: puts the parts together as the configuration says: certificate, TLS settings, media
 * plane, events, calls.
 *
 * Threads: control thread only.
 * Owner:   main().
 */
#pragma once

#include "control/control-calls.h"
#include "plugin/config.h"

typedef struct Gateway Gateway;

/**
 * @upstream: (nullable, borrowed for the call) the rtpengine behind us. @config: borrowed, must
 * outlive it. @drained: called by the loop when the last call is gone after `e2ae drain`; may free
 * the gateway. NULL and @error name the option or file at fault.
 */
Gateway *gateway_new(uv_loop_t *loop, const Config *config, const ControlUpstream *upstream,
                     void (*drained)(void *arg), void *arg, GError **error);

/** After the server that uses gateway_handle() is gone. The loop must run to its end
 * afterwards. NULL is allowed. */
void gateway_free(Gateway *g);

/** Reads the certificates from their files again, and tells the log; what cannot be read changes nothing. One that is
 * shared in Redis is replaced. */
void gateway_reload(Gateway *g);

/** What this node has done, as in a reply to statistics, owned by the caller. @upstream: as above. */
NgValue *gateway_statistics(const Gateway *g, const ControlUpstream *upstream);

/** A ControlHandleCb; @user_data is the Gateway. */
bool gateway_handle(ControlRequest *req, void *user_data);
