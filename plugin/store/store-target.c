/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/store-target.h"

#include "store/store.h"

/* Redis' own default is 16; the operator may have more. */
#define DB_MAX 65535
/* sun_path of a unix socket */
#define PATH_LENGTH_MAX 107

void store_target_init(StoreTarget *t)
{
    *t = (StoreTarget){
        .connect_ms = 1000,
        .command_ms = 1000,
        .reconnect_ms = 100,
        .reconnect_max_ms = 1000,
        .max_commands = 16384,
        .max_behind = 131072,
    };
}

static void forget(char **secret)
{
    if (*secret)
        memset(*secret, 0, strlen(*secret));
    g_clear_pointer(secret, g_free);
}

void store_target_clear(StoreTarget *t)
{
    g_free(t->path);
    g_free(t->user);
    forget(&t->password);
    g_free(t->master);
    g_free(t->sentinel_user);
    forget(&t->sentinel_password);
    store_target_init(t);
}

static bool complain(GError **error, const char *what, Span text)
{
    g_autofree char *quoted = span_quote(text);

    g_set_error(error, STORE_ERROR, STORE_ERROR_CONFIG, "%s: %s", what, quoted);
    return false;
}

/* The place of the last @c in @text, or -1. */
static ssize_t last(Span text, char c)
{
    ssize_t i = (ssize_t)text.len - 1;

    while (i >= 0 && text.p[i] != c)
        i--;
    return i;
}

bool store_target_parse(StoreTarget *t, const char *text, GError **error)
{
    Span rest = span_str(text);
    ssize_t at = last(rest, '@');
    Span password = span_head(rest, at < 0 ? 0 : (size_t)at);
    uint64_t db;
    Addr addr = {0};

    rest = span_skip(rest, (size_t)(at + 1));
    ssize_t slash = last(rest, '/');
    Span server = span_head(rest, slash < 0 ? 0 : (size_t)slash);
    if (slash < 0 || !span_uint(span_skip(rest, (size_t)slash + 1), DB_MAX, &db))
        return complain(error, "no database number at the end of the Redis address", rest);
    bool is_path = server.len > 1 && server.p[0] == '/';
    if (is_path && server.len > PATH_LENGTH_MAX)
        return complain(error, "path of the Redis socket too long", server);
    if (server.len && !is_path && !addr_parse(server, &addr))
        return complain(error, "Redis address is neither ADDR:PORT nor a path", server);
    g_free(t->path);
    t->path = is_path ? span_dup(server) : NULL;
    t->addr = addr;
    t->db = (unsigned)db;
    if (at >= 0) {
        forget(&t->password);
        t->password = span_dup(password);
    }
    return true;
}

bool store_target_parse_sentinels(StoreTarget *t, const char *text, const char *master,
                                  GError **error)
{
    Span rest = span_str(text);
    unsigned n = 0;
    Addr sentinels[STORE_SENTINELS_MAX];

    while (rest.len) {
        Span one = span_trim(span_cut(&rest, ','));
        if (n == STORE_SENTINELS_MAX)
            return complain(error, "too many sentinels", one);
        if (!addr_parse(one, &sentinels[n++]))
            return complain(error, "address of a sentinel is not ADDR:PORT", one);
    }
    if (!n)
        return complain(error, "no sentinel", span_str(text));
    if (!master || !*master)
        return complain(error, "the name of the master is missing for the sentinels",
                        span_str(text));
    memcpy(t->sentinels, sentinels, sizeof sentinels);
    t->n_sentinels = n;
    g_free(t->master);
    t->master = g_strdup(master);
    return true;
}

/* What @a and @b say can be the same database. With Sentinel only the number is known. */
static bool same_database(const StoreTarget *a, const StoreTarget *b)
{
    if (a->db != b->db)
        return false;
    if (a->master || a->path || b->path)
        return true;
    return addr_eq(&a->addr, &b->addr);
}

bool store_target_check(const StoreTarget *t, const char *rtpengine, GError **error)
{
    if (t->db == 0) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_CONFIG,
                    "Redis database 0 is not used: rtpengine deletes keys in it");
        return false;
    }
    if (!t->master && !t->path && t->addr.family == ADDR_NONE) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_CONFIG,
                    "neither the address of a Redis server nor sentinels are given");
        return false;
    }
    if (!rtpengine)
        return true;
    StoreTarget theirs;
    store_target_init(&theirs);
    bool ok = store_target_parse(&theirs, rtpengine, error);
    if (ok && same_database(t, &theirs)) {
        g_set_error(error, STORE_ERROR, STORE_ERROR_CONFIG,
                    "Redis database %u is rtpengine's, which deletes keys that it cannot read; "
                    "use another one",
                    t->db);
        ok = false;
    }
    store_target_clear(&theirs);
    return ok;
}

char *store_target_text(const StoreTarget *t)
{
    char text[ADDR_TEXT_MAX];

    if (t->master)
        return g_strdup_printf("master %s/%u", t->master, t->db);
    return g_strdup_printf("%s/%u", t->path ? t->path : addr_text(&t->addr, text), t->db);
}
