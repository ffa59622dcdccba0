/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sdp/sdp-doc.h"

static void assert_span(Span got, const char *want)
{
    g_autofree char *text = span_dup(got);

    g_assert_cmpstr(text, ==, want);
}

static void assert_all_bytes_kept(const SdpDoc *doc, Span body)
{
    g_autoptr(GString) joined = g_string_new(NULL);
    unsigned lines = 0;

    for (unsigned i = 0; i < doc->n_lines; i++)
        g_string_append_len(joined, doc->lines[i].raw.p, (gssize)doc->lines[i].raw.len);
    g_assert_true(span_eq((Span){joined->str, joined->len}, body));
    for (unsigned i = 0; i < doc->n_sections; i++) {
        g_assert_cmpuint(doc->sections[i].first, ==, lines);
        lines += doc->sections[i].n_lines;
    }
    g_assert_cmpuint(lines, ==, doc->n_lines);
}

static void test_keeps_every_byte(void)
{
    static const struct {
        const char *body;
        unsigned sections;
        const char *eol;
    } cases[] = {
        {"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\na=x\r\n", 2,
         "\r\n"},
        {"v=0\ns=-\nm=audio 9 RTP/AVP 0\nm=image 0 udptl t38\n", 3, "\n"},
        {"v=0\ns=-\r\nm=audio 9 RTP/AVP 0\na=x", 2, "\n"},
        {"v=0", 1, "\r\n"},
        {"m=audio 9 RTP/AVP 0\r\n", 2, "\r\n"},
        {"\r\nv=0\r\n\r\nm=audio 9 RTP/AVP 0\r\n\r\n", 2, "\r\n"},
        {"s= \t\r\r\nnonsense\r\n=\r\n==\r\n1=2\r\nM=audio\r\na\r\n", 1, "\r\n"},
        {"m=audio 1 A b\r\nc=x\r\nt=0 0\r\nv=0\r\n", 2, "\r\n"},
        {"v=0\r\nm=audio 1 A b\r\nv=0\r\nm=audio 1 A b\r\n", 3, "\r\n"},
        {"a=caf\xc3\xa9 \xff\r\n", 1, "\r\n"},
        {"\n", 1, "\n"},
        {"v=0\r", 1, "\r\n"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("case %zu", i);
        g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(cases[i].body), &error);
        g_assert_no_error(error);
        g_assert_cmpuint(doc->n_sections, ==, cases[i].sections);
        g_assert_cmpstr(sdp_doc_eol(doc), ==, cases[i].eol);
        assert_all_bytes_kept(doc, span_str(cases[i].body));
    }
}

static void test_lines(void)
{
    g_autoptr(SdpDoc) doc =
        sdp_doc_parse(SPAN("v=0\r\ns= \r\n\r\na= x y \t\r\r\nA=b\nm=audio 1 P f \r\nz"), NULL);
    static const struct {
        char type;
        const char *value;
    } want[] = {{'v', "0"},           {'s', ""}, {0, ""}, {'a', " x y"}, {'A', "b"},
                {'m', "audio 1 P f"}, {0, ""}};
    unsigned line;

    g_assert_cmpuint(doc->n_lines, ==, G_N_ELEMENTS(want));
    for (unsigned i = 0; i < doc->n_lines; i++) {
        g_assert_cmpint(doc->lines[i].type, ==, want[i].type);
        assert_span(doc->lines[i].value, want[i].value);
    }
    g_assert_true(sdp_doc_find(doc, 0, 'a', &line));
    g_assert_cmpuint(line, ==, 3);
    g_assert_false(sdp_doc_find(doc, 1, 'a', &line));
}

/* The copy is the document's own. */
static void test_copies(void)
{
    char body[] = "v=0\r\n";
    g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(body), NULL);

    memset(body, 'x', sizeof body);
    assert_span(doc->lines[0].value, "0");
}

