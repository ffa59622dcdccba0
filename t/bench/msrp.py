# SPDX-License-Identifier: GPL-3.0-or-later
"""./dev bench msrp: what reading and rewriting MSRP frames costs, beside relaying them unread; docs/performance.md."""
import argparse
import collections
import ctypes
import fcntl
import os
import random
import signal
import socket
import statistics
import struct
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
# Bytes after which the next mode has its turn. A neighbour of the machine slows down turns of all modes, and what counts is the
# quartile of those that were disturbed least.
TURN = 1_000_000
# An end writes a frame at once, of a long one so much.
RECORD = 16 * 1024
# As in the systemd unit: else a connection is slower than another by where its buffers happen to lie.
TUNABLES = {"GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=1073741824"}

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_SIOCSIFMTU = 0x8922
_IFF_UP = 1
_MTU = 1500


def own_network():
    """A network in which every socket has room for a turn. Else the sizes that the kernel happens to give to the buffers of
    one connection move its figures by a tenth. With the MTU of an Ethernet: with that of lo, a write of a few bytes less
    than 64 KiB is one packet and a full one is two."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        raise procs.Failure("no network namespace, run this as root: " + os.strerror(ctypes.get_errno()))
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH", b"lo", _IFF_UP).ljust(40, b"\0"))
        fcntl.ioctl(any_socket, _SIOCSIFMTU, struct.pack("16si", b"lo", _MTU).ljust(40, b"\0"))
    for buffer in ("tcp_rmem", "tcp_wmem"):
        with open(f"/proc/sys/net/ipv4/{buffer}", "w", encoding="ascii") as sizes:
            sizes.write("4096 33554432 33554432")
    with open("/proc/sys/net/ipv4/tcp_congestion_control", "w", encoding="ascii") as control:
        control.write("reno")  # is always there, and paces nothing


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
        tid = f"tid{number:09d}"  # all frames are of the same length
        frames.append(f"MSRP {tid} SEND\r\nTo-Path: {to_path}\r\nFrom-Path: {from_path}\r\nMessage-ID: {number:04d}\r\n"
                      f"Failure-Report: no\r\nByte-Range: 1-{len(body)}/{len(body)}\r\n"
                      f"Content-Type: text/plain\r\n\r\n".encode() + body + f"\r\n-------{tid}$\r\n".encode())
    return procs.write_file(name, b"".join(frames))


class Load:
    """A call and the load generator for it; takes down what CPU time the program spends on each turn."""

    def __init__(self, program, name, size, mode, way, packed=False):
        call = msrpside.Call(program, name, ue=dict(cema=mode.cema), core=dict(cema=mode.cema), **mode.keys)
        call.set_up()
        call.core.listener.close()  # the load generator listens there
        ends = (call.ue, call.core) if way == "up" else (call.core, call.ue)
        sent = file_of("send", size, ends[0].path(), ends[0].uri)
        expected = file_of("expect", size, ends[1].uri, ends[1].path())
        count = max(1, round(TURN / os.path.getsize(sent)))
        write = RECORD if packed else min(os.path.getsize(sent) // size.frames, RECORD)
        self.gigabytes = count * os.path.getsize(sent) / GB
        self.program, self.call, self.turns = program, call, []
        self.process = subprocess.Popen(
            [LOAD, "--target=%s:%d" % call.ue.target(), f"--core={call.core.host}:{call.core.port}",
             f"--cert={msrpside.UE_CERT.cert}", f"--key={msrpside.UE_CERT.key}", f"--send={sent}",
             f"--expect={expected}", f"--count={count}", f"--write={write}", way],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.expect("established")
        self.turn()  # buffers have grown to their size
        self.turns.clear()

    def expect(self, word):
        line = self.process.stdout.readline().strip()
        if line != word:
            raise procs.Failure(f"the load generator said {line!r} instead of {word!r}, status {self.process.wait()}")

    def turn(self):
        """The program finds the turn waiting for it, so it always has more to do than it can: else what is measured is how
        often it had to wait."""
        pid = self.program.process.pid
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED)
        before = cpu_seconds(pid)
        try:
            self.process.stdin.write("run\n")
            self.process.stdin.flush()
            self.expect("filled")
        finally:
            os.kill(pid, signal.SIGCONT)
        self.expect("done")
        self.turns.append((cpu_seconds(pid) - before) / self.gigabytes)

    def per_gigabyte(self):
        return statistics.quantiles(self.turns, n=4)[0]

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.call.delete()


def measure(program, name, size, way, options):
    """CPU seconds of the program per GB, of each mode."""
    loads = []
    try:
        for mode in MODES:
            loads.append(Load(program, f"{name}-{mode.name}", size, mode, way, options.packed))
        for _ in range(round(options.volume / loads[0].gigabytes)):
            for load in loads:
                load.turn()
        return [load.per_gigabyte() for load in loads]
    finally:
        for load in loads:
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
    parser.add_argument("--volume", type=float, default=2.0, help="GB for each figure of a measurement")
    parser.add_argument("--packed", action="store_true", help="write 16 KiB at once, whatever is in them")
    parser.add_argument("--sizes", default=",".join(size.name for size in SIZES), help="which; default %(default)s")
    options = parser.parse_args()
    sizes = [size for size in SIZES if size.name in options.sizes.split(",")]
    own_network()
    os.environ.update(TUNABLES)
    program = plugin.Plugin(None, ports=PORTS, extra=["--num-threads=1", "--log-level=4",
                                                      "--tls-ciphersuites=TLS_AES_128_GCM_SHA256", *msrpside.AGW_OPTIONS])
    figures = collections.defaultdict(list)
    for run in range(options.runs):
        for size in sizes:
            for way in WAYS:
                values = measure(program, f"{run}-{size.name}-{way}", size, way, options)
                for mode, value in zip(MODES, values):
                    figures[size.name, mode.name, way].append(value)
                print(f"run {run + 1}  {size.name:4} {way:5}"
                      + "".join(f"{mode.name:>10} {value:.3f}" for mode, value in zip(MODES, values)), "CPU s/GB", flush=True)
    met = report(figures, sizes)
    print("\nrewriting costs no more than was asked for" if met else "\nrewriting costs MORE than was asked for")
    return 0 if met else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (procs.Failure, OSError) as error:
        sys.exit(f"dev bench msrp: {error}")
