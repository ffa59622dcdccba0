/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/tls-failure.h"

/* The words are stable, and each tells one kind. */
static void test_names(void)
{
    static const char *const names[] = {
        "none",      "handshake", "fingerprint-mismatch", "no-client-certificate", "peer-alert",
        "truncated", "bad-record"};

    for (TlsFailureKind kind = TLS_FAILURE_NONE; kind <= TLS_FAILURE_RECORD; kind++)
        g_assert_cmpstr(tls_failure_name(kind), ==, names[kind]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tls/failure/names", test_names);
    return g_test_run();
}
