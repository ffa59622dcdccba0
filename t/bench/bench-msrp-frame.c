/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What reading and rewriting MSRP costs in CPU time, beside a memcpy() of the same bytes. Prints,
 * asserts nothing about speed. An argument is the number of MB that each line of output takes
 * instead of 2048, for callgrind. */
#include "framing/msrp-relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define READ_SIZE   65536
#define RECORD_SIZE 16384
#define UE        "msrps://ue.example.com:2855/s3Ae9iK2xv8Hnq;tcp"
#define CORE      "msrps://198.51.100.7:7000/kQ1bv7Xs0pLzeT;tcp"

typedef struct Target {
    char record[READ_SIZE]; /* RECORD_SIZE of it; all when memcpy() is measured */
    size_t used;
    uint64_t bytes, slices;
    bool copy;
} Target;

/* As a TLS leg takes it: short slices are joined into records, whole records go on from where they
 * are. */
static bool forward_cb(void *arg, const Span *slices, unsigned n)
{
    Target *t = arg;

    t->slices += n;
    for (unsigned i = 0; i < n; i++) {
        Span s = slices[i];
        t->bytes += s.len;
        while (t->copy && s.len && !(t->used == 0 && s.len >= RECORD_SIZE / 2)) {
            size_t part = MIN(s.len, RECORD_SIZE - t->used);
            memcpy(t->record + t->used, s.p, part);
            t->used = (t->used + part) % RECORD_SIZE;
            s = span_skip(s, part);
        }
    }
    return true;
}

static bool reply_cb(void *arg, Span frame)
{
    (void)arg;
    return frame.len == 0; /* nothing is refused here */
}

static GByteArray *frames(size_t body_len, size_t total, const char *kind)
{
    GByteArray *all = g_byte_array_new();
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autofree char *body = g_malloc(body_len);

    for (size_t i = 0; i < body_len; i++)
        body[i] =
            *kind == 'r' ? (char)g_rand_int(rand) : "the quick brown fox jumps over it\r\n"[i % 35];
    for (unsigned n = 0; all->len < total; n++) {
        g_autofree char *head =
            g_strdup_printf("MSRP d93kswow%u SEND\r\nTo-Path: " CORE "\r\nFrom-Path: " UE "\r\n"
                            "Message-ID: 12339sdqwer%u\r\nByte-Range: 1-%zu/%zu\r\n"
                            "Success-Report: no\r\nFailure-Report: yes\r\n"
                            "Content-Type: message/cpim\r\n\r\n",
                            1000 + n, n, body_len, body_len);
        g_autofree char *end = g_strdup_printf("\r\n-------d93kswow%u$\r\n", 1000 + n);
        g_byte_array_append(all, (uint8_t *)head, (guint)strlen(head));
        g_byte_array_append(all, (uint8_t *)body, (guint)body_len);
        g_byte_array_append(all, (uint8_t *)end, (guint)strlen(end));
    }
    return all;
}

/* Where a read comes from: inside a long body from a few buffers, in cache as if just decrypted. */
static size_t hot(const GByteArray *in, size_t at)
{
    bool inside = at >= READ_SIZE && at + 2 * READ_SIZE < in->len && in->len > (1u << 20);

    return inside ? READ_SIZE * (1 + at / READ_SIZE % 4) : at;
}

/* Neighbours do not count. */
static double cpu_seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void run(const char *what, const GByteArray *in, const MsrpMapSpec *spec, bool copy,
                uint64_t total)
{
    g_autoptr(MsrpRelay) r = spec ? msrp_relay_new(spec) : NULL;
    g_autofree Target *t = g_new0(Target, 1);
    MsrpSink sink = {forward_cb, reply_cb, t};
    uint64_t fed = 0;

    t->copy = copy;
    double start = cpu_seconds();
    while (fed < total) {
        for (size_t at = 0; at < in->len; at += READ_SIZE) {
            Span s = {(const char *)in->data + hot(in, at), MIN(READ_SIZE, in->len - at)};
            if (r)
                g_assert_cmpint(msrp_relay_feed(r, s, &sink), ==, MSRP_RELAY_OK);
            else
                memcpy(t->record, s.p, s.len);
            __asm__ volatile("" ::"r"(t->record) : "memory");
        }
        fed += in->len;
    }
    double seconds = cpu_seconds() - start;
    printf("  %-28s %7.2f GB/s  %6.1f ms/GB\n", what, (double)fed / seconds / 1e9,
           seconds * 1e12 / (double)fed);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        size_t body, total;
        const char *kind;
    } loads[] = {
        {"2 KiB frames, random bodies", 1700, 190 * 1024, "random"},
        {"2 KiB frames, text", 1700, 190 * 1024, "text"},
        {"10 MB messages, random", 10u << 20, 1, "random"},
        {"10 MB messages, text", 10u << 20, 1, "text"},
    };
    const MsrpMapSpec scheme = {
        .mode = MSRP_MAP_SCHEME, .to_here = SPAN(CORE), .from_here = SPAN(UE)};
    const MsrpMapSpec aware = {.mode = MSRP_MAP_AWARE,
                               .to_here = SPAN(CORE),
                               .from_here = SPAN(UE),
                               .to_there = SPAN("msrp://192.0.2.99:7000/kQ1bv7Xs0pLzeT;tcp"),
                               .from_there = SPAN("msrp://192.0.2.1:30000/s3Ae9iK2xv8Hnq;tcp")};

    uint64_t total = (uint64_t)(argc > 1 ? atoi(argv[1]) : 2048) << 20;

    for (size_t i = 0; i < G_N_ELEMENTS(loads); i++) {
        g_autoptr(GByteArray) in = frames(loads[i].body, loads[i].total, loads[i].kind);
        printf("%s\n", loads[i].name);
        run("memcpy alone", in, NULL, true, total);
        run("msrps to msrp, slices only", in, &scheme, false, total);
        run("aware, slices only", in, &aware, false, total);
        run("aware, joined for TLS", in, &aware, true, total);
    }
    return 0;
}
