/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * msrp-model.h: is a head so much like an earlier one that what was found out about that one holds
 * for it, too? Most heads of a connection differ from the one before in a few characters of values
 * (MSR-07 wants no more work than that).
 *
 * Threads: used by one thread only.
 * Owner:   the struct is embedded; all zero: no model.
 */
#pragma once

#include "base/span.h"

/** A longer head is no model. */
#define MSRP_MODEL_MAX 1024

typedef struct MsrpModel {
    char text[MSRP_MODEL_MAX];
    size_t len;        /* 0: none */
    size_t behind_tid; /* where the transaction id ends */
    size_t rest_at;    /* where the headers after From-Path start */
} MsrpModel;

/** Takes a sound @head with a body, from "MSRP " to the blank line; @tid and @rest point into it. No
 * model when there cannot be one. */
void msrp_model_take(MsrpModel *m, Span head, Span tid, Span rest);

void msrp_model_forget(MsrpModel *m);

/**
 * Does @in start with a head of the same length whose lines, words and header names are at the same
 * places, and whose method, To-Path and From-Path are the same? It is as sound as the model then.
 */
bool msrp_model_fits(const MsrpModel *m, Span in);
