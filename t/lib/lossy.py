# SPDX-License-Identifier: GPL-3.0-or-later
"""A path between two DTLS endpoints that loses, delays and doubles datagrams: always the same ones, in both directions."""
import random
import select
import socket
import threading
import time

import procs

PASS, DROP, LATE, TWICE = "pass", "drop", "late", "twice"
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
_RECORD = 13
_FRAGMENT = 12


def records(datagram):
    """The DTLS records of a datagram as (type, epoch, sequence number, payload)."""
    found = []
    while len(datagram) >= _RECORD:
        size = int.from_bytes(datagram[11:13], "big")
        found.append((datagram[0], int.from_bytes(datagram[3:5], "big"), datagram[5:11],
                      datagram[_RECORD:_RECORD + size]))
        datagram = datagram[_RECORD + size:]
    return found


def _clear(kind, epoch, payload):
    """A handshake message, or a piece of one, that is not encrypted."""
    return kind == HANDSHAKE and epoch == 0 and len(payload) >= _FRAGMENT


def is_data(datagram):
    return datagram[0] == DATA


def clean(_direction, _datagram):
    return PASS


class _Sent:
    """Tells what is sent for the first time from what is sent again, however that is cut and packed then."""

    def __init__(self):
        self.begun, self.again = set(), set()

    def first_time(self, direction, datagram):
        """What a datagram begins with as (message, offset), or None when that was sent before."""
        found = []
        for kind, epoch, _, payload in records(datagram):
            clear = _clear(kind, epoch, payload)
            message = (direction, kind, epoch, payload[:1] + payload[4:6] if clear else len(payload))
            offset = int.from_bytes(payload[6:9], "big") if clear else 0
            if offset == 0 and message in self.begun:
                self.again.add(message)
            self.begun.add(message)
            found.append((message, offset))
        return None if found[0][0] in self.again else found[0]


class Seeded:
    """Loses about a third of a handshake's datagrams, delays and doubles others, but each only the first time: whoever
    sends a lost flight again gets it through. What happens to one depends on the seed and on what it is, never on when
    it comes. Alerts, which nobody sends again, pass. @spare: (direction, first record's type) that pass as well. No
    seed: handshakes are left alone. @data: what happens to the n-th datagram of application data of either direction."""

    def __init__(self, seed=None, data=None, spare=()):
        self.seed, self.data, self.spare = seed, data or {}, spare
        self.sent = _Sent()
        self.counts = {"up": 0, "down": 0}

    def __call__(self, direction, datagram):
        if is_data(datagram):
            self.counts[direction] += 1
            return self.data.get(self.counts[direction] - 1, PASS)
        key = self.sent.first_time(direction, datagram)
        if self.seed is None or not key or datagram[0] == ALERT or (direction, datagram[0]) in self.spare:
            return PASS
        return random.Random(f"{self.seed} {key}").choice((DROP, DROP, LATE, TWICE, PASS, PASS))


class FirstFlights:
    """Loses every handshake message once, and with that every flight of either side. @spare: as for Seeded."""

    def __init__(self, spare=()):
        self.sent, self.spare = _Sent(), spare

    def __call__(self, direction, datagram):
        if datagram[0] in (ALERT, DATA) or (direction, datagram[0]) in self.spare:
            return PASS
        return DROP if self.sent.first_time(direction, datagram) else PASS


def after(sent, fates):
    """What arrives of the datagrams @sent when the n-th has the fate @fates[n]. A late one comes behind the next."""
    arrived, kept = [], []
    for number, datagram in enumerate(sent):
        fate = fates.get(number, PASS)
        if fate == LATE:
            kept.append(datagram)
            continue
        arrived += ([] if fate == DROP else [datagram]) + kept
        kept = []
    assert not kept, "the last one cannot be late"
    return arrived


class Path:
    """Listens on @host for whoever speaks first ("up" is from there to @target) and passes both ways what @fate, a
    function of direction and datagram, lets through. Datagrams larger than @mtu are lost, as in a network.

    What it has seen: .fates by kind, and by direction the .largest datagram, the number of .fragments of handshake
    messages and that of datagrams with a ChangeCipherSpec that is .parted from its Finished."""

    def __init__(self, host, target, fate=clean, mtu=65535):
        self.fate, self.mtu, self.target = fate, mtu, target
        self.front, self.back = procs.udp_socket(host), procs.udp_socket(host)
        self.first = None
        self.fates = {PASS: 0, DROP: 0, LATE: 0, TWICE: 0}
        self.largest = {"up": 0, "down": 0}
        self.fragments = {"up": 0, "down": 0}
        self.parted = {"up": 0, "down": 0}
        self.too_large = 0
        self._log, self._start = [], time.monotonic()
        self._kept = {"up": [], "down": []}
        self._stop, self._wake = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def endpoint(self):
        return self.front.getsockname()[:2]

    def _run(self):
        while True:
            ready, _, _ = select.select([self.front, self.back, self._stop], [], [])
            if self._stop in ready:
                return
            for sock in ready:
                self._take(sock)

    def _take(self, sock):
        try:
            datagram, source = sock.recvfrom(65536)
        except OSError:
            return  # the other end is not there yet, or any more
        direction = "up" if sock is self.front else "down"
        if direction == "up":
            self.first = source
        self._count(direction, datagram)
        fate = self.fate(direction, datagram) if len(datagram) <= self.mtu else DROP
        self.too_large += len(datagram) > self.mtu
        self._log.append((time.monotonic() - self._start, direction, fate, datagram))
        self.fates[fate] += 1
        if fate == LATE:
            self._kept[direction].append(datagram)
            return
        for copy in [datagram] * {PASS: 1, DROP: 0, TWICE: 2}[fate] + self._kept[direction]:
            self._send(direction, copy)
        self._kept[direction] = []

    def _count(self, direction, datagram):
        self.largest[direction] = max(self.largest[direction], len(datagram))
        found = records(datagram)
        self.fragments[direction] += sum(_clear(kind, epoch, payload) and payload[1:4] != payload[9:12]
                                         for kind, epoch, _, payload in found)
        self.parted[direction] += bool(found) and found[-1][0] == CHANGE_CIPHER_SPEC

    def _send(self, direction, datagram):
        try:
            if direction == "up":
                self.back.sendto(datagram, self.target)
            elif self.first:
                self.front.sendto(datagram, self.first)
        except OSError:
            pass  # as above: a network loses it

    def story(self):
        """What came and what became of it, for somebody who wants to know why a test failed."""
        return "\n".join(f"{at:8.3f} {direction:4} {fate:5} {len(datagram):5} " + " ".join(
            f"{kind}/{epoch}/{payload[:_FRAGMENT].hex()}" for kind, epoch, _, payload in records(datagram))
            for at, direction, fate, datagram in self._log)

    def close(self):
        self._wake.close()
        self._thread.join(5)
        for sock in (self.front, self.back, self._stop):
            sock.close()
