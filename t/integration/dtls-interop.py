# SPDX-License-Identifier: GPL-3.0-or-later
"""T.38 in DTLS with UEs of four stacks: both DTLS roles, both sides of a call, certificates, hashes, and who is refused."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import calls
import certs
import events
import interop
import media
import peers
import plugin
import procs
import tap

STACKS = ("gnutls", "mbedtls", "wolfssl", "openssl")
SIDES = ("originating", "terminating")
SETUPS = ("active", "passive")
GATEWAYS = {"RSA": ["agw-rsa"], "ECDSA": ["agw-ecdsa"], "RSA and ECDSA": ["agw-rsa", "agw-ecdsa"]}
UE = {"RSA": certs.Pair("ue-rsa"), "ECDSA": certs.Pair("ue-ecdsa")}
STRANGER = certs.Pair("other-ecdsa")
# A server names the kinds of client certificates that it takes, and wolfSSL names only that of its own.
UNABLE = {("wolfssl", "passive", "RSA", "ECDSA"), ("wolfssl", "passive", "ECDSA", "RSA")}
sink = events.Sink()
programs = {}

with tap.need("a program for each kind of gateway certificate starts"):
    for gateway, names in GATEWAYS.items():
        low = 31000 + 100 * len(programs)
        programs[gateway] = plugin.Plugin(None, name="-".join(["rtpengine-e2ae"] + names), ports=(low, low + 99),
                                          listen=(procs.address(4), procs.free_port(procs.address(4))),
                                          extra=certs.options(names) + [sink.option()])
both = programs["RSA and ECDSA"]


def fax(program, side, ue_setup, stack, cert, *args, **options):
    return calls.Call(program, media.T38, side, ue_setup, stack, cert, *args, **options)


def works(call):
    """Every datagram of both sides arrives whole and in order, and the proxy hears of the association and its end."""
    with interop.part(interop.PEERS[call.stack], f"T.38: UE, {call.ue_setup}, DTLS1.2"), call:
        call.run()
        assert call.ue.line("CONNECTED").startswith("DTLS1.2 "), call.ue.log()
        sink.wait(call.call_id, "bearer-released")
    assert sink.of(call.call_id) == ["tls-established", "bearer-released"], sink.of(call.call_id)


def refuses(call, *expected, again=False):
    """The UE does not get in, the core gets nothing, and the proxy is told exactly once.

    @again: GnuTLS may not hear the alert that answers its ClientHello and send that again, which is a second attempt."""
    with call:
        call.set_up()
        call.connect_ue()
        call.refused()
        sink.wait(call.call_id, expected[-1])
        call.core.send(call.at_core.endpoint(0), call.to_ue)
        call.untouched_core()
    got = sink.of(call.call_id)
    assert len(got) == 1 or again and len(got) == 2, got
    assert set(got) <= set(expected), got


# 1. Every stack as DTLS client and server, on both sides of a call, with every pair of certificates.
for gateway, program in programs.items():
    for stack in STACKS:
        for kind, cert in UE.items():
            for ue_setup in SETUPS:
                if (stack, ue_setup, kind, gateway) in UNABLE:
                    continue
                for side in SIDES:
                    with tap.check(f"ASC-01 COM-07 DTL-10 {side}: {ue_setup} UE {stack} {kind}, gateway {gateway}"):
                        works(fax(program, side, ue_setup, stack, cert))

# RFC 7345 4.1: both suites must be there, and the one with forward secrecy over curves is the one of choice.
for name, ciphers, want in (("either", "-KX-ALL:+DHE-RSA:+ECDHE-RSA", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
                            ("ECDHE", "-KX-ALL:+ECDHE-RSA", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
                            ("DHE", "-KX-ALL:+DHE-RSA", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")):
    for ue_setup in SETUPS:
        with tap.check(f"TLS-07: {ue_setup} UE with RSA and {name}"):
            call = fax(programs["RSA"], "originating", ue_setup, "gnutls", UE["RSA"],
                       ciphers=f"-CIPHER-ALL:+AES-128-GCM:{ciphers}")
            works(call)
            assert call.ue.line("CONNECTED") == f"DTLS1.2 {want}", call.ue.log()

# 2. Fingerprints.
rsa = UE["RSA"]
for stack in STACKS:
    for ue_setup, side in zip(SETUPS, SIDES):
        for name in ("sha-224", "sha-256", "sha-384", "sha-512"):
            with tap.check(f"FPR-05: a {name} fingerprint, {ue_setup} UE {stack}, {side}"):
                works(fax(both, side, ue_setup, stack, rsa, [rsa.fingerprint(name)]))
        with tap.check(f"FPR-05: sha-1 with e2ae-hash=sha-1, {ue_setup} UE {stack}, {side}"):
            works(fax(both, side, ue_setup, stack, rsa, [rsa.fingerprint("sha-1")], keys={"e2ae-hash": "sha-1"}))
    with tap.check(f"FPR-06: the better hash is wrong, the weaker one right: refused: {stack}"):
        refuses(fax(both, "originating", "active", stack, rsa,
                    [rsa.fingerprint("sha-256"), STRANGER.fingerprint("sha-512")]), "fingerprint-mismatch")
with tap.check("FPR-05 ORG-17: sha-1 without e2ae-hash: the offer is refused with a reason, and nothing is opened"):
    with fax(both, "originating", "active", "gnutls", rsa, [rsa.fingerprint("sha-1")]) as call:
        got = call.offer("ue", call.ue_text(indication=True))
        entry = call.stream()
        assert entry["treatment"] == "reject" and "fingerprint" in entry["reason"], entry
        assert got.media[0].port == 0 and not call.ports(), str(got)
with tap.check("FPR-05 TRM-12: sha-1 without e2ae-hash: the answer is refused with a reason, and the proxy is told once"):
    with fax(both, "terminating", "active", "gnutls", rsa, [rsa.fingerprint("sha-1")]) as call:
        call.core = calls.UdpCore(call.core_host)
        call.offer_from_core()
        got = call.answer("ue", call.ue_text())
        entry = call.stream()
        assert entry["treatment"] == "reject" and "fingerprint" in entry["reason"], entry
        assert (got.media[0].port, got.media[0].proto) == (0, "udptl"), str(got)
    assert sink.of(call.call_id) == ["bearer-released"], sink.of(call.call_id)

# 3. Who is not the UE.
for stack in STACKS:
    for side in SIDES:
        for ue_setup in SETUPS:
            with tap.check(f"ASC-07 DTL-16 TLS-13: wrong certificate, {ue_setup} UE {stack}, {side}"):
                refuses(fax(both, side, ue_setup, stack, rsa, [STRANGER.fingerprint()]), "fingerprint-mismatch")
    with tap.check(f"ASC-01 TLS-13: no certificate, {stack}"):
        refuses(fax(both, "originating", "active", stack, rsa, no_cert=True), "no-client-certificate")
with tap.check("TLS-02: a UE with nothing better than DTLS 1.0 is refused"):
    refuses(fax(both, "originating", "active", "gnutls", rsa, ciphers="-VERS-ALL:+VERS-DTLS1.0"), "tls-handshake-failed",
            again=True)
with tap.check("TLS-01: a UE that offers only anonymous suites is refused"):
    refuses(fax(both, "originating", "active", "gnutls", rsa, ciphers="-KX-ALL:+ANON-ECDH:+ANON-DH"),
            "tls-handshake-failed", again=True)

tap.finish()
