# SPDX-License-Identifier: GPL-3.0-or-later
"""Real fax machines (t/peers/fax-peer.c) and their documents: T.38 in DTLS, T.38 in plain UDP, tones in RTP."""
import os
import subprocess

import fax
import peers
import procs

_PAGES = os.path.join(procs.BUILD_DIR, "t", "peers", "fax-pages")
# What the machines say and keep to; room for an image packet and three before it.
MAX_DATAGRAM = 400
LIMIT = 150.0


def document(pages, rows=300):
    """The path of a TIFF with that many pages, always the same."""
    path = procs.path_of(f"document-{pages}-{rows}.tif")
    if not os.path.exists(path):
        subprocess.run([_PAGES, "make", path, str(pages), str(rows)], check=True)
    return path


def pixels(path):
    """[(WIDTHxROWS, SHA-256 of the pixels)] of the pages of a TIFF, decoded by libtiff."""
    shown = subprocess.run([_PAGES, "show", path], check=True, stdout=subprocess.PIPE, encoding="ascii").stdout
    return [tuple(line.split(" ")) for line in shown.splitlines()]


def _lines(section):
    """The lines of a fax section, with the datagrams that the machines really take."""
    return [f"a=T38FaxMaxDatagram:{MAX_DATAGRAM}" if line.startswith("a=T38FaxMaxDatagram:") else line
            for line in section]


class Machine(peers.TlsPeer):
    """One fax machine on a port of @host (.port), waiting until go() says where the other one is.

    @send: the TIFF file that it sends as the caller; None: it is called, and writes what it gets to .out. @role:
    "client" or "server" in DTLS, None: plain. @tones: G.711 in RTP instead of T.38. Real ones take 20 s for the first
    page; with no_pacing=True T.38 takes four for any number."""

    def __init__(self, name, host, send=None, cert=None, role=None, tones=False, loss=0, **options):
        self.out = None if send else procs.path_of(f"{name}.tif")
        if role:
            options[role] = True
        super().__init__("fax", cert=cert, stdin=subprocess.PIPE, name=name, bind=f"{host}:0", caller=bool(send),
                         send=send, out=self.out, tones=tones, loss=loss, max_datagram=MAX_DATAGRAM,
                         timeout=int(LIMIT * procs.PATIENCE), **options)
        self.host, self.port = self.listening_at()
        self.cert, self.role, self.tones, self.loss = cert, role, tones, loss

    def section(self, offering):
        """Its section of an SDP that offers or answers."""
        if self.tones:
            return fax.audio(self.host, self.port)
        if not self.role:
            return _lines(fax.plain(self.host, self.port))
        setup = {"server": "passive", "client": "actpass" if offering else "active"}[self.role]
        return _lines(fax.secure(self.host, self.cert, self.port, setup, indication=offering))

    def go(self, endpoint, fingerprint=None):
        """Starts towards @endpoint; @fingerprint (hash, hex) is what the other side of DTLS has to have."""
        words = ["%s:%d" % endpoint] + (["/".join(fingerprint)] if fingerprint else [])
        self.process.stdin.write((" ".join(words) + "\n").encode())
        self.process.stdin.flush()

    def numbers(self, word):
        """{name: number} of a line of results."""
        words = self.line(word).split(" ")
        return dict(zip(words[::2], (int(number) for number in words[1::2])))

    def finish(self):
        """Waits for the end, which has to be a good one."""
        status = self.wait(LIMIT)
        assert status == 0 and self.line("FAX") == "0 OK", f"{self.name} ended with {status}:\n{self.log()}"


def finish(caller, called, document_path):
    """Both machines are content, and every pixel that was sent has arrived."""
    for machine in (caller, called):
        machine.finish()
    sent, got = pixels(document_path), pixels(called.out)
    assert got == sent, f"sent:\n{sent}\nreceived:\n{got}"
    assert caller.numbers("PAGES")["sent"] == called.numbers("PAGES")["received"] == len(sent), caller.log()
    assert len(set(sent)) == len(sent), "pages that are alike would hide that they changed places"


def check_counters(program, call_id, ue, core):
    """The program counted what the UE's machine sent and what came to it; with loss, there was some."""
    sent, arrived = ue.numbers("DATAGRAMS"), ue.numbers("ARRIVED")
    streams = program.request(command="e2ae query", call_id=call_id)["e2ae"]["streams"]
    access = {way: int(streams[0]["access"][f"packets-{way}"]) for way in ("in", "out")}
    assert access == {"in": sent["sent"] - sent["lost"], "out": arrived["datagrams"]}, f"{access}\n{ue.log()}"
    lost = sum(machine.numbers("DATAGRAMS")["lost"] for machine in (ue, core))
    recovered = sum(machine.numbers("ARRIVED")["recovered"] for machine in (ue, core))
    assert (lost > 0, recovered > 0) == (ue.loss > 0, ue.loss > 0), f"{lost} lost, {recovered} recovered"


def check_datagrams(first, second):
    """All that left one T.38 machine came to the other, one datagram for one, and nothing else did."""
    for sender, receiver in ((first, second), (second, first)):
        out, arrived = sender.numbers("DATAGRAMS"), receiver.numbers("ARRIVED")
        assert arrived["datagrams"] == out["sent"] - out["lost"], f"{sender.log()}\n{receiver.log()}"
        assert arrived["bad"] == arrived["missing"] == 0, receiver.log()
        assert arrived["largest"] <= MAX_DATAGRAM, receiver.log()
