/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * msrp-search.h: finds the start of an MSRP end-line in a body, at the speed of a memory read.
 *
 * An MSRP body has no length (MSR-07), so every byte of it passes here. memchr() for the CR stops
 * at each line of a text, memmem() walks byte by byte through dashes; this one is as fast for every
 * content.
 */
#pragma once

#include "base/span.h"

/** CR, LF and seven dashes, which every mark starts with. */
#define MSRP_MARK_HEAD     "\r\n-------"
#define MSRP_MARK_HEAD_LEN 9

/** The first place of @mark in @in, NULL if it is nowhere whole. @mark starts with MSRP_MARK_HEAD.
 */
const char *msrp_search(Span in, Span mark);

/** The same by what every processor has. */
const char *msrp_search_anywhere(Span in, Span mark);
