/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "framing/msrp-body.h"

#define TID      "a786hjs2"
#define END_LINE "-------" TID "$\r\n"

/* A body and where it has to end. */
typedef struct Sample {
    const char *in;
    size_t body; /* bytes before the end-line and its CRLF */
    size_t end;  /* bytes of them; 0: it does not end */
} Sample;

#define ENDS(body, end) {body end "MSRP next", sizeof(body) - 1, sizeof(end) - 1}
#define GOES_ON(body)   {body, sizeof(body) - 1, 0}

static const Sample samples[] = {
    ENDS("Hey Bob, are you there?", "\r\n" END_LINE),
    ENDS("", "\r\n" END_LINE),
    ENDS("", END_LINE), /* behind the blank line of the head */
    ENDS("\r\n\r\n\r", "\r\n" END_LINE),
    ENDS("x", "\r\n-------" TID "+\r\n"),
    ENDS("x", "\r\n-------" TID "#\r\n"),
    ENDS("\r\n-------" TID "!\r\n", "\r\n" END_LINE), /* look-alikes */
    ENDS("\r\n-------" TID "$\r\r\n-------" TID "$\n", "\r\n" END_LINE),
    ENDS("\r\n-------a786hjs\r\n-------A786hjs2$\r\n", "\r\n" END_LINE),
    ENDS("\r\n--------" TID "$\r\n", "\r\n" END_LINE),
    ENDS("--------" TID "$\r\n", "\r\n" END_LINE),
    GOES_ON("all of it\r\n-------" TID "$\r"),
    GOES_ON("and here is more\r\n-----"),
};

typedef struct Found {
    GString *body;
    size_t end; /* bytes of the end-line */
    size_t used;
} Found;

/* Feeds a copy of exact size, so that a sanitizer sees a read past its end. True: the end came. */
static bool feed(MsrpBody *b, Span in, bool ask_first, Found *f)
{
    g_autofree char *copy = g_memdup2(in.p, in.len);
    Span rest = {copy, in.len}, text;
    MsrpBodyStep step = MSRP_BODY_MORE;

    if (ask_first && msrp_body_inside(b, rest)) {
        g_string_append_len(f->body, copy, (gssize)in.len);
        return false;
    }
    while (rest.len && (step = msrp_body_step(b, &rest, &text)) == MSRP_BODY_PIECE)
        g_string_append_len(f->body, text.p, (gssize)text.len);
    if (step == MSRP_BODY_END) {
        f->end = text.len;
        f->used = (size_t)(rest.p - copy);
        return true;
    }
    msrp_body_keep(b, rest);
    g_assert_cmpuint(b->held_len, <=, MSRP_END_MAX);
    return false;
}

static void check(const Sample *s, size_t cut, bool ask_first)
{
    MsrpBody b;
    Found f = {.body = g_string_new(NULL)};
    Span in = span_str(s->in);
    bool ended;

    msrp_body_begin(&b, SPAN(TID));
    ended = feed(&b, span_head(in, cut), ask_first, &f);
    if (!ended) {
        ended = feed(&b, span_skip(in, cut), ask_first, &f);
        f.used += cut;
    }
    Span held = msrp_body_held(&b);
    g_string_append_len(f.body, held.p, (gssize)held.len);
    g_assert_cmpmem(f.body->str, (int)f.body->len, s->in, (int)s->body);
    g_assert_cmpuint(f.end, ==, s->end);
    g_assert_cmpint(ended, ==, s->end > 0);
    if (ended)
        g_assert_cmpuint(f.used, ==, s->body + s->end);
    g_string_free(f.body, TRUE);
}

/* MSR-07: cut in two at every byte, and whether or not it is asked first if all of a part is body. */
static void test_every_cut(gconstpointer data)
{
    const Sample *s = data;

    for (size_t cut = 1; cut < strlen(s->in); cut++) {
        check(s, cut, false);
        check(s, cut, true);
    }
}

/* A part that may start the end-line, or has it, is never taken for body; where there is none, it is. */
static void test_inside(void)
{
    static const char *const body[] = {"body", "\n" END_LINE "x", END_LINE "x", "\rx"};
    static const char *const not_all[] = {"body\r", "body\r\n--", "body\r\n-------" TID, "\r\n" END_LINE,
                                          "body\r\n" END_LINE "more"};
    MsrpBody b;
    Span text, first = SPAN("text");

    msrp_body_begin(&b, SPAN(TID));
    g_assert_false(msrp_body_inside(&b, SPAN("text"))); /* the start is judged by a step */
    g_assert_cmpint(msrp_body_step(&b, &first, &text), ==, MSRP_BODY_PIECE);
    for (size_t i = 0; i < G_N_ELEMENTS(body); i++)
        g_assert_true(msrp_body_inside(&b, span_str(body[i])));
    for (size_t i = 0; i < G_N_ELEMENTS(not_all); i++)
        g_assert_false(msrp_body_inside(&b, span_str(not_all[i])));
    msrp_body_keep(&b, SPAN("\r\n"));
    g_assert_false(msrp_body_inside(&b, SPAN("body"))); /* what is held comes first */
}

static void test_whole(void)
{
    MsrpBody b;
    Span in = SPAN("head\r\n\r\nbody\r\n" END_LINE "MSRP next");
    size_t at = strlen("head\r\n\r\n"), end = in.len - strlen("MSRP next");

    msrp_body_begin(&b, SPAN(TID));
    for (size_t len = at; len < end; len++)
        g_assert_cmpuint(msrp_body_whole(&b, span_head(in, len), at), ==, 0);
    for (size_t len = end; len <= in.len; len++)
        g_assert_cmpuint(msrp_body_whole(&b, span_head(in, len), at), ==, end);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(samples); i++) {
        g_autofree char *name = g_strdup_printf("/framing/msrp/body/MSR-07/every-cut/%zu", i);
        g_test_add_data_func(name, &samples[i], test_every_cut);
    }
    g_test_add_func("/framing/msrp/body/MSR-07/inside", test_inside);
    g_test_add_func("/framing/msrp/body/MSR-07/whole", test_whole);
    return g_test_run();
}
