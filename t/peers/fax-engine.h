/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * fax-engine.h: a fax machine of spandsp (T.30) that sends or receives one TIFF file, by T.38 in
 * UDPTL or as the tones of a modem in G.711 A-law in RTP.
 *
 * No sockets and no clock: the caller says when 20 ms have passed.
 *
 * Threads: one. Owner: whoever called fax_engine_new().
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FAX_TICK_MS = 20,
};

typedef void FaxSend(void *user, const uint8_t *data, size_t len);

typedef struct FaxOptions { /* gboolean: GOption writes an int */
    gboolean tones;         /* G.711 instead of T.38 */
    gboolean caller;
    char *pages; /* the TIFF file to send, or NULL */
    char *out;   /* the TIFF file to write, or NULL */
    gboolean no_ecm;
    gboolean no_pacing; /* T.38: not at the speed of a modem */
    int redundancy;     /* UDPTL */
    int largest;        /* UDPTL: the other side's T38FaxMaxDatagram */
    gboolean debug;
    FaxSend *send; /* takes each datagram */
    void *user;
} FaxOptions;

typedef struct FaxEngine FaxEngine;

/** NULL: spandsp refused. @options are copied, their strings borrowed until the engine is freed. */
FaxEngine *fax_engine_new(const FaxOptions *options);
void fax_engine_free(FaxEngine *engine);

/** Another FAX_TICK_MS have passed: sends what is due. */
void fax_engine_tick(FaxEngine *engine);

/** A datagram of the other side. */
void fax_engine_receive(FaxEngine *engine, const uint8_t *data, size_t len);

/** Both sides have said all they had to say. */
bool fax_engine_over(const FaxEngine *engine);

/** Prints how it went; true when T.30 is content. */
bool fax_engine_report(FaxEngine *engine);
