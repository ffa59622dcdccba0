# SPDX-License-Identifier: GPL-3.0-or-later
"""Two nodes without a shared address, one Redis: any of them serves any request, with the owner alive, dead, or frozen."""
import json
import os
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import peers
import plugin
import procs
import redisserver
import rtpengine
import tap

sink = cluster.Sink()


def start_a(listen=None):
    return cluster.Node(redis, "edge-a", 1, upstream_a, listen=listen, sink=sink)


def no_sockets(node):
    procs.wait_until(lambda: not node.sockets(), f"no media sockets at {node.node_id}, got {node.sockets()}", 10)


with tap.need("the servers start, and the nodes know of each other"):
    redis = redisserver.Redis()
    upstream_a = rtpengine.Rtpengine(name="rtpengine-a")
    upstream_b = rtpengine.Rtpengine(procs.address(21), procs.address(22), name="rtpengine-b")
    a = start_a()
    b = cluster.Node(redis, "edge-b", 21, upstream_b, sink=sink)
    a.wait_company()
    b.wait_company()

# 1. The owner lives.
first = cluster.Call("alive@test.invalid")
with tap.check("the answer comes to another node than the offer: the owner serves it"):
    first.set_up(a, b)
    assert first.at_ue.address(0) == a.access, first.at_ue.text
    assert first.at_core.address(0) == a.core, first.at_core.text
    assert cluster.owner(redis, first.name) == "edge-a"
    assert first.name not in b.calls() and int(b.cluster()["forwarded"]) == 1
with tap.check("and the UE is served by the owner"):
    first.exchange(1)
with tap.check("a query at the other node tells of the owner's stream"):
    reply = b.request(command="e2ae query", call_id=first.name)
    assert [s["treatment"] for s in reply["e2ae"]["streams"]] == ["e2ae"], reply
with tap.check("a re-offer and its answer at the other node change nothing (TRK-08)"):
    before = first.at_ue.endpoint(0)
    first.set_up(b, b)
    assert first.at_ue.endpoint(0) == before and first.at_ue.address(0) == a.access
with tap.check("a delete at the other node frees the owner's ports and the record"):
    first.delete(b)
    assert redis.record(first.name) is None
    no_sockets(a)
with tap.check("a call that nobody has is nobody's, at either node"):
    for node in (a, b):
        reply = node.request(command="query", call_id="nobody@test.invalid")
        assert reply.get("error-reason") == "Unknown call-id", reply

# 2. The owner is dead.
with tap.need("four calls of a node that is killed then"):
    deleted, offered, moved, kept = (cluster.Call(f"{name}@test.invalid") for name in ("deleted", "offered", "moved", "kept"))
    for call in (deleted, moved, kept):
        call.set_up(a)
    offered.offer(a)
    moved.exchange(3)
    a.crash()
with tap.check("a delete that comes before the node counts as dead waits for that, and is done"):
    deleted.delete(b)
    assert redis.record(deleted.name) is None
with tap.check("the other node tells that it is lost"):
    sink.wait("node-lost", node="edge-a")
with tap.check("the answer of a dead node's offer: the line is refused to the UE, the call goes on"):
    offered.answer(b)
    assert offered.at_ue.media[0].port == 0, offered.at_ue.text
    assert offered.at_ue.media[0].proto == "TCP/TLS/MSRP", offered.at_ue.text
    assert cluster.owner(redis, offered.name) == "edge-b"
    sink.wait("takeover", call_id=offered.name, final=True)
with tap.check("TRK-20 TRK-27: the next offer moves the stream to the living node's address"):
    moved.set_up(b)
    assert moved.at_ue.address(0) == b.access and moved.at_core.address(0) == b.core, moved.at_ue.text
    assert cluster.owner(redis, moved.name) == "edge-b"
    sink.wait("takeover", call_id=moved.name, final=True)
    sink.wait("bearer-released", call_id=moved.name, final=True)
with tap.check("ASC-07: there a certificate with another fingerprint is refused as everywhere"):
    moved.refuses_stranger()
with tap.check("and the UE is served"):
    moved.exchange(5)
with tap.check("the offer that was answered with port 0 gets its stream with the next one, too"):
    offered.set_up(b)
    offered.exchange(7)
with tap.need("the dead node comes back: what was not claimed is its own"):
    a = start_a(a.ng_address)
    a.wait_company()
    procs.wait_until(lambda: a.store()["restored-calls"] == 1, "the call is restored")
    assert a.calls() == [kept.name], a.calls()
