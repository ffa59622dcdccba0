# SPDX-License-Identifier: GPL-3.0-or-later
"""Every requirement of t/requirements.txt has a test that names it, or a reason why it needs none.

A test names a requirement in its own name: a GLib test by a part of its path (/tls/stream/TRK-10/quarantine-match), a
Python test in the text of its check ("ORG-03 ORG-06: the core sees TCP/MSRP"). Names are taken from the test programs
themselves (-l) and from the sources of the Python tests, nothing is run.

Where a catalogue of the requirements stands beside the source tree (shared/norms.md), it must not have an ID that
t/requirements.txt does not have."""
import ast
import glob
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("G_TEST_BUILDDIR", TOP)
sys.path.insert(0, os.path.join(TOP, "t", "lib"))
import tap

LIST = "t/requirements.txt"
CATALOGUE = os.path.join(TOP, "..", "shared", "norms.md")
# Looks like an ID wherever it stands: a misspelled one must not pass as text.
ID = re.compile(r"(?<![A-Za-z0-9-])[A-Z][A-Z0-9]{2,3}-[0-9]{2}(?![0-9])")
ENTRY = re.compile(r"(?P<id>[A-Z0-9]{3,4}-[0-9]{2}) \| (?P<what>[^|]*[^|\s]) \| (?P<how>test|reason: \S[^|]*)")
CATALOGUED = re.compile(r"^- \*\*([A-Z0-9]+-[0-9]+)\*\*", re.M)
# Functions of t/lib/tap.py, and the place of the name among their arguments.
NAMED = {"ok": 1, "equal": 2, "check": 0, "need": 0}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def entries(text):
    """(id, how) of each requirement; None in the place of the id for a line that is not understood."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            match = ENTRY.fullmatch(line)
            yield (match["id"], match["how"]) if match else (None, line)


def constants(node):
    """The texts of an expression: "a" and f"a {b}" and "a" + b."""
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def python_names(source):
    """What the checks of a Python test are called, and texts of its tables that begin like such a name."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in NAMED:
            place = NAMED[node.func.attr]
            if len(node.args) > place:
                yield " ".join(constants(node.args[place]))
    for text in constants(tree):
        if re.match(rf"({ID.pattern}[ ,]*)+:", text):
            yield text.split("\n", 1)[0]


def program_names(program):
    """The paths that a GLib test program lists; raises when it cannot."""
    # Listing ends the program in the middle of main(), so what that still holds is no leak.
    environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
    done = subprocess.run([program, "-l"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                          check=False, stdin=subprocess.DEVNULL, env=environment)
    if done.returncode != 0:
        raise OSError(f"exit status {done.returncode}: {done.stderr.strip()}")
    return [line for line in done.stdout.splitlines() if line.startswith("/")]


def test_programs(makefile):
    """Those of Makefile.am, not what may lie about in the build tree."""
    return sorted(set(re.findall(r"(?<![\w/.-])t/unit/test-[a-z0-9-]+(?![\w.-])", makefile)))


def self_check():
    """The parts of this check that could be blind."""
    tap.equal(list(entries("# a\n\nORG-01 | what | test\nORG-02 | what | reason: none of ours\n")),
              [("ORG-01", "test"), ("ORG-02", "reason: none of ours")], "the list is understood")
    for line in ("ORG-01 | what", "ORG-01 | what | reason:", "ORG-01 | what | later", "ORG-1 | what | test"):
        tap.equal(list(entries(line)), [(None, line)], f"the check sees: {line}")
    tap.equal(ID.findall("/tls/TRK-10/CTLS-03/x") + ID.findall("OGR-03 SHA-256 TLS-1.2 UTF-8"),
              ["TRK-10", "CTLS-03", "OGR-03"], "IDs are found, with or without sense")
    sample = ('tap.ok(x, f"A {y}: b")\nwith tap.check("C"): pass\ntap.equal(1, 2, "D" + z)\n'
              'TABLE = [("IND-01: e", 1)]\ntext = "see IND-02: no name"\n')
    tap.equal(sorted(python_names(sample)), ["A  : b", "C", "D", "IND-01: e"], "names of Python tests are found")


def collect():
    """ID -> names of the tests that name it."""
    covered = {}

    def add(where, name):
        for found in ID.findall(name):
            covered.setdefault(found, []).append(f"{where}: {name}" if where else name)

    programs = test_programs(read(os.path.join(TOP, "Makefile.am")))
    tap.ok(programs, "there are test programs")
    for program in programs:
        with tap.check(f"{program} lists its tests"):
            names = program_names(os.path.join(BUILD, program))
            assert names, "nothing listed"
            for name in names:
                add("", name)
    for path in sorted(glob.glob(os.path.join(TOP, "t", "integration", "*.py"))):
        for name in python_names(read(path)):
            add(os.path.relpath(path, TOP), name)
    return covered


def main():
    self_check()
    known = {}
    for name, how in entries(read(os.path.join(TOP, LIST))):
        if name is None or name in known:
            tap.ok(False, f"{LIST}: {'twice' if name else 'not understood'}: {name or how}")
        else:
            known[name] = how
    covered = collect()
    open_ids = []
    for name, how in known.items():
        tests = sorted(set(covered.get(name, [])))
        for test in tests:
            tap.note(f"{name}  {test}")
        if not tap.ok(tests or how != "test", f"{name} has a test" + ("" if how == "test" else f" or a {how}")):
            open_ids.append(name)
    for name in sorted(set(covered) - set(known)):
        tap.ok(False, f"{name} of a test's name is a requirement", *covered[name])
    if os.path.exists(CATALOGUE):
        catalogued = CATALOGUED.findall(read(CATALOGUE))
        missing = sorted(set(catalogued) - set(known))
        tap.ok(catalogued and not missing, f"{LIST} has every ID of the catalogue", " ".join(missing))
    tap.note(f"{len(known)} requirements, {sum(1 for name in known if name in covered)} with tests, "
             f"{sum(1 for how in known.values() if how != 'test')} with a reason")
    tap.note("without test: " + (" ".join(open_ids) or "none"))
    tap.finish()


main()
