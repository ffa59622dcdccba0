/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * addr.h: an IPv4 or IPv6 address with a port, as a value.
 *
 * No name is ever resolved: what is not a literal is an error (a host name from a peer must not reach a resolver).
 */
#pragma once

#include "base/span.h"

#include <sys/socket.h>

typedef enum AddrFamily { ADDR_NONE = 0, ADDR_IP4 = 4, ADDR_IP6 = 6 } AddrFamily;

/** All zero is "no address". Unused bytes of ip are zero, so addresses compare by value. */
typedef struct Addr {
    AddrFamily family;
    uint16_t port; /* host order */
    uint8_t ip[16];
} Addr;

/** Room for "[IPv6]:port" and the NUL. */
#define ADDR_TEXT_MAX 56

/** An address literal without port: "192.0.2.1", "2001:db8::1" or "[2001:db8::1]". Sets port 0. */
bool addr_parse_ip(Span text, Addr *ret_addr);

/** "192.0.2.1:5060" or "[2001:db8::1]:5060"; the port is required and 1..65535. */
bool addr_parse(Span text, Addr *ret_addr);

/** The address without port, IPv6 without brackets, written into @out; returns @out. "-" for no address. */
char *addr_ip_text(const Addr *a, char out[static ADDR_TEXT_MAX]);

/** The address with port, IPv6 in brackets, written into @out; returns @out. */
char *addr_text(const Addr *a, char out[static ADDR_TEXT_MAX]);

bool addr_eq(const Addr *a, const Addr *b);
bool addr_ip_eq(const Addr *a, const Addr *b);

/** 0.0.0.0 or ::, the "hold" address of RFC 3264 8.4, which is never a place to connect to (TRK-12). */
bool addr_is_any(const Addr *a);

static inline Addr addr_with_port(Addr a, uint16_t port)
{
    a.port = port;
    return a;
}

/** Fills @ret_sa and returns its length. */
socklen_t addr_to_sockaddr(const Addr *a, struct sockaddr_storage *ret_sa);

/** False for a family other than IP. A v4-mapped IPv6 address becomes the IPv4 one. */
bool addr_from_sockaddr(const struct sockaddr *sa, Addr *ret_addr);
