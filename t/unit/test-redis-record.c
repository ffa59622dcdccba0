/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Also of redis-fields.c, whose tables are the record's. */
#include "redis-schema/redis-cert.h"
#include "redis-schema/redis-json.h"
#include "redis-schema/redis-node.h"
#include "redis-schema/redis-record.h"

#define HEAD "{\"schema\":1,\"minor\":0,\"revision\":3,\"owner\":\"edge-1\",\"epoch\":1700000000000"
#define LEAST                                                                                      \
    HEAD ",\"call-id\":\"c\",\"settings\":{},\"dialogs\":[{\"offerer\":\"core\",\"slots\":"        \
         "[{\"treatment\":\"e2ae\",\"stream\":{\"medium\":\"msrp\",\"access\":{\"setup\":"         \
         "\"active\"},\"core\":{\"setup\":\"passive\"}}}]}]}"

static RedisRecord *parse(const char *json)
{
    g_autoptr(GError) error = NULL;
    RedisRecord *record = redis_record_parse(span_str(json), &error);

    g_assert_no_error(error);
    return record;
}

static void least(void)
{
    g_autoptr(RedisRecord) record = parse(LEAST);
    const RedisDialog *d = record->dialogs->pdata[0];
    const RedisSlot *slot = d->slots->pdata[0];

    g_assert_cmpuint(record->revision, ==, 3);
    g_assert_cmpstr(record->owner, ==, "edge-1");
    g_assert_cmpuint(record->epoch, ==, 1700000000000);
    g_assert_cmpint(record->first_from, ==, REDIS_ACCESS);
    g_assert_cmpint(d->offerer, ==, REDIS_CORE);
    g_assert_null(d->tag[0]);
    g_assert_cmpint(slot->treatment, ==, REDIS_E2AE);
    g_assert_cmpint(slot->upstream_index, ==, -1);
    g_assert_null(slot->pending);
    g_assert_cmpstr(slot->stream->medium, ==, "msrp");
    g_assert_cmpint(slot->stream->leg[REDIS_ACCESS].setup, ==, REDIS_ACTIVE);
    g_assert_cmpint(slot->stream->leg[REDIS_CORE].setup, ==, REDIS_PASSIVE);
    g_assert_cmpint(slot->stream->leg[REDIS_CORE].local.family, ==, ADDR_NONE);
    g_autofree char *json = redis_record_print(record, NULL);
    g_assert_cmpstr(json, ==, LEAST);
}

static void unknown_members_are_ignored(void)
{
    g_autoptr(RedisRecord) plain = parse(LEAST);
    g_autofree char *newer = g_strdup(
        HEAD ",\"new\":{\"a\":[1,{}]},\"call-id\":\"c\",\"settings\":{\"media\":[],\"x\":7},"
             "\"dialogs\":[{\"y\":null,\"offerer\":\"core\",\"slots\":[{\"z\":\"%zz\","
             "\"treatment\":\"e2ae\",\"stream\":{\"medium\":\"msrp\",\"access\":{\"w\":1.5,"
             "\"setup\":\"active\"},\"core\":{\"setup\":\"passive\"}}}]}]}");
    g_autoptr(RedisRecord) record = parse(newer);

    g_assert_true(redis_record_equal(plain, record));
}

static void unknown_flags_are_ignored(void)
{
    g_autoptr(RedisRecord) record = parse(
        HEAD ",\"call-id\":\"c\",\"settings\":{\"media\":[\"bfcp\",\"hologram\"]},\"dialogs\":[]}");

    g_assert_cmpuint(record->settings.media, ==, REDIS_BFCP);
}

static void newer_major_is_refused(void)
{
    g_autoptr(GString) json = g_string_new(LEAST);
    g_autoptr(GError) error = NULL;

    json->str[strlen("{\"schema\":")] = '2';
    g_assert_null(redis_record_parse((Span){json->str, json->len}, &error));
    g_assert_error(error, REDIS_ERROR, REDIS_ERROR_SCHEMA);
    g_assert_nonnull(strstr(error->message, "schema 2"));
    g_assert_nonnull(strstr(error->message, "up to schema 1"));
}

