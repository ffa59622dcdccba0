/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * tls-stream.h: one TLS connection as a pure byte machine (no sockets, no clock).
 *
 * Threads: an object is used by one thread only.
 * Owner:   whoever called _new() frees it with _free(); the context is referenced, not owned.
 *
 *   state        what it means                                            leaves it by
 *   HANDSHAKE    keys are being agreed                                    feed()
 *   QUARANTINE   handshake complete, the peer's certificate cannot be     set_fingerprints()
 *                checked yet (TRK-10): nothing is decrypted, sent or read
 *   OPEN         the peer's certificate matched a signalled fingerprint   feed(), close()
 *   EOF          the peer's close_notify arrived; we may still write      close()
 *   FAILED       see tls_stream_failure(); only _free() may follow
 */
#pragma once

#include "base/buf.h"
#include "base/fingerprint.h"
#include "tls/tls-ctx.h"
#include "tls/tls-failure.h"

typedef struct TlsStream TlsStream;

typedef enum TlsState {
    TLS_STATE_HANDSHAKE,
    TLS_STATE_QUARANTINE,
    TLS_STATE_OPEN,
    TLS_STATE_EOF,
    TLS_STATE_FAILED,
} TlsState;

/** What one call of _feed() may be given at most; also bounds what is held back in quarantine. */
#define TLS_FEED_MAX (64 * 1024)
/** Room that @plain must have for a full feed, and @out for the answers to it. */
#define TLS_PLAIN_ROOM (TLS_FEED_MAX + 16 * 1024)
#define TLS_OUT_ROOM   (64 * 1024)
/** Most plaintext one _write() takes, and the room that @out must have beyond the bytes of it. */
#define TLS_WRITE_MAX      (64 * 1024)
#define TLS_WRITE_OVERHEAD 1024

/**
 * A connection that has not sent or received anything. The first feed with empty input starts a client.
 * @expected: (borrowed, copied) fingerprints to accept; NULL or n == 0: not known yet, ends in QUARANTINE.
 * @allow_sha1: FPR-05.
 */
TlsStream *tls_stream_new(TlsCtx *ctx, TlsRole role, const FingerprintSet *expected, bool allow_sha1);
void tls_stream_free(TlsStream *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsStream, tls_stream_free)

/**
 * Takes ciphertext that arrived (all of @in, at most TLS_FEED_MAX; may be empty to drive the handshake), appends
 * plaintext to @plain and bytes to send to @out. Never blocks. Plaintext comes only in state OPEN, so never before
 * the certificate matched (ASC-07). On failure @out may hold an alert to send, and @plain what had been
 * authenticated before. Returns the state after the call.
 */
TlsState tls_stream_feed(TlsStream *s, Span in, Buf *plain, Buf *out);

/**
 * The transport ended: FAILED with TLS_FAILURE_TRUNCATED unless the close_notify was there (TRK-23). Call it when
 * tls_stream_pending() is false, or what is held back, which may include a close_notify, is lost.
 */
TlsState tls_stream_feed_eof(TlsStream *s);

/**
 * The fingerprints became known or changed. In QUARANTINE the certificate is checked now: a match opens the stream
 * (bytes held back come out of the next feed), a mismatch fails it and puts a close_notify into @out. In OPEN a
 * set that no longer matches fails the stream (TRK-13). In HANDSHAKE it is remembered.
 */
TlsState tls_stream_set_fingerprints(TlsStream *s, const FingerprintSet *expected, bool allow_sha1, Buf *out);

/**
 * Encrypts all of @plain (at most TLS_WRITE_MAX) into @out. Only in OPEN or EOF, before our close_notify and with
 * the room named above; else nothing is written and false is returned.
 */
bool tls_stream_write(TlsStream *s, Span plain, Buf *out);

/** Puts our close_notify into @out, once. Reading may go on. */
void tls_stream_close(TlsStream *s, Buf *out);

/**
 * Are bytes that arrived still held back? In OPEN: after a quarantine, or because @plain had no room; the next feed,
 * which may be empty, brings them.
 */
bool tls_stream_pending(const TlsStream *s);

TlsState tls_stream_state(const TlsStream *s);

/** Why it failed; TLS_FAILURE_NONE unless FAILED. */
const TlsFailure *tls_stream_failure(const TlsStream *s);

/** After the handshake: "TLSv1.3", "TLS_AES_128_GCM_SHA256" (static strings of OpenSSL) and the peer's leaf digest. */
const char *tls_stream_version(const TlsStream *s);
const char *tls_stream_cipher(const TlsStream *s);
bool tls_stream_peer_fingerprint(const TlsStream *s, FpHash hash, Fingerprint *ret_fp);
