# SPDX-License-Identifier: GPL-3.0-or-later
"""MSRP as Wireshark's dissector sees it: a capture on lo, TLS decrypted with the key log of one end.

The dissector takes one frame from a packet, so a test that uses this lets one frame at a time be under way.
"""
import os
import subprocess
import xml.etree.ElementTree

import procs

MSRP_PORT = 2855


class Capture(procs.Server):
    """Everything by TCP between this test's own addresses, from now on."""

    def __init__(self):
        self.path = procs.path_of("capture.pcap")
        host = procs.address(8)
        self.mark = procs.udp_socket(host)
        # Without immediate mode: that reserves a slot of the largest size for every packet, and loses some on a busy machine.
        nets = f"net {procs.address(0)}/24"
        super().__init__("tcpdump", ["tcpdump", "-i", "lo", "-U", "-s", "0", "-B", "32768", "-w",
                                     self.path, f"{nets} and (tcp or udp port {self.mark.getsockname()[1]})"])
        self.wait_ready(lambda: "listening on" in self.log())

    def finish(self):
        """Until all that has been sent so far is in the file."""
        mark = os.urandom(16)
        self.mark.sendto(mark, self.mark.getsockname())

        def written():
            with open(self.path, "rb") as capture:
                return mark in capture.read()
        procs.wait_until(written, "the end of the capture")
        if self.stop() != 0 or "0 packets dropped by kernel" not in self.log():
            raise procs.Failure(f"no good capture: {self.log()}")
        return self.path


def _run(argv, **options):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=120, **options)
    if done.returncode != 0:
        raise procs.Failure(f"{argv[0]} ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    return done.stdout


def _fields(proto):
    """{field name: [text as the dissector shows it]} of one frame."""
    fields = {}
    for field in proto.iter("field"):
        fields.setdefault(field.get("name"), []).append(field.get("show"))
    return fields


def frames(path, port, condition):
    """The frames of one direction, as _fields(). @port: where MSRP is spoken; @condition: a display filter."""
    text = _run(["tshark", "-n", "-r", path, "-T", "pdml", "-d", f"tcp.port=={port},msrp",
                 "-Y", f"msrp && {condition}"])
    protos = xml.etree.ElementTree.fromstring(text).iter("proto")
    return [_fields(proto) for proto in protos if proto.get("name") == "msrp"]


def decrypted(path, port, keylog, condition):
    """A new capture of what is in the TLS records of one direction, one packet for each."""
    records = _run(["tshark", "-n", "-r", path, "-o", f"tls.keylog_file:{keylog}", "-d", f"tcp.port=={port},tls",
                    "-d", f"tls.port=={port},data", "-Y", f"data && {condition}", "-T", "fields", "-e", "data.data"])
    dump = []
    for record in records.decode().split():
        for piece in record.split(","):  # several records in one packet
            data = bytes.fromhex(piece)
            dump += [f"{at:06x} {data[at:at + 16].hex(' ')}" for at in range(0, len(data), 16)]
    text, out = procs.write_file("records.txt", "\n".join(dump) + "\n"), procs.path_of("records.pcap")
    _run(["text2pcap", "-q", "-T", f"{MSRP_PORT - 1},{MSRP_PORT}", text, out])
    return out
