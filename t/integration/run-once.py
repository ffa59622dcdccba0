# SPDX-License-Identifier: GPL-3.0-or-later
"""What ./dev run --once shows: the same program, run as it is there."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import certs
import procs
import tap

DEMO = os.path.join(procs.SOURCE_DIR, "t", "lib", "demo.py")

with tap.need("the demonstration runs and ends with status 0"):
    demo = procs.Server("demo", [sys.executable, DEMO, "--once"])
    assert demo.wait(60) == 0, demo.log()
text = demo.log()
for pattern, what in (
        (r"m=message 2855 TCP/TLS/MSRP \*\s+m=message \d+ TCP/MSRP \*", "the offer on both sides"),
        (r"m=message \d+ TCP/MSRP \*\s+m=message \d+ TCP/TLS/MSRP \*", "the answer on both sides"),
        (r"^  TLSv1\.[23]  \S+$", "TLS version and cipher"),
        (r"gateway's certificate: sha-256 (\w\w:){31}\w\w$", "the gateway's fingerprint"),
        (r"as signalled: +yes$", "that it is the signalled one"),
        (re.escape(certs.Pair("ue-ecdsa").fingerprint()), "the UE's fingerprint"),
        (r"\d{7} bytes from the UE to the core, \d{7} bytes back, SHA-256 equal", "the bytes relayed"),
        (r"RTP of the same call both ways", "the audio"),
        (r"every port free", "the end of the call")):
    tap.ok(re.search(pattern, text, re.M), f"it shows {what}", text)
tap.finish()
