# SPDX-License-Identifier: GPL-3.0-or-later
"""./dev bench records: what a call costs in Redis: memory, commands, and bytes to and from it; docs/deployment.md uses it."""
import argparse
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import media
import ng
import plugin
import procs
import redisserver
import rtpengine

sys.excepthook = sys.__excepthook__
UE, CORE = procs.address(10), procs.address(9)
CERT = certs.Pair("ue-ecdsa")
AUDIO = ["m=audio {port} RTP/AVP 8", "a=rtpmap:8 PCMA/8000"]
CASES = (("msrp", (media.MSRP,), False), ("bfcp", (media.BFCP,), False), ("t38", (media.T38,), False),
         ("msrp+audio", (media.MSRP,), True), ("msrp+bfcp+audio", (media.MSRP, media.BFCP), True))


def body(host, secure, mediums, audio):
    sections = [media.section(m, host, 9 if secure and m is not media.T38 else 7000 + 2 * n, secure,
                              "active" if secure else "passive", [CERT.fingerprint()] if secure else (), secure, f"s{n}")
                for n, m in enumerate(mediums)]
    text = media.description(host, *sections)
    return text + "".join(line.format(port=4000) + "\r\n" for line in AUDIO) if audio else text


def ask(client, **message):
    reply = client.request({key.replace("_", "-"): value for key, value in message.items()})
    assert reply.get("result") == "ok", reply
    return reply


class Measure:
    """The difference of Redis' own counters, without those of the programs that only wait."""

    def __init__(self, redis):
        self.redis = redis
        self.before = self.counters()

    def info(self, section):
        return dict(line.split(":", 1) for line in self.redis.ask("INFO", section).split("\r\n") if ":" in line)

    def counters(self):
        scripts = {}
        for name, value in self.info("commandstats").items():
            if name in ("cmdstat_evalsha", "cmdstat_eval"):
                scripts["scripts"] = scripts.get("scripts", 0) + int(value.split(",")[0].split("=")[1])
        memory = int(self.info("memory")["used_memory"])
        stats = self.info("stats")
        return {"scripts": scripts.get("scripts", 0), "memory": memory, "in": int(stats["total_net_input_bytes"]),
                "out": int(stats["total_net_output_bytes"])}

    def since(self):
        now = self.counters()
        return {key: now[key] - self.before[key] for key in now}


def run(redis, e2ae, case, calls):
    name, mediums, audio = case
    offer, answer = body(UE, True, mediums, audio), body(CORE, False, mediums, audio)
    names = [f"{name}-{n:06}-a84b4c76e66710@pc33.example.com" for n in range(calls)]
    whole = Measure(redis)
    for call_id in names:
        for stream in ask(e2ae.client, command="offer", call_id=call_id, from_tag="1928301774", e2ae="originating",
                          replace=["origin", "session-connection"], direction=["access", "core"], sdp=offer)["e2ae"]["streams"]:
            assert stream["treatment"] != "reject", stream
        ask(e2ae.client, command="answer", call_id=call_id, from_tag="1928301774", to_tag="a6c85cf",
            replace=["origin", "session-connection"], sdp=answer)
    up = whole.since()
    record = len(redis.record(names[0]))
    usage = int(redis.ask("MEMORY", "USAGE", f"e2ae:call:{names[0]}"))
    for call_id in names:
        ask(e2ae.client, command="delete", call_id=call_id, from_tag="1928301774", delete_delay="0")
    done = whole.since()
    return (name, record, usage, up["memory"] / calls, done["scripts"] / calls, done["in"] / calls, done["out"] / calls)


def main():
    parser = argparse.ArgumentParser(prog="./dev bench records")
    parser.add_argument("--calls", type=int, default=1000, help="calls of each kind; default %(default)s")
    calls = parser.parse_args().calls
    redis = redisserver.Redis()
    upstream = rtpengine.Rtpengine(extra=("--log-level=4",), ports=(30000, 39999))
    # The heartbeats are commands, too: so far apart, they are none of the measurement.
    e2ae = plugin.Plugin(upstream.ng_address, ports=(40000, 59999), extra=(
        redis.option, "--node-id=bench", "--heartbeat-interval=30000", "--node-timeout=120000", "--log-level=4",
        f"--certificate={certs.Pair('agw-ecdsa').cert}", f"--private-key={certs.Pair('agw-ecdsa').key}"))
    procs.wait_until(lambda: e2ae.request(command="e2ae statistics")["e2ae"]["store"]["state"] == "ready", "Redis", 20)
    print("| call | record | memory of its key | memory in all | scripts | bytes to Redis | bytes from Redis |")
    print("|---|---|---|---|---|---|---|")
    for case in CASES:
        name, *figures = run(redis, e2ae, case, calls)
        print(f"| {name} | " + " | ".join(f"{figure:.0f}" for figure in figures) + " |")
    print(f"\n{calls} calls of each kind: offer, answer, delete; figures for one call; Redis "
          f"{Measure(redis).info('server')['redis_version']}")


main()
procs.stop_all()
