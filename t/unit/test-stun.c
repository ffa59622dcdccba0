/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "framing/stun.h"

#define REQUEST                                                                                    \
    "\x00\x01\x00\x00\x21\x12\xa4\x42"                                                             \
    "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"

static Addr addr_of(const char *text)
{
    Addr a;

    g_assert_true(addr_parse(span_str(text), &a));
    return a;
}

/* The addresses are those of the test vectors of RFC 5769, sections 2.2 and 2.3. */
static void test_answer(void)
{
    static const struct {
        const char *from;
        Span answer;
    } rows[] = {
        {"192.0.2.1:32853", SPAN("\x01\x01\x00\x0c\x21\x12\xa4\x42"
                                 "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
                                 "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43")},
        {"[2001:db8:1234:5678:11:2233:4455:6677]:32853",
         SPAN("\x01\x01\x00\x18\x21\x12\xa4\x42"
              "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
              "\x00\x20\x00\x14\x00\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79"
              "\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9")},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t out[STUN_ANSWER_MAX];
        Addr from = addr_of(rows[i].from);
        size_t n = stun_answer(SPAN(REQUEST), &from, out);
        g_assert_true(span_eq((Span){(char *)out, n}, rows[i].answer));
    }
}

static void test_refused(void)
{
    static const Span rows[] = {
        SPAN(""),
        SPAN("\x00\x01\x00\x00\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf"),
        /* an answer, an indication, the classic protocol */
        SPAN("\x01\x01\x00\x00\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"),
        SPAN("\x00\x11\x00\x00\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"),
        SPAN("\x00\x01\x00\x00\x21\x12\xa4\x43\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"),
        /* a length that is not that of the datagram, an attribute that reaches beyond it */
        SPAN("\x00\x01\x00\x04\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"),
        SPAN("\x00\x01\x00\x04\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
             "\x00\x06\x00\x01"),
        SPAN("\x00\x01\x00\x03\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
             "\x00\x06\x00"),
    };
    Addr from = addr_of("192.0.2.1:1");

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t out[STUN_ANSWER_MAX];
        g_assert_cmpuint(stun_answer(rows[i], &from, out), ==, 0);
    }
}

/* USERNAME of 5 bytes with padding and PRIORITY, as from an ICE agent. */
static void test_attributes(void)
{
    uint8_t out[STUN_ANSWER_MAX];
    Addr from = addr_of("192.0.2.1:32853");

    g_assert_cmpuint(stun_answer(SPAN("\x00\x01\x00\x14\x21\x12\xa4\x42"
                                      "\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
                                      "\x00\x06\x00\x05user\x31\x00\x00\x00"
                                      "\x00\x24\x00\x04\x6e\x00\x01\xff"),
                                 &from, out),
                     ==, 32);
}

static void test_likely(void)
{
    g_assert_true(stun_is_likely(0) && stun_is_likely(3));
    g_assert_false(stun_is_likely(4) || stun_is_likely(20) || stun_is_likely(255));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/framing/stun/DTL-12/answer", test_answer);
    g_test_add_func("/framing/stun/DTL-12/refused", test_refused);
    g_test_add_func("/framing/stun/DTL-12/attributes", test_attributes);
    g_test_add_func("/framing/stun/DTL-11/likely", test_likely);
    return g_test_run();
}
