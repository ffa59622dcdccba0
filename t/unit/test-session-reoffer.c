/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What later offers keep, replace and end: TRK-08, TRK-09, TRK-13, TRK-20, TRK-21, DTL-06, DTL-07.
 */
#include "session-fixture.h"

#define UE       "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 198.51.100.10\nt=0 0\n"
#define UE_OUT   "v=0\no=ue 1 1 IN IP4 198.51.100.10\ns=-\nc=IN IP4 203.0.113.2\nt=0 0\n"
#define UE_HELD  "v=0\no=ue 1 2 IN IP4 198.51.100.10\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\n"
#define UE_MOVED "v=0\no=ue 1 2 IN IP4 198.51.100.77\ns=-\nc=IN IP4 198.51.100.77\nt=0 0\n"
#define CORE     "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\n"
#define CORE_OUT "v=0\no=core 2 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 198.51.100.1\nt=0 0\n"

#define REQUESTED "a=3ge2ae:requested\n"
#define FP        "a=fingerprint:{ue}\n"
#define FP2       "a=fingerprint:{ue2}\n"

#define UE_MSRP                                                                                    \
    "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/s;tcp\na=setup:actpass\n" FP
#define CORE_MSRP "m=message 7000 TCP/MSRP *\na=path:msrp://192.0.2.9:7000/k;tcp\na=setup:passive\n"
#define CORE_MSRP_OFFER                                                                            \
    "m=message 7000 TCP/MSRP *\na=path:msrp://192.0.2.9:7000/k;tcp\na=setup:actpass\n"
#define UE_MSRP_ANSWER                                                                             \
    "m=message 9 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/s;tcp\na=setup:active\n" FP
#define UE_BFCP   "m=application 50000 TCP/TLS/BFCP *\na=setup:actpass\n" FP
#define CORE_BFCP "m=application 7000 TCP/BFCP *\na=setup:passive\n"
#define TLS_ID    "a=tls-id:abcdefghijklmnopqrst\n"
#define TLS_ID2   "a=tls-id:ABCDEFGHIJKLMNOPQRST\n"
#define UE_T38    "m=image 6056 UDP/TLS/UDPTL t38\na=setup:actpass\n" FP
#define CORE_T38  "m=image 5004 udptl t38\n"

/* A call with one accepted stream, offered by the UE. */
static void establish(Fixture *f, const char *offer, const char *answer)
{
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", offer));
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 1);
    g_assert_true(fixture_answer(f, SESSION_CORE, "", answer));
    g_assert_cmpuint(fixture_count(f, SESSION_UPDATE), ==, 1);
    g_assert_true(fixture_stream(f, 0)->answered);
}

