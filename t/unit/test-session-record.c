/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/session-record.h"

#include "ng-protocol/ng-bencode.h"
#include "ng-protocol/ng-e2ae.h"

/* --- random sessions */

static bool coin(GRand *rand)
{
    return g_rand_boolean(rand);
}

static int upto(GRand *rand, int max)
{
    return g_rand_int_range(rand, 0, max + 1);
}

/* NULL, empty, or bytes of any value but NUL. */
static char *text(GRand *rand)
{
    int len = upto(rand, 3) ? upto(rand, 40) : 0;
    bool ascii = coin(rand);
    char *s;

    if (!upto(rand, 4))
        return NULL;
    s = g_malloc0((gsize)len + 1);
    for (int i = 0; i < len; i++)
        s[i] = (char)(ascii ? g_rand_int_range(rand, 0x20, 0x7f) : g_rand_int_range(rand, 1, 256));
    return s;
}

static Addr addr(GRand *rand)
{
    Addr a = {0};
    int family = upto(rand, 2);

    if (!family)
        return a;
    a.family = family == 1 ? ADDR_IP4 : ADDR_IP6;
    a.port = coin(rand) ? 0 : (uint16_t)upto(rand, 65535);
    /* the first byte keeps it from being an IPv4 address in IPv6 */
    a.ip[0] = (uint8_t)g_rand_int_range(rand, 1, 255);
    for (int i = 1; i < (a.family == ADDR_IP4 ? 4 : 16); i++)
        a.ip[i] = (uint8_t)upto(rand, 255);
    return a;
}

static FingerprintSet fingerprints(GRand *rand)
{
    FingerprintSet set = {0};

    for (int n = upto(rand, FP_SET_MAX); n; n--) {
        Fingerprint fp = {.hash = (FpHash)g_rand_int_range(rand, FP_SHA1, FP_SHA512 + 1)};
        for (size_t i = 0; i < fp_digest_len(fp.hash); i++)
            fp.digest[i] = (uint8_t)upto(rand, 255);
        fp_set_add(&set, &fp);
    }
    return set;
}

static const Medium *medium(GRand *rand)
{
    static const char *const names[] = {"msrp", "bfcp", "t38"};

    return medium_by_name(span_str(names[upto(rand, 2)]));
}

static SessionStream *stream(GRand *rand)
{
    SessionStream *s = session_stream_new(g_rand_int(rand), medium(rand));

    s->answered = coin(rand);
    s->path_mode = (SessionPathMode)g_rand_int_range(rand, 0, 4);
    s->path_also = (SessionPathMode)g_rand_int_range(rand, 0, 4);
    s->gateway = coin(rand);
    s->allow_sha1 = coin(rand);
    s->local_fingerprints = fingerprints(rand);
    for (int side = 0; side < 2; side++) {
        SessionLeg *leg = &s->leg[side];
        leg->secure = coin(rand);
        leg->interface = text(rand);
        leg->local = addr(rand);
        leg->advertised = addr(rand);
        leg->remote = addr(rand);
        leg->setup = (MediaSetup)upto(rand, MEDIA_SETUP_HOLDCONN);
        leg->tls_role = (MediaTlsRole)upto(rand, MEDIA_TLS_PEEK);
        leg->fingerprints = fingerprints(rand);
        leg->tls_id = text(rand);
        leg->peer_tls_id = text(rand);
        leg->peer_path = text(rand);
        leg->peer_connection = coin(rand);
        leg->discard = coin(rand);
    }
    return s;
}

