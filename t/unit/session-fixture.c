/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session-fixture.h"

#include <stdlib.h>

static void fake_random(void *buf, size_t n, void *arg)
{
    Fixture *f = arg;

    memset(buf, (int)++f->randoms, n);
}

static uint64_t fake_id(void *arg)
{
    return ++((Fixture *)arg)->ids;
}

static Addr ip(const char *text)
{
    Addr a;

    g_assert_true(addr_parse_ip(span_str(text), &a));
    return a;
}

static SessionInterface interface(const char *name, const char *address)
{
    return (SessionInterface){.name = name, .local = ip(address), .advertised = ip(address)};
}

/* 32 times the same byte, as a fingerprint value. */
static char *fingerprint_text(const char *hash, unsigned byte, unsigned n)
{
    GString *out = g_string_new(hash);

    for (unsigned i = 0; i < n; i++)
        g_string_append_printf(out, "%c%02X", i ? ':' : ' ', byte);
    return g_string_free(out, FALSE);
}

Fixture *fixture_new(void)
{
    Fixture *f = g_new0(Fixture, 1);
    g_autofree char *gw = fingerprint_text("sha-256", 0xAA, 32);
    Fingerprint fp;

    f->interfaces[0] = interface("access", "198.51.100.1");
    f->interfaces[1] = interface("access", "2001:db8:a::1");
    f->interfaces[2] = interface("core", "203.0.113.2");
    f->interfaces[3] = interface("core", "2001:db8:c::2");
    f->port[SESSION_ACCESS] = 30000;
    f->port[SESSION_CORE] = 40000;
    f->policy = (SessionPolicy){
        .interfaces = f->interfaces,
        .n_interfaces = G_N_ELEMENTS(f->interfaces),
        .random = fake_random,
        .next_id = fake_id,
        .arg = f,
    };
    g_assert_cmpint(fp_parse(span_str(gw), &fp), ==, FP_PARSE_OK);
    fp_set_add(&f->policy.local_fingerprints, &fp);
    return f;
}

static void forget_last(Fixture *f)
{
    session_plan_free(g_steal_pointer(&f->plan));
    ng_value_free(g_steal_pointer(&f->dict));
    g_clear_pointer(&f->upstream, g_free);
    g_clear_pointer(&f->body, g_free);
    g_clear_pointer(&f->actions, g_array_unref);
    g_clear_error(&f->error);
}

void fixture_free(Fixture *f)
{
    forget_last(f);
    session_free(f->session);
    g_free(f);
}

/* What a name in braces stands for; owned by the caller. */
static char *named(const char *name)
{
    static const struct {
        const char *name, *hash;
        unsigned byte, n;
    } prints[] = {
        {"ue", "sha-256", 0x11, 32}, {"ue2", "sha-256", 0x22, 32}, {"core", "sha-256", 0xCC, 32},
        {"gw", "sha-256", 0xAA, 32}, {"sha1", "sha-1", 0x51, 20},  {"md5", "md5", 0x55, 16},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(prints); i++)
        if (g_str_equal(name, prints[i].name))
            return fingerprint_text(prints[i].hash, prints[i].byte, prints[i].n);
    g_assert_true(g_str_has_prefix(name, "tls-id-"));
    uint8_t bits[18];
    memset(bits, atoi(name + strlen("tls-id-")), sizeof bits);
    return g_base64_encode(bits, sizeof bits);
}

char *fixture_text(const Fixture *f, const char *text)
{
    GString *out = g_string_new(NULL);

    for (const char *p = text; *p; p++) {
        const char *end = *p == '{' && g_ascii_isalpha(p[1]) ? strchr(p, '}') : NULL;
        if (end) {
            g_autofree char *name = g_strndup(p + 1, (gsize)(end - p - 1));
            g_autofree char *value = named(name);
            g_string_append(out, value);
            p = end;
            continue;
        }
        if (*p == '\n' && !f->bare_lf)
            g_string_append_c(out, '\r');
        g_string_append_c(out, *p);
    }
    return g_string_free(out, FALSE);
}

