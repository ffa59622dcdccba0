# SPDX-License-Identifier: GPL-3.0-or-later
"""Many calls at once in one thread: UEs with TLS and their certificate, core endpoints that the gateway connects to.

    crowd = Crowd(program.client, 500, ue_host, core_host, cert, ue_inside=a, core_inside=b)
    none(crowd.set_up())        # one offer and answer for each call, half MSRP, half BFCP
    none(crowd.connect())       # every UE, and through the gateway every core
    none(crowd.exchange())      # a token each way in each call: MSRP SEND and its 200, or BFCP messages
    crowd.close()
    none(crowd.connect(60))     # again, without signalling; tries on until the time is over
    crowd.delete()

Every step returns what failed, as texts. What a UE accepts is the certificate that the last SDP signalled, nothing else:
another one is a failure at once. .client may be replaced by that of another node between two steps.
"""
import collections
import contextlib
import errno
import heapq
import itertools
import resource
import secrets
import selectors
import socket
import ssl
import time

import certs
import media
import procs
import sdp
from crowdframes import BfcpSide, Broken, MsrpSide

ATTEMPT = 5.0   # a connection that is not up by then is tried again
PAUSE = 0.2     # before the next try
WINDOW = 50     # UEs that try at the same time; the two ends share the processors for all their handshakes
_CHUNK = 65536
_GRACE = 1.0    # for what is ready when the time is over
_WANTS = {ssl.SSLWantReadError: selectors.EVENT_READ, ssl.SSLWantWriteError: selectors.EVENT_WRITE}
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


def none(failed):
    """A step has failed for nobody."""
    assert not failed, f"{len(failed)}: {'; '.join(failed[:3])}"


class _Link:
    """One non-blocking connection in the crowd's selector."""

    def __init__(self, crowd, sock, handler):
        self.crowd, self.sock, self.handler = crowd, sock, handler
        self.events = 0
        self.out = b""
        self.buffer = bytearray()

    def watch(self, events):
        selector = self.crowd.selector
        if events and self.events:
            selector.modify(self.sock, events, self)
        elif events:
            selector.register(self.sock, events, self)
        elif self.events:
            selector.unregister(self.sock)
        self.events = events

    def send(self, data):
        self.out += data
        self.flush()

    def flush(self):
        try:
            while self.out:
                self.out = self.out[self.sock.send(self.out):]
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        self.watch(_READ | (_WRITE if self.out else 0))

    def read(self):
        """Takes what is there into .buffer; False at the end of the stream."""
        while True:
            try:
                data = self.sock.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return True
            if not data:
                return False
            self.buffer += data

    def close(self):
        self.watch(0)
        self.sock.close()


