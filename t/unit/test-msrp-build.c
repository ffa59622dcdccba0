/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "framing/msrp-build.h"

#include "framing/msrp-frame.h"

#define RELAY "msrps://relay.example.com:9000/r1;tcp"
#define UE    "msrps://ue.example.com:2855/s3Ae9;tcp"
#define AGW   "msrps://192.0.2.1:30000/kQ1;tcp"

/* MSR-08: back to the leftmost URI only. */
static void test_response(void)
{
    g_autofree char *text = msrp_build_response(SPAN("d93kswow"), 481, "Session does not exist",
                                                SPAN(AGW), SPAN(RELAY " " UE));

    g_assert_cmpstr(text, ==,
                    "MSRP d93kswow 481 Session does not exist\r\n"
                    "To-Path: " RELAY "\r\n"
                    "From-Path: " AGW "\r\n"
                    "-------d93kswow$\r\n");
}

/* COM-10 */
static void test_empty_send(void)
{
    g_autofree char *text =
        msrp_build_empty_send(SPAN("abcd1234"), SPAN("m1"), SPAN(UE), SPAN(AGW));

    g_assert_cmpstr(text, ==,
                    "MSRP abcd1234 SEND\r\n"
                    "To-Path: " UE "\r\n"
                    "From-Path: " AGW "\r\n"
                    "Message-ID: m1\r\n"
                    "Byte-Range: 1-0/0\r\n"
                    "-------abcd1234$\r\n");
}

static void test_ident(void)
{
    const uint8_t bytes[16] = {0x00, 0x1f, 0xa5, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    char out[MSRP_IDENT_MAX];

    g_assert_cmpstr(msrp_ident(bytes, 8, out), ==, "001fa5ff01020304");
    g_assert_cmpuint(strlen(msrp_ident(bytes, 16, out)), ==, 32);
}

/* What we build is what we read. */
static void test_reads_back(void)
{
    g_autofree char *text =
        msrp_build_empty_send(SPAN("abcd1234"), SPAN("m1"), SPAN(UE), SPAN(AGW));
    Span in = span_str(text);
    MsrpFramer f;
    MsrpPiece piece;

    msrp_framer_init(&f);
    g_assert_cmpint(msrp_framer_step(&f, &in, &piece), ==, MSRP_STEP_HEAD);
    g_assert_true(span_eq(piece.head.to_path, SPAN(UE)));
    g_assert_false(piece.head.has_body);
    g_assert_cmpint(msrp_framer_step(&f, &in, &piece), ==, MSRP_STEP_END);
    g_assert_cmpuint(in.len, ==, 0);
    msrp_framer_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/framing/msrp/build/MSR-08/response", test_response);
    g_test_add_func("/framing/msrp/build/COM-10/empty-send", test_empty_send);
    g_test_add_func("/framing/msrp/build/ident", test_ident);
    g_test_add_func("/framing/msrp/build/reads-back", test_reads_back);
    return g_test_run();
}
