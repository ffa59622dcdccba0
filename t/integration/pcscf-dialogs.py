# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens in a dialog through the example P-CSCF: early media, offers in replies, changes, and every end."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import interop
import media
import pcscf
import pcscfcall
import sdp
import sipua
import tap

interop.whole("Kamailio", "P-CSCF: within dialogs (examples/kamailio)")
from sipua import WAIT, recv

RELIABLE = ["Require: 100rel", "RSeq: 71"]
PROGRESS = recv(183, rrs=True, actions=[sipua.KEEP_TO, sipua.KEEP_RSEQ])

with tap.need("the servers start"):
    net = pcscfcall.Network()
with tap.need("a UE registers with all media, one without"):
    alice = net.ue("open-alice", pcscf.indicated())
    bob = net.ue("open-bob")
    peer = net.peer()
BOTH_WAYS = ((alice, peer, "from the UE"), (peer, alice, "to the UE"))


class Early(pcscfcall.Call):
    """183 with SDP and PRACK; the 200 comes when the test lets it. In an offerless call the 183 offers."""

    def __init__(self, caller, callee, medium, name, offerless=False):
        def calling(agent, call):
            body, back = (None, call.offer) if offerless else (call.offer, None)
            return [agent.invite(pcscfcall.target(callee), body, ["Supported: 100rel"]), recv(100, True), PROGRESS,
                    agent.prack(2, back), recv(200), recv(200), agent.request("ACK", 1), WAIT, *agent.bye(3)]

        def called(agent, call):
            return [recv("INVITE", rrs=True, actions=sipua.KEEP_INVITE),
                    agent.reply(183, "Session Progress", call.answer, RELIABLE), recv("PRACK"), agent.ok(), WAIT,
                    agent.final(200, "OK"), recv("ACK"), recv("BYE"), agent.ok()]
        super().__init__(net, caller, callee, medium, name, calling=calling, called=called, offerless=offerless)

    def set_up(self):
        self.start()
        if self.caller.offering:
            self.at_callee = sdp.Sdp(self.called.wait_sdp(b"INVITE "))
            self.at_caller = sdp.Sdp(self.calling.wait_sdp(b"SIP/2.0 183 "))
        else:
            self.at_caller = sdp.Sdp(self.calling.wait_sdp(b"SIP/2.0 183 "))
            self.at_callee = sdp.Sdp(self.called.wait_sdp(b"PRACK "))
        self.calling.wait_received(b"SIP/2.0 200 ")
        return self

    def pick_up(self):
        self.called.go_on(b"SIP/2.0 200 ")
        self.called.wait_received(b"ACK ")


for caller, callee, way in BOTH_WAYS:
    with tap.check(f"183 with SDP and PRACK, {way}: media flow before the 200, and after it"):
        with Early(caller, callee, media.MSRP, "early") as call:
            call.talk()
            call.exchange()
            call.pick_up()
            call.talk()
    with tap.check(f"no SDP in the INVITE, the offer in a reliable 183, the answer in PRACK, {way}"):
        with Early(caller, callee, media.BFCP, "early-offerless", True) as call:
            call.talk()
            call.exchange()
            call.pick_up()
            call.talk()


class Offerless(pcscfcall.Call):
    """The offer in the 200, the answer in the ACK."""

    def __init__(self, caller, callee, medium, name):
        super().__init__(net, caller, callee, medium, name, offerless=True, calling=lambda agent, call: agent.caller(
            pcscfcall.target(callee), None, call.offer))

    def set_up(self):
        self.start()
        self.at_caller = sdp.Sdp(self.calling.wait_sdp(b"SIP/2.0 200 "))
        self.at_callee = sdp.Sdp(self.called.wait_sdp(b"ACK "))
        return self


