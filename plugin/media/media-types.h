/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * media-types.h: what the control thread and the workers say to each other about a stream. Values
 * only, no owner.
 */
#pragma once

#include "base/addr.h"
#include "base/fingerprint.h"
#include "media/media-msrp.h"

typedef enum MediaLegSide { MEDIA_ACCESS = 0, MEDIA_CORE = 1 } MediaLegSide;

typedef enum MediaTransport { MEDIA_TCP, MEDIA_UDP } MediaTransport;

typedef enum MediaSecurity {
    MEDIA_PLAIN,
    MEDIA_TLS, /* DTLS when the transport is UDP */
} MediaSecurity;

/** Who opens the TCP connection of a leg, as the setup negotiation stands (COM-01). Ignored for
 * UDP. */
typedef enum MediaSetup {
    MEDIA_SETUP_UNDECIDED, /* offered, not answered: listen, the peer may come early (COM-03) */
    MEDIA_SETUP_PASSIVE,   /* the peer connects to our port */
    MEDIA_SETUP_ACTIVE,    /* we connect to .remote */
    MEDIA_SETUP_HOLDCONN,  /* nobody connects until the next offer (TRK-16) */
} MediaSetup;

/** Who sends the ClientHello. */
typedef enum MediaTlsRole {
    MEDIA_TLS_SERVER,
    MEDIA_TLS_CLIENT,
    MEDIA_TLS_PEEK, /* BFCP: be server if a ClientHello comes within the grace time, else client
                       (BFC-06) */
} MediaTlsRole;

typedef enum MediaFraming {
    MEDIA_RAW,       /* bytes as they come */
    MEDIA_BFCP,      /* whole messages are not split between writes */
    MEDIA_MSRP,      /* frames, whose paths may have to be rewritten (MediaSpec.msrp) */
    MEDIA_DATAGRAMS, /* UDPTL: one packet, one record, one datagram (DTL-10) */
} MediaFraming;

typedef struct MediaLeg {
    MediaSecurity security;
    MediaSetup setup;
    MediaTlsRole tls_role;
    Addr remote; /* from the latest c= and m= of that leg; family ADDR_NONE = unknown */
    FingerprintSet
        fingerprints; /* what the peer's certificate must match; n == 0: not known yet (TRK-10) */
    bool allow_sha1;
    unsigned generation; /* another one than before: the peer wants a new connection, though the
                            ports stay */
} MediaLeg;

/** A stream as it stands after an offer or an answer. The local addresses are those of its two
 * MediaPorts. */
typedef struct MediaSpec {
    MediaTransport transport;
    MediaFraming framing;
    MediaMsrp *
        msrp; /* of MEDIA_MSRP; NULL: bytes as they come. Borrowed, media_open() takes a reference */
    bool answered; /* both legs are negotiated: start what we have to start, arm the connect timers
                    */
    MediaLeg leg[2]; /* by MediaLegSide */
} MediaSpec;

/** CTL-05. The names of the ng events are media_event_name(). */
typedef enum MediaEventKind {
    MEDIA_EVENT_TLS_ESTABLISHED,
    MEDIA_EVENT_TCP_CONNECT_FAILED,
    MEDIA_EVENT_ACCEPT_TIMEOUT,
    MEDIA_EVENT_TLS_HANDSHAKE_FAILED,
    MEDIA_EVENT_FINGERPRINT_MISMATCH,
    MEDIA_EVENT_NO_CLIENT_CERTIFICATE,
    MEDIA_EVENT_FINGERPRINT_UNKNOWN_TIMEOUT,
    MEDIA_EVENT_BEARER_RELEASED,
    MEDIA_EVENT_MEDIA_TIMEOUT,
    MEDIA_EVENT_CLOSED, /* not for the outside: the worker has let go of the stream and its ports */
} MediaEventKind;

#define MEDIA_TEXT_MAX 200

typedef struct MediaEvent {
    uint64_t stream_id;
    MediaEventKind kind;
    MediaLegSide leg;
    Addr peer;                   /* whose connection it is about; ADDR_NONE if nobody's */
    bool final;                  /* the stream cannot come up any more without new signalling */
    char reason[MEDIA_TEXT_MAX]; /* one printable line; for tls-established "TLSv1.3
                                    TLS_AES_128_GCM_SHA256" */
} MediaEvent;

/** "tls-established", "tcp-connect-failed" ... */
const char *media_event_name(MediaEventKind kind);

typedef enum MediaLegState {
    MEDIA_LEG_IDLE,
    MEDIA_LEG_LISTENING,
    MEDIA_LEG_CONNECTING,
    MEDIA_LEG_HANDSHAKE,
    MEDIA_LEG_QUARANTINE,
    MEDIA_LEG_OPEN,
    MEDIA_LEG_CLOSING,
    MEDIA_LEG_FAILED,
} MediaLegState;

const char *media_leg_state_name(MediaLegState state);

/** Times in milliseconds and sizes in bytes; the defaults are those of norms.md in TRK-06, -10,
 * -23, -24. */
typedef struct MediaLimits {
    unsigned handshake_ms;           /* 10000: one (D)TLS handshake */
    unsigned connect_ms;             /* 10000: our TCP connect */
    unsigned accept_ms;              /* 30000: answered, passive, and nobody came */
    unsigned fingerprint_unknown_ms; /* 30000 */
    unsigned drain_ms;               /* 5000: half-closed */
    unsigned idle_ms;                /* 0 = never: no byte on an open stream */
    unsigned peek_ms;                /* 300: BFC-06 */
    unsigned max_failures;           /* 5: refused connections before the stream counts as failed */
    unsigned max_handshakes;         /* 2: at once on one port */
    size_t buffer;                   /* 65536: per direction */
} MediaLimits;

/** Most that max_handshakes may be. */
#define MEDIA_HANDSHAKES_MAX 8
/** What buffer may be; a worker reads as much at a time. */
#define MEDIA_BUFFER_MIN 4096
#define MEDIA_BUFFER_MAX (64 * 1024)

/** The defaults above. */
MediaLimits media_limits_default(void);