static void put_key(NgValue *dict, Span key, Span value)
{
    NgValue *before = ng_dict_get(dict, key);

    if (!before) {
        ng_dict_add(dict, key, ng_string_new(value));
        return;
    }
    NgValue *list = ng_value_is(before, NG_LIST) ? ng_value_copy(before) : ng_list_new();
    if (!ng_value_is(before, NG_LIST))
        ng_list_add_span(list, ng_value_span(before));
    ng_list_add_span(list, value);
    ng_dict_set(dict, key, list);
}

void fixture_request(Fixture *f, const char *keys, NgRequest *ret_req)
{
    NgValue *dict = ng_dict_new();
    Span rest = span_str(keys), word;
    g_autoptr(GError) error = NULL;

    while ((word = span_word(&rest)).len) {
        Span key = span_cut(&word, '=');
        put_key(dict, key, word);
    }
    if (!ng_dict_get(dict, SPAN("command")))
        ng_dict_add_str(dict, "command", "offer"); /* which one does not matter to session/ */
    bool ok = ng_request_read(dict, ret_req, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    ng_value_free(f->dict);
    f->dict = dict;
}

/* "IN IP4 x" or "IN IP6 x" with rtpengine's address; @line keeps its other words and its end. */
static void relay_address(GString *out, const char *line)
{
    bool v6 = strstr(line, "IN IP6") != NULL;
    const char *in = strstr(line, "IN IP");

    g_string_append_len(out, line, in ? in - line : (gssize)strcspn(line, "\r\n"));
    g_string_append(out, v6 ? "IN IP6 2001:db8:9::9" : "IN IP4 203.0.113.9");
    g_string_append(out, line + strcspn(line, "\r\n"));
}

static void relay_media(GString *out, const char *line)
{
    const char *blank = strchr(line, ' ');
    char *end;

    g_assert_nonnull(blank);
    unsigned long port = strtoul(blank, &end, 10);
    g_string_append_len(out, line, blank - line);
    g_string_append_printf(out, " %lu%s", port ? port + 1000 : 0, end);
}

/* What rtpengine 10.5 makes of a body: it edits ports and addresses and leaves what it does not
 * know. */
static char *relay(const char *asked)
{
    GString *out = g_string_new(NULL);

    while (*asked) {
        const char *lf = strchr(asked, '\n');
        g_autofree char *line = lf ? g_strndup(asked, (gsize)(lf - asked) + 1) : g_strdup(asked);
        if (g_str_has_prefix(line, "m="))
            relay_media(out, line);
        else if (g_str_has_prefix(line, "c=") || g_str_has_prefix(line, "o="))
            relay_address(out, line);
        else
            g_string_append(out, line);
        asked += strlen(line);
    }
    return g_string_free(out, FALSE);
}

static Span media_text(const SdpDoc *doc, unsigned section)
{
    return sdp_line_text(&doc->lines[doc->sections[section].first]);
}

/* What has to hold for every body that rtpengine gets. */
static void check_upstream(const SessionPlan *plan, const char *asked)
{
    g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(asked), NULL);
    bool alive = false;

    g_assert_nonnull(doc);
    for (unsigned i = 1; i < doc->n_sections; i++)
        alive |= doc->sections[i].media.port != 0;
    g_assert_true(alive);
    for (unsigned i = 0; i < plan->lines->len; i++) {
        const SessionLine *line = &g_array_index(plan->lines, SessionLine, i);
        if (line->kind != SESSION_LINE_UPSTREAM)
            continue;
        g_assert_cmpuint(line->upstream + 1, <, doc->n_sections);
        g_assert_true(span_eq(media_text(plan->doc, i + 1), media_text(doc, line->upstream + 1)));
    }
}

