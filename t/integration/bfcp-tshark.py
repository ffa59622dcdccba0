# SPDX-License-Identifier: GPL-3.0-or-later
"""A conversation about floors in BFCP, the UE in TLS: Wireshark's dissector reads it on the core's side, and on the
UE's side there is nothing to read."""
import os
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import bfcp
import calls
import certs
import interop
import media
import plugin
import procs
import talk
import tap
import tshark

interop.whole("Wireshark", "BFCP dissector on the core side")

UE, CORE = procs.address(10), procs.address(9)
CONFERENCE, USER, REQUEST = 4321, 1234, 77
FLOORS = 10, 11
REASON, DISPLAY = b"I have an objection to the third clause", b"The chair is thinking about it"
ue_cert = certs.Pair("ue-ecdsa")
CLIENT = media.BFCP._replace(lines=["a=floorctrl:c-only", f"a=confid:{CONFERENCE}", f"a=userid:{USER}"])
SERVER = media.BFCP._replace(lines=["a=floorctrl:s-only", f"a=confid:{CONFERENCE}", f"a=userid:{USER}",
                                    f"a=floorid:{FLOORS[0]} mstrm:10", f"a=floorid:{FLOORS[1]} mstrm:11"])

with tap.need("the program starts"):
    e2ae = plugin.Plugin(None)


class Side:
    """One end of the conversation, with every message that it sent."""

    def __init__(self, connection):
        self.connection = connection
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = bfcp.Reader()
        self.sent = []

    def send(self, *messages, piece=None):
        """Everything in one write, or in writes of @piece bytes."""
        self.sent += messages
        data = b"".join(message.encode() for message in messages)
        for at in range(0, len(data), piece or len(data)):
            self.connection.send(data[at:at + (piece or len(data))])

    def receive(self, message):
        """The next message has to be this one, byte for byte."""
        got = self.reader.next()
        while got is None:
            self.reader.feed(self.connection.read())
            got = self.reader.next()
        assert got.encode() == message.encode(), f"got {got}\nwant {message}"


def message(primitive, transaction, *attributes):
    return bfcp.Message(primitive, CONFERENCE, transaction, USER, b"".join(attributes))


def converse(client, server):
    """Hello, a request that is granted, its release: cut up in writes, or together in one."""
    def say(sender, receiver, *messages, piece=None):
        sender.send(*messages, piece=piece)
        for one in messages:
            receiver.receive(one)

    def status(transaction, name, primitive="FloorRequestStatus", lead=b"", **options):
        return message(primitive, transaction, lead, bfcp.request_status(REQUEST, name, *FLOORS, **options))

    say(client, server, message("Hello", 1))
    say(server, client, message("HelloAck", 1, bfcp.supported()))
    wish = message("FloorRequest", 2, bfcp.floor_ids(*FLOORS), bfcp.attribute(bfcp.PRIORITY, 0x4000),
                   bfcp.attribute(bfcp.PARTICIPANT_INFO, REASON))
    say(client, server, wish, piece=5)
    say(server, client, status(2, "Pending", position=1), piece=7)
    say(client, server, message("FloorQuery", 3, bfcp.floor_ids(FLOORS[0])),
        message("FloorRequestQuery", 4, bfcp.attribute(bfcp.FLOOR_REQUEST_ID, REQUEST)))
    say(server, client, status(3, "Accepted", "FloorStatus", bfcp.floor_ids(FLOORS[0]), info=DISPLAY),
        status(4, "Accepted"), status(0, "Granted"))
    # In pieces that have nothing to do with where the messages end.
    say(client, server, message("FloorRelease", 5, bfcp.attribute(bfcp.FLOOR_REQUEST_ID, REQUEST)), message("Hello", 6),
        piece=11)
    say(server, client, status(5, "Released"), message("HelloAck", 6, bfcp.supported()), piece=13)


def shown(messages):
    """What the dissector has to say of messages, as a reader sees it."""
    return [([f"Primitive: {one.primitive} ({bfcp.PRIMITIVES.index(one.primitive) + 1})"],
             [f"Conference ID: {one.conference}"], [f"Transaction ID: {one.transaction}"], [f"User ID: {one.user}"],
             [f"FLOOR-ID: {floor}" for floor in one.numbers(bfcp.FLOOR_ID, bfcp.FLOOR_REQUEST_STATUS)],
             [f"Request Status: {bfcp.STATUSES[contents[0] - 1]} ({contents[0]})"
              for kind, contents in one.attributes() if kind == bfcp.REQUEST_STATUS],
             [f"Text: {contents.decode()}" for kind, contents in one.attributes()
              if kind in (bfcp.PARTICIPANT_INFO, bfcp.STATUS_INFO)]) for one in messages]


