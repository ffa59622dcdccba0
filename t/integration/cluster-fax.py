# SPDX-License-Identifier: GPL-3.0-or-later
"""Faxes over DTLS on a node that is killed: the other one of its group has their addresses, and opens each association
anew without signalling: as DTLS client by itself, as DTLS server for the UE's next ClientHello."""
import os
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import calls
import cluster
import media
import peers
import procs
import redisserver
import tap

# Who the UE is in the call, and in the DTLS association.
ROWS = [(side, ue_setup) for side in ("originating", "terminating") for ue_setup in ("active", "passive")]
ROLE = {"active": "client", "passive": "server"}
STACKS = {"active": "gnutls", "passive": "openssl"}


class Fax(calls.Call):
    """A fax of which the UE's end, or the node's, can be another one after a while."""

    def __init__(self, node, side, ue_setup, cert=cluster.ue_cert):
        super().__init__(node, media.T38, side, ue_setup, STACKS[ue_setup], cert, hold=True, stdin=subprocess.PIPE)
        self.title = f"{side}, UE is DTLS {ROLE[ue_setup]}"

    def renew_ue(self, cert=cluster.ue_cert):
        """Another UE at the same place, with a socket and an association of its own; what it and the core have got is
        counted from here. A passive one listens where the first did."""
        where = self.ue.listening_at() if self.ue_setup == "passive" else self.at_ue.endpoint(0)
        self.ue.stop()
        self.core.datagrams.clear()
        self.cert = cert
        self.start_ue(**{"listen" if self.ue_setup == "passive" else "connect": "%s:%d" % where})

    def cross(self):
        """Every datagram of both sides comes to the other, whole and in order, while the association stays."""
        self.ue.wait_line("CONNECTED")
        sent = self.access()["packets-out"]
        self.core.send(self.at_core.endpoint(0), self.to_ue)
        got = self.core.wait(calls.FAX)
        assert got == self.to_core, [len(datagram) for datagram in got]
        procs.wait_until(lambda: int(self.access()["packets-out"]) == int(sent) + calls.FAX, "all sent on to the UE")

    def finish(self):
        """The UE ends, and has got everything."""
        self.ue.release()
        assert self.ue.wait() == 0, self.ue.log()
        assert media.unframed(procs.path_of(f"at-ue-{self.call_id}")) == self.to_ue, self.ue.log()

    def access(self):
        return self.program.request(command="e2ae query", call_id=self.call_id)["e2ae"]["streams"][0]["access"]


def start(name):
    return cluster.Node(redis, name, 1, sink=sink, extra=("--ha-group=east",))


with tap.need("two nodes of a group with the same addresses, and Redis"):
    redis = redisserver.Redis()
    sink = cluster.Sink()
    a, b = start("edge-a"), start("edge-b")
    a.wait_company()
    b.wait_company()
faxes = [Fax(a, *row) for row in ROWS]
stranger = Fax(a, "originating", "active")
for one in (*faxes, stranger):
    with tap.need(f"{one.title}: a fax runs on the first node"):
        one.set_up()
        one.connect_ue()
        one.cross()
        one.check_certificate()
with tap.need("which is killed; each UE has lost its end, too, and the passive ones listen again"):
    ports = a.sockets()
    a.crash()
    for one in faxes:
        if one.ue_setup == "passive":
            one.renew_ue()
    procs.wait_until(lambda: len(b.calls()) == len(faxes) + 1, "the other node has the calls", 20)
    taken = time.monotonic()
    for one in (*faxes, stranger):
        one.program = b
with tap.check("it has bound the same ports"):
    assert b.sockets() == ports, (ports, b.sockets())
with tap.check("TRK-27: the proxy hears of each fax: takeover, and bearer-released"):
    for one in (*faxes, stranger):
        sink.wait("takeover", call_id=one.call_id, final=False)
        sink.wait("bearer-released", call_id=one.call_id, final=False)
for one in faxes:
    if one.ue_setup == "passive":
        with tap.check(f"DTL-18 {one.title}: the new node sends a ClientHello by itself, at once"):
            one.ue.wait_line("CONNECTED")
            seconds = time.monotonic() - taken
            tap.note(f"{seconds:.2f} s after the calls were seen at the new node")
            assert seconds < 2.0 * procs.PATIENCE
with tap.check("DTL-09 ASC-07: a wrong certificate is refused by the new node, and nothing of it comes to the core"):
    stranger.renew_ue(cluster.stranger_cert)
    status = stranger.ue.wait()
    assert status not in (0, peers.EXIT_FINGERPRINT), stranger.ue.log()
    stranger.untouched_core()
    sink.wait("fingerprint-mismatch", call_id=stranger.call_id)
for one in faxes:
    if one.ue_setup == "active":
        with tap.check(f"DTL-18 {one.title}: the new node takes its ClientHello at the port it knows"):
            one.renew_ue()
            one.ue.wait_line("CONNECTED")
for one in faxes:
    with tap.check(f"DTL-10 FPR-09 {one.title}: the datagrams cross again, both ways, under the certificate of the SDP"):
        one.cross()
        one.check_certificate()
        one.finish()
with tap.check("the right UE is served where the stranger was refused"):
    stranger.renew_ue()
    stranger.cross()
    stranger.finish()
with tap.check("after the deletes nothing is left"):
    for one in (*faxes, stranger):
        one.delete()
        one.core.close()
    procs.wait_until(lambda: not b.sockets(), f"no media sockets, there are {b.sockets()}", 10)
    keys = redis.keys()
    assert not [key for key in keys if key.startswith("e2ae:call:") or key.endswith(":calls")], keys

tap.finish()
