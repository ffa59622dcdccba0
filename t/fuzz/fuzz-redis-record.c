/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A record that can be read is written in a form that reads as the same record; a heartbeat and an
 * envelope do no harm.
 */
#include "redis-schema/redis-cert.h"
#include "redis-schema/redis-node.h"
#include "redis-schema/redis-record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Span in = {(const char *)data, size};
    g_autoptr(RedisRecord) record = redis_record_parse(in, NULL);

    redis_node_free(redis_node_parse(in, NULL));
    redis_cert_free(redis_cert_parse(in, NULL));
    if (!record)
        return 0;
    g_autofree char *json = redis_record_print(record, NULL);
    if (!json)
        return 0;
    g_autoptr(RedisRecord) again = redis_record_parse(span_str(json), NULL);
    g_assert_nonnull(again);
    g_assert_true(redis_record_equal(record, again));
    g_autoptr(RedisRecord) copy = redis_record_copy(record);
    g_assert_true(redis_record_equal(record, copy));
    g_autofree char *json2 = redis_record_print(again, NULL);
    g_assert_cmpstr(json, ==, json2);
    return 0;
}
