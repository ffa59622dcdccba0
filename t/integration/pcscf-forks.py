# SPDX-License-Identifier: GPL-3.0-or-later
"""Forked calls through the example P-CSCF: a UE with two phones, and a UE that calls somebody with two phones."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import interop
import media
import pcscf
import pcscfcall
import procs
import sdp
import sipua
import tap

interop.whole("Kamailio", "P-CSCF: forks (examples/kamailio)")
from sipua import WAIT, recv

with tap.need("the servers start"):
    net = pcscfcall.Network()
with tap.need("one UE registers, and two phones of another user"):
    alice = net.ue("open-alice", pcscf.indicated())
    phones = [net.ue("open-dave", pcscf.indicated(), cert=cert, contact_user=f"dave{number}")
              for number, cert in enumerate(("ue-ecdsa", "ue-rsa"))]
    peer = net.peer()
with tap.need("two phones of a user in the core, which register there"):
    core_phones = []
    for number in (0, 1):
        agent = sipua.Agent("open-erin", pcscf.CORE_HOST, net.core.address, contact_user=f"erin{number}")
        agent.cert = None
        pcscf.register(agent, [agent.register(1), recv(200)])
        core_phones.append(agent)


def losing(agent, text, early):
    ringing = agent.reply(183, "Session Progress", text) if early else agent.reply(180, "Ringing")
    return [recv("INVITE", actions=sipua.KEEP_INVITE), ringing, recv("CANCEL"), agent.ok(),
            agent.final(487, "Request Terminated"), recv("ACK")]


def winning(agent, text):
    return [recv("INVITE", rrs=True, actions=sipua.KEEP_INVITE), agent.reply(180, "Ringing"), WAIT,
            agent.final(200, "OK", text), recv("ACK"), recv("BYE"), agent.ok()]


def calling(agent, call):
    early = recv(183, True)
    return [agent.invite(call.callee.agent.aor, call.offer), recv(100, True), *[recv(180, True), early] * 3,
            recv(200, rrs=True, actions=[sipua.KEEP_TO]), agent.request("ACK", 1), WAIT, *agent.bye(2)]


class Fork(pcscfcall.Call):
    """@caller calls the user of both phones. The first one rings, perhaps with SDP; the second one answers."""

    def __init__(self, caller, both, medium, name, early=False):
        super().__init__(net, caller, both[1], medium, name, calling=calling,
                         called=lambda agent, call: winning(agent, call.answer))
        self.early = early
        self.other = pcscfcall.Party(both[0], medium, 3, False)
        self.rings = None

    def set_up(self):
        self.rings = self.other.agent.start("rings", losing(self.other.agent, self.other.text(), self.early))
        self.start()
        at_other = sdp.Sdp(self.rings.wait_sdp(b"INVITE "))
        self.at_callee = sdp.Sdp(self.called.wait_sdp(b"INVITE "))
        if self.early:
            self.calling.wait_received(b"SIP/2.0 183 ")
        self.while_ringing(at_other)
        self.called.go_on(b"SIP/2.0 200 ")
        self.at_caller = sdp.Sdp(self.calling.wait_sdp(b"SIP/2.0 200 "))
        assert self.rings.wait() == 0, self.rings.log()
        return self

    def while_ringing(self, at_other):
        pass

    def close(self):
        super().close()
        self.other.close()
        if self.rings:
            self.rings.kill()


class ToPhones(Fork):
    """Both phones are UEs of ours: each has ports of its own until it is out."""
    halves = {"t"}

    def streams(self):
        return net.e2ae.request(command="e2ae query", call_id=f"{self.call_id};t1")["e2ae"]["streams"]

    def while_ringing(self, at_other):
        index = len(at_other.media) - 1
        assert at_other.endpoint(index) != self.at_callee.endpoint(index), str(at_other)
        assert net.e2ae_calls() and {call_id[-2] for call_id in net.e2ae_calls()} == self.halves, net.e2ae_calls()
        assert len({stream["via-branch"] for stream in self.streams()}) == 2, self.streams()


for medium in media.ALL:
    for early in (False, True):
        how = "after 183 with SDP of the first" if early else "after ringing"
        with tap.check(f"{medium.name}: the core calls a user with two UEs, the second one answers, {how}"):
            with ToPhones(peer, phones, medium, "fork-to-ues", early) as call:
                pcscfcall.check_protected(call.at_callee, 1, medium, net, "applied")
                procs.wait_until(lambda: len(call.streams()) == 1, f"one stream, there are {call.streams()}")
                call.talk()
                call.exchange()
        with tap.check(f"{medium.name}: a UE calls a user with two phones in the core, the second one answers, {how}"):
            with Fork(alice, core_phones, medium, "fork-to-core", early) as call:
                pcscfcall.check_protected(call.at_caller, 1, medium, net)
                call.talk()
                call.exchange()

with tap.check("a UE calls a user with two UEs: one originating half, two branches of the terminating one"):
    fork = ToPhones(alice, phones, media.MSRP, "fork-ue-to-ues")
    fork.halves = {"o", "t"}
    with fork as call:
        call.talk()
        call.exchange()

with tap.check("the core calls a user with two phones, of which only the second one has e2ae"):
    with tap.need("a phone without e2ae registers"):
        plain = net.ue("open-fred", contact_user="fred0")
        both = [plain, net.ue("open-fred", pcscf.indicated(), contact_user="fred1")]
    plain.cert = None

    class Mixed(Fork):
        def while_ringing(self, at_other):
            assert at_other.media[1].proto == "TCP/MSRP", str(at_other)
            pcscfcall.check_protected(self.at_callee, 1, media.MSRP, net, "applied")
            assert net.e2ae_calls() == [f"{self.call_id};t1"], net.e2ae_calls()
            assert sorted(net.upstream.calls()) == [f"{self.call_id};t0", f"{self.call_id};t1"], net.upstream.calls()
    with Mixed(peer, both, media.MSRP, "fork-mixed") as call:
        procs.wait_until(lambda: net.upstream.calls() == [f"{call.call_id};t1"], f"one call in {net.upstream.calls()}")
        call.talk()
        call.exchange()

with tap.check("no errors in the log of the proxy"):
    assert not net.proxy.errors(), net.proxy.errors()
tap.finish()
