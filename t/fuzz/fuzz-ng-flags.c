/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The input as a text of flags and as the body of a request: whatever is stripped has no e2ae key
 * left.
 */
#include "ng-protocol/ng-message.h"
#include "ng-protocol/ng-request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_request(const NgValue *dict)
{
    g_autoptr(NgValue) left = ng_request_strip(dict);
    g_autoptr(NgValue) twice = ng_request_strip(left);
    g_autoptr(GError) error = NULL;
    NgRequest r;

    g_assert_true(ng_value_eq(left, twice));
    if (ng_request_read(dict, &r, NULL)) {
        g_assert_true(ng_request_read(left, &r, &error));
        g_assert_cmpuint(r.e2ae.given, ==, 0);
        ng_request_has_flag(&r, SPAN("x"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Span in = {(const char *)data, size};
    NgEnvelope env = ng_envelope_plain(in);
    g_autoptr(NgMessage) m = ng_message_new(&env, NULL);
    g_autoptr(NgValue) dict = ng_dict_new();

    if (m)
        check_request(m->dict);
    ng_dict_add_str(dict, "command", "offer");
    ng_dict_add_span(dict, "rtpp-flags", in);
    check_request(dict);
    return 0;
}
