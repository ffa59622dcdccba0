/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session-record.h"

#include "ng-protocol/ng-bencode.h"
#include "ng-protocol/ng-e2ae.h"

/* The numbers on both sides are the same, so a cast will do. */
#define SAME(ours, theirs) G_STATIC_ASSERT((int)(ours) == (int)(theirs))
SAME(SESSION_ACCESS, REDIS_ACCESS);
SAME(SESSION_CORE, REDIS_CORE);
SAME(SESSION_UPSTREAM, REDIS_UPSTREAM);
SAME(SESSION_PASS, REDIS_PASS);
SAME(SESSION_REJECT, REDIS_REJECT);
SAME(SESSION_CLOSED, REDIS_CLOSED);
SAME(SESSION_E2AE, REDIS_E2AE);
SAME(MEDIA_SETUP_UNDECIDED, REDIS_UNDECIDED);
SAME(MEDIA_SETUP_PASSIVE, REDIS_PASSIVE);
SAME(MEDIA_SETUP_ACTIVE, REDIS_ACTIVE);
SAME(MEDIA_SETUP_HOLDCONN, REDIS_HOLDCONN);
SAME(MEDIA_TLS_SERVER, REDIS_TLS_SERVER);
SAME(MEDIA_TLS_CLIENT, REDIS_TLS_CLIENT);
SAME(MEDIA_TLS_PEEK, REDIS_TLS_PEEK);
SAME(SDP_SETUP_NONE, REDIS_SETUP_NONE);
SAME(SDP_SETUP_ACTIVE, REDIS_SETUP_ACTIVE);
SAME(SDP_SETUP_PASSIVE, REDIS_SETUP_PASSIVE);
SAME(SDP_SETUP_ACTPASS, REDIS_SETUP_ACTPASS);
SAME(SDP_SETUP_HOLDCONN, REDIS_SETUP_HOLDCONN);
SAME(SDP_SETUP_BAD, REDIS_SETUP_BAD);
SAME(E2AE_MEDIA_MSRP, REDIS_MSRP);
SAME(E2AE_MEDIA_BFCP, REDIS_BFCP);
SAME(E2AE_MEDIA_T38, REDIS_T38);

static char *medium_name(const Medium *medium)
{
    return medium ? g_strdup(medium->name) : NULL;
}

static void export_leg(const SessionLeg *from, RedisLeg *to)
{
    to->secure = from->secure;
    to->interface = g_strdup(from->interface);
    to->local = from->local;
    to->advertised = from->advertised;
    to->remote = from->remote;
    to->setup = (int)from->setup;
    to->tls_role = (int)from->tls_role;
    to->fingerprints = from->fingerprints;
    to->tls_id = g_strdup(from->tls_id);
    to->peer_tls_id = g_strdup(from->peer_tls_id);
    to->peer_path = g_strdup(from->peer_path);
    to->peer_connection = from->peer_connection;
    to->discard = from->discard;
}

static RedisStream *export_stream(const SessionStream *from)
{
    if (!from)
        return NULL;
    RedisStream *to = redis_stream_new();
    to->id = from->id;
    to->medium = medium_name(from->medium);
    to->answered = from->answered;
    to->gateway = from->gateway;
    to->path_mode = (int)from->path_mode;
    to->path_also = (int)from->path_also;
    to->allow_sha1 = from->allow_sha1;
    to->local_fingerprints = from->local_fingerprints;
    for (int side = 0; side < 2; side++)
        export_leg(&from->leg[side], &to->leg[side]);
    return to;
}

static void export_slot(const SessionSlot *from, RedisSlot *to)
{
    to->treatment = (int)from->treatment;
    to->reason = g_strdup(from->reason);
    to->upstream_index = from->upstream_index;
    for (int side = 0; side < 2; side++)
        to->upstream_text[side] = g_strdup(from->upstream_text[side]);
    for (int side = 0; side < 2; side++)
        to->peer_proto[side] = g_strdup(from->peer_proto[side]);
    to->medium = medium_name(from->medium);
    to->media_type = g_strdup(from->media_type);
    to->offer_proto = g_strdup(from->offer_proto);
    to->offer_setup = (int)from->offer_setup;
    to->offer_path_mode = (int)from->offer_path_mode;
    to->offer_tls_id = from->offer_tls_id;
    to->offer_connection_existing = from->offer_connection_existing;
    to->sent_setup = (int)from->sent_setup;
    to->gateway = from->gateway;
    to->offer_kept = from->offer_kept;
    to->lost = medium_name(from->lost);
    to->lost_core = from->lost_core;
    to->stream = export_stream(from->stream);
    to->pending = export_stream(from->pending);
    to->retiring = export_stream(from->retiring);
}

