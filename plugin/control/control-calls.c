/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "control"
#include "config.h"

#include "control/control-call.h"

#include "ng-protocol/ng-reply.h"

#include <sys/random.h>

static void random_bytes(void *buf, size_t n, void *arg)
{
    (void)arg;
    if (getrandom(buf, n, 0) != (ssize_t)n)
        g_error("getrandom() failed: no randomness, no tls-id and no session-id");
}

static uint64_t next_id(void *arg)
{
    ControlCalls *calls = arg;

    return ++calls->last_id;
}

/* ---- the calls */

static void call_free(gpointer data)
{
    ControlCall *call = data;

    control_keep_gone(call);
    control_refused_forget(call);
    control_find_stop(call);
    session_free(call->session);
    g_queue_clear(&call->waiting);
    g_array_unref(call->settled);
    redis_record_free(call->claimed);
    g_free(call->lost);
    g_free(call->owner);
    g_free(call->call_id);
    g_free(call);
}

static void sweep_free(gpointer data)
{
    control_sweep_free(data);
}

ControlCalls *control_calls_new(uv_loop_t *loop, const ControlCallsConfig *config, GError **error)
{
    ControlCalls *calls = g_new0(ControlCalls, 1);

    calls->loop = loop;
    calls->streams =
        control_streams_new(loop, &config->streams, control_calls_stream_cb, calls, error);
    if (!calls->streams) {
        g_free(calls);
        return NULL;
    }
    calls->events = config->events;
    calls->store = config->store;
    calls->certificate = config->certificate;
    g_queue_init(&calls->asked);
    calls->policy = config->policy;
    calls->policy.random = random_bytes;
    calls->policy.next_id = next_id;
    calls->policy.arg = calls;
    calls->max_sessions = config->max_sessions;
    calls->delete_delay_s = config->delete_delay_s;
    calls->statistics.started_us = g_get_monotonic_time();
    calls->by_call_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, call_free);
    calls->takeovers = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, sweep_free);
    calls->forwards = control_forwards_new(calls);
    calls->alone = !config->store.shared; /* else until it is told */
    calls->drain = (ControlDrain){NULL, config->drained, config->drained_arg};
    g_queue_init(&calls->keep.by_age);
    calls->refused.timeout_ms = config->fork_timeout_ms;
    g_queue_init(&calls->refused.waiting);
    control_streams_lease(calls->streams, config->store.lease_ms);
    if (config->store.shared) {
        calls->restore.state = CONTROL_RESTORE_WAITING;
        control_keep_start(calls);
    }
    return calls;
}

/* What the store answers from now on is nobody's. */
static void forget_writes(ControlCalls *calls)
{
    GHashTableIter i;
    gpointer value;

    while (calls->asked.head) {
        ControlAsk *ask = calls->asked.head->data;
        ask->calls = NULL;
        g_queue_unlink(&calls->asked, &ask->link);
    }
    g_hash_table_iter_init(&i, calls->by_call_id);
    while (g_hash_table_iter_next(&i, NULL, &value)) {
        ControlCall *call = value;
        if (call->write.active && call->write.cb)
            call->write.cb(call, NULL, call->write.arg);
    }
}

void control_calls_free(ControlCalls *calls)
{
    if (!calls)
        return;
    forget_writes(calls);
    control_keep_stop(calls);
    control_drain_stop(&calls->drain);
    control_refused_stop(&calls->refused);
    control_forwards_free(calls->forwards);
    control_streams_free(calls->streams);
    control_sweep_free(calls->restore.sweep);
    control_sweep_free(calls->restore.old);
    g_hash_table_unref(calls->takeovers);
    g_hash_table_unref(calls->by_call_id);
    g_free(calls);
}

unsigned control_calls_count(const ControlCalls *calls)
{
    return g_hash_table_size(calls->by_call_id);
}

unsigned control_calls_ports_used(const ControlCalls *calls)
{
    return control_streams_ports_used(calls->streams);
}

static void log_change(ControlCall *call, const Session *next)
{
    g_autofree char *call_id = NULL;

    if (!call->session == !next)
        return;
    call_id = span_quote(span_str(call->call_id));
    g_message("[%s] %s", call_id, next ? "Creating new call" : "Call deleted");
}

void control_call_commit(ControlCall *call, Session *next, unsigned delay_ms)
{
    log_change(call, next);
    if (!call->session && next) {
        call->calls->statistics.calls++;
        call->created_us = g_get_real_time();
    }
    control_streams_apply(call->calls->streams, call->session, next, delay_ms);
    session_free(call->session);
    call->session = next;
    control_refused_note(call);
}

static ControlCall *find_call(ControlCalls *calls, Span call_id, bool looked)
{
    /* Keys are C strings: what has a NUL was never put in. */
    if (!call_id.len || memchr(call_id.p, 0, call_id.len))
        return NULL;
    g_autofree char *key = span_dup(call_id);
    ControlCall *call = g_hash_table_lookup(calls->by_call_id, key);
    return call || looked ? call : control_find(calls, call_id);
}

