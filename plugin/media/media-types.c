/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "media/media-types.h"

const char *media_event_name(MediaEventKind kind)
{
    static const char *const names[] = {
        [MEDIA_EVENT_TLS_ESTABLISHED] = "tls-established",
        [MEDIA_EVENT_TCP_CONNECT_FAILED] = "tcp-connect-failed",
        [MEDIA_EVENT_ACCEPT_TIMEOUT] = "accept-timeout",
        [MEDIA_EVENT_TLS_HANDSHAKE_FAILED] = "tls-handshake-failed",
        [MEDIA_EVENT_FINGERPRINT_MISMATCH] = "fingerprint-mismatch",
        [MEDIA_EVENT_NO_CLIENT_CERTIFICATE] = "no-client-certificate",
        [MEDIA_EVENT_FINGERPRINT_UNKNOWN_TIMEOUT] = "fingerprint-unknown-timeout",
        [MEDIA_EVENT_BEARER_RELEASED] = "bearer-released",
        [MEDIA_EVENT_MEDIA_TIMEOUT] = "media-timeout",
        [MEDIA_EVENT_CLOSED] = "closed",
    };

    return (unsigned)kind < G_N_ELEMENTS(names) ? names[kind] : "unknown";
}

const char *media_leg_state_name(MediaLegState state)
{
    static const char *const names[] = {
        [MEDIA_LEG_IDLE] = "idle",
        [MEDIA_LEG_LISTENING] = "listening",
        [MEDIA_LEG_CONNECTING] = "connecting",
        [MEDIA_LEG_HANDSHAKE] = "handshake",
        [MEDIA_LEG_QUARANTINE] = "quarantine",
        [MEDIA_LEG_OPEN] = "open",
        [MEDIA_LEG_CLOSING] = "closing",
        [MEDIA_LEG_FAILED] = "failed",
    };

    return (unsigned)state < G_N_ELEMENTS(names) ? names[state] : "unknown";
}

MediaLimits media_limits_default(void)
{
    return (MediaLimits){
        .handshake_ms = 10000,
        .connect_ms = 10000,
        .accept_ms = 30000,
        .fingerprint_unknown_ms = 30000,
        .drain_ms = 5000,
        .idle_ms = 0,
        .peek_ms = 300,
        .max_failures = 5,
        .max_handshakes = 2,
        .buffer = 65536,
    };
}
