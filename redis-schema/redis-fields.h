/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * redis-fields.h: structs as JSON objects, by a table of their members: reading, writing, freeing
 * and comparing follow from the table, so a new member is one line in one table.
 *
 * A member that has its default (false, 0, none, the empty list; for an integer what the table
 * says) is not written, and one that is absent is read as its default. Unknown members are ignored.
 *
 * Threads: any; tables are constant.
 */
#pragma once

#include "base/addr.h"
#include "base/fingerprint.h"
#include "redis-schema/redis-json.h"

typedef enum RedisFieldType {
    REDIS_BYTES,        /* char *, owned; NULL = none */
    REDIS_BOOL,         /* bool */
    REDIS_INT,          /* int */
    REDIS_BIG,          /* uint64_t, up to REDIS_INT_MAX */
    REDIS_NAME,         /* int: the place of the string in .names; 0 = the first is the default */
    REDIS_FLAGS,        /* unsigned: bit i stands for .names[i]; unknown names are ignored */
    REDIS_ADDR,         /* Addr; the port may be 0 */
    REDIS_FINGERPRINTS, /* FingerprintSet */
    REDIS_OBJECT,       /* a struct of .table in place */
    REDIS_POINTER,      /* a struct of .table, owned; NULL = none */
    REDIS_LIST,         /* GPtrArray of structs of .table, owned */
} RedisFieldType;

typedef struct RedisTable RedisTable;

typedef struct RedisField {
    const char *name;
    RedisFieldType type;
    size_t offset;
    bool required;
    int absent;               /* of INT: the default */
    const char *const *names; /* of NAME and FLAGS; NULL at the end */
    const RedisTable *table;  /* of OBJECT, POINTER and LIST */
} RedisField;

struct RedisTable {
    size_t size; /* of the struct */
    const RedisField *fields;
    size_t n;
};

/** Makes every member of an all-zero struct its default, empty lists included. */
void redis_fields_init(const RedisTable *table, void *s);

/** Frees what the members own; the struct itself is the caller's. */
void redis_fields_clear(const RedisTable *table, void *s);

/** As redis_fields_init(), on new memory that redis_fields_free() frees. */
void *redis_fields_new(const RedisTable *table);
void redis_fields_free(const RedisTable *table, void *s);

/**
 * Reads into @s, which redis_fields_init() has prepared; what was there is freed. False and
 * REDIS_ERROR_FIELD naming the member by its path; @s may then be half read and is to be cleared.
 */
bool redis_fields_read(const RedisTable *table, JsonObject *object, void *s, GError **error);

/** Appends the members, each with a comma before it unless @out ends in '{'. No brackets. */
void redis_fields_write(const RedisTable *table, const void *s, GString *out);

/** Copies into @to, which redis_fields_init() has prepared. */
void redis_fields_copy(const RedisTable *table, void *to, const void *from);

bool redis_fields_equal(const RedisTable *table, const void *a, const void *b);
