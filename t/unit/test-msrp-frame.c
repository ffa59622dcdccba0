/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "framing/msrp-frame.h"

#define PATHS                                                                                      \
    "To-Path: msrp://bob.example.com:8888/9di4ea;tcp\r\n"                                          \
    "From-Path: msrp://alice.example.com:7777/iau39;tcp\r\n"
#define TEXT_TYPE "Content-Type: text/plain\r\n\r\n"

/* What the steps of an input say, as text: the pieces of a body joined, so that the cuts do not
 * show. */
typedef struct Trace {
    GString *events;
    GByteArray *raw; /* all texts */
    GByteArray *body;
} Trace;

static void trace_span(GString *out, const char *name, Span s)
{
    g_autofree char *text = span_dup(s);

    g_string_append_printf(out, "%s=%s ", name, text);
}

static void trace_head(Trace *t, const MsrpHead *head)
{
    Span from_start = head->text;

    trace_span(t->events, "tid", head->tid);
    trace_span(t->events, "method", head->method);
    g_string_append_printf(t->events, "status=%u body=%d ", head->status, head->has_body);
    trace_span(t->events, "to", head->to_path);
    trace_span(t->events, "from", head->from_path);
    trace_span(t->events, "rest", head->rest);
    g_assert_true(head->rest.p >= from_start.p &&
                  head->rest.p + head->rest.len <= from_start.p + from_start.len);
}

static MsrpStep drain(MsrpFramer *f, Span in, Trace *t)
{
    MsrpPiece piece;
    MsrpStep step;

    while ((step = msrp_framer_step(f, &in, &piece)) != MSRP_STEP_MORE && step != MSRP_STEP_BAD) {
        g_assert_cmpuint(piece.text.len, >, 0);
        g_byte_array_append(t->raw, (const uint8_t *)piece.text.p, (guint)piece.text.len);
        if (step == MSRP_STEP_HEAD)
            trace_head(t, &piece.head);
        else if (step == MSRP_STEP_BODY)
            g_byte_array_append(t->body, (const uint8_t *)piece.text.p, (guint)piece.text.len);
        else
            g_string_append_printf(t->events, "end=%c(%zu) body-bytes=%u\n", piece.flag,
                                   piece.text.len, t->body->len);
    }
    if (step == MSRP_STEP_BAD)
        g_string_append_printf(t->events, "BAD %s\n", msrp_framer_error(f));
    else
        msrp_framer_keep(f, in);
    return step;
}

static Trace trace_new(void)
{
    return (Trace){g_string_new(NULL), g_byte_array_new(), g_byte_array_new()};
}

static void trace_free(Trace *t)
{
    g_string_free(t->events, TRUE);
    g_byte_array_unref(t->raw);
    g_byte_array_unref(t->body);
}

/* Feeds copies of exact size, so that a sanitizer sees a read past the end and a use after the
 * read. */
static MsrpStep feed_in_pieces(Span in, const size_t *sizes, size_t n_sizes, Trace *t)
{
    MsrpFramer f;
    MsrpStep step = MSRP_STEP_MORE;

    msrp_framer_init(&f);
    for (size_t i = 0; in.len && step != MSRP_STEP_BAD; i++) {
        size_t n = i < n_sizes ? MIN(sizes[i], in.len) : sizes[n_sizes - 1];
        g_autofree char *copy = g_memdup2(in.p, MIN(n, in.len));
        step = drain(&f, (Span){copy, MIN(n, in.len)}, t);
        g_assert_cmpuint(f.split.size, <=, E2AE_MSRP_MAX_HEADER);
        in = span_skip(in, n);
    }
    if (step != MSRP_STEP_BAD) {
        Span held = msrp_framer_held(&f);
        g_byte_array_append(t->raw, (const uint8_t *)held.p, (guint)held.len);
        if (f.collecting) {
            held = buf_span(&f.split);
            g_byte_array_append(t->raw, (const uint8_t *)held.p, (guint)held.len);
        }
    }
    msrp_framer_clear(&f);
    return step;
}

static void assert_same(const Trace *a, const Trace *b)
{
    g_assert_cmpstr(a->events->str, ==, b->events->str);
    g_assert_cmpmem(a->body->data, a->body->len, b->body->data, b->body->len);
}

