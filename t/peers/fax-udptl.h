/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * fax-udptl.h: UDPTL for the fax machine of the tests (T.38 section 9.1): a sequence number, the
 * primary IFP packet, and the ones before it again as redundancy. No FEC: packets with it count as
 * bad.
 *
 * Threads: one. Owner: whoever has the Udptl; udptl_init() and udptl_clear().
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UDPTL_MAX_REDUNDANCY = 16,
    UDPTL_MAX_IFP = 0x3fff, /* longer ones would come in fragments */
};

typedef struct Udptl {
    unsigned redundancy; /* how many packets are sent again with each */
    size_t largest;      /* redundancy that would make a datagram longer than this is left out */
    GQueue sent;         /* GBytes, the newest first */
    uint16_t next;       /* our sequence number */
    uint16_t expected;   /* of the other side */
    uint64_t received;   /* datagrams that could be read */
    uint64_t recovered;  /* IFP packets that came by redundancy only */
    uint64_t missing;    /* IFP packets that never came */
    uint64_t bad;        /* datagrams that could not be read */
    size_t largest_seen;
} Udptl;

typedef void UdptlDeliver(void *user, const uint8_t *ifp, size_t len, uint16_t sequence);

void udptl_init(Udptl *udptl, unsigned redundancy, size_t largest);
void udptl_clear(Udptl *udptl);

/** The datagram for the next IFP packet, which has at most UDPTL_MAX_IFP bytes. Returned to the
 * caller. */
GByteArray *udptl_pack(Udptl *udptl, const uint8_t *ifp, size_t len);

/** Calls @deliver for each IFP packet of a datagram that was not delivered before, in order. False:
 * not a UDPTL datagram. */
bool udptl_unpack(Udptl *udptl, const uint8_t *data, size_t len, UdptlDeliver *deliver, void *user);
