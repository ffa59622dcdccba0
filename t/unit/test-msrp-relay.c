/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "framing/msrp-relay.h"

#include "framing/msrp-build.h"
#include "framing/msrp-frame.h"

#define UE_S   "msrps://ue.example.com:2855/s3Ae9;tcp"
#define UE_P   "msrp://ue.example.com:2855/s3Ae9;tcp"
#define CORE_S "msrps://198.51.100.7:7000/kQ1;tcp"
#define CORE_P "msrp://198.51.100.7:7000/kQ1;tcp"
#define AGW_S  "msrps://192.0.2.1:30000/kQ1;tcp"
#define AGW_P  "msrp://192.0.2.9:30002/s3Ae9;tcp"
#define OTHER  "msrps://192.0.2.1:30000/other;tcp"

#define PATHS(to, from) "To-Path: " to "\r\nFrom-Path: " from "\r\n"
#define SEND(tid, to, from, headers, body, flag)                                                   \
    "MSRP " tid " SEND\r\n" PATHS(to, from) "Message-ID: 7\r\n" headers                            \
                                            "Content-Type: text/plain\r\n\r\n" body                \
                                            "\r\n-------" tid flag "\r\n"
#define RESPONSE(tid, status, to, from)                                                            \
    "MSRP " tid " " status "\r\n" PATHS(to, from) "-------" tid "$\r\n"
#define REPORT(tid, to, from)                                                                      \
    "MSRP " tid " REPORT\r\n" PATHS(to, from) "Message-ID: 7\r\nByte-Range: 1-2/2\r\n"             \
                                              "Status: 000 200 OK\r\n-------" tid "$\r\n"
#define NOT_HERE(tid, to, from) RESPONSE(tid, "481 Session does not exist", to, from)

typedef struct Legs {
    GString *forwarded, *replied;
    unsigned calls;
    unsigned stop_after; /* calls; 0: never */
} Legs;

static bool forward_cb(void *arg, const Span *slices, unsigned n)
{
    Legs *legs = arg;

    g_assert_cmpuint(n, >, 0);
    g_assert_cmpuint(n, <=, MSRP_SLICES_MAX);
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmpuint(slices[i].len, >, 0);
        g_string_append_len(legs->forwarded, slices[i].p, (gssize)slices[i].len);
    }
    return ++legs->calls != legs->stop_after;
}

static bool reply_cb(void *arg, Span frame)
{
    Legs *legs = arg;

    g_string_append_len(legs->replied, frame.p, (gssize)frame.len);
    return ++legs->calls != legs->stop_after;
}

static Legs legs_new(void)
{
    return (Legs){.forwarded = g_string_new(NULL), .replied = g_string_new(NULL)};
}

static void legs_free(Legs *legs)
{
    g_string_free(legs->forwarded, TRUE);
    g_string_free(legs->replied, TRUE);
}

static const MsrpMapSpec keep = {.mode = MSRP_MAP_KEEP};
static const MsrpMapSpec scheme_out = {
    .mode = MSRP_MAP_SCHEME, .to_here = SPAN(CORE_S), .from_here = SPAN(UE_S)};
static const MsrpMapSpec scheme_in = {.mode = MSRP_MAP_SCHEME,
                                      .secure_there = true,
                                      .to_here = SPAN(UE_P),
                                      .from_here = SPAN(CORE_P)};
static const MsrpMapSpec aware = {.mode = MSRP_MAP_AWARE,
                                  .to_here = SPAN(AGW_S),
                                  .from_here = SPAN(UE_S),
                                  .to_there = SPAN(CORE_P),
                                  .from_there = SPAN(AGW_P)};
static const MsrpMapSpec second = {.mode = MSRP_MAP_AWARE,
                                   .bound_elsewhere = true,
                                   .to_here = SPAN(AGW_S),
                                   .from_here = SPAN(UE_S),
                                   .to_there = SPAN(CORE_P),
                                   .from_there = SPAN(AGW_P)};

#define TRICKY "\r\n-------abcd\r\n-------abcde$\r\nTo-Path: " CORE_S "\r\n"

