# SPDX-License-Identifier: GPL-3.0-or-later
"""One certificate for several nodes, sealed in a real Redis; and certificates that are replaced while streams are up."""
import base64
import hashlib
import os
import re
import shutil
import signal
import ssl
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import msrpcall
import peers
import plugin
import procs
import redisserver
import rtpengine
import sdp
import sealing
import tap

SIZE = 20_000
GROUP = "e2ae:group:default:cert"
UE, CORE = procs.address(10), procs.address(9)
KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
ue_cert = certs.Pair("ue-ecdsa")


def key_file(name, key, mode=0o600):
    path = procs.write_file(name, key.hex() + "\n")
    os.chmod(path, mode)
    return path


right_key, wrong_key = key_file("cluster.key", KEY), key_file("wrong.key", OTHER_KEY)


def start(node, *options, key=right_key, ports=(31000, 31999), **keys):
    """@node also tells the ng address, so that programs can be there side by side."""
    listen = (procs.address(20 + node), 10000)
    return plugin.Plugin(upstream.ng_address, name=f"edge-{node}", listen=listen, ports=ports, **keys, extra=(
        redis.option, f"--node-id=edge-{node}", f"--cluster-key={key}", "--redis-connect-timeout=20000",
        "--redis-command-timeout=20000", *options))


def certificate(of):
    return of.request(command="e2ae statistics")["e2ae"]["certificate"]


def store(of):
    return of.request(command="e2ae statistics")["e2ae"]["store"]


def wait_state(of, state="ready"):
    procs.wait_until(lambda: certificate(of)["state"] == state, f"certificate {state} at {of.name}", 30)


def current(of):
    """The fingerprint that new streams signal, as in SDP."""
    wait_state(of)
    fingerprints = certificate(of)["fingerprints"]
    assert len(fingerprints) == 1, fingerprints
    return fingerprints[0]


class Call:
    """One originating MSRP call."""

    def __init__(self, of, name, version=1):
        self.of, self.name = of, name
        self.core_port = procs.free_port(CORE)
        reply = self.offer(msrpcall.ng_keys("originating"))
        assert reply.get("result") == "ok", reply
        self.at_ue = self.answer()
        self.access = self.at_ue.endpoint(0)
        self.fingerprint = " ".join(self.at_ue.fingerprint(0))

    def offer(self, keys):
        return self.of.client.request(dict(keys, command="offer", supports=["load limit"], **{
            "call-id": self.name, "from-tag": "ue", "sdp": msrpcall.ue_sdp(UE, ue_cert)}))

    def answer(self):
        """What the UE is told."""
        reply = self.of.client.request({
            "command": "answer", "call-id": self.name, "from-tag": "ue", "to-tag": "core",
            "replace": ["origin", "session-connection"], "sdp": msrpcall.core_sdp(CORE, self.core_port)})
        assert reply.get("result") == "ok", reply
        return sdp.Sdp(reply["sdp"])

    def peer(self, stack="gnutls", **options):
        return peers.TlsPeer(stack, cert=ue_cert, connect="%s:%d" % self.access,
                             expect_fingerprint=self.fingerprint.replace(" ", "/"), **options)

    def exchange(self, seed, stack="gnutls"):
        """The UE connects, finds the certificate that was signalled, and bytes cross both ways."""
        to_core, to_ue = peers.payload(SIZE, seed), peers.payload(SIZE, seed + 1)
        core = peers.PlainPeer(CORE, self.core_port, data=to_ue, expect=SIZE)
        ue = self.peer(stack, recv=SIZE, send=procs.write_file("to-core", to_core))
        assert ue.wait() == 0, ue.log()
        core.join()
        core.close()
        assert ue.digest() == (SIZE, hashlib.sha256(to_ue).hexdigest()), ue.log()
        assert core.digest.hexdigest() == hashlib.sha256(to_core).hexdigest()

    def repeats(self):
        """FPR-09: re-offers of both sides repeat what was signalled first."""
        reply = self.offer({"to-tag": "core", "replace": ["origin", "session-connection"]})
        assert reply.get("result") == "ok", reply
        again = self.answer()
        assert " ".join(again.fingerprint(0)) == self.fingerprint, again
        assert again.endpoint(0) == self.access, again
        reply = self.of.client.request({
            "command": "offer", "call-id": self.name, "from-tag": "core", "to-tag": "ue",
            "replace": ["origin", "session-connection"], "sdp": msrpcall.core_sdp(CORE, self.core_port)})
        assert reply.get("result") == "ok", reply
        to_ue = sdp.Sdp(reply["sdp"])
        assert " ".join(to_ue.fingerprint(0)) == self.fingerprint, to_ue
        reply = self.of.client.request({
            "command": "answer", "call-id": self.name, "from-tag": "core", "to-tag": "ue",
            "replace": ["origin", "session-connection"], "sdp": msrpcall.ue_sdp(UE, ue_cert, setup="active")})
        assert reply.get("result") == "ok", reply

    def delete(self):
        reply = self.of.request(command="delete", call_id=self.name, from_tag="ue", delete_delay="0")
        assert reply.get("result") == "ok", reply


