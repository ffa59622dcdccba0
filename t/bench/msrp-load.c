/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * msrp-load.c: both ends of one MSRP connection through a relay: a UE by TLS and the core by plain
 * TCP. One end sends a file over and over, the other one compares what comes with another file, so
 * the relay is seen to rewrite every frame. It measures nothing; whoever runs it measures the
 * relay.
 *
 *   msrp-load --target=ADDR:PORT --core=ADDR:PORT --cert=FILE --key=FILE --send=FILE --expect=FILE
 *             --count=N --write=BYTES up|down
 *
 * Connects to the target as the UE, accepts the relay's connection as the core and prints
 * "established". For each line of input it sends the file @count times (up: from the UE); it prints
 * "filled" when the relay, which may be stopped, has no more room for it, and "done" when all of it
 * has come. It ends with the input.
 *
 * Threads: main() receives, one more sends what did not find room.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE (64 * 1024)

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
    size_t at;      /* what of the blob is sent */
    int64_t copies; /* of it that are still to be sent */
} Sender;

static char *target_text, *core_text, *cert, *key, *send_path, *expect_path;
static int64_t count = 1, write_size = 16 * 1024;

static const GOptionEntry entries[] = {
    {"target", 0, 0, G_OPTION_ARG_STRING, &target_text, "Where the UE connects", "ADDR:PORT"},
    {"core", 0, 0, G_OPTION_ARG_STRING, &core_text, "Where the core listens", "ADDR:PORT"},
    {"cert", 0, 0, G_OPTION_ARG_STRING, &cert, "The UE's certificate", "FILE"},
    {"key", 0, 0, G_OPTION_ARG_STRING, &key, "Its key", "FILE"},
    {"send", 0, 0, G_OPTION_ARG_STRING, &send_path, "What is sent", "FILE"},
    {"expect", 0, 0, G_OPTION_ARG_STRING, &expect_path, "What has to come for it", "FILE"},
    {"count", 0, 0, G_OPTION_ARG_INT64, &count, "How often", "N"},
    {"write", 0, 0, G_OPTION_ARG_INT64, &write_size, "How much at once: by TLS a record", "BYTES"},
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

/* 0: there is no room now. */
static size_t end_write(End *end, const char *from, size_t len)
{
    ssize_t n;

    if (end->ssl) {
        n = SSL_write(end->ssl, from, (int)len);
        if (n <= 0 && SSL_get_error(end->ssl, (int)n) == SSL_ERROR_WANT_WRITE)
            return 0;
    } else {
        n = send(end->fd, from, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return 0;
    }
    if (n <= 0)
        die("cannot send");
    return (size_t)n;
}

/* Sends until all is sent, or there is no room. */
static void fill(Sender *s)
{
    while (s->copies > 0) {
        size_t n = end_write(s->end, s->blob.data + s->at, MIN(s->blob.len - s->at, (size_t)write_size));
        if (n == 0)
            return;
        s->at += n;
        if (s->at == s->blob.len) {
            s->at = 0;
            s->copies--;
        }
    }
}

static void *send_rest(void *arg)
{
    Sender *s = arg;
    struct pollfd p = {.fd = s->end->fd, .events = POLLOUT};

    for (fill(s); s->copies > 0; fill(s))
        poll(&p, 1, -1);
    return NULL;
}

static void wake_at(int fd, int len)
{
    if (setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &len, sizeof len) < 0)
        die("cannot wait for more than a byte");
}

/* Sleeps until nearly all has come: else the relay would be charged for waking us, once or many
 * times, which it is not when its peers are other machines. */
static void wait_for_all(int fd, Blob expected)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    wake_at(fd, (int)((int64_t)expected.len * count));
    poll(&p, 1, -1);
    wake_at(fd, 1);
}

static void receive_all(End *end, Blob expected)
{
    static char buffer[READ_SIZE];

    wait_for_all(end->fd, expected);

    for (int64_t i = 0; i < count; i++) {
        for (size_t at = 0; at < expected.len;) {
            size_t n = end_read(end, buffer, MIN(sizeof buffer, expected.len - at));
            if (memcmp(buffer, expected.data + at, n) != 0)
                die("what came is not what should have come");
            at += n;
        }
    }
}

static void say(const char *word)
{
    puts(word);
    fflush(stdout);
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
    Sender sender = {.end = up ? &ue : &core, .blob = load(send_path)};
    End *receiver = up ? &core : &ue;
    fcntl(sender.end->fd, F_SETFL, O_NONBLOCK);
    char line[16];
    for (say("established"); fgets(line, sizeof line, stdin); say("done")) {
        sender.copies = count;
        fill(&sender);
        say("filled");
        GThread *rest = g_thread_new("rest", send_rest, &sender);
        receive_all(receiver, expected);
        g_thread_join(rest);
    }
    return 0;
}