/* A line that rtpengine has seen keeps its number there for good. */
static void check_numbers(const Session *old, const Session *next)
{
    for (unsigned i = 0; old && i < old->dialogs->len; i++) {
        const SessionDialog *was = old->dialogs->pdata[i], *is = next->dialogs->pdata[i];
        g_assert_cmpuint(is->upstream_count, >=, was->upstream_count);
        for (unsigned k = 0; k < was->slots->len; k++) {
            int number = session_slot(was, k)->upstream_index;
            if (number >= 0)
                g_assert_cmpint(session_slot(is, k)->upstream_index, ==, number);
        }
    }
}

/* The answer or offer that goes on has the m-lines that came, in their order. */
static void check_lines(const SessionPlan *plan, const char *body)
{
    g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(body), NULL);

    g_assert_nonnull(doc);
    g_assert_cmpuint(doc->n_sections, ==, plan->doc->n_sections);
    for (unsigned i = 1; i < doc->n_sections; i++) {
        const SessionSlot *slot = session_slot(plan->dialog, i - 1);
        SessionLineKind kind = g_array_index(plan->lines, SessionLine, i - 1).kind;
        if (kind == SESSION_LINE_GATEWAY || (slot && slot->gateway))
            continue; /* turning fax into audio is what it is for */
        const SdpMedia *is = &doc->sections[i].media, *was = &plan->doc->sections[i].media;
        g_assert_true(span_eq(is->media, was->media));
        g_assert_true(span_eq(is->fmt, was->fmt));
    }
}

static void check_stream(SessionStream *stream, void *arg)
{
    (void)arg;
    for (int side = 0; side < 2; side++) {
        const SessionLeg *leg = &stream->leg[side];
        g_assert_cmpuint(leg->local.port, !=, 0);
        g_assert_cmpuint(leg->local.port, ==, leg->advertised.port);
    }
    g_assert_true(stream->leg[SESSION_ACCESS].secure);
}

static void reserve(Fixture *f)
{
    SessionPlan *plan = f->plan;

    for (; plan->n_reserved < plan->ports->len; plan->n_reserved++) {
        SessionSide side = g_array_index(plan->ports, SessionPortRequest, plan->n_reserved).side;
        session_plan_set_port(plan, plan->n_reserved, f->port[side]);
        f->port[side] = (uint16_t)(f->port[side] + 2);
    }
}

static bool carry_out(Fixture *f)
{
    g_autofree char *reply = NULL;

    reserve(f);
    session_plan_ready(f->plan);
    if (f->plan->upstream_sdp) {
        f->upstream = g_strdup(f->plan->upstream_sdp);
        check_upstream(f->plan, f->upstream);
        reply = f->scripted ? fixture_text(f, f->scripted) : relay(f->upstream);
        if (!session_plan_absorb(f->plan, span_str(reply), &f->policy, &f->error))
            return false;
        reserve(f);
    }
    f->body = session_plan_render(f->plan, span_str(reply), &f->error);
    if (!f->body)
        return false;
    check_lines(f->plan, f->body);
    check_numbers(f->session, f->plan->next);
    session_foreach_stream(f->plan->next, check_stream, NULL);
    f->actions = session_diff(f->session, f->plan->next);
    session_free(f->session);
    f->session = session_copy(f->plan->next);
    return true;
}

static const char *const tags[] = {"ue", "core"};

/* The known tag of @side in the dialog that the last request left behind. */
static bool named_itself(const Fixture *f, SessionSide side)
{
    for (unsigned i = 0; f->session && i < f->session->dialogs->len; i++) {
        const SessionDialog *d = f->session->dialogs->pdata[i];
        if (g_strcmp0(d->tag[side], tags[side]) == 0)
            return true;
    }
    return false;
}

/* @given goes first, since of a key that is there twice the first one counts. */
static char *with_tags(const char *given, const char *from_tag, const char *to_tag)
{
    GString *keys = g_string_new(given);

    if (!strstr(given, "call-id="))
        g_string_append(keys, " call-id=c1");
    if (!strstr(given, "from-tag="))
        g_string_append_printf(keys, " from-tag=%s", from_tag);
    if (to_tag && !strstr(given, "to-tag="))
        g_string_append_printf(keys, " to-tag=%s", to_tag);
    return g_string_free(keys, FALSE);
}

