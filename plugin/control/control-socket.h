/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-socket.h: makes the datagram sockets of this folder.
 *
 * Threads: any. Owner: the caller owns the descriptor.
 */
#pragma once

#include "base/addr.h"

/** A whole datagram fits. */
#define CONTROL_DATAGRAM_MAX 65536

/** Datagrams taken from a socket before other handles get their turn. */
#define CONTROL_DATAGRAMS_PER_EVENT 64

/**
 * A non-blocking UDP socket bound to @addr that reports the address asked (IP_PKTINFO). @freebind:
 * this host need not have the address. -1 and CONTROL_ERROR on failure; the message names the
 * address, the cause and the way out.
 */
int control_socket_bind(const Addr *addr, bool freebind, GError **error);

/** A non-blocking UDP socket connected to @addr. -1 and CONTROL_ERROR on failure. */
int control_socket_connect(const Addr *addr, GError **error);

/** Sets CONTROL_ERROR for a socket that could not be had: @what is "listen for ng by UDP at" and
 * the like. */
void control_socket_error(GError **error, const char *what, const Addr *addr, int err);
