# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers for tests: started with their own addresses, waited for by condition, always ended by pid.

Several test files may run at once (make -j). Each takes a number that nobody else on the machine holds; its loopback
addresses and ports follow from it, so two tests never meet on a socket.
"""
import atexit
import ctypes
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import tap

BUILD_DIR = os.environ.get("G_TEST_BUILDDIR") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCE_DIR = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
POLL_INTERVAL = 0.01
# Under sanitizers and on a loaded machine everything takes longer; a limit only says when to give up.
PATIENCE = float(os.environ.get("E2AE_TEST_PATIENCE", "1"))

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1
_servers = []
_directory = None


class Failure(Exception):
    """Something outside the assertions went wrong: a server that does not start, a wait that got no result."""


def wait_until(condition, what, timeout=15.0):
    """Returns the first true value of condition(); raises Failure with what was waited for."""
    end = time.monotonic() + timeout * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"waited {timeout * PATIENCE:.0f} s in vain for: {what}")
        select.select([], [], [], POLL_INTERVAL)


def directory():
    """The test's own temporary directory; kept when a check failed and E2AE_TEST_KEEP is set."""
    global _directory
    if _directory is None:
        _directory = tempfile.mkdtemp(prefix="e2ae-test-")
        os.chmod(_directory, 0o755)
    return _directory


def path_of(name):
    return os.path.join(directory(), name)


def write_file(name, content):
    with open(path_of(name), "wb" if isinstance(content, bytes) else "w") as out:
        out.write(content)
    return path_of(name)


class _Slot:
    """A number from 1 to 250, held through an abstract socket name as long as this process lives."""

    def __init__(self):
        for number in range(1, 251):
            guard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                guard.bind(f"\0e2ae-test-slot-{number}")
            except OSError:
                guard.close()
                continue
            self.guard = guard
            self.number = number
            return
        raise Failure("no free test slot")


_slot = None


def slot():
    global _slot
    if _slot is None:
        _slot = _Slot()
    return _slot.number


def address(host):
    """A loopback address of this test alone: address(1) and address(2) are 127.0.SLOT.1 and .2."""
    return f"127.0.{slot()}.{host}"


def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def bracketed(host):
    """A host as it stands before a port or in a URI: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def place(host, port):
    return f"{bracketed(host)}:{port}"


def kernel_table(kind, host, port):
    """Where Linux lists the sockets of such an address, and how it writes it: ("/proc/net/tcp", "0100007F:0050")."""
    packed = socket.inet_pton(family(host), host)
    words = [packed[at:at + 4][::-1].hex().upper() for at in range(0, len(packed), 4)]
    return f"/proc/net/{kind}{6 if ':' in host else ''}", f"{''.join(words)}:{port:04X}"


def kernel_address(text):
    """The address of an entry there, without its port."""
    raw = bytes.fromhex(text)
    packed = b"".join(raw[at:at + 4][::-1] for at in range(0, len(raw), 4))
    return socket.inet_ntop(socket.AF_INET6 if len(packed) == 16 else socket.AF_INET, packed)


def free_port(host, kind=socket.SOCK_STREAM):
    """A port that could be bound just now; low enough to stay away from the ephemeral range."""
    for number in _ports:
        with socket.socket(family(host), kind) as probe:
            try:
                probe.bind((host, number))
            except OSError:
                continue
            return number
    raise Failure(f"no free port on {host}")


def _count_ports():
    number = 10000
    while True:
        number = number + 2 if number < 29000 else 10000
        yield number


_ports = _count_ports()


def udp_socket(host, port=0):
    sock = socket.socket(family(host), socket.SOCK_DGRAM)
    sock.bind((host, port or free_port(host, socket.SOCK_DGRAM)))
    sock.setblocking(False)
    return sock


def tcp_listener(host, port=0):
    sock = socket.socket(family(host), socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port or free_port(host)))
    sock.listen(16)
    sock.setblocking(False)
    return sock


def _end_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


class Server:
    """One child process with its output in a file. Ended by stop() or, at the latest, when the test ends."""

    def __init__(self, name, argv, env=None, stdin=subprocess.DEVNULL):
        self.name = name
        self.argv = argv
        self.log_path = path_of(f"{len(_servers)}-{name}.log")
        program = argv[0] if os.sep in argv[0] else shutil.which(argv[0])
        if not program or not os.access(program, os.X_OK):
            raise Failure(f"{name}: no program {argv[0]}")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [program] + argv[1:], stdin=stdin, stdout=log, stderr=subprocess.STDOUT,
                env=dict(os.environ, **(env or {})), cwd=directory(), start_new_session=True,
                preexec_fn=_end_with_parent)
        _servers.append(self)

    def log(self):
        with open(self.log_path, "rb") as log:
            return log.read().decode("utf-8", "replace")

    def logs(self):
        """[(name, text)] worth showing when a check failed."""
        return [(self.name, self.log())]

    def running(self):
        return self.process.poll() is None

    def wait_ready(self, condition, timeout=20.0):
        """Waits for the real condition; a server that ended meanwhile is reported with its log."""
        def ready():
            if not self.running():
                raise Failure(f"{self.name} ended with {self.process.returncode}:\n{self.log()[-3000:]}")
            return condition()
        wait_until(ready, f"{self.name} to be ready", timeout)

    def wait_log(self, text, timeout=15.0):
        wait_until(lambda: text in self.log(), f"'{text}' in the log of {self.name}", timeout)

    def wait(self, timeout=30.0):
        """Waits for the process to end by itself and returns its status."""
        wait_until(lambda: not self.running(), f"{self.name} to end", timeout)
        return self.process.returncode

    def stop(self, number=signal.SIGTERM, timeout=15.0):
        """Asks it to end, insists when it does not, returns its status; -SIGKILL means it had to be killed."""
        if self.running():
            self.process.send_signal(number)
            try:
                self.process.wait(timeout * PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def kill(self):
        """Ends it and the children it left in its session, at once."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def stop_all():
    for server in reversed(_servers):
        if server.running():
            server.stop(timeout=5)
        try:
            os.killpg(server.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def _logs():
    return [entry for server in _servers for entry in server.logs()]


def _remove_directory():
    if _directory and not (tap.failed() and os.environ.get("E2AE_TEST_KEEP")):
        shutil.rmtree(_directory, ignore_errors=True)


def _on_signal(number, _frame):
    sys.exit(128 + number)


signal.signal(signal.SIGTERM, _on_signal)
signal.signal(signal.SIGHUP, _on_signal)
atexit.register(_remove_directory)
atexit.register(stop_all)
tap.on_failure(_logs)
tap.on_finish(stop_all)
