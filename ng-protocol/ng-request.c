/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ng-protocol/ng-request.h"

static const char *const commands[] = {
    [NG_CMD_OTHER] = "other",
    [NG_CMD_OFFER] = "offer",
    [NG_CMD_ANSWER] = "answer",
    [NG_CMD_DELETE] = "delete",
    [NG_CMD_QUERY] = "query",
    [NG_CMD_LIST] = "list",
    [NG_CMD_PING] = "ping",
    [NG_CMD_STATISTICS] = "statistics",
    [NG_CMD_E2AE_OFFER] = "e2ae offer",
    [NG_CMD_E2AE_ANSWER] = "e2ae answer",
    [NG_CMD_E2AE_DELETE] = "e2ae delete",
    [NG_CMD_E2AE_QUERY] = "e2ae query",
    [NG_CMD_E2AE_LIST] = "e2ae list",
    [NG_CMD_E2AE_STATISTICS] = "e2ae statistics",
    [NG_CMD_E2AE_DRAIN] = "e2ae drain",
};

const char *ng_command_name(NgCommand command)
{
    return commands[command];
}

static NgCommand find_command(Span name)
{
    for (NgCommand c = NG_CMD_OFFER; c < NG_N_COMMANDS; c++)
        if (span_eq(name, span_str(commands[c])))
            return c;
    return NG_CMD_OTHER;
}

static bool is_one_of(Span key, const char *const *names)
{
    for (; *names; names++)
        if (span_eq(key, span_str(*names)))
            return true;
    return false;
}

/* The spellings that rtpengine knows. */
static const char *const rtpp_keys[] = {"rtpp-flags", "rtpp_flags", "rtpp flags", NULL};
static const char *const delay_keys[] = {"delete-delay", "delete delay", NULL};
static const char *const received_keys[] = {"received-from", "received from", NULL};
static const char *const t38_keys[] = {"T.38", "T38", "t.38", "t38", NULL};
static const char *const t38_prefixes[] = {"T.38-", "T38-", "t.38-", "t38-", NULL};
/* with `direction`, and as bare words, in rtpp-flags */
static const char *const direction_words[] = {"internal", "external", NULL};

