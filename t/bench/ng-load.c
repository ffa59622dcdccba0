/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * ng-load.c: a SIP proxy with many calls, as an ng server sees it: each call sends its commands one
 * after the other, --outstanding calls at once, all over one UDP socket.
 *
 *   ng-load --target=ADDR:PORT [--calls=N] [--outstanding=N] FILE...
 *
 * Each FILE is one command without its cookie, in the order of a call; "CALLCALL" in it is replaced
 * by eight digits, so lengths stay what they are. Output: one line "FILE-NUMBER COUNT P50 P99" for
 * each command, in microseconds, then "done CALLS SECONDS". A reply without result=ok, or none
 * within two seconds, ends the program.
 *
 * Threads: one.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MARK       "CALLCALL"
#define OK         "2:ok"
#define TIMEOUT_MS 2000
#define COOKIE_MAX 32
#define REPLY_MAX  65536

typedef struct Call {
    unsigned number;
    unsigned step;
    int64_t sent_at;
} Call;

typedef struct Load {
    int fd;
    unsigned n_steps;
    GString **commands;
    GArray **times; /* of each step, int64_t microseconds */
    Call *calls;    /* by slot */
    unsigned begun;
    unsigned done;
} Load;

typedef struct Options {
    char *target;
    int calls;
    int outstanding;
    char **files;
} Options;
static Options o = {.calls = 1, .outstanding = 1};

G_GNUC_PRINTF(1, 2)
static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

/* The cookie says which slot the reply is for, and never comes again. */
static void send_step(Load *l, unsigned slot)
{
    Call *call = &l->calls[slot];
    const GString *command = l->commands[call->step];
    g_autoptr(GString) datagram = g_string_sized_new(command->len + COOKIE_MAX);
    char digits[sizeof MARK];
    char *at;

    g_string_printf(datagram, "%u_%u_%u ", slot, call->number, call->step);
    g_string_append_len(datagram, command->str, (gssize)command->len);
    g_snprintf(digits, sizeof digits, "%08u", call->number);
    for (char *from = datagram->str; (at = strstr(from, MARK)); from = at)
        memcpy(at, digits, strlen(MARK));
    call->sent_at = g_get_monotonic_time();
    if (send(l->fd, datagram->str, datagram->len, 0) != (ssize_t)datagram->len)
        die("send: %s", strerror(errno));
}

static void begin_call(Load *l, unsigned slot)
{
    if (l->begun == (unsigned)o.calls)
        return;
    l->calls[slot] = (Call){.number = ++l->begun};
    send_step(l, slot);
}

static void take_reply(Load *l, const char *reply)
{
    unsigned slot, number, step;
    Call *call;

    if (sscanf(reply, "%u_%u_%u ", &slot, &number, &step) != 3 || slot >= (unsigned)o.outstanding)
        die("not a reply of ours: %s", reply);
    call = &l->calls[slot];
    if (call->number != number || call->step != step)
        die("a reply to something else: %s", reply);
    int64_t took = g_get_monotonic_time() - call->sent_at;
    if (!strstr(reply, OK))
        die("step %u: %s", step, reply);
    g_array_append_val(l->times[step], took);
    if (++call->step < l->n_steps) {
        send_step(l, slot);
        return;
    }
    l->done++;
    begin_call(l, slot);
}

static void run(Load *l)
{
    static char reply[REPLY_MAX + 1];
    struct pollfd p = {.fd = l->fd, .events = POLLIN};

    for (unsigned slot = 0; slot < (unsigned)o.outstanding; slot++)
        begin_call(l, slot);
    while (l->done < (unsigned)o.calls) {
        if (poll(&p, 1, TIMEOUT_MS) == 0)
            die("no reply in %d ms, %u calls done", TIMEOUT_MS, l->done);
        ssize_t n = recv(l->fd, reply, REPLY_MAX, 0);
        if (n < 0)
            die("recv: %s", strerror(errno));
        reply[n] = '\0';
        take_reply(l, reply);
    }
}

static int compare(gconstpointer a, gconstpointer b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void report(Load *l, int64_t us)
{
    for (unsigned i = 0; i < l->n_steps; i++) {
        GArray *times = l->times[i];
        g_array_sort(times, compare);
        printf("%u %u %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", i, times->len,
               g_array_index(times, int64_t, times->len / 2),
               g_array_index(times, int64_t, times->len * 99 / 100));
    }
    printf("done %u %.6f\n", l->done, (double)us / 1e6);
}

static const GOptionEntry entries[] = {
    {"target", 0, 0, G_OPTION_ARG_STRING, &o.target, "the ng server", "ADDR:PORT"},
    {"calls", 0, 0, G_OPTION_ARG_INT, &o.calls, "calls in all", "N"},
    {"outstanding", 0, 0, G_OPTION_ARG_INT, &o.outstanding, "calls at once", "N"},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &o.files, NULL, "FILE..."},
    G_OPTION_ENTRY_NULL,
};

static void parse(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        die("%s", error->message);
    if (!o.target || !o.files || o.calls < 1 || o.outstanding < 1)
        die("needed: --target, files, numbers above 0");
}

static int connect_to(const char *target)
{
    g_auto(GStrv) words = g_strsplit(target, ":", 2);
    struct sockaddr_in sa = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (!words[1] || inet_pton(AF_INET, words[0], &sa.sin_addr) != 1)
        die("not an address: %s", target);
    sa.sin_port = htons((uint16_t)atoi(words[1]));
    if (connect(fd, (struct sockaddr *)&sa, sizeof sa) < 0)
        die("%s: %s", target, strerror(errno));
    return fd;
}

static void load_files(Load *l)
{
    l->n_steps = g_strv_length(o.files);
    l->commands = g_new0(GString *, l->n_steps);
    l->times = g_new0(GArray *, l->n_steps);
    for (unsigned i = 0; i < l->n_steps; i++) {
        g_autoptr(GError) error = NULL;
        char *text;
        size_t len;
        if (!g_file_get_contents(o.files[i], &text, &len, &error))
            die("%s", error->message);
        l->commands[i] = g_string_new_len(text, (gssize)len);
        l->times[i] = g_array_new(FALSE, FALSE, sizeof(int64_t));
        g_free(text);
    }
}

int main(int argc, char **argv)
{
    Load *l = g_new0(Load, 1);

    parse(argc, argv);
    load_files(l);
    l->fd = connect_to(o.target);
    l->calls = g_new0(Call, o.outstanding);
    int64_t start = g_get_monotonic_time();
    run(l);
    report(l, g_get_monotonic_time() - start);
    return 0;
}
