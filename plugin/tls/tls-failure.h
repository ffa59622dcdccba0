/* SPDX-License-Identifier: GPL-3.0-or-later */
/** tls-failure.h: why a TLS or DTLS connection failed, as the events of the control protocol tell it (CTL-05). */
#pragma once

#include <glib.h>

typedef enum TlsFailureKind {
    TLS_FAILURE_NONE,
    TLS_FAILURE_HANDSHAKE,      /* protocol error, no common version or cipher, not TLS at all */
    TLS_FAILURE_FINGERPRINT,    /* the peer's certificate is not the signalled one */
    TLS_FAILURE_NO_CERTIFICATE, /* the peer sent no certificate */
    TLS_FAILURE_PEER_ALERT,     /* the peer refused us, also after a TLS 1.3 client handshake (TLS-12) */
    TLS_FAILURE_TRUNCATED,      /* the connection ended without close_notify */
    TLS_FAILURE_RECORD,         /* a bad record after the handshake */
} TlsFailureKind;

#define TLS_FAILURE_TEXT_MAX 160

typedef struct TlsFailure {
    TlsFailureKind kind;
    char text[TLS_FAILURE_TEXT_MAX]; /* one line, printable, without secrets: "alert bad_certificate (42) received" */
} TlsFailure;

/** "handshake", "fingerprint-mismatch" ...: stable words for logs. */
const char *tls_failure_name(TlsFailureKind kind);