for medium in media.ALL:
    for caller, callee, way in BOTH_WAYS:
        with tap.check(f"{medium.name}: no SDP in the INVITE, the offer in the 200, the answer in the ACK, {way}"):
            with Offerless(caller, callee, medium, f"offerless-{medium.name}") as call:
                at_ue, at_core = (call.at_caller, call.at_callee) if caller is alice else (call.at_callee, call.at_caller)
                pcscfcall.check_protected(at_ue, 1, medium, net, "applied" if caller is alice else None)
                pcscfcall.check_plain(at_core, 1, medium, net)
                call.talk()
                call.exchange()

# ---- changes in a call that is up


for caller, callee, way in BOTH_WAYS:
    for by_callee in (False, True):
        who = "the callee" if by_callee else "the caller"
        with tap.check(f"TRK-19: a voice call {way} becomes a fax by a re-INVITE of {who}, DTLS for the UE, then voice"):
            ends = [pcscfcall.end_of(agent, media.T38, seed, (agent is callee) == by_callee)
                    for seed, agent in ((1, caller), (2, callee))]
            with pcscfcall.Switched(net, caller, callee, [end.section() for end in ends], by_callee) as call:
                call.talk()
                call.change()
                call.caller.end, call.callee.end = ends
                at_ue, at_core = (call.at_caller, call.at_callee) if caller is alice else (call.at_callee, call.at_caller)
                offered = "applied" if (callee is alice) != by_callee else None
                pcscfcall.check_protected(at_ue, 0, media.T38, net, offered)
                pcscfcall.check_plain(at_core, 0, media.T38, net)
                call.exchange()
                call.change()
                call.talk()

with tap.check("UPDATE of either side changes the voice and leaves the chat as it is"):
    def updating(agent, call):
        return [agent.invite(pcscfcall.target(peer), call.offer), *agent.answered(), WAIT,
                agent.request("UPDATE", 2, body=call.held), recv(200), recv("UPDATE"),
                agent.ok(call.offer.replace("actpass", "active")), WAIT,
                *agent.bye(3)]

    def updated(agent, call):
        return [recv("INVITE", rrs=True, actions=[sipua.KEEP_FROM]), agent.reply(200, "OK", call.answer), recv("ACK"),
                recv("UPDATE"), agent.ok(call.answer), WAIT, agent.back("UPDATE", 5, call.answer), recv(200), recv("BYE"),
                agent.ok()]
    call = pcscfcall.Call(net, alice, peer, media.MSRP, "update", calling=updating, called=updated)
    call.held = call.offer.replace("a=sendrecv", "a=sendonly")
    with call:
        before = call.at_caller.endpoint(1), call.at_callee.endpoint(1)
        call.exchange()
        call.calling.go_on(b"UPDATE ")
        held = sdp.Sdp(call.called.wait_sdp(b"UPDATE "))
        assert held.media[0].has("sendonly") and held.endpoint(1) == before[1], str(held)
        call.calling.wait_sdp(b"SIP/2.0 200 ", cseq=2)  # the proxy may hand on what follows it at once before it
        call.called.go_on(b"UPDATE ")
        back = sdp.Sdp(call.calling.wait_sdp(b"UPDATE "))
        assert back.media[0].has("sendrecv") and back.endpoint(1) == before[0], str(back)
        pcscfcall.check_protected(back, 1, media.MSRP, net, "applied")
        answered = sdp.Sdp(call.called.wait_sdp(b"SIP/2.0 200 "))
        pcscfcall.check_kept_plain(answered, 1, media.MSRP)
        for end in (call.caller.end, call.callee.end):
            end.party.endpoint.wait_done(end.party.endpoint.send(b"still here"))

