/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ng-protocol/ng-message.h"

#include "ng-protocol/ng-json.h"

static NgEncoding encoding_of(Span body)
{
    return body.len && body.p[0] == '{' ? NG_JSON : NG_BENCODE;
}

bool ng_envelope_open(Span message, NgEnvelope *ret_env, GError **error)
{
    Span rest = message;
    Span cookie = span_cut(&rest, ' ');

    if (message.len > NG_MAX_MESSAGE || !cookie.len || cookie.len == message.len ||
        cookie.len > NG_MAX_COOKIE) {
        g_autofree char *text = span_quote(message);
        g_set_error(error, NG_ERROR, NG_ERROR_NO_COOKIE,
                    "no cookie of 1 to %d bytes in a message of %zu: %s", NG_MAX_COOKIE,
                    message.len, text);
        return false;
    }
    *ret_env = (NgEnvelope){cookie, rest, encoding_of(rest)};
    return true;
}

NgEnvelope ng_envelope_plain(Span body)
{
    return (NgEnvelope){SPAN(""), body, encoding_of(body)};
}

static NgValue *decode(const NgEnvelope *env, GError **error)
{
    Span rest;

    if (!env->body.len) {
        g_set_error(error, NG_ERROR, NG_ERROR_EMPTY, "nothing after the cookie");
        return NULL;
    }
    if (env->encoding == NG_JSON)
        return ng_json_decode(env->body, error);
    if (env->body.p[0] == 'd')
        return ng_bencode_decode(env->body, &rest, error);
    g_autofree char *text = span_quote(env->body);
    g_set_error(error, NG_ERROR, NG_ERROR_FORMAT, "neither bencode nor JSON: %s", text);
    return NULL;
}

NgMessage *ng_message_new(const NgEnvelope *env, GError **error)
{
    NgValue *dict = decode(env, error);

    if (!dict)
        return NULL;
    g_assert(ng_value_is(dict, NG_DICT)); /* it began with 'd' or '{' */
    NgMessage *m = g_new0(NgMessage, 1);
    *m = (NgMessage){{span_dup(env->cookie), env->cookie.len}, env->encoding, dict};
    return m;
}

void ng_message_free(NgMessage *m)
{
    if (!m)
        return;
    g_free((char *)m->cookie.p);
    ng_value_free(m->dict);
    g_free(m);
}

const char *ng_error_reason(const GError *error)
{
    if (error->domain != NG_ERROR)
        return error->message;
    switch ((NgErrorCode)error->code) {
    case NG_ERROR_EMPTY:
        return "Invalid data (no payload)";
    case NG_ERROR_FORMAT:
        return "Invalid NG data format";
    case NG_ERROR_BENCODE:
        return "Could not decode bencode dictionary";
    case NG_ERROR_JSON:
        return "Failed to parse JSON document";
    case NG_ERROR_NO_COMMAND:
        return "Dictionary contains no key \"command\"";
    case NG_ERROR_NO_COOKIE:
    case NG_ERROR_KEY:
    case NG_ERROR_VALUE:
        break;
    }
    return error->message;
}

GString *ng_message_encode(Span cookie, NgEncoding encoding, const NgValue *dict)
{
    GString *out = g_string_new_len(cookie.len ? cookie.p : "", (gssize)cookie.len);

    if (cookie.len)
        g_string_append_c(out, ' ');
    if (encoding == NG_JSON)
        ng_json_append(out, dict);
    else
        ng_bencode_append(out, dict);
    return out;
}

NgScan ng_stream_scan(NgStreamScan *scan, Span stream, size_t *ret_len)
{
    size_t len;

    if (!scan->cookie_len) {
        Span head = span_head(stream, NG_MAX_COOKIE + 1);
        const char *blank = head.len ? memchr(head.p, ' ', head.len) : NULL;
        if (!blank)
            return head.len > NG_MAX_COOKIE ? NG_SCAN_BAD : NG_SCAN_MORE;
        if (blank == stream.p)
            return NG_SCAN_BAD;
        scan->cookie_len = (size_t)(blank - stream.p);
    }
    Span body = span_skip(stream, scan->cookie_len + 1);
    if (body.len && body.p[0] != 'd')
        return NG_SCAN_BAD;
    NgScan result = ng_bencode_scan(&scan->body, body, &len);
    if (result == NG_SCAN_DONE) {
        *ret_len = scan->cookie_len + 1 + len;
        *scan = (NgStreamScan){0};
    }
    return result;
}
