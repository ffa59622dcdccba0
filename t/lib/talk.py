# SPDX-License-Identifier: GPL-3.0-or-later
"""Both ends of a TCP stream as objects to talk through, step by step, for tests of what happens when."""
import select
import socket
import ssl
import time

import procs

TIMEOUT = 20.0


class Plain:
    """One TCP connection. Every wait has a limit; a result that does not come is a Failure."""

    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(TIMEOUT * procs.PATIENCE)

    @classmethod
    def connect(cls, target, source=None, **options):
        return cls(socket.create_connection(target, TIMEOUT * procs.PATIENCE, (source, 0) if source else None),
                   **options)

    @classmethod
    def accept(cls, listener, **options):
        if not select.select([listener], [], [], TIMEOUT * procs.PATIENCE)[0]:
            raise procs.Failure(f"nobody connected to {listener.getsockname()}")
        return cls(listener.accept()[0], **options)

    def send(self, data):
        self.sock.sendall(data)

    def _some(self):
        """More bytes, b"" at the end; ConnectionResetError for a reset."""
        return self.sock.recv(1 << 16)

    def read(self):
        """What has come, at least a byte."""
        data = self._some()
        if not data:
            raise procs.Failure("the connection ended")
        return data

    def receive(self, size):
        """Exactly @size bytes."""
        data = b""
        while len(data) < size:
            chunk = self._some()
            if not chunk:
                raise procs.Failure(f"the connection ended after {len(data)} of {size} bytes")
            data += chunk
        if len(data) > size:
            raise procs.Failure(f"{len(data)} bytes came, {size} were sent")
        return data

    def end(self):
        """Waits for the end and says how it was: "clean", "reset", or "truncated"; no byte may come before."""
        try:
            data = self._some()
        except ConnectionResetError:
            return "reset"
        except ssl.SSLEOFError:
            return "truncated"
        if data:
            raise procs.Failure(f"bytes where the end was expected: {data[:80]!r}")
        return "clean"

    def silent(self):
        """Nothing has arrived up to now, not even the end."""
        return not select.select([self.sock], [], [], 0)[0]

    def finish(self):
        """Ends our direction."""
        self.sock.shutdown(socket.SHUT_WR)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def close(self):
        self.sock.close()


class Tls(Plain):
    """The same inside TLS, with certificate @cert (a certs.Pair) and any peer. OpenSSL, as an object without a socket,
    so that each direction can be ended alone."""

    def __init__(self, sock, cert=None, server=False, handshake=True):
        super().__init__(sock)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER if server else ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if cert:
            context.load_cert_chain(cert.cert, cert.key)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=server)
        if handshake:
            self.handshake()

    def _flush(self):
        data = self.outgoing.read()
        if data:
            self.sock.sendall(data)

    def _step(self, function, *arguments):
        """Calls into OpenSSL until it is satisfied; None when the peer's close_notify came instead."""
        while True:
            try:
                result = function(*arguments)
                self._flush()
                return result
            except ssl.SSLWantReadError:
                self._flush()
                data = self.sock.recv(1 << 16)
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()
            except ssl.SSLZeroReturnError:
                return None

    def handshake(self):
        self._step(self.tls.do_handshake)

    def send(self, data):
        for at in range(0, len(data), 16384):
            self._step(self.tls.write, data[at:at + 16384])

    def _some(self):
        try:
            return self._step(self.tls.read, 1 << 16) or b""
        except ssl.SSLError as error:
            if isinstance(error, ssl.SSLEOFError) or "EOF" in str(error):
                raise ssl.SSLEOFError(str(error)) from None
            raise

    def end(self):
        """As for Plain; "alert" when the peer said what it did not like."""
        try:
            return super().end()
        except ssl.SSLError as error:
            if "ALERT" not in str(error):
                raise
            return "alert"

    def finish(self, notify=True):
        """close_notify, then FIN."""
        if notify:
            try:
                self.tls.unwrap()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                pass
            self._flush()
        self.sock.shutdown(socket.SHUT_WR)

    def fingerprint(self):
        return self.tls.getpeercert(True)


def both(first, second, size=5000):
    """@size fresh bytes each way, checked."""
    for sender, receiver in ((first, second), (second, first)):
        data = time.monotonic_ns().to_bytes(8, "big") * (size // 8)
        sender.send(data)
        got = receiver.receive(len(data))
        assert got == data, "other bytes"
