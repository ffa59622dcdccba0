/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * load.c: both ends of a TLS relay in one process: UEs that connect by TLS, and the core behind the
 * relay, which accepts plain TCP. It measures nothing but counts; whoever runs it measures the
 * relay in between.
 *
 *   load --core=ADDR:PORT --cert=FILE --key=FILE [--connections=N] [--count=N] [--window=N] MODE
 *
 * Lines of input: "ADDR PORT" for each place where the relay accepts UEs (connection i takes line
 * i modulo their number), then "go", which makes the connections, then "run", which moves data,
 * then "bye". Lines of output: "ready" before go, "established" before run, "done COUNT SECONDS"
 * before bye. A connection is established when a byte of the core has arrived at its UE.
 *
 *   up, down   --count bytes from the UEs to the core, or back, over --connections
 *   ping       --count round trips of 300 bytes, one outstanding on each connection; the core
 * echoes handshake  --count times: connect, be established, close; --window at once, all in "run"
 *   hold       nothing but to be connected
 *
 * Threads: one.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK      (16 * 1024)
#define MESSAGE    300
#define READ_AHEAD (64 * 1024)
#define EVENTS     256
#define PER_TURN   4 /* reads or writes of one connection before the next has its turn */
#define STALL_MS   20000

typedef enum Mode { UP, DOWN, PING, HANDSHAKE, HOLD } Mode;
static const char *const mode_names[] = {"up", "down", "ping", "handshake", "hold"};

typedef enum State { CONNECTING, SHAKING, GREETING, ESTABLISHED, CLOSING } State;

/* One end of a connection: of a UE when .ssl is set, of the core else. */
typedef struct End {
    int fd;
    SSL *ssl;
    State state;
    uint32_t watched;
    uint64_t to_send;  /* bytes it still has to send */
    uint64_t received; /* of the message that it waits for */
} End;

typedef struct Load {
    Mode mode;
    int epoll;
    int listener;
    SSL_CTX *ctx;
    struct sockaddr_in *targets;
    unsigned n_targets;
    unsigned started; /* UE connections begun */
    unsigned shaking; /* of these, not established yet */
    unsigned established;
    unsigned n_open; /* UE ends with a socket */
    unsigned n_core;
    uint64_t moved; /* bytes, round trips or handshakes done */
    uint64_t pings_begun;
    GPtrArray *core; /* the core's ends */
    GPtrArray *ues;
    char buffer[256 * 1024];
} Load;

typedef struct Options {
    char *core;
    char *cert;
    char *key;
    int connections;
    int64_t count;
    int window;
} Options;
static Options o = {.connections = 1, .count = 1, .window = 16};

G_GNUC_PRINTF(1, 2)
static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static struct sockaddr_in parse_address(const char *host, const char *port)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};

    if (inet_pton(AF_INET, host, &sa.sin_addr) != 1)
        die("not an address: %s", host);
    return sa;
}

/* ---- ends */

static void watch(Load *l, End *e, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = e};

    if (e->watched == events)
        return;
    if (epoll_ctl(l->epoll, e->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, e->fd, &event) < 0)
        die("epoll_ctl: %s", strerror(errno));
    e->watched = events;
}

static End *end_new(int fd)
{
    End *e = g_new0(End, 1);
    int on = 1;

    e->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return e;
}

static void end_close(Load *l, End *e)
{
    l->n_open -= e->ssl != NULL;
    l->n_core -= e->ssl == NULL;
    SSL_free(e->ssl);
    close(e->fd);
    e->ssl = NULL;
    e->fd = -1;
    e->watched = 0;
}

