/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * net-udp.h: non-blocking UDP in batches. Results as in net-socket.h.
 */
#pragma once

#include "net/net-socket.h"

/** Most datagrams of one system call. */
#define NET_UDP_BATCH 32
/** Room for one received datagram; a longer one is cut and marked. Nothing we carry comes near. */
#define NET_UDP_DATAGRAM_MAX 2048

typedef struct NetDatagram {
    Addr peer; /* sender or receiver */
    Span data;
    bool cut; /* received: did not fit, must not be used */
} NetDatagram;

/** Memory for one batch, reused for every socket of a thread. */
typedef struct NetUdpBatch NetUdpBatch;

NetUdpBatch *net_udp_batch_new(void);
void net_udp_batch_free(NetUdpBatch *batch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetUdpBatch, net_udp_batch_free)

/**
 * A bound socket, owned by the caller. A port is never shared with another socket. @freebind: the
 * address need not be one of this host.
 */
int net_udp_bind(const Addr *local, bool freebind);

/**
 * Receives up to NET_UDP_BATCH datagrams; returns how many, or -EAGAIN. The datagrams are members
 * of @batch, valid until its next use, and are in *@ret_datagrams.
 */
int net_udp_recv(int fd, NetUdpBatch *batch, const NetDatagram **ret_datagrams);

/** Datagrams on their way out of one socket, copied and sent together. */
typedef struct NetUdpOut NetUdpOut;

NetUdpOut *net_udp_out_new(void);
void net_udp_out_free(NetUdpOut *out);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetUdpOut, net_udp_out_free)

/**
 * Adds a datagram to @peer; sends all when that fills the batch. Every addition before a flush must
 * be for the same
 * @fd. Returns how many datagrams were lost: this one if it is longer than NET_UDP_DATAGRAM_MAX,
 * and those that the kernel had no room for.
 */
unsigned net_udp_out_add(NetUdpOut *out, int fd, const Addr *peer, Span data);

/** Sends what was added, in order. Returns how many were lost. */
unsigned net_udp_out_flush(NetUdpOut *out, int fd);

/** Forgets what was added; returns how many. */
unsigned net_udp_out_discard(NetUdpOut *out);

/**
 * Sends @n datagrams (at most NET_UDP_BATCH), each to its peer, in order. Returns how many the
 * kernel took; one that fails for its own reason (unreachable, too long) counts as taken: UDP may
 * lose it anyway.
 */
int net_udp_send(int fd, const NetDatagram *datagrams, unsigned n);
