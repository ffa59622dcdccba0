# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command of the ng extension against the real rtpengine, with real media where there is any to be had."""
import hashlib
import json
import os
import socket
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import kamailio
import msrpcall
import peers
import plugin
import procs
import rtpengine
import sdp
import tap

SIZE = 200_000
# The peers here exchange bytes that are no MSRP frames.
RAW = {"e2ae-path": "transparent", "e2ae-path-scheme": "keep"}
UE, CORE = procs.address(10), procs.address(9)
ue_cert, other_cert = certs.Pair("ue-ecdsa"), certs.Pair("other-ecdsa")
sink = procs.udp_socket(procs.address(7))
sink_option = "--event-sink=udp:%s:%d" % sink.getsockname()

with tap.need("the servers start"):
    upstream = rtpengine.Rtpengine()
    e2ae = plugin.Plugin(upstream.ng_address, extra=[sink_option])


def request(server=None, **keys):
    return (server or e2ae).client.request({key.replace("_", "-"): value for key, value in keys.items()})


def ok(server=None, **keys):
    reply = request(server, **keys)
    assert reply.get("result") == "ok", reply
    return reply


def line(reply, index):
    """The entry of m-line @index, from 1, in the e2ae part of a reply."""
    return [entry for entry in reply["e2ae"]["streams"] if int(entry["index"]) == index][0]


def offer(call_id, server=None, body=None, **keys):
    keys = dict({"e2ae": "originating", "from-tag": "ue", "direction": ["access", "core"]}, **keys)
    return request(server, command="offer", call_id=call_id, sdp=body or msrpcall.ue_sdp(UE, ue_cert), **keys)


def answer(call_id, port, audio=None, **keys):
    return ok(command="answer", call_id=call_id, from_tag="ue", to_tag="core",
              sdp=msrpcall.core_sdp(CORE, port, audio=audio), **keys)


def free():
    procs.wait_until(lambda: not e2ae.sockets(), f"no media sockets, there are {e2ae.sockets()}", 10)


def events():
    """All events that have come so far."""
    result = []
    while True:
        try:
            result.append(json.loads(sink.recv(65536)))
        except BlockingIOError:
            return result


def talk(access, core, cert=ue_cert, fingerprint=None):
    """Bytes both ways between a TLS UE at @access and the plain peer; both check what they got."""
    ue = peers.TlsPeer("gnutls", cert=cert, connect="%s:%d" % access, recv=SIZE,
                       send=procs.write_file("to-core", TO_CORE), expect_fingerprint=fingerprint)
    assert ue.wait() == 0, ue.log()
    core.join()
    assert ue.digest() == (SIZE, hashlib.sha256(TO_UE).hexdigest()), ue.log()
    assert core.digest.hexdigest() == hashlib.sha256(TO_CORE).hexdigest()
    return ue


TO_CORE, TO_UE = peers.payload(SIZE, 1), peers.payload(SIZE, 2)

# ---- the Iq style (CTL-01): the m-line by fields, no SDP at all

core_peer = peers.PlainPeer(CORE, data=TO_UE, expect=SIZE)
with tap.need("CTL-01: e2ae offer by fields"):
    reply = ok(command="e2ae offer", call_id="iq", from_tag="ue", e2ae="originating", direction=["access", "core"], **RAW,
               streams=[{"media": "message", "proto": "TCP/TLS/MSRP", "address": UE, "port": 2855, "setup": "actpass",
                         "path": f"msrps://{UE}:2855/a;tcp", "fingerprint": ue_cert.fingerprint(),
                         "indication": "requested"}])
    assert "sdp" not in reply, reply
    to_core = line(reply, 1)["sdp"]
    assert (to_core["media"], to_core["proto"], to_core["setup"]) == ("message", "TCP/MSRP", "actpass"), to_core
    assert to_core["address"] == e2ae.core and "fingerprint" not in to_core, to_core