/* TRK-08, TRK-12: each of these leaves the connection as it is. */
static const struct Kept {
    const char *name;
    const char *offer, *answer; /* that made the stream */
    const char *again;          /* the UE's next offer */
} kept[] = {
    {"TRK-08/msrp-same", UE UE_MSRP REQUESTED, CORE CORE_MSRP, UE UE_MSRP REQUESTED},
    {"TRK-20/msrp-without-indication", UE UE_MSRP REQUESTED, CORE CORE_MSRP, UE UE_MSRP},
    {"TRK-12/msrp-hold-address", UE UE_MSRP REQUESTED, CORE CORE_MSRP,
     UE_HELD UE_MSRP "a=inactive\n"},
    {"TRK-08/msrp-active-after-actpass", UE UE_MSRP REQUESTED, CORE CORE_MSRP,
     UE "m=message 9 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/s;tcp\na=setup:active\n" FP},
    {"COM-06/msrp-connection-means-nothing", UE UE_MSRP REQUESTED, CORE CORE_MSRP,
     UE UE_MSRP "a=connection:new\n"},
    {"TRK-08/bfcp-without-connection", UE UE_BFCP REQUESTED, CORE CORE_BFCP, UE UE_BFCP},
    {"COM-05/bfcp-existing", UE UE_BFCP REQUESTED "a=connection:new\n", CORE CORE_BFCP,
     UE UE_BFCP "a=connection:existing\n"},
    {"COM-05/bfcp-existing-ignores-port-and-setup", UE UE_BFCP REQUESTED, CORE CORE_BFCP,
     UE_MOVED "m=application 9 TCP/TLS/BFCP *\na=setup:passive\na=connection:existing\n" FP},
    {"COM-02/bfcp-port-9-is-no-move", UE UE_BFCP REQUESTED, CORE CORE_BFCP,
     UE "m=application 9 TCP/TLS/BFCP *\na=setup:active\n" FP},
    {"TRK-08/t38-same", UE UE_T38 REQUESTED, CORE CORE_T38, UE UE_T38 REQUESTED},
    {"DTL-06/t38-moved-with-same-tls-id", UE UE_T38 TLS_ID REQUESTED, CORE CORE_T38,
     UE_MOVED UE_T38 TLS_ID},
    {"TRK-12/t38-hold-address", UE UE_T38 REQUESTED, CORE CORE_T38, UE_HELD UE_T38 "a=inactive\n"},
    {"FPR-09/t38-active-after-actpass", UE UE_T38 REQUESTED, CORE CORE_T38,
     UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\n" FP},
};

static char *local_side(const Fixture *f, unsigned index)
{
    const SessionStream *s = fixture_stream(f, index);

    return g_strdup_printf("%" G_GUINT64_FORMAT " %u %u %s", s->id,
                           s->leg[SESSION_ACCESS].local.port, s->leg[SESSION_CORE].local.port,
                           s->leg[SESSION_ACCESS].tls_id ? s->leg[SESSION_ACCESS].tls_id : "-");
}

static void test_kept(const void *arg)
{
    const struct Kept *k = arg;
    g_autoptr(Fixture) f = fixture_new();

    establish(f, k->offer, k->answer);
    g_autofree char *before = local_side(f, 0);
    MediaSetup setup = fixture_stream(f, 0)->leg[SESSION_ACCESS].setup;
    MediaTlsRole role = fixture_stream(f, 0)->leg[SESSION_ACCESS].tls_role;
    for (int i = 0; i < 3; i++) {
        g_assert_true(fixture_offer(f, SESSION_ACCESS, "", k->again));
        g_assert_cmpuint(f->plan->ports->len, ==, 0);
        g_assert_cmpuint(fixture_count(f, SESSION_OPEN) + fixture_count(f, SESSION_CLOSE), ==, 0);
        g_assert_true(fixture_answer(f, SESSION_CORE, "", k->answer));
        g_assert_cmpuint(fixture_count(f, SESSION_OPEN) + fixture_count(f, SESSION_CLOSE), ==, 0);
        g_autofree char *after = local_side(f, 0);
        g_assert_cmpstr(after, ==, before);
        g_assert_cmpint(fixture_stream(f, 0)->leg[SESSION_ACCESS].setup, ==, setup);
        g_assert_cmpint(fixture_stream(f, 0)->leg[SESSION_ACCESS].tls_role, ==, role);
        g_assert_true(fixture_has(f, "a=fingerprint:{gw}"));
    }
}

/* TRK-08: an offer that changes nothing means nothing to the media plane, and is answered as
 * before. */
static void test_no_op(void)
{
    static const char want[] = CORE_OUT "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\n"
                                        "a=path:msrps://198.51.100.1:30000/k;tcp\na=setup:passive\n"
                                        "a=fingerprint:{gw}\n";
    g_autoptr(Fixture) f = fixture_new();

    establish(f, UE UE_MSRP REQUESTED, CORE CORE_MSRP);
    fixture_expect(f, want);
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_MSRP REQUESTED));
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_MSRP));
    g_assert_cmpuint(f->actions->len, ==, 0);
    fixture_expect(f, want);
}

