/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CTL-05, CTL-06: each thing that can happen to a stream is told exactly once, and the stream stays. */
#include "net/net-tcp.h"
#include "t/unit/media-udp-fixture.h"

#define SHORT_MS 100

/* One play: a stream of TCP or UDP, and what the rows below need of it. */
typedef struct Play {
    Udp u;
    Fixture *fx; /* that of .u */
    MediaSpec spec;
    Stream s;
    Addr at;      /* of .listener */
    int listener; /* a peer that we connect to; -1 = none */
    End *core;    /* UDP */
} Play;

static void open_stream(Play *p)
{
    p->s = fx_open(p->fx, 1, &p->spec);
}

static void update(Play *p)
{
    media_update(p->fx->pool, 1, &p->spec);
}

/* ---- TCP */

static void ue_comes(Play *p)
{
    open_stream(p);
    peer_join_ue(p->fx, &p->s);
}

static void core_refuses(Play *p)
{
    int fd = fx_listen(&p->spec.leg[MEDIA_CORE].remote);

    net_close(&fd);
    p->spec.leg[MEDIA_CORE].setup = MEDIA_SETUP_ACTIVE;
    open_stream(p);
    peer_to_leg(p->fx, &p->s, MEDIA_ACCESS, p->fx->ctx_ue);
}

static void ue_refuses(Play *p)
{
    int fd = fx_listen(&p->spec.leg[MEDIA_ACCESS].remote);

    net_close(&fd);
    p->spec.leg[MEDIA_ACCESS].setup = MEDIA_SETUP_ACTIVE;
    open_stream(p);
}

static void nobody_comes(Play *p)
{
    open_stream(p);
}

/* The timer of the core leg begins when the UE is there. */
static void core_stays_away(Play *p)
{
    p->spec.answered = false;
    open_stream(p);
    peer_join_ue(p->fx, &p->s);
    p->spec.answered = true;
    update(p);
}

static void ue_talks_plain(Play *p)
{
    open_stream(p);
    peer_send(peer_to_leg(p->fx, &p->s, MEDIA_ACCESS, NULL), SPAN("MSRP 1234 SEND\r\n"));
}

static void ue_leaves(Play *p)
{
    open_stream(p);
    peer_finish(peer_to_leg(p->fx, &p->s, MEDIA_ACCESS, NULL));
}

static void ue_is_silent(Play *p)
{
    open_stream(p);
    peer_to_leg(p->fx, &p->s, MEDIA_ACCESS, NULL);
}

static void stranger_comes(Play *p)
{
    open_stream(p);
    peer_to_leg(p->fx, &p->s, MEDIA_ACCESS, p->fx->ctx_stranger);
}

/* We are the active side, so nobody else will come. */
static void stranger_is_there(Play *p)
{
    p->listener = fx_listen(&p->at);
    p->spec.leg[MEDIA_ACCESS].setup = MEDIA_SETUP_ACTIVE;
    p->spec.leg[MEDIA_ACCESS].tls_role = MEDIA_TLS_CLIENT;
    p->spec.leg[MEDIA_ACCESS].remote = p->at;
    open_stream(p);
    peer_accept(p->fx, p->listener, p->fx->ctx_stranger, TLS_SERVER);
}

static void fingerprint_is_taken_back(Play *p)
{
    ue_comes(p);
    p->spec.leg[MEDIA_ACCESS].fingerprints = fx_fingerprints(p->fx->id_stranger);
    update(p);
}

static void no_certificate_12(Play *p)
{
    open_stream(p);
    peer_connect_uncertified(p->fx, media_port_addr(p->s.port[MEDIA_ACCESS]), TLS1_2_VERSION);
}

static void no_certificate_13(Play *p)
{
    open_stream(p);
    peer_connect_uncertified(p->fx, media_port_addr(p->s.port[MEDIA_ACCESS]), TLS1_3_VERSION);
}