with tap.need("CTL-01: e2ae answer by fields"):
    reply = ok(command="e2ae answer", call_id="iq", from_tag="ue", to_tag="core",
               streams=[{"media": "message", "proto": "TCP/MSRP", "address": CORE, "port": core_peer.port,
                         "setup": "passive", "path": f"msrp://{CORE}:7000/b;tcp"}])
    stream = line(reply, 1)
    to_ue = stream["sdp"]
    assert (to_ue["proto"], to_ue["setup"], to_ue["address"]) == ("TCP/TLS/MSRP", "passive", e2ae.access), to_ue
    assert to_ue["fingerprint"] == stream["access"]["local-fingerprints"], to_ue
with tap.check("CTL-01: a stream set up by fields carries media both ways"):
    ue_peer = talk((to_ue["address"], int(to_ue["port"])), core_peer, fingerprint=to_ue["fingerprint"][0].replace(" ", "/"))
with tap.check("CTL-07: e2ae query says what was negotiated and how much crossed"):
    reply = ok(command="e2ae query", call_id="iq")
    access, core = line(reply, 1)["access"], line(reply, 1)["core"]
    assert (int(access["bytes-in"]), int(access["bytes-out"])) == (SIZE, SIZE), access
    assert (int(core["bytes-in"]), int(core["bytes-out"])) == (SIZE, SIZE), core
    assert (access["tls-role"], core["tls-role"], core["setup"]) == ("server", "none", "active"), reply
    assert access["remote-fingerprints"] == [ue_cert.fingerprint()], access
    assert int(line(reply, 1)["failed-handshakes"]) == 0, reply
with tap.check("rtpengine heard nothing of it"):
    assert upstream.calls() == [], upstream.calls()
with tap.check("CTL-05: the events of the call: established, released, each once"):
    procs.wait_until(lambda: "bearer-released: " in e2ae.log(), "the release")
    got = events()
    assert [event["event"] for event in got] == ["tls-established", "bearer-released"], got
    assert got[0]["reason"].startswith("TLSv1."), got
    assert all(event["call-id"] == "iq" and event["access-tag"] == "ue" and event["core-tag"] == "core" and
               event["index"] == 1 and event["medium"] == "msrp" for event in got), got
with tap.check("e2ae list has it, and e2ae delete ends it"):
    assert ok(command="e2ae list")["calls"] == ["iq"]
    ok(command="e2ae delete", call_id="iq", delete_delay=0)
    free()
    assert ok(command="e2ae list")["calls"] == []
    assert ok(command="e2ae delete", call_id="iq")["warning"] == "Call-ID not found or tags didn't match"

# ---- fingerprints by field

core_peer = peers.PlainPeer(CORE, data=TO_UE, expect=SIZE)
with tap.check("FPR: e2ae-fingerprint stands in for the one in the SDP"):
    value = "1:" + ue_cert.fingerprint().replace(" ", "/")
    reply = offer("by-field", body=msrpcall.ue_sdp(UE, other_cert), **{"e2ae-fingerprint": value}, **RAW)
    assert line(reply, 1)["access"]["remote-fingerprints"] == [ue_cert.fingerprint()], reply
    at_ue = sdp.Sdp(answer("by-field", core_peer.port)["sdp"])
    wrong = peers.TlsPeer("gnutls", cert=other_cert, connect="%s:%d" % at_ue.endpoint(0), recv="close")
    assert wrong.wait() != 0, wrong.log()
    talk(at_ue.endpoint(0), core_peer)
    reply = ok(command="e2ae query", call_id="by-field")
    assert int(line(reply, 1)["failed-handshakes"]) == 1, reply
with tap.check("CTL-05: fingerprint-mismatch is told once"):
    procs.wait_until(lambda: "bearer-released: access" in e2ae.log() or "bearer-released: core" in e2ae.log(),
                     "the release")
    names = [event["event"] for event in events()]
    assert names.count("fingerprint-mismatch") == 1 and names.count("tls-established") == 1, names
    ok(command="delete", call_id="by-field", delete_delay=0)
    free()

# ---- where keys may stand

