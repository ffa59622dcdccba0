# SPDX-License-Identifier: GPL-3.0-or-later
"""How UEs reach the example P-CSCF: from behind a NAT, by TCP, and with another contact than the registered one."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import media
import pcscf
import pcscfcall
import procs
import sipua
import tap
from sipua import WAIT, recv

PRIVATE = "10.255.0.1"
port = procs.free_port(procs.address(3))

with tap.need("the servers start"):
    net = pcscfcall.Network(port=port, settings={"ACCESS_TCP_SOCKET": f"tcp:{procs.address(3)}:{port}"})
    peer = net.peer()


def hangs_up(agent, call):
    """A callee in the core that ends the call."""
    return [recv("INVITE", rrs=True, actions=[sipua.KEEP_FROM]), agent.reply(200, "OK", call.answer), recv("ACK"), WAIT,
            agent.back("BYE", 9), recv(200)]


class EndedByCallee(pcscfcall.Call):
    def hang_up(self):
        self.called.go_on()
        assert (self.calling.wait(), self.called.wait()) == (0, 0), self.calling.log() + self.called.log()


with tap.need("two UEs with the same private address register, both from behind a NAT"):
    alice = net.ue("open-alice", pcscf.indicated(), behind=PRIVATE, contact_user="phone")
    carol = net.ue("open-carol", behind=PRIVATE, contact_user="phone")
with tap.check("a UE behind a NAT is called, with its own media and not its neighbour's, and hung up by the core"):
    with pcscfcall.Call(net, peer, alice, media.MSRP, "to-nat") as call:
        assert b"INVITE sip:phone@10.255.0.1" in call.called.received(b"INVITE ")[0], call.called.received(b"INVITE ")[0]
        pcscfcall.check_protected(call.at_callee, 1, media.MSRP, net, "applied")
        call.talk()
        call.exchange()
    before = net.asked()
    with pcscfcall.Call(net, peer, carol, name="to-neighbour") as call:
        call.talk()
    assert net.asked() == before, f"{net.asked() - before} requests"
with tap.check("a UE behind a NAT calls, and the core hangs up"):
    call = EndedByCallee(net, alice, peer, media.MSRP, "from-nat", called=hangs_up, calling=lambda agent, call: [
        agent.invite(pcscfcall.target(peer), call.offer), *agent.answered(), recv("BYE"), agent.ok()])
    with call:
        pcscfcall.check_protected(call.at_caller, 1, media.MSRP, net)
        call.talk()
        call.exchange()

with tap.check("a call from a registered UE whose Contact has another user part is known by its source"):
    alice.contact = alice.contact.replace("phone", "gruu")
    with pcscfcall.Call(net, alice, peer, name="gruu") as call:
        assert net.e2ae_calls(), "not at rtpengine-e2ae"
        call.talk()

with tap.need("a UE for TCP"):
    dora = sipua.Agent("open-dora", pcscf.UE_HOST, net.proxy.address, tcp=True)
    dora.cert = certs.Pair("ue-ecdsa")
    registered = [dora.register(1, pcscf.indicated()), recv(200)]
with tap.check("a UE registers and calls by TCP; voice alone, so that only its registration tells what it can do"):
    call = EndedByCallee(net, dora, peer, name="from-tcp", called=hangs_up, calling=lambda agent, call: [
        *registered, agent.invite(pcscfcall.target(peer), call.offer), *agent.answered(), recv("BYE"), agent.ok()])
    with call:
        assert net.e2ae_calls() == [f"{call.call_id};o1"], net.e2ae_calls()
        call.talk()
with tap.check("the same with a chat, and what the core says of e2ae taken out of the answer"):
    call = EndedByCallee(net, dora, peer, media.MSRP, "from-tcp", called=hangs_up, calling=lambda agent, call: [
        *registered, agent.invite(pcscfcall.target(peer), call.offer), *agent.answered(), recv("BYE"), agent.ok()])
    call.answer += "a=3ge2ae:applied\r\n"
    with call:
        pcscfcall.check_protected(call.at_caller, 1, media.MSRP, net)
        call.talk()
        call.exchange()


class ToTcp(pcscfcall.Call):
    """The UE keeps the connection of its registration, for which sipp wants the same Call-ID."""

    def start(self):
        self.called = self.callee.agent.start("called", self.steps[1](self.callee.agent, self), call_id=self.call_id)
        self.called.wait_received(b"SIP/2.0 200 ")
        self.calling = self.caller.agent.start("calling", self.steps[0](self.caller.agent, self), call_id=self.call_id)


for medium in media.ALL:
    with tap.check(f"{medium.name}: a UE is called on the TCP connection of its registration"):
        with ToTcp(net, peer, dora, medium, "to-tcp", called=lambda agent, call: [
                *registered, *agent.callee(call.answer)]) as call:
            pcscfcall.check_protected(call.at_callee, 1, medium, net, "applied")
            call.talk()
            call.exchange()

# ---- UEs with IPv6, the core with IPv4. There is only one such address for all tests; each has its ports.
first = procs.slot() * 100 + 10000
with tap.need("a proxy and media servers with IPv6 towards UEs start"):
    six = pcscfcall.Network(access="::1", ports=((first, first + 39), (first + 40, first + 79)), port=first + 90,
                            name="pcscf-v6", hosts=("::1", 8), settings={
                                "KEYS_TO_CORE": '"address-family=IP4"', "KEYS_TO_UE": '"address-family=IP6"'})
    emil = six.ue("open-emil", pcscf.indicated(), host="::1")
    six_peer = six.peer("six-peer")
for medium in media.ALL:
    for caller, callee, way in ((emil, six_peer, "calls"), (six_peer, emil, "is called from")):
        with tap.check(f"{medium.name}: a UE with IPv6 {way} a core with IPv4"):
            with pcscfcall.Call(six, caller, callee, medium, "six") as call:
                at_ue, at_core = (call.at_caller, call.at_callee) if caller is emil else (call.at_callee, call.at_caller)
                pcscfcall.check_protected(at_ue, 1, medium, six, None if caller is emil else "applied")
                pcscfcall.check_plain(at_core, 1, medium, six)
                assert [line.connection() or "" for line in at_ue.media] == ["::1"] * 2, str(at_ue)
                call.talk()
                call.exchange()

with tap.check("no errors in the log of the proxy"):
    assert not net.proxy.errors() + six.proxy.errors(), net.proxy.errors() + six.proxy.errors()
tap.finish()
