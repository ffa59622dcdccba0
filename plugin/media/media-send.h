/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-send.h: the way out of a connection (the rest of media-conn.h): from application bytes to TLS records to the
 * socket, and what waits when that is full. Here is what media-conn.c and media-send.c have of each other.
 *
 * Threads: the stream's worker.
 */
#pragma once

#include "media/media-conn.h"

/** Bytes as they go on the wire: at once what the socket takes, the rest when it takes more. False: .reason. */
bool media_send_wire(MediaConn *conn, Span wire);

/** Sends what the TLS engine put into the worker's scratch buffer. False: .reason. */
bool media_send_scratch(MediaConn *conn);

/** In media-conn.c: the TLS engine has failed, or a call on the socket; .reason says how. */
MediaIo media_conn_fail_tls(MediaConn *conn);
bool media_conn_socket_failed(MediaConn *conn, const char *what, ssize_t error);
