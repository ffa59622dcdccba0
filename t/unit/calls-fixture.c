/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "calls-fixture.h"

#include "ng-protocol/ng-reply.h"

#define FINGERPRINT                                                                                \
    "sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:" \
    "1C:1D:1E:1F"

/* ---- the stand-in for rtpengine */

static NgValue *good_reply(const NgMessage *request)
{
    Span sdp = ng_dict_get_str(request->dict, SPAN("sdp"));
    NgValue *reply = ng_reply_ok();

    if (sdp.len)
        ng_dict_add_span(reply, "sdp", sdp);
    return reply;
}

static void send_reply(Calls *f, guint i, Span body)
{
    const NgMessage *request = f->asked->pdata[i];
    g_autoptr(GString) datagram = g_string_new_len(request->cookie.p, (gssize)request->cookie.len);

    g_string_append_c(datagram, ' ');
    g_string_append_len(datagram, body.p, (gssize)body.len);
    test_socket_send(f->rtpengine, &f->rtpengine->from, (Span){datagram->str, datagram->len});
}

static void send_dict(Calls *f, guint i, NgValue *dict)
{
    g_autoptr(NgValue) owned = dict;
    const NgMessage *request = f->asked->pdata[i];
    g_autoptr(GString) body = ng_message_encode(SPAN(""), request->encoding, owned);

    send_reply(f, i, (Span){body->str, body->len});
}

void calls_release(Calls *f, guint i)
{
    send_dict(f, i, good_reply(f->asked->pdata[i]));
}

static void answer(Calls *f, guint i)
{
    const NgMessage *request = f->asked->pdata[i];
    bool is_delete = span_eq(ng_dict_get_str(request->dict, SPAN("command")), SPAN("delete"));

    switch (f->upstream) {
    case UPSTREAM_OK:
        send_dict(f, i, good_reply(request));
        break;
    case UPSTREAM_REFUSES:
        send_reply(f, i, span_str(f->refusal));
        break;
    case UPSTREAM_GARBAGE:
        send_reply(f, i, is_delete ? SPAN("d6:result2:oke") : SPAN("garbage"));
        break;
    case UPSTREAM_NO_SDP:
        send_reply(f, i, SPAN("d6:result2:oke"));
        break;
    case UPSTREAM_SILENT:
    case UPSTREAM_HOLDS:
        break;
    }
}

static bool known(const Calls *f, Span cookie)
{
    for (guint i = 0; i < f->asked->len; i++)
        if (span_eq(((const NgMessage *)f->asked->pdata[i])->cookie, cookie))
            return true;
    return false;
}

static void on_asked(TestSocket *s, Span datagram)
{
    Calls *f = s->user_data;
    NgEnvelope env;

    g_assert_true(ng_envelope_open(datagram, &env, NULL));
    if (known(f, env.cookie))
        return; /* sent again */
    NgMessage *message = ng_message_new(&env, NULL);
    g_assert_nonnull(message);
    g_ptr_array_add(f->asked, message);
    answer(f, f->asked->len - 1);
}

const NgValue *calls_asked(Calls *f, guint n)
{
    RUN_UNTIL(&f->loop, f->asked->len >= n);
    g_assert_cmpuint(f->asked->len, ==, n);
    return ((const NgMessage *)f->asked->pdata[n - 1])->dict;
}

/* ---- set-up */

/* Addresses of this process alone, so that tests may run side by side. */
static Addr own_address(unsigned host)
{
    g_autofree char *text = g_strdup_printf("127.%u.%u.%u", 101 + (unsigned)getpid() % 100,
                                            (unsigned)getpid() / 100 % 250, host);

    return test_any_port(text);
}

void calls_rotate_certificate(Calls *f)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TlsIdentity) id = tls_identity_new_self_signed(TLS_KEY_ECDSA, 1, &error);

    g_assert_no_error(error);
    g_assert_true(tls_identities_set_current(f->identities, id, &error));
    g_assert_no_error(error);
}

