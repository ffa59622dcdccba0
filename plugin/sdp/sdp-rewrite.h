/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * sdp-rewrite.h: changes to parts of a line, made with an SdpEdit; the rest of the line keeps its
 * bytes, and each starts from what the line is now, so they add up.
 *
 * Threads, owner: as for SdpEdit.
 */
#pragma once

#include "sdp/sdp-edit.h"

/** Writes @port into the m= line; "/nports" goes, since what we open is one port. */
void sdp_edit_set_port(SdpEdit *edit, unsigned section, uint16_t port);

/** Writes @proto, a token, into the m= line. */
void sdp_edit_set_proto(SdpEdit *edit, unsigned section, const char *proto);

/**
 * Copies the session-level attributes @names (ends with NULL) to the end of @section, each name
 * only when @section has none in the document, so that they go on counting there after the session
 * part lost them (ORG-06). Looks at the document, not at earlier edits: it does not matter whether
 * the session part was cleaned before.
 */
void sdp_edit_copy_down(SdpEdit *edit, unsigned section, const char *const names[]);

/**
 * Adds one to the version in the o= line (RFC 3264 8), of any number of digits.
 * False, and nothing changed, when there is no o= line or it is none that has a number there.
 */
bool sdp_edit_bump_version(SdpEdit *edit);

/**
 * Writes @addr as the address in the o= line, which a proxy asks for to hide a sender's host
 * (rtpengine's replace=origin). False, and nothing changed, when there is no o= line of six words.
 */
bool sdp_edit_set_origin(SdpEdit *edit, const Addr *addr);

/** Takes @mids out of the session-level a=group lines; a line that is left without any mid is
 * deleted (BFC-08). */
void sdp_edit_drop_mids(SdpEdit *edit, const Span *mids, size_t n);
