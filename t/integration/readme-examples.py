# SPDX-License-Identifier: GPL-3.0-or-later
"""Replays every example of ng-protocol/README.md against the program and the real rtpengine, and compares."""
import json
import os
import re
import select
import socket
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import plugin
import procs
import rtpengine
import tap

README = os.path.join(procs.SOURCE_DIR, "ng-protocol", "README.md")
_FENCE = re.compile(r"^(?:(###? [^\n]*)|```(ng-request|ng-reply|event|action)\n(.*?)^```$)", re.M | re.S)
_PLACE = re.compile(r"<([a-z-]+)(?::(\w+))?>")
_KINDS = {"port": r"\d{1,5}", "tls-id": r"[A-Za-z0-9+/_-]{20,255}", "number": r"-?\d+",
          "address": r"[0-9.]+", "fingerprint": r"sha-256 (?:[0-9A-F]{2}:){31}[0-9A-F]{2}", "text": r".+"}


class Mismatch(Exception):
    pass


class Bindings:
    """Values of placeholders: the same one stands for the same value through a section, another for another."""

    def __init__(self, known):
        self.values = dict(known)

    def fill(self, text):
        """@text with every placeholder replaced by its value."""
        def value(match):
            if match.group() not in self.values:
                raise Mismatch(f"{match.group()} is used before a reply has given it a value")
            return self.values[match.group()]
        return _PLACE.sub(value, text)

    def match(self, pattern, value, where):
        """@pattern with placeholders must be @value; binds those that are new."""
        expression, new, at = "", [], 0
        for place in _PLACE.finditer(pattern):
            expression += re.escape(pattern[at:place.start()])
            at = place.end()
            if place.group() in self.values:
                expression += re.escape(self.values[place.group()])
            else:
                expression += f"({_KINDS[place.group(1)]})"
                new.append(place.group())
        found = re.fullmatch(expression + re.escape(pattern[at:]), value)
        if not found:
            raise Mismatch(f"{where}: documented {pattern!r}, got {value!r}")
        for name, got in zip(new, found.groups()):
            if name.startswith(("<number", "<text")):
                continue
            taken = [other for other, had in self.values.items() if had == got and other.split(":")[0] == name.split(":")[0]]
            if taken and not name.startswith("<port"):
                raise Mismatch(f"{where}: {name} and {taken[0]} are both {got}")
            self.values[name] = got


def compare(want, got, bound, documented, where="reply"):
    """Every documented value must be there; a key beyond it must at least be described on the page."""
    if isinstance(want, dict):
        if not isinstance(got, dict):
            raise Mismatch(f"{where}: documented a dictionary, got {got!r}")
        for key, value in want.items():
            real = bound.fill(key)
            if real not in got:
                raise Mismatch(f"{where}: no {real!r} in {sorted(got)}")
            compare(value, got[real], bound, documented, f"{where}.{key}")
        extra = set(got) - {bound.fill(key) for key in want}
        unknown = [key for key in extra if f"`{key}`" not in documented]
        if unknown:
            raise Mismatch(f"{where}: {unknown} are not documented")
    elif isinstance(want, list) and where.endswith(".sdp") and isinstance(got, str):
        compare(want, got.removesuffix("\r\n").split("\r\n"), bound, documented, where + " lines")
    elif isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            raise Mismatch(f"{where}: documented {len(want)} entries, got {json.dumps(got, indent=1)}")
        for number, (one, other) in enumerate(zip(want, got), 1):
            compare(one, other, bound, documented, f"{where}[{number}]")
    elif isinstance(want, str):
        bound.match(want, str(got), where)
    elif want != got:
        raise Mismatch(f"{where}: documented {want!r}, got {got!r}")


def filled(value, bound):
    """A request with its placeholders replaced, and sdp put together from its lines."""
    if isinstance(value, dict):
        return {key: "".join(bound.fill(line) + "\r\n" for line in item) if key == "sdp" and isinstance(item, list)
                else filled(item, bound) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, bound) for item in value]
    return bound.fill(value) if isinstance(value, str) else value


