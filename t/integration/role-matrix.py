# SPDX-License-Identifier: GPL-3.0-or-later
"""Norms 12.1 with real sockets: every row of the role matrix for the three media, both address families, data both ways."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import calls
import certs
import events
import media
import plugin
import procs
import tap

STACKS = ("gnutls", "mbedtls", "wolfssl")
UE = certs.Pair("ue-ecdsa")
V6 = "::1"
sink = events.Sink()


def program(name, number, access=None, core=None, *extra):
    # Everybody shares ::1, so the ports are those of this test's slot.
    low = (20000 + 40 * procs.slot() if V6 in (access, core) else 31000) + 10 * number
    return plugin.Plugin(None, name=name, access=access, core=core, ports=(low, low + 9),
                         listen=(procs.address(4), procs.free_port(procs.address(4))),
                         extra=[sink.option(), *extra])


with tap.need("the programs start"):
    auto = program("rtpengine-e2ae", 0)
    answerer = program("rtpengine-e2ae-answerer", 1, None, None, "--bfcp-tls-role=answerer", "--peek-timeout=60000")
    by_setup = program("rtpengine-e2ae-setup", 2, None, None, "--bfcp-tls-role=setup", "--peek-timeout=60000")


def works(name, program, medium, side, ue_setup, stack="gnutls", role=None, **options):
    """@role: what the AGW has to say of its own TLS role, where the row decides it."""
    with tap.check(name):
        with calls.Call(program, medium, side, ue_setup, stack, UE, **options) as call:
            call.set_up()
            leg = call.stream()["access"]
            if role:
                assert leg.get("tls-role") == role, leg
            call.connect_ue()
            call.exchange()
            call.check_certificate()
            sink.wait(call.call_id, "tls-established")
        assert sink.of(call.call_id).count("tls-established") == 1, sink.of(call.call_id)
        assert set(sink.of(call.call_id)) <= {"tls-established", "bearer-released"}, sink.of(call.call_id)


# 1. The matrix, with each stack as UE.
for stack in STACKS:
    for side in ("originating", "terminating"):
        for core_setup in ("active", "passive"):
            works(f"COM-08 msrp {side}: UE active, so it opens TCP and is TLS client; core {core_setup}; {stack}",
                  auto, media.MSRP, side, "active", stack, "server", core_setup=core_setup)
        works(f"COM-08 COM-10 msrp {side}: UE passive, so the AGW opens TCP and is TLS client; {stack}",
              auto, media.MSRP, side, "passive", stack, "client")
    for core_setup in ("active", "passive"):
        works(f"BFC-05 bfcp originating: UE active, the answering AGW is TLS server; core {core_setup}; {stack}",
              auto, media.BFCP, "originating", "active", stack, "server", core_setup=core_setup)
        works(f"BFC-05 bfcp terminating: UE passive, the offering AGW is TLS client; core {core_setup}; {stack}",
              auto, media.BFCP, "terminating", "passive", stack, "client", core_setup=core_setup)
        works(f"BFC-07 bfcp originating: UE passive, AGW active on its leg; core {core_setup}; {stack}",
              auto, media.BFCP, "originating", "passive", stack, core_setup=core_setup, tls_role="client")
    works(f"BFC-05 BFC-06 bfcp originating: UE TCP passive but TLS client (RFC 8856 section 8); {stack}",
          auto, media.BFCP, "originating", "passive", stack, tls_role="client")
    works(f"BFC-06 bfcp originating: UE TCP passive and TLS server (RFC 8122); {stack}",
          auto, media.BFCP, "originating", "passive", stack)
    works(f"BFC-05 BFC-06 bfcp terminating: UE TCP active but TLS server (RFC 8856 section 8); {stack}",
          auto, media.BFCP, "terminating", "active", stack, tls_role="server")
    works(f"BFC-06 bfcp terminating: UE TCP active and TLS client (RFC 8122); {stack}",
          auto, media.BFCP, "terminating", "active", stack)
    works(f"BFC-06 --bfcp-tls-role=answerer originating: UE passive is TLS client; {stack}",
          answerer, media.BFCP, "originating", "passive", stack, "server", tls_role="client")
    works(f"BFC-06 --bfcp-tls-role=answerer terminating: UE active is TLS server; {stack}",
          answerer, media.BFCP, "terminating", "active", stack, "client", tls_role="server")
    works(f"BFC-06 --bfcp-tls-role=setup originating: UE passive is TLS server; {stack}",
          by_setup, media.BFCP, "originating", "passive", stack, "client")
    works(f"BFC-06 --bfcp-tls-role=setup terminating: UE active is TLS client; {stack}",
          by_setup, media.BFCP, "terminating", "active", stack, "server")
    for side in ("originating", "terminating"):
        works(f"DTL-18 COM-07 t38 {side}: UE active is DTLS client; {stack}",
              auto, media.T38, side, "active", stack, "server")
        works(f"COM-07 t38 {side}: UE passive is DTLS server; {stack}",
              auto, media.T38, side, "passive", stack, "client")

with tap.check("COM-10 msrp: nobody can open: UE and core both passive are refused with a reason"):
    with calls.Call(auto, media.MSRP, "originating", "passive", "gnutls", UE, core_setup="passive") as call:
        call.start_ue(listen=f"{call.ue_host}:0")
        call.listen_core()
        call.offer_from_ue()
        assert call.at_core.media[0].value("setup") == "passive", str(call.at_core)
        got = call.answer("core", call.core_text("passive"))
        entry = call.stream()
        assert entry["treatment"] == "reject" and entry["reason"] and got.media[0].port == 0, entry

# 2. What the SDP says in each of these rows.
for medium in (media.MSRP, media.BFCP):
    with tap.check(f"COM-02 COM-09 {medium.name}: an actpass UE is answered passive, and the active side shows port 9"):
        with calls.Call(auto, medium, "originating", "active", "gnutls", UE, core_setup="passive") as call:
            call.listen_core()
            call.at_core = call.offer("ue", call.ue_text("actpass", 2855, indication=True))
            call.at_ue = call.answer("core", call.core_text("passive"))
            assert call.at_ue.media[0].value("setup") == "passive", str(call.at_ue)
            call.connect_ue()
            call.exchange()
    with tap.check(f"COM-02 COM-09 {medium.name}: towards a passive UE the AGW is active with port 9"):
        with calls.Call(auto, medium, "originating", "passive", "gnutls", UE) as call:
            call.set_up()
            assert call.at_ue.media[0].value("setup") == "active" and call.at_ue.media[0].port == 9, str(call.at_ue)
            call.exchange()
    with tap.check(f"COM-01 {medium.name}: an offer without a=setup is one of an active UE"):
        with calls.Call(auto, medium, "originating", "active", "gnutls", UE, core_setup="passive") as call:
            call.listen_core()
            text = call.ue_text("active", 9, indication=True).replace("a=setup:active\r\n", "")
            call.at_core = call.offer("ue", text)
            call.at_ue = call.answer("core", call.core_text("passive"))
            assert call.at_ue.media[0].value("setup") == "passive", str(call.at_ue)
            call.connect_ue()
            call.exchange()
    with tap.check(f"COM-01 {medium.name}: an answer without a=setup is one of a passive UE"):
        with calls.Call(auto, medium, "terminating", "passive", "gnutls", UE) as call:
            call.start_ue(listen=f"{call.ue_host}:0")
            call.listen_core()
            call.offer_from_core()
            assert call.at_ue.media[0].value("setup") == "actpass", str(call.at_ue)
            call.at_core = call.answer("ue", call.ue_text().replace("a=setup:passive\r\n", ""))
            call.connect_core(call.at_core)
            call.exchange()
with tap.check("COM-06 TRK-16 msrp: setup:holdconn counts as absent"):
    with calls.Call(auto, media.MSRP, "originating", "active", "gnutls", UE, core_setup="passive") as call:
        call.listen_core()
        call.at_core = call.offer("ue", call.ue_text("holdconn", 9, indication=True))
        call.at_ue = call.answer("core", call.core_text("passive"))
        assert call.at_ue.media[0].value("setup") == "passive", str(call.at_ue)
        call.connect_ue()
        call.exchange()
with tap.check("TRK-16 bfcp: holdconn is answered holdconn, with a fingerprint, and the stream stays allocated"):
    with calls.Call(auto, media.BFCP, "originating", "active", "gnutls", UE) as call:
        call.listen_core()
        got = call.offer("ue", call.ue_text("holdconn", 9, indication=True))
        assert got.media[0].value("setup") == "holdconn", str(got)
        at_ue = call.answer("core", call.core_text("holdconn"))
        assert at_ue.media[0].value("setup") == "holdconn" and at_ue.media[0].has("fingerprint"), str(at_ue)
        assert call.stream()["treatment"] == "e2ae" and call.ports(), call.stream()

# 3. TRK-18: address families, alike and mixed.
for number, (name, access, core) in enumerate((("UE IPv6, core IPv4", V6, None), ("UE IPv4, core IPv6", None, V6),
                                               ("both IPv6", V6, V6))):
    with tap.need(f"TRK-18 a program starts: {name}"):
        mixed = program(f"rtpengine-e2ae-v6-{number}", number, access, core)
    hosts = {"ue_host": access, "core_host": core}
    for medium, stack in zip(media.ALL, STACKS):
        for side in ("originating", "terminating"):
            for ue_setup in ("active", "passive"):
                if medium is media.BFCP and (side == "originating") == (ue_setup == "passive"):
                    continue  # the rows with a grace time are about something else
                works(f"TRK-18 {medium.name} {side}: {name}, UE {ue_setup}", mixed, medium, side, ue_setup, stack,
                      **hosts)
    with tap.check(f"TRK-18 c= and path have the right family: {name}"):
        with calls.Call(mixed, media.MSRP, "originating", "active", "gnutls", UE, **hosts) as call:
            call.set_up()
            for text, host in ((call.at_core, core or mixed.core), (call.at_ue, access or mixed.access)):
                assert f"c=IN {media.ip(host)}" in text.text, text

tap.finish()
