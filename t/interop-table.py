# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of docs/interop.md, from the logs of the tests' last run: ./dev interop, or this BUILD [--write].

What failed is shown as such; with --write it is an error, and the page stays as it is."""
import collections
import glob
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = os.path.join(TOP, "docs", "interop.md")
LINE = re.compile(r"^# interop: (.+?) \| (.+?) \| (.+?) \| (\d+) of (\d+) ok$", re.M)
BEGIN, END = "<!-- table: made by ./dev interop -->\n", "<!-- end of the table -->\n"


def rows(build):
    """{(stack, version, part): [passed, all, tests]}"""
    found = collections.defaultdict(lambda: [0, 0, set()])
    for path in glob.glob(os.path.join(build, "t", "integration", "*.log")):
        with open(path, encoding="utf-8", errors="replace") as log:
            for stack, version, part, passed, count in LINE.findall(log.read()):
                row = found[stack, version, part]
                row[0] += int(passed)
                row[1] += int(count)
                row[2].add(os.path.basename(path)[:-len(".log")])
    return found


def table(found):
    with open("/etc/debian_version", encoding="ascii") as file:
        debian = file.read().strip()
    lines = [f"Debian {debian}; versions are those of its packages.", "",
             "| what | version | its part | checks passed | test |", "|---|---|---|---|---|"]
    for (stack, version, part), (passed, count, tests) in sorted(found.items(), key=lambda item: (item[0][0].lower(), item[0])):
        lines.append(f"| {stack} | {version} | {part} | {passed} of {count} | {', '.join(sorted(tests))} |")
    return "\n".join(lines) + "\n"


def main(arguments):
    build = arguments[0]
    found = rows(build)
    if not found:
        sys.exit(f"{build}: no log there has a line \"# interop: ...\": run ./dev test integration first")
    text = table(found)
    sys.stdout.write(text)
    if "--write" in arguments[1:]:
        if any(passed != count for passed, count, _ in found.values()):
            sys.exit(f"{PAGE} stays as it is: something failed")
        with open(PAGE, encoding="utf-8") as page:
            before, _, rest = page.read().partition(BEGIN)
        with open(PAGE, "w", encoding="utf-8") as page:
            page.write(before + BEGIN + "\n" + text + "\n" + END + rest.partition(END)[2])


main(sys.argv[1:])