/* TRK-08: we say that the connection is kept, but never in answer to "new". */
static void test_bfcp_connection(void)
{
    g_autoptr(Fixture) f = fixture_new();

    establish(f, UE UE_BFCP REQUESTED "a=connection:new\n", CORE CORE_BFCP "a=connection:new\n");
    g_assert_true(fixture_has(f, "a=connection:new"));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_BFCP "a=connection:existing\n"));
    g_assert_true(fixture_has(f, "a=connection:existing"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_BFCP "a=connection:existing\n"));
    g_assert_true(fixture_has(f, "a=connection:existing"));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_BFCP "a=connection:new\n"));
    g_assert_true(fixture_has(f, "a=connection:new"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_BFCP "a=connection:new\n"));
    g_assert_true(fixture_has(f, "a=connection:new"));
    g_assert_true(fixture_has(f, "m=application 30002 TCP/TLS/BFCP *"));
}

/* Each of these asks for a new connection or association: a new stream on new ports. */
static const struct Changed {
    const char *name;
    const char *offer, *answer, *again;
} changed[] = {
    {"TRK-13/msrp-fingerprint", UE UE_MSRP REQUESTED, CORE CORE_MSRP,
     UE "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/s;tcp\n"
        "a=setup:actpass\n" FP2},
    {"TRK-13/msrp-second-fingerprint", UE UE_MSRP REQUESTED, CORE CORE_MSRP, UE UE_MSRP FP2},
    {"TRK-08/msrp-path", UE UE_MSRP REQUESTED, CORE CORE_MSRP,
     UE "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/other;tcp\n"
        "a=setup:actpass\n" FP},
    {"TRK-08/msrp-role", UE UE_MSRP REQUESTED, CORE "m=message 9 TCP/MSRP *\na=setup:active\n",
     UE "m=message 2855 TCP/TLS/MSRP *\na=path:msrps://198.51.100.10:2855/s;tcp\n"
        "a=setup:passive\n" FP},
    {"COM-05/bfcp-new", UE UE_BFCP REQUESTED, CORE CORE_BFCP, UE UE_BFCP "a=connection:new\n"},
    {"TRK-13/bfcp-existing-with-another-certificate", UE UE_BFCP REQUESTED, CORE CORE_BFCP,
     UE "m=application 50000 TCP/TLS/BFCP *\na=setup:actpass\na=connection:existing\n" FP2},
    {"TRK-08/bfcp-moved-without-connection", UE UE_BFCP REQUESTED, CORE CORE_BFCP,
     UE_MOVED UE_BFCP},
    {"DTL-06/t38-fingerprint", UE UE_T38 REQUESTED, CORE CORE_T38,
     UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:actpass\n" FP2},
    {"DTL-06/t38-tls-id", UE UE_T38 TLS_ID REQUESTED, CORE CORE_T38, UE UE_T38 TLS_ID2},
    {"DTL-06/t38-moved-without-tls-id", UE UE_T38 REQUESTED, CORE CORE_T38, UE_MOVED UE_T38},
    {"DTL-06/t38-role", UE UE_T38 REQUESTED, CORE CORE_T38,
     UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:passive\n" FP},
};

static void test_changed(const void *arg)
{
    const struct Changed *c = arg;
    g_autoptr(Fixture) f = fixture_new();

    establish(f, c->offer, c->answer);
    uint64_t old = fixture_stream(f, 0)->id;
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", c->again));
    g_assert_cmpuint(f->plan->ports->len, ==, 2);
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 1);
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 0);
    const SessionSlot *slot = fixture_slot(f, 0);
    g_assert_cmpuint(slot->stream->id, ==, old);
    uint64_t new = slot->pending->id;

    g_assert_true(fixture_answer(f, SESSION_CORE, "", c->answer));
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 0);
    slot = fixture_slot(f, 0);
    g_assert_null(slot->pending);
    g_assert_cmpuint(slot->stream->id, ==, new);
    g_assert_cmpuint(slot->retiring->id, ==, old);
    g_assert_cmpuint(slot->stream->leg[SESSION_ACCESS].local.port, ==, 30002);
    g_assert_cmpuint(slot->stream->leg[SESSION_CORE].local.port, ==, 40002);

    /* DTL-07: the old one goes when the new one is up, and only then */
    g_autoptr(Session) before = session_copy(f->session);
    g_assert_false(session_stream_up(f->session, old));
    g_assert_false(session_stream_up(f->session, 99));
    g_assert_true(session_stream_up(f->session, new));
    g_assert_false(session_stream_up(f->session, new));
    g_autoptr(GArray) actions = session_diff(before, f->session);
    g_assert_cmpuint(actions->len, ==, 1);
    g_assert_cmpint(g_array_index(actions, SessionAction, 0).kind, ==, SESSION_CLOSE);
    g_assert_cmpuint(g_array_index(actions, SessionAction, 0).stream_id, ==, old);
}