static void no_fingerprint(Play *p)
{
    p->spec.answered = false;
    p->spec.leg[MEDIA_ACCESS].fingerprints.n = 0;
    open_stream(p);
    peer_to_leg(p->fx, &p->s, MEDIA_ACCESS, p->fx->ctx_ue);
}

static void ue_leaves_quarantine(Play *p)
{
    p->spec.answered = false;
    p->spec.leg[MEDIA_ACCESS].fingerprints.n = 0;
    open_stream(p);
    Peer *ue = peer_to_leg(p->fx, &p->s, MEDIA_ACCESS, p->fx->ctx_ue);
    FX_UNTIL(p->fx, fx_state(p->fx, 1, MEDIA_ACCESS) == MEDIA_LEG_QUARANTINE);
    peer_free(p->fx, ue, true);
}

static void both(Play *p, Peer **ret_ue, Peer **ret_core)
{
    open_stream(p);
    *ret_core = peer_join_core(p->fx, &p->s);
    *ret_ue = peer_join_ue(p->fx, &p->s);
}

static void both_finish(Play *p)
{
    Peer *ue, *core;

    both(p, &ue, &core);
    peer_finish(ue);
    FX_UNTIL(p->fx, core->fin);
    peer_finish(core);
}

static void core_resets(Play *p)
{
    Peer *ue, *core;

    both(p, &ue, &core);
    peer_free(p->fx, core, true);
}

static void ue_is_cut_off(Play *p)
{
    Peer *ue, *core;

    both(p, &ue, &core);
    peer_free(p->fx, ue, false); /* FIN without close_notify */
}

/* One side ends, the other never does. */
static void core_does_not_follow(Play *p)
{
    Peer *ue, *core;

    both(p, &ue, &core);
    peer_finish(ue);
}

/* Before the other leg is there. */
static void core_alone_resets(Play *p)
{
    open_stream(p);
    peer_free(p->fx, peer_join_core(p->fx, &p->s), true);
}

static void security_changes(Play *p)
{
    ue_comes(p);
    p->spec.leg[MEDIA_ACCESS].security = MEDIA_PLAIN;
    update(p);
}

static void both_are_silent(Play *p)
{
    Peer *ue, *core;

    both(p, &ue, &core);
}

/* ---- UDP */

static void udp_ue_comes(Play *p)
{
    open_stream(p);
    End *ue = end_new_ue(&p->u, &p->s, p->fx->ctx_ue);
    FX_UNTIL(p->fx, end_is_open(ue) && fx_state(p->fx, 1, MEDIA_ACCESS) == MEDIA_LEG_OPEN);
}

static void udp_stranger_comes(Play *p)
{
    open_stream(p);
    end_new_ue(&p->u, &p->s, p->fx->ctx_stranger);
}

static End *we_begin(Play *p)
{
    End *ue = end_new(&p->u, "127.0.0.1");

    p->spec.leg[MEDIA_ACCESS].tls_role = MEDIA_TLS_CLIENT;
    p->spec.leg[MEDIA_ACCESS].remote = ue->at;
    return ue;
}

static void udp_nobody_answers(Play *p)
{
    we_begin(p)->deaf = 1000;
    open_stream(p);
}

static void udp_stranger_is_there(Play *p)
{
    End *ue = we_begin(p);

    p->spec.answered = false;
    open_stream(p);
    end_start_dtls(&p->u, ue, p->fx->ctx_stranger, TLS_SERVER,
                   media_port_addr(p->s.port[MEDIA_ACCESS]));
    p->spec.answered = true;
    update(p);
}

static void udp_no_fingerprint(Play *p)
{
    p->spec.answered = false;
    p->spec.leg[MEDIA_ACCESS].fingerprints.n = 0;
    open_stream(p);
    end_new_ue(&p->u, &p->s, p->fx->ctx_ue);
}

