# SPDX-License-Identifier: GPL-3.0-or-later
"""Two nodes of a group and a virtual address: the active one is killed with 500 calls up, and the other has them all."""
import json
import os
import socket
import ssl
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import crowd
import media
import netns
import ng
import procs
import redisserver
import tap

CALLS, STRANGERS = 500, 10
OWN = {"edge-a": "10.9.0.1", "edge-b": "10.9.0.2"}
REDIS, UE, CORE = "10.9.0.3", "10.9.0.10", "10.9.0.20"
ACCESS, INSIDE = "10.9.0.100", "10.9.0.101"  # the virtual ones; ng commands come to the second
NG_PORT = 2223
# What is left of the three seconds when the heartbeat has expired is for the claims.
HEARTBEAT_MS = 200
# The node timeout and a second. Sanitizers slow the claims more than the waiting.
IN_TIME = cluster.TIMEOUT_MS / 1000 + procs.PATIENCE ** 2


def start(name):
    own = OWN[name]
    with hosts[name]:
        return cluster.Node(redis, name, listen=(own, NG_PORT), sink=sink, access=ACCESS, core=INSIDE, ports=(20000, 25999),
                            extra=("--ha-group=east", f"--listen-ng={INSIDE}:{NG_PORT}", f"--node-address={own}:{NG_PORT}",
                                   f"--heartbeat-interval={HEARTBEAT_MS}"))


def move(name):
    for address in (ACCESS, INSIDE):
        net.move(address, hosts[name])


def content(text):
    """What a record says of the call, without who has it and what only its process knows."""
    record = json.loads(text)
    for key in ("revision", "owner", "epoch", "updated"):
        record.pop(key, None)
    for dialog in record["dialogs"]:
        for slot in dialog["slots"]:
            slot["stream"].pop("id")
    return record


def records():
    return {member.call_id: content(redis.record(member.call_id)) for member in everybody.members}


def owners():
    return {json.loads(redis.record(member.call_id))["owner"] for member in everybody.members}


def stranger(member):
    """Somebody else's certificate at the port of this call; what the gateway makes of it."""
    with everybody.ue_inside, socket.create_connection(member.target, 10 * procs.PATIENCE) as plain:
        try:
            with crowd.context(cluster.stranger_cert).wrap_socket(plain) as sock:
                sock.sendall(b"MSRP abc SEND\r\n")
                return sock.recv(1000)
        except (ssl.SSLError, ConnectionError) as refused:
            return type(refused).__name__


with tap.need("two nodes, one with the address, and Redis"):
    net = netns.Network()
    hosts = {name: net.host(name[-1], address) for name, address in OWN.items()}
    redis_host, ue_host, core_host = net.host("redis", REDIS), net.host("ue", UE), net.host("core", CORE)
    move("edge-a")
    with redis_host:
        redis = redisserver.Redis(REDIS)
    with ue_host:
        sink = cluster.Sink(UE)
    a, b = start("edge-a"), start("edge-b")
    a.wait_company()
    b.wait_company()
with tap.need(f"{CALLS} calls are up, half MSRP, half BFCP"):
    with ue_host:
        proxy = ng.UdpClient((INSIDE, NG_PORT))
    everybody = crowd.Crowd(proxy, CALLS, UE, CORE, cluster.ue_cert, ue_host, core_host)
    crowd.none(everybody.set_up())
    crowd.none(everybody.connect())
    crowd.none(everybody.exchange())
    assert owners() == {"edge-a"}
    before = records()
with tap.check("the standby refuses a new call, in the words on which a proxy tries another node"):
    reply = b.client.request({"command": "offer", "call-id": "standby@test.invalid", "from-tag": "ue", "e2ae": "originating",
                              "direction": ["access", "core"], "sdp": cluster.msrpcall.ue_sdp(UE, cluster.ue_cert)})
    assert reply.get("error-reason") == "Ran out of ports", reply
with tap.check("but serves those of the active one, by way of it"):
    reply = b.request(command="e2ae query", call_id=everybody.members[0].call_id)
    assert reply["e2ae"]["streams"][0]["access"]["state"] == "open", reply

a.crash()
move("edge-b")
moved = time.monotonic()
with tap.need(f"within 3 s of the address moving the standby has all {CALLS}"):
    procs.wait_until(lambda: len(b.calls()) == CALLS, f"all calls, not {len(b.calls())}", 20)
    took = time.monotonic() - moved
    tap.note(f"{CALLS} calls taken over {took:.2f} s after the address moved, the node timeout being {cluster.TIMEOUT_MS} ms")
    assert took < IN_TIME, f"{took:.2f} s"
with tap.check("no call that was acknowledged is missing, and each says the same as before"):
    after = records()
    assert after.keys() == before.keys() and owners() == {"edge-b"}
    differ = [call_id for call_id in before if before[call_id] != after[call_id]]
    assert not differ, (len(differ), before[differ[0]], after[differ[0]])
with tap.check("TRK-27: the proxy hears of each stream: takeover, and bearer-released"):
    procs.wait_until(lambda: len(sink.of("takeover", final=False)) == CALLS, "all events", 10)
    assert len({e["call-id"] for e in sink.of("takeover")}) == CALLS
    counted = b.request(command="e2ae statistics")["e2ae"]["events"]
    assert int(counted["takeover"]) == CALLS, counted
    procs.wait_until(lambda: len({e["call-id"] for e in sink.of("bearer-released", final=False)}) == CALLS, "all events", 10)
with tap.check("ASC-07: a wrong certificate is refused by the new owner, and nothing of it comes to the core"):
    assert everybody.standing() == []
    for victim in everybody.members[:STRANGERS]:
        answer = stranger(victim)
        assert answer in ("SSLError", "ConnectionResetError", b""), answer
    everybody.standing()
    assert not [m for m in everybody.members if m.core], "a core leg was opened for a stranger"
with tap.check(f"ASC-01 FPR-09: all {CALLS} UEs reconnect without signalling, are verified and relayed"):
    crowd.none(everybody.connect(60))
    crowd.none(everybody.exchange())
with tap.check("TRK-08: a re-offer at the new owner changes nothing"):
    chats = [member for member in everybody.members if member.medium is media.MSRP][:50]
    targets = [member.target for member in chats]
    crowd.none(everybody.set_up(chats))
    assert [member.target for member in chats] == targets
    crowd.none(everybody.exchange())

with tap.need("the node that died comes back as the standby"):
    a = start("edge-a")
    a.wait_company()
    b.wait_company()
    procs.wait_until(lambda: sink.of("node-back", node="edge-a"), "the event", 10)
    assert a.calls() == [] and not a.sockets()
with tap.need("the other one ends in order: the standby has all as soon as it has seen for long enough that it is alone"):
    b.check_end()
    move("edge-a")
    moved = time.monotonic()
    procs.wait_until(lambda: len(a.calls()) == CALLS, f"all calls, not {len(a.calls())}", 20)
    tap.note(f"{CALLS} calls taken over {time.monotonic() - moved:.2f} s after the address moved")
    assert owners() == {"edge-a"}
with tap.check("and again every UE is served"):
    crowd.none(everybody.connect(60))
    crowd.none(everybody.exchange())
with tap.check("after the deletes nothing is left"):
    crowd.none(everybody.delete())
    procs.wait_until(lambda: not a.sockets(), "no media sockets", 15)
    keys = redis.keys()
    assert not [key for key in keys if key.startswith("e2ae:call:") or key.endswith(":calls")], keys[:10]
    assert all(redis.ask("PTTL", key) > 0 for key in keys), keys
everybody.end()

tap.finish()
