/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-media-msrp.c. */
#include "config.h"

#include "media/media-frames.h"

#include "framing/msrp-build.h"

#include <sys/random.h>

/* One direction at work, for the callbacks. */
typedef struct Direction {
    MediaConn *from;
    MediaConn *to;
    bool to_failed;
    size_t forwarded; /* bytes */
} Direction;

static bool forward_cb(void *arg, const Span *slices, unsigned n)
{
    Direction *d = arg;
    size_t total = 0;

    for (unsigned i = 0; i < n; i++)
        total += slices[i].len;
    d->forwarded += total;
    media_shared_add(&d->to->stream->shared->bytes_out[d->to->side], total);
    d->to_failed = !media_conn_put(d->to, slices, n);
    return !d->to_failed;
}

/* After the last forward_cb() of a turn. */
static bool push(Direction *d)
{
    d->to_failed = d->to_failed || !media_conn_push(d->to);
    return !d->to_failed;
}

static bool no_reply_cb(void *arg, Span frame)
{
    (void)arg, (void)frame;
    return true;
}

/* Our answer goes where the frames of the other direction go, between two of them. */
static bool reply_cb(void *arg, Span frame)
{
    Direction *d = arg;
    Direction back = {.from = d->to, .to = d->from};
    MsrpSink sink = {forward_cb, no_reply_cb, &back};

    return push(d) && msrp_relay_insert(d->to->msrp, frame, &sink) && push(&back);
}

static MediaRelayResult result_of(const Direction *d, MsrpRelayResult result)
{
    MediaConn *from = d->from;

    switch (result) {
    case MSRP_RELAY_OK:
        return MEDIA_RELAY_OK;
    case MSRP_RELAY_MALFORMED:
        media_conn_fail(from, MEDIA_EVENT_BEARER_RELEASED, "malformed MSRP: %s",
                        msrp_relay_error(from->msrp));
        return MEDIA_RELAY_FROM_FAILED;
    case MSRP_RELAY_STOPPED:
        break;
    }
    if (d->to_failed)
        return MEDIA_RELAY_TO_FAILED;
    if (!from->reason)
        media_conn_fail(from, MEDIA_EVENT_BEARER_RELEASED,
                        "the peer asks for more refusals than it reads");
    return MEDIA_RELAY_FROM_FAILED;
}

/* A full read that grows would need one more TLS record for a few bytes, so the next one is as much
 * smaller. One that does not is inside a long body, where the next will not grow either. */
static void note_surplus(MediaConn *from, size_t read, size_t forwarded)
{
    size_t more = forwarded > read ? forwarded - read : 0;

    from->surplus = more ? MAX(more, from->surplus - (from->surplus + 63) / 64) : 0;
}

MediaRelayResult media_frames_relay(MediaConn *from, MediaConn *to, Span bytes)
{
    Direction d = {.from = from, .to = to};
    MsrpSink sink = {forward_cb, reply_cb, &d};

    MsrpRelayResult result = msrp_relay_feed(from->msrp, bytes, &sink);
    if (!push(&d))
        result = MSRP_RELAY_STOPPED;
    if (to->tls)
        note_surplus(from, bytes.len, d.forwarded);
    return result_of(&d, result);
}

MediaRelayResult media_frames_finish(MediaConn *from, MediaConn *to)
{
    Direction d = {.from = from, .to = to};
    MsrpSink sink = {forward_cb, reply_cb, &d};

    MsrpRelayResult result = msrp_relay_finish(from->msrp, &sink);
    return result_of(&d, push(&d) ? result : MSRP_RELAY_STOPPED);
}

bool media_frames_wanted(const MediaStream *stream)
{
    return stream->spec.framing == MEDIA_MSRP && stream->spec.msrp;
}

/* What frames from @from name, and what the other leg's peer has to read instead. */
static MsrpMapSpec map_spec(const MediaConn *from)
{
    const MediaMsrp *msrp = from->stream->spec.msrp;
    MediaLegSide there = media_other(from->side);

    return (MsrpMapSpec){
        .mode = msrp ? msrp->mode : MSRP_MAP_KEEP,
        .secure_there = from->stream->spec.leg[there].security == MEDIA_TLS,
        .to_here = span_str(msrp ? msrp->ours[from->side] : NULL),
        .from_here = span_str(msrp ? msrp->peer[from->side] : NULL),
        .to_there = span_str(msrp ? msrp->peer[there] : NULL),
        .from_there = span_str(msrp ? msrp->ours[there] : NULL),
        .to_also = span_str(msrp ? msrp->also[from->side] : NULL),
    };
}

static bool refuse(MediaConn *conn)
{
    media_conn_fail(conn, MEDIA_EVENT_BEARER_RELEASED, "a=path of this leg is not an MSRP URI");
    return false;
}

MsrpRelay *media_frames_refuser(const MediaConn *conn)
{
    MsrpMapSpec spec = map_spec(conn);

    spec.bound_elsewhere = true;
    return msrp_relay_new(&spec);
}

static bool start_one(MediaConn *conn)
{
    MsrpMapSpec spec = map_spec(conn);

    conn->msrp = msrp_relay_new(&spec);
    return conn->msrp != NULL;
}

bool media_frames_start(MediaConn *access, MediaConn *core)
{
    return (start_one(access) && start_one(core)) || refuse(access);
}

bool media_frames_revise(MediaConn *access, MediaConn *core)
{
    MsrpMapSpec from_access = map_spec(access);
    MsrpMapSpec from_core = map_spec(core);

    return (msrp_relay_set_map(access->msrp, &from_access) &&
            msrp_relay_set_map(core->msrp, &from_core)) ||
           refuse(access);
}

static void fresh_ident(char out[static MSRP_IDENT_MAX])
{
    uint8_t bytes[12];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        g_error("getrandom() failed: no randomness, no transaction id");
    msrp_ident(bytes, sizeof bytes, out);
}

static bool speak_to(MediaConn *conn, MediaConn *other)
{
    const MediaMsrp *msrp = conn->stream->spec.msrp;
    Direction d = {.from = other, .to = conn};
    MsrpSink sink = {forward_cb, no_reply_cb, &d};
    char tid[MSRP_IDENT_MAX], message_id[MSRP_IDENT_MAX];

    fresh_ident(tid);
    fresh_ident(message_id);
    g_autofree char *send =
        msrp_build_empty_send(span_str(tid), span_str(message_id), span_str(msrp->peer[conn->side]),
                              span_str(msrp->ours[conn->side]));
    msrp_relay_expect(conn->msrp, span_str(tid));
    return msrp_relay_insert(other->msrp, span_str(send), &sink) && push(&d);
}

bool media_frames_speak_first(MediaConn *access, MediaConn *core)
{
    return speak_to(access, core) && speak_to(core, access);
}
