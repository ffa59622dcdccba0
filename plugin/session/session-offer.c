/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-session-matrix.c. */
#include "config.h"

#include "session/session-decide.h"
#include "session/session-dialog.h"
#include "session/session-gateway.h"
#include "session/session-leg.h"
#include "session/session-path.h"
#include "session/session-plan-private.h"

/* e2ae keys of the request: what it gives counts from now on, what it does not give stays. */
static void apply_settings(SessionSettings *settings, const E2aeParams *params)
{
    if (params->given & E2AE_GIVEN_MEDIA) {
        settings->media = params->media;
        settings->media_given = true;
    }
    if (params->given & E2AE_GIVEN_REQUIRE)
        settings->require_indication = params->require == E2AE_REQUIRE_INDICATION;
    if (params->given & E2AE_GIVEN_ANSWER_INDICATION)
        settings->answer_indication = params->answer_indication;
    if (params->given & E2AE_GIVEN_HASH)
        settings->allow_sha1 = params->allow_sha1;
    if (params->given & E2AE_GIVEN_PATH)
        settings->path = params->path;
    if (params->given & E2AE_GIVEN_SCHEME)
        settings->scheme = params->scheme;
    if (params->given & E2AE_GIVEN_CORE)
        settings->core_tls = params->core == E2AE_CORE_TLS;
}

static Session *first_session(const NgRequest *req)
{
    g_autofree char *call_id = span_dup(req->call_id);
    Session *s = session_new(call_id);

    s->settings.media = E2AE_MEDIA_ALL;
    s->settings.require_indication = true;
    return s;
}

/* direction=[sender's, receiver's]; without it the interfaces named access and core, else the
 * first. */
static void choose_interfaces(SessionDialog *d, const NgRequest *req)
{
    static const char *const by_side[] = {"access", "core"};

    for (int i = 0; i < 2; i++) {
        SessionSide side = i == 0 ? d->offerer : session_other(d->offerer);
        if (req->direction[i].len) {
            g_free(d->interface[side]);
            d->interface[side] = span_dup(req->direction[i]);
        } else if (!d->interface[side]) {
            d->interface[side] = g_strdup(by_side[side]);
        }
    }
}

static void reserve(SessionPlan *plan, SessionStream *stream, SessionSide side,
                    const SessionPolicy *policy, AddrFamily family)
{
    SessionLeg *leg = &stream->leg[side];
    const SessionInterface *interface =
        session_interface(policy, plan->dialog->interface[side], family);
    const SessionInterface to_rtpengine = {"rtpengine", policy->gateway, policy->gateway};

    if (stream->gateway && side == SESSION_CORE)
        interface = &to_rtpengine;
    SessionPortRequest request = {
        .stream_id = stream->id,
        .side = side,
        .transport = stream->medium->transport,
        .ip = interface->local,
    };
    leg->interface = g_strdup(interface->name);
    leg->local = interface->local;
    leg->advertised = interface->advertised;
    g_array_append_val(plan->ports, request);
}

static SessionStream *new_stream(SessionPlan *plan, const SessionSlot *slot,
                                 const SessionFacts *facts, const SessionPolicy *policy)
{
    const SessionSettings *settings = &plan->next->settings;
    SessionSide to = session_other(plan->from);
    SessionStream *stream = session_stream_new(policy->next_id(policy->arg), facts->medium);

    stream->gateway = slot->gateway;
    stream->allow_sha1 = settings->allow_sha1;
    stream->local_fingerprints = policy->local_fingerprints;
    session_leg_offered(stream, plan->from, facts, policy);
    session_leg_offering(stream, to, settings, policy);
    reserve(plan, stream, plan->from, policy, facts->remote.family);
    reserve(plan, stream, to, policy, facts->remote.family);
    return stream;
}

static bool usable(const SessionSlot *slot, const SessionStream *stream, const SessionFacts *facts,
                   SessionSide from)
{
    return stream && stream->medium == facts->medium && stream->gateway == slot->gateway &&
           session_leg_unchanged(stream, from, facts);
}

/* A leg on which we are known to connect goes on so; else whatever keeps both peers from waiting (COM-10). */
static SdpSetup setup_to_offer(const SessionStream *stream, SessionSide from, SessionPathMode mode)
{
    MediaSetup ours = stream->leg[from].setup;

    if (stream->leg[session_other(from)].discard)
        return SDP_SETUP_ACTIVE;
    if (mode == SESSION_PATH_AWARE && ours == MEDIA_SETUP_ACTIVE)
        ours = MEDIA_SETUP_UNDECIDED; /* there we can speak first ourselves */
    return session_setup_to_offer(stream->medium, ours);
}

