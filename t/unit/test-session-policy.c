/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/session-policy.h"

static SessionInterface interface(const char *name, const char *local, const char *advertised)
{
    SessionInterface i = {.name = name};

    g_assert_true(addr_parse_ip(span_str(local), &i.local));
    g_assert_true(addr_parse_ip(span_str(advertised), &i.advertised));
    return i;
}

/* TRK-18: by name, then by the family of the peer, then what there is. */
static void test_choice(void)
{
    static const struct {
        const char *name;
        AddrFamily family;
        int want;
    } cases[] = {
        {"access", ADDR_IP4, 0},  {"access", ADDR_IP6, 1},  {"access", ADDR_NONE, 0},
        {"core", ADDR_IP4, 2},    {"core", ADDR_IP6, 2},    {"nat", ADDR_IP4, 3},
        {"nat", ADDR_IP6, 3},     {NULL, ADDR_IP4, 0},      {NULL, ADDR_IP6, 1},
        {"unknown", ADDR_IP4, 0}, {"unknown", ADDR_IP6, 1}, {"", ADDR_IP4, 0},
    };
    SessionInterface interfaces[] = {
        interface("access", "10.0.0.1", "198.51.100.1"),
        interface("access", "2001:db8:a::1", "2001:db8:a::1"),
        interface("core", "203.0.113.2", "203.0.113.2"),
        /* bound to IPv6, reached over IPv4: the peer sees the advertised one */
        interface("nat", "fd00::1", "192.0.2.1"),
    };
    SessionPolicy policy = {.interfaces = interfaces, .n_interfaces = G_N_ELEMENTS(interfaces)};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const SessionInterface *got = session_interface(&policy, cases[i].name, cases[i].family);
        g_test_message("case %zu", i);
        g_assert_cmpint(got - interfaces, ==, cases[i].want);
    }
    g_assert_true(session_interface_exists(&policy, "core"));
    g_assert_false(session_interface_exists(&policy, "Core"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/policy/TRK-18/interface", test_choice);
    return g_test_run();
}
