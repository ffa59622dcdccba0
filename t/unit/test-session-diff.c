/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session-fixture.h"

static SessionStream *add_stream(Session *s, uint64_t id, const char *medium)
{
    SessionDialog *d = session_dialog_new(NULL);
    SessionSlot *slot = session_slot_new();

    slot->treatment = SESSION_E2AE;
    slot->medium = medium_by_name(span_str(medium));
    slot->stream = session_stream_new(id, slot->medium);
    g_ptr_array_add(d->slots, slot);
    g_ptr_array_add(s->dialogs, d);
    return slot->stream;
}

static void assert_action(const GArray *actions, unsigned i, SessionActionKind kind, uint64_t id)
{
    const SessionAction *a = &g_array_index(actions, SessionAction, i);

    g_assert_cmpuint(i, <, actions->len);
    g_assert_cmpint(a->kind, ==, kind);
    g_assert_cmpuint(a->stream_id, ==, id);
}

static void test_life(void)
{
    g_autoptr(Session) one = session_new("c");
    g_autoptr(Session) two = session_new("c");

    add_stream(one, 1, "msrp");
    add_stream(one, 2, "t38");
    add_stream(two, 2, "t38")->answered = true;
    add_stream(two, 3, "bfcp");

    g_autoptr(GArray) opened = session_diff(NULL, one);
    g_assert_cmpuint(opened->len, ==, 2);
    assert_action(opened, 0, SESSION_OPEN, 1);
    assert_action(opened, 1, SESSION_OPEN, 2);

    g_autoptr(GArray) changed = session_diff(one, two);
    g_assert_cmpuint(changed->len, ==, 3);
    assert_action(changed, 0, SESSION_UPDATE, 2);
    assert_action(changed, 1, SESSION_OPEN, 3);
    assert_action(changed, 2, SESSION_CLOSE, 1); /* closings last */
    g_assert_true(g_array_index(changed, SessionAction, 0).spec.answered);
    g_assert_cmpint(g_array_index(changed, SessionAction, 0).spec.transport, ==, MEDIA_UDP);

    g_autoptr(GArray) closed = session_diff(two, NULL);
    g_assert_cmpuint(closed->len, ==, 2);
    assert_action(closed, 0, SESSION_CLOSE, 2);
    assert_action(closed, 1, SESSION_CLOSE, 3);

    g_autoptr(GArray) nothing = session_diff(NULL, NULL);
    g_assert_cmpuint(nothing->len, ==, 0);
}

/* Streams that wait and those that go are open, too. */
static void test_all_of_a_slot(void)
{
    g_autoptr(Session) s = session_new("c");

    add_stream(s, 1, "msrp");
    SessionDialog *d = s->dialogs->pdata[0];
    SessionSlot *slot = session_slot(d, 0);
    slot->pending = session_stream_new(2, slot->medium);
    slot->retiring = session_stream_new(3, slot->medium);
    g_autoptr(GArray) opened = session_diff(NULL, s);
    g_assert_cmpuint(opened->len, ==, 3);
    g_autoptr(Session) copy = session_copy(s);
    g_autoptr(GArray) same = session_diff(s, copy);
    g_assert_cmpuint(same->len, ==, 0);
}

static void set_addr(Addr *a, uint8_t last, uint16_t port, int padding)
{
    memset(a, padding, sizeof *a); /* whatever was on the stack */
    memset(a->ip, 0, sizeof a->ip);
    a->family = ADDR_IP4;
    a->port = port;
    a->ip[3] = last;
}

/* What is the same value is no change, whatever lies between the members. */
static void test_by_value(void)
{
    g_autoptr(Session) one = session_new("c");
    g_autoptr(Session) two = session_new("c");

    set_addr(&add_stream(one, 1, "msrp")->leg[0].remote, 9, 5000, 0x00);
    set_addr(&add_stream(two, 1, "msrp")->leg[0].remote, 9, 5000, 0xFF);
    g_autoptr(GArray) actions = session_diff(one, two);
    g_assert_cmpuint(actions->len, ==, 0);
}

