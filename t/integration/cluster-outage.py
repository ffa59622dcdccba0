# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis is away until every heartbeat in it has expired: whichever node is connected again first, and is asked for calls
of the other, which lives, takes none of them."""
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import ng
import procs
import redisserver
import tap

CALLS = 20  # of each node
sink = cluster.Sink()


def outage():
    """Redis dies, and is there again when no heartbeat is."""
    over = time.monotonic() + max(redis.ask("PTTL", f"e2ae:node:{node.node_id}") for node in nodes) / 1000
    redis.crash()
    procs.wait_until(lambda: time.monotonic() > over, "the heartbeats are over", 60)
    redis.start()


def ask_for_others():
    """Asks each node for the calls of the other as soon as it has Redis again; returns the replies, by call."""
    asked, at = {}, {}
    while len(at) < len(nodes):
        for node in nodes:
            if node not in at and node.store()["state"] == "ready":
                at[node] = time.monotonic()
                for call in calls[nodes[1 - nodes.index(node)]]:
                    asked[call] = node, ng.cookie().encode()
                    node.client.send(asked[call][1] + b" " + ng.bencode({"command": "e2ae query", "call-id": call.name}))
    first, second = sorted(at.values())
    tap.note(f"the second node had Redis {second - first:.3f} s after the first")
    return {call: node.client.receive_for(cookie, 20) for call, (node, cookie) in asked.items()}


with tap.need("two nodes with calls of their own"):
    redis = redisserver.Redis()
    nodes = [cluster.Node(redis, "edge-a", 1, sink=sink), cluster.Node(redis, "edge-b", 21, sink=sink)]
    for node in nodes:
        node.wait_company()
    calls = {node: [cluster.Call(f"{node.node_id}-{number}@test.invalid") for number in range(CALLS)] for node in nodes}
    for node in nodes:
        for call in calls[node]:
            call.set_up(node)
for turn in (1, 2, 3):
    with tap.check(f"outage {turn}: every request for the other's calls is answered, by the other"):
        outage()
        replies = ask_for_others()
        assert len(replies) == 2 * CALLS and all(replies.values()), replies
        assert all(ng.Reply(body).get("result") == "ok" for body in replies.values()), replies
    with tap.check(f"outage {turn}: every call stays with its owner"):
        for node in nodes:
            assert {cluster.owner(redis, call.name) for call in calls[node]} == {node.node_id}
            assert set(node.calls()) == {call.name for call in calls[node]}
            assert int(node.cluster()["taken-calls"]) == 0, node.cluster()
        assert not sink.of("takeover") and not sink.of("bearer-released"), sink.events[-5:]
with tap.check("and is served there"):
    for seed, node in enumerate(nodes):
        calls[node][0].exchange(2 * seed + 1)

tap.finish()
