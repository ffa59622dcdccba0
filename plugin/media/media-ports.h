/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-ports.h: the pool of local ports of one address range. A reserved port is a bound socket,
 * so that what was reserved can be used, and a port number is given out again only after the stream
 * that had it is gone.
 *
 * Threads: the pool belongs to the control thread. The socket of a port goes to a worker with
 * media_open(); after that the control thread never touches it and only returns the number. Owner:
 * control owns the pool and every MediaPort.
 */
#pragma once

#include "media/media-types.h"

typedef struct MediaPorts MediaPorts;
typedef struct MediaPort MediaPort;

/** @port_min..@port_max inclusive, for every address asked for; @port_min is at least 1.
 * @freebind: a port that is asked for by its number may be of an address that this host does not
 * have now: a virtual address that comes with a take-over. New ones never are: who does not have the
 * address must not promise it. */
MediaPorts *media_ports_new(uint16_t port_min, uint16_t port_max, bool freebind);

/** After all its ports were released. NULL is allowed. */
void media_ports_free(MediaPorts *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MediaPorts, media_ports_free)

/**
 * Binds the next free port of @ip (its port member is ignored; a TCP socket listens already). NULL
 * with MEDIA_PORTS_ERROR when all are taken, by us or by others, or the address cannot be bound.
 * @exact: bind this port only (restoring a stream; it may lie outside a range that was changed
 * since), 0 = any of the range. A number is in use for TCP and UDP alike. Round robin, so that a
 * port is not given out again right after it was freed.
 */
MediaPort *media_port_reserve(MediaPorts *pool, const Addr *ip, MediaTransport transport,
                              uint16_t exact, GError **error);

/** Returns the number, and closes the socket unless a stream took it. NULL is allowed. */
void media_port_release(MediaPort *port);

/** Address and port. */
const Addr *media_port_addr(const MediaPort *port);

/** For media_open(): the socket, which belongs to the caller from now on; -1 when it was taken
 * before. */
int media_port_take_socket(MediaPort *port);

/** Ports reserved now, for one address (all addresses when NULL), and the size of the range of one
 * address. */
unsigned media_ports_used(const MediaPorts *pool, const Addr *ip);
unsigned media_ports_size(const MediaPorts *pool);

#define MEDIA_PORTS_ERROR (media_ports_error_quark())
GQuark media_ports_error_quark(void);
typedef enum MediaPortsError {
    MEDIA_PORTS_ERROR_EXHAUSTED, /* every port is taken */
    MEDIA_PORTS_ERROR_FILES,     /* no descriptor or memory for another socket */
    MEDIA_PORTS_ERROR_ADDRESS,   /* this host does not have it */
} MediaPortsError;
