/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * cluster-key.h: the file of --cluster-key, which seals the certificate that the nodes of a group share.
 *
 * Threads: called once in main() before any thread starts.
 */
#pragma once

#include "plugin/config.h"
#include "tls/tls-seal.h"

/** False and @error: what --cluster-key needs is not there, or is there beside it. */
bool cluster_key_check(const Config *c, GError **error);

/**
 * The key in @path, owned by the caller. NULL and @error, which names the option: it cannot be read, holds no key, or
 * could be read by others: by everybody, or, if it is our own file, by its group.
 */
TlsSealKey *cluster_key_load(const char *path, GError **error);
