# SPDX-License-Identifier: GPL-3.0-or-later
"""./dev bench msrp: what reading and rewriting MSRP frames costs, beside relaying them unread; docs/performance.md."""
import argparse
import collections
import os
import random
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import msrpside
import plugin
import procs

sys.excepthook = sys.__excepthook__
LOAD = os.path.join(procs.BUILD_DIR, "t", "bench", "msrp-load")
PORTS = (12000, 19999)
GB = 10 ** 9

# What is in a file that is sent again and again: frames with bodies of one size.
Size = collections.namedtuple("Size", "name title body frames goal")
SIZES = (Size("2k", "bodies of 2 KiB", 2048, 64, 0.90), Size("10m", "bodies of 10 MB", 10_000_000, 1, 0.97))
# raw is the yardstick: TLS is ended, frames are not looked at.
Mode = collections.namedtuple("Mode", "name cema keys")
MODES = (Mode("raw", True, {"e2ae-path": "transparent", "e2ae-path-scheme": "keep"}),
         Mode("scheme", True, {"e2ae-path": "transparent", "e2ae-path-scheme": "swap"}),
         Mode("aware", False, {"e2ae-path": "aware"}))
WAYS = ("up", "down")


def cpu_seconds(pid):
    """Of all threads so far, to the nanosecond."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as stat:
            total += int(stat.read().split()[0])
    return total / 1e9


def bodies(size):
    """Lines of text where a client chunks a chat, bytes of anything where it sends a file."""
    bits = random.Random(1)
    if size.frames == 1:
        return [bits.randbytes(size.body)]
    letters = "abcdefghijklmnopqrstuvwxyz     "
    line = "".join(bits.choice(letters) for _ in range(70)) + "\r\n"
    return [(line * size.body).encode()[:size.body]] * size.frames


def file_of(name, size, to_path, from_path):
    """The frames as one end writes or reads them."""
    frames = []
    for number, body in enumerate(bodies(size)):
        tid = f"tid{number:09d}"
        frames.append(f"MSRP {tid} SEND\r\nTo-Path: {to_path}\r\nFrom-Path: {from_path}\r\nMessage-ID: {number}\r\n"
                      f"Failure-Report: no\r\nByte-Range: 1-{len(body)}/{len(body)}\r\n"
                      f"Content-Type: text/plain\r\n\r\n".encode() + body + f"\r\n-------{tid}$\r\n".encode())
    return procs.write_file(name, b"".join(frames))


class Load:
    """One run of the load generator, and the call for it."""

    def __init__(self, program, name, size, mode, way, volume):
        call = msrpside.Call(program, name, ue=dict(cema=mode.cema), core=dict(cema=mode.cema), **mode.keys)
        call.set_up()
        call.core.listener.close()  # the load generator listens there
        ends = (call.ue, call.core) if way == "up" else (call.core, call.ue)
        sent = file_of("send", size, ends[0].path(), ends[0].uri)
        expected = file_of("expect", size, ends[1].uri, ends[1].path())
        self.count = max(1, round(volume * GB / os.path.getsize(sent)))
        self.gigabytes = self.count * os.path.getsize(sent) / GB
        self.call = call
        self.process = subprocess.Popen(
            [LOAD, "--target=%s:%d" % call.ue.target(), f"--core={call.core.host}:{call.core.port}",
             f"--cert={msrpside.UE_CERT.cert}", f"--key={msrpside.UE_CERT.key}", f"--send={sent}",
             f"--expect={expected}", f"--count={self.count}", way], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.expect("established")

    def expect(self, word):
        line = self.process.stdout.readline().strip()
        if line != word:
            raise procs.Failure(f"the load generator said {line!r} instead of {word!r}, status {self.process.wait()}")

    def run(self):
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        self.expect("done")

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.call.delete()


def measure(program, name, size, mode, way, volume):
    """CPU seconds of the program per GB."""
    load = Load(program, name, size, mode, way, volume)
    try:
        before = cpu_seconds(program.process.pid)
        load.run()
        return (cpu_seconds(program.process.pid) - before) / load.gigabytes
    finally:
        load.end()


def report(figures, sizes):
    """The medians, and the throughput of a busy processor relative to raw: over 1 is cheaper. True: all goals met."""
    met = True
    print(f"\n{'CPU s/GB, median':32}" + "".join(f"{mode.name:>10}" for mode in MODES)
          + "".join(f"{'raw/' + mode.name:>14}" for mode in MODES[1:]) + f"{'goal':>8}")
    for size in sizes:
        for way in WAYS:
            values = [statistics.median(figures[size.name, mode.name, way]) for mode in MODES]
            ratios = [values[0] / value for value in values[1:]]
            met = met and min(ratios) >= size.goal
            title = f"{size.title}, {'UE to core' if way == 'up' else 'core to UE'}"
            print(f"{title:32}" + "".join(f"{value:10.3f}" for value in values)
                  + "".join(f"{ratio:14.3f}" for ratio in ratios) + f"{size.goal:8.2f}")
    return met


def main():
    parser = argparse.ArgumentParser(prog="dev bench msrp", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="measurements of each figure, of which the median counts")
    parser.add_argument("--volume", type=float, default=2.0, help="GB for each measurement")
    parser.add_argument("--sizes", default=",".join(size.name for size in SIZES), help="which; default %(default)s")
    options = parser.parse_args()
    sizes = [size for size in SIZES if size.name in options.sizes.split(",")]
    program = plugin.Plugin(None, ports=PORTS, extra=["--num-threads=1", "--log-level=4",
                                                      "--tls-ciphersuites=TLS_AES_128_GCM_SHA256", *msrpside.AGW_OPTIONS])
    figures = collections.defaultdict(list)
    for run in range(options.runs):
        for size in sizes:
            for way in WAYS:
                for mode in MODES:
                    value = measure(program, f"{run}-{size.name}-{way}-{mode.name}", size, mode, way, options.volume)
                    figures[size.name, mode.name, way].append(value)
                    print(f"run {run + 1}  {size.name:4} {way:5} {mode.name:7} {value:8.3f} CPU s/GB", flush=True)
    met = report(figures, sizes)
    print("\nrewriting costs no more than was asked for" if met else "\nrewriting costs MORE than was asked for")
    return 0 if met else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (procs.Failure, OSError) as error:
        sys.exit(f"dev bench msrp: {error}")
