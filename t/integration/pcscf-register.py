# SPDX-License-Identifier: GPL-3.0-or-later
"""Registration through the example P-CSCF, message by message: sipp as UE, Kamailio as registrar."""
import os
import socket
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import interop
import kamailio
import pcscf
import procs
import sipua
import tap

interop.whole("Kamailio", "P-CSCF: registration (examples/kamailio)")

ALL = ",".join(pcscf.MEDIA)
SERVER = [f"{name};mediasec" for name in pcscf.MEDIA]
VERIFY = [f"Security-Verify: {entry}" for entry in SERVER]
SECURITY = ("Security-Client", "Security-Verify", "Security-Server")
_names = (f"open{number}" for number in range(1000))

with tap.need("the servers start"):
    core = kamailio.Core(pcscf.CORE_HOST)
    proxy = pcscf.Pcscf(core.address)


def agent(user=None, **options):
    return sipua.Agent(user or next(_names), pcscf.UE_HOST, proxy.address, **options)


def source(ue):
    return f"sip:{ue.host}:{ue.port}"


def remembered(ue, by_source=False, at=proxy, contact_user=None):
    """The media that the proxy remembers for the contact of @ue."""
    user = "" if by_source else contact_user or ue.contact_user
    return at.remembered(f"{user};{source(ue)}", ue.aor)


def once(ue, client=(), status=200, **options):
    """A registration that the registrar takes at once; returns (what the registrar got, what the UE got)."""
    got = pcscf.register(ue, [ue.register(1, client, **options), sipua.recv(status)])
    return core.registrations()[-1], got[-1]


# 1. With a password: 401, then 200.
alice = agent("alice")
with tap.need("a UE with all media registers"):
    client = ["Require: sec-agree, mediasec", "Proxy-Require: mediasec,sec-agree", "Supported: path, sec-agree",
              *pcscf.indicated()]
    challenge, accepted = pcscf.register(alice, pcscf.authenticated(alice, client, VERIFY))
    first, second = core.registrations()[-2:]
with tap.check("SIG-04: the 401 and the 200 list what the network supports in Security-Server"):
    assert challenge.startswith("SIP/2.0 401 ") and accepted.startswith("SIP/2.0 200 "), challenge + accepted
    assert pcscf.headers(challenge, "Security-Server") == SERVER, challenge
    assert pcscf.headers(accepted, "Security-Server") == SERVER, accepted
    for message in (challenge, accepted):
        assert not pcscf.headers(message, "Security-Client") and not pcscf.headers(message, "Security-Verify"), message
with tap.check("SIG-06: neither REGISTER has anything of it at the registrar, and other options stay"):
    for message in (first, second):
        assert not any(pcscf.headers(message, name) for name in SECURITY), message
        assert not pcscf.headers(message, "Proxy-Require"), message
        assert pcscf.headers(message, "Require") == ["path"], message
        assert pcscf.headers(message, "Supported") == ["path, sec-agree"], message
with tap.check("both have Path: the core's side of the proxy first, with where the UE is"):
    for message in (first, second):
        paths = pcscf.headers(message, "Path")
        sides = ["%s:%d" % address for address in (proxy.core_address, proxy.address)]
        assert paths == [f"<sip:{side};lr;received={source(alice)};r2=on>" for side in sides], message
with tap.check("SIG-02 SIG-07: the proxy remembers the media of the contact, and of its source"):
    assert (remembered(alice), remembered(alice, True)) == (ALL, ALL), proxy.rpc("htable.dump", "mediasec")
with tap.check("SIG-08: a Security-Verify that is the list of the network is no reason for a warning"):
    assert not any("Security-Verify" in line for line in proxy.warnings()), proxy.warnings()

with tap.check("a UE has no say in where its requests go: its Path and Route do not reach the registrar"):
    request, _ = once(agent(), ["Path: <sip:192.0.2.66;lr>", "Route: <sip:192.0.2.66;lr>"])
    assert len(pcscf.headers(request, "Path")) == 2 and "192.0.2.66" not in request, request

# 2. A UE without mediasec.
plain = agent("bob")
with tap.check("SIG-01: a UE without mediasec sees none, and the registrar sees its REGISTER as it was"):
    challenge, accepted = pcscf.register(plain, pcscf.authenticated(plain, ["Supported: gruu", "Require: timer"]))
    for message in (challenge, accepted, *core.registrations()[-2:]):
        assert not any(pcscf.headers(message, name) for name in SECURITY), message
    assert pcscf.headers(core.registrations()[-1], "Require") == ["timer", "path"], core.registrations()[-1]
    assert pcscf.headers(core.registrations()[-1], "Supported") == ["gruu"], core.registrations()[-1]
    assert remembered(plain) is None and remembered(plain, True) is None
