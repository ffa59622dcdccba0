/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * tls-identities.h: the identities of this gateway: the one that new streams present, and earlier ones of streams that
 * go on with what was signalled for them (FPR-09). An earlier one is forgotten with its last user.
 *
 * Threads: control thread only; a TlsCtx that it gives away is for every thread.
 * Owner:   whoever made it frees it, after every user has released what it holds.
 */
#pragma once

#include "tls/tls-ctx.h"

typedef struct TlsIdentities TlsIdentities;

/**
 * Empty: there is no current identity yet. @profile: borrowed, must outlive it. @hash: of the fingerprints to signal
 * (FPR-07).
 */
TlsIdentities *tls_identities_new(const TlsProfile *profile, FpHash hash);
void tls_identities_free(TlsIdentities *ids);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TlsIdentities, tls_identities_free)

/** New streams present @id (borrowed) from now on. False and @error when that cannot be; then nothing has changed. */
bool tls_identities_set_current(TlsIdentities *ids, TlsIdentity *id, GError **error);

/** What new streams signal; empty while there is no current identity. */
void tls_identities_signal(const TlsIdentities *ids, FingerprintSet *ret_set);

/** Holds @id (borrowed), which need not be current, until tls_identities_release(). Borrowed; NULL and @error as above.
 */
TlsCtx *tls_identities_add(TlsIdentities *ids, TlsIdentity *id, GError **error);

/**
 * Holds the identity of a stream that signalled @set, until tls_identities_release(). Borrowed; NULL when none that is
 * here presents exactly that.
 */
TlsCtx *tls_identities_hold(TlsIdentities *ids, const FingerprintSet *set);
void tls_identities_release(TlsIdentities *ids, TlsCtx *ctx);

/** Identities that are here, and each of them, borrowed; @i is below that number. The current one, if there is one, is
 * the first. */
unsigned tls_identities_n(const TlsIdentities *ids);
const TlsIdentity *tls_identities_get(const TlsIdentities *ids, unsigned i);

/** NULL while there is none. */
const TlsIdentity *tls_identities_current(const TlsIdentities *ids);
