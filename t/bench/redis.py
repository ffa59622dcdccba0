# SPDX-License-Identifier: GPL-3.0-or-later
"""./dev bench redis: what it costs to keep calls in Redis, beside the memory store and beside redis-benchmark on the same
server; docs/performance.md says how to read it."""
import argparse
import csv
import os
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import control
import plugin
import procs
import redisserver
import relays

sys.excepthook = sys.__excepthook__
# Of each call: a record with the offer, one with the answer, and its end.
WRITES = 3
PIPELINE = 16
COMMANDS = 3
AGW = certs.Pair("agw-ecdsa")

# A row: (its name, is there a Redis, does it keep a log of what is written).
MEMORY, REDIS, APPEND = ("memory store", False, False), ("Redis", True, False), ("Redis, appendonly", True, True)
ROWS = (MEMORY, REDIS, APPEND)


def start(redis):
    options = [redis.option, "--node-id=bench"] if redis else []
    return plugin.Plugin(None, ports=control.PORTS, name="rtpengine-e2ae",
                         extra=(*control.QUIET, f"--certificate={AGW.cert}", f"--private-key={AGW.key}", *options))


def record_size(redis):
    """Bytes of the record of an answered call, as the calls of the measurement have."""
    program = start(redis)
    offer, answer = control.e2ae_call(False)
    keys = {"call-id": "00000001@bench.invalid", "from-tag": "ue"}
    for message in (dict(keys, command="offer", **offer), dict(keys, command="answer", **{"to-tag": "core"}, **answer)):
        reply = program.client.request(message)
        if reply.get("result") != "ok":
            raise procs.Failure(f"{message['command']}: {reply}")
    size = len(redis.record(keys["call-id"]))
    program.request(command="delete", delete_delay="0", **{"call-id": keys["call-id"], "from-tag": "ue"})
    program.stop()
    return size


def sets_per_second(redis, size, count):
    """What redis-benchmark gets out of this server, with values of the size of a record."""
    result = subprocess.run(
        ["redis-benchmark", "-h", redis.host, "-p", str(redis.port), "-t", "set", "-P", str(PIPELINE), "-d", str(size),
         "-r", "1000", "-n", str(count), "--csv"], stdout=subprocess.PIPE, text=True, check=True)
    rows = list(csv.DictReader(result.stdout.splitlines()))
    return float(rows[0]["rps"])


def load(program, redis, files, calls, outstanding):
    """One run as a dictionary of figures."""
    pids = [program.process.pid] + ([redis.server.process.pid] if redis else [])
    before = [relays.cpu_seconds(pid) for pid in pids]
    result = subprocess.run(
        [control.LOAD, f"--target={program.ng_address[0]}:{program.ng_address[1]}", f"--calls={calls}",
         f"--outstanding={outstanding}"] + files, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode != 0:
        raise procs.Failure(f"the load generator ended with {result.returncode}")
    cpu = [(relays.cpu_seconds(pid) - was) * 1e6 / (calls * COMMANDS) for pid, was in zip(pids, before)]
    offer, _, _, done = [line.split() for line in result.stdout.splitlines()]
    return {"calls/s": calls / float(done[2]), "offer p50": float(offer[2]), "offer p99": float(offer[3]),
            "own CPU us": cpu[0], "Redis CPU us": cpu[1] if redis else 0.0}


def measure(row, files, options):
    """(figures with one call at a time, figures with many, SET/s of redis-benchmark), each on a fresh server and program."""
    redis = redisserver.Redis(appendonly=row[2]) if row[1] else None
    program = start(redis)
    try:
        alone = load(program, redis, files, options.calls, 1)
        many = load(program, redis, files, options.calls * 4, options.outstanding)
        program.stop()
        sets = sets_per_second(redis, options.size, options.calls * 100) if redis else 0.0
        return alone, many, sets
    finally:
        program.stop()
        if redis:
            redis.server.stop()


def medians(runs):
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def show(title, rows):
    keys = list(rows[MEMORY])
    print(f"\n{title:36}" + "".join(f"{key:>14}" for key in keys))
    for row, figures in rows.items():
        print(f"{row[0]:36}" + "".join(f"{figures[key]:14.0f}" for key in keys))


def report(figures, options):
    alone = {row: medians([run[0] for run in runs]) for row, runs in figures.items()}
    many = {row: medians([run[1] for run in runs]) for row, runs in figures.items()}
    show("one call at a time", alone)
    show(f"{options.outstanding} calls at once", many)
    print(f"\n{'':36}{'calls/s':>14}{'SET/s of':>18}{'writes/s':>14}\n"
          f"{'':36}{'/ memory':>14}{'redis-benchmark':>18}{'/ SET/s':>14}")
    for row in (REDIS, APPEND):
        sets = statistics.median(run[2] for run in figures[row])
        rate = many[row]["calls/s"]
        print(f"{row[0]:36}{rate / many[MEMORY]['calls/s']:14.2f}{sets:18.0f}{rate * WRITES / sets:14.2f}")


def main():
    parser = argparse.ArgumentParser(prog="dev bench redis", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="measurements of each figure, of which the median counts")
    parser.add_argument("--calls", type=int, default=2000, help="calls one at a time, and four times as many at once")
    parser.add_argument("--outstanding", type=int, default=64, help="calls at once")
    options = parser.parse_args()
    files = control.command_files(*control.e2ae_call(False))
    probe = redisserver.Redis()
    options.size = record_size(probe)
    probe.server.stop()
    print(f"a record has {options.size} bytes, and so have the values of redis-benchmark")
    figures = {row: [] for row in ROWS}
    for run in range(options.runs):
        for row in ROWS:
            alone, many, sets = measure(row, files, options)
            figures[row].append((alone, many, sets))
            print(f"run {run + 1}  {row[0]:20} {many['calls/s']:10.0f} calls/s, offer {alone['offer p50']:.0f} us"
                  + (f", SET/s {sets:.0f}" if sets else ""), flush=True)
    report(figures, options)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (procs.Failure, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"dev bench redis: {error}")