void session_offer_stream(SessionPlan *plan, SessionSlot *slot, const SessionFacts *facts,
                          const SessionPolicy *policy)
{
    SessionPathMode mode = session_path_decide(&plan->next->settings, facts);

    if (usable(slot, slot->stream, facts, plan->from) && session_path_fits(slot->stream, mode)) {
        session_slot_drop(&slot->pending);
        session_leg_refresh(slot->stream, plan->from, facts);
        /* Who has seen this offer may follow it before we see the answer. */
        slot->stream->path_also = mode == slot->stream->path_mode ? SESSION_PATH_NONE : mode;
    } else if (!usable(slot, slot->pending, facts, plan->from)) {
        session_slot_drop(&slot->pending);
        slot->pending = new_stream(plan, slot, facts, policy);
    }
    SessionStream *stream = session_slot_current(slot);
    slot->offer_kept = !slot->pending;
    slot->offer_path_mode = mode;
    slot->sent_setup = setup_to_offer(stream, plan->from, slot->offer_path_mode);
}

static void remember_offer(SessionSlot *slot, const SessionFacts *facts)
{
    g_free(slot->media_type);
    g_free(slot->offer_proto);
    slot->media_type = span_dup(facts->media->media);
    slot->offer_proto = span_dup(facts->media->proto);
    slot->offer_setup = facts->setup;
    slot->offer_tls_id = facts->tls_id.len > 0;
    slot->offer_connection_existing = facts->connection == SDP_CONNECTION_EXISTING;
}

/* The line goes through rtpengine's fax gateway: rtpengine numbers it like its own. */
static void through_gateway(SessionPlan *plan, SessionSlot *slot, SessionLine *line)
{
    session_upstream_assign(plan->dialog, slot);
    line->kind = SESSION_LINE_GATEWAY;
    line->upstream = (unsigned)slot->upstream_index;
}

/* What was decided becomes the state of the slot and the source of the line. */
static void apply_decision(SessionPlan *plan, SessionSlot *slot, SessionLine *line,
                           const SessionFacts *facts, const SessionPolicy *policy)
{
    switch (slot->treatment) {
    case SESSION_UPSTREAM:
        session_upstream_assign(plan->dialog, slot);
        line->kind = SESSION_LINE_UPSTREAM;
        line->upstream = (unsigned)slot->upstream_index;
        break;
    case SESSION_E2AE:
        session_offer_stream(plan, slot, facts, policy);
        line->kind = SESSION_LINE_STREAM;
        line->note = session_path_note(session_slot_current(slot), plan->from, facts);
        if (slot->gateway)
            through_gateway(plan, slot, line);
        return;
    case SESSION_REJECT:
    case SESSION_CLOSED:
        line->kind = SESSION_LINE_ZERO;
        break;
    case SESSION_PASS:
        line->kind = SESSION_LINE_KEEP;
        break;
    }
    session_slot_drop(&slot->pending);
}

static void plan_line(SessionPlan *plan, unsigned index, const NgRequest *req,
                      const SessionPolicy *policy)
{
    const SessionSettings *settings = &plan->next->settings;
    bool start = req->e2ae.mode == E2AE_ORIGINATING || req->e2ae.mode == E2AE_TERMINATING;
    SessionSlot *slot = session_slot(plan->dialog, index);
    SessionFacts facts;
    SessionLine line = {0};
    bool wanted;

    session_facts_read(plan->doc, index, &facts);
    session_facts_override(&facts, index, &req->e2ae);
    const char *fault = session_gateway_fault(req, policy, &wanted);
    bool gateway = wanted && !fault;
    bool candidate =
        gateway && session_gateway_candidate(settings, slot, plan->from, start, &facts);
    SessionDecision decided = session_decide(settings, slot, plan->from, start, &facts);
    if (!slot) {
        slot = session_slot_new();
        g_ptr_array_add(plan->dialog->slots, slot);
    }
    remember_offer(slot, &facts);
    session_slot_note_proto(slot, plan->from, facts.media->proto);
    slot->treatment = candidate ? SESSION_UPSTREAM : decided.treatment;
    slot->medium = facts.medium;
    slot->gateway = gateway && plan->from == SESSION_ACCESS && facts.medium &&
                    facts.medium->transport == MEDIA_UDP;
    slot->reason = line.reason = decided.reason ? decided.reason : facts.medium ? fault : NULL;
    if (candidate)
        through_gateway(plan, slot, &line); /* the reply will tell what is made of it */
    else
        apply_decision(plan, slot, &line, &facts, policy);
    g_array_append_val(plan->lines, line);
}

SessionPlan *session_plan_offer(const Session *old, const NgRequest *req, SdpDoc *doc,
                                const SessionPolicy *policy, GError **error)
{
    g_autoptr(SessionPlan) plan =
        session_plan_new(old ? session_copy(old) : first_session(req), req, doc);

    plan->dialog = session_dialog_for_offer(plan->next, req, error);
    if (!plan->dialog)
        return NULL;
    plan->from = plan->dialog->offerer;
    session_dialog_drop_refused(plan->dialog);
    plan->dialog->answered = false;
    apply_settings(&plan->next->settings, &req->e2ae);
    choose_interfaces(plan->dialog, req);
    for (unsigned i = 0; i + 1 < doc->n_sections; i++)
        plan_line(plan, i, req, policy);
    session_upstream_plan_offer(plan, req);
    return g_steal_pointer(&plan);
}
