/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ports and streams without the requests around them. */
#include "control-test.h"
#include "control/control-streams.h"

typedef struct Fixture {
    uv_loop_t loop;
    TlsIdentities *identities;
    ControlStreams *streams;
    Addr ip;
    uint64_t last_id;
} Fixture;

static void stream_cb(const char *call_id, const MediaEvent *event, void *user_data)
{
    (void)call_id, (void)event, (void)user_data;
}

static void rotate(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(TlsIdentity) id = tls_identity_new_self_signed(TLS_KEY_ECDSA, 1, &error);

    g_assert_no_error(error);
    g_assert_true(tls_identities_set_current(f->identities, id, &error));
}

static void set_up(Fixture *f, const void *data)
{
    static const TlsProfile profile = {.dtls_mtu = 1200};
    g_autofree char *ip = g_strdup_printf("127.%u.%u.1", 101 + (unsigned)getpid() % 100,
                                          (unsigned)getpid() / 100 % 250);
    g_autoptr(GError) error = NULL;

    (void)data;
    uv_loop_init(&f->loop);
    f->ip = test_any_port(ip);
    f->identities = tls_identities_new(&profile, FP_SHA256);
    rotate(f);
    ControlStreamsConfig config = {.port_min = 20001,
                                   .port_max = 20003,
                                   .n_workers = 1,
                                   .limits = media_limits_default(),
                                   .identities = f->identities};
    f->streams = control_streams_new(&f->loop, &config, stream_cb, f, &error);
    g_assert_no_error(error);
}

static void tear_down(Fixture *f, const void *data)
{
    (void)data;
    control_streams_free(f->streams);
    tls_identities_free(f->identities);
    test_loop_end(&f->loop);
}

/* A state with @n plain streams, and the plan that asks for their ports. */
static SessionPlan *make_plan(Fixture *f, unsigned n)
{
    SessionPlan *plan = g_new0(SessionPlan, 1);
    SessionDialog *d = session_dialog_new(NULL);

    plan->next = session_new("id");
    plan->lines = g_array_new(FALSE, TRUE, sizeof(SessionLine));
    plan->ports = g_array_new(FALSE, TRUE, sizeof(SessionPortRequest));
    g_ptr_array_add(plan->next->dialogs, d);
    for (unsigned i = 0; i < n; i++) {
        SessionSlot *slot = session_slot_new();
        slot->stream = session_stream_new(++f->last_id, medium_by_name(SPAN("msrp")));
        g_ptr_array_add(d->slots, slot);
        for (int side = 0; side < 2; side++) {
            SessionPortRequest want = {slot->stream->id, (SessionSide)side, MEDIA_TCP, f->ip};
            g_array_append_val(plan->ports, want);
        }
    }
    return plan;
}

static unsigned used(Fixture *f)
{
    return control_streams_ports_used(f->streams);
}

static void test_all_or_nothing(Fixture *f, const void *data)
{
    g_autoptr(SessionPlan) big = make_plan(f, 2);
    g_autoptr(SessionPlan) small = make_plan(f, 1);
    g_autoptr(GError) error = NULL;
    unsigned in_use, free_ports;

    (void)data;
    g_assert_false(control_streams_reserve(f->streams, big, &error));
    g_assert_error(error, MEDIA_PORTS_ERROR, MEDIA_PORTS_ERROR_EXHAUSTED);
    g_assert_cmpuint(used(f), ==, 0);
    g_assert_true(control_streams_reserve(f->streams, small, NULL));
    control_streams_ports(f->streams, &f->ip, &in_use, &free_ports);
    g_assert_cmpuint(in_use, ==, 2);
    g_assert_cmpuint(free_ports, ==, 1);
    control_streams_rollback(f->streams, small);
    g_assert_cmpuint(used(f), ==, 0);
}

static void test_life(Fixture *f, const void *data)
{
    g_autoptr(SessionPlan) plan = make_plan(f, 1);
    uint64_t id = f->last_id;
    MediaStats stats;

    (void)data;
    g_assert_true(control_streams_reserve(f->streams, plan, NULL));
    g_assert_false(control_streams_stats(f->streams, id, &stats));
    control_streams_apply(f->streams, NULL, plan->next, 0);
    g_assert_true(control_streams_stats(f->streams, id, &stats));
    control_streams_apply(f->streams, plan->next, NULL, 0);
    RUN_UNTIL(&f->loop, used(f) == 0);
    g_assert_false(control_streams_stats(f->streams, id, &stats));
}

