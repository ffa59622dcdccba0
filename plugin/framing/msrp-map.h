/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * msrp-map.h: what happens to To-Path and From-Path of frames that go from one leg to the other
 * (TRK-01, TRK-02).
 *
 * Threads: used by one thread only.
 * Owner:   whoever called _new() frees it with _free().
 */
#pragma once

#include "base/msrp-uri.h"

typedef enum MsrpMapMode {
    MSRP_MAP_KEEP,   /* frames are read, nothing is changed */
    MSRP_MAP_SCHEME, /* transparent: only msrps and msrp are swapped (TRK-01) */
    MSRP_MAP_AWARE,  /* the AGW has a URI of its own on each leg (TRK-02, CEM-03) */
} MsrpMapMode;

/**
 * One direction, as the SDP of both legs says it; "here" is the leg that the frames come from.
 * Every URI is a single one: e2ae does not apply to paths through relays (MSR-12). Borrowed, values
 * only.
 */
typedef struct MsrpMapSpec {
    MsrpMapMode mode;
    bool secure_there;    /* SCHEME: URIs of the session become msrps (true) or msrp */
    bool bound_elsewhere; /* AWARE: the session has its connection, and this is another one (MSR-05)
                           */
    Span to_here;    /* what To-Path names here. SCHEME: the far peer's URI; AWARE: the AGW's */
    Span from_here;  /* the near peer's URI */
    Span to_there;   /* AWARE: the far peer's URI on its own leg */
    Span from_there; /* AWARE: the AGW's URI there */
    Span
        to_also; /* while a re-offer changes the mode: what To-Path may name here as well, so that no
                     frame is lost on the way (TRK-03). It becomes to_there, which is needed then */
} MsrpMapSpec;

/** Cut @cut bytes at @at of a path and put @put there, which is the map's or static. */
typedef struct MsrpEdit {
    size_t at, cut;
    Span put;
} MsrpEdit;

typedef struct MsrpEdits {
    unsigned n;
    MsrpEdit edit[MSRP_PATH_MAX];
} MsrpEdits;

typedef enum MsrpMapResult {
    MSRP_MAP_OK,
    MSRP_MAP_UNKNOWN, /* AWARE: no URI of this session in it; the frame must not be forwarded */
    MSRP_MAP_BAD,     /* no path of MSRP URIs */
} MsrpMapResult;

typedef enum MsrpPathKind { MSRP_TO_PATH = 0, MSRP_FROM_PATH = 1 } MsrpPathKind;

typedef struct MsrpMap MsrpMap;

/** NULL when a URI that the mode needs is not one. */
MsrpMap *msrp_map_new(const MsrpMapSpec *spec);
void msrp_map_free(MsrpMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MsrpMap, msrp_map_free)

MsrpMapMode msrp_map_mode(const MsrpMap *map);
bool msrp_map_bound_elsewhere(const MsrpMap *map);

/**
 * How the value of a To-Path or From-Path changes. Only URIs of this session do, whatever else is
 * in the path: SCHEME compares by RFC 4975 6.1 apart from the scheme, AWARE with it (MSR-04).
 * *@ret_edits (borrowed) is set on MSRP_MAP_OK and valid until the next call for the same @kind;
 * edits are in the order of their places.
 */
MsrpMapResult msrp_map_path(MsrpMap *map, MsrpPathKind kind, Span path,
                            const MsrpEdits **ret_edits);
