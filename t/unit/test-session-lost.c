/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams that a node had to give up, because it cannot have the ports of the node that held them:
 * TRK-20, TRK-21, TRK-27. */
#include "session-fixture.h"
#include "session/session-record.h"

#define UE       "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 198.51.100.10\nt=0 0\n"
#define CORE     "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\n"
#define CORE_OUT "v=0\no=core 2 2 IN IP4 203.0.113.9\ns=-\nc=IN IP4 203.0.113.9\nt=0 0\n"

#define REQUESTED "a=3ge2ae:requested\n"
#define FP        "a=fingerprint:{ue}\n"

/* What a plain line of each medium is without a memory of the stream, and with it. */
static const struct Medium_ {
    const char *name;
    const char *ue, *ue_plain, *ue_answer;
    const char *core, *core_offer;
    const char *access_line, *access_zero; /* what the UE is told of a new stream, or of none */
} media[] = {
    {"msrp",
     "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/s;tcp\na=setup:actpass\n" FP,
     "m=message 2855 TCP/MSRP *\na=path:msrp://198.51.100.10:2855/s;tcp\na=setup:actpass\n",
     "m=message 9 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/s;tcp\na=setup:active\n" FP,
     "m=message 7000 TCP/MSRP *\na=path:msrp://192.0.2.9:7000/k;tcp\na=setup:passive\n",
     "m=message 7000 TCP/MSRP *\na=path:msrp://192.0.2.9:7000/k;tcp\na=setup:actpass\n",
     "m=message 30002 TCP/TLS/MSRP *", "m=message 0 TCP/TLS/MSRP *"},
    {"bfcp", "m=application 50000 TCP/TLS/BFCP *\na=setup:actpass\n" FP,
     "m=application 50000 TCP/BFCP *\na=setup:actpass\n",
     "m=application 9 TCP/TLS/BFCP *\na=setup:active\n" FP,
     "m=application 7000 TCP/BFCP *\na=setup:passive\n",
     "m=application 7000 TCP/BFCP *\na=setup:actpass\n", "m=application 30002 TCP/TLS/BFCP *",
     "m=application 0 TCP/TLS/BFCP *"},
    {"t38", "m=image 6056 UDP/TLS/UDPTL t38\na=setup:actpass\n" FP, "m=image 6056 udptl t38\n",
     "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\n" FP, "m=image 5004 udptl t38\n",
     "m=image 5004 udptl t38\n", "m=image 30002 UDP/TLS/UDPTL t38", "m=image 0 UDP/TLS/UDPTL t38"},
};

#define JOIN(a, b) (g_strconcat(a, b, NULL))

static bool offer(Fixture *f, SessionSide from, const char *keys, const char *lines)
{
    g_autofree char *body = JOIN(from == SESSION_ACCESS ? UE : CORE, lines);

    return fixture_offer(f, from, keys, body);
}

static bool answer(Fixture *f, SessionSide from, const char *lines)
{
    g_autofree char *body = JOIN(from == SESSION_ACCESS ? UE : CORE, lines);

    return fixture_answer(f, from, "", body);
}

/* The session in force, not the plan of the last request. */
static SessionSlot *slot_of(const Fixture *f, unsigned index)
{
    return session_slot(f->session->dialogs->pdata[0], index);
}

/* As another node finds the call: from its record, which the first one wrote, and without this stream. */
static void lose(Fixture *f, uint64_t id)
{
    g_autoptr(GError) error = NULL;

    session_drop_stream(f->session, id);
    g_autoptr(RedisRecord) record = session_export(f->session);
    session_free(f->session);
    f->session = session_import(record, NULL, NULL, &error);
    g_assert_no_error(error);
    g_assert_false(session_find_stream(f->session, id, NULL, NULL, NULL));
}

static Fixture *running(const struct Medium_ *m, const char *keys)
{
    Fixture *f = fixture_new();
    g_autofree char *lines = JOIN(m->ue, REQUESTED);

    g_assert_true(offer(f, SESSION_ACCESS, keys, lines));
    g_assert_true(answer(f, SESSION_CORE, m->core));
    g_assert_true(fixture_stream(f, 0)->answered);
    return f;
}

static Fixture *lost(const struct Medium_ *m)
{
    Fixture *f = running(m, "e2ae=originating");

    lose(f, slot_of(f, 0)->stream->id);
    g_assert_cmpint(slot_of(f, 0)->treatment, ==, SESSION_CLOSED);
    g_assert_cmpstr(slot_of(f, 0)->lost->name, ==, m->name);
    return f;
}

static void test_ue_without_indication(const void *arg)
{
    const struct Medium_ *m = arg;
    g_autoptr(Fixture) f = lost(m);

    g_assert_true(offer(f, SESSION_ACCESS, "", m->ue));
    g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_E2AE);
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 1);
    g_assert_true(answer(f, SESSION_CORE, m->core));
    g_assert_true(fixture_has(f, m->access_line));
    g_assert_true(fixture_has(f, "a=fingerprint:{gw}"));
    g_assert_true(fixture_stream(f, 0)->answered);
    g_assert_null(slot_of(f, 0)->lost);
}

