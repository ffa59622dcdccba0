# SPDX-License-Identifier: GPL-3.0-or-later
"""The include table of the design, checked over the sources: layers, libraries, sockets, one unit test per source.

    5  plugin/main.c plugin/config.[ch]
    4  plugin/control/  plugin/cluster/  plugin/admin/
    3  plugin/session/  plugin/store/
    2  plugin/media/
    1  plugin/tls/  plugin/net/  plugin/sdp/  plugin/framing/  ng-protocol/  redis-schema/
    0  plugin/base/
"""
import glob
import os
import re
import sys

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "t", "lib"))
import tap

LAYERS = {"base": 0, "tls": 1, "net": 1, "sdp": 1, "framing": 1, "ng-protocol": 1, "redis-schema": 1, "media": 2,
          "session": 3, "store": 3, "control": 4, "cluster": 4, "admin": 4, "main": 5}
# Layers whose folders do not include each other.
SEPARATE_LAYERS = {1, 4}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
LIBRARY_HOMES = (
    (re.compile(r"^openssl/"), {"tls"}, ()),
    (re.compile(r"^hiredis"), {"store"}, ()),
    (re.compile(r"^microhttpd"), {"admin"}, ()),
    (re.compile(r"^(sys/socket\.h|netinet/|arpa/|netdb\.h|sys/un\.h|net/if\.h|ifaddrs\.h)"), {"net", "control"},
     ("plugin/base/addr.c", "plugin/base/addr.h")),
)
# Parsers and engines do no input/output and read no clock: no loop, no files, no time in them.
PURE = {"tls", "sdp", "framing", "ng-protocol", "redis-schema"}
IMPURE_HEADER = re.compile(r"^(uv\.h|poll\.h|sys/epoll\.h|sys/select\.h|sys/stat\.h|fcntl\.h|unistd\.h)")
IMPURE_CALL = re.compile(r"\b(g_get_monotonic_time|g_get_real_time|clock_gettime|gettimeofday|time\s*\(\s*NULL)\b")
# Making a certificate needs today's date; that is configuration, not the data path.
CLOCKED = ("plugin/tls/tls-identity.c",)


def sources():
    for pattern in ("plugin/*.[ch]", "plugin/*/*.[ch]", "ng-protocol/*.[ch]", "redis-schema/*.[ch]"):
        yield from sorted(os.path.relpath(path, TOP) for path in glob.glob(os.path.join(TOP, pattern)))


def folder_of(path):
    """The folder a project path belongs to, by its name in LAYERS; None for what is not ours."""
    words = path.split("/")
    if words[0] == "plugin":
        words = words[1:]
    if len(words) == 1:
        return "main"
    return words[0] if words[0] in LAYERS else None


def project_target(name, path):
    """The project file that an include names, or None: as -Iplugin -I. and the file's own folder resolve it."""
    for base in ("plugin", ".", os.path.dirname(path)):
        candidate = os.path.normpath(os.path.join(base, name))
        if os.path.exists(os.path.join(TOP, candidate)):
            return candidate
    return None


def faults_of(path, text):
    own = folder_of(path)
    if own is None:
        yield f"{path}: in a folder that the design does not know"
        return
    for _, name in INCLUDE.findall(text):
        target = project_target(name, path)
        other = folder_of(target) if target and name != "config.h" else None
        if other and other != own:
            if LAYERS[other] > LAYERS[own]:
                yield f"{path}: includes {name}, which is above it"
            elif LAYERS[other] == LAYERS[own] and LAYERS[own] in SEPARATE_LAYERS:
                yield f"{path}: includes {name}, its neighbour in layer {LAYERS[own]}"
        for pattern, homes, files in LIBRARY_HOMES:
            if not target and pattern.match(name) and own not in homes and path not in files:
                yield f"{path}: includes <{name}>, which belongs to {' and '.join(sorted(homes))}"
        if own in PURE and not target and IMPURE_HEADER.match(name):
            yield f"{path}: includes <{name}>, but a parser or engine does no input/output"
    if own in PURE and path not in CLOCKED:
        for call in IMPURE_CALL.findall(text):
            yield f"{path}: {call}, but a parser or engine reads no clock"


# A source has t/unit/test-<its name>.c, or says in a comment which file tests it: "Tested by t/...".
TESTED_BY = re.compile(r"Tested by (t/[\w./-]+\w)")


def test_of(path):
    """The test file of a source that exists, or None."""
    stem = os.path.splitext(os.path.basename(path))[0]
    for candidate in [f"t/unit/test-{stem}.c"] + TESTED_BY.findall(read(path)):
        if os.path.exists(os.path.join(TOP, candidate)):
            return candidate
    return None


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as source:
        return source.read()


def self_check():
    """The rules must be able to find something: each of these is a fault."""
    samples = (("plugin/sdp/x.c", '#include "tls/tls-stream.h"'), ("plugin/base/x.c", '#include "sdp/sdp-text.h"'),
               ("plugin/session/x.c", "#include <openssl/ssl.h>"), ("plugin/media/x.c", "#include <sys/socket.h>"),
               ("plugin/control/x.c", "#include <hiredis/hiredis.h>"), ("plugin/sdp/x.c", "#include <uv.h>"),
               ("plugin/sdp/x.c", "x = g_get_monotonic_time();"), ("plugin/other/x.c", ""))
    present = {"tls/tls-stream.h": "plugin/tls", "sdp/sdp-text.h": "plugin/sdp"}
    for path, text in samples:
        names = [name for _, name in INCLUDE.findall(text) if name in present]
        if all(project_target(name, path) for name in names):
            tap.ok(list(faults_of(path, text)), f"the check sees: {path} with {text or 'an unknown folder'}")


self_check()
files = list(sources())
tap.ok(files, "there are sources to check")
for path in files:
    found = list(faults_of(path, read(path)))
    tap.ok(not found, f"{path} keeps to the include table", *found)
for path in files:
    if path.endswith(".c"):
        stem = os.path.splitext(os.path.basename(path))[0]
        tap.ok(test_of(path), f"{path} has a test", f"neither t/unit/test-{stem}.c nor a comment 'Tested by t/...'")

makefile = read("Makefile.am")
for pattern in ("t/unit/test-*.c", "t/fuzz/fuzz-*.c", "t/integration/*.py"):
    for path in sorted(glob.glob(os.path.join(TOP, pattern))):
        name = re.sub(r"\.c$", "", os.path.relpath(path, TOP))
        tap.ok(re.search(re.escape(name) + r"(\s|$)", makefile), f"{name} is run: Makefile.am knows it")
tap.finish()
