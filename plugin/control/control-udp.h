/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-udp.h: a UDP socket that takes ng requests. A reply leaves from the very address that was
 * asked, also when the socket is bound to a wildcard: proxies use connected sockets and drop what
 * comes from another address.
 *
 * Threads: control thread only.
 * Owner:   the server. Peers that are still around keep the memory, not the socket.
 */
#pragma once

#include "control/control-peer.h"

#include <uv.h>

typedef struct ControlUdp ControlUdp;

/**
 * Binds @addr (port 0 = any; @freebind: this host need not have it). @cb gets every datagram and must
 * not free the listener. Error: CONTROL_ERROR.
 */
ControlUdp *control_udp_new(uv_loop_t *loop, const Addr *addr, bool freebind, ControlMessageCb cb,
                            void *user_data, GError **error);

/** Closes the socket. The loop must run once more afterwards. NULL is allowed. */
void control_udp_free(ControlUdp *u);

/** Where it is bound, with the real port. */
const Addr *control_udp_addr(const ControlUdp *u);