static SessionSlot *slot(GRand *rand, unsigned upstream_count)
{
    SessionSlot *s = session_slot_new();

    s->treatment = (SessionTreatment)upto(rand, SESSION_E2AE);
    s->reason = coin(rand) ? "e2ae is not enabled for this medium" : NULL;
    s->upstream_index = upto(rand, (int)upstream_count) - 1;
    s->medium = s->treatment == SESSION_E2AE || coin(rand) ? medium(rand) : NULL;
    for (int side = 0; side < 2; side++) {
        s->upstream_text[side] = text(rand);
        s->peer_proto[side] = text(rand);
    }
    s->media_type = text(rand);
    s->offer_proto = text(rand);
    s->offer_setup = (SdpSetup)upto(rand, SDP_SETUP_BAD);
    s->offer_path_mode = (SessionPathMode)g_rand_int_range(rand, 0, 4);
    s->offer_tls_id = coin(rand);
    s->offer_connection_existing = coin(rand);
    s->sent_setup = (SdpSetup)upto(rand, SDP_SETUP_BAD);
    s->gateway = coin(rand);
    s->offer_kept = coin(rand);
    s->lost = coin(rand) ? medium(rand) : NULL;
    s->lost_core = coin(rand);
    s->stream = coin(rand) ? stream(rand) : NULL;
    s->pending = s->treatment == SESSION_E2AE && !s->stream ? stream(rand) : NULL;
    s->retiring = coin(rand) ? stream(rand) : NULL;
    return s;
}

static SessionDialog *dialog(GRand *rand)
{
    g_autofree char *branch = text(rand);
    SessionDialog *d = session_dialog_new(branch);

    for (int side = 0; side < 2; side++) {
        d->tag[side] = text(rand);
        d->interface[side] = text(rand);
    }
    d->offerer = (SessionSide)upto(rand, 1);
    d->answered = coin(rand);
    d->upstream_count = (unsigned)upto(rand, 4);
    d->upstream_asked = coin(rand);
    for (int n = upto(rand, 5); n; n--)
        g_ptr_array_add(d->slots, slot(rand, d->upstream_count));
    return d;
}

static NgValue *keys(GRand *rand)
{
    NgValue *dict = ng_dict_new();

    for (int n = upto(rand, 5); n; n--) {
        g_autofree char *key = text(rand);
        g_autofree char *value = text(rand);
        Span k = span_str(key ? key : "k");
        if (coin(rand))
            ng_dict_add(dict, k, ng_string_new(span_str(value ? value : "v")));
        else if (coin(rand))
            ng_dict_add(dict, k, ng_int_new((int64_t)g_rand_int(rand) - G_MAXINT));
        else {
            NgValue *list = ng_list_new();
            ng_list_add_str(list, "a");
            ng_dict_add_str(ng_list_add_dict(list), "b", value ? value : "");
            ng_dict_add(dict, k, list);
        }
    }
    return dict;
}

static Session *session(GRand *rand)
{
    g_autofree char *call_id = text(rand);
    Session *s = session_new(call_id ? call_id : "call");

    s->settings = (SessionSettings){
        .media = (unsigned)upto(rand, E2AE_MEDIA_ALL),
        .media_given = coin(rand),
        .require_indication = coin(rand),
        .answer_indication = coin(rand),
        .allow_sha1 = coin(rand),
        .core_tls = coin(rand),
        .path = (E2aePath)g_rand_int_range(rand, 0, 3),
        .scheme = (E2aeScheme)g_rand_int_range(rand, 0, 2),
    };
    s->first_from = (SessionSide)upto(rand, 1);
    s->first_keys = coin(rand) ? keys(rand) : NULL;
    for (int n = upto(rand, 3); n; n--)
        g_ptr_array_add(s->dialogs, dialog(rand));
    return s;
}

/* --- field by field */

static void leg_equal(const SessionLeg *a, const SessionLeg *b)
{
    g_assert_cmpint(a->secure, ==, b->secure);
    g_assert_cmpstr(a->interface, ==, b->interface);
    g_assert_true(addr_eq(&a->local, &b->local));
    g_assert_true(addr_eq(&a->advertised, &b->advertised));
    g_assert_true(addr_eq(&a->remote, &b->remote));
    g_assert_cmpint(a->setup, ==, b->setup);
    g_assert_cmpint(a->tls_role, ==, b->tls_role);
    g_assert_true(fp_set_eq(&a->fingerprints, &b->fingerprints));
    g_assert_cmpstr(a->tls_id, ==, b->tls_id);
    g_assert_cmpstr(a->peer_tls_id, ==, b->peer_tls_id);
    g_assert_cmpstr(a->peer_path, ==, b->peer_path);
    g_assert_cmpint(a->peer_connection, ==, b->peer_connection);
    g_assert_cmpint(a->discard, ==, b->discard);
}

