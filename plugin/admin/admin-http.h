/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * admin-http.h: answers GET /metrics by HTTP, for Prometheus. It has no access control: whoever reaches the address sees
 * the numbers, which name no call and no subscriber.
 *
 * Threads: control thread only.
 * Owner:   main(). The loop must run once more after _free().
 */
#pragma once

#include "base/addr.h"

#include <uv.h>

typedef struct AdminHttp AdminHttp;

/** The text to answer with, owned by the caller; made anew for each request. */
typedef char *AdminHttpText(void *arg);

/** @at: where to listen. NULL and @error, which names the address, when that cannot be. */
AdminHttp *admin_http_new(uv_loop_t *loop, const Addr *at, AdminHttpText *text, void *arg,
                          GError **error);

/** NULL is allowed. Connections end at once. */
void admin_http_free(AdminHttp *http);
