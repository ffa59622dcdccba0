/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "framing/stun.h"

#define HEADER_LEN         20
#define COOKIE_AT          4
#define TRANSACTION_LEN    12
#define BINDING_REQUEST    0x0001
#define BINDING_SUCCESS    0x0101
#define XOR_MAPPED_ADDRESS 0x0020
#define ATTRIBUTE_HEADER   4
#define ADDRESS_HEADER     4 /* zero, family, port */
#define STUN_FAMILY_IP4    1
#define STUN_FAMILY_IP6    2

static const uint8_t magic_cookie[4] = {0x21, 0x12, 0xa4, 0x42};

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static bool is_binding_request(Span request)
{
    const uint8_t *p = (const uint8_t *)request.p;

    if (request.len < HEADER_LEN || get16(p) != BINDING_REQUEST)
        return false;
    if (memcmp(p + COOKIE_AT, magic_cookie, sizeof magic_cookie) != 0)
        return false;
    return get16(p + 2) == request.len - HEADER_LEN && request.len % 4 == 0;
}

/* The attributes must fill the message; which they are does not matter to us. */
static bool attributes_fit(Span request)
{
    const uint8_t *p = (const uint8_t *)request.p;
    size_t at = HEADER_LEN;

    while (request.len - at >= ATTRIBUTE_HEADER) {
        size_t len = ATTRIBUTE_HEADER + (get16(p + at + 2) + 3u) / 4 * 4;
        if (len > request.len - at)
            return false;
        at += len;
    }
    return at == request.len;
}

size_t stun_answer(Span request, const Addr *from, uint8_t out[static STUN_ANSWER_MAX])
{
    const uint8_t *p = (const uint8_t *)request.p;

    if (!is_binding_request(request) || !attributes_fit(request) || from->family == ADDR_NONE)
        return 0;
    size_t ip_len = from->family == ADDR_IP4 ? 4 : 16;
    size_t value_len = ADDRESS_HEADER + ip_len;
    uint8_t *attribute = out + HEADER_LEN;
    uint8_t *value = attribute + ATTRIBUTE_HEADER;

    put16(out, BINDING_SUCCESS);
    put16(out + 2, (unsigned)(ATTRIBUTE_HEADER + value_len));
    memcpy(out + COOKIE_AT, p + COOKIE_AT, sizeof magic_cookie + TRANSACTION_LEN);
    put16(attribute, XOR_MAPPED_ADDRESS);
    put16(attribute + 2, (unsigned)value_len);
    value[0] = 0;
    value[1] = from->family == ADDR_IP4 ? STUN_FAMILY_IP4 : STUN_FAMILY_IP6;
    put16(value + 2, from->port ^ get16(magic_cookie));
    /* The mask goes on from the cookie into the transaction id (RFC 5389 section 15.2). */
    for (size_t i = 0; i < ip_len; i++)
        value[ADDRESS_HEADER + i] = from->ip[i] ^ p[COOKIE_AT + i];
    return HEADER_LEN + ATTRIBUTE_HEADER + value_len;
}
