# SPDX-License-Identifier: GPL-3.0-or-later
"""What really crossed the loopback interface: TCP payload bytes per destination, counted by the kernel's own copy."""
import ctypes
import socket
import struct
import threading

_ETH_P_IP = 0x0800
_SNAP = 128
_TCP = 6
_SO_ATTACH_FILTER = 26
_SO_RCVBUFFORCE = 33


class Capture:
    """Counts TCP payload towards @host on lo from now on; needs the right to open packet sockets."""

    def __init__(self, host):
        self.host = socket.inet_aton(host)
        self.bytes = {}
        self.ends = {}
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IP))
        self.sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, 64 << 20)
        self._only_towards_host()
        self.sock.bind(("lo", _ETH_P_IP))
        self.sock.settimeout(0.05)
        self.stopping = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _only_towards_host(self):
        """Other tests use lo at the same time, and what they send must not push out what is counted here."""
        address = struct.unpack("!I", self.host)[0]
        program = ((0x20, 0, 0, 16),        # load the destination address of the IP header
                   (0x15, 0, 1, address),   # is it the host's?
                   (0x06, 0, 0, _SNAP), (0x06, 0, 0, 0))
        code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
        self.sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER,
                             struct.pack("HL", len(program), ctypes.addressof(code)))

    def _run(self):
        while True:
            try:
                self._count(self.sock.recv(_SNAP))
            except TimeoutError:
                if self.stopping:
                    return

    def _count(self, packet):
        header = (packet[0] & 15) * 4
        if packet[9] != _TCP or packet[16:20] != self.host or len(packet) < header + 20:
            return
        source, port, sequence = struct.unpack_from("!HHI", packet, header)
        payload = struct.unpack_from("!H", packet, 2)[0] - header - (packet[header + 12] >> 4) * 4
        if payload > 0:
            self._add((packet[12:16], source, port), sequence, payload)

    def _add(self, flow, sequence, payload):
        """Every byte of a connection once: a busy machine retransmits."""
        end = (sequence + payload) & 0xffffffff
        fresh = (end - self.ends.get(flow, sequence)) & 0xffffffff
        if fresh < 1 << 31 and fresh > 0:
            self.ends[flow] = end
            self.bytes[flow[2]] = self.bytes.get(flow[2], 0) + min(fresh, payload)

    def stop(self):
        """Counts what is still queued, then returns {port: payload bytes} towards the host."""
        self.stopping = True
        self.thread.join()
        self.sock.close()
        return self.bytes
