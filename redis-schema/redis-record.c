/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "redis-schema/redis-record.h"

#include "redis-schema/redis-fields.h"
#include "redis-schema/redis-keys.h"

static const char *const side_names[] = {"access", "core", NULL};
static const char *const treatment_names[] = {"upstream", "pass", "reject", "closed", "e2ae", NULL};
static const char *const opening_names[] = {"undecided", "passive", "active", "holdconn", NULL};
static const char *const tls_role_names[] = {"server", "client", "peek", NULL};
static const char *const setup_names[] = {"none",     "active", "passive", "actpass",
                                          "holdconn", "bad",    NULL};
static const char *const media_names[] = {"msrp", "bfcp", "t38", NULL};
static const char *const path_mode_names[] = {"none", "keep", "scheme", "aware", NULL};
static const char *const path_names[] = {"auto", "transparent", "aware", NULL};
static const char *const scheme_names[] = {"swap", "keep", NULL};

#define FIELD(json, kind, in, member, ...)                                                         \
    {                                                                                              \
        .name = (json), .type = (kind), .offset = offsetof(in, member), __VA_ARGS__                \
    }
#define TABLE(type, array)                                                                         \
    {                                                                                              \
        .size = sizeof(type), .fields = (array), .n = G_N_ELEMENTS(array)                          \
    }

static const RedisField leg_fields[] = {
    FIELD("secure", REDIS_BOOL, RedisLeg, secure),
    FIELD("interface", REDIS_BYTES, RedisLeg, interface),
    FIELD("local", REDIS_ADDR, RedisLeg, local),
    FIELD("advertised", REDIS_ADDR, RedisLeg, advertised),
    FIELD("remote", REDIS_ADDR, RedisLeg, remote),
    FIELD("setup", REDIS_NAME, RedisLeg, setup, .names = opening_names, .required = true),
    FIELD("tls-role", REDIS_NAME, RedisLeg, tls_role, .names = tls_role_names),
    FIELD("fingerprints", REDIS_FINGERPRINTS, RedisLeg, fingerprints),
    FIELD("tls-id", REDIS_BYTES, RedisLeg, tls_id),
    FIELD("peer-tls-id", REDIS_BYTES, RedisLeg, peer_tls_id),
    FIELD("peer-path", REDIS_BYTES, RedisLeg, peer_path),
    FIELD("peer-connection", REDIS_BOOL, RedisLeg, peer_connection),
    FIELD("discard", REDIS_BOOL, RedisLeg, discard),
};
static const RedisTable leg_table = TABLE(RedisLeg, leg_fields);

static const RedisField stream_fields[] = {
    FIELD("id", REDIS_BIG, RedisStream, id),
    FIELD("medium", REDIS_BYTES, RedisStream, medium, .required = true),
    FIELD("answered", REDIS_BOOL, RedisStream, answered),
    FIELD("gateway", REDIS_BOOL, RedisStream, gateway),
    FIELD("path-mode", REDIS_NAME, RedisStream, path_mode, .names = path_mode_names),
    FIELD("path-also", REDIS_NAME, RedisStream, path_also, .names = path_mode_names),
    FIELD("allow-sha1", REDIS_BOOL, RedisStream, allow_sha1),
    FIELD("local-fingerprints", REDIS_FINGERPRINTS, RedisStream, local_fingerprints),
    FIELD("access", REDIS_OBJECT, RedisStream, leg[0], .table = &leg_table, .required = true),
    FIELD("core", REDIS_OBJECT, RedisStream, leg[1], .table = &leg_table, .required = true),
};
static const RedisTable stream_table = TABLE(RedisStream, stream_fields);

