/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session/session.h"

/* Everything that a session can hold. */
static Session *full(void)
{
    Session *s = session_new("call");
    SessionDialog *d = session_dialog_new("branch");
    SessionSlot *slot = session_slot_new();
    SessionStream **streams[] = {&slot->stream, &slot->pending, &slot->retiring};

    s->first_keys = ng_dict_new();
    ng_dict_add_str(s->first_keys, "ICE", "remove");
    s->settings.media = 7;
    slot->treatment = SESSION_E2AE;
    slot->upstream_index = 3;
    slot->medium = medium_by_name(SPAN("bfcp"));
    slot->media_type = g_strdup("application");
    slot->offer_proto = g_strdup("TCP/BFCP");
    for (int side = 0; side < 2; side++) {
        d->tag[side] = g_strdup_printf("tag-%d", side);
        d->interface[side] = g_strdup_printf("if-%d", side);
        slot->upstream_text[side] = g_strdup_printf("m=audio %d\r\n", side);
        slot->peer_proto[side] = g_strdup("UDPTL");
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(streams); i++) {
        SessionStream *stream = session_stream_new(10 + i, slot->medium);
        *streams[i] = stream;
        for (int side = 0; side < 2; side++) {
            stream->leg[side].interface = g_strdup("if");
            stream->leg[side].tls_id = g_strdup("ours");
            stream->leg[side].peer_tls_id = g_strdup("theirs");
            stream->leg[side].peer_path = g_strdup("path");
        }
    }
    g_ptr_array_add(d->slots, slot);
    g_ptr_array_add(s->dialogs, d);
    return s;
}

static void scribble(char *text)
{
    memset(text, '#', strlen(text));
}

static void scribble_on_stream(SessionStream *stream, void *arg)
{
    (void)arg;
    stream->id = 0;
    stream->medium = NULL;
    for (int side = 0; side < 2; side++) {
        scribble(stream->leg[side].interface);
        scribble(stream->leg[side].tls_id);
        scribble(stream->leg[side].peer_tls_id);
        scribble(stream->leg[side].peer_path);
    }
}

/* The original after every part of a copy was overwritten and the copy freed. */
static void test_copy_is_deep(void)
{
    g_autoptr(Session) s = full();
    Session *copy = session_copy(s);
    SessionDialog *d = copy->dialogs->pdata[0];
    SessionSlot *slot = session_slot(d, 0);

    g_assert_cmpstr(slot->upstream_text[1], ==, "m=audio 1\r\n");
    g_assert_cmpint(slot->upstream_index, ==, 3);
    g_assert_true(ng_value_eq(copy->first_keys, s->first_keys));
    session_foreach_stream(copy, scribble_on_stream, NULL);
    scribble(copy->call_id);
    scribble(d->via_branch);
    scribble(slot->media_type);
    scribble(slot->offer_proto);
    for (int side = 0; side < 2; side++) {
        scribble(d->tag[side]);
        scribble(d->interface[side]);
        scribble(slot->upstream_text[side]);
        scribble(slot->peer_proto[side]);
    }
    ng_dict_remove(copy->first_keys, SPAN("ICE"));
    g_ptr_array_set_size(d->slots, 0);
    g_ptr_array_set_size(copy->dialogs, 0);
    session_free(copy);

    g_autoptr(Session) fresh = full();
    const SessionDialog *was = fresh->dialogs->pdata[0], *is = s->dialogs->pdata[0];
    g_assert_cmpstr(s->call_id, ==, fresh->call_id);
    g_assert_cmpstr(is->via_branch, ==, was->via_branch);
    g_assert_true(ng_value_eq(s->first_keys, fresh->first_keys));
    for (int side = 0; side < 2; side++) {
        g_assert_cmpstr(is->tag[side], ==, was->tag[side]);
        g_assert_cmpstr(is->interface[side], ==, was->interface[side]);
        g_assert_cmpstr(session_slot(is, 0)->upstream_text[side], ==,
                        session_slot(was, 0)->upstream_text[side]);
        g_assert_cmpstr(session_slot(is, 0)->peer_proto[side], ==, "UDPTL");
        g_assert_cmpstr(session_slot(is, 0)->pending->leg[side].peer_path, ==, "path");
        g_assert_cmpstr(session_slot(is, 0)->retiring->leg[side].tls_id, ==, "ours");
        g_assert_cmpstr(session_slot(is, 0)->stream->leg[side].peer_tls_id, ==, "theirs");
    }
    g_assert_cmpstr(session_slot(is, 0)->offer_proto, ==, "TCP/BFCP");
}