/* Every cut in two, and single bytes, give what the whole gives; nothing is lost or added. */
static void check_every_cut(Span in, const Trace *whole)
{
    for (size_t cut = 0; cut <= in.len; cut++) {
        Trace t = trace_new();
        size_t sizes[] = {cut ? cut : 1, cut ? in.len : 1};
        feed_in_pieces(in, sizes, 2, &t);
        assert_same(whole, &t);
        g_assert_cmpmem(t.raw->data, t.raw->len, in.p, (int)in.len);
        trace_free(&t);
    }
}

/* name, input, what the steps say ("to", "from" and "rest" left out) */
static const struct Sample {
    const char *name, *in, *ends, *body;
} samples[] = {
    {"send",
     "MSRP a786hjs2 SEND\r\n" PATHS "Message-ID: 87652491\r\nByte-Range: 1-25/25\r\n" TEXT_TYPE
     "Hey Bob, are you there?\r\n-------a786hjs2$\r\n",
     "a786hjs2 SEND 0 1 $", "Hey Bob, are you there?"},
    {"response", "MSRP a786hjs2 200 OK\r\n" PATHS "-------a786hjs2$\r\n", "a786hjs2  200 0 $", ""},
    {"response-no-comment", "MSRP d93k 481\r\n" PATHS "-------d93k$\r\n", "d93k  481 0 $", ""},
    {"report",
     "MSRP dkei38sd REPORT\r\n" PATHS
     "Message-ID: 12339sdqwer\r\nByte-Range: 1-106/106\r\nStatus: 000 200 OK\r\n"
     "-------dkei38sd$\r\n",
     "dkei38sd REPORT 0 0 $", ""},
    {"chunks",
     "MSRP dkei38sd SEND\r\n" PATHS "Message-ID: 1\r\nByte-Range: 1-4/8\r\n" TEXT_TYPE
     "abcd\r\n-------dkei38sd+\r\n"
     "MSRP dkei38ia SEND\r\n" PATHS "Message-ID: 1\r\nByte-Range: 5-8/8\r\n" TEXT_TYPE
     "EFGH\r\n-------dkei38ia$\r\n",
     "dkei38sd SEND 0 1 +|dkei38ia SEND 0 1 $", "abcdEFGH"},
    {"interrupted",
     "MSRP dkei38sd SEND\r\n" PATHS "Message-ID: 1\r\n" TEXT_TYPE "ab\r\n-------dkei38sd#\r\n",
     "dkei38sd SEND 0 1 #", "ab"},
    {"empty-send", "MSRP abcd1234 SEND\r\n" PATHS "Message-ID: 1\r\n-------abcd1234$\r\n",
     "abcd1234 SEND 0 0 $", ""},
    {"empty-body", "MSRP abcd1234 SEND\r\n" PATHS TEXT_TYPE "\r\n-------abcd1234$\r\n",
     "abcd1234 SEND 0 1 $", ""},
    {"empty-body-one-crlf", "MSRP abcd1234 SEND\r\n" PATHS TEXT_TYPE "-------abcd1234$\r\n",
     "abcd1234 SEND 0 1 $", ""},
    {"body-of-crlf", "MSRP abcd1234 SEND\r\n" PATHS TEXT_TYPE "\r\n\r\n\r\n-------abcd1234$\r\n",
     "abcd1234 SEND 0 1 $", "\r\n\r\n"},
    {"other-methods",
     "MSRP abcd1234 NICKNAME\r\n" PATHS "Use-Nickname: \"A\"\r\n-------abcd1234$\r\n"
     "MSRP abcd1235 XYZ\r\n" PATHS "-------abcd1235$\r\n",
     "abcd1234 NICKNAME 0 0 $|abcd1235 XYZ 0 0 $", ""},
    {"tid-with-flags", "MSRP a+.-%=b+ SEND\r\n" PATHS TEXT_TYPE "x\r\n-------a+.-%=b+$\r\n",
     "a+.-%=b+ SEND 0 1 $", "x"},
    {"short-tid", "MSRP 1 200 OK\r\n" PATHS "-------1$\r\n", "1  200 0 $", ""},
    {"names-without-case",
     "MSRP abcd 200 OK\r\nto-path:msrp://b:1/s;tcp\r\n"
     "FROM-PATH:  msrp://a:1/s;tcp \r\n-------abcd$\r\n",
     "abcd  200 0 $", ""},
    {"look-alikes",
     "MSRP abcd1234 SEND\r\n" PATHS TEXT_TYPE
     "-------abcd1234\r\n-------abcd123$\r\n-------abcd12345$\r\n-------abcd1234!\r\n"
     "-------abcd1234$\n-------abcd1234$\rx\r\n------abcd1234$\r\n--------abcd1234$\r\n"
     "\n-------abcd1234$\r\nx-------abcd1234$\r\n-------abcd1234$ \r\r\n-------ABCD1234$\r\n"
     "\r\n-------abcd1234\r\n-------abcd1234+\r\n",
     "abcd1234 SEND 0 1 +",
     "-------abcd1234\r\n-------abcd123$\r\n-------abcd12345$\r\n-------abcd1234!\r\n"
     "-------abcd1234$\n-------abcd1234$\rx\r\n------abcd1234$\r\n--------abcd1234$\r\n"
     "\n-------abcd1234$\r\nx-------abcd1234$\r\n-------abcd1234$ \r\r\n-------ABCD1234$\r\n"
     "\r\n-------abcd1234"},
    {"frames-in-a-body",
     "MSRP aaaa SEND\r\n" PATHS TEXT_TYPE "MSRP bbbb SEND\r\n" PATHS TEXT_TYPE
     "x\r\n-------bbbb$\r\n\r\n-------aaaa$\r\n",
     "aaaa SEND 0 1 $", "MSRP bbbb SEND\r\n" PATHS TEXT_TYPE "x\r\n-------bbbb$\r\n"},
    {"look-alike-first", "MSRP abcd SEND\r\n" PATHS TEXT_TYPE "-------abcd$\rx\r\n-------abcd$\r\n",
     "abcd SEND 0 1 $", "-------abcd$\rx"},
    {"unfinished-body", "MSRP abcd SEND\r\n" PATHS TEXT_TYPE "xyz\r\n-------abcd$\r", "", "xyz"},
    {"unfinished-head", "MSRP abcd SEND\r\n" PATHS "Content-Ty", "", ""},
};