with tap.check("a re-INVITE without SDP: the core offers in its 200, the UE answers in its ACK, and the chat goes on"):
    def asking(agent, call):
        return [agent.invite(pcscfcall.target(peer), call.offer), *agent.answered(), WAIT, agent.request("INVITE", 2),
                recv(100, True), recv(200), agent.request("ACK", 2, body=call.offer.replace("actpass", "active")), WAIT,
                *agent.bye(3)]
    call = pcscfcall.Call(net, alice, peer, media.MSRP, "asked", calling=asking,
                          called=lambda agent, call: agent.callee(call.answer, call.answer.replace("passive", "actpass")))
    with call:
        before = call.at_caller.endpoint(1)
        call.exchange()
        call.calling.go_on(b"INVITE ")
        again = sdp.Sdp(call.calling.wait_sdp(b"SIP/2.0 200 ", cseq=2))
        assert again.endpoint(1) == before, str(again)
        pcscfcall.check_protected(again, 1, media.MSRP, net, "applied")
        acknowledged = sdp.Sdp(call.called.wait_sdp(b"ACK "))
        pcscfcall.check_kept_plain(acknowledged, 1, media.MSRP)
        for end in (call.caller.end, call.callee.end):
            end.party.endpoint.wait_done(end.party.endpoint.send(b"still here"))
        call.talk()

# ---- ends
BRANCH = "z9hG4bK-[pid]-[call_number]-invite"


class Failing(pcscfcall.Call):
    """A call that comes to nothing."""

    def __init__(self, caller, callee, name, calling, called):
        super().__init__(net, caller, callee, media.MSRP, name, calling=calling, called=called)

    def run(self):
        """Both scenarios to their end; nothing is left."""
        try:
            self.start()
            self.called.wait_received(b"INVITE ")
            self.go_on()
            assert (self.calling.wait(), self.called.wait()) == (0, 0), self.calling.log() + self.called.log()
            net.idle()
        finally:
            self.give_up()

    def go_on(self):
        assert net.e2ae.sockets(), "no ports reserved"


class Refused(Failing):
    def go_on(self):
        super().go_on()
        self.called.go_on(b"SIP/2.0 486 ")


class Cancelled(Failing):
    def go_on(self):
        super().go_on()
        self.calling.wait_received(b"SIP/2.0 180 ")
        self.calling.go_on(b"CANCEL ")


def cancelling(agent, call):
    to = pcscfcall.target(call.callee.agent)
    return [agent.invite(to, call.offer, branch=BRANCH), recv(100, True), recv(180), WAIT,
            agent.request("CANCEL", 1, to, f" <{to}>", False, branch=BRANCH), recv(200),
            recv(487, actions=[sipua.KEEP_TO]), agent.request("ACK", 1, to, routes=False, branch=BRANCH)]


def cancelled(agent, call):
    return [recv("INVITE", actions=sipua.KEEP_INVITE), agent.reply(180, "Ringing"), recv("CANCEL"), agent.ok(),
            agent.final(487, "Request Terminated"), recv("ACK")]


def refused(agent, call):
    to = pcscfcall.target(call.callee.agent)
    return [agent.invite(to, call.offer, branch=BRANCH), recv(100, True), recv(486, actions=[sipua.KEEP_TO]),
            agent.request("ACK", 1, to, routes=False, branch=BRANCH)]


def refusing(agent, call):
    return [recv("INVITE", actions=sipua.KEEP_INVITE), WAIT, agent.final(486, "Busy Here"), recv("ACK")]


for caller, callee, way in BOTH_WAYS:
    with tap.check(f"CANCEL of a call {way} frees its ports"):
        Cancelled(caller, callee, "cancel", cancelling, cancelled).run()
    with tap.check(f"a call {way} that is refused frees its ports"):
        Refused(caller, callee, "busy", refused, refusing).run()

with tap.check("BYE of the callee ends the call"):
    def waiting(agent, call):
        return [agent.invite(pcscfcall.target(peer), call.offer), *agent.answered(), recv("BYE"), agent.ok()]

    def hanging_up(agent, call):
        return [recv("INVITE", rrs=True, actions=[sipua.KEEP_FROM]), agent.reply(200, "OK", call.answer), recv("ACK"), WAIT,
                agent.back("BYE", 9), recv(200)]
    call = pcscfcall.Call(net, alice, peer, media.MSRP, "bye-of-callee", calling=waiting, called=hanging_up)
    with call:
        call.exchange()
        call.hang_up = lambda: (call.called.go_on(), call.called.wait(), call.calling.wait())
    assert (call.calling.process.returncode, call.called.process.returncode) == (0, 0)

