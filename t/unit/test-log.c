/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "test"
#include "base/log.h"

static void speak(void)
{
    log_init("test-log", 5, true);
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/log/levels", test_levels);
    return g_test_run();
}