static const RedisField slot_fields[] = {
    FIELD("treatment", REDIS_NAME, RedisSlot, treatment, .names = treatment_names,
          .required = true),
    FIELD("reason", REDIS_BYTES, RedisSlot, reason),
    FIELD("upstream-index", REDIS_INT, RedisSlot, upstream_index, .absent = -1),
    FIELD("upstream-text-access", REDIS_BYTES, RedisSlot, upstream_text[0]),
    FIELD("upstream-text-core", REDIS_BYTES, RedisSlot, upstream_text[1]),
    FIELD("medium", REDIS_BYTES, RedisSlot, medium),
    FIELD("media-type", REDIS_BYTES, RedisSlot, media_type),
    FIELD("offer-proto", REDIS_BYTES, RedisSlot, offer_proto),
    FIELD("peer-proto-access", REDIS_BYTES, RedisSlot, peer_proto[0]),
    FIELD("peer-proto-core", REDIS_BYTES, RedisSlot, peer_proto[1]),
    FIELD("offer-setup", REDIS_NAME, RedisSlot, offer_setup, .names = setup_names),
    FIELD("offer-path-mode", REDIS_NAME, RedisSlot, offer_path_mode, .names = path_mode_names),
    FIELD("offer-tls-id", REDIS_BOOL, RedisSlot, offer_tls_id),
    FIELD("offer-connection-existing", REDIS_BOOL, RedisSlot, offer_connection_existing),
    FIELD("sent-setup", REDIS_NAME, RedisSlot, sent_setup, .names = setup_names),
    FIELD("gateway", REDIS_BOOL, RedisSlot, gateway),
    FIELD("offer-kept", REDIS_BOOL, RedisSlot, offer_kept),
    FIELD("lost", REDIS_BYTES, RedisSlot, lost),
    FIELD("lost-core", REDIS_BOOL, RedisSlot, lost_core),
    FIELD("stream", REDIS_POINTER, RedisSlot, stream, .table = &stream_table),
    FIELD("pending", REDIS_POINTER, RedisSlot, pending, .table = &stream_table),
    FIELD("retiring", REDIS_POINTER, RedisSlot, retiring, .table = &stream_table),
};
static const RedisTable slot_table = TABLE(RedisSlot, slot_fields);

static const RedisField dialog_fields[] = {
    FIELD("via-branch", REDIS_BYTES, RedisDialog, via_branch),
    FIELD("tag-access", REDIS_BYTES, RedisDialog, tag[0]),
    FIELD("tag-core", REDIS_BYTES, RedisDialog, tag[1]),
    FIELD("offerer", REDIS_NAME, RedisDialog, offerer, .names = side_names, .required = true),
    FIELD("answered", REDIS_BOOL, RedisDialog, answered),
    FIELD("interface-access", REDIS_BYTES, RedisDialog, interface[0]),
    FIELD("interface-core", REDIS_BYTES, RedisDialog, interface[1]),
    FIELD("upstream-count", REDIS_INT, RedisDialog, upstream_count),
    FIELD("upstream-asked", REDIS_BOOL, RedisDialog, upstream_asked),
    FIELD("slots", REDIS_LIST, RedisDialog, slots, .table = &slot_table, .required = true),
};
static const RedisTable dialog_table = TABLE(RedisDialog, dialog_fields);

static const RedisField settings_fields[] = {
    FIELD("media", REDIS_FLAGS, RedisSettings, media, .names = media_names),
    FIELD("media-given", REDIS_BOOL, RedisSettings, media_given),
    FIELD("require-indication", REDIS_BOOL, RedisSettings, require_indication),
    FIELD("answer-indication", REDIS_BOOL, RedisSettings, answer_indication),
    FIELD("allow-sha1", REDIS_BOOL, RedisSettings, allow_sha1),
    FIELD("core-tls", REDIS_BOOL, RedisSettings, core_tls),
    FIELD("path", REDIS_NAME, RedisSettings, path, .names = path_names),
    FIELD("scheme", REDIS_NAME, RedisSettings, scheme, .names = scheme_names),
};
static const RedisTable settings_table = TABLE(RedisSettings, settings_fields);

