/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * redis-scripts.h: the Lua scripts of this folder, embedded at build time. Each says in its first
 * lines what it takes and returns.
 *
 * Threads: any; constant. Tested by t/unit/test-redis-scripts.c
 */
#pragma once

#include <glib.h>

/** In the order in which Makefile.am gives the files to embed.awk. */
typedef enum RedisScript {
    REDIS_SCRIPT_CERTIFICATE,
    REDIS_SCRIPT_CLAIM,
    REDIS_SCRIPT_COMMIT,
    REDIS_SCRIPT_DELETE,
    REDIS_SCRIPT_HEARTBEAT,
    REDIS_SCRIPT_LEAVE,
    REDIS_N_SCRIPTS,
} RedisScript;

/** The source of a script. */
const char *redis_script(RedisScript script);
