# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls in a real Redis: what was answered ok survives the program, and a Redis that is away hurts no more than it must."""
import json
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import interop
import msrpcall
import peers
import plugin
import procs
import redisserver
import rtpengine
import sdp
import tap

interop.whole("Redis", "store of the calls")

UE, CORE = cluster.UE, cluster.CORE
ue_cert, agw_cert = cluster.ue_cert, cluster.agw_cert
ue_rtp = procs.udp_socket(UE)
sink = cluster.Sink(procs.address(8))


def start(name, *options, listen=None):
    return plugin.Plugin(upstream.ng_address, name=name, listen=listen, extra=(
        redis.option, "--node-id=edge-1", f"--certificate={agw_cert.cert}", f"--private-key={agw_cert.key}",
        sink.option(), *options))


def store(of):
    return of.request(command="e2ae statistics")["e2ae"]["store"]


def offer(of, name, audio=None):
    """The reply to the first offer of a call, and the seconds it took."""
    began = time.monotonic()
    reply = of.client.request(dict(msrpcall.ng_keys("originating"), command="offer", supports=["load limit"], **{
        "call-id": name, "from-tag": "ue", "sdp": msrpcall.ue_sdp(UE, ue_cert, audio=audio)}))
    return reply, time.monotonic() - began


def delete(of, name):
    reply = of.request(command="delete", call_id=name, from_tag="ue", delete_delay="0")
    assert reply.get("result") == "ok", reply


def moved_on(of, name, what):
    """A proxy is sent to another node at once, and nothing of the call is left anywhere."""
    reply, seconds = offer(of, name, audio=ue_rtp.getsockname()[1])
    assert reply.get("result") == "load limit", reply
    assert reply["message"].startswith("the call cannot be recorded: "), reply
    assert seconds < 1.0 * procs.PATIENCE, f"{what}: {seconds:.3f} s"
    assert name not in of.request(command="e2ae list")["calls"]
    procs.wait_until(lambda: name not in upstream.calls(), "rtpengine forgets the call", 10)


class Call(cluster.Call):
    """A call that is up, and its record after the offer and after the answer."""

    def __init__(self, of, name):
        super().__init__(name)
        self.offer(of)
        self.offered = redis.record(name)
        self.answer(of)
        self.answered = redis.record(name)


def private_key_lines():
    with open(agw_cert.key, encoding="ascii") as key:
        return [line.strip() for line in key if "-----" not in line]


with tap.need("the servers start"):
    redis = redisserver.Redis()
    upstream = rtpengine.Rtpengine()
    e2ae = start("first")
    procs.wait_until(lambda: store(e2ae)["state"] == "ready", "Redis is ready")

with tap.need("a call is set up"):
    first = Call(e2ae, "first@test.invalid")
    second = Call(e2ae, "second@test.invalid")
with tap.check("an offer that was answered ok is in Redis, and so is the answer"):
    assert first.offered and first.answered, (first.offered, first.answered)
    assert json.loads(first.offered)["revision"] == 1 and json.loads(first.answered)["revision"] == 2
    assert json.loads(first.answered)["owner"] == "edge-1"
    assert not json.loads(first.offered)["dialogs"][0].get("answered")
    assert json.loads(first.answered)["dialogs"][0]["answered"]
with tap.check("every key lives for a limited time and has our prefix"):
    times = {key: redis.ask("PTTL", key) for key in redis.keys()}
    assert "e2ae:node:edge-1" in times and f"e2ae:call:{first.name}" in times, times
    assert all(key.startswith("e2ae:") and 0 < left <= 86_400_000 for key, left in times.items()), times
    assert redis.ask("ZRANGE", "e2ae:node:edge-1:calls", 0, -1) == [first.name, second.name]
with tap.check("no private key is in Redis"):
    everything = "".join(redis.ask("GET", key) for key in times if redis.ask("TYPE", key) == "string")
    assert agw_cert.fingerprint().split(" ")[1] in everything
    assert "PRIVATE KEY" not in everything
    assert not [line for line in private_key_lines() if line in everything]
with tap.need("the UE is served"):
    first.exchange(1)

with tap.need("TRK-27: killed in the middle of a connection, and started again"):
    core = peers.PlainPeer(CORE, first.core_port)
    hanging = first.peer(recv="close")
    hanging.wait_line("CONNECTED")
    before = e2ae.sockets()
    e2ae.crash()
    hanging.wait()
    core.close()
    e2ae = start("second", listen=e2ae.ng_address)
    procs.wait_until(lambda: store(e2ae)["restored-streams"] == 2, "the calls are restored")
with tap.check("ASC-02: the same ports are bound"):
    assert [s for s in e2ae.sockets() if s[0] == "tcp"] == sorted(set(before)), (before, e2ae.sockets())
with tap.check("TRK-27: bearer-released tells the proxy"):
    procs.wait_until(lambda: sink.of("bearer-released", call_id=first.name, final=False), "the event")
    procs.wait_until(lambda: sink.of("bearer-released", call_id=second.name, final=False), "the event")
with tap.check("ASC-07: a certificate with another fingerprint is refused as before"):
    first.refuses_stranger()
with tap.check("FPR-09: the UE comes back without signalling, finds the same certificate, and is served"):
    first.exchange(3)
