# SPDX-License-Identifier: GPL-3.0-or-later
"""What OpenSIPS makes of rtpengine_offer("..."), rtpengine_answer() and rtpengine_delete(): the ng message, byte for byte.

Debian 12 has no OpenSIPS. These are the rules of its module rtpengine, in our words; parse_flags() and
rtpe_function_call() of modules/rtpengine/rtpengine.c in OpenSIPS 3.4, 3.5 and 3.6 are where they come from:

- Blanks separate the flags. The first "=" of a flag ends its key; the value goes on to the next blank. Nothing is quoted.
- Some keys have a meaning: call-id, from-tag, to-tag, received-from, via-branch-param, delete-delay, in-iface, out-iface, the
  words of "replace", and others that no example of ours uses: those are an error here. The two interfaces become the list
  "direction".
- Of the rest, a flag without "=" goes into the list "flags", one with "=" into the dictionary, under the key as it is.
- The order: sdp, what flags have put into the dictionary, direction, flags, replace, call-id, via-branch, received-from, tags,
  command.
- From and To of a request are from-tag and to-tag, and so they are in a reply that answers. In an answer in a request (ACK,
  PRACK) and an offer in a reply they change places. A delete has no to-tag, and since 3.6 no from-tag either.
- A cookie of three numbers stands before it, except on a unix socket.
"""
import itertools

import ng

_REPLACE = {"replace-origin": "origin", "replace-session-connection": "session-connection", "replace-SDP-version": "SDP version",
            "replace-zero-address": "zero address", "replace-session-name": "session name", "replace-username": "username"}
_VALUES = {"call-id", "callid", "from-tag", "to-tag", "received-from", "via-branch-param", "in-iface", "out-iface"}
_UNUSED = {"via-branch", "internal", "external", "repacketize", "directional", "force-answer", "address-family", "SRTP", "AVP",
           "AVPF", "RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"}
_numbers = itertools.count(1)


class Message:
    """A SIP message as far as the module looks at it. @kind: "request" or "reply"."""

    def __init__(self, kind, call_id, from_tag, to_tag, source):
        self.kind, self.call_id, self.from_tag, self.to_tag, self.source = kind, call_id, from_tag, to_tag, source


def _tokens(text):
    for token in text.split(" "):
        if token:
            key, equals, value = token.partition("=")
            yield key, value if equals else None


def _parse(text):
    """(values with a meaning, dictionary, flags, replace)"""
    known, extra, flags, replace = {}, {}, [], []
    for key, value in _tokens(text):
        if key in _UNUSED or key.startswith("rtcp-mux-"):
            raise ValueError(f"{key}: what OpenSIPS makes of it is not written down here")
        if key in _REPLACE:
            replace.append(_REPLACE[key])
        elif key in _VALUES:
            known["call-id" if key == "callid" else key] = value
        elif key == "delete-delay":
            extra[key] = int(value)
        elif value is None:
            flags.append(key)
        else:
            extra[key] = value
    return known, extra, flags, replace


def _tags(version, command, message):
    straight = (command != "answer") if message.kind == "request" else (command in ("answer", "delete"))
    first, second = (message.from_tag, message.to_tag) if straight else (message.to_tag, message.from_tag)
    if not straight and not message.to_tag:
        raise ValueError(f"{command} in a {message.kind} without a tag in To")
    tags = {}
    if command != "delete" or version < (3, 6):
        tags["from-tag"] = first
    if command != "delete" and second:
        tags["to-tag"] = second
    return tags


def encode(version, command, text, message, body=None):
    """The dictionary of one command, with its keys in OpenSIPS's order. @version: (3, 4) to (3, 6)."""
    known, extra, flags, replace = _parse(text)
    if ("in-iface" in known) != ("out-iface" in known):
        raise ValueError("in-iface and out-iface belong together")
    out = {"sdp": body} if body else {}
    out.update(extra)
    media = command in ("offer", "answer")
    if media and "in-iface" in known:
        out["direction"] = [known["in-iface"], known["out-iface"]]
    if flags:
        out["flags"] = flags
    if media and replace:
        out["replace"] = replace
    out["call-id"] = known.get("call-id", message.call_id)
    if "via-branch-param" in known:
        out["via-branch"] = known["via-branch-param"]
    out["received-from"] = ["IP6" if ":" in message.source else "IP4", known.get("received-from", message.source)]
    out.update(_tags(version, command, message))
    out["command"] = command
    return out


def cookie():
    return f"811_91823_{next(_numbers)}".encode()


def send(client, version, command, text, message, body=None):
    """Encodes and sends one command; returns the reply."""
    raw = client.exchange(ng.bencode(encode(version, command, text, message, body)), name=cookie())
    if raw is None:
        raise AssertionError(f"no reply to {command}")
    return ng.Reply(raw)
