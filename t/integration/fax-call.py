# SPDX-License-Identifier: GPL-3.0-or-later
"""A voice call becomes a fax in the same slot and voice again, through Kamailio, rtpengine-e2ae, rtpengine, with sipp
at both ends; then the other ways into a fax, over ng."""
import os
import select
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import calls
import certs
import fax
import interop
import kamailio
import media
import msrpcall
import plugin
import procs
import rtp
import rtpengine
import sdp
import sipp
import tap

interop.whole("rtpengine", "T.38 gateway (T.38=decode) and voice in the same slot")

UE, CORE = procs.address(10), procs.address(9)
RTP_PORTS = (30000, 30999)
CALL_ID = "fax-1@test.invalid"
DECODE = {"T.38": ["decode"]}
# What rtpengine's gateway sends first, so many times.
INDICATORS, NO_SIGNAL = 3, b"\0"
ue_cert = certs.Pair("ue-ecdsa")
ue_rtp, core_rtp = procs.udp_socket(UE), procs.udp_socket(CORE)
ue_voice, core_voice = (fax.audio(host, sock.getsockname()[1]) for host, sock in ((UE, ue_rtp), (CORE, core_rtp)))
sent = fax.Fax("call", CORE)
ue_fax, core_fax = fax.secure(UE, ue_cert), fax.plain(CORE, sent.core.port)


def three(host, voice, image):
    """Voice, fax, voice again, as one party describes itself."""
    return [media.description(host, section, version=number)
            for number, section in enumerate((voice, image, voice), 1)]


def talk(at_ue, at_core, index=0):
    """RTP both ways; what an earlier talk left in the sockets does not count."""
    for sock in (ue_rtp, core_rtp):
        while select.select([sock], [], [], 0)[0]:
            sock.recv(2048)
    rtp.pass_both_ways(ue_rtp, at_ue.endpoint(index), core_rtp, at_core.endpoint(index))


def closed(what=""):
    procs.wait_until(lambda: not e2ae.sockets(), f"no media sockets {what}, there are {e2ae.sockets()}", 10)


# 1. The whole way over SIP.
offers, answers = three(UE, ue_voice, ue_fax), three(CORE, core_voice, core_fax)
with tap.need("the servers start"):
    upstream = rtpengine.Rtpengine()
    e2ae = plugin.Plugin(upstream.ng_address)
    core_sip = sipp.Sipp("core", "uas-reinvite.xml.in", CORE, answers)
    proxy = kamailio.Kamailio(e2ae.ng_address, "%s:%d" % core_sip.address, msrpcall.Flags.ORIGINATING,
                              msrpcall.Flags.ANSWER, msrpcall.Flags.DELETE)
    ue_sip = sipp.Sipp("ue", "uac-reinvite.xml.in", UE, offers, remote=proxy.address, call_id=CALL_ID)


def described(number):
    """What the core and the UE got in exchange @number, from 1."""
    at_core = sdp.Sdp(core_sip.wait_sdp(b"INVITE ", cseq=number))
    at_ue = sdp.Sdp(ue_sip.wait_sdp(b"SIP/2.0 200 ", cseq=number))
    procs.wait_until(lambda: any(b"\r\nCSeq: %d ACK" % number in message for message in core_sip.received(b"ACK ")),
                     f"the ACK of exchange {number} at the core")
    return at_core, at_ue


with tap.need("the voice call is set up"):
    voice_core, voice_ue = described(1)
with tap.check("voice goes through rtpengine, and nothing of it here"):
    msrpcall.check_audio(voice_core, 0, sdp.Sdp(offers[0]), procs.address(2), RTP_PORTS)
    msrpcall.check_audio(voice_ue, 0, sdp.Sdp(answers[0]), procs.address(1), RTP_PORTS)
    assert not e2ae.sockets(), e2ae.sockets()
with tap.check("RTP passes rtpengine both ways"):
    talk(voice_ue, voice_core)

with tap.need("TRK-19: the UE's re-INVITE turns the slot of the voice into a fax"):
    ue_sip.go_on(b"INVITE ")
    fax_core, fax_ue = described(2)
    assert (len(fax_core.media), len(fax_ue.media)) == (1, 1), f"{fax_core}\n{fax_ue}"
