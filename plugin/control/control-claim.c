/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A call is claimed: the store makes this node its owner, the certificates that its streams have signalled are
 * loaded (FPR-09), and it goes on here. Tested by t/unit/test-control-restore.c, t/unit/test-control-takeover.c */
#include "config.h"

#include "control/control-call.h"

static bool is_over(const ControlCall *call)
{
    return call->sweep && call->sweep->over;
}

static void finish(ControlCall *call, StoreStatus status, const RedisRecord *record,
                   const char *text)
{
    g_autofree char *owner = g_steal_pointer(&call->owner);

    call->loading = false;
    if (status == STORE_OK && is_over(call))
        control_restore_remove(call, record);
    else if (status == STORE_OK)
        control_restore_record(call, record, owner);
    call->claim_done(call, status, owner, text);
}

static void fetched_cb(bool ok, void *arg)
{
    ControlCall *call = arg;
    g_autoptr(RedisRecord) record = g_steal_pointer(&call->claimed);

    finish(call, ok ? STORE_OK : STORE_UNAVAILABLE, record, "Redis is away");
}

static void claimed_cb(const StoreReply *reply, void *arg)
{
    ControlCall *call = arg;
    ControlCertificate *certificate = call->calls->certificate;

    if (reply->status == STORE_OK && certificate && !is_over(call) &&
        control_certificate_fetch(certificate, reply->record, fetched_cb, call))
        call->claimed = redis_record_copy(reply->record);
    else
        finish(call, reply->status, reply->record, reply->text);
}

void control_claim(ControlCall *call, const char *owner, uint64_t revision, ControlClaimedCb done)
{
    ControlCalls *calls = call->calls;
    char *copy = g_strdup(owner);

    g_free(call->owner);
    call->owner = copy;
    call->claim_done = done;
    store_claim(calls->store.store, call->call_id, copy, revision, control_ask_cb,
                control_ask(calls, claimed_cb, call));
}