/* An answer that asks for a new connection, though the offer kept it: on our ports, which are offered
 * already. */
static const struct Anew {
    const char *name;
    const char *offer, *answer; /* that made the stream */
    const char *again;          /* the core's next offer */
    const char *answers[3];     /* the UE's: one that keeps, and two that do not */
    bool both;                  /* does the other leg go along? */
} anew[] = {
    {"DTL-06/t38-fingerprint",
     UE UE_T38 REQUESTED,
     CORE CORE_T38,
     CORE CORE_T38,
     {UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\n" FP,
      UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\n" FP2,
      UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\n" FP FP2},
     false},
    {"DTL-06/t38-tls-id",
     UE UE_T38 TLS_ID REQUESTED,
     CORE CORE_T38,
     CORE CORE_T38,
     {UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\n" FP TLS_ID,
      UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\n" FP TLS_ID2,
      UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\n" FP TLS_ID},
     false},
    {"DTL-06/t38-role",
     UE UE_T38 TLS_ID REQUESTED,
     CORE CORE_T38,
     CORE CORE_T38,
     {UE_MOVED "m=image 6058 UDP/TLS/UDPTL t38\na=setup:active\n" FP TLS_ID,
      UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:passive\n" FP TLS_ID,
      UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\n" FP TLS_ID},
     false},
    {"DTL-06/t38-moved-without-tls-id",
     UE UE_T38 REQUESTED,
     CORE CORE_T38,
     CORE CORE_T38,
     {UE_HELD "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\n" FP,
      UE "m=image 6058 UDP/TLS/UDPTL t38\na=setup:active\n" FP,
      UE_MOVED "m=image 6058 UDP/TLS/UDPTL t38\na=setup:active\n" FP},
     false},
    {"COM-05/bfcp-new",
     UE UE_BFCP REQUESTED,
     CORE CORE_BFCP,
     CORE CORE_BFCP "a=connection:existing\n",
     {UE UE_BFCP "a=connection:existing\n",
      UE "m=application 9 TCP/TLS/BFCP *\na=setup:active\na=connection:new\n" FP,
      UE "m=application 9 TCP/TLS/BFCP *\na=setup:active\na=connection:new\n" FP2},
     true},
};

static unsigned generation(Fixture *f, SessionSide side)
{
    MediaSpec spec;

    session_stream_spec(fixture_stream(f, 0), &spec);
    return spec.leg[side].generation;
}

static void test_anew(const void *arg)
{
    const struct Anew *a = arg;
    g_autoptr(Fixture) f = fixture_new();

    establish(f, a->offer, a->answer);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_true(fixture_offer(f, SESSION_CORE, "", a->again));
        /* A fork's answer, or the same with another status: asked for once. */
        for (unsigned repeat = 0; repeat < 2; repeat++) {
            g_assert_true(fixture_answer(f, SESSION_ACCESS, "", a->answers[i]));
            g_assert_cmpuint(generation(f, SESSION_ACCESS), ==, i);
            g_assert_cmpuint(generation(f, SESSION_CORE), ==, a->both ? i : 0);
            if (i > 0)
                g_assert_cmpuint(fixture_count(f, SESSION_UPDATE), ==, repeat == 0);
            if (a->both)
                g_assert_true(fixture_has(f, i ? "a=connection:new" : "a=connection:existing"));
        }
        g_assert_cmpuint(fixture_stream(f, 0)->leg[SESSION_ACCESS].local.port, ==, 30000);
        g_assert_null(fixture_slot(f, 0)->retiring);
    }
}

/* BFC-05: with a new TLS connection the roles are decided anew, and now the UE has answered. */
static void test_anew_roles(void)
{
    g_autoptr(Fixture) f = fixture_new();

    f->policy.bfcp_rule = SESSION_BFCP_ANSWERER;
    establish(f, UE UE_BFCP REQUESTED, CORE CORE_BFCP);
    g_assert_cmpint(fixture_stream(f, 0)->leg[SESSION_ACCESS].tls_role, ==, MEDIA_TLS_SERVER);
    g_assert_true(fixture_offer(f, SESSION_CORE, "", CORE CORE_BFCP "a=connection:existing\n"));
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "", UE UE_BFCP "a=connection:existing\n"));
    g_assert_cmpint(fixture_stream(f, 0)->leg[SESSION_ACCESS].tls_role, ==, MEDIA_TLS_SERVER);
    g_assert_true(fixture_offer(f, SESSION_CORE, "", CORE CORE_BFCP "a=connection:existing\n"));
    g_assert_true(
        fixture_answer(f, SESSION_ACCESS, "",
                       UE "m=application 9 TCP/TLS/BFCP *\na=setup:active\na=connection:new\n" FP));
    g_assert_cmpint(fixture_stream(f, 0)->leg[SESSION_ACCESS].tls_role, ==, MEDIA_TLS_CLIENT);
}

