/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * sdp-edit.h: changes to a document, line by line. Lines that are not changed keep their bytes;
 * changed ones keep their line end; new ones get the line end of the body.
 *
 * A line is given as its text without line end, "a=setup:passive". A CR, LF or NUL in it is a
 * programming error: what comes from a peer through an SdpDoc cannot hold one, anything else is
 * checked with sdp_text_ok() before. For each line the last change wins: replacing a deleted line
 * brings it back, deleting a replaced one drops it.
 *
 * Threads: used by one thread only.
 * Owner:   whoever made it frees it with sdp_edit_free(); the document is borrowed and must outlive
 * it.
 */
#pragma once

#include "base/addr.h"
#include "sdp/sdp-doc.h"

typedef struct SdpEdit SdpEdit;

SdpEdit *sdp_edit_new(const SdpDoc *doc);
void sdp_edit_free(SdpEdit *edit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SdpEdit, sdp_edit_free)

const SdpDoc *sdp_edit_doc(const SdpEdit *edit);

/** May @text stand in a line, that is, has it no CR, LF or NUL? */
bool sdp_text_ok(Span text);

/** The text that line @line of the document has now. False when it is deleted. Valid until the line
 * changes again. */
bool sdp_edit_text(const SdpEdit *edit, unsigned line, Span *ret_text);

/** An m= line can only become another m= line, one that sdp_media_parse() takes. */
void sdp_edit_replace(SdpEdit *edit, unsigned line, const char *text);

/** Not for an m= line: leave a section out with sdp_merge(). Lines inserted after it stay. */
void sdp_edit_delete(SdpEdit *edit, unsigned line);

/** Lines inserted after the same line stand in the order of the calls. */
void sdp_edit_insert_after(SdpEdit *edit, unsigned line, const char *text);

/** At the end of @section, before empty lines that stand there: a parser may stop at those. */
void sdp_edit_append(SdpEdit *edit, unsigned section, const char *text);

/**
 * Gives @section its own c= line: in place of the first one it has (others are deleted), else where
 * RFC 8866 wants it. The port of @addr does not matter.
 */
void sdp_edit_set_conn(SdpEdit *edit, unsigned section, const Addr *addr);

/** Deletes the attributes @names (ends with NULL) of @section, also those added by this edit. */
void sdp_edit_delete_attrs(SdpEdit *edit, unsigned section, const char *const names[]);

/** Adds "a=name:value", or "a=name" when @value is NULL, at the end of @section. */
void sdp_edit_add_attr(SdpEdit *edit, unsigned section, const char *name, const char *value);

/** Makes it the only attribute @name of @section: in place of the first one in the document, else
 * at the end. */
void sdp_edit_set_attr(SdpEdit *edit, unsigned section, const char *name, const char *value);

/** Appends @section as it is now. When @out does not end in a line end, one is added before the
 * first line. */
void sdp_edit_render_section(const SdpEdit *edit, unsigned section, GString *out);

/** The whole body as it is now, owned by the caller. */
char *sdp_edit_render(const SdpEdit *edit);
