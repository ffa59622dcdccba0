# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ends of a crowd say: one side of an MSRP session or BFCP connection, from bytes to tokens and back.

A side says tokens, takes what arrives, and knows what it still waits for. Anything that is not what was expected is Broken.
"""
import itertools
import secrets

_BFCP_HEADER = 12
_BFCP_VERSION = 0x20
_FLOOR_REQUEST = 1


class Broken(Exception):
    """Not what should have come."""


class _Side:
    def __init__(self):
        self.expected, self.unanswered = None, None

    def reset(self):
        """The connection is gone, and with it what was under way."""
        self.expected = self.unanswered = None

    def expect(self, token):
        self.expected = token

    def _came(self, token):
        if token != self.expected:
            raise Broken(f"{token[:80]!r} came instead of {self.expected and self.expected[:80]!r}")
        self.expected = None

    def missing(self):
        return " and ".join(what for what, missing in (("the token", self.expected), ("the response", self.unanswered))
                            if missing)

    def complete(self):
        return not self.missing()


class MsrpSide(_Side):
    """@path: its own URI; @peer: what its SDP names as the other one's."""

    def __init__(self, path, peer):
        super().__init__()
        self.path, self.peer = path.encode(), peer.encode()

    def _frame(self, tid, start, headers=(), body=None):
        lines = [b"MSRP %s %s" % (tid, start), b"To-Path: " + self.peer, b"From-Path: " + self.path, *headers]
        if body is not None:
            lines += [b"", body]
        return b"\r\n".join([*lines, b"-------%s$\r\n" % tid])

    def say(self, token):
        self.unanswered = secrets.token_hex(8).encode()
        return self._frame(self.unanswered, b"SEND", [
            b"Message-ID: " + secrets.token_hex(8).encode(), b"Byte-Range: 1-%d/%d" % (len(token), len(token)),
            b"Content-Type: text/plain"], token)

    def take(self, buffer):
        """Consumes whole frames of @buffer; returns the responses to be sent."""
        replies = []
        while b"\r\n" in buffer:
            words = bytes(buffer[:buffer.index(b"\r\n")]).split(b" ", 2)
            if len(words) != 3 or words[0] != b"MSRP":
                raise Broken(f"no MSRP: {bytes(buffer[:80])!r}")
            mark = b"\r\n-------" + words[1]
            at = buffer.find(mark)
            size = at + len(mark) + 3
            if at < 0 or len(buffer) < size:
                break
            if buffer[size - 3:size] != b"$\r\n":
                raise Broken(f"not a whole message: {bytes(buffer[at:size])!r}")
            head, _, body = bytes(buffer[:at]).partition(b"\r\n\r\n")
            del buffer[:size]
            self._check_paths(head)
            if words[2] == b"SEND":
                self._came(body)
                replies.append(self._frame(words[1], b"200 OK"))
            else:
                self._response(words)
        return replies

    def _check_paths(self, head):
        headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        if (headers.get(b"To-Path"), headers.get(b"From-Path")) != (self.path, self.peer):
            raise Broken(f"paths in {head!r}, this is {self.path!r} with {self.peer!r}")

    def _response(self, words):
        if words[1] != self.unanswered or not words[2].startswith(b"200"):
            raise Broken(f"{b' '.join(words)!r} for the request {self.unanswered!r}")
        self.unanswered = None


class BfcpSide(_Side):
    """Requests both ways, the token in place of their attributes; nobody answers them."""

    def __init__(self):
        super().__init__()
        self.numbers = itertools.count(1)

    def say(self, token):
        if len(token) % 4:
            raise ValueError("BFCP counts in words")
        return (bytes((_BFCP_VERSION, _FLOOR_REQUEST)) + (len(token) // 4).to_bytes(2, "big") + (4321).to_bytes(4, "big") +
                (next(self.numbers) & 0xffff).to_bytes(2, "big") + (1234).to_bytes(2, "big") + token)

    def take(self, buffer):
        while len(buffer) >= _BFCP_HEADER:
            if buffer[:2] != bytes((_BFCP_VERSION, _FLOOR_REQUEST)):
                raise Broken(f"no such BFCP: {bytes(buffer[:_BFCP_HEADER])!r}")
            size = _BFCP_HEADER + 4 * int.from_bytes(buffer[2:4], "big")
            if len(buffer) < size:
                break
            self._came(bytes(buffer[_BFCP_HEADER:size]))
            del buffer[:size]
        return []
