/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * store-uv.h: a connection of hiredis in a libuv loop.
 *
 * Not hiredis' own adapters/libuv.h: that one returns when libuv reports an error on the
 * descriptor, without a word to hiredis, and libuv has stopped watching it by then, so a refused
 * connection would stay "connecting" for good; and it leaks its struct when the descriptor cannot
 * be watched.
 *
 * Threads: control thread only. Tested by t/unit/test-store-link.c
 */
#pragma once

#include <hiredis/async.h>
#include <uv.h>

/**
 * Lets @loop serve @ac, which has just been made. hiredis ends it through its cleanup hook, with
 * @ac. Returns a libuv error, after which @ac is as before.
 */
int store_uv_attach(redisAsyncContext *ac, uv_loop_t *loop);
