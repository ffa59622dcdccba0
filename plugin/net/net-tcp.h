/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * net-tcp.h: non-blocking TCP. Results as in net-socket.h.
 */
#pragma once

#include "net/net-socket.h"

/**
 * A socket bound to @local (a literal address; port 0 lets the kernel choose) that listens. Owned
 * by the caller. -EADDRINUSE when somebody else has the port, -EADDRNOTAVAIL when the address is
 * not ours, unless @freebind: then it may become ours later.
 */
int net_tcp_listen(const Addr *local, int backlog, bool freebind);

/**
 * Begins to connect to @remote from @local's address (any port; NULL = the kernel's choice). The
 * descriptor becomes writable when that is over; net_socket_error() then says how.
 */
int net_tcp_connect(const Addr *local, const Addr *remote);

/** The next waiting connection, owned by the caller. -EAGAIN when there is none (any more). */
int net_tcp_accept(int listener, Addr *ret_peer);

/** Bytes read, 0 at the end of the stream. */
ssize_t net_tcp_recv(int fd, void *data, size_t size);

/** As net_tcp_recv(), but the bytes stay in the socket. */
ssize_t net_tcp_peek(int fd, void *data, size_t size);

/** Bytes taken, perhaps fewer than given. Never raises SIGPIPE. */
ssize_t net_tcp_send(int fd, Span data);

/** Sends FIN; reading goes on. */
int net_tcp_shutdown_write(int fd);

/** Ends both directions. Whoever waits for @fd finds it readable, at its end, and closes it. */
int net_tcp_shutdown(int fd);

/**
 * Lets the kernel look for a peer that vanished without a word: first probe after @idle_s seconds
 * of silence, then every @interval_s, dead after @probes unanswered ones; unacknowledged data count
 * as silence, too.
 */
int net_tcp_keepalive(int fd, int idle_s, int interval_s, int probes);
