/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "media/media-types.h"

/* CTL-05: the words are part of the control protocol. */
static void test_event_names(void)
{
    static const char *const names[] = {
        "tls-established",
        "tcp-connect-failed",
        "accept-timeout",
        "tls-handshake-failed",
        "fingerprint-mismatch",
        "no-client-certificate",
        "fingerprint-unknown-timeout",
        "bearer-released",
        "media-timeout",
        "closed",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_cmpstr(media_event_name((MediaEventKind)i), ==, names[i]);
    g_assert_cmpint(MEDIA_EVENT_CLOSED, ==, G_N_ELEMENTS(names) - 1);
    g_assert_cmpstr(media_event_name((MediaEventKind)99), ==, "unknown");
}

static void test_state_names(void)
{
    g_assert_cmpstr(media_leg_state_name(MEDIA_LEG_IDLE), ==, "idle");
    g_assert_cmpstr(media_leg_state_name(MEDIA_LEG_FAILED), ==, "failed");
    g_assert_cmpstr(media_leg_state_name((MediaLegState)99), ==, "unknown");
}

/* The defaults of the requirements. */
static void test_limits(void)
{
    MediaLimits l = media_limits_default();

    g_assert_cmpuint(l.max_failures, ==, 5);
    g_assert_cmpuint(l.max_handshakes, ==, 2);
    g_assert_cmpuint(l.handshake_ms, ==, 10000);
    g_assert_cmpuint(l.fingerprint_unknown_ms, ==, 30000);
    g_assert_cmpuint(l.drain_ms, ==, 5000);
    g_assert_cmpuint(l.buffer, ==, 65536);
    g_assert_cmpuint(l.idle_ms, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/media/types/CTL-05/event-names", test_event_names);
    g_test_add_func("/media/types/state-names", test_state_names);
    g_test_add_func("/media/types/TRK-06/limits", test_limits);
    return g_test_run();
}
