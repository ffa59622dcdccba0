/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>

bool addr_parse_ip(Span text, Addr *ret_addr)
{
    char copy[INET6_ADDRSTRLEN];
    Addr a = {0};

    if (text.len >= 2 && text.p[0] == '[' && text.p[text.len - 1] == ']') {
        text = span_head(span_skip(text, 1), text.len - 2);
        if (!text.len || !memchr(text.p, ':', text.len))
            return false;
    }
    if (!text.len || text.len >= sizeof copy || memchr(text.p, 0, text.len))
        return false;
    memcpy(copy, text.p, text.len);
    copy[text.len] = 0;
    if (inet_pton(AF_INET, copy, a.ip) == 1)
        a.family = ADDR_IP4;
    else if (inet_pton(AF_INET6, copy, a.ip) == 1)
        a.family = ADDR_IP6;
    else
        return false;
    *ret_addr = a;
    return true;
}

bool addr_parse(Span text, Addr *ret_addr)
{
    Addr a;
    uint64_t port;
    size_t colon = text.len;

    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    Span host = span_head(text, colon - 1);
    if (!span_uint(span_skip(text, colon), 65535, &port) || port == 0)
        return false;
    if (!addr_parse_ip(host, &a))
        return false;
    if (a.family == ADDR_IP6 && host.p[0] != '[')
        return false;
    a.port = (uint16_t)port;
    *ret_addr = a;
    return true;
}

char *addr_ip_text(const Addr *a, char out[static ADDR_TEXT_MAX])
{
    if (a->family == ADDR_NONE)
        return strcpy(out, "-");
    inet_ntop(a->family == ADDR_IP4 ? AF_INET : AF_INET6, a->ip, out, ADDR_TEXT_MAX);
    return out;
}

char *addr_text(const Addr *a, char out[static ADDR_TEXT_MAX])
{
    char ip[ADDR_TEXT_MAX];

    addr_ip_text(a, ip);
    g_snprintf(out, ADDR_TEXT_MAX, a->family == ADDR_IP6 ? "[%.45s]:%u" : "%.45s:%u", ip, a->port);
    return out;
}

bool addr_ip_eq(const Addr *a, const Addr *b)
{
    return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

bool addr_eq(const Addr *a, const Addr *b)
{
    return a->port == b->port && addr_ip_eq(a, b);
}

bool addr_is_any(const Addr *a)
{
    static const uint8_t zero[sizeof a->ip];

    return a->family != ADDR_NONE && memcmp(a->ip, zero, sizeof zero) == 0;
}

socklen_t addr_to_sockaddr(const Addr *a, struct sockaddr_storage *ret_sa)
{
    memset(ret_sa, 0, sizeof *ret_sa);
    if (a->family == ADDR_IP4) {
        struct sockaddr_in *sin = (struct sockaddr_in *)ret_sa;
        sin->sin_family = AF_INET;
        sin->sin_port = htons(a->port);
        memcpy(&sin->sin_addr, a->ip, 4);
        return sizeof *sin;
    }
    struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ret_sa;
    sin6->sin6_family = AF_INET6;
    sin6->sin6_port = htons(a->port);
    memcpy(&sin6->sin6_addr, a->ip, 16);
    return sizeof *sin6;
}

bool addr_from_sockaddr(const struct sockaddr *sa, Addr *ret_addr)
{
    Addr a = {0};

    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *sin = (const struct sockaddr_in *)sa;
        a.family = ADDR_IP4;
        a.port = ntohs(sin->sin_port);
        memcpy(a.ip, &sin->sin_addr, 4);
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)sa;
        bool mapped = IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr);
        a.family = mapped ? ADDR_IP4 : ADDR_IP6;
        a.port = ntohs(sin6->sin6_port);
        memcpy(a.ip, sin6->sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
    } else {
        return false;
    }
    *ret_addr = a;
    return true;
}
