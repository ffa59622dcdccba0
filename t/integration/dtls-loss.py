# SPDX-License-Identifier: GPL-3.0-or-later
"""T.38 in DTLS over paths with an MTU of 300 that lose, delay and double: handshakes of four stacks, and their data."""
import os
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import calls
import certs
import events
import lossy
import media
import plugin
import procs
import tap

STACKS = ("gnutls", "mbedtls", "openssl", "wolfssl")
ROWS = (("originating", "active"), ("originating", "passive"), ("terminating", "active"), ("terminating", "passive"))
UE = {"RSA": certs.Pair("ue-rsa"), "ECDSA": certs.Pair("ue-ecdsa")}
MTU = 300
ROOMY = 1200
# Debian's wolfSSL is built with an MTU of its own, so from there only what the gateway sends is small.
FIXED_MTU = ("wolfssl",)
# Mbed TLS does not fragment its ClientHello, and with all its suites and a cookie that alone is larger.
CIPHERS = {"mbedtls": "TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256:TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256"}
LARGEST = 200  # UDPTL that fits MTU with the header, nonce and tag of a record
# Of either direction: one is lost, one overtaken, one doubled.
DATA = {1: lossy.DROP, 4: lossy.LATE, 8: lossy.TWICE}
SEEDS = (1, 2)
TIMEOUT = 60  # a handshake that loses every flight waits for six retransmissions
PEER_TIMEOUT = 5 * TIMEOUT  # calls are up together, but their data is looked at one after the other
sink = events.Sink()
programs = {}

with tap.need("programs with small and with usual datagrams start"):
    for mtu in (MTU, ROOMY):
        low = 31000 + 100 * len(programs)
        programs[mtu] = plugin.Plugin(
            None, name=f"rtpengine-e2ae-{mtu}", ports=(low, low + 99),
            listen=(procs.address(4), procs.free_port(procs.address(4))),
            extra=certs.options(["agw-rsa", "agw-ecdsa"]) + [f"--dtls-mtu={mtu}", "--handshake-timeout=60000",
                                                             sink.option()])


def spared(stack, ue_setup):
    """wolfSSL as server does not send its last flight again when the client repeats its own."""
    return [("down", lossy.CHANGE_CIPHER_SPEC)] if (stack, ue_setup) == ("wolfssl", "passive") else []


class Call(calls.Call):
    """A fax whose DTLS goes over a path; whoever is active speaks first on it. @lost: handshake datagrams that it has
    to lose at least."""

    def __init__(self, fate, side, ue_setup, stack, cert, data=None, mtu=MTU, lost=0):
        self.fate, self.fates, self.mtu, self.lost = fate, data or {}, mtu, lost
        super().__init__(programs[mtu], media.T38, side, ue_setup, stack, cert, wait=True, stdin=subprocess.PIPE,
                         timeout=PEER_TIMEOUT, mtu=None if stack in FIXED_MTU else mtu, ciphers=CIPHERS.get(stack),
                         recv=calls.FAX - list(self.fates.values()).count(lossy.DROP))
        self.to_core, self.to_ue = media.fax(calls.FAX, 1, LARGEST), media.fax(calls.FAX, 2, LARGEST)
        self.path = None

    def _open_path(self, target):
        self.path = lossy.Path(self.ue_host, target, self.fate, 65535 if self.stack in FIXED_MTU else self.mtu)

    def ue_port(self):
        if self.ue_setup == "active":
            return 6056
        if not self.path:
            self._open_path(self.ue.listening_at())
        return self.path.endpoint()[1]

    def connect_ue(self, **options):
        if self.ue_setup == "active":
            self._open_path(self.at_ue.endpoint(0))
            self.start_ue(connect="%s:%d" % self.path.endpoint(), **options)
        return self.ue

    def exchange(self):
        """As in any call, but what arrives is what the path lets through. Data waits until both ends are open: what
        comes before that the gateway keeps, and puts in order."""
        self.ue.wait_line("CONNECTED", TIMEOUT)
        sink.wait(self.call_id, "tls-established", timeout=TIMEOUT)
        self.ue.go()
        self.core.send(self.at_core.endpoint(0), self.to_ue)
        want = lossy.after(self.to_core, self.fates)
        got = self.core.wait(len(want))
        assert got == want, [self.to_core.index(datagram) for datagram in got]
        assert self.ue.wait(TIMEOUT) == 0, self.ue.log()
        got = media.unframed(procs.path_of(f"at-ue-{self.call_id}"))
        assert got == lossy.after(self.to_ue, self.fates), [self.to_ue.index(datagram) for datagram in got]
        self.check_certificate()
        sink.wait(self.call_id, "bearer-released")

    def check_path(self):
        """Nothing was larger than the MTU, and with a small one no certificate fitted a datagram. As server we send the
        Finished beside the ChangeCipherSpec, again and again: a GnuTLS that gets it alone may wait for ever."""
        from_ue, from_us = ("up", "down") if self.ue_setup == "active" else ("down", "up")
        for direction in (from_us,) if self.stack in FIXED_MTU else (from_us, from_ue):
            assert self.path.largest[direction] <= self.mtu and not self.path.too_large, self.path.largest
            assert self.path.fragments[direction] > 1 or self.mtu > MTU, self.path.fragments
        assert self.ue_setup == "passive" or self.path.parted["down"] == 0, "a Finished by itself"
        assert self.path.fates[lossy.DROP] >= self.lost + list(self.fates.values()).count(lossy.DROP) * 2

    def end(self):
        """Others are up: the ports are looked at when all are gone."""
        self.delete()
        self._stop_peers()

    def _stop_peers(self):
        super()._stop_peers()
        if self.path:
            self.path.close()