/* TRK-13: a change that is not answered leaves the old stream in force; the next offer decides. */
static void test_refused(void)
{
    g_autoptr(Fixture) f = fixture_new();

    establish(f, UE UE_MSRP REQUESTED, CORE CORE_MSRP);
    g_autofree char *before = local_side(f, 0);
    const char *other = UE "m=message 2855 TCP/TLS/MSRP *\na=setup:actpass\n" FP2;

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", other));
    g_assert_cmpuint(fixture_stream(f, 0)->id, ==, 2);
    /* the same again: still the same new stream */
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", other));
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_cmpuint(fixture_stream(f, 0)->id, ==, 2);
    /* back to what it was: the new one is dropped */
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_MSRP));
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
    g_autofree char *after = local_side(f, 0);
    g_assert_cmpstr(after, ==, before);
}

/* A change of every kind in one go: retiring streams do not pile up. */
static void test_many_changes(void)
{
    g_autoptr(Fixture) f = fixture_new();
    unsigned alive = 1;

    establish(f, UE UE_BFCP REQUESTED, CORE CORE_BFCP);
    for (unsigned i = 0; i < 5; i++) {
        g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_BFCP "a=connection:new\n"));
        alive += fixture_count(f, SESSION_OPEN) - fixture_count(f, SESSION_CLOSE);
        g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_BFCP));
        alive += fixture_count(f, SESSION_OPEN) - fixture_count(f, SESSION_CLOSE);
        g_assert_cmpuint(alive, ==, 2);
    }
    g_assert_cmpuint(f->ids, ==, 6);
}