ControlCall *control_call_new(ControlCalls *calls, Span call_id)
{
    ControlCall *call = g_new0(ControlCall, 1);

    call->calls = calls;
    call->call_id = span_dup(call_id);
    call->settled = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    call->age.data = call->refused.data = call;
    g_queue_init(&call->waiting);
    g_hash_table_insert(calls->by_call_id, call->call_id, call);
    return call;
}

/* ---- requests that concern no call of ours */

NgValue *control_reply_not_found(const NgRequest *r)
{
    return ng_request_has_flag(r, SPAN("fatal")) ? ng_reply_error(NG_WARNING_NOT_FOUND)
                                                 : ng_reply_warning(NG_WARNING_NOT_FOUND);
}

/* A request that carries our keys but concerns no call of ours: rtpengine gets it without them. */
static void stripped_cb(Span reply, const GError *error, void *user_data)
{
    ControlRequest *req = user_data;

    if (error)
        control_request_reply_failure(req, error);
    else
        control_request_reply(req, reply);
}

static void run_without_call(ControlRequest *req, const NgRequest *r)
{
    switch (r->command) {
    case NG_CMD_E2AE_OFFER:
        control_request_reply_error(req, "the first e2ae offer of a call needs e2ae=originating or "
                                         "e2ae=terminating");
        return;
    case NG_CMD_E2AE_ANSWER:
    case NG_CMD_E2AE_QUERY:
        control_request_reply_error(req, NG_REASON_UNKNOWN_CALL);
        return;
    case NG_CMD_E2AE_DELETE:
        control_request_reply_dict(req, control_reply_not_found(r));
        return;
    default:
        break;
    }
    if (r->e2ae.given && control_server_upstream(req->server))
        control_ask_rtpengine(req, NULL, NULL, stripped_cb, req);
    else
        control_request_pass(req);
}

/* ---- requests of a call, one at a time */

static bool is_offer(NgCommand command)
{
    return command == NG_CMD_OFFER || command == NG_CMD_E2AE_OFFER;
}

static bool starts_call(const NgRequest *r)
{
    return is_offer(r->command) &&
           (r->e2ae.mode == E2AE_ORIGINATING || r->e2ae.mode == E2AE_TERMINATING);
}

static void run(ControlCall *call, ControlRequest *req)
{
    NgRequest r;

    call->busy = req;
    call->last_signal_us = g_get_real_time();
    if (!ng_request_read(req->message->dict, &r, NULL))
        g_assert_not_reached(); /* it was read when it was taken */
    if (!call->session && !starts_call(&r)) {
        /* The call it was meant for has ended, or failed to begin, while it waited. */
        run_without_call(req, &r);
        control_call_done(call);
        return;
    }
    switch (r.command) {
    case NG_CMD_OFFER:
    case NG_CMD_ANSWER:
    case NG_CMD_E2AE_OFFER:
    case NG_CMD_E2AE_ANSWER:
        control_run_offer_answer(call, req, &r);
        break;
    case NG_CMD_DELETE:
    case NG_CMD_E2AE_DELETE:
        control_run_delete(call, req, &r);
        break;
    default:
        control_run_query(call, req, &r);
        break;
    }
}

/* Begins what waits until one is in progress or none is left. A loop and no recursion, for most
 * requests end at once. */
static void work(ControlCall *call)
{
    call->running = true;
    while (control_call_idle(call) && (call->lost || call->waiting.length)) {
        if (call->lost) {
            control_call_drop_lost(call);
            continue;
        }
        ControlRequest *next = g_queue_pop_head(&call->waiting);
        if (!control_server_stopping(next->server)) /* else the server drops it */
            run(call, next);
    }
    call->running = false;
    if (control_call_idle(call))
        control_call_settle(call);
    if (control_call_idle(call) && !call->session && call->unwritten)
        control_call_write(call, NULL, NULL, NULL);
    if (control_call_idle(call) && !call->session)
        g_hash_table_remove(call->calls->by_call_id, call->call_id);
}

bool control_call_idle(const ControlCall *call)
{
    return !call->busy && !call->write.active && !call->loading;
}

void control_call_resume(ControlCall *call)
{
    if (!call->running && control_call_idle(call))
        work(call);
}

void control_call_done(ControlCall *call)
{
    call->busy = NULL;
    control_call_resume(call);
}

static void take(ControlCall *call, ControlRequest *req)
{
    if (call->waiting.length >= CONTROL_CALL_WAITING_MAX) {
        control_request_reply_error(req, "too many requests of this call at a time");
        return;
    }
    g_queue_push_tail(&call->waiting, req);
    control_call_resume(call);
}

