/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Real bodies in every role, as they are and asking for e2ae: nothing crashes, no m-line is lost,
 * and what is not rewritten keeps its bytes.
 */
#include "session-fixture.h"

#include "sdp/sdp-edit.h"
#include "sdp/sdp-tls-attrs.h"

static char *read_body(const char *path)
{
    char *text = NULL;
    gsize len = 0;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &text, &len, &error);
    g_assert_no_error(error);
    return text;
}

/* The body with a=3ge2ae:requested, and a fingerprint where it has none, in every m-section. */
static char *asking(const char *body)
{
    g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(body), NULL);
    g_autoptr(SdpEdit) edit = sdp_edit_new(doc);
    g_autoptr(Fixture) f = fixture_new();
    g_autofree char *fp = fixture_text(f, "{ue}");

    for (unsigned i = 1; i < doc->n_sections; i++) {
        sdp_edit_set_attr(edit, i, "3ge2ae", "requested");
        if (!sdp_fingerprints(doc, i).set.n)
            sdp_edit_add_attr(edit, i, "fingerprint", fp);
    }
    return sdp_edit_render(edit);
}

static char *section_text(const SdpDoc *doc, unsigned section)
{
    g_autoptr(SdpEdit) edit = sdp_edit_new(doc);
    GString *out = g_string_new(NULL);

    sdp_edit_render_section(edit, section, out);
    return g_string_free(out, FALSE);
}

static bool has_line(const SdpDoc *doc, unsigned section, Span line)
{
    const SdpSection *s = &doc->sections[section];

    for (unsigned i = 0; i < s->n_lines; i++)
        if (span_eq(sdp_line_text(&doc->lines[s->first + i]), line))
            return true;
    return false;
}

/* What the gateway may change in a section: its m= and c= lines and these. */
static bool is_ours(Span line)
{
    static const char *const prefixes[] = {
        "m=",
        "c=",
        "a=fingerprint",
        "a=path", /* test-session-path.c says how */
        "a=msrp-cema",
        "a=setup",
        "a=3ge2ae",
        "a=tls-id",
        "a=connection",
        "a=candidate",
        "a=ice-",
        "a=key-mgmt",
        "a=crypto",
        "a=tcap",
        "a=acap",
        "a=pcfg",
        "a=acfg",
        "a=end-of-candidates",
        "a=remote-candidates",
    };
    g_autofree char *text = g_ascii_strdown(line.p ? line.p : "", (gssize)line.len);

    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_str_has_prefix(text, prefixes[i]))
            return true;
    return line.len == 0;
}

/* Every line of @was that is not ours to change is there. */
static void check_kept(const SdpDoc *was, const SdpDoc *is, unsigned section)
{
    const SdpSection *s = &was->sections[section];

    for (unsigned i = 0; i < s->n_lines; i++) {
        Span line = sdp_line_text(&was->lines[s->first + i]);
        if (is_ours(line) || has_line(is, section, line))
            continue;
        g_autofree char *text = span_quote(line);
        g_test_message("m-line %u lost %s", section, text);
        g_test_fail();
    }
}

static void check_reply(const Fixture *f)
{
    const SessionPlan *plan = f->plan;
    g_autoptr(SdpDoc) out = sdp_doc_parse(span_str(f->body), NULL);

    g_assert_nonnull(out);
    g_assert_cmpuint(out->n_sections, ==, plan->doc->n_sections);
    for (unsigned i = 0; i < plan->lines->len; i++) {
        const SessionLine *line = &g_array_index(plan->lines, SessionLine, i);
        check_kept(plan->doc, out, i + 1);
        const SdpMedia *media = &out->sections[i + 1].media;
        g_assert_cmpint(media->port == 0, ==,
                        line->kind == SESSION_LINE_ZERO ||
                            plan->doc->sections[i + 1].media.port == 0);
        if (line->kind == SESSION_LINE_KEEP) {
            g_assert_cmpuint(media->port, ==, plan->doc->sections[i + 1].media.port);
            g_assert_true(span_eq(media->proto, plan->doc->sections[i + 1].media.proto));
        }
        if (line->kind == SESSION_LINE_STREAM || line->kind == SESSION_LINE_ZERO) {
            g_autofree char *text = section_text(out, i + 1);
            g_autofree char *fp = fixture_text(f, "{ue}");
            g_assert_null(strstr(text, fp));
            g_assert_null(strstr(text, "3ge2ae:requested"));
        }
    }
}

/* As an answer to itself: the body with the protos that the answerer was offered. */
static char *answer_to(const Fixture *f, const char *body)
{
    g_autoptr(SdpDoc) offered = sdp_doc_parse(span_str(f->body), NULL);
    g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(body), NULL);
    g_autoptr(SdpEdit) edit = sdp_edit_new(doc);

    for (unsigned i = 1; i < doc->n_sections; i++) {
        unsigned line = doc->sections[i].first;
        g_autofree char *media = span_dup(doc->sections[i].media.media);
        g_autofree char *proto = span_dup(offered->sections[i].media.proto);
        g_autofree char *fmt = span_dup(doc->sections[i].media.fmt);
        g_autofree char *text =
            g_strdup_printf("m=%s %u %s %s", media, doc->sections[i].media.port, proto, fmt);
        sdp_edit_replace(edit, line, text);
    }
    return sdp_edit_render(edit);
}

static void play(SessionSide from, const char *body)
{
    g_autoptr(Fixture) f = fixture_new();
    const char *key = from == SESSION_ACCESS ? "e2ae=originating" : "e2ae=terminating";

    f->bare_lf = true; /* the body has the line ends it has */
    g_assert_true(fixture_offer(f, from, key, body));
    check_reply(f);
    g_autofree char *same = g_strdup(body);
    g_autofree char *fitting = answer_to(f, body);
    g_assert_true(fixture_answer(f, session_other(from), "", same));
    check_reply(f);
    g_assert_true(fixture_offer(f, from, "", body));
    check_reply(f);
    g_assert_true(fixture_answer(f, session_other(from), "", fitting));
    check_reply(f);
    g_assert_true(fixture_offer(f, session_other(from), "", body));
    check_reply(f);
}

static void test_body(const void *path)
{
    g_autofree char *body = read_body(path);
    g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(body), NULL);

    g_assert_nonnull(doc);
    g_autofree char *asked = asking(body);
    play(SESSION_ACCESS, body);
    play(SESSION_CORE, body);
    play(SESSION_ACCESS, asked);
    play(SESSION_CORE, asked);
}

static unsigned add_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    unsigned n = 0;

    while (dir && (name = g_dir_read_name(dir))) {
        if (!g_str_has_suffix(name, ".sdp"))
            continue;
        g_autofree char *test = g_strconcat("/session/bodies/", name, NULL);
        g_test_add_data_func_full(test, g_build_filename(folder, name, NULL), test_body, g_free);
        n++;
    }
    return n;
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *fixtures = g_test_build_filename(G_TEST_DIST, "t", "fixtures", "sdp", NULL);
    /* a collection beside the source tree, where there is one */
    g_autofree char *more = g_test_build_filename(G_TEST_DIST, "..", "shared", "sdp", NULL);
    g_assert_cmpuint(add_folder(fixtures), >, 0);
    add_folder(more);
    return g_test_run();
}