static void make_identities(Calls *f, bool empty)
{
    static const TlsProfile profile = {.dtls_mtu = 1200};

    f->identities = tls_identities_new(&profile, FP_SHA256);
    if (!empty)
        calls_rotate_certificate(f);
}

static void make_store(Calls *f, const CallsOptions *o)
{
    StoreOptions store = {.node = CALLS_NODE, .group = "test", .ng = ""};

    if (o->make_store) {
        f->store = o->make_store(f);
        return;
    }
    if (o->fake)
        f->fake = fake_store_new(&f->loop, CALLS_NODE);
    f->store = f->fake ? f->fake->store : store_memory_new(&f->loop, &store);
}

static void drained_cb(void *arg)
{
    Calls *f = arg;

    f->drained++;
}

static void start_certificate(Calls *f)
{
    g_autofree char *key = g_strnfill(64, 'a');

    f->key = tls_seal_key_parse(span_str(key), NULL);
    f->certificate =
        control_certificate_new(&f->loop, &(ControlCertificateConfig){.store = f->store,
                                                                      .identities = f->identities,
                                                                      .key = f->key,
                                                                      .days = 10,
                                                                      .every_ms = 60 * 1000});
}

static void start_calls(Calls *f, const CallsOptions *o)
{
    g_autoptr(GError) error = NULL;

    unsigned host = o->first_host ? o->first_host : 1;
    f->interfaces[0] = (SessionInterface){"access", own_address(host), own_address(host)};
    f->interfaces[1] = (SessionInterface){"core", own_address(host + 1), own_address(host + 1)};
    f->events = control_events_new(&f->loop, &f->sink->addr, 1, &error);
    g_assert_no_error(error);
    if (o->certificate)
        start_certificate(f);
    ControlCallsConfig config = {
        .certificate = f->certificate,
        .policy = {.interfaces = f->interfaces, .n_interfaces = 2},
        .streams = {.port_min = 20001,
                    .port_max = (uint16_t)(20000 + (o->ports ? o->ports : 100)),
                    .n_workers = 2,
                    .limits = media_limits_default(),
                    .identities = f->identities},
        .events = f->events,
        .store = {.store = f->store,
                  .node = f->node,
                  .shared = o->shared,
                  .degrade = o->degrade,
                  .call_ttl_s = o->call_ttl_s ? o->call_ttl_s : 86400,
                  .node_ttl_ms = o->node_ttl_ms ? o->node_ttl_ms : 60000,
                  .retry_ms = o->node_ttl_ms ? o->node_ttl_ms / 3 : 20000},
        .max_sessions = o->max_sessions ? o->max_sessions : -1,
        .delete_delay_s = o->delete_delay_s,
        .fork_timeout_ms = o->fork_timeout_ms ? o->fork_timeout_ms : 60000,
        .drained = o->drains ? drained_cb : NULL,
        .drained_arg = f,
    };
    if (o->accept_ms)
        config.streams.limits.accept_ms = o->accept_ms;
    f->calls = control_calls_new(&f->loop, &config, &error);
    g_assert_no_error(error);
}

static void start_server(Calls *f, const CallsOptions *o)
{
    Addr any = test_any_port("127.0.0.1");
    ControlUpstream *u = NULL;
    g_autoptr(GError) error = NULL;

    if (!o->no_rtpengine)
        u = control_upstream_new(&f->loop, "rtpengine", &f->rtpengine->addr, UPSTREAM_TIMEOUT_MS,
                                 &error);
    g_assert_no_error(error);
    f->server = control_server_new(&f->loop, u, control_calls_handle, f->calls);
    f->at = *control_server_listen(f->server, CONTROL_UDP, &any, false, &error);
    g_assert_no_error(error);
    test_socket_connect(f->proxy, f->at);
}

