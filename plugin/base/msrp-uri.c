/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/msrp-uri.h"

static bool all_visible(Span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!g_ascii_isgraph(s.p[i]))
            return false;
    return true;
}

static bool all_alnum(Span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!g_ascii_isalnum(s.p[i]))
            return false;
    return s.len > 0;
}

static bool is_host_name(Span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!g_ascii_isalnum(s.p[i]) && s.p[i] != '.' && s.p[i] != '-' && s.p[i] != '_')
            return false;
    return s.len > 0;
}

/* Bytes before the first "/" or ";". */
static size_t authority_len(Span s)
{
    size_t n = 0;

    while (n < s.len && s.p[n] != '/' && s.p[n] != ';')
        n++;
    return n;
}

static bool take_scheme(Span *text, bool *ret_secure)
{
    static const Span schemes[] = {{"msrp://", 7}, {"msrps://", 8}};

    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
        if (span_eq_nocase(span_head(*text, schemes[i].len), schemes[i])) {
            *text = span_skip(*text, schemes[i].len);
            *ret_secure = i == 1;
            return true;
        }
    return false;
}

static bool parse_port(Span text, uint16_t *ret_port)
{
    uint64_t port;

    if (!span_uint(text, 65535, &port) || port == 0)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

static bool parse_authority(Span text, MsrpUri *u)
{
    Addr literal;
    size_t at = text.len;

    while (at > 0 && text.p[at - 1] != '@')
        at--;
    if (at > 0)
        u->userinfo = span_head(text, at - 1);
    text = span_skip(text, at);
    if (text.len && text.p[0] == '[') {
        const char *end = memchr(text.p, ']', text.len);
        u->host = span_head(text, end ? (size_t)(end - text.p) + 1 : 0);
        if (!addr_parse_ip(u->host, &literal))
            return false;
    } else {
        const char *end = memchr(text.p, ':', text.len);
        u->host = span_head(text, end ? (size_t)(end - text.p) : text.len);
        if (!is_host_name(u->host))
            return false;
    }
    text = span_skip(text, u->host.len);
    return !text.len || (text.p[0] == ':' && parse_port(span_skip(text, 1), &u->port));
}

bool msrp_uri_parse(Span text, MsrpUri *ret_uri)
{
    MsrpUri u = {0};

    if (text.len > MSRP_URI_MAX || !all_visible(text) || !take_scheme(&text, &u.secure))
        return false;
    size_t n = authority_len(text);
    if (!parse_authority(span_head(text, n), &u))
        return false;
    text = span_skip(text, n);
    if (text.len && text.p[0] == '/') {
        text = span_skip(text, 1);
        const char *end = text.len ? memchr(text.p, ';', text.len) : NULL;
        if (!end || end == text.p)
            return false;
        u.session_id = span_head(text, (size_t)(end - text.p));
        text = span_skip(text, u.session_id.len);
    }
    if (!text.len) /* the transport is mandatory */
        return false;
    text = span_skip(text, 1);
    const char *end = text.len ? memchr(text.p, ';', text.len) : NULL;
    u.transport = span_head(text, end ? (size_t)(end - text.p) : text.len);
    u.params = span_skip(text, u.transport.len);
    if (!all_alnum(u.transport))
        return false;
    *ret_uri = u;
    return true;
}

bool msrp_path_parse(Span text, MsrpPath *ret_path)
{
    MsrpPath path = {0};

    for (Span word = span_word(&text); word.len; word = span_word(&text))
        if (path.n == MSRP_PATH_MAX || !msrp_uri_parse(word, &path.uri[path.n++]))
            return false;
    if (path.n == 0)
        return false;
    *ret_path = path;
    return true;
}

static bool host_eq(Span a, Span b)
{
    Addr x, y;

    if (addr_parse_ip(a, &x) && addr_parse_ip(b, &y))
        return addr_ip_eq(&x, &y);
    return span_eq_nocase(a, b);
}

bool msrp_uri_eq(const MsrpUri *a, const MsrpUri *b)
{
    return a->secure == b->secure && a->port == b->port && host_eq(a->host, b->host) &&
           span_eq(a->session_id, b->session_id) && span_eq_nocase(a->transport, b->transport);
}

bool msrp_uri_addr(const MsrpUri *uri, Addr *ret_addr)
{
    if (!addr_parse_ip(uri->host, ret_addr))
        return false;
    ret_addr->port = uri->port;
    return true;
}

static void append(GString *out, const char *before, Span s)
{
    g_string_append(out, before);
    if (s.len)
        g_string_append_len(out, s.p, (gssize)s.len);
}

char *msrp_uri_text(const MsrpUri *uri, const Addr *at)
{
    GString *out = g_string_new(uri->secure ? "msrps://" : "msrp://");
    char host[ADDR_TEXT_MAX];

    if (uri->userinfo.len) {
        append(out, "", uri->userinfo);
        g_string_append_c(out, '@');
    }
    if (at) {
        g_string_append(out, addr_text(at, host));
    } else {
        append(out, "", uri->host);
        if (uri->port)
            g_string_append_printf(out, ":%u", uri->port);
    }
    if (uri->session_id.len)
        append(out, "/", uri->session_id);
    append(out, ";", uri->transport);
    append(out, "", uri->params);
    return g_string_free(out, FALSE);
}
