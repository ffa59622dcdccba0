# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documents say about options, keys and states is what the program has: compared with rtpengine-e2ae --help,
the table of keys in ng-protocol/README.md, and the enumerations in the headers."""
import glob
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(os.environ.get("G_TEST_BUILDDIR", TOP), "rtpengine-e2ae")
sys.path.insert(0, os.path.join(TOP, "t", "lib"))
import tap

SECTION = "rtpengine-e2ae"
# Options that say where to read, or end at once: no keys of the file.
COMMAND_LINE_ONLY = {"help", "config-file", "config-section", "version"}
# Keys without a default: the sample has an example.
EXAMPLES_IN_SAMPLE = {"interface", "listen-ng", "listen-tcp-ng", "rtpengine", "certificate", "private-key",
                      "cluster-key", "event-sink", "metrics", "redis", "redis-sentinel", "redis-master", "redis-user", "redis-password-file",
                      "rtpengine-redis", "node-id", "ha-group", "node-address", "tls-ciphers", "tls-ciphersuites", "pidfile"}
OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9]*(?:-[a-z0-9]+)*)")
CONFIGURE_OPTION = re.compile(r"(?:AC_ARG_ENABLE|E2AE_SANITIZER)\(\[(\w+)\]")
LITERAL = r'"((?:[^"\\\n]|\\.)*)"'
STATES = (("plugin/media/media-types.h", "MediaLegState", "MEDIA_LEG_"),
          ("plugin/media/media-conn.h", "MediaConnState", "MEDIA_CONN_"),
          ("plugin/tls/tls-stream.h", "TlsState", "TLS_STATE_"),
          ("plugin/cluster/cluster.h", "ClusterState", "CLUSTER_"),
          ("plugin/cluster/cluster-nodes.h", "ClusterNodeState", "CLUSTER_NODE_"),
          ("plugin/session/session.h", "SessionTreatment", "SESSION_"))


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as file:
        return file.read()


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, check=False, timeout=60, env=dict(os.environ, LC_ALL="C"))


def help_options(text):
    """[(name, default or None)] in the order of --help."""
    found = []
    for line in text.splitlines():
        match = re.match(r"\s+(?:-\w, )?--([\w-]+)", line)
        if match:
            default = re.search(r"\(default (\S+)\)$", line)
            found.append((match[1], default and default[1]))
    return found


def plain(roff):
    return re.sub(r'\\f.|"', "", roff.replace(r"\-", "-"))


def manual_options(text):
    """The same from rtpengine-e2ae(8): the options section, where each option follows a .TP line."""
    options = text.split(".SH OPTIONS", 1)[1].split(".SH SIGNALS", 1)[0]
    found = []
    for item in options.split(".TP\n")[1:]:
        head, _, body = plain(item).partition("\n")
        name = re.search(r"--([\w-]+)", head.replace("-- ", "--"))
        default = re.search(r"^Default: (\S+)\.$", body, re.M)
        found.append((name[1] if name else head, default and default[1]))
    return found


def manual_keys(text):
    """[(key, default or None)] of the table in rtpengine-e2ae.conf(5)."""
    table = text.split("_\n", 1)[1].split(".TE", 1)[0]
    rows = [plain(line).split("|") for line in table.splitlines()]
    return [(key, None if default.startswith("(") else default) for key, _, default in rows]


def sample_keys(text):
    """[(key, value)] of the sample, commented out or not."""
    return re.findall(r"^#?([a-z][a-z0-9-]*) = (.*)$", text, re.M)


def check_sample(keys):
    text = read("examples/rtpengine-e2ae.conf")
    sample = sample_keys(text)
    names = list(dict.fromkeys(name for name, _ in sample))
    tap.equal(names, [name for name, _ in keys], "the sample has every key, in order")
    wrong = [f"{name} = {value}" for name, value in sample
             if name not in EXAMPLES_IN_SAMPLE and value != (dict(keys)[name] or "false")]
    tap.ok(not wrong, "the sample shows the defaults", *wrong)
    # Every line of it is understood: the only complaint is about a certificate that is not there.
    lines = re.sub(r"^#(?=[a-z][a-z0-9-]* = )", "", text, flags=re.M)
    lines = re.sub(r"^(interface|certificate|private-key|cluster-key|event-sink|pidfile) = .*$", "", lines, flags=re.M)
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.write(lines)
        file.flush()
        ended = run(f"--config-file={file.name}", "--interface=127.0.0.1", "--certificate=/nonexistent/a.pem",
                    "--private-key=/nonexistent/a.key", "--foreground", "--log-stderr")
    tap.ok(ended.returncode == 1 and "/nonexistent/a.pem" in ended.stdout, "the values of the sample are accepted",
           ended.stdout)


def pages():
    """The documents in docs/, and those of the examples."""
    return sorted(os.path.relpath(path, TOP) for pattern in ("docs/*.md", "examples/*/README.md")
                  for path in glob.glob(os.path.join(TOP, pattern)))


def check_options_in_texts(known):
    known = known | {"enable-" + name for name in CONFIGURE_OPTION.findall(read("configure.ac"))}
    texts = ["README.md", "HACKING.md", "SECURITY.md", "examples/rtpengine-e2ae.service.in"]
    texts += pages()
    for path in texts:
        unknown = []
        for line in read(path).splitlines():
            # Options of other programs stand in lines that begin with their name.
            if not re.match(r"\s*(\S*/?)(dev|configure|systemctl|sysctl|make|apt|dpkg\S*|git)\b", line):
                unknown += [name for name in OPTION.findall(line) if name not in known]
        tap.ok(not unknown, f"{path}: its options exist", *unknown)


def texts_of_program():
    """Every text in the sources, as the compiler puts it together."""
    found = set()
    for path in glob.glob(os.path.join(TOP, "plugin", "**", "*.[ch]"), recursive=True):
        code = re.sub(r"^#include[^\n]*$|/\*.*?\*/", "", read(path), flags=re.M | re.S)
        for match in re.finditer(rf"{LITERAL}(?:(?:\s|\b[A-Z]\w+\b)*{LITERAL})*", code):
            found.add("".join(re.findall(LITERAL, match[0])).replace('\\"', '"'))
    return found


def check_log_lines():
    """What the table of docs/deployment.md quotes from the log is in the program; "..." is what differs."""
    texts = texts_of_program()
    table = re.findall(r"^\|([^|]+)\|([^|]+)\|[^|]+\|[^|]+\|$", read("docs/deployment.md").split("\n## 10. ")[1], re.M)
    lines = [line for symptom, cell in table[2:] for line in re.findall(r"`([^`]+)`", cell)]
    tap.ok(len(lines) >= len(table) - 2 > 10, "docs/deployment.md: each symptom has a line of the log")
    for line in lines:
        parts = [part.strip(" :") for part in line.split("...")]
        strange = [part for part in parts if part and not any(part in text for text in texts)]
        tap.ok(not strange, f"the program logs: {line}", *strange)


def check_interop():
    """The table is one that t/interop-table.py has made: nothing failed, and each stack and each test is there."""
    sys.path.insert(0, os.path.join(TOP, "t", "lib"))
    import interop
    table = read("docs/interop.md").split("<!-- table", 1)[1].split("<!-- end", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| ")][1:]
    tap.equal({row[0] for row in rows}, set(interop.STACKS), "docs/interop.md: its stacks are those of t/lib/interop.py")
    wrong = [row for row in rows if not re.fullmatch(r"(\d+) of \1", row[3]) or row[3] == "0 of 0"
             or not all(os.path.exists(os.path.join(TOP, "t", "integration", f"{test}.py")) for test in row[4].split(", "))]
    tap.ok(rows and not wrong, "docs/interop.md: all passed, in tests that exist", *wrong)
    tap.ok(re.search(r"^Debian \d", table, re.M), "docs/interop.md says with which Debian")


def check_events(path, start, end):
    """The table of events there has every event of the specification, and no other."""
    specified = set(re.findall(r"^\| `([a-z-]+)` \|", read("ng-protocol/README.md").split("\n## 9.")[1].split("\n## 10.")[0]
                               .split("| event | meaning |", 1)[1], re.M))
    section = read(path).split(start)[1].split(end)[0]
    named = {name for row in re.findall(r"^\| (`[^|]+)\|", section, re.M) for name in re.findall(r"`([a-z-]+)`", row)}
    tap.equal(named, specified, f"{path}: its table of events has those of the specification")


def ng_keys(specification):
    table = specification.split("\n## 5.", 1)[1].split("\n## 6.", 1)[0]
    return re.findall(r"^\| `(e2ae[a-z-]*)` \|", table, re.M)


def check_ng_keys():
    specified = ng_keys(read("ng-protocol/README.md"))
    tap.ok(len(specified) > 1, "the specification of ng has keys")
    readme = read("README.md")
    table = re.findall(r"^\| `(e2ae[a-z-]*)` \|", readme, re.M)
    tap.equal(table, specified, "README.md: the table of keys is that of the specification")
    used = set(re.findall(r"(?<![\w-])(e2ae(?:-[a-z]+)*)=", readme + read("docs/architecture.md")))
    tap.ok(used and used <= set(specified), "README.md: keys in scripts exist", *sorted(used - set(specified)))


def enum_words(header, name, prefix):
    body = re.search(r"typedef enum " + name + r" \{(.*?)\}", read(header), re.S)
    return re.findall(r"\b" + prefix + r"([A-Z0-9_]+)\b", re.sub(r"/\*.*?\*/", "", body[1], flags=re.S))


def check_states():
    text = read("docs/architecture.md")
    for header, name, prefix in STATES:
        words = enum_words(header, name, prefix)
        missing = [word for word in words if not re.search(rf"\b{word}\b", text)]
        tap.ok(words and not missing, f"docs/architecture.md has every {name}", *missing)


def check_references():
    """Files that the documents name are there."""
    pattern = re.compile(r"`((?:plugin|docs|t|examples|debian|ng-protocol|redis-schema)/[\w./-]+)`")
    for path in ["README.md", "HACKING.md", "SECURITY.md", "CHANGELOG.md"] + pages():
        missing = [name for name in pattern.findall(read(path)) if not os.path.exists(os.path.join(TOP, name))]
        tap.ok(not missing, f"{path}: the files it names exist", *missing)


shown = run("--help")
options = help_options(shown.stdout)
with tap.need("--help lists the options"):
    assert shown.returncode == 0 and len(options) > len(COMMAND_LINE_ONLY), shown.stdout
keys = [(name, default) for name, default in options if name not in COMMAND_LINE_ONLY]
manual = manual_options(read("docs/rtpengine-e2ae.8"))
tap.equal([name for name, _ in manual], [name for name, _ in options], "rtpengine-e2ae(8) has every option, in order")
tap.equal({item for item in manual if item[1]}, {item for item in options if item[1]},
          "rtpengine-e2ae(8) has the defaults of --help")
table = manual_keys(read("docs/rtpengine-e2ae.conf.5"))
tap.equal([name for name, _ in table], [name for name, _ in keys], "rtpengine-e2ae.conf(5) has every key, in order")
wrong_defaults = [f"{name}: {dict(table).get(name)}, in --help {default}" for name, default in keys
                  if dict(table).get(name, "") != default and (default or dict(table).get(name) != "false")]
tap.ok(not wrong_defaults, "rtpengine-e2ae.conf(5) has the defaults of --help", *wrong_defaults)
check_sample(keys)
check_options_in_texts({name for name, _ in options})
check_ng_keys()
check_states()
check_log_lines()
check_interop()
check_events("docs/deployment.md", "\n## 8. ", "\n## 9. ")
check_references()
tap.finish()
