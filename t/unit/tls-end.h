/* SPDX-License-Identifier: GPL-3.0-or-later */
/** tls-end.h: for the tests of tls/: a TlsStream with its buffers, to be joined to another or to a raw peer. */
#pragma once

#include "tls-pair.h"
#include "tls/tls-stream.h"

typedef struct End {
    TlsStream *s;
    Buf plain;
    Buf out;
} End;

void end_init(End *e, TlsCtx *ctx, TlsRole role, const FingerprintSet *expected);
void end_clear(End *e);
TlsState end_state(const End *e);

/** Takes everything out of @from into @to, at most @chunk bytes at a time. */
void end_feed(End *to, Buf *from, size_t chunk);

/** Both ends under test; the client starts. */
void end_join(End *client, End *server, size_t chunk);

/** One end under test and a raw peer. */
void end_join_raw(End *e, Raw *raw, Buf *raw_plain);

/** @plain holds just @text; takes it out. */
void end_assert_plain(Buf *plain, const char *text);
void end_assert_failed(const End *e, TlsFailureKind kind, const char *text);
