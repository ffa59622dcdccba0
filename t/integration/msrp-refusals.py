# SPDX-License-Identifier: GPL-3.0-or-later
"""Who must not get in does not: no byte of theirs reaches the core, and the right UE is served afterwards."""
import hashlib
import os
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import capture
import certs
import msrpcall
import peers
import plugin
import procs
import sdp
import tap

SIZE = 100_000
UE, CORE = procs.address(10), procs.address(9)
ue_cert, second_cert, stranger_cert = certs.Pair("ue-ecdsa"), certs.Pair("ue-rsa"), certs.Pair("other-ecdsa")
SECRET = procs.write_file("secret", peers.payload(5000, 7))

with tap.need("the plugin starts, without an rtpengine behind it"):
    e2ae = plugin.Plugin(None)


class Call:
    """One originating MSRP call, set up over ng, with a plain peer of its own at the core."""

    def __init__(self, name, cert):
        self.name, self.cert = name, cert
        self.to_core, self.to_ue = peers.payload(SIZE, 5), peers.payload(SIZE, 6)
        self.core = peers.PlainPeer(CORE, data=self.to_ue, expect=SIZE)
        keys = {"call-id": name, "from-tag": "ue", "sdp": msrpcall.ue_sdp(UE, cert)}
        offer = e2ae.client.request(dict(msrpcall.ng_keys("originating"), command="offer", **keys))
        assert offer.get("result") == "ok", offer
        assert stream(offer, 1)["treatment"] == "e2ae", offer
        self.at_core = sdp.Sdp(offer["sdp"])
        answer = e2ae.client.request({
            "command": "answer", "call-id": name, "from-tag": "ue", "to-tag": "core",
            "replace": ["origin", "session-connection"], "sdp": msrpcall.core_sdp(CORE, self.core.port)})
        assert answer.get("result") == "ok", answer
        self.at_ue = sdp.Sdp(answer["sdp"])
        self.access = self.at_ue.endpoint(0)

    def attempt(self, cert=None, **options):
        """A TLS client that has something to say before it can know whether it is welcome."""
        return peers.TlsPeer("gnutls", cert=cert, connect="%s:%d" % self.access, send=SECRET, recv="close",
                             **options)

    def delete(self):
        reply = e2ae.request(command="delete", call_id=self.name, from_tag="ue", delete_delay="0")
        assert reply.get("result") == "ok", reply
        self.core.close()


def stream(reply, index):
    """The entry of one m-line, numbered from 1, in the e2ae part of a reply."""
    return [entry for entry in reply["e2ae"]["streams"] if int(entry["index"]) == index][0]


def refused(peer):
    """The AGW ended it: by an alert, or by closing what was never a session."""
    status = peer.wait()
    assert status not in (0, peers.EXIT_FINGERPRINT), peer.log()
    assert peer.line("RECEIVED") is None or peer.digest()[0] == 0, peer.log()


def refused_plain(address, data):
    """Plain bytes on the TLS port: the connection is closed, and not one byte of a conversation comes back."""
    with socket.create_connection(address, 10 * procs.PATIENCE) as sock:
        sock.sendall(data)
        answer = b""
        try:
            while chunk := sock.recv(4096):
                answer += chunk
        except ConnectionResetError:
            pass
    assert not answer or answer[0] == 21, f"not a TLS alert: {answer[:40]!r}"


MSRP = (b"MSRP d93kswow SEND\r\nTo-Path: msrp://192.0.2.9:7000/kQ1;tcp\r\n"
        b"From-Path: msrp://192.0.2.10:2855/s3Ae9;tcp\r\nMessage-ID: 1\r\nByte-Range: 1-2/2\r\n"
        b"Content-Type: text/plain\r\n\r\nhi\r\n-------d93kswow$\r\n")

for version in ("tls12", "tls13"):
    # TRK-06 lets a stream fail after five bad attempts: each round stays at four before the right one.
    sniffer = capture.Capture(CORE)
    with tap.need(f"{version}: two calls are set up"):
        call, second = Call(f"{version}-one", ue_cert), Call(f"{version}-two", second_cert)
    with tap.check(f"{version}: ASC-07 TRK-06: a certificate with another fingerprint is refused"):
        refused(call.attempt(stranger_cert, **{version: True}))
    with tap.check(f"{version}: ASC-07: a client without a certificate is refused"):
        refused(call.attempt(no_cert=True, **{version: True}))
    with tap.check(f"{version}: plain bytes on the TLS port are refused"):
        refused_plain(call.access, MSRP)
    with tap.check(f"{version}: ASC-02: the certificate of another stream is refused"):
        refused(call.attempt(second_cert, **{version: True}))
    with tap.check(f"{version}: ASC-07: the core saw no connection and no byte"):
        assert (call.core.connections, call.core.received) == (0, 0)
        assert (second.core.connections, second.core.received) == (0, 0)
    for served in (call, second):
        with tap.check(f"{version}: TRK-06: the right UE of {served.name} is served afterwards"):
            right = peers.TlsPeer(
                "gnutls", cert=served.cert, connect="%s:%d" % served.access, recv=SIZE,
                send=procs.write_file("to-core", served.to_core),
                expect_fingerprint=msrpcall.expected(served.at_ue.fingerprint(0)), **{version: True})
            assert right.wait() == 0, right.log()
            served.core.join()
            assert right.digest() == (SIZE, hashlib.sha256(served.to_ue).hexdigest()), right.log()
            assert served.core.digest.hexdigest() == hashlib.sha256(served.to_core).hexdigest()
    with tap.check(f"{version}: on the wire the core got the right UEs' bytes and not one more"):
        wire = sniffer.stop()
        assert wire == {call.core.port: SIZE, second.core.port: SIZE}, wire
    with tap.check(f"{version}: delete frees every port"):
        call.delete()
        second.delete()
        procs.wait_until(lambda: not e2ae.sockets(), f"no media sockets, there are {e2ae.sockets()}", 10)

with tap.check("ORG-17: an offer without a fingerprint is rejected with a reason, never sent on in clear"):
    reply = e2ae.client.request(dict(msrpcall.ng_keys("originating"), command="offer", **{
        "call-id": "no-fingerprint", "from-tag": "ue", "sdp": msrpcall.ue_sdp(UE, ue_cert, fingerprint=False)}))
    assert reply.get("result") == "ok", reply
    assert stream(reply, 1)["treatment"] == "reject" and stream(reply, 1)["reason"], reply
    assert sdp.Sdp(reply["sdp"]).media[0].port == 0, reply["sdp"]
with tap.check("ORG-17: and nothing is reserved for it"):
    assert e2ae.sockets() == [], e2ae.sockets()

tap.finish()
