/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "framing/bfcp.h"

/* Appends a message with @units of payload. */
static void add_message(GByteArray *a, unsigned units)
{
    uint8_t header[BFCP_HEADER_LEN] = {0x20, 1, (uint8_t)(units >> 8), (uint8_t)units};

    g_byte_array_append(a, header, sizeof header);
    g_byte_array_set_size(a, a->len + units * 4);
    memset(a->data + a->len - units * 4, 'p', units * 4);
}

static Span span_of(const GByteArray *a, size_t from, size_t to)
{
    return (Span){(const char *)a->data + from, to - from};
}

/* Cut at every place, a message is sent on exactly when it is whole. */
static void test_boundaries(void)
{
    const unsigned units[] = {0, 1, 7, 0, 300};
    size_t ends[G_N_ELEMENTS(units)];
    g_autoptr(GByteArray) all = g_byte_array_new();

    for (unsigned i = 0; i < G_N_ELEMENTS(units); i++) {
        add_message(all, units[i]);
        ends[i] = all->len;
    }
    for (size_t step = 1; step <= all->len; step++) {
        BfcpTracker t = {0};
        size_t sent = 0;
        for (size_t end = MIN(step, all->len);; end = MIN(end + step, all->len)) {
            size_t whole = 0;
            for (unsigned i = 0; i < G_N_ELEMENTS(units); i++)
                whole = ends[i] <= end ? ends[i] : whole;
            sent += bfcp_sendable(&t, span_of(all, sent, end));
            g_assert_cmpuint(sent, ==, whole);
            if (end == all->len)
                break;
        }
        g_assert_cmpuint(sent, ==, all->len);
    }
}

/* A message that is too long to hold goes through as it comes; the one behind it is held again. */
static void test_long(void)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    BfcpTracker t = {0};

    add_message(all, 65535);
    size_t first = all->len;
    add_message(all, 2);
    g_assert_cmpuint(bfcp_sendable(&t, span_of(all, 0, 11)), ==, 0);
    g_assert_cmpuint(bfcp_sendable(&t, span_of(all, 0, 100)), ==, 100);
    g_assert_cmpuint(bfcp_sendable(&t, span_of(all, 100, 101)), ==, 1);
    g_assert_cmpuint(bfcp_sendable(&t, span_of(all, 101, first + 5)), ==, first - 101);
    g_assert_cmpuint(bfcp_sendable(&t, span_of(all, first, first + 19)), ==, 0);
    g_assert_cmpuint(bfcp_sendable(&t, span_of(all, first, all->len)), ==, 20);
}

/* What is not BFCP is not held up. */
static void test_lost(void)
{
    BfcpTracker t = {0};

    g_assert_cmpuint(bfcp_sendable(&t, SPAN("GET / HTTP/1.0\r\n")), ==, 16);
    g_assert_cmpuint(bfcp_sendable(&t, SPAN("\x20")), ==, 1);
    g_assert_cmpuint(bfcp_sendable(&t, SPAN("")), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/framing/bfcp/BFC-09/boundaries", test_boundaries);
    g_test_add_func("/framing/bfcp/BFC-09/long", test_long);
    g_test_add_func("/framing/bfcp/BFC-09/lost", test_lost);
    return g_test_run();
}
