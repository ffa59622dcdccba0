/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/store-behind.h"

struct StoreBehind {
    GHashTable *entries; /* call-id -> entry */
    GQueue waiting;      /* of entry, by its .link */
    unsigned max;
};

static void entry_free(void *data)
{
    StoreBehindEntry *entry = data;

    g_free(entry->call_id);
    redis_record_free(entry->record);
    g_free(entry);
}

StoreBehind *store_behind_new(unsigned max)
{
    StoreBehind *b = g_new0(StoreBehind, 1);

    b->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    g_queue_init(&b->waiting);
    b->max = max;
    return b;
}

void store_behind_free(StoreBehind *b)
{
    g_hash_table_unref(b->entries);
    g_free(b);
}

unsigned store_behind_n(const StoreBehind *b)
{
    return g_hash_table_size(b->entries);
}

StoreBehindEntry *store_behind_find(const StoreBehind *b, const char *call_id)
{
    return g_hash_table_lookup(b->entries, call_id);
}

static void enqueue(StoreBehind *b, StoreBehindEntry *entry)
{
    entry->sending = entry->changed = false;
    g_queue_push_tail_link(&b->waiting, &entry->link);
}

bool store_behind_put(StoreBehind *b, const char *call_id, RedisRecord *record, uint64_t base)
{
    StoreBehindEntry *entry = store_behind_find(b, call_id);

    if (!entry && store_behind_n(b) >= b->max) {
        redis_record_free(record);
        return false;
    }
    if (!entry) {
        entry = g_new0(StoreBehindEntry, 1);
        entry->call_id = g_strdup(call_id);
        entry->base = base;
        entry->link.data = entry;
        g_hash_table_insert(b->entries, entry->call_id, entry);
        enqueue(b, entry);
    }
    redis_record_free(entry->record);
    entry->record = record;
    entry->changed = entry->sending;
    return true;
}

StoreBehindEntry *store_behind_next(StoreBehind *b)
{
    GList *link = g_queue_pop_head_link(&b->waiting);

    if (!link)
        return NULL;
    StoreBehindEntry *entry = link->data;
    entry->sending = true;
    entry->sent = entry->record ? entry->record->revision : 0;
    return entry;
}

void store_behind_drop(StoreBehind *b, StoreBehindEntry *entry)
{
    g_assert(entry->sending);
    g_hash_table_remove(b->entries, entry->call_id);
}

void store_behind_sent(StoreBehind *b, StoreBehindEntry *entry)
{
    entry->base = entry->sent;
    if (entry->changed)
        enqueue(b, entry);
    else
        store_behind_drop(b, entry);
}

void store_behind_back(StoreBehind *b, StoreBehindEntry *entry, uint64_t base)
{
    entry->base = base;
    /* what is written must be newer than what is there */
    if (entry->record && entry->record->revision <= base)
        entry->record->revision = base + 1;
    enqueue(b, entry);
}
