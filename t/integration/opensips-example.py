# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of examples/opensips/opensips.cfg as two versions of OpenSIPS send them (t/lib/opensips.py), with the real
program and rtpengine: originating, terminating, re-offers, an INVITE without SDP, a fork, a call without e2ae."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import msrpside
import opensips
import plugin
import procs
import rtpengine
import sdp
import tap

EXAMPLE = os.path.join(procs.SOURCE_DIR, "examples", "opensips", "opensips.cfg")
VERSIONS = ((3, 4), (3, 6))
SIZE = 20_000
UE, CORE = procs.address(10), procs.address(9)
OTHER = {"access": "core", "core": "access"}
HOST = {"access": UE, "core": CORE}
with open(EXAMPLE, encoding="utf-8") as file:
    CONFIG = file.read()
COMMANDS = re.findall(r'rtpengine_(offer|answer|delete)\("([^"]*)"', CONFIG)
used = set()


def offer_text(sender, first, media):
    """The one string of the example for that."""
    kind = ("e2ae=originating" if sender == "access" else "e2ae=terminating") if first else None
    found = [text for command, text in COMMANDS if command == "offer" and f"in-iface={sender} " in text + " "
             and (kind in text if kind else "e2ae=" not in text) and ("e2ae-media=" in text) == bool(media)]
    assert len(found) == 1, found
    return found[0]


def only_text(command):
    found = {text for name, text in COMMANDS if name == command}
    assert len(found) == 1, found
    return found.pop()


class Party(msrpside.Party):
    """A strict MSRP endpoint (t/lib/msrp.py) that offers audio as well."""

    def sdp(self):
        return super().sdp() + sdp.lines(f"m=audio {5000 if self.secure else 6000} RTP/AVP 8", "a=rtpmap:8 PCMA/8000")


class Dialog:
    """One pass of a call through the proxy: what the script keeps of it, and the two sides."""

    def __init__(self, version, half, name, media="msrp-tls", branch="5f3c09a1b2d4", client=None):
        self.version, self.media, self.client = version, media, client or e2ae.client
        self.call_id, self.caller, self.callee = f"{name}-{version[1]}@test.invalid", "caller", None
        self.values = {"$ci": self.call_id, "$avp(half)": half, "$avp(set)": "1" if media else "0",
                       "$avp(branch)": branch, "$avp(media)": media}
        self.key = f"{self.call_id};{half}{self.values['$avp(set)']}.{branch}"
        self.first = bool(media)
        self.sides = {"access": Party(UE, True, "active"), "core": Party(CORE, False, "passive" if half == "o" else "actpass")}

    def _text(self, text):
        used.add(text)
        for name, value in self.values.items():
            text = text.replace(name, value)
        assert "$" not in text, text
        return text

    def _send(self, command, text, sender, kind, own, body):
        # A request has the tag of its sender in From, and the reply to it is the other way round.
        message = opensips.Message(kind, self.call_id, own, self.callee if own == self.caller else self.caller, HOST[sender])
        return opensips.send(self.client, self.version, command, self._text(text), message, body)

    def offer(self, sender, from_tag, media=True, kind="request", body=None):
        text = offer_text(sender, self.first, self.media if self.first or (media and sender == "access") else "")
        self._pass_on("offer", text, sender, kind, from_tag, body)
        self.first = False
        self.sides[sender].offered, self.sides[OTHER[sender]].offered = True, False

    def _pass_on(self, command, text, sender, kind, from_tag, body):
        reply = self._send(command, text, sender, kind, from_tag, body or self.sides[sender].sdp())
        assert reply.get("result") == "ok", reply
        self.sides[OTHER[sender]].got = sdp.Sdp(reply["sdp"])

    def answer(self, sender, from_tag, kind="reply", body=None):
        self._pass_on("answer", only_text("answer"), sender, kind, from_tag, body)

    def delete(self, sender, from_tag):
        reply = self._send("delete", only_text("delete"), sender, "request", from_tag, None)
        assert reply.get("result") == "ok" and "warning" not in reply, reply

    def seen(self, side):
        return self.sides[side].got

    def exchange(self):
        """The UE connects, both ends are verified, and a message goes each way."""
        ends = list(self.sides.values())
        for party in ends:
            party.make_endpoint()
            if not party.is_active():
                party.endpoint.listen(party.host, listener=party.listener)
        for party in ends:
            if party.is_active():
                party.endpoint.connect(*party.target(), source=(party.host, 0))
        for party in ends:
            party.endpoint.wait_bound()
            party.endpoint.wait_done(party.endpoint.send(b"x" * SIZE))
        for party in ends:
            party.endpoint.wait_message()
            assert party.endpoint.faults == party.endpoint.refusals == [], party.endpoint.faults

    def close(self):
        for party in self.sides.values():
            if party.endpoint:
                party.endpoint.close()
            party.listener.close()


def secured(text, host):
    line = text.media[0]
    assert line.proto == "TCP/TLS/MSRP" and line.port > 0 and text.address(0) == host, text.text
    assert line.values("fingerprint") and text.media[1].port > 0, text.text


def plain(text, host):
    line = text.media[0]
    assert line.proto == "TCP/MSRP" and line.port > 0 and text.address(0) == host, text.text
    assert not line.values("fingerprint") and not line.values("3ge2ae") and text.media[1].port > 0, text.text


