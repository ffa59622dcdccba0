# SPDX-License-Identifier: GPL-3.0-or-later
"""With no e2ae key in a request the deployment behaves as without the plugin (design.md, promise 1).

The same requests go to one rtpengine directly and to a second, equally fresh one through the plugin. What comes back must
be the same but for what two rtpengines would never agree on: ports, times, SSRCs, random names."""
import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import interop
import ng
import ngcases
import plugin
import procs
import rtpengine
import tap

interop.whole("rtpengine", "every ng command, with and without this program before it")

PORTS = ((30000, 30999), (40000, 40999))
_TIMES = {"created", "created_us", "last signal", "last packet", "last redis update", "last_signal", "created_from"}
_SSRC = {"SSRC", "ssrc"}
_RANDOM = [(re.compile(r"^a=ice-(ufrag|pwd):.*$", re.M), r"a=ice-\1:R"),
           (re.compile(r"^a=fingerprint:(\S+) (?!(..):\2:\2:)\S+", re.M), r"a=fingerprint:\1 R"),  # rtpengine's own
           (re.compile(r"^(a=crypto:\d+ \S+ inline:)\S+", re.M), r"\1R"),
           (re.compile(r"^a=candidate:\S+ ", re.M), "a=candidate:R "),
           (re.compile(r"^o=(\S+) \d+ \d+ (IN IP4 127\.)", re.M), r"o=\1 N N \2"),
           (re.compile(r"^a=tls-id:.*$", re.M), "a=tls-id:R"),
           (re.compile(r"^a=cname:.*$", re.M), "a=cname:R")]


