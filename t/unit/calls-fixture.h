/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * calls-fixture.h: calls with everything that is around them: a proxy that asks, a stand-in for
 * rtpengine that answers as the test says, a listener for events, real ports and workers.
 */
#pragma once

#include "control-test.h"
#include "control/control-calls.h"
#include "fake-store.h"

#define UPSTREAM_TIMEOUT_MS 400
#define CALLS_NODE          "node-1"

typedef struct Calls Calls;

/** How the stand-in answers. */
typedef enum Upstream {
    UPSTREAM_OK, /* offers and answers with the SDP it got, delete and query as to a known call */
    UPSTREAM_REFUSES, /* with .refusal */
    UPSTREAM_SILENT,
    UPSTREAM_GARBAGE, /* bytes that are no dictionary; a delete is answered well */
    UPSTREAM_NO_SDP,  /* ok without SDP; a delete is answered well */
    UPSTREAM_HOLDS,   /* nothing, until calls_release() */
} Upstream;

typedef struct CallsOptions {
    bool no_rtpengine;
    unsigned ports;   /* per address; 0 = 100 */
    int max_sessions; /* 0 = no limit */
    unsigned delete_delay_s;
    unsigned accept_ms; /* 0 = the default */
    bool fake;          /* .fake is there */
    bool degrade;       /* as --redis-mode */
    bool shared;        /* the store is; calls_ready() tells that it is ready */
    unsigned call_ttl_s;
    unsigned node_ttl_ms; /* 0 = a minute */
    bool no_certificate;  /* until calls_rotate_certificate() */
    bool certificate;     /* .certificate is there; the store has none and says that it is away */
    Store *(*make_store)(Calls *f); /* NULL = in memory */
    unsigned fork_timeout_ms;       /* 0 = a minute */
    bool drains;                    /* .drained counts */
    unsigned first_host;            /* of the addresses for media; 0 = 1 */
} CallsOptions;

struct Calls {
    uv_loop_t loop;
    TestSocket *proxy, *rtpengine, *sink;
    ControlServer *server;
    ControlCalls *calls;
    ControlEvents *events;
    Store *store;
    FakeStore *fake; /* that is .store; NULL = one in memory */
    TlsIdentities *identities;
    TlsSealKey *key;
    ControlCertificate *certificate; /* NULL = none is shared */
    SessionInterface interfaces[2];  /* access, core */
    Addr at;
    unsigned cookies;
    Upstream upstream;
    const char *refusal; /* a bencoded dictionary */
    GPtrArray *asked;    /* of NgMessage: what rtpengine was asked, in order */
    unsigned drained;
    const char *node; /* node-id; CALLS_NODE unless a test has another one */
};

/** @options: NULL = the defaults. Matches g_test_add(). */
void calls_set_up(Calls *f, const void *options);
void calls_tear_down(Calls *f, const void *options);

/** Everything is closed, the loop has run; the rest for calls_tear_down(). */
void calls_stop(Calls *f);

/** The store outlives the calls: begins anew, as the program does when it is started again. */
void calls_restart(Calls *f, const CallsOptions *o);

/** New streams present another certificate, as after SIGHUP. */
void calls_rotate_certificate(Calls *f);

/** The next start has another certificate only: none that was there before; or none at all. */
void calls_renew_certificate(Calls *f);
void calls_forget_certificate(Calls *f);

/** The store is ready. */
void calls_ready(Calls *f);

/** Has an event come that holds @text? */
bool calls_event(const Calls *f, const char *text);

/** A dictionary of strings: key, value ... NULL. */
NgValue *calls_dict(const char *command, const char *call_id, ...) G_GNUC_NULL_TERMINATED;

/** Sends @dict (taken) under a new cookie and returns its number. */
unsigned calls_send(Calls *f, NgValue *dict);

/** The reply to request @cookie, once it is there. Owned by the caller. */
NgValue *calls_reply(Calls *f, unsigned cookie);

/** Has a reply to @cookie come? */
bool calls_replied(Calls *f, unsigned cookie);

/** Sends and waits. @dict is taken. */
NgValue *calls_ask(Calls *f, NgValue *dict);

/** The stand-in answers request @i with {result: ok} and the SDP of it, if there was one. */
void calls_release(Calls *f, guint i);

/** Waits until rtpengine has been asked @n times, and returns the last of these dictionaries
 * (borrowed). */
const NgValue *calls_asked(Calls *f, guint n);

/** The value of @key in @dict is @text. */
void calls_assert_str(const NgValue *dict, const char *key, const char *text);

/** Bodies: of the UE and of the core; audio before the message line if @audio. */
char *calls_ue_sdp(bool audio, unsigned messages);
char *calls_core_sdp(bool audio, unsigned messages);

/** Offer of the UE for e2ae=originating, answer of the core; both asked and checked to be ok. */
void calls_set_up_call(Calls *f, const char *call_id, bool audio);

/** Waits until the workers have begun: the access leg of the call's first stream listens. */
void calls_wait_listening(Calls *f, const char *call_id);

/** The TCP address that the reply's SDP or e2ae dictionary gives for the access leg of m-line
 * @index, from 1. */
Addr calls_access(const NgValue *reply, unsigned index);
