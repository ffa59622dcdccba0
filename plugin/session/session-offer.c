/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "session/session-decide.h"
#include "session/session-dialog.h"
#include "session/session-leg.h"
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

static SessionStream *new_stream(SessionPlan *plan, const SessionFacts *facts,
                                 const SessionPolicy *policy)
{
    const SessionSettings *settings = &plan->next->settings;
    SessionSide to = session_other(plan->from);
    SessionStream *stream = session_stream_new(policy->next_id(policy->arg), facts->medium);

    stream->allow_sha1 = settings->allow_sha1;
    stream->local_fingerprints = policy->local_fingerprints;
    session_leg_offered(stream, plan->from, facts, policy);
    session_leg_offering(stream, to, settings, policy);
    reserve(plan, stream, plan->from, policy, facts->remote.family);
    reserve(plan, stream, to, policy, facts->remote.family);
    return stream;
}

static bool usable(const SessionStream *stream, const SessionFacts *facts, SessionSide from)
{
    return stream && stream->medium == facts->medium && session_leg_unchanged(stream, from, facts);
}

static void offer_stream(SessionPlan *plan, SessionSlot *slot, const SessionFacts *facts,
                         const SessionPolicy *policy)
{
    if (usable(slot->stream, facts, plan->from)) {
        session_slot_drop(&slot->pending);
        session_leg_refresh(slot->stream, plan->from, facts);
    } else if (!usable(slot->pending, facts, plan->from)) {
        session_slot_drop(&slot->pending);
        slot->pending = new_stream(plan, facts, policy);
    }
    SessionStream *stream = session_slot_current(slot);
    slot->offer_kept = !slot->pending;
    slot->sent_setup = session_setup_to_offer(facts->medium, stream->leg[plan->from].setup);
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

static void plan_line(SessionPlan *plan, unsigned index, const NgRequest *req,
                      const SessionPolicy *policy)
{
    bool start = req->e2ae.mode == E2AE_ORIGINATING || req->e2ae.mode == E2AE_TERMINATING;
    SessionDialog *d = plan->dialog;
    SessionSlot *slot = session_slot(d, index);
    SessionFacts facts;
    SessionLine line = {.kind = SESSION_LINE_KEEP};

    session_facts_read(plan->doc, index, &facts);
    session_facts_override(&facts, index, &req->e2ae);
    SessionDecision decided =
        session_decide(&plan->next->settings, slot, plan->from, start, &facts);
    if (!slot) {
        slot = session_slot_new();
        g_ptr_array_add(d->slots, slot);
    }
    remember_offer(slot, &facts);
    slot->treatment = decided.treatment;
    slot->medium = facts.medium;
    slot->reason = line.reason = decided.reason;
    switch (decided.treatment) {
    case SESSION_UPSTREAM:
        session_upstream_assign(d, slot);
        line.kind = SESSION_LINE_UPSTREAM;
        line.upstream = (unsigned)slot->upstream_index;
        break;
    case SESSION_E2AE:
        offer_stream(plan, slot, &facts, policy);
        line.kind = SESSION_LINE_STREAM;
        break;
    case SESSION_REJECT:
    case SESSION_CLOSED:
        line.kind = SESSION_LINE_ZERO;
        break;
    case SESSION_PASS:
        break;
    }
    if (decided.treatment != SESSION_E2AE)
        session_slot_drop(&slot->pending);
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
    plan->dialog->answered = false;
    apply_settings(&plan->next->settings, &req->e2ae);
    choose_interfaces(plan->dialog, req);
    for (unsigned i = 0; i + 1 < doc->n_sections; i++)
        plan_line(plan, i, req, policy);
    session_upstream_plan_offer(plan, req);
    return g_steal_pointer(&plan);
}
