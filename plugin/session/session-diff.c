/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session-diff.h"

void session_stream_spec(const SessionStream *stream, MediaSpec *ret_spec)
{
    memset(ret_spec, 0, sizeof *ret_spec); /* padding too: specs are compared as bytes */
    ret_spec->transport = stream->medium->transport;
    ret_spec->framing = stream->medium->framing;
    ret_spec->answered = stream->answered;
    for (int side = 0; side < 2; side++) {
        const SessionLeg *leg = &stream->leg[side];
        MediaLeg *media = &ret_spec->leg[side];
        media->security = leg->secure ? MEDIA_TLS : MEDIA_PLAIN;
        media->setup = leg->setup;
        media->tls_role = leg->tls_role;
        media->remote = leg->remote;
        media->fingerprints = leg->fingerprints;
        media->allow_sha1 = stream->allow_sha1;
    }
}

typedef struct DiffContext {
    const Session *other;
    GArray *actions;
} DiffContext;

static void add_open_or_update(SessionStream *stream, void *arg)
{
    DiffContext *c = arg;
    SessionAction action = {.kind = SESSION_OPEN, .stream_id = stream->id};
    SessionStream *before = NULL;

    session_stream_spec(stream, &action.spec);
    if (c->other && session_find_stream(c->other, stream->id, NULL, NULL, &before)) {
        MediaSpec was;
        session_stream_spec(before, &was);
        if (memcmp(&was, &action.spec, sizeof was) == 0)
            return;
        action.kind = SESSION_UPDATE;
    }
    g_array_append_val(c->actions, action);
}

static void add_close(SessionStream *stream, void *arg)
{
    DiffContext *c = arg;
    SessionAction action = {.kind = SESSION_CLOSE, .stream_id = stream->id};

    if (!c->other || !session_find_stream(c->other, stream->id, NULL, NULL, NULL))
        g_array_append_val(c->actions, action);
}

GArray *session_diff(const Session *old, const Session *next)
{
    GArray *actions = g_array_new(FALSE, TRUE, sizeof(SessionAction));

    if (next)
        session_foreach_stream(next, add_open_or_update, &(DiffContext){old, actions});
    if (old)
        session_foreach_stream(old, add_close, &(DiffContext){next, actions});
    return actions;
}