with tap.check("DTL-01 DTL-02 ORG-03 ORG-06 CTLS-03: the core sees udptl, the T.38 attributes, and no security"):
    fax.check_at_core(fax_core, 0, sdp.Sdp(offers[1]).media[0], e2ae)
    assert ue_cert.fingerprint().split(" ")[1] not in fax_core.text.upper()
with tap.check("DTL-01 DTL-04 DTL-05 ORG-10 COM-07: the UE sees UDP/TLS/UDPTL, passive, our fingerprint and tls-id"):
    fax.check_at_ue(fax_ue, 0, sdp.Sdp(answers[1]).media[0], e2ae, "passive")
with tap.check("the session parts have every line, and the versions that the parties gave"):
    msrpcall.check_session(fax_core, sdp.Sdp(offers[1]))
    msrpcall.check_session(fax_ue, sdp.Sdp(answers[1]))
with tap.need("DTL-09 ASC-01: the UE's DTLS handshake is done, with the fingerprint of the answer"):
    assert sent.connect(fax_ue, 0, ue_cert).startswith("DTLS1.2"), sent.ue.log()
with tap.check("TRK-19 DTL-10: every UDPTL datagram of the UE comes to the core whole and in order"):
    sent.exchange(fax_core, 0, e2ae, CALL_ID)

with tap.need("TRK-19: the UE's next re-INVITE turns the fax into voice"):
    ue_sip.go_on(b"INVITE ")
    again_core, again_ue = described(3)
with tap.check("TRK-19: the voice has the ports in rtpengine that it had before, and nothing of the fax"):
    msrpcall.check_audio(again_core, 0, sdp.Sdp(offers[2]), procs.address(2), RTP_PORTS)
    msrpcall.check_audio(again_ue, 0, sdp.Sdp(answers[2]), procs.address(1), RTP_PORTS)
    assert again_core.endpoint(0) == voice_core.endpoint(0), f"{again_core}\nbefore:\n{voice_core}"
    assert again_ue.endpoint(0) == voice_ue.endpoint(0), f"{again_ue}\nbefore:\n{voice_ue}"
    assert "T38" not in again_core.text + again_ue.text, f"{again_core}\n{again_ue}"
with tap.check("RTP passes again"):
    talk(again_ue, again_core)
with tap.check("TRK-19 DTL-10: the DTLS association was closed, after every datagram of the core, whole and in order"):
    sent.ended()
with tap.check("TRK-19: the ports of the fax are closed"):
    closed("after the fax")

with tap.need("BYE ends the call on both sides"):
    ue_sip.go_on()
    assert (ue_sip.wait(), core_sip.wait()) == (0, 0)
with tap.check("BYE frees the call here and in rtpengine"):
    closed("after BYE")
    procs.wait_until(lambda: not upstream.calls(), "an empty list", 10)
sent.close()


# 2. Over ng.
class Switch(calls.Signalling):
    """A voice call that is up; what comes after is the test's. @keys as on its first offer."""

    def __init__(self, name, side="originating", keys=None):
        super().__init__(e2ae, side, name, keys)
        self.fax = fax.Fax(self.call_id, CORE)
        self.version = 1
        self.sequence = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.delete()
        self.fax.close()
        if kind is None:
            closed(f"after {self.call_id}")
            procs.wait_until(lambda: self.call_id not in upstream.calls(), f"{self.call_id} gone in rtpengine", 10)

    def exchange(self, offerer, offered, answered, **keys):
        """One offer and its answer; each a list of sections. Returns what the UE and what the core got."""
        answerer = "core" if offerer == "ue" else "ue"
        hosts = {"ue": UE, "core": CORE}
        self.version += 1
        got = self.offer(offerer, media.description(hosts[offerer], *offered, version=self.version), **keys)
        back = self.answer(answerer, media.description(hosts[answerer], *answered, version=self.version))
        return (back, got) if offerer == "ue" else (got, back)

    def voice(self, offerer):
        """Voice both ways, checked with RTP."""
        ends = [ue_voice], [core_voice]
        at_ue, at_core = self.exchange(offerer, *(ends if offerer == "ue" else reversed(ends)))
        talk(at_ue, at_core)
        return at_ue, at_core

    def core_image(self):
        return fax.plain(CORE, self.fax.core.port)

    def send(self, at_ue, at_core, index=0):
        self.fax.connect(at_ue, index, ue_cert)
        self.fax.exchange(at_core, index, e2ae, self.call_id)


