# SPDX-License-Identifier: GPL-3.0-or-later
"""The ng protocol as a client: bencode and JSON, over UDP and TCP, with every byte visible to the test."""
import itertools
import json
import os
import select
import socket
import time

from procs import Failure, PATIENCE, family

_numbers = itertools.count(1)
_prefix = f"t{os.getpid()}"


def cookie():
    return f"{_prefix}_{next(_numbers)}"


def bencode(value):
    if isinstance(value, bool):
        raise TypeError("bencode has no booleans")
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, (bytes, bytearray)):
        return b"%d:%s" % (len(value), bytes(value))
    if isinstance(value, (list, tuple)):
        return b"l" + b"".join(bencode(item) for item in value) + b"e"
    if isinstance(value, dict):
        return b"d" + b"".join(bencode(key) + bencode(item) for key, item in value.items()) + b"e"
    raise TypeError(f"no bencode for {type(value)}")


def _bdecode(data, at):
    lead = data[at:at + 1]
    if lead == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if lead == b"l":
        items, at = [], at + 1
        while data[at:at + 1] != b"e":
            item, at = _bdecode(data, at)
            items.append(item)
        return items, at + 1
    if lead == b"d":
        result, at = {}, at + 1
        while data[at:at + 1] != b"e":
            key, at = _bdecode(data, at)
            result[key], at = _bdecode(data, at)
        return result, at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    if end > len(data):
        raise ValueError("string longer than the message")
    return data[colon + 1:end].decode("utf-8", "surrogateescape"), end


def bdecode(data):
    value, end = _bdecode(data, 0)
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes after the value")
    return value


def decode(payload):
    """The reply as a dictionary, and which of the two encodings it came in."""
    if payload[:1] == b"{":
        return json.loads(payload), "json"
    return bdecode(payload), "bencode"


def _readable(sock, seconds):
    """poll() and not select(), which knows descriptors below 1024 only."""
    waiter = select.poll()
    waiter.register(sock, select.POLLIN)
    return bool(waiter.poll(seconds * 1000))


class Reply(dict):
    """A decoded reply; .raw is what followed the cookie, .encoding says which codec wrote it."""

    def __init__(self, raw):
        value, self.encoding = decode(raw)
        super().__init__(value)
        self.raw = raw


class UdpClient:
    """One connected UDP socket: a port of its own, as a worker of a SIP proxy has."""

    def __init__(self, target, source=None):
        self.target = target
        self.sock = socket.socket(family(target[0]), socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        if source:
            self.sock.bind((source, 0))
        self.sock.connect(target)
        self.other = []

    def close(self):
        self.sock.close()

    def send(self, datagram):
        self.sock.send(datagram)

    def receive(self, timeout=5.0):
        """The next datagram, or None when the time is over."""
        if not _readable(self.sock, timeout * PATIENCE):
            return None
        try:
            return self.sock.recv(65536)
        except ConnectionRefusedError:
            return None

    def receive_for(self, name, timeout=5.0):
        """What followed the cookie @name in its reply; datagrams with other cookies are kept in .other."""
        prefix = name + b" "
        for index, datagram in enumerate(self.other):
            if datagram.startswith(prefix):
                return self.other.pop(index)[len(prefix):]
        end = time.monotonic() + timeout * PATIENCE
        while time.monotonic() < end:
            datagram = self.receive(max(0.0, end - time.monotonic()) / PATIENCE)
            if datagram is None:
                continue
            if datagram.startswith(prefix):
                return datagram[len(prefix):]
            self.other.append(datagram)
        return None

    def exchange(self, payload, name=None, timeout=5.0):
        """Sends raw bytes under a cookie, returns the raw bytes of the reply or None."""
        name = (name or cookie()).encode() if not isinstance(name, bytes) else name
        self.send(name + b" " + payload)
        return self.receive_for(name, timeout)

    def request(self, message=None, encoding="bencode", timeout=5.0, **keys):
        """Sends a dictionary (keys with _ stand for -), returns the Reply."""
        message = dict(message or {}, **{key.replace("_", "-"): value for key, value in keys.items()})
        payload = bencode(message) if encoding == "bencode" else json.dumps(message).encode()
        raw = self.exchange(payload, timeout=timeout)
        if raw is None:
            raise Failure(f"no ng reply from {self.target} to {message.get('command')}")
        return Reply(raw)

    def alive(self):
        """Whether a ping is answered at once: the readiness condition of every ng server."""
        try:
            raw = self.exchange(b"d7:command4:pinge", timeout=0.2)
        except OSError:
            return False
        return raw is not None and Reply(raw).get("result") == "pong"


class TcpClient:
    """One ng TCP connection: messages go out in one piece, replies are cut by their bencode."""

    def __init__(self, target):
        self.target = target
        self.sock = socket.create_connection(target, 5.0 * PATIENCE)
        self.buffer = b""

    def close(self):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def receive(self, timeout=5.0):
        """(cookie, payload) of the next message, or None when the time or the connection is over."""
        end = time.monotonic() + timeout * PATIENCE
        while True:
            message = self._cut()
            if message:
                return message
            left = end - time.monotonic()
            if left <= 0 or not _readable(self.sock, left):
                return None
            data = self.sock.recv(65536)
            if not data:
                return None
            self.buffer += data

    def _cut(self):
        space = self.buffer.find(b" ")
        if space < 0:
            return None
        try:
            _, end = _bdecode(self.buffer, space + 1)
        except ValueError:
            return None
        name, payload = self.buffer[:space], self.buffer[space + 1:end]
        self.buffer = self.buffer[end:]
        return name, payload

    def request(self, message):
        name = cookie().encode()
        self.send(name + b" " + bencode(message))
        while True:
            got = self.receive()
            if got is None:
                raise Failure(f"no ng reply over TCP from {self.target}")
            if got[0] == name:
                return Reply(got[1])
