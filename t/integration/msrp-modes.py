# SPDX-License-Identifier: GPL-3.0-or-later
"""MSRP through the program in each path mode, with endpoints at both ends that compare whole URIs (RFC 4975 6.1)."""
import os
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import events
import msrp
import msrpside
import plugin
import procs
import tap

BIG, SMALL = 100_000_000, 2_000_000
CHUNK = 2048
FLOW = 2_000_000
OLD, NEW = dict(cema=False), dict(cema=True)
sink = events.Sink()
v6_ports = procs.slot() * 100 + 10000

with tap.need("the programs start, one with IPv6 at both sides, one only towards the UE"):
    options = [sink.option()] + msrpside.AGW_OPTIONS
    e2ae = plugin.Plugin(None, extra=options)
    both_v6 = plugin.Plugin(None, access="::1", core="::1", ports=(v6_ports, v6_ports + 49), extra=options,
                            listen=(procs.address(4), procs.free_port(procs.address(4), socket.SOCK_DGRAM)))
    ue_v6 = plugin.Plugin(None, access="::1", ports=(v6_ports + 50, v6_ports + 99), extra=options,
                          listen=(procs.address(4), procs.free_port(procs.address(4), socket.SOCK_DGRAM)))


def swapped(uri):
    """The same with the other scheme."""
    return "msrp" + uri[5:] if uri.startswith("msrps") else "msrps" + uri[4:]


def agw_uri(party, other):
    """What @party has to see of @other in aware mode: our place in its own SDP, its scheme, the other's session-id."""
    host, port = party.got.endpoint(0)
    scheme, session = "msrps" if party.secure else "msrp", other.uri.rpartition("/")[2]
    return f"{scheme}://{procs.place(host, port)}/{session}"


def check_paths(name, call, mode, keep):
    """a=path and a=msrp-cema as both ends got them."""
    for party, other in ((call.ue, call.core), (call.core, call.ue)):
        side = "UE" if party.secure else "core"
        if mode == "aware":
            with tap.check(f"{name}: TRK-02 CEM-03 MSR-02 TRK-04: the {side}'s path is ours, as c= and m= are; no CEMA"):
                assert party.path() == agw_uri(party, other), party.got
                assert not party.got.media[0].has("msrp-cema"), party.got
                assert (party.agw_setup() == "active") == (party.got.media[0].port == 9), party.got
        else:
            want = other.uri if keep else swapped(other.uri)
            how = "as it was" if keep else "its scheme swapped"
            with tap.check(f"{name}: TRK-01 CEM-02: the {side}'s path is the peer's, {how}"):
                assert party.path() == want, party.got
                assert party.got.media[0].has("msrp-cema") == other.cema, party.got
                assert party.got.endpoint(0) != msrpside.uri_place(other.uri), party.got


def talk(name, call):
    """Both ways: an answered SEND, chunks with a report."""
    for sender, receiver in ((call.ue.endpoint, call.core.endpoint), (call.core.endpoint, call.ue.endpoint)):
        way = "to the core" if sender is call.ue.endpoint else "to the UE"
        with tap.check(f"{name}: MSR-08: {way}: SEND and its 200, chunks and their report"):
            sender.wait_done(sender.send(b"Hi, I'm here!", content_type="message/cpim"))
            first = receiver.wait_message(1)
            assert (first.data, first.content_type) == (b"Hi, I'm here!", "message/cpim"), first.data
            pattern = msrp.Pattern(100_000)
            sent = sender.send(pattern, chunk=CHUNK, success_report=True)
            sender.wait_done(sent)
            message = receiver.wait_message(2)
            assert (message.size, message.digest(), message.flag) == (pattern.size, pattern.digest(), "$")
            assert message.chunks == len(sent[1]) == 49 and message.message_id == sent[0], message.chunks
            assert sender.wait_report(sent[0]).get("Byte-Range") == "1-100000/100000"
            sender.wait_done(sender.send(b"no more", give_up=True))
            assert receiver.wait_message(3).flag == "#"


