/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session-diff.h"

#include "session/session-path.h"

void session_stream_spec(const SessionStream *stream, MediaSpec *ret_spec)
{
    *ret_spec = (MediaSpec){
        .transport = stream->medium->transport,
        .framing = stream->medium->framing,
        .answered = stream->answered,
        .msrp = session_path_media(stream),
    };
    for (int side = 0; side < 2; side++) {
        const SessionLeg *leg = &stream->leg[side];
        MediaLeg *media = &ret_spec->leg[side];
        media->security = leg->secure ? MEDIA_TLS : MEDIA_PLAIN;
        media->setup = leg->setup;
        media->tls_role = leg->tls_role;
        media->remote = leg->remote;
        media->fingerprints = leg->fingerprints;
        media->allow_sha1 = stream->allow_sha1;
        media->generation = leg->generation;
    }
}

static bool same_leg(const MediaLeg *a, const MediaLeg *b)
{
    return a->security == b->security && a->setup == b->setup && a->tls_role == b->tls_role &&
           a->allow_sha1 == b->allow_sha1 && a->generation == b->generation &&
           addr_eq(&a->remote, &b->remote) && fp_set_eq(&a->fingerprints, &b->fingerprints);
}

static bool same_spec(const MediaSpec *a, const MediaSpec *b)
{
    return a->transport == b->transport && a->framing == b->framing && a->answered == b->answered &&
           media_msrp_eq(a->msrp, b->msrp) && same_leg(&a->leg[0], &b->leg[0]) &&
           same_leg(&a->leg[1], &b->leg[1]);
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
        bool same = same_spec(&was, &action.spec);
        media_msrp_unref(was.msrp);
        if (same) {
            media_msrp_unref(action.spec.msrp);
            return;
        }
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

static void action_clear(gpointer data)
{
    media_msrp_unref(((SessionAction *)data)->spec.msrp);
}

GArray *session_diff(const Session *old, const Session *next)
{
    GArray *actions = g_array_new(FALSE, TRUE, sizeof(SessionAction));

    g_array_set_clear_func(actions, action_clear);

    if (next)
        session_foreach_stream(next, add_open_or_update, &(DiffContext){old, actions});
    if (old)
        session_foreach_stream(old, add_close, &(DiffContext){next, actions});
    return actions;
}
