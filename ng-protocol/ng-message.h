/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * ng-message.h: one ng message as it stands on the wire: a cookie, a blank and a dictionary.
 *
 * Opening goes in two steps, because an error reply to a body that cannot be decoded still needs
 * the cookie: ng_envelope_open() finds the cookie and the encoding, ng_message_new() decodes the
 * body.
 *
 * Threads: a message is used by one thread only.
 * Owner:   an envelope borrows the bytes it was opened on; a message owns all it holds.
 */
#pragma once

#include "ng-protocol/ng-bencode.h"

#define NG_MAX_DATAGRAM 65535
#define NG_MAX_COOKIE   4096

typedef enum NgEncoding { NG_BENCODE, NG_JSON } NgEncoding;

typedef struct NgEnvelope {
    Span cookie; /* empty where the transport has none (HTTP /ng-plain) */
    Span body;
    NgEncoding encoding; /* of the body and so of the reply; NG_BENCODE when the body is neither */
} NgEnvelope;

/**
 * Splits a datagram, or a message of another transport that has a cookie. Fails with
 * NG_ERROR_NO_COOKIE, to which there is no reply, on an empty or missing cookie, one over
 * NG_MAX_COOKIE, and a message over NG_MAX_MESSAGE.
 */
bool ng_envelope_open(Span message, NgEnvelope *ret_env, GError **error);

/** The same for a transport without cookie: all of @body. */
NgEnvelope ng_envelope_plain(Span body);

typedef struct NgMessage {
    Span cookie; /* bytes owned by the message */
    NgEncoding encoding;
    NgValue *dict; /* always an NG_DICT */
} NgMessage;

/**
 * Decodes the body. Bytes after a bencode dictionary are ignored, as rtpengine does. Returns the
 * message (owned), or NULL with NG_ERROR_EMPTY, _FORMAT, _BENCODE or _JSON; then ng_error_reason()
 * is what to answer with env->cookie.
 */
NgMessage *ng_message_new(const NgEnvelope *env, GError **error);
void ng_message_free(NgMessage *m);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NgMessage, ng_message_free)

/**
 * rtpengine's text for an error of the NG_ERROR domain that it has too, else the message of @error
 * (borrowed).
 */
const char *ng_error_reason(const GError *error);

/**
 * The bytes to send, owned by the caller: @cookie and a blank (neither when it is empty), then
 * @dict.
 */
GString *ng_message_encode(Span cookie, NgEncoding encoding, const NgValue *dict);

/** How far the search for the end of a message came; all zero before its first byte. */
typedef struct NgStreamScan {
    NgBencodeScan body;
    size_t cookie_len; /* 0: the blank was not found yet */
} NgStreamScan;

/**
 * Finds the first whole message at the start of @stream (TCP: messages back to back, bencode only,
 * no length before them). Call with the same bytes and more after NG_SCAN_MORE. With NG_SCAN_DONE
 * *@ret_len is its length, to be opened with ng_envelope_open(). After NG_SCAN_BAD there is no next
 * message: close the connection.
 */
NgScan ng_stream_scan(NgStreamScan *scan, Span stream, size_t *ret_len);
