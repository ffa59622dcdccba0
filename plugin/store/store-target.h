/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * store-target.h: which Redis, and how to talk to it, as configured.
 *
 * Threads: built once, constant afterwards.
 * Owner:   a struct with store_target_init() before and store_target_clear() after use.
 */
#pragma once

#include "base/addr.h"

/** More sentinels than anybody runs. */
#define STORE_SENTINELS_MAX 16

typedef struct StoreTarget {
    Addr addr;  /* of the server; ADDR_NONE: a unix socket, or Sentinel knows */
    char *path; /* of its unix socket; NULL = none */
    unsigned db;
    char *user; /* of an ACL; NULL = the default user */
    char *password;
    char *master; /* its name in Sentinel; NULL = no Sentinel */
    Addr sentinels[STORE_SENTINELS_MAX];
    unsigned n_sentinels;
    char *sentinel_user;
    char *sentinel_password;
    unsigned connect_ms;       /* 1000: to connect, with everything up to READY */
    unsigned command_ms;       /* 1000: for an answer; then the connection counts as dead */
    unsigned reconnect_ms;     /* 100: before the first attempt to reconnect; doubled each time */
    unsigned reconnect_max_ms; /* 1000: below the grace that other nodes give a node after an outage */
    unsigned max_commands;     /* 16384: under way at once */
    unsigned max_behind;       /* 131072: writes remembered while Redis is away */
    bool degrade;              /* serve without Redis instead of refusing */
} StoreTarget;

/** Sets the defaults above. */
void store_target_init(StoreTarget *t);
void store_target_clear(StoreTarget *t);

/**
 * "[PASSWORD@]ADDR:PORT/DB", rtpengine's form, or "[PASSWORD@]/PATH/OF/SOCKET/DB"; with Sentinel
 * also
 * "[PASSWORD@]/DB". The last '@' and the last '/' count. Names are not resolved. False and
 * STORE_ERROR_CONFIG; the text of the error does not hold the password.
 */
bool store_target_parse(StoreTarget *t, const char *text, GError **error);

/** "ADDR:PORT,ADDR:PORT..." and the name of the master. */
bool store_target_parse_sentinels(StoreTarget *t, const char *text, const char *master,
                                  GError **error);

/**
 * Is @t complete, and a database that may be used: not 0, and not the one that rtpengine uses,
 * @rtpengine in rtpengine's own form (nullable)?
 */
bool store_target_check(const StoreTarget *t, const char *rtpengine, GError **error);

/** "192.0.2.1:6379/3" for messages: no password. Owned by the caller. */
char *store_target_text(const StoreTarget *t);