/* A key of the dictionary that takes one string: the field it goes to, or NULL. */
static Span *string_field(NgRequest *r, Span key)
{
    const struct {
        Span key;
        Span *field;
    } fields[] = {
        {SPAN("call-id"), &r->call_id},
        {SPAN("from-tag"), &r->from_tag},
        {SPAN("to-tag"), &r->to_tag},
        {SPAN("via-branch"), &r->via_branch},
        {SPAN("sdp"), &r->sdp},
        {SPAN("from-interface"), &r->direction[0]},
        {SPAN("to-interface"), &r->direction[1]},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        if (span_eq(key, fields[i].key))
            return fields[i].field;
    return NULL;
}

static void set_once(Span *field, Span value)
{
    if (!field->len)
        *field = value;
}

static void put_t38(NgRequest *r, Span word)
{
    if (span_eq(word, SPAN("decode")))
        r->t38 |= NG_T38_DECODE;
    else if (span_eq(word, SPAN("force")))
        r->t38 |= NG_T38_FORCE;
    else if (span_eq(word, SPAN("stop")))
        r->t38 |= NG_T38_STOP;
}

/* "T38-decode" as one word; other words are none of ours. */
static void put_t38_word(NgRequest *r, Span word)
{
    for (const char *const *prefix = t38_prefixes; *prefix; prefix++)
        if (span_starts(word, span_str(*prefix)))
            put_t38(r, span_skip(word, strlen(*prefix)));
}

/* [IP4, 192.0.2.1], or the address alone. */
static void put_received_from(NgRequest *r, const GArray *items)
{
    Addr a;

    if (items->len && r->received_from.family == ADDR_NONE &&
        addr_parse_ip(g_array_index(items, Span, items->len - 1), &a))
        r->received_from = a;
}

static void put_delay(NgRequest *r, int64_t seconds)
{
    if (r->delete_delay < 0 && seconds >= 0)
        r->delete_delay = seconds;
}

/* A key of rtpengine's with its value as words, wherever it came from. */
static void put_key(NgRequest *r, Span key, const GArray *items)
{
    if (is_one_of(key, t38_keys)) {
        for (unsigned i = 0; i < items->len; i++)
            put_t38(r, g_array_index(items, Span, i));
    } else if (is_one_of(key, received_keys)) {
        put_received_from(r, items);
    } else if (span_eq(key, SPAN("direction"))) {
        for (unsigned i = 0; i < MIN(items->len, 2); i++)
            set_once(&r->direction[i], g_array_index(items, Span, i));
    }
}

static void read_dict(NgRequest *r)
{
    for (unsigned i = 0; i < ng_value_n(r->dict); i++) {
        Span key;
        const NgValue *value = ng_dict_at(r->dict, i, &key);
        Span *field = string_field(r, key);
        int64_t n;
        if (field) {
            set_once(field, ng_value_span(value));
        } else if (is_one_of(key, delay_keys)) {
            put_delay(r, ng_value_as_int(value, &n) ? n : -1);
        } else {
            g_autoptr(GArray) items = ng_value_items(value);
            put_key(r, key, items);
        }
    }
}

/* In rtpp-flags the two interfaces are two flags: the first is the sender's. */
static void put_direction(Span direction[static 2], Span name)
{
    set_once(&direction[direction[0].len ? 1 : 0], name);
}

static void read_rtpp_flag(NgRequest *r, const NgFlag *flag, Span direction[static 2])
{
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(Span));
    Span *field = string_field(r, flag->key);
    int64_t n;

    ng_flag_items(flag->value, items);
    if (is_one_of(flag->whole, direction_words)) {
        put_direction(direction, flag->whole);
    } else if (span_eq(flag->key, SPAN("direction")) && items->len) {
        for (unsigned i = 0; i < items->len; i++)
            put_direction(direction, g_array_index(items, Span, i));
    } else if (field) {
        set_once(field, flag->value);
    } else if (is_one_of(flag->key, delay_keys)) {
        put_delay(r, ng_int_parse(flag->value, &n) ? n : -1);
    } else {
        put_t38_word(r, flag->whole);
        put_key(r, flag->key, items);
    }
}

static void read_rtpp_flags(NgRequest *r, const GArray *flags)
{
    Span direction[2] = {SPAN(""), SPAN("")};

    for (unsigned i = 0; i < flags->len; i++)
        read_rtpp_flag(r, &g_array_index(flags, NgFlag, i), direction);
    set_once(&r->direction[0], direction[0]);
    set_once(&r->direction[1], direction[1]);
}

static bool put_e2ae_word(E2aeParams *p, const NgFlag *flag, GError **error)
{
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(Span));

    if (!e2ae_is_key(flag->key))
        return true;
    ng_flag_items(flag->value, items);
    return e2ae_params_put(p, flag->key, items, error);
}

static bool e2ae_from_dict(const NgValue *dict, E2aeParams *p, GError **error)
{
    for (unsigned i = 0; i < ng_value_n(dict); i++) {
        Span key;
        const NgValue *value = ng_dict_at(dict, i, &key);
        if (!e2ae_is_key(key))
            continue;
        g_autoptr(GArray) items = ng_value_items(value);
        if (!e2ae_params_put(p, key, items, error))
            return false;
    }
    return true;
}

/*
 * `flags=[...]` inside rtpp-flags is legal there; a key of ours in it would be read by nobody, so
 * it is refused.
 */
static bool refuse_nested(const NgFlag *flag, GError **error)
{
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(Span));

    if (!span_eq(flag->key, SPAN("flags")))
        return true;
    ng_flag_items(flag->value, items);
    for (unsigned i = 0; i < items->len; i++) {
        NgFlag inner = ng_flag_split(g_array_index(items, Span, i));
        if (!e2ae_is_key(inner.key))
            continue;
        g_autofree char *text = span_quote(flag->whole);
        g_set_error(error, NG_ERROR, NG_ERROR_KEY,
                    "e2ae keys stand beside flags=[...], not in it: %s", text);
        return false;
    }
    return true;
}

