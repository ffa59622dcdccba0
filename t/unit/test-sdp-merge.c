/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sdp/sdp-merge.h"

#include "sdp/sdp-rewrite.h"

#define SESSION "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define AUDIO   "m=audio 5000 RTP/AVP 0\r\na=mid:aud\r\n"
#define CHAT                                                                                       \
    "m=message 2855 TCP/TLS/MSRP *\r\na=mid:chat\r\na=path:msrps://192.0.2.1:2855/s;tcp\r\n"
#define VIDEO "m=video 5002 RTP/AVP 31\r\n"

static SdpDoc *parse(const char *body)
{
    SdpDoc *doc = sdp_doc_parse(span_str(body), NULL);

    g_assert_nonnull(doc);
    return doc;
}

static void test_select(void)
{
    static const struct {
        const char *body;
        unsigned n, sections[3];
        const char *want;
    } cases[] = {
        {SESSION AUDIO CHAT VIDEO, 3, {1, 2, 3}, SESSION AUDIO CHAT VIDEO},
        {SESSION AUDIO CHAT VIDEO, 2, {1, 3}, SESSION AUDIO VIDEO},
        {SESSION AUDIO CHAT VIDEO, 2, {3, 1}, SESSION VIDEO AUDIO},
        {SESSION AUDIO CHAT, 0, {0}, SESSION},
        {"v=0\na=group:BUNDLE aud chat\n" AUDIO CHAT, 1, {1}, "v=0\na=group:BUNDLE aud\n" AUDIO},
        {"v=0\na=group:BUNDLE chat\nt=0 0\n" AUDIO CHAT, 1, {1}, "v=0\nt=0 0\n" AUDIO},
        {"a=group:BUNDLE chat\n" AUDIO CHAT, 1, {1}, AUDIO},
        {"v=0\na=group:BUNDLE  aud chat nobody\n" AUDIO CHAT,
         2,
         {1, 2},
         "v=0\na=group:BUNDLE  aud chat nobody\n" AUDIO CHAT},
        {SESSION CHAT AUDIO "\r\n\r\n", 1, {2}, SESSION AUDIO},
        {SESSION AUDIO "a=x \r\n \r\n" CHAT, 2, {1, 2}, SESSION AUDIO "a=x \r\n" CHAT},
        {SESSION AUDIO CHAT "a=last", 2, {2, 1}, SESSION CHAT "a=last\r\n" AUDIO},
        {SESSION AUDIO CHAT "a=last\r", 2, {2, 1}, SESSION CHAT "a=last\r\n" AUDIO},
        {"v=0\n" VIDEO "a=last", 1, {1}, "v=0\n" VIDEO "a=last\n"},
        {VIDEO AUDIO, 1, {2}, AUDIO},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SdpDoc) doc = parse(cases[i].body);
        g_autoptr(SdpEdit) edit = sdp_edit_new(doc);
        g_autoptr(GError) error = NULL;
        g_test_message("case %zu", i);
        g_autofree char *got = sdp_select(edit, cases[i].sections, cases[i].n, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(got, ==, cases[i].want);
    }
}

/* A request goes upstream without our line, the reply comes back and gets our line of the edited
 * request. */
static void test_round_trip(void)
{
    g_autoptr(SdpDoc) own = parse(SESSION CHAT AUDIO);
    g_autoptr(SdpEdit) edit = sdp_edit_new(own);
    g_autoptr(SdpDoc) reply = parse("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio "
                                    "30000 RTP/AVP 0\r\nc=IN IP4 203.0.113.1\r\n");
    g_autoptr(SdpEdit) upstream = sdp_edit_new(reply);
    g_autoptr(GError) error = NULL;
    Addr core;

    g_autofree char *asked = sdp_select(edit, (unsigned[]){2}, 1, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(asked, ==, SESSION AUDIO);

    g_assert_true(addr_parse_ip(SPAN("203.0.113.2"), &core));
    sdp_edit_set_port(edit, 1, 40002);
    sdp_edit_set_proto(edit, 1, "TCP/MSRP");
    sdp_edit_set_conn(edit, 1, &core);
    g_assert_true(sdp_edit_bump_version(upstream));
    SdpPick picks[] = {{edit, 1}, {upstream, 1}};
    g_autofree char *merged = sdp_merge(upstream, picks, 2, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(merged, ==,
                    "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
                    "m=message 40002 TCP/MSRP *\r\nc=IN IP4 203.0.113.2\r\n"
                    "a=mid:chat\r\na=path:msrps://192.0.2.1:2855/s;tcp\r\n"
                    "m=audio 30000 RTP/AVP 0\r\nc=IN IP4 203.0.113.1\r\n");
}

/* TRK-19: in place of an audio section that became a fax, upstream sees the last audio one, held.
 */
static void test_other_text(void)
{
    g_autoptr(SdpDoc) own = parse(SESSION "a=group:BUNDLE aud fax\r\n"
                                          "m=image 5004 UDP/TLS/UDPTL t38\r\na=mid:fax\r\n" VIDEO);
    g_autoptr(SdpDoc) before = parse(AUDIO);
    g_autoptr(SdpEdit) edit = sdp_edit_new(own), old = sdp_edit_new(before);
    g_autoptr(GError) error = NULL;

    sdp_edit_set_attr(old, 1, "inactive", NULL);
    SdpPick picks[] = {{old, 1}, {edit, 2}};
    g_autofree char *got = sdp_merge(edit, picks, 2, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(got, ==, SESSION "a=group:BUNDLE aud\r\n" AUDIO "a=inactive\r\n" VIDEO);
}

/* Edits of the session part count; the group lines of the edit stay for the next use. */
static void test_session_edits(void)
{
    static const char *const names[] = {"3ge2ae", NULL};
    g_autoptr(SdpDoc) doc =
        parse("v=0\r\na=3ge2ae:requested\r\na=group:BUNDLE aud chat\r\n" AUDIO CHAT);
    g_autoptr(SdpEdit) edit = sdp_edit_new(doc);

    sdp_edit_delete_attrs(edit, 0, names);
    g_autofree char *part = sdp_select(edit, (unsigned[]){1}, 1, NULL);
    g_assert_cmpstr(part, ==, "v=0\r\na=group:BUNDLE aud\r\n" AUDIO);
    g_autofree char *all = sdp_edit_render(edit);
    g_assert_cmpstr(all, ==, "v=0\r\na=group:BUNDLE aud chat\r\n" AUDIO CHAT);
}

static void test_too_few_sections(void)
{
    g_autoptr(SdpDoc) doc = parse(SESSION AUDIO);
    g_autoptr(SdpEdit) edit = sdp_edit_new(doc);
    g_autoptr(GError) error = NULL;
    SdpPick picks[] = {{edit, 1}, {edit, 2}};

    g_assert_null(sdp_merge(edit, picks, 2, &error));
    g_assert_error(error, SDP_ERROR, SDP_ERROR_MERGE);
    g_assert_cmpstr(error->message, ==, "m= line 2 is wanted of an SDP that has 1");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sdp/merge/select", test_select);
    g_test_add_func("/sdp/merge/round-trip", test_round_trip);
    g_test_add_func("/sdp/merge/TRK-19/other-text", test_other_text);
    g_test_add_func("/sdp/merge/session-edits", test_session_edits);
    g_test_add_func("/sdp/merge/too-few-sections", test_too_few_sections);
    return g_test_run();
}