class Member:
    """One call: the UE's end and the core's."""

    def __init__(self, crowd, number, medium):
        self.crowd, self.number, self.medium = crowd, number, medium
        self.call_id = f"crowd-{procs.slot()}-{number}-{secrets.token_hex(4)}"
        self.session = f"s{number}x{secrets.token_hex(6)}"
        with crowd.core_inside:
            self.listener = _Link(crowd, _listen(crowd.core_host), self._accept)
        self.core_port = self.listener.sock.getsockname()[1]
        self.target = None         # where the gateway's SDP tells the UE to connect to
        self.fingerprints = []     # what it signals
        self.ue = self.core = None
        self.sides = {}
        self.attempt = 0
        self.awaits_core = False
        self.reason = "never tried"

    def __str__(self):
        return f"{self.call_id} ({self.medium.name})"

    # ---- signalling

    def negotiate(self, indication=True):
        """Offer of the UE and answer of the core; later ones are re-offers."""
        crowd = self.crowd
        offered = media.description(crowd.ue_host, media.section(
            self.medium, crowd.ue_host, 9, True, "active", [crowd.cert.fingerprint()], indication, self.session))
        keys = {} if self.target else dict(crowd.keys, direction=["access", "core"])
        if self.target:
            keys["to-tag"] = "core"
        at_core = self._request("offer", offered, **{"from-tag": "ue", **keys})
        answered = media.description(crowd.core_host, media.section(
            self.medium, crowd.core_host, self.core_port, False, "passive", (), False, self.session + "c"))
        at_ue = self._request("answer", answered, **{"from-tag": "ue", "to-tag": "core"})
        self.target = at_ue.endpoint(0)
        self.fingerprints = at_ue.media[0].values("fingerprint")
        if self.medium is media.MSRP:
            self.sides = {"ue": MsrpSide(_path(offered), at_ue.media[0].value("path")),
                          "core": MsrpSide(_path(answered), at_core.media[0].value("path"))}
        else:
            self.sides = {"ue": BfcpSide(), "core": BfcpSide()}

    def _request(self, command, text, **keys):
        message = {"command": command, "call-id": self.call_id, "replace": ["origin", "session-connection"],
                   "sdp": text, **keys}
        reply = self.crowd.client.request(message)
        if reply.get("result") != "ok":
            raise Broken(f"{command}: {reply.get('error-reason') or dict(reply)}")
        stream = reply["e2ae"]["streams"][0]
        if stream["treatment"] != "e2ae":
            raise Broken(f"{command}: {stream['treatment']}: {stream.get('reason')}")
        return sdp.Sdp(reply["sdp"])

    def delete(self):
        reply = self.crowd.client.request({"command": "delete", "call-id": self.call_id, "from-tag": "ue",
                                           "delete-delay": 0})
        if reply.get("result") != "ok":
            raise Broken(f"delete: {reply.get('error-reason') or dict(reply)}")

    # ---- the UE connects

    def start(self):
        self.drop_ue()
        for side in self.sides.values():
            side.reset()
        self.attempt += 1
        self.awaits_core = True
        self.crowd.later(ATTEMPT * procs.PATIENCE, self._attempt_over, self.attempt)
        with self.crowd.ue_inside:
            sock = socket.socket(socket.AF_INET6 if ":" in self.crowd.ue_host else socket.AF_INET)
            sock.setblocking(False)
            sock.bind((self.crowd.ue_host, 0))
        self.ue = _Link(self.crowd, sock, self._connected)
        error = sock.connect_ex(self.target)
        if error not in (0, errno.EINPROGRESS):
            self._again(f"connect: {errno.errorcode.get(error, error)}")
            return
        self.ue.watch(_WRITE)

    def _connected(self, _events):
        error = self.ue.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self._again(f"connect: {errno.errorcode.get(error, error)}")
            return
        self.ue.watch(0)
        try:
            sock = self.crowd.context.wrap_socket(self.ue.sock, do_handshake_on_connect=False)
        except OSError as reason:
            self._again(f"connect: {reason}")
            return
        sock.setblocking(False)
        self.ue = _Link(self.crowd, sock, self._handshake)
        self._handshake(0)

    def _handshake(self, _events):
        try:
            self.ue.sock.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as wants:
            self.ue.watch(_WANTS[type(wants)])
            return
        except OSError as reason:
            self._again(f"handshake: {reason}")
            return
        shown = certs.fingerprint_of(self.ue.sock.getpeercert(True))
        if f"sha-256 {shown}" not in self.fingerprints:
            self.fail(f"the gateway's certificate {shown} is not among {self.fingerprints}")
            return
        self.ue.handler = self._ue_ready
        self.ue.watch(_READ)
        self._ue_ready(0)
        self._maybe_up()

    def _again(self, reason):
        """This attempt came to nothing; another follows."""
        self.reason = reason
        self.drop_ue()
        if self in self.crowd.pending:
            self.crowd.later(PAUSE, self._retry, self.attempt)

    def _retry(self, attempt):
        if attempt == self.attempt and self in self.crowd.pending:
            self.start()

    def _attempt_over(self, attempt):
        if attempt == self.attempt and self in self.crowd.pending and self.crowd.connecting:
            self._again("the UE's connection is not up" if not self.is_open() else "the gateway did not connect to the core")

    def is_open(self):
        return self.ue is not None and self.ue.handler == self._ue_ready

    def _maybe_up(self):
        if self.crowd.connecting and self.is_open() and self.core and not self.awaits_core:
            self.crowd.succeeded(self)

    # ---- the core

    def _accept(self, _events):
        try:
            sock, _ = self.listener.sock.accept()
        except OSError:
            return
        self.drop_core()
        sock.setblocking(False)
        self.core = _Link(self.crowd, sock, self._core_ready)
        self.core.watch(_READ)
        self.awaits_core = False
        self._maybe_up()

    # ---- bytes

    def _ue_ready(self, events):
        self._ready("ue", events)

    def _core_ready(self, events):
        self._ready("core", events)

    def _ready(self, name, events):
        link = self.ue if name == "ue" else self.core
        try:
            if events & _WRITE:
                link.flush()
            alive = link.read()
            for reply in self.sides[name].take(link.buffer):
                link.send(reply)
        except Broken as reason:
            self.fail(f"at the {name}: {reason}")
            return
        except OSError as reason:
            alive = False
            self.reason = f"the {name}'s connection: {reason}"
        if not alive:
            self._ended(name)
        elif self in self.crowd.pending and not self.crowd.connecting and self.complete():
            self.crowd.succeeded(self)

    def _ended(self, name):
        if name == "core":
            self.drop_core()
        elif self.crowd.connecting and self in self.crowd.pending:
            self._again("the gateway closed the UE's connection")
            return
        else:
            self.drop_ue()
        if self.crowd.connecting or self not in self.crowd.pending:
            return
        self.fail(f"the {name}'s connection has ended")

    def say(self):
        """A new token each way."""
        for name, link in (("ue", self.ue), ("core", self.core)):
            if not link:
                self.fail(f"the {name} has no connection")
                return
            other = self.sides["core" if name == "ue" else "ue"]
            token = secrets.token_hex(self.crowd.size // 2).encode()
            try:
                link.send(self.sides[name].say(token))
            except OSError as reason:
                self.fail(f"the {name} cannot send: {reason}")
                return
            other.expect(token)

    def complete(self):
        return all(side.complete() for side in self.sides.values())

    def missing(self):
        return "; ".join(f"{name} waits for {side.missing()}" for name, side in self.sides.items() if side.missing())

    def fail(self, reason):
        self.reason = reason
        self.crowd.failed[self] = reason
        self.crowd.pending.discard(self)

    def drop_ue(self):
        if self.ue:
            self.ue.close()
            self.ue = None

    def drop_core(self):
        if self.core:
            self.core.close()
            self.core = None


def _path(text):
    return sdp.Sdp(text).media[0].value("path")


def _listen(host):
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    sock.bind((host, 0))
    sock.listen(4)
    sock.setblocking(False)
    return sock


def context(cert):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the fingerprint is what counts, and is checked
    context.load_cert_chain(cert.cert, cert.key)
    return context


class Crowd:
    """@client: an ng client of the gateway. @ue_inside, @core_inside: what to enter (netns.Host) before sockets of UEs and
    cores are made. @size: bytes of a token. @keys: of every first offer."""

    def __init__(self, client, calls, ue_host, core_host, cert, ue_inside=None, core_inside=None, size=64, keys=None):
        self.client, self.cert, self.size = client, cert, size
        self.ue_host, self.core_host = ue_host, core_host
        self.ue_inside = ue_inside or contextlib.nullcontext()
        self.core_inside = core_inside or contextlib.nullcontext()
        self.keys = keys or {"e2ae": "originating"}
        self.context = context(cert)
        self.selector = selectors.DefaultSelector()
        self.timers, self.order = [], itertools.count()
        self.pending, self.failed = set(), {}
        self.waiting, self.start = collections.deque(), None
        self.connecting = False
        self.began = 0.0
        self.seconds = {}  # by member: how long the last step took for it
        _raise_file_limit(calls * 3 + 200)
        self.members = [Member(self, n, (media.MSRP, media.BFCP)[n % 2]) for n in range(calls)]
        for member in self.members:
            member.listener.watch(_READ)

    # ---- the steps

    def set_up(self, members=None, indication=True):
        """Offer and answer of each call, or, once that was done, a re-offer and its answer."""
        return self._each(Member.negotiate, members, indication)

    def delete(self, members=None):
        failed = self._each(Member.delete, members)
        self.close(members)
        return failed

    def connect(self, timeout=30.0, members=None):
        """Every UE connects anew and waits until the gateway has connected to its core."""
        members = list(self.members if members is None else members)
        for member in members:
            member.drop_ue()  # or its end would be taken for that of the new connection
        self.connecting = True
        failed = self._step(members, timeout, Member.start, lambda member: member.reason)
        self.connecting = False
        return failed

    def exchange(self, timeout=30.0, members=None):
        """A new token each way; what arrives otherwise, or not, is a failure."""
        return self._step(members, timeout, Member.say, Member.missing)

    def close(self, members=None, timeout=5.0):
        """Every UE ends its connection, and the cores have some time to see that."""
        members = list(self.members if members is None else members)
        for member in members:
            if member.ue and member.is_open():
                with contextlib.suppress(OSError):
                    member.ue.sock.unwrap()
            member.drop_ue()
        self._run(lambda: not any(member.core for member in members), timeout)

    def standing(self):
        """The members whose connections are both up, after a look at every socket."""
        self._run(lambda: False, 0.0)
        return [member for member in self.members if member.is_open() and member.core]

    def end(self):
        """Closes every socket."""
        for member in self.members:
            member.drop_ue()
            member.drop_core()
            member.listener.close()
        self.selector.close()

    # ---- how they are done

    def _each(self, action, members, *args):
        failed = []
        for member in self.members if members is None else members:
            try:
                action(member, *args)
            except (Broken, AssertionError, KeyError, procs.Failure) as reason:
                failed.append(f"{member}: {type(reason).__name__}: {reason}")
        return failed

    def _step(self, members, timeout, start, why):
        members = list(self.members if members is None else members)
        self.pending, self.failed, self.timers, self.seconds = set(members), {}, [], {}
        self.began = time.monotonic()
        for member in members:
            if not member.target:
                member.fail("was never set up")
        self.waiting, self.start = collections.deque(member for member in members if member.target), start
        self._run(lambda: not self.pending, timeout)
        for member in self.pending:
            self.failed[member] = why(member)
        self.pending, self.waiting = set(), collections.deque()
        return [f"{member}: {self.failed[member]}" for member in members if member in self.failed]

    def succeeded(self, member):
        if member in self.pending:
            self.pending.discard(member)
            self.seconds[member] = time.monotonic() - self.began

    def later(self, seconds, action, *args):
        heapq.heappush(self.timers, (time.monotonic() + seconds, next(self.order), action, args))

    def _run(self, done, timeout):
        end = time.monotonic() + timeout * procs.PATIENCE
        while True:
            now = time.monotonic()
            while self.timers and self.timers[0][0] <= now:
                _, _, action, args = heapq.heappop(self.timers)
                action(*args)
            while self.waiting and len(self.pending) - len(self.waiting) < WINDOW:
                self.start(self.waiting.popleft())
            if done():
                return
            until = min(end, self.timers[0][0] if self.timers else end)
            ready = self.selector.select(max(0.0, until - now))
            for key, events in ready:
                if key.data.events:  # not closed by one before it
                    key.data.handler(events)
            over = time.monotonic() - end
            if over >= (_GRACE if ready else 0.0):
                return


def _raise_file_limit(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE,
                           (wanted, hard if hard == resource.RLIM_INFINITY else max(hard, wanted)))
