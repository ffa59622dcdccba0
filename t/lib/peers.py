# SPDX-License-Identifier: GPL-3.0-or-later
"""The foreign TLS/DTLS peers (t/peers) and a plain TCP peer, each running beside the test."""
import hashlib
import os
import random
import select
import socket
import subprocess
import threading

import procs

EXIT_HANDSHAKE = 3
EXIT_FINGERPRINT = 4


def payload(size, seed=1):
    """Bytes that look like nothing in particular, the same each time."""
    return random.Random(seed).randbytes(size)


class TlsPeer(procs.Server):
    """One run of STACK-peer; options are those of its command line, underscores for hyphens."""

    def __init__(self, stack, cert=None, stdin=subprocess.DEVNULL, name=None, **options):
        argv = [os.path.join(procs.BUILD_DIR, "t", "peers", f"{stack}-peer")]
        if cert:
            argv += [f"--cert={cert.cert}", f"--key={cert.key}"]
        for option, value in options.items():
            option = "--" + option.replace("_", "-")
            if value is True:
                argv.append(option)
            elif value is not None and value is not False:
                argv.append(f"{option}={value}")
        super().__init__(name or f"{stack}-peer", argv, stdin=stdin)

    def line(self, word):
        """What followed @word on the first line that starts with it, or None."""
        for line in self.log().splitlines():
            if line == word or line.startswith(word + " "):
                return line[len(word) + 1:]
        return None

    def wait_line(self, word, timeout=15.0):
        def found():
            value = self.line(word)
            if value is None and not self.running():
                raise procs.Failure(f"{self.name} ended with {self.process.returncode}:\n{self.log()}")
            return value is not None
        procs.wait_until(found, f"'{word}' from {self.name}", timeout)
        return self.line(word)

    def listening_at(self):
        host, port = self.wait_line("LISTENING").split()
        return host, int(port)

    def release(self):
        """Ends --hold: the peer closes when it has sent and received everything."""
        self.process.stdin.close()

    def go(self):
        """Ends --wait: the peer sends what it has to send."""
        self.process.stdin.write(b"g")
        self.process.stdin.flush()

    def digest(self):
        """(bytes or datagrams received, their SHA-256)."""
        count, digest = self.line("RECEIVED").split()
        return int(count), digest


class PlainPeer:
    """A plain TCP peer for one connection: listens, or connects to @target; sends and receives at once.

    Runs on a thread of its own; join() waits for it. It closes its sending side when it has sent @data and received
    @expect bytes. Bytes and connections are counted from the start, so a test can also say that nothing arrived."""

    def __init__(self, host, port=0, target=None, data=b"", expect=0):
        self.listener = None if target else procs.tcp_listener(host, port)
        self.host, self.port = self.listener.getsockname()[:2] if self.listener else (host, 9)
        self.target, self.data, self.expect = target, data, expect
        self.received = 0
        self.connections = 0
        self.ended = None
        self.error = None
        self.digest = hashlib.sha256()
        self._stop, self._wake = socket.socketpair()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            connection = self._connect() if self.target else self._accept()
            if connection:
                connection.setblocking(False)
                self.connections += 1
                self._exchange(connection)
        except OSError as error:
            self.error = error

    def _connect(self):
        return socket.create_connection(self.target, 10 * procs.PATIENCE, (self.host, 0))

    def _accept(self):
        ready, _, _ = select.select([self.listener, self._stop], [], [])
        return self.listener.accept()[0] if self.listener in ready else None

    def _exchange(self, connection):
        left = memoryview(self.data)
        closing = False
        while self.ended is None:
            if not closing and not left and self.expect and self.received >= self.expect:
                closing = True
                connection.shutdown(socket.SHUT_WR)
            readable, writable, _ = select.select([connection, self._stop], [connection] if left else [], [])
            if self._stop in readable:
                break
            if readable:
                self._receive(connection)
            if writable and self.ended is None:
                left = left[connection.send(left[:1 << 18]):]
        connection.close()

    def _receive(self, connection):
        try:
            data = connection.recv(1 << 18)
        except ConnectionResetError:
            self.ended = "reset"
            return
        self.received += len(data)
        self.digest.update(data)
        if not data:
            self.ended = "clean"

    def join(self, timeout=60.0):
        """Waits until the connection is over."""
        self.thread.join(timeout * procs.PATIENCE)
        if self.thread.is_alive():
            raise procs.Failure(f"the plain peer still waits: {self.received} bytes so far")
        if self.error:
            raise procs.Failure(f"the plain peer: {self.error}")

    def close(self):
        """Gives up whatever it is doing."""
        self._wake.close()
        self.thread.join(5)
        if self.listener:
            self.listener.close()