static SdpDoc *parse_body(Fixture *f, const char *body)
{
    g_autofree char *text = fixture_text(f, body);
    g_autoptr(GError) error = NULL;
    SdpDoc *doc = sdp_doc_parse(span_str(text), &error);

    g_assert_no_error(error);
    return doc;
}

bool fixture_offer(Fixture *f, SessionSide from, const char *keys, const char *body)
{
    SessionSide to = session_other(from);
    g_autofree char *all = with_tags(keys, tags[from], named_itself(f, to) ? tags[to] : NULL);
    NgRequest req;

    forget_last(f);
    fixture_request(f, g_strstrip(all), &req);
    f->plan = session_plan_offer(f->session, &req, parse_body(f, body), &f->policy, &f->error);
    return f->plan && carry_out(f);
}

bool fixture_answer(Fixture *f, SessionSide from, const char *keys, const char *body)
{
    g_autofree char *all = with_tags(keys, tags[session_other(from)], tags[from]);
    NgRequest req;

    forget_last(f);
    fixture_request(f, g_strstrip(all), &req);
    f->plan = session_plan_answer(f->session, &req, parse_body(f, body), &f->policy, &f->error);
    return f->plan && carry_out(f);
}

/* Both bodies line by line, the lines that differ marked. */
static void print_difference(const char *got, const char *want)
{
    g_auto(GStrv) have = g_strsplit(got, "\n", -1);
    g_auto(GStrv) should = g_strsplit(want, "\n", -1);
    guint n_have = g_strv_length(have), n_should = g_strv_length(should);

    for (guint i = 0; i < MAX(n_have, n_should); i++) {
        const char *is = i < n_have ? have[i] : NULL, *must = i < n_should ? should[i] : NULL;
        g_autofree char *is_text = is ? g_strescape(is, NULL) : NULL;
        g_autofree char *must_text = must ? g_strescape(must, NULL) : NULL;
        if (g_strcmp0(is, must) == 0) {
            g_test_message("    %s", is_text);
            continue;
        }
        if (must)
            g_test_message("  - %s", must_text);
        if (is)
            g_test_message("  + %s", is_text);
    }
}

void fixture_expect_at(const Fixture *f, const char *what, const char *got, const char *want,
                       const char *file, int line)
{
    g_autofree char *text = want ? fixture_text(f, want) : NULL;

    if (g_strcmp0(got, text) == 0)
        return;
    g_test_message("%s:%d: the body for the %s is not what it should be (- wanted, + got)%s%s",
                   file, line, what, f->error ? ": " : "", f->error ? f->error->message : "");
    print_difference(got ? got : "(none)", text ? text : "(none)");
    g_test_fail();
}

bool fixture_has(const Fixture *f, const char *line)
{
    g_autofree char *text = fixture_text(f, line);
    g_auto(GStrv) lines = g_strsplit(f->body ? f->body : "", "\n", -1);

    for (char **l = lines; *l; l++)
        if (g_str_equal(g_strchomp(*l), text))
            return true;
    return false;
}

SessionSlot *fixture_slot(const Fixture *f, unsigned index)
{
    g_assert_nonnull(f->plan);
    SessionSlot *slot = session_slot(f->plan->dialog, index);
    g_assert_nonnull(slot);
    return slot;
}

SessionStream *fixture_stream(const Fixture *f, unsigned index)
{
    return session_slot_current(fixture_slot(f, index));
}

unsigned fixture_count(const Fixture *f, SessionActionKind kind)
{
    unsigned n = 0;

    g_assert_nonnull(f->actions);
    for (unsigned i = 0; i < f->actions->len; i++)
        n += g_array_index(f->actions, SessionAction, i).kind == kind;
    return n;
}

void fixture_expect_error(const Fixture *f, SessionError code)
{
    g_assert_null(f->body);
    g_assert_error(f->error, SESSION_ERROR, (int)code);
}
