/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "store/store-link.h"

#include "redis-schema/redis-keys.h"
#include "store/store-uv.h"

/* Keys that are looked at in a database before it is used for the first time. */
#define RANDOM_KEYS 16

typedef enum LinkPhase {
    LINK_WAIT, /* for the next attempt */
    LINK_ASK,  /* a sentinel for the master */
    LINK_CONNECT,
    LINK_GREET, /* connected; the answers to the first commands are to come */
    LINK_UP,
    LINK_CLOSED,
} LinkPhase;

struct StoreLink {
    uv_loop_t *loop;
    const StoreTarget *target;
    StoreLinkHooks hooks;
    LinkPhase phase;
    redisAsyncContext *ac; /* of the phases ASK to UP */
    unsigned greetings;    /* answers to come in GREET */
    bool known;            /* the database was found to be ours */
    unsigned sentinel;     /* the one to ask next */
    unsigned asked;        /* sentinels asked in this attempt */
    unsigned wait_ms;      /* before the next attempt */
    uv_timer_t attempt;    /* WAIT: until the next one; ASK to GREET: until it has taken too long */
    uv_timer_t answer;     /* until the oldest command has waited too long */
    GQueue commands;       /* of Command, in the order of their answers */
    char *text;
    unsigned handles;
    void (*closed)(void *arg);
    void *closed_arg;
};

typedef struct Command {
    StoreLink *link;
    StoreLinkReplyCb cb;
    void *arg;
    uint64_t deadline; /* of uv_now() */
} Command;

static void begin(StoreLink *link);
static void sentinel_failed(StoreLink *link, const char *text);

static void set_text(StoreLink *link, const char *text)
{
    char *copy = g_strescape(text, NULL);

    g_free(link->text);
    link->text = copy;
}

/* Lets go of the connection. Its commands get their NULL from hiredis, now or when it returns from
 * the callback that it is in. */
static void drop(StoreLink *link)
{
    redisAsyncContext *ac = g_steal_pointer(&link->ac);

    if (!ac)
        return;
    ac->data = NULL;
    redisAsyncFree(ac);
}

static void attempt_cb(uv_timer_t *timer)
{
    StoreLink *link = timer->data;

    if (link->phase == LINK_WAIT)
        begin(link);
    else if (link->phase == LINK_ASK)
        sentinel_failed(link, "a sentinel does not answer");
    else
        store_link_fail(link, "timeout while connecting");
}

static void down(StoreLink *link, const char *text, bool refused)
{
    link->phase = LINK_WAIT;
    set_text(link, text);
    drop(link);
    uv_timer_stop(&link->attempt);
    if (!refused) {
        /* not all nodes at the same moment */
        unsigned spread = (unsigned)g_random_int_range(0, (int)(link->wait_ms / 4 + 1));
        uv_timer_start(&link->attempt, attempt_cb, link->wait_ms + spread, 0);
        link->wait_ms = MIN(link->wait_ms * 2, link->target->reconnect_max_ms);
    }
    link->hooks.down(link->text, refused, link->hooks.arg);
}

void store_link_fail(StoreLink *link, const char *text)
{
    if (link->phase != LINK_WAIT && link->phase != LINK_CLOSED)
        down(link, text, false);
}

static void answer_cb(uv_timer_t *timer)
{
    StoreLink *link = timer->data;
    const Command *oldest = g_queue_peek_head(&link->commands);

    if (!oldest)
        return;
    uint64_t now = uv_now(link->loop);
    if (oldest->deadline > now) {
        uv_timer_start(timer, answer_cb, oldest->deadline - now, 0);
        return;
    }
    g_autofree char *text = g_strdup_printf("no answer for %u ms", link->target->command_ms);
    if (link->phase == LINK_ASK)
        sentinel_failed(link, text);
    else
        store_link_fail(link, text);
}

static void command_done(redisAsyncContext *ac, void *reply, void *data)
{
    Command *cmd = data;
    StoreLink *link = cmd->link;

    g_queue_remove(&link->commands, cmd); /* the first one, always */
    /* lost: nobody must think that it can still be used, until onDisconnect comes */
    if (!reply && ac == link->ac && link->phase == LINK_UP) {
        link->phase = LINK_GREET;
        set_text(link, *ac->c.errstr ? ac->c.errstr : "connection closed");
    }
    cmd->cb(reply, cmd->arg);
    g_free(cmd);
}

static bool issue(StoreLink *link, int argc, const char **argv, StoreLinkReplyCb cb, void *arg)
{
    Command *cmd = g_new(Command, 1);

    *cmd = (Command){link, cb, arg, uv_now(link->loop) + link->target->command_ms};
    if (redisAsyncCommandArgv(link->ac, command_done, cmd, argc, argv, NULL) != REDIS_OK) {
        g_free(cmd);
        return false;
    }
    g_queue_push_tail(&link->commands, cmd);
    if (!uv_is_active((uv_handle_t *)&link->answer))
        uv_timer_start(&link->answer, answer_cb, link->target->command_ms, 0);
    return true;
}

