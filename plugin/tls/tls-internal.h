/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * tls-internal.h: what the files of this folder share. Nobody else includes it.
 *
 * A TlsConn is what TLS and DTLS connections have in common: the SSL object, the check of the
 * peer's certificate and the state. It is embedded as the first member of a TlsStream and a
 * DtlsStream.
 *
 * Threads: an object is used by one thread only.
 * Owner:   the stream it is embedded in.
 */
#pragma once

#include "base/buf.h"
#include "base/fingerprint.h"
#include "tls/tls-ctx.h"
#include "tls/tls-stream.h"

#include <openssl/ssl.h>

/* ---- tls-identity.c */

/** RSA and ECDSA: the two key types of TS 33.210. */
#define TLS_CREDENTIALS_MAX 2

typedef struct TlsCredential {
    X509 *cert;
    EVP_PKEY *key;
    STACK_OF(X509) * chain; /* what followed the leaf in its file; may be empty */
} TlsCredential;

/** Borrowed; @ret_n of them. */
const TlsCredential *tls_identity_credentials(const TlsIdentity *id, unsigned *ret_n);

/** Writes what tls_identity_parse() reads, of the only certificate of @id: the leaf, its chain, the key in PKCS #8. */
void tls_identity_print(const TlsIdentity *id, BIO *out);

/** The digest of the certificate's DER (TLS-16). */
void tls_cert_fingerprint(const X509 *cert, FpHash hash, Fingerprint *ret_fp);

/** Sets @error to "@what: the reason OpenSSL gave", and empties OpenSSL's error queue. */
void tls_set_openssl_error(GError **error, TlsError code, const char *what);

/* ---- tls-bio.c */

/** Where a connection's ciphertext comes from and goes to during one call. */
typedef struct TlsIo {
    Buf *held; /* read before @in */
    Span in;
    Buf *out; /* NULL outside a call */
} TlsIo;

/** A BIO over a TlsIo. Made once per TlsCtx: OpenSSL has no constant ones. */
BIO_METHOD *tls_bio_method_new(void);

/**
 * Where a DTLS association's datagrams come from and go to during one call. What is read is one datagram, and so is
 * application data that is written; other records wait for each other until dtls_io_flush() or until the MTU is full.
 */
typedef struct DtlsIo {
    Span in; /* empty: nothing (more) to read */
    void (*emit)(void *arg, Span datagram);
    void *arg;
    Buf *flight;      /* records that wait; its limit is the MTU */
    unsigned emitted; /* datagrams written since this was last set to 0 */
} DtlsIo;

BIO_METHOD *dtls_bio_method_new(void);

/** Emits the records that wait. Before application data is delivered: an answer to that must not overtake them. */
void dtls_io_flush(DtlsIo *io);

/* ---- tls-ctx.c */

#define DTLS_COOKIE_LEN 32

/** A new connection over @io (borrowed, for the life of the SSL), its role set. Aborts when out of
 * memory. */
SSL *tls_ctx_new_tls(TlsCtx *ctx, TlsRole role, TlsIo *io);
SSL *tls_ctx_new_dtls(TlsCtx *ctx, TlsRole role, DtlsIo *io);

unsigned tls_ctx_dtls_mtu(const TlsCtx *ctx);

/** What a client at @peer must return in its ClientHello: a HMAC with a random secret of this
 * context (TLS-14). */
void tls_ctx_cookie(const TlsCtx *ctx, Span peer, uint8_t ret_cookie[static DTLS_COOKIE_LEN]);

/* ---- tls-conn.c */

typedef struct TlsConn {
    TlsCtx *ctx;
    SSL *ssl;
    TlsState state;
    FingerprintSet expected; /* n == 0: not known yet */
    bool allow_sha1;
    bool close_sent;
    uint8_t cookie[DTLS_COOKIE_LEN]; /* DTLS server only */
    TlsFailure failure;
} TlsConn;

/** Takes @ssl; references @ctx. */
void tls_conn_init(TlsConn *c, TlsCtx *ctx, SSL *ssl, const FingerprintSet *expected,
                   bool allow_sha1);
void tls_conn_clear(TlsConn *c);

/** Drives the handshake as far as the input goes; when it completes, moves to OPEN, QUARANTINE or
 * FAILED. */
void tls_conn_handshake(TlsConn *c);

typedef enum TlsRead {
    TLS_READ_DATA,
    TLS_READ_AGAIN,  /* nothing more for now */
    TLS_READ_CLOSED, /* close_notify */
    TLS_READ_FAILED, /* the connection is now FAILED */
} TlsRead;

/** One SSL_read(). The state changes only by failure. */
TlsRead tls_conn_read(TlsConn *c, char *to, size_t size, size_t *ret_n);

/** All of @plain, or the connection is now FAILED. */
bool tls_conn_write(TlsConn *c, Span plain);

/** DTLS: sends the last flight again when OpenSSL's timer has run out, or fails after too many
 * times. */
void tls_conn_timeout(TlsConn *c);

/** As tls_stream_set_fingerprints(). */
void tls_conn_set_fingerprints(TlsConn *c, const FingerprintSet *expected, bool allow_sha1);

/** Sends close_notify, once, where the protocol allows it. */
void tls_conn_close(TlsConn *c);

void tls_conn_fail(TlsConn *c, TlsFailureKind kind, const char *text);

bool tls_conn_peer_fingerprint(const TlsConn *c, FpHash hash, Fingerprint *ret_fp);

/** For the SSL_CTX: checks the leaf against the fingerprints of the TlsConn that is the SSL's app
 * data. */
int tls_conn_verify_cb(X509_STORE_CTX *store, void *unused);
int tls_conn_cookie_cb(SSL *ssl, unsigned char *cookie, unsigned *len);
int tls_conn_cookie_verify_cb(SSL *ssl, const unsigned char *cookie, unsigned len);