static void stream_equal(const SessionStream *a, const SessionStream *b)
{
    g_assert_cmpint(a != NULL, ==, b != NULL);
    if (!a)
        return;
    g_assert_cmpuint(a->id, ==, b->id);
    g_assert_true(a->medium == b->medium);
    g_assert_cmpint(a->answered, ==, b->answered);
    g_assert_cmpint(a->path_mode, ==, b->path_mode);
    g_assert_cmpint(a->path_also, ==, b->path_also);
    g_assert_cmpint(a->gateway, ==, b->gateway);
    g_assert_cmpint(a->allow_sha1, ==, b->allow_sha1);
    g_assert_true(fp_set_eq(&a->local_fingerprints, &b->local_fingerprints)); /* FPR-09 */
    for (int side = 0; side < 2; side++)
        leg_equal(&a->leg[side], &b->leg[side]);
}

static void slot_equal(const SessionSlot *a, const SessionSlot *b)
{
    g_assert_cmpint(a->treatment, ==, b->treatment);
    g_assert_cmpstr(a->reason, ==, b->reason);
    g_assert_cmpint(a->upstream_index, ==, b->upstream_index);
    for (int side = 0; side < 2; side++) {
        g_assert_cmpstr(a->upstream_text[side], ==, b->upstream_text[side]);
        g_assert_cmpstr(a->peer_proto[side], ==, b->peer_proto[side]);
    }
    g_assert_true(a->medium == b->medium);
    g_assert_cmpstr(a->media_type, ==, b->media_type);
    g_assert_cmpstr(a->offer_proto, ==, b->offer_proto);
    g_assert_cmpint(a->offer_setup, ==, b->offer_setup);
    g_assert_cmpint(a->offer_path_mode, ==, b->offer_path_mode);
    g_assert_cmpint(a->offer_tls_id, ==, b->offer_tls_id);
    g_assert_cmpint(a->offer_connection_existing, ==, b->offer_connection_existing);
    g_assert_cmpint(a->sent_setup, ==, b->sent_setup);
    g_assert_cmpint(a->gateway, ==, b->gateway);
    g_assert_cmpint(a->offer_kept, ==, b->offer_kept);
    g_assert_true(a->lost == b->lost);
    g_assert_cmpint(a->lost_core, ==, b->lost_core);
    stream_equal(a->stream, b->stream);
    stream_equal(a->pending, b->pending);
    stream_equal(a->retiring, b->retiring);
}

static void dialog_equal(const SessionDialog *a, const SessionDialog *b)
{
    g_assert_cmpstr(a->via_branch, ==, b->via_branch);
    for (int side = 0; side < 2; side++) {
        g_assert_cmpstr(a->tag[side], ==, b->tag[side]);
        g_assert_cmpstr(a->interface[side], ==, b->interface[side]);
    }
    g_assert_cmpint(a->offerer, ==, b->offerer);
    g_assert_cmpint(a->answered, ==, b->answered);
    g_assert_cmpuint(a->upstream_count, ==, b->upstream_count);
    g_assert_cmpint(a->upstream_asked, ==, b->upstream_asked);
    g_assert_cmpuint(a->slots->len, ==, b->slots->len);
    for (unsigned i = 0; i < a->slots->len; i++)
        slot_equal(a->slots->pdata[i], b->slots->pdata[i]);
}

