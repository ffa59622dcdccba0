/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a fuzz target over its corpus without libFuzzer: one TAP test per file of
 * t/fuzz/corpus/FUZZ_NAME. */
#include <glib.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_file(const void *path)
{
    g_autofree char *data = NULL;
    g_autoptr(GError) error = NULL;
    gsize size = 0;

    g_file_get_contents(path, &data, &size, &error);
    g_assert_no_error(error);
    /* A copy of the exact size, so that a sanitizer sees a read past the end. */
    g_autofree uint8_t *copy = g_memdup2(data, size);
    g_assert_cmpint(LLVMFuzzerTestOneInput(copy, size), ==, 0);
}

int main(int argc, char **argv)
{
    const char *name;
    unsigned n = 0;

    g_test_init(&argc, &argv, NULL);
    g_autofree char *folder =
        g_test_build_filename(G_TEST_DIST, "t", "fuzz", "corpus", FUZZ_NAME, NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *test = g_strconcat("/fuzz/" FUZZ_NAME "/", name, NULL);
        g_test_add_data_func_full(test, g_build_filename(folder, name, NULL), replay_file, g_free);
        n++;
    }
    g_assert_cmpuint(n, >, 0);
    return g_test_run();
}
