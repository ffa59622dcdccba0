# SPDX-License-Identifier: GPL-3.0-or-later
"""A strict MSRP endpoint (RFC 4975) for tests, over TCP or TLS.

It compares whole URIs, scheme included, as RFC 4975 6.1 says: To-Path with its own path, From-Path with the path that
the peer's SDP gave; anything else is answered with 481 or 400 and remembered in .refusals. Bodies are hashed as they
come, so a message of any size costs no memory.

    bob = msrp.Endpoint("msrp://127.0.0.1:7000/b0b;tcp", "msrp://127.0.0.1:2855/a11ce;tcp")
    bob.listen("127.0.0.1", 7000)
    alice.connect("127.0.0.1", 7000)            # sends an empty SEND at once, which binds the session
    sent = alice.send(msrp.Pattern(100_000_000), success_report=True)
    alice.wait_done(sent); message = bob.wait_message()
"""
import hashlib
import re
import socket
import ssl
import threading

import certs
import procs
from msrpwire import Malformed, Pattern, Reader, ident, same_session, same_uri

READ_SIZE = 65536
QUEUE_LIMIT = 1 << 20
BYTE_RANGE = re.compile(r"([0-9]+)-([0-9]+|\*)/([0-9]+|\*)")
COMMENTS = {200: "OK", 400: "Bad request", 481: "Session does not exist", 501: "Unknown method",
            506: "Session already in use"}


class Message:
    """One message as it was received, all its chunks together."""
    KEEP = 65536

    def __init__(self, frame):
        self.message_id = frame.get("Message-ID")
        self.content_type = frame.get("Content-Type")
        self.size = 0
        self.chunks = 0
        self.flag = None
        self.data = b""
        self._hash = hashlib.sha256()

    def add(self, body):
        self.size += len(body)
        self._hash.update(body)
        if len(self.data) < self.KEEP:
            self.data += body[:self.KEEP - len(self.data)]

    def digest(self):
        return self._hash.hexdigest()


class Tls:
    """How an endpoint does TLS: its certs.Pair, and what the peer must show.

    @trust: a PEM file that the peer's certificate must be (a server needs it to ask for one).
    @fingerprint: "sha-256 AB:..." of the peer's certificate, checked after the handshake.
    @keylog: a file for the secrets, so that a capture can be read."""

    def __init__(self, pair, trust=None, fingerprint=None, keylog=None):
        self.pair, self.trust, self.fingerprint, self.keylog = pair, trust, fingerprint, keylog

    def wrap(self, server, incoming, outgoing):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        if self.keylog:
            context.keylog_filename = self.keylog
        context.verify_mode = ssl.CERT_REQUIRED if self.trust else ssl.CERT_NONE
        if self.trust:
            context.load_verify_locations(self.trust)
        if self.pair:
            context.load_cert_chain(self.pair.cert, self.pair.key)
        return context.wrap_bio(incoming, outgoing, server_side=server)

    def check(self, tls):
        if not self.fingerprint:
            return
        name, want = self.fingerprint.split(" ")
        der = tls.getpeercert(True)
        if not der or certs.fingerprint_of(der, name) != want.upper():
            raise Malformed("the peer's certificate does not match its fingerprint")