class Replay:
    """The servers, and the section that is being replayed."""

    def __init__(self, documented):
        self.documented = documented
        self.sink = procs.udp_socket(procs.address(7))
        self.upstream = rtpengine.Rtpengine()
        self.e2ae = plugin.Plugin(self.upstream.ng_address,
                                  extra=["--event-sink=udp:%s:%d" % self.sink.getsockname()])
        self.calls = []
        self.sockets = []
        self.begin()

    def begin(self):
        """A new section: calls of the last one are deleted, placeholders forgotten."""
        for call_id in self.calls:
            self.e2ae.request(command="delete", call_id=call_id, delete_delay=0)
        for sock in self.sockets:
            sock.close()
        self.calls, self.sockets, self.request, self.reply = [], [], None, None
        procs.wait_until(lambda: not self.e2ae.sockets(), "no media sockets", 10)
        while select.select([self.sink], [], [], 0)[0]:
            self.sink.recv(65536)
        self.bound = Bindings({"<address:access>": self.e2ae.access, "<address:core>": self.e2ae.core,
                               "<fingerprint:ue>": certs.Pair("ue-ecdsa").fingerprint()})

    def ask(self):
        self.reply = self.e2ae.client.request(self.request, encoding="json")

    def reply_fits(self, want):
        """Compares. What a query says follows the media plane, which may be a moment behind: it is asked again."""
        before = dict(self.bound.values)
        try:
            compare(want, dict(self.reply), self.bound, self.documented)
        except Mismatch:
            if not self.request["command"].endswith(("query", "statistics")) or time.monotonic() > self.deadline:
                raise
            self.bound.values = before
            self.ask()
            return False
        return True

    def block(self, kind, text):
        self.deadline = time.monotonic() + 5 * procs.PATIENCE
        if kind == "ng-request":
            self.request = filled(json.loads(text), self.bound)
            self.ask()
            if self.request.get("call-id") and self.request["call-id"] not in self.calls:
                self.calls.append(self.request["call-id"])
        elif kind == "ng-reply":
            procs.wait_until(lambda: self.reply_fits(json.loads(text)), "the documented reply", 10)
        elif kind == "action":
            words = self.bound.fill(text.strip()).split(" ", 3)
            assert words[0] == "send", text
            sock = socket.create_connection((words[1], int(words[2])), 10 * procs.PATIENCE)
            self.sockets.append(sock)
            sock.sendall(words[3].encode())
        else:
            if not select.select([self.sink], [], [], 15 * procs.PATIENCE)[0]:
                raise Mismatch("no event came")
            compare(json.loads(text), json.loads(self.sink.recv(65536)), self.bound, self.documented, "event")


def main():
    with open(README, encoding="utf-8") as page:
        documented = page.read()
    with tap.need("the servers start"):
        replay = Replay(documented)
    section, number, counts = "", 0, {}
    for match in _FENCE.finditer(documented):
        heading, kind, text = match.groups()
        if heading:
            section, number = heading.lstrip("# "), 0
            replay.begin()
            continue
        number += 1
        counts[kind] = counts.get(kind, 0) + 1
        with tap.check(f"{section}: block {number}, {kind}"):
            replay.block(kind, text)
    tap.ok(counts.get("ng-request", 0) >= 20 and counts.get("ng-request") == counts.get("ng-reply") and
           counts.get("event", 0) >= 2, "the page has its examples", counts)
    with tap.check("every command of the extension and every event is on the page"):
        for word in ("e2ae offer", "e2ae answer", "e2ae delete", "e2ae query", "e2ae list", "e2ae statistics",
                     "fingerprint-mismatch", "tcp-connect-failed", "media-timeout"):
            assert f"`{word}`" in documented, word
    tap.finish()


if __name__ == "__main__":
    main()
