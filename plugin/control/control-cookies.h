/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-cookies.h: knows a request that is sent again. Proxies repeat the same datagram with the
 * same cookie until they get a reply; doing the work twice would reserve ports twice.
 *
 * A request is known by transport, source address with port, and cookie. rtpengine takes the cookie
 * alone, so two proxies with the same numbering get each other's replies there; here they do not. A
 * client that comes back over a new TCP connection is another source.
 *
 * A finished request is remembered for 30 to 60 seconds: two generations, the older one dropped
 * every 30 s. When a generation is full it is dropped early, so a flood shortens the memory instead
 * of growing it.
 *
 * Threads: control thread only. Reads no clock: @now_us is monotonic time and never goes back.
 * Owner:   the server owns the cache, the cache owns the entries.
 */
#pragma once

#include "control/control-peer.h"

#define CONTROL_COOKIES_GENERATION_US (30 * G_USEC_PER_SEC)

typedef struct ControlCookies ControlCookies;
typedef struct ControlCookie ControlCookie;

typedef struct ControlCookiesLimits {
    unsigned in_flight; /* requests without a reply yet */
    unsigned entries;   /* finished requests in one generation */
    size_t bytes;       /* of their replies, in one generation */
} ControlCookiesLimits;

typedef enum ControlCookieState {
    CONTROL_COOKIE_NEW,      /* do the work, then control_cookies_finish() */
    CONTROL_COOKIE_WAITS,    /* a repeat of one in flight: will get the same reply */
    CONTROL_COOKIE_ANSWERED, /* a repeat: the reply was sent again */
    CONTROL_COOKIE_REFUSED,  /* too many in flight: nothing was noted */
} ControlCookieState;

ControlCookies *control_cookies_new(ControlCookiesLimits limits, int64_t now_us);

/** Forgets everything; entries in flight are not answered. */
void control_cookies_free(ControlCookies *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ControlCookies, control_cookies_free)

/**
 * A request has arrived. @ret_entry is set for CONTROL_COOKIE_NEW only and lives until it is
 * finished.
 * @cookie: not empty, copied.
 */
ControlCookieState control_cookies_begin(ControlCookies *c, const ControlPeer *from, Span cookie,
                                         int64_t now_us, ControlCookie **ret_entry);

/** Sends @reply to everybody who waits for it, once for each time it was asked for, and remembers
 * it. */
void control_cookies_finish(ControlCookies *c, ControlCookie *entry, Span reply, int64_t now_us);

/** The first one who asked; borrowed from @entry, until it is finished. */
const ControlPeer *control_cookie_peer(const ControlCookie *entry);

/** Drops what is too old; call it now and then so that memory is given back without traffic. */
void control_cookies_expire(ControlCookies *c, int64_t now_us);

/** Requests in flight and finished ones that are remembered. */
unsigned control_cookies_in_flight(const ControlCookies *c);
unsigned control_cookies_remembered(const ControlCookies *c);