def gone(key):
    return key not in e2ae.request(command="e2ae list", limit="100")["calls"] and key not in upstream.calls()


def originating(version):
    call = Dialog(version, "o", "originating")
    with tap.need(f"OpenSIPS {version[0]}.{version[1]}: ORG-03: a UE calls: plain to the core, TLS to the UE"):
        call.offer("access", "caller")
        plain(call.seen("core"), e2ae.core)
        call.callee = "callee"
        # The reply has the caller in From.
        call.answer("core", "caller")
        secured(call.seen("access"), e2ae.access)
    with tap.check("the UE is verified and served"):
        call.exchange()
    with tap.check("TRK-08: a re-INVITE of the core and an UPDATE of the UE change nothing"):
        before = call.seen("access").endpoint(0)
        call.offer("core", "callee")
        call.answer("access", "callee")
        call.offer("access", "caller")
        call.answer("core", "caller")
        call.offer("access", "caller", media=False)
        call.answer("core", "caller")
        assert call.seen("access").endpoint(0) == before
    with tap.check("BYE of the callee: nothing is left, here and in rtpengine"):
        assert call.key in upstream.calls()
        call.delete("core", "callee")
        call.close()
        procs.wait_until(lambda: gone(call.key), "the call to be gone", 10)


def terminating(version):
    call = Dialog(version, "t", "terminating")
    with tap.need("TRM-05: the core calls: TLS is offered to the UE, plain comes to the core"):
        call.offer("core", "caller")
        secured(call.seen("access"), e2ae.access)
        call.callee = "callee"
        call.answer("access", "caller")
        plain(call.seen("core"), e2ae.core)
    with tap.check("the UE is verified and served"):
        call.exchange()
        call.delete("core", "caller")
        call.close()
        procs.wait_until(lambda: gone(call.key), "the call to be gone", 10)


def offerless(version):
    call = Dialog(version, "o", "offerless")
    with tap.check("an INVITE of a UE without SDP: the offer is in the 200, the answer in the ACK"):
        call.callee = "callee"
        call.offer("core", "caller", kind="reply")
        secured(call.seen("access"), e2ae.access)
        call.answer("access", "caller", kind="request")
        plain(call.seen("core"), e2ae.core)
        call.exchange()
        call.delete("access", "caller")
        call.close()
        procs.wait_until(lambda: gone(call.key), "the call to be gone", 10)


def fork(version):
    """Two INVITEs with one Call-ID to two phones; one refuses, which is a delete, and the other one answers."""
    left = Dialog(version, "t", "fork", branch="aaaaaaaaaaaa")
    right = Dialog(version, "t", "fork", branch="bbbbbbbbbbbb")
    with tap.check("two branches of a fork have ports of their own, and the end of one leaves the other"):
        for branch in (left, right):
            branch.offer("core", "caller")
            secured(branch.seen("access"), e2ae.access)
        assert left.seen("access").endpoint(0) != right.seen("access").endpoint(0)
        left.delete("core", "caller")
        left.close()
        procs.wait_until(lambda: gone(left.key), "the first branch to be gone", 10)
        right.callee = "callee"
        right.answer("access", "caller")
        right.exchange()
        right.delete("access", "callee")
        right.close()
        procs.wait_until(lambda: gone(right.key), "the second branch to be gone", 10)


def without(version):
    """The same commands for a call without e2ae, which the script sends straight to rtpengine."""
    call = Dialog(version, "o", "plain", media="", client=upstream.client)
    with tap.check("a call without e2ae needs nothing but rtpengine, which understands every key"):
        body = sdp.lines("v=0", f"o=- 1 1 IN IP4 {UE}", "s=-", f"c=IN IP4 {UE}", "t=0 0", "m=audio 5000 RTP/AVP 8")
        call.offer("access", "caller", body=body)
        call.callee = "callee"
        call.answer("core", "caller", body=body.replace(UE, CORE))
        assert call.seen("core").address(0) == procs.address(2), call.seen("core").text
        call.delete("access", "caller")
        call.close()
        unknown = [line for line in upstream.log().splitlines() if "Unknown" in line and call.key in line]
        assert not unknown, unknown


def tags(version):
    message = opensips.Message("request", "x", "f", "t", UE)
    got = opensips.encode(version, "delete", "call-id=x via-branch-param=b", message)
    want = {"call-id": "x", "via-branch": "b", "received-from": ["IP4", UE], "command": "delete"}
    if version < (3, 6):
        want["from-tag"] = "f"
    tap.equal(got, want, "a delete has the tags that this version sends")


with tap.need("the program and rtpengine start"):
    upstream = rtpengine.Rtpengine()
    e2ae = plugin.Plugin(upstream.ng_address, extra=msrpside.AGW_OPTIONS)
with tap.need("the example has commands"):
    assert {command for command, _ in COMMANDS} == {"offer", "answer", "delete"}
for tested in VERSIONS:
    originating(tested)
    terminating(tested)
    offerless(tested)
    fork(tested)
    without(tested)
    tags(tested)
tap.equal({text for _, text in COMMANDS}, used, "every command of the example was tried")
with tap.check("no key of ours came to rtpengine"):
    strange = [line for line in upstream.log().splitlines() if "nknown" in line and "e2ae" in line]
    assert not strange, strange
tap.finish()
