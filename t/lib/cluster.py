# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes of rtpengine-e2ae that share a Redis, and calls whose requests go to any of them."""
import hashlib
import json
import socket

import certs
import msrpcall
import peers
import plugin
import procs
import sdp

UE, CORE = procs.address(10), procs.address(9)
SIZE = 50_000
ue_cert, stranger_cert, agw_cert = certs.Pair("ue-ecdsa"), certs.Pair("other-ecdsa"), certs.Pair("agw-ecdsa")
# A loaded machine is no dead node.
TIMEOUT_MS = int(2000 * procs.PATIENCE)
HEARTBEAT_MS = 400


class Node(plugin.Plugin):
    """One node, with media addresses address(@first) and the next, unless they are given."""

    def __init__(self, redis, node_id, first=1, upstream=None, listen=None, sink=None, extra=(), access=None, core=None,
                 ports=(31000, 31999)):
        self.node_id = node_id
        options = [redis.option, f"--node-id={node_id}", f"--certificate={agw_cert.cert}",
                   f"--private-key={agw_cert.key}", f"--node-timeout={TIMEOUT_MS}",
                   f"--heartbeat-interval={HEARTBEAT_MS}"]
        if sink:
            options.append(sink.option())
        super().__init__(upstream and upstream.ng_address, name=node_id, access=access or procs.address(first),
                         core=core or procs.address(first + 1), listen=listen, ports=ports, extra=(*options, *extra))

    def store(self):
        return self.request(command="e2ae statistics")["e2ae"]["store"]

    def cluster(self):
        return self.request(command="e2ae statistics")["e2ae"]["cluster"]

    def calls(self):
        return self.request(command="e2ae list", limit="100000")["calls"]

    def wait_company(self):
        """Until it is ready and knows that it is not alone."""
        procs.wait_until(lambda: self.store()["state"] == "ready" and self.cluster()["alone"] == "no",
                         f"{self.node_id} knows of other nodes", 15)


class Sink:
    """An event sink for several nodes: events of calls and of nodes."""

    def __init__(self, host=None, port=0):
        self.sock = procs.udp_socket(host or procs.address(7), port)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.events = []

    def option(self):
        return "--event-sink=udp:%s:%d" % self.sock.getsockname()

    def of(self, event, **members):
        """The events of that name with these members, so far."""
        while True:
            try:
                self.events.append(json.loads(self.sock.recv(65536)))
            except BlockingIOError:
                break
        return [e for e in self.events
                if e["event"] == event and all(e.get(k.replace("_", "-")) == v for k, v in members.items())]

    def wait(self, event, timeout=20, **members):
        procs.wait_until(lambda: self.of(event, **members), f"event {event} {members}, got {self.events[-5:]}", timeout)


class Call:
    """An MSRP call of a UE that originates it; each request says which node it goes to."""

    def __init__(self, name):
        self.name = name
        self.core_port = procs.free_port(CORE)
        self.at_ue = self.at_core = self.reply = None

    def _ask(self, node, timeout=15, **message):
        self.reply = node.client.request({"call-id": self.name, "replace": ["origin", "session-connection"], **message},
                                         timeout=timeout)
        return self.reply

    def offer(self, node):
        keys = msrpcall.ng_keys("originating") if not self.at_ue else {"to-tag": "core"}
        reply = self._ask(node, **keys, command="offer", **{"from-tag": "ue", "sdp": msrpcall.ue_sdp(UE, ue_cert)})
        assert reply.get("result") == "ok", reply
        self.at_core = sdp.Sdp(reply["sdp"])

    def answer(self, node):
        reply = self._ask(node, command="answer", **{"from-tag": "ue", "to-tag": "core",
                                                     "sdp": msrpcall.core_sdp(CORE, self.core_port)})
        assert reply.get("result") == "ok", reply
        self.at_ue = sdp.Sdp(reply["sdp"])

    def set_up(self, offerer, answerer=None):
        self.offer(offerer)
        self.answer(answerer or offerer)

    def delete(self, node):
        reply = self._ask(node, command="delete", **{"from-tag": "ue", "delete-delay": "0"})
        assert reply.get("result") == "ok" and "warning" not in reply, reply

    def peer(self, cert=ue_cert, **options):
        return peers.TlsPeer("gnutls", cert=cert, connect="%s:%d" % self.at_ue.endpoint(0),
                             expect_fingerprint=msrpcall.expected(self.at_ue.fingerprint(0)), **options)

    def exchange(self, seed):
        """The UE connects and bytes cross, both ways."""
        to_core, to_ue = peers.payload(SIZE, seed), peers.payload(SIZE, seed + 1)
        core = peers.PlainPeer(CORE, self.core_port, data=to_ue, expect=SIZE)
        ue = self.peer(recv=SIZE, send=procs.write_file("to-core", to_core))
        assert ue.wait() == 0, ue.log()
        core.join()
        core.close()
        assert ue.digest() == (SIZE, hashlib.sha256(to_ue).hexdigest()), ue.log()
        assert core.digest.hexdigest() == hashlib.sha256(to_core).hexdigest()

    def refuses_stranger(self):
        core = peers.PlainPeer(CORE, self.core_port)
        stranger = self.peer(stranger_cert, recv="close", send=procs.write_file("secret", peers.payload(5000, 7)))
        status = stranger.wait()
        core.close()
        assert status not in (0, peers.EXIT_FINGERPRINT), stranger.log()
        assert (core.connections, core.received) == (0, 0)


def record(redis, name):
    text = redis.record(name)
    return json.loads(text) if text else None


def owner(redis, name):
    found = record(redis, name)
    return found["owner"] if found else None
