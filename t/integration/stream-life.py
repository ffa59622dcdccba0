# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams over their life, with real sockets: early handshakes, early data, hold, re-offers, changed certificates,
removal, forks, second connections, and how they end (norms 17)."""
import os
import select
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import calls
import capture
import certs
import events
import media
import plugin
import procs
import talk
import tap

UE, CORE = procs.address(10), procs.address(9)
RIGHT, OTHER = certs.Pair("ue-ecdsa"), certs.Pair("ue-rsa")
BIG = 2 << 20
sink = events.Sink()

with tap.need("the programs start"):
    e2ae = plugin.Plugin(None, extra=[sink.option(), "--fork-timeout=500"])
    hasty = plugin.Plugin(None, name="rtpengine-e2ae-hasty", ports=(32000, 32099),
                          listen=(procs.address(4), procs.free_port(procs.address(4))),
                          extra=[sink.option(), "--max-failures=2", f"--idle-timeout={int(1500 * procs.PATIENCE)}"] + [
                              f"--{name}-timeout={int(500 * procs.PATIENCE)}" for name in (
                                  "accept", "handshake", "connect", "fingerprint", "drain")])


class Dialog(calls.Signalling):
    """A call of one or more TCP streams that the test plays itself. Passive core, active UE unless it says otherwise."""

    def __init__(self, medium=media.MSRP, side="originating", program=e2ae, cert=RIGHT, name=None, **keys):
        super().__init__(program, side, name or f"life-{medium.name}", keys)
        self.medium, self.cert = medium, cert
        self.listeners = {}
        self.opened = []
        self.version = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.offers:
            self.delete()
        for thing in self.opened:
            thing.close()
        if kind is None:
            procs.wait_until(lambda: not self.ports(), f"no media sockets, there are {self.ports()}", 10)

    def keep(self, thing):
        self.opened.append(thing)
        return thing

    def listener(self, name="core"):
        if name not in self.listeners:
            self.listeners[name] = self.keep(procs.tcp_listener(CORE))
        return self.listeners[name]

    def text(self, party, *sections):
        self.version += 1
        return media.description(UE if party == "ue" else CORE, *sections, version=self.version)

    def ue_section(self, cert=None, setup="actpass", port=2855, **options):
        options.setdefault("indication", True)
        return media.section(self.medium, UE, port, True, setup, [(cert or self.cert).fingerprint()], **options)

    def core_section(self, setup="passive", port=None, **options):
        options.setdefault("session", "kQ1")
        return media.section(self.medium, CORE, port or self.listener().getsockname()[1], False, setup, **options)

    def from_ue(self, command, *sections, **keys):
        return self.request("ue", command, self.text("ue", *(sections or [self.ue_section()])), **keys)

    def from_core(self, command, *sections, **keys):
        return self.request("core", command, self.text("core", *(sections or [self.core_section()])), **keys)

    def set_up(self):
        """The first offer and its answer, whoever begins."""
        if self.side == "originating":
            self.at_core = self.from_ue("offer")
            self.at_ue = self.from_core("answer")
        else:
            self.at_ue = self.from_core("offer")
            self.at_core = self.from_ue("answer", self.ue_section(setup="active", indication=False))
        return self

    def tls(self, at_ue=None, cert=None, index=0, **options):
        return self.keep(talk.Tls.connect((at_ue or self.at_ue).endpoint(index), source=UE, cert=cert or self.cert,
                                          **options))

    def accept(self, name="core"):
        return self.keep(talk.Plain.accept(self.listener(name)))

    def connect(self):
        """UE and core, connected and tried."""
        ue = self.tls()
        core = self.accept()
        talk.both(ue, core)
        return ue, core

    def nobody_at_core(self, name="core"):
        return not select.select([self.listener(name)], [], [], 0)[0]

    def events(self):
        return sink.of(self.call_id)


tap.note("TRK-10, TRK-11: before the answer")

for medium in (media.MSRP, media.BFCP):
    early = media.stream_data(medium, 4000, 3)
    with tap.check(f"TRK-10 {medium.name}: a handshake before the answer completes, nothing crosses, then all does"):
        with Dialog(medium, "terminating") as dialog:
            wire = capture.Capture(CORE)
            dialog.at_ue = dialog.from_core("offer")
            ue = dialog.tls()
            ue.send(early)
            assert ue.silent() and dialog.nobody_at_core()
            assert dialog.events() == [], dialog.events()
            assert wire.stop() == {}, wire.bytes
            dialog.from_ue("answer", dialog.ue_section(setup="active", indication=False))
            core = dialog.accept()
            assert core.receive(len(early)) == early
            talk.both(ue, core)
            sink.wait(dialog.call_id, "tls-established")
            assert dialog.events() == ["tls-established"], dialog.events()
    with tap.check(f"TRK-10 {medium.name}: a wrong early handshake is ended by the answer, the right UE is served"):
        with Dialog(medium, "terminating") as dialog:
            dialog.at_ue = dialog.from_core("offer")
            wrong = dialog.tls(cert=OTHER)
            wrong.send(early)
            dialog.from_ue("answer", dialog.ue_section(setup="active", indication=False))
            assert wrong.end() in ("clean", "truncated", "reset", "alert")
            sink.wait(dialog.call_id, "fingerprint-mismatch")
            assert dialog.nobody_at_core()
            dialog.connect()
            assert dialog.events() == ["fingerprint-mismatch", "tls-established"], dialog.events()
with tap.check("TRK-10: a UE without certificate does not even get into quarantine"):
    with Dialog(side="terminating") as dialog:
        dialog.at_ue = dialog.from_core("offer")
        nobody = dialog.keep(talk.Tls.connect(dialog.at_ue.endpoint(0), source=UE))
        assert nobody.end() in ("clean", "truncated", "reset", "alert")
        sink.wait(dialog.call_id, "no-client-certificate")
with tap.check("TRK-10: data beyond the early buffer is held back on the wire, and arrives whole after the answer"):
    with Dialog(side="terminating") as dialog:
        dialog.at_ue = dialog.from_core("offer")
        ue = dialog.tls()
        data = media.stream_data(media.MSRP, 200_000, 4)
        ue.send(data)
        assert dialog.nobody_at_core()
        dialog.from_ue("answer", dialog.ue_section(setup="active", indication=False))
        assert dialog.accept().receive(len(data)) == data
for medium in (media.MSRP, media.BFCP):
    with tap.check(f"TRK-11 {medium.name}: the core may be early too: what it sends waits for the UE's certificate"):
        with Dialog(medium) as dialog:
            dialog.at_core = dialog.from_ue("offer")
            core = dialog.keep(talk.Plain.connect(dialog.at_core.endpoint(0), source=CORE))
            data = media.stream_data(medium, 60_000, 5)
            core.send(data)
            dialog.at_ue = dialog.from_core("answer", dialog.core_section("active", 9))
            wrong = dialog.tls(cert=OTHER, handshake=False)
            try:
                wrong.handshake()
                assert wrong.end() in ("alert", "truncated", "reset"), "the stranger was let in"
            except OSError:
                pass
            ue = dialog.tls()
            assert ue.receive(len(data)) == data
            talk.both(ue, core)
            assert dialog.events() == ["fingerprint-mismatch", "tls-established"], dialog.events()

tap.note("TRK-12, TRK-08, TRK-13: re-offers")


def on_hold(section):
    """The legacy way: c=0.0.0.0."""
    return ["c=IN IP4 0.0.0.0" if line.startswith("c=") else line for line in section]


def kept(before, after, what):
    """The same port, unless it is one that we do not listen on (COM-02), and the same fingerprint."""
    active = after.media[0].value("setup") == "active" and after.media[0].port == 9
    assert active or before.endpoint(0) == after.endpoint(0), f"{what}: {before.endpoint(0)} became {after.endpoint(0)}"
    assert before.media[0].values("fingerprint") == after.media[0].values("fingerprint"), what


for medium, connection in ((media.MSRP, None), (media.BFCP, "existing"), (media.BFCP, None)):
    same = {"connection": connection}
    how = medium.name + (f" connection:{connection}" if connection else "")
    with tap.check(f"TRK-12 {how}: hold by either side, in each form, ends nothing"):
        with Dialog(medium).set_up() as dialog:
            ue, core = dialog.connect()
            for extra in (["a=inactive"], ["a=sendonly"], []):
                at_core = dialog.from_ue("offer", on_hold(dialog.ue_section(extra=extra, **same)))
                at_ue = dialog.from_core("answer", dialog.core_section(**same))
                kept(dialog.at_ue, at_ue, "the UE holds")
                kept(dialog.at_core, at_core, "the UE holds")
                talk.both(ue, core)
                at_ue = dialog.from_core("offer", on_hold(dialog.core_section("actpass", extra=extra, **same)))
                at_core = dialog.from_ue("answer", dialog.ue_section(setup="active", indication=False, **same))
                kept(dialog.at_ue, at_ue, "the core holds")
                talk.both(ue, core)
            dialog.from_ue("offer", dialog.ue_section(**same))
            dialog.from_core("answer", dialog.core_section(**same))
            talk.both(ue, core)
            assert dialog.events() == ["tls-established"] and dialog.nobody_at_core(), dialog.events()
    with tap.check(f"TRK-08 TRK-20 {how}: offers without a change keep port, fingerprint and connection"):
        with Dialog(medium).set_up() as dialog:
            ue, core = dialog.connect()
            for round in range(3):
                at_core = dialog.from_ue("offer", dialog.ue_section(indication=round != 1, **same))
                at_ue = dialog.from_core("answer", dialog.core_section(**same))
                assert at_ue.media[0].value("setup") == "passive", str(at_ue)
                kept(dialog.at_ue, at_ue, "UE offers")
                kept(dialog.at_core, at_core, "UE offers")
                talk.both(ue, core)
                at_ue = dialog.from_core("offer", dialog.core_section("actpass", **same))
                assert at_ue.media[0].proto == medium.secure and at_ue.media[0].value("3ge2ae") == "applied", str(at_ue)
                at_core = dialog.from_ue("answer", dialog.ue_section(setup="active", indication=False, **same))
                kept(dialog.at_ue, at_ue, "core offers")
                kept(dialog.at_core, at_core, "core offers")
                talk.both(ue, core)
            assert dialog.events() == ["tls-established"] and dialog.nobody_at_core(), dialog.events()
for medium in (media.MSRP, media.BFCP):
    with tap.check(f"TRK-13 {medium.name}: another fingerprint: new port; the old connection lives until the new is up"):
        with Dialog(medium).set_up() as dialog:
            ue, core = dialog.connect()
            at_core = dialog.from_ue("offer", dialog.ue_section(OTHER))
            assert at_core.endpoint(0) != dialog.at_core.endpoint(0), str(at_core)
            talk.both(ue, core)
            at_ue = dialog.from_core("answer")
            assert at_ue.endpoint(0) != dialog.at_ue.endpoint(0), str(at_ue)
            assert at_ue.fingerprint(0) == dialog.at_ue.fingerprint(0), "FPR-09"
            talk.both(ue, core)
            old_cert = dialog.tls(at_ue, handshake=False)
            try:
                old_cert.handshake()
                assert old_cert.end() in ("alert", "truncated", "reset"), "the old certificate still works"
            except OSError:
                pass
            talk.both(ue, core)
            new = dialog.tls(at_ue, cert=OTHER)
            new_core = dialog.accept()
            talk.both(new, new_core)
            assert (ue.end(), core.end()) == ("clean", "clean")
            talk.both(new, new_core)
    with tap.check(f"TRK-13 {medium.name}: a re-offer with another fingerprint that is refused changes nothing"):
        with Dialog(medium).set_up() as dialog:
            ue, core = dialog.connect()
            ports = dialog.ports()
            dialog.from_ue("offer", dialog.ue_section(OTHER))
            talk.both(ue, core)
            # 488: the proxy has nothing to say here; the next offer is as if the refused one had not been
            at_core = dialog.from_ue("offer", dialog.ue_section(connection="existing"))
            kept(dialog.at_core, at_core, "back again")
            kept(dialog.at_ue, dialog.from_core("answer", dialog.core_section(connection="existing")), "back again")
            talk.both(ue, core)
            procs.wait_until(lambda: dialog.ports() == ports, f"{ports}, there are {dialog.ports()}")
with tap.check("COM-05 bfcp: connection:new makes a new connection, and the old one lives until it is up"):
    with Dialog(media.BFCP).set_up() as dialog:
        ue, core = dialog.connect()
        at_core = dialog.from_ue("offer", dialog.ue_section(connection="new"))
        at_ue = dialog.from_core("answer")
        assert at_core.media[0].value("connection") == at_ue.media[0].value("connection") == "new", str(at_ue)
        talk.both(ue, core)
        new = dialog.tls(at_ue)
        new_core = dialog.accept()
        talk.both(new, new_core)
        assert (ue.end(), core.end()) == ("clean", "clean")
with tap.check("TRK-21: a UE that re-offers without TLS is refused, and nothing goes on in clear"):
    with Dialog().set_up() as dialog:
        ue, core = dialog.connect()
        got = dialog.from_ue("offer", media.section(media.MSRP, UE, 2855, False, "actpass"))
        entry = dialog.stream()
        assert entry["treatment"] == "reject" and entry["reason"] and got.media[0].port == 0, entry

tap.note("TRK-09, TRK-25, TRK-07, TRK-05: ports")

for medium in (media.MSRP, media.BFCP):
    with tap.check(f"TRK-09 {medium.name}: port 0 ends the stream in an orderly way, frees its ports, and the slot is used again"):
        with Dialog(medium).set_up() as dialog:
            ue, core = dialog.connect()
            zero = [f"m={medium.kind} 0 {medium.secure} {medium.format}"]
            got = dialog.from_ue("offer", zero)
            assert got.media[0].port == 0 and got.media[0].proto == medium.plain, str(got)
            got = dialog.from_core("answer", [zero[0].replace(medium.secure, medium.plain)])
            assert got.media[0].port == 0 and got.media[0].proto == medium.secure, str(got)
            assert (ue.end(), core.end()) == ("clean", "clean")
            ue.close()
            core.close()
            procs.wait_until(lambda: not dialog.ports(), "all ports free")
            dialog.at_core = dialog.from_ue("offer")
            dialog.at_ue = dialog.from_core("answer")
            dialog.connect()
    with tap.check(f"TRK-09 {medium.name}: the core answers with port 0: the UE gets port 0, and the ports are free"):
        with Dialog(medium) as dialog:
            dialog.from_ue("offer")
            got = dialog.from_core("answer", [f"m={medium.kind} 0 {medium.plain} {medium.format}"])
            assert got.media[0].port == 0 and got.media[0].proto == medium.secure, str(got)
            assert not got.media[0].has("fingerprint"), str(got)
            procs.wait_until(lambda: not dialog.ports(), "all ports free")
with tap.check("TRK-25: two MSRP lines with the same port and fingerprint are two streams"):
    with Dialog() as dialog:
        first, second = dialog.ue_section(session="one"), dialog.ue_section(session="two")
        dialog.at_core = dialog.from_ue("offer", first, second)
        dialog.listener("second")
        dialog.at_ue = dialog.from_core("answer", dialog.core_section(session="c1"), dialog.core_section(
            session="c2", port=dialog.listener("second").getsockname()[1]))
        assert dialog.at_ue.endpoint(0) != dialog.at_ue.endpoint(1), str(dialog.at_ue)
        assert dialog.at_core.endpoint(0) != dialog.at_core.endpoint(1), str(dialog.at_core)
        two = dialog.tls(index=1)
        core_two = dialog.accept("second")
        assert dialog.nobody_at_core()
        one = dialog.tls(index=0)
        core_one = dialog.accept()
        for _ in range(3):
            talk.both(one, core_one)
            talk.both(two, core_two)
        one.finish()
        assert core_one.end() == "clean"
        talk.both(two, core_two)
with tap.check("TRK-07: forks have ports of their own, one certificate, and do not meet"):
    with Dialog() as dialog:
        forks = {}
        at_core = {}
        for branch in ("b1", "b2"):
            dialog.offers = 0
            at_core[branch] = dialog.from_ue("offer", via_branch=branch)
        assert at_core["b1"].endpoint(0) != at_core["b2"].endpoint(0)
        for branch in ("b2", "b1"):
            dialog.tags["core"] = f"callee-{branch}"
            forks[branch] = dialog.from_core("answer", dialog.core_section(
                port=dialog.listener(branch).getsockname()[1]), via_branch=branch)
        assert forks["b1"].endpoint(0) != forks["b2"].endpoint(0)
        assert forks["b1"].fingerprint(0) == forks["b2"].fingerprint(0)
        ends = {}
        for branch in ("b1", "b2"):
            ends[branch] = dialog.tls(forks[branch]), dialog.accept(branch)
        for branch in ("b1", "b2", "b1"):
            talk.both(*ends[branch])
        reply = e2ae.request(command="delete", call_id=dialog.call_id, from_tag="tag-ue", to_tag="callee-b2",
                             via_branch="b2", delete_delay="0")
        assert reply["result"] == "ok", reply
        assert (ends["b2"][0].end(), ends["b2"][1].end()) == ("clean", "clean")
        talk.both(*ends["b1"])
with tap.check("TRK-05: while one connection lives, another is refused, whoever makes it"):
    with Dialog().set_up() as dialog:
        ue, core = dialog.connect()
        for cert in (RIGHT, OTHER, None):
            second = dialog.keep(talk.Tls.connect(dialog.at_ue.endpoint(0), source=UE, cert=cert, handshake=False))
            try:
                second.handshake()
                assert second.end() in ("clean", "truncated", "reset", "alert")
            except OSError:
                pass
            talk.both(ue, core)
        assert dialog.nobody_at_core()
        ue.finish()
        assert core.end() == "clean"
        core.close()
        assert ue.end() == "clean"
        dialog.connect()  # the UE may come back
with tap.check("TRK-06: a plain connection that says nothing does not keep the UE out"):
    with Dialog().set_up() as dialog:
        silent = dialog.keep(talk.Plain.connect(dialog.at_ue.endpoint(0), source=UE))
        dialog.connect()
        assert silent.end() in ("clean", "reset")

tap.note("TRK-23, TRK-24, CTL-05: how streams end")

for medium in (media.MSRP, media.BFCP):
    for side in ("originating", "terminating"):
        with tap.check(f"TRK-23 {medium.name} {side}: the UE ends first, the core may go on, both ends are orderly"):
            with Dialog(medium).set_up() as dialog:
                ue, core = dialog.connect()
                data = media.stream_data(medium, 300_000, 6)
                last = media.stream_data(medium, 8000, 7)
                ue.send(last)
                ue.finish()
                assert core.receive(len(last)) == last and core.end() == "clean"
                core.send(data)
                core.finish()
                assert ue.receive(len(data)) == data and ue.end() == "clean"
                sink.wait(dialog.call_id, "bearer-released")
                assert dialog.events() == ["tls-established", "bearer-released"], dialog.events()
        with tap.check(f"TRK-23 {medium.name} {side}: the core ends first, the UE may go on, both ends are orderly"):
            with Dialog(medium).set_up() as dialog:
                ue, core = dialog.connect()
                data = media.stream_data(medium, 300_000, 8)
                core.finish()
                assert ue.end() == "clean"
                ue.send(data)
                ue.finish()
                assert core.receive(len(data)) == data and core.end() == "clean"
                sink.wait(dialog.call_id, "bearer-released")
                assert dialog.events() == ["tls-established", "bearer-released"], dialog.events()
    with tap.check(f"TRK-23 {medium.name}: FIN without close_notify: what was authenticated arrives, the core is closed"):
        with Dialog(medium).set_up() as dialog:
            ue, core = dialog.connect()
            last = media.stream_data(medium, 8000, 9)
            ue.send(last)
            ue.finish(notify=False)
            assert core.receive(len(last)) == last and core.end() in ("clean", "reset")
            event = sink.wait(dialog.call_id, "bearer-released")
            assert event["leg"] == "access" and "close_notify" in event["reason"], event
            assert dialog.events() == ["tls-established", "bearer-released"], dialog.events()
    with tap.check(f"TRK-23 {medium.name}: the UE resets: the core is closed, one event"):
        with Dialog(medium).set_up() as dialog:
            ue, core = dialog.connect()
            ue.reset()
            assert core.end() in ("clean", "reset")
            assert sink.wait(dialog.call_id, "bearer-released")["leg"] == "access"
            assert dialog.events() == ["tls-established", "bearer-released"], dialog.events()
    with tap.check(f"TRK-23 {medium.name}: the core resets: the UE is closed in an orderly way, one event"):
        with Dialog(medium).set_up() as dialog:
            ue, core = dialog.connect()
            core.reset()
            assert ue.end() == "clean"
            assert sink.wait(dialog.call_id, "bearer-released")["leg"] == "core"
            assert dialog.events() == ["tls-established", "bearer-released"], dialog.events()
with tap.check("delete with connections alive: both ends see an orderly close"):
    with Dialog().set_up() as dialog:
        ue, core = dialog.connect()
        dialog.delete()
        dialog.offers = 0
        assert (ue.end(), core.end()) == ("clean", "clean")
with tap.check("TRK-24: a UE that does not read holds up the core, and not one byte is lost"):
    with Dialog().set_up() as dialog:
        ue, core = dialog.connect()
        data = media.stream_data(media.MSRP, 8 * BIG, 10)
        core.sock.setblocking(False)
        sent = 0
        while select.select([], [core.sock], [], 0.5 * procs.PATIENCE)[1]:
            sent += core.sock.send(data[sent:sent + 65536])
            assert sent < len(data), "no back-pressure in 16 MB"
        tap.note(f"held up after {sent} bytes")
        core.sock.settimeout(talk.TIMEOUT * procs.PATIENCE)
        core.finish()
        assert ue.receive(sent) == data[:sent] and ue.end() == "clean"

tap.note("Limits in time")


def hasty_dialog(**options):
    return Dialog(program=hasty, **options)


with tap.check("CTL-05: nobody connects: accept-timeout, once"):
    with hasty_dialog().set_up() as dialog:
        sink.wait(dialog.call_id, "accept-timeout")
    assert dialog.events() == ["accept-timeout"], dialog.events()
with tap.check("CTL-05: no ClientHello: tls-handshake-failed, once"):
    with hasty_dialog(name="mute").set_up() as dialog:
        mute = dialog.keep(talk.Plain.connect(dialog.at_ue.endpoint(0), source=UE))
        sink.wait(dialog.call_id, "tls-handshake-failed")
        assert mute.end() in ("clean", "reset")
    assert dialog.events().count("tls-handshake-failed") == 1, dialog.events()
with tap.check("CTL-05 TRK-10: no answer: fingerprint-unknown-timeout, once, and the connection is closed"):
    with hasty_dialog(side="terminating") as dialog:
        dialog.at_ue = dialog.from_core("offer")
        early = dialog.tls()
        sink.wait(dialog.call_id, "fingerprint-unknown-timeout")
        assert early.end() in ("clean", "truncated", "reset", "alert")
    assert dialog.events() == ["fingerprint-unknown-timeout"], dialog.events()
with tap.check("CTL-05: the core refuses our connection: tcp-connect-failed, once, and the UE is closed"):
    with hasty_dialog() as dialog:
        dialog.at_core = dialog.from_ue("offer")
        port = procs.free_port(CORE)
        dialog.at_ue = dialog.from_core("answer", dialog.core_section(port=port))
        ue = dialog.tls()
        sink.wait(dialog.call_id, "tcp-connect-failed")
        assert sink.wait(dialog.call_id, "tcp-connect-failed")["leg"] == "core"
        assert ue.end() == "clean"
    assert dialog.events() == ["tls-established", "tcp-connect-failed"], dialog.events()
with tap.check("CTL-05: a passive UE refuses our connection: tcp-connect-failed, once"):
    with hasty_dialog(name="refusing") as dialog:
        port = procs.free_port(UE)
        dialog.at_core = dialog.from_ue("offer", dialog.ue_section(setup="passive", port=port))
        dialog.at_ue = dialog.from_core("answer", dialog.core_section("active", 9))
        assert sink.wait(dialog.call_id, "tcp-connect-failed")["leg"] == "access"
    assert dialog.events() == ["tcp-connect-failed"], dialog.events()
with tap.check("TRK-23: the core does not follow the UE's end: closed after the drain time, one event"):
    with hasty_dialog().set_up() as dialog:
        ue, core = dialog.connect()
        ue.finish()
        assert core.end() == "clean"
        sink.wait(dialog.call_id, "bearer-released")
        assert ue.end() == "clean"
    assert dialog.events() == ["tls-established", "bearer-released"], dialog.events()
with tap.check("TRK-24: no byte for the idle time: media-timeout, once, both ends closed"):
    with hasty_dialog().set_up() as dialog:
        ue, core = dialog.connect()
        sink.wait(dialog.call_id, "media-timeout")
        assert (ue.end(), core.end()) == ("clean", "clean")
    assert dialog.events() == ["tls-established", "media-timeout"], dialog.events()
with tap.check("TRK-06: after --max-failures the stream counts as failed, and the right UE is served all the same"):
    with hasty_dialog().set_up() as dialog:
        for _ in range(2):
            wrong = dialog.tls(cert=OTHER, handshake=False)
            try:
                wrong.handshake()
                wrong.end()
            except OSError:
                pass
        sink.wait(dialog.call_id, "fingerprint-mismatch", 2)
        last = [event for event in sink.all if event["call-id"] == dialog.call_id][-1]
        assert last.get("final"), last

tap.finish()
