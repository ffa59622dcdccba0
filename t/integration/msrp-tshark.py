# SPDX-License-Identifier: GPL-3.0-or-later
"""A second opinion on the relay: Wireshark's MSRP dissector reads both legs of a session, and they must agree."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import interop
import msrpside
import plugin
import procs
import tap
import tshark

interop.whole("Wireshark", "MSRP dissector on both legs")

TEXT = "".join(f"Line {number} of the text, which has a --- in it.\r\n" for number in range(60)).encode()
CHUNKS = -(-len(TEXT) // 300)
# SEND and its 200; each chunk and its 200; the report
EACH_WAY = 2 + 2 * CHUNKS + 1

with tap.need("the program starts"):
    e2ae = plugin.Plugin(None, extra=msrpside.AGW_OPTIONS)


def one(fields, name):
    """The field of that name where there must be one at most."""
    values = fields.get(name, [])
    assert len(values) <= 1, (name, fields)
    return values[0] if values else None


def essence(fields):
    """What the relay must not change."""
    first = one(fields, "msrp.request.line") or one(fields, "msrp.response.line")
    names = ("msrp.messageid", "msrp.byte.range", "msrp.success.report", "msrp.failure.report", "msrp.status",
             "msrp.content.type", "msrp.end.line", "msrp.cnt.flg")
    return [first, *(one(fields, name) for name in names), fields.get("msrp.data", [])]


def paths(fields):
    return one(fields, "msrp.to.path"), one(fields, "msrp.from.path")


def exchange(call):
    """Everything in lockstep: one frame at a time is under way."""
    for sender, receiver in ((call.ue.endpoint, call.core.endpoint), (call.core.endpoint, call.ue.endpoint)):
        receiver.hold_reports = True
        sender.wait_done(sender.send(b"Hi, here I am!"))
        sent = sender.send(TEXT, chunk=300, success_report=True, lockstep=True)
        sender.wait_done(sent)
        receiver.release_reports()
        sender.wait_report(sent[0])


def session(name, mode, refused=0, **options):
    capture = tshark.Capture()
    keylog = procs.path_of(f"{name}.keys")
    ue = dict(options.pop("ue", {}), keylog=keylog)
    call = msrpside.Call(e2ae, name, ue=ue, **options)
    with tap.need(f"{name}: a session of two strict endpoints, mode {mode}"):
        call.set_up()
        assert call.mode() == mode, call.stream()
        call.connect(only=call.ue)
        procs.wait_until(lambda: 200 in call.ue.endpoint.statuses.values(), "the first 200")
        exchange(call)
        for _ in range(refused):
            assert call.ue.endpoint.wait_status(call.ue.endpoint.send_empty(to=call.ue.path() + "x")) == 481
        assert call.faults() == [], call.faults()
        call.close()
        path = capture.finish()
    with tap.need(f"{name}: the dissector finds the frames of both legs, both ways"):
        # Where the TCP connections ended, whoever opened them.
        ue_port = call.ue.got.endpoint(0)[1] if call.ue.is_active() else call.ue.port
        core_port = call.core.got.endpoint(0)[1] if call.core.is_active() else call.core.port
        found = {}
        for way, ue_filter, core_filter in (
                ("to the core", f"ip.src=={call.ue.host}", f"ip.dst=={call.core.host}"),
                ("to the UE", f"ip.dst=={call.ue.host}", f"ip.src=={call.core.host}")):
            plain = tshark.decrypted(path, ue_port, keylog, ue_filter)
            at_ue = tshark.frames(plain, tshark.MSRP_PORT, "tcp")
            found[way] = at_ue, tshark.frames(path, core_port, core_filter)
        # The empty SEND goes one way, its 200 the other; what was refused is on one leg only.
        total = 2 * EACH_WAY + 2
        assert sum(len(pair[1]) for pair in found.values()) == total, found
        assert sum(len(pair[0]) for pair in found.values()) == total + 2 * refused, found
    for way, (at_ue, at_core) in found.items():
        with tap.check(f"{name}: TRK-02 MSR-08: {way}: methods, statuses, ids, ranges, headers, bodies, end-lines"):
            at_ue = at_ue[:len(at_ue) - refused]
            assert len(at_ue) == len(at_core), (len(at_ue), len(at_core))
            for there, here in zip(at_ue, at_core):
                assert essence(there) == essence(here), (there, here)
            assert sum(len(fields.get("msrp.data", [])) for fields in at_core) > CHUNKS, "hardly any bodies seen"
        with tap.check(f"{name}: TRK-01 TRK-02: {way}: in every frame the paths are those of that leg's SDP"):
            pair = ((call.ue.path(), call.ue.uri), (call.core.uri, call.core.path()))
            if way == "to the UE":
                pair = tuple(uris[::-1] for uris in pair)
            for leg, want in zip((at_ue, at_core), pair):
                assert {paths(fields) for fields in leg} == {want}, {paths(fields) for fields in leg}
    with tap.check(f"{name}: no frame is alike on both legs, or this test would compare one leg with itself"):
        at_ue, at_core = ({paths(fields) for fields in leg} for leg in found["to the core"])
        assert not at_ue & at_core, at_ue
    call.delete()


OLD = dict(cema=False)
session("swap-originating", "transparent")
session("swap-terminating", "transparent", side="terminating")
session("aware-originating", "aware", refused=2, ue=OLD, core=OLD)
session("aware-terminating", "aware", side="terminating", ue=OLD, core=OLD)

tap.finish()
