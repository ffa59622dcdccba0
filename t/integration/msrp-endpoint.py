# SPDX-License-Identifier: GPL-3.0-or-later
"""The MSRP endpoint of the tests against itself, by TCP and by TLS: it must see what other tests rely on it to see."""
import os
import re
import resource
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import msrp
import procs
import tap

ALICE, BOB = procs.address(1), procs.address(2)
BIG = 100_000_000
MEMORY = 64 * 1024  # kB that 100 MB may add to the process


def pair(scheme, tls=(None, None)):
    """Two endpoints that know each other; bob listens."""
    bob_port = procs.free_port(BOB)
    alice_uri = f"{scheme}://{ALICE}:2855/{msrp.ident()};tcp"
    bob_uri = f"{scheme}://{BOB}:{bob_port}/{msrp.ident()};tcp"
    alice, bob = msrp.Endpoint(alice_uri, bob_uri, tls[0]), msrp.Endpoint(bob_uri, alice_uri, tls[1])
    bob.listen(BOB, bob_port)
    return alice, bob, (BOB, bob_port)


def exchange(name, alice, bob, address):
    """What works on a good session."""
    with tap.need(f"{name}: RFC 4975 5.4: the active end binds the session with an empty SEND"):
        connection = alice.connect(*address, source=(ALICE, 0))
        bob.wait_bound()
        procs.wait_until(lambda: list(alice.statuses.values()) == [200], "the 200 for it")
        assert (bob.empty_sends, bob.messages) == (1, [])
    with tap.check(f"{name}: a SEND each way, with 200"):
        alice.wait_done(alice.send(b"Hi, I'm Alice!"))
        bob.wait_done(bob.send(b"Hi, Alice! I'm Bob!", content_type="message/cpim"))
        assert bob.wait_message().data == b"Hi, I'm Alice!"
        assert (alice.wait_message().data, alice.messages[0].content_type) == (b"Hi, Alice! I'm Bob!", "message/cpim")
    with tap.check(f"{name}: chunks, and a report for the whole"):
        pattern = msrp.Pattern(300_000)
        sent = alice.send(pattern, chunk=2048, success_report=True)
        alice.wait_done(sent)
        message = bob.wait_message(2)
        assert (message.size, message.digest(), message.flag) == (300_000, pattern.digest(), "$")
        assert message.chunks == len(sent[1]) == 147, (message.chunks, len(sent[1]))
        report = alice.wait_report(sent[0])
        assert (report.get("Status"), report.get("Byte-Range")) == ("000 200 OK", "1-300000/300000")
    with tap.check(f"{name}: a body full of look-alike end-lines"):
        tid = msrp.ident()
        pattern = msrp.Pattern(500_000, tid)
        alice.wait_done(alice.send(pattern, tid=tid, content_type="application/octet-stream"))
        message = bob.wait_message(3)
        assert (message.size, message.digest()) == (500_000, pattern.digest())
    with tap.check(f"{name}: a message that is given up ends with its flag"):
        alice.wait_done(alice.send(b"half", give_up=True))
        assert bob.wait_message(4).flag == "#"
    with tap.check(f"{name}: Failure-Report: no is not answered"):
        _, tids = alice.send(b"quiet", failure_report="no")
        bob.wait_message(5)
        alice.wait_done(alice.send(b"loud"))
        assert tids[0] not in alice.statuses
    return connection


def big(name, alice, bob):
    with tap.check(f"{name}: 100 MB as one frame each way at once, in little memory"):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        pattern = msrp.Pattern(BIG)
        back = []
        other = threading.Thread(target=lambda: back.append(bob.send(pattern)), daemon=True)
        other.start()
        there = alice.send(pattern, success_report=True)
        other.join()
        alice.wait_done(there)
        bob.wait_done(back[0])
        digest = pattern.digest()
        for message in (bob.messages[-1], alice.messages[-1]):
            assert (message.size, message.digest(), message.chunks) == (BIG, digest, 1), message.size
        alice.wait_report(there[0])
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < MEMORY, f"{grown} kB more"


def end(name, alice, bob):
    with tap.check(f"{name}: both see an orderly end, and nobody did wrong"):
        alice.close()
        assert (bob.wait_ended(), alice.wait_ended()) == ("clean", "clean"), (bob.bound.ended, alice.bound.ended)
        assert (alice.faults, bob.faults, alice.refusals, bob.refusals) == ([], [], [], [])


def refused(name, want, change=None, **send):
    """A fresh session on which bob must answer @want."""
    with tap.check(f"{name}: {want}"):
        alice, bob, address = pair("msrp")
        connection = alice.connect(*address, empty_send=False)
        if change:
            change(alice, bob)
        tid = alice.send_empty(connection, **{key: value(alice, bob) for key, value in send.items()})
        assert alice.wait_status(tid) == want, alice.statuses
        assert [status for status, _ in bob.refusals] == [want] and not bob.bound, bob.refusals
        alice.close()