with tap.check("SIG-05: entries for signalling alone are not media, and get no answer from here"):
    ue = agent()
    request, reply = once(ue, ["Security-Client: ipsec-3gpp;alg=hmac-sha-1-96;spi-c=1;spi-s=2;port-c=3;port-s=4, tls;q=0.2"])
    assert not any(pcscf.headers(message, name) for message in (request, reply) for name in SECURITY), request + reply
    assert remembered(ue) is None

# 3. What UEs write, and what is understood.
FORMS = (
    ("one header with commas", ["msrp-tls;mediasec, bfcp-tls;mediasec,udptl-dtls;mediasec"], ALL),
    ("one medium in each header, in another order", ["udptl-dtls;mediasec", "msrp-tls;mediasec"], "msrp-tls,udptl-dtls"),
    ("commas and several headers", ["tls, bfcp-tls;mediasec", "sdes-srtp;mediasec,msrp-tls;mediasec"], "msrp-tls,bfcp-tls"),
    ("capitals", ["MSRP-TLS;MediaSec, Bfcp-Tls;MEDIASEC"], "msrp-tls,bfcp-tls"),
    ("q before and behind", ["msrp-tls;q=0.1;mediasec", "bfcp-tls;mediasec;q=0.9"], "msrp-tls,bfcp-tls"),
    ("blanks", ["msrp-tls ; mediasec ,  bfcp-tls; q=0.5 ;mediasec"], "msrp-tls,bfcp-tls"),
    ("beside ipsec-3gpp", ["ipsec-3gpp; alg=hmac-md5-96; ealg=null; prot=esp; spi-c=7; port-c=5064",
                           "udptl-dtls;mediasec"], "udptl-dtls"),
    ("unknown media", ["dtls-srtp;mediasec, zrtp;mediasec;x=y, msrp-tls;mediasec"], "msrp-tls"),
    ("twice the same", ["msrp-tls;mediasec", "msrp-tls;mediasec"], "msrp-tls"),
    ("an entry without mediasec", ["msrp-tls, bfcp-tls;mediasec"], "bfcp-tls"),
    ("names that only contain one of ours", ["x-msrp-tls;mediasec, bfcp-tlsx;mediasec, udptl-dtls;mediasecure"], None),
    ("quoted text", ['zrtp;x=",msrp-tls;mediasec,";mediasec'], None),
)
for what, values, media in FORMS:
    with tap.check(f"SIG-03: {what}"):
        ue = agent()
        request, reply = once(ue, [f"Security-Client: {value}" for value in values])
        assert remembered(ue) == media, f"{values}: {remembered(ue)}"
        assert pcscf.headers(reply, "Security-Server") == SERVER, reply
        assert not any(pcscf.headers(request, name) for name in SECURITY), request
with tap.check("SIG-06: a UE that only has the option tag sees the list"):
    ue = agent()
    request, reply = once(ue, ["Require: mediasec", "Proxy-Require: mediasec"])
    assert pcscf.headers(reply, "Security-Server") == SERVER and remembered(ue) is None, reply

with tap.check("SIG-06: options between the two, in capitals and in several headers, stay as they were"):
    ue = agent()
    request, reply = once(ue, ["Require: Mediasec , timer,SEC-AGREE", "Require: replaces, x-mediasec,mediasec"])
    assert pcscf.headers(request, "Require") == ["timer, replaces, x-mediasec", "path"], request

# 4. Security-Verify.
for what, verify in (("less than the list", VERIFY[:1]), ("an empty list", ["Security-Verify: tls"])):
    with tap.check(f"SIG-08: {what} in Security-Verify is logged, and the UE is registered with its media"):
        ue = agent()
        once(ue, [*pcscf.indicated(), *verify])
        assert remembered(ue) == ALL
        assert any("Security-Verify" in line and ue.aor in line for line in proxy.warnings()), proxy.log()
with tap.check("SIG-08: other order, case and unknown entries in Security-Verify are no difference"):
    ue = agent()
    once(ue, [*pcscf.indicated(), "Security-Verify: UDPTL-DTLS;mediasec, tls;q=0.2, x;mediasec, bfcp-tls;mediasec",
              "Security-Verify: msrp-tls;mediasec"])
    assert remembered(ue) == ALL
    assert not any("Security-Verify" in line and ue.aor in line for line in proxy.warnings()), proxy.warnings()

# 5. The end of it.
with tap.check("SIG-07: a registration that is refused changes nothing"):
    ue = agent("carol")
    steps = [ue.register(1, pcscf.indicated()), sipua.recv(401)]
    pcscf.register(ue, steps)
    assert remembered(ue) is None
