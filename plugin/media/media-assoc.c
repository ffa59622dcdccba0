/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-media-udp.c. */
#include "config.h"

#include "media/media-udp.h"

/* First byte of a record (RFC 6347 section 4.1), and what stands behind a handshake record's
 * header. */
#define CONTENT_HANDSHAKE        22
#define CONTENT_APPLICATION_DATA 23
#define HANDSHAKE_TYPE_AT        13
#define HELLO_VERIFY_REQUEST     3
/* The engine's deadlines are approximate; this keeps a late one from spinning. */
#define TIMER_STEP_MS 5

static int64_t now_us(const MediaUdpLeg *leg)
{
    return media_stream_now(&leg->udp->stream) * 1000;
}

static const MediaLimits *limits_of(const MediaUdpLeg *leg)
{
    return &leg->udp->stream.worker->limits;
}

static void count_refused(MediaUdpLeg *leg)
{
    media_shared_add(&leg->udp->stream.shared->refused, 1);
}

static void emit(void *arg, Span datagram)
{
    MediaAssoc *assoc = arg;
    const uint8_t *p = (const uint8_t *)datagram.p;

    /* A server that goes beyond asking for the cookie has got it back (TLS-14). */
    assoc->proven |= datagram.len > HANDSHAKE_TYPE_AT && p[0] == CONTENT_HANDSHAKE &&
                     p[HANDSHAKE_TYPE_AT] != HELLO_VERIFY_REQUEST;
    media_udp_emit(assoc->leg, &assoc->peer, datagram);
}

/* The engine delivers only what a verified peer sent (ASC-07). */
static void deliver(void *arg, Span datagram)
{
    MediaAssoc *assoc = arg;

    assoc->heard = true;
    assoc->leg->delivered = true;
    media_udp_forward(assoc->leg, datagram);
}

static DtlsSink sink_of(MediaAssoc *assoc)
{
    return (DtlsSink){emit, deliver, assoc};
}

static MediaAssoc *new_assoc(MediaUdpLeg *leg, const Addr *peer, bool client)
{
    MediaAssoc *assoc = g_new0(MediaAssoc, 1);
    const MediaLeg *spec = media_udp_leg_spec(leg);
    TlsCtx *ctx = leg->udp->stream.ctx;

    assoc->leg = leg;
    assoc->peer = *peer;
    assoc->client = client;
    assoc->deadline = media_stream_now(&leg->udp->stream) + limits_of(leg)->handshake_ms;
    assoc->dtls = dtls_stream_new(ctx, client ? TLS_CLIENT : TLS_SERVER, &spec->fingerprints,
                                  spec->allow_sha1, (Span){(const char *)peer, sizeof *peer}, 0);
    leg->candidate[leg->n_candidates++] = assoc;
    return assoc;
}

static void free_assoc(MediaAssoc *assoc)
{
    dtls_stream_free(assoc->dtls);
    g_free(assoc);
}

static void close_assoc(MediaAssoc *assoc)
{
    DtlsSink sink = sink_of(assoc);

    dtls_stream_close(assoc->dtls, &sink);
    free_assoc(assoc);
}

static void remove_candidate(MediaUdpLeg *leg, const MediaAssoc *assoc)
{
    for (unsigned i = 0; i < leg->n_candidates; i++) {
        if (leg->candidate[i] == assoc) {
            leg->n_candidates--;
            memmove(leg->candidate + i, leg->candidate + i + 1,
                    (leg->n_candidates - i) * sizeof leg->candidate[0]);
            return;
        }
    }
}

static void publish_tls(MediaUdpLeg *leg)
{
    MediaStream *stream = &leg->udp->stream;
    const MediaLeg *spec = media_udp_leg_spec(leg);
    DtlsStream *dtls = leg->live->dtls;
    char text[64];
    Fingerprint peer = {0};

    g_snprintf(text, sizeof text, "%s %s", dtls_stream_version(dtls), dtls_stream_cipher(dtls));
    dtls_stream_peer_fingerprint(dtls, fp_set_choose(&spec->fingerprints, spec->allow_sha1), &peer);
    media_shared_set_tls(stream->shared, leg->side, text, &peer);
    media_stream_event(stream, MEDIA_EVENT_TLS_ESTABLISHED, leg->side, &leg->live->peer, false,
                       "%s", text);
}

/* A verified association takes the place of an older one: it is the same peer, who proved it
 * (TLS-15). */