static bool e2ae_from_flags(const GArray *flags, E2aeParams *p, GError **error)
{
    for (unsigned i = 0; i < flags->len; i++) {
        const NgFlag *flag = &g_array_index(flags, NgFlag, i);
        if (!put_e2ae_word(p, flag, error) || !refuse_nested(flag, error))
            return false;
    }
    return true;
}

/*
 * Each place is read on its own, so that a key that may be repeated is not put together from two
 * places.
 */
static bool read_e2ae(NgRequest *r, const GArray *words, const GArray *rtpp, GError **error)
{
    E2aeParams from_words, from_rtpp;

    e2ae_params_init(&r->e2ae);
    e2ae_params_init(&from_words);
    e2ae_params_init(&from_rtpp);
    if (!e2ae_from_dict(r->dict, &r->e2ae, error) || !e2ae_from_flags(words, &from_words, error) ||
        !e2ae_from_flags(rtpp, &from_rtpp, error))
        return false;
    e2ae_params_merge(&r->e2ae, &from_words);
    e2ae_params_merge(&r->e2ae, &from_rtpp);
    return true;
}

static void add_flag_words(GArray *words, const NgValue *flags)
{
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(Span));

    if (ng_value_is(flags, NG_LIST))
        for (unsigned i = 0; i < ng_value_n(flags); i++) {
            Span item = ng_value_span(ng_list_get(flags, i));
            g_array_append_val(items, item);
        }
    else
        ng_items_add(items, ng_value_span(flags));
    for (unsigned i = 0; i < items->len; i++) {
        NgFlag flag = ng_flag_split(g_array_index(items, Span, i));
        g_array_append_val(words, flag);
    }
}

/*
 * The entries of `flags`: a list, whose strings may hold commas, or a comma-separated string. Array
 * of NgFlag.
 */
static GArray *flag_words(const NgValue *dict)
{
    GArray *words = g_array_new(FALSE, FALSE, sizeof(NgFlag));

    for (unsigned i = 0; i < ng_value_n(dict); i++) {
        Span key;
        const NgValue *value = ng_dict_at(dict, i, &key);
        if (span_eq(key, SPAN("flags")))
            add_flag_words(words, value);
    }
    return words;
}

/* Array of NgFlag. */
static GArray *rtpp_words(const NgValue *dict)
{
    GArray *words = g_array_new(FALSE, FALSE, sizeof(NgFlag));

    for (unsigned i = 0; i < ng_value_n(dict); i++) {
        Span key;
        const NgValue *value = ng_dict_at(dict, i, &key);
        Span text = is_one_of(key, rtpp_keys) ? ng_value_span(value) : SPAN("");
        NgFlag flag;
        while (ng_flags_next(&text, &flag))
            g_array_append_val(words, flag);
    }
    return words;
}

bool ng_request_read(const NgValue *dict, NgRequest *ret_r, GError **error)
{
    NgRequest r = {.dict = dict, .delete_delay = -1};
    g_autoptr(GArray) words = flag_words(dict);
    g_autoptr(GArray) rtpp = rtpp_words(dict);

    r.command_name = ng_dict_get_str(dict, SPAN("command"));
    if (!r.command_name.len) {
        g_set_error(error, NG_ERROR, NG_ERROR_NO_COMMAND, "no key \"command\"");
        return false;
    }
    r.command = find_command(r.command_name);
    read_dict(&r);
    for (unsigned i = 0; i < words->len; i++)
        put_t38_word(&r, g_array_index(words, NgFlag, i).whole);
    read_rtpp_flags(&r, rtpp);
    if (!read_e2ae(&r, words, rtpp, error))
        return false;
    *ret_r = r;
    return true;
}

