/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session-path.h"

#define DISCARD_PORT 9

/* One URI that can be rewritten; a path through relays is not e2ae's (MSR-12). */
static bool parse_single(Span path, MsrpUri *ret_uri)
{
    return path.len && msrp_uri_parse(path, ret_uri);
}

SessionPathMode session_path_decide(const SessionSettings *settings, const SessionFacts *facts)
{
    MsrpUri uri;

    if (!facts->medium->path || !parse_single(facts->path, &uri))
        return SESSION_PATH_NONE;
    bool aware =
        settings->path == E2AE_PATH_AWARE || (settings->path == E2AE_PATH_AUTO && !facts->cema);
    if (aware)
        return SESSION_PATH_AWARE;
    return settings->scheme == E2AE_SCHEME_SWAP ? SESSION_PATH_SCHEME : SESSION_PATH_KEEP;
}

char *session_path_text(const SessionStream *stream, SessionSide to, SessionPathMode mode)
{
    const SessionLeg *leg = &stream->leg[to];
    const char *path = stream->leg[session_other(to)].peer_path;
    MsrpUri uri;

    if (mode < SESSION_PATH_SCHEME || !path || !parse_single(span_str(path), &uri))
        return NULL;
    uri.secure = leg->secure;
    if (mode == SESSION_PATH_SCHEME)
        return msrp_uri_text(&uri, NULL);
    /* TRK-04: where our m= line says 9, so does the path, or we would look like a middlebox. */
    Addr at = addr_with_port(leg->advertised, leg->discard ? DISCARD_PORT : leg->advertised.port);
    uri.userinfo = (Span){0};
    return msrp_uri_text(&uri, &at);
}

bool session_path_fits(const SessionStream *stream, SessionPathMode mode)
{
    return !stream->answered || stream->path_mode >= SESSION_PATH_SCHEME ||
           mode < SESSION_PATH_SCHEME;
}

/* The URI that the peer of @to has or had under another mode than the one in force. */
static char *also_text(const SessionStream *stream, SessionSide to)
{
    if (stream->path_also == SESSION_PATH_NONE)
        return NULL;
    if (stream->path_also == SESSION_PATH_KEEP)
        return g_strdup(stream->leg[session_other(to)].peer_path);
    return session_path_text(stream, to, stream->path_also);
}

MediaMsrp *session_path_media(const SessionStream *stream)
{
    static const MsrpMapMode modes[] = {
        [SESSION_PATH_SCHEME] = MSRP_MAP_SCHEME,
        [SESSION_PATH_AWARE] = MSRP_MAP_AWARE,
    };
    const char *peer[2];
    const char *ours[2];
    const char *also[2];

    if (stream->path_mode < SESSION_PATH_SCHEME || !stream->answered)
        return NULL;
    g_autofree char *to_access = session_path_text(stream, SESSION_ACCESS, stream->path_mode);
    g_autofree char *to_core = session_path_text(stream, SESSION_CORE, stream->path_mode);
    for (int side = 0; side < 2; side++)
        peer[side] = stream->leg[side].peer_path;
    g_autofree char *also_access = also_text(stream, SESSION_ACCESS);
    g_autofree char *also_core = also_text(stream, SESSION_CORE);
    ours[SESSION_ACCESS] = to_access;
    ours[SESSION_CORE] = to_core;
    also[SESSION_ACCESS] = also_access;
    also[SESSION_CORE] = also_core;
    if (!to_access || !to_core)
        return NULL;
    return media_msrp_new(modes[stream->path_mode], peer, ours, also);
}

const char *session_path_note(const SessionStream *stream, SessionSide from,
                              const SessionFacts *facts)
{
    MsrpUri uri;
    Addr at;

    if (facts->cema || stream->leg[from].setup != MEDIA_SETUP_ACTIVE ||
        !parse_single(facts->path, &uri) || !msrp_uri_addr(&uri, &at) || at.port == 0 ||
        facts->remote.family == ADDR_NONE || addr_is_any(&facts->remote) ||
        addr_eq(&at, &facts->remote))
        return NULL;
    return "a=path names another address than c= and m=, without a=msrp-cema; connecting to that "
           "of "
           "c= and m=";
}

const char *session_path_warning(const SessionStream *stream, SessionSide answerer,
                                 const SessionFacts *answer)
{
    bool transparent =
        stream->path_mode == SESSION_PATH_SCHEME || stream->path_mode == SESSION_PATH_KEEP;

    /* RFC 4975 8.1: without CEMA it connects to the host in the path, which is not us. */
    if (transparent && !answer->cema && stream->leg[answerer].setup == MEDIA_SETUP_PASSIVE)
        return "the answerer has no CEMA and connects past the gateway until the offerer offers "
               "without a=msrp-cema";
    return NULL;
}
