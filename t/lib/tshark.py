# SPDX-License-Identifier: GPL-3.0-or-later
"""MSRP and BFCP as Wireshark's dissectors see them: a capture on lo, TLS decrypted with the key log of one end.

Both dissectors take one message from a packet. So a test of MSRP lets one frame at a time be under way, and of BFCP the
messages are put into packets of their own before.
"""
import os
import subprocess
import xml.etree.ElementTree

import procs

MSRP_PORT = 2855
BFCP_PORT = 2856


class Capture(procs.Server):
    """Everything by @protocol between this test's own addresses, from now on."""

    def __init__(self, protocol="tcp"):
        self.path = procs.path_of("capture.pcap")
        host = procs.address(8)
        self.mark = procs.udp_socket(host)
        # Without immediate mode: that reserves a slot of the largest size for every packet, and loses some on a busy machine.
        nets = f"net {procs.address(0)}/24"
        super().__init__("tcpdump", ["tcpdump", "-i", "lo", "-U", "-s", "0", "-B", "32768", "-w",
                                     self.path, f"{nets} and ({protocol} or udp port {self.mark.getsockname()[1]})"])
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


def _fields(proto, text):
    """{field name: [text as the dissector shows it]} of one frame."""
    fields = {}
    for field in proto.iter("field"):
        fields.setdefault(field.get("name"), []).append(field.get(text))
    return fields


def frames(path, port, condition, protocol="msrp", text="show"):
    """The frames of one direction, as _fields(). @port: where the protocol is spoken; @condition: a display filter;
    @text: "show" for values, "showname" for what a reader sees."""
    pdml = _run(["tshark", "-n", "-r", path, "-T", "pdml", "-d", f"tcp.port=={port},{protocol}",
                 "-Y", f"{protocol} && {condition}"])
    protos = xml.etree.ElementTree.fromstring(pdml).iter("proto")
    return [_fields(proto, text) for proto in protos if proto.get("name") == protocol]


def stream(path, condition):
    """All bytes of one direction of one TCP connection, each once; the display filter says which."""
    table = _run(["tshark", "-n", "-r", path, "-Y", f"tcp.len > 0 && {condition}", "-T", "fields", "-e", "tcp.stream",
                  "-e", "tcp.seq", "-e", "tcp.payload"])
    rows = [row.split("\t") for row in table.decode().splitlines()]
    if len({row[0] for row in rows}) > 1:
        raise procs.Failure(f"more than one connection is {condition}")
    data = b""
    for start, payload in sorted((int(row[1]), bytes.fromhex(row[2].replace(":", ""))) for row in rows):
        have = len(data) - (start - 1)  # sent again, all of it or some
        if have < 0:
            raise procs.Failure(f"{-have} bytes are missing at {start} in {condition}")
        data += payload[have:]
    return data


def datagrams(path, condition):
    """The payload of each UDP datagram of that display filter, in order."""
    rows = _run(["tshark", "-n", "-r", path, "-Y", f"udp.length > 8 && {condition}", "-T", "fields",
                 "-e", "udp.payload"])
    return [bytes.fromhex(row.replace(":", "")) for row in rows.decode().split()]


def summaries(path, port, protocol, condition):
    """One line for each UDP datagram, as the dissector puts it."""
    text = _run(["tshark", "-n", "-r", path, "-d", f"udp.port=={port},{protocol}",
                 "-Y", f"udp.port=={port} && {condition}", "-T", "fields", "-e", "_ws.col.Info"])
    return text.decode("utf-8", "replace").splitlines()


def packed(messages, port):
    """A new capture of these messages, one packet for each."""
    dump = [f"{at:06x} {data[at:at + 16].hex(' ')}" for data in messages for at in range(0, len(data), 16)]
    text, out = procs.write_file("messages.txt", "\n".join(dump) + "\n"), procs.path_of("messages.pcap")
    _run(["text2pcap", "-q", "-T", f"{port - 1},{port}", text, out])
    return out


def decrypted(path, port, keylog, condition):
    """A new capture of what is in the TLS records of one direction, one packet for each."""
    records = _run(["tshark", "-n", "-r", path, "-o", f"tls.keylog_file:{keylog}", "-d", f"tcp.port=={port},tls",
                    "-d", f"tls.port=={port},data", "-Y", f"data && {condition}", "-T", "fields", "-e", "data.data"])
    return packed([bytes.fromhex(piece) for record in records.decode().split()
                   for piece in record.split(",")], MSRP_PORT)  # several records in one packet
