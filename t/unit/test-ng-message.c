/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "ng-protocol/ng-message.h"

static NgEnvelope opened(Span message)
{
    g_autoptr(GError) error = NULL;
    NgEnvelope env = {.cookie = SPAN("")};

    ng_envelope_open(message, &env, &error);
    g_assert_no_error(error);
    return env;
}

static void test_open(void)
{
    static const struct {
        Span in, cookie, body;
        NgEncoding encoding;
    } cases[] = {
        {SPAN("c d7:command4:pinge"), SPAN("c"), SPAN("d7:command4:pinge"), NG_BENCODE},
        {SPAN("0_1_2 {\"a\":1}"), SPAN("0_1_2"), SPAN("{\"a\":1}"), NG_JSON},
        {SPAN("c "), SPAN("c"), SPAN(""), NG_BENCODE},
        {SPAN("c  de"), SPAN("c"), SPAN(" de"), NG_BENCODE},
        {SPAN("\0\xff xyz"), SPAN("\0\xff"), SPAN("xyz"), NG_BENCODE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        NgEnvelope env = opened(cases[i].in);
        g_assert_true(span_eq(env.cookie, cases[i].cookie));
        g_assert_true(span_eq(env.body, cases[i].body));
        g_assert_cmpint(env.encoding, ==, cases[i].encoding);
    }
}

static void assert_no_cookie(Span in)
{
    g_autoptr(GError) error = NULL;
    NgEnvelope env;

    g_assert_false(ng_envelope_open(in, &env, &error));
    g_assert_error(error, NG_ERROR, NG_ERROR_NO_COOKIE);
}

static void test_no_cookie(void)
{
    g_autoptr(GString) s = g_string_new(NULL);

    assert_no_cookie(SPAN(""));
    assert_no_cookie(SPAN("cookie"));
    assert_no_cookie(SPAN(" d7:command4:pinge"));
    assert_no_cookie(SPAN("d7:command4:pinge"));
    for (int i = 0; i < NG_MAX_COOKIE; i++)
        g_string_append_c(s, 'c');
    g_string_append(s, " de");
    g_assert_cmpuint(opened((Span){s->str, s->len}).cookie.len, ==, NG_MAX_COOKIE);
    g_string_prepend_c(s, 'c');
    assert_no_cookie((Span){s->str, s->len});
    g_string_assign(s, "c ");
    g_string_set_size(s, NG_MAX_MESSAGE + 1);
    assert_no_cookie((Span){s->str, s->len});
}

static void test_bad_body(void)
{
    static const struct {
        const char *in;
        int code; /* NgErrorCode */
        const char *reason;
    } cases[] = {
        {"c ", NG_ERROR_EMPTY, "Invalid data (no payload)"},
        {"c x", NG_ERROR_FORMAT, "Invalid NG data format"},
        {"c  de", NG_ERROR_FORMAT, "Invalid NG data format"},
        {"c le", NG_ERROR_FORMAT, "Invalid NG data format"},
        {"c [1]", NG_ERROR_FORMAT, "Invalid NG data format"},
        {"c d", NG_ERROR_BENCODE, "Could not decode bencode dictionary"},
        {"c {", NG_ERROR_JSON, "Failed to parse JSON document"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        NgEnvelope env = opened(span_str(cases[i].in));
        g_autoptr(GError) error = NULL;
        g_test_message("%s", cases[i].in);
        g_assert_null(ng_message_new(&env, &error));
        g_assert_error(error, NG_ERROR, cases[i].code);
        g_assert_cmpstr(ng_error_reason(error), ==, cases[i].reason);
    }
    g_autoptr(GError) other = g_error_new(NG_ERROR, NG_ERROR_VALUE, "e2ae: no");
    g_assert_cmpstr(ng_error_reason(other), ==, "e2ae: no");
}

/* A message owns what it holds, and goes back to the bytes it came from. */
static void test_encode(void)
{
    static const char *const cases[] = {
        "c1 d7:command4:pinge",
        "c1 {\"command\":\"ping\",\"n\":[1,true]}",
        "c1 de",
        "c1 {}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *copy = g_strdup(cases[i]);
        NgEnvelope env = opened(span_str(copy));
        g_autoptr(NgMessage) m = ng_message_new(&env, NULL);
        memset(copy, 'x', strlen(copy));
        g_autoptr(GString) out = ng_message_encode(m->cookie, m->encoding, m->dict);
        g_assert_cmpstr(out->str, ==, cases[i]);
    }
}

static void test_plain(void)
{
    NgEnvelope env = ng_envelope_plain(SPAN("{\"a\":1}"));
    g_autoptr(NgMessage) m = ng_message_new(&env, NULL);
    g_autoptr(GString) out = ng_message_encode(m->cookie, m->encoding, m->dict);

    g_assert_cmpstr(out->str, ==, "{\"a\":1}");
}

/* rtpengine takes it, so must we. */
static void test_trailing_bytes(void)
{
    NgEnvelope env = opened(SPAN("c d1:ai1ee\n"));
    g_autoptr(NgMessage) m = ng_message_new(&env, NULL);

    g_assert_cmpuint(ng_value_n(m->dict), ==, 1);
}

/* Three messages, the stream cut at every byte. */
static void test_stream(void)
{
    Span in = SPAN("c1 d7:command4:pingeccc2 de3 d1:a3:c d1:bd1:cdeee");
    static const size_t lengths[] = {20, 7, 22};
    NgStreamScan scan = {0};
    size_t start = 0, n = 0, len;

    for (size_t end = 0; end <= in.len; end++) {
        Span have = {in.p + start, end - start};
        if (ng_stream_scan(&scan, have, &len) != NG_SCAN_DONE)
            continue;
        g_assert_cmpuint(n, <, G_N_ELEMENTS(lengths));
        g_assert_cmpuint(len, ==, lengths[n]);
        g_assert_cmpuint(start + len, ==, end);
        start += len;
        n++;
    }
    g_assert_cmpuint(n, ==, 3);
    g_assert_cmpuint(start, ==, in.len);
}

static void test_stream_bad(void)
{
    static const char *const cases[] = {
        " de", "c x", "c {\"a\":1}", "c i1e", "c d99999999999:", "c di-0e"};
    g_autoptr(GString) cookie = g_string_new(NULL);
    size_t len;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        NgStreamScan scan = {0};
        g_test_message("%s", cases[i]);
        g_assert_cmpint(ng_stream_scan(&scan, span_str(cases[i]), &len), ==, NG_SCAN_BAD);
    }
    NgStreamScan scan = {0};
    for (int i = 0; i < NG_MAX_COOKIE; i++)
        g_string_append_c(cookie, 'c');
    g_assert_cmpint(ng_stream_scan(&scan, (Span){cookie->str, cookie->len}, &len), ==,
                    NG_SCAN_MORE);
    g_string_append_c(cookie, 'c');
    g_assert_cmpint(ng_stream_scan(&scan, (Span){cookie->str, cookie->len}, &len), ==, NG_SCAN_BAD);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ng/message/open", test_open);
    g_test_add_func("/ng/message/no-cookie", test_no_cookie);
    g_test_add_func("/ng/message/bad-body", test_bad_body);
    g_test_add_func("/ng/message/encode", test_encode);
    g_test_add_func("/ng/message/plain", test_plain);
    g_test_add_func("/ng/message/trailing-bytes", test_trailing_bytes);
    g_test_add_func("/ng/message/stream", test_stream);
    g_test_add_func("/ng/message/stream-bad", test_stream_bad);
    return g_test_run();
}
