/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * msrp-load.c: both ends of one MSRP connection through a relay: a UE by TLS and the core by plain
 * TCP. One end sends a file over and over, the other one compares what comes with another file, so
 * the relay is seen to rewrite every frame. It measures nothing; whoever runs it measures the
 * relay.
 *
 *   msrp-load --target=ADDR:PORT --core=ADDR:PORT --cert=FILE --key=FILE --send=FILE --expect=FILE
 *             --count=N up|down
 *
 * Connects to the target as the UE, accepts the relay's connection as the core, prints
 * "established" and waits for a line of input; sends the file @count times (up: from the UE),
 * prints "done" when all of it has come, and ends with the input.
 *
 * Threads: main() receives, one more sends.
 */
#include "config.h"

#include <arpa/inet.h>
#include <glib.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK (16 * 1024)

/* One end: by TLS when .ssl is set. */
typedef struct End {
    int fd;
    SSL *ssl;
} End;

typedef struct Blob {
    char *data;
    size_t len;
} Blob;

typedef struct Sender {
    End *end;
    Blob blob;
    int64_t count;
} Sender;

static char *target_text, *core_text, *cert, *key, *send_path, *expect_path;
static int64_t count = 1;

static const GOptionEntry entries[] = {
    {"target", 0, 0, G_OPTION_ARG_STRING, &target_text, "Where the UE connects", "ADDR:PORT"},
    {"core", 0, 0, G_OPTION_ARG_STRING, &core_text, "Where the core listens", "ADDR:PORT"},
    {"cert", 0, 0, G_OPTION_ARG_STRING, &cert, "The UE's certificate", "FILE"},
    {"key", 0, 0, G_OPTION_ARG_STRING, &key, "Its key", "FILE"},
    {"send", 0, 0, G_OPTION_ARG_STRING, &send_path, "What is sent", "FILE"},
    {"expect", 0, 0, G_OPTION_ARG_STRING, &expect_path, "What has to come for it", "FILE"},
    {"count", 0, 0, G_OPTION_ARG_INT64, &count, "How often", "N"},
    {0},
};

G_GNUC_NORETURN
static void die(const char *what)
{
    fprintf(stderr, "msrp-load: %s\n", what);
    _exit(1);
}

static struct sockaddr_in parse_place(const char *text)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    g_auto(GStrv) parts = g_strsplit(text ? text : "", ":", 2);

    if (g_strv_length(parts) != 2 || inet_pton(AF_INET, parts[0], &at.sin_addr) != 1)
        die("not an address and port");
    at.sin_port = htons((uint16_t)g_ascii_strtoull(parts[1], NULL, 10));
    return at;
}

static Blob load(const char *path)
{
    Blob blob;

    if (!path || !g_file_get_contents(path, &blob.data, &blob.len, NULL) || blob.len == 0)
        die("cannot read a file");
    return blob;
}

static int listen_at(const char *place)
{
    struct sockaddr_in at = parse_place(place);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 1) < 0)
        die("cannot listen");
    return fd;
}

static End connect_ue(void)
{
    struct sockaddr_in at = parse_place(target_text);
    End end = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    if (!cert || !key || SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        die("no certificate");
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
    if (connect(end.fd, (struct sockaddr *)&at, sizeof at) < 0)
        die("cannot connect");
    end.ssl = SSL_new(ctx);
    SSL_set_fd(end.ssl, end.fd);
    if (SSL_connect(end.ssl) != 1)
        die("no TLS connection");
    SSL_CTX_free(ctx);
    return end;
}

static size_t end_read(End *end, char *to, size_t size)
{
    ssize_t n = end->ssl ? SSL_read(end->ssl, to, (int)size) : read(end->fd, to, size);

    if (n <= 0)
        die("the connection ended");
    return (size_t)n;
}

static void end_write(End *end, const char *from, size_t len)
{
    while (len > 0) {
        ssize_t n = end->ssl ? SSL_write(end->ssl, from, (int)MIN(len, CHUNK))
                             : send(end->fd, from, MIN(len, CHUNK), MSG_NOSIGNAL);
        if (n <= 0)
            die("cannot send");
        from += n;
        len -= (size_t)n;
    }
}

static void *send_all(void *arg)
{
    const Sender *s = arg;

    for (int64_t i = 0; i < s->count; i++)
        end_write(s->end, s->blob.data, s->blob.len);
    return NULL;
}

static void receive_all(End *end, Blob expected)
{
    static char buffer[4 * CHUNK];

    for (int64_t i = 0; i < count; i++) {
        for (size_t at = 0; at < expected.len;) {
            size_t n = end_read(end, buffer, MIN(sizeof buffer, expected.len - at));
            if (memcmp(buffer, expected.data + at, n) != 0)
                die("what came is not what should have come");
            at += n;
        }
    }
}

static void wait_line(void)
{
    char line[16];

    if (!fgets(line, sizeof line, stdin))
        exit(1);
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("up|down");

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, NULL) || argc != 2)
        die("bad options");
    bool up = strcmp(argv[1], "up") == 0;
    Blob expected = load(expect_path);
    int listener = listen_at(core_text);
    End ue = connect_ue();
    End core = {.fd = accept(listener, NULL, NULL)};
    if (core.fd < 0)
        die("no connection from the relay");
    puts("established");
    fflush(stdout);
    wait_line();
    Sender sender = {.end = up ? &ue : &core, .blob = load(send_path), .count = count};
    GThread *thread = g_thread_new("sender", send_all, &sender);
    receive_all(up ? &core : &ue, expected);
    g_thread_join(thread);
    puts("done");
    fflush(stdout);
    wait_line();
    return 0;
}