for name, keys in (("dictionary", {"e2ae": "originating", "e2ae-media": "msrp,bfcp"}),
                   ("flags", {"flags": ["trust-address", "e2ae=originating", "e2ae-media=msrp"]}),
                   ("rtpp-flags", {"rtpp-flags": "replace-origin e2ae=originating e2ae-media=[msrp t38] ICE=remove"})):
    with tap.check(f"keys in {name} are read, and rtpengine does not see them"):
        body = msrpcall.ue_sdp(UE, ue_cert, audio=5000)
        reply = ok(command="offer", call_id=name, from_tag="ue", sdp=body, **keys)
        assert [entry["treatment"] for entry in reply["e2ae"]["streams"]] == ["anchor", "e2ae"], reply
        assert sdp.Sdp(reply["sdp"]).media[1].proto == "TCP/MSRP", reply["sdp"]
        ok(command="delete", call_id=name, delete_delay=0)
with tap.check("rtpengine never saw a key of ours"):
    assert "e2ae" not in upstream.log(), upstream.log()
with tap.check("a wrong value is a clear error and changes nothing"):
    reply = offer("wrong", **{"e2ae-path": "opaque"})
    assert reply["error-reason"] == 'e2ae-path: "opaque" is not allowed, allowed is: auto, transparent, aware', reply
    assert e2ae.sockets() == [] and ok(command="e2ae list")["calls"] == []

# ---- query, list, statistics of both

with tap.need("a call with audio and one without"):
    assert offer("both", body=msrpcall.ue_sdp(UE, ue_cert, audio=5000))["result"] == "ok"
    answer("both", 7000, audio=6000)
    assert offer("ours")["result"] == "ok"
    answer("ours", 7000)
with tap.check("query: rtpengine's reply with our lines under the right tags"):
    reply = ok(command="query", call_id="both")
    for tag, kinds, proto in (("ue", ["audio", "message"], "TCP/TLS/MSRP"), ("core", ["audio", "message"], "TCP/MSRP")):
        medias = reply["tags"][tag]["medias"]
        assert [media["type"] for media in medias] == kinds, medias
        assert [int(media["index"]) for media in medias] == [1, 2], medias
        assert medias[1]["protocol"] == proto and "e2ae" in medias[1]["flags"], medias
    assert set(reply["totals"]) == {"RTP", "RTCP", "e2ae"}, reply["totals"]
with tap.check("query: what rtpengine says is in it unchanged"):
    plain = dict(upstream.client.request(command="query", call_id="both"))
    merged = dict(reply)
    merged.pop("e2ae")
    merged["totals"].pop("e2ae")
    for tag in merged["tags"].values():
        tag["medias"] = [media for media in tag["medias"] if "e2ae" not in media["flags"]]
    assert merged == plain, f"{merged}\n{plain}"
with tap.check("query: made up where rtpengine does not know the call, with the same keys"):
    own = ok(command="query", call_id="ours")
    assert set(plain) - {"result"} <= set(own), own
    for tag in ("ue", "core"):
        assert set(plain["tags"][tag]) <= set(own["tags"][tag]), own
        media, model = own["tags"][tag]["medias"][0], plain["tags"][tag]["medias"][0]
        assert set(model) <= set(media) and set(model["streams"][0]) <= set(media["streams"][0]), media
with tap.check("query: unknown to both is rtpengine's error"):
    assert request(command="query", call_id="nobody's")["error-reason"] == "Unknown call-id"
with tap.check("list: both calls, each once, within the limit"):
    assert sorted(ok(command="list")["calls"]) == ["both", "ours"]
    assert len(ok(command="list", limit=1)["calls"]) == 1
