/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-test.h: what the tests of control/ share: a loop that runs until something is so, sockets
 * in it, and the log.
 */
#pragma once

#include "base/addr.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>
#include <uv.h>

#define TEST_DEADLINE_MS 20000

static inline void test_deadline_cb(uv_timer_t *timer)
{
    g_error("the condition \"%s\" did not come true", (const char *)timer->data);
}

static inline void test_timer_ignore(uv_timer_t *timer)
{
    (void)timer;
}

/* Runs @loop until @condition, which is looked at after every event; fails the test when it never
 * comes true. */
#define RUN_UNTIL(loop, condition)                                                                 \
    do {                                                                                           \
        uv_timer_t deadline_;                                                                      \
        uv_timer_init((loop), &deadline_);                                                         \
        deadline_.data = (void *)#condition;                                                       \
        uv_timer_start(&deadline_, test_deadline_cb, TEST_DEADLINE_MS, 0);                         \
        while (!(condition))                                                                       \
            uv_run((loop), UV_RUN_ONCE);                                                           \
        test_close((loop), (uv_handle_t *)&deadline_);                                             \
    } while (0)

static inline void test_closed_cb(uv_handle_t *handle)
{
    handle->data = NULL;
}

/* Closes a handle that lives on the stack or in a test's struct. */
static inline void test_close(uv_loop_t *loop, uv_handle_t *handle)
{
    handle->data = handle;
    uv_close(handle, test_closed_cb);
    while (handle->data)
        uv_run(loop, UV_RUN_NOWAIT);
}

/* Everything has been closed: nothing is left in the loop. */
static inline void test_loop_end(uv_loop_t *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    g_assert_cmpint(uv_loop_close(loop), ==, 0);
}

static inline Addr test_addr(const char *text)
{
    Addr a;

    g_assert_true(addr_parse(span_str(text), &a));
    return a;
}

static inline Addr test_any_port(const char *ip)
{
    Addr a;

    g_assert_true(addr_parse_ip(span_str(ip), &a));
    return a;
}

static inline Addr test_fd_addr(int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;
    Addr a;

    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&sa, &len), ==, 0);
    g_assert_true(addr_from_sockaddr((struct sockaddr *)&sa, &a));
    return a;
}

/* A UDP socket in the loop that keeps what it gets; or hands it to .on first. */
typedef struct TestSocket {
    uv_poll_t poll;
    int fd;
    Addr addr;
    GPtrArray *got; /* of GString */
    Addr from;      /* of the last one */
    void (*on)(struct TestSocket *s, Span datagram);
    void *user_data;
    char buf[65536];
} TestSocket;

static inline void test_string_free(void *s)
{
    g_string_free(s, TRUE);
}

static inline void test_socket_readable(uv_poll_t *poll, int status, int events)
{
    TestSocket *s = poll->data;
    struct sockaddr_storage sa;
    socklen_t len = sizeof sa;

    (void)events;
    if (status < 0)
        uv_poll_start(poll, UV_READABLE, test_socket_readable);
    ssize_t n = recvfrom(s->fd, s->buf, sizeof s->buf, MSG_DONTWAIT, (struct sockaddr *)&sa, &len);
    if (n < 0)
        return; /* an ICMP error of an earlier datagram */
    g_assert_true(addr_from_sockaddr((struct sockaddr *)&sa, &s->from));
    g_ptr_array_add(s->got, g_string_new_len(s->buf, n));
    if (s->on)
        s->on(s, (Span){s->buf, (size_t)n});
}

/* Bound to @at (port 0 = any). */
static inline TestSocket *test_socket_new(uv_loop_t *loop, Addr at)
{
    TestSocket *s = g_new0(TestSocket, 1);
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(&at, &sa);

    s->fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    g_assert_cmpint(s->fd, >=, 0);
    g_assert_cmpint(setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &(int){1 << 20}, sizeof(int)), ==, 0);
    g_assert_cmpint(bind(s->fd, (struct sockaddr *)&sa, len), ==, 0);
    s->addr = test_fd_addr(s->fd);
    s->got = g_ptr_array_new_with_free_func(test_string_free);
    uv_poll_init(loop, &s->poll, s->fd);
    s->poll.data = s;
    uv_poll_start(&s->poll, UV_READABLE, test_socket_readable);
    return s;
}

static inline void test_socket_free(uv_loop_t *loop, TestSocket *s)
{
    uv_poll_stop(&s->poll);
    test_close(loop, (uv_handle_t *)&s->poll);
    close(s->fd);
    g_ptr_array_unref(s->got);
    g_free(s);
}

/* A connected socket, as the proxies use, takes nothing from another address. */
static inline void test_socket_connect(TestSocket *s, Addr to)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(&to, &sa);

    g_assert_cmpint(connect(s->fd, (struct sockaddr *)&sa, len), ==, 0);
}

static inline void test_socket_send(TestSocket *s, const Addr *to, Span datagram)
{
    struct sockaddr_storage sa;
    socklen_t len = addr_to_sockaddr(to, &sa);

    g_assert_cmpint(sendto(s->fd, datagram.p, datagram.len, 0, (struct sockaddr *)&sa, len), ==,
                    datagram.len);
}

static inline Span test_socket_got(const TestSocket *s, guint i)
{
    const GString *g = s->got->pdata[i];

    return (Span){g->str, g->len};
}

#define assert_span(span, text) g_assert_true(span_eq((span), span_str(text)))

/* What was logged since the last clear, one line per message. */
static GString *test_log;

static inline GLogWriterOutput test_log_write(GLogLevelFlags level, const GLogField *fields,
                                              gsize n, gpointer user_data)
{
    (void)user_data;
    for (gsize i = 0; i < n; i++)
        if (strcmp(fields[i].key, "MESSAGE") == 0)
            g_string_append_printf(test_log, "%s\n", (const char *)fields[i].value);
    return level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL)
               ? g_log_writer_standard_streams(level, fields, n, user_data)
               : G_LOG_WRITER_HANDLED;
}

/* Warnings are part of what is tested, not a failure of the test. */
static inline void test_log_start(void)
{
    test_log = g_string_new(NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
    g_log_set_writer_func(test_log_write, NULL, NULL);
}

#define assert_logged(text) g_assert_nonnull(strstr(test_log->str, (text)))
