/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * store-behind.h: the writes that Redis does not know yet: the last one of each call.
 *
 *   WAITING --store_behind_next()--> SENDING --store_behind_sent()--> gone, or WAITING again when
 * the ^                                |                             call was written meanwhile
 *      +------store_behind_back()-------+
 *
 * Threads: control thread only.
 * Owner:   the store.
 */
#pragma once

#include "redis-schema/redis-record.h"

typedef struct StoreBehind StoreBehind;

typedef struct StoreBehindEntry {
    char *call_id;
    RedisRecord *record; /* to be written; NULL = to be deleted */
    uint64_t base;       /* revision that Redis is thought to have; 0 = no record */
    uint64_t sent;       /* revision under way */
    bool sending;
    bool changed; /* since it was sent */
    GList link;
} StoreBehindEntry;

StoreBehind *store_behind_new(unsigned max);
void store_behind_free(StoreBehind *behind);

unsigned store_behind_n(const StoreBehind *behind);

/** NULL when nothing of the call waits. Borrowed. */
StoreBehindEntry *store_behind_find(const StoreBehind *behind, const char *call_id);

/**
 * The call has to be written as @record (taken), or deleted with NULL, on top of revision @base,
 * which counts for a call that does not wait already. False, and @record is freed, when there are
 * too many.
 */
bool store_behind_put(StoreBehind *behind, const char *call_id, RedisRecord *record, uint64_t base);

/** The next one that waits, from now on SENDING; NULL = none. Borrowed, until one of the next four.
 */
StoreBehindEntry *store_behind_next(StoreBehind *behind);

/** Redis has it. */
void store_behind_sent(StoreBehind *behind, StoreBehindEntry *entry);

/** It was not written, and has to be on top of revision @base. */
void store_behind_back(StoreBehind *behind, StoreBehindEntry *entry, uint64_t base);

/** It cannot be written ever. */
void store_behind_drop(StoreBehind *behind, StoreBehindEntry *entry);
