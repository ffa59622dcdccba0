/* SPDX-License-Identifier: GPL-3.0-or-later */
/** dtls-net.h: for the tests of DTLS: two ends, a network that does as it is told, and a clock. */
#pragma once

#include "tls-pair.h"
#include "tls/dtls-stream.h"

#define SECOND ((int64_t)G_USEC_PER_SEC)

/** The time, for the ends and for OpenSSL. */
extern int64_t clock_us;

typedef enum Direction { TO_SERVER, TO_CLIENT } Direction;

typedef struct Fate {
    unsigned copies; /* 0 = lost */
    bool late;       /* after the next one */
} Fate;

struct Net;

typedef struct End {
    struct Net *net;
    Direction direction; /* of what it sends */
    DtlsStream *s;
    DtlsSink sink;
    GQueue inbox; /* GBytes */
    GBytes *late; /* for the inbox, after the next one */
    GPtrArray *got;
    unsigned sent;
    size_t longest;
    bool echo;
} End;

typedef struct Net {
    End client;
    End server;
    /* What becomes of the n-th datagram in a direction. */
    Fate (*fate)(Direction direction, unsigned n, const void *arg);
    const void *arg;
} Net;

typedef struct Fixture {
    TlsCtx *ue_ctx;
    TlsCtx *agw_ctx;
    FingerprintSet ue;
    FingerprintSet agw;
    Net net;
} Fixture;

typedef struct Single {
    Direction direction;
    unsigned n;
    Fate fate;
} Single;

void end_init(Net *net, End *e, Direction direction, TlsCtx *ctx, const FingerprintSet *expected,
              unsigned mtu);
void end_clear(End *e);
TlsState end_feed(End *e, const void *data, size_t len);
bool end_receive(End *e);

/** Delivers what is under way, until nothing is. */
void net_run(Net *net);
TlsState end_state(const End *e);

/** Lets time pass to the next deadline; false when there is none. */
bool net_wait(Net *net);

/** The whole handshake, with as many retransmissions as it takes. */
void net_shake(Net *net);
void net_assert_open(const Net *net);
void end_assert_failed(const End *e, TlsFailureKind kind, const char *text);
void end_assert_write(End *e, const char *text);
void end_assert_got(const End *e, unsigned i, const char *text);

/** New ends. */
void fixture_start(Fixture *f, bool server_knows, unsigned mtu);
void fixture_stop(Fixture *f);
void fixture_setup(Fixture *f, gconstpointer unused);
void fixture_setup_rsa(Fixture *f, gconstpointer unused);
void fixture_teardown(Fixture *f, gconstpointer unused);

/** For Net.fate: the datagram that @arg, a Single, tells. */
Fate single_fate(Direction direction, unsigned n, const void *arg);

/** Open, and data crosses both ways; the network is good again. */
void net_assert_works(Net *net);
