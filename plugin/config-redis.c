/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Autoconf's, in angle brackets: in quotes it would be the one beside this file. */
#include <config.h>

#include "plugin/config-redis.h"

static bool complain(GError **error, const char *text)
{
    g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_OPTION, text);
    return false;
}

/* The first line, whatever follows: editors end it with a newline. */
static char *read_password(const char *path, GError **error)
{
    g_autoptr(GError) cause = NULL;
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, &cause)) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION, "--redis-password-file: %s",
                    cause->message);
        return NULL;
    }
    text[strcspn(text, "\r\n")] = '\0';
    if (text[0])
        return text;
    g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION,
                "--redis-password-file=%s: its first line is empty", path);
    g_free(text);
    return NULL;
}

static bool find_password(const Config *c, StoreTarget *target, GError **error)
{
    if (target->password && c->redis_password_file)
        return complain(error, "--redis has a password and --redis-password-file is given: "
                               "give it once");
    if (c->redis_password_file) {
        target->password = read_password(c->redis_password_file, error);
        return target->password != NULL;
    }
    if (!target->password)
        target->password = g_strdup(g_getenv(CONFIG_REDIS_PASSWORD));
    if (c->redis_user && !target->password)
        return complain(error, "--redis-user is given and no password: give it in --redis, "
                               "--redis-password-file or " CONFIG_REDIS_PASSWORD);
    return true;
}

static bool check_databases(const Config *c, const StoreTarget *target, GError **error)
{
    if (!store_target_check(target, NULL, error)) {
        g_prefix_error(error, "--redis: ");
        return false;
    }
    for (guint i = 0; i < c->rtpengine_redis->len; i++) {
        if (!store_target_check(target, c->rtpengine_redis->pdata[i], error)) {
            g_prefix_error(error, "--rtpengine-redis: ");
            return false;
        }
    }
    return true;
}

bool config_redis_target(const Config *c, StoreTarget *target, GError **error)
{
    if (!c->node_id)
        return complain(error, "No --node-id, and the name of the host cannot be one: "
                               "give 1 to 64 letters, digits, '.', '_' and '-'");
    if (c->node_timeout_ms < 3 * c->heartbeat_ms)
        return complain(error, "--node-timeout is less than three times --heartbeat-interval: one "
                               "late heartbeat could cost a node its calls");
    if (c->redis_master && !c->redis_sentinel)
        return complain(error, "--redis-master is given and --redis-sentinel is not");
    target->degrade = c->redis_degrade;
    target->connect_ms = c->redis_connect_ms;
    target->command_ms = c->redis_command_ms;
    target->user = g_strdup(c->redis_user);
    if (!store_target_parse(target, c->redis, error)) {
        g_prefix_error(error, "--redis: ");
        return false;
    }
    if (c->redis_sentinel &&
        !store_target_parse_sentinels(target, c->redis_sentinel, c->redis_master, error)) {
        g_prefix_error(error, "--redis-sentinel: ");
        return false;
    }
    return find_password(c, target, error) && check_databases(c, target, error);
}

bool config_redis_absent(const Config *c, GError **error)
{
    if (c->redis_sentinel || c->redis_master)
        return complain(error, "--redis-sentinel is given and --redis is not: "
                               "give the database with --redis=/DB");
    if (c->ha_group || c->node_address.family != ADDR_NONE)
        return complain(error, "--ha-group and --node-address need --redis, through which nodes "
                               "know of each other");
    if (c->redis_user || c->redis_password_file || c->redis_degrade)
        return complain(error, "--redis-user, --redis-password-file and --redis-mode=degrade need "
                               "--redis");
    return true;
}