/* On a call of the UE's nobody has said which media its registration enabled. */
static void test_core_offers(const void *arg)
{
    const struct Medium_ *m = arg;
    g_autoptr(Fixture) f = lost(m);

    g_assert_false(f->session->settings.media_given);
    g_assert_true(offer(f, SESSION_CORE, "", m->core_offer));
    g_assert_true(fixture_has(f, m->access_line));
    g_assert_true(fixture_has(f, "a=3ge2ae:applied"));
    g_assert_true(answer(f, SESSION_ACCESS, m->ue_answer));
    g_assert_true(fixture_stream(f, 0)->answered);
    g_assert_null(slot_of(f, 0)->lost);
}

static void test_ue_plain(const void *arg)
{
    const struct Medium_ *m = arg;
    g_autoptr(Fixture) f = lost(m);

    /* twice: the offer may have been refused by the other side, and is not forgotten for that */
    for (int i = 0; i < 2; i++) {
        g_assert_true(offer(f, SESSION_ACCESS, "", m->ue_plain));
        g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_REJECT);
        g_assert_cmpstr(fixture_slot(f, 0)->reason, ==,
                        "the UE wants to leave TLS on a protected stream");
        g_assert_cmpuint(f->actions->len, ==, 0);
        g_assert_null(f->upstream);
    }
    g_assert_true(offer(f, SESSION_ACCESS, "", m->ue));
    g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_E2AE);
}

/* A new stream that was offered and never answered is no reason to forget the old one. */
static void test_new_one_refused(const void *arg)
{
    const struct Medium_ *m = arg;
    g_autoptr(Fixture) f = lost(m);

    g_assert_true(offer(f, SESSION_ACCESS, "", m->ue));
    g_assert_true(offer(f, SESSION_ACCESS, "", m->ue_plain));
    g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_REJECT);
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
    g_assert_true(offer(f, SESSION_ACCESS, "", m->ue_plain));
    g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_REJECT);
}

/* Whoever takes the line away has ended it for good: it is decided like a new one. */
static void test_forgotten(const void *arg)
{
    const struct Medium_ *m = arg;
    g_autoptr(Fixture) f = lost(m);

    g_assert_true(offer(f, SESSION_CORE, "", m->core_offer));
    g_assert_true(answer(f, SESSION_ACCESS, m->access_zero));
    g_assert_null(slot_of(f, 0)->lost);
    g_assert_true(offer(f, SESSION_ACCESS, "", m->ue));
    g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_PASS);
}

/* Another node answers for an offer whose ports it cannot have. */
static void test_pending(const void *arg)
{
    const struct Medium_ *m = arg;
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *offered = JOIN("m=audio 4000 RTP/AVP 8\n", m->ue);
    g_autofree char *with = JOIN(offered, REQUESTED);
    g_autofree char *answered = JOIN("m=audio 5000 RTP/AVP 8\na=ptime:20\n", m->core);

    g_assert_true(offer(f, SESSION_ACCESS, "e2ae=originating", with));
    lose(f, slot_of(f, 1)->pending->id);
    g_assert_true(answer(f, SESSION_CORE, answered));
    g_autofree char *plain =
        g_strconcat(CORE_OUT "m=audio 6000 RTP/AVP 8\na=ptime:20\n", m->access_zero, "\n", NULL);
    g_autofree char *expected = fixture_text(f, plain);
    g_assert_true(g_str_has_prefix(f->body, expected));
    const SessionLine *line = &g_array_index(f->plan->lines, SessionLine, 1);
    g_assert_cmpint(line->kind, ==, SESSION_LINE_ZERO);
    g_assert_true(line->failed);
    g_assert_cmpstr(
        line->reason, ==,
        "its ports are gone with the node that held them: the next offer moves the stream");
    g_assert_cmpint(g_array_index(f->plan->lines, SessionLine, 0).kind, ==, SESSION_LINE_UPSTREAM);

    /* and so it does, without any indication */
    g_assert_true(offer(f, SESSION_ACCESS, "", offered));
    g_assert_cmpint(fixture_slot(f, 1)->treatment, ==, SESSION_E2AE);
    g_assert_true(answer(f, SESSION_CORE, answered));
    g_assert_true(fixture_has(f, m->access_line));
}

/* The answerer who does not want it has the last word. */
static void test_pending_refused(const void *arg)
{
    const struct Medium_ *m = arg;
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *with = JOIN(m->ue, REQUESTED);
    char **words = g_strsplit(m->core, " ", 3);
    g_autofree char *zero = g_strconcat(words[0], " 0 ", words[2], NULL);

    g_strfreev(words);
    g_assert_true(offer(f, SESSION_ACCESS, "e2ae=originating", with));
    lose(f, slot_of(f, 0)->pending->id);
    g_assert_true(answer(f, SESSION_CORE, zero));
    g_assert_true(fixture_has(f, m->access_zero));
    g_assert_null(slot_of(f, 0)->lost);
}