bool store_link_send(StoreLink *link, int argc, const char **argv, StoreLinkReplyCb cb, void *arg)
{
    return link->phase == LINK_UP && link->commands.length < link->target->max_commands &&
           issue(link, argc, argv, cb, arg);
}

/* A command of up to three words. */
static void say(StoreLink *link, StoreLinkReplyCb cb, const char *a, const char *b, const char *c)
{
    const char *argv[] = {a, b, c};
    int argc = c ? 3 : b ? 2 : 1;

    issue(link, argc, argv, cb, link);
}

static const char *error_of(const redisReply *reply)
{
    return reply && reply->type == REDIS_REPLY_ERROR ? reply->str : NULL;
}

/* One answer of GREET has come and is good; the last one opens the link. */
static void greeted(StoreLink *link)
{
    if (link->phase != LINK_GREET || --link->greetings)
        return;
    link->known = true;
    link->phase = LINK_UP;
    uv_timer_stop(&link->attempt);
    set_text(link, "");
    link->hooks.up(link->hooks.arg);
}

/* AUTH and SELECT: OK or an error. */
static void greeting_cb(redisReply *reply, void *arg)
{
    StoreLink *link = arg;

    if (!reply || link->phase != LINK_GREET)
        return;
    if (error_of(reply))
        store_link_fail(link, error_of(reply));
    else
        greeted(link);
}

static void role_cb(redisReply *reply, void *arg)
{
    StoreLink *link = arg;

    if (!reply || link->phase != LINK_GREET)
        return;
    const char *error = error_of(reply);
    /* an ACL may forbid the question; then the first write shows what the server is */
    if (error && !g_str_has_prefix(error, "NOPERM"))
        store_link_fail(link, error);
    else if (reply->type == REDIS_REPLY_ARRAY && reply->elements && reply->element[0]->str &&
             strcmp(reply->element[0]->str, "master") != 0)
        store_link_fail(link, "the server is not a master but a replica");
    else
        greeted(link);
}

static void random_key_cb(redisReply *reply, void *arg)
{
    StoreLink *link = arg;

    if (!reply || link->phase != LINK_GREET)
        return;
    Span key = {reply->str, reply->type == REDIS_REPLY_STRING ? (size_t)reply->len : 0};
    if (error_of(reply)) {
        store_link_fail(link, error_of(reply));
    } else if (reply->type == REDIS_REPLY_STRING && !span_starts(key, SPAN(REDIS_KEY_PREFIX))) {
        g_autofree char *quoted = span_quote(key);
        g_autofree char *text = g_strdup_printf(
            "Redis database %u is not ours alone: it has the key %s", link->target->db, quoted);
        down(link, text, true);
    } else {
        greeted(link);
    }
}

static void auth(StoreLink *link, const char *user, const char *password, StoreLinkReplyCb cb)
{
    if (user)
        say(link, cb, "AUTH", user, password ? password : "");
    else if (password)
        say(link, cb, "AUTH", password, NULL);
}

static void greet(StoreLink *link)
{
    const StoreTarget *t = link->target;
    g_autofree char *db = g_strdup_printf("%u", t->db);
    unsigned keys = link->known ? 0 : RANDOM_KEYS;

    link->phase = LINK_GREET;
    link->greetings = (t->user || t->password ? 1 : 0) + 2 + keys;
    auth(link, t->user, t->password, greeting_cb);
    say(link, role_cb, "ROLE", NULL, NULL);
    say(link, greeting_cb, "SELECT", db, NULL);
    while (keys--)
        say(link, random_key_cb, "RANDOMKEY", NULL, NULL);
}

static void master_cb(redisReply *reply, void *arg);

static void sentinel_auth_cb(redisReply *reply, void *arg)
{
    StoreLink *link = arg;

    if (reply && link->phase == LINK_ASK && error_of(reply))
        sentinel_failed(link, error_of(reply));
}

static void ask(StoreLink *link)
{
    const StoreTarget *t = link->target;

    auth(link, t->sentinel_user, t->sentinel_password, sentinel_auth_cb);
    say(link, master_cb, "SENTINEL", "get-master-addr-by-name", t->master);
}

static void connected_cb(const redisAsyncContext *ac, int status)
{
    StoreLink *link = ac->data;

    if (!link)
        return;
    if (status == REDIS_OK && link->phase == LINK_ASK) {
        ask(link);
    } else if (status == REDIS_OK) {
        greet(link);
    } else {
        link->ac = NULL; /* hiredis frees it when this returns */
        if (link->phase == LINK_ASK)
            sentinel_failed(link, ac->c.errstr);
        else
            store_link_fail(link, ac->c.errstr);
    }
}

static void disconnected_cb(const redisAsyncContext *ac, int status)
{
    StoreLink *link = ac->data;
    const char *text = *ac->c.errstr ? ac->c.errstr : "connection closed";

    (void)status;
    if (!link)
        return;
    link->ac = NULL;
    if (link->phase == LINK_ASK)
        sentinel_failed(link, text);
    else
        store_link_fail(link, text);
}

