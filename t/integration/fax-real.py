# SPDX-License-Identifier: GPL-3.0-or-later
"""Faxes of real pages between real fax machines, the UE's in DTLS, all at the same time: every pixel has to arrive.

Originating and terminating, the UE as DTLS client and as DTLS server, one page and five, a network that loses 2 %, a
voice call that becomes a fax by SIP, and rtpengine's gateway towards a machine that knows only tones."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import calls
import certs
import fax
import faxpeer
import interop
import kamailio
import media
import msrpcall
import plugin
import procs
import rtpengine
import sdp
import sipp
import tap
import tshark

interop.whole("SpanDSP", "fax machines at both ends")

UE, CORE = procs.address(10), procs.address(9)
RTP_PORTS = (30000, 30999)
SUMMARY = "UDP: UDPTLPacket Seq=00000"
SIP_CALL = "real-fax@test.invalid"
ue_cert = certs.Pair("ue-ecdsa")


class RealFax(calls.Signalling):
    """One call between two machines: the UE in DTLS as @role, the core in plain UDPTL or, with @tones, G.711."""

    def __init__(self, name, side, role, pages, tones=False, loss=0, keys=None):
        super().__init__(e2ae, side, name, keys)
        self.tones = tones
        self.document = faxpeer.document(pages)
        sends = {"ue": None, "core": None, self.caller(): self.document}
        self.ue = faxpeer.Machine(f"{name}-ue", UE, sends["ue"], ue_cert, role, loss=loss)
        self.core = faxpeer.Machine(f"{name}-core", CORE, sends["core"], tones=tones, loss=loss)

    def caller(self):
        return "ue" if self.side == "originating" else "core"

    def text(self, party):
        machine = {"ue": self.ue, "core": self.core}[party]
        return media.description(machine.host, machine.section(party == self.caller()))

    def start(self, **keys):
        """Signalling, then both machines run."""
        called = "core" if self.caller() == "ue" else "ue"
        got = {called: self.offer(self.caller(), self.text(self.caller()), **keys)}
        got[self.caller()] = self.answer(called, self.text(called))
        self.at_ue, self.at_core = got["ue"], got["core"]
        assert self.stream()["treatment"] == "e2ae", self.stream()
        wanted = "RTP/AVP" if self.tones else "udptl"
        assert (self.at_ue.media[0].proto, self.at_core.media[0].proto) == ("UDP/TLS/UDPTL", wanted), str(got)
        self.ue.go(self.at_ue.endpoint(0), self.at_ue.fingerprint(0))
        self.ue.wait_line("CONNECTED", 30)
        self.core.go(self.at_core.endpoint(0))
        return self

    def finish(self):
        """Waits for both machines, compares the pages; the call is gone afterwards."""
        machines = {"ue": self.ue, "core": self.core}
        caller = machines.pop(self.caller())
        faxpeer.finish(caller, *machines.values(), self.document)
        faxpeer.check_counters(e2ae, self.call_id, self.ue, self.core)
        if not self.tones:
            faxpeer.check_datagrams(self.ue, self.core)
        self.delete()


class SipFax:
    """The same through Kamailio with sipp at both ends: a voice call, a fax in its slot, voice again."""

    def __init__(self, pages):
        self.document = faxpeer.document(pages)
        self.ue = faxpeer.Machine("sip-ue", UE, self.document, ue_cert, "client")
        self.core = faxpeer.Machine("sip-core", CORE)
        voice = fax.audio(UE, procs.free_port(UE)), fax.audio(CORE, procs.free_port(CORE))
        images = self.ue.section(True), self.core.section(False)
        offers, answers = ([media.description(host, section, version=number)
                            for number, section in enumerate((voice[end], images[end], voice[end]), 1)]
                           for end, host in enumerate((UE, CORE)))
        self.core_sip = sipp.Sipp("core", "uas-reinvite.xml.in", CORE, answers)
        self.proxy = kamailio.Kamailio(e2ae.ng_address, "%s:%d" % self.core_sip.address, msrpcall.Flags.ORIGINATING,
                                       msrpcall.Flags.ANSWER, msrpcall.Flags.DELETE)
        self.ue_sip = sipp.Sipp("ue", "uac-reinvite.xml.in", UE, offers, remote=self.proxy.address, call_id=SIP_CALL)

    def _described(self, number):
        """What the core and the UE got in exchange @number, from 1; the core has the ACK."""
        at_core = sdp.Sdp(self.core_sip.wait_sdp(b"INVITE ", cseq=number))
        at_ue = sdp.Sdp(self.ue_sip.wait_sdp(b"SIP/2.0 200 ", cseq=number))
        self.core_sip.wait_ack(number)
        return at_core, at_ue

    def start(self):
        self._described(1)
        self.ue_sip.go_on(b"INVITE ")
        at_core, at_ue = self._described(2)
        assert [got.media[0].proto for got in (at_core, at_ue)] == ["udptl", "UDP/TLS/UDPTL"], f"{at_core}\n{at_ue}"
        self.ue.go(at_ue.endpoint(0), at_ue.fingerprint(0))
        self.ue.wait_line("CONNECTED", 30)
        self.core.go(at_core.endpoint(0))
        return self

    def finish(self):
        faxpeer.finish(self.ue, self.core, self.document)
        faxpeer.check_datagrams(self.ue, self.core)
        self.ue_sip.go_on(b"INVITE ")
        at_core, at_ue = self._described(3)
        assert [got.media[0].kind for got in (at_core, at_ue)] == ["audio", "audio"], f"{at_core}\n{at_ue}"
        self.ue_sip.go_on()
        assert (self.ue_sip.wait(), self.core_sip.wait()) == (0, 0)


def check_secrecy(path):
    """On the UE's side there were handshakes, then only records of application data; on the core's side the faxes."""
    secure = tshark.datagrams(path, f"ip.addr=={UE} && ip.addr=={e2ae.access}")
    for datagram in secure:
        for kind, version in records(datagram):
            assert 20 <= kind <= 23 and version in (0xfeff, 0xfefd), f"not DTLS: {datagram[:40].hex()}"
    faxes = tshark.datagrams(path, f"ip.src=={CORE} && ip.dst=={e2ae.core}")
    pages = max(faxes, key=len)
    assert len(pages) > 150, "no datagram of a page"
    assert not any(pages[2:34] in datagram for datagram in secure), pages.hex()
    data = sum(kind == 23 for datagram in secure for kind, _ in records(datagram))
    assert data > len(faxes), f"{data} records for {len(faxes)} datagrams of the core alone"


def check_dissected(path, call):
    """Wireshark's T.38 dissector follows the fax on the core's side, of which it sees each datagram."""
    for way, machine, signals in (("dst", call.ue, ("TSI", "DCS", "PPS", "DCN")),
                                  ("src", call.core, ("CSI", "DIS", "CFR", "MCF"))):
        lines = tshark.summaries(path, call.core.port, "t38", f"ip.{way}=={CORE}")
        assert len(lines) == machine.numbers("DATAGRAMS")["sent"], f"{len(lines)} datagrams\n{machine.log()}"
        # spandsp repeats what matters; only its first copy ends what the dissector puts together.
        first = [line for line, before in zip(lines, [""] + lines) if line[:len(SUMMARY)] != before[:len(SUMMARY)]]
        strange = [line for line in first if not line.startswith(SUMMARY[:-5]) or "Malformed" in line]
        assert len(first) > 20 and not strange, strange
        missing = [signal for signal in signals if not any(f"HDLC Reassembled: {signal} " in line for line in lines)]
        assert not missing, f"{missing} in\n" + "\n".join(lines)


def records(datagram):
    """[(content type, version)] of the DTLS records that a datagram is made of."""
    found = []
    while datagram:
        assert len(datagram) >= 13, f"no record: {datagram.hex()}"
        size = 13 + int.from_bytes(datagram[11:13], "big")
        assert len(datagram) >= size, f"a record of {size} bytes in {len(datagram)}"
        found.append((datagram[0], int.from_bytes(datagram[1:3], "big")))
        datagram = datagram[size:]
    return found


with tap.need("the servers start"):
    upstream = rtpengine.Rtpengine()
    e2ae = plugin.Plugin(upstream.ng_address)
FORCE = {"e2ae-media": "t38", "T.38": ["force"]}
capture = tshark.Capture("udp")
# The long ones first: all of them run at the same time.
faxes = []
for what, arguments in (
        ("DTL-18 ORG-03: UE calls, DTLS client: five pages", ("o-client", "originating", "client", 5)),
        ("COM-07: UE calls, DTLS server: a page", ("o-server", "originating", "server", 1)),
        ("TRM-03: UE is called, DTLS client: a page", ("t-client", "terminating", "client", 1)),
        ("TRM-03: UE is called, DTLS server: five pages", ("t-server", "terminating", "server", 5)),
        ("DTL-10: 2 % get lost on the way to the core, five pages", ("lossy", "originating", "client", 5, False, 2)),
        ("DTL-10: 2 % get lost on the way to the UE", ("t-lossy", "terminating", "server", 1, False, 2)),
        ("TRK-19: rtpengine's gateway, UE calls a machine that knows tones",
         ("gateway", "originating", "client", 1, True, 0, {"T.38": ["decode"]})),
        ("TRK-19: rtpengine's gateway, a machine that knows tones calls the UE",
         ("t-gateway", "terminating", "client", 1, True, 0, FORCE))):
    with tap.need(f"{what}: the machines are connected"):
        faxes.append((what, RealFax(*arguments).start()))
with tap.need("TRK-19: a voice call by SIP becomes a fax, the machines are connected"):
    by_sip = SipFax(1).start()

for what, call in faxes:
    with tap.check(f"{what}: every pixel"):
        call.finish()
with tap.check("TRK-19: the fax of the SIP call: every pixel; then it is voice again"):
    by_sip.finish()
with tap.need("the capture is complete"):
    captured = capture.finish()
with tap.check("DTL-09: nothing but DTLS on the UE's side"):
    check_secrecy(captured)
with tap.check("DTL-10: Wireshark's T.38 dissector follows the fax on the core's side"):
    check_dissected(captured, faxes[0][1])
with tap.check("nothing is left of all these calls"):
    procs.wait_until(lambda: not e2ae.sockets(), f"no media sockets, there are {e2ae.sockets()}", 10)
    procs.wait_until(lambda: not upstream.calls(), "an empty list", 10)

tap.finish()
