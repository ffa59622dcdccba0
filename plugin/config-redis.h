/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * config-redis.h: what the options say about Redis, put together.
 *
 * Threads: called once in main() before any thread starts.
 */
#pragma once

#include "plugin/config.h"
#include "store/store-target.h"

/** The password, unless an option gives one: in the environment nobody else reads it. */
#define CONFIG_REDIS_PASSWORD "RTPENGINE_E2AE_REDIS_PASSWORD"

/**
 * Fills @target in, which has been through store_target_init(), from the options of @c, the password file and
 * the environment; c->redis is not NULL. False and @error, which names the option, when they do not fit together,
 * the file cannot be read, or the database must not be used. @target is the caller's to clear in any case.
 */
bool config_redis_target(const Config *c, StoreTarget *target, GError **error);

/** What does not make sense without --redis: false and @error when one of them is given. */
bool config_redis_absent(const Config *c, GError **error);