static void open_leg(MediaUdpLeg *leg, MediaAssoc *assoc)
{
    MediaAssoc *old = leg->live;

    remove_candidate(leg, assoc);
    while (leg->n_candidates > 0) {
        count_refused(leg);
        free_assoc(leg->candidate[--leg->n_candidates]);
    }
    leg->live = assoc;
    leg->renewing = false;
    assoc->deadline = -1;
    if (old && addr_eq(&old->peer, &assoc->peer))
        free_assoc(old); /* its close_notify would only confuse the new one */
    else if (old)
        close_assoc(old);
    leg->failures = 0;
    leg->unproven = 0;
    leg->failed = false;
    leg->accept_at = -1;
    leg->udp->active_at = media_stream_now(&leg->udp->stream);
    publish_tls(leg);
    media_udp_release_held(leg);
}

/* The successor has failed for good, and what was verified for other signalling ends, too. */
static void end_replaced(MediaUdpLeg *leg)
{
    if (leg->renewing)
        media_assoc_end(leg);
}

/*
 * As for TCP: a stranger costs his own association, and after max_failures we fall silent but not
 * deaf (TRK-06). An address that may be forged is told of as often at most, and never counts:
 * nobody shall fail a stream from afar.
 */
static void candidate_failed(MediaUdpLeg *leg, MediaAssoc *assoc, MediaEventKind kind,
                             const char *reason)
{
    MediaStream *stream = &leg->udp->stream;
    unsigned max = limits_of(leg)->max_failures;
    unsigned *count = assoc->proven ? &leg->failures : &leg->unproven;

    remove_candidate(leg, assoc);
    if (assoc->client) {
        leg->failed = true;
    } else {
        count_refused(leg);
        if (*count >= max)
            return;
        *count += 1;
        leg->failed |= leg->failures == max;
    }
    if (leg->failed)
        leg->accept_at = -1; /* the event below says as much */
    media_stream_event(stream, kind, leg->side, &assoc->peer, leg->failed, "%s", reason);
    if (leg->failed)
        end_replaced(leg);
}

void media_assoc_end(MediaUdpLeg *leg)
{
    MediaAssoc *assoc = leg->live;

    if (!assoc)
        return;
    leg->live = NULL;
    leg->renewing = false;
    media_shared_set_tls(leg->udp->stream.shared, leg->side, NULL, NULL);
    close_assoc(assoc);
}

void media_assoc_release(MediaUdpLeg *leg, MediaEventKind kind, const char *reason)
{
    const MediaAssoc *assoc = leg->live;
    bool final = assoc->client && leg->attempted;

    media_stream_event(&leg->udp->stream, kind, leg->side, &assoc->peer, final, "%s", reason);
    media_assoc_end(leg);
}

static void live_stepped(MediaUdpLeg *leg)
{
    MediaAssoc *assoc = leg->live;
    const TlsFailure *failure;

    if (leg->renewing && (assoc->state == TLS_STATE_EOF || assoc->state == TLS_STATE_FAILED)) {
        media_assoc_end(leg); /* nothing to tell: its successor is on the way */
        return;
    }
    switch (assoc->state) {
    case TLS_STATE_EOF:
        media_assoc_release(leg, MEDIA_EVENT_BEARER_RELEASED, "closed by the peer");
        break;
    case TLS_STATE_FAILED:
        failure = dtls_stream_failure(assoc->dtls);
        media_assoc_release(leg, media_stream_tls_event(failure, true, assoc->heard),
                            failure->text);
        break;
    default:
        break;
    }
}

/* Whatever was done to the engine: what follows from its state. @assoc may be gone afterwards. */
static void stepped(MediaUdpLeg *leg, MediaAssoc *assoc)
{
    TlsState before = assoc->state;

    assoc->state = dtls_stream_state(assoc->dtls);
    if (assoc == leg->live) {
        live_stepped(leg);
        return;
    }
    switch (assoc->state) {
    case TLS_STATE_HANDSHAKE:
        break;
    case TLS_STATE_QUARANTINE:
        if (before != TLS_STATE_QUARANTINE)
            assoc->deadline =
                media_stream_now(&leg->udp->stream) + limits_of(leg)->fingerprint_unknown_ms;
        break;
    case TLS_STATE_OPEN:
        open_leg(leg, assoc);
        break;
    case TLS_STATE_EOF:
        open_leg(leg, assoc);
        live_stepped(leg);
        break;
    case TLS_STATE_FAILED: {
        const TlsFailure *failure = dtls_stream_failure(assoc->dtls);
        candidate_failed(leg, assoc, media_stream_tls_event(failure, false, false), failure->text);
        free_assoc(assoc);
        break;
    }
    }
}

