/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session-fixture.h: plays offers and answers of one call through session/, with a stand-in for
 * rtpengine, and compares whole bodies.
 *
 * Bodies are written with "\n", which becomes CRLF, and with names in braces: {ue} {ue2} {core}
 * {gw} are fingerprint values of the UE, of another certificate of the UE, of the core and of this
 * gateway; {sha1} {md5} are values with those hashes; {tls-id-N} is the N-th tls-id that we make.
 *
 * Reserved ports count up from .port[side] (access 30000, core 40000) in steps of two. The gateway
 * has 198.51.100.1 and 2001:db8:a::1 as "access", 203.0.113.2 and 2001:db8:c::2 as "core".
 * rtpengine answers from 203.0.113.9 (2001:db8:9::9) with the port it was given plus 1000.
 *
 * Threads: one. Owner: whoever made the fixture frees it.
 */
#pragma once

#include "session/session-diff.h"
#include "session/session-plan.h"

typedef struct Fixture {
    SessionInterface interfaces[4];
    SessionPolicy policy;
    uint64_t ids;
    unsigned randoms;
    uint16_t port[2];
    const char *scripted; /* rtpengine's reply to the next request; NULL = the stand-in's */
    bool bare_lf;         /* leave "\n" as it is, in bodies and in what is expected */

    Session *session;  /* in force; NULL before the first request */
    SessionPlan *plan; /* of the last request; NULL when it failed */
    NgValue *dict;     /* of the last request */
    char *upstream;    /* what rtpengine was asked; NULL = it was not */
    char *body;        /* of the reply; NULL when the request failed */
    GArray *actions;   /* of SessionAction: what the last request meant for the media plane */
    GError *error;     /* why it failed */
} Fixture;

Fixture *fixture_new(void);
void fixture_free(Fixture *f);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fixture, fixture_free)

/** Expands the names in braces and, unless .bare_lf, the line ends. Owned by the caller. */
char *fixture_text(const Fixture *f, const char *text);

/**
 * A request's dictionary read into *@ret_req: @keys is "key=value key=value"; a key that stands
 * there twice becomes a list. The dictionary is kept in .dict until the next request.
 */
void fixture_request(Fixture *f, const char *keys, NgRequest *ret_req);

/**
 * An offer or answer sent by @from, carried out when it makes sense: then .session is the new
 * state. The tags are "ue" and "core", and the receiver's is left out of an offer that starts the
 * dialog; a from-tag, to-tag or call-id in @keys takes their place. False with .error.
 */
bool fixture_offer(Fixture *f, SessionSide from, const char *keys, const char *body);
bool fixture_answer(Fixture *f, SessionSide from, const char *keys, const char *body);

/** Compares the reply's body, byte by byte; a difference is printed and fails the test. */
#define fixture_expect(f, want) fixture_expect_at(f, "reply", (f)->body, want, __FILE__, __LINE__)

/** The same for the body that rtpengine was asked with; NULL = it must not have been asked. */
#define fixture_expect_upstream(f, want)                                                           \
    fixture_expect_at(f, "rtpengine", (f)->upstream, want, __FILE__, __LINE__)

void fixture_expect_at(const Fixture *f, const char *what, const char *got, const char *want,
                       const char *file, int line);

/** Does the reply's body have this whole line ("m=..." "a=setup:active"; names are expanded)? */
bool fixture_has(const Fixture *f, const char *line);

/** The slot of m-line @index (from 0) of the dialog of the last request; it must exist. */
SessionSlot *fixture_slot(const Fixture *f, unsigned index);

/** The stream that the last request talked about; NULL = none. */
SessionStream *fixture_stream(const Fixture *f, unsigned index);

/** How many actions of @kind the last request led to. */
unsigned fixture_count(const Fixture *f, SessionActionKind kind);

/** Fails the test with a message unless the last request was refused with @code. */
void fixture_expect_error(const Fixture *f, SessionError code);