class Connection:
    """A TCP connection: a thread that reads, a thread that writes, whole frames queued between frames."""

    def __init__(self, endpoint, sock, server):
        self.endpoint, self.sock = endpoint, sock
        self.ended = None  # "clean", "abrupt", or why
        self.ready = threading.Event()
        self.reader = Reader()
        self._lock = threading.Condition()
        self._queue, self._queued = [], 0
        self._in_frame, self._waiting = False, []
        self._closing = self._closed = False
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = endpoint.tls.wrap(server, self._incoming, self._outgoing) if endpoint.tls else None
        for work in (self._read, self._write):
            threading.Thread(target=work, daemon=True).start()

    # -- writing

    def _put(self, data):
        """Called with the lock: encrypts and queues."""
        if self._closed:
            return
        if self.tls:
            if data and not self.ended:
                self.tls.write(data)
            data = self._outgoing.read()
        if data:
            self._queue.append(data)
            self._queued += len(data)
            self._lock.notify_all()

    def _write(self):
        try:
            while True:
                with self._lock:
                    self._lock.wait_for(lambda: self._queue or self._closed)
                    if not self._queue:
                        break
                    data = self._queue.pop(0)
                self.sock.sendall(data)
                with self._lock:
                    self._queued -= len(data)
                    self._lock.notify_all()
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            self._end(f"write: {error}")

    def post(self, frame):
        """A whole frame, at once or when the one that is being sent has ended; never waits."""
        with self._lock:
            if self._in_frame:
                self._waiting.append(frame)
            else:
                self._put(frame)

    def stream(self, pieces):
        """One frame in pieces; waits for the peer to take them."""
        with self._lock:
            self._lock.wait_for(lambda: not self._in_frame or self.ended)
            self._in_frame = True
        for piece in pieces:
            with self._lock:
                self._lock.wait_for(lambda: self._queued < QUEUE_LIMIT or self.ended)
                if self.ended:
                    raise procs.Failure(f"the connection ended while sending: {self.ended}")
                self._put(piece)
        with self._lock:
            self._in_frame = False
            for frame in self._waiting:
                self._put(frame)
            self._waiting.clear()
            self._lock.notify_all()

    def close(self):
        """close_notify and FIN behind everything queued; reading goes on."""
        with self._lock:
            if self.tls and self.ready.is_set() and not self._closed:
                try:
                    self.tls.unwrap()
                except ssl.SSLError:
                    pass
                self._put(b"")
            self._closed = True
            self._lock.notify_all()

    # -- reading

    def _decrypt(self, data):
        self._incoming.write(data)
        plain = b""
        try:
            if not self.ready.is_set():
                self.tls.do_handshake()
                self.endpoint.tls.check(self.tls)
                self.ready.set()
            while True:
                piece = self.tls.read(READ_SIZE)
                if not piece:
                    return plain, True
                plain += piece
        except ssl.SSLWantReadError:
            return plain, False
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return plain, True
        finally:
            self._put(b"")

    def _start(self):
        if not self.tls:
            self.ready.set()
            return
        with self._lock:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self._put(b"")

    def _read(self):
        closed = False
        try:
            self._start()
            while not closed:
                data = self.sock.recv(READ_SIZE)
                if not data:
                    break
                if self.tls:
                    with self._lock:
                        data, closed = self._decrypt(data)
                for event in self.reader.feed(data):
                    self.endpoint._event(self, *event)
            whole = not self.reader.frame and not self.reader.data
            self._end("clean" if (closed or not self.tls) and whole else "abrupt")
        except (Malformed, ssl.SSLError) as error:
            self.endpoint._fault(f"connection: {error}")
            self._end(f"malformed: {error}")
        except OSError as error:
            self._end(f"read: {error}")
        self.close()

    def _end(self, how):
        with self._lock:
            self.ended = self.ended or how
            self._lock.notify_all()
        with self.endpoint.changed:
            self.endpoint.changed.notify_all()