static void feed(MediaUdpLeg *leg, MediaAssoc *assoc, Span datagram)
{
    DtlsSink sink = sink_of(assoc);
    uint64_t ignored = dtls_stream_ignored(assoc->dtls);

    leg->delivered = false;
    dtls_stream_feed(assoc->dtls, datagram, now_us(leg), &sink);
    media_udp_count_dropped(leg, dtls_stream_ignored(assoc->dtls) - ignored);
    stepped(leg, assoc);
}

/*
 * A full house: somebody whose address was signalled goes before somebody whose was not, and
 * anybody before an address that may be forged.
 */
static bool make_room(MediaUdpLeg *leg, const Addr *peer)
{
    const Addr *signalled = &media_udp_leg_spec(leg)->remote;
    bool preferred = addr_ip_eq(peer, signalled);

    if (leg->n_candidates < limits_of(leg)->max_handshakes)
        return true;
    for (unsigned i = 0; i < leg->n_candidates; i++) {
        MediaAssoc *assoc = leg->candidate[i];
        if (!assoc->proven || (preferred && !addr_ip_eq(&assoc->peer, signalled))) {
            remove_candidate(leg, assoc);
            count_refused(leg);
            free_assoc(assoc);
            return true;
        }
    }
    return false;
}

static void receive_hello(MediaUdpLeg *leg, const Addr *peer, Span datagram)
{
    if (media_udp_leg_is_client(leg) || !make_room(leg, peer)) {
        count_refused(leg);
        return;
    }
    feed(leg, new_assoc(leg, peer, false), datagram);
}

static MediaAssoc *candidate_of(const MediaUdpLeg *leg, const Addr *peer)
{
    for (unsigned i = 0; i < leg->n_candidates; i++) {
        if (addr_eq(&leg->candidate[i]->peer, peer))
            return leg->candidate[i];
    }
    return NULL;
}

/* The live peer behind a NAT that moved it: believed only if the datagram authenticates (DTL-17,
 * DTL-13). */
static void receive_elsewhere(MediaUdpLeg *leg, const Addr *peer, Span datagram)
{
    MediaAssoc *live = leg->live;

    if (!live || (uint8_t)datagram.p[0] != CONTENT_APPLICATION_DATA) {
        media_udp_count_dropped(leg, 1);
        return;
    }
    feed(leg, live, datagram);
    if (leg->delivered && leg->live == live)
        live->peer = *peer;
}

void media_assoc_receive(MediaUdpLeg *leg, const Addr *peer, Span datagram)
{
    MediaAssoc *candidate = candidate_of(leg, peer);
    bool of_live = leg->live && addr_eq(&leg->live->peer, peer);
    bool data = (uint8_t)datagram.p[0] == CONTENT_APPLICATION_DATA;

    if (of_live && (data || !candidate) && !dtls_is_client_hello(datagram)) {
        feed(leg, leg->live, datagram);
        /* With two associations on one address only the keys tell whose data it is. */
        if (leg->delivered || !candidate)
            return;
    }
    if (candidate) {
        feed(leg, candidate, datagram);
    } else if (dtls_is_client_hello(datagram)) {
        receive_hello(leg, peer, datagram);
    } else {
        receive_elsewhere(leg, peer, datagram);
    }
}

void media_assoc_connect(MediaUdpLeg *leg)
{
    const MediaUdpLeg *access = &leg->udp->leg[MEDIA_ACCESS];
    const MediaLeg *spec = media_udp_leg_spec(leg);

    if (!media_udp_leg_is_secure(leg) || !media_udp_leg_is_client(leg) ||
        !leg->udp->stream.spec.answered || leg->attempted || (leg->live && !leg->renewing) ||
        leg->n_candidates > 0 || !media_is_place(&spec->remote) ||
        media_worker_held(leg->udp->stream.worker))
        return;
    if (leg != access && media_udp_leg_is_secure(access) && !access->live)
        return;
    leg->attempted = true;
    feed(leg, new_assoc(leg, &spec->remote, true), (Span){NULL, 0});
}

bool media_assoc_send(MediaUdpLeg *leg, Span packet)
{
    DtlsSink sink = sink_of(leg->live);

    return dtls_stream_write(leg->live->dtls, packet, &sink);
}

