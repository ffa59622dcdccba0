/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * admin-metrics.h: the counters of "e2ae statistics" in the text format of Prometheus.
 *
 * Threads: any; no state.
 */
#pragma once

#include "ng-protocol/ng-value.h"

/** What Content-Type says of the text. */
#define ADMIN_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/**
 * @statistics: the dictionary "e2ae" of a reply to statistics (ng-protocol/README.md, section 7.4). What it lacks has
 * no sample. The names are those of docs/metrics.md. Owned by the caller.
 */
char *admin_metrics_text(const NgValue *statistics);
