/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Autoconf's, in angle brackets: in quotes it would be the one beside this file. */
#include <config.h>

#include "plugin/cluster-key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* 64 digits and an end of line; a little more, to see that there is more. */
#define READ_MAX 128

#define OPTION "--cluster-key"

static bool complain(GError **error, const char *text)
{
    g_set_error_literal(error, CONFIG_ERROR, CONFIG_ERROR_OPTION, text);
    return false;
}

bool cluster_key_check(const Config *c, GError **error)
{
    if (!c->cluster_key)
        return true;
    if (!c->redis)
        return complain(error, OPTION " is given and --redis is not: the certificate that it seals "
                                      "is kept in Redis");
    if (c->certificates->len)
        return complain(error, OPTION " and --certificate are given: the certificate comes from "
                                      "Redis or from files");
    return true;
}

/* As ssh has it for its keys: what the owner has opened to others is a mistake. */
static bool check_mode(const char *path, const struct stat *st, GError **error)
{
    mode_t forbidden = st->st_uid == geteuid() ? 077 : 07;

    if (!S_ISREG(st->st_mode)) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION, OPTION "=%s: this is no file", path);
        return false;
    }
    if (st->st_mode & forbidden) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION,
                    OPTION
                    "=%s: its mode is 0%o, so others may read the key: chmod go= it, and make a "
                    "new key if they may have",
                    path, (unsigned)st->st_mode & 0777);
        return false;
    }
    return true;
}

static TlsSealKey *read_key(int fd, const char *path, GError **error)
{
    char text[READ_MAX];
    struct stat st;

    ssize_t n = fstat(fd, &st);
    if (n == 0 && !check_mode(path, &st, error))
        return NULL;
    if (n == 0)
        n = read(fd, text, sizeof text);
    if (n < 0) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION, OPTION "=%s: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    TlsSealKey *key = tls_seal_key_parse((Span){text, (size_t)n}, error);
    explicit_bzero(text, sizeof text);
    if (!key)
        g_prefix_error(error, OPTION "=%s: ", path);
    return key;
}

TlsSealKey *cluster_key_load(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not keep us waiting */

    if (fd < 0) {
        g_set_error(error, CONFIG_ERROR, CONFIG_ERROR_OPTION, OPTION "=%s: %s", path,
                    g_strerror(errno));
        return NULL;
    }
    TlsSealKey *key = read_key(fd, path, error);
    close(fd);
    return key;
}
