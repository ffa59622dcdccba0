# SPDX-License-Identifier: GPL-3.0-or-later
"""One Redis is killed and started again under load, with --redis-mode=refuse and degrade: nothing that was acknowledged
is lost, and with degrade nobody but who looks at the statistics notices."""
import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import cluster
import ngload
import plugin
import procs
import redisserver
import tap

RATE = 300
AWAY = 1.5  # seconds


def start(name, listen=None):
    return plugin.Plugin(None, name=name, listen=listen, ports=(20000, 29999), extra=(
        redis.option, "--node-id=edge-1", f"--certificate={cluster.agw_cert.cert}",
        f"--private-key={cluster.agw_cert.key}", f"--redis-mode={mode}"))


def store():
    return e2ae.request(command="e2ae statistics")["e2ae"]["store"]


def check_refused():
    """In the words on which a proxy tries another node; a delete never."""
    assert load.refused and load.counts["load limit"], load.summary()
    for command, reply in load.refused:
        text = reply.get("message") if command == "offer" else reply.get("error-reason")
        assert command != "delete" and text.startswith("the call cannot be recorded: "), (command, dict(reply))
        assert command == "answer" or reply["result"] == "load limit", dict(reply)


for mode in ("refuse", "degrade"):
    with tap.need(f"{mode}: the servers start"):
        redis = redisserver.Redis(name=f"redis-{mode}")
        e2ae = start(mode)
        procs.wait_until(lambda: store()["state"] == "ready", "Redis is ready")
        load = ngload.Load(e2ae.ng_address, RATE)
    with tap.need(f"{mode}: Redis is killed under load, and started again"):
        load.run(2.0)
        redis.crash()
        died = time.monotonic()
        load.run(AWAY)
        redis.start()
        load.run(until=lambda: store()["state"] == "ready" and store()["connects"] == 2, what="the program to be back")
        tap.note(f"Redis was away for {time.monotonic() - died:.2f} s; {store()}")
        load.run(2.0)
        load.finish()
        tap.note(load.summary())
    with tap.check(f"{mode}: every request was answered, and each repeat as the first time"):
        assert load.broken == [], (len(load.broken), load.broken[:5])
        assert load.counts["without a reply"] == 0 and load.counts["repeats"] > 10, load.summary()
        assert load.datagrams > len(load.replies), "no reply came twice"
        assert load.counts["ok"] > 600, load.summary()
    if mode == "refuse":
        with tap.check("refuse: only what could not be recorded was refused, and no delete"):
            check_refused()
    else:
        with tap.check("degrade: nothing was refused, and a part of it was served from memory"):
            assert load.refused == [] and store()["degraded"] > 0, (load.refused[:3], store())
    with tap.check(f"{mode}: Redis has every call as its last reply was, and nothing else"):
        tap.note(ngload.wait_equal(load, redis))
        assert store()["behind"] == 0, store()
    with tap.need(f"{mode}: the program is killed and started again"):
        there = load.existing()
        before, listen = e2ae.sockets(), e2ae.ng_address
        e2ae.crash()
        e2ae = start(f"{mode}-again", listen)
        procs.wait_until(lambda: store()["restored-calls"] == len(there), f"{len(there)} calls, {store()}", 20)
    with tap.check(f"{mode}: it has all calls, at the same ports, and no others"):
        assert set(e2ae.request(command="e2ae list", limit="100000")["calls"]) == there
        assert set(e2ae.sockets()) <= set(before), set(e2ae.sockets()) - set(before)
        tap.note(ngload.wait_equal(load, redis))
    e2ae.check_end()

tap.finish()
