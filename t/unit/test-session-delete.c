/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "session-fixture.h"

/* Which of three dialogs a delete leaves. They are, with branch and tags: */
static const struct {
    const char *branch, *ue, *core;
} dialogs[] = {
    {"b1", "ue", "core"}, /* answered */
    {"b2", "ue", NULL},   /* offered */
    {NULL, "ue", "far"},  /* of a proxy without branches */
};

static Session *call(void)
{
    Session *s = session_new("c1");

    for (size_t i = 0; i < G_N_ELEMENTS(dialogs); i++) {
        SessionDialog *d = session_dialog_new(dialogs[i].branch);
        d->tag[SESSION_ACCESS] = g_strdup(dialogs[i].ue);
        d->tag[SESSION_CORE] = g_strdup(dialogs[i].core);
        g_ptr_array_add(s->dialogs, d);
    }
    return s;
}

static void test_delete(void)
{
    static const struct {
        const char *keys;
        const char *left; /* numbers of the dialogs that stay; NULL: nothing matched */
    } cases[] = {
        {"", ""},                /* OpenSIPS since 3.6 */
        {"to-tag=core", ""},     /* no from-tag: the call */
        {"from-tag=ue", ""},     /* Kamailio without the to-tag flag */
        {"from-tag=core", "23"}, /* the callee hangs up */
        {"from-tag=far", "12"},
        {"from-tag=ue to-tag=core", "23"}, /* the others of the caller live on */
        {"from-tag=core to-tag=ue", ""}, /* all that the caller has */
        {"from-tag=ue to-tag=far", "12"},
        {"from-tag=ue to-tag=other", NULL},
        {"from-tag=stranger", NULL},
        {"from-tag=stranger to-tag=ue", ""},
        {"from-tag=core to-tag=stranger", NULL},
        {"from-tag=ue via-branch=b1", "23"}, /* this branch failed, the others ring on */
        {"from-tag=ue via-branch=b2", "13"},
        {"from-tag=ue via-branch=b9", ""}, /* the branch of a BYE is a new one */
        {"from-tag=core via-branch=b9", "23"},
        {"from-tag=ue to-tag=core via-branch=b2", "23"}, /* tags go before branches */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Fixture) f = fixture_new();
        g_autoptr(Session) old = call();
        NgRequest req;
        bool matched;
        g_autofree char *keys = g_strconcat("command=delete call-id=c1 ", cases[i].keys, NULL);
        fixture_request(f, keys, &req);
        g_autoptr(Session) next = session_delete(old, &req, &matched);
        g_autoptr(GString) left = g_string_new(NULL);
        for (unsigned k = 0; next && k < next->dialogs->len; k++) {
            const SessionDialog *d = next->dialogs->pdata[k];
            for (unsigned n = 0; n < G_N_ELEMENTS(dialogs); n++)
                if (g_strcmp0(d->tag[SESSION_CORE], dialogs[n].core) == 0)
                    g_string_append_printf(left, "%u", n + 1);
        }
        g_test_message("%s", cases[i].keys);
        g_assert_cmpint(matched, ==, cases[i].left != NULL);
        g_assert_cmpstr(left->str, ==, cases[i].left ? cases[i].left : "123");
        g_assert_cmpint(next == NULL, ==, cases[i].left && !*cases[i].left);
        g_assert_cmpuint(old->dialogs->len, ==, 3);
    }
}

/* Streams of what was deleted are closed, the others stay. */
static void test_streams(void)
{
    static const char offer[] = "v=0\nc=IN IP4 198.51.100.10\nm=message 9 TCP/TLS/MSRP *\n"
                                "a=setup:active\na=fingerprint:{ue}\na=3ge2ae:requested\n";
    g_autoptr(Fixture) f = fixture_new();
    NgRequest req;
    bool matched;

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating via-branch=b1", offer));
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating via-branch=b2", offer));
    fixture_request(f, "command=delete call-id=c1 from-tag=ue via-branch=b2", &req);
    g_autoptr(Session) next = session_delete(f->session, &req, &matched);
    g_autoptr(GArray) actions = session_diff(f->session, next);
    g_assert_true(matched);
    g_assert_cmpuint(actions->len, ==, 1);
    g_assert_cmpint(g_array_index(actions, SessionAction, 0).kind, ==, SESSION_CLOSE);
    g_assert_cmpuint(g_array_index(actions, SessionAction, 0).stream_id, ==, 2);
    g_assert_true(session_find_stream(next, 1, NULL, NULL, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/session/delete/TRK-07/dialogs", test_delete);
    g_test_add_func("/session/delete/TRK-07/streams", test_streams);
    return g_test_run();
}
