# SPDX-License-Identifier: GPL-3.0-or-later
"""An event sink (--event-sink=udp:...): every event of the program, in order, by call."""
import json
import socket

import procs

_KEYS = {"event", "time", "call-id", "index", "leg", "reason"}
_NAMES = {"tls-established", "tcp-connect-failed", "accept-timeout", "tls-handshake-failed", "fingerprint-mismatch",
          "no-client-certificate", "fingerprint-unknown-timeout", "bearer-released", "media-timeout", "takeover"}


class Sink:
    """A UDP socket on an address of its own; option() goes to the program."""

    def __init__(self):
        self.sock = procs.udp_socket(procs.address(7))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.all = []

    def option(self):
        return "--event-sink=udp:%s:%d" % self.sock.getsockname()

    def poll(self):
        """Takes what has arrived; an event that is not as the protocol says ends the test."""
        while True:
            try:
                event = json.loads(self.sock.recv(65536))
            except BlockingIOError:
                return self.all
            if not _KEYS <= event.keys() or event["event"] not in _NAMES or event["leg"] not in ("access", "core"):
                raise procs.Failure(f"not an event: {event}")
            self.all.append(event)

    def of(self, call_id):
        """The names of the events of a call so far."""
        return [event["event"] for event in self.poll() if event["call-id"] == call_id]

    def wait(self, call_id, name, count=1, timeout=20.0):
        """Waits until the call has @count events of that name; returns the last of them."""
        procs.wait_until(lambda: self.of(call_id).count(name) >= count,
                         f"event {name} of {call_id}, got {self.of(call_id)}", timeout)
        return [event for event in self.all if event["call-id"] == call_id and name == event["event"]][-1]
