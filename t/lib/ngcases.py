# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that a SIP proxy, an operator or a stranger may send to an ng port, none of them for e2ae.

Each case is (name, payload): a dictionary, sent in both encodings, or raw bytes, sent as they are."""
import sdp

_UE, _CORE = "198.51.100.10", "192.0.2.9"


def _session(host, *lines):
    return sdp.lines("v=0", f"o=- 11 12 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", *lines)


AUDIO = ("m=audio 5004 RTP/AVP 8 0 101", "a=rtpmap:8 PCMA/8000", "a=rtpmap:0 PCMU/8000",
         "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=sendrecv")
VIDEO = ("m=video 5006 RTP/AVP 97", "a=rtpmap:97 H264/90000", "a=recvonly")
MSRP = ("m=message 2855 TCP/TLS/MSRP *", "a=accept-types:text/plain", f"a=path:msrps://{_UE}:2855/s1;tcp",
        "a=setup:actpass", "a=msrp-cema", "a=fingerprint:sha-256 " + ":".join(["AB"] * 32), "a=3ge2ae:requested")
MSRP_PLAIN = ("m=message 7000 TCP/MSRP *", "a=accept-types:*", f"a=path:msrp://{_CORE}:7000/k1;tcp", "a=setup:passive")
BFCP = ("m=application 9 TCP/TLS/BFCP *", "a=floorctrl:c-s", "a=confid:7", "a=userid:3", "a=setup:active",
        "a=connection:new", "a=fingerprint:sha-256 " + ":".join(["CD"] * 32))
BFCP_PLAIN = ("m=application 5070 TCP/BFCP *", "a=floorctrl:s-only", "a=setup:passive", "a=connection:new")
T38 = ("m=image 6004 udptl t38", "a=T38FaxVersion:0", "a=T38MaxBitRate:14400", "a=T38FaxUdpEC:t38UDPRedundancy")
T38_DTLS = ("m=image 6006 UDP/TLS/UDPTL t38", "a=setup:actpass", "a=T38FaxVersion:0",
            "a=fingerprint:sha-256 " + ":".join(["EF"] * 32))
SRTP = ("m=audio 5008 RTP/SAVP 8", "a=rtpmap:8 PCMA/8000",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj")
ICE = ("m=audio 5010 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=ice-ufrag:abcd", "a=ice-pwd:0123456789abcdef01234567",
       f"a=candidate:1 1 UDP 2130706431 {_UE} 5010 typ host")

BODIES = {
    "audio": (AUDIO, ("m=audio 4000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000")),
    "audio and video": (AUDIO + VIDEO, ("m=audio 4000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "m=video 0 RTP/AVP 97")),
    "MSRP": (MSRP, MSRP_PLAIN),
    "audio and MSRP": (AUDIO + MSRP, ("m=audio 4000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000") + MSRP_PLAIN),
    "MSRP rejected": (AUDIO + MSRP, ("m=audio 4000 RTP/AVP 8", "m=message 0 TCP/TLS/MSRP *")),
    "BFCP": (AUDIO + BFCP, ("m=audio 4000 RTP/AVP 8",) + BFCP_PLAIN),
    "T.38": (T38, ("m=image 6010 udptl t38", "a=T38FaxVersion:0")),
    "T.38 over DTLS": (T38_DTLS, ("m=image 6010 UDP/TLS/UDPTL t38", "a=setup:active")),
    "SRTP": (SRTP, ("m=audio 4000 RTP/SAVP 8", "a=rtpmap:8 PCMA/8000",
                    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz")),
    "ICE": (ICE, ("m=audio 4000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000")),
}


def _call(call_id, **keys):
    return dict({"call-id": call_id}, **{key.replace("_", "-"): value for key, value in keys.items()})


def _offer(call_id, body, tag="ue", host=_UE, **keys):
    return dict(_call(call_id, sdp=_session(host, *body), from_tag=tag, **keys), command="offer")


def _answer(call_id, body, tag="ue", to_tag="core", **keys):
    return dict(_call(call_id, sdp=_session(_CORE, *body), from_tag=tag, to_tag=to_tag, **keys), command="answer")


def _command(name, call_id=None, **keys):
    return dict(_call(call_id, **keys) if call_id else {key.replace("_", "-"): value for key, value in keys.items()},
                command=name)


def _dialogs(prefix):
    """Offer, answer, re-offer, query, delete of every body, with the flags that proxies use."""
    flags = {"replace": ["origin", "session-connection"], "direction": ["access", "core"],
             "received-from": ["IP4", _UE], "supports": ["load limit"]}
    for number, (name, (offer, answer)) in enumerate(BODIES.items()):
        call = f"{prefix}-{number}"
        yield f"offer {name}", _offer(call, offer, **flags)
        yield f"answer {name}", _answer(call, answer, **flags)
        yield f"re-offer {name}", _offer(call, offer, to_tag="core", **flags)
        yield f"re-answer {name}", _answer(call, answer, **flags)
        yield f"query {name}", _command("query", call)
        yield f"delete {name}", _command("delete", call, from_tag="ue", delete_delay="0")
        yield f"query {name} after delete", _command("query", call)


def _forks(prefix):
    call = f"{prefix}-fork"
    yield "fork: first branch", _offer(call, AUDIO, via_branch="b1")
    yield "fork: second branch", _offer(call, AUDIO, via_branch="b2")
    yield "fork: answer of the second", _answer(call, AUDIO, to_tag="core2", via_branch="b2")
    yield "fork: answer of the first", _answer(call, AUDIO, to_tag="core1", via_branch="b1")
    yield "fork: delete a branch", _command("delete", call, from_tag="ue", via_branch="b1", delete_delay=0)
    yield "fork: query", _command("query", call, from_tag="ue")
    yield "fork: delete", _command("delete", call, from_tag="ue", delete_delay=0)


def _commands(prefix):
    """Every command rtpengine 10.5.3 knows, with a call, without one, and with nothing."""
    call = f"{prefix}-commands"
    yield "commands: offer", _offer(call, AUDIO, label="a")
    yield "commands: answer", _answer(call, AUDIO, label="b")
    with_call = ("query", "start recording", "stop recording", "start forwarding", "stop forwarding", "block DTMF",
                 "unblock DTMF", "block media", "unblock media", "silence media", "unsilence media", "play media",
                 "stop media", "play DTMF", "publish", "subscribe request", "subscribe answer", "unsubscribe")
    for name in with_call:
        yield f"{name}", _command(name, call, from_tag="ue")
        yield f"{name} of an unknown call", _command(name, f"{prefix}-unknown", from_tag="x", to_tag="y")
        yield f"{name} without call-id", _command(name)
    yield "play DTMF: a code", _command("play DTMF", call, from_tag="ue", code="5", duration="100")
    yield "play media: no such file", _command("play media", call, from_tag="ue", file="/nonexistent.wav")
    yield "list", _command("list", limit=10)
    yield "list with a text limit", _command("list", limit="2")
    yield "delete without tags", _command("delete", call)
    yield "delete again", _command("delete", call, from_tag="ue", flags=["fatal"])


def _publish(prefix):
    call = f"{prefix}-publish"
    yield "publish: a stream", dict(_call(call, sdp=_session(_UE, *AUDIO, "a=sendonly"), from_tag="p"),
                                    command="publish")
    yield "publish: subscribe request", _command("subscribe request", call, from_tags=["p"], to_tag="s")
    yield "publish: unsubscribe", _command("unsubscribe", call, to_tag="s")
    yield "publish: delete", _command("delete", call, delete_delay=0)


def _errors(prefix):
    call = f"{prefix}-errors"
    yield "no command", _call(call)
    yield "unknown command", _command("frobnicate", call)
    yield "empty command", _command("", call)
    yield "command in capitals", _command("PING")
    yield "offer without call-id", dict(_offer(call, AUDIO), **{"call-id": ""})
    yield "offer without from-tag", _command("offer", call, sdp=_session(_UE, *AUDIO))
    yield "offer without sdp", _command("offer", call, from_tag="ue")
    yield "offer with empty sdp", _command("offer", call, from_tag="ue", sdp="")
    yield "offer with a text for sdp", _command("offer", call, from_tag="ue", sdp="hello")
    yield "offer without c=", _command("offer", call, from_tag="ue", sdp="v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\n"
                                       "t=0 0\r\nm=audio 5000 RTP/AVP 0\r\n")
    yield "answer without an offer", _answer(call, AUDIO)
    yield "answer without to-tag", _command("answer", call, from_tag="ue", sdp=_session(_UE, *AUDIO))
    yield "offer to itself", _offer(call, AUDIO, to_tag="ue")
    yield "offer to an unknown interface", _offer(call, AUDIO, direction=["nowhere", "core"])
    yield "delete of an unknown call", _command("delete", call + "x", from_tag="ue")
    yield "fatal delete of an unknown call", _command("delete", call + "x", from_tag="ue", flags=["fatal"])
    yield "unknown keys and flags", dict(_offer(call + "-keys", AUDIO), flags=["strange", "trust-address"],
                                         wonder="yes", number=7, list=["a", ["b"]], dictionary={"a": {"b": "c"}})
    yield "delete the call with unknown keys", _command("delete", call + "-keys", from_tag="ue", delete_delay=0)
    yield "rtpp-flags", _offer(call + "-flags", AUDIO, rtpp_flags="replace-origin ICE=remove direction=access "
                                                                  "direction=core")
    yield "delete the call with rtpp-flags", _command("delete", call + "-flags", from_tag="ue", delete_delay=0)
    yield "ping", _command("ping")
    yield "ping with a call-id", _command("ping", call)


def dictionaries(prefix):
    """[(name, dictionary)]: all requests that have a structure, in an order that makes sense to rtpengine."""
    result = []
    for group in (_dialogs, _forks, _commands, _publish, _errors):
        result += list(group(prefix))
    return result


def garbage():
    """[(name, datagram)]: what no codec accepts, and cookies that are none; sent as they are."""
    ping = b"d7:command4:pinge"
    return [
        ("nothing after the cookie", b"ga1 "),
        ("cookie alone", b"ga2"),
        ("no cookie", b" " + ping),
        ("only a blank", b" "),
        ("empty datagram", b""),
        ("text", b"ga3 hello world"),
        ("not a dictionary", b"ga4 l4:pinge"),
        ("an integer", b"ga5 i7e"),
        ("a string", b"ga6 4:ping"),
        ("dictionary cut", b"ga7 d7:command4:pin"),
        ("length too long", b"ga8 d7:command99:pinge"),
        ("huge length", b"ga9 d99999999999999999999:command4:pinge"),
        ("negative length", b"ga10 d-1:command4:pinge"),
        ("integer without end", b"ga11 d7:command4:ping5:limiti12"),
        ("integer that is none", b"ga12 d7:command4:ping5:limitiabcee"),
        ("key without value", b"ga13 d7:commande"),
        ("command is a list", b"ga14 d7:commandl4:pingee"),
        ("command is an integer", b"ga15 d7:commandi5ee"),
        ("JSON cut", b'ga16 {"command":"ping"'),
        ("JSON with rubbish", b'ga17 {"command":ping}'),
        ("JSON null", b'ga18 {"command":null}'),
        ("JSON list", b'ga19 ["ping"]'),
        ("JSON empty", b"ga20 {}"),
        ("bencode empty", b"ga21 de"),
        ("bytes behind the dictionary", b"ga22 " + ping + b"rubbish"),
        ("binary", b"ga23 " + bytes(range(256))),
        ("binary cookie", b"\x01\xff\xfe " + ping),
        ("long cookie", b"c" * 2000 + b" " + ping),
        ("two blanks", b"ga24  " + ping),
        ("line end in the cookie", b"ga25\n " + ping),
        ("deep list", b"ga26 d7:command4:ping1:x" + b"l" * 200 + b"e" * 200 + b"e"),
        ("NUL in the cookie", b"ga\x0027 " + ping),
        ("key twice", b"ga28 d7:command4:ping7:command5:offere"),
        ("call-id with odd bytes", b"ga29 d7:command5:query7:call-id5:a\xff\x00'\"e"),
        ("JSON with escapes", b'ga30 {"command":"query","call-id":"\\u00e4\\n\\"x"}'),
        ("nested JSON", b'ga31 {"command":"ping","x":' + b"[" * 100 + b"]" * 100 + b"}"),
    ]
