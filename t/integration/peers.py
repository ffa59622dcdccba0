# SPDX-License-Identifier: GPL-3.0-or-later
"""The test peers against each other: what they report later is only worth something if they work alone."""
import hashlib
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import peers
import procs
import tap

STACKS = ("gnutls", "mbedtls", "openssl", "wolfssl")
# Two pairs are left out: these versions of Mbed TLS and GnuTLS do not agree with wolfSSL's DTLS in those directions.
DTLS_PAIRS = [(server, client) for server in STACKS for client in STACKS
              if (server, client) not in (("mbedtls", "wolfssl"), ("wolfssl", "gnutls"))]
SIZE = 1 << 20
SERVER, CLIENT, OTHER = certs.Pair("ue-rsa"), certs.Pair("ue-ecdsa"), certs.Pair("other-ecdsa")


def pair(server_stack, client_stack, server=None, client=None):
    """A server that listens and a client that connects to it."""
    first = peers.TlsPeer(server_stack, listen=f"{procs.address(1)}:0", name=f"{server_stack}-server", **server or {})
    host, port = first.listening_at()
    second = peers.TlsPeer(client_stack, connect=f"{host}:{port}", name=f"{client_stack}-client", **client or {})
    return first, second


def expected(cert):
    return cert.fingerprint().replace(" ", "/")


def stream(server_stack, client_stack, **options):
    up, down = peers.payload(SIZE, 1), peers.payload(SIZE, 2)
    up_file, down_file = procs.write_file("up", up), procs.write_file("down", down)
    server, client = pair(
        server_stack, client_stack,
        dict(cert=SERVER, send=down_file, recv=SIZE, expect_fingerprint=expected(CLIENT), **options),
        dict(cert=CLIENT, send=up_file, recv=SIZE, expect_fingerprint=expected(SERVER), **options))
    assert (client.wait(), server.wait()) == (0, 0), f"{client.log()}\n{server.log()}"
    assert server.digest() == (SIZE, hashlib.sha256(up).hexdigest()), server.log()
    assert client.digest() == (SIZE, hashlib.sha256(down).hexdigest()), client.log()
    return client


def datagrams(server_stack, client_stack):
    records = [peers.payload(size, size) for size in (1, 20, 300, 1000, 7, 999)]
    framed = b"".join(len(record).to_bytes(2, "big") + record for record in records)
    path, out = procs.write_file("records", framed), procs.path_of("records-out")
    server, client = pair(
        server_stack, client_stack,
        dict(cert=SERVER, dtls=True, datagrams=True, recv=len(records), out=out),
        dict(cert=CLIENT, dtls=True, datagrams=True, send=path))
    assert (client.wait(), server.wait()) == (0, 0), f"{client.log()}\n{server.log()}"
    assert client.line("CONNECTED").startswith("DTLS1.2 "), client.log()
    with open(out, "rb") as got:
        assert got.read() == framed


for server_stack in STACKS:
    for client_stack in STACKS:
        with tap.check(f"{client_stack} to {server_stack}: TLS both ways"):
            stream(server_stack, client_stack)

for server_stack, client_stack in DTLS_PAIRS:
    with tap.check(f"{client_stack} to {server_stack}: DTLS keeps records"):
        datagrams(server_stack, client_stack)

for stack in STACKS:
    with tap.check(f"{stack}: TLS 1.2 when asked for"):
        assert stream(stack, stack, tls12=True).line("CONNECTED").startswith("TLS1.2 ")
    with tap.check(f"{stack}: a wrong fingerprint is told by the exit status"):
        server, client = pair(stack, stack, dict(cert=SERVER), dict(cert=CLIENT, expect_fingerprint=expected(OTHER)))
        assert client.wait() == peers.EXIT_FINGERPRINT, client.log()
        server.stop()
    with tap.check(f"{stack}: no certificate is told by the other side"):
        # --client after --no-cert: no switch takes back another one.
        server, client = pair(stack, stack, dict(cert=SERVER, recv="close"),
                              dict(cert=CLIENT, no_cert=True, client=True))
        assert server.wait_line("PEER-FINGERPRINT") == "none"
        assert client.wait() == 0, client.log()

for stack in ("gnutls", "openssl", "wolfssl"):
    with tap.check(f"{stack}: TLS 1.3 when asked for"):
        assert stream(stack, stack, tls13=True).line("CONNECTED").startswith("TLS1.3 ")

tap.finish()
