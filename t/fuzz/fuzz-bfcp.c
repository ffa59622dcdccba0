/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "framing/bfcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* However a stream is cut (the first byte says how), all of it comes out, and little is held. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    BfcpTracker t = {0};
    size_t sent = 0;

    for (size_t end = 1; end <= size; end += size ? data[0] % 64 + 1u : 1u) {
        size_t n = bfcp_sendable(&t, (Span){(const char *)data + sent, end - sent});
        g_assert(n <= end - sent);
        sent += n;
        g_assert(end - sent < BFCP_HOLD_MAX);
        g_assert(t.passing == 0 || sent == end);
    }
    return 0;
}
