/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ng-protocol/ng-bencode.h"
#include "ng-protocol/ng-reply.h"

/* Takes @reply. */
static void assert_reply(NgValue *reply, const char *want)
{
    g_autoptr(NgValue) owned = reply;
    g_autoptr(GString) out = g_string_new(NULL);

    ng_bencode_append(out, owned);
    g_assert_cmpstr(out->str, ==, want);
}

/* The bytes are what Kamailio and OpenSIPS compare with. */
static void test_replies(void)
{
    assert_reply(ng_reply_ok(), "d6:result2:oke");
    assert_reply(ng_reply_pong(), "d6:result4:ponge");
    assert_reply(ng_reply_error(NG_REASON_NO_PORTS),
                 "d6:result5:error12:error-reason16:Ran out of portse");
    assert_reply(ng_reply_error(NG_REASON_UNKNOWN_CALL),
                 "d6:result5:error12:error-reason15:Unknown call-ide");
    assert_reply(ng_reply_warning(NG_WARNING_NOT_FOUND),
                 "d6:result2:ok7:warning38:Call-ID not found or tags didn't matche");
    assert_reply(ng_reply_load_limit(true),
                 "d6:result10:load limit7:message30:Parallel session limit reachede");
    assert_reply(ng_reply_load_limit(false),
                 "d6:result5:error12:error-reason30:Parallel session limit reachede");
    assert_reply(ng_reply_overload("no answer"), "d6:result10:load limit7:message9:no answere");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ng/reply/bytes", test_replies);
    return g_test_run();
}
