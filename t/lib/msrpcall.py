# SPDX-License-Identifier: GPL-3.0-or-later
"""The SDP of an MSRP call with audio, as UE and core write it, and the line by line checks of norms 19.1."""
import media
import procs
import sdp

UE_MSRP_PORT = 2855


def _session(host):
    return ["v=0", f"o=- 2890844526 2890844526 IN {media.ip(host)}", "s=-", f"c=IN {media.ip(host)}", "t=0 0"]


def _audio(port):
    return [f"m=audio {port} RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=sendrecv"] if port else []


def ue_sdp(host, cert, audio=None, port=UE_MSRP_PORT, setup="actpass", indication=True, fingerprint=True,
           session="s3Ae9"):
    """What a UE with e2ae support offers or answers: secure, with its fingerprint."""
    text = _session(host) + _audio(audio) + [
        f"m=message {port} TCP/TLS/MSRP *", "a=accept-types:message/cpim text/plain",
        f"a=path:msrps://{procs.place(host, UE_MSRP_PORT)}/{session};tcp", f"a=setup:{setup}", "a=msrp-cema"]
    if fingerprint:
        text.append(f"a=fingerprint:{cert.fingerprint()}")
    if indication:
        text.append("a=3ge2ae:requested")
    return sdp.lines(*text)


def core_sdp(host, port, audio=None, setup="passive", session="kQ1"):
    """What the core offers or answers: plain."""
    return sdp.lines(*_session(host), *_audio(audio), f"m=message {port} TCP/MSRP *",
                     "a=accept-types:message/cpim text/plain", f"a=path:msrp://{procs.place(host, 7000)}/{session};tcp",
                     f"a=setup:{setup}", "a=msrp-cema")


def check_message(got, index, sent, proto, setup, host, ports, added=()):
    """The m=message section against the one that was @sent: only what norms 19.1/19.2 change may differ.

    @added: names of attributes that must be there once and were not in @sent. Anything else is kept, in order."""
    media, original = got.media[index], sent.media[index]
    assert media.proto == proto, media.line
    assert (media.kind, media.formats) == (original.kind, original.formats), media.line
    assert ports[0] <= media.port <= ports[1], media.line
    assert got.address(index) == host, str(got)
    stripped = ("a=fingerprint:", "a=3ge2ae:", "a=tls-id:", "a=connection:")
    want = [f"a=setup:{setup}" if line.startswith("a=setup:") else line
            for line in original.lines[1:] if not line.startswith(stripped + ("c=",))]
    rest = [line for line in media.lines[1:] if not line.startswith("c=")]
    kept = [line for line in rest if not line.startswith(tuple(f"a={name}:" for name in added))]
    assert kept == want, f"got {kept}\nwant {want}"
    for name in added:
        media.value(name)
    assert len(rest) == len(want) + len(added), rest


def check_audio(got, index, sent, host, ports):
    """The audio line went through rtpengine: its address, its ports, the same codecs."""
    media, original = got.media[index], sent.media[index]
    assert (media.kind, media.proto, media.formats) == (original.kind, original.proto, original.formats), media.line
    assert ports[0] <= media.port <= ports[1], media.line
    assert got.address(index) == host, str(got)
    assert media.has("sendrecv") and "8 PCMA/8000" in media.values("rtpmap"), str(media)


def check_session(got, sent):
    """No line of the session part lost or added; only addresses may differ (replace-origin, -session-connection)."""
    def kinds(text):
        return [line[:2] for line in text.session]
    assert kinds(got) == kinds(sent), f"{kinds(got)} for {kinds(sent)}"
    assert len(got.media) == len(sent.media), str(got)


def check_addresses(got, host):
    """Every o= and c= names @host and its family."""
    origins, connections = ([line for line in got.text.split("\r\n") if line.startswith(start)] for start in ("o=", "c="))
    assert len(origins) == 1 and origins[0].endswith(f" IN {media.ip(host)}"), str(got)
    assert connections and set(connections) == {f"c=IN {media.ip(host)}"}, str(got)


def expected(fingerprint):
    """(hash, hex) of an SDP as the peers' --expect-fingerprint."""
    return "/".join(fingerprint)


class Flags:
    """What the scripts of the proxies pass on: rtpengine_offer("...")."""
    COMMON = "e2ae-path-scheme=keep replace-origin replace-session-connection"
    ORIGINATING = f"e2ae=originating {COMMON} direction=access direction=core"
    TERMINATING = f"e2ae=terminating {COMMON} direction=core direction=access"
    ANSWER = "replace-origin replace-session-connection"
    DELETE = "delete-delay=0"


def ng_keys(side):
    """The same for a test that speaks ng itself."""
    ways = ["access", "core"] if side == "originating" else ["core", "access"]
    return {"e2ae": side, "e2ae-path-scheme": "keep", "replace": ["origin", "session-connection"], "direction": ways,
            "received-from": ["IP4", procs.address(10)]}