static bool at_limit(const ControlCalls *calls)
{
    return calls->max_sessions >= 0 && control_calls_count(calls) >= (unsigned)calls->max_sessions;
}

static void start_call(ControlCalls *calls, ControlRequest *req, const NgRequest *r)
{
    if (!r->call_id.len) {
        control_request_reply_error(req, NG_REASON_NO_CALL_ID);
    } else if (memchr(r->call_id.p, 0, r->call_id.len)) {
        control_request_reply_error(req, "the call-id holds a NUL byte");
    } else if (calls->drain.timer) {
        control_request_reply_dict(
            req, ng_reply_load_limit(ng_request_supports(r, NG_SUPPORTS_LOAD_LIMIT)));
    } else if (at_limit(calls)) {
        g_warning("Parallel session limit reached (%d): refused a call, raise --max-sessions or "
                  "add a node",
                  calls->max_sessions);
        calls->statistics.refused_limit++;
        control_request_reply_dict(
            req, ng_reply_load_limit(ng_request_supports(r, NG_SUPPORTS_LOAD_LIMIT)));
    } else {
        ControlCall *call = control_call_new(calls, r->call_id);
        call->late = r->to_tag.len > 0;
        take(call, req);
    }
}

/* ---- what comes from the server */

static bool concerns_calls(NgCommand command)
{
    switch (command) {
    case NG_CMD_OFFER:
    case NG_CMD_ANSWER:
    case NG_CMD_DELETE:
    case NG_CMD_QUERY:
    case NG_CMD_E2AE_OFFER:
    case NG_CMD_E2AE_ANSWER:
    case NG_CMD_E2AE_DELETE:
    case NG_CMD_E2AE_QUERY:
        return true;
    default:
        return false;
    }
}

static bool is_own(NgCommand command)
{
    return command == NG_CMD_E2AE_OFFER || command == NG_CMD_E2AE_ANSWER ||
           command == NG_CMD_E2AE_DELETE || command == NG_CMD_E2AE_QUERY;
}

bool control_calls_alone(const ControlCalls *calls)
{
    GHashTableIter i;
    gpointer value;

    g_hash_table_iter_init(&i, calls->by_call_id);
    while (g_hash_table_iter_next(&i, NULL, &value)) {
        const ControlCall *call = value;
        if (call->session && !call->upstream)
            return true;
    }
    return false;
}

/* Requests of no call that rtpengine alone could not answer in full. */
static bool handle_general(ControlCalls *calls, ControlRequest *req, const NgRequest *r)
{
    bool alone = !control_server_upstream(req->server);

    switch (r->command) {
    case NG_CMD_LIST:
        if (!alone && !control_calls_alone(calls))
            return false;
        control_run_list(calls, req, r);
        return true;
    case NG_CMD_STATISTICS:
        if (!alone && !calls->statistics.calls)
            return false;
        control_run_statistics(calls, req, r);
        return true;
    case NG_CMD_E2AE_LIST:
        control_run_list(calls, req, r);
        return true;
    case NG_CMD_E2AE_STATISTICS:
        control_run_statistics(calls, req, r);
        return true;
    case NG_CMD_E2AE_DRAIN:
        control_run_drain(calls, req, r);
        return true;
    default:
        return false;
    }
}

/* False: it is not ours. */
static bool dispatch(ControlCalls *calls, ControlRequest *req, const NgRequest *r, bool looked)
{
    ControlCall *call = find_call(calls, r->call_id, looked);

    if (call)
        take(call, req);
    else if (starts_call(r))
        start_call(calls, req, r);
    else if (is_own(r->command) && !r->call_id.len)
        control_request_reply_error(req, NG_REASON_NO_CALL_ID);
    else if (is_own(r->command) || r->e2ae.given)
        run_without_call(req, r);
    else
        return false;
    return true;
}

void control_calls_dispatch(ControlCalls *calls, ControlRequest *req, bool looked)
{
    NgRequest r;

    if (control_server_stopping(req->server))
        return; /* the server drops it */
    if (!ng_request_read(req->message->dict, &r, NULL))
        g_assert_not_reached(); /* it was read when it was taken */
    if (!dispatch(calls, req, &r, looked))
        control_request_pass(req);
}

bool control_calls_handle(ControlRequest *req, void *user_data)
{
    ControlCalls *calls = user_data;
    g_autoptr(GError) error = NULL;
    NgRequest r;

    if (!req->message)
        return false;
    if (!ng_request_read(req->message->dict, &r, &error)) {
        if (g_error_matches(error, NG_ERROR, NG_ERROR_NO_COMMAND))
            return false;
        control_request_reply_error(req, error->message);
        return true;
    }
    calls->statistics.requests[r.command]++;
    return concerns_calls(r.command) ? dispatch(calls, req, &r, false)
                                     : handle_general(calls, req, &r);
}