static void export_dialog(const SessionDialog *from, RedisDialog *to)
{
    to->via_branch = g_strdup(from->via_branch);
    for (int side = 0; side < 2; side++) {
        to->tag[side] = g_strdup(from->tag[side]);
        to->interface[side] = g_strdup(from->interface[side]);
    }
    to->offerer = (int)from->offerer;
    to->answered = from->answered;
    to->upstream_count = (int)from->upstream_count;
    to->upstream_asked = from->upstream_asked;
    for (unsigned i = 0; i < from->slots->len; i++)
        export_slot(from->slots->pdata[i], redis_dialog_add_slot(to));
}

/* A record keeps C strings, so an entry with a NUL byte in it stays behind. */
static char *export_keys(const NgValue *keys)
{
    g_autoptr(NgValue) kept = ng_dict_new();
    GString *out = g_string_new(NULL);

    for (unsigned i = 0; i < ng_value_n(keys); i++) {
        Span key;
        const NgValue *value = ng_dict_at(keys, i, &key);
        g_autoptr(GString) text = g_string_new(NULL);
        ng_bencode_append(text, value);
        if (!memchr(text->str, 0, text->len) && !memchr(key.p, 0, key.len))
            ng_dict_add(kept, key, ng_value_copy(value));
    }
    ng_bencode_append(out, kept);
    return g_string_free(out, FALSE);
}

RedisRecord *session_export(const Session *s)
{
    RedisRecord *record = redis_record_new(s->call_id);

    record->settings = (RedisSettings){
        .media = s->settings.media,
        .media_given = s->settings.media_given,
        .require_indication = s->settings.require_indication,
        .answer_indication = s->settings.answer_indication,
        .allow_sha1 = s->settings.allow_sha1,
        .core_tls = s->settings.core_tls,
        .path = (int)s->settings.path,
        .scheme = (int)s->settings.scheme,
    };
    record->first_from = (int)s->first_from;
    record->first_keys = s->first_keys ? export_keys(s->first_keys) : NULL;
    for (unsigned i = 0; i < s->dialogs->len; i++)
        export_dialog(s->dialogs->pdata[i], redis_record_add_dialog(record));
    return record;
}

/* --- the way back */

typedef struct Import {
    uint64_t (*next_id)(void *arg);
    void *arg;
    GError **error;
} Import;

static bool complain(const Import *in, const char *what, const char *value)
{
    g_autofree char *text = span_quote(span_str(value));

    g_set_error(in->error, REDIS_ERROR, REDIS_ERROR_FIELD, "record: %s: %s", what, text);
    return false;
}

static bool import_medium(const Import *in, const char *name, const Medium **ret_medium)
{
    *ret_medium = name ? medium_by_name(span_str(name)) : NULL;
    return *ret_medium || !name || complain(in, "a medium that this version does not know", name);
}

static void import_leg(const RedisLeg *from, SessionLeg *to)
{
    to->secure = from->secure;
    to->interface = g_strdup(from->interface);
    to->local = from->local;
    to->advertised = from->advertised;
    to->remote = from->remote;
    to->setup = (MediaSetup)from->setup;
    to->tls_role = (MediaTlsRole)from->tls_role;
    to->fingerprints = from->fingerprints;
    to->tls_id = g_strdup(from->tls_id);
    to->peer_tls_id = g_strdup(from->peer_tls_id);
    to->peer_path = g_strdup(from->peer_path);
    to->peer_connection = from->peer_connection;
    to->discard = from->discard;
}

static bool import_stream(const Import *in, const RedisStream *from, SessionStream **ret_stream)
{
    const Medium *medium;

    if (!from)
        return true;
    if (!import_medium(in, from->medium, &medium))
        return false;
    SessionStream *to = session_stream_new(in->next_id ? in->next_id(in->arg) : from->id, medium);
    to->answered = from->answered;
    to->gateway = from->gateway;
    to->path_mode = (SessionPathMode)from->path_mode;
    to->path_also = (SessionPathMode)from->path_also;
    to->allow_sha1 = from->allow_sha1;
    to->local_fingerprints = from->local_fingerprints;
    for (int side = 0; side < 2; side++)
        import_leg(&from->leg[side], &to->leg[side]);
    *ret_stream = to;
    return true;
}

