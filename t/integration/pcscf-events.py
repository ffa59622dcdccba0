# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of rtpengine-e2ae at the example P-CSCF (WITH_EVENTS): a stream that has failed for good ends its call."""
import os
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import media
import pcscf
import pcscfcall
import procs
import sipua
import tap
from sipua import recv

EVENTS = (procs.address(7), procs.free_port(procs.address(7), socket.SOCK_DGRAM))

with tap.need("the servers start"):
    net = pcscfcall.Network(extra=["--event-sink=udp:%s:%d" % EVENTS, "--max-failures=2"], port=EVENTS[1],
                            settings={"WITH_EVENTS": None, "EVENT_SOURCES": r'"^127\.0\.0\.1$"'})
with tap.need("two UEs register with all media"):
    alice = net.ue("open-alice", pcscf.indicated())
    carol = net.ue("open-carol", pcscf.indicated())
    peer = net.peer()


def intrude(got):
    """Somebody who speaks no TLS at the port that a UE was given."""
    before = net.e2ae.log().count("tls-handshake-failed")
    with socket.create_connection(got.endpoint(1), 5, (procs.address(11), 0)) as stranger:
        stranger.sendall(b"MSRP d93kswow SEND\r\n")
        procs.wait_until(lambda: net.e2ae.log().count("tls-handshake-failed") > before, "the event in the log")


class Failed(pcscfcall.Call):
    """A call that the proxy ends: both ends expect a BYE that neither of them sends."""

    def __init__(self, caller, callee):
        super().__init__(net, caller, callee, media.MSRP, "failed", calling=lambda agent, call: [
            agent.invite(pcscfcall.target(callee), call.offer), *agent.answered(), recv("BYE"), agent.ok()])

    def hang_up(self):
        assert (self.calling.wait(), self.called.wait()) == (0, 0), self.calling.log() + self.called.log()


with tap.check("CTL-05: an event that is not final ends nothing: a stranger at the port of a UE"):
    with pcscfcall.Call(net, alice, peer, media.MSRP, "stranger") as call:
        intrude(call.at_caller)
        call.talk()
        call.exchange()
for caller, callee, at, way in ((alice, peer, "at_caller", "from a UE"), (peer, alice, "at_callee", "to a UE"),
                                (alice, carol, "at_caller", "between UEs, of the caller"),
                                (alice, carol, "at_callee", "between UEs, of the callee")):
    with tap.check(f"CTL-05 CTL-06: a stream of a call {way}, has failed for good: BYE to both, and nothing is left"):
        with Failed(caller, callee) as call:
            call.talk()
            intrude(getattr(call, at))
            intrude(getattr(call, at))
with tap.check("an event from elsewhere ends nothing"):
    with pcscfcall.Call(net, alice, peer, media.MSRP, "forged") as call:
        tags = [f"{party.agent.contact_user}-1" for party in (call.caller, call.callee)]
        forged = ('{"event": "accept-timeout", "call-id": "%s;o1", "access-tag": "%s", "core-tag": "%s", "index": 2, "leg": '
                  '"access", "reason": "", "final": true, "time": 1}' % (call.call_id, *tags)).encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for source, target in ((procs.address(11), EVENTS), ("127.0.0.1", net.proxy.address)):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                    sock.bind((source, 0))
                    sock.sendto(forged, target)
                    port = sock.getsockname()[1]
                procs.wait_until(lambda: f"no event is taken from {source}:{port}" in net.proxy.log(), "the warning")
        call.exchange()

with tap.check("no errors in the log of the proxy"):
    assert not net.proxy.errors(), net.proxy.errors()
tap.finish()
