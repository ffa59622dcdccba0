# SPDX-License-Identifier: GPL-3.0-or-later
"""The example P-CSCF with two nodes of rtpengine-e2ae: which calls notice that one dies, and that none is left."""
import os
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import media
import pcscf
import pcscfcall
import sipua
import tap
from sipua import WAIT, recv

BRANCH = "z9hG4bK-[pid]-[call_number]-invite"

with tap.need("the servers start"):
    net = pcscfcall.Network(nodes=2)
with tap.need("a UE registers with all media, one without"):
    alice = net.ue("open-alice", pcscf.indicated())
    bob = net.ue("open-bob")
    peer = net.peer()


def holder():
    """The node that has a call; exactly one does."""
    holders = [node for node in net.alive() if node.request(command="e2ae list")["calls"]]
    assert len(holders) == 1, [node.name for node in holders]
    return holders[0]


def chat(name="chat"):
    return pcscfcall.Call(net, alice, peer, media.MSRP, name)


with tap.check("calls are spread over both nodes"):
    seen = set()
    for _ in range(4):
        with chat() as call:
            seen.add(holder())
            call.talk()
            call.exchange()
    assert len(seen) == 2, seen

with tap.need("one node dies while the other one has a call"):
    def changing(agent, call):
        return [agent.invite(pcscfcall.target(peer), call.offer), *agent.answered(), WAIT, *agent.again(2, call.offer), WAIT,
                *agent.bye(3)]
    running = pcscfcall.Call(net, alice, peer, media.MSRP, "running", calling=changing,
                             called=lambda agent, call: agent.callee(call.answer, call.answer))
    with running as call:
        survivor = holder()
        victim, = [node for node in net.nodes if node is not survivor]
        victim.crash()
        call.talk()
        call.exchange()
        call.calling.go_on(b"INVITE ")
        call.calling.wait_sdp(b"SIP/2.0 200 ", cseq=2)
        assert holder() is survivor
for number in range(4):
    with tap.check(f"the other node takes new calls, number {number + 1}"):
        with chat() as call:
            assert holder() is survivor
            call.talk()
            call.exchange()

with tap.check("a node that came back is used again"):
    index = net.nodes.index(victim)
    back = pcscfcall.plugin.Plugin(net.upstream.ng_address, ports=victim.port_range, listen=victim.ng_address,
                                   name=f"{victim.name}-again", extra=pcscfcall.msrpside.AGW_OPTIONS)
    net.nodes[index] = back
    net.proxy.rpc("rtpengine.enable", "all", "1")
    seen = set()
    for _ in range(4):
        with chat() as call:
            seen.add(holder())
            call.exchange()
    assert len(seen) == 2, seen

with tap.need("one node is there and says nothing"):
    silent = net.nodes.pop()
    silent.process.send_signal(signal.SIGSTOP)
with tap.check("one call waits for it, and no other does"):
    for _ in range(4):
        with chat() as call:
            call.exchange()
    waits = [line for line in net.proxy.log().splitlines() if "timeout waiting reply for command" in line]
    assert len(waits) == 1, waits
silent.crash()

with tap.check("the last node dies while a call rings: the answer goes on without SDP, and nothing in clear"):
    def picking_up(agent, call):
        return [recv("INVITE", rrs=True, actions=sipua.KEEP_INVITE), agent.reply(180, "Ringing"), WAIT,
                agent.final(200, "OK", call.answer), recv("ACK"), recv("BYE"), agent.ok()]
    call = pcscfcall.Call(net, alice, peer, media.MSRP, "ringing", called=picking_up)
    try:
        call.start()
        call.calling.wait_received(b"SIP/2.0 180 ")
        net.nodes.pop().crash()
        call.called.go_on(b"SIP/2.0 200 ")
        answered = call.calling.wait_received(b"SIP/2.0 200 ")
        head, _, body = answered.partition(b"\r\n\r\n")
        assert not body and b"\r\nContent-Type:" not in head, answered
        call.hang_up()
    finally:
        call.give_up()
with tap.check("a UE without e2ae does not notice: nobody is asked for its calls but rtpengine"):
    log = net.proxy.log()
    for caller, callee in ((bob, peer), (peer, bob)):
        with pcscfcall.Call(net, caller, callee, name="voice") as call:
            call.talk()
    assert "rtpengine" not in net.proxy.log()[len(log):], net.proxy.log()[len(log):]
with tap.check("a UE with e2ae has its voice calls all the same, either way"):
    for caller, callee in ((alice, peer), (peer, alice)):
        with pcscfcall.Call(net, caller, callee, name="voice") as call:
            call.talk()
            assert net.upstream.calls(), "not in rtpengine"
with tap.check("what cannot be protected is not carried in clear: 503, and the other side never hears of it"):
    def unserved(agent, call):
        to = pcscfcall.target(call.callee.agent)
        # A proxy of the core makes 500 of it (RFC 3261, 16.7).
        status = 503 if agent is alice else 500
        return [agent.invite(to, call.offer, branch=BRANCH), recv(100, True), recv(status, actions=[sipua.KEEP_TO]),
                agent.request("ACK", 1, to, routes=False, branch=BRANCH)]
    for caller, callee in ((alice, peer), (peer, alice)):
        call = pcscfcall.Call(net, caller, callee, media.MSRP, "unserved", calling=unserved)
        try:
            call.start()
            assert call.calling.wait() == 0, call.calling.log()
            assert not call.called.received(b"INVITE "), call.called.messages()
            net.idle()
        finally:
            call.give_up()

with tap.check("no errors in the log of the proxy but that one"):
    errors = net.proxy.errors()
    assert len(errors) == 1 and "no media for ringing-" in errors[0], errors
tap.finish()