static const struct Case {
    const char *name;
    const MsrpMapSpec *spec;
    const char *in, *forwarded, *replied;
    unsigned refused, dropped;
} cases[] = {
    {"TRK-01/send", &scheme_out, SEND("abcd", CORE_S, UE_S, "", TRICKY, "$"),
     SEND("abcd", CORE_P, UE_P, "", TRICKY, "$"), "", 0, 0},
    {"TRK-01/send-secure", &scheme_in, SEND("abcd", UE_P, CORE_P, "", "x", "$"),
     SEND("abcd", UE_S, CORE_S, "", "x", "$"), "", 0, 0},
    {"MSR-08/response", &scheme_in, RESPONSE("abcd", "200 OK", UE_P, CORE_P),
     RESPONSE("abcd", "200 OK", UE_S, CORE_S), "", 0, 0},
    {"MSR-08/report", &scheme_out, REPORT("r1r1", CORE_S, UE_S), REPORT("r1r1", CORE_P, UE_P), "",
     0, 0},
    {"TRK-01/unknown-session-untouched", &scheme_out, SEND("abcd", OTHER, UE_S, "", "x", "$"),
     SEND("abcd", OTHER, UE_P, "", "x", "$"), "", 0, 0},
    {"TRK-01/only-the-path-headers", &scheme_out,
     SEND("abcd", CORE_S, UE_S, "X-Path: " CORE_S "\r\n", CORE_S, "$"),
     SEND("abcd", CORE_P, UE_P, "X-Path: " CORE_S "\r\n", CORE_S, "$"), "", 0, 0},
    {"TRK-02/chunks", &aware,
     SEND("aaaa", AGW_S, UE_S, "Byte-Range: 1-2/4\r\n", "xy", "+")
         SEND("bbbb", AGW_S, UE_S, "Byte-Range: 3-4/4\r\n", "zw", "#"),
     SEND("aaaa", CORE_P, AGW_P, "Byte-Range: 1-2/4\r\n", "xy", "+")
         SEND("bbbb", CORE_P, AGW_P, "Byte-Range: 3-4/4\r\n", "zw", "#"),
     "", 0, 0},
    {"TRK-02/response-and-report", &aware,
     RESPONSE("abcd", "413 Stop", AGW_S, UE_S) REPORT("r1r1", AGW_S, UE_S),
     RESPONSE("abcd", "413 Stop", CORE_P, AGW_P) REPORT("r1r1", CORE_P, AGW_P), "", 0, 0},
    {"CEM-03/empty-send", &aware,
     "MSRP abcd SEND\r\n" PATHS(AGW_S, UE_S) "Message-ID: 7\r\n-------abcd$\r\n",
     "MSRP abcd SEND\r\n" PATHS(CORE_P, AGW_P) "Message-ID: 7\r\n-------abcd$\r\n", "", 0, 0},
    {"MSR-05/481", &aware,
     SEND("aaaa", OTHER, UE_S, "", "no", "$") SEND("bbbb", AGW_S, UE_S, "", "yes", "$"),
     SEND("bbbb", CORE_P, AGW_P, "", "yes", "$"), NOT_HERE("aaaa", UE_S, OTHER), 1, 0},
    {"MSR-05/481-for-another-sender", &aware, SEND("aaaa", AGW_S, CORE_S, "", "no", "$"), "",
     NOT_HERE("aaaa", CORE_S, AGW_S), 1, 0},
    {"MSR-05/481-to-the-leftmost", &aware,
     SEND("aaaa", OTHER " " CORE_S, CORE_S " " UE_S, "", "no", "$"), "",
     NOT_HERE("aaaa", CORE_S, OTHER), 1, 0},
    {"MSR-05/481-of-an-unknown-method", &aware,
     "MSRP abcd HELLO\r\n" PATHS(OTHER, UE_S) "-------abcd$\r\n", "", NOT_HERE("abcd", UE_S, OTHER),
     1, 0},
    {"TRK-02/failure-report-no", &aware,
     SEND("aaaa", OTHER, UE_S, "Failure-Report: no\r\n", "no", "$"), "", "", 0, 1},
    {"TRK-02/failure-report-partial", &aware,
     SEND("aaaa", OTHER, UE_S, "Failure-Report: partial\r\n", "no", "$"), "",
     NOT_HERE("aaaa", UE_S, OTHER), 1, 0},
    {"MSR-08/no-answer-to-a-report", &aware, REPORT("r1r1", OTHER, UE_S), "", "", 0, 1},
    {"MSR-08/no-answer-to-a-response", &aware, RESPONSE("abcd", "200 OK", OTHER, UE_S), "", "", 0,
     1},
    {"MSR-05/506", &second, SEND("aaaa", AGW_S, UE_S, "", "again", "$"), "",
     RESPONSE("aaaa", "506 Session already in use", UE_S, AGW_S), 1, 0},
    {"MSR-05/506-or-481", &second, SEND("aaaa", OTHER, UE_S, "", "again", "$"), "",
     NOT_HERE("aaaa", UE_S, OTHER), 1, 0},
    {"MSR-05/506-silent", &second,
     RESPONSE("aaaa", "200 OK", AGW_S, UE_S) REPORT("r1r1", AGW_S, UE_S), "", "", 0, 2},
    {"keep/identity", &keep,
     SEND("abcd", OTHER, UE_S, "", TRICKY, "$") RESPONSE("abcd", "200", "sip:x", "y"),
     SEND("abcd", OTHER, UE_S, "", TRICKY, "$") RESPONSE("abcd", "200", "sip:x", "y"), "", 0, 0},
};