static void ue_start(Load *l)
{
    const struct sockaddr_in *to = &l->targets[l->started % l->n_targets];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        die("socket: %s", strerror(errno));
    End *e = end_new(fd);
    if (connect(fd, (const struct sockaddr *)to, sizeof *to) < 0 && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    e->ssl = SSL_new(l->ctx);
    SSL_set_fd(e->ssl, fd);
    SSL_set_connect_state(e->ssl);
    g_ptr_array_add(l->ues, e);
    l->started++;
    l->shaking++;
    l->n_open++;
    watch(l, e, EPOLLOUT);
}

/* Keeps the wanted number of handshakes going. */
static void ues_start(Load *l, unsigned wanted)
{
    while (l->started < wanted && l->shaking < (unsigned)o.window)
        ue_start(l);
}

static bool again(const End *e, int result)
{
    int error = SSL_get_error(e->ssl, result);

    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        die("UE: TLS error %d after %d, state %d: %s", error, result, (int)e->state,
            strerror(errno));
    return error == SSL_ERROR_WANT_WRITE;
}

/* ---- UEs */

static void ping(Load *l, End *e)
{
    if (l->pings_begun == (uint64_t)o.count)
        return;
    l->pings_begun++;
    e->received = 0;
    if (SSL_write(e->ssl, l->buffer, MESSAGE) != MESSAGE)
        die("UE: a message did not fit");
}

static void ue_hang_up(Load *l, End *e)
{
    e->state = CLOSING;
    SSL_shutdown(e->ssl);
    shutdown(e->fd, SHUT_WR);
    watch(l, e, EPOLLIN);
}

static void ue_greeted(Load *l, End *e)
{
    e->state = ESTABLISHED;
    l->shaking--;
    l->established++;
    if (l->mode == HANDSHAKE)
        ue_hang_up(l, e);
}

static void ue_read(Load *l, End *e)
{
    for (unsigned i = 0; i < PER_TURN || SSL_has_pending(e->ssl); i++) {
        ERR_clear_error();
        int n = SSL_read(e->ssl, l->buffer, CHUNK);
        if (n <= 0) {
            again(e, n);
            return;
        }
        if (e->state == GREETING) {
            if (n != 1)
                die("UE: %d bytes for a greeting", n);
            ue_greeted(l, e);
            return;
        }
        e->received += (uint64_t)n;
        if (l->mode == DOWN) {
            l->moved += (uint64_t)n;
        } else if (e->received == MESSAGE) {
            l->moved++;
            ping(l, e);
            return;
        }
    }
}

static void ue_write(Load *l, End *e)
{
    for (unsigned i = 0; i < PER_TURN && e->to_send > 0; i++) {
        ERR_clear_error();
        int n = SSL_write(e->ssl, l->buffer, (int)MIN(e->to_send, (uint64_t)CHUNK));
        if (n <= 0) {
            again(e, n);
            return;
        }
        e->to_send -= (uint64_t)n;
    }
    if (e->to_send == 0)
        watch(l, e, EPOLLIN);
}

static void ue_shake(Load *l, End *e)
{
    ERR_clear_error();
    int n = SSL_do_handshake(e->ssl);

    if (n != 1) {
        watch(l, e, again(e, n) ? EPOLLIN | EPOLLOUT : EPOLLIN);
        return;
    }
    e->state = GREETING;
    watch(l, e, EPOLLIN);
}

static void ue_drain(Load *l, End *e)
{
    ssize_t n = recv(e->fd, NULL, CHUNK, MSG_TRUNC);

    if (n > 0 || (n < 0 && errno == EAGAIN))
        return;
    if (n < 0)
        die("UE: closed by %s", strerror(errno));
    end_close(l, e);
    l->moved++;
}

static void ue_ready(Load *l, End *e, uint32_t events)
{
    switch (e->state) {
    case CONNECTING:
        e->state = SHAKING;
        ue_shake(l, e);
        break;
    case SHAKING:
        ue_shake(l, e);
        break;
    case GREETING:
        ue_read(l, e);
        break;
    case ESTABLISHED:
        if (events & EPOLLOUT)
            ue_write(l, e);
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
            ue_read(l, e);
        break;
    case CLOSING:
        ue_drain(l, e);
        break;
    }
}

/* ---- the core */

static void core_accept(Load *l)
{
    int fd;

    while ((fd = accept4(l->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        End *e = end_new(fd);
        e->state = ESTABLISHED;
        g_ptr_array_add(l->core, e);
        l->n_core++;
        if (send(fd, "!", 1, MSG_NOSIGNAL) != 1)
            die("core: %s", strerror(errno));
        watch(l, e, EPOLLIN);
    }
}

static void core_echo(Load *l, End *e, size_t n)
{
    if (send(e->fd, l->buffer, n, MSG_NOSIGNAL) != (ssize_t)n)
        die("core: an echo did not fit");
}

static void core_read(Load *l, End *e)
{
    bool echo = l->mode == PING;

    for (unsigned i = 0; i < PER_TURN; i++) {
        /* What is only counted is not copied: MSG_TRUNC throws it away in the kernel. */
        ssize_t n = echo ? recv(e->fd, l->buffer, CHUNK, 0)
                         : recv(e->fd, NULL, sizeof l->buffer, MSG_TRUNC);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            die("core: %s", strerror(errno));
        if (n == 0) {
            end_close(l, e);
            return;
        }
        if (echo) {
            core_echo(l, e, (size_t)n);
            return;
        }
        if (l->mode == UP)
            l->moved += (uint64_t)n;
    }
}

static void core_write(Load *l, End *e)
{
    while (e->to_send > 0) {
        ssize_t n = send(e->fd, l->buffer, MIN(e->to_send, sizeof l->buffer), MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            die("core: %s", strerror(errno));
        e->to_send -= (uint64_t)n;
    }
    watch(l, e, EPOLLIN);
}

/* ---- the loop */

static void turn(Load *l)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(l->epoll, events, EVENTS, STALL_MS);

    if (n == 0)
        die("nothing happens any more: %u begun, %u established, %" G_GUINT64_FORMAT " done",
            l->started, l->established, l->moved);
    for (int i = 0; i < n; i++) {
        End *e = events[i].data.ptr;
        if (!e)
            core_accept(l);
        else if (e->ssl)
            ue_ready(l, e, events[i].events);
        else if (e->fd >= 0) {
            if (events[i].events & EPOLLOUT)
                core_write(l, e);
            else
                core_read(l, e);
        }
    }
}

static void begin(Load *l, GPtrArray *ends, bool send_all)
{
    for (unsigned i = 0; i < ends->len; i++) {
        End *e = ends->pdata[i];
        if (send_all) {
            e->to_send = (uint64_t)o.count / ends->len + (i < (uint64_t)o.count % ends->len);
            watch(l, e, EPOLLIN | EPOLLOUT);
        } else if (l->mode == PING) {
            ping(l, e);
        }
    }
}

static void run(Load *l)
{
    switch (l->mode) {
    case UP:
    case PING:
        begin(l, l->ues, l->mode == UP);
        break;
    case DOWN:
        begin(l, l->core, true);
        break;
    case HANDSHAKE:
        ues_start(l, (unsigned)o.count);
        while (l->moved < (uint64_t)o.count || l->n_core > 0) {
            turn(l);
            ues_start(l, (unsigned)o.count);
        }
        return;
    case HOLD:
        return;
    }
    while (l->moved < (uint64_t)o.count)
        turn(l);
}

static void establish(Load *l)
{
    unsigned wanted = l->mode == HANDSHAKE ? 0 : (unsigned)o.connections;

    ues_start(l, wanted);
    while (l->established < wanted) {
        turn(l);
        ues_start(l, wanted);
    }
}

/* ---- start */

static void core_listen(Load *l)
{
    g_auto(GStrv) words = g_strsplit(o.core ? o.core : "", ":", 2);
    struct sockaddr_in sa =
        parse_address(words[0] ? words[0] : "", words[0] && words[1] ? words[1] : "");
    struct epoll_event event = {.events = EPOLLIN};
    int on = 1;

    l->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(l->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(l->listener, (struct sockaddr *)&sa, sizeof sa) < 0 || listen(l->listener, 1024) < 0)
        die("%s: %s", o.core, strerror(errno));
    epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->listener, &event);
}

static SSL_CTX *make_ctx(Mode mode)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* One system call for what otherwise takes two for each record. */
    SSL_CTX_set_read_ahead(ctx, 1);
    if (mode == DOWN)
        SSL_CTX_set_default_read_buffer_len(ctx, READ_AHEAD);
    /* Some relays close without close_notify; here that is an end like another. */
    SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (SSL_CTX_use_certificate_file(ctx, o.cert, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, o.key, SSL_FILETYPE_PEM) != 1)
        die("cannot use %s", o.cert);
    return ctx;
}

static void say(const char *text)
{
    printf("%s\n", text);
    fflush(stdout);
}

/* Reads lines until one is @word; targets on the way. */
static void wait_for(Load *l, const char *word)
{
    char line[128];

    while (fgets(line, sizeof line, stdin)) {
        g_auto(GStrv) words = g_strsplit(g_strchomp(line), " ", 2);
        if (g_strcmp0(words[0], word) == 0)
            return;
        if (!words[0] || !words[1])
            die("not understood: %s", line);
        l->targets = g_renew(struct sockaddr_in, l->targets, l->n_targets + 1);
        l->targets[l->n_targets++] = parse_address(words[0], words[1]);
    }
    exit(0); /* whoever ran us is gone */
}

static const GOptionEntry entries[] = {
    {"core", 0, 0, G_OPTION_ARG_STRING, &o.core, "where the relay finds the core", "ADDR:PORT"},
    {"cert", 0, 0, G_OPTION_ARG_FILENAME, &o.cert, "the UEs' certificate", "FILE"},
    {"key", 0, 0, G_OPTION_ARG_FILENAME, &o.key, "and its key", "FILE"},
    {"connections", 0, 0, G_OPTION_ARG_INT, &o.connections, "UEs", "N"},
    {"count", 0, 0, G_OPTION_ARG_INT64, &o.count, "bytes, round trips or handshakes", "N"},
    {"window", 0, 0, G_OPTION_ARG_INT, &o.window, "handshakes at once", "N"},
    G_OPTION_ENTRY_NULL,
};

static Mode parse(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("up|down|ping|handshake|hold");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        die("%s", error->message);
    for (unsigned i = 0; argc == 2 && i < G_N_ELEMENTS(mode_names); i++)
        if (strcmp(argv[1], mode_names[i]) == 0)
            return (Mode)i;
    die("which of up, down, ping, handshake, hold?");
    return HOLD;
}

static void raise_file_limit(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    Load *l = g_new0(Load, 1);

    l->mode = parse(argc, argv);
    raise_file_limit();
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->core = g_ptr_array_new();
    l->ues = g_ptr_array_new();
    l->ctx = make_ctx(l->mode);
    core_listen(l);
    say("ready");
    wait_for(l, "go");
    if (l->n_targets == 0)
        die("no target");
    establish(l);
    say("established");
    wait_for(l, "run");
    int64_t start = g_get_monotonic_time();
    run(l);
    printf("done %" G_GUINT64_FORMAT " %.6f\n", l->moved,
           (double)(g_get_monotonic_time() - start) / 1e6);
    fflush(stdout);
    wait_for(l, "bye");
    return 0;
}
