/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * dtls-stream.h: one DTLS 1.2 association as a pure datagram machine (no sockets; the time comes in).
 *
 * The states are those of tls-stream.h. One application datagram is one record in one datagram, both ways (DTL-10).
 *
 * One thing is left of a clock: OpenSSL 3.0 keeps the time of the next retransmission itself, by the wall clock, and
 * has no call that sends a flight again before that time. So _deadline() is what OpenSSL still has to wait, put on the
 * caller's clock, and a _timeout() that comes when OpenSSL's own timer has not run out only moves the deadline. A wall
 * clock that is set back during a handshake delays a retransmission by as much.
 *
 * Threads: an object is used by one thread only.
 * Owner:   whoever called _new() frees it; the context is referenced. A callback must not free the object; it may
 *          write on it or close it.
 */
#pragma once

#include "base/span.h"
#include "tls/tls-stream.h"

typedef struct DtlsStream DtlsStream;

/** Where datagrams go: @emit for the network, @deliver for decrypted application datagrams. Spans are borrowed. */
typedef struct DtlsSink {
    void (*emit)(void *arg, Span datagram);
    void (*deliver)(void *arg, Span datagram);
    void *arg;
} DtlsSink;

/**
 * @peer: (copied) the peer's address as opaque bytes, bound into the HelloVerifyRequest cookie as server (TLS-14).
 * @mtu: largest datagram to emit, at least 280; 0 = the context's. @expected as for tls_stream_new().
 */
DtlsStream *dtls_stream_new(TlsCtx *ctx, TlsRole role, const FingerprintSet *expected, bool allow_sha1,
                            Span peer, unsigned mtu);
void dtls_stream_free(DtlsStream *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DtlsStream, dtls_stream_free)

/**
 * One datagram that arrived; empty to start a client. @now_us: any monotonic clock, always the same one.
 * Garbage and records that do not authenticate are ignored and counted, never an error.
 * In QUARANTINE up to 8 application datagrams are held back (TRK-10), more are dropped. Unlike in TLS they are
 * decrypted first: a peer that missed our last flight must be answered, and only then are strangers' datagrams known.
 */
TlsState dtls_stream_feed(DtlsStream *s, Span datagram, int64_t now_us, const DtlsSink *sink);

/** When to call dtls_stream_timeout(), on the clock of _feed(); -1 = never. Ask again after each _feed() and _timeout(). */
int64_t dtls_stream_deadline(const DtlsStream *s);

/** Retransmits a lost flight. Fails the handshake after OpenSSL's number of tries. */
TlsState dtls_stream_timeout(DtlsStream *s, int64_t now_us, const DtlsSink *sink);

/** As for TLS; in QUARANTINE a match delivers what was held back. */
TlsState dtls_stream_set_fingerprints(DtlsStream *s, const FingerprintSet *expected, bool allow_sha1,
                                      const DtlsSink *sink);

/** One application datagram as one record. False, and nothing sent, unless OPEN or when it would not fit the MTU. */
bool dtls_stream_write(DtlsStream *s, Span datagram, const DtlsSink *sink);

/** Sends close_notify, once. */
void dtls_stream_close(DtlsStream *s, const DtlsSink *sink);

TlsState dtls_stream_state(const DtlsStream *s);
const TlsFailure *dtls_stream_failure(const DtlsStream *s);
const char *dtls_stream_version(const DtlsStream *s);
const char *dtls_stream_cipher(const DtlsStream *s);
bool dtls_stream_peer_fingerprint(const DtlsStream *s, FpHash hash, Fingerprint *ret_fp);

/** Datagrams that came to nothing: garbage, records that do not authenticate or repeat, and what quarantine dropped. */
uint64_t dtls_stream_ignored(const DtlsStream *s);

/** Does this datagram begin a new handshake (a ClientHello in epoch 0)? For TLS-15: the caller then runs a second object. */
bool dtls_is_client_hello(Span datagram);