static void udp_fingerprint_is_taken_back(Play *p)
{
    udp_ue_comes(p);
    p->spec.leg[MEDIA_ACCESS].fingerprints = fx_fingerprints(p->fx->id_stranger);
    update(p);
}

static void udp_ue_closes(Play *p)
{
    udp_ue_comes(p);
    end_close(&p->u.end[1]);
}

/* TLS on the core leg too: it is the stream that is silent, not a leg. */
static void udp_both_are_silent(Play *p)
{
    p->spec.leg[MEDIA_CORE] = p->spec.leg[MEDIA_ACCESS];
    open_stream(p);
    for (unsigned side = 0; side < 2; side++)
        end_start_dtls(&p->u, end_new(&p->u, "127.0.0.1"), p->fx->ctx_ue, TLS_CLIENT,
                       media_port_addr(p->s.port[side]));
    FX_UNTIL(p->fx, fx_count(p->fx, 1, MEDIA_EVENT_TLS_ESTABLISHED, NULL) == 2);
}

/* ---- the table */

#define ESTABLISHED MEDIA_EVENT_TLS_ESTABLISHED
#define CONNECT     MEDIA_EVENT_TCP_CONNECT_FAILED
#define ACCEPT      MEDIA_EVENT_ACCEPT_TIMEOUT
#define HANDSHAKE   MEDIA_EVENT_TLS_HANDSHAKE_FAILED
#define MISMATCH    MEDIA_EVENT_FINGERPRINT_MISMATCH
#define UNCERTIFIED MEDIA_EVENT_NO_CLIENT_CERTIFICATE
#define UNKNOWN     MEDIA_EVENT_FINGERPRINT_UNKNOWN_TIMEOUT
#define RELEASED    MEDIA_EVENT_BEARER_RELEASED
#define SILENT      MEDIA_EVENT_MEDIA_TIMEOUT

typedef struct Row {
    const char *name;
    void (*play)(Play *p);
    MediaEventKind kind; /* what is told, once */
    MediaLegSide leg;
    bool final;
    unsigned established; /* tls-established events before it */
    size_t timer;         /* offset in MediaLimits of the time that is short in this row */
} Row;

#define TIMER(name) offsetof(MediaLimits, name)
#define NO_TIMER    G_MAXSIZE

static const Row tcp_rows[] = {
    {"ue-comes", ue_comes, ESTABLISHED, MEDIA_ACCESS, false, 0, NO_TIMER},
    {"core-refuses", core_refuses, CONNECT, MEDIA_CORE, false, 1, NO_TIMER},
    {"ue-refuses", ue_refuses, CONNECT, MEDIA_ACCESS, true, 0, NO_TIMER},
    {"nobody-comes", nobody_comes, ACCEPT, MEDIA_ACCESS, false, 0, TIMER(accept_ms)},
    {"core-stays-away", core_stays_away, ACCEPT, MEDIA_CORE, false, 1, TIMER(accept_ms)},
    {"ue-talks-plain", ue_talks_plain, HANDSHAKE, MEDIA_ACCESS, false, 0, NO_TIMER},
    {"ue-leaves", ue_leaves, HANDSHAKE, MEDIA_ACCESS, false, 0, NO_TIMER},
    {"ue-is-silent", ue_is_silent, HANDSHAKE, MEDIA_ACCESS, false, 0, TIMER(handshake_ms)},
    {"ue-leaves-quarantine", ue_leaves_quarantine, HANDSHAKE, MEDIA_ACCESS, false, 0, NO_TIMER},
    {"stranger-comes", stranger_comes, MISMATCH, MEDIA_ACCESS, false, 0, NO_TIMER},
    {"stranger-is-there", stranger_is_there, MISMATCH, MEDIA_ACCESS, true, 0, NO_TIMER},
    {"fingerprint-is-taken-back", fingerprint_is_taken_back, MISMATCH, MEDIA_ACCESS, false, 1,
     NO_TIMER},
    {"no-certificate-1.2", no_certificate_12, UNCERTIFIED, MEDIA_ACCESS, false, 0, NO_TIMER},
    {"no-certificate-1.3", no_certificate_13, UNCERTIFIED, MEDIA_ACCESS, false, 0, NO_TIMER},
    {"no-fingerprint", no_fingerprint, UNKNOWN, MEDIA_ACCESS, false, 0,
     TIMER(fingerprint_unknown_ms)},
    {"both-finish", both_finish, RELEASED, MEDIA_ACCESS, false, 1, NO_TIMER},
    {"core-resets", core_resets, RELEASED, MEDIA_CORE, false, 1, NO_TIMER},
    {"ue-is-cut-off", ue_is_cut_off, RELEASED, MEDIA_ACCESS, false, 1, NO_TIMER},
    {"core-does-not-follow", core_does_not_follow, RELEASED, MEDIA_ACCESS, false, 1,
     TIMER(drain_ms)},
    {"core-alone-resets", core_alone_resets, RELEASED, MEDIA_CORE, false, 0, NO_TIMER},
    {"security-changes", security_changes, RELEASED, MEDIA_ACCESS, false, 1, NO_TIMER},
    {"both-are-silent", both_are_silent, SILENT, MEDIA_ACCESS, false, 1, TIMER(idle_ms)},
};