/* TRK-09: port 0 ends the stream with the answer; the slot stays, and can be used again. */
static void test_port_zero(void)
{
    g_autoptr(Fixture) f = fixture_new();

    establish(f, UE UE_MSRP REQUESTED "m=audio 0 RTP/AVP 0\n",
              CORE CORE_MSRP "m=audio 0 RTP/AVP 0\n");
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "",
                                UE "m=message 0 TCP/TLS/MSRP *\nm=audio 0 RTP/AVP 0\n"));
    fixture_expect(f, UE "m=message 0 TCP/MSRP *\n"
                         "m=audio 0 RTP/AVP 0\nc=IN IP4 198.51.100.10\n");
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_true(
        fixture_answer(f, SESSION_CORE, "", CORE "m=message 0 TCP/MSRP *\nm=audio 0 RTP/AVP 0\n"));
    fixture_expect(f, CORE "m=message 0 TCP/TLS/MSRP *\n"
                           "m=audio 0 RTP/AVP 0\nc=IN IP4 192.0.2.9\n");
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);

    g_assert_true(
        fixture_offer(f, SESSION_ACCESS, "", UE UE_BFCP REQUESTED "m=audio 0 RTP/AVP 0\n"));
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 1);
    g_assert_true(fixture_has(f, "m=application 40002 TCP/BFCP *"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_BFCP "m=audio 0 RTP/AVP 0\n"));
    g_assert_true(fixture_has(f, "m=application 30002 TCP/TLS/BFCP *"));
}

/* TRK-09: the core may end it as well; and an answer may. */
static void test_port_zero_by_others(void)
{
    g_autoptr(Fixture) f = fixture_new();

    establish(f, UE UE_MSRP REQUESTED, CORE CORE_MSRP);
    g_assert_true(fixture_offer(f, SESSION_CORE, "", CORE "m=message 0 TCP/MSRP *\n"));
    fixture_expect(f, CORE "m=message 0 TCP/TLS/MSRP *\n");
    /* refused, and offered again as it was: nothing has happened to the stream */
    g_assert_true(fixture_offer(f, SESSION_CORE, "", CORE CORE_MSRP_OFFER));
    g_assert_true(fixture_has(f, "m=message 30000 TCP/TLS/MSRP *"));
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "", UE "m=message 0 TCP/TLS/MSRP *\n"));
    fixture_expect(f, UE "m=message 0 TCP/MSRP *\n");
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
}

/*
 * TRK-20: the core's offer goes to the UE as a secure one, on the ports that are there. We are the
 * active side towards the core and stay it (TRK-08); should the UE want to be connected to, too, we
 * speak first (COM-10).
 */
static void test_core_re_offers(void)
{
    g_autoptr(Fixture) f = fixture_new();

    establish(f, UE UE_MSRP REQUESTED, CORE CORE_MSRP);
    g_autofree char *before = local_side(f, 0);
    g_assert_true(fixture_offer(f, SESSION_CORE, "", CORE CORE_MSRP_OFFER));
    fixture_expect(f, CORE_OUT "m=message 30000 TCP/TLS/MSRP *\nc=IN IP4 198.51.100.1\n"
                               "a=path:msrps://198.51.100.1:30000/k;tcp\na=setup:actpass\n"
                               "a=fingerprint:{gw}\na=3ge2ae:applied\n");
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "", UE UE_MSRP_ANSWER));
    fixture_expect(f, UE_OUT "m=message 9 TCP/MSRP *\nc=IN IP4 203.0.113.2\n"
                             "a=path:msrp://203.0.113.2:40000/s;tcp\na=setup:active\n");
    g_autofree char *after = local_side(f, 0);
    g_assert_cmpstr(after, ==, before);
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN) + fixture_count(f, SESSION_CLOSE), ==, 0);
}

/* TRK-20, the other way round: the UE re-offers on a call that the core began. */
static void test_ue_re_offers(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_CORE, "e2ae=terminating", CORE CORE_T38));
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "",
                                 UE "m=image 6056 UDP/TLS/UDPTL t38\na=setup:active\n" FP TLS_ID));
    g_autofree char *before = local_side(f, 0);
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_T38 TLS_ID));
    fixture_expect(f, UE_OUT "m=image 40000 udptl t38\nc=IN IP4 203.0.113.2\n");
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE CORE_T38));
    fixture_expect(f, CORE_OUT "m=image 30000 UDP/TLS/UDPTL t38\nc=IN IP4 198.51.100.1\n"
                               "a=setup:passive\na=fingerprint:{gw}\na=tls-id:{tls-id-1}\n");
    g_autofree char *after = local_side(f, 0);
    g_assert_cmpstr(after, ==, before);
}

