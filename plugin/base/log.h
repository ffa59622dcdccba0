/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * log.h: where log lines go. The code logs with GLib's g_message(), g_warning() ..., and a
 * G_LOG_DOMAIN per folder; this maps them to rtpengine's levels (0 emergency .. 7 debug) and to
 * stderr or syslog.
 *
 * Levels: g_critical = 3 (error), g_warning = 4, g_message = 5 (notice), g_info = 6, g_debug = 7.
 * Threads: log_init() once in main() before any thread starts; logging from any thread after that.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/** The number of a syslog facility, "daemon", "user", "local0" ... "local7"; -1 for any other text.
 */
int log_facility(const char *name);

/**
 * Sends log lines of at most @level (0..7) to stderr or to syslog as @ident (kept, must outlive the
 * program) with
 * @facility, a number of log_facility().
 */
void log_init(const char *ident, int facility, int level, bool to_stderr);

/** Changes the level while running (SIGUSR1, SIGUSR2); clamps to 0..7 and returns what is in force.
 */
int log_set_level(int level);

int log_level(void);