static MsrpRelayResult feed_cut(MsrpRelay *r, Span in, size_t first, size_t then, Legs *legs)
{
    MsrpSink sink = {forward_cb, reply_cb, legs};
    MsrpRelayResult result = MSRP_RELAY_OK;

    for (size_t n = first; in.len && result == MSRP_RELAY_OK; in = span_skip(in, n), n = then) {
        size_t len = MIN(n ? n : then, in.len);
        g_autofree char *copy = g_memdup2(in.p, len); /* exact, and gone after the call */
        n = len;
        result = msrp_relay_feed(r, (Span){copy, len}, &sink);
    }
    return result;
}

static void test_case(const void *data)
{
    const struct Case *c = data;
    Span in = span_str(c->in);

    for (size_t cut = 0; cut <= in.len; cut++) {
        g_autoptr(MsrpRelay) r = msrp_relay_new(c->spec);
        Legs legs = legs_new();
        g_assert_cmpint(feed_cut(r, in, cut, cut ? in.len : 1, &legs), ==, MSRP_RELAY_OK);
        g_assert_cmpstr(legs.forwarded->str, ==, c->forwarded);
        g_assert_cmpstr(legs.replied->str, ==, c->replied);
        g_assert_cmpuint(msrp_relay_counts(r).refused, ==, c->refused);
        g_assert_cmpuint(msrp_relay_counts(r).dropped, ==, c->dropped);
        legs_free(&legs);
    }
}

/* Of a bad frame nothing is forwarded, of the good one before it everything. */
static void test_malformed(void)
{
    static const struct {
        const char *in, *what;
        const MsrpMapSpec *spec;
    } bad[] = {
        {"MSRP abcd SEND\r\nFrom-Path: x\r\n", "To-Path", &keep},
        {"MSRP abcd SEND\r\n" PATHS("sip:bob", UE_S) "\r\n",
         "To-Path is not a path of MSRP URIs: \"sip:bob\"", &aware},
        {"MSRP abcd SEND\r\n" PATHS(CORE_S, UE_S " :") "\r\n", "From-Path is not a path",
         &scheme_out},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        const char *good = RESPONSE("good", "200 OK", CORE_P, AGW_P);
        const char *good_in =
            bad[i].spec == &aware ? RESPONSE("good", "200 OK", AGW_S, UE_S) : good;
        g_autofree char *in = g_strconcat(good_in, bad[i].in, "more bytes\r\n", NULL);
        for (size_t cut = 0; cut <= strlen(in); cut++) {
            g_autoptr(MsrpRelay) r = msrp_relay_new(bad[i].spec);
            Legs legs = legs_new();
            MsrpSink sink = {forward_cb, reply_cb, &legs};
            g_assert_cmpint(feed_cut(r, span_str(in), cut, cut ? strlen(in) : 1, &legs), ==,
                            MSRP_RELAY_MALFORMED);
            g_assert_cmpstr(legs.forwarded->str, ==, good);
            g_assert_nonnull(strstr(msrp_relay_error(r), bad[i].what));
            g_assert_cmpint(msrp_relay_feed(r, span_str(good), &sink), ==, MSRP_RELAY_MALFORMED);
            g_assert_cmpstr(legs.forwarded->str, ==, good);
            legs_free(&legs);
        }
    }
}

