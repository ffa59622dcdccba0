# SPDX-License-Identifier: GPL-3.0-or-later
"""A UE calls the core: audio and protected MSRP, through Kamailio, rtpengine-e2ae, rtpengine, with sipp at both ends."""
import hashlib
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import kamailio
import msrpcall
import peers
import plugin
import procs
import rtp
import rtpengine
import sdp
import sipp
import tap

SIZE = 10 << 20
UE, CORE = procs.address(10), procs.address(9)
CALL_ID = "originating-1@test.invalid"
to_core, to_ue = peers.payload(SIZE, 1), peers.payload(SIZE, 2)
ue_cert = certs.Pair("ue-ecdsa")
ue_rtp, core_rtp = procs.udp_socket(UE), procs.udp_socket(CORE)
core_peer = peers.PlainPeer(CORE, data=to_ue, expect=SIZE)
offer = msrpcall.ue_sdp(UE, ue_cert, audio=ue_rtp.getsockname()[1])
answer = msrpcall.core_sdp(CORE, core_peer.port, audio=core_rtp.getsockname()[1])

with tap.need("the servers start"):
    upstream = rtpengine.Rtpengine()
    e2ae = plugin.Plugin(upstream.ng_address)
    core_sip = sipp.Sipp("core", "uas.xml.in", CORE, answer)
    proxy = kamailio.Kamailio(e2ae.ng_address, "%s:%d" % core_sip.address, msrpcall.Flags.ORIGINATING,
                              msrpcall.Flags.ANSWER, msrpcall.Flags.DELETE)
    ue_sip = sipp.Sipp("ue", "uac.xml.in", UE, offer, remote=proxy.address, call_id=CALL_ID)

with tap.need("the call is set up"):
    at_core = sdp.Sdp(core_sip.wait_sdp(b"INVITE "))
    at_ue = sdp.Sdp(ue_sip.wait_sdp(b"SIP/2.0 200 "))
    core_sip.wait_received(b"ACK ")

with tap.check("ORG-02 ORG-08: the core sees every line of the offer, in order"):
    msrpcall.check_session(at_core, sdp.Sdp(offer))
with tap.check("ORG-03 ORG-06 ORG-07: the core sees TCP/MSRP, no fingerprint, no indication, path and CEMA kept"):
    msrpcall.check_message(at_core, 1, sdp.Sdp(offer), "TCP/MSRP", "actpass", e2ae.core, e2ae.port_range)
with tap.check("CTLS-03: nothing of the UE's fingerprint reaches the core"):
    assert ue_cert.fingerprint().split(" ")[1] not in at_core.text.upper()
with tap.check("the core sees rtpengine for the audio"):
    msrpcall.check_audio(at_core, 0, sdp.Sdp(offer), procs.address(2), (30000, 30999))
with tap.check("the UE sees every line of the answer, in order"):
    msrpcall.check_session(at_ue, sdp.Sdp(answer))
with tap.need("ORG-10 COM-09 IND-04: the UE sees TCP/TLS/MSRP, passive, the AGW's fingerprint, no indication"):
    msrpcall.check_message(at_ue, 1, sdp.Sdp(answer), "TCP/TLS/MSRP", "passive", e2ae.access, e2ae.port_range,
                           added=("fingerprint",))
    assert at_ue.fingerprint(1)[0] == "sha-256", at_ue.fingerprint(1)
with tap.check("the UE sees rtpengine for the audio"):
    msrpcall.check_audio(at_ue, 0, sdp.Sdp(answer), procs.address(1), (30000, 30999))
with tap.check("COM-03: the AGW listens where its answer says"):
    assert plugin.listening(*at_ue.endpoint(1))

with tap.check("RTP of the call passes rtpengine both ways"):
    rtp.pass_both_ways(ue_rtp, at_ue.endpoint(0), core_rtp, at_core.endpoint(0))

ue_peer = None
with tap.need("ORG-13: the UE is connected by TLS, the core by plain TCP, and both exchange 10 MB"):
    ue_peer = peers.TlsPeer("gnutls", cert=ue_cert, connect="%s:%d" % at_ue.endpoint(1), recv=SIZE, timeout=90,
                            send=procs.write_file("to-core", to_core), out=procs.path_of("at-ue"),
                            expect_fingerprint=msrpcall.expected(at_ue.fingerprint(1)))
    assert ue_peer.wait(100) == 0, ue_peer.log()
    core_peer.join()
with tap.check("the UE got the core's bytes"):
    assert ue_peer.digest() == (SIZE, hashlib.sha256(to_ue).hexdigest()), ue_peer.log()
with tap.check("the core got the UE's bytes"):
    assert (core_peer.received, core_peer.digest.hexdigest()) == (SIZE, hashlib.sha256(to_core).hexdigest())
with tap.check("TRK-23: both ends saw an orderly close"):
    assert (core_peer.ended, ue_peer.line("CLOSED")) == ("clean", "clean"), (core_peer.ended, ue_peer.log())
with tap.check("RTP still passes"):
    rtp.pass_both_ways(ue_rtp, at_ue.endpoint(0), core_rtp, at_core.endpoint(0))

with tap.need("BYE ends the call on both sides"):
    ue_sip.go_on()
    assert (ue_sip.wait(), core_sip.wait()) == (0, 0)
with tap.check("BYE frees every port of the AGW"):
    procs.wait_until(lambda: not e2ae.sockets(), f"no media sockets, there are {e2ae.sockets()}", 10)
    assert not plugin.listening(*at_ue.endpoint(1)) and not plugin.listening(*at_core.endpoint(1))
with tap.check("BYE frees the call in rtpengine"):
    procs.wait_until(lambda: not upstream.calls(), "an empty list", 10)

tap.finish()
