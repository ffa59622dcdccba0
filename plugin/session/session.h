/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * session.h: the state of one call, as values: what was negotiated and which local ports it holds.
 * No sockets, no clock, no store: control/ carries out what follows from a change (session-diff.h),
 * store/ keeps it.
 *
 *   call-id -> Session -> SessionDialog (one per fork: a via-branch, later a pair of tags)
 *           -> SessionSlot (one per m-line, by its index) -> SessionStream (what is terminated
 * here)
 *
 * A Session is never changed in place: a request makes a changed copy, which takes the old one's
 * place when everything that could fail has succeeded.
 *
 * Threads: used by the control thread.
 * Owner:   a Session owns everything below it. Descriptors (Medium) are static.
 */
#pragma once

#include "media/media-types.h"
#include "ng-protocol/ng-e2ae.h"
#include "ng-protocol/ng-value.h"
#include "sdp/sdp-tls-attrs.h"
#include "session/medium.h"

/** The two legs of everything: towards the served UE, and towards the core. */
typedef enum SessionSide { SESSION_ACCESS = MEDIA_ACCESS, SESSION_CORE = MEDIA_CORE } SessionSide;

static inline SessionSide session_other(SessionSide side)
{
    return side == SESSION_ACCESS ? SESSION_CORE : SESSION_ACCESS;
}

/** How the a=path of an MSRP stream is treated (session-path.h). */
typedef enum SessionPathMode {
    SESSION_PATH_NONE,
    SESSION_PATH_KEEP,
    SESSION_PATH_SCHEME,
    SESSION_PATH_AWARE,
} SessionPathMode;

/** One leg of a stream, as the last offer and answer left it. */
typedef struct SessionLeg {
    bool secure;
    char *interface;  /* name of the interface it is on */
    Addr local;       /* bound; port 0 until it is reserved */
    Addr advertised;  /* what the SDP says; same port */
    Addr remote;      /* the peer's c= and m=; family ADDR_NONE until known */
    MediaSetup setup; /* our part in opening the connection; for DTLS: in opening the association */
    MediaTlsRole tls_role;       /* of a secure leg */
    FingerprintSet fingerprints; /* the peer's, of a secure leg */
    char *tls_id;                /* ours; NULL = none signalled */
    char *peer_tls_id;           /* NULL = none seen */
    char *peer_path;             /* MSRP: the peer's a=path as it was; NULL = none seen */
    bool peer_connection;        /* BFCP: the peer writes a=connection */
    unsigned generation; /* how often an answer asked for a new connection on these ports; a new
                            life begins with none, and no connection */
    bool discard; /* our URI has port 9: it was first signalled as the active side's (TRK-04) */
} SessionLeg;

/** One protected medium: two legs joined by a relay. */
typedef struct SessionStream {
    uint64_t id; /* unique in this process and never used again: the generation of ASC-02 */
    const Medium *medium;
    bool answered;
    bool gateway;              /* the core leg is rtpengine (session-gateway.h) */
    SessionPathMode path_mode; /* MSRP, in force */
    SessionPathMode
        path_also; /* the one that a re-offer changes it to, or changed it from (TRK-03); else NONE */
    bool allow_sha1;                   /* FPR-05 */
    FingerprintSet local_fingerprints; /* what we signal on secure legs, fixed for life (FPR-09) */
    SessionLeg leg[2];
} SessionStream;

/**
 * What happens to an m-line.
 *
 *   treatment  who carries it                       offer                      answer
 *   UPSTREAM   rtpengine                            a new decision             through rtpengine
 *   PASS       nobody: forwarded as it is           a new decision             as it is
 *   REJECT     nobody: port 0 to both sides         a new decision             port 0
 *   CLOSED     nobody: its owner set port 0         a new stream (TRK-09)      port 0
 *   E2AE       this program                         keeps, replaces or ends    starts it, or
 *                                                   the stream                 port 0 -> CLOSED
 */
typedef enum SessionTreatment {
    SESSION_UPSTREAM,
    SESSION_PASS,
    SESSION_REJECT,
    SESSION_CLOSED,
    SESSION_E2AE,
} SessionTreatment;

/** "anchor" for UPSTREAM (rtpengine does), "pass", "reject", "e2ae": the words of the ng reply. */
const char *session_treatment_name(SessionTreatment treatment);

/**
 * The streams of one m-line:
 *
 *   state        stream   pending   retiring   offer that keeps it   offer that changes it   answer
 * refused answer none         -        -         -          -                     -> OFFERED - -
 *   OFFERED      -        P         -          -> OFFERED            -> OFFERED (new P)      ->
 * ACTIVE    -> none ACTIVE       S        -         -          -> ACTIVE             -> REOFFERED
 * -> ACTIVE    -> none REOFFERED    S        P         -          -> ACTIVE             ->
 * REOFFERED (new P)    -> MOVING    -> none MOVING       S=P      -         old S      as ACTIVE as
 * ACTIVE               as ACTIVE    -> none
 *
 * MOVING ends when the new stream is up, or its time is over: then the old one is closed (TRK-13,
 * DTL-07).
 *
 * A CLOSED slot may hold a stream after an answer: one that another callee of a fork may accept
 * (TRK-07, session-answer.c).
 */
