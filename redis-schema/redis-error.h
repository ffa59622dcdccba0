/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * redis-error.h: what can be wrong with a value of the store.
 */
#pragma once

#include <glib.h>

#define REDIS_ERROR (redis_error_quark())
GQuark redis_error_quark(void);

typedef enum RedisErrorCode {
    REDIS_ERROR_JSON,   /* not the JSON of the store, or over a limit */
    REDIS_ERROR_SCHEMA, /* written by a newer program, in a way that this one cannot read */
    REDIS_ERROR_FIELD,  /* a member is missing or has a value that it cannot have */
    REDIS_ERROR_LIMIT,  /* what should be written is larger than a reader would take */
} RedisErrorCode;
