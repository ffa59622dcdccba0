/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * store-redis.h: the store in Redis, shared with the other nodes of the group.
 *
 * Threads: control thread only. SIGPIPE has to be ignored by the program.
 */
#pragma once

#include "store/store-target.h"
#include "store/store.h"

/**
 * Starts to connect when the loop runs; watch.state tells how it goes. What @target holds is taken,
 * and @target is as after store_target_init(). NULL and STORE_ERROR_CONFIG, and @target unchanged,
 * when store_target_check() says no.
 */
Store *store_redis_new(uv_loop_t *loop, const StoreOptions *options, StoreTarget *target,
                       GError **error);
