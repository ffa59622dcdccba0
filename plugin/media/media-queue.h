/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-queue.h: messages from any thread to the thread of one loop, in order.
 *
 * Threads: media_queue_push() from any thread, the rest on the loop's thread. The lock is libuv's
 * and not GLib's: the thread sanitizer understands it. Owner:   embedded in its reader. Nobody may
 * push once media_queue_close() was called.
 */
#pragma once

#include <uv.h>

/** The first member of every message. */
typedef struct MediaMessage {
    struct MediaMessage *next;
} MediaMessage;

typedef struct MediaQueue {
    uv_async_t wake; /* .data is the reader's */
    uv_mutex_t lock;
    MediaMessage *first;
    MediaMessage **last;
} MediaQueue;

/** @ready_cb runs on @loop after pushes; several pushes may become one call. 0 or a libuv error. */
int media_queue_init(MediaQueue *q, uv_loop_t *loop, uv_async_cb ready_cb, void *data);

/** Takes @message, which comes out of media_queue_take() on the other side. */
void media_queue_push(MediaQueue *q, MediaMessage *message);

/** All waiting messages, oldest first, linked by next; they belong to the caller. NULL when there
 * is none. */
MediaMessage *media_queue_take(MediaQueue *q);

/** Closes the handle; @closed_cb gets &q->wake and must call media_queue_clear(). */
void media_queue_close(MediaQueue *q, uv_close_cb closed_cb);
void media_queue_clear(MediaQueue *q);