/* Each row replaces one piece of LEAST, and the error begins with the path of the member. */
static void refuses(void)
{
    static const struct {
        const char *from, *to, *message;
    } rows[] = {
        {"\"revision\":3,", "", "record: revision: missing"},
        {"\"revision\":3", "\"revision\":-3", "record: revision: not an integer"},
        {"\"revision\":3", "\"revision\":9007199254740992", "record: revision: not an integer"},
        {"\"revision\":3", "\"revision\":\"3\"", "record: revision: not an integer"},
        {"\"edge-1\"", "\"edge 1\"", "record: owner: not a node-id: \"edge 1\""},
        {"\"edge-1\"", "7", "record: owner: not a string"},
        {"\"epoch\":1700000000000,", "", "record: epoch: missing"},
        {"\"call-id\":\"c\",", "", "record: call-id: missing"},
        {"\"c\"", "\"%0\"", "record: call-id: bad % escape"},
        {"\"settings\":{},", "", "record: settings: missing"},
        {"\"settings\":{}", "\"settings\":[]", "record: settings: not an object"},
        {"\"settings\":{}", "\"settings\":{\"media\":\"msrp\"}", "record: settings: media: not a"},
        {"\"settings\":{}", "\"settings\":{\"core-tls\":1}",
         "record: settings: core-tls: not true"},
        {"\"offerer\":\"core\",", "", "record: dialogs: [0]: offerer: missing"},
        {"\"offerer\":\"core\"", "\"offerer\":\"both\"",
         "record: dialogs: [0]: offerer: unknown value \"both\""},
        {"\"slots\"", "\"x\"", "record: dialogs: [0]: slots: missing"},
        {"\"treatment\":\"e2ae\"", "\"treatment\":5",
         "record: dialogs: [0]: slots: [0]: treatment: unknown value"},
        {"\"treatment\":\"e2ae\"", "\"treatment\":\"e2ae\",\"upstream-index\":2147483648",
         "record: dialogs: [0]: slots: [0]: upstream-index: not an integer"},
        {"\"medium\":\"msrp\",", "", "record: dialogs: [0]: slots: [0]: stream: medium: missing"},
        {"\"stream\":{", "\"stream\":null,\"x\":{",
         "record: dialogs: [0]: slots: [0]: stream: not an object"},
        {"\"setup\":\"active\"", "\"setup\":\"active\",\"local\":\"192.0.2.1\"",
         "record: dialogs: [0]: slots: [0]: stream: access: local: not ADDRESS:PORT"},
        {"\"setup\":\"active\"", "\"setup\":\"active\",\"local\":\"2001:db8::1:5000\"",
         "record: dialogs: [0]: slots: [0]: stream: access: local: not ADDRESS:PORT"},
        {"\"setup\":\"active\"", "\"setup\":\"active\",\"local\":\"192.0.2.1:65536\"",
         "record: dialogs: [0]: slots: [0]: stream: access: local: not ADDRESS:PORT"},
        {"\"setup\":\"active\"", "\"setup\":\"active\",\"local\":\":5000\"",
         "record: dialogs: [0]: slots: [0]: stream: access: local: not ADDRESS:PORT"},
        {"\"setup\":\"active\"", "\"setup\":\"active\",\"fingerprints\":[\"md5 00\"]",
         "record: dialogs: [0]: slots: [0]: stream: access: fingerprints: not a list"},
        {"\"setup\":\"active\"", "\"setup\":\"active\",\"fingerprints\":[7]",
         "record: dialogs: [0]: slots: [0]: stream: access: fingerprints: not a list"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) json = g_string_new(LEAST);
        g_autoptr(GError) error = NULL;
        g_assert_cmpuint(g_string_replace(json, rows[i].from, rows[i].to, 1), ==, 1);
        g_assert_null(redis_record_parse((Span){json->str, json->len}, &error));
        g_assert_error(error, REDIS_ERROR, REDIS_ERROR_FIELD);
        if (!g_str_has_prefix(error->message, rows[i].message))
            g_test_message("got: %s", error->message);
        g_assert_true(g_str_has_prefix(error->message, rows[i].message));
    }
}