static void test_sample(const void *data)
{
    const struct Sample *s = data;
    Trace whole = trace_new();
    g_autoptr(GString) ends = g_string_new(NULL);
    Span in = span_str(s->in);
    MsrpFramer f;
    MsrpPiece piece;
    MsrpStep step;

    feed_in_pieces(in, &in.len, 1, &whole);
    g_assert_cmpmem(whole.body->data, whole.body->len, s->body, (int)strlen(s->body));
    g_assert_cmpmem(whole.raw->data, whole.raw->len, s->in, (int)strlen(s->in));
    check_every_cut(in, &whole);
    trace_free(&whole);
    msrp_framer_init(&f);
    while ((step = msrp_framer_step(&f, &in, &piece)) != MSRP_STEP_MORE) {
        g_assert_cmpint(step, !=, MSRP_STEP_BAD);
        if (step == MSRP_STEP_HEAD && msrp_framer_idle(&f) == false) {
            g_autofree char *tid = span_dup(piece.head.tid);
            g_autofree char *method = span_dup(piece.head.method);
            if (*s->ends)
                g_string_append_printf(ends, "%s%s %s %u %d ", ends->len ? "|" : "", tid, method,
                                       piece.head.status, piece.head.has_body);
        } else if (step == MSRP_STEP_END) {
            g_string_append_c(ends, piece.flag);
            g_assert_true(msrp_framer_idle(&f));
        }
    }
    g_assert_cmpstr(ends->str, ==, s->ends);
    msrp_framer_clear(&f);
}

/* Every pair of bytes in a body, around the end-line too. */
static void test_binary_bodies(void)
{
    for (int n = 0; n < 200; n++) {
        g_autoptr(GByteArray) in = g_byte_array_new();
        g_autoptr(GRand) rand = g_rand_new_with_seed((guint32)n);
        g_autoptr(GByteArray) body = g_byte_array_new();
        static const char alphabet[] = "\r\n-abcd$+#\0\xff";
        unsigned len = (unsigned)g_rand_int_range(rand, 0, 400);
        for (unsigned i = 0; i < len; i++)
            g_byte_array_append(
                body, (const uint8_t *)&alphabet[g_rand_int_range(rand, 0, sizeof(alphabet) - 1)],
                1);
        const char *head = "MSRP abcd SEND\r\n" PATHS TEXT_TYPE;
        g_byte_array_append(in, (const uint8_t *)head, (guint)strlen(head));
        g_byte_array_append(in, body->data, body->len);
        g_byte_array_append(in, (const uint8_t *)"\r\n-------abcd$\r\n", 16);
        Trace t = trace_new();
        size_t sizes[] = {strlen(head) + (size_t)g_rand_int_range(rand, 0, 100),
                          (size_t)g_rand_int_range(rand, 1, 30)};
        feed_in_pieces((Span){(const char *)in->data, in->len}, sizes, 2, &t);
        g_assert_cmpmem(t.body->data, t.body->len, body->data, body->len);
        g_assert_cmpmem(t.raw->data, t.raw->len, in->data, in->len);
        g_assert_true(g_str_has_suffix(t.events->str, "\n"));
        trace_free(&t);
    }
}

