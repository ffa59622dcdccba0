/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-conn.h: one TCP connection of a stream, with TLS over it or not. Moves bytes; decides
 * nothing about the stream.
 *
 *   state        what it waits for                                     leaves to
 *   CONNECTING   the end of our connect                                PEEK, HANDSHAKE, OPEN
 *                                                                      (plain), DEAD
 *   PEEK         the peer's first byte, to choose our TLS role         HANDSHAKE, DEAD
 *   HANDSHAKE    the TLS handshake                                     QUARANTINE, OPEN, DEAD
 *   QUARANTINE   the signalled fingerprint (TRK-10); nothing is read   OPEN, DEAD
 *   OPEN         application bytes; the certificate matched            LINGER, DEAD
 *   LINGER       goodbye: what is pending goes out, what comes is      DEAD
 *                thrown away
 *   DEAD         nothing; the socket is closed
 *
 * Threads: the stream's worker.
 * Owner:   the stream. media_conn_kill() closes the socket at once and frees the memory after the
 * event batch, so a connection may be killed within its own callback and its members read until
 * that returns.
 */
#pragma once

#include "base/buf.h"
#include "framing/bfcp.h"
#include "framing/msrp-relay.h"
#include "media/media-stream.h"
#include "tls/tls-stream.h"

typedef struct MediaConn MediaConn;

typedef enum MediaConnState {
    MEDIA_CONN_CONNECTING,
    MEDIA_CONN_PEEK,
    MEDIA_CONN_HANDSHAKE,
    MEDIA_CONN_QUARANTINE,
    MEDIA_CONN_OPEN,
    MEDIA_CONN_LINGER,
    MEDIA_CONN_DEAD,
} MediaConnState;

/** @events: UV_READABLE, UV_WRITABLE, UV_DISCONNECT; all of them after a socket error. */
typedef void (*MediaConnCb)(MediaConn *conn, int events);

struct MediaConn {
    MediaStream *stream;
    MediaConnCb cb;
    MediaLegSide side;
    MediaConnState state;
    Addr peer;
    bool accepted;  /* the peer connected to us */
    bool secure;    /* TLS: then .tls is set from HANDSHAKE on */
    bool greeted;   /* the TLS engine had its first turn */
    bool hung_up;   /* the peer sent FIN or worse while we were not reading */
    bool eof;       /* its last application byte was read */
    bool heard;     /* application bytes came */
    bool finishing; /* FIN goes when .out is empty */
    bool finished;  /* FIN went */
    bool probed;    /* TRK-05: see media_conn_probe() */
    int fd;
    int watched;      /* events asked of libuv */
    int64_t deadline; /* end of this state, -1 = none; enforced by the stream */
    TlsStream *tls;
    Buf out;  /* to be sent, as it goes on the wire */
    Buf held; /* application bytes that wait: came with the handshake, or are a piece of a message
               */
    BfcpTracker bfcp;
    MediaEventKind failure;
    char *reason;    /* set with MEDIA_IO_FAILED and false */
    MsrpRelay *msrp; /* reads what comes from here, once the pair is joined; NULL: nobody has to */
    size_t surplus;  /* by so much more than what was read goes on lately, as rewritten */
    uv_poll_t poll;
};

typedef enum MediaIo {
    MEDIA_IO_OK,    /* more may follow at once */
    MEDIA_IO_AGAIN, /* the socket is drained */
    MEDIA_IO_EOF,
    MEDIA_IO_FAILED, /* .failure and .reason say why */
} MediaIo;

/** Sets .failure and .reason; returns MEDIA_IO_FAILED. */
G_GNUC_PRINTF(3, 4)
MediaIo media_conn_fail(MediaConn *conn, MediaEventKind kind, const char *format, ...);

/**
 * Takes an accepted socket. The state is PEEK, HANDSHAKE or, for a plain leg, OPEN;
 * media_conn_step() follows. NULL, and the socket closed, when the system has no room.
 */
MediaConn *media_conn_accepted(MediaStream *stream, MediaLegSide side, int fd, const Addr *peer,
                               MediaConnCb cb);

/** Begins to connect to the leg's remote address. NULL and *@ret_error (negative errno) when that
 * cannot be. */
MediaConn *media_conn_connect(MediaStream *stream, MediaLegSide side, MediaConnCb cb,
                              int *ret_error);

/**
 * Drives CONNECTING, PEEK and HANDSHAKE as far as the socket allows; @events as in the callback, 0
 * to begin. MEDIA_IO_AGAIN while it goes on, MEDIA_IO_OK when the state is QUARANTINE or OPEN,
 * MEDIA_IO_FAILED.
 */
MediaIo media_conn_step(MediaConn *conn, int events);

/** The peer was silent for the grace time: we are the TLS client (BFC-06). */
MediaIo media_conn_peek_over(MediaConn *conn);

/** New fingerprints for every state; MEDIA_IO_OK when OPEN, MEDIA_IO_AGAIN when still before it,
 * MEDIA_IO_FAILED. */
MediaIo media_conn_set_fingerprints(MediaConn *conn, const MediaLeg *leg);

/**
 * State OPEN: one read and what it decrypts to in *@ret_bytes, valid until the next call of any
 * connection of this worker. Bytes may come with every result, FAILED included: they were
 * authenticated (TRK-23).
 */
MediaIo media_conn_recv(MediaConn *conn, Span *ret_bytes);

/** State OPEN: sends application bytes; what the socket does not take is kept in .out. False:
 * .reason. */
bool media_conn_send(MediaConn *conn, Span bytes);

/**
 * State OPEN: takes pieces of application bytes, in order; the short ones are gathered to share a
 * write, until media_conn_push() sends what is left. In between no other connection of this worker
 * may gather. False: .reason, and nothing is gathered any more.
 */
bool media_conn_put(MediaConn *conn, const Span *slices, unsigned n);
bool media_conn_push(MediaConn *conn);

/** Sends from .out. False: .reason. */
bool media_conn_flush(MediaConn *conn);

/** No more from us: close_notify, and FIN behind what is pending. False: .reason. */
bool media_conn_finish(MediaConn *conn);

static inline bool media_conn_blocked(const MediaConn *conn)
{
    return buf_len(&conn->out) > 0;
}

/** Asks for @events (0 = none). */
void media_conn_watch(MediaConn *conn, int events);

/** Lets the kernel find out within seconds whether this peer is still there: another wants its
 * place. */
void media_conn_probe(MediaConn *conn);

/** To LINGER: finishes in peace until @deadline. May end DEAD at once. */
void media_conn_linger(MediaConn *conn, int64_t deadline);

/** Drives LINGER; may end DEAD. */
void media_conn_linger_step(MediaConn *conn);

/** Closes the socket; state DEAD. */
void media_conn_kill(MediaConn *conn);

/** "TLSv1.3 TLS_AES_128_GCM_SHA256" into @out. */
void media_conn_tls_text(const MediaConn *conn, char *out, size_t size);
