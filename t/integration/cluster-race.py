# SPDX-License-Identifier: GPL-3.0-or-later
"""Two nodes are asked for the same call of a dead third one at the same moment, 1,000 times: each time exactly one
takes it over, and both tell what that one has."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import ng
import procs
import redisserver
import tap

CALLS = 1000
# Pairs of requests under way at once: few enough that both come to a call before its claim is over.
AT_ONCE = 4


def ask_both(calls, first):
    """The replies of both nodes to a query for each of the calls. The two requests of a call go out one after the
    other without a pause, the first to node @first."""
    message = {call: (ng.cookie().encode(), ng.bencode({"command": "e2ae query", "call-id": call.name}))
               for call in calls}
    for call in calls:
        for node in (nodes[first], nodes[1 - first]):
            node.client.send(b" ".join(message[call]))
    replies = {}
    for call in calls:
        bodies = [node.client.receive_for(message[call][0], 10) for node in nodes]
        assert all(bodies), f"{call.name}: no reply of both"
        replies[call] = [ng.Reply(body) for body in bodies]
    return replies


with tap.need("three nodes without a common address, which leave each other's calls alone until asked"):
    redis = redisserver.Redis()
    dying = cluster.Node(redis, "edge-a", 1)
    nodes = [cluster.Node(redis, "edge-b", 21), cluster.Node(redis, "edge-c", 31)]
    for node in (dying, *nodes):
        node.wait_company()
with tap.need(f"{CALLS} calls of one of them, which is killed then"):
    everybody = [cluster.Call(f"race-{number}@test.invalid") for number in range(CALLS)]
    for call in everybody:
        call.set_up(dying)
    dying.crash()
    procs.wait_until(lambda: redis.ask("EXISTS", "e2ae:node:edge-a") == 0, "its heartbeat is over")
    assert redis.ask("ZCARD", "e2ae:node:edge-a:calls") == CALLS

answers = {}
with tap.need("both others are asked for each call at the same moment"):
    for at in range(0, CALLS, AT_ONCE):
        answers.update(ask_both(everybody[at:at + AT_ONCE], at // AT_ONCE % 2))
with tap.check("every one of them is answered ok, and both replies are of one and the same owner"):
    refused = [pair for pair in answers.values() if any(reply.get("result") != "ok" for reply in pair)]
    assert not refused, (len(refused), refused[:2])
    # The moment of the take-over, in microseconds, as the process that did it tells.
    differ = [pair for pair in answers.values() if pair[0]["created_us"] != pair[1]["created_us"]]
    assert not differ, (len(differ), differ[:1])
with tap.check("exactly one of them has each call, as Redis says, as the nodes say, and in the indexes"):
    names = {call.name for call in everybody}
    owners = {call.name: cluster.owner(redis, call.name) for call in everybody}
    held = {node.node_id: node.calls() for node in nodes}
    for node in nodes:
        own = {name for name, owner in owners.items() if owner == node.node_id}
        assert len(held[node.node_id]) == len(own) and set(held[node.node_id]) == own
        assert set(redis.ask("ZRANGE", f"e2ae:node:{node.node_id}:calls", 0, -1)) == own
    assert set(owners) == names and set(owners.values()) <= {"edge-b", "edge-c"}
    assert redis.ask("EXISTS", "e2ae:node:edge-a:calls") == 0
with tap.check("each call was claimed once, and neither node won always"):
    taken = [int(node.cluster()["taken-calls"]) for node in nodes]
    assert sum(taken) == CALLS and min(taken) > 0, taken
with tap.check("the claims did meet, and who lost asked the winner"):
    conflicts = [node.store()["conflicts"] for node in nodes]
    forwarded = [int(node.cluster()["forwarded"]) for node in nodes]
    tap.note(f"{CALLS} calls: edge-b won {taken[0]}, edge-c won {taken[1]}; {sum(conflicts)} claims lost to one that was "
             f"faster, {sum(forwarded)} requests forwarded to the owner")
    assert sum(forwarded) == CALLS and sum(conflicts) > CALLS // 10, (forwarded, conflicts)
with tap.check("TRK-20: the next offer, at either node, moves a call to the address of the winner"):
    for number, call in enumerate(everybody[:10]):
        call.set_up(nodes[number % 2], nodes[1 - number % 2])
        winner = nodes[0] if owners[call.name] == "edge-b" else nodes[1]
        assert (call.at_ue.address(0), call.at_core.address(0)) == (winner.access, winner.core), call.at_ue.text
        assert cluster.owner(redis, call.name) == owners[call.name]
    everybody[0].exchange(1)
with tap.check("each call is deleted at the node that lost it, and nothing is left"):
    for call in everybody:
        call.delete(nodes[1] if owners[call.name] == "edge-b" else nodes[0])
    keys = redis.keys()
    assert not [key for key in keys if key.startswith("e2ae:call:") or key.endswith(":calls")], keys[:10]
    assert [node.calls() for node in nodes] == [[], []]
    procs.wait_until(lambda: not any(node.sockets() for node in nodes), "no media sockets", 10)

tap.finish()