/* A re-offer kept the stream, and what answers it finds that gone. */
static void test_kept(const void *arg)
{
    const struct Medium_ *m = arg;
    g_autoptr(Fixture) f = running(m, "e2ae=originating");

    g_assert_true(offer(f, SESSION_ACCESS, "", m->ue));
    lose(f, slot_of(f, 0)->stream->id);
    g_assert_true(answer(f, SESSION_CORE, m->core));
    g_assert_true(fixture_has(f, m->access_zero));
    g_assert_true(offer(f, SESSION_ACCESS, "", m->ue));
    g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_E2AE);
}

/* A re-offer had begun another stream, and only that is lost: who has answered it is on its ports. */
static void test_successor(const void *arg)
{
    const struct Medium_ *m = arg;
    g_autoptr(Fixture) f = running(m, "e2ae=originating");
    g_autofree char *moved = JOIN(m->ue, "a=fingerprint:{ue2}\n");

    g_assert_true(offer(f, SESSION_ACCESS, "", moved));
    g_assert_nonnull(slot_of(f, 0)->pending);
    lose(f, slot_of(f, 0)->pending->id);
    g_assert_nonnull(slot_of(f, 0)->stream);
    g_assert_true(answer(f, SESSION_CORE, m->core));
    g_assert_true(fixture_has(f, m->access_zero));
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
    g_assert_true(offer(f, SESSION_ACCESS, "", moved));
    g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_E2AE);
}

/* The other way round: the old stream is lost, and what was offered goes on. */
static void test_predecessor(const void *arg)
{
    const struct Medium_ *m = arg;
    g_autoptr(Fixture) f = running(m, "e2ae=originating");
    g_autofree char *moved = JOIN(m->ue, "a=fingerprint:{ue2}\n");

    g_assert_true(offer(f, SESSION_ACCESS, "", moved));
    lose(f, slot_of(f, 0)->stream->id);
    g_assert_cmpint(slot_of(f, 0)->treatment, ==, SESSION_E2AE);
    g_assert_true(answer(f, SESSION_CORE, m->core));
    g_assert_true(fixture_has(f, m->access_line));
    g_assert_null(slot_of(f, 0)->lost);
}

/* Neither leg may be served in clear. */
static void test_core_leaves(void)
{
    const struct Medium_ *m = &media[0];
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(offer(f, SESSION_ACCESS, "e2ae=originating e2ae-core=tls",
                        "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/s;tcp\n"
                        "a=setup:actpass\n" FP REQUESTED));
    g_assert_true(answer(f, SESSION_CORE,
                         "m=message 7000 TCP/TLS/MSRP *\na=path:msrps://192.0.2.9:7000/k;tcp\n"
                         "a=setup:passive\na=fingerprint:{core}\n"));
    g_assert_true(fixture_stream(f, 0)->leg[SESSION_CORE].secure);
    lose(f, slot_of(f, 0)->stream->id);
    g_assert_true(offer(f, SESSION_CORE, "", m->core_offer));
    g_assert_cmpint(fixture_slot(f, 0)->treatment, ==, SESSION_REJECT);
    g_assert_cmpstr(fixture_slot(f, 0)->reason, ==,
                    "the core wants to leave TLS on a protected stream");
}

/* The end of what only served until its successor was up is no loss. */
static void test_retiring(void)
{
    const struct Medium_ *m = &media[0];
    g_autoptr(Fixture) f = running(m, "e2ae=originating");
    g_autofree char *moved = JOIN(m->ue, "a=fingerprint:{ue2}\n");

    g_assert_true(offer(f, SESSION_ACCESS, "", moved));
    g_assert_true(answer(f, SESSION_CORE, m->core));
    lose(f, slot_of(f, 0)->retiring->id);
    g_assert_null(slot_of(f, 0)->lost);
    g_assert_cmpint(slot_of(f, 0)->treatment, ==, SESSION_E2AE);
}

static void add(const char *name, void (*test)(const void *arg))
{
    for (size_t i = 0; i < G_N_ELEMENTS(media); i++) {
        g_autofree char *path = g_strdup_printf("/session/lost/%s/%s", name, media[i].name);
        g_test_add_data_func(path, &media[i], test);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("TRK-20/ue-without-indication", test_ue_without_indication);
    add("TRK-20/core-offers", test_core_offers);
    add("TRK-21/ue-plain", test_ue_plain);
    add("TRK-21/new-one-refused", test_new_one_refused);
    add("TRK-09/forgotten", test_forgotten);
    add("TRK-27/pending", test_pending);
    add("TRK-09/pending-refused", test_pending_refused);
    add("TRK-27/kept", test_kept);
    add("TRK-27/successor", test_successor);
    add("TRK-27/predecessor", test_predecessor);
    g_test_add_func("/session/lost/TRK-20/core-leaves-tls", test_core_leaves);
    g_test_add_func("/session/lost/TRK-13/retiring", test_retiring);
    return g_test_run();
}