def traps(name, call, size):
    """Both ways at once: one frame of @size bytes full of look-alikes of its own end-line."""
    with tap.check(f"{name}: MSR-07: {size // 1_000_000} MB with look-alike end-lines, both ways at once"):
        tids = msrp.ident(), msrp.ident()
        patterns = [msrp.Pattern(size, tid) for tid in tids]
        ends = [call.ue.endpoint, call.core.endpoint]
        sent = [None, None]

        def work(index):
            sent[index] = ends[index].send(patterns[index], tid=tids[index], content_type="application/octet-stream",
                                           success_report=True)
        threads = [threading.Thread(target=work, args=(index,), daemon=True) for index in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for index in (0, 1):
            ends[index].wait_done(sent[index])
            ends[index].wait_report(sent[index][0])
            message = ends[1 - index].messages[-1]
            assert (message.size, message.digest(), message.chunks) == (size, patterns[index].digest(), 1), message.size


def session(name, mode, size=SMALL, keep=False, **options):
    """A whole session, from offer to delete."""
    call = msrpside.Call(options.pop("program", e2ae), name, **options)
    with tap.check(f"{name}: CEM-10: the mode is {mode}"):
        call.set_up()
        assert call.stream()["treatment"] == "e2ae" and call.mode() == mode, call.stream()
    if not call.core.endpoint:
        return
    check_paths(name, call, mode, keep)
    with tap.check(f"{name}: MSR-05 RFC 4975 5.4: both ends are bound"):
        call.connect()
    talk(name, call)
    traps(name, call, size)
    with tap.check(f"{name}: TRK-23: an orderly end, nobody had to complain, one event for it"):
        assert call.faults() == [], call.faults()
        call.close()
        assert "closed by the peer" in sink.wait(name, "bearer-released")["reason"]
        assert sink.of(name) == ["tls-established", "bearer-released"], sink.of(name)
    call.delete()


# ---- every mode, called and calling

session("swap-orig", "transparent")
session("swap-term", "transparent", side="terminating")
session("swap-term-ue-passive", "transparent", side="terminating", ue=dict(setup="passive"), core=dict(setup="active"))
session("keep-orig", "transparent", keep=True, **{"e2ae-path-scheme": "keep"})
session("keep-term", "transparent", keep=True, side="terminating", **{"e2ae-path-scheme": "keep"})
session("aware-orig", "aware", ue=OLD, core=OLD, size=BIG)
session("aware-term", "aware", side="terminating", ue=OLD, core=OLD)
session("aware-term-ue-passive", "aware", side="terminating", ue=dict(OLD, setup="passive"), core=dict(OLD, setup="active"))
session("aware-forced", "aware", **{"e2ae-path": "aware"})
session("transparent-forced", "transparent", **{"e2ae-path": "transparent"})

# ---- who has CEMA

# The offerer lacks it: aware, whatever the answerer would be capable of.
session("auto-offerer-without", "aware", ue=OLD)
# Offered, not answered: our place in the roles makes everybody connect to us (TRK-03).
with tap.check("TRK-03: CEMA offered, answered without: transparent, and who answered passive is connected to"):
    call = msrpside.Call(e2ae, "answerer-without", core=OLD)
    call.set_up()
    assert call.mode() == "transparent" and not call.stream().get("reason"), call.stream()
    call.connect()
    call.ue.endpoint.wait_done(call.ue.endpoint.send(b"hello"))
    assert call.faults() == [], call.faults()
    call.delete()
with tap.check("TRK-03: who has no CEMA and answers active would connect past us: the reply says so"):
    call = msrpside.Call(e2ae, "answerer-active", core=dict(cema=False, setup="active"))
    call.set_up()
    assert "CEMA" in call.stream().get("reason", ""), call.stream()
    assert msrpside.uri_place(call.core.path()) == msrpside.uri_place(call.ue.uri), call.core.got
    call.delete()

# ---- RCS and older peers

RCS = dict(setup="active", lines=["a=connection:new"])
session("RCS-07-cema", "transparent", ue=dict(RCS, cema=True))
session("RCS-07-plain", "aware", ue=dict(RCS, cema=False))
session("RCS-07-called-cema", "transparent", side="terminating", ue=dict(RCS, cema=True))
session("RCS-07-called-plain", "aware", side="terminating", ue=dict(RCS, cema=False), core=OLD)
SESSMATCH = dict(cema=False, lines=["a=msrp-acceptsessmatch"], by_session_id=True)
session("CEM-08-ue", "aware", ue=SESSMATCH, core=OLD)
session("CEM-08-core", "aware", ue=OLD, core=SESSMATCH)

# ---- IPv6

session("v6-swap", "transparent", ue=dict(host="::1"), core=dict(host="::1"), program=both_v6)
session("v6-aware", "aware", ue=dict(host="::1", cema=False), core=dict(host="::1", cema=False), program=both_v6)
session("v6-v4-aware", "aware", ue=dict(host="::1", cema=False), core=OLD, program=ue_v6)
session("v4-v6-aware", "aware", side="terminating", ue=dict(host="::1", cema=False), core=OLD, program=ue_v6)

# ---- frames that do not belong here

call = msrpside.Call(e2ae, "stranger", ue=OLD, core=OLD)
with tap.need("a session in aware mode"):
    call.set_up()
    call.connect()
for party, other in ((call.ue, call.core), (call.core, call.ue)):
    side = "UE" if party.secure else "core"
    sender, receiver = party.endpoint, other.endpoint
    for what, uris in (("session-id", dict(to=party.path().replace(";tcp", "x;tcp"))),
                       ("scheme", dict(to=swapped(party.path()))),
                       ("real URI of the other end", dict(to=other.uri)),
                       ("From-Path", dict(sender=party.uri.replace(";tcp", "x;tcp")))):
        with tap.check(f"MSR-04 MSR-05: from the {side}, another {what}: 481, and nothing on the other leg"):
            empty = receiver.empty_sends
            assert sender.wait_status(sender.send_empty(**uris)) == 481
            sender.wait_done(sender.send(b"still here"))
            assert receiver.refusals == [] and receiver.empty_sends == empty, receiver.refusals
            sender.faults = [fault for fault in sender.faults if "x;tcp" not in fault]  # the 481 to another From-Path
    with tap.check(f"MSR-05: from the {side}: none where Failure-Report says no, and the session goes on"):
        tid = sender.send_empty(to=swapped(party.path()), headers=("Failure-Report: no",))
        sender.wait_done(sender.send(b"on and on"))
        assert tid not in sender.statuses and receiver.refusals == [], sender.statuses
with tap.check("MSR-05 TRK-05: a second connection for the session gets 506, and the first goes on"):
    ue = call.ue.endpoint
    second = ue.connect(*call.ue.target(), source=(call.ue.host, 0), empty_send=False)
    assert ue.wait_status(ue.send_empty(second)) == 506, ue.statuses
    ue.wait_done(ue.send(b"first"))
with tap.check("MSR-05: nobody had to complain, and the session was not released"):
    assert call.faults() == [], call.faults()
    assert "bearer-released" not in sink.of("stranger"), sink.of("stranger")
call.delete()

HEAD = "MSRP abcd1234 SEND\r\nTo-Path: {to}\r\nFrom-Path: {own}\r\nMessage-ID: 1\r\n"
MALFORMED = {
    "no start line": "GET / HTTP/1.1\r\n\r\n",
    "From-Path first": "MSRP abcd1234 SEND\r\nFrom-Path: {own}\r\nTo-Path: {to}\r\nMessage-ID: 1\r\n-------abcd1234$\r\n",
    "a header without colon": HEAD + "Secret\r\n-------abcd1234$\r\n",
    "a path of no URIs": HEAD.replace("{to}", "sip:x") + "-------abcd1234$\r\n",
    "headers without end": HEAD + "X-Secret: " + "s" * 9000,
}
for mode, cema in (("aware", OLD), ("transparent", NEW)):
    for what, text in MALFORMED.items():
        for side in ("UE", "core"):
            name = f"malformed-{mode}-{side}-{what.replace(' ', '-')}"
            with tap.check(f"MSR-07: {mode}: {what}, from the {side}: closed, one event, nothing of it beyond"):
                call = msrpside.Call(e2ae, name, ue=cema, core=cema)
                call.set_up()
                call.connect()
                bad, other = (call.ue, call.core) if side == "UE" else (call.core, call.ue)
                good = bad.endpoint.send(b"good")
                bad.endpoint.bound.post(text.format(to=bad.path(), own=bad.uri).encode())
                bad.endpoint.wait_ended()
                assert other.endpoint.wait_ended() == "clean", other.endpoint.bound.ended
                assert [message.data for message in other.endpoint.messages] == [b"good"] and good
                assert other.endpoint.faults == other.endpoint.refusals == [], other.endpoint.faults
                released = sink.wait(name, "bearer-released")
                assert released["reason"].startswith("malformed MSRP"), released
                assert released["leg"] == {"UE": "access", "core": "core"}[side], released
                assert sink.of(name) == ["tls-established", "bearer-released"], sink.of(name)
                call.delete()

# ---- roles

with tap.check("COM-10: both ends passive, aware: we connect to both and speak first"):
    call = msrpside.Call(e2ae, "both-passive", ue=dict(setup="passive", cema=False), core=OLD)
    call.set_up()
    assert (call.ue.agw_setup(), call.core.agw_setup()) == ("active", "actpass"), (call.ue.got, call.core.got)
    # The core was offered actpass and chose to wait; the UE was answered "active".
    assert call.ue.got.media[0].port == 9 and call.ue.path().split(":")[2].startswith("9/"), call.ue.got
with tap.check("COM-10: the empty SENDs bind the session, their answers stay with us"):
    call.listen()
    for party in (call.ue, call.core):
        party.endpoint.wait_bound()
        procs.wait_until(lambda: party.endpoint.empty_sends, "the empty SEND")
        assert party.endpoint.empty_sends == 1 and party.endpoint.messages == []
talk("COM-10 both-passive", call)
with tap.check("COM-10: both-passive: nobody had to complain"):
    assert call.faults() == [] and call.ue.endpoint.empty_sends == call.core.endpoint.empty_sends == 1, call.faults()
    call.delete()
with tap.check("COM-10: both ends passive, transparent: the core is not offered to wait; if it does, the line is rejected"):
    call = msrpside.Call(e2ae, "both-passive-cema", ue=dict(setup="passive"))
    call.offer()
    assert call.core.agw_setup() == "passive", call.core.got
    call.answer()
    assert call.stream()["treatment"] == "reject" and call.ue.got.media[0].port == 0, call.stream()
    procs.wait_until(lambda: not e2ae.sockets(), f"no media sockets, there are {e2ae.sockets()}", 10)
    call.delete()

# ---- a re-offer without CEMA, in the middle of two messages


class Flow(threading.Thread):
    """Sends messages in chunks, one after the other, as fast as they are taken, until stop() lets it end the last one."""

    def __init__(self, endpoint):
        super().__init__(daemon=True)
        self.endpoint, self.sent, self.stopping = endpoint, [], threading.Event()
        self.pattern = msrp.Pattern(FLOW)
        self.start()

    def run(self):
        while not self.stopping.is_set():
            self.sent.append(self.endpoint.send(self.pattern, chunk=CHUNK, success_report=True))

    def stop(self):
        assert self.is_alive(), "it ended by itself"
        self.stopping.set()

    def check(self, receiver):
        self.join()
        for sent in self.sent:
            self.endpoint.wait_done(sent)
            self.endpoint.wait_report(sent[0])
            message = next(message for message in receiver.messages if message.message_id == sent[0])
            assert (message.size, message.digest()) == (FLOW, self.pattern.digest()), message.size
            assert message.chunks == len(sent[1]), message.chunks


def flow_on(*endpoints):
    """Until each has got some more."""
    want = [endpoint.received() + 50 * CHUNK for endpoint in endpoints]
    procs.wait_until(lambda: all(endpoint.received() >= more for endpoint, more in zip(endpoints, want)),
                     "more of the messages", 60)


def switch(name, first, then, before, after):
    """A call whose path mode changes from @before to @after by a re-offer of the party called @first."""
    call = msrpside.Call(e2ae, name, ue=dict(cema=before != "aware"), core=dict(cema=before != "aware"))
    with tap.need(f"{name}: a session in mode {before}"):
        call.set_up()
        assert call.mode() == before, call.stream()
        call.connect()
    offerer, answerer = getattr(call, first), getattr(call, then)
    ends = offerer.endpoint, answerer.endpoint
    ports = call.ue.got.endpoint(0), call.core.got.endpoint(0)
    flows = [Flow(end) for end in ends]
    with tap.check(f"{name}: CEM-04 TRK-03 TRK-08: the re-offer makes it {after}, on the same connections"):
        flow_on(*ends)
        offerer.setup = answerer.setup = "actpass"
        offerer.cema = answerer.cema = after != "aware"
        ends[0].renewing = True
        call.offer(offerer)
        ends[1].renew(answerer.path())  # it may use this at once, before its answer has come to us
        ends[1].wait_done(ends[1].send(b"early"))
        flow_on(*ends)
        answerer.setup = "active" if answerer.agw_setup() == "passive" else "passive"
        if answerer.agw_setup() == "actpass":
            answerer.setup = "active" if answerer is call.ue else "passive"
        call.answer(answerer)
        assert call.mode() == after, call.stream()
        ends[0].wait_done(ends[0].send(b"late"))  # the offerer has not seen the answer yet
        ends[0].renew(offerer.path())
        flow_on(*ends)
        assert (call.ue.got.address(0), call.core.got.address(0)) == (ports[0][0], ports[1][0])
    for flow in flows:
        flow.stop()
    with tap.check(f"{name}: MSR-10: not one byte, response or report was lost, and nobody had to complain"):
        flows[0].check(ends[1])
        flows[1].check(ends[0])
        assert call.faults() == [] and [len(end.connections) for end in ends] == [1, 1], call.faults()
    for party, other in ((call.ue, call.core), (call.core, call.ue)):
        side, seen = "UE" if party.secure else "core", party.endpoint.peers_seen
        with tap.check(f"{name}: TRK-02 TRK-03: the {side} got the other path, and saw it in frames"):
            if after == "aware":
                assert msrpside.uri_place(party.path())[0] == party.got.address(0), party.got
            else:
                assert party.path() == swapped(other.uri), party.got
            assert party.got.media[0].has("msrp-cema") == (after != "aware"), party.got
            assert len(seen) == 2 and party.path() in seen, seen
    with tap.check(f"{name}: the session goes on in the new mode"):
        for one, other in (ends, ends[::-1]):
            one.wait_done(one.send(b"after"))
        call.close()
        assert call.faults() == [], call.faults()
    call.delete()


switch("fallback-ue", "ue", "core", "transparent", "aware")
switch("fallback-core", "core", "ue", "transparent", "aware")
switch("back-to-cema", "ue", "core", "aware", "transparent")

# Where frames were not read so far, nobody can begin in the middle: both ends get new places, and move.
with tap.check("CEM-04: unread so far: the re-offer brings new ports, while the old connections go on"):
    call = msrpside.Call(e2ae, "keep-fallback", **{"e2ae-path-scheme": "keep"})
    call.set_up()
    call.connect()
    old, core, place = call.ue.endpoint, call.core.endpoint, call.ue.got.endpoint(0)
    call.ue.cema = call.core.cema = False
    call.offer()
    old.wait_done(old.send(b"after the offer"))
    call.answer()
    assert call.mode() == "aware" and call.ue.got.endpoint(0) != place, call.ue.got
    old.wait_done(old.send(b"after the answer"))
    core.wait_done(core.send(b"the same"))
with tap.check("CEM-04 TRK-13: and once the UE has moved, the old ones end in order"):
    core.renew(call.core.path())
    core.bound = None
    call.ue.make_endpoint()
    moved = call.ue.endpoint
    moved.connect(*call.ue.target(), source=(call.ue.host, 0))
    core.wait_bound()
    for sender, receiver in ((moved, core), (core, moved)):
        sender.wait_done(sender.send(b"moved"))
        assert receiver.messages[-1].data == b"moved"
    assert old.wait_ended() == core.wait_ended(core.connections[0]) == "clean", old.bound.ended
    assert old.faults == [] and call.faults() == [], call.faults()
    old.close()
    call.delete()

tap.finish()
