/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * msrp-uri.h: MSRP URIs of RFC 4975 section 6, as values: they stand in a=path and in To-Path and
 * From-Path, and the code for those two must not include each other.
 *
 * Threads: any; there is no state.
 * Owner:   every Span borrows from the text that was parsed.
 */
#pragma once

#include "base/addr.h"

#define MSRP_URI_MAX  1024
#define MSRP_PATH_MAX 8

typedef struct MsrpUri {
    bool secure;     /* msrps: TLS on this hop (MSR-03) */
    Span userinfo;   /* without the "@"; mostly empty */
    Span host;       /* as written, an IPv6 literal in its brackets */
    uint16_t port;   /* 0 when not written */
    Span session_id; /* empty when not written (a relay's own URI) */
    Span transport;  /* "tcp" */
    Span params;     /* what follows the transport, with its leading ";" */
} MsrpUri;

/** Leftmost URI first. More than one means MSRP relays (MSR-12). */
typedef struct MsrpPath {
    unsigned n;
    MsrpUri uri[MSRP_PATH_MAX];
} MsrpPath;

/**
 * Parses one URI that fills @text. False for anything else than the syntax of RFC 4975 section 9,
 * for blanks, control and non-ASCII bytes, port 0, and more than MSRP_URI_MAX bytes. Lenient in one
 * thing: a session-id may hold any visible character but ";", because some clients use more than
 * allowed.
 */
bool msrp_uri_parse(Span text, MsrpUri *ret_uri);

/** One to MSRP_PATH_MAX URIs separated by blanks, and nothing else. */
bool msrp_path_parse(Span text, MsrpPath *ret_path);

/**
 * Do both name the same session (RFC 4975 6.1, MSR-04)? Hosts that are literals compare as
 * addresses, others without case; userinfo and parameters other than the transport do not count.
 */
bool msrp_uri_eq(const MsrpUri *a, const MsrpUri *b);

/** The host as a literal address, with the port (0 when not written). False for a host name:
 * nothing is resolved. */
bool msrp_uri_addr(const MsrpUri *uri, Addr *ret_addr);

/**
 * The URI as text, owned by the caller. The scheme follows uri->secure.
 * @at: (borrowed) (nullable) stands in place of the host and port.
 */
char *msrp_uri_text(const MsrpUri *uri, const Addr *at);