/* MSR-07: 100 MB pass through a few hundred bytes. */
static void test_streams_100_mb(void)
{
    const char *head = "MSRP abcd1234 SEND\r\n" PATHS TEXT_TYPE;
    MsrpFramer f;
    MsrpPiece piece;
    char body[16384];
    uint64_t bytes = 0;
    Span in = span_str(head);

    memset(body, '-', sizeof(body));
    memcpy(body + sizeof(body) - 12, "\r\n-------abc", 12); /* held back at every read */
    msrp_framer_init(&f);
    g_assert_cmpint(msrp_framer_step(&f, &in, &piece), ==, MSRP_STEP_HEAD);
    while (bytes < 100u * 1000 * 1000) {
        MsrpStep step;
        in = (Span){body, sizeof(body)};
        while ((step = msrp_framer_step(&f, &in, &piece)) == MSRP_STEP_BODY)
            bytes += piece.text.len;
        g_assert_cmpint(step, ==, MSRP_STEP_MORE);
        g_assert_cmpuint(in.len, ==, 12);
        msrp_framer_keep(&f, in);
        g_assert_cmpuint(f.split.size, ==, 0);
    }
    in = SPAN("d1234$\r\n");
    g_assert_cmpint(msrp_framer_step(&f, &in, &piece), ==, MSRP_STEP_END);
    g_assert_true(span_eq(piece.text, SPAN("\r\n-------abcd1234$\r\n")));
    msrp_framer_clear(&f);
}

/* Pieces are where the input is, not copies. */
static void test_does_not_copy(void)
{
    const char *text = samples[0].in;
    Span in = span_str(text);
    MsrpFramer f;
    MsrpPiece piece;
    MsrpStep step;
    const char *at = text;

    msrp_framer_init(&f);
    while ((step = msrp_framer_step(&f, &in, &piece)) != MSRP_STEP_MORE) {
        g_assert_true(piece.text.p == at);
        at += piece.text.len;
    }
    g_assert_true(at == text + strlen(text));
    g_assert_cmpuint(f.split.size, ==, 0);
    msrp_framer_clear(&f);
}

