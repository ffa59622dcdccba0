# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls through the example P-CSCF: voice and one protected medium, with sipp at both ends and media on real sockets."""
import hashlib
import itertools
import subprocess

import calls
import certs
import fax
import kamailio
import media
import msrpside
import pcscf
import peers
import plugin
import procs
import rtp
import rtpengine
import sdp
import sipua

SIZE = 60_000
RTP_PORTS, E2AE_PORTS = (30000, 30999), (31000, 31999)
_numbers = itertools.count(1)


class Network:
    """rtpengine, nodes of rtpengine-e2ae in front of it, the proxy in front of all, and the core."""

    def __init__(self, nodes=1, extra=(), access=None, core=None, core_host=pcscf.CORE_HOST, ports=(RTP_PORTS, E2AE_PORTS),
                 **options):
        """@extra: options of rtpengine-e2ae; @access, @core: the media addresses; @core_host: where the core is; @ports:
        those of rtpengine and of rtpengine-e2ae; others are for the proxy."""
        self.media, self.core_host = (access, core), core_host
        self.rtp_ports, self.e2ae_ports = ports
        self.upstream = rtpengine.Rtpengine(*self.media, ports=self.rtp_ports)
        self.extra = [*msrpside.AGW_OPTIONS, *extra]
        self.nodes = [self.node(number, nodes) for number in range(nodes)]
        self.e2ae = self.nodes[0]
        self.core = kamailio.Core(core_host)
        self.proxy = pcscf.Pcscf(self.core.address, [node.ng_address for node in self.nodes], [self.upstream.ng_address],
                                 **options)

    def node(self, number, count):
        """They share their addresses, so each has its part of the ports."""
        size = (self.e2ae_ports[1] + 1 - self.e2ae_ports[0]) // count
        first = self.e2ae_ports[0] + number * size
        return plugin.Plugin(self.upstream.ng_address, ports=(first, first + size - 1), name=f"rtpengine-e2ae-{number}",
                             access=self.media[0], core=self.media[1], extra=self.extra)

    def alive(self):
        return [node for node in self.nodes if node.running()]

    def ue(self, user, client=(), cert="ue-ecdsa", host=pcscf.UE_HOST, proxy=None, **options):
        """A UE that has registered with these headers; @proxy: where, if not with the one of this network."""
        agent = sipua.Agent(user, host, (proxy or self.proxy).address, **options)
        agent.cert = certs.Pair(cert)
        pcscf.register(agent, [agent.register(1, client), sipua.recv(200)])
        return agent

    def peer(self, user="peer"):
        """Somebody in the core."""
        agent = sipua.Agent(user, self.core_host, self.core.address)
        agent.cert = None
        return agent

    def asked(self):
        """How often rtpengine-e2ae was asked for anything that concerns a call."""
        counts = [node.request(command="e2ae statistics")["e2ae"]["requests"] for node in self.alive()]
        return sum(int(count.get(command, 0)) for count in counts
                   for command in ("offer", "answer", "delete", "query", "other"))

    def e2ae_calls(self):
        return [call_id for node in self.alive() for call_id in node.request(command="e2ae list")["calls"]]

    def sockets(self):
        return [place for node in self.alive() for place in node.sockets()]

    def forget(self):
        """After a failure: the calls that are left are no failures of the next test."""
        for node in [*self.alive(), self.upstream]:
            for call_id in node.client.request(command="list")["calls"]:
                node.client.request(command="delete", call_id=call_id, delete_delay="0")

    def idle(self):
        """Nothing is left of any call."""
        procs.wait_until(lambda: not self.sockets() and not self.e2ae_calls(),
                         f"no streams, there are {self.sockets()} of {self.e2ae_calls()}", 10)
        procs.wait_until(lambda: not self.upstream.calls(), "no call in rtpengine", 10)


def target(agent):
    """Where somebody calls @agent."""
    return agent.aor if agent.cert else agent.contact.strip("<>")


