# SPDX-License-Identifier: GPL-3.0-or-later
"""Audio and protected MSRP of UEs that have nothing but IPv6, through Kamailio, rtpengine-e2ae, rtpengine, with sipp at both
ends: to and from a core with IPv4, and to one with IPv6 where the control side has no IPv4 either. Then the P-CSCF of
examples/kamailio between UEs and a core with IPv6."""
import collections
import hashlib
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import kamailio
import media
import msrpcall
import netns
import pcscf
import pcscfcall
import peers
import plugin
import procs
import rtp
import rtpengine
import sdp
import sipp
import tap

SIZE = 2 << 20
RTP_PORTS = (30000, 30999)
# Whoever calls or is called, and what he sees of the network: the media servers and the proxy.
Side = collections.namedtuple("Side", "party media proxy")
# Where the media servers are controlled.
Control = collections.namedtuple("Control", "rtpengine e2ae")
UE = Side("fd00:e2ae::10", "fd00:e2ae::1", "fd00:e2ae::3")
CORE6 = Side("fd00:e2ae:c::10", "fd00:e2ae:c::1", "fd00:e2ae:c::3")
CORE_SPELLING = "FD00:E2AE:C:0::3"  # another one of CORE6.proxy
CONTROL6 = Control("fd00:e2ae:e::1", "fd00:e2ae:e::2")

with tap.need("a network with IPv6"):
    netns.own(*UE, *CORE6, *CONTROL6)
    CORE4 = Side(procs.address(9), procs.address(2), procs.address(7))
    CONTROL4 = Control(procs.address(5), procs.address(4))
ue_cert = certs.Pair("ue-ecdsa")


class Call:
    """One call through servers of its own. @way: what the UE is in it, "originating" or "terminating"; @flags: more of the
    proxy's words for the offer."""

    def __init__(self, name, way, core, control, flags=""):
        self.name, self.originating, self.core = name, way == "originating", core
        to_core, to_ue = peers.payload(SIZE, 5), peers.payload(SIZE, 6)
        self.sent = {"core": to_core, "ue": to_ue}
        self.ue_rtp, self.core_rtp = procs.udp_socket(UE.party), procs.udp_socket(core.party)
        # Who is called by an offer of actpass connects; else the AGW does.
        self.core_peer = peers.PlainPeer(core.party, data=to_ue, expect=SIZE) if self.originating else None
        ue_audio, core_audio = self.ue_rtp.getsockname()[1], self.core_rtp.getsockname()[1]
        if self.originating:
            self.ue_sdp = msrpcall.ue_sdp(UE.party, ue_cert, audio=ue_audio)
            self.core_sdp = msrpcall.core_sdp(core.party, self.core_peer.port, audio=core_audio)
        else:
            self.ue_sdp = msrpcall.ue_sdp(UE.party, ue_cert, audio=ue_audio, port=9, setup="active", indication=False)
            self.core_sdp = msrpcall.core_sdp(core.party, 7000, audio=core_audio, setup="actpass")
        self.start(control, f"{msrpcall.Flags.ORIGINATING if self.originating else msrpcall.Flags.TERMINATING} {flags}")

    def start(self, control, offer_flags):
        ue, core = ("ue", UE, self.ue_sdp), ("core", self.core, self.core_sdp)
        (caller, calling, offer), (callee, called, answer) = (ue, core) if self.originating else (core, ue)
        self.upstream = rtpengine.Rtpengine(access=UE.media, core=self.core.media, ports=RTP_PORTS, host=control.rtpengine,
                                            name=f"rtpengine-{self.name}")
        self.e2ae = plugin.Plugin(self.upstream.ng_address, access=UE.media, core=self.core.media,
                                  listen=(control.e2ae, 2223), name=f"rtpengine-e2ae-{self.name}")
        self.callee = sipp.Sipp(f"{callee}-{self.name}", "uas.xml.in", called.party, answer)
        self.proxy = kamailio.Kamailio(
            self.e2ae.ng_address, procs.place(*self.callee.address), offer_flags, msrpcall.Flags.ANSWER,
            msrpcall.Flags.DELETE, hosts=(calling.proxy, called.proxy))
        self.caller = sipp.Sipp(f"{caller}-{self.name}", "uac.xml.in", calling.party, offer, remote=self.proxy.address,
                                call_id=f"{self.name}@test.invalid")

    def set_up(self):
        """Waits for what both ends get to see."""
        at_callee = sdp.Sdp(self.callee.wait_sdp(b"INVITE "))
        at_caller = sdp.Sdp(self.caller.wait_sdp(b"SIP/2.0 200 "))
        self.callee.wait_received(b"ACK ")
        self.at_ue, self.at_core = (at_caller, at_callee) if self.originating else (at_callee, at_caller)

    def talk(self):
        rtp.pass_both_ways(self.ue_rtp, self.at_ue.endpoint(0), self.core_rtp, self.at_core.endpoint(0))

    def exchange(self):
        """Both send SIZE bytes over the MSRP connections and close them."""
        if not self.core_peer:
            self.core_peer = peers.PlainPeer(self.core.party, target=self.at_core.endpoint(1), data=self.sent["ue"],
                                             expect=SIZE)
        self.ue_peer = peers.TlsPeer(
            "gnutls", cert=ue_cert, connect=procs.place(*self.at_ue.endpoint(1)), recv=SIZE, timeout=90,
            send=procs.write_file(f"to-core-{self.name}", self.sent["core"]), out=procs.path_of(f"at-ue-{self.name}"),
            expect_fingerprint=msrpcall.expected(self.at_ue.fingerprint(1)), name=f"gnutls-peer-{self.name}")
        assert self.ue_peer.wait(100) == 0, self.ue_peer.log()
        self.core_peer.join()

    def hang_up(self):
        self.caller.go_on()
        assert (self.caller.wait(), self.callee.wait()) == (0, 0)

    def stop(self):
        """The next call has the same addresses."""
        self.proxy.stop()
        self.e2ae.check_end()
        self.upstream.stop()


