/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state of a call goes into the store (redis-schema/README.md, section 7):
 *
 *   answer                                 what is done
 *   OK                                     the revision is remembered
 *   CONFLICT with an earlier life of ours  claimed, and written on top
 *   CONFLICT with anybody else             the call is dropped; nothing is written to the record
 *   NOT_FOUND                              written anew: nobody else takes calls of a node
 *   UNAVAILABLE                            the transaction fails; without one, written later
 */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

#include "session/session-record.h"

/* Answers that can be put right come once each; more of them is somebody who works against us. */
#define REPEATS_MAX 3

/* ---- questions that may outlive the calls */

ControlAsk *control_ask(ControlCalls *calls, StoreCb cb, void *arg)
{
    ControlAsk *ask = g_new0(ControlAsk, 1);

    ask->calls = calls;
    ask->cb = cb;
    ask->arg = arg;
    ask->link.data = ask;
    g_queue_push_tail_link(&calls->asked, &ask->link);
    return ask;
}

void control_ask_cb(const StoreReply *reply, void *arg)
{
    ControlAsk *ask = arg;

    if (ask->calls) {
        g_queue_unlink(&ask->calls->asked, &ask->link);
        ask->cb(reply, ask->arg);
    }
    g_free(ask);
}

/* ---- one write */

static void written_cb(const StoreReply *reply, void *arg);

static void start(ControlCall *call)
{
    ControlCalls *calls = call->calls;
    ControlWrite *w = &call->write;
    ControlAsk *ask = control_ask(calls, written_cb, call);

    w->sent_us = g_get_monotonic_time();
    w->ready = store_state(calls->store.store) == STORE_READY;
    if (w->next) {
        RedisRecord *record = session_export(w->next);
        record->revision = call->revision;
        store_commit(calls->store.store, record, control_ask_cb, ask);
    } else {
        store_delete(calls->store.store, call->call_id, control_ask_cb, ask);
    }
}

static void log_failure(const ControlCall *call, const StoreReply *reply)
{
    g_autofree char *call_id = span_quote(span_str(call->call_id));

    g_warning("[%s] The record of the call is not %s: %s", call_id,
              call->write.next ? "written" : "removed", reply->text);
}

/* Nobody waits: the call goes on, and so does its state. */
static void finish_alone(ControlCall *call, const StoreReply *reply, bool again)
{
    ControlCalls *calls = call->calls;
    bool gone = !call->write.next && reply->status == STORE_NOT_FOUND;

    if (reply->status != STORE_OK && !gone)
        log_failure(call, reply);
    control_call_resume(call);
    if (again)
        control_keep_done(calls, reply->status == STORE_OK);
}

static void finish(ControlCall *call, const StoreReply *reply)
{
    const ControlWrite w = call->write;

    call->write.active = false;
    if (reply->status == STORE_OK)
        call->revision = w.next ? reply->revision : 0;
    /* What cannot be written is not tried all the time either. */
    if (w.next && (reply->status == STORE_OK || (reply->status == STORE_BAD && call->session)))
        control_keep_written(call);
    else if (!w.next)
        control_keep_gone(call);
    else if (w.next && reply->status == STORE_CONFLICT && !call->lost)
        call->lost = g_strdup_printf("node %s has taken it over", reply->owner);
    /* It may have been done after all. */
    call->unwritten = w.next && reply->status == STORE_UNAVAILABLE && (call->session || w.ready);
    if (w.cb)
        w.cb(call, reply, w.arg);
    else
        finish_alone(call, reply, w.again);
}

static void claimed_cb(const StoreReply *reply, void *arg)
{
    ControlCall *call = arg;

    if (reply->status != STORE_OK) {
        finish(call, reply);
        return;
    }
    call->revision = reply->revision;
    start(call);
}

static bool by_earlier_life(const ControlCalls *calls, const StoreReply *reply)
{
    return strcmp(reply->owner, calls->store.node) == 0 &&
           reply->epoch <= store_epoch(calls->store.store);
}

static void written_cb(const StoreReply *reply, void *arg)
{
    ControlCall *call = arg;
    ControlCalls *calls = call->calls;

    if (!call->write.next || call->write.repeats++ >= REPEATS_MAX) {
        finish(call, reply);
    } else if (reply->status == STORE_NOT_FOUND) {
        call->revision = 0;
        start(call);
    } else if (reply->status == STORE_CONFLICT && by_earlier_life(calls, reply)) {
        store_claim(calls->store.store, call->call_id, calls->store.node, 0, control_ask_cb,
                    control_ask(calls, claimed_cb, call));
    } else {
        finish(call, reply);
    }
}

void control_call_write(ControlCall *call, const Session *next, ControlWrittenCb cb, void *arg)
{
    g_assert(!call->write.active);
    call->write = (ControlWrite){.active = true, .next = next, .cb = cb, .arg = arg};
    start(call);
}
