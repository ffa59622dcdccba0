# SPDX-License-Identifier: GPL-3.0-or-later
"""Kamailio's msrp module at the core, unmodified: it answers a UE that speaks TLS through the program."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import interop
import kamailio
import msrp
import msrpside
import plugin
import procs
import tap

interop.whole("Kamailio", "its module msrp as the peer in the core")

SIZE, CHUNK = 100_000, 2048
CHUNKS = -(-SIZE // CHUNK)

with tap.need("the servers start"):
    peer = kamailio.MsrpPeer(procs.address(9), msrp.ident())
    e2ae = plugin.Plugin(None, extra=msrpside.AGW_OPTIONS)


def seen(tids):
    """What Kamailio saw of these transactions, in order."""
    return [frame for frame in peer.frames() if frame[1] in tids]


def session(name, mode, cema):
    call = msrpside.Call(e2ae, name, ue=dict(cema=cema), core=dict(cema=cema))
    call.core.uri, call.core.port = peer.uri, peer.address[1]
    with tap.need(f"{name}: the UE is connected to Kamailio through the program, mode {mode}"):
        call.set_up()
        assert call.mode() == mode, call.stream()
        ue = call.ue.endpoint
        ue.connect(*call.ue.target(), source=(call.ue.host, 0), empty_send=False)
    with tap.check(f"{name}: TRK-01 TRK-02 MSR-08: the empty SEND is answered with 200, by the right paths both ways"):
        tid = ue.send_empty()
        assert ue.wait_status(tid) == 200
        assert seen([tid]) == [("SEND", tid, peer.uri, call.core.path(), "0")], seen([tid])
    with tap.check(f"{name}: {CHUNKS} chunks of a message come whole, each answered with 200"):
        sent = ue.send(msrp.Pattern(SIZE), chunk=CHUNK)
        ue.wait_done(sent)
        frames = seen(sent[1])
        assert [frame[1] for frame in frames] == sent[1], frames
        assert {frame[2:4] for frame in frames} == {(peer.uri, call.core.path())}, frames
        assert sum(int(frame[4]) - 2 for frame in frames) == SIZE, frames  # it counts the CRLF behind a body
    with tap.check(f"{name}: what Kamailio refuses is refused to the UE"):
        _, tids = ue.send(b"x", content_type="application/x-refuse-me")
        assert ue.wait_status(tids[0]) == 415
    with tap.check(f"{name}: RFC 4976: AUTH and its answer, with a header that is not for us, pass as well"):
        tid = msrp.ident()
        ue._pending[tid] = None
        head = ue._head(f"{tid} AUTH")
        ue.bound.post(head + f"-------{tid}$\r\n".encode())
        assert ue.wait_status(tid) == 200
        assert seen([tid])[0][0] == "AUTH", seen([tid])
    with tap.check(f"{name}: MSR-05: a session that Kamailio does not know gets its 481" if mode == "transparent"
                   else f"{name}: MSR-05: a session that nobody knows gets our 481, Kamailio is not asked"):
        count = len(peer.frames())
        assert ue.wait_status(ue.send_empty(to=call.ue.path().replace(";tcp", "x;tcp"))) == 481
        ue.wait_done(ue.send(b"and on"))
        assert len(peer.frames()) - count == (2 if mode == "transparent" else 1), peer.frames()[count:]
    with tap.check(f"{name}: nobody had to complain; the end is orderly"):
        assert ue.faults == ue.refusals == [], ue.faults
        ue.close()
        assert ue.wait_ended() == "clean", ue.bound.ended
    call.delete()


session("swap", "transparent", True)
session("aware", "aware", False)
with tap.check("Kamailio lives"):
    assert peer.running()

tap.finish()
