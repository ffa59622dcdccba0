/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bodies separated by NUL; the bits of a byte before each say who sends it and what it is. */
#include "session/session-diff.h"
#include "session/session-plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void zeros(void *buf, size_t n, void *ids)
{
    memset(buf, *(uint64_t *)ids & 1, n);
}

static uint64_t count(void *ids)
{
    return ++*(uint64_t *)ids;
}

static void set_ports(SessionPlan *plan)
{
    for (; plan->n_reserved < plan->ports->len; plan->n_reserved++)
        session_plan_set_port(plan, plan->n_reserved, 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t ids = 0;
    SessionInterface one = {"access", {ADDR_IP4, 0, {1}}, {ADDR_IP4, 0, {2}}};
    SessionPolicy policy = {.interfaces = &one,
                            .n_interfaces = 1,
                            .gateway = {.family = ADDR_IP4, .ip = {127, 0, 0, 1}},
                            .random = zeros,
                            .next_id = count,
                            .arg = &ids};
    g_autoptr(Session) s = NULL;
    for (Span rest = {(const char *)data, size}; rest.len > 1 && ids < 200;) {
        int how = *rest.p; /* 1: from the core, 2: answer, 4: TLS to the core, 8: forked, 16: fax
                              gateway */
        rest = span_skip(rest, 1);
        SdpDoc *doc = sdp_doc_parse(span_cut(&rest, '\0'), NULL);
        NgRequest req = {.from_tag = SPAN("ue"),
                         .to_tag = SPAN("core"),
                         .e2ae.mode = 1 + (how & 1),
                         .e2ae.core = how & 4 ? E2AE_CORE_TLS : 0,
                         .e2ae.given = E2AE_GIVEN_CORE,
                         .t38 = how & 16 ? NG_T38_FORCE : 0};
        if (how & 1)
            req.from_tag = SPAN("core"), req.to_tag = SPAN("ue");
        if (how & 8)
            req.to_tag.len = 0, req.via_branch = SPAN("b");
        if (!doc)
            continue;
        g_autoptr(SessionPlan) plan = how & 2 && s
                                          ? session_plan_answer(s, &req, doc, &policy, NULL)
                                          : session_plan_offer(s, &req, doc, &policy, NULL);
        if (!plan)
            continue;
        set_ports(plan);
        session_plan_ready(plan);
        if (plan->upstream_sdp &&
            !session_plan_absorb(plan, span_str(plan->upstream_sdp), &policy, NULL))
            continue;
        set_ports(plan);
        g_autofree char *body = session_plan_render(plan, span_str(plan->upstream_sdp), NULL);
        g_autoptr(SdpDoc) out = body ? sdp_doc_parse(span_str(body), NULL) : NULL;
        g_assert(!out || out->n_sections == plan->doc->n_sections);
        g_array_unref(session_diff(s, plan->next));
        g_autoptr(NgValue) reply = ng_dict_new();
        session_plan_reply(plan, reply);
        session_free(s);
        s = session_copy(plan->next);
    }
    return 0;
}