static const struct Bad {
    const char *name, *in, *what;
} bads[] = {
    {"http", "GET / HTTP/1.1\r\n", "no MSRP start line"},
    {"one-byte", "\x16", "no MSRP start line"},
    {"lower-case", "msrp abcd SEND\r\n", "no MSRP start line"},
    {"blank-line-between-frames", "MSRP abcd 200 OK\r\n" PATHS "-------abcd$\r\n\r\n",
     "no MSRP start line"},
    {"no-tid", "MSRP \r\n", "bad transaction id"},
    {"empty-tid", "MSRP  SEND\r\n", "bad transaction id"},
    {"control-in-tid",
     "MSRP ab\x01"
     "cd SEND\r\n",
     "bad transaction id"},
    {"non-ascii-tid", "MSRP ab\xc3\xa4 SEND\r\n", "bad transaction id"},
    {"long-tid", "MSRP 12345678901234567890123456789012345678901234567890123456789012345 SEND\r\n",
     "bad transaction id"},
    {"no-method", "MSRP abcd\r\n", "neither a method nor a status code"},
    {"empty-method", "MSRP abcd \r\n", "neither a method nor a status code"},
    {"lower-case-method", "MSRP abcd Send\r\n", "neither a method nor a status code"},
    {"words-after-method", "MSRP abcd SEND now\r\n", "neither a method nor a status code"},
    {"two-digits", "MSRP abcd 20 OK\r\n", "neither a method nor a status code"},
    {"four-digits", "MSRP abcd 2000\r\n", "neither a method nor a status code"},
    {"no-paths", "MSRP abcd 200 OK\r\n-------abcd$\r\n", "To-Path and From-Path must come first"},
    {"no-from-path", "MSRP abcd SEND\r\nTo-Path: msrp://b:1/s;tcp\r\n-------abcd$\r\n",
     "To-Path and From-Path must come first"},
    {"paths-swapped", "MSRP abcd SEND\r\nFrom-Path: msrp://a:1/s;tcp\r\n",
     "To-Path and From-Path must come first"},
    {"header-between", "MSRP abcd SEND\r\nTo-Path: msrp://b:1/s;tcp\r\nMessage-ID: 1\r\n",
     "To-Path and From-Path must come first"},
    {"empty-path", "MSRP abcd SEND\r\nTo-Path: \r\n", "empty path"},
    {"blank-line-early", "MSRP abcd SEND\r\n\r\n", "To-Path and From-Path must come first"},
    {"no-colon", "MSRP abcd SEND\r\n" PATHS "Message-ID\r\n", "not a header"},
    {"no-name", "MSRP abcd SEND\r\n" PATHS ": 1\r\n", "not a header"},
    {"folded", "MSRP abcd SEND\r\n" PATHS "Message-ID: 1\r\n 2: 3\r\n", "not a header"},
    {"other-end-line", "MSRP abcd SEND\r\n" PATHS "-------abce$\r\n", "not a header"},
    {"end-line-without-flag", "MSRP abcd SEND\r\n" PATHS "-------abcd\r\n", "not a header"},
    {"end-line-with-other-flag", "MSRP abcd SEND\r\n" PATHS "-------abcd*\r\n", "not a header"},
    {"bare-lf", "MSRP abcd SEND\n", "line without CR"},
    {"bare-lf-in-headers", "MSRP abcd SEND\r\n" PATHS "Message-ID: 1\n", "line without CR"},
    {"bare-lf-blank-line", "MSRP abcd SEND\r\n" PATHS "\n", "line without CR"},
};

static void check_bad(Span in, const char *what)
{
    for (size_t cut = 0; cut <= in.len; cut++) {
        Trace t = trace_new();
        size_t sizes[] = {cut ? cut : 1, cut ? in.len : 1};
        g_assert_cmpint(feed_in_pieces(in, sizes, 2, &t), ==, MSRP_STEP_BAD);
        g_assert_nonnull(strstr(t.events->str, what));
        g_assert_nonnull(strstr(t.events->str, " of a frame: \""));
        /* nothing of the bad frame: at most the good one before it */
        g_assert_true(t.raw->len == 0 || memcmp(t.raw->data + t.raw->len - 3, "$\r\n", 3) == 0);
        trace_free(&t);
    }
}

static void test_bad(const void *data)
{
    const struct Bad *b = data;

    check_bad(span_str(b->in), b->what);
}

/* MSR-07: bounded header memory, the same bound however the bytes come. */
static void test_header_limit(void)
{
    static const char *const tails[] = {TEXT_TYPE, "-------abcd$\r\n"};
    const char *start = "MSRP abcd SEND\r\n" PATHS "X: ";

    for (size_t i = 0; i < G_N_ELEMENTS(tails); i++)
        for (size_t over = 0; over < 3; over++) {
            g_autoptr(GString) in = g_string_new(start);
            size_t fill = E2AE_MSRP_MAX_HEADER - in->len - 2 - strlen(tails[i]);
            for (size_t n = 0; n < fill + over; n++)
                g_string_append_c(in, 'x');
            g_string_append(in, "\r\n");
            g_string_append(in, tails[i]);
            for (size_t piece = 1; piece < 2 * E2AE_MSRP_MAX_HEADER; piece = piece * 3 + 1) {
                Trace t = trace_new();
                MsrpStep step = feed_in_pieces((Span){in->str, in->len}, &piece, 1, &t);
                g_assert_cmpint(step == MSRP_STEP_BAD, ==, over > 0);
                trace_free(&t);
            }
        }
    g_autofree char *endless = g_strnfill(3 * E2AE_MSRP_MAX_HEADER, 'x');
    memcpy(endless, "MSRP ", 5);
    size_t pieces[] = {1, 100, E2AE_MSRP_MAX_HEADER, 3 * E2AE_MSRP_MAX_HEADER};
    for (size_t i = 0; i < G_N_ELEMENTS(pieces); i++) {
        Trace t = trace_new();
        g_assert_cmpint(feed_in_pieces(span_str(endless), &pieces[i], 1, &t), ==, MSRP_STEP_BAD);
        g_assert_cmpuint(t.raw->len, ==, 0);
        trace_free(&t);
    }
}

