# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls with one protected stream, set up over ng: the test writes the SDP of both parties and plays both of them."""
import hashlib
import itertools
import select
import time

import media
import peers
import procs
import sdp

SIZE = 60_000
FAX = 12
_numbers = itertools.count(1)
_OTHER = {"ue": "core", "core": "ue"}


class Signalling:
    """One dialog as the proxy sees it. @side: who the served UE is in it ("originating", "terminating")."""

    def __init__(self, program, side, name=None, keys=None):
        self.program, self.side = program, side
        self.call_id = f"{name or side}-{next(_numbers)}"
        self.tags = {"ue": "tag-ue", "core": "tag-core"}
        self.keys = dict({"e2ae": side, "e2ae-path-scheme": "keep"}, **keys or {})
        self.offers = 0
        self.first = self.offerer = None
        self.reply = None
        self.before = set(program.sockets())

    def request(self, party, command, text, **keys):
        """@party sends @text as an offer or answer; returns the Sdp that the other party gets."""
        message = {"command": command, "call-id": self.call_id, "replace": ["origin", "session-connection"], "sdp": text}
        if command == "offer":
            self.offerer = party
            message["from-tag"] = self.tags[party]
            if self.offers:
                message["to-tag"] = self.tags[_OTHER[party]]
            else:
                message.update(self.keys)
                message["direction"] = ["access", "core"] if party == "ue" else ["core", "access"]
            self.offers += 1
            self.first = self.first or party
        else:
            message["from-tag"], message["to-tag"] = self.tags[_OTHER[party]], self.tags[party]
        message.update({key.replace("_", "-"): value for key, value in keys.items()})
        self.reply = self.program.client.request(message)
        assert self.reply.get("result") == "ok", self.reply
        return sdp.Sdp(self.reply["sdp"])

    def offer(self, party, text, **keys):
        return self.request(party, "offer", text, **keys)

    def answer(self, party, text, **keys):
        return self.request(party, "answer", text, **keys)

    def stream(self, index=1):
        """The entry of one m-line, numbered from 1, in the e2ae part of the last reply."""
        return [entry for entry in self.reply["e2ae"]["streams"] if int(entry["index"]) == index][0]

    def ports(self):
        """What the program has bound since this dialog began."""
        return sorted(set(self.program.sockets()) - self.before)

    def delete(self):
        reply = self.program.request(command="delete", call_id=self.call_id, from_tag=self.tags[self.first],
                                     delete_delay="0")
        assert reply.get("result") == "ok", reply


class UdpCore:
    """The core's end of a fax: a plain UDP socket. Everything that arrives is kept."""

    def __init__(self, host):
        self.sock = procs.udp_socket(host)
        self.port = self.sock.getsockname()[1]
        self.datagrams = []

    def send(self, target, datagrams, gap=0.002):
        """A fax is paced; a loopback socket that gets everything at once drops."""
        for datagram in datagrams:
            self.sock.sendto(datagram, target)
            self.poll(gap)

    def poll(self, timeout=0.0):
        while select.select([self.sock], [], [], timeout)[0]:
            self.datagrams.append(self.sock.recv(65536))
            timeout = 0.0
        return self.datagrams

    def wait(self, count, timeout=20.0):
        deadline = time.monotonic() + timeout * procs.PATIENCE
        while len(self.poll(0.01)) < count:
            if time.monotonic() > deadline:
                raise procs.Failure(f"{len(self.datagrams)} datagrams at the core, wanted {count}")
        return self.datagrams

    def close(self):
        self.sock.close()


