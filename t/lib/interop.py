# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs and stacks of others a test has run with, in what part, and how that went: lines in its log that
t/interop-table.py makes the table of docs/interop.md from.

    interop.whole("Kamailio", "P-CSCF of examples/kamailio, with sipp as UE and core")    # all checks of this test file
    with interop.part("GnuTLS", "UE, MSRP, TLS 1.3, client"): ...                         # counted each time
"""
import collections
import contextlib
import subprocess

import tap

# Name and the Debian package whose version counts.
STACKS = {"GnuTLS": "libgnutls30", "Mbed TLS": "libmbedtls14", "wolfSSL": "libwolfssl35", "OpenSSL": "libssl3",
          "Kamailio": "kamailio", "rtpengine": "rtpengine-daemon", "SIPp": "sip-tester", "Redis": "redis-server",
          "Redis Sentinel": "redis-sentinel", "keepalived": "keepalived", "Wireshark": "tshark", "SpanDSP": "libspandsp2",
          "Prometheus": "prometheus"}
PEERS = {"gnutls": "GnuTLS", "mbedtls": "Mbed TLS", "wolfssl": "wolfSSL", "openssl": "OpenSSL"}  # of t/peers
_tried, _passed = collections.Counter(), collections.Counter()
_whole = []


def version(stack):
    done = subprocess.run(["dpkg-query", "-W", "-f=${Version}", STACKS[stack]], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def whole(stack, what):
    _whole.append((stack, what))


@contextlib.contextmanager
def part(stack, what):
    _tried[stack, what] += 1
    yield
    _passed[stack, what] += 1


def _report():
    passed, total = tap.counts()
    rows = [(*key, _passed[key], _tried[key]) for key in _tried] + [(*key, passed, total) for key in _whole]
    for stack, what, good, count in rows:
        tap.note(f"interop: {stack} | {version(stack)} | {what} | {good} of {count} ok")


tap.on_finish(_report)  # before all others, hence called after them