with tap.check("TRK-19 RFC 7345 A.3: voice goes to port 0, the fax is a second m-line, and back"):
    with Switch("second-line") as call:
        before = call.voice("ue")
        at_ue, at_core = call.exchange("ue", [fax.audio(UE, 0), ue_fax], [fax.audio(CORE, 0), call.core_image()])
        for got in (at_ue, at_core):
            assert [(line.kind, line.port > 0) for line in got.media] == [("audio", False), ("image", True)], str(got)
        fax.check_at_core(at_core, 1, sdp.Sdp(offers[1]).media[0], e2ae)
        fax.check_at_ue(at_ue, 1, sdp.Sdp(answers[1]).media[0], e2ae, "passive")
        call.send(at_ue, at_core, 1)
        gone = [["m=image 0 UDP/TLS/UDPTL t38"], ["m=image 0 udptl t38"]]
        at_ue, at_core = call.exchange("ue", [ue_voice, gone[0]], [core_voice, gone[1]])
        assert [line.port > 0 for line in at_ue.media] == [True, False], str(at_ue)
        assert [line.port > 0 for line in at_core.media] == [True, False], str(at_core)
        call.fax.ended()
        closed("after the fax")
        talk(at_ue, at_core)

with tap.check("DTL-10: a packet that is too long for a record is dropped and counted, what comes after it arrives"):
    with Switch("too-long") as call:
        call.voice("ue")
        at_ue, at_core = call.exchange("ue", [ue_fax], [call.core_image()])
        call.fax.connect(at_ue, 0, ue_cert)
        call.fax.core.send(at_core.endpoint(0), [bytes(1300)])

        def counted():
            stream = e2ae.request(command="query", call_id=call.call_id)["e2ae"]["streams"][0]
            return int(stream["too-long"]) == int(stream["dropped"]) == 1
        procs.wait_until(counted, "the packet among those that were too long")
        assert int(e2ae.request(command="statistics")["e2ae"]["traffic"]["too-long-packets"]) == 1
        call.fax.exchange(at_core, 0, e2ae, call.call_id)

for side, first in (("originating", "ue"), ("terminating", "core")):
    with tap.check(f"TRK-19 TRK-20 TRM-03: the core turns the slot into a fax, {side}: the UE sees DTLS, applied"):
        with Switch(f"from-core-{side}", side, {"e2ae-media": "t38"}) as call:
            before = call.voice(first)
            at_ue, at_core = call.exchange("core", [call.core_image()], [fax.secure(UE, ue_cert, setup="active")])
            fax.check_at_ue(at_ue, 0, sdp.Sdp(answers[1]).media[0], e2ae, "actpass", "applied")
            fax.check_at_core(at_core, 0, sdp.Sdp(offers[1]).media[0], e2ae)
            call.send(at_ue, at_core)
            after = call.voice("core")
            call.fax.ended()
            assert [got.endpoint(0) for got in after] == [got.endpoint(0) for got in before], str(after[0])
            closed("after the fax")

with tap.check("TRK-19 TRM-03: a fax of the core for a UE of which no support is known stays plain, and rtpengine's"):
    with Switch("unknown") as call:
        call.voice("ue")
        got = call.offer("core", media.description(CORE, call.core_image(), version=2))
        assert (got.media[0].proto, call.stream()["treatment"]) == ("udptl", "anchor"), str(got)
        assert RTP_PORTS[0] <= got.media[0].port <= RTP_PORTS[1] and not e2ae.sockets(), str(got)