def check_sdp(call):
    """What both ends see, line by line."""
    name, e2ae = call.name, call.e2ae
    sent_ue, sent_core = sdp.Sdp(call.ue_sdp), sdp.Sdp(call.core_sdp)
    with tap.check(f"TRK-18: {name}: o= and c= that the UE sees are ours in IPv6"):
        msrpcall.check_addresses(call.at_ue, UE.media)
    with tap.check(f"TRK-18: {name}: o= and c= that the core sees are ours in its family"):
        msrpcall.check_addresses(call.at_core, call.core.media)
    with tap.check(f"{name}: both see every line of the session part"):
        msrpcall.check_session(call.at_ue, sent_core)
        msrpcall.check_session(call.at_core, sent_ue)
    with tap.check(f"ORG-03 CEM-02 MSR-03: {name}: the core sees TCP/MSRP, no TLS, the UE's path with its brackets"):
        setup = "actpass" if call.originating else "passive"
        msrpcall.check_message(call.at_core, 1, sent_ue, "TCP/MSRP", setup, call.core.media, e2ae.port_range)
        assert call.at_core.media[1].value("path") == f"msrps://[{UE.party}]:2855/s3Ae9;tcp", str(call.at_core)
        assert ue_cert.fingerprint().split(" ")[1] not in call.at_core.text.upper(), str(call.at_core)
    with tap.need(f"ORG-10 TRM-05 CEM-02: {name}: the UE sees TCP/TLS/MSRP, our fingerprint, the core's path"):
        setup, added = ("passive", ()) if call.originating else ("actpass", ("3ge2ae",))
        msrpcall.check_message(call.at_ue, 1, sent_core, "TCP/TLS/MSRP", setup, UE.media, e2ae.port_range,
                               added=("fingerprint", *added))
        assert call.at_ue.media[1].values("3ge2ae") == ["applied"] * len(added), str(call.at_ue)
        assert call.at_ue.media[1].value("path") == f"msrp://{procs.place(call.core.party, 7000)}/kQ1;tcp", str(call.at_ue)
        assert call.at_ue.fingerprint(1)[0] == "sha-256", call.at_ue.fingerprint(1)
    with tap.check(f"{name}: both see rtpengine for the audio"):
        msrpcall.check_audio(call.at_ue, 0, sent_core, UE.media, RTP_PORTS)
        msrpcall.check_audio(call.at_core, 0, sent_ue, call.core.media, RTP_PORTS)