static void session_equal(const Session *a, const Session *b)
{
    g_assert_cmpstr(a->call_id, ==, b->call_id);
    g_assert_cmpuint(a->settings.media, ==, b->settings.media);
    g_assert_cmpint(a->settings.media_given, ==, b->settings.media_given);
    g_assert_cmpint(a->settings.require_indication, ==, b->settings.require_indication);
    g_assert_cmpint(a->settings.answer_indication, ==, b->settings.answer_indication);
    g_assert_cmpint(a->settings.allow_sha1, ==, b->settings.allow_sha1);
    g_assert_cmpint(a->settings.core_tls, ==, b->settings.core_tls);
    g_assert_cmpint(a->settings.path, ==, b->settings.path);
    g_assert_cmpint(a->settings.scheme, ==, b->settings.scheme);
    g_assert_cmpint(a->first_from, ==, b->first_from);
    g_assert_cmpint(a->first_keys != NULL, ==, b->first_keys != NULL);
    if (a->first_keys)
        g_assert_true(ng_value_eq(a->first_keys, b->first_keys));
    g_assert_cmpuint(a->dialogs->len, ==, b->dialogs->len);
    for (unsigned i = 0; i < a->dialogs->len; i++)
        dialog_equal(a->dialogs->pdata[i], b->dialogs->pdata[i]);
}

/* --- tests */

static void there_and_back(void)
{
    for (guint32 seed = 0; seed < 2000; seed++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
        g_autoptr(Session) before = session(rand);
        g_autoptr(RedisRecord) record = session_export(before);
        g_autoptr(GError) error = NULL;
        record->owner = g_strdup("edge-1");
        g_autofree char *json = redis_record_print(record, &error);
        g_assert_no_error(error);
        g_autoptr(RedisRecord) read = redis_record_parse(span_str(json), &error);
        g_assert_no_error(error);
        g_assert_true(redis_record_equal(record, read));
        g_autoptr(Session) after = session_import(read, NULL, NULL, &error);
        g_assert_no_error(error);
        session_equal(before, after);
    }
}

/* A new member mostly changes a size: then it has to be recorded, and compared above. */
static void no_member_is_forgotten(void)
{
#if GLIB_SIZEOF_VOID_P == 8
    g_assert_cmpuint(sizeof(SessionSettings), ==, 20);
    g_assert_cmpuint(sizeof(SessionLeg), ==, 688); /* .generation is of connections, which end */
    g_assert_cmpuint(sizeof(SessionStream), ==, 1960);
    g_assert_cmpuint(sizeof(SessionSlot), ==, 144);
    g_assert_cmpuint(sizeof(SessionDialog), ==, 64);
    g_assert_cmpuint(sizeof(Session), ==, 56);
#endif
}

static uint64_t count_up(void *arg)
{
    return ++*(uint64_t *)arg;
}

/* ASC-02: numbers of another process mean nothing in this one. */
static void streams_get_new_numbers(void)
{
    uint64_t last = 1000;
    g_autoptr(Session) before = session_new("call");
    SessionDialog *d = session_dialog_new(NULL);
    SessionSlot *s = session_slot_new();
    GRand *rand = g_rand_new_with_seed(1);

    g_ptr_array_add(before->dialogs, d);
    g_ptr_array_add(d->slots, s);
    s->treatment = SESSION_E2AE;
    s->medium = medium(rand);
    s->stream = stream(rand);
    s->pending = stream(rand);
    s->retiring = stream(rand);
    s->stream->id = s->pending->id = s->retiring->id = 7;
    g_rand_free(rand);
    g_autoptr(RedisRecord) record = session_export(before);
    g_autoptr(Session) after = session_import(record, count_up, &last, NULL);
    const SessionSlot *got = session_slot(after->dialogs->pdata[0], 0);
    g_assert_cmpuint(got->stream->id, ==, 1001);
    g_assert_cmpuint(got->pending->id, ==, 1002);
    g_assert_cmpuint(got->retiring->id, ==, 1003);
}