static void test_media(void)
{
    static const struct {
        const char *line, *media;
        unsigned port, nports;
        const char *proto, *fmt;
        bool ok;
    } cases[] = {
        {"message 2855 TCP/TLS/MSRP *", "message", 2855, 1, "TCP/TLS/MSRP", "*", true},
        {"message 5060 sip null", "message", 5060, 1, "sip", "null", true},
        {"application 0 *", "application", 0, 1, "*", "", false},
        {"audio 49170/2  RTP/AVP\t0  8 101", "audio", 49170, 2, "RTP/AVP", "0  8 101", true},
        {"image 5004 UDPTL t38", "image", 5004, 1, "UDPTL", "t38", true},
        {"video 0 RTP/AVP 255", "video", 0, 1, "RTP/AVP", "255", true},
        {"audio 65535", "audio", 65535, 1, "", "", false},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = g_strdup_printf("v=0\r\nm=%s\r\n", cases[i].line);
        g_autoptr(SdpDoc) doc = sdp_doc_parse(span_str(body), NULL);
        g_test_message("%s", cases[i].line);
        const SdpMedia *m = &doc->sections[1].media;
        assert_span(m->media, cases[i].media);
        g_assert_cmpuint(m->port, ==, cases[i].port);
        g_assert_cmpuint(m->nports, ==, cases[i].nports);
        assert_span(m->proto, cases[i].proto);
        assert_span(m->fmt, cases[i].fmt);
        g_assert_cmpint(m->ok, ==, cases[i].ok);
    }
}

static void test_refuses(void)
{
    static const struct {
        Span body;
        const char *says;
    } cases[] = {
        {{"", 0}, "empty"},
        {SPAN("v=0\r\nm=audio\r\n"), "SDP line 2 has no valid port: \"m=audio\""},
        {SPAN("v=0\r\nm=\r\n"), "SDP line 2"},
        {SPAN("m=audio 65536 RTP/AVP 0\n"), "\"m=audio 65536 RTP/AVP 0\""},
        {SPAN("m=audio -1 RTP/AVP 0\n"), "no valid port"},
        {SPAN("m=audio $ RTP/AVP 0\n"), "no valid port"},
        {SPAN("m=audio 1/ RTP/AVP 0\n"), "no valid port"},
        {SPAN("m=audio 1/0 RTP/AVP 0\n"), "no valid port"},
        {SPAN("m=audio 1/2/3 RTP/AVP 0\n"), "no valid port"},
        {SPAN("m=audio 0x10 RTP/AVP 0\n"), "no valid port"},
        {SPAN("v=0\r\na=x\0y\r\n"), "SDP line 2 holds a NUL or a bare CR: \"a=x\\x00y\""},
        {SPAN("v=0\r\na=x\0\r\n"), "SDP line 2 holds a NUL"},
        {SPAN("a=x\ra=y\r\n"), "bare CR: \"a=x\\x0da=y\""},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_test_message("case %zu", i);
        g_assert_null(sdp_doc_parse(cases[i].body, &error));
        g_assert_error(error, SDP_ERROR, SDP_ERROR_SYNTAX);
        g_test_message("%s", error->message);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
}

/* @n times @line must pass and one more must not. */
static void assert_limit(const char *start, const char *line, unsigned n)
{
    g_autoptr(GString) body = g_string_new(start);
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < n; i++)
        g_string_append(body, line);
    g_autoptr(SdpDoc) doc = sdp_doc_parse((Span){body->str, body->len}, &error);
    g_assert_no_error(error);
    g_assert_nonnull(doc);
    g_string_append(body, line);
    g_assert_null(sdp_doc_parse((Span){body->str, body->len}, &error));
    g_assert_error(error, SDP_ERROR, SDP_ERROR_TOO_BIG);
}

static void test_limits(void)
{
    assert_limit("", "a", SDP_MAX_BYTES);
    assert_limit("", "\n", SDP_MAX_LINES);
    assert_limit("v=0\r\n", "m=audio 0 RTP/AVP 0\r\n", SDP_MAX_SECTIONS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sdp/doc/keeps-every-byte", test_keeps_every_byte);
    g_test_add_func("/sdp/doc/lines", test_lines);
    g_test_add_func("/sdp/doc/copies", test_copies);
    g_test_add_func("/sdp/doc/media", test_media);
    g_test_add_func("/sdp/doc/refuses", test_refuses);
    g_test_add_func("/sdp/doc/limits", test_limits);
    return g_test_run();
}
