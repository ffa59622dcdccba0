/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-media-tcp.c. */
#include "config.h"

#include "media/media-stream.h"
#include "media/media-worker.h"

#include <pthread.h>
#include <signal.h>

/* How long a stopping worker lets peers take what is still in our buffers. */
#define STOP_DRAIN_MS 1000
/* Of a held worker whose sockets are ready. */
#define REST_MS 2

static void commands_closed(uv_handle_t *handle)
{
    MediaWorker *w = handle->data;

    media_queue_clear(&w->commands);
}

static void end_when_empty(MediaWorker *w)
{
    if (w->stopping && g_hash_table_size(w->streams) == 0 &&
        !uv_is_closing((uv_handle_t *)&w->commands.wake))
        media_queue_close(&w->commands, commands_closed);
}

void media_worker_remove(MediaWorker *w, MediaStream *stream)
{
    g_hash_table_remove(w->streams, &stream->id);
    end_when_empty(w);
}

static void stop(MediaWorker *w)
{
    unsigned n;
    g_autofree gpointer *ids = g_hash_table_get_keys_as_array(w->streams, &n);

    w->stopping = true;
    for (unsigned i = 0; i < n; i++)
        media_stream_close(g_hash_table_lookup(w->streams, ids[i]), STOP_DRAIN_MS);
    end_when_empty(w);
}

/* What came to nothing at the closed gate is looked at again: timers, and what waits to be begun. */
static void reopen(MediaWorker *w, uint16_t epoch)
{
    if (!media_gate_open(&w->gate, epoch))
        return;
    unsigned n;
    g_autofree gpointer *ids = g_hash_table_get_keys_as_array(w->streams, &n);
    for (unsigned i = 0; i < n; i++)
        media_stream_tick(g_hash_table_lookup(w->streams, ids[i]));
}

void media_worker_rest(MediaWorker *w)
{
    int64_t now = media_worker_now(w);

    if (w->rested_at != now)
        g_usleep(REST_MS * 1000);
    w->rested_at = now;
}

static void execute(MediaWorker *w, MediaCommand *command)
{
    MediaStream *stream = g_hash_table_lookup(w->streams, &command->stream_id);

    switch (command->kind) {
    case MEDIA_COMMAND_OPEN:
        g_assert(!stream);
        stream = media_stream_new(w, command);
        g_hash_table_insert(w->streams, &stream->id, stream);
        media_stream_start(stream);
        break;
    case MEDIA_COMMAND_UPDATE:
        if (stream)
            media_stream_update(stream, &command->spec);
        break;
    case MEDIA_COMMAND_CLOSE:
        if (stream)
            media_stream_close(stream, w->limits.drain_ms);
        break;
    case MEDIA_COMMAND_REOPEN:
        reopen(w, command->epoch);
        break;
    case MEDIA_COMMAND_STOP:
        stop(w);
        break;
    }
}

static void commands_ready(uv_async_t *handle)
{
    MediaWorker *w = handle->data;
    MediaMessage *next;

    for (MediaMessage *m = media_queue_take(&w->commands); m; m = next) {
        next = m->next;
        execute(w, (MediaCommand *)m);
        media_msrp_unref(((MediaCommand *)m)->spec.msrp);
        g_free(m);
    }
}

static void run(void *arg)
{
    MediaWorker *w = arg;

    pthread_setname_np(pthread_self(), "media");
    uv_run(&w->loop, UV_RUN_DEFAULT);
    g_assert(uv_loop_close(&w->loop) == 0);
}

static void free_worker(MediaWorker *w)
{
    g_hash_table_unref(w->streams);
    explicit_bzero(w->rx, MEDIA_READ_MAX);
    g_free(w->rx);
    buf_clear(&w->plain);
    buf_clear(&w->out);
    buf_clear(&w->gather);
    net_udp_batch_free(w->udp_in);
    net_udp_out_free(w->udp_out[0]);
    net_udp_out_free(w->udp_out[1]);
    g_free(w);
}

/* Signals belong to the control thread. */
static int start_thread(MediaWorker *w)
{
    sigset_t all;
    sigset_t before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = uv_thread_create(&w->thread, run, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

MediaWorker *media_worker_new(const MediaLimits *limits, const MediaLease *lease,
                              MediaQueue *events, int *ret_error)
{
    MediaWorker *w = g_new0(MediaWorker, 1);
    int error = uv_loop_init(&w->loop);

    if (error != 0) {
        g_free(w);
        *ret_error = error;
        return NULL;
    }
    w->limits = *limits;
    w->gate.lease = lease;
    w->rested_at = -1;
    w->events = events;
    w->streams = g_hash_table_new(g_int64_hash, g_int64_equal);
    w->rx = g_malloc(MEDIA_READ_MAX);
    buf_init(&w->plain, TLS_PLAIN_ROOM);
    buf_init(&w->out, TLS_PLAIN_ROOM + TLS_OUT_ROOM);
    buf_init(&w->gather, TLS_PLAIN_ROOM);
    error = media_queue_init(&w->commands, &w->loop, commands_ready, w);
    if (error == 0) {
        error = start_thread(w);
        if (error == 0)
            return w;
        media_queue_close(&w->commands, commands_closed);
        uv_run(&w->loop, UV_RUN_DEFAULT);
    }
    uv_loop_close(&w->loop);
    free_worker(w);
    *ret_error = error;
    return NULL;
}

void media_worker_send(MediaWorker *w, MediaCommand *command)
{
    media_queue_push(&w->commands, &command->message);
}

void media_worker_join(MediaWorker *w)
{
    uv_thread_join(&w->thread);
    free_worker(w);
}
