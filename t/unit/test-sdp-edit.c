/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sdp/sdp-edit.h"

typedef struct Fixture {
    SdpDoc *doc;
    SdpEdit *edit;
} Fixture;

static Fixture start(const char *body)
{
    Fixture f = {.doc = sdp_doc_parse(span_str(body), NULL)};

    g_assert_nonnull(f.doc);
    f.edit = sdp_edit_new(f.doc);
    g_assert_true(sdp_edit_doc(f.edit) == f.doc);
    return f;
}

static void finish(Fixture *f, const char *want)
{
    g_autofree char *got = sdp_edit_render(f->edit);

    g_assert_cmpstr(got, ==, want);
    sdp_edit_free(f->edit);
    sdp_doc_free(f->doc);
}

static Addr ip(const char *text)
{
    Addr a;

    g_assert_true(addr_parse_ip(span_str(text), &a));
    return a;
}

static void test_nothing(void)
{
    static const char *const bodies[] = {"v=0", "v=0\r\n\r\nm=a 1 b c \na=x", "\r\n",
                                         "x\r\r\n m= \n"};

    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        Fixture f = start(bodies[i]);
        finish(&f, bodies[i]);
    }
}

static void test_replace_delete_insert(void)
{
    Fixture f = start("v=0\r\ns=x \na=1\r\na=2\r\nm=audio 1 P f\r\na=3 \r\n");

    sdp_edit_replace(f.edit, 1, "s=y");
    sdp_edit_delete(f.edit, 2);
    sdp_edit_insert_after(f.edit, 2, "a=first");
    sdp_edit_insert_after(f.edit, 2, "a=second");
    sdp_edit_replace(f.edit, 4, "m=audio 2 P f");
    sdp_edit_append(f.edit, 0, "a=end");
    sdp_edit_append(f.edit, 1, "a=4");
    finish(&f,
           "v=0\r\ns=y\na=first\r\na=second\r\na=2\r\na=end\r\nm=audio 2 P f\r\na=3 \r\na=4\r\n");
}

static void test_last_wins(void)
{
    Fixture f = start("v=0\r\na=1\r\na=2\r\na=3\r\na=4\r\n");
    Span text;

    sdp_edit_delete(f.edit, 1);
    sdp_edit_delete(f.edit, 1);
    sdp_edit_replace(f.edit, 2, "a=x");
    sdp_edit_delete(f.edit, 2);
    g_assert_false(sdp_edit_text(f.edit, 2, &text));
    sdp_edit_delete(f.edit, 3);
    sdp_edit_replace(f.edit, 3, "a=y");
    sdp_edit_replace(f.edit, 4, "a=z");
    g_assert_true(sdp_edit_text(f.edit, 4, &text));
    g_assert_true(span_eq(text, SPAN("a=z")));
    sdp_edit_replace(f.edit, 4, "a=zz");
    g_assert_true(sdp_edit_text(f.edit, 0, &text));
    g_assert_true(span_eq(text, SPAN("v=0")));
    finish(&f, "v=0\r\na=y\r\na=zz\r\n");
}

static void test_line_ends(void)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        {"v=0\nm=a 1 b c\n", "v=0\nm=a 1 b c\na=new\n"},
        {"v=0\nm=a 1 b c\r\n", "v=0\nm=a 1 b c\r\na=new\n"},
        {"v=0\r\nm=a 1 b c", "v=0\r\nm=a 1 b c\r\na=new\r\n"},
        {"v=0\nm=a 1 b c", "v=0\nm=a 1 b c\na=new\n"},
        {"m=a 1 b c", "m=a 1 b c\r\na=new\r\n"},
        {"v=0\r\nm=a 1 b c\r", "v=0\r\nm=a 1 b c\r\na=new\r\n"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture f = start(cases[i].body);
        sdp_edit_append(f.edit, f.doc->n_sections - 1, "a=new");
        finish(&f, cases[i].want);
    }
    Fixture f = start("v=0\r\na=last");
    sdp_edit_replace(f.edit, 1, "a=same");
    finish(&f, "v=0\r\na=same");
    f = start("v=0\r\na=last");
    sdp_edit_delete(f.edit, 1);
    sdp_edit_append(f.edit, 0, "a=new");
    finish(&f, "v=0\r\na=new\r\n");
}

/* A parser may stop at an empty line. */
static void test_append_before_empty_lines(void)
{
    Fixture f = start("v=0\r\n\r\nm=a 1 b c\r\na=1\r\n\r\n \r\n");

    sdp_edit_append(f.edit, 0, "a=s");
    sdp_edit_append(f.edit, 1, "a=m");
    finish(&f, "v=0\r\na=s\r\n\r\nm=a 1 b c\r\na=1\r\na=m\r\n\r\n \r\n");
}