typedef struct SessionSlot {
    SessionTreatment treatment;
    const char *reason;     /* static text; NULL unless REJECT or PASS wants to say why */
    int upstream_index;     /* rtpengine's number of this line; -1 = it never saw it */
    char *upstream_text[2]; /* by SessionSide: that side's last section in rtpengine's care (TRK-19)
                             */
    const Medium *medium;   /* of E2AE, REJECT, CLOSED; NULL when not ours */
    char *media_type;       /* as in the last offer's m= line, for the reply */
    char *offer_proto;      /* the last offer's proto: every answer repeats it (ORG-11) */
    char *peer_proto[2];    /* by SessionSide: the proto as that side last wrote it (DTL-01) */
    SdpSetup offer_setup;   /* the last offer's a=setup */
    SessionPathMode offer_path_mode; /* what the last offer asks for; the answer puts it in force */
    bool offer_tls_id;               /* the last offer had a=tls-id (DTL-05) */
    bool offer_connection_existing;  /* the last offer said a=connection:existing (COM-05) */
    SdpSetup sent_setup;             /* what we wrote in the offer to the other side */
    bool gateway;       /* the core leg is rtpengine, which converts (session-gateway.h) */
    bool offer_kept;    /* the last offer left the connection as it was (TRK-08) */
    const Medium *lost; /* it was protected and its stream is gone (session_drop_stream()), and no
                           other was answered since: still to be protected (TRK-20); NULL = not */
    bool lost_core;     /* the core leg of that stream was secure, too */
    SessionStream *stream;
    SessionStream *pending;
    SessionStream *retiring;
} SessionSlot;

typedef struct SessionDialog {
    char *via_branch;        /* NULL = the proxy does not name branches */
    char *tag[2];            /* by SessionSide; NULL = not known yet */
    SessionSide offerer;     /* of the last offer */
    bool answered;           /* the last offer has been answered (it may be answered again) */
    char *interface[2];      /* by SessionSide */
    unsigned upstream_count; /* lines rtpengine has seen; 0 = it does not know this dialog */
    bool upstream_asked;     /* the last offer went through rtpengine, so its answer must, too */
    GPtrArray *slots;        /* of SessionSlot, owned */
} SessionDialog;

/** The ng keys of the first offer, which hold for the call until a request says otherwise. */
typedef struct SessionSettings {
    unsigned media;   /* mask of Medium.mask */
    bool media_given; /* e2ae-media was there: the flags of the registration are known (SIG-09) */
    bool require_indication;
    bool answer_indication;
    bool allow_sha1;
    bool core_tls;
    E2aePath path;
    E2aeScheme scheme;
} SessionSettings;

typedef struct Session {
    char *call_id;
    SessionSettings settings;
    GPtrArray *dialogs;  /* of SessionDialog, owned */
    NgValue *first_keys; /* keys of the first offer that rtpengine would have remembered; NULL = it
                            was asked itself */
    SessionSide first_from; /* who sent that offer */
} Session;

Session *session_new(const char *call_id);
Session *session_copy(const Session *s);
void session_free(Session *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_free)

SessionDialog *session_dialog_new(const char *via_branch);
SessionDialog *session_dialog_copy(const SessionDialog *d);
void session_dialog_free(SessionDialog *d);

SessionSlot *session_slot_new(void);
void session_slot_free(SessionSlot *slot);

SessionStream *session_stream_new(uint64_t id, const Medium *medium);
void session_stream_free(SessionStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SessionStream, session_stream_free)

/** Drops every stream of the slot, and what it knows of lost ones. */
void session_slot_release(SessionSlot *slot);

/** Borrowed; NULL past the end. */
SessionSlot *session_slot(const SessionDialog *d, unsigned index);

/** Where a stream sits; false when the session has none of that id. Any out-parameter may be NULL.
 */
bool session_find_stream(const Session *s, uint64_t id, SessionDialog **ret_dialog,
                         unsigned *ret_index, SessionStream **ret_stream);

/** Calls @fn for every stream of the session: in force, pending and retiring. */
void session_foreach_stream(const Session *s, void (*fn)(SessionStream *stream, void *arg),
                            void *arg);

/** The stream an offer or answer talks about: the pending one, else the one in force; NULL = none.
 */
SessionStream *session_slot_current(const SessionSlot *slot);

/**
 * A stream has come up on its access leg: the one that it replaces is not needed any more and is
 * dropped from @s (the diff then closes it). Returns whether anything changed.
 */
bool session_stream_up(Session *s, uint64_t id);

/** Is there a stream that a callee has refused, and that is kept as another may accept it (TRK-07)? */
bool session_has_refused(const Session *s);

/** Drops those streams: nobody else will accept. Of one dialog; of all. */
void session_dialog_drop_refused(const SessionDialog *d);
void session_drop_refused(const Session *s);

/** Drops every stream that only waits for its successor to come up. */
void session_drop_retiring(Session *s);

/**
 * Drops stream @id, which cannot be served any more. If the last offer was about it, the m-line is
 * CLOSED: an answer that still comes gets port 0, and the next offer begins a new stream on it,
 * decided as if the lost one still ran (TRK-20, TRK-21).
 */
void session_drop_stream(Session *s, uint64_t id);