/* A copy of a copy grows without the first one knowing, and frees its slots itself. */
static void test_copy_grows(void)
{
    g_autoptr(Session) s = full();
    g_autoptr(Session) copy = session_copy(s);

    g_ptr_array_add(((SessionDialog *)copy->dialogs->pdata[0])->slots, session_slot_new());
    g_ptr_array_add(copy->dialogs, session_dialog_new(NULL));
    g_assert_cmpuint(s->dialogs->len, ==, 1);
    g_assert_null(session_slot(s->dialogs->pdata[0], 1));
    g_assert_nonnull(session_slot(copy->dialogs->pdata[0], 1));
}

static void sum(SessionStream *stream, void *arg)
{
    *(uint64_t *)arg += stream->id;
}

static void test_find(void)
{
    g_autoptr(Session) s = full();
    SessionDialog *d = NULL;
    SessionStream *stream = NULL;
    unsigned index = 99;
    uint64_t total = 0;

    for (uint64_t id = 10; id < 13; id++) {
        g_assert_true(session_find_stream(s, id, &d, &index, &stream));
        g_assert_true(d == s->dialogs->pdata[0]);
        g_assert_cmpuint(index, ==, 0);
        g_assert_cmpuint(stream->id, ==, id);
        g_assert_true(session_find_stream(s, id, NULL, NULL, NULL));
    }
    stream = NULL;
    g_assert_false(session_find_stream(s, 13, NULL, NULL, &stream));
    g_assert_null(stream);
    session_foreach_stream(s, sum, &total);
    g_assert_cmpuint(total, ==, 33);
    g_assert_cmpuint(session_slot_current(session_slot(d, 0))->id, ==, 11);
}

/* TRK-13: only the stream in force ends the one that it replaces. */
static void test_up(void)
{
    g_autoptr(Session) s = full();

    g_assert_false(session_stream_up(s, 11));
    g_assert_false(session_stream_up(s, 12));
    g_assert_false(session_stream_up(s, 13));
    g_assert_true(session_stream_up(s, 10));
    g_assert_false(session_find_stream(s, 12, NULL, NULL, NULL));
    g_assert_true(session_find_stream(s, 11, NULL, NULL, NULL));
    g_assert_false(session_stream_up(s, 10));
}

static void test_drop_retiring(void)
{
    g_autoptr(Session) s = full();

    session_drop_retiring(s);
    g_assert_false(session_find_stream(s, 12, NULL, NULL, NULL));
    g_assert_true(session_find_stream(s, 10, NULL, NULL, NULL));
    g_assert_true(session_find_stream(s, 11, NULL, NULL, NULL));
}

/* An m-line that has lost all its streams needs a new offer. */
static void test_drop_stream(void)
{
    g_autoptr(Session) s = full();
    SessionSlot *slot = session_slot(s->dialogs->pdata[0], 0);

    slot->treatment = SESSION_E2AE;
    session_drop_stream(s, 13);
    session_drop_stream(s, 12);
    g_assert_null(slot->retiring);
    g_assert_null(slot->lost);
    session_drop_stream(s, 10);
    g_assert_null(slot->stream);
    g_assert_cmpint(slot->treatment, ==, SESSION_E2AE);
    session_drop_stream(s, 11);
    g_assert_null(slot->pending);
    g_assert_cmpint(slot->treatment, ==, SESSION_CLOSED);
    g_assert_nonnull(slot->lost);
    g_autoptr(Session) copy = session_copy(s);
    g_assert_true(session_slot(copy->dialogs->pdata[0], 0)->lost == slot->lost);
}

static void test_names(void)
{
    g_assert_cmpstr(session_treatment_name(SESSION_UPSTREAM), ==, "anchor");
    g_assert_cmpstr(session_treatment_name(SESSION_PASS), ==, "pass");
    g_assert_cmpstr(session_treatment_name(SESSION_REJECT), ==, "reject");
    g_assert_cmpstr(session_treatment_name(SESSION_CLOSED), ==, "reject");
    g_assert_cmpstr(session_treatment_name(SESSION_E2AE), ==, "e2ae");
    g_assert_cmpint(session_other(SESSION_ACCESS), ==, SESSION_CORE);
    g_assert_cmpint(session_other(SESSION_CORE), ==, SESSION_ACCESS);
    session_free(NULL);
    session_dialog_free(NULL);
    session_slot_free(NULL);
    session_stream_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/copy/deep", test_copy_is_deep);
    g_test_add_func("/session/copy/grows", test_copy_grows);
    g_test_add_func("/session/find", test_find);
    g_test_add_func("/session/TRK-13/up", test_up);
    g_test_add_func("/session/drop-retiring", test_drop_retiring);
    g_test_add_func("/session/drop-stream", test_drop_stream);
    g_test_add_func("/session/names", test_names);
    return g_test_run();
}
