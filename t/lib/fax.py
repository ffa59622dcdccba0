# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls that change between voice and fax: the SDP of both parties, and a fax between a DTLS peer and a UDP socket."""
import subprocess

import calls
import media
import peers
import procs

UE_FAX_PORT = 6056
TLS_ID = "Ag9fQ2x7Lm+4/Rt_0-Zp"
# What a plain core must never see.
SECURITY = ("fingerprint", "setup", "tls-id", "3ge2ae", "connection", "crypto")
_AUDIO = ("rtpmap", "fmtp", "ptime", "crypto", "rtcp", "rtcp-mux")


def audio(host, port, direction="sendrecv"):
    """A voice section; with port 0 as somebody sends it who turns it off."""
    if port == 0:
        return ["m=audio 0 RTP/AVP 8", f"c=IN {media.ip(host)}"]
    return [f"m=audio {port} RTP/AVP 8", f"c=IN {media.ip(host)}", "a=rtpmap:8 PCMA/8000", "a=ptime:20",
            f"a={direction}"]


def secure(host, cert, port=UE_FAX_PORT, setup="actpass", indication=True):
    """The UE's fax section."""
    return media.section(media.T38, host, port, True, setup, [cert.fingerprint()], indication,
                         extra=[f"a=tls-id:{TLS_ID}"])


def plain(host, port):
    """The core's fax section."""
    return media.section(media.T38, host, port, False)


def check_kept(got, sent):
    """The T.38 attributes and their order are those of the section that was @sent; nothing of voice is left over."""
    def t38(section):
        return [line for line in section.lines if line.startswith("a=T38")]
    assert t38(got) == t38(sent), f"{t38(got)} for {t38(sent)}"
    assert got.formats == ["t38"], got.line
    assert not any(got.has(name) for name in _AUDIO), str(got)


def check_at_core(got, index, sent, program):
    """The core sees a plain fax at our core side, as @sent by the UE otherwise."""
    section = got.media[index]
    assert (section.kind, section.proto) == ("image", "udptl"), section.line
    assert not any(section.has(name) for name in SECURITY), str(section)
    assert got.address(index) == program.core, str(got)
    assert program.port_range[0] <= section.port <= program.port_range[1], section.line
    check_kept(section, sent)


def check_at_ue(got, index, sent, program, setup, indication=None):
    """The UE sees a fax in DTLS at our access side, with one fingerprint, our own tls-id and this a=setup."""
    section = got.media[index]
    assert (section.kind, section.proto) == ("image", "UDP/TLS/UDPTL"), section.line
    assert section.value("setup") == setup, str(section)
    assert section.values("3ge2ae") == ([indication] if indication else []), str(section)
    assert got.fingerprint(index)[0] == "sha-256", str(section)
    assert len(section.value("tls-id")) >= 20 and section.value("tls-id") != TLS_ID, str(section)
    assert got.address(index) == program.access, str(got)
    assert program.port_range[0] <= section.port <= program.port_range[1], section.line
    check_kept(section, sent)


class Fax:
    """One fax: the UE as a DTLS client that stays until the gateway ends it; the core as a UDP socket, there from the
    start."""

    def __init__(self, name, core_host, count=calls.FAX):
        self.name = name
        self.core = calls.UdpCore(core_host)
        self.count = count
        self.to_core, self.to_ue = media.fax(count, 1), media.fax(count, 2)
        self.ue = None

    def connect(self, at_ue, index, cert, recv=None, stack="gnutls"):
        """The UE's handshake with where the SDP @at_ue says, held to the fingerprint there; then it sends its fax."""
        self.ue = peers.TlsPeer(
            stack, cert=cert, stdin=subprocess.PIPE, dtls=True, datagrams=True, gap=2, hold=True,
            connect="%s:%d" % at_ue.endpoint(index), expect_fingerprint="/".join(at_ue.fingerprint(index)),
            send=procs.write_file(f"to-core-{self.name}", media.framed(self.to_core)),
            recv=self.count if recv is None else recv, out=procs.path_of(f"at-ue-{self.name}"))
        return self.ue.wait_line("CONNECTED")

    def exchange(self, at_core, index, program, call_id):
        """Both directions until everything was sent on; what came to the core is compared datagram by datagram, for the
        other way see ended()."""
        self.core.send(at_core.endpoint(index), self.to_ue)
        got = self.core.wait(self.count)
        assert got == self.to_core, [len(datagram) for datagram in got]

        def sent_on():
            streams = program.request(command="e2ae query", call_id=call_id)["e2ae"]["streams"]
            return sum(int(stream["access"]["packets-out"]) for stream in streams) == self.count
        procs.wait_until(sent_on, f"{self.count} datagrams sent on to the UE")

    def ended(self):
        """The association was closed by the gateway with an alert; before that, every datagram of the core had come to
        the UE whole and in order."""
        assert self.ue.wait_line("CLOSED") == "clean", self.ue.log()
        assert self.ue.wait() == 0, self.ue.log()
        got = media.unframed(procs.path_of(f"at-ue-{self.name}"))
        assert got == self.to_ue, [len(datagram) for datagram in got]
        assert self.core.poll() == self.to_core, "more datagrams at the core"

    def close(self):
        self.core.close()
        if self.ue:
            self.ue.stop()