with tap.check("a re-INVITE that is refused leaves the call as it was"):
    def trying(agent, call):
        return [agent.invite(pcscfcall.target(peer), call.offer), *agent.answered(), WAIT,
                agent.request("INVITE", 2, body=call.offer, branch=BRANCH), recv(100, True), recv(488),
                agent.request("ACK", 2, branch=BRANCH), WAIT, *agent.bye(3)]

    def objecting(agent, call):
        return [recv("INVITE", rrs=True), agent.reply(200, "OK", call.answer), recv("ACK"), recv("INVITE"),
                agent.reply(488, "Not Acceptable Here", tag=False), recv("ACK"), recv("BYE"), agent.ok()]
    with pcscfcall.Call(net, alice, peer, media.MSRP, "objected", calling=trying, called=objecting) as call:
        call.calling.go_on(b"INVITE ")
        call.calling.wait_received(b"SIP/2.0 488 ")
        call.talk()
        call.exchange()

with tap.check("a Call-ID that would smuggle keys into our requests is refused"):
    def smuggling(agent, call):
        to = pcscfcall.target(peer)
        return [agent.invite(to, call.offer, branch=BRANCH), recv(400, actions=[sipua.KEEP_TO])]
    before = net.asked()
    call = pcscfcall.Call(net, alice, peer, media.MSRP, calling=smuggling)
    call.call_id = "smuggled e2ae=off"
    try:
        call.start()
        assert call.calling.wait() == 0, call.calling.log()
        assert not call.called.received(b"INVITE ") and net.asked() == before, call.called.messages()
    finally:
        call.give_up()

# ---- without a registration, and what nobody may say

with tap.check("SIG-09: a UE that has indicated nothing and asks in its offer gets what it asks for"):
    with pcscfcall.Call(net, bob, peer, media.MSRP, "asks") as call:
        pcscfcall.check_plain(call.at_callee, 1, media.MSRP, net)
        pcscfcall.check_protected(call.at_caller, 1, media.MSRP, net)
        call.exchange()
with tap.check("ORG-17: without a fingerprint there is nothing left to offer: 488, and the core never hears of it"):
    def hopeless(agent, call):
        to = pcscfcall.target(peer)
        lines = [line for line in call.offer.split("\r\n") if "fingerprint" not in line]
        return [agent.invite(to, "\r\n".join(lines), branch=BRANCH), recv(100, True), recv(488, actions=[sipua.KEEP_TO]),
                agent.request("ACK", 1, to, routes=False, branch=BRANCH)]
    call = pcscfcall.Call(net, alice, peer, media.MSRP, "hopeless", voice=False, calling=hopeless)
    try:
        call.start()
        assert call.calling.wait() == 0, call.calling.log()
        assert not call.called.received(b"INVITE "), call.called.messages()
        net.idle()
    finally:
        call.give_up()
for who, promise in ((bob, "a UE without e2ae"), (alice, "a UE with e2ae")):
    with tap.check(f"IND-03: {promise} does not see what the core says of e2ae"):
        voice = pcscfcall.Call(net, peer, who, name="claim")
        claim = "a=3ge2ae:applied\r\n"
        voice.offer += claim
        with voice as call:
            assert "3ge2ae" not in call.at_callee.text, str(call.at_callee)
            call.talk()
        voice = pcscfcall.Call(net, who, peer, name="claim-in-answer")
        voice.answer += claim
        with voice as call:
            assert "3ge2ae" not in call.at_caller.text, str(call.at_caller)
            call.talk()

with tap.check("no errors in the log of the proxy"):
    assert not net.proxy.errors(), net.proxy.errors()
tap.finish()