/* Without the head, which has an order of its own when written. */
static const RedisField body_fields[] = {
    FIELD("call-id", REDIS_BYTES, RedisRecord, call_id, .required = true),
    FIELD("updated", REDIS_BIG, RedisRecord, updated),
    FIELD("settings", REDIS_OBJECT, RedisRecord, settings, .table = &settings_table,
          .required = true),
    FIELD("first-from", REDIS_NAME, RedisRecord, first_from, .names = side_names),
    FIELD("first-keys", REDIS_BYTES, RedisRecord, first_keys),
    FIELD("dialogs", REDIS_LIST, RedisRecord, dialogs, .table = &dialog_table, .required = true),
};
static const RedisTable body_table = TABLE(RedisRecord, body_fields);

static const RedisField head_fields[] = {
    FIELD("revision", REDIS_BIG, RedisRecord, revision, .required = true),
    FIELD("owner", REDIS_BYTES, RedisRecord, owner, .required = true),
    FIELD("epoch", REDIS_BIG, RedisRecord, epoch, .required = true),
};
static const RedisTable head_table = TABLE(RedisRecord, head_fields);

RedisRecord *redis_record_new(const char *call_id)
{
    RedisRecord *record = redis_fields_new(&body_table);

    record->call_id = g_strdup(call_id);
    return record;
}

void redis_record_free(RedisRecord *record)
{
    if (!record)
        return;
    redis_fields_clear(&head_table, record);
    redis_fields_free(&body_table, record);
}

RedisRecord *redis_record_copy(const RedisRecord *record)
{
    RedisRecord *copy = redis_record_new(NULL);

    redis_fields_copy(&head_table, copy, record);
    redis_fields_copy(&body_table, copy, record);
    return copy;
}

RedisDialog *redis_record_add_dialog(RedisRecord *record)
{
    RedisDialog *dialog = redis_fields_new(&dialog_table);

    g_ptr_array_add(record->dialogs, dialog);
    return dialog;
}

RedisSlot *redis_dialog_add_slot(RedisDialog *dialog)
{
    RedisSlot *slot = redis_fields_new(&slot_table);

    g_ptr_array_add(dialog->slots, slot);
    return slot;
}

RedisStream *redis_stream_new(void)
{
    return redis_fields_new(&stream_table);
}

bool redis_record_equal(const RedisRecord *a, const RedisRecord *b)
{
    return redis_fields_equal(&head_table, a, b) && redis_fields_equal(&body_table, a, b);
}

char *redis_record_print(const RedisRecord *record, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);

    g_assert(redis_node_id_valid(span_str(record->owner)));
    g_string_append_printf(out, "{\"schema\":%d,\"minor\":%d", REDIS_SCHEMA, REDIS_MINOR);
    redis_fields_write(&head_table, record, out);
    redis_fields_write(&body_table, record, out);
    g_string_append_c(out, '}');
    if (out->len > REDIS_VALUE_MAX) {
        g_set_error(error, REDIS_ERROR, REDIS_ERROR_LIMIT,
                    "the record of the call has %zu bytes, of which %d can be stored", out->len,
                    REDIS_VALUE_MAX);
        return NULL;
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

RedisRecord *redis_record_parse(Span json, GError **error)
{
    g_autoptr(RedisRecord) record = redis_record_new(NULL);
    g_autoptr(JsonParser) parser = redis_json_parse(json, error);

    if (!parser)
        return NULL;
    JsonObject *object = json_node_get_object(json_parser_get_root(parser));
    if (!redis_fields_read(&head_table, object, record, error) ||
        !redis_fields_read(&body_table, object, record, error)) {
        g_prefix_error(error, "record: ");
        return NULL;
    }
    if (!redis_node_id_valid(span_str(record->owner))) {
        g_autofree char *text = span_quote(span_str(record->owner));
        g_set_error(error, REDIS_ERROR, REDIS_ERROR_FIELD, "record: owner: not a node-id: %s",
                    text);
        return NULL;
    }
    return g_steal_pointer(&record);
}
