/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "framing/msrp-model.h"

#define HEAD(tid, method, path, rest)                                                              \
    "MSRP " tid " " method "\r\nTo-Path: msrp://" path "\r\nFrom-Path: msrp://b:2/t;tcp\r\n" rest  \
    "\r\n"
#define REST  "Message-ID: 12\r\nByte-Range: 1-4/4\r\n"
#define FIRST HEAD("a786hjs2", "SEND", "a:1/s;tcp", REST)

static MsrpModel model_of(const char *head)
{
    MsrpModel m = {.len = 0};
    Span text = span_str(head), rest = text;

    for (int line = 0; line < 3; line++)
        span_cut(&rest, '\n');
    Span tid = span_skip(text, strlen("MSRP "));
    msrp_model_take(&m, text, span_head(tid, strcspn(tid.p, " ")), rest);
    return m;
}

static void test_fits(void)
{
    static const struct {
        const char *head;
        bool fits;
    } cases[] = {
        {FIRST, true},
        {FIRST "body", true},
        {HEAD("zzzzzzzz", "SEND", "a:1/s;tcp", REST), true},
        {HEAD("a786hjs2", "SEND", "a:1/s;tcp", "Message-ID: 99\r\nByte-Range: 1-9/9\r\n"), true},
        {HEAD("a786hjs2", "SEND", "a:1/s;tcp", "Message-IX: 12\r\nByte-Range: 1-4/4\r\n"), true},
        {HEAD("a786hjs", "SEND", "a:1/s;tcp", REST), false},
        {HEAD("a786 js2", "SEND", "a:1/s;tcp", REST), false},
        {HEAD("a786:js2", "SEND", "a:1/s;tcp", REST), false},
        {HEAD("a786hjs2", "SENT", "a:1/s;tcp", REST), false},
        {HEAD("a786hjs2", "SEND", "a:1/x;tcp", REST), false},
        {HEAD("a786hjs2", "SEND", "a:1/s;tcp", "Message-ID: 1 \r\nByte-Range: 1-4/4\r\n"), false},
        {HEAD("a786hjs2", "SEND", "a:1/s;tcp", "Message-ID::12\r\nByte-Range: 1-4/4\r\n"), false},
        {HEAD("a786hjs2", "SEND", "a:1/s;tcp", "Message-ID: 12\r\n\r\nte-Range: 1-4/4\r\n"), false},
        {HEAD("a786hjs2", "SEND", "a:1/s;tcp", "Message-ID: \x7f\xff\r\nByte-Range: 1-4/4\r\n"),
         false},
        {"msrp" FIRST, false},
        {"MSRQ", false},
        {"", false},
    };
    const MsrpModel m = model_of(FIRST);

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Span head = span_str(cases[i].head);
        g_autofree char *exact = g_memdup2(head.p, head.len); /* for the sanitizer */
        g_test_message("%zu", i);
        g_assert_cmpint(msrp_model_fits(&m, (Span){exact, head.len}), ==, cases[i].fits);
    }
    for (size_t len = 0; len < strlen(FIRST); len++)
        g_assert_false(msrp_model_fits(&m, (Span){FIRST, len}));
}

static void test_no_model(void)
{
    g_autofree char *long_value = g_strnfill(MSRP_MODEL_MAX, 'x');
    g_autofree char *long_head =
        g_strconcat(HEAD("a786hjs2", "SEND", "a:1/s;tcp", "X: "), long_value, "\r\n\r\n", NULL);
    const char *heads[] = {HEAD("a786:js2", "SEND", "a:1/s;tcp", REST), long_head};

    for (size_t i = 0; i < G_N_ELEMENTS(heads); i++) {
        MsrpModel m = model_of(heads[i]);
        g_assert_false(msrp_model_fits(&m, span_str(heads[i])));
    }
    MsrpModel m = model_of(FIRST);
    msrp_model_forget(&m);
    g_assert_false(msrp_model_fits(&m, SPAN(FIRST)));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/framing/msrp/model/MSR-07/fits", test_fits);
    g_test_add_func("/framing/msrp/model/no-model", test_no_model);
    return g_test_run();
}
