# SPDX-License-Identifier: GPL-3.0-or-later
"""A Redis server of the test's own: its port, its directory, its data kept over a restart."""
import os
import signal
import socket
import tempfile

import procs

DATABASE = 3


class Connection:
    """Blocking; for one command after the other."""

    def __init__(self, host, port):
        self.sock = socket.create_connection((host, port), 5 * procs.PATIENCE)
        self.file = self.sock.makefile("rb")

    def close(self):
        self.file.close()
        self.sock.close()

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


class Redis:
    """Database DATABASE is the one looked at. @host: where it listens; by default on loopback. @of: the Redis that it is
    a replica of at first; later others may decide that."""

    def __init__(self, host=None, name="redis", of=None, appendonly=True):
        self.host, self.name, self.of, self.appendonly = host or procs.address(6), name, of, appendonly
        self.port = procs.free_port(self.host)
        self.directory = tempfile.mkdtemp(prefix=f"{name}-", dir=procs.path_of("."))
        self.option = f"--redis={self.host}:{self.port}/{DATABASE}"
        self.connection = self.server = None
        self.start()

    def start(self):
        # What has been acknowledged is in the kernel's hands, so it survives the process.
        self.server = procs.Server(self.name, [
            "redis-server", "--bind", self.host, "--port", str(self.port), "--dir", self.directory, "--save", "",
            "--appendonly", "yes" if self.appendonly else "no", "--protected-mode", "no", "--bind-source-addr", self.host,
            "--repl-diskless-sync-delay", "0", *(["--replicaof", self.of.host, str(self.of.port)] if self.of else [])])
        self.server.wait_ready(self._connect)

    def _connect(self):
        try:
            self.connection = Connection(self.host, self.port)
            return self.connection.ask("SELECT", DATABASE) == "OK" and self.connection.ask("PING") == "PONG"
        except (OSError, RuntimeError):  # it still loads what it has, and says so to all but SELECT
            return False

    def crash(self):
        self.connection.close()
        self.server.kill()

    def freeze(self):
        self.server.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.server.process.send_signal(signal.SIGCONT)

    def ask(self, *words):
        """Who becomes master or replica closes all connections: it is asked again."""
        try:
            return self.connection.ask(*words)
        except OSError:
            self.connection.close()
            procs.wait_until(self._connect, f"{self.name} takes a connection")
            return self.connection.ask(*words)

    def keys(self):
        return sorted(self.ask("KEYS", "*"))

    def replication(self):
        """INFO replication as a dictionary."""
        return dict(line.split(":", 1) for line in self.ask("INFO", "replication").split("\r\n") if ":" in line)

    def record(self, call_id):
        return self.ask("GET", f"e2ae:call:{call_id}")


class Sentinels:
    """@count sentinels that watch a master and agree by majority that it is gone; soon, as tests cannot wait."""

    MASTER = "e2ae"

    def __init__(self, master, count=3):
        self.host = master.host
        self.ports = [procs.free_port(self.host) for _ in range(count)]
        self.servers = [self._start(number, port, master, count // 2 + 1) for number, port in enumerate(self.ports)]
        self.connections = [Connection(self.host, port) for port in self.ports]
        places = ",".join(f"{self.host}:{port}" for port in self.ports)
        self.options = (f"--redis-sentinel={places}", f"--redis-master={self.MASTER}", f"--redis=/{DATABASE}")

    def _start(self, number, port, master, quorum):
        directory = procs.path_of(f"sentinel-{number}")
        os.mkdir(directory)
        down_ms = int(500 * procs.PATIENCE)
        # It writes what it learns into this file.
        config = procs.write_file(f"sentinel-{number}/sentinel.conf", f"""port {port}
bind {self.host}
bind-source-addr {self.host}
protected-mode no
dir {directory}
sentinel monitor {self.MASTER} {master.host} {master.port} {quorum}
sentinel down-after-milliseconds {self.MASTER} {down_ms}
sentinel failover-timeout {self.MASTER} {4 * down_ms}
""")
        server = procs.Server(f"sentinel-{number}", ["redis-sentinel", config])
        server.wait_log(f"+monitor master {self.MASTER}")
        return server

    def master(self):
        """(host, port) of the master, by the first sentinel."""
        host, port = self.connections[0].ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.MASTER)
        return host, int(port)

    def wait_complete(self, replicas):
        """Until each knows all others and so many replicas, and can be asked for a fail-over."""
        for connection in self.connections:
            ask = connection.ask

            def complete():
                state = ask("SENTINEL", "MASTER", self.MASTER)
                state = dict(zip(state[::2], state[1::2]))
                others, flags = int(state["num-other-sentinels"]), state["flags"]
                healthy = [r for r in ask("SENTINEL", "REPLICAS", self.MASTER)
                           if dict(zip(r[::2], r[1::2]))["flags"] == "slave"]
                return flags == "master" and others == len(self.ports) - 1 and len(healthy) == replicas
            procs.wait_until(complete, "a sentinel knows all others", 20)
