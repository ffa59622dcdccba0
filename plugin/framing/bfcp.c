/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "framing/bfcp.h"

/* Version 1 is for reliable transports, 2 for unreliable ones; anything else is not BFCP. */
static bool is_version(uint8_t first)
{
    return first >> 5 == 1 || first >> 5 == 2;
}

static size_t message_len(const uint8_t *header)
{
    return BFCP_HEADER_LEN + 4 * ((size_t)header[2] << 8 | header[3]);
}

size_t bfcp_sendable(BfcpTracker *t, Span pending)
{
    const uint8_t *p = (const uint8_t *)pending.p;
    size_t n = MIN(t->passing, pending.len);

    t->passing -= n;
    while (n < pending.len && !t->lost) {
        size_t rest = pending.len - n;
        if (!is_version(p[n])) {
            t->lost = true;
            break;
        }
        size_t len = rest < BFCP_HEADER_LEN ? BFCP_HEADER_LEN : message_len(p + n);
        if (rest < len && len < BFCP_HOLD_MAX)
            return n;
        t->passing = len - MIN(len, rest);
        n += MIN(len, rest);
    }
    return t->lost ? pending.len : n;
}