/* The core goes elsewhere with its plain leg: only a stream that we connect to it is replaced. */
static void test_core_moves(void)
{
    g_autoptr(Fixture) f = fixture_new();

    establish(f, UE UE_MSRP REQUESTED, CORE CORE_MSRP);
    g_assert_cmpint(fixture_stream(f, 0)->leg[SESSION_CORE].setup, ==, MEDIA_SETUP_ACTIVE);
    g_assert_true(fixture_offer(
        f, SESSION_CORE, "",
        "v=0\no=x 1 2 IN IP4 192.0.2.77\ns=-\nc=IN IP4 192.0.2.77\nt=0 0\n" CORE_MSRP_OFFER));
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN), ==, 1);

    g_autoptr(Fixture) fax = fixture_new();
    establish(fax, UE UE_T38 REQUESTED, CORE CORE_T38);
    g_assert_true(fixture_offer(
        fax, SESSION_CORE, "",
        "v=0\no=x 1 2 IN IP4 192.0.2.77\ns=-\nc=IN IP4 192.0.2.77\nt=0 0\n" CORE_T38));
    g_assert_cmpuint(fixture_count(fax, SESSION_OPEN), ==, 0);
    g_assert_cmpuint(fixture_count(fax, SESSION_UPDATE), ==, 1);
}

/* TRK-12: a hold address in an answer is not where the peer is. */
static void test_hold_in_answer(void)
{
    g_autoptr(Fixture) f = fixture_new();

    establish(f, UE UE_T38 REQUESTED, CORE CORE_T38);
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE UE_T38));
    g_assert_true(fixture_answer(
        f, SESSION_CORE, "",
        "v=0\no=x 1 2 IN IP4 192.0.2.9\ns=-\nc=IN IP4 0.0.0.0\nt=0 0\n" CORE_T38 "a=inactive\n"));
    char text[ADDR_TEXT_MAX];
    g_assert_cmpstr(addr_text(&fixture_stream(f, 0)->leg[SESSION_CORE].remote, text), ==,
                    "192.0.2.9:5004");
    g_assert_cmpuint(f->actions->len, ==, 0);
}

/* TRK-21 */
static void test_leaves_tls(void)
{
    g_autoptr(Fixture) f = fixture_new();

    establish(f, UE UE_MSRP REQUESTED, CORE CORE_MSRP);
    g_assert_true(
        fixture_offer(f, SESSION_ACCESS, "", UE "m=message 2855 TCP/MSRP *\na=setup:active\n"));
    fixture_expect(f, UE "m=message 0 TCP/MSRP *\n");
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE "m=message 0 TCP/MSRP *\n"));
    fixture_expect(f, CORE "m=message 0 TCP/MSRP *\n");
    g_assert_cmpuint(fixture_count(f, SESSION_CLOSE), ==, 1);
}

/* TRK-22: the offer comes in the response and the answer in the ACK; tags are those of the dialog.
 */
static void test_offerless(void)
{
    g_autoptr(Fixture) f = fixture_new();

    /* the UE called without an offer: the core offers */
    g_assert_true(
        fixture_offer(f, SESSION_CORE, "e2ae=terminating to-tag=ue", CORE CORE_MSRP_OFFER));
    g_assert_true(fixture_has(f, "m=message 30000 TCP/TLS/MSRP *"));
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "", UE UE_MSRP_ANSWER));
    g_assert_true(fixture_has(f, "m=message 40000 TCP/MSRP *"));
    /* and later it re-invites without an offer again: no key is needed any more */
    g_assert_true(fixture_offer(f, SESSION_CORE, "", CORE CORE_MSRP_OFFER));
    g_assert_cmpuint(f->actions->len, ==, 0);
    g_assert_true(fixture_answer(f, SESSION_ACCESS, "", UE UE_MSRP_ANSWER));
    g_assert_cmpuint(f->actions->len, ==, 0);
}

