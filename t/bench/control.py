# SPDX-License-Identifier: GPL-3.0-or-later
"""./dev bench ng: what the ng side costs: passing commands on to rtpengine, and calls of our own; docs/performance.md says
how to read it."""
import argparse
import os
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import msrpcall
import ng
import plugin
import procs
import relays
import rtpengine
import sdp

sys.excepthook = sys.__excepthook__
LOAD = os.path.join(procs.BUILD_DIR, "t", "bench", "ng-load")
COMMANDS = ("offer", "answer", "delete")
PORTS = (12000, 31999)
QUIET = ("--log-level=4",)


def audio_call():
    """What a proxy sends for a call of which nothing is ours."""
    def body(host, port):
        return sdp.lines("v=0", f"o=- 11 12 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0",
                         f"m=audio {port} RTP/AVP 8 0", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000", "a=sendrecv")
    return ({"sdp": body(procs.address(10), 4000), "direction": ["access", "core"]}, {"sdp": body(procs.address(9), 4002)})


def e2ae_call(audio):
    """A call with protected MSRP, alone or with audio."""
    ue, core = procs.address(10), procs.address(9)
    cert = certs.Pair("ue-ecdsa")
    return (dict(msrpcall.ng_keys("originating"), sdp=msrpcall.ue_sdp(ue, cert, audio=4000 if audio else None)),
            {"sdp": msrpcall.core_sdp(core, 7000, audio=4002 if audio else None)})


def command_files(offer, answer):
    keys = {"call-id": "CALLCALL@bench.invalid", "from-tag": "ue"}
    messages = (dict(keys, command="offer", **offer), dict(keys, command="answer", **{"to-tag": "core"}, **answer),
                dict(keys, command="delete", **{"delete-delay": 0}))
    return [procs.write_file(f"{message['command']}.ng", ng.bencode(message)) for message in messages]


class Servers:
    """rtpengine, and rtpengine-e2ae in front of it or alone, fresh for one measurement."""

    def __init__(self, with_rtpengine, with_plugin):
        self.rtpengine = rtpengine.Rtpengine(ports=(32000, 59999), extra=QUIET) if with_rtpengine else None
        upstream = self.rtpengine.ng_address if with_rtpengine else None
        self.plugin = plugin.Plugin(upstream, ports=PORTS, extra=QUIET) if with_plugin else None
        self.target = (self.plugin or self.rtpengine).ng_address

    def cpu(self):
        return [relays.cpu_seconds(server.process.pid) if server else 0.0 for server in (self.plugin, self.rtpengine)]

    def stop(self):
        for server in (self.plugin, self.rtpengine):
            if server:
                server.stop()


class Case:
    def __init__(self, name, title, ways, call):
        self.name, self.title, self.ways, self.call = name, title, ways, call


# A way is (its name, is there an rtpengine, is there rtpengine-e2ae).
DIRECT, THROUGH, ALONE = ("rtpengine directly", True, False), ("through rtpengine-e2ae", True, True), ("alone", False, True)
CASES = (
    Case("pass", "audio call, passed on", (DIRECT, THROUGH), audio_call),
    Case("msrp", "e2ae MSRP call", (ALONE,), lambda: e2ae_call(False)),
    Case("both", "e2ae MSRP and audio call", (THROUGH,), lambda: e2ae_call(True)),
)


def measure(way, files, calls, outstanding):
    """One run as a dictionary of figures."""
    servers = Servers(*way[1:])
    try:
        before = servers.cpu()
        result = subprocess.run(
            [LOAD, f"--target={servers.target[0]}:{servers.target[1]}", f"--calls={calls}",
             f"--outstanding={outstanding}"] + files, stdout=subprocess.PIPE, text=True, check=False)
        if result.returncode != 0:
            raise procs.Failure(f"{way[0]}: the load generator ended with {result.returncode}")
        cpu = [(after - start) * 1e6 / (calls * len(files)) for start, after in zip(before, servers.cpu())]
    finally:
        servers.stop()
    *steps, done = [line.split() for line in result.stdout.splitlines()]
    figures = {"own CPU us": cpu[0], "rtpengine CPU us": cpu[1], "calls/s": calls / float(done[2])}
    for command, (_, _, p50, p99) in zip(COMMANDS, steps):
        figures[f"{command} p50"], figures[f"{command} p99"] = float(p50), float(p99)
    return figures


def show(case, outstanding, runs):
    """@runs: figures of every run by way."""
    medians = {way: {key: statistics.median(run[key] for run in each) for key in each[0]} for way, each in runs.items()}
    keys = list(next(iter(medians.values())))
    print(f"\n{case.title}, {outstanding} outstanding: us, CPU for each command")
    print(" " * 26 + "".join(f"{key:>18}" for key in keys))
    for way, each in medians.items():
        print(f"{way:26}" + "".join(f"{each[key]:18.0f}" for key in keys))
    if len(case.ways) == 2:
        first, second = (medians[way[0]] for way in case.ways)
        print(f"{'added':26}" + "".join(f"{second[key] - first[key]:18.0f}" for key in keys), flush=True)


def main():
    parser = argparse.ArgumentParser(prog="dev bench ng", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="measurements of each figure, of which the median counts")
    parser.add_argument("--calls", type=int, default=2000, help="calls in one measurement; default %(default)s")
    parser.add_argument("--cases", default=",".join(case.name for case in CASES), help="which; default %(default)s")
    options = parser.parse_args()
    for case in CASES:
        if case.name not in options.cases.split(","):
            continue
        files = command_files(*case.call())
        for outstanding in (1, 16):
            runs = {way[0]: [] for way in case.ways}
            for _ in range(options.runs):
                for way in case.ways:
                    runs[way[0]].append(measure(way, files, options.calls, outstanding))
            show(case, outstanding, runs)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (procs.Failure, OSError) as error:
        sys.exit(f"dev bench ng: {error}")
