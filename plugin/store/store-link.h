/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * store-link.h: the connection to Redis: finding the master, connecting, checking that this is a
 * database to use, noticing that it is gone, and connecting again.
 *
 *   ASK -------> CONNECT -----> GREET -----> UP          ASK only with Sentinel
 *    |              |             |           |
 *    +--------------+-------------+-----------+---> WAIT ---> ASK or CONNECT
 *
 * A command without an answer for command_ms takes the connection down, as hiredis 0.14 has no time
 * limit of its own and later answers would have lost their meaning anyway.
 *
 * Threads: control thread only.
 * Owner:   whoever made it closes it with store_link_close().
 */
#pragma once

#include "store/store-target.h"

#include <hiredis/async.h>
#include <uv.h>

typedef struct StoreLink StoreLink;

/** @reply: (borrowed) NULL = the connection was lost before the answer. */
typedef void (*StoreLinkReplyCb)(redisReply *reply, void *arg);

/** Called by the link from the loop, and from store_link_fail(). They may send commands. */
typedef struct StoreLinkHooks {
    /** Connected, and the database is ours. */
    void (*up)(void *arg);
    /** Lost, or an attempt to connect has failed. @refused: not our database, and no more attempts.
     */
    void (*down)(const char *text, bool refused, void *arg);
    void *arg;
} StoreLinkHooks;

/** Starts to connect when the loop runs. @target is borrowed for the life of the link. */
StoreLink *store_link_new(uv_loop_t *loop, const StoreTarget *target, const StoreLinkHooks *hooks);

/** Drops the connection, then calls @closed when all handles are gone. hooks.down is not called. */
void store_link_close(StoreLink *link, void (*closed)(void *arg), void *arg);

/** The connection has proved useful: the next attempt to reconnect need not be slow. */
void store_link_settled(StoreLink *link);

bool store_link_is_up(const StoreLink *link);

/** Commands without an answer. */
unsigned store_link_under_way(const StoreLink *link);

/** Why the link is down, one line; "" when it is up. */
const char *store_link_text(const StoreLink *link);

/**
 * Sends a command, together with others of the same turn of the loop. False, and @cb is not called,
 * when the link is not up or max_commands are under way.
 */
bool store_link_send(StoreLink *link, int argc, const char **argv, StoreLinkReplyCb cb, void *arg);

/** The server is of no use for the reason @text: drops the connection and looks for it anew. */
void store_link_fail(StoreLink *link, const char *text);