/* COM-10: the answer to our own SEND stays here, others pass. */
static void test_own_send(void)
{
    g_autoptr(MsrpRelay) r = msrp_relay_new(&aware);
    Legs legs = legs_new();
    const char *others = RESPONSE("mine1234", "200 OK", AGW_S, UE_S);

    msrp_relay_expect(r, SPAN("mine1234"));
    g_assert_cmpint(feed_cut(r, SPAN(SEND("mine1234", AGW_S, UE_S, "", "x", "$")), 1, 1, &legs), ==,
                    MSRP_RELAY_OK);
    g_assert_cmpuint(msrp_relay_own_status(r), ==, 0);
    feed_cut(r, span_str(others), 1, 1, &legs);
    g_assert_cmpuint(msrp_relay_own_status(r), ==, 200);
    g_assert_cmpstr(legs.forwarded->str, ==, SEND("mine1234", CORE_P, AGW_P, "", "x", "$"));
    feed_cut(r, span_str(others), 1, 1, &legs); /* only one is ours */
    g_assert_true(
        g_str_has_suffix(legs.forwarded->str, RESPONSE("mine1234", "200 OK", CORE_P, AGW_P)));
    g_assert_cmpuint(msrp_relay_own_status(r), ==, 200);
    g_assert_cmpuint(msrp_relay_counts(r).forwarded, ==, 2);
    legs_free(&legs);
}

/* Frames of ours never land inside one that is passing. */
static void test_insert(void)
{
    g_autoptr(MsrpRelay) r = msrp_relay_new(&scheme_out);
    Legs legs = legs_new();
    MsrpSink sink = {forward_cb, reply_cb, &legs};
    const char *in =
        SEND("aaaa", CORE_S, UE_S, "", "body", "$") SEND("bbbb", CORE_S, UE_S, "", "b", "$");
    size_t cut = (size_t)(strstr(in, "body") + 2 - in);
    g_autofree char *big = g_strnfill(MSRP_INSERT_MAX - 4, 'b');

    g_assert_true(msrp_relay_insert(r, SPAN("<1>"), &sink));
    g_assert_cmpstr(legs.forwarded->str, ==, "<1>");
    g_assert_cmpint(msrp_relay_feed(r, span_head(span_str(in), cut), &sink), ==, MSRP_RELAY_OK);
    g_assert_true(msrp_relay_insert(r, SPAN("<2>"), &sink));
    g_assert_true(msrp_relay_insert(r, SPAN("<"), &sink));
    g_assert_false(
        msrp_relay_insert(r, (Span){big, MSRP_INSERT_MAX - 3}, &sink)); /* too much waits */
    g_assert_true(msrp_relay_insert(r, SPAN("3>"), &sink));
    g_assert_cmpint(msrp_relay_feed(r, span_skip(span_str(in), cut), &sink), ==, MSRP_RELAY_OK);
    g_assert_cmpstr(legs.forwarded->str, ==,
                    "<1>" SEND("aaaa", CORE_P, UE_P, "", "body",
                               "$") "<2><3>" SEND("bbbb", CORE_P, UE_P, "", "b", "$"));
    legs_free(&legs);
}