/* The worker lets go at once, the numbers come back when the time is over. */
static void test_delay(Fixture *f, const void *data)
{
    g_autoptr(SessionPlan) plan = make_plan(f, 1);
    uint64_t id = f->last_id;
    MediaStats stats;

    (void)data;
    g_assert_true(control_streams_reserve(f->streams, plan, NULL));
    control_streams_apply(f->streams, NULL, plan->next, 0);
    uv_update_time(&f->loop); /* a timer counts from what the loop knows of the time */
    int64_t start = g_get_monotonic_time();
    control_streams_apply(f->streams, plan->next, NULL, 1000);
    RUN_UNTIL(&f->loop, !control_streams_stats(f->streams, id, &stats));
    g_assert_cmpuint(used(f), ==, 2);
    RUN_UNTIL(&f->loop, used(f) == 0);
    g_assert_cmpint(g_get_monotonic_time() - start, >=, 990 * 1000);
}

/* Freed with a stream that is open and one whose delay runs. */
static void test_free_in_use(Fixture *f, const void *data)
{
    g_autoptr(SessionPlan) open = make_plan(f, 1);

    (void)data;
    g_assert_true(control_streams_reserve(f->streams, open, NULL));
    control_streams_apply(f->streams, NULL, open->next, 0);
    control_streams_apply(f->streams, open->next, NULL, 60000);
}

static SessionStream *stream_of(const SessionPlan *plan)
{
    const SessionDialog *d = plan->next->dialogs->pdata[0];

    return ((const SessionSlot *)d->slots->pdata[0])->stream;
}

/* FPR-09: what a stream has signalled stays until its worker has let go. */
static void test_identity(Fixture *f, const void *data)
{
    g_autoptr(SessionPlan) plan = make_plan(f, 1);
    SessionStream *stream = stream_of(plan);

    (void)data;
    tls_identities_signal(f->identities, &stream->local_fingerprints);
    g_assert_true(control_streams_reserve(f->streams, plan, NULL));
    control_streams_apply(f->streams, NULL, plan->next, 0);
    rotate(f);
    rotate(f);
    g_assert_cmpuint(tls_identities_n(f->identities), ==, 2);
    control_streams_apply(f->streams, plan->next, NULL, 60000);
    RUN_UNTIL(&f->loop, tls_identities_n(f->identities) == 1);
    g_assert_cmpuint(used(f), ==, 2); /* the ports' delay is not the certificate's */
}

/* The same when it comes back, whichever is current; nothing is kept of one that cannot. */
static void test_restore_identity(Fixture *f, const void *data)
{
    g_autoptr(SessionPlan) plan = make_plan(f, 1);
    SessionStream *stream = stream_of(plan);
    g_autoptr(GError) error = NULL;

    (void)data;
    for (int side = 0; side < 2; side++)
        stream->leg[side].local = addr_with_port(f->ip, (uint16_t)(20001 + side));
    g_assert_false(control_streams_restore(f->streams, "id", stream, &error));
    g_assert_nonnull(strstr(error->message, "the certificate (none) that was signalled"));
    tls_identities_signal(f->identities, &stream->local_fingerprints);
    TlsCtx *held = tls_identities_hold(f->identities, &stream->local_fingerprints);
    rotate(f);
    g_assert_true(control_streams_restore(f->streams, "id", stream, NULL));
    tls_identities_release(f->identities, held);
    control_streams_apply(f->streams, NULL, plan->next, 0);
    g_assert_cmpuint(tls_identities_n(f->identities), ==, 2);
    control_streams_apply(f->streams, plan->next, NULL, 0);
    RUN_UNTIL(&f->loop, used(f) == 0);
    g_assert_cmpuint(tls_identities_n(f->identities), ==, 1);
    g_assert_false(control_streams_restore(f->streams, "id", stream, NULL));
    g_assert_cmpuint(used(f), ==, 0);
}

#define ADD(name, func) g_test_add("/control/streams/" name, Fixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    test_log_start();
    ADD("all-or-nothing", test_all_or_nothing);
    ADD("life", test_life);
    ADD("delay", test_delay);
    ADD("free-in-use", test_free_in_use);
    ADD("FPR-09/identity", test_identity);
    ADD("FPR-09/restore-identity", test_restore_identity);
    return g_test_run();
}
