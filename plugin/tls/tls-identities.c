/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "tls/tls-identities.h"

typedef struct Entry {
    TlsCtx *ctx;
    unsigned users;
} Entry;

struct TlsIdentities {
    const TlsProfile *profile;
    FpHash hash;
    Entry *current;     /* NULL: none yet; else the first of .entries */
    GPtrArray *entries; /* of Entry, owned; few */
};

static void entry_free(void *data)
{
    Entry *e = data;

    tls_ctx_unref(e->ctx);
    g_free(e);
}

TlsIdentities *tls_identities_new(const TlsProfile *profile, FpHash hash)
{
    TlsIdentities *ids = g_new0(TlsIdentities, 1);

    ids->profile = profile;
    ids->hash = hash;
    ids->entries = g_ptr_array_new_with_free_func(entry_free);
    return ids;
}

void tls_identities_free(TlsIdentities *ids)
{
    if (!ids)
        return;
    g_ptr_array_unref(ids->entries);
    g_free(ids);
}

static Entry *find_set(const TlsIdentities *ids, const FingerprintSet *set)
{
    for (unsigned i = 0; i < ids->entries->len; i++) {
        Entry *e = ids->entries->pdata[i];
        if (tls_identity_presents(tls_ctx_identity(e->ctx), set))
            return e;
    }
    return NULL;
}

/* The entry of @id, made if there is none. */
static Entry *entry_for(TlsIdentities *ids, TlsIdentity *id, GError **error)
{
    FingerprintSet set;

    tls_identity_fingerprints(id, FP_SHA256, &set);
    Entry *e = find_set(ids, &set);
    if (e)
        return e;
    TlsCtx *ctx = tls_ctx_new(id, ids->profile, error);
    if (!ctx)
        return NULL;
    e = g_new0(Entry, 1);
    e->ctx = ctx;
    g_ptr_array_add(ids->entries, e);
    return e;
}

static void forget_unused(TlsIdentities *ids, Entry *e)
{
    if (e != ids->current && !e->users)
        g_ptr_array_remove(ids->entries, e);
}

bool tls_identities_set_current(TlsIdentities *ids, TlsIdentity *id, GError **error)
{
    Entry *before = ids->current;
    Entry *e = entry_for(ids, id, error);
    unsigned i;

    if (!e)
        return false;
    g_ptr_array_find(ids->entries, e, &i);
    ids->entries->pdata[i] = ids->entries->pdata[0];
    ids->entries->pdata[0] = e;
    ids->current = e;
    if (before)
        forget_unused(ids, before);
    return true;
}

void tls_identities_signal(const TlsIdentities *ids, FingerprintSet *ret_set)
{
    *ret_set = (FingerprintSet){0};
    if (ids->current)
        tls_identity_fingerprints(tls_ctx_identity(ids->current->ctx), ids->hash, ret_set);
}

static TlsCtx *hold(Entry *e)
{
    if (!e)
        return NULL;
    e->users++;
    return e->ctx;
}

TlsCtx *tls_identities_add(TlsIdentities *ids, TlsIdentity *id, GError **error)
{
    return hold(entry_for(ids, id, error));
}

TlsCtx *tls_identities_hold(TlsIdentities *ids, const FingerprintSet *set)
{
    return hold(find_set(ids, set));
}

void tls_identities_release(TlsIdentities *ids, TlsCtx *ctx)
{
    for (unsigned i = 0; i < ids->entries->len; i++) {
        Entry *e = ids->entries->pdata[i];
        if (e->ctx != ctx)
            continue;
        g_assert(e->users > 0);
        e->users--;
        forget_unused(ids, e);
        return;
    }
    g_assert_not_reached();
}

unsigned tls_identities_n(const TlsIdentities *ids)
{
    return ids->entries->len;
}

const TlsIdentity *tls_identities_get(const TlsIdentities *ids, unsigned i)
{
    const Entry *e = ids->entries->pdata[i];

    return tls_ctx_identity(e->ctx);
}

const TlsIdentity *tls_identities_current(const TlsIdentities *ids)
{
    return ids->current ? tls_ctx_identity(ids->current->ctx) : NULL;
}
