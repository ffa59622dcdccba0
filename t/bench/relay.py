# SPDX-License-Identifier: GPL-3.0-or-later
"""./dev bench relay: what relaying costs, beside three TLS relays of Debian; docs/performance.md says how to read it."""
import argparse
import os
import resource
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import procs
import relays

sys.excepthook = sys.__excepthook__
LOAD = os.path.join(procs.BUILD_DIR, "t", "bench", "load")
FILES = 65536
# A call of rtpengine-e2ae has two listeners and two connections.
FILES_PER_CALL = 4
FILES_RESERVE = 200
GB = 10 ** 9


class Case:
    """One line of the table: a mode of the load generator, and how its figure follows from CPU seconds or memory."""

    def __init__(self, name, title, mode, unit, scale, connections, count, key_type="ecdsa"):
        self.name, self.title, self.mode, self.unit, self.scale = name, title, mode, unit, scale
        self.connections, self.count, self.key_type = connections, count, key_type

    def fit(self, files):
        """Holds fewer connections where the limit on open files, the same for every relay, asks for it."""
        self.connections = min(self.connections, (files - FILES_RESERVE) // FILES_PER_CALL)
        self.title = self.title.format(self.connections)

    def rows(self):
        """The titles of what one measurement gives."""
        return [self.title, "- without what offer and answer took"] if self.mode == "hold" else [self.title]

    def calls(self):
        """How many calls a relay that wants signalling needs: one for each TLS connection that will ever be made."""
        return self.count if self.mode == "handshake" else self.connections


CASES = (
    Case("up-1", "UE->core bulk, 1 connection", "up", "CPU s/GB", GB, 1, GB),
    Case("up-16", "UE->core bulk, 16 connections", "up", "CPU s/GB", GB, 16, GB),
    Case("down-1", "core->UE bulk, 1 connection", "down", "CPU s/GB", GB, 1, GB),
    Case("down-16", "core->UE bulk, 16 connections", "down", "CPU s/GB", GB, 16, GB),
    Case("ping", "300-byte ping-pong, 1000 connections", "ping", "CPU us/round trip", 1e6, 1000, 60000),
    Case("ecdsa", "handshake + connect, ECDSA P-256", "handshake", "CPU ms", 1e3, 1, 1000),
    Case("rsa", "handshake + connect, RSA-2048", "handshake", "CPU ms", 1e3, 1, 1000, "rsa"),
    Case("memory", "idle connection, {} held", "hold", "kB", 1, 5000, 1),
)


class Load:
    """The load generator: waits for the relay's places, then for each word that it is told."""

    def __init__(self, case, core, ue):
        self.process = subprocess.Popen(
            [LOAD, f"--core={core[0]}:{core[1]}", f"--cert={ue.cert}", f"--key={ue.key}",
             f"--connections={case.connections}", f"--count={case.count}", case.mode],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.expect("ready")

    def tell(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def expect(self, word):
        words = self.process.stdout.readline().split()
        if words[:1] != [word]:
            self.process.wait()
            raise procs.Failure(f"the load generator ended with {self.process.returncode}; it was to say {word}")
        return words[1:]

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def measure(case, kind):
    """The figures of one relay, one for each of the case's rows."""
    core = (procs.address(9), procs.free_port(procs.address(9)))
    load = Load(case, core, certs.Pair(f"ue-{case.key_type}"))
    relay = kind(case.key_type, core)
    try:
        fresh = relays.resident_kb(relay.pid)
        for host, port in relay.targets(case.calls()):
            load.tell(f"{host} {port}")
        signalled = relays.resident_kb(relay.pid)
        load.tell("go")
        load.expect("established")
        held = relays.resident_kb(relay.pid)
        before = relays.cpu_seconds(relay.pid)
        load.tell("run")
        done, _ = load.expect("done")
        cpu = relays.cpu_seconds(relay.pid) - before
        load.tell("bye")
    finally:
        load.end()
        relay.stop()
    if case.mode == "hold":
        return [(held - fresh) / case.connections, (held - signalled) / case.connections]
    return [cpu * case.scale / int(done)]


def table(cases, kinds, figures):
    """@figures: by case and relay, the list of what measure() returned."""
    names = [kind.name for kind in kinds]
    rows = [(title, case.unit, [statistics.median(run[number] for run in figures[case, kind]) for kind in kinds])
            for case in cases for number, title in enumerate(case.rows())]
    print(f"\n{'median':40} {'unit':18}" + "".join(f"{name:>16}" for name in names))
    for title, unit, values in rows:
        print(f"{title:40} {unit:18}" + "".join(f"{value:16.3f}" for value in values))
    if kinds[0] is not relays.E2ae or len(kinds) < 2:
        return
    print(f"\n{'rtpengine-e2ae / peer (below 1: cheaper)':59}" + "".join(f"{name:>16}" for name in names[1:]))
    for title, _, (own, *others) in rows:
        print(f"{title:59}" + "".join(f"{own / other:16.2f}" for other in others))


def raise_file_limit():
    """To what this bench wants, or to what it may have; the relays inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for files in (FILES, min(FILES, hard)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
            return files
        except ValueError:
            continue
    return hard


def main():
    parser = argparse.ArgumentParser(prog="dev bench relay", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="measurements of each figure, of which the median counts")
    parser.add_argument("--cases", default=",".join(case.name for case in CASES), help="which; default %(default)s")
    parser.add_argument("--relays", default=",".join(kind.name for kind in relays.ALL), help="which; default %(default)s")
    options = parser.parse_args()
    cases = [case for case in CASES if case.name in options.cases.split(",")]
    kinds = [kind for kind in relays.ALL if kind.name in options.relays.split(",")]
    files = raise_file_limit()
    for case in cases:
        case.fit(files)
    figures = {}
    for case in cases:
        for run in range(options.runs):
            for kind in kinds:
                values = measure(case, kind)
                figures.setdefault((case, kind), []).append(values)
                print(f"{case.name:8} run {run + 1}  {kind.name:16} {values[0]:10.3f} {case.unit}", flush=True)
    table(cases, kinds, figures)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (procs.Failure, OSError) as error:
        sys.exit(f"dev bench relay: {error}")