class Connected:
    """The UE of a call, connected and idle."""

    def __init__(self, call):
        self.core = peers.PlainPeer(CORE, call.core_port)
        self.ue = call.peer(recv="close")
        self.ue.wait_line("CONNECTED")

    def alive(self):
        return self.ue.running() and self.core.ended is None

    def end(self):
        self.ue.stop()
        self.core.close()


def everything():
    """Every key of the database with what is in it."""
    for key in redis.keys():
        kind = redis.ask("TYPE", key)
        value = redis.ask("GET", key) if kind == "string" else " ".join(redis.ask("ZRANGE", key, 0, -1))
        yield key, value.encode("utf-8", "surrogateescape")


def traces(secret, width=24):
    """How every @width bytes of @secret would look: raw, in hex, and in Base64 however it is aligned."""
    for at in range(len(secret) - width + 1):
        window = secret[at:at + width]
        yield from (window, window.hex().encode(), window.hex().upper().encode(), base64.b64encode(window)[:-4])


def count_traces(secrets, text):
    return sum(trace in text for secret in secrets for trace in traces(secret))


def assert_no_trace(secrets, text, what):
    found = count_traces(secrets, text)
    assert not found, f"{what} holds {found} pieces of a secret"


def private_parts(pem):
    """The DER of the private key in @pem, and the lines of its PEM."""
    body = re.search(r"-----BEGIN PRIVATE KEY-----\n(.*?)-----END", pem, re.S)[1]
    return base64.b64decode(body), body.split()


with tap.need("the servers start"):
    redis = redisserver.Redis()
    upstream = rtpengine.Rtpengine()
with tap.need("two nodes start"):
    first, second = start(1), start(2, ports=(32000, 32999))
    wait_state(first)
    wait_state(second)

with tap.check("both present the same certificate, that of the group"):
    assert current(first) == current(second) == redis.ask("GET", GROUP), (current(first), current(second))
    assert [certificate(of)["from"] for of in (first, second)] == ["redis", "redis"]
with tap.check("a UE is served by either, and finds what was signalled"):
    for number, (of, stack) in enumerate(((first, "mbedtls"), (second, "wolfssl"))):
        call = Call(of, f"served-{number}")
        assert call.fingerprint == current(first), call.at_ue
        call.exchange(10 + number, stack)
        call.delete()
with tap.need("the envelope is as redis-schema/README.md says"):
    pem = sealing.unseal(redis.ask("GET", sealing.redis_key(current(first))), KEY)
    der, lines = private_parts(pem)
