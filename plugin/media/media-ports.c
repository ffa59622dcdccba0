/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "media/media-ports.h"
#include "net/net-tcp.h"
#include "net/net-udp.h"

#include <errno.h>

/* One UE connects; a few more may be strangers (TRK-06). */
#define LISTEN_BACKLOG 8

G_DEFINE_QUARK(media - ports - error - quark, media_ports_error)

typedef struct PortRange {
    const MediaPorts *pool;
    Addr ip; /* port 0 */
    unsigned used;
    uint16_t next; /* where the search begins */
    uint8_t taken[65536 / 8];
} PortRange;

struct MediaPorts {
    uint16_t port_min;
    uint16_t port_max;
    bool freebind;
    GPtrArray *ranges; /* PortRange, one per address; a handful */
};

struct MediaPort {
    PortRange *range; /* borrowed */
    Addr addr;
    int fd;
};

MediaPorts *media_ports_new(uint16_t port_min, uint16_t port_max, bool freebind)
{
    MediaPorts *pool = g_new0(MediaPorts, 1);

    g_assert(port_min > 0 && port_min <= port_max);
    pool->port_min = port_min;
    pool->port_max = port_max;
    pool->freebind = freebind;
    pool->ranges = g_ptr_array_new_with_free_func(g_free);
    return pool;
}

void media_ports_free(MediaPorts *pool)
{
    if (!pool)
        return;
    g_assert(media_ports_used(pool, NULL) == 0);
    g_ptr_array_unref(pool->ranges);
    g_free(pool);
}

static PortRange *find_range(const MediaPorts *pool, const Addr *ip)
{
    for (unsigned i = 0; i < pool->ranges->len; i++) {
        PortRange *range = pool->ranges->pdata[i];
        if (addr_ip_eq(&range->ip, ip))
            return range;
    }
    return NULL;
}

static PortRange *range_of(MediaPorts *pool, const Addr *ip)
{
    PortRange *range = find_range(pool, ip);

    if (!range) {
        range = g_new0(PortRange, 1);
        range->pool = pool;
        range->ip = addr_with_port(*ip, 0);
        range->next = pool->port_min;
        g_ptr_array_add(pool->ranges, range);
    }
    return range;
}

static bool is_taken(const PortRange *range, uint16_t number)
{
    return (range->taken[number / 8] & (1u << (number % 8))) != 0;
}

static void set_taken(PortRange *range, uint16_t number, bool taken)
{
    uint8_t bit = (uint8_t)(1u << (number % 8));

    range->taken[number / 8] =
        (uint8_t)(taken ? range->taken[number / 8] | bit : range->taken[number / 8] & ~bit);
    range->used = taken ? range->used + 1 : range->used - 1;
}

static int open_socket(const Addr *addr, MediaTransport transport, bool freebind)
{
    return transport == MEDIA_TCP ? net_tcp_listen(addr, LISTEN_BACKLOG, freebind)
                                  : net_udp_bind(addr, freebind);
}

static MediaPort *new_port(PortRange *range, const Addr *addr, int fd)
{
    MediaPort *port = g_new0(MediaPort, 1);

    port->range = range;
    port->addr = *addr;
    port->fd = fd;
    set_taken(range, addr->port, true);
    return port;
}

static void set_bind_error(GError **error, const Addr *addr, int result)
{
    char text[ADDR_TEXT_MAX];
    bool files = result == -EMFILE || result == -ENFILE || result == -ENOBUFS || result == -ENOMEM;

    g_set_error(error, MEDIA_PORTS_ERROR,
                files                   ? MEDIA_PORTS_ERROR_FILES
                : result == -EADDRINUSE ? MEDIA_PORTS_ERROR_EXHAUSTED
                                        : MEDIA_PORTS_ERROR_ADDRESS,
                "cannot bind %s: %s", addr_text(addr, text), net_error_text(result));
}

static MediaPort *reserve_exact(PortRange *range, MediaTransport transport, uint16_t number,
                                GError **error)
{
    Addr addr = addr_with_port(range->ip, number);
    int fd = is_taken(range, number) ? -EADDRINUSE
                                     : open_socket(&addr, transport, range->pool->freebind);

    if (fd < 0) {
        set_bind_error(error, &addr, fd);
        return NULL;
    }
    return new_port(range, &addr, fd);
}

MediaPort *media_port_reserve(MediaPorts *pool, const Addr *ip, MediaTransport transport,
                              uint16_t exact, GError **error)
{
    PortRange *range = range_of(pool, ip);
    unsigned size = media_ports_size(pool);
    char text[ADDR_TEXT_MAX];

    if (exact != 0)
        return reserve_exact(range, transport, exact, error);
    for (unsigned tried = 0; tried < size; tried++) {
        Addr addr = addr_with_port(range->ip, range->next);
        range->next = range->next == pool->port_max ? pool->port_min : (uint16_t)(range->next + 1);
        if (is_taken(range, addr.port))
            continue;
        int fd = open_socket(&addr, transport, false);
        if (fd >= 0)
            return new_port(range, &addr, fd);
        if (fd != -EADDRINUSE) {
            set_bind_error(error, &addr, fd);
            return NULL;
        }
    }
    g_set_error(error, MEDIA_PORTS_ERROR, MEDIA_PORTS_ERROR_EXHAUSTED,
                "all ports %u-%u of %s are taken", pool->port_min, pool->port_max,
                addr_ip_text(ip, text));
    return NULL;
}

void media_port_release(MediaPort *port)
{
    if (!port)
        return;
    net_close(&port->fd);
    set_taken(port->range, port->addr.port, false);
    g_free(port);
}

const Addr *media_port_addr(const MediaPort *port)
{
    return &port->addr;
}

int media_port_take_socket(MediaPort *port)
{
    int fd = port->fd;

    port->fd = -1;
    return fd;
}

unsigned media_ports_used(const MediaPorts *pool, const Addr *ip)
{
    unsigned used = 0;

    for (unsigned i = 0; i < pool->ranges->len; i++) {
        const PortRange *range = pool->ranges->pdata[i];
        if (!ip || addr_ip_eq(&range->ip, ip))
            used += range->used;
    }
    return used;
}

unsigned media_ports_size(const MediaPorts *pool)
{
    return (unsigned)pool->port_max - pool->port_min + 1;
}