class Normaliser:
    """Gives each port of one rtpengine's range a name by order of first sight in its call; two equal runs get equal
    names."""

    def __init__(self, ports):
        self.low, self.high = ports
        self.calls = {}
        self.names = {}
        self.tags = {}

    def enter(self, call_id):
        """What follows is about this call: ports are taken again by other calls, so each has its own names."""
        self.names = self.calls.setdefault(call_id, {})

    def _port(self, number):
        if not self.low <= number <= self.high:
            return number
        return self.names.setdefault(number, f"PORT{len(self.names)}")

    def text(self, value):
        for pattern, replacement in _RANDOM:
            value = pattern.sub(replacement, value)
        return re.sub(r"(?<![0-9a-fA-F.])\d{5}(?![0-9a-fA-F.])", lambda match: str(self._port(int(match.group()))), value)

    def value(self, value, key=None):
        if key in _TIMES:
            return "TIME"
        if isinstance(value, dict):
            return {self._key(name): self.value(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self.value(item, key) for item in value]
        if isinstance(value, str):
            return self._key(self.text(value))
        if key in _SSRC and value:
            return "SSRC"
        return self._port(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def _key(self, name):
        """Tags that rtpengine made up are 16 or more hex digits."""
        if re.fullmatch(r"[0-9a-f]{16,}", name):
            return self.tags.setdefault(name, f"TAG{len(self.tags)}")
        return name


def shape(value):
    """Keys and types, for replies full of measurements; lists of which the length varies keep their first entry."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return "number" if isinstance(value, (int, float)) or re.fullmatch(r"[\d.eE+-]+", str(value)) else type(value).__name__


def ordered(value):
    """A text that shows the order of keys too."""
    return json.dumps(value, indent=1, ensure_ascii=True)


class Side:
    """One way to an rtpengine."""

    def __init__(self, name, udp, tcp, ports):
        self.name, self.udp_address, self.tcp_address = name, udp, tcp
        self.normaliser = Normaliser(ports)
        self.client = ng.UdpClient(udp)

    def reply(self, raw, call_id, measured):
        if raw is None:
            return None
        self.normaliser.enter(call_id)
        value, encoding = ng.decode(raw)
        return encoding, ordered(shape(value) if measured else self.normaliser.value(value))


with tap.need("two rtpengines start, one of them behind the plugin"):
    bare = rtpengine.Rtpengine(ports=PORTS[0], tcp=True, name="rtpengine-bare")
    behind = rtpengine.Rtpengine(ports=PORTS[1], tcp=True, name="rtpengine-behind")
    if os.environ.get("E2AE_TEST_NO_PLUGIN"):  # checks the test itself: two bare rtpengines must agree
        way = behind
    else:
        way = plugin.Plugin(behind.ng_address, ports=(50000, 50999), tcp=True)
    direct = Side("direct", bare.ng_address, bare.tcp_address, PORTS[0])
    through = Side("through the plugin", way.ng_address, way.tcp_address, PORTS[1])
    sides = (direct, through)


def compare(name, raws, call_id=None, measured=False):
    direct_reply, plugin_reply = (side.reply(raw, call_id, measured) for side, raw in zip(sides, raws))
    tap.ok(direct_reply == plugin_reply, name, "direct:", *(direct_reply or ["no reply"]), "through the plugin:",
           *(plugin_reply or ["no reply"]))


def exchange(payload, cookie, timeout=10.0):
    """The same datagram on both sides at once, then both replies."""
    name = cookie.encode()
    for side in sides:
        side.client.send(name + b" " + payload)
    return [side.client.receive_for(name, timeout) for side in sides]


# 1. Everything with a structure, in both encodings; every fifth one is repeated under its own cookie.
repeated = 0
for encoding in ("bencode", "json"):
    for number, (name, message) in enumerate(ngcases.dictionaries(f"t-{encoding}")):
        payload = ng.bencode(message) if encoding == "bencode" else json.dumps(message).encode()
        cookie = ng.cookie()
        first = exchange(payload, cookie)
        compare(f"{encoding}: {name}", first, message.get("call-id"))
        if number % 5 == 0:
            repeated += 1
            again = exchange(payload, cookie)
            tap.ok(again == first, f"{encoding}: {name}, same cookie again", *map(repr, first + again))
    statistics = {"command": "statistics"}
    payload = ng.bencode(statistics) if encoding == "bencode" else json.dumps(statistics).encode()
    compare(f"{encoding}: statistics", exchange(payload, ng.cookie()), measured=True)

# 2. One cookie, another body: the first reply is the reply (rtpengine keys its cache on the cookie alone).
cookie = ng.cookie()
first = exchange(b"d7:command4:pinge", cookie)
compare("a cookie used for a ping", first)
again = exchange(b"d7:command4:list5:limiti1ee", cookie)
tap.ok(again == first, "the same cookie with another body gets the first reply", *map(repr, first + again))

# 3. What cannot be decoded: one socket per datagram, so that even a late reply is seen.
waiting = []
for name, datagram in ngcases.garbage():
    clients = [ng.UdpClient(side.udp_address) for side in sides]
    for client in clients:
        client.send(datagram)
    waiting.append((name, clients))
for name, clients in waiting:
    # A ping behind it on the same socket: when the pong is there, so is the reply to what came before, or there is none.
    raws = []
    for client in clients:
        marker = ng.cookie().encode()
        pong = client.exchange(b"d7:command4:pinge", marker, timeout=10.0)
        assert pong, f"no pong after {name}"
        raws.append([datagram for datagram in client.other])
    names = [[raw.partition(b" ")[0] for raw in side] for side in raws]
    bodies = [[raw.partition(b" ")[2] for raw in side] for side in raws]
    tap.ok(names[0] == names[1] and bodies[0] == bodies[1], f"garbage: {name}", *map(repr, raws))

# 4. TCP: one connection each, bencode, several requests behind each other.
connections = [ng.TcpClient(side.tcp_address) for side in sides]
for name, message in ngcases.dictionaries("t-tcp"):
    if len(ng.bencode(message)) < 900:  # rtpengine 10.5.3 closes on more when it arrives in pieces
        replies = [connection.request(message).raw for connection in connections]
        compare(f"tcp: {name}", replies, message.get("call-id"))
for number in range(3):
    for connection in connections:
        connection.send(b"p1-%d d7:command4:pinge" % number + b"p2-%d d7:command4:pinge" % number)
    answers = [sorted([connection.receive(), connection.receive()]) for connection in connections]
    tap.equal(answers[1], answers[0], f"tcp: two requests in one segment, {number + 1}")

# 5. Nothing was left behind, on either side, and nobody sent anything nobody asked for.
with tap.check("both rtpengines hold the same calls at the end"):
    lists = [sorted(server.calls()) for server in (bare, behind)]
    assert lists[0] == lists[1], lists
with tap.check("no unasked datagram arrived"):
    for name, clients in waiting:
        for client, side in zip(clients, sides):
            assert client.receive(0) is None, f"{side.name}, after {name}"
    for side in sides:
        assert side.client.receive(0) is None and not side.client.other, f"{side.name}: {side.client.other}"
tap.finish()