static void keys_of_json_requests(void)
{
    g_autoptr(Session) before = session_new("call");
    g_autoptr(NgValue) expected = ng_dict_new();

    before->first_keys = ng_dict_new();
    ng_dict_add(before->first_keys, SPAN("true"), ng_bool_new(true));
    ng_dict_add(before->first_keys, SPAN("null"), ng_null_new());
    ng_dict_add(before->first_keys, SPAN("nul"), ng_string_new(SPAN("a\0b")));
    ng_dict_add(before->first_keys, SPAN("n\0l"), ng_int_new(1));
    ng_dict_add(before->first_keys, SPAN("last"), ng_int_new(-7));
    ng_dict_add_int(expected, "true", 1);
    ng_dict_add_str(expected, "null", "");
    ng_dict_add_int(expected, "last", -7);
    g_autoptr(RedisRecord) record = session_export(before);
    g_autoptr(Session) after = session_import(record, NULL, NULL, NULL);
    g_assert_true(ng_value_eq(after->first_keys, expected));
}

static void refuses(void)
{
#define RECORD(dialog, slot, rest)                                                                 \
    "{\"schema\":1,\"minor\":0,\"revision\":3,\"owner\":\"edge-1\",\"epoch\":1,\"call-id\":\"c\"," \
    "\"settings\":{}" rest ",\"dialogs\":[{\"offerer\":\"core\"" dialog ",\"slots\":[" slot "]}]}"
#define STREAM(medium)                                                                             \
    "{\"medium\":\"" medium "\",\"access\":{\"setup\":\"active\"},\"core\":{\"setup\":"            \
    "\"passive\"}}"
    static const struct {
        const char *json, *complaint;
    } rows[] = {
        {RECORD("", "{\"treatment\":\"e2ae\",\"medium\":\"msrp\",\"stream\":" STREAM("msrp") "}",
                ""),
         NULL},
        {RECORD("",
                "{\"treatment\":\"e2ae\",\"medium\":\"hologram\",\"stream\":" STREAM("msrp") "}",
                ""),
         "a medium that this version does not know: \"hologram\""},
        {RECORD("",
                "{\"treatment\":\"e2ae\",\"medium\":\"msrp\",\"stream\":" STREAM("hologram") "}",
                ""),
         "a medium that this version does not know: \"hologram\""},
        {RECORD("", "{\"treatment\":\"closed\",\"lost\":\"bfcp\"}", ""), NULL},
        {RECORD("", "{\"treatment\":\"closed\",\"lost\":\"hologram\"}", ""),
         "a medium that this version does not know: \"hologram\""},
        {RECORD("", "{\"treatment\":\"e2ae\",\"medium\":\"msrp\"}", ""),
         "without medium or stream"},
        {RECORD("", "{\"treatment\":\"e2ae\",\"stream\":" STREAM("msrp") "}", ""),
         "without medium or stream"},
        {RECORD("", "{\"treatment\":\"upstream\",\"upstream-index\":0}", ""), "upstream-index"},
        {RECORD(",\"upstream-count\":1", "{\"treatment\":\"upstream\",\"upstream-index\":0}", ""),
         NULL},
        {RECORD(",\"upstream-count\":1", "{\"treatment\":\"upstream\",\"upstream-index\":-2}", ""),
         "upstream-index"},
        {RECORD(",\"upstream-count\":-1", "", ""), "upstream-count"},
        {RECORD("", "", ",\"first-keys\":\"d3:ICE6:removee\""), NULL},
        {RECORD("", "", ",\"first-keys\":\"d3:ICE6:remove\""), "first-keys"},
        {RECORD("", "", ",\"first-keys\":\"i7e\""), "first-keys"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(RedisRecord) record = redis_record_parse(span_str(rows[i].json), &error);
        g_assert_no_error(error);
        g_autoptr(Session) s = session_import(record, NULL, NULL, &error);
        g_assert_cmpint(s == NULL, ==, rows[i].complaint != NULL);
        if (rows[i].complaint)
            g_assert_nonnull(strstr(error->message, rows[i].complaint));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/record/there-and-back", there_and_back);
    g_test_add_func("/session/record/no-member-is-forgotten", no_member_is_forgotten);
    g_test_add_func("/session/record/ASC-02/streams-get-new-numbers", streams_get_new_numbers);
    g_test_add_func("/session/record/keys-of-json-requests", keys_of_json_requests);
    g_test_add_func("/session/record/refuses", refuses);
    return g_test_run();
}
