/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tls/tls-failure.h"

const char *tls_failure_name(TlsFailureKind kind)
{
    switch (kind) {
    case TLS_FAILURE_NONE:
        return "none";
    case TLS_FAILURE_HANDSHAKE:
        return "handshake";
    case TLS_FAILURE_FINGERPRINT:
        return "fingerprint-mismatch";
    case TLS_FAILURE_NO_CERTIFICATE:
        return "no-client-certificate";
    case TLS_FAILURE_PEER_ALERT:
        return "peer-alert";
    case TLS_FAILURE_TRUNCATED:
        return "truncated";
    case TLS_FAILURE_RECORD:
        return "bad-record";
    }
    g_assert_not_reached();
}