with tap.check("statistics: rtpengine's and ours"):
    reply = ok(command="statistics")
    own = reply["e2ae"]
    assert "currentstatistics" in reply["statistics"], reply
    assert (int(own["calls"]["current"]), int(own["streams"]["current"])) == (2, 2), own
    assert int(own["events"]["tls-established"]) == 2 and int(own["events"]["fingerprint-mismatch"]) == 1, own
    assert int(own["traffic"]["access"]["bytes-in"]) == 2 * SIZE, own
    assert int(own["traffic"]["refused-connections"]) == 1, own
    assert [(port["interface"], int(port["used"]), int(port["free"])) for port in own["ports"]] == \
        [("access", 2, 998), ("core", 2, 998)], own
    assert int(own["requests"]["offer"]) >= 6, own
    assert ok(command="e2ae statistics")["e2ae"]["calls"] == own["calls"]

# ---- a SIP proxy reads the merged reply

QUERY = """    if (is_method("INFO")) {
        if (rtpengine_query()) {
            sl_send_reply("200", "Queried");
        } else {
            sl_send_reply("500", "Not queried");
        }
        exit;
    }
    if (!sanity_check()"""
INFO = ("INFO sip:x@{0} SIP/2.0\r\nVia: SIP/2.0/UDP {1}:{2};branch=z9hG4bK{3}\r\nFrom: <sip:ue@{1}>;tag=ue\r\n"
        "To: <sip:x@{0}>;tag=core\r\nCall-ID: {3}\r\nCSeq: 1 INFO\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n")
with tap.check("Kamailio's rtpengine_query accepts the reply for each kind of call, and no other"):
    with open(kamailio.TEMPLATE, encoding="utf-8") as text:
        script = text.read()
    assert "    if (!sanity_check()" in script
    script = script.replace("    if (!sanity_check()", QUERY, 1).replace(
        'modparam("rtpengine", "rtpengine_tout_ms", 2000)',
        'modparam("rtpengine", "rtpengine_tout_ms", 2000)\nmodparam("rtpengine", "mos_average_pv", "$avp(mos)")\n'
        'modparam("rtpengine", "mos_average_samples_pv", "$avp(samples)")', 1)
    proxy = kamailio.Kamailio(e2ae.ng_address, f"{CORE}:9", "", "", template=procs.write_file("query.cfg.in", script))
    for call_id, status in (("both", b"200 Queried"), ("ours", b"200 Queried"), ("nobody-s", b"500 Not queried")):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((procs.address(6), 0))
            sock.settimeout(10 * procs.PATIENCE)
            sock.sendto(INFO.format(proxy.address[0], *sock.getsockname(), call_id).encode(), proxy.address)
            got = sock.recv(4096)
            assert got.startswith(b"SIP/2.0 " + status), (call_id, got)

# ---- delete

with tap.check("delete ends both parts of a call"):
    ok(command="delete", call_id="both", from_tag="ue", delete_delay=0)
    procs.wait_until(lambda: "both" not in upstream.calls(), "rtpengine to forget the call")
with tap.check("delete of a call with other tags warns, and fails with the flag fatal"):
    wrong = {"command": "delete", "call-id": "ours", "from-tag": "stranger"}
    assert e2ae.client.request(wrong)["warning"] == "Call-ID not found or tags didn't match"
    reply = e2ae.client.request(dict(wrong, flags=["fatal"]))
    assert reply["error-reason"] == "Call-ID not found or tags didn't match", reply
with tap.check("delete with a delay: the connection ends now, the ports later"):
    def used():
        return [int(port["used"]) for port in ok(command="e2ae statistics")["e2ae"]["ports"]]
    assert e2ae.sockets() and used() == [1, 1]
    start = time.monotonic()
    ok(command="delete", call_id="ours", from_tag="core", to_tag="ue", delete_delay=2)
    procs.wait_until(lambda: not e2ae.sockets(), "the listeners to be closed")
    procs.wait_until(lambda: used() == [0, 0], "the ports to be free")
    assert time.monotonic() - start >= 1.9


def alive(reply, tag):
    """Has this party of rtpengine's audio still a port? rtpengine goes on naming a party that it has deleted."""
    streams = reply["tags"].get(tag, {"medias": [{"streams": [{}]}]})["medias"][0]["streams"]
    return "local port" in streams[0]


