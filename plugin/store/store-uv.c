/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-store-link.c */
#include "config.h"

#include "store/store-uv.h"

#include <glib.h>

typedef struct Watch {
    uv_poll_t poll;
    redisAsyncContext *ac; /* NULL when hiredis has let go of it */
    int events;
} Watch;

static void set_events(Watch *w, int events);

static void poll_cb(uv_poll_t *poll, int status, int events)
{
    Watch *w = poll->data;

    if (status < 0) {
        /* reading finds the error, and a connect that has failed, and tells its owner */
        redisAsyncHandleRead(w->ac);
        if (w->ac)
            set_events(w, w->events);
        return;
    }
    if (events & UV_READABLE)
        redisAsyncHandleRead(w->ac);
    if (w->ac && (events & UV_WRITABLE))
        redisAsyncHandleWrite(w->ac);
}

static void set_events(Watch *w, int events)
{
    /* hiredis says the same again for every command, and libuv makes system calls of it */
    if (events == w->events && uv_is_active((uv_handle_t *)&w->poll))
        return;
    w->events = events;
    if (events)
        uv_poll_start(&w->poll, events, poll_cb);
    else
        uv_poll_stop(&w->poll);
}

static void add_read(void *data)
{
    Watch *w = data;

    set_events(w, w->events | UV_READABLE);
}

static void del_read(void *data)
{
    Watch *w = data;

    set_events(w, w->events & ~UV_READABLE);
}

static void add_write(void *data)
{
    Watch *w = data;

    set_events(w, w->events | UV_WRITABLE);
}

static void del_write(void *data)
{
    Watch *w = data;

    set_events(w, w->events & ~UV_WRITABLE);
}

static void closed(uv_handle_t *handle)
{
    g_free(handle->data);
}

/* hiredis closes the descriptor right after this; uv_close() forgets it at once. */
static void cleanup(void *data)
{
    Watch *w = data;

    w->ac = NULL;
    uv_close((uv_handle_t *)&w->poll, closed);
}

int store_uv_attach(redisAsyncContext *ac, uv_loop_t *loop)
{
    Watch *w = g_new0(Watch, 1);
    int rc = uv_poll_init(loop, &w->poll, ac->c.fd);

    if (rc < 0) {
        g_free(w);
        return rc;
    }
    w->poll.data = w;
    w->ac = ac;
    ac->ev.data = w;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = cleanup;
    return 0;
}
