/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tested by t/unit/test-control-udp.c */
#include "config.h"

#include "control/control-peer.h"

ControlPeer control_peer_ref(const ControlPeer *peer)
{
    peer->channel->refs++;
    return *peer;
}

void control_channel_unref(ControlChannel *c)
{
    g_assert(c->refs > 0);
    c->refs--;
    c->released(c);
}

void control_peer_clear(ControlPeer *peer)
{
    if (peer->channel)
        control_channel_unref(peer->channel);
    *peer = (ControlPeer){0};
}

void control_peer_send(const ControlPeer *peer, Span cookie, Span body)
{
    peer->channel->send(peer->channel, peer, cookie, body);
}
