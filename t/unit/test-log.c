/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "test"
#include "base/log.h"

#include <syslog.h>

static void speak(void)
{
    log_init("test-log", log_facility("daemon"), 5, true);
    g_message("a notice");
    g_info("an info");
    log_set_level(6);
    g_info("another info");
    log_set_level(99);
    g_debug("a debug line at level %d", log_level());
}

static void test_levels(void)
{
    if (g_test_subprocess()) {
        speak();
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*NOTICE: ?test? a notice\n*");
    g_test_trap_assert_stderr_unmatched("*an info\n*");
    g_test_trap_assert_stderr("*INFO: ?test? another info\n*");
    g_test_trap_assert_stderr("*DEBUG: ?test? a debug line at level 7\n*");
}

static void test_facility(void)
{
    static const char *const bad[] = {"", "Daemon", "local8", "kern", "local"};

    g_assert_cmpint(log_facility("daemon"), ==, LOG_DAEMON);
    g_assert_cmpint(log_facility("local7"), ==, LOG_LOCAL7);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_cmpint(log_facility(bad[i]), ==, -1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/log/levels", test_levels);
    g_test_add_func("/base/log/facility", test_facility);
    return g_test_run();
}
