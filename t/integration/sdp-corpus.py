# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole SDP bodies through the program and a real rtpengine: our fixtures and, where it exists beside the source, a
folder of bodies from the field (shared/sdp). Each is offered by the UE and by the core, and sent back as the answer.

A body is understood, or refused for what rtpengine refuses it too; no m-line is lost or moved, and nobody edits what
need not be edited."""
import glob
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import plugin
import procs
import rtpengine
import tap

FOLDERS = (os.path.join(procs.SOURCE_DIR, "t", "fixtures", "sdp"),
           os.path.join(os.path.dirname(procs.SOURCE_DIR), "shared", "sdp"))
MIN_FIXTURES = 20
WAYS = {"from the UE": {"e2ae": "originating", "direction": ["access", "core"]},
        "from the UE, nothing required": {"e2ae": "originating", "e2ae-require": "none", "e2ae-hash": "sha-1",
                                          "direction": ["access", "core"]},
        "from the core": {"e2ae": "terminating", "direction": ["core", "access"]},
        "from the core, secure core": {"e2ae": "terminating", "e2ae-core": "tls", "e2ae-hash": "sha-1",
                                       "direction": ["core", "access"]}}
TREATMENTS = {"e2ae", "anchor", "pass", "reject"}
SECURE = {"TCP/TLS/MSRP", "TCP/TLS/BFCP", "UDP/TLS/UDPTL"}
PLAIN = {"TCP/MSRP", "TCP/BFCP", "UDPTL"}
# What a protected section may have changed, lost or gained.
EDITED = re.compile(r"c=|a=(setup|connection|fingerprint|tls-id|3ge2ae|path|mid)(:|$)")
# Of an m-line that passes, and of the session part; addresses are compared as they count for each m-line.
PASS_EDITED = re.compile(r"c=|a=3ge2ae(:|$)")
SESSION_EDITED = re.compile(r"c=|a=(setup|connection|fingerprint|3ge2ae|group)(:|$)")
OURS = [f"c=IN IP4 {procs.address(number)}" for number in (1, 2)]


def sections(text):
    """The session part and each m-line's part as lists of lines, whatever the line ends."""
    parts = [[]]
    for line in re.split(r"\r?\n", text):
        if line.startswith("m="):
            parts.append([])
        if line.strip():
            parts[-1].append(line)
    return parts


def words(section):
    return section[0][2:].split()


def without(pattern, lines):
    return [line for line in lines if not pattern.match(line)]


def connection(parts, index):
    """The c= that counts for m-line @index, from 1."""
    found = [line for part in (parts[index], parts[0]) for line in part if line.startswith("c=")]
    return found[0] if found else None


def check_line(entry, before, after, index):
    """One m-line of the reply against that of the request, by what the reply says of it."""
    sent, got = before[index], after[index]
    treatment = entry["treatment"]
    assert words(got)[:1] == words(sent)[:1] and entry["media"] == words(sent)[0], f"{got[0]} for {sent[0]}"
    if treatment == "anchor":
        return
    assert words(got)[3:] == words(sent)[3:], f"{got[0]} for {sent[0]}"
    if treatment == "pass":
        assert without(PASS_EDITED, got) == without(PASS_EDITED, sent), f"{got} for {sent}"
        assert connection(after, index) == connection(before, index), f"{after} for {before}"
    elif treatment == "reject":
        assert words(got)[1] == "0" and (entry.get("reason") or words(sent)[1] == "0"), f"{entry}: {got[0]}"
    else:
        assert treatment == "e2ae", entry
        assert words(got)[2].upper() in SECURE | PLAIN and words(got)[1] != "0", got[0]
        assert connection(after, index) in OURS, f"{after}"
        assert without(EDITED, got[1:]) == without(EDITED, sent[1:]), f"{got} for {sent}"


def check_reply(reply, text):
    sent, got = sections(text), sections(reply["sdp"])
    assert len(got) == len(sent), f"{len(got) - 1} m-lines for {len(sent) - 1}:\n{reply['sdp']}"
    entries = reply["e2ae"]["streams"]
    assert [int(entry["index"]) for entry in entries] == list(range(1, len(sent))), entries
    for index, entry in enumerate(entries, 1):
        check_line(entry, sent, got, index)
    if not any(entry["treatment"] == "anchor" for entry in entries):
        assert without(SESSION_EDITED, got[0]) == without(SESSION_EDITED, sent[0]), f"{got[0]} for {sent[0]}"


def exchange(call_id, text, keys):
    """The body as an offer, and as the answer to itself. An error is one that rtpengine alone has as well."""
    offer = dict(keys, command="offer", sdp=text, **{"call-id": call_id, "from-tag": "a"})
    reply = e2ae.client.request(offer)
    if reply["result"] != "ok":
        bare = upstream.client.request({key: value for key, value in offer.items() if not key.startswith("e2ae")},
                                       call_id=f"{call_id}-bare")
        assert (reply["result"], reply["error-reason"]) == ("error", bare.get("error-reason")), f"{reply}, {bare}"
        return
    check_reply(reply, text)
    seen.update(entry["treatment"] for entry in reply["e2ae"]["streams"])
    reply = e2ae.client.request({"command": "answer", "sdp": text, "call-id": call_id, "from-tag": "a", "to-tag": "b"})
    assert reply["result"] == "ok" and len(sections(reply["sdp"])) == len(sections(text)), reply


def freed():
    return not e2ae.sockets() and not upstream.calls()


seen = set()
bodies = [sorted(glob.glob(os.path.join(folder, "*.sdp"))) for folder in FOLDERS]
with tap.need("the servers start"):
    upstream = rtpengine.Rtpengine()
    e2ae = plugin.Plugin(upstream.ng_address)
tap.ok(len(bodies[0]) >= MIN_FIXTURES, "the fixtures are there", f"{len(bodies[0])} in {FOLDERS[0]}")

for path in bodies[0] + bodies[1]:
    name = os.path.basename(path)
    with open(path, "rb") as body:
        content = body.read().decode("utf-8", "surrogateescape")
    for number, (way, keys) in enumerate(WAYS.items()):
        with tap.check(f"{name} {way}"):
            call_id = f"{name}-{number}"
            try:
                exchange(call_id, content, keys)
            finally:
                e2ae.request(command="delete", call_id=call_id, from_tag="a", delete_delay="0")
tap.equal(seen, TREATMENTS, "the bodies make use of every treatment")
with tap.check("every port and every call is free again"):
    procs.wait_until(freed, f"nothing left, there are {e2ae.sockets()} and {upstream.calls()}")

tap.finish()