/* TRK-03: from the next frame on. */
static void test_set_map(void)
{
    g_autoptr(MsrpRelay) r = msrp_relay_new(&keep);
    Legs legs = legs_new();
    Span in = SPAN(SEND("aaaa", AGW_S, UE_S, "", "x", "$") SEND("bbbb", AGW_S, UE_S, "", "y", "$"));
    size_t in_body = strlen(SEND("aaaa", AGW_S, UE_S, "", "x", "$")) - 5;

    feed_cut(r, span_head(in, in_body), 1, 1, &legs);
    g_assert_false(msrp_relay_set_map(r, &(MsrpMapSpec){.mode = MSRP_MAP_AWARE}));
    g_assert_true(msrp_relay_set_map(r, &aware));
    feed_cut(r, span_skip(in, in_body), 1, 1, &legs);
    g_assert_cmpstr(legs.forwarded->str, ==,
                    SEND("aaaa", AGW_S, UE_S, "", "x", "$")
                        SEND("bbbb", CORE_P, AGW_P, "", "y", "$"));
    legs_free(&legs);
}

/* Each callback may say stop; then nothing more is done in that feed. */
static void test_stop(void)
{
    Span in = SPAN(SEND("aaaa", OTHER, UE_S, "", "x", "$") SEND("bbbb", AGW_S, UE_S, "", "y", "$"));

    for (unsigned stop = 1; stop <= 2; stop++) {
        g_autoptr(MsrpRelay) r = msrp_relay_new(&aware);
        Legs legs = legs_new();
        MsrpSink sink = {forward_cb, reply_cb, &legs};
        legs.stop_after = stop;
        g_assert_cmpint(msrp_relay_feed(r, in, &sink), ==, MSRP_RELAY_STOPPED);
        g_assert_cmpuint(legs.calls, ==, stop);
        g_assert_cmpint(legs.forwarded->len == 0, ==, stop == 1);
        legs_free(&legs);
    }
}

/* Many frames in one read: few calls, never more slices than said, all bytes. */
static void test_many_frames(void)
{
    g_autoptr(GString) in = g_string_new(NULL), out = g_string_new(NULL);
    g_autoptr(MsrpRelay) r = msrp_relay_new(&aware);
    Legs legs = legs_new();
    MsrpSink sink = {forward_cb, reply_cb, &legs};

    for (int i = 0; i < 300; i++) {
        g_string_append(in, SEND("aaaa", AGW_S, UE_S, "", "body", "$"));
        g_string_append(out, SEND("aaaa", CORE_P, AGW_P, "", "body", "$"));
    }
    g_assert_cmpint(msrp_relay_feed(r, (Span){in->str, in->len}, &sink), ==, MSRP_RELAY_OK);
    g_assert_cmpstr(legs.forwarded->str, ==, out->str);
    g_assert_cmpuint(legs.calls, ==, (300 * 2 + 1 + MSRP_SLICES_MAX - 1) / MSRP_SLICES_MAX);
    legs_free(&legs);
}

/* What was found out about the paths of one frame is not taken for those of the next. */
static void test_paths_in_turn(void)
{
    static const char equal[] = "MSRPS://x@192.0.2.1:30000/kQ1;TCP"; /* AGW_S in other words */
    g_autoptr(GString) in = g_string_new(NULL), out = g_string_new(NULL);

    for (unsigned i = 0; i < 64; i++) {
        for (unsigned bit = 0; bit < 6; bit++) {
            bool known = i >> bit & 1;
            g_string_append_printf(in, SEND("aaaa", "%s", UE_S, "", "body", "$"),
                                   bit % 3 == 2 ? equal
                                   : known      ? AGW_S
                                                : OTHER);
            if (known || bit % 3 == 2)
                g_string_append(out, SEND("aaaa", CORE_P, AGW_P, "", "body", "$"));
        }
    }
    for (size_t piece = 1; piece < 2000; piece += 37) {
        g_autoptr(MsrpRelay) r = msrp_relay_new(&aware);
        Legs legs = legs_new();
        MsrpSink sink = {forward_cb, reply_cb, &legs};
        for (size_t at = 0; at < in->len; at += piece) {
            size_t n = MIN(piece, in->len - at);
            g_autofree char *copy = g_memdup2(in->str + at, n);
            g_assert_cmpint(msrp_relay_feed(r, (Span){copy, n}, &sink), ==, MSRP_RELAY_OK);
        }
        g_assert_cmpstr(legs.forwarded->str, ==, out->str);
        g_assert_cmpuint(msrp_relay_counts(r).refused, ==, 64 * 2);
        legs_free(&legs);
    }
}