static void test_conn(void)
{
    static const struct {
        const char *body;
        unsigned section;
        const char *ip, *want;
    } cases[] = {
        {"v=0\nc=IN IP4 1.1.1.1\nm=a 1 b c\na=x\n", 1, "192.0.2.1",
         "v=0\nc=IN IP4 1.1.1.1\nm=a 1 b c\nc=IN IP4 192.0.2.1\na=x\n"},
        {"m=a 1 b c\ni=title\nb=AS:1\n", 1, "2001:db8::1",
         "m=a 1 b c\ni=title\nc=IN IP6 2001:db8::1\nb=AS:1\n"},
        {"m=a 1 b c\na=y\nc=IN IP4 host\nc=IN IP4 h2\na=x\n", 1, "192.0.2.1",
         "m=a 1 b c\na=y\nc=IN IP4 192.0.2.1\na=x\n"},
        {"m=a 1 b c", 1, "192.0.2.1", "m=a 1 b c\r\nc=IN IP4 192.0.2.1\r\n"},
        {"v=0\no=x\ns=-\ni=y\nt=0 0\nm=a 1 b c\n", 0, "192.0.2.1",
         "v=0\no=x\ns=-\ni=y\nc=IN IP4 192.0.2.1\nt=0 0\nm=a 1 b c\n"},
        {"m=a 1 b c\n", 0, "192.0.2.1", "c=IN IP4 192.0.2.1\nm=a 1 b c\n"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture f = start(cases[i].body);
        Addr first = ip("198.51.100.9"), last = ip(cases[i].ip);
        g_test_message("case %zu", i);
        sdp_edit_set_conn(f.edit, cases[i].section, &first);
        sdp_edit_set_conn(f.edit, cases[i].section, &last);
        finish(&f, cases[i].want);
    }
}

/* The c= line goes before attributes although it was set after them. */
static void test_conn_before_attrs(void)
{
    Fixture f = start("m=a 1 b c\r\n");
    Addr a = ip("192.0.2.1");

    sdp_edit_add_attr(f.edit, 1, "x", NULL);
    sdp_edit_set_conn(f.edit, 1, &a);
    finish(&f, "m=a 1 b c\r\nc=IN IP4 192.0.2.1\r\na=x\r\n");
}

/* ORG-06, ORG-07, IND-02: every line of the name goes, at the named level only, whatever its case.
 */
static void test_delete_attrs(void)
{
    static const char *const names[] = {"fingerprint", "3ge2ae", NULL};
    Fixture f = start("v=0\r\na=fingerprint:s\r\na=3GE2AE: requested\r\na=keep\r\n"
                      "m=a 1 b c\r\na=fingerprint:m\r\na=fingerprints\r\n");

    sdp_edit_append(f.edit, 0, "a=fingerprint:new");
    sdp_edit_append(f.edit, 0, "i=a=fingerprint:new");
    sdp_edit_insert_after(f.edit, 3, "a=3ge2ae");
    sdp_edit_delete_attrs(f.edit, 0, names);
    finish(&f, "v=0\r\na=keep\r\ni=a=fingerprint:new\r\nm=a 1 b "
               "c\r\na=fingerprint:m\r\na=fingerprints\r\n");
}

static void test_set_attr(void)
{
    Fixture f = start("m=a 1 b c\r\na=setup:actpass \r\na=x\r\na=Setup:active\r\n");

    sdp_edit_delete_attrs(f.edit, 1, (const char *const[]){"setup", NULL});
    sdp_edit_set_attr(f.edit, 1, "setup", "passive");
    sdp_edit_set_attr(f.edit, 1, "tls-id", "1");
    sdp_edit_set_attr(f.edit, 1, "tls-id", "2");
    sdp_edit_add_attr(f.edit, 1, "fingerprint", "f1");
    sdp_edit_add_attr(f.edit, 1, "fingerprint", "f2");
    sdp_edit_set_attr(f.edit, 1, "msrp-cema", NULL);
    finish(&f, "m=a 1 b c\r\na=setup:passive\r\na=x\r\na=tls-id:2\r\n"
               "a=fingerprint:f1\r\na=fingerprint:f2\r\na=msrp-cema\r\n");
}

static void test_text_ok(void)
{
    g_assert_true(sdp_text_ok(SPAN("")));
    g_assert_true(sdp_text_ok(SPAN("a=caf\xc3\xa9 x\t")));
    g_assert_false(sdp_text_ok(SPAN("a=x\r")));
    g_assert_false(sdp_text_ok(SPAN("a=x\na=y")));
    g_assert_false(sdp_text_ok(SPAN("a=x\0")));
}

/* A line break in a new text ends the program instead of adding lines. */
static void test_injection(void)
{
    if (g_test_subprocess()) {
        Fixture f = start("m=a 1 b c\r\n");
        sdp_edit_add_attr(f.edit, 1, "x", "1\r\nm=audio 1 RTP/AVP 0");
        return;
    }
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_failed();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sdp/edit/nothing", test_nothing);
    g_test_add_func("/sdp/edit/replace-delete-insert", test_replace_delete_insert);
    g_test_add_func("/sdp/edit/last-wins", test_last_wins);
    g_test_add_func("/sdp/edit/line-ends", test_line_ends);
    g_test_add_func("/sdp/edit/append-before-empty-lines", test_append_before_empty_lines);
    g_test_add_func("/sdp/edit/conn", test_conn);
    g_test_add_func("/sdp/edit/conn-before-attrs", test_conn_before_attrs);
    g_test_add_func("/sdp/edit/ORG-06/ORG-07/IND-02/delete-attrs", test_delete_attrs);
    g_test_add_func("/sdp/edit/set-attr", test_set_attr);
    g_test_add_func("/sdp/edit/text-ok", test_text_ok);
    g_test_add_func("/sdp/edit/injection", test_injection);
    return g_test_run();
}
