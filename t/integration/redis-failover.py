# SPDX-License-Identifier: GPL-3.0-or-later
"""The Redis master is killed under load, twice, and Sentinel makes the replica master: no call that was acknowledged is
lost, and none that was deleted comes back."""
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import interop
import ngload
import plugin
import procs
import redisserver
import tap

interop.whole("Redis Sentinel", "fail-over of the store under load")

RATE = 300
# For so long the replica hears nothing of what is acknowledged, before the master dies.
BEHIND = 0.5


def start(name, listen=None):
    return plugin.Plugin(None, name=name, listen=listen, ports=(20000, 29999), extra=(
        *sentinels.options, "--node-id=edge-1", f"--certificate={cluster.agw_cert.cert}",
        f"--private-key={cluster.agw_cert.key}"))


def store():
    return e2ae.request(command="e2ae statistics")["e2ae"]["store"]


def is_replica_of(replica, master):
    info = replica.replication()
    return (info["role"] == "slave" and info["master_link_status"] == "up" and
            (info["master_host"], int(info["master_port"])) == (master.host, master.port) and
            info["master_sync_in_progress"] == "0")


def fail_over(old, new, behind):
    """Kills @old under load and goes on until some time after the program uses @new."""
    connects = store()["connects"]
    load.run(2.0)
    if behind:
        # The replica loses its link and cannot have it back: the password is none.
        new.ask("CONFIG", "SET", "masterauth", "none")
        old.ask("CLIENT", "KILL", "TYPE", "replica")
        load.run(behind)
        lacks, had = set(old.keys()) - set(new.keys()), set(new.keys()) - set(old.keys())
        tap.note(f"the replica lacks {len(lacks)} calls, and has {len(had)} that were deleted")
        assert lacks and had, (lacks, had)
    acknowledged = load.counts["ok"]
    old.crash()
    died = time.monotonic()
    load.run(until=lambda: sentinels.master() == (new.host, new.port), what="the replica to be master")
    if behind:
        new.ask("CONFIG", "SET", "masterauth", "")
    promoted = time.monotonic()
    load.run(until=lambda: store()["state"] == "ready" and store()["connects"] > connects, what="the program to be back")
    back = time.monotonic()
    load.run(2.0)
    tap.note(f"{acknowledged} requests ok before; master again after {promoted - died:.2f} s, used after {back - died:.2f} s")


def check_load(redis):
    """All requests have been answered, and the database is as the answers said."""
    with tap.check("every request was answered, and each repeat as the first time"):
        load.finish()
        tap.note(load.summary())
        assert load.broken == [], (len(load.broken), load.broken[:5])
        assert load.counts["without a reply"] == 0 and load.counts["repeats"] > 10, load.counts
        assert load.datagrams > len(load.replies), "no reply came twice"
    with tap.check("refused were only offers and answers that could not be recorded; offers in the words that send them on"):
        assert load.counts["ok"] > 1000 and load.refused, load.summary()
        for command, reply in load.refused:
            text = reply.get("message") if command == "offer" else reply.get("error-reason")
            assert command != "delete" and text.startswith("the call cannot be recorded: "), (command, dict(reply))
            assert command == "answer" or reply["result"] == "load limit", dict(reply)
    with tap.check("the new master has every call as its last reply was, and nothing else"):
        tap.note(ngload.wait_equal(load, redis))
    with tap.check("and the program has the same calls"):
        assert set(e2ae.request(command="e2ae list", limit="100000")["calls"]) == load.existing()


with tap.need("a master, a replica, three sentinels that know each other, and the program"):
    first = redisserver.Redis(name="redis-1")
    second = redisserver.Redis(name="redis-2", of=first)
    procs.wait_until(lambda: is_replica_of(second, first), "the replica is up to date")
    sentinels = redisserver.Sentinels(first)
    sentinels.wait_complete(1)
    e2ae = start("first")
    procs.wait_until(lambda: store()["state"] == "ready", "Redis is ready")

with tap.need("the master dies under load, and the load goes on until the replica is master"):
    load = ngload.Load(e2ae.ng_address, RATE)
    fail_over(first, second, 0)
check_load(second)

with tap.need("the old master comes back, and becomes the replica"):
    first.start()
    procs.wait_until(lambda: first.replication()["role"] == "slave", "it is a replica", 20)
    procs.wait_until(lambda: is_replica_of(first, second), "the replica is up to date")
    sentinels.wait_complete(1)
with tap.need(f"now the replica lacks the last {BEHIND} s when the master dies"):
    load.resume()
    fail_over(second, first, BEHIND)
check_load(first)

with tap.need("the program is killed and started again"):
    there = load.existing()
    listen, before = e2ae.ng_address, e2ae.sockets()
    e2ae.crash()
    e2ae = start("second", listen)
    procs.wait_until(lambda: store()["restored-calls"] == len(there), f"{len(there)} calls, {store()}", 20)
with tap.check("it has all calls, at the same ports, and no others"):
    assert set(e2ae.request(command="e2ae list", limit="100000")["calls"]) == there
    assert set(e2ae.sockets()) <= set(before), set(e2ae.sockets()) - set(before)
    tap.note(f"restored: {store()['restored-calls']} calls, {store()['restored-streams']} streams")
    tap.note(ngload.wait_equal(load, first))

tap.finish()