class MsrpEnd:
    """A strict MSRP endpoint: SENDs that are answered."""

    def __init__(self, agent, seed, offering):
        setup = "actpass" if offering else "active" if agent.cert else "passive"
        self.party = msrpside.Party(agent.host, bool(agent.cert), setup)
        self.party.offered = offering
        self.data = media.stream_data(media.BFCP, SIZE, seed)
        self.sent = None

    def section(self):
        line, *attributes = self.party.sdp().split("\r\n")[5:-1]
        return [line, f"c=IN {media.ip(self.party.host)}", *attributes]

    def connect(self, got):
        """@got: the SDP that came, with only this m-line."""
        self.party.got = got
        self.party.make_endpoint()
        if not self.party.is_active():
            self.party.endpoint.listen(self.party.host, listener=self.party.listener)

    def ready(self):
        if self.party.is_active():
            self.party.endpoint.connect(*self.party.target(), source=(self.party.host, 0))

    def send(self):
        self.party.endpoint.wait_bound()
        self.sent = self.party.endpoint.send(self.data, chunk=2048, content_type="application/octet-stream")

    def check(self, other):
        """Everything that @other has sent has come, and our own was answered."""
        self.party.endpoint.wait_done(self.sent)
        assert self.party.endpoint.wait_message().digest() == hashlib.sha256(other.data).hexdigest(), "other bytes"
        assert not self.party.endpoint.faults + self.party.endpoint.refusals, self.party.endpoint.faults

    def close(self):
        if self.party.endpoint:
            self.party.endpoint.close()
        self.party.listener.close()


class SecureEnd:
    """A UE that connects by TLS, or by DTLS for a fax."""

    def __init__(self, agent, medium, seed, offering):
        self.agent, self.medium, self.offering = agent, medium, offering
        self.udp = medium is media.T38
        self.data = media.fax(calls.FAX, seed) if self.udp else media.stream_data(medium, SIZE, seed)
        self.name = f"{agent.contact_user}-{next(_numbers)}"
        self.peer = None

    def section(self):
        return media.section(self.medium, self.agent.host, 6056 if self.udp else 9, True,
                             "actpass" if self.offering else "active", [self.agent.cert.fingerprint()], self.offering)

    def connect(self, got):
        options = {"dtls": True, "datagrams": True, "gap": 2} if self.udp else {}
        self.peer = peers.TlsPeer(
            "gnutls", cert=self.agent.cert, connect=procs.place(*got.endpoint(0)), wait=True,
            stdin=subprocess.PIPE,
            expect_fingerprint="/".join(got.fingerprint(0)), timeout=60, recv=calls.FAX if self.udp else SIZE,
            out=procs.path_of(f"got-{self.name}"),
            send=procs.write_file(f"data-{self.name}", media.framed(self.data) if self.udp else self.data), **options)

    def ready(self):
        self.peer.wait_line("CONNECTED")

    def send(self):
        self.peer.go()

    def check(self, other):
        assert self.peer.wait(60) == 0, self.peer.log()
        if self.udp:
            assert media.unframed(procs.path_of(f"got-{self.name}")) == other.data, self.peer.log()
        else:
            assert self.peer.digest() == (SIZE, hashlib.sha256(other.data).hexdigest()), self.peer.log()

    def close(self):
        if self.peer:
            self.peer.stop()