class Endpoint:
    """One MSRP session as one end sees it. @uri, @peer: both a=path values, as this end sent and received them.

    @by_session_id: compares nothing but session-ids, as the peers did that say a=msrp-acceptsessmatch."""

    def __init__(self, uri, peer, tls=None, by_session_id=False):
        self.uri, self.peer, self.tls = uri, peer, tls
        self.same = same_session if by_session_id else same_uri
        self.former = []     # paths of the peer before renew()
        self.renewing = False  # an offer of this end is not answered yet: the peer may have a new path already
        self.hold_reports = False  # they wait for release_reports()
        self.peers_seen = set()  # From-Paths of requests that were accepted
        self.connections = []
        self.bound = None    # the connection that the session lives on
        self.messages = []   # received and complete, or given up
        self.empty_sends = 0  # received without a body
        self.statuses = {}   # transaction id -> status of its response
        self.reports = []    # Frames
        self.refusals = []   # (status, why) that this end answered
        self.faults = []     # what the peer must not do
        self.changed = threading.Condition()
        self._pending = {}   # transaction id -> message id, awaiting a response
        self._partial = {}   # message id -> Message
        self._listener = None
        self._held_reports = []

    # -- connecting

    def listen(self, host, port=0, listener=None):
        """@listener: a socket that listens already, taken over."""
        self._listener = listener or procs.tcp_listener(host, port)
        self._listener.setblocking(True)
        threading.Thread(target=self._accept, daemon=True).start()
        return self._listener.getsockname()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections.append(Connection(self, sock, server=True))

    def connect(self, host, port, source=None, empty_send=True):
        """RFC 4975 5.4: the active end sends at once. Returns the connection."""
        sock = socket.create_connection((host, port), timeout=10 * procs.PATIENCE, source_address=source)
        sock.settimeout(None)
        connection = Connection(self, sock, server=False)
        self.connections.append(connection)
        self.bound = self.bound or connection
        procs.wait_until(lambda: connection.ready.is_set() or connection.ended, "the connection to be ready")
        if empty_send and not connection.ended:
            self.send_empty(connection)
        return connection

    def renew(self, peer):
        """A new SDP gave another path. What is on its way may still have the one before."""
        with self.changed:
            self.former.append(self.peer)
            self.peer, self.renewing = peer, False

    def close(self):
        if self._listener:
            self._listener.close()
        for connection in self.connections:
            connection.close()

    # -- sending

    def _head(self, start, *headers, to=None, sender=None):
        lines = [f"MSRP {start}", f"To-Path: {to or self.peer}", f"From-Path: {sender or self.uri}", *headers]
        return "".join(line + "\r\n" for line in lines).encode()

    def send_empty(self, connection=None, to=None, sender=None, headers=()):
        """Returns the transaction id."""
        tid = ident()
        with self.changed:
            self._pending[tid] = None
        frame = self._head(f"{tid} SEND", f"Message-ID: {ident()}", *headers, to=to, sender=sender)
        (connection or self.bound).post(frame + f"-------{tid}$\r\n".encode())
        return tid

    def send(self, data, chunk=None, content_type="text/plain", success_report=False, failure_report=None,
             tid=None, give_up=False, lockstep=False):
        """Sends bytes or a Pattern, as one frame or in chunks of @chunk bytes. Returns (message id, [transaction ids]).

        @tid: for a body that was made to look like its end-line; @give_up: end with '#'; @lockstep: a chunk waits for
        the response to the one before."""
        message_id, tids, at = ident(), [], 1
        size = len(data) if isinstance(data, bytes) else data.size
        headers = [f"Message-ID: {message_id}"]
        if success_report:
            headers.append("Success-Report: yes")
        if failure_report:
            headers.append(f"Failure-Report: {failure_report}")
        for pieces, length, last in _chunks([data] if isinstance(data, bytes) else data, size, chunk):
            name = tid or ident()
            tids.append(name)
            with self.changed:
                if failure_report != "no":
                    self._pending[name] = message_id
            end = "*" if give_up else at + length - 1
            head = self._head(f"{name} SEND", *headers, f"Byte-Range: {at}-{end}/{size}",
                              f"Content-Type: {content_type}")
            flag = "#" if give_up else "$" if last else "+"
            self.bound.stream(_framed(head, pieces, f"\r\n-------{name}{flag}\r\n".encode()))
            at += length
            if lockstep:
                self.wait_status(name)
        return message_id, tids

    # -- waiting

    def _wait(self, condition, what, timeout=30.0):
        with self.changed:
            if not self.changed.wait_for(condition, timeout * procs.PATIENCE):
                raise procs.Failure(f"waited in vain for: {what}; faults: {self.faults}")
            return condition()

    def wait_status(self, tid, timeout=30.0):
        return self._wait(lambda: self.statuses.get(tid), f"a response to {tid}", timeout)

    def wait_done(self, sent, timeout=120.0):
        """Every transaction of a send() was answered with 200."""
        got = [self.wait_status(tid, timeout) for tid in sent[1]]
        if any(status != 200 for status in got):
            raise procs.Failure(f"responses {got}")

    def wait_message(self, number=1, timeout=120.0):
        """The @number-th message that came."""
        self._wait(lambda: len(self.messages) >= number, f"message {number}", timeout)
        return self.messages[number - 1]

    def received(self):
        """Bytes of all messages so far, complete or not."""
        with self.changed:
            return sum(message.size for message in [*self.messages, *self._partial.values()])

    def wait_report(self, message_id, timeout=30.0):
        def found():
            return next((r for r in self.reports if r.get("Message-ID") == message_id), None)
        return self._wait(found, f"a report on {message_id}", timeout)

    def wait_bound(self, timeout=30.0):
        return self._wait(lambda: self.bound, "the session to be bound", timeout)

    def wait_ended(self, connection=None, timeout=30.0):
        connection = connection or self.bound
        return self._wait(lambda: connection.ended, "the connection to end", timeout)

    # -- receiving, on the reading thread of a connection

    def _fault(self, what):
        with self.changed:
            self.faults.append(what)
            self.changed.notify_all()

    def _event(self, connection, kind, value):
        with self.changed:
            if kind == "head":
                connection.frame, connection.body = value, None
                connection.verdict = self._judge(connection, value) if value.method else None
                if value.method == "SEND" and connection.verdict == 200 and connection.reader.in_body:
                    connection.body = self._partial.setdefault(value.get("Message-ID"), Message(value))
            elif kind == "body":
                if connection.body:
                    connection.body.add(value)
            elif connection.frame.method:
                self._request_ended(connection, value)
            else:
                self._response(connection.frame)
            self.changed.notify_all()

    def _refuse(self, status, why):
        self.refusals.append((status, why))
        return status

    def _from_peer(self, frame):
        if self.renewing and same_session(frame.from_path[0], self.peer):
            return True
        return any(self.same(frame.from_path[0], peer) for peer in [self.peer, *self.former])

    def _judge(self, connection, frame):
        """The status of the response to a request."""
        if len(frame.to_path) != 1 or not self.same(frame.to_path[0], self.uri):
            return self._refuse(481, f"To-Path {frame.to_path}, I am {self.uri}")
        if self.bound not in (None, connection):
            return self._refuse(506, "another connection")
        if len(frame.from_path) != 1 or not self._from_peer(frame):
            return self._refuse(400, f"From-Path {frame.from_path}, not {self.peer}")
        if frame.method not in ("SEND", "REPORT"):
            return self._refuse(501, frame.method)
        if not frame.get("Message-ID"):
            return self._refuse(400, "no Message-ID")
        if connection.reader.in_body != (frame.get("Content-Type") is not None):
            return self._refuse(400, "Content-Type and body go together")
        partial = self._partial.get(frame.get("Message-ID"))
        found = BYTE_RANGE.fullmatch(frame.get("Byte-Range", "1-*/*"))
        if not found or connection.reader.in_body and int(found[1]) != (partial.size + 1 if partial else 1):
            return self._refuse(400, f"Byte-Range {frame.get('Byte-Range')}")
        self.bound = connection
        self.peers_seen.add(frame.from_path[0])
        return 200

    def _request_ended(self, connection, flag):
        frame, status = connection.frame, connection.verdict
        if frame.method == "REPORT":
            if status == 200:
                self.reports.append(frame)
            return  # RFC 4975 7.2: never answered
        wish = frame.get("Failure-Report", "yes")
        if wish == "yes" or wish == "partial" and status != 200:
            connection.post(self._head(f"{frame.tid} {status} {COMMENTS[status]}", to=frame.from_path[0],
                                       sender=frame.to_path[0]) + f"-------{frame.tid}$\r\n".encode())
        if status != 200:
            return
        if connection.body is None:
            self.empty_sends += 1
            return
        message = connection.body
        message.chunks += 1
        message.flag = flag
        found = BYTE_RANGE.fullmatch(frame.get("Byte-Range", "1-*/*"))
        if found[2] != "*" and int(found[2]) != message.size and flag != "#":
            self.faults.append(f"Byte-Range {found[0]} but {message.size} bytes so far")
        if flag == "+":
            return
        self.messages.append(self._partial.pop(message.message_id))
        if flag == "$" and frame.get("Success-Report") == "yes":
            self._report(connection, frame, message)

    def _report(self, connection, frame, message):
        tid = ident()
        head = self._head(f"{tid} REPORT", f"Message-ID: {message.message_id}",
                          f"Byte-Range: 1-{message.size}/{message.size}", "Status: 000 200 OK",
                          to=" ".join(frame.from_path))
        report = head + f"-------{tid}$\r\n".encode()
        if self.hold_reports:
            self._held_reports.append((connection, report))
        else:
            connection.post(report)

    def release_reports(self):
        with self.changed:
            for connection, report in self._held_reports:
                connection.post(report)
            self._held_reports.clear()

    def _response(self, frame):
        if frame.tid not in self._pending:
            self.faults.append(f"a response {frame.status} to the unknown transaction {frame.tid}")
            return
        if len(frame.to_path) != 1 or not self.same(frame.to_path[0], self.uri):
            self.faults.append(f"a response for {frame.to_path}, I am {self.uri}")
        if len(frame.from_path) != 1 or frame.status != 481 and not self._from_peer(frame):
            self.faults.append(f"a response from {frame.from_path}, not {self.peer}")
        del self._pending[frame.tid]
        self.statuses[frame.tid] = frame.status


def _framed(head, pieces, end):
    """In one piece if it is all there."""
    if isinstance(pieces, list):
        yield b"".join([head, b"\r\n", *pieces, end])
        return
    yield head + b"\r\n"
    yield from pieces
    yield end


def _chunks(source, size, chunk):
    """(pieces, length, last) for each frame of a message of @size bytes."""
    if chunk is None:
        yield source, size, True
        return
    left, data = size, b""
    blocks = iter(source)
    while True:
        want = min(chunk, left)
        while len(data) < want:
            data += next(blocks)
        left -= want
        yield [data[:want]], want, left == 0
        data = data[want:]
        if left == 0:
            return