/* What the code relies on: a protected line has a medium and a stream. */
static bool check_slot(const Import *in, const SessionSlot *slot, unsigned upstream_count)
{
    if (slot->treatment == SESSION_E2AE && (!slot->medium || !session_slot_current(slot)))
        return complain(in, "a slot of treatment e2ae without medium or stream", "");
    if (slot->upstream_index < -1 || slot->upstream_index >= (int)upstream_count)
        return complain(in, "upstream-index beyond upstream-count", "");
    return true;
}

static bool import_slot(const Import *in, const RedisSlot *from, SessionSlot *to,
                        unsigned upstream_count)
{
    to->treatment = (SessionTreatment)from->treatment;
    /* one of the few fixed texts of some version of this program */
    to->reason = g_intern_string(from->reason);
    to->upstream_index = from->upstream_index;
    for (int side = 0; side < 2; side++)
        to->upstream_text[side] = g_strdup(from->upstream_text[side]);
    for (int side = 0; side < 2; side++)
        to->peer_proto[side] = g_strdup(from->peer_proto[side]);
    to->media_type = g_strdup(from->media_type);
    to->offer_proto = g_strdup(from->offer_proto);
    to->offer_setup = (SdpSetup)from->offer_setup;
    to->offer_path_mode = (SessionPathMode)from->offer_path_mode;
    to->offer_tls_id = from->offer_tls_id;
    to->offer_connection_existing = from->offer_connection_existing;
    to->sent_setup = (SdpSetup)from->sent_setup;
    to->gateway = from->gateway;
    to->offer_kept = from->offer_kept;
    to->lost_core = from->lost_core;
    return import_medium(in, from->medium, &to->medium) &&
           import_medium(in, from->lost, &to->lost) &&
           import_stream(in, from->stream, &to->stream) &&
           import_stream(in, from->pending, &to->pending) &&
           import_stream(in, from->retiring, &to->retiring) && check_slot(in, to, upstream_count);
}

static bool import_dialog(const Import *in, const RedisDialog *from, SessionDialog *to)
{
    for (int side = 0; side < 2; side++) {
        to->tag[side] = g_strdup(from->tag[side]);
        to->interface[side] = g_strdup(from->interface[side]);
    }
    to->offerer = (SessionSide)from->offerer;
    to->answered = from->answered;
    to->upstream_asked = from->upstream_asked;
    if (from->upstream_count < 0)
        return complain(in, "upstream-count below 0", "");
    to->upstream_count = (unsigned)from->upstream_count;
    for (unsigned i = 0; i < from->slots->len; i++) {
        SessionSlot *slot = session_slot_new();
        g_ptr_array_add(to->slots, slot);
        if (!import_slot(in, from->slots->pdata[i], slot, to->upstream_count))
            return false;
    }
    return true;
}

static bool import_keys(const Import *in, const char *text, NgValue **ret_keys)
{
    if (!text)
        return true;
    *ret_keys = ng_bencode_decode(span_str(text), NULL, NULL);
    return ng_value_is(*ret_keys, NG_DICT) ||
           complain(in, "first-keys are no bencode dictionary", text);
}

Session *session_import(const RedisRecord *record, uint64_t (*next_id)(void *arg), void *arg,
                        GError **error)
{
    g_autoptr(Session) s = session_new(record->call_id);
    const Import in = {next_id, arg, error};

    s->settings = (SessionSettings){
        .media = record->settings.media,
        .media_given = record->settings.media_given,
        .require_indication = record->settings.require_indication,
        .answer_indication = record->settings.answer_indication,
        .allow_sha1 = record->settings.allow_sha1,
        .core_tls = record->settings.core_tls,
        .path = (E2aePath)record->settings.path,
        .scheme = (E2aeScheme)record->settings.scheme,
    };
    s->first_from = (SessionSide)record->first_from;
    if (!import_keys(&in, record->first_keys, &s->first_keys))
        return NULL;
    for (unsigned i = 0; i < record->dialogs->len; i++) {
        const RedisDialog *from = record->dialogs->pdata[i];
        SessionDialog *to = session_dialog_new(from->via_branch);
        g_ptr_array_add(s->dialogs, to);
        if (!import_dialog(&in, from, to))
            return NULL;
    }
    return g_steal_pointer(&s);
}