with tap.check("and its UE is served again, with the certificate that was signalled"):
    kept.exchange(9)
with tap.check("what was claimed stays with the claimer, whichever node is asked"):
    for call in (moved, offered):
        call.set_up(a)
        assert call.at_ue.address(0) == b.access, call.at_ue.text
        call.delete(a)
        assert redis.record(call.name) is None
    kept.delete(b)
    no_sockets(a)
    no_sockets(b)

# 3. The owner is frozen past its lease.
frozen, untouched = cluster.Call("frozen@test.invalid"), cluster.Call("untouched@test.invalid")
with tap.need("two calls, of which one is up"):
    frozen.set_up(a)
    untouched.set_up(a)
    core = peers.PlainPeer(cluster.CORE, frozen.core_port)
    ue = frozen.peer(wait=True, recv="close", send=procs.write_file("late", peers.payload(20_000, 11)),
                     stdin=subprocess.PIPE)
    ue.wait_line("CONNECTED")
    procs.wait_until(lambda: core.connections == 1, "the core leg is up")
with tap.need("it is stopped for longer than its heartbeat lives, and another node takes the call"):
    a.process.send_signal(signal.SIGSTOP)
    reply = b.client.request({"command": "e2ae query", "call-id": frozen.name}, timeout=20)
    assert reply.get("result") == "ok", reply
    taken = cluster.record(redis, frozen.name)
    assert taken["owner"] == "edge-b", taken
with tap.check("what the UE has sent meanwhile never comes to the core, when the old owner goes on"):
    ue.go()
    procs.wait_until(lambda: plugin.unread(*frozen.at_ue.endpoint(0)) > 20_000, "the UE has sent all of it")
    a.process.send_signal(signal.SIGCONT)
    sink.wait("bearer-released", call_id=frozen.name, reason="node edge-b has taken it over")
    core.join()
    core.close()
    ue.wait()
    assert core.received == 0, core.received
with tap.check("it has not written on the record"):
    now = cluster.record(redis, frozen.name)
    assert (now["owner"], now["revision"]) == ("edge-b", taken["revision"]) or now["revision"] > taken["revision"], now
    assert now["owner"] == "edge-b", now
with tap.check("it keeps what nobody has taken, and serves it"):
    assert a.calls() == [untouched.name], a.calls()
    assert cluster.owner(redis, untouched.name) == "edge-a"
    untouched.exchange(13)
with tap.check("the claimer serves the other with the next offer"):
    frozen.set_up(b)
    frozen.exchange(15)
with tap.need("it is stopped again, and the call is taken and deleted meanwhile"):
    a.process.send_signal(signal.SIGSTOP)
    untouched.delete(b)
    assert redis.record(untouched.name) is None
    a.process.send_signal(signal.SIGCONT)
with tap.check("it does not bring back what was deleted"):
    procs.wait_until(lambda: not a.calls(), "the call is dropped", 15)
    assert redis.record(untouched.name) is None
    no_sockets(a)
frozen.delete(a)
no_sockets(b)

# 4. Draining.
last, refused = cluster.Call("last@test.invalid"), cluster.Call("refused@test.invalid")
with tap.need("a node with a call is drained"):
    last.set_up(a)
    reply = a.request(command="e2ae drain")
    assert reply["result"] == "ok" and int(reply["calls"]) == 1, reply
with tap.check("a new call is sent to another node"):
    reply = a.client.request({"command": "offer", "call-id": refused.name, "from-tag": "ue", "e2ae": "originating",
                              "supports": ["load limit"], "sdp": "v=0\r\n"})
    assert reply["result"] == "load limit", reply
with tap.check("the one that is there goes on"):
    last.exchange(17)
    last.set_up(a)
with tap.check("the program ends when it is gone"):
    last.delete(a)
    a.ended = True
    assert a.wait() == 0, a.log()[-2000:]
    assert redis.ask("EXISTS", "e2ae:node:edge-a") == 0
with tap.check("nothing of a call, and no key without an end, is in Redis"):
    keys = redis.keys()
    assert not [key for key in keys if key.startswith("e2ae:call:") or key.endswith(":calls")], keys
    assert all(0 < redis.ask("PTTL", key) <= 86_400_000 for key in keys), keys
    assert "edge-a" not in json.dumps(redis.ask("ZRANGE", "e2ae:nodes", 0, -1))

tap.finish()
