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

static void call_free(gpointer data)
{
    ControlCall *call = data;

    session_free(call->session);
    g_queue_clear(&call->waiting);
    g_free(call->call_id);
    g_free(call);
}

static void emit(ControlCalls *calls, const ControlCall *call, const MediaEvent *event)
{
    SessionDialog *d;
    SessionStream *stream;
    unsigned index;

    if (!session_find_stream(call->session, event->stream_id, &d, &index, &stream))
        return;
    control_events_emit(calls->events, &(ControlEvent){
                                           .event = media_event_name(event->kind),
                                           .call_id = call->call_id,
                                           .tag = {d->tag[0], d->tag[1]},
                                           .index = index + 1,
                                           .medium = stream->medium->name,
                                           .leg = event->leg,
                                           .peer = event->peer,
                                           .reason = event->reason,
                                           .failure = event->kind != MEDIA_EVENT_TLS_ESTABLISHED,
                                           .final = event->final,
                                       });
}

/* A stream that took another's place is up, or will not come: the other one is not needed any more
 * (TRK-13). */
static void settle_replacement(ControlCall *call, const MediaEvent *event)
{
    bool up = event->kind == MEDIA_EVENT_TLS_ESTABLISHED && event->leg == MEDIA_ACCESS;
    bool over = event->kind == MEDIA_EVENT_ACCEPT_TIMEOUT || event->final;

    if (!up && !over)
        return;
    g_autoptr(Session) next = session_copy(call->session);
    if (session_stream_up(next, event->stream_id))
        control_call_commit(call, g_steal_pointer(&next), 0);
}

static void stream_cb(const char *call_id, const MediaEvent *event, void *user_data)
{
    ControlCalls *calls = user_data;
    ControlCall *call = g_hash_table_lookup(calls->by_call_id, call_id);

    if (!call || !call->session)
        return;
    emit(calls, call, event);
    /* A transaction in progress holds a copy of the state; its own commit will settle this. */
    if (!call->busy)
        settle_replacement(call, event);
}

ControlCalls *control_calls_new(uv_loop_t *loop, const ControlCallsConfig *config, GError **error)
{
    ControlCalls *calls = g_new0(ControlCalls, 1);

    calls->loop = loop;
    calls->streams = control_streams_new(loop, &config->streams, stream_cb, calls, error);
    if (!calls->streams) {
        g_free(calls);
        return NULL;
    }
    calls->events = config->events;
    calls->policy = config->policy;
    calls->policy.random = random_bytes;
    calls->policy.next_id = next_id;
    calls->policy.arg = calls;
    calls->max_sessions = config->max_sessions;
    calls->delete_delay_s = config->delete_delay_s;
    calls->by_call_id = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, call_free);
    return calls;
}

void control_calls_free(ControlCalls *calls)
{
    if (!calls)
        return;
    control_streams_free(calls->streams);
    g_hash_table_unref(calls->by_call_id);
    g_free(calls);
}

unsigned control_calls_count(const ControlCalls *calls)
{
    return g_hash_table_size(calls->by_call_id);
}

void control_call_commit(ControlCall *call, Session *next, unsigned delay_ms)
{
    control_streams_apply(call->calls->streams, call->session, next, delay_ms);
    session_free(call->session);
    call->session = next;
}

static void run(ControlCall *call, ControlRequest *req)
{
    NgRequest r;

    call->busy = req;
    if (!ng_request_read(req->message->dict, &r, NULL))
        g_assert_not_reached(); /* it was read when it was taken */
    switch (r.command) {
    case NG_CMD_OFFER:
    case NG_CMD_ANSWER:
        control_run_offer_answer(call, req, &r);
        break;
    case NG_CMD_DELETE:
        control_run_delete(call, req, &r);
        break;
    default:
        control_run_query(call, req, &r);
        break;
    }
}

void control_call_done(ControlCall *call)
{
    ControlRequest *next = g_queue_pop_head(&call->waiting);

    call->busy = NULL;
    if (next)
        run(call, next);
    else if (!call->session)
        g_hash_table_remove(call->calls->by_call_id, call->call_id);
}

static ControlCall *find_call(ControlCalls *calls, Span call_id)
{
    g_autofree char *key = span_dup(call_id);

    return g_hash_table_lookup(calls->by_call_id, key);
}

static ControlCall *new_call(ControlCalls *calls, Span call_id)
{
    ControlCall *call = g_new0(ControlCall, 1);

    call->calls = calls;
    call->call_id = span_dup(call_id);
    g_queue_init(&call->waiting);
    g_hash_table_insert(calls->by_call_id, call->call_id, call);
    return call;
}

static bool at_limit(const ControlCalls *calls)
{
    return calls->max_sessions >= 0 && control_calls_count(calls) >= (unsigned)calls->max_sessions;
}

static void take(ControlCall *call, ControlRequest *req)
{
    if (!call->busy)
        run(call, req);
    else if (call->waiting.length < CONTROL_CALL_WAITING_MAX)
        g_queue_push_tail(&call->waiting, req);
    else
        control_request_reply_error(req, "too many requests of this call at a time");
}

/* A request that carries our keys but concerns no call of ours: rtpengine gets it without them. */
static void stripped_cb(Span reply, const GError *error, void *user_data)
{
    ControlRequest *req = user_data;

    if (error)
        control_request_reply_error(req, error->message);
    else
        control_request_reply(req, reply);
}

static bool forward_stripped(ControlRequest *req)
{
    if (!control_server_upstream(req->server))
        return false;
    control_ask_rtpengine(req, NULL, NULL, stripped_cb, req);
    return true;
}

static bool first_offer(const NgRequest *r)
{
    return r->command == NG_CMD_OFFER && r->call_id.len &&
           (r->e2ae.mode == E2AE_ORIGINATING || r->e2ae.mode == E2AE_TERMINATING);
}

static bool concerns_calls(NgCommand command)
{
    return command == NG_CMD_OFFER || command == NG_CMD_ANSWER || command == NG_CMD_DELETE ||
           command == NG_CMD_QUERY;
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
    ControlCall *call = r.call_id.len ? find_call(calls, r.call_id) : NULL;
    if (call && concerns_calls(r.command)) {
        take(call, req);
        return true;
    }
    if (!first_offer(&r))
        return r.e2ae.given && forward_stripped(req);
    if (at_limit(calls))
        control_request_reply_dict(
            req, ng_reply_load_limit(ng_request_supports(&r, NG_SUPPORTS_LOAD_LIMIT)));
    else
        take(new_call(calls, r.call_id), req);
    return true;
}
