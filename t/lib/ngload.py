# SPDX-License-Identifier: GPL-3.0-or-later
"""A steady load of ng requests as the workers of a SIP proxy make it, and what has to be in Redis after it.

    load = Load(program.ng_address, rate=300)
    load.run(2.0)                   # seconds; or until a condition: load.run(until=lambda: ...)
    load.finish()                   # begins nothing more, and waits for the replies
    assert load.broken == []
    wait_equal(load, redis)         # the records are those of the replies

A worker has one socket and one request under way. It repeats that as Kamailio does, with the same cookie, after a
second without a reply, four times; and some requests once more although they have been answered, as if the reply had been
lost. What comes for one cookie is compared byte for byte. No two workers share a call.
"""
import collections
import json
import random
import select
import socket
import time

import certs
import msrpcall
import ng
import procs
import sdp

WORKERS = 24
REPEAT_AFTER, SENT_MAX = 1.0, 5
LOST_SHARE = 0.1  # of the replies
UE, CORE = procs.address(10), procs.address(9)
_NEW, _REOFFER, _DELETE = "new", "re-offer", "delete"


class Call:
    """What the proxy knows of a call: its state by the last request that was answered ok."""

    def __init__(self, name):
        self.name = name
        self.answered = False
        self.core_port = self.access_port = None  # ours, as the last SDP to that side had them
        self.exists = False
        self.doubt = None  # the command of a request that no reply ever came to
        self.other_cert = False


class _Worker:
    def __init__(self, load, number):
        self.load, self.number = load, number
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect(load.target)
        self.sock.setblocking(False)
        self.random = random.Random(number)
        self.steps = collections.deque()  # commands to come of one call
        self.call = None
        self.due = time.monotonic() + number * load.interval / WORKERS
        self.living = []
        self.cookie = self.packet = None
        self.deadline = self.sent = 0
        self.first = None  # the reply, once one has come
        self.command = None

    @property
    def busy(self):
        return self.cookie is not None

    # ---- what to do

    def _begin_turn(self):
        kind = self.random.choices((_NEW, _REOFFER, _DELETE), (50, 30, 20))[0]
        if not self.living:
            kind = _NEW
        if kind is _NEW:
            self.call = Call(f"load-{self.number}-{self.load.take_number()}@test.invalid")
            self.load.calls.append(self.call)
            self.steps.extend(["offer"] if self.random.random() < 0.1 else ["offer", "answer"])
            return
        self.call = self.living.pop(self.random.randrange(len(self.living)))
        if kind is _DELETE:
            self.steps.append("delete")
            return
        self.call.other_cert ^= self.random.random() < 0.5
        self.steps.extend(["offer"] if self.random.random() < 0.2 else ["offer", "answer"])

    def next(self, now):
        """Sends the next request when it is time for it."""
        if not self.steps:
            if self.load.ending:
                return
            self._begin_turn()
        self.command = self.steps.popleft()
        self.cookie = ng.cookie().encode()
        self.packet = self.cookie + b" " + ng.bencode(self._message())
        self.first, self.sent = None, 0
        self.load.counts["requests"] += 1
        self.due = max(self.due + self.load.interval, now)
        self._send(now)

    def _message(self):
        call = self.call
        message = {"command": self.command, "call-id": call.name, "from-tag": "ue", "supports": ["load limit"]}
        if self.command == "delete":
            return {**message, "delete-delay": 0}
        message["replace"] = ["origin", "session-connection"]
        if self.command == "answer":
            return {**message, "to-tag": "core", "sdp": self.load.core_sdp}
        message["sdp"] = self.load.ue_sdp[call.other_cert]
        return {**message, "to-tag": "core"} if call.exists else {**message, **msrpcall.ng_keys("originating")}

    def _send(self, now):
        self.sent += 1
        self.deadline = now + REPEAT_AFTER
        self.load.counts["repeats"] += self.sent > 1
        try:
            self.sock.send(self.packet)
        except ConnectionRefusedError:  # of the datagram before: the program is not there
            pass

    def tick(self, now):
        if not self.busy:
            if now >= self.due:
                self.next(now)
        elif now >= self.deadline:
            if self.sent < SENT_MAX:
                self._send(now)
            else:
                self._never_answered()

    # ---- what comes

    def receive(self, now):
        while True:
            try:
                datagram = self.sock.recv(65536)
            except (BlockingIOError, ConnectionRefusedError):
                return
            self._received(datagram, now)

    def _received(self, datagram, now):
        cookie, _, body = datagram.partition(b" ")
        known = self.load.replies.setdefault(cookie, body)
        self.load.datagrams += 1
        if known != body:
            self.load.broken.append(f"two replies to {cookie}: {known!r} and {body!r}")
        if cookie != self.cookie:
            return
        if self.first is None:
            self.first = body
            if self.random.random() < LOST_SHARE:
                self._send(now)  # it goes on with the reply to this
                return
        self._answered(ng.Reply(body))

    def _never_answered(self):
        self.load.counts["without a reply"] += 1
        self.call.doubt = self.command
        self._end_turn(keep=False)

    def _end_turn(self, keep):
        self.steps.clear()
        self.cookie = None
        if keep:
            self.living.append(self.call)

    def _answered(self, reply):
        call, command, result = self.call, self.command, reply.get("result")
        self.cookie = None
        self.load.counts[result] += 1
        if result == "ok" and "warning" not in reply:
            getattr(self, "_" + command)(call, reply)
            if not self.steps:
                self._end_turn(keep=call.exists)
        elif result in ("load limit", "error"):
            self.load.refused.append((command, reply))
            self._end_turn(keep=call.exists)
        else:
            self.load.broken.append(f"{command} of {call.name}: {dict(reply)}")
            self._end_turn(keep=False)

    @staticmethod
    def _offer(call, reply):
        call.exists, call.answered = True, False
        call.core_port = sdp.Sdp(reply["sdp"]).media[0].port

    @staticmethod
    def _answer(call, reply):
        call.answered = True
        call.access_port = sdp.Sdp(reply["sdp"]).media[0].port

    @staticmethod
    def _delete(call, _reply):
        call.exists = False


