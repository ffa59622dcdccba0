/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * net-socket.h: what TCP and UDP sockets have in common. Thin: no state, no loop.
 *
 * Every function of net/ returns 0 or more on success and a negative errno value on failure;
 * -EAGAIN means "would block". net_error_text() says it in words. All sockets are non-blocking and
 * closed on exec.
 *
 * Threads: any; a descriptor belongs to whoever holds it.
 */
#pragma once

#include "base/addr.h"

#include <sys/types.h>

/** For the negative result of any function of net/: "Connection refused". */
const char *net_error_text(int error);

/** Closes @fd and sets it to -1; nothing if it is -1 already. */
void net_close(int *fd);

/** The address @fd is bound to. */
int net_local_addr(int fd, Addr *ret_addr);

/** The pending error of a socket, which this clears: 0 or a negative errno. Ends a connect (see
 * net_tcp_connect). */
int net_socket_error(int fd);

/** Lets @fd be bound to an address that this host does not have yet, or not any more. */
int net_set_freebind(int fd, AddrFamily family);

/** Sets the DSCP/TOS byte (IPv4) or traffic class (IPv6) of what @fd sends. */
int net_set_tos(int fd, AddrFamily family, uint8_t tos);