class PlainEnd:
    """Somebody in the core: waits for a connection, or makes it where the answer says so; a fax is a UDP socket."""

    def __init__(self, agent, medium, seed, offering):
        self.agent, self.medium, self.offering = agent, medium, offering
        self.udp = medium is media.T38
        self.data = media.fax(calls.FAX, seed) if self.udp else media.stream_data(medium, SIZE, seed)
        self.peer = calls.UdpCore(agent.host) if self.udp else peers.PlainPeer(agent.host, data=self.data, expect=SIZE)
        self.target = None

    def section(self):
        setup = None if self.udp else "actpass" if self.offering else "passive"
        return media.section(self.medium, self.agent.host, self.peer.port, False, setup)

    def connect(self, got):
        self.target = got.endpoint(0)
        if not self.udp and got.media[0].value("setup") == "passive":
            self.peer.close()
            self.peer = peers.PlainPeer(self.agent.host, target=self.target, data=self.data, expect=SIZE)

    def ready(self):
        pass

    def send(self):
        if self.udp:
            self.peer.send(self.target, self.data)

    def check(self, other):
        if self.udp:
            assert self.peer.wait(calls.FAX) == other.data, "other datagrams"
            return
        self.peer.join()
        assert (self.peer.received, self.peer.digest.hexdigest()) == (SIZE, hashlib.sha256(other.data).hexdigest())

    def close(self):
        self.peer.close()


def end_of(agent, medium, seed, offering):
    if medium is media.MSRP:
        return MsrpEnd(agent, seed, offering)
    return (SecureEnd if agent.cert else PlainEnd)(agent, medium, seed, offering)


class Party:
    """One side of a call: its agent, its voice and its end of the medium."""

    def __init__(self, agent, medium, seed, offering, voice=True):
        self.agent, self.offering = agent, offering
        self.end = end_of(agent, medium, seed, offering) if medium else None
        self.rtp = procs.udp_socket(agent.host) if voice else None

    def text(self, version=1):
        sections = [fax.audio(self.agent.host, self.rtp.getsockname()[1])] if self.rtp else []
        if self.end:
            sections.append(self.end.section())
        return media.description(self.agent.host, *sections, version=version)

    def close(self):
        if self.rtp:
            self.rtp.close()
        if self.end:
            self.end.close()


def last_line(got):
    """The SDP with only its last m-line."""
    return sdp.Sdp(sdp.lines(*got.session, *got.media[-1].lines))


class Call:
    """A call from @caller to @callee, agents both, from the INVITE to the last byte. @calling, @called: the steps of sipp at
    each end, from the agent and this call; by default those of a plain call."""

    def __init__(self, network, caller, callee, medium=None, name="call", voice=True, calling=None, called=None,
                 offerless=False):
        self.network = network
        self.call_id = f"{name}-{next(_numbers)}@test.invalid"
        self.caller = Party(caller, medium, 1, not offerless, voice)
        self.callee = Party(callee, medium, 2, offerless, voice)
        self.offer, self.answer = self.caller.text(), self.callee.text()
        self.steps = (calling or (lambda agent, call: agent.caller(target(callee), call.offer)),
                      called or (lambda agent, call: agent.callee(call.answer)))
        self.called = self.calling = None
        self.at_caller = self.at_callee = None

    def start(self):
        """Both ends, the callee first."""
        self.called = self.callee.agent.start("called", self.steps[1](self.callee.agent, self))
        self.called.call_id = self.call_id
        self.calling = self.caller.agent.start("calling", self.steps[0](self.caller.agent, self), call_id=self.call_id)

    def set_up(self):
        self.start()
        self.at_callee = sdp.Sdp(self.called.wait_sdp(b"INVITE "))
        self.at_caller = sdp.Sdp(self.calling.wait_sdp(b"SIP/2.0 200 "))
        self.called.wait_received(b"ACK ")
        return self

    def talk(self):
        """RTP both ways, through rtpengine."""
        first, last = self.network.rtp_ports
        for got in (self.at_caller, self.at_callee):
            assert first <= got.media[0].port <= last, str(got)
        rtp.pass_both_ways(self.caller.rtp, self.at_caller.endpoint(0), self.callee.rtp, self.at_callee.endpoint(0))

    def exchange(self):
        """The data of the protected medium, both ways, every byte or datagram."""
        ends = self.caller.end, self.callee.end
        for end, got in zip(ends, (self.at_caller, self.at_callee)):
            end.connect(last_line(got))
        for end in ends:
            end.ready()
        for end in ends:
            end.send()
        for end, other in zip(ends, reversed(ends)):
            end.check(other)

    def hang_up(self):
        self.calling.go_on()
        assert (self.calling.wait(), self.called.wait()) == (0, 0)

    def __enter__(self):
        try:
            return self.set_up()
        except Exception:
            self.give_up()
            raise

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.give_up()
            return
        self.hang_up()
        self.network.idle()
        self.close()

    def close(self):
        self.caller.close()
        self.callee.close()

    def give_up(self):
        """Frees the addresses of the agents for the next call."""
        for process in (self.calling, self.called):
            if process:
                process.kill()
        self.close()
        self.network.forget()


