/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What offers and answers signal while certificates come and go (FPR-09). */
#include "calls-fixture.h"

static NgValue *offer(const char *call_id, const char *sdp)
{
    return calls_dict("offer", call_id, "from-tag", "ue", "e2ae", "originating", "sdp", sdp, NULL);
}

/* What we signal for m-line @index, from 1. */
static char *signalled(const NgValue *reply, unsigned index)
{
    const NgValue *streams = ng_dict_get(ng_dict_get(reply, SPAN("e2ae")), SPAN("streams"));
    const NgValue *leg = ng_dict_get(ng_list_get(streams, index - 1), SPAN("access"));

    return span_dup(ng_dict_get_str(leg, SPAN("local-fingerprint")));
}

static char *signalled_for(Calls *f, const char *call_id)
{
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("e2ae query", call_id, NULL));

    return signalled(reply, 1);
}

static char *current(const Calls *f)
{
    FingerprintSet set;
    char text[FP_TEXT_MAX];

    tls_identities_signal(f->identities, &set);
    return g_strdup(fp_text(&set.fp[0], text));
}

static void delete_call(Calls *f, const char *call_id)
{
    g_autoptr(NgValue) reply = calls_ask(f, calls_dict("delete", call_id, "from-tag", "ue", NULL));

    calls_assert_str(reply, "result", "ok");
}

/* A stream keeps what was signalled for it, a new one takes what is current. */
static void test_new_offers(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(false, 1);
    g_autofree char *two = calls_ue_sdp(false, 2);
    g_autofree char *old = current(f);

    (void)data;
    calls_set_up_call(f, "a", false);
    calls_rotate_certificate(f);
    g_autofree char *new = current(f);
    g_assert_cmpstr(old, !=, new);
    g_autoptr(NgValue) again = calls_ask(
        f, calls_dict("offer", "a", "from-tag", "ue", "to-tag", "core", "sdp", sdp, NULL));
    g_autofree char *repeated = signalled(again, 1);
    g_assert_cmpstr(repeated, ==, old);
    g_autoptr(NgValue) more = calls_ask(
        f, calls_dict("offer", "a", "from-tag", "ue", "to-tag", "core", "sdp", two, NULL));
    g_autofree char *first = signalled(more, 1);
    g_autofree char *second = signalled(more, 2);
    g_assert_cmpstr(first, ==, old);
    g_assert_cmpstr(second, ==, new);
    calls_set_up_call(f, "b", false);
    g_autofree char *other = signalled_for(f, "b");
    g_assert_cmpstr(other, ==, new);
    g_assert_cmpuint(tls_identities_n(f->identities), ==, 2);
    delete_call(f, "a");
    RUN_UNTIL(&f->loop, tls_identities_n(f->identities) == 1);
    g_assert_cmpuint(control_calls_ports_used(f->calls), >=, 2);
}

/* A request that has begun ends with the certificate that it began with. */
static void test_while_rtpengine_is_asked(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(true, 1);
    g_autofree char *old = current(f);

    (void)data;
    f->upstream = UPSTREAM_HOLDS;
    unsigned sent = calls_send(f, offer("a", sdp));
    calls_asked(f, 1);
    calls_rotate_certificate(f);
    calls_rotate_certificate(f);
    calls_release(f, 0);
    g_autoptr(NgValue) reply = calls_reply(f, sent);
    calls_assert_str(reply, "result", "ok");
    g_autofree char *got = signalled(reply, 2);
    g_assert_cmpstr(got, ==, old);
    g_assert_cmpuint(tls_identities_n(f->identities), ==, 2);
}

/* Nothing is held for a request that failed. */
static void test_failed(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(true, 1);

    (void)data;
    f->upstream = UPSTREAM_GARBAGE;
    g_autoptr(NgValue) reply = calls_ask(f, offer("a", sdp));
    calls_assert_str(reply, "result", "error");
    g_autoptr(NgValue) nonsense = calls_ask(f, offer("b", "m=message x TCP/TLS/MSRP *\r\n"));
    calls_assert_str(nonsense, "result", "error");
    calls_rotate_certificate(f);
    g_assert_cmpuint(tls_identities_n(f->identities), ==, 1);
}

/* Before there is a certificate an offer is sent on, at once and whole, and the others are as ever. */
static void test_none(Calls *f, const void *data)
{
    g_autofree char *sdp = calls_ue_sdp(true, 1);

    (void)data;
    NgValue *request = offer("a", sdp);
    ng_list_add_str(ng_dict_add_list(request, "supports"), "load limit");
    g_autoptr(NgValue) reply = calls_ask(f, request);
    calls_assert_str(reply, "result", "load limit");
    calls_assert_str(reply, "message",
                     "the certificate that the nodes share has not been loaded from Redis");
    g_autoptr(NgValue) plain = calls_ask(f, offer("a", sdp));
    calls_assert_str(plain, "result", "error");
    g_assert_cmpuint(f->asked->len, ==, 0);
    g_assert_cmpuint(control_calls_count(f->calls), ==, 0);
    g_autoptr(NgValue) passed =
        calls_ask(f, calls_dict("offer", "x", "from-tag", "ue", "sdp", sdp, NULL));
    calls_assert_str(passed, "result", "ok");
    calls_rotate_certificate(f);
    calls_set_up_call(f, "a", true);
}

#define ADD(name, options, fn)                                                                     \
    g_test_add("/control/identity/" name, Calls, options, calls_set_up, fn, calls_tear_down)

int main(int argc, char **argv)
{
    static const CallsOptions none = {.no_certificate = true};

    g_test_init(&argc, &argv, NULL);
    test_log_start();
    ADD("FPR-09/new-offers", NULL, test_new_offers);
    ADD("FPR-09/while-rtpengine-is-asked", NULL, test_while_rtpengine_is_asked);
    ADD("failed", NULL, test_failed);
    ADD("none", &none, test_none);
    return g_test_run();
}
