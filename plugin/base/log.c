/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "base/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

/* The one place with mutable state for the whole process: GLib's log writer is process-wide, too.
 */
static atomic_int max_level = LOG_INFO;
static bool use_stderr = true;

static int syslog_level(GLogLevelFlags flags)
{
    switch (flags & G_LOG_LEVEL_MASK) {
    case G_LOG_LEVEL_ERROR:
        return LOG_CRIT;
    case G_LOG_LEVEL_CRITICAL:
        return LOG_ERR;
    case G_LOG_LEVEL_WARNING:
        return LOG_WARNING;
    case G_LOG_LEVEL_MESSAGE:
        return LOG_NOTICE;
    case G_LOG_LEVEL_INFO:
        return LOG_INFO;
    default:
        return LOG_DEBUG;
    }
}

static const char *field(const GLogField *fields, gsize n, const char *key)
{
    for (gsize i = 0; i < n; i++)
        if (strcmp(fields[i].key, key) == 0)
            return fields[i].value;
    return "";
}

static GLogWriterOutput write_log(GLogLevelFlags flags, const GLogField *fields, gsize n,
                                  gpointer user_data)
{
    static const char *const names[] = {"EMERG",   "ALERT",  "CRIT", "ERR",
                                        "WARNING", "NOTICE", "INFO", "DEBUG"};
    int level = syslog_level(flags);
    (void)user_data;

    if (level > atomic_load(&max_level))
        return G_LOG_WRITER_HANDLED;
    const char *domain = field(fields, n, "GLIB_DOMAIN");
    const char *message = field(fields, n, "MESSAGE");
    if (use_stderr)
        fprintf(stderr, "%s: [%s] %s\n", names[level], domain, message);
    else
        syslog(level, "%s: [%s] %s", names[level], domain, message);
    return G_LOG_WRITER_HANDLED;
}

int log_set_level(int level)
{
    level = CLAMP(level, LOG_EMERG, LOG_DEBUG);
    atomic_store(&max_level, level);
    return level;
}

int log_level(void)
{
    return atomic_load(&max_level);
}

int log_facility(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } facilities[] = {
        {"daemon", LOG_DAEMON}, {"user", LOG_USER},     {"local0", LOG_LOCAL0},
        {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3},
        {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5}, {"local6", LOG_LOCAL6},
        {"local7", LOG_LOCAL7},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(facilities); i++)
        if (strcmp(facilities[i].name, name) == 0)
            return facilities[i].number;
    return -1;
}

void log_init(const char *ident, int facility, int level, bool to_stderr)
{
    log_set_level(level);
    use_stderr = to_stderr;
    if (!to_stderr)
        openlog(ident, LOG_PID | LOG_NDELAY, facility);
    g_log_set_writer_func(write_log, NULL, NULL);
}
