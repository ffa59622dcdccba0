/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "framing/stun.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t out[STUN_ANSWER_MAX];
    Addr from = {.family = ADDR_IP4, .port = 5000, .ip = {192, 0, 2, 1}};
    size_t n = stun_answer((Span){(const char *)data, size}, &from, out);

    g_assert(n == 0 || n == 32);
    from.family = ADDR_IP6;
    g_assert(stun_answer((Span){(const char *)data, size}, &from, out) == (n ? 44 : 0));
    return 0;
}