void calls_set_up(Calls *f, const void *options)
{
    static const CallsOptions defaults;
    const CallsOptions *o = options ? options : &defaults;
    Addr any = test_any_port("127.0.0.1");

    uv_loop_init(&f->loop);
    if (!f->node)
        f->node = CALLS_NODE;
    f->proxy = test_socket_new(&f->loop, any);
    f->sink = test_socket_new(&f->loop, any);
    f->rtpengine = test_socket_new(&f->loop, any);
    f->rtpengine->on = on_asked;
    f->rtpengine->user_data = f;
    f->asked = g_ptr_array_new_with_free_func((GDestroyNotify)ng_message_free);
    make_identities(f, o->no_certificate);
    make_store(f, o);
    start_calls(f, o);
    start_server(f, o);
}

static void stop_calls(Calls *f)
{
    g_clear_pointer(&f->server, control_server_free);
    g_clear_pointer(&f->certificate, control_certificate_free);
    g_clear_pointer(&f->key, tls_seal_key_free);
    g_clear_pointer(&f->calls, control_calls_free);
    g_clear_pointer(&f->events, control_events_free);
}

void calls_restart(Calls *f, const CallsOptions *o)
{
    stop_calls(f);
    start_calls(f, o);
    start_server(f, o);
}

void calls_forget_certificate(Calls *f)
{
    stop_calls(f); /* they hold what is freed here */
    tls_identities_free(f->identities);
    make_identities(f, true);
}

void calls_renew_certificate(Calls *f)
{
    calls_forget_certificate(f);
    calls_rotate_certificate(f);
}

void calls_ready(Calls *f)
{
    control_calls_store_state(f->calls, STORE_READY, "as the test says");
}

bool calls_event(const Calls *f, const char *text)
{
    for (guint i = 0; i < f->sink->got->len; i++)
        if (strstr(((const GString *)f->sink->got->pdata[i])->str, text))
            return true;
    return false;
}