def check_media(call):
    name = call.name
    with tap.check(f"COM-03: {name}: the AGW listens where the UE was told to connect"):
        assert plugin.listening(*call.at_ue.endpoint(1))
        hosts = {host for _, host, _ in call.e2ae.sockets()}
        assert hosts == {UE.media, call.core.media}, hosts
    with tap.check(f"{name}: RTP passes rtpengine both ways"):
        call.talk()
    with tap.need(f"TRK-18: {name}: the UE by TLS and the core by plain TCP exchange 2 MB"):
        call.exchange()
    with tap.check(f"{name}: each got the other's bytes"):
        assert call.ue_peer.digest() == (SIZE, hashlib.sha256(call.sent["ue"]).hexdigest()), call.ue_peer.log()
        assert (call.core_peer.received, call.core_peer.digest.hexdigest()) == \
            (SIZE, hashlib.sha256(call.sent["core"]).hexdigest()), call.core_peer.received
    with tap.check(f"TRK-23: {name}: both ends saw an orderly close"):
        assert (call.core_peer.ended, call.ue_peer.line("CLOSED")) == ("clean", "clean"), call.ue_peer.log()


def run(name, *options):
    with tap.need(f"{name}: the servers start"):
        call = Call(name, *options)
    with tap.need(f"{name}: the call is set up"):
        call.set_up()
    check_sdp(call)
    check_media(call)
    with tap.need(f"{name}: BYE ends the call on both sides"):
        assert call.e2ae.sockets() and call.upstream.calls()
        call.hang_up()
    with tap.check(f"{name}: BYE frees every port, here and in rtpengine"):
        procs.wait_until(lambda: not call.e2ae.sockets(), f"no media sockets, there are {call.e2ae.sockets()}", 10)
        procs.wait_until(lambda: not call.upstream.calls(), "an empty list", 10)
    call.stop()


run("to-ipv4", "originating", CORE4, CONTROL4, "address-family=IP4")
run("from-ipv4", "terminating", CORE4, CONTROL4, "address-family=IP6")
run("to-ipv6", "originating", CORE6, CONTROL6)

# ---- a registered UE and the core, with strict MSRP endpoints

with tap.need("examples/kamailio: the servers start, and a UE registers"):
    # An address has many spellings, and the configuration any of them.
    net = pcscfcall.Network(access=UE.media, core=CORE6.media, core_host=CORE6.party, hosts=(UE.proxy, CORE6.proxy),
                            settings={"CORE_ADDRESS": f'"{CORE_SPELLING}"'})
    ue = net.ue("open-alice", pcscf.indicated(), host=UE.party)
    peer = net.peer()
for caller, callee, way in ((ue, peer, "calls"), (peer, ue, "is called from")):
    with tap.check(f"TRK-18: examples/kamailio: a UE with IPv6 {way} a core with IPv6"):
        with pcscfcall.Call(net, caller, callee, media.MSRP, "six") as call:
            at_ue, at_core = (call.at_caller, call.at_callee) if caller is ue else (call.at_callee, call.at_caller)
            pcscfcall.check_protected(at_ue, 1, media.MSRP, net, None if caller is ue else "applied")
            pcscfcall.check_plain(at_core, 1, media.MSRP, net)
            msrpcall.check_addresses(at_ue, UE.media)
            msrpcall.check_addresses(at_core, CORE6.media)
            call.talk()
            call.exchange()
with tap.check("examples/kamailio: no errors in the log of the proxy"):
    assert not net.proxy.errors(), net.proxy.errors()
tap.finish()
