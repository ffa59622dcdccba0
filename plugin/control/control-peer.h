/* SPDX-License-Identifier: GPL-3.0-or-later */
/**
 * control-peer.h: where a message came from and its reply goes to: a proxy behind a UDP listener or
 * a TCP connection.
 *
 * Threads: control thread only.
 * Owner:   a ControlPeer is a value that holds a reference on its channel: control_peer_ref() makes
 * another, each one is given back with control_peer_clear(). Sending to a connection that is gone
 * does nothing.
 */
#pragma once

#include "base/addr.h"

typedef enum ControlTransport { CONTROL_UDP, CONTROL_TCP } ControlTransport;

typedef struct ControlPeer ControlPeer;
typedef struct ControlChannel ControlChannel;

/** First member of what carries messages. */
struct ControlChannel {
    ControlTransport transport;
    unsigned refs; /* peers, and one for the channel's own handle while that is open */
    void (*send)(ControlChannel *c, const ControlPeer *to, Span cookie, Span body);
    void (*released)(
        ControlChannel *c); /* called after each drop of .refs; frees the channel at 0 */
};

struct ControlPeer {
    ControlChannel *channel;
    Addr remote;
    Addr local;     /* the address that was asked and has to answer */
    unsigned scope; /* index of the network interface if remote is link-local, else 0 */
};

/** A message as it came, "cookie SP body" or not even that. Both borrowed. */
typedef void (*ControlMessageCb)(const ControlPeer *from, Span message, void *user_data);

ControlPeer control_peer_ref(const ControlPeer *peer);
void control_peer_clear(ControlPeer *peer);

/** Sends "@cookie SP @body"; what is lost on the way is lost, the proxy asks again. */
void control_peer_send(const ControlPeer *peer, Span cookie, Span body);

/** Drops one reference, as control_peer_clear() does. */
void control_channel_unref(ControlChannel *c);
