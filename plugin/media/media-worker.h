/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-worker.h: one thread with a loop that carries streams. Its big buffers are shared by all of
 * its streams, so an idle connection has none.
 *
 * Threads: _new(), _send() and _join() on the control thread; everything else, and the struct, on
 * the worker's. Owner:   the pool owns workers, a worker owns its streams.
 */
#pragma once

#include "base/buf.h"
#include "media/media-lease.h"
#include "media/media-queue.h"
#include "media/media-shared.h"
#include "net/net-udp.h"
#include "tls/tls-stream.h"

#include <uv.h>

typedef struct MediaStream MediaStream;

/** Largest read of a socket. */
#define MEDIA_READ_MAX MEDIA_BUFFER_MAX
/** Most bytes moved for one event of one connection, for the sake of the others. */
#define MEDIA_EVENT_BUDGET (256 * 1024)

typedef struct MediaWorker {
    uv_loop_t loop;
    uv_thread_t thread;
    MediaQueue commands;
    MediaQueue *events; /* the pool's; borrowed */
    MediaLimits limits;
    MediaGate gate;
    int64_t rested_at;   /* loop time of the last rest at the closed gate */
    GHashTable *streams; /* by &stream->id */
    bool stopping;
    /* Scratch, valid within one event. */
    char *rx; /* MEDIA_READ_MAX */
    Buf plain;
    Buf out;
    Buf gather;            /* pieces of a write */
    struct MediaConn *gathering; /* to whom; NULL: nobody, and .gather is empty */
    NetUdpBatch *udp_in;   /* these three are made when the first UDP stream opens */
    NetUdpOut *udp_out[2]; /* by MediaLegSide of the stream at work */
} MediaWorker;

typedef enum MediaCommandKind {
    MEDIA_COMMAND_OPEN,
    MEDIA_COMMAND_UPDATE,
    MEDIA_COMMAND_CLOSE,
    MEDIA_COMMAND_REOPEN, /* what was lost meanwhile is closed: serve on (media-lease.h) */
    MEDIA_COMMAND_STOP,   /* close all streams, then end the thread */
} MediaCommandKind;

typedef struct MediaCommand {
    MediaMessage message;
    MediaCommandKind kind;
    uint64_t stream_id;
    MediaSpec spec;
    uint16_t epoch; /* REOPEN only */
    /* OPEN only; references and descriptors belong to the command until the stream takes them. */
    TlsCtx *ctx;
    MediaShared *shared;
    Addr local[2];
    int fd[2];
} MediaCommand;

typedef struct MediaEventMessage {
    MediaMessage message;
    MediaEvent event;
} MediaEventMessage;

/** Starts the thread. @lease: the pool's; @events: where its events go. NULL and *@ret_error (libuv's) on failure. */
MediaWorker *media_worker_new(const MediaLimits *limits, const MediaLease *lease,
                              MediaQueue *events, int *ret_error);

/** Takes @command. */
void media_worker_send(MediaWorker *w, MediaCommand *command);

/** After MEDIA_COMMAND_STOP: waits for the thread, at most about a second, and frees the worker. */
void media_worker_join(MediaWorker *w);

/** Milliseconds on the loop's clock. */
static inline int64_t media_worker_now(const MediaWorker *w)
{
    return (int64_t)uv_now(&w->loop);
}

/** May no socket be touched? To be asked before bytes go out, and where a stream begins something. */
static inline bool media_worker_held(MediaWorker *w)
{
    return media_gate_held(&w->gate);
}

/** Lets the control thread come to its word instead of spinning: a little rest for each turn of the loop. */
void media_worker_rest(MediaWorker *w);

/**
 * The first line of every callback of a socket: true when it has to return at once. The watcher goes
 * on for @events, although libuv stops it for an error in @status.
 */
static inline bool media_worker_held_poll(MediaWorker *w, uv_poll_t *poll, int status, int events,
                                          uv_poll_cb cb)
{
    if (!media_worker_held(w))
        return false;
    if (status < 0)
        uv_poll_start(poll, events, cb);
    media_worker_rest(w);
    return true;
}

/** The stream has let go of everything; the worker forgets it. */
void media_worker_remove(MediaWorker *w, MediaStream *stream);