class Call(Signalling):
    """A call with one stream, from the SDP to the bytes.

    @ue_setup: "active" or "passive", the UE's TCP side (of T.38: its DTLS side). @core_setup the same for the core,
    by default whatever the AGW leaves it. @tls_role: "client" or "server" where the UE's TLS role is not that of its
    TCP side. @fingerprints: what the UE signals, by default its certificate's sha-256."""

    def __init__(self, program, medium, side, ue_setup, stack, cert, fingerprints=None, core_setup=None, keys=None,
                 tls_role=None, size=SIZE, ue_host=None, core_host=None, name=None, data=True, **peer_options):
        super().__init__(program, side, name or f"{medium.name}-{side}-{stack}", keys)
        self.medium, self.ue_setup, self.core_setup = medium, ue_setup, core_setup
        self.stack, self.cert = stack, cert
        self.ue_host, self.core_host = ue_host or procs.address(10), core_host or procs.address(9)
        self.fingerprints = [cert.fingerprint()] if fingerprints is None else fingerprints
        self.options = dict(peer_options)
        if tls_role:
            self.options[tls_role] = True
        self.udp = medium is media.T38
        self.size = size
        self.data = data
        if self.udp:
            self.to_core, self.to_ue = media.fax(FAX, 1), media.fax(FAX, 2)
        else:
            self.to_core, self.to_ue = (media.stream_data(medium, size, seed) for seed in (1, 2))
        self.ue = self.core = self.at_ue = self.at_core = None

    # ---- signalling

    def ue_text(self, setup=None, port=None, **options):
        """The UE's SDP; with setup:active a TCP port is 9 (COM-02)."""
        if port is None:
            port = self.ue_port()
        return media.description(self.ue_host, media.section(
            self.medium, self.ue_host, port, True, setup or self.ue_setup, self.fingerprints,
            options.pop("indication", self.offerer != "core"), **options))

    def ue_port(self):
        if self.ue_setup == "passive":
            return self.ue.listening_at()[1]
        return 6056 if self.udp else 9

    def core_text(self, setup=None, **options):
        port = self.core.port
        return media.description(self.core_host, media.section(
            self.medium, self.core_host, port, False, None if self.udp else setup, session="kQ1", **options))

    def set_up(self):
        """Offer and answer; the peers that wait for a connection start before, the others are left to run()."""
        if self.ue_setup == "passive":
            self.start_ue(listen=procs.place(self.ue_host, 0))
        if self.udp:
            self.core = UdpCore(self.core_host)
        elif self.core_setup != "active":
            self.listen_core()
        if self.side == "originating":
            self.offer_from_ue()
            self.answer_from_core()
        else:
            self.offer_from_core()
            self.answer_from_ue()
        return self

    def offer_from_ue(self):
        self.offerer = "ue"
        self.at_core = self.offer("ue", self.ue_text())
        self.check_core(self.at_core)

    def answer_from_core(self):
        if not self.udp and self.core_setup is None:
            # COM-10: what the AGW asks for when it has to be active towards the UE
            self.core_setup = {"passive": "active"}.get(self.at_core.media[0].value("setup"), "passive")
        if not self.udp and self.core_setup == "active":
            self.connect_core(self.at_core)
        self.at_ue = self.answer("core", self.core_text(self.core_setup))
        self.check_ue(self.at_ue)

    def offer_from_core(self):
        self.offerer = "core"
        offered = None if self.udp else {"active": "active", "passive": "passive", None: "actpass"}[self.core_setup]
        if self.core_setup == "active" and not self.udp:
            self.core = _Nowhere()
        self.at_ue = self.offer("core", self.core_text(offered))
        self.check_ue(self.at_ue)

    def answer_from_ue(self):
        self.at_core = self.answer("ue", self.ue_text())
        self.check_core(self.at_core)
        if not self.udp and self.at_core.media[0].value("setup") == "passive":
            self.connect_core(self.at_core)

    def listen_core(self):
        self.core = peers.PlainPeer(self.core_host, data=self.to_ue, expect=len(self.to_core))

    def connect_core(self, at_core):
        if self.core:
            self.core.close()
        self.core = peers.PlainPeer(self.core_host, target=at_core.endpoint(0), data=self.to_ue,
                                    expect=len(self.to_core))

    def check_core(self, got):
        entry = self.stream()
        assert entry["treatment"] == "e2ae", entry
        assert got.media[0].proto == self.medium.plain, got.media[0].line
        assert not got.media[0].has("fingerprint") and not got.media[0].has("3ge2ae"), str(got)

    def check_ue(self, got):
        entry = self.stream()
        assert entry["treatment"] == "e2ae", entry
        assert got.media[0].proto == self.medium.secure, got.media[0].line
        assert got.media[0].has("fingerprint"), str(got)

    # ---- media

    def start_ue(self, **where):
        options = dict(self.options, **where)
        if self.udp:
            options.update(dtls=True, datagrams=True)
        if self.data:
            options.setdefault("send", procs.write_file(
                f"to-core-{self.call_id}", media.framed(self.to_core) if self.udp else self.to_core))
            options.setdefault("recv", FAX if self.udp else len(self.to_ue))
        if self.udp:
            options.setdefault("gap", 2)
            options.setdefault("out", procs.path_of(f"at-ue-{self.call_id}"))
        self.ue = peers.TlsPeer(self.stack, cert=self.cert, **options)
        return self.ue

    def connect_ue(self, **options):
        """The UE connects to where the AGW's SDP says; nothing to do for a passive UE."""
        if self.ue_setup == "active":
            host, port = self.at_ue.endpoint(0)
            self.start_ue(connect=procs.place(host, port), **options)
        return self.ue

    def exchange(self):
        """Both directions to their end, every byte or datagram checked."""
        if self.udp:
            self._exchange_datagrams()
            return
        assert self.ue.wait(60) == 0, self.ue.log()
        self.core.join()
        assert self.ue.digest() == (len(self.to_ue), hashlib.sha256(self.to_ue).hexdigest()), self.ue.log()
        assert self.core.received == len(self.to_core), self.core.received
        assert self.core.digest.hexdigest() == hashlib.sha256(self.to_core).hexdigest(), "other bytes at the core"
        assert (self.core.ended, self.ue.line("CLOSED")) == ("clean", "clean"), (self.core.ended, self.ue.log())

    def _exchange_datagrams(self):
        self.ue.wait_line("CONNECTED")
        self.core.send(self.at_core.endpoint(0), self.to_ue)
        got = self.core.wait(FAX)
        assert got == self.to_core, [len(datagram) for datagram in got]
        assert self.ue.wait(60) == 0, self.ue.log()
        assert media.unframed(procs.path_of(f"at-ue-{self.call_id}")) == self.to_ue, self.ue.log()

    def check_certificate(self):
        """The AGW presented a certificate that it had signalled."""
        shown = self.ue.wait_line("PEER-FINGERPRINT")
        signalled = self.at_ue.media[0].values("fingerprint")
        assert shown in signalled, f"{shown} is not in {signalled}"

    def run(self):
        """From the first offer to the last byte."""
        self.set_up()
        self.connect_ue()
        self.exchange()
        self.check_certificate()

    def refused(self):
        """The peer did not get in: nothing came to it, and at the core nothing ever happened."""
        status = self.ue.wait()
        assert status not in (0, peers.EXIT_FINGERPRINT), self.ue.log()
        assert self.ue.line("RECEIVED") is None or self.ue.digest()[0] == 0, self.ue.log()

    def untouched_core(self):
        if self.udp:
            assert self.core.poll() == [], "datagrams reached the core"
        else:
            assert self.core.received == 0, f"{self.core.received} bytes reached the core"

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.end()
            return
        if self.offers:
            self.delete()
        self._stop_peers()

    def end(self):
        """Deletes the call and waits until its ports are free: after that it can have no more events."""
        self.delete()
        procs.wait_until(lambda: not self.ports(), f"no media sockets, there are {self.ports()}", 10)
        self._stop_peers()

    def _stop_peers(self):
        if self.core:
            self.core.close()
        if self.ue:
            self.ue.stop()


class _Nowhere:
    """A core that is active: port 9 and no listener."""
    port = 9

    def close(self):
        pass