/* rtpengine's numbering survives lines that come, go and change. */
static void test_numbering(void)
{
    g_autoptr(Fixture) f = fixture_new();

    establish(f, UE UE_MSRP REQUESTED "m=audio 4000 RTP/AVP 0\n",
              CORE CORE_MSRP "m=audio 6000 RTP/AVP 0\n");
    for (unsigned i = 0; i < 4; i++) {
        bool on = i % 2;
        g_autofree char *offer = g_strdup_printf(
            "%s%sm=audio 4000 RTP/AVP 0\n%sm=video %u RTP/AVP 97\n", UE,
            on ? UE_MSRP REQUESTED : "m=message 0 TCP/TLS/MSRP *\n",
            on ? "m=application 0 TCP/TLS/BFCP *\n" : UE_BFCP REQUESTED, on ? 0 : 4002);
        g_autofree char *answer =
            g_strdup_printf("%s%sm=audio 6000 RTP/AVP 0\n%sm=video %u RTP/AVP 97\n", CORE,
                            on ? CORE_MSRP : "m=message 0 TCP/MSRP *\n",
                            on ? "m=application 0 TCP/BFCP *\n" : CORE_BFCP, on ? 0 : 6002);
        g_assert_true(fixture_offer(f, SESSION_ACCESS, "", offer));
        g_autofree char *asked =
            g_strdup_printf("%sm=audio 4000 RTP/AVP 0\nm=video %u RTP/AVP 97\n", UE, on ? 0 : 4002);
        fixture_expect_upstream(f, asked);
        g_assert_true(fixture_answer(f, SESSION_CORE, "", answer));
        g_assert_cmpint(fixture_slot(f, 1)->upstream_index, ==, 0);
        g_assert_cmpint(fixture_slot(f, 3)->upstream_index, ==, 1);
        g_assert_cmpuint(f->plan->dialog->upstream_count, ==, 2);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
        g_autofree char *name = g_strconcat("/session/reoffer/kept/", kept[i].name, NULL);
        g_test_add_data_func(name, &kept[i], test_kept);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(changed); i++) {
        g_autofree char *name = g_strconcat("/session/reoffer/changed/", changed[i].name, NULL);
        g_test_add_data_func(name, &changed[i], test_changed);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(anew); i++) {
        g_autofree char *name = g_strconcat("/session/reoffer/anew/", anew[i].name, NULL);
        g_test_add_data_func(name, &anew[i], test_anew);
    }
    g_test_add_func("/session/reoffer/BFC-05/anew-roles", test_anew_roles);
    g_test_add_func("/session/reoffer/TRK-08/no-op", test_no_op);
    g_test_add_func("/session/reoffer/TRK-08/bfcp-connection", test_bfcp_connection);
    g_test_add_func("/session/reoffer/TRK-13/refused", test_refused);
    g_test_add_func("/session/reoffer/TRK-13/many-changes", test_many_changes);
    g_test_add_func("/session/reoffer/TRK-09/port-0-and-reuse", test_port_zero);
    g_test_add_func("/session/reoffer/TRK-09/port-0-by-others", test_port_zero_by_others);
    g_test_add_func("/session/reoffer/TRK-20/core-re-offers", test_core_re_offers);
    g_test_add_func("/session/reoffer/TRK-20/ue-re-offers", test_ue_re_offers);
    g_test_add_func("/session/reoffer/COM-11/core-moves", test_core_moves);
    g_test_add_func("/session/reoffer/TRK-12/hold-in-answer", test_hold_in_answer);
    g_test_add_func("/session/reoffer/TRK-21/leaves-tls", test_leaves_tls);
    g_test_add_func("/session/reoffer/TRK-22/offerless", test_offerless);
    g_test_add_func("/session/reoffer/ORG-01/numbering", test_numbering);
    return g_test_run();
}
