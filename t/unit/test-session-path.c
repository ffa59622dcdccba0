/* SPDX-License-Identifier: GPL-3.0-or-later */
/* a=path in each mode, and what the media plane gets to know of it. Bodies: session-fixture.h. */
#include "session-fixture.h"
#include "session/session-path.h"

#define HEAD(host) "v=0\no=- 1 1 IN IP4 " host "\ns=-\nc=IN IP4 " host "\nt=0 0\n"
#define UE_PATH    "msrps://198.51.100.10:2855/s;tcp"
#define CORE_PATH  "msrp://192.0.2.9:7000/k;tcp"
#define UE(attrs)                                                                                  \
    HEAD("198.51.100.10")                                                                          \
    "m=message 2855 TCP/TLS/MSRP *\na=path:" UE_PATH "\na=setup:actpass\n" attrs                   \
    "a=fingerprint:{ue}\na=3ge2ae:requested\n"
#define CORE(attrs)                                                                                \
    HEAD("192.0.2.9")                                                                              \
    "m=message 7000 TCP/MSRP *\na=path:" CORE_PATH "\na=setup:passive\n" attrs

/* Which mode comes of keys and attributes, and the two paths that the peers then see. */
static const struct {
    const char *name, *keys, *ue_attrs;
    SessionPathMode mode;
    const char *to_core, *to_ue;
    bool cema; /* a=msrp-cema still stands there */
} modes[] = {
    {"TRK-01/CEM-10/cema", "", "a=msrp-cema\n", SESSION_PATH_SCHEME,
     "msrp://198.51.100.10:2855/s;tcp", "msrps://192.0.2.9:7000/k;tcp", true},
    {"TRK-02/CEM-03/CEM-10/no-cema", "", "", SESSION_PATH_AWARE, "msrp://203.0.113.2:40000/s;tcp",
     "msrps://198.51.100.1:30000/k;tcp", false},
    {"TRK-01/keep", "e2ae-path-scheme=keep", "a=msrp-cema\n", SESSION_PATH_KEEP, UE_PATH, CORE_PATH,
     true},
    {"CEM-10/transparent-by-order", "e2ae-path=transparent", "", SESSION_PATH_SCHEME,
     "msrp://198.51.100.10:2855/s;tcp", "msrps://192.0.2.9:7000/k;tcp", false},
    {"CEM-03/aware-by-order", "e2ae-path=aware", "a=msrp-cema\n", SESSION_PATH_AWARE,
     "msrp://203.0.113.2:40000/s;tcp", "msrps://198.51.100.1:30000/k;tcp", false},
    {"CEM-08/sessmatch", "", "a=msrp-acceptsessmatch\n", SESSION_PATH_AWARE,
     "msrp://203.0.113.2:40000/s;tcp", "msrps://198.51.100.1:30000/k;tcp", false},
};

static void assert_path(const Fixture *f, const char *path, bool cema)
{
    g_autofree char *line = g_strconcat("a=path:", path, NULL);

    g_assert_true(fixture_has(f, line));
    g_assert_cmpint(fixture_has(f, "a=msrp-cema"), ==, cema);
}

static void test_mode(gconstpointer data)
{
    g_autoptr(Fixture) f = fixture_new();
    unsigned i = GPOINTER_TO_UINT(data);
    g_autofree char *keys = g_strconcat("e2ae=originating ", modes[i].keys, NULL);
    g_autofree char *offer = g_strdup_printf(
        HEAD("198.51.100.10") "m=message 2855 TCP/TLS/MSRP *\na=path:" UE_PATH
                              "\na=setup:actpass\n%sa=fingerprint:{ue}\na=3ge2ae:requested\n",
        modes[i].ue_attrs);

    g_assert_true(fixture_offer(f, SESSION_ACCESS, keys, offer));
    assert_path(f, modes[i].to_core, modes[i].cema);
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE("a=msrp-cema\n")));
    assert_path(f, modes[i].to_ue, modes[i].mode != SESSION_PATH_AWARE);
    g_assert_cmpint(fixture_stream(f, 0)->path_mode, ==, modes[i].mode);
}

/* The media plane reads frames only where something in them changes, and not before the answer. */
static void test_media(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", UE("")));
    g_assert_null(session_path_media(fixture_stream(f, 0)));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE("")));
    MediaMsrp *msrp = session_path_media(fixture_stream(f, 0));
    g_assert_cmpint(msrp->mode, ==, MSRP_MAP_AWARE);
    g_assert_cmpstr(msrp->peer[SESSION_ACCESS], ==, UE_PATH);
    g_assert_cmpstr(msrp->peer[SESSION_CORE], ==, CORE_PATH);
    g_assert_cmpstr(msrp->ours[SESSION_ACCESS], ==, "msrps://198.51.100.1:30000/k;tcp");
    g_assert_cmpstr(msrp->ours[SESSION_CORE], ==, "msrp://203.0.113.2:40000/s;tcp");
    media_msrp_unref(msrp);

    g_autoptr(Fixture) keep = fixture_new();
    g_assert_true(fixture_offer(keep, SESSION_ACCESS,
                                "e2ae=originating e2ae-path=transparent e2ae-path-scheme=keep",
                                UE("")));
    g_assert_true(fixture_answer(keep, SESSION_CORE, "", CORE("")));
    g_assert_null(session_path_media(fixture_stream(keep, 0)));
}

/* A body without a path, or with one that is none, is relayed as it is. */
static void test_no_path(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating",
                                HEAD("198.51.100.10") "m=message 2855 TCP/TLS/MSRP *\n"
                                                      "a=path:nonsense\na=setup:actpass\n"
                                                      "a=fingerprint:{ue}\na=3ge2ae:requested\n"));
    g_assert_true(fixture_has(f, "a=path:nonsense"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE("")));
    g_assert_cmpint(fixture_stream(f, 0)->path_mode, ==, SESSION_PATH_NONE);
}

