# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's Kamailio with a stock rtpengine script, driven over real SIP."""
import glob
import os
import re
import socket

import procs

_TEMPLATES = os.path.join(procs.SOURCE_DIR, "t", "integration", "kamailio")
TEMPLATE = os.path.join(_TEMPLATES, "p-cscf.cfg.in")
_OPTIONS = ("OPTIONS sip:ping@{ip}:{port} SIP/2.0\r\n"
            "Via: SIP/2.0/UDP {own_ip}:{own_port};branch=z9hG4bKready{number}\r\n"
            "From: <sip:test@{own_ip}>;tag=ready\r\nTo: <sip:ping@{ip}:{port}>\r\n"
            "Call-ID: ready-{number}@{own_ip}\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n")


def _argv(name, template, **values):
    """The command line of a Kamailio with a configuration made from @template."""
    modules = glob.glob("/usr/lib/*/kamailio/modules")
    if not modules:
        raise procs.Failure("no Kamailio modules")
    values["MODULES"] = modules[0] + "/"
    with open(template, encoding="utf-8") as text:
        config = re.sub(r"@([A-Z_]+)@", lambda match: str(values[match.group(1)]), text.read())
    run = procs.path_of(f"{name}-run")
    os.makedirs(run, exist_ok=True)
    return ["kamailio", "-f", procs.write_file(f"{name}.cfg", config), "-DD", "-E", "-m", "32", "-M", "4", "-Y", run,
            "-w", run]


class Proxy(procs.Server):
    """A Kamailio with a UDP socket at @address."""

    def __init__(self, name, argv, address):
        self.address = address
        super().__init__(name, argv)
        self.number = 0
        self.wait_ready(self.answers, timeout=30)

    def answers(self):
        """Whether an OPTIONS gets its 200."""
        self.number += 1
        own_host = "::1" if ":" in self.address[0] else procs.address(6)
        with socket.socket(procs.family(own_host), socket.SOCK_DGRAM) as sock:
            sock.bind((own_host, 0))
            own = sock.getsockname()
            sock.settimeout(0.2)
            request = _OPTIONS.format(ip=procs.bracketed(self.address[0]), port=self.address[1],
                                      own_ip=procs.bracketed(own[0]), own_port=own[1], number=self.number)
            try:
                sock.sendto(request.encode(), self.address)
                return sock.recv(4096).startswith(b"SIP/2.0 200")
            except OSError:
                return False


class Kamailio(Proxy):
    """A proxy whose rtpengine_sock is @ng_address; initial INVITEs go to @next_hop ("ADDRESS:PORT"). @hosts: its addresses,
    if not the usual one; callers have the first, and all have the same port."""

    def __init__(self, ng_address, next_hop, offer, answer, delete="", template=TEMPLATE, hosts=()):
        hosts = hosts or (procs.address(3),)
        address = (hosts[0], procs.free_port(hosts[0], socket.SOCK_DGRAM))
        super().__init__("kamailio", _argv(
            "kamailio", template, LISTEN="\n".join(f"listen=udp:{procs.place(host, address[1])}" for host in hosts),
            NG_SOCKET=f"udp{6 if ':' in ng_address[0] else ''}:{procs.place(*ng_address)}", NEXT_HOP=next_hop,
            OFFER_FLAGS=offer, ANSWER_FLAGS=answer, DELETE_FLAGS=delete), address)


class Core(Proxy):
    """What is behind a P-CSCF: a registrar that asks for the password "secret", and a proxy that forks."""

    def __init__(self, host):
        address = (host, procs.free_port(host, socket.SOCK_DGRAM))
        super().__init__("core", _argv("core", os.path.join(_TEMPLATES, "core.cfg.in"),
                                       ADDRESS=procs.bracketed(host), PORT=address[1]), address)

    def registrations(self):
        """The REGISTER requests that came, oldest first."""
        return [part.partition("\nEND OF MESSAGE")[0] for part in self.log().split("BEGIN OF MESSAGE\n")[1:]]


class MsrpPeer(procs.Server):
    """Kamailio's msrp module as the passive end of one session, by plain TCP."""

    def __init__(self, host, session):
        self.address = (host, procs.free_port(host))
        self.uri = f"msrp://{host}:{self.address[1]}/{session};tcp"
        super().__init__("kamailio-msrp", _argv(
            "kamailio-msrp", os.path.join(_TEMPLATES, "msrp.cfg.in"), ADDRESS=host, PORT=self.address[1],
            SESSION=session))
        self.wait_ready(self.listens, timeout=30)

    def listens(self):
        with socket.socket() as sock:
            return sock.connect_ex(self.address) == 0

    def frames(self):
        """[(method, transaction id, To-Path, From-Path, body size)] of the requests that came."""
        return [tuple(line.partition("FRAME ")[2].split(" ")) for line in self.log().splitlines() if "FRAME " in line]