with tap.check("the call is as it was: a later offer needs no key"):
    reply = e2ae.client.request({
        "command": "offer", "call-id": first.name, "from-tag": "ue", "to-tag": "core",
        "replace": ["origin", "session-connection"], "sdp": msrpcall.ue_sdp(UE, ue_cert)})
    assert reply.get("result") == "ok" and sdp.Sdp(reply["sdp"]).media[0].proto == "TCP/MSRP", reply
with tap.check("a delete takes the record away"):
    delete(e2ae, first.name)
    assert redis.record(first.name) is None
    assert redis.ask("ZRANGE", "e2ae:node:edge-1:calls", 0, -1) == [second.name]

with tap.need("stopped in order and started again: the other call is there"):
    listen = e2ae.ng_address
    e2ae.check_end()
    assert redis.ask("EXISTS", "e2ae:node:edge-1") == 0
    e2ae = start("third", listen=listen)
    reply = e2ae.request(command="e2ae query", call_id=second.name)
    assert reply.get("result") == "ok", reply
    procs.wait_until(lambda: store(e2ae)["restored-calls"] == 1, "the call is restored")
with tap.check("and its UE is served"):
    second.exchange(5)

with tap.need("Redis dies"):
    redis.crash()
    procs.wait_until(lambda: store(e2ae)["state"] == "away", "the program notices")
    procs.wait_until(lambda: sink.of("redis-away", node="edge-1"), "the event")
    sockets = e2ae.sockets()
with tap.check("refuse: an offer is sent to another node at once"):
    moved_on(e2ae, "refused@test.invalid", "without Redis")
with tap.check("nothing is leaked"):
    assert e2ae.sockets() == sockets, (sockets, e2ae.sockets())
with tap.check("calls that are up go on"):
    second.exchange(7)
with tap.check("requests of other calls pass"):
    reply = e2ae.request(command="query", call_id="somebody-else@test.invalid")
    assert reply.get("error-reason") == "Unknown call-id", reply
with tap.check("a delete is not held up"):
    delete(e2ae, second.name)
    procs.wait_until(lambda: not e2ae.sockets(), "no media sockets", 10)
with tap.need("Redis is there again, with its data"):
    redis.start()
    procs.wait_until(lambda: store(e2ae)["state"] == "ready", "Redis is ready", 20)
    procs.wait_until(lambda: sink.of("redis-back", node="edge-1"), "the event")
with tap.check("the delete is made up for"):
    procs.wait_until(lambda: redis.record(second.name) is None, "the record is gone", 10)
with tap.check("offers are served again"):
    reply, _ = offer(e2ae, "third@test.invalid")
    assert reply.get("result") == "ok" and redis.record("third@test.invalid"), reply

with tap.need("Redis freezes"):
    redis.freeze()
    sockets = e2ae.sockets()
with tap.check("refuse: the first offer is sent on within the time-out, and so is the next"):
    moved_on(e2ae, "frozen-1@test.invalid", "frozen")
    moved_on(e2ae, "frozen-2@test.invalid", "known to be frozen")
with tap.check("nothing is leaked"):
    assert e2ae.sockets() == sockets, (sockets, e2ae.sockets())
with tap.check("what the frozen Redis did late is taken back"):
    redis.thaw()
    procs.wait_until(lambda: store(e2ae)["state"] == "ready", "Redis is ready", 20)
    procs.wait_until(lambda: redis.keys() and redis.ask("ZRANGE", "e2ae:node:edge-1:calls", 0, -1) ==
                     ["third@test.invalid"], "only the call that was answered ok", 20)
    assert redis.record("frozen-1@test.invalid") is None
with tap.check("and the call that was there goes on"):
    delete(e2ae, "third@test.invalid")
    assert redis.record("third@test.invalid") is None
    assert not e2ae.sockets()
e2ae.check_end()

with tap.need("degrade: the program starts, then Redis dies"):
    e2ae = start("degrade", "--redis-mode=degrade")
    procs.wait_until(lambda: store(e2ae)["state"] == "ready", "Redis is ready")
    redis.crash()
    procs.wait_until(lambda: store(e2ae)["state"] == "away", "the program notices")
with tap.check("degrade: an offer is served from memory"):
    reply, seconds = offer(e2ae, "degraded@test.invalid")
    assert reply.get("result") == "ok" and seconds < 1.0 * procs.PATIENCE, (reply, seconds)
    assert store(e2ae)["behind"] == 1 and store(e2ae)["degraded"] == 1, store(e2ae)
with tap.check("degrade: it is written when Redis is back"):
    redis.start()
    procs.wait_until(lambda: redis.record("degraded@test.invalid"), "the record", 20)
    procs.wait_until(lambda: store(e2ae)["behind"] == 0, "nothing behind", 10)
with tap.check("degrade: a frozen Redis does not keep an offer from being served"):
    redis.freeze()
    reply, seconds = offer(e2ae, "slow@test.invalid")
    assert reply.get("result") == "ok" and seconds < 1.0 * procs.PATIENCE, (reply, seconds)
    redis.thaw()
    procs.wait_until(lambda: redis.record("slow@test.invalid"), "the record", 20)
with tap.check("degrade: what was served without Redis survives the program, too"):
    procs.wait_until(lambda: store(e2ae)["behind"] == 0, "nothing behind", 10)
    listen, before = e2ae.ng_address, e2ae.sockets()
    e2ae.crash()
    e2ae = start("last", "--redis-mode=degrade", listen=listen)
    procs.wait_until(lambda: store(e2ae)["restored-streams"] == 2, "the calls are restored")
    assert e2ae.sockets() == before, (before, e2ae.sockets())

tap.finish()