/* Calls @each on the live association and on every candidate; it may end any of them. */
static void for_all(MediaUdpLeg *leg, void (*each)(MediaUdpLeg *leg, MediaAssoc *assoc))
{
    MediaAssoc *copy[MEDIA_HANDSHAKES_MAX];
    unsigned n = leg->n_candidates;

    if (leg->live)
        each(leg, leg->live);
    memcpy(copy, leg->candidate, sizeof copy);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned j = 0; j < leg->n_candidates; j++) {
            if (leg->candidate[j] == copy[i]) {
                each(leg, copy[i]);
                break;
            }
        }
    }
}

static void revise_one(MediaUdpLeg *leg, MediaAssoc *assoc)
{
    const MediaLeg *spec = media_udp_leg_spec(leg);
    DtlsSink sink = sink_of(assoc);

    if (assoc != leg->live && assoc->client != media_udp_leg_is_client(leg)) {
        remove_candidate(leg, assoc);
        free_assoc(assoc);
        return;
    }
    if (assoc == leg->live && leg->renewing)
        return; /* the new fingerprints are its successor's */
    dtls_stream_set_fingerprints(assoc->dtls, &spec->fingerprints, spec->allow_sha1, &sink);
    stepped(leg, assoc);
}

void media_assoc_revise(MediaUdpLeg *leg)
{
    for_all(leg, revise_one);
}

static void expire(MediaUdpLeg *leg, MediaAssoc *assoc)
{
    bool repeated = leg->live && addr_eq(&leg->live->peer, &assoc->peer);

    /* A forged ClientHello, or one that the network delivered twice, is no handshake that failed.
     */
    if (!assoc->client && (!assoc->proven || repeated)) {
        remove_candidate(leg, assoc);
        count_refused(leg);
        free_assoc(assoc);
        return;
    }
    if (assoc->state == TLS_STATE_QUARANTINE)
        candidate_failed(leg, assoc, MEDIA_EVENT_FINGERPRINT_UNKNOWN_TIMEOUT,
                         "no fingerprint was signalled in time");
    else
        candidate_failed(leg, assoc, MEDIA_EVENT_TLS_HANDSHAKE_FAILED,
                         "handshake not done in time");
    close_assoc(assoc);
}

static void tick_one(MediaUdpLeg *leg, MediaAssoc *assoc)
{
    DtlsSink sink = sink_of(assoc);

    if (media_is_due(assoc->deadline, media_stream_now(&leg->udp->stream))) {
        expire(leg, assoc);
    } else if (media_is_due(dtls_stream_deadline(assoc->dtls), now_us(leg))) {
        dtls_stream_timeout(assoc->dtls, now_us(leg), &sink);
        stepped(leg, assoc);
    }
}

void media_assoc_tick(MediaUdpLeg *leg, int64_t now)
{
    for_all(leg, tick_one);
    if (media_is_due(leg->accept_at, now)) {
        leg->accept_at = -1;
        media_stream_event(&leg->udp->stream, MEDIA_EVENT_ACCEPT_TIMEOUT, leg->side, NULL, false,
                           "no association within %u ms", limits_of(leg)->accept_ms);
        end_replaced(leg);
    }
}

static int64_t deadline_of(const MediaUdpLeg *leg, const MediaAssoc *assoc)
{
    int64_t retransmit = dtls_stream_deadline(assoc->dtls);

    if (retransmit >= 0)
        retransmit =
            MAX(retransmit / 1000 + 1, media_stream_now(&leg->udp->stream) + TIMER_STEP_MS);
    return media_sooner(assoc->deadline, retransmit);
}

int64_t media_assoc_deadline(const MediaUdpLeg *leg)
{
    int64_t at = leg->accept_at;

    if (leg->live)
        at = media_sooner(at, deadline_of(leg, leg->live));
    for (unsigned i = 0; i < leg->n_candidates; i++)
        at = media_sooner(at, deadline_of(leg, leg->candidate[i]));
    return at;
}

void media_assoc_drop_all(MediaUdpLeg *leg)
{
    while (leg->n_candidates > 0)
        free_assoc(leg->candidate[--leg->n_candidates]);
    if (leg->live)
        close_assoc(leg->live);
    leg->live = NULL;
    leg->renewing = false;
    media_shared_set_tls(leg->udp->stream.shared, leg->side, NULL, NULL);
}