with tap.check("it holds a certificate and its RSA key (TLS-08)"):
    whole = procs.write_file("opened.pem", pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(whole)  # refuses a key that is not the certificate's
    os.unlink(whole)
    assert b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" in der[:40], der[:40].hex()  # rsaEncryption
with tap.check("the search for them finds what is hidden badly"):
    for hidden in (der, der.hex().encode(), der[100:150].hex().upper().encode(), base64.b64encode(b"x" + der),
                   base64.b64encode(b"xy" + der[200:260]), KEY.hex().encode()):
        assert count_traces((der, KEY), b"{" + hidden + b"}"), hidden
with tap.check("no private key and no cluster key is in Redis in clear"):
    live = Call(first, "live-while-searched")
    for name, value in everything():
        assert b"PRIVATE KEY" not in value and not [line for line in lines if line.encode() in value], name
        assert_no_trace((der, KEY), name.encode() + b" " + value, name)
    live.delete()
with tap.check("nor in the logs"):
    for of in (first, second):
        assert_no_trace((der, KEY), of.log().encode(), of.log_path)
with tap.check("every key lives for a limited time"):
    assert all(redis.ask("PTTL", key) > 0 for key in redis.keys())

with tap.need("a node is killed in the middle of a connection, and starts again"):
    call = Call(first, "killed@test.invalid")
    hanging = Connected(call)
    before = current(first)
    first.crash()
    hanging.end()
    first = call.of = start(1)
    procs.wait_until(lambda: store(first)["restored-streams"] == 1, "the call is restored")
with tap.check("FPR-09: it has the same certificate, and the UE is served without new signalling"):
    assert current(first) == before
    call.exchange(20)

with tap.need("SIGHUP at one node, with a stream up at either"):
    elsewhere = Call(second, "elsewhere@test.invalid")
    connected = [Connected(call), Connected(elsewhere)]
    first.process.send_signal(signal.SIGHUP)
    procs.wait_until(lambda: current(first) != before, "another certificate")
    procs.wait_until(lambda: current(second) == current(first), "the other node follows", 30)
    after = current(first)
    assert redis.ask("GET", GROUP) == after
with tap.check("no connection is hurt"):
    assert all(c.alive() for c in connected)
    assert [certificate(of)["in-use"] for of in (first, second)] == [2, 2]
    for one in connected:
        one.end()
with tap.check("FPR-09: a UE of the old certificate comes back and finds it"):
    call.exchange(30)
    elsewhere.exchange(31, "wolfssl")
with tap.check("FPR-09: re-offers repeat the old fingerprint"):
    call.repeats()
    elsewhere.repeats()
    call.exchange(32)
with tap.check("a new call has the new one"):
    fresh = Call(second, "fresh@test.invalid")
    assert fresh.fingerprint == after, fresh.at_ue
    fresh.exchange(33, "mbedtls")
with tap.check("FPR-09: the old one is there again after a restart, loaded for that stream"):
    first.crash()
    first = call.of = start(1)
    procs.wait_until(lambda: store(first)["restored-streams"] == 1, "the call is restored")
    assert current(first) == after and certificate(first)["in-use"] == 2, certificate(first)
    call.exchange(34)
    call.repeats()
with tap.check("it goes with the last stream that has signalled it"):
    call.delete()
    procs.wait_until(lambda: certificate(first)["in-use"] == 1, "one certificate")
    elsewhere.delete()
    procs.wait_until(lambda: certificate(second)["in-use"] == 1, "one certificate")
    fresh.exchange(35)
    fresh.delete()

with tap.need("a node with another key starts"):
    group = redis.ask("GET", GROUP)
    envelope = redis.ask("GET", sealing.redis_key(group))
    stranger = start(3, key=wrong_key, ports=(33000, 33999))
    wait_state(stranger, "failed")
with tap.check("it says so"):
    assert f'was sealed with the key "{sealing.key_id(KEY)}"' in certificate(stranger)["reason"], certificate(stranger)
    assert stranger.log().count("The certificate of the group cannot be used, offers are refused: ") == 1
with tap.check("it refuses offers as a node without Redis does, and passes on what is not ours"):
    reply = stranger.client.request(dict(msrpcall.ng_keys("originating"), command="offer", supports=["load limit"], **{
        "call-id": "strange@test.invalid", "from-tag": "ue", "sdp": msrpcall.ue_sdp(UE, ue_cert)}))
    assert reply.get("result") == "load limit", reply
    reply = stranger.request(command="query", call_id="somebody-else@test.invalid")
    assert reply.get("error-reason") == "Unknown call-id", reply
with tap.check("it changes nothing, told to or not"):
    stranger.process.send_signal(signal.SIGHUP)
    stranger.wait_log("SIGHUP: the group gets another certificate")
    reply = stranger.request(command="e2ae list")
    assert (redis.ask("GET", GROUP), redis.ask("GET", sealing.redis_key(group))) == (group, envelope)
    stranger.check_end()
    assert (redis.ask("GET", GROUP), redis.ask("GET", sealing.redis_key(group))) == (group, envelope)
with tap.check("a key file that others can read is refused at the start"):
    path = key_file("open.key", KEY, 0o644)
    refused = procs.Server("open-key", [
        plugin.PROGRAM, "--config-file=none", "--foreground", "--log-stderr", f"--interface={procs.address(1)}",
        f"--listen-ng={procs.address(29)}:10000", redis.option, f"--cluster-key={path}"])
    assert refused.wait() == 1, refused.log()
    assert f"--cluster-key={path}: its mode is 0644" in refused.log(), refused.log()

with tap.check("Redis has lost everything: the certificate is as it was"):
    redis.ask("FLUSHDB")
    procs.wait_until(lambda: redis.ask("GET", GROUP) == group, "it is written again", 30)
    assert current(first) == current(second) == group
    sealing.unseal(redis.ask("GET", sealing.redis_key(group)), KEY)
first.check_end()
second.check_end()

with tap.need("Redis is away when a node starts"):
    redis.crash()
    late = start(1)
    procs.wait_until(lambda: store(late)["state"] == "away", "the program notices")
with tap.check("it waits: offers go to other nodes, other calls pass"):
    assert certificate(late) == {"from": "redis", "state": "waiting", "fingerprints": [], "in-use": 0}, certificate(late)
    reply = late.client.request(dict(msrpcall.ng_keys("originating"), command="offer", supports=["load limit"], **{
        "call-id": "early@test.invalid", "from-tag": "ue", "sdp": msrpcall.ue_sdp(UE, ue_cert)}))
    assert reply.get("result") == "load limit", reply
    reply = late.request(command="query", call_id="somebody-else@test.invalid")
    assert reply.get("error-reason") == "Unknown call-id", reply
with tap.check("and serves when Redis is there, with the certificate that was in it"):
    redis.start()
    procs.wait_until(lambda: certificate(late)["state"] == "ready", "the certificate", 30)
    call = Call(late, "early@test.invalid")
    assert call.fingerprint == group
    call.exchange(40)
    call.delete()
late.check_end()

with tap.check("two nodes that start at once, ten times: always one certificate, and always another"):
    seen = set()
    for _ in range(10):
        redis.ask("FLUSHDB")
        redis.freeze()  # so that both find nothing
        nodes = [start(1), start(2, ports=(32000, 32999))]
        redis.thaw()
        fingerprints = {current(node) for node in nodes}
        assert fingerprints == {redis.ask("GET", GROUP)}, fingerprints
        assert [node.log().count(", made here: ") for node in nodes] in ([0, 1], [1, 0]), "one of them made it"
        assert len([key for key in redis.keys() if key.startswith("e2ae:cert:")]) == 1, redis.keys()
        seen |= fingerprints
        for node in nodes:
            node.check_end()
    assert len(seen) == 10, seen

with tap.need("a certificate past its middle, sealed by another implementation, is the group's"):
    old = certs.Pair("ue-expired")
    redis.ask("FLUSHDB")
    redis.ask("SET", sealing.redis_key(old.fingerprint()), sealing.seal(old, KEY), "EX", 1000)
    redis.ask("SET", GROUP, old.fingerprint(), "EX", 1000)
    first = start(1)
    wait_state(first)
with tap.check("it is found, and replaced by itself"):
    assert f"found in Redis: fingerprint {old.fingerprint()}" in first.log(), first.log()
    procs.wait_until(lambda: current(first) not in (old.fingerprint(), None), "its successor", 30)
    assert redis.ask("GET", GROUP) == current(first)
    call = Call(first, "young@test.invalid")
    call.exchange(50)
    call.delete()
first.check_end()

with tap.need("a node with a certificate in files, and a stream up"):
    cert_path, private_path = procs.path_of("node.pem"), procs.path_of("node.key")

    def install(name):
        pair = certs.Pair(name)
        shutil.copy(pair.cert, cert_path)
        shutil.copy(pair.key, private_path)
        return pair.fingerprint()

    old = install("agw-ecdsa")
    files = plugin.Plugin(upstream.ng_address, name="files", extra=(
        f"--certificate={cert_path}", f"--private-key={private_path}"))
    call = Call(files, "files@test.invalid")
    connected = Connected(call)
    assert call.fingerprint == old
with tap.check("SIGHUP: files that do not fit change nothing"):
    shutil.copy(certs.Pair("agw-rsa").cert, cert_path)
    files.process.send_signal(signal.SIGHUP)
    files.wait_log("SIGHUP: the certificate stays as it was: ")
    assert f"{private_path}: this private key does not belong to the certificate {cert_path}" in files.log()
    assert current(files) == old
with tap.check("SIGHUP: the next call has the new certificate"):
    new = install("agw-rsa")
    files.process.send_signal(signal.SIGHUP)
    files.wait_log(f"Certificate fingerprint {new}")
    later = Call(files, "later@test.invalid")
    assert later.fingerprint == new == current(files), later.at_ue
    later.exchange(60, "wolfssl")
with tap.check("FPR-09: the stream that was up is not hurt, comes back to the old one, and repeats it"):
    assert connected.alive()
    connected.end()
    call.exchange(61)
    call.repeats()
    call.exchange(62, "mbedtls")
    assert certificate(files)["in-use"] == 2
with tap.check("and the old one goes with it"):
    call.delete()
    procs.wait_until(lambda: certificate(files)["in-use"] == 1, "one certificate")
    later.exchange(63)
    later.delete()

tap.finish()
