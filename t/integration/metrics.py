# SPDX-License-Identifier: GPL-3.0-or-later
"""--metrics: what a real Prometheus reads from the program, beside what "e2ae statistics" says."""
import json
import os
import re
import socket
import subprocess
import sys
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import calls
import certs
import interop
import media
import plugin
import procs
import tap

HOST = procs.address(5)
UE = certs.Pair("ue-ecdsa")
AT = (HOST, procs.free_port(HOST))
PREFIX = "rtpengine_e2ae_"
interop.whole("Prometheus", "reads the metrics")
SAMPLE = re.compile(r"^(\w+)(\{[^}]*\})? (-?\d+)$")


def get(url):
    with urllib.request.urlopen(url, timeout=10 * procs.PATIENCE) as reply:
        return reply.read().decode()


def metrics():
    """{name with labels, without the prefix: value}, as the program answers it."""
    found = {}
    for line in get("http://%s:%d/metrics" % AT).splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            assert name.startswith(PREFIX), line
            found[name[len(PREFIX):] + (labels or "")] = int(value)
    return found


class Prometheus(procs.Server):
    """Scrapes the program every second, and is asked for what it has read."""

    def __init__(self):
        self.at = f"{HOST}:{procs.free_port(HOST)}"
        config = procs.write_file("prometheus.yml", "scrape_configs:\n- job_name: e2ae\n  scrape_interval: 1s\n"
                                  "  static_configs:\n  - targets: ['%s:%d']\n" % AT)
        super().__init__("prometheus", [
            "prometheus", f"--config.file={config}", f"--web.listen-address={self.at}",
            f"--storage.tsdb.path={procs.path_of('prometheus')}", "--log.level=warn"])
        self.wait_ready(self._answers)

    def _answers(self):
        try:
            return self.value("up") == 1
        except OSError:
            return False

    def value(self, query):
        """Of the only sample that matches, or None while there is none."""
        reply = json.loads(get(f"http://{self.at}/api/v1/query?query={urllib.parse.quote(query)}"))
        result = reply["data"]["result"]
        assert len(result) < 2, result
        return float(result[0]["value"][1]) if result else None

    def wait_value(self, query, value):
        procs.wait_until(lambda: self.value(query) == value, f"{query} to be {value} in Prometheus", 20)


def documented():
    with open(os.path.join(procs.SOURCE_DIR, "docs", "metrics.md"), encoding="utf-8") as page:
        return set(re.findall(r"^\| `(\w+)", page.read(), re.M))


with tap.need("the program starts with --metrics"):
    program = plugin.Plugin(None, extra=certs.options(["agw-ecdsa"]) + ["--metrics=%s:%d" % AT])
    program.wait_log("Metrics are at http://%s:%d/metrics" % AT)
with tap.need("Prometheus starts and reads them"):
    prometheus = Prometheus()

with tap.check("promtool finds nothing wrong with the text"):
    text = get("http://%s:%d/metrics" % AT)
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False)
    assert checked.returncode == 0 and not checked.stdout + checked.stderr, checked.stdout + checked.stderr

with tap.check("docs/metrics.md has every metric, and no other"):
    names = set(re.findall(rf"^# TYPE {PREFIX}(\w+) ", text, re.M))
    assert names == documented(), names ^ documented()

with tap.check("CTL-07: a call in Prometheus while it is up"):
    before = metrics()
    with calls.Call(program, media.MSRP, "originating", "active", "openssl", UE, data=False, hold=True,
                    stdin=subprocess.PIPE) as call:
        call.set_up()
        call.connect_ue()
        prometheus.wait_value(f"{PREFIX}calls", 1)
        prometheus.wait_value(PREFIX + 'streams{medium="msrp",state="open"}', 1)
        prometheus.wait_value(PREFIX + 'events_total{event="tls-established"}',
                              before['events_total{event="tls-established"}'] + 1)
        prometheus.wait_value(PREFIX + 'ports_used{interface="access"}', 1)
        prometheus.wait_value(PREFIX + 'bytes_total{leg="access",direction="out"}', len(call.to_ue))
    prometheus.wait_value(f"{PREFIX}calls", 0)
    prometheus.wait_value(f"{PREFIX}calls_total", 1)
    prometheus.wait_value(PREFIX + 'ports_used{interface="access"}', 0)

with tap.check("CTL-07: its bytes when it is over"):
    before = metrics()
    with calls.Call(program, media.MSRP, "terminating", "passive", "openssl", UE) as call:
        call.run()
    for leg, data in (("core", call.to_core), ("access", call.to_ue)):
        name = f'bytes_total{{leg="{leg}",direction="out"}}'
        prometheus.wait_value(PREFIX + name, before[name] + len(data))

with tap.check("CTL-07: the same numbers as in e2ae statistics"):
    said = program.request(command="e2ae statistics")["e2ae"]
    got = metrics()
    for name, value in (
            ("calls_total", said["calls"]["total"]), ("store_ready", 1), ("certificate_ready", 1), ("node_alone", 1),
            ('requests_total{command="offer"}', said["requests"]["offer"]),
            ('requests_total{command="e2ae statistics"}', said["requests"]["e2ae statistics"]),
            ('bytes_total{leg="access",direction="in"}', said["traffic"]["access"]["bytes-in"]),
            ("store_commits_total", said["store"]["commits"]), ("certificates", said["certificate"]["in-use"]),
            *((f'ports_{what}{{interface="{port["interface"]}",address="{port["address"]}"}}', port[what])
              for port in said["ports"] for what in ("used", "free")),
            *((f'events_total{{event="{event}"}}', count) for event, count in said["events"].items())):
        assert got[name] == int(value), (name, got.get(name), value)

with tap.check("no metric names a call, a subscriber or a fingerprint"):
    shown = get("http://%s:%d/metrics" % AT)
    for secret in (call.call_id, call.tags["ue"], call.ue_host, certs.Pair("agw-ecdsa").fingerprint().split()[-1]):
        assert secret not in shown, secret

with tap.check("clients that say nothing do not keep Prometheus out"):
    silent = [socket.create_connection(AT, 10) for _ in range(40)]
    since = metrics()["uptime_seconds"]
    prometheus.wait_value(f"{PREFIX}uptime_seconds > bool {since}", 1)
    for client in silent:
        client.close()

with tap.check("an address that is taken ends the start with one line"):
    argv = [word for word in program.argv if not word.startswith("--listen-ng")]
    other = procs.Server("second", argv + ["--listen-ng=%s:%d" % (HOST, procs.free_port(HOST, socket.SOCK_DGRAM))])
    assert other.wait() == 1, other.log()
    assert other.log().splitlines()[-1] == (
        "rtpengine-e2ae: --metrics=%s:%d: cannot listen there: Address already in use (another process has it: "
        "choose another port)" % AT), other.log()

with tap.check("it ends cleanly while somebody asks"):
    with socket.create_connection(AT, 10) as half:
        half.sendall(b"GET /metrics HTTP/1.1\r\n")
        program.check_end()
    prometheus.wait_value("up", 0)

tap.finish()