class Switched(Call):
    """A voice call that becomes something else in the slot of the voice, and then voice again, both by re-INVITEs of the
    caller or @by_callee. @sections: what the caller and the callee have in between."""

    def __init__(self, network, caller, callee, sections, by_callee=False, name="switched"):
        super().__init__(network, caller, callee, name=name, calling=self._calling, called=self._called)
        self.by_callee = by_callee
        self.texts = [[party.text(), media.description(party.agent.host, section, version=2), party.text(version=3)]
                      for party, section in zip((self.caller, self.callee), sections)]
        self.numbers = iter((7, 8) if by_callee else (2, 3))

    def _calling(self, agent, _call):
        first, *others = self.texts[0]
        steps = [agent.invite(target(self.callee.agent), first), *agent.answered()]
        for number, body in enumerate(others, 2):
            steps += agent.answering(body) if self.by_callee else [sipua.WAIT, *agent.again(number, body)]
        return [*steps, sipua.WAIT, *agent.bye(4)]

    def _called(self, agent, _call):
        first, *others = self.texts[1]
        steps = [sipua.recv("INVITE", rrs=True, actions=[sipua.KEEP_FROM]), agent.reply(200, "OK", first), sipua.recv("ACK")]
        for number, body in enumerate(others, 7):
            steps += [sipua.WAIT, *agent.again_back(number, body)] if self.by_callee else agent.answering(body)
        return [*steps, sipua.recv("BYE"), agent.ok()]

    def change(self):
        """The next re-INVITE, to its ACK."""
        number = next(self.numbers)
        ends = (self.called, self.calling) if self.by_callee else (self.calling, self.called)
        ends[0].go_on(b"INVITE ")
        got = [sdp.Sdp(ends[1].wait_sdp(b"INVITE ", cseq=number)), sdp.Sdp(ends[0].wait_sdp(b"SIP/2.0 200 ", cseq=number))]
        ends[1].wait_ack(number)
        self.at_caller, self.at_callee = got if self.by_callee else reversed(got)


def check_protected(got, index, medium, network, indication=None):
    """What a UE sees: our access side, TLS or DTLS with our fingerprint."""
    section = got.media[index]
    assert (section.kind, section.proto) == (medium.kind, medium.secure), str(got)
    first, last = network.e2ae_ports
    assert got.address(index) == network.e2ae.access and first <= section.port <= last, str(got)
    assert got.fingerprint(index)[0] == "sha-256", str(got)
    assert section.values("3ge2ae") == ([indication] if indication else []), str(got)


def check_plain(got, index, medium, network):
    """What the core sees: our core side, nothing of security."""
    section = got.media[index]
    assert (section.kind, section.proto) == (medium.kind, medium.plain), str(got)
    first, last = network.e2ae_ports
    assert got.address(index) == network.e2ae.core and first <= section.port <= last, str(got)
    assert not any(section.has(name) for name in ("fingerprint", "3ge2ae", "tls-id", "crypto")), str(got)


def check_kept_plain(got, index, medium):
    """What the core sees of a stream that is up and in which we were the one to connect."""
    section = got.media[index]
    assert (section.kind, section.proto, section.port) == (medium.kind, medium.plain, 9), str(got)
    assert section.value("setup") == "active" and not section.has("fingerprint"), str(got)
