# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of a registered UE through the example P-CSCF: chat, floor control and fax beside voice, from the UE and to it."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import interop
import media
import pcscf
import pcscfcall
import sipua
import tap

interop.whole("Kamailio", "P-CSCF: calls (examples/kamailio)")
interop.whole("SIPp", "UEs and core, registering and calling")
interop.whole("rtpengine", "audio beside protected media")

with tap.need("the servers start"):
    net = pcscfcall.Network()
with tap.need("a UE registers with all media, one without"):
    alice = net.ue("open-alice", pcscf.indicated())
    bob = net.ue("open-bob")
    peer = net.peer()

for medium in media.ALL:
    with tap.check(f"{medium.name}: the UE calls the core: protected up to here, plain to the core, voice through rtpengine"):
        with pcscfcall.Call(net, alice, peer, medium, f"from-ue-{medium.name}") as call:
            pcscfcall.check_plain(call.at_callee, 1, medium, net)
            pcscfcall.check_protected(call.at_caller, 1, medium, net)
            call.talk()
            call.exchange()
    with tap.check(f"{medium.name}: the core calls the UE"):
        with pcscfcall.Call(net, peer, alice, medium, f"to-ue-{medium.name}") as call:
            pcscfcall.check_protected(call.at_callee, 1, medium, net, "applied")
            pcscfcall.check_plain(call.at_caller, 1, medium, net)
            call.talk()
            call.exchange()

# ---- both ends are our UEs: the call passes the proxy twice

with tap.need("another UE registers with all media"):
    carol = net.ue("open-carol", pcscf.indicated())
for medium in media.ALL:
    with tap.check(f"{medium.name}: one UE calls another: each half is a call of its own, protected towards its UE"):
        with pcscfcall.Call(net, alice, carol, medium, f"ue-to-ue-{medium.name}") as call:
            assert sorted(net.e2ae_calls()) == [f"{call.call_id};o1", f"{call.call_id};t1"], net.e2ae_calls()
            pcscfcall.check_protected(call.at_callee, 1, medium, net, "applied")
            pcscfcall.check_protected(call.at_caller, 1, medium, net)
            assert call.at_callee.endpoint(1) != call.at_caller.endpoint(1), call.at_caller
            call.talk()
            call.exchange()

# ---- calls that need no e2ae

with tap.check("a UE without e2ae and the core talk without a word to rtpengine-e2ae, either way"):
    before = net.asked()
    for caller, callee in ((bob, peer), (peer, bob)):
        with pcscfcall.Call(net, caller, callee, name="voice") as call:
            call.talk()
            assert net.upstream.calls(), "not in rtpengine"
    assert net.asked() == before, f"{net.asked() - before} requests"
for medium in (media.MSRP, media.BFCP):
    with tap.check(f"{medium.name}: the core offers it to a UE that has indicated nothing: as it came, past rtpengine-e2ae"):
        before = net.asked()
        bob.cert, cert = None, bob.cert
        call = pcscfcall.Call(net, peer, bob, medium, f"plain-{medium.name}")
        call.steps = (lambda agent, call: agent.caller(bob.aor, call.offer), call.steps[1])
        with call:
            for got, sent in ((call.at_callee, call.offer), (call.at_caller, call.answer)):
                assert got.media[1].proto == medium.plain, str(got)
                assert not got.media[1].has("fingerprint") and "3ge2ae" not in got.text, str(got)
            call.talk()
        bob.cert = cert
        assert net.asked() == before, f"{net.asked() - before} requests"

with tap.check("SIG-07: a UE that registers again without mediasec is called as one without"):
    fred = net.ue("open-fred", pcscf.indicated(["msrp-tls"]))
    with pcscfcall.Call(net, peer, fred, name="while-it-has-it") as call:
        assert net.e2ae_calls() == [f"{call.call_id};t1"], net.e2ae_calls()
        call.talk()
    pcscf.register(fred, [fred.register(2), sipua.recv(200)])
    before = net.asked()
    with pcscfcall.Call(net, peer, fred, name="no-more") as call:
        call.talk()
    assert net.asked() == before, f"{net.asked() - before} requests"
with tap.check("SIG-01: a UE with one medium is offered the others as they came"):
    fred = net.ue("open-gina", pcscf.indicated(["bfcp-tls"]))
    with pcscfcall.Call(net, peer, fred, media.BFCP, "its-own") as call:
        pcscfcall.check_protected(call.at_callee, 1, media.BFCP, net, "applied")
        call.exchange()
    fred.cert, cert = None, fred.cert
    call = pcscfcall.Call(net, peer, fred, media.MSRP, "another")
    call.steps = (lambda agent, call: agent.caller(fred.aor, call.offer), call.steps[1])
    with call:
        assert call.at_callee.media[1].proto == "TCP/MSRP" and "fingerprint" not in call.at_callee.text, str(call.at_callee)

with tap.check("no errors in the log of the proxy"):
    assert not net.proxy.errors(), net.proxy.errors()
tap.finish()