/* CEM-04: a re-offer without the attribute changes the mode of the running stream, with its answer. */
static void test_mode_change(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", UE("a=msrp-cema\n")));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE("a=msrp-cema\n")));
    uint64_t id = fixture_stream(f, 0)->id;
    g_assert_true(fixture_offer(f, SESSION_ACCESS, "", UE("")));
    g_assert_cmpint(fixture_stream(f, 0)->path_mode, ==, SESSION_PATH_SCHEME);
    assert_path(f, "msrp://203.0.113.2:40000/s;tcp", false);
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE("")));
    g_assert_cmpint(fixture_stream(f, 0)->path_mode, ==, SESSION_PATH_AWARE);
    g_assert_cmpuint(fixture_stream(f, 0)->id, ==, id);
    g_assert_cmpuint(fixture_count(f, SESSION_UPDATE), ==, 1);
    g_assert_cmpuint(fixture_count(f, SESSION_OPEN) + fixture_count(f, SESSION_CLOSE), ==, 0);
}

/* TRK-03 (3): the answerer would connect past us; the reply says so. */
static void test_warning(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", UE("a=msrp-cema\n")));
    g_assert_true(fixture_answer(f, SESSION_CORE, "",
                                 HEAD("192.0.2.9") "m=message 9 TCP/MSRP *\na=path:" CORE_PATH
                                                   "\na=setup:active\n"));
    const SessionLine *line = &g_array_index(f->plan->lines, SessionLine, 0);
    g_assert_nonnull(strstr(line->reason, "no CEMA"));
}

/* CEM-05: we connect to c= and m=, and tell the operator where the path says something else. */
static const struct {
    const char *name, *attrs; /* of an answer from 192.0.2.9:7000 */
    bool note;
} notes[] = {
    {"same", "a=path:msrp://192.0.2.9:7000/k;tcp\na=setup:passive\n", false},
    {"other-port", "a=path:msrp://192.0.2.9:7001/k;tcp\na=setup:passive\n", true},
    {"other-host", "a=path:msrp://192.0.2.99:7000/k;tcp\na=setup:passive\n", true},
    {"cema", "a=path:msrp://192.0.2.99:7000/k;tcp\na=setup:passive\na=msrp-cema\n", false},
    {"we-do-not-connect", "a=path:msrp://192.0.2.99:7000/k;tcp\na=setup:active\n", false},
    {"a-name", "a=path:msrp://b.example.org:7000/k;tcp\na=setup:passive\n", false},
};

static void test_note(gconstpointer data)
{
    g_autoptr(Fixture) f = fixture_new();
    unsigned i = GPOINTER_TO_UINT(data);
    g_autofree char *body =
        g_strconcat(HEAD("192.0.2.9") "m=message 7000 TCP/MSRP *\n", notes[i].attrs, NULL);

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating", UE("")));
    g_assert_null(g_array_index(f->plan->lines, SessionLine, 0).note);
    g_assert_true(fixture_answer(f, SESSION_CORE, "", body));
    g_assert_cmpint(g_array_index(f->plan->lines, SessionLine, 0).note != NULL, ==, notes[i].note);
    g_assert_null(g_array_index(f->plan->lines, SessionLine, 0).reason);
}

/* An offer of somebody who waits to be connected to. */
static void test_note_offer(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(fixture_offer(f, SESSION_ACCESS, "e2ae=originating",
                                HEAD("198.51.100.77") "m=message 2855 TCP/TLS/MSRP *\n"
                                                      "a=path:" UE_PATH "\na=setup:passive\n"
                                                      "a=fingerprint:{ue}\n"
                                                      "a=3ge2ae:requested\n"));
    g_assert_nonnull(g_array_index(f->plan->lines, SessionLine, 0).note);
}

/* TRK-04: where the m= line says 9, the path does, too. */
static void test_port_9(void)
{
    g_autoptr(Fixture) f = fixture_new();

    g_assert_true(
        fixture_offer(f, SESSION_ACCESS, "e2ae=originating",
                      HEAD("198.51.100.10") "m=message 2855 TCP/TLS/MSRP *\na=path:" UE_PATH
                                            "\na=setup:passive\na=fingerprint:{ue}\n"
                                            "a=3ge2ae:requested\n"));
    g_assert_true(fixture_answer(f, SESSION_CORE, "", CORE("")));
    g_assert_true(fixture_has(f, "m=message 9 TCP/TLS/MSRP *"));
    g_assert_true(fixture_has(f, "a=path:msrps://198.51.100.1:9/k;tcp"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(modes); i++) {
        g_autofree char *name = g_strconcat("/session/path/", modes[i].name, NULL);
        g_test_add_data_func(name, GUINT_TO_POINTER(i), test_mode);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(notes); i++) {
        g_autofree char *name = g_strconcat("/session/path/CEM-05/", notes[i].name, NULL);
        g_test_add_data_func(name, GUINT_TO_POINTER(i), test_note);
    }
    g_test_add_func("/session/path/CEM-05/offer", test_note_offer);
    g_test_add_func("/session/path/TRK-02/media", test_media);
    g_test_add_func("/session/path/no-path", test_no_path);
    g_test_add_func("/session/path/CEM-04/TRK-03/mode-change", test_mode_change);
    g_test_add_func("/session/path/TRK-03/warning", test_warning);
    g_test_add_func("/session/path/TRK-04/port-9", test_port_9);
    return g_test_run();
}