plain = pair("msrp")
exchange("TCP", *plain)
big("TCP", *plain[:2])
with tap.check("TCP: 506 for a second connection to a bound session, which goes on"):
    alice, bob, address = plain
    second = alice.connect(*address, empty_send=False)
    assert alice.wait_status(alice.send_empty(second)) == 506
    alice.wait_done(alice.send(b"still here"))
    assert bob.refusals == [(506, "another connection")] and alice.bound is not second
    bob.refusals.clear()
    second.close()
    assert alice.wait_ended(second) == "clean"
end("TCP", *plain[:2])

refused("To-Path with another scheme", 481, to=lambda a, b: b.uri.replace("msrp:", "msrps:"))
refused("To-Path with another port", 481, to=lambda a, b: re.sub(":[0-9]+/", ":9/", b.uri))
refused("To-Path with another session-id", 481, to=lambda a, b: b.uri.replace(";tcp", "x;tcp"))
refused("To-Path with two URIs", 481, to=lambda a, b: f"{b.uri} {b.uri}")
refused("From-Path with another scheme", 400, sender=lambda a, b: a.uri.replace("msrp:", "msrps:"))
refused("From-Path of somebody else", 400, sender=lambda a, b: b.uri)
with tap.check("RFC 4975 6.1: equal URIs in other words are the same"):
    assert msrp.same_uri("MSRP://x@[2001:DB8::1]:7/a;TCP;p=1", "msrp://[2001:db8:0::1]:7/a;tcp")
    for other in ("msrps://h:7/a;tcp", "msrp://h:7/A;tcp", "msrp://h:8/a;tcp", "msrp://h/a;tcp", "msrp://h:7/a;ws"):
        assert not msrp.same_uri("msrp://h:7/a;tcp", other), other

with tap.check("a response to nothing and one with the wrong path are faults"):
    alice, bob, address = pair("msrp")
    connection = alice.connect(*address)
    bob.wait_bound()
    bob.bound.post(f"MSRP abcd1234 200 OK\r\nTo-Path: {alice.uri}\r\nFrom-Path: {bob.uri}\r\n-------abcd1234$\r\n".encode())
    tid = alice.send_empty()
    alice.wait_status(tid)
    assert len(alice.faults) == 1 and "abcd1234" in alice.faults[0], alice.faults
    bob.uri = bob.uri.replace("msrp:", "msrps:")
    alice._pending["abcd1235"] = None
    bob.bound.post(f"MSRP abcd1235 200 OK\r\nTo-Path: {alice.uri}\r\nFrom-Path: {bob.uri}\r\n-------abcd1235$\r\n".encode())
    alice.wait_status("abcd1235")
    assert len(alice.faults) == 2 and "msrps:" in alice.faults[1], alice.faults
    alice.close()

for what, sent in (("no MSRP", b"GET / HTTP/1.1\r\n\r\n"), ("bare LF", b"MSRP abcd1234 SEND\nTo-Path: x\n\r\n\r\n"),
                   ("paths in the wrong order", b"MSRP abcd1234 SEND\r\nFrom-Path: x\r\nTo-Path: y\r\n\r\n"),
                   ("a transaction id of three", b"MSRP abc SEND\r\nTo-Path: x\r\nFrom-Path: y\r\n\r\n")):
    with tap.check(f"malformed, so closed: {what}"):
        _, bob, address = pair("msrp")
        with socket.create_connection(address) as stranger:
            stranger.settimeout(30)
            stranger.sendall(sent)
            assert stranger.recv(100) == b""
        assert bob.faults and not bob.bound, bob.faults

ue, agw = certs.Pair("ue-ecdsa"), certs.Pair("agw-ecdsa")
secure = pair("msrps", (msrp.Tls(ue, fingerprint=agw.fingerprint()), msrp.Tls(agw, ue.cert, ue.fingerprint())))
exchange("TLS", *secure)
big("TLS", *secure[:2])
end("TLS", *secure[:2])
with tap.check("TLS: a client with another certificate gets nowhere"):
    alice, bob, address = pair("msrps", (msrp.Tls(certs.Pair("other-ecdsa")), msrp.Tls(agw, ue.cert)))
    connection = alice.connect(*address, empty_send=False)
    assert alice.wait_ended(connection) != "clean" and not bob.bound, connection.ended
    assert bob.faults, "bob said nothing"
with tap.check("TLS: a server with another fingerprint gets nowhere"):
    alice, bob, address = pair("msrps", (msrp.Tls(ue, fingerprint=ue.fingerprint()), msrp.Tls(agw, ue.cert)))
    connection = alice.connect(*address, empty_send=True)
    assert "fingerprint" in alice.wait_ended(connection) and not bob.bound, connection.ended

tap.finish()