static void test_longest_tid(void)
{
    g_autofree char *tid = g_strnfill(E2AE_MSRP_MAX_TID, 't');
    g_autofree char *in = g_strdup_printf("MSRP %s SEND\r\n" PATHS TEXT_TYPE
                                          "x\r\n-------%.63s$\r\n\r\n-------%s$\r\n",
                                          tid, tid, tid);
    Trace whole = trace_new();
    size_t n = strlen(in);

    g_assert_cmpint(feed_in_pieces(span_str(in), &n, 1, &whole), ==, MSRP_STEP_MORE);
    g_assert_cmpuint(whole.body->len, ==, 1 + 2 + 7 + 63 + 3);
    check_every_cut(span_str(in), &whole);
    trace_free(&whole);
}

static void test_stays_bad(void)
{
    MsrpFramer f;
    MsrpPiece piece;
    Span in = SPAN("x"), good = span_str(samples[0].in);

    msrp_framer_init(&f);
    g_assert_cmpint(msrp_framer_step(&f, &in, &piece), ==, MSRP_STEP_BAD);
    g_assert_cmpint(msrp_framer_step(&f, &good, &piece), ==, MSRP_STEP_BAD);
    msrp_framer_keep(&f, good);
    g_assert_cmpuint(f.split.size, ==, 0);
    g_assert_cmpstr(msrp_framer_error(&f), ==,
                    "MSRP: no MSRP start line, in line 1 of a frame: \"x\"");
    msrp_framer_clear(&f);
}

static void test_find(void)
{
    MsrpHead head = {
        .rest = SPAN("Message-ID: 1\r\nfailure-report:  No \r\nFailure-Report: yes\r\nX:\r\n")};
    Span value;

    g_assert_true(msrp_head_find(&head, SPAN("Failure-Report:"), &value));
    g_assert_true(span_eq(value, SPAN("No")));
    g_assert_true(msrp_head_find(&head, SPAN("X:"), &value));
    g_assert_cmpuint(value.len, ==, 0);
    g_assert_false(msrp_head_find(&head, SPAN("Message:"), &value));
}

/* What a framer says about @frame when it has read @before; the bytes behind @frame end a body. */
static char *judge(Span before, Span frame)
{
    MsrpFramer f;
    Trace t = trace_new();

    msrp_framer_init(&f);
    if (before.len)
        g_assert_cmpint(drain(&f, before, &t), ==, MSRP_STEP_MORE);
    g_string_truncate(t.events, 0);
    g_byte_array_set_size(t.body, 0);
    drain(&f, frame, &t);
    char *events = g_string_free(g_steal_pointer(&t.events), FALSE);
    t.events = g_string_new(NULL);
    trace_free(&t);
    msrp_framer_clear(&f);
    return events;
}

/* MSR-07: a head that is like the one before is judged as if it were the first, whatever byte of it
 * differs. */
static void test_like_the_one_before(void)
{
    static const char *const frames[] = {
        "MSRP a786hjs2 SEND\r\n" PATHS "Message-ID: 8765\r\nByte-Range: 1-4/4\r\n" TEXT_TYPE
        "body\r\n-------a786hjs2$\r\n",
        "MSRP a786:js2 SEND\r\n" PATHS "x------a786:js2$: 1\r\n" TEXT_TYPE
        "body\r\n-------a786:js2$\r\n",
        "MSRP aaaa SEND\r\n" PATHS "A: \r\n\r\nbody\r\n-------aaaa$\r\n",
        "MSRP aaaa SEND\r\n" PATHS "\r\nbody\r\n-------aaaa$\r\n",
        "MSRP aaaa 200 OK\r\n" PATHS "\r\nbody\r\n-------aaaa$\r\n",
    };
    static const char bytes[] = "Aa0-: \r\n\t\x7f\x80\x00$";

    for (size_t k = 0; k < G_N_ELEMENTS(frames); k++) {
        Span model = span_str(frames[k]);
        for (size_t at = 0; at < model.len; at++)
            for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
                g_autofree char *changed = g_memdup2(model.p, model.len);
                changed[at] = bytes[i];
                g_autofree char *alone = judge(SPAN(""), (Span){changed, model.len});
                g_autofree char *behind = judge(model, (Span){changed, model.len});
                g_assert_cmpstr(behind, ==, alone);
            }
    }
}

