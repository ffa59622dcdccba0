# SPDX-License-Identifier: GPL-3.0-or-later
"""sipp as caller and callee: the SDP each side sends comes from the test, the SDP each side got goes back to it."""
import os
import re
import socket

import procs

SCENARIOS = os.path.join(procs.SOURCE_DIR, "t", "integration", "sipp")
_ENTRY = re.compile(rb"^-{10,} [^\n]*\n(?:UDP|TCP) message (sent|received) [\[(](\d+)[\] ]+bytes[ )]*:\n\n", re.MULTILINE)
_GO_ON = ("MESSAGE sip:caller@{ip}:{port} SIP/2.0\r\n"
          "Via: SIP/2.0/UDP {own_ip}:{own_port};branch=z9hG4bKgoon{number}\r\n"
          "From: <sip:test@{own_ip}>;tag=test\r\nTo: <sip:caller@{ip}:{port}>\r\nCall-ID: {call_id}\r\n"
          "CSeq: {number} MESSAGE\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n")


def literal(body):
    """A body as it stands in a scenario, where brackets are for sipp's own keywords."""
    return body.replace("\\", "\\\\").replace("[", "\\x5b")


class Sipp(procs.Server):
    """One sipp process for one call; @scenario is a template in t/integration/sipp/ or a path, @sdp the body it sends,
    or a list of them where it sends several: @SDP@, @SDP2@ and so on in the template."""

    def __init__(self, name, scenario, host, sdp, remote=None, call_id=None, port=None, tcp=False):
        with open(os.path.join(SCENARIOS, scenario), encoding="utf-8") as template:
            text = template.read()
        for number, body in enumerate([sdp] if isinstance(sdp, str) else sdp, 1):
            body = "\n".join("      " + line for line in literal(body.rstrip("\r\n")).split("\r\n"))
            text = text.replace("@SDP@" if number == 1 else f"@SDP{number}@", body)
        path = procs.write_file(f"{name}.xml", text)
        self.address = (host, port or procs.free_port(host, socket.SOCK_DGRAM))
        self.call_id = call_id
        self.going_on = 0
        self.messages_path = procs.path_of(f"{name}-messages.log")
        argv = ["sipp", "-sf", path, "-i", host, "-p", str(self.address[1]), "-m", "1", "-nostdin", "-trace_msg",
                "-message_file", self.messages_path, "-trace_err", "-error_file", procs.path_of(f"{name}-errors.log"),
                "-timeout", "300s", "-timeout_error", "-t", "t1" if tcp else "u1"]
        if call_id:
            argv += ["-cid_str", call_id]
        if remote:
            argv.append(procs.place(*remote[:2]))
        super().__init__(name, argv, env={"TERM": "dumb"})
        if not tcp:  # by TCP it connects when it has something to send
            self.wait_ready(self._bound)

    def logs(self):
        """The SIP messages instead of the screens that sipp draws."""
        return [(f"{self.name} {'received' if incoming else 'sent'}", message.decode("utf-8", "replace"))
                for incoming, message in self.messages()]

    def _bound(self):
        path, want = procs.kernel_table("udp", *self.address)
        with open(path, encoding="ascii") as table:
            return any(row.split()[1] == want for row in table)

    def messages(self):
        """[(True when received, bytes of the SIP message)] so far; a message still being written is left out."""
        try:
            with open(self.messages_path, "rb") as trace:
                text = trace.read()
        except FileNotFoundError:
            return []
        result = []
        for entry in _ENTRY.finditer(text):
            size = int(entry.group(2))
            if entry.end() + size <= len(text):
                result.append((entry.group(1) == b"received", text[entry.end():entry.end() + size]))
        return result

    def received(self, start):
        """The messages it received whose first line starts so."""
        return [message for incoming, message in self.messages() if incoming and message.startswith(start)]

    def wait_received(self, start, timeout=30.0):
        """The first such message, waited for; the end of the process is reported with its log."""
        def found():
            got = self.received(start)
            if not got and not self.running():
                raise procs.Failure(f"{self.name} ended with {self.process.returncode}:\n{self.log()[-2000:]}")
            return got
        return procs.wait_until(found, f"{self.name} to receive {start!r}", timeout)[0]

    def wait_sdp(self, start, timeout=30.0, cseq=None):
        """The body of the first received message with that start, and CSeq number if given, which has one."""
        want = b"" if cseq is None else b"\r\nCSeq: %d " % cseq

        def found():
            parts = [message.partition(b"\r\n\r\n") for message in self.received(start)]
            bodies = [body for head, _, body in parts if body and want in head]
            if not bodies and not self.running():
                raise procs.Failure(f"{self.name} ended with {self.process.returncode}:\n{self.log()[-2000:]}")
            return bodies
        return procs.wait_until(found, f"{self.name} to receive {start!r} with SDP", timeout)[0].decode()

    def wait_ack(self, number):
        """The ACK of the INVITE with that CSeq number has come."""
        procs.wait_until(lambda: any(b"\r\nCSeq: %d ACK" % number in message for message in self.received(b"ACK ")),
                         f"{self.name} to receive the ACK of INVITE {number}")

    def sent(self, start):
        """How many messages it sent whose first line starts so, repeats included."""
        return sum(not incoming and message.startswith(start) for incoming, message in self.messages())

    def go_on(self, until=b"BYE "):
        """Lets a waiting caller take its next step, which is to send @until: a MESSAGE in its own call, as its scenario
        awaits. Waits until that is sent."""
        self.going_on += 1
        before = self.sent(until)
        own_host = "::1" if ":" in self.address[0] else procs.address(6)
        with socket.socket(procs.family(own_host), socket.SOCK_DGRAM) as sock:
            sock.bind((own_host, 0))
            own = sock.getsockname()
            sock.sendto(_GO_ON.format(
                ip=procs.bracketed(self.address[0]), port=self.address[1], own_ip=procs.bracketed(own[0]), own_port=own[1],
                call_id=self.call_id, number=76 + self.going_on).encode(), self.address)
            procs.wait_until(lambda: self.sent(until) > before, f"{self.name} to send {until!r}")