/* Returns why it cannot be, or NULL. */
static const char *connect_to(StoreLink *link, const Addr *addr, const char *path)
{
    char ip[ADDR_TEXT_MAX];
    redisAsyncContext *ac =
        path ? redisAsyncConnectUnix(path) : redisAsyncConnect(addr_ip_text(addr, ip), addr->port);
    g_assert(ac); /* out of memory */
    int rc = ac->err ? 0 : store_uv_attach(ac, link->loop);

    if (ac->err || rc < 0) {
        set_text(link, ac->err ? ac->c.errstr : uv_strerror(rc));
        redisAsyncFree(ac);
        return link->text;
    }
    link->ac = ac;
    ac->data = link;
    redisAsyncSetConnectCallback(ac, connected_cb);
    redisAsyncSetDisconnectCallback(ac, disconnected_cb);
    uv_timer_start(&link->attempt, attempt_cb, link->target->connect_ms, 0);
    return NULL;
}

static void connect_server(StoreLink *link, const Addr *addr, const char *path)
{
    link->phase = LINK_CONNECT;
    const char *complaint = connect_to(link, addr, path);
    if (complaint) {
        g_autofree char *text = g_strdup(complaint);
        store_link_fail(link, text);
    }
}

static void ask_sentinel(StoreLink *link)
{
    const StoreTarget *t = link->target;

    link->phase = LINK_ASK;
    link->asked++;
    const Addr *addr = &t->sentinels[link->sentinel++ % t->n_sentinels];
    const char *complaint = connect_to(link, addr, NULL);
    if (complaint) {
        g_autofree char *text = g_strdup(complaint);
        sentinel_failed(link, text);
    }
}

/* Ask the next one; when all have been asked, wait. */
static void sentinel_failed(StoreLink *link, const char *text)
{
    drop(link);
    if (link->asked < link->target->n_sentinels) {
        ask_sentinel(link);
        return;
    }
    g_autofree char *why =
        g_strdup_printf("no sentinel knows the master %s: %s", link->target->master, text);
    store_link_fail(link, why);
}

static void master_cb(redisReply *reply, void *arg)
{
    StoreLink *link = arg;
    Addr addr;
    uint64_t port;

    if (!reply || link->phase != LINK_ASK)
        return;
    if (error_of(reply)) {
        sentinel_failed(link, error_of(reply));
    } else if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
               !reply->element[0]->str || !reply->element[1]->str) {
        sentinel_failed(link, "it has no such master");
    } else if (!addr_parse_ip(span_str(reply->element[0]->str), &addr) ||
               !span_uint(span_str(reply->element[1]->str), G_MAXUINT16, &port)) {
        sentinel_failed(link, "its address of the master is not ADDR and PORT");
    } else {
        addr.port = (uint16_t)port;
        link->sentinel--; /* this one knows: ask it first next time */
        drop(link);
        connect_server(link, &addr, NULL);
    }
}

static void begin(StoreLink *link)
{
    const StoreTarget *t = link->target;

    link->asked = 0;
    if (t->master)
        ask_sentinel(link);
    else
        connect_server(link, &t->addr, t->path);
}

StoreLink *store_link_new(uv_loop_t *loop, const StoreTarget *target, const StoreLinkHooks *hooks)
{
    StoreLink *link = g_new0(StoreLink, 1);

    link->loop = loop;
    link->target = target;
    link->hooks = *hooks;
    link->wait_ms = target->reconnect_ms;
    link->text = g_strdup("not connected yet");
    g_queue_init(&link->commands);
    uv_timer_init(loop, &link->attempt);
    uv_timer_init(loop, &link->answer);
    link->attempt.data = link->answer.data = link;
    link->handles = 2;
    uv_timer_start(&link->attempt, attempt_cb, 0, 0);
    return link;
}

static void handle_closed(uv_handle_t *handle)
{
    StoreLink *link = handle->data;

    if (--link->handles)
        return;
    void (*closed)(void *) = link->closed;
    void *arg = link->closed_arg;
    g_free(link->text);
    g_free(link);
    closed(arg);
}

void store_link_close(StoreLink *link, void (*closed)(void *arg), void *arg)
{
    link->phase = LINK_CLOSED;
    link->closed = closed;
    link->closed_arg = arg;
    set_text(link, "closed");
    drop(link);
    g_assert(!link->commands.length);
    uv_close((uv_handle_t *)&link->attempt, handle_closed);
    uv_close((uv_handle_t *)&link->answer, handle_closed);
}

void store_link_settled(StoreLink *link)
{
    link->wait_ms = link->target->reconnect_ms;
}

bool store_link_is_up(const StoreLink *link)
{
    return link->phase == LINK_UP;
}

unsigned store_link_under_way(const StoreLink *link)
{
    return link->commands.length;
}

const char *store_link_text(const StoreLink *link)
{
    return link->text;
}