static void addresses(void)
{
    static const char *const rows[] = {"192.0.2.1:5000", "192.0.2.1:0", "[2001:db8::1]:65535",
                                       "[::]:0"};

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) json = g_string_new(LEAST);
        g_autofree char *member = g_strdup_printf("\"setup\":\"active\",\"local\":\"%s\"", rows[i]);
        g_string_replace(json, "\"setup\":\"active\"", member, 1);
        g_autoptr(RedisRecord) record = parse(json->str);
        g_autofree char *again = redis_record_print(record, NULL);
        g_autofree char *written = g_strdup_printf("\"local\":\"%s\"", rows[i]);
        g_assert_nonnull(strstr(again, written));
    }
}

static void too_large_to_write(void)
{
    g_autoptr(RedisRecord) record = parse(LEAST);
    g_autoptr(GError) error = NULL;

    g_free(record->first_keys);
    record->first_keys = g_strnfill(REDIS_VALUE_MAX, 'x');
    g_assert_null(redis_record_print(record, &error));
    g_assert_error(error, REDIS_ERROR, REDIS_ERROR_LIMIT);
}

static void equality_sees_every_member(void)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        {"\"revision\":3", "\"revision\":4"},
        {"edge-1", "edge-2"},
        {"\"call-id\":\"c\"", "\"call-id\":\"d\""},
        {"\"settings\":{}", "\"settings\":{\"media\":[\"t38\"]}"},
        {"\"settings\":{}", "\"settings\":{\"core-tls\":true}"},
        {"\"offerer\":\"core\"", "\"offerer\":\"access\""},
        {"\"treatment\":\"e2ae\"", "\"treatment\":\"pass\""},
        {"\"treatment\":\"e2ae\"", "\"treatment\":\"e2ae\",\"upstream-index\":0"},
        {"\"stream\"", "\"pending\""},
        {"\"setup\":\"active\"", "\"setup\":\"active\",\"remote\":\"192.0.2.1:1\""},
        {"\"setup\":\"passive\"", "\"setup\":\"passive\",\"fingerprints\":[\"sha-1 "
                                  "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13\"]"},
        {"\"slots\":[", "\"slots\":[{\"treatment\":\"pass\"},"},
    };
    g_autoptr(RedisRecord) plain = parse(LEAST);

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) json = g_string_new(LEAST);
        g_assert_cmpuint(g_string_replace(json, rows[i].from, rows[i].to, 1), ==, 1);
        g_autoptr(RedisRecord) other = parse(json->str);
        g_assert_false(redis_record_equal(plain, other));
        g_assert_true(redis_record_equal(other, other));
    }
}

/* The examples of the specification are what the code reads. */
static void examples_of_the_readme(void)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "redis-schema", "README.md", NULL);
    g_autofree char *text = NULL;
    unsigned records = 0, nodes = 0, certs = 0;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) blocks = g_strsplit(text, "```json\n", -1);
    for (unsigned i = 1; blocks[i]; i++) {
        g_autoptr(GError) error = NULL;
        *strstr(blocks[i], "```") = 0;
        if (strstr(blocks[i], "\"dialogs\"")) {
            g_autoptr(RedisRecord) record = redis_record_parse(span_str(blocks[i]), &error);
            records += record != NULL;
        } else if (strstr(blocks[i], "\"cipher\"")) {
            g_autoptr(RedisCert) cert = redis_cert_parse(span_str(blocks[i]), &error);
            certs += cert != NULL;
        } else {
            g_autoptr(RedisNode) node = redis_node_parse(span_str(blocks[i]), &error);
            nodes += node != NULL;
        }
        g_assert_no_error(error);
    }
    g_assert_cmpuint(records, >=, 2);
    g_assert_cmpuint(nodes, >=, 1);
    g_assert_cmpuint(certs, >=, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/redis-schema/record/least", least);
    g_test_add_func("/redis-schema/record/unknown-members-are-ignored",
                    unknown_members_are_ignored);
    g_test_add_func("/redis-schema/record/unknown-flags-are-ignored", unknown_flags_are_ignored);
    g_test_add_func("/redis-schema/record/newer-major-is-refused", newer_major_is_refused);
    g_test_add_func("/redis-schema/record/refuses", refuses);
    g_test_add_func("/redis-schema/record/addresses", addresses);
    g_test_add_func("/redis-schema/record/too-large-to-write", too_large_to_write);
    g_test_add_func("/redis-schema/record/equality", equality_sees_every_member);
    g_test_add_func("/redis-schema/record/readme", examples_of_the_readme);
    return g_test_run();
}