/* TRK-08, TRK-13: every member of the spec makes an update, and nothing else does. */
static void test_members(void)
{
    for (int member = 0; member < 10; member++) {
        g_autoptr(Session) one = session_new("c");
        g_autoptr(Session) two = session_new("c");
        add_stream(one, 1, "msrp");
        SessionStream *s = add_stream(two, 1, "msrp");
        Fingerprint fp = {.hash = FP_SHA256, .digest = {1}};
        bool update = true;
        switch (member) {
        case 0:
            s->answered = true;
            break;
        case 1:
            s->leg[1].secure = true;
            break;
        case 2:
            s->leg[0].setup = MEDIA_SETUP_ACTIVE;
            break;
        case 3:
            s->leg[1].tls_role = MEDIA_TLS_PEEK;
            break;
        case 4:
            set_addr(&s->leg[1].remote, 1, 2, 0);
            break;
        case 5:
            fp_set_add(&s->leg[0].fingerprints, &fp);
            break;
        case 6:
            s->allow_sha1 = true;
            break;
        case 7:
            s->medium = medium_by_name(SPAN("bfcp"));
            break;
        case 8:
            s->leg[0].peer_path = g_strdup("msrp://h:1/x;tcp");
            update = false;
            break;
        default:
            s->leg[0].tls_id = g_strdup("x");
            update = false;
        }
        g_autoptr(GArray) actions = session_diff(one, two);
        g_test_message("member %d", member);
        g_assert_cmpuint(actions->len, ==, update);
        if (update)
            assert_action(actions, 0, SESSION_UPDATE, 1);
    }
}

static void test_spec(void)
{
    SessionStream *s = session_stream_new(1, medium_by_name(SPAN("bfcp")));
    MediaSpec spec;

    s->answered = s->allow_sha1 = true;
    s->leg[SESSION_ACCESS].secure = true;
    s->leg[SESSION_ACCESS].setup = MEDIA_SETUP_PASSIVE;
    s->leg[SESSION_ACCESS].tls_role = MEDIA_TLS_PEEK;
    s->leg[SESSION_ACCESS].fingerprints.n = 1;
    s->leg[SESSION_CORE].setup = MEDIA_SETUP_ACTIVE;
    s->leg[SESSION_CORE].remote.port = 7000;
    session_stream_spec(s, &spec);
    g_assert_cmpint(spec.transport, ==, MEDIA_TCP);
    g_assert_cmpint(spec.framing, ==, MEDIA_BFCP);
    g_assert_true(spec.answered);
    g_assert_cmpint(spec.leg[MEDIA_ACCESS].security, ==, MEDIA_TLS);
    g_assert_cmpint(spec.leg[MEDIA_ACCESS].setup, ==, MEDIA_SETUP_PASSIVE);
    g_assert_cmpint(spec.leg[MEDIA_ACCESS].tls_role, ==, MEDIA_TLS_PEEK);
    g_assert_cmpuint(spec.leg[MEDIA_ACCESS].fingerprints.n, ==, 1);
    g_assert_true(spec.leg[MEDIA_ACCESS].allow_sha1);
    g_assert_cmpint(spec.leg[MEDIA_CORE].security, ==, MEDIA_PLAIN);
    g_assert_cmpint(spec.leg[MEDIA_CORE].setup, ==, MEDIA_SETUP_ACTIVE);
    g_assert_cmpuint(spec.leg[MEDIA_CORE].remote.port, ==, 7000);
    session_stream_free(s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/diff/life", test_life);
    g_test_add_func("/session/diff/TRK-13/all-of-a-slot", test_all_of_a_slot);
    g_test_add_func("/session/diff/TRK-08/by-value", test_by_value);
    g_test_add_func("/session/diff/TRK-08/members", test_members);
    g_test_add_func("/session/diff/spec", test_spec);
    return g_test_run();
}
