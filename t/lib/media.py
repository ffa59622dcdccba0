# SPDX-License-Identifier: GPL-3.0-or-later
"""The three protected media as UE and core write them: m= sections, whole descriptions, and data that suits them."""
import collections
import os
import random

import peers
import procs
import sdp

Medium = collections.namedtuple("Medium", "name kind secure plain format lines")

MSRP = Medium("msrp", "message", "TCP/TLS/MSRP", "TCP/MSRP", "*",
              ["a=accept-types:message/cpim text/plain", "a=msrp-cema"])
BFCP = Medium("bfcp", "application", "TCP/TLS/BFCP", "TCP/BFCP", "*",
              ["a=floorctrl:c-s", "a=confid:4321", "a=userid:1234", "a=floorid:1 mstrm:10"])
T38 = Medium("t38", "image", "UDP/TLS/UDPTL", "udptl", "t38",
             ["a=T38FaxVersion:0", "a=T38MaxBitRate:14400", "a=T38FaxRateManagement:transferredTCF",
              "a=T38FaxMaxBuffer:1800", "a=T38FaxMaxDatagram:150", "a=T38FaxUdpEC:t38UDPRedundancy"])
ALL = (MSRP, BFCP, T38)


def ip(host):
    return ("IP6 " if ":" in host else "IP4 ") + host


def _path(secure, host, port, session):
    return f"a=path:{'msrps' if secure else 'msrp'}://{procs.place(host, port)}/{session};tcp"


def section(medium, host, port, secure, setup=None, fingerprints=(), indication=False, session="s3Ae9",
            connection="new", extra=()):
    """One m= section; @fingerprints as texts "HASH HEX:HEX". setup=None leaves a=setup out, connection (BFCP) likewise."""
    lines = [f"m={medium.kind} {port} {medium.secure if secure else medium.plain} {medium.format}",
             f"c=IN {ip(host)}"]
    lines += medium.lines
    if medium is MSRP:
        lines.append(_path(secure, host, 2855 if port in (0, 9) else port, session))
    if setup:
        lines.append(f"a=setup:{setup}")
    if medium is BFCP and connection:
        lines.append(f"a=connection:{connection}")
    lines += [f"a=fingerprint:{fingerprint}" for fingerprint in fingerprints]
    if indication:
        lines.append("a=3ge2ae:requested")
    return lines + list(extra)


def description(host, *sections, version=1):
    """A whole SDP of @host; each section is a list of lines."""
    return sdp.lines("v=0", f"o=- 20518 {version} IN {ip(host)}", "s=-", f"c=IN {ip(host)}", "t=0 0",
                     *[line for lines in sections for line in lines])


def bfcp_messages(size, seed):
    """@size bytes of well-formed BFCP messages of many lengths (RFC 8855 section 5.1); size is a multiple of 4."""
    source = random.Random(seed)
    out = bytearray()
    while size - len(out) >= 12:
        words = min((size - len(out) - 12) // 4, source.choice((0, 1, 7, 100, 1000, 3000)))
        if 0 < size - len(out) - 12 - 4 * words < 12:
            words = (size - len(out) - 12) // 4
        out += bytes((0x20, source.randrange(1, 19))) + words.to_bytes(2, "big") + source.randbytes(8 + 4 * words)
    assert len(out) == size, "sizes from 12, multiples of 4"
    return bytes(out)


def stream_data(medium, size, seed):
    return bfcp_messages(size, seed) if medium is BFCP else peers.payload(size, seed)


def fax(count, seed, largest=600):
    """@count different UDPTL-like datagrams: a 16-bit sequence number, then anything, of many lengths."""
    source = random.Random(seed)
    return [number.to_bytes(2, "big") + source.randbytes(source.choice((1, 2, 17, 60, 150, largest - 2)))
            for number in range(count)]


def framed(datagrams):
    """Datagrams in a file of the test peers (--datagrams)."""
    return b"".join(len(datagram).to_bytes(2, "big") + datagram for datagram in datagrams)


def unframed(path):
    """What a test peer wrote with --datagrams --out."""
    with open(path, "rb") as out:
        data = out.read()
    datagrams, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at:at + 2], "big")
        datagrams.append(data[at + 2:at + 2 + size])
        assert len(datagrams[-1]) == size, f"{os.path.basename(path)} ends within a datagram"
        at += 2 + size
    return datagrams