void calls_stop(Calls *f)
{
    stop_calls(f);
    store_close(g_steal_pointer(&f->store), NULL, NULL);
    for (int i = 0; i < 5; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
}

void calls_tear_down(Calls *f, const void *options)
{
    (void)options;
    if (f->server)
        calls_stop(f);
    tls_identities_free(f->identities);
    test_socket_free(&f->loop, f->proxy);
    test_socket_free(&f->loop, f->rtpengine);
    test_socket_free(&f->loop, f->sink);
    g_ptr_array_unref(f->asked);
    test_loop_end(&f->loop);
}

/* ---- the proxy */

NgValue *calls_dict(const char *command, const char *call_id, ...)
{
    NgValue *dict = ng_dict_new();
    const char *key;
    va_list args;

    ng_dict_add_str(dict, "command", command);
    if (call_id)
        ng_dict_add_str(dict, "call-id", call_id);
    va_start(args, call_id);
    while ((key = va_arg(args, const char *)))
        ng_dict_add_str(dict, key, va_arg(args, const char *));
    va_end(args);
    return dict;
}

unsigned calls_send(Calls *f, NgValue *dict)
{
    g_autoptr(NgValue) owned = dict;
    g_autofree char *cookie = g_strdup_printf("c%u", ++f->cookies);
    g_autoptr(GString) datagram = ng_message_encode(span_str(cookie), NG_BENCODE, owned);

    test_socket_send(f->proxy, &f->at, (Span){datagram->str, datagram->len});
    return f->cookies;
}

static Span find_reply(const Calls *f, unsigned cookie)
{
    g_autofree char *text = g_strdup_printf("c%u ", cookie);

    for (guint i = 0; i < f->proxy->got->len; i++) {
        Span datagram = test_socket_got(f->proxy, i);
        if (span_starts(datagram, span_str(text)))
            return datagram;
    }
    return (Span){0};
}

bool calls_replied(Calls *f, unsigned cookie)
{
    return find_reply(f, cookie).len > 0;
}

NgValue *calls_reply(Calls *f, unsigned cookie)
{
    NgEnvelope env;

    RUN_UNTIL(&f->loop, calls_replied(f, cookie));
    g_assert_true(ng_envelope_open(find_reply(f, cookie), &env, NULL));
    g_autoptr(NgMessage) message = ng_message_new(&env, NULL);
    g_assert_nonnull(message);
    return g_steal_pointer(&message->dict);
}

NgValue *calls_ask(Calls *f, NgValue *dict)
{
    return calls_reply(f, calls_send(f, dict));
}

void calls_assert_str(const NgValue *dict, const char *key, const char *text)
{
    g_autofree char *got = span_dup(ng_dict_get_str(dict, span_str(key)));

    g_assert_cmpstr(got, ==, text);
}

/* ---- bodies and whole calls */

static char *body(const char *address, bool audio, unsigned messages, const char *message)
{
    GString *sdp = g_string_new(NULL);

    g_string_printf(sdp, "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n", address,
                    address);
    if (audio)
        g_string_append(sdp, "m=audio 5000 RTP/AVP 8\r\n");
    for (unsigned i = 0; i < messages; i++)
        g_string_append(sdp, message);
    return g_string_free(sdp, FALSE);
}

char *calls_ue_sdp(bool audio, unsigned messages)
{
    return body("192.0.2.1", audio, messages,
                "m=message 2855 TCP/TLS/MSRP *\r\na=path:msrps://192.0.2.1:2855/a;tcp\r\n"
                "a=setup:actpass\r\na=msrp-cema\r\na=3ge2ae:requested\r\na=fingerprint:" FINGERPRINT
                "\r\n");
}

char *calls_core_sdp(bool audio, unsigned messages)
{
    return body("198.51.100.1", audio, messages,
                "m=message 7000 TCP/MSRP *\r\na=path:msrp://198.51.100.1:7000/b;tcp\r\n"
                "a=setup:passive\r\na=msrp-cema\r\n");
}

void calls_set_up_call(Calls *f, const char *call_id, bool audio)
{
    g_autofree char *ue = calls_ue_sdp(audio, 1);
    g_autofree char *core = calls_core_sdp(audio, 1);
    g_autoptr(NgValue) offer = calls_ask(
        f, calls_dict("offer", call_id, "from-tag", "ue", "e2ae", "originating", "sdp", ue, NULL));
    calls_assert_str(offer, "result", "ok");
    g_autoptr(NgValue) answered = calls_ask(
        f, calls_dict("answer", call_id, "from-tag", "ue", "to-tag", "core", "sdp", core, NULL));
    calls_assert_str(answered, "result", "ok");
}

static bool listens(Calls *f, const char *call_id)
{
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("e2ae query", call_id, NULL));
    const NgValue *streams = ng_dict_get(ng_dict_get(reply, SPAN("e2ae")), SPAN("streams"));
    const NgValue *access = ng_dict_get(ng_list_get(streams, 0), SPAN("access"));
    const NgValue *core = ng_dict_get(ng_list_get(streams, 0), SPAN("core"));

    /* Until the worker has the answer, too, the core leg listens: its peer might have come (COM-03). */
    return span_eq(ng_dict_get_str(access, SPAN("state")), SPAN("listening")) &&
           span_eq(ng_dict_get_str(core, SPAN("state")), SPAN("idle"));
}

void calls_wait_listening(Calls *f, const char *call_id)
{
    int64_t deadline = g_get_monotonic_time() + TEST_DEADLINE_MS * 1000;

    while (!listens(f, call_id))
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
}

Addr calls_access(const NgValue *reply, unsigned index)
{
    const NgValue *streams = ng_dict_get(ng_dict_get(reply, SPAN("e2ae")), SPAN("streams"));
    const NgValue *leg = ng_dict_get(ng_list_get(streams, index - 1), SPAN("access"));
    int64_t port = 0;
    Addr addr;

    g_assert_true(addr_parse_ip(ng_dict_get_str(leg, SPAN("address")), &addr));
    g_assert_true(ng_dict_get_int(leg, SPAN("port"), &port));
    return addr_with_port(addr, (uint16_t)port);
}