def run(what, made):
    """Calls that wait for retransmissions do it together. @made: (name, call) for each."""
    begun = []
    for name, call in made:
        try:
            call.set_up()
            call.connect_ue()
            begun.append((name, call))
        except Exception as error:
            tap.ok(False, f"{what}: {name}", f"not set up: {error}")
    for name, call in begun:
        with tap.check(f"{what}: {name}"):
            with call:
                try:
                    call.exchange()
                    call.check_path()
                except Exception:
                    tap.note(call.path.story())
                    raise
    with tap.check(f"{what}: every port is free again, and the proxy heard of each association and its end, once"):
        procs.wait_until(lambda: not any(program.sockets() for program in programs.values()), "no media sockets", 10)
        for name, call in begun:
            assert sink.of(call.call_id) == ["tls-established", "bearer-released"], (name, sink.of(call.call_id))


for stack in STACKS:
    run(f"TLS-14 DTL-10: an MTU of {MTU}", [
        (f"{ue_setup} UE {stack} {kind}, {side}", Call(lossy.clean, side, ue_setup, stack, cert))
        for kind, cert in UE.items() for side, ue_setup in ROWS])
    run("DTL-10 TLS-14: data that is lost, overtaken and doubled", [
        (f"{ue_setup} UE {stack}, {side}", Call(lossy.Seeded(data=DATA), side, ue_setup, stack, UE["RSA"], DATA))
        for side, ue_setup in ROWS])
run("TLS-14: every flight is lost once", [
    (f"{ue_setup} UE {stack} {kind}, {side}",
     Call(lossy.FirstFlights(spared(stack, ue_setup)), side, ue_setup, stack, cert, lost=5))
    for stack in STACKS for kind, cert in UE.items() for side, ue_setup in ROWS])
# wolfSSL 5.5 puts fragments together wrongly that are cut otherwise when they are sent again, as a gateway with a small
# MTU does; its handshakes are those of the next group.
run("TLS-14: datagrams of the handshake are lost, overtaken and doubled", [
    (f"{ue_setup} UE {stack}, {side}, seed {seed}",
     Call(lossy.Seeded(seed, DATA, spared(stack, ue_setup)), side, ue_setup, stack, UE["RSA"], DATA, lost=1))
    for stack in STACKS if stack != "wolfssl" for side, ue_setup in ROWS for seed in SEEDS])
run("TLS-14: flights in one datagram are lost, overtaken and doubled", [
    (f"{ue_setup} UE {stack}, {side}, seed {seed}",
     Call(lossy.Seeded(seed, DATA, spared(stack, ue_setup)), side, ue_setup, stack, UE["ECDSA"], DATA, ROOMY))
    for stack in STACKS for side, ue_setup in ROWS for seed in SEEDS])

tap.finish()
