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

/** So many connections at a time; one more takes the place of the oldest. */
#define ADMIN_HTTP_CONNECTIONS_MAX 16u

/** As long as Prometheus waits for an answer unless it is told otherwise. */
#define ADMIN_HTTP_LIMIT_MS 10000

/**
 * @at: where to listen. NULL and @error, which names the address, when that cannot be.
 * @limit_ms: so long after its begin a connection ends, whatever it has sent or read. It is for one request: the answer
 * ends it, too.
 */
AdminHttp *admin_http_new(uv_loop_t *loop, const Addr *at, uint64_t limit_ms, AdminHttpText *text,
                          void *arg, GError **error);

/** NULL is allowed. Connections end at once. */
void admin_http_free(AdminHttp *http);
