# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's rtpengine, unmodified, in user space, one process per test."""
import socket

import ng
import procs


class Rtpengine(procs.Server):
    """interfaces: access and core on the test's own loopback addresses. Never reads the system's configuration."""

    def __init__(self, access=None, core=None, ports=(30000, 30999), tcp=False, name="rtpengine", host=None,
                 extra=()):
        host = host or procs.address(5)
        self.ng_address = (host, procs.free_port(host, socket.SOCK_DGRAM))
        argv = ["rtpengine", "--config-file=none", "--table=-1", "--foreground", "--log-stderr", "--log-level=6",
                "--no-fallback", f"--interface=access/{access or procs.address(1)}",
                f"--interface=core/{core or procs.address(2)}", f"--listen-ng={procs.place(*self.ng_address)}",
                f"--port-min={ports[0]}", f"--port-max={ports[1]}", "--delete-delay=0", "--num-threads=2"]
        if tcp:
            self.tcp_address = (host, procs.free_port(host))
            argv.append(f"--listen-tcp-ng={procs.place(*self.tcp_address)}")
        super().__init__(name, argv + list(extra))
        self.client = ng.UdpClient(self.ng_address)
        self.wait_ready(self.client.alive)

    def calls(self):
        """Call-ids that rtpengine holds now."""
        return self.client.request(command="list", limit="1000")["calls"]
