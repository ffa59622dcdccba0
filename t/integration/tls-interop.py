# SPDX-License-Identifier: GPL-3.0-or-later
"""MSRP and BFCP with UEs that are not OpenSSL: roles, versions, certificates, fingerprints, and one event per failure."""
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

STACKS = (("gnutls", "tls12"), ("gnutls", "tls13"), ("mbedtls", "tls12"), ("wolfssl", "tls12"), ("wolfssl", "tls13"))
SHOWN = {"tls12": "TLS1.2 ", "tls13": "TLS1.3 "}
# Who offers and who opens the connection: the four rows where BFCP's two rules of TLS roles agree, and the same for MSRP.
ROWS = (("originating", "active"), ("terminating", "passive"))
GATEWAYS = {"RSA": ["agw-rsa"], "ECDSA": ["agw-ecdsa"], "RSA and ECDSA": ["agw-rsa", "agw-ecdsa"]}
UE = {"RSA": certs.Pair("ue-rsa"), "ECDSA": certs.Pair("ue-ecdsa")}
STRANGER = certs.Pair("other-ecdsa")
GOOD = ["tls-established", "bearer-released"]
# In TLS 1.2 a server names the kinds of client certificates that it takes. wolfSSL names only that of its own, and a
# gateway that has only the other one has nothing to present: such a UE needs a gateway with both.
UNABLE = {("wolfssl", "tls12", "passive", "RSA", "ECDSA"), ("wolfssl", "tls12", "passive", "ECDSA", "RSA")}
sink = events.Sink()
programs = {}


with tap.need("a program for each kind of gateway certificate starts"):
    for kind, names in GATEWAYS.items():
        programs[kind] = plugin.Plugin(None, name="-".join(["rtpengine-e2ae"] + names),
                                       listen=(procs.address(4), procs.free_port(procs.address(4))),
                                       ports=(31000 + 100 * len(programs), 31099 + 100 * len(programs)),
                                       extra=certs.options(names) + [sink.option()])
ecdsa = programs["ECDSA"]


def works(call, version):
    """The call carries its data both ways and raises no more events than it should."""
    part = f"{call.medium.name.upper()}: UE, {call.ue_setup}, {SHOWN[version].strip()}"
    with interop.part(interop.PEERS[call.stack], part), call:
        call.run()
        assert call.ue.line("CONNECTED").startswith(SHOWN[version]), call.ue.log()
        sink.wait(call.call_id, "bearer-released")
    assert sink.of(call.call_id) == GOOD, sink.of(call.call_id)


def refuses(call, *expected):
    """The UE does not get in, the core gets nothing, and the proxy is told exactly once."""
    with call:
        call.set_up()
        call.connect_ue()
        call.refused()
        sink.wait(call.call_id, expected[-1])
        call.untouched_core()
    got = sink.of(call.call_id)
    assert len(got) == 1 and got[0] in expected, got


# 1. Every stack, version and pair of certificates, MSRP and BFCP, the UE as TCP and TLS client and as server.
for gateway, program in programs.items():
    for stack, version in STACKS:
        for kind, cert in UE.items():
            for medium in (media.MSRP, media.BFCP):
                for side, ue_setup in ROWS:
                    if (stack, version, ue_setup, kind, gateway) in UNABLE:
                        continue
                    with tap.check(f"ASC-01 TLS-02 COM-08 {medium.name}: {ue_setup} UE {stack} {version} {kind}, "
                                   f"gateway {gateway}, {side}"):
                        works(calls.Call(program, medium, side, ue_setup, stack, cert, **{version: True}), version)

with tap.check("FPR-07: with two certificates both fingerprints are signalled, with one there is one"):
    for kind, names in GATEWAYS.items():
        with calls.Call(programs[kind], media.MSRP, "originating", "active", "gnutls", UE["RSA"]) as call:
            call.set_up()
            want = sorted(certs.Pair(name).fingerprint() for name in names)
            assert sorted(call.at_ue.media[0].values("fingerprint")) == want, str(call.at_ue)

# 2. Certificates that a UE may have.
for name, needs in (("ue-chain", "TLS-16: the leaf of a chain counts"), ("ue-expired", "ASC-04: nobody looks at dates"),
                    ("ue-p521", "ASC-04: a P-521 key"), ("ue-sha1", "ASC-04: a self-signature with SHA-1"),
                    ("ue-rsa1024", "ASC-04: an RSA key of 1024 bits")):
    for stack, version in STACKS:
        with tap.check(f"{needs}: {stack} {version}"):
            cert = certs.Pair(name)
            works(calls.Call(ecdsa, media.MSRP, "originating", "active", stack, cert, **{version: True}), version)
for stack, version in (("gnutls", "tls12"), ("gnutls", "tls13"), ("wolfssl", "tls13")):
    with tap.check(f"ASC-04: an Ed25519 key: {stack} {version}"):
        works(calls.Call(ecdsa, media.MSRP, "originating", "active", stack, certs.Pair("ue-ed25519"),
                         **{version: True}), version)