class Load:
    """@rate: requests in a second, of all workers together; repeats not counted."""

    def __init__(self, target, rate):
        self.target = target
        self.interval = WORKERS / rate
        self.counts = collections.Counter()
        self.calls, self.broken, self.refused = [], [], []
        self.replies = {}  # cookie -> the first reply
        self.datagrams = 0
        self.ending = False
        self.numbers = 0
        self.ue_sdp = [msrpcall.ue_sdp(UE, certs.Pair(name)) for name in ("ue-ecdsa", "other-ecdsa")]
        self.core_sdp = msrpcall.core_sdp(CORE, procs.free_port(CORE))
        self.workers = [_Worker(self, number) for number in range(WORKERS)]
        self.poller = select.poll()
        self.by_fd = {worker.sock.fileno(): worker for worker in self.workers}
        for fd in self.by_fd:
            self.poller.register(fd, select.POLLIN)

    def take_number(self):
        self.numbers += 1
        return self.numbers

    def _turn(self):
        for fd, _ in self.poller.poll(2):
            self.by_fd[fd].receive(time.monotonic())
        now = time.monotonic()
        for worker in self.workers:
            worker.tick(now)

    def run(self, seconds=0.0, until=None, what="", timeout=30.0):
        """Goes on for so long, or until a condition holds, which is looked at now and then."""
        began = looked = time.monotonic()
        while True:
            self._turn()
            now = time.monotonic()
            if not until and now - began >= seconds:
                return
            if until and now - looked >= 0.05:
                looked = now
                if until():
                    return
            if until and now - began > timeout * procs.PATIENCE:
                raise procs.Failure(f"waited in vain, under load, for {what}")

    def finish(self):
        """Begins nothing any more, and waits until every call has come to the end of what was begun."""
        self.ending = True
        self.run(until=lambda: not any(w.busy or w.steps for w in self.workers), what="the last replies")
        self.run(0.2)

    def resume(self):
        """Begins anew after finish(), with the same calls."""
        self.ending = False
        now = time.monotonic()
        for worker in self.workers:
            worker.due = now + worker.number * self.interval / WORKERS

    def existing(self):
        """The names of the calls that have to be there."""
        return {call.name for call in self.calls if call.exists and not call.doubt}

    def summary(self):
        refused = collections.Counter(command for command, _ in self.refused)
        return (", ".join(f"{count} {what}" for what, count in sorted(self.counts.items())) +
                f"; {self.datagrams} replies to {len(self.replies)} cookies; refused: {dict(refused)}")


def _state(record):
    """(answered, access port, core port) that the last request left in a record; None: not a call of the load."""
    dialog, = record["dialogs"]
    slot, = dialog["slots"]
    answered = dialog.get("answered", False)
    stream = slot.get("stream") if answered else slot.get("pending", slot.get("stream"))
    return answered, *(int(stream[side]["local"].rpartition(":")[2]) for side in ("access", "core"))


def _differs(call, text):
    if not text:
        return "is not there"
    answered, access, core = _state(json.loads(text))
    if answered != call.answered:
        return f"answered is {answered}"
    if core != call.core_port or (answered and access != call.access_port):
        return f"has ports {access} and {core}, not {call.access_port} and {call.core_port}"
    return None


class Comparison:
    """The calls of a load against the database: .wrong is to be empty, .compared and .gone say how many were looked at."""

    def __init__(self, load, redis):
        records = {key.removeprefix("e2ae:call:"): redis.ask("GET", key) for key in redis.ask("KEYS", "e2ae:call:*")}
        self.records = records
        self.wrong = []
        self.compared = self.gone = self.doubtful = 0
        for call in load.calls:
            text = records.pop(call.name, None)
            if call.doubt:
                self.doubtful += 1
            elif call.exists:
                self.compared += 1
                self._note(call, _differs(call, text))
            else:
                self.gone += 1
                self._note(call, "is there" if text else None)
        self.wrong += [f"{name} is no call of the load" for name in records]

    def _note(self, call, fault):
        if fault:
            self.wrong.append(f"{call.name} {fault}")

    def __str__(self):
        return (f"{self.compared} calls compared, {self.gone} deleted or refused ones not there, "
                f"{self.doubtful} without a last reply left out")


def wait_equal(load, redis, timeout=20):
    """Until the database is as the replies said; returns the last comparison."""
    last = []

    def same():
        last[:] = [Comparison(load, redis)]
        return not last[0].wrong
    try:
        procs.wait_until(same, "records as the replies were", timeout)
    except procs.Failure as failure:
        wrong = last[0].wrong
        raise procs.Failure(f"{failure}: {len(wrong)} of {last[0]} are wrong: {wrong[:10]}") from None
    return last[0]
