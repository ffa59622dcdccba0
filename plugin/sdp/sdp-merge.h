/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * sdp-merge.h: builds a body from the session part of one document and media sections of several.
 * It serves both ways: the m= lines that are rtpengine's out of a request, and its reply put
 * together with the lines that are ours.
 *
 * Threads: used by one thread only.
 */
#pragma once

#include "sdp/sdp-edit.h"

/** Media section @section (from 1) of @from (borrowed), with its edits. */
typedef struct SdpPick {
    const SdpEdit *from;
    unsigned section;
} SdpPick;

/**
 * The session part of @session followed by the @n @picks in that order, each with its edits; owned
 * by the caller.
 *
 * - A mid of a section of @session that no pick carries is taken out of the session-level a=group
 * lines (both as in the documents, whatever the edits did to a=mid).
 * - Empty lines at the end of a part are left out and a missing line end is added, so that parts do
 * not run together.
 * - Nothing else is adapted: the caller gives a section its own c= line (sdp_edit_set_conn()) and
 * attributes (sdp_edit_copy_down()) when the session part it comes under is another than its own.
 *
 * SDP_ERROR_MERGE when a document has fewer sections than a pick asks for, as a reply of rtpengine
 * may.
 */
char *sdp_merge(const SdpEdit *session, const SdpPick *picks, size_t n, GError **error);

/** sdp_merge() of @sections (from 1) of one document, in that order. */
char *sdp_select(const SdpEdit *edit, const unsigned *sections, size_t n, GError **error);
