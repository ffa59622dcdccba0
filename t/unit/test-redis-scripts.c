/* SPDX-License-Identifier: GPL-3.0-or-later */
/* That they arrive in the program as they are in the folder; what they do is tested against a
 * server by test-store-redis.c. */
#include "redis-schema/redis-scripts.h"

#include <string.h>

static const char *const names[] = {"certificate.lua", "claim.lua",     "commit.lua",
                                    "delete.lua",      "heartbeat.lua", "leave.lua"};

static void embedded(void)
{
    G_STATIC_ASSERT(G_N_ELEMENTS(names) == REDIS_N_SCRIPTS);
    for (unsigned i = 0; i < REDIS_N_SCRIPTS; i++) {
        g_autofree char *path = g_test_build_filename(G_TEST_DIST, "redis-schema", names[i], NULL);
        g_autofree char *source = NULL;
        g_autoptr(GError) error = NULL;
        g_file_get_contents(path, &source, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(redis_script((RedisScript)i), ==, source);
    }
}

/* No command that looks at more than the keys it is given. */
static void no_scans(void)
{
    static const char *const slow[] = {"'KEYS'", "'SCAN'", "'SMEMBERS'", "'SORT'", "'FLUSH"};

    for (unsigned i = 0; i < REDIS_N_SCRIPTS; i++)
        for (size_t k = 0; k < G_N_ELEMENTS(slow); k++)
            g_assert_null(strstr(redis_script((RedisScript)i), slow[k]));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/redis-schema/scripts/embedded", embedded);
    g_test_add_func("/redis-schema/scripts/no-scans", no_scans);
    return g_test_run();
}
