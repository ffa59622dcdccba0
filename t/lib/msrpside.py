# SPDX-License-Identifier: GPL-3.0-or-later
"""An MSRP call through the program with a strict endpoint (msrp.py) at both ends, set up over ng.

    call = msrpside.Call(e2ae, "name", core=dict(cema=False))
    call.set_up(); call.connect()
    call.ue.endpoint.send(...); call.core.endpoint.wait_message()
"""
import certs
import media
import msrp
import msrpwire
import procs
import sdp

AGW = certs.Pair("agw-ecdsa")
UE_CERT = certs.Pair("ue-ecdsa")
AGW_OPTIONS = [f"--certificate={AGW.cert}", f"--private-key={AGW.key}"]
DISCARD = 9


def uri_place(uri):
    """(host, port) of an MSRP URI."""
    _, host, port, _, _ = msrpwire.uri_key(uri)
    return host, port


class Party:
    """One end of the call. @setup: what it writes into its offer or answer; @lines: more attributes of its m-line."""

    def __init__(self, host, secure, setup, cema=True, lines=(), by_session_id=False, keylog=None):
        self.host, self.secure, self.setup, self.cema, self.lines = host, secure, setup, cema, list(lines)
        self.by_session_id, self.keylog = by_session_id, keylog
        self.listener = procs.tcp_listener(host)  # whoever may be connected to listens before it says so
        self.port = self.listener.getsockname()[1]
        self.uri = f"{'msrps' if secure else 'msrp'}://{procs.place(host, self._shown())}/{msrp.ident()};tcp"
        self.offered = False  # else it answered
        self.endpoint = None
        self.got = None  # the Sdp that came

    def _shown(self):
        return DISCARD if self.setup == "active" else self.port

    def sdp(self):
        lines = ["v=0", f"o=- 1 1 IN {media.ip(self.host)}", "s=-", f"c=IN {media.ip(self.host)}", "t=0 0",
                 f"m=message {self._shown()} {'TCP/TLS/MSRP' if self.secure else 'TCP/MSRP'} *", "a=accept-types:*",
                 f"a=path:{self.uri}", f"a=setup:{self.setup}", *self.lines]
        if self.cema:
            lines.append("a=msrp-cema")
        if self.secure:
            lines += [f"a=fingerprint:{UE_CERT.fingerprint()}", "a=3ge2ae:requested"]
        return sdp.lines(*lines)

    def path(self):
        """The a=path that it was given."""
        return self.got.media[0].value("path")

    def agw_setup(self):
        return self.got.media[0].value("setup")

    def is_active(self):
        return self.agw_setup() == "passive" if self.offered else self.setup == "active"

    def target(self):
        """Where RFC 6714 or RFC 4975 has it connect to."""
        return self.got.endpoint(0) if self.cema else uri_place(self.path())

    def make_endpoint(self):
        tls = msrp.Tls(UE_CERT, AGW.cert, self.got.media[0].value("fingerprint"), self.keylog) if self.secure else None
        self.endpoint = msrp.Endpoint(self.uri, self.path(), tls, by_session_id=self.by_session_id)


class Call:
    """@side: "originating" or "terminating"; @ue, @core: what differs from the usual Party; @keys: of the ng offer."""

    def __init__(self, e2ae, name, side="originating", ue=None, core=None, **keys):
        ue_first = side == "originating"
        self.e2ae, self.name, self.side = e2ae, name, side
        self.ue = Party(**dict(dict(host=procs.address(10), secure=True, setup="actpass" if ue_first else "active"),
                               **ue or {}))
        self.core = Party(**dict(dict(host=procs.address(9), secure=False,
                                      setup="passive" if ue_first else "actpass"), **core or {}))
        self.keys = {key.replace("_", "-"): value for key, value in keys.items()}
        self.replies = []

    def parties(self):
        return (self.ue, self.core) if self.side == "originating" else (self.core, self.ue)

    def request(self, command, sender, **keys):
        tags = {self.ue: "ue", self.core: "core"}
        first, second = tags.pop(sender), list(tags.values())[0]
        if command == "answer":
            first, second = second, first
        reply = self.e2ae.client.request(dict({
            "command": command, "call-id": self.name, "from-tag": first, "sdp": sender.sdp(),
            **({"to-tag": second} if command == "answer" or self.replies else {})}, **keys))
        assert reply.get("result") == "ok", reply
        self.replies.append(reply)
        return sdp.Sdp(reply["sdp"])

    def stream(self):
        """The entry of the m-line in the last reply."""
        return self.replies[-1]["e2ae"]["streams"][0]

    def mode(self):
        return self.stream().get("path-mode")

    def offer(self, sender=None):
        first = sender or self.parties()[0]
        other = self.core if first is self.ue else self.ue
        first.offered, other.offered = True, False
        keys = {} if self.replies else dict({"e2ae": self.side}, **self.keys)
        ways = ["access", "core"] if first is self.ue else ["core", "access"]
        other.got = self.request("offer", first, direction=ways, **keys)

    def answer(self, sender=None):
        second = sender or self.parties()[1]
        other = self.core if second is self.ue else self.ue
        other.got = self.request("answer", second)

    def set_up(self):
        self.offer()
        self.answer()
        for party in (self.ue, self.core):
            party.make_endpoint()

    def listen(self):
        for party in (self.ue, self.core):
            if not party.is_active():
                party.endpoint.listen(party.host, listener=party.listener)

    def connect(self, only=None):
        """Whoever has to listen does, then whoever has to connect does, and the session is bound at both ends.

        @only: the one party that sends first, where both could."""
        self.listen()
        for party in (self.core, self.ue):
            if party.is_active():
                party.endpoint.connect(*party.target(), source=(party.host, 0),
                                       empty_send=only in (None, party))
        for party in (self.ue, self.core):
            party.endpoint.wait_bound()

    def faults(self):
        """Everything that either end had to complain about."""
        return [complaint for party in (self.ue, self.core)
                for complaint in party.endpoint.faults + party.endpoint.refusals]

    def close(self):
        """The UE ends it; both must see an orderly end."""
        ends = (self.ue.endpoint, self.core.endpoint)
        ends[0].close()
        assert [end.wait_ended() for end in ends] == ["clean", "clean"], [end.bound.ended for end in ends]
        ends[1].close()

    def delete(self):
        reply = self.e2ae.client.request(command="delete", call_id=self.name, delete_delay="0")
        assert reply.get("result") == "ok", reply
        for party in (self.ue, self.core):
            if party.endpoint:
                party.endpoint.close()
            party.listener.close()