static const Row udp_rows[] = {
    {"ue-comes", udp_ue_comes, ESTABLISHED, MEDIA_ACCESS, false, 0, NO_TIMER},
    {"nobody-comes", nobody_comes, ACCEPT, MEDIA_ACCESS, false, 0, TIMER(accept_ms)},
    {"nobody-answers", udp_nobody_answers, HANDSHAKE, MEDIA_ACCESS, true, 0, TIMER(handshake_ms)},
    {"stranger-comes", udp_stranger_comes, MISMATCH, MEDIA_ACCESS, false, 0, NO_TIMER},
    {"stranger-is-there", udp_stranger_is_there, MISMATCH, MEDIA_ACCESS, true, 0, NO_TIMER},
    {"fingerprint-is-taken-back", udp_fingerprint_is_taken_back, MISMATCH, MEDIA_ACCESS, false, 1,
     NO_TIMER},
    {"no-fingerprint", udp_no_fingerprint, UNKNOWN, MEDIA_ACCESS, false, 0,
     TIMER(fingerprint_unknown_ms)},
    {"ue-closes", udp_ue_closes, RELEASED, MEDIA_ACCESS, false, 1, NO_TIMER},
    {"ue-is-silent", udp_ue_comes, SILENT, MEDIA_ACCESS, false, 1, TIMER(idle_ms)},
    {"both-are-silent", udp_both_are_silent, SILENT, MEDIA_ACCESS, false, 2, TIMER(idle_ms)},
};

static MediaLimits limits_of(const Row *row)
{
    MediaLimits limits = media_limits_default();

    if (row->timer != NO_TIMER)
        *(unsigned *)((char *)&limits + row->timer) = SHORT_MS;
    return limits;
}

static void run(const Row *row, MediaTransport transport)
{
    Play p = {.listener = -1};
    MediaLimits limits = limits_of(row);
    MediaEvent event;

    udp_init(&p.u, &limits);
    p.fx = &p.u.fx;
    p.spec = fx_tls_spec(p.fx);
    if (transport == MEDIA_UDP) {
        p.core = end_new(&p.u, "127.0.0.1");
        p.spec = udp_spec(&p.u, p.core);
    }
    row->play(&p);
    FX_UNTIL(p.fx, fx_count(p.fx, 1, row->kind, &event) == 1);
    g_assert_cmpint(event.leg, ==, row->leg);
    g_assert_cmpint(event.final, ==, row->final);
    g_assert_cmpuint(strlen(event.reason), >, 0);
    /* CTL-06: it is there until it is closed, with its ports. */
    fx_stats(p.fx, 1);
    g_assert_cmpuint(media_ports_used(p.fx->ports, NULL), ==, 2);
    /* Nothing more comes, not even when it ends. */
    fx_close(p.fx, &p.s);
    g_assert_cmpuint(fx_count(p.fx, 1, ESTABLISHED, NULL), ==,
                     row->established + (row->kind == ESTABLISHED));
    g_assert_cmpuint(fx_count_all(p.fx, 1), ==, row->established + 1);
    net_close(&p.listener);
    udp_clear(&p.u);
}

