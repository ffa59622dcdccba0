/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-record.h: a call as the record that the store keeps (redis-schema/README.md), and back.
 *
 * Threads: any; no state.
 */
#pragma once

#include "redis-schema/redis-record.h"
#include "session/session.h"

/**
 * Everything of @s, owned by the caller. The head (revision, owner, epoch) is for the store to fill
 * in. What bencode cannot say of .first_keys is said as ng_bencode_append() says it, and an entry
 * with a NUL byte is left out.
 */
RedisRecord *session_export(const Session *s);

/**
 * The call of @record, owned by the caller.
 * @next_id: (nullable) gives each stream a number of this process; NULL keeps the recorded ones,
 * which mean nothing here.
 * NULL and REDIS_ERROR_FIELD when the record is of no call that this version can serve.
 */
Session *session_import(const RedisRecord *record, uint64_t (*next_id)(void *arg), void *arg,
                        GError **error);
