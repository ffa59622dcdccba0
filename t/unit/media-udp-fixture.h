/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-udp-fixture.h: the peers of UDP streams, with or without DTLS, for the media tests; on top of
 * media-fixture.h.
 */
#pragma once

#include "t/unit/media-fixture.h"
#include "tls/dtls-stream.h"

#define UDP_ENDS_MAX 12

/* One UDP socket of a UE, a core node or a stranger. */
typedef struct End {
    int fd;
    Addr at;
    Addr to; /* where DTLS goes */
    DtlsStream *dtls;
    GPtrArray *got;       /* GBytes: application packets, or plain datagrams */
    unsigned plain_bytes; /* datagrams that are neither DTLS nor STUN */
    unsigned stun;
    unsigned deaf; /* so many datagrams get lost first */
} End;

typedef struct Udp {
    Fixture fx;
    End end[UDP_ENDS_MAX];
    unsigned n_ends;
} Udp;

/** @limits: NULL for the defaults. */
void udp_init(Udp *u, const MediaLimits *limits);
void udp_clear(Udp *u);

/** TLS access leg with the UE's fingerprint, plain core leg towards @core. */
MediaSpec udp_spec(Udp *u, const End *core);

End *end_new(Udp *u, const char *ip);

/** Another socket for it, on a port of its own; the old one is the caller's to close. */
void end_rebind(End *end, const char *ip);

/** DTLS from now on; as client it begins at once. */
void end_start_dtls(Udp *u, End *end, TlsCtx *ctx, TlsRole role, const Addr *to);

/** A DTLS client of the access leg. */
End *end_new_ue(Udp *u, const Stream *s, TlsCtx *ctx);

bool end_is_open(const End *end);
void end_send_dtls(End *end, Span packet);
void end_send_plain(End *end, const Stream *s, MediaLegSide side, Span packet);

/** Is packet @i of what came @expected? */
bool end_got(const End *end, unsigned i, Span expected);

/** Sends close_notify. */
void end_close(End *end);
