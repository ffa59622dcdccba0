# SPDX-License-Identifier: GPL-3.0-or-later
"""The program under test, and the checks that every test ends with: it is alive, and it ends cleanly."""
import os
import re
import socket

import ng
import procs
import tap

PROGRAM = os.path.join(procs.BUILD_DIR, "rtpengine-e2ae")
_SANITIZER = re.compile(r"(ERROR: \w+Sanitizer|runtime error:|WARNING: ThreadSanitizer|CRITICAL \*\*)")
_ESTABLISHED, _LISTEN = "01", "0A"


class Plugin(procs.Server):
    """rtpengine-e2ae in front of @upstream (an ng address or None), in-memory store."""

    def __init__(self, upstream, ports=(31000, 31999), tcp=False, name="rtpengine-e2ae", access=None, core=None,
                 listen=None, extra=()):
        host = listen[0] if listen else procs.address(4)
        self.access, self.core = access or procs.address(1), core or procs.address(2)
        self.port_range = ports
        self.ng_address = listen or (host, procs.free_port(host, socket.SOCK_DGRAM))
        argv = [PROGRAM, "--config-file=none", "--foreground", "--log-stderr", "--log-level=7",
                f"--interface=access/{self.access}", f"--interface=core/{self.core}",
                f"--listen-ng={procs.place(*self.ng_address)}", f"--port-min={ports[0]}", f"--port-max={ports[1]}",
                "--delete-delay=0", "--num-threads=2"]
        if upstream:
            argv.append(f"--rtpengine={procs.place(*upstream)}")
        if tcp:
            self.tcp_address = (host, procs.free_port(host))
            argv.append(f"--listen-tcp-ng={procs.place(*self.tcp_address)}")
        super().__init__(name, argv + list(extra))
        self.ended = False
        self.client = ng.UdpClient(self.ng_address)
        self.wait_ready(self.client.alive)
        tap.on_finish(self.check_end)

    def request(self, **keys):
        return self.client.request(**keys)

    def crash(self):
        """Ends it as a broken machine does; what it did until then is checked, its end is not."""
        self._check_reports()
        self.ended = True
        self.kill()

    def _reports(self):
        return [line for line in self.log().splitlines() if _SANITIZER.search(line)]

    def _check_reports(self):
        report = self._reports()
        if report:
            tap.ok(False, f"{self.name} runs without reports of the sanitizers", *report[:20])

    def check_end(self):
        """Alive to the end, exit status 0 on SIGTERM, nothing from the sanitizers."""
        if self.ended:
            return
        self.ended = True
        alive = self.running()
        status = self.stop()
        report = self._reports()
        tap.ok(alive and status == 0 and not report, f"{self.name} lives to the end and ends cleanly",
               f"running at the end: {alive}, exit status {status}", *report[:20])

    def sockets(self):
        """Everything this process has bound inside its media port range, as (kind, address, port), sorted."""
        inodes = _socket_inodes(self.process.pid)
        low, high = self.port_range
        return sorted((kind, address, port) for kind, address, port, inode in _bound_sockets(self.process.pid)
                      if inode in inodes and low <= port <= high)


def _socket_inodes(pid):
    inodes = set()
    for entry in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{entry}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    return inodes


def _bound_sockets(pid):
    """In the network namespace of that process."""
    for kind in ("tcp", "udp", "tcp6", "udp6"):
        with open(f"/proc/{pid}/net/{kind}", encoding="ascii") as table:
            next(table)
            for row in table:
                words = row.split()
                address, _, port = words[1].partition(":")
                yield kind, procs.kernel_address(address), int(port, 16), words[9]


def unread(address, port):
    """Bytes that have come to connections of this address and port, and that their process has not read."""
    path, want = procs.kernel_table("tcp", address, port)
    with open(path, encoding="ascii") as table:
        rows = [row.split() for row in table]
    return sum(int(row[4].split(":")[1], 16) for row in rows[1:] if row[1] == want and row[3] == _ESTABLISHED)


def listening(address, port):
    """Whether any process listens for TCP on exactly this address and port."""
    path, want = procs.kernel_table("tcp", address, port)
    with open(path, encoding="ascii") as table:
        return any(row.split()[1] == want and row.split()[3] == _LISTEN for row in table)
