/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * fake-store.h: the store in memory, with answers that the test can hold back or replace: what Redis does when it
 * is slow, away, or somebody else's.
 */
#pragma once

#include "store/store-private.h"

typedef struct FakeStore {
    StoreClass class; /* of .store, so that it leads back here */
    const StoreClass *real;
    Store *store;
    bool hold;          /* commits and deletes are kept in .held until fake_store_release() */
    GQueue held;        /* of StoreOp */
    StoreStatus answer; /* of every commit and delete; OK = what the store says */
    unsigned once;      /* > 0: only of so many */
    const char *owner;  /* of CONFLICT */
    uint64_t epoch;
    unsigned writes; /* commits and deletes so far */
    unsigned claims;
    StoreStatus claim_answer; /* of claims, instead of what the store says; OK = that */
    unsigned beats;
    const char *other;       /* another node of the group, NULL = there is none */
    const char *other_ng;    /* of its heartbeat, NULL = it is dead */
    StoreStatus beat_answer; /* CONFLICT, UNAVAILABLE; NOT_FOUND stands for .found being false */
} FakeStore;

/** A store as store_memory_new() makes it; freed when it is closed. */
FakeStore *fake_store_new(uv_loop_t *loop, const char *node);

/** Lets the oldest of .held go on. */
void fake_store_release(FakeStore *f);

/** The record of the call, owned by the caller; NULL = none. Runs the loop. */
RedisRecord *fake_store_record(FakeStore *f, const char *call_id);
