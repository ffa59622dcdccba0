/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-tcp.h: a TCP socket that takes ng requests: "cookie SP dictionary" back to back, bencode
 * only, as rtpengine's listen-tcp-ng. Replies go out in the order in which they are ready; the
 * cookie tells which is which.
 *
 * A connection may be idle for ever. It is closed when what it sends cannot become a message or is
 * longer than a datagram, and when it does not read its replies. After the client's FIN it gets the
 * replies that are still due.
 *
 * Threads: control thread only. SIGPIPE has to be ignored by the program.
 * Owner:   the server owns the listener, the listener its connections. A peer keeps the memory of
 * its connection, not the connection.
 */
#pragma once

#include "control/control-peer.h"

#include <uv.h>

/** Connections at a time on one listener; more are closed at once. */
#define CONTROL_TCP_MAX_CONNECTIONS 1024

/** Replies that a client leaves unread, in bytes, before it is cut off. */
#define CONTROL_TCP_MAX_UNSENT (1024 * 1024)

typedef struct ControlTcp ControlTcp;

/**
 * Binds @addr (port 0 = any; @freebind: this host need not have it). @cb gets every message and must
 * not free the listener. Error: CONTROL_ERROR.
 */
ControlTcp *control_tcp_new(uv_loop_t *loop, const Addr *addr, bool freebind, ControlMessageCb cb,
                            void *user_data, GError **error);

/** Closes the listener and its connections. The loop must run once more afterwards. NULL is
 * allowed. */
void control_tcp_free(ControlTcp *t);

/** Where it is bound, with the real port. */
const Addr *control_tcp_addr(const ControlTcp *t);

unsigned control_tcp_connections(const ControlTcp *t);