static bool contains(const GArray *words, Span word)
{
    for (unsigned i = 0; i < words->len; i++)
        if (span_eq(g_array_index(words, Span, i), word))
            return true;
    return false;
}

bool ng_request_supports(const NgRequest *r, Span what)
{
    g_autoptr(GArray) words = ng_value_items(ng_dict_get(r->dict, SPAN("supports")));

    return contains(words, what);
}

bool ng_request_has_flag(const NgRequest *r, Span flag)
{
    g_autoptr(GArray) words = flag_words(r->dict);
    g_autoptr(GArray) rtpp = rtpp_words(r->dict);
    g_autoptr(GArray) nested = g_array_new(FALSE, FALSE, sizeof(Span));

    for (unsigned i = 0; i < words->len; i++)
        if (span_eq(g_array_index(words, NgFlag, i).whole, flag))
            return true;
    for (unsigned i = 0; i < rtpp->len; i++) {
        const NgFlag *word = &g_array_index(rtpp, NgFlag, i);
        if (!word->value.len && span_eq(word->key, flag))
            return true;
        if (span_eq(word->key, SPAN("flags")))
            ng_flag_items(word->value, nested);
    }
    return contains(nested, flag);
}

static bool is_e2ae_flag(const NgFlag *flag, void *arg)
{
    (void)arg;
    return e2ae_is_key(flag->key);
}

/* The string form of `flags`; the same bytes when nothing of ours is in it. */
static NgValue *strip_flags_text(Span text)
{
    g_autoptr(GString) out = g_string_new(NULL);
    bool ours = false;

    for (Span rest = text; rest.len;) {
        Span word = span_cut(&rest, ',');
        NgFlag flag = ng_flag_split(span_trim(word));
        if (e2ae_is_key(flag.key)) {
            ours = true;
            continue;
        }
        if (out->len)
            g_string_append_c(out, ',');
        g_string_append_len(out, word.p, (gssize)word.len);
    }
    if (!ours)
        return ng_string_new(text);
    return out->len ? ng_string_new((Span){out->str, out->len}) : NULL;
}

static NgValue *strip_flags_list(const NgValue *list)
{
    g_autoptr(NgValue) out = ng_list_new();

    for (unsigned i = 0; i < ng_value_n(list); i++) {
        const NgValue *item = ng_list_get(list, i);
        NgFlag flag = ng_flag_split(ng_value_span(item));
        if (!e2ae_is_key(flag.key))
            ng_list_add(out, ng_value_copy(item));
    }
    /* a list that was empty before is none of our business */
    return ng_value_n(out) || !ng_value_n(list) ? g_steal_pointer(&out) : NULL;
}

static NgValue *strip_rtpp_flags(Span text)
{
    g_autoptr(GString) out = ng_flags_without(text, is_e2ae_flag, NULL);

    return out->len || !text.len ? ng_string_new((Span){out->str, out->len}) : NULL;
}

/* The entry as rtpengine is to see it (owned), NULL when nothing is left of it. */
static NgValue *strip_entry(Span key, const NgValue *value)
{
    bool is_string = ng_value_is(value, NG_STRING);

    if (e2ae_is_key(key))
        return NULL;
    if (is_string && is_one_of(key, rtpp_keys))
        return strip_rtpp_flags(ng_value_span(value));
    if (is_string && span_eq(key, SPAN("flags")))
        return strip_flags_text(ng_value_span(value));
    if (ng_value_is(value, NG_LIST) && span_eq(key, SPAN("flags")))
        return strip_flags_list(value);
    return ng_value_copy(value);
}

NgValue *ng_request_strip(const NgValue *dict)
{
    NgValue *out = ng_dict_new();

    for (unsigned i = 0; i < ng_value_n(dict); i++) {
        Span key;
        const NgValue *value = ng_dict_at(dict, i, &key);
        NgValue *left = strip_entry(key, value);
        if (left)
            ng_dict_add(out, key, left);
    }
    return out;
}
