# SPDX-License-Identifier: GPL-3.0-or-later
"""RTP packets on plain sockets, to see that the call's audio passes."""
import select
import struct
import time

import procs

_INTERVAL = 0.02


def packet(sequence, ssrc, payload_type=8):
    return struct.pack("!BBHII", 0x80, payload_type, sequence & 0xFFFF, sequence * 160, ssrc) + b"\xd5" * 160


def pass_both_ways(first, first_target, second, second_target, count=10, timeout=10.0):
    """Sends from both sockets every 20 ms until each has received @count RTP packets of the other's SSRC."""
    ends = {first: (first_target, 0x11111111, 0x22222222), second: (second_target, 0x22222222, 0x11111111)}
    got = {first: 0, second: 0}
    deadline = time.monotonic() + timeout * procs.PATIENCE
    sequence = 1
    while min(got.values()) < count:
        if time.monotonic() > deadline:
            raise procs.Failure(f"RTP received: {sorted(got.values())}, wanted {count} each way")
        for sock, (target, ssrc, _) in ends.items():
            sock.sendto(packet(sequence, ssrc), target)
        sequence += 1
        readable, _, _ = select.select(list(ends), [], [], _INTERVAL)
        for sock in readable:
            data = sock.recv(2048)
            if len(data) == 172 and data[8:12] == struct.pack("!I", ends[sock][2]) and data[12:] == b"\xd5" * 160:
                got[sock] += 1
