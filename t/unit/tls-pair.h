/* SPDX-License-Identifier: GPL-3.0-or-later */
/** tls-pair.h: for the tests of tls/: fixtures from t/certs/, and a peer made of bare OpenSSL that
 * can be made to misbehave. */
#pragma once

#include "base/buf.h"
#include "tls/tls-ctx.h"

#include <openssl/ssl.h>

/** The certificate and key t/certs/@name; "a+b" loads two. */
TlsIdentity *pair_identity(const char *name);

/** A context for it with the default profile. */
TlsCtx *pair_ctx(const char *name);

char *pair_path(const char *name, const char *suffix);

Fingerprint pair_fingerprint(const char *name, FpHash hash);

/** A set of one. */
FingerprintSet pair_set(const char *name, FpHash hash);

/** What the raw peer saw and sent, from OpenSSL's message callback. */
typedef struct RawLog {
    int alert_received;  /* description, -1 = none */
    unsigned tickets;    /* NewSessionTicket messages received */
    unsigned client_cas; /* names in the CertificateRequest */
} RawLog;

/** Its security level is 0, so that it offers what we must refuse. */
typedef struct Raw {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in;
    BIO *out;
    RawLog log;
    bool done;   /* handshake complete */
    bool failed; /* handshake or read failed */
    bool closed; /* close_notify received */
} Raw;

/** @cert: a name in t/certs/ or NULL; @version: TLS1_2_VERSION ... as both minimum and maximum. */
Raw *raw_new(bool server, const char *cert, int version);
void raw_free(Raw *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Raw, raw_free)

/** Takes @in, does what can be done, appends plaintext to @plain and what is to be sent to @out. */
void raw_feed(Raw *r, Span in, Buf *plain, Buf *out);
void raw_write(Raw *r, Span plain, Buf *out);
void raw_flush(Raw *r, Buf *out);