with tap.check("SIG-07: a later REGISTER says what counts: less media, then none"):
    ue = agent()
    once(ue, pcscf.indicated())
    once(ue, pcscf.indicated(["bfcp-tls"]))
    assert (remembered(ue), remembered(ue, True)) == ("bfcp-tls", "bfcp-tls")
    once(ue)
    assert (remembered(ue), remembered(ue, True)) == (None, None)
for what, options in (("Expires: 0", {"expires": 0}), ("Contact: *", {"contact": "*", "expires": 0})):
    with tap.check(f"SIG-07: de-registration with {what} drops it"):
        ue = agent()
        once(ue, pcscf.indicated())
        assert remembered(ue) == ALL
        once(ue, pcscf.indicated(), **options)
        assert (remembered(ue), remembered(ue, True)) == (None, None), proxy.rpc("htable.dump", "mediasec")
with tap.check("SIG-07: expires=0 as a parameter of one of two contacts drops that one"):
    ue = agent()
    other = f"<sip:other@{ue.host}:{ue.port};expires=77>"
    once(ue, pcscf.indicated(), contact=f'"A, B" {ue.contact};q=0.5, {other};expires=1000')
    assert remembered(ue) == remembered(ue, contact_user="other") == ALL, proxy.rpc("htable.dump", "mediasec")
    once(ue, pcscf.indicated(), contact=f"{ue.contact};expires=0")
    assert (remembered(ue), remembered(ue, contact_user="other")) == (None, ALL), proxy.rpc("htable.dump", "mediasec")
with tap.check("SIG-07: Contact: * of one phone drops every phone of that user, and nobody else's"):
    ue, second_ue, neighbour = agent("open-x"), agent("open-x"), agent("open-xy")
    for one in (ue, second_ue, neighbour):
        once(one, pcscf.indicated(["msrp-tls"]))
    once(ue, contact="*", expires=0)
    assert [remembered(one) for one in (ue, second_ue, neighbour)] == [None, None, "msrp-tls"]
with tap.check("SIG-07: the lifetime is what the registrar gave, and then it is over"):
    ue = agent()
    once(ue, pcscf.indicated(), contact=f"{ue.contact};expires=2")
    assert remembered(ue) == ALL
    procs.wait_until(lambda: remembered(ue) is None and remembered(ue, True) is None, "the end of the entry", 10)

# 6. A second proxy.
with tap.need("two proxies with DMQ start"):
    ports = [procs.free_port(procs.address(host), socket.SOCK_DGRAM) for host in (20, 21)]

    def start(number):
        own, peer = procs.address(20 + number), procs.address(21 - number)
        return pcscf.Pcscf(core.address, name=f"pcscf-{number}", hosts=(22 + 2 * number, 23 + 2 * number), settings={
            "WITH_DMQ": None, "DMQ_SOCKET": f"udp:{own}:{ports[number]}", "DMQ_IP": f'"{own}"',
            "DMQ_ADDRESS": f'"sip:{own}:{ports[number]}"', "DMQ_PEER": f'"sip:{peer}:{ports[1 - number]}"', "DMQ_PING": "1"})
    pair = [start(0), start(1)]
    for one, port in zip(pair, reversed(ports)):
        procs.wait_until(lambda: f"port: {port}" in one.rpc("dmq.list_nodes"), f"the other node in {one.rpc('dmq.list_nodes')}")
with tap.check("SIG-07: what one proxy remembers, the other knows, and forgets with it"):
    ue = sipua.Agent("open-dmq", pcscf.UE_HOST, pair[0].address)
    once(ue, pcscf.indicated())
    procs.wait_until(lambda: remembered(ue, at=pair[1]) == remembered(ue, True, pair[1]) == ALL, "the entry at the other proxy")
    once(ue, expires=0)
    procs.wait_until(lambda: remembered(ue, at=pair[1]) is None, "no entry at the other proxy")
with tap.check("SIG-07: the lifetime goes with it"):
    once(ue, pcscf.indicated(), expires=2)
    procs.wait_until(lambda: remembered(ue, at=pair[1]) == ALL, "the entry at the other proxy")
    procs.wait_until(lambda: remembered(ue, at=pair[1]) is None, "the end of it", 10)
with tap.check("SIG-07: a proxy that starts again learns what the other one remembers"):
    once(ue, pcscf.indicated(["msrp-tls"]))
    procs.wait_until(lambda: remembered(ue, at=pair[1]) == "msrp-tls", "the entry at the other proxy")
    assert pair[1].stop() == 0
    pair[1] = start(1)
    procs.wait_until(lambda: remembered(ue, at=pair[1]) == "msrp-tls", "the entry at the proxy that starts again", 60)

for one in (proxy, *pair):
    with tap.check(f"{one.name} has no errors in its log"):
        assert not one.errors(), one.errors()

tap.finish()