static void test_tcp(gconstpointer row)
{
    run(row, MEDIA_TCP);
}

static void test_udp(gconstpointer row)
{
    run(row, MEDIA_UDP);
}

/* No kind is without its row; a connection is what UDP does not have, and what needs one. */
static void test_every_kind(void)
{
    for (int kind = 0; kind < MEDIA_EVENT_CLOSED; kind++) {
        unsigned tcp = 0, udp = 0;
        for (size_t i = 0; i < G_N_ELEMENTS(tcp_rows); i++)
            tcp += tcp_rows[i].kind == (MediaEventKind)kind;
        for (size_t i = 0; i < G_N_ELEMENTS(udp_rows); i++)
            udp += udp_rows[i].kind == (MediaEventKind)kind;
        g_test_message("%s", media_event_name((MediaEventKind)kind));
        g_assert_cmpuint(tcp, >, 0);
        g_assert_true(udp > 0 || kind == CONNECT || kind == UNCERTIFIED);
    }
}

/* A stream that strangers have failed has been told of: the accept timeout adds nothing to it. */
static void test_final_is_last(gconstpointer data)
{
    MediaTransport transport = (MediaTransport)GPOINTER_TO_INT(data);
    Play p = {.listener = -1};
    MediaLimits limits = media_limits_default();
    MediaEvent event;

    limits.max_failures = 1;
    limits.accept_ms = 2000;
    udp_init(&p.u, &limits);
    p.fx = &p.u.fx;
    p.spec = fx_tls_spec(p.fx);
    if (transport == MEDIA_UDP)
        p.spec = udp_spec(&p.u, end_new(&p.u, "127.0.0.1"));
    if (transport == MEDIA_UDP)
        udp_stranger_comes(&p);
    else
        stranger_comes(&p);
    FX_UNTIL(p.fx, fx_count(p.fx, 1, MISMATCH, &event) == 1);
    g_assert_true(event.final);
    /* A stream whose time begins later shows that the time of the first is over. */
    Stream later = fx_open(p.fx, 2, &p.spec);
    FX_UNTIL(p.fx, fx_count(p.fx, 2, ACCEPT, NULL) == 1);
    fx_close(p.fx, &later);
    fx_close(p.fx, &p.s);
    g_assert_cmpuint(fx_count_all(p.fx, 1), ==, 1);
    udp_clear(&p.u);
}

static void add(const char *transport, const Row *row, void (*test)(gconstpointer))
{
    g_autofree char *path =
        g_strdup_printf("/media/events/CTL-05/CTL-06/%s/%s", transport, row->name);

    g_test_add_data_func(path, row, test);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tcp_rows); i++)
        add("tcp", &tcp_rows[i], test_tcp);
    for (size_t i = 0; i < G_N_ELEMENTS(udp_rows); i++)
        add("udp", &udp_rows[i], test_udp);
    g_test_add_func("/media/events/CTL-05/every-kind", test_every_kind);
    g_test_add_data_func("/media/events/CTL-05/final-is-last-tcp", GINT_TO_POINTER(MEDIA_TCP),
                         test_final_is_last);
    g_test_add_data_func("/media/events/CTL-05/final-is-last-udp", GINT_TO_POINTER(MEDIA_UDP),
                         test_final_is_last);
    return g_test_run();
}