static bool count_cb(void *arg, const Span *slices, unsigned n)
{
    uint64_t *bytes = arg;

    for (unsigned i = 0; i < n; i++)
        *bytes += slices[i].len;
    return true;
}

/* 100 MB through a relay whose memory does not grow: every byte is forwarded in the feed that
 * brought it. */
static void test_streams_100_mb(void)
{
    g_autoptr(MsrpRelay) r = msrp_relay_new(&scheme_out);
    uint64_t bytes = 0, want = 0;
    MsrpSink sink = {count_cb, NULL, &bytes};
    Span head = SPAN("MSRP abcd SEND\r\n" PATHS(CORE_S, UE_S) "Content-Type: x/y\r\n\r\n");
    char body[16384];

    memset(body, '\r', sizeof(body));
    memcpy(body + 100, "\r\n-------abcd!", 14);
    body[sizeof(body) - 1] = 'x';
    g_assert_cmpint(msrp_relay_feed(r, head, &sink), ==, MSRP_RELAY_OK);
    for (want = head.len - 2; want < 100u * 1000 * 1000; want += sizeof(body)) {
        g_assert_cmpuint(bytes, ==, want);
        g_assert_cmpint(msrp_relay_feed(r, (Span){body, sizeof(body)}, &sink), ==, MSRP_RELAY_OK);
    }
    g_assert_cmpuint(bytes, ==, want);
    g_assert_cmpint(msrp_relay_feed(r, SPAN("\r\n-------abcd$\r\n"), &sink), ==, MSRP_RELAY_OK);
    g_assert_cmpuint(bytes, ==, want + 16);
}

/* A connection that ends inside a frame: what was forwarded is all that came of it, but no part of
 * a head. */
static void test_finish(void)
{
    const char *whole = SEND("aaaa", CORE_P, UE_P, "", "body", "$");
    const char *in = SEND("aaaa", CORE_S, UE_S, "", "body", "$");
    size_t head = (size_t)(strstr(in, "body") - in), shorter = strlen(in) - strlen(whole);

    for (size_t cut = 0; cut <= strlen(in); cut++) {
        g_autoptr(MsrpRelay) r = msrp_relay_new(&scheme_out);
        Legs legs = legs_new();
        MsrpSink sink = {forward_cb, reply_cb, &legs};
        g_assert_cmpint(msrp_relay_feed(r, span_head(span_str(in), cut), &sink), ==, MSRP_RELAY_OK);
        g_assert_cmpint(msrp_relay_finish(r, &sink), ==, MSRP_RELAY_OK);
        size_t want = cut < head ? 0 : cut - shorter;
        g_assert_cmpmem(legs.forwarded->str, (int)legs.forwarded->len, whole, (int)want);
        legs_free(&legs);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strconcat("/framing/msrp/relay/", cases[i].name, NULL);
        g_test_add_data_func(name, &cases[i], test_case);
    }
    g_test_add_func("/framing/msrp/relay/MSR-07/malformed", test_malformed);
    g_test_add_func("/framing/msrp/relay/COM-10/own-send", test_own_send);
    g_test_add_func("/framing/msrp/relay/insert", test_insert);
    g_test_add_func("/framing/msrp/relay/TRK-23/finish", test_finish);
    g_test_add_func("/framing/msrp/relay/TRK-03/set-map", test_set_map);
    g_test_add_func("/framing/msrp/relay/stop", test_stop);
    g_test_add_func("/framing/msrp/relay/many-frames", test_many_frames);
    g_test_add_func("/framing/msrp/relay/MSR-05/paths-in-turn", test_paths_in_turn);
    g_test_add_func("/framing/msrp/relay/MSR-07/streams-100-MB", test_streams_100_mb);
    return g_test_run();
}
