/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/addr.h"

static void test_parse_ip(void)
{
    static const char *const bad[] = {"",         "888.888.888.888", "1.2.3",    "host.example", "1.2.3.4 ",
                                      "[1.2.3.4]", "[]",             "::1%lo",   "0x7f.1",       "[::1",
                                      "1.2.3.4.5", "2001:db8::1::2"};
    Addr a;
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(addr_parse_ip(span_str(bad[i]), &a));
    g_assert_true(addr_parse_ip(SPAN("[2001:DB8:0::1]"), &a));
    g_assert_cmpstr(addr_ip_text(&a, text), ==, "2001:db8::1");
    g_assert_true(addr_parse_ip(SPAN("192.0.2.1"), &a));
    g_assert_cmpstr(addr_ip_text(&a, text), ==, "192.0.2.1");
}

static void test_parse(void)
{
    static const char *const bad[] = {"127.0.0.1",   "127.0.0.1:",      "127.0.0.1:0", "127.0.0.1:65536",
                                      "::1:2223",    "localhost:2223",  ":2223",       "[::1]2223",
                                      "127.0.0.1:1x"};
    Addr a;
    char text[ADDR_TEXT_MAX];

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(addr_parse(span_str(bad[i]), &a));
    g_assert_true(addr_parse(SPAN("[::1]:2223"), &a));
    g_assert_cmpstr(addr_text(&a, text), ==, "[::1]:2223");
    g_assert_true(addr_parse(SPAN("127.0.0.1:65535"), &a));
    g_assert_cmpstr(addr_text(&a, text), ==, "127.0.0.1:65535");
}

/* TRK-18: IPv6 addresses are compared as numbers, whatever their spelling. */
static void test_compare(void)
{
    Addr a, b;

    g_assert_true(addr_parse_ip(SPAN("2001:db8:0:0:0:0:0:1"), &a));
    g_assert_true(addr_parse_ip(SPAN("2001:DB8::1"), &b));
    g_assert_true(addr_eq(&a, &b));
    g_assert_false(addr_eq(&a, &(Addr){.family = ADDR_IP4}));
}

/* TRK-12 */
static void test_any(void)
{
    Addr a;

    g_assert_true(addr_parse_ip(SPAN("0.0.0.0"), &a) && addr_is_any(&a));
    g_assert_true(addr_parse_ip(SPAN("::"), &a) && addr_is_any(&a));
    g_assert_true(addr_parse_ip(SPAN("0.0.0.1"), &a) && !addr_is_any(&a));
}

static void test_sockaddr(void)
{
    static const char *const texts[] = {"127.0.0.1:5060", "[2001:db8::1]:7"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        struct sockaddr_storage sa;
        Addr a, back;
        g_assert_true(addr_parse(span_str(texts[i]), &a));
        addr_to_sockaddr(&a, &sa);
        g_assert_true(addr_from_sockaddr((struct sockaddr *)&sa, &back));
        g_assert_true(addr_eq(&a, &back));
    }
    Addr mapped;
    struct sockaddr_storage sa;
    g_assert_true(addr_parse(SPAN("[::ffff:192.0.2.1]:7"), &mapped));
    addr_to_sockaddr(&mapped, &sa);
    g_assert_true(addr_from_sockaddr((struct sockaddr *)&sa, &mapped));
    g_assert_cmpint(mapped.family, ==, ADDR_IP4);
    g_assert_false(addr_from_sockaddr(&(struct sockaddr){.sa_family = AF_UNIX}, &mapped));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/addr/parse-ip", test_parse_ip);
    g_test_add_func("/base/addr/parse", test_parse);
    g_test_add_func("/base/addr/compare-numerically", test_compare);
    g_test_add_func("/base/addr/any", test_any);
    g_test_add_func("/base/addr/sockaddr", test_sockaddr);
    return g_test_run();
}