def dissected(data):
    """The same, of the bytes of one direction, by the dissector."""
    reader, messages = bfcp.Reader(), []
    reader.feed(data)
    while (one := reader.next()):
        messages.append(one.encode())
    assert b"".join(messages) == data, f"{len(data)} bytes, not all of them messages"
    names = ("primitive", "conference_id", "transaction_id", "user_id", "floor_id", "request_status")
    texts = ("part_prov_info_text", "status_info_text")
    return [(*(fields.get(f"bfcp.{name}", []) for name in names),
             [text for name in texts for text in fields.get(f"bfcp.{name}", [])])
            for fields in tshark.frames(tshark.packed(messages, tshark.BFCP_PORT), tshark.BFCP_PORT, "tcp", "bfcp",
                                        "showname")]


def records(data):
    """[content type] of the TLS records that a stream is made of, and of nothing else."""
    kinds = []
    while data:
        assert data[1] == 3 and len(data) >= 5, f"no TLS record: {data[:20].hex()}"
        size = 5 + int.from_bytes(data[3:5], "big")
        assert len(data) >= size, f"a record of {size} bytes in {len(data)}"
        kinds.append(data[0])
        data = data[size:]
    return kinds


def set_up(side):
    """The call, connected: the ends of the UE and of the core, and what the UE was told."""
    call = calls.Signalling(e2ae, side, f"floors-{side}")
    listener = procs.tcp_listener(CORE)
    roles = (CLIENT, SERVER) if side == "originating" else (SERVER, CLIENT)
    ue = media.section(roles[0], UE, 9, True, "active", [ue_cert.fingerprint()], side == "originating")
    core = media.section(roles[1], CORE, listener.getsockname()[1], False, "passive")
    texts = {"ue": media.description(UE, ue), "core": media.description(CORE, core)}
    first, second = ("ue", "core") if side == "originating" else ("core", "ue")
    got = {second: call.offer(first, texts[first]), first: call.answer(second, texts[second])}
    assert got["ue"].media[0].proto == "TCP/TLS/BFCP" and got["core"].media[0].proto == "TCP/BFCP", str(got["core"])
    for name in ("floorctrl", "confid", "userid", "floorid"):
        for leg, sent in (("ue", core), ("core", ue)):
            want = [line.partition(":")[2] for line in sent if line.startswith(f"a={name}:")]
            assert got[leg].media[0].values(name) == want, str(got[leg])
    tls = talk.Tls.connect(got["ue"].endpoint(0), source=UE, cert=ue_cert)
    shows = certs.fingerprint_of(tls.fingerprint())
    assert ("sha-256", shows) == got["ue"].fingerprint(0), f"{shows}\n{got['ue']}"
    return call, Side(tls), Side(talk.Plain.accept(listener)), got["ue"].media[0].port, listener.getsockname()[1]


for side in ("originating", "terminating"):
    what = "the UE asks the core" if side == "originating" else "the core asks the UE"
    capture = tshark.Capture()
    with tap.need(f"BFC-09 BFC-02 {what}: Hello, FloorRequest, FloorRelease and what answers them cross unchanged"):
        call, ue, core, ue_port, core_port = set_up(side)
        converse(*((ue, core) if side == "originating" else (core, ue)))
        for end in (ue, core):
            end.connection.finish()
        assert (ue.connection.end(), core.connection.end()) == ("clean", "clean")
        call.delete()
        path = capture.finish()
    for way, sender, leg in (("from the UE", ue, "dst"), ("from the core", core, "src")):
        with tap.check(f"BFC-09 {what}: {way}: the dissector names primitives, transactions, user, conference, floors"):
            plain = tshark.stream(path, f"ip.{leg}=={CORE} && tcp.{leg}port=={core_port}")
            assert plain == b"".join(one.encode() for one in sender.sent), f"other bytes at the core: {plain.hex()}"
            assert dissected(plain) == shown(sender.sent), f"{dissected(plain)}\nwant {shown(sender.sent)}"
        with tap.check(f"BFC-09 CTLS-03 {what}: {way}: on the UE's side TLS records only, and nothing of it in clear"):
            other = "src" if leg == "dst" else "dst"
            secret = tshark.stream(path, f"ip.{other}=={UE} && tcp.{leg}port=={ue_port}")
            assert records(secret).count(23) >= len(sender.sent) // 3, records(secret)
            readable = [one for one in sender.sent if one.encode()[:8] in secret or one.encode()[4:12] in secret]
            assert not readable and REASON not in secret and DISPLAY not in secret, readable

tap.finish()