# 3. Fingerprints.
rsa, stranger = UE["RSA"], STRANGER
for stack, version in STACKS:
    for name in ("sha-224", "sha-256", "sha-384", "sha-512"):
        with tap.check(f"FPR-05: a {name} fingerprint: {stack} {version}"):
            works(calls.Call(ecdsa, media.MSRP, "originating", "active", stack, rsa, [rsa.fingerprint(name)],
                             **{version: True}), version)
    with tap.check(f"FPR-05: sha-1 with e2ae-hash=sha-1: {stack} {version}"):
        works(calls.Call(ecdsa, media.MSRP, "originating", "active", stack, rsa, [rsa.fingerprint("sha-1")],
                         keys={"e2ae-hash": "sha-1"}, **{version: True}), version)
    with tap.check(f"FPR-06: two values of one hash, the second is right: {stack} {version}"):
        works(calls.Call(ecdsa, media.BFCP, "originating", "active", stack, rsa,
                         [stranger.fingerprint(), rsa.fingerprint()], **{version: True}), version)
    with tap.check(f"FPR-06: two hashes, both right: {stack} {version}"):
        works(calls.Call(ecdsa, media.BFCP, "originating", "active", stack, rsa,
                         [rsa.fingerprint("sha-1"), rsa.fingerprint("sha-512")], **{version: True}), version)
    with tap.check(f"FPR-06: the better hash is wrong, the weaker one right: refused: {stack} {version}"):
        refuses(calls.Call(ecdsa, media.MSRP, "originating", "active", stack, rsa,
                           [rsa.fingerprint("sha-256"), stranger.fingerprint("sha-512")], **{version: True}),
                "fingerprint-mismatch")
with tap.check("FPR-02: a fingerprint in other letters and spacing"):
    text = rsa.fingerprint()
    works(calls.Call(ecdsa, media.MSRP, "originating", "active", "gnutls", rsa, [" SHA-256 " + text[8:].lower() + " "],
                     tls12=True), "tls12")

for what, fingerprints in (("FPR-05: sha-1 without e2ae-hash", [rsa.fingerprint("sha-1")]),
                           ("FPR-04: md5", ["md5 " + ":".join(["AB"] * 16)]),
                           ("FPR-08: an unknown hash", ["sha3-256 " + ":".join(["AB"] * 32)]),
                           ("ORG-17: none", [])):
    with tap.check(f"{what}: an offer is refused with a reason"):
        with calls.Call(ecdsa, media.MSRP, "originating", "active", "gnutls", rsa, fingerprints) as call:
            got = call.offer("ue", call.ue_text(indication=True))
            entry = call.stream()
            assert entry["treatment"] == "reject" and "fingerprint" in entry["reason"], entry
            assert got.media[0].port == 0 and not call.ports(), str(got)
    with tap.check(f"{what}: an answer is refused with a reason, and the proxy is told once"):
        with calls.Call(ecdsa, media.MSRP, "terminating", "active", "gnutls", rsa, fingerprints) as call:
            call.core = peers.PlainPeer(call.core_host)
            call.offer_from_core()
            got = call.answer("ue", call.ue_text())
            entry = call.stream()
            assert entry["treatment"] == "reject" and "fingerprint" in entry["reason"], entry
            assert got.media[0].port == 0 and got.media[0].proto == "TCP/MSRP", str(got)
        assert sink.of(call.call_id) == ["bearer-released"], sink.of(call.call_id)

# 4. Who is not the UE.
for stack, version in STACKS:
    for medium in (media.MSRP, media.BFCP):
        for side, ue_setup in ROWS:
            with tap.check(f"ASC-07 TLS-13 {medium.name}: wrong certificate, {ue_setup} {stack} {version}"):
                refuses(calls.Call(ecdsa, medium, side, ue_setup, stack, rsa, [stranger.fingerprint()],
                                   **{version: True}), "fingerprint-mismatch")
        with tap.check(f"ASC-01 FPR-10 {medium.name}: no certificate, {stack} {version}"):
            refuses(calls.Call(ecdsa, medium, "originating", "active", stack, rsa, no_cert=True, **{version: True}),
                    "no-client-certificate")
for version in ("TLS1.0", "TLS1.1"):
    with tap.check(f"TLS-02: a UE with nothing better than {version} is refused"):
        refuses(calls.Call(ecdsa, media.MSRP, "originating", "active", "gnutls", rsa,
                           ciphers=f"NORMAL:-VERS-ALL:+VERS-{version}:%VERIFY_ALLOW_SIGN_WITH_SHA1"), "tls-handshake-failed")
for kind, cipher in (("RSA", "+NULL:+RSA:+SHA1:+SHA256"), ("RSA", "+3DES-CBC:+ARCFOUR-128:+RSA:+SHA1"),
                     ("RSA", "+AES-128-GCM:+AEAD:+ANON-ECDH:+ANON-DH")):
    with tap.check(f"TLS-01: a UE that offers only {cipher} is refused"):
        refuses(calls.Call(programs[kind], media.MSRP, "originating", "active", "gnutls", rsa,
                           ciphers=f"NONE:+VERS-TLS1.2:{cipher}:+SIGN-ALL:+GROUP-ALL:+COMP-ALL"), "tls-handshake-failed")

tap.finish()