for number, by in enumerate(({"from-tag": "ue", "via-branch": "b1"}, {"from-tag": "ue", "to-tag": "first"},
                             {"from-tag": "first"}, {"from-tag": "nobody", "to-tag": "first"})):
    with tap.check(f"delete by {' and '.join(map('='.join, by.items()))} takes the same fork here and in rtpengine"):
        body, name = msrpcall.ue_sdp(UE, ue_cert, audio=5000), f"forks-{number}"
        for branch in ("b1", "b2"):
            assert offer(name, body=body, **{"via-branch": branch})["result"] == "ok"
        ok(command="answer", call_id=name, from_tag="ue", to_tag="first", via_branch="b1",
           sdp=msrpcall.core_sdp(CORE, 7000, audio=6000))
        assert alive(ok(command="query", call_id=name), "first")
        ok(command="delete", call_id=name, delete_delay=0, **by)
        left = ok(command="query", call_id=name)
        assert [entry["via-branch"] for entry in left["e2ae"]["streams"]] == ["b2"], left["e2ae"]
        assert not alive(left, "first") and alive(left, "<untagged 2>"), left
        ok(command="delete", call_id=name, delete_delay=0)
        procs.wait_until(lambda: not upstream.calls(), "rtpengine to forget the call")
        free()

# ---- when a proxy has to try the next node



def answer_pings(sock):
    """An rtpengine that is there and does nothing."""
    while True:
        datagram, source = sock.recvfrom(65536)
        if b"4:ping" in datagram:
            sock.sendto(datagram.split(b" ")[0] + b" d6:result4:ponge", source)


with tap.need("two more nodes: a narrow one, and one whose rtpengine is silent"):
    silent = procs.udp_socket(procs.address(12))
    silent.setblocking(True)
    threading.Thread(target=answer_pings, args=(silent,), daemon=True).start()
    narrow = plugin.Plugin(None, access=procs.address(13), core=procs.address(14), ports=(31000, 31001),
                           name="narrow")
    deaf = plugin.Plugin(silent.getsockname(), access=procs.address(15), core=procs.address(16), name="deaf",
                         extra=["--rtpengine-timeout=300"])
with tap.check("out of ports: rtpengine's exact words"):
    for number in (1, 2):
        assert offer(f"call-{number}", narrow)["result"] == "ok"
    assert offer("call-3", narrow)["error-reason"] == "Ran out of ports"
with tap.check("session limit: load limit if the proxy supports it, rtpengine's exact words if not"):
    limited = plugin.Plugin(None, access=procs.address(17), core=procs.address(18), name="limited",
                            extra=["--max-sessions=1"])
    assert offer("call-1", limited)["result"] == "ok"
    assert offer("call-2", limited)["error-reason"] == "Parallel session limit reached"
    reply = offer("call-2", limited, supports=["load limit"])
    assert (reply["result"], reply["message"]) == ("load limit", "Parallel session limit reached"), reply
with tap.check("rtpengine silent: an offer may go to another node, with or without e2ae; nothing else may"):
    reason = "rtpengine at %s:%d did not answer within 300 ms" % silent.getsockname()
    body = msrpcall.ue_sdp(UE, ue_cert, audio=5000)
    reply = offer("lost", deaf, body=body, supports=["load limit"])
    assert dict(reply) == {"result": "load limit", "message": reason}, reply
    reply = offer("lost", deaf, body=body)
    assert dict(reply) == {"result": "error", "error-reason": reason}, reply
    reply = request(deaf, command="offer", call_id="plain", from_tag="ue", sdp=body, supports=["load limit"])
    assert dict(reply) == {"result": "load limit", "message": reason}, reply
    reply = request(deaf, command="delete", call_id="plain", from_tag="ue", supports=["load limit"])
    assert dict(reply) == {"result": "error", "error-reason": reason}, reply
    assert deaf.sockets() == [] and ok(deaf, command="e2ae list")["calls"] == []
    assert int(ok(deaf, command="e2ae statistics")["e2ae"]["rtpengine-timeouts"]) == 4

tap.finish()
