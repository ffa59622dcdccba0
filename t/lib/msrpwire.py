# SPDX-License-Identifier: GPL-3.0-or-later
"""MSRP on the wire, strictly: URIs, heads, frames out of a byte stream, and bodies that are hard to frame."""
import hashlib
import ipaddress
import re
import secrets

MAX_HEAD = 8192
START = re.compile(rb"MSRP ([A-Za-z0-9][A-Za-z0-9.+%=-]{3,31}) (?:([A-Z]+)|([0-9]{3})(?: (.*))?)")
HEADER = re.compile(rb"([!-9;-~]+): ?(.*)")
URI = re.compile(r"(msrps?)://(?:[^@/;]*@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]+))?(?:/([^;\s]+))?;([A-Za-z0-9]+)"
                 r"(?:;.*)?", re.I)


class Malformed(Exception):
    """Bytes that are no MSRP."""


def uri_key(text):
    """What RFC 4975 6.1 compares of a URI; None for what is not one."""
    match = URI.fullmatch(text)
    if not match:
        return None
    scheme, host, port, session, transport = match.groups()
    try:
        host = ipaddress.ip_address(host.strip("[]")).compressed
    except ValueError:
        host = host.lower()
    return scheme.lower(), host, port and int(port), session, transport.lower()


def same_uri(one, other):
    return uri_key(one) is not None and uri_key(one) == uri_key(other)


def same_session(one, other):
    """By session-id alone."""
    return uri_key(one) is not None and uri_key(other) is not None and uri_key(one)[3] == uri_key(other)[3]


def ident():
    return secrets.token_hex(8)


class Frame:
    """Start line and headers of a frame."""

    def __init__(self, head):
        lines = head.split(b"\r\n")
        start = START.fullmatch(lines[0])
        if not start:
            raise Malformed(f"start line {lines[0][:80]!r}")
        self.tid = start[1].decode()
        self.method = start[2].decode() if start[2] else None
        self.status = int(start[3]) if start[3] else None
        self.headers = []
        for line in lines[1:]:
            header = HEADER.fullmatch(line)
            if not header:
                raise Malformed(f"header {line[:80]!r}")
            self.headers.append((header[1].decode(), header[2].decode("utf-8", "replace")))
        if [name for name, _ in self.headers[:2]] != ["To-Path", "From-Path"]:
            raise Malformed(f"To-Path and From-Path are not first: {head[:200]!r}")
        self.to_path = self.headers[0][1].split(" ")
        self.from_path = self.headers[1][1].split(" ")

    def get(self, name, default=None):
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)


class Reader:
    """Cuts a byte stream into ("head", Frame), ("body", bytes) and ("end", flag)."""

    def __init__(self):
        self.data = b""
        self.frame = None
        self.in_body = False

    def _head(self):
        end = self.data.find(b"\r\n\r\n")
        first = self.data.find(b"\r\n-------")
        if 0 <= first and (end < 0 or first < end):
            head, self.data = self.data[:first], self.data[first:]
            self.in_body = False
        elif end >= 0:
            head, self.data = self.data[:end], self.data[end + 4:]
            self.in_body = True
        elif len(self.data) > MAX_HEAD or not self.data.startswith(b"MSRP "[:len(self.data)]):
            raise Malformed(f"{self.data[:80]!r}")
        else:
            return None
        self.frame = Frame(head)
        self.mark = b"\r\n-------" + self.frame.tid.encode()
        return "head", self.frame

    def _rest(self):
        at, size = -1, len(self.mark) + 3
        while True:
            at = self.data.find(self.mark, at + 1)
            tail = self.data[at + len(self.mark):at + size] if at >= 0 else b""
            if at < 0 or re.fullmatch(rb"[$+#]\r\n", tail) or (len(tail) < 3 and re.fullmatch(rb"([$+#]\r?)?", tail)):
                break
        if not self.in_body and (at > 0 or at < 0 and len(self.data) >= size):
            raise Malformed(f"no end-line behind the headers: {self.data[:80]!r}")
        if at == 0:
            if len(self.data) < size:
                return None
            self.data, self.frame = self.data[size:], None
            return "end", chr(tail[0])
        sure = at if at > 0 else max(0, len(self.data) - size)
        body, self.data = self.data[:sure], self.data[sure:]
        return ("body", body) if body else None

    def feed(self, data):
        self.data += data
        while self.data:
            event = self._rest() if self.frame else self._head()
            if event is None:
                return
            yield event


class Pattern:
    """Reproducible bytes of any size, with everything in them that may look like an end-line of @tid."""

    def __init__(self, size, tid="none"):
        self.size = size
        traps = b"".join(b"\r\n" + b"-" * dashes + name.encode() + flag + end
                         for dashes in (6, 7, 8) for name in (tid, tid[:-1], tid + "x") for flag in (b"", b"!", b"$", b"+")
                         for end in (b"", b"\r", b"\n", b"\r\n"))
        for flag in (b"$", b"+"):  # the real one must not be in it
            traps = traps.replace(b"-------" + tid.encode() + flag + b"\r\n", b"-------" + tid.encode() + b"~\r\n")
        self.block = bytes(range(256)) * 200 + traps + b"\0\r\r\n"

    def __iter__(self):
        left = self.size
        while left > 0:
            yield self.block[:left]
            left -= min(left, len(self.block))

    def digest(self):
        total = hashlib.sha256()
        for block in self:
            total.update(block)
        return total.hexdigest()