/* Two bytes at once: an end-line where the model has a header. */
static void test_end_line_like_a_header(void)
{
    const Span model = SPAN("MSRP a7:6hjs2 SEND\r\n" PATHS "x------a7:6hjs2$\r\n\r\n"
                            "body\r\n-------a7:6hjs2$\r\n");
    g_autofree char *changed = span_dup(model);

    *strstr(changed, "x------") = '-';
    g_autofree char *alone = judge(SPAN(""), (Span){changed, model.len});
    g_autofree char *behind = judge(model, (Span){changed, model.len});
    g_assert_nonnull(strstr(alone, "body=0"));
    g_assert_cmpstr(behind, ==, alone);
}

/* How much of @in the steps take for the first frame; 0: it does not end in there, or is bad. */
static size_t length_in_steps(Span in)
{
    Span rest = in;
    MsrpFramer f;
    MsrpPiece piece;
    MsrpStep step;

    msrp_framer_init(&f);
    do
        step = msrp_framer_step(&f, &rest, &piece);
    while (step == MSRP_STEP_HEAD || step == MSRP_STEP_BODY);
    msrp_framer_clear(&f);
    return step == MSRP_STEP_END ? in.len - rest.len : 0;
}

/* MSR-07: a whole frame in one is what the steps make of it, whatever byte of it differs and wherever the input ends. */
static void test_whole(void)
{
    const Span model = SPAN("MSRP a786hjs2 SEND\r\n" PATHS "Message-ID: 8765\r\n" TEXT_TYPE
                            "body\r\n-------a786hjs2$\r\n");
    static const char bytes[] = "Aa0-: \r\n\t\x7f\x80\x00$";
    unsigned whole = 0;

    for (size_t at = 0; at < 2 * model.len; at++)
        for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
            g_autofree char *changed = g_memdup2(model.p, model.len);
            Span in = {changed, at < model.len ? model.len : at - model.len}, before = in,
                 first = model;
            changed[at % model.len] = bytes[i];
            MsrpFramer f;
            MsrpPiece piece;
            MsrpWhole frame;
            msrp_framer_init(&f);
            g_assert_false(msrp_framer_whole(&f, &first, &frame)); /* like nothing before */
            while (msrp_framer_step(&f, &first, &piece) != MSRP_STEP_MORE)
                continue;
            if (msrp_framer_whole(&f, &in, &frame)) {
                whole++;
                g_assert_cmpuint(before.len - in.len, ==, length_in_steps(before));
                g_assert_true(frame.before.p == changed);
                g_assert_true(frame.behind.p == frame.before.p + frame.before.len + strlen(PATHS));
                g_assert_true(frame.behind.p + frame.behind.len == in.p);
            } else {
                g_assert_true(in.p == before.p && in.len == before.len);
            }
            msrp_framer_clear(&f);
        }
    g_assert_cmpuint(whole, >, 100);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
        g_autofree char *name = g_strconcat("/framing/msrp/frame/MSR-07/", samples[i].name, NULL);
        g_test_add_data_func(name, &samples[i], test_sample);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bads); i++) {
        g_autofree char *name =
            g_strconcat("/framing/msrp/frame/MSR-07/rejects-", bads[i].name, NULL);
        g_test_add_data_func(name, &bads[i], test_bad);
    }
    g_test_add_func("/framing/msrp/frame/MSR-07/binary-bodies", test_binary_bodies);
    g_test_add_func("/framing/msrp/frame/MSR-07/streams-100-MB", test_streams_100_mb);
    g_test_add_func("/framing/msrp/frame/MSR-07/does-not-copy", test_does_not_copy);
    g_test_add_func("/framing/msrp/frame/MSR-07/header-limit", test_header_limit);
    g_test_add_func("/framing/msrp/frame/MSR-07/longest-tid", test_longest_tid);
    g_test_add_func("/framing/msrp/frame/stays-bad", test_stays_bad);
    g_test_add_func("/framing/msrp/frame/MSR-07/like-the-one-before", test_like_the_one_before);
    g_test_add_func("/framing/msrp/frame/end-line-like-a-header", test_end_line_like_a_header);
    g_test_add_func("/framing/msrp/frame/MSR-07/whole", test_whole);
    g_test_add_func("/framing/msrp/frame/find", test_find);
    return g_test_run();
}
