/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * peer-common.h: what the foreign TLS/DTLS peers of the tests share, and what each stack has to
 * provide.
 *
 * One program per stack, all with the command line and the output of peer-common.c. The stack is
 * chosen when linking: each X-peer.c defines the peer_tls_* functions below over its library.
 *
 * Threads: one. Owner: main() owns everything.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct PeerOptions { /* gboolean: GOption writes an int */
    gboolean dtls;
    gboolean server;  /* TLS role, which need not be the TCP role */
    const char *cert; /* PEM files; NULL: present no certificate */
    const char *key;
    gboolean tls12; /* only this version */
    gboolean tls13;
    const char *ciphers; /* in the syntax of the stack */
    int mtu;             /* DTLS: largest datagram; 0: default of the stack */
    /* DTLS of GnuTLS: asked before each datagram leaves; true: the network loses it. NULL: never. */
    bool (*lose)(void *user);
    void *lose_user;
} PeerOptions;

/** Filled by a stack when it fails or the other side does; printed by main(). */
typedef struct PeerReport {
    int alert; /* fatal alert received, -1: none */
    char reason[256];
} PeerReport;

typedef enum PeerStatus {
    PEER_OK,
    PEER_WANT_READ,
    PEER_WANT_WRITE,
    PEER_CLOSED,    /* close_notify */
    PEER_TRUNCATED, /* end of stream without it */
    PEER_RESET,
    PEER_ALERT, /* report->alert is set */
    PEER_FAILED,
} PeerStatus;

typedef struct PeerTls PeerTls;

/** A session over the connected non-blocking @fd (kept open by the caller). NULL: report->reason
 * says why. */
PeerTls *peer_tls_new(const PeerOptions *options, int fd, PeerReport *report);
void peer_tls_free(PeerTls *tls);

/** Each returns PEER_OK after progress; the WANT values say what to poll for. @n is set on PEER_OK
 * only. */
PeerStatus peer_tls_handshake(PeerTls *tls);
PeerStatus peer_tls_read(PeerTls *tls, uint8_t *to, size_t capacity, size_t *n);
PeerStatus peer_tls_write(PeerTls *tls, const uint8_t *from, size_t len, size_t *n);

/** Sends close_notify. */
PeerStatus peer_tls_close(PeerTls *tls);

/** Milliseconds after which peer_tls_handshake() wants to be called again (DTLS timers), -1: no
 * timer. */
int peer_tls_timeout(PeerTls *tls);

/** Called when that time is over. */
void peer_tls_timed_out(PeerTls *tls);

/** Borrowed strings, valid after the handshake. */
const char *peer_tls_version(PeerTls *tls);
const char *peer_tls_cipher(PeerTls *tls);

/** DER of the leaf certificate of the other side, NULL when it sent none. Returned to the caller.
 */
GBytes *peer_tls_certificate(PeerTls *tls);
