/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session-fields.h"

#include "base/addr.h"
#include "sdp/sdp-attr.h"
#include "sdp/sdp-conn.h"
#include "session/session-plan.h"

/* A field and the attribute that it stands for. */
static const char *const attrs[][2] = {
    {"setup", "setup"},
    {"connection", "connection"},
    {"fingerprint", "fingerprint"},
    {"tls-id", "tls-id"},
    {"path", "path"},
    {"indication", "3ge2ae"},
};

static bool refuse(unsigned index, const char *field, Span value, GError **error)
{
    g_autofree char *quoted = span_quote(value);

    g_set_error(error, SESSION_ERROR, SESSION_ERROR_REQUEST,
                "streams[%u]: %s is missing or not usable: %s", index + 1, field, quoted);
    return false;
}

/* Visible text that can stand in an SDP line: no line ends, no control bytes. */
static bool plain_text(Span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!g_ascii_isprint(s.p[i]))
            return false;
    return s.len <= 1024;
}

static bool token(Span s)
{
    return s.len && plain_text(s) && !memchr(s.p, ' ', s.len);
}

static bool add_media_line(GString *body, const NgValue *fields, unsigned index, GError **error)
{
    Span media = ng_dict_get_str(fields, SPAN("media"));
    Span proto = ng_dict_get_str(fields, SPAN("proto"));
    Span fmt = ng_dict_get_str(fields, SPAN("fmt"));
    int64_t port = -1;

    if (!token(media))
        return refuse(index, "media", media, error);
    if (!token(proto))
        return refuse(index, "proto", proto, error);
    if (!ng_dict_get_int(fields, SPAN("port"), &port) || port < 0 || port > 65535)
        return refuse(index, "port", ng_dict_get_str(fields, SPAN("port")), error);
    if (!plain_text(fmt))
        return refuse(index, "fmt", fmt, error);
    if (!fmt.len)
        fmt = span_eq_nocase(media, SPAN("image")) ? SPAN("t38") : SPAN("*");
    g_string_append_printf(body, "m=%.*s %d %.*s %.*s\r\n", SPAN_ARG(media), (int)port,
                           SPAN_ARG(proto), SPAN_ARG(fmt));
    return true;
}

static bool add_address(GString *body, const NgValue *fields, unsigned index, GError **error)
{
    Span text = ng_dict_get_str(fields, SPAN("address"));
    char canonical[ADDR_TEXT_MAX];
    Addr addr;

    if (!addr_parse_ip(text, &addr))
        return refuse(index, "address", text, error);
    g_string_append_printf(body, "c=IN IP%d %s\r\n", addr.family, addr_ip_text(&addr, canonical));
    return true;
}

static bool add_attr(GString *body, const NgValue *fields, unsigned index, const char *field,
                     const char *attr, GError **error)
{
    const NgValue *value = ng_dict_get(fields, span_str(field));
    g_autoptr(GArray) items = NULL;

    if (!value)
        return true;
    if (ng_value_is(value, NG_LIST)) {
        items = ng_value_items(value);
    } else {
        Span one = ng_value_span(value);
        items = g_array_new(FALSE, FALSE, sizeof(Span));
        g_array_append_val(items, one);
    }
    if (!items->len)
        return refuse(index, field, (Span){0}, error);
    for (unsigned i = 0; i < items->len; i++) {
        Span item = g_array_index(items, Span, i);
        if (!item.len || !plain_text(item))
            return refuse(index, field, item, error);
        g_string_append_printf(body, "a=%s:%.*s\r\n", attr, SPAN_ARG(item));
    }
    return true;
}

static bool add_section(GString *body, const NgValue *fields, unsigned index, GError **error)
{
    if (!add_media_line(body, fields, index, error) || !add_address(body, fields, index, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(attrs); i++)
        if (!add_attr(body, fields, index, attrs[i][0], attrs[i][1], error))
            return false;
    return true;
}

char *session_fields_body(const NgValue *streams, GError **error)
{
    g_autoptr(GString) body = g_string_new("v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n");
    unsigned n = ng_value_n(streams);

    if (!ng_value_is(streams, NG_LIST) || n == 0 || n > SDP_MAX_SECTIONS) {
        g_set_error(error, SESSION_ERROR, SESSION_ERROR_REQUEST,
                    "no sdp, and streams is not a list of 1 to %d dictionaries", SDP_MAX_SECTIONS);
        return NULL;
    }
    for (unsigned i = 0; i < n; i++)
        if (!add_section(body, ng_list_get(streams, i), i, error))
            return NULL;
    return g_string_free(g_steal_pointer(&body), FALSE);
}

static void add_field(NgValue *fields, const SdpDoc *doc, unsigned section, const char *field,
                      const char *attr)
{
    bool many = strcmp(field, "fingerprint") == 0;
    SdpAttrIter it = sdp_attr_iter(doc, section, attr);
    NgValue *list = NULL;
    SdpAttr found;

    while (sdp_attr_next(&it, &found)) {
        if (many && !list)
            list = ng_dict_add_list(fields, field);
        if (many)
            ng_list_add_span(list, found.value);
        else
            ng_dict_set(fields, span_str(field), ng_string_new(found.value));
    }
}

static void read_section(NgValue *fields, const SdpDoc *doc, unsigned section)
{
    const SdpMedia *media = &doc->sections[section].media;
    char text[ADDR_TEXT_MAX];
    Addr addr;

    ng_dict_add_span(fields, "media", media->media);
    ng_dict_add_span(fields, "proto", media->proto);
    ng_dict_add_int(fields, "port", media->port);
    ng_dict_add_span(fields, "fmt", media->fmt);
    if (sdp_conn_of(doc, section, &addr) == SDP_CONN_OK)
        ng_dict_add_str(fields, "address", addr_ip_text(&addr, text));
    for (size_t i = 0; i < G_N_ELEMENTS(attrs); i++)
        add_field(fields, doc, section, attrs[i][0], attrs[i][1]);
}

void session_fields_add(NgValue *streams, Span body)
{
    g_autoptr(SdpDoc) doc = sdp_doc_parse(body, NULL);

    for (unsigned i = 0; doc && i + 1 < doc->n_sections && i < ng_value_n(streams); i++)
        read_section(ng_dict_add_dict(ng_list_get(streams, i), "sdp"), doc, i + 1);
}