with tap.check("TRK-19: a re-INVITE to fax that is refused leaves the voice as it was"):
    with Switch("refused") as call:
        at_ue, at_core = call.voice("ue")
        got = call.offer("ue", media.description(UE, ue_fax, version=2))
        fax.check_at_core(got, 0, sdp.Sdp(offers[1]).media[0], e2ae)
        talk(at_ue, at_core)
        after = call.voice("ue")
        assert [got.endpoint(0) for got in after] == [at_ue.endpoint(0), at_core.endpoint(0)], str(after[0])
        closed("of the fax that was refused")

with tap.check("TRK-19: an answer with port 0 to the fax ends the slot on both sides, and voice comes back into it"):
    with Switch("zero") as call:
        call.voice("ue")
        at_ue, _ = call.exchange("ue", [ue_fax], [["m=image 0 udptl t38"]])
        assert (at_ue.media[0].proto, at_ue.media[0].port) == ("UDP/TLS/UDPTL", 0), str(at_ue)
        closed("of the fax that got port 0")
        call.voice("ue")


# 3. rtpengine's fax gateway behind us.
def received(call, kind):
    """How many packets rtpengine has counted on this call's streams of @kind."""
    streams = [stream for tag in upstream.client.request(command="query", call_id=call.call_id)["tags"].values()
               for entry in tag["medias"] if entry["type"] == kind for stream in entry["streams"]]
    return sum(int(stream["stats"]["packets"]) for stream in streams)


def gateway(call, at_ue, at_core):
    """The core has voice, the UE a fax in DTLS; the UE's datagrams come to rtpengine."""
    line = at_core.media[0]
    assert (line.kind, line.proto) == ("audio", "RTP/AVP"), str(at_core)
    assert not any(line.has(name) for name in fax.SECURITY), str(at_core)
    assert at_core.address(0) == procs.address(2) and RTP_PORTS[0] <= line.port <= RTP_PORTS[1], str(at_core)
    assert at_ue.media[0].proto == "UDP/TLS/UDPTL" and at_ue.address(0) == e2ae.access, str(at_ue)
    before = received(call, "image")
    call.fax.connect(at_ue, 0, ue_cert, recv=0)
    procs.wait_until(lambda: received(call, "image") >= before + call.fax.count,
                     f"{call.fax.count} datagrams at rtpengine's side of the fax", 10)
    from_gateway(call, at_core)


def from_gateway(call, at_core):
    """The core's audio makes rtpengine begin a fax, with indicators that the line is silent (T.38 8.1). They come to the
    UE in DTLS, each a UDPTL packet: its number, and the length of what follows."""
    def fed():
        call.sequence += 1
        core_rtp.sendto(rtp.packet(call.sequence, 0x22222222), at_core.endpoint(0))
        select.select([], [], [], 0.02)
        streams = e2ae.request(command="e2ae query", call_id=call.call_id)["e2ae"]["streams"]
        return sum(int(stream["access"]["packets-out"]) for stream in streams) >= INDICATORS
    procs.wait_until(fed, f"{INDICATORS} datagrams of rtpengine sent on to the UE", 10)
    call.fax.ue.release()
    assert call.fax.ue.wait() == 0, call.fax.ue.log()
    got = media.unframed(procs.path_of(f"at-ue-{call.fax.name}"))
    assert len(got) >= INDICATORS, got
    for datagram in got:
        size = datagram[2]
        assert len(datagram) >= 3 + size and size > 0, datagram.hex()
        assert datagram[:2] == b"\0\0" and datagram[3:3 + size] == NO_SIGNAL, datagram.hex()


with tap.check("TRK-19 T.38=decode: a fax from the first offer on; the core sees voice, and the UE's datagrams reach "
               "rtpengine, and its own the UE"):
    with Switch("decode") as call:
        gateway(call, *call.exchange("ue", [ue_fax], [core_voice], **DECODE))
with tap.check("TRK-19 T.38=decode: a voice call becomes a fax for the UE only, and voice again"):
    with Switch("decode-switch") as call:
        call.voice("ue")
        gateway(call, *call.exchange("ue", [ue_fax], [core_voice], **DECODE))
        call.voice("ue")
        closed("after the fax")

tap.finish()
