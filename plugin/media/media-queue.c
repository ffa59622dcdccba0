/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-media-tcp.c. */
#include "config.h"

#include "media/media-queue.h"

#include <glib.h>

int media_queue_init(MediaQueue *q, uv_loop_t *loop, uv_async_cb ready_cb, void *data)
{
    int error = uv_async_init(loop, &q->wake, ready_cb);

    if (error != 0)
        return error;
    g_assert(uv_mutex_init(&q->lock) == 0);
    q->wake.data = data;
    q->first = NULL;
    q->last = &q->first;
    return 0;
}

void media_queue_push(MediaQueue *q, MediaMessage *message)
{
    message->next = NULL;
    uv_mutex_lock(&q->lock);
    *q->last = message;
    q->last = &message->next;
    uv_mutex_unlock(&q->lock);
    uv_async_send(&q->wake);
}

MediaMessage *media_queue_take(MediaQueue *q)
{
    uv_mutex_lock(&q->lock);
    MediaMessage *first = q->first;
    q->first = NULL;
    q->last = &q->first;
    uv_mutex_unlock(&q->lock);
    return first;
}

void media_queue_close(MediaQueue *q, uv_close_cb closed_cb)
{
    uv_close((uv_handle_t *)&q->wake, closed_cb);
}

void media_queue_clear(MediaQueue *q)
{
    uv_mutex_destroy(&q->lock);
}
