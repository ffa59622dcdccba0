# SPDX-License-Identifier: GPL-3.0-or-later
"""A Redis server of the test's own: its port, its directory, its data kept over a restart."""
import os
import signal
import socket

import procs

DATABASE = 3


class Redis:
    """Database DATABASE is the one looked at. @host: where it listens; by default on loopback."""

    def __init__(self, host=None):
        self.host = host or procs.address(6)
        self.port = procs.free_port(self.host)
        self.directory = procs.path_of("redis")
        os.mkdir(self.directory)
        self.option = f"--redis={self.host}:{self.port}/{DATABASE}"
        self.sock = self.file = self.server = None
        self.start()

    def start(self):
        # What has been acknowledged is in the kernel's hands, so it survives the process.
        self.server = procs.Server("redis", [
            "redis-server", "--bind", self.host, "--port", str(self.port), "--dir", self.directory, "--save", "",
            "--appendonly", "yes", "--protected-mode", "no"])
        self.server.wait_ready(self._connect)

    def _connect(self):
        try:
            self.sock = socket.create_connection((self.host, self.port), 5 * procs.PATIENCE)
        except OSError:
            return False
        self.file = self.sock.makefile("rb")
        try:
            # SELECT is answered while the data is being loaded, a look at a key is not.
            return self.ask("SELECT", DATABASE) == "OK" and self.ask("EXISTS", "e2ae:none") == 0
        except (OSError, RuntimeError):  # it still loads what it has
            return False

    def crash(self):
        self.file.close()
        self.sock.close()
        self.server.kill()

    def freeze(self):
        self.server.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.server.process.send_signal(signal.SIGCONT)

    def ask(self, *words):
        """One command; text as str, numbers as int, nothing as None."""
        parts = [str(word).encode() for word in words]
        self.sock.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        return self._reply()

    def _reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode()
        return [self._reply() for _ in range(int(rest))]

    def keys(self):
        return sorted(self.ask("KEYS", "*"))

    def record(self, call_id):
        return self.ask("GET", f"e2ae:call:{call_id}")
